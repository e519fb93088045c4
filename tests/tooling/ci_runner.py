"""Runs the steps of CI.yml's jobs on this machine, as GitHub's runner would, for the rows that are for this machine.

The evaluator says which steps there are, with what; the commands are run as they stand. In place of GitHub's actions:
a checkout is a clone of the scratch remote, artefacts are folders, and Python and Rust are those of this machine.
"""

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from helpers import run as run_command
from pipeline import BASH, Pipeline
from project import ROOT
from workflows.jobs import Event, Outcome, Row, Step, run

# What this machine has by itself.
HAS = ("actions/setup-python", "Swatinem/rust-cache")


@dataclass
class Runner:
    """A run of the workflow for one event.

    Attributes:
        pipeline: The workflow.
        event: What happened; its `sha` is in the remote.
        remote: The bare repository.
        folder: Where everything is done.
        variables: What the environment of every step has beside GitHub's.
        done: Each command that was run, with its job and what it came to.
    """

    pipeline: Pipeline
    event: Event
    remote: Path
    folder: Path
    variables: dict[str, str] = field(default_factory=dict)
    done: list[tuple[str, str, "subprocess.CompletedProcess[str]"]] = field(default_factory=list)
    outputs: dict[str, dict[str, str]] = field(default_factory=dict)

    def rows(self, job: str) -> tuple[Row, ...]:
        """Return the rows of a job, with what the jobs before it have really put out."""
        outcomes = {name: Outcome(outputs=outputs) for name, outputs in self.outputs.items()}
        return run(self.pipeline.workflow, self.event, outcomes)[job].rows

    def run(self, job: str, row: Row, *, changes: Mapping[str, str] | None = None) -> None:
        """Run the steps of one row, one after the other, in a fresh folder.

        Args:
            job: The job.
            row: The row.
            changes: Variables of steps that have another value here, such as the Pythons of this machine.
        """
        workspace = self.folder / f"{job}-{len(self.done)}"
        workspace.mkdir(parents=True)
        results: dict[str, str] = {}
        for step in row.steps:
            if step.runs is False:
                continue
            if step.run:
                self._command(job, step, workspace, changes or {}, results)
            else:
                self._action(step, workspace)
        declared = self.pipeline.jobs[job].get("outputs", {})
        self.outputs[job] = {name: results[name] for name in declared if name in results}

    def _command(
        self, job: str, step: Step, workspace: Path, changes: Mapping[str, str], results: dict[str, str]
    ) -> None:
        output, summary = workspace / ".git" / "output", self.folder / "summary.md"
        if not output.parent.exists():
            output = self.folder / "output"
        given = {name: value for name, value in changes.items() if name in step.env}
        # The tests may run under GitHub Actions themselves.
        outer = dict.fromkeys(name for name in os.environ if name.startswith("GITHUB_"))
        env = {**outer, **self._github(output, summary), **self.variables, **step.env, **given}
        ran = run_command(*BASH, step.run, cwd=workspace, **env)
        self.done.append((job, step.run, ran))
        if output.exists():
            for line in output.read_text(encoding="utf-8").splitlines():
                name, _, value = line.partition("=")
                results[name] = value

    def _github(self, output: Path, summary: Path) -> dict[str, str]:
        return {
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_BASE_REF": self.event.base_ref,
            "GITHUB_EVENT_NAME": self.event.name,
            "GITHUB_OUTPUT": str(output),
            "GITHUB_REF": self.event.ref,
            "GITHUB_REF_NAME": self.event.ref_name,
            "GITHUB_REF_TYPE": self.event.ref_type,
            "GITHUB_REPOSITORY": self.event.repository,
            "GITHUB_RUN_ID": "1000",
            "GITHUB_RUN_NUMBER": "10",
            "GITHUB_SERVER_URL": "https://github.com",
            "GITHUB_SHA": self.event.sha,
            "GITHUB_STEP_SUMMARY": str(summary),
        }

    def _action(self, step: Step, workspace: Path) -> None:
        action = step.uses.split("@")[0]
        if action == "actions/checkout":
            clone(self.remote, self.event.sha, workspace)
        elif action == "actions/upload-artifact":
            upload(workspace, step.inputs["path"].split(), self.folder / "artefacts" / step.inputs["name"])
        elif action == "actions/download-artifact":
            download(self.folder / "artefacts", step.inputs, workspace)
        elif action not in HAS:
            raise ValueError(f"there is nothing in place of {action} here")


def clone(remote: Path, commit: str, workspace: Path) -> None:
    """Check a commit out, and share this checkout's .venv with it."""
    subprocess.run(["git", "clone", "--quiet", remote, workspace], check=True)
    subprocess.run(["git", "checkout", "--quiet", "--detach", commit], cwd=workspace, check=True)
    (workspace / ".git" / "info" / "exclude").write_text("/.venv\n", encoding="utf-8")
    (workspace / ".venv").symlink_to(ROOT / ".venv")
    for name in ("requirements/dev.txt", "scripts/bootstrap.py"):
        os.utime(workspace / name, (0, 0))


def upload(workspace: Path, patterns: list[str], artefact: Path) -> None:
    """Keep files as an artefact: below the last folder that all of the paths have in common, here the workspace.

    Raises:
        ValueError: One of the patterns finds nothing, or there is such an artefact.
    """
    artefact.mkdir(parents=True)
    for pattern in patterns:
        found = [
            path
            for path in workspace.glob(pattern.rstrip("/"))
            for path in (path.rglob("*") if path.is_dir() else [path])
        ]
        if not found:
            raise ValueError(f"{pattern} finds nothing")
        for path in found:
            target = artefact / path.relative_to(workspace)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, target)


def download(artefacts: Path, inputs: Mapping[str, str], workspace: Path) -> None:
    """Fetch one artefact into a folder, or those of a pattern, each into a folder of its own there."""
    to = workspace / inputs.get("path", ".")
    if "name" in inputs:
        shutil.copytree(artefacts / inputs["name"], to, dirs_exist_ok=True)
        return
    for artefact in sorted(artefacts.glob(inputs["pattern"])):
        shutil.copytree(artefact, to / artefact.name)
