"""A run of CI.yml on this machine: its own commands, with what GitHub would give them, job after job.

What runs is decided by the workflow itself, evaluated as GitHub does with what the jobs before really came to.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from string import Template
from typing import Any

from workshop.loopback.identity import IdentityProvider, github_claims
from workshop.rehearsing import actions
from workshop.rehearsing.machine import Machine
from workshop.rehearsing.scratch import ScratchCopy
from workshop.workflows.events import load
from workshop.workflows.jobs import Event, JobResult, Outcome, Row, Step, in_order, run
from workshop.workflows.pipeline import BASH

FOLDER = ".github/workflows"


@dataclass(frozen=True)
class Ran:
    """A step that was run: its job, the row's name, the command or the action, and how it went."""

    job: str
    row: str
    command: str
    seconds: float
    code: int
    output: str


class Watch:
    """Is told of each command; it does nothing with that, for whoever does not want to know."""

    def begin(self, job: str, command: str) -> None:
        """Be told that it begins."""

    def end(self, ran: Ran) -> None:
        """Be told how it went."""


@dataclass
class Run:
    """A run of the workflow for one event."""

    scratch: ScratchCopy
    event: Event  # its `sha` is in the remote
    machine: Machine
    folder: Path  # where the rows run, and the artefacts are
    provider: IdentityProvider
    publishing: dict[str, str]  # where uv publishes to, and the authority whom it trusts, as variables
    workflow_file: str = "CI.yml"  # the identity of a job has it
    without: tuple[str, ...] = ()  # commands that are left out, by their first words
    before: Mapping[str, str] = field(default_factory=dict)  # what the shell does before a command, by its first words
    watch: Watch = field(default_factory=Watch)
    done: list[Ran] = field(default_factory=list)
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    results: dict[str, JobResult] = field(default_factory=dict)
    previous: dict[str, JobResult] | None = None

    @property
    def artefacts(self) -> Path:
        """The folder of the run's artefacts."""
        return self.folder / "artefacts"

    @property
    def summary(self) -> Path:
        """What the steps have written for the page of the run."""
        return self.folder / "summary.md"

    def workflow(self) -> dict[str, Any]:
        """Return the workflow as the tag's commit has it."""
        return load(self.scratch.git("show", f"{self.event.sha}:{FOLDER}/{self.workflow_file}"))

    def go(self, *, until: str = "") -> bool:
        """Go through the jobs that have no result yet, up to and with the job `until`; return whether all is well."""
        workflow = self.workflow()
        for name in in_order(workflow):
            self.results = run(workflow, self.event, self.outcomes, previous=self.previous)
            if not self.results:
                return False
            if name not in self.outcomes and self.results[name].runs:
                self.outcomes[name] = self._job(workflow, name, self.results[name])
            if name == until:
                break
        self.results = run(workflow, self.event, self.outcomes, previous=self.previous)
        return self.well

    @property
    def well(self) -> bool:
        """Whether it was started, and nothing has failed."""
        return bool(self.results) and not self.failed

    @property
    def failed(self) -> list[str]:
        """The jobs that failed."""
        return [name for name, result in self.results.items() if result.result == "failure"]

    def _job(self, workflow: dict[str, Any], name: str, result: JobResult) -> Outcome:
        well, outputs = True, dict[str, str]()
        for row in (row for row in result.rows if not self.machine.why_not(row)):
            well, outputs = self._row(name, row, result)
            if not well:
                break
        declared = workflow["jobs"][name].get("outputs", {})
        told = {key: value for key, value in outputs.items() if key in declared}
        return Outcome("success" if well else "failure", told)

    def _row(self, name: str, row: Row, result: JobResult) -> tuple[bool, dict[str, str]]:
        """Run the steps of a row in a fresh folder, until one fails; return whether none has, and its outputs."""
        workspace = self.folder / f"{len(self.done):02}-{name}"
        workspace.mkdir(parents=True)
        allowed = isinstance(result.permissions, dict) and result.permissions.get("id-token") == "write"
        it = self.event
        about = {"repository": it.repository, "ref": it.ref, "sha": it.sha, "event_name": it.name}
        about |= {"workflow": self.workflow_file, "environment": row.environment or ""}
        claims = github_claims(**about) if allowed else None
        job = actions.Job(self.scratch, workspace, self.artefacts, self.event.sha, claims)
        outputs: dict[str, str] = {}
        for step in (step for step in row.steps if step.runs is not False):
            ran = self._command(job, name, row, step, outputs) if step.run else self._action(job, name, row, step)
            if ran and ran.code:
                return False, outputs
        return True, outputs

    def _action(self, job: actions.Job, name: str, row: Row, step: Step) -> Ran | None:
        started, code, said = time.perf_counter(), 0, ""
        try:
            actions.act(job, step)
        except actions.FailedActionError as error:
            code, said = 1, f"{step.uses.split('@')[0]}: {error}"
        ran = Ran(name, row.name, step.uses.split("@")[0], time.perf_counter() - started, code, said)
        if code:
            self._keep(ran)
        return ran

    def _command(self, job: actions.Job, name: str, row: Row, step: Step, outputs: dict[str, str]) -> Ran | None:
        # Rust is this machine's own.
        if step.run.startswith(self.without) or "rustup" in step.run.split():
            return None
        written = self.folder / "output"
        written.write_bytes(b"")
        own = {**step.env, **self.machine.changes(step.env)}
        # Where it publishes to, and what it is given to ask for its identity, if it may.
        identity = {} if job.claims is None else {**self.publishing, **self.provider.grant(dict(job.claims))}
        env = {**self._github(written), **identity, **own}
        # As somebody would type it.
        shown = " ".join(Template(step.run).safe_substitute(own).split())
        self.watch.begin(name, shown)
        started = time.perf_counter()
        before = [line for words, line in self.before.items() if step.run.startswith(words)]
        done = self.scratch.run(*BASH, "\n".join([*before, step.run]), cwd=job.workspace, **env)
        ran = Ran(name, row.name, shown, time.perf_counter() - started, done.returncode, done.stdout)
        self._keep(ran)
        for line in written.read_text(encoding="utf-8").splitlines():
            key, _, value = line.partition("=")
            outputs[key] = value
        return ran

    def _keep(self, ran: Ran) -> None:
        self.done.append(ran)
        self.watch.end(ran)

    def _github(self, output: Path) -> dict[str, str]:
        """Return the variables that GitHub gives to every step: its context, and where to write."""
        return {
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            **{f"GITHUB_{key.upper()}": value for key, value in self.event.facts.items()},
            "GITHUB_OUTPUT": str(output),
            "GITHUB_STEP_SUMMARY": str(self.summary),
        }
