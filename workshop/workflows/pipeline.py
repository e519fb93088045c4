"""CI.yml as rules see it: its jobs by what they do, under whatever name, and what becomes of them at each event."""

import os
import re
import shlex
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from typing import Any

from roadworthy.project import Project
from workshop.workflows.events import as_list, load
from workshop.workflows.jobs import Event, JobResult, Outcome, Row, run

PULL = Event(name="pull_request", ref="refs/pull/7/merge", head_ref="topic", base_ref="main")
EVENTS = {
    "pull request": PULL,
    "pull request of a fork": replace(PULL, ref="refs/pull/8/merge", head_ref="a", fork=True),
    "push": Event(name="push"),
    "push to a maintenance line": Event(name="push", ref="refs/heads/0.1.x"),
    "tag": Event(name="push", ref="refs/tags/v1.2.3"),
    "tag of a pre-release": Event(name="push", ref="refs/tags/v1.2.3-rc1"),
    "tag vacation": Event(name="push", ref="refs/tags/vacation"),
    "manual run": Event(name="workflow_dispatch"),
    "manual run for TestPyPI": Event(name="workflow_dispatch", inputs={"testpypi": True}),
}
TAG, MANUAL = EVENTS["tag"], EVENTS["manual run for TestPyPI"]
EVENTS["manual run of a tag for TestPyPI"] = replace(MANUAL, ref=TAG.ref)
VERSION = "1.2.3"
VERIFY = "make verify FROM=release"
# What makes and proves the artefacts of a run, a job for each.
MATRIX = ("make sdist", "make build", "make collect", VERIFY)
# What GitHub runs for `shell: bash`.
BASH = ("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c")


@dataclass(frozen=True)
class Pipeline:
    """A workflow, as text and as what it means, and the project that it is for."""

    project: Project
    text: str
    # What was evaluated already.
    _known: dict[str, dict[str, JobResult]] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def of(cls, project: Project, path: str | None = None) -> "Pipeline":
        """Return a workflow of a project; default: the one that publishes."""
        return cls(project, project.read(path or project.workflow_path))

    @cached_property
    def workflow(self) -> dict[str, Any]:
        """The parsed file."""
        return load(self.text)

    @cached_property
    def jobs(self) -> dict[str, Any]:
        """The jobs, as they stand there."""
        return dict(self.workflow["jobs"])

    @cached_property
    def minors(self) -> list[str]:
        """The Pythons that the package says it is for, the oldest first: `3.10`."""
        classifiers = self.project.pyproject["project"]["classifiers"]
        return [text.rsplit(" ", 1)[1] for text in classifiers if re.search(r":: 3\.\d+$", text)]

    @property
    def threaded(self) -> list[str]:
        """The free-threaded Pythons that have a wheel of their own: `3.14t`."""
        return [name for name in self.project.python_tags if name.endswith("t")]

    def steps(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """All steps, each with the name of its job."""
        return ((name, step) for name, job in self.jobs.items() for step in job.get("steps", []))

    def using(self, action: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """All steps that use an action, each as its job and its `with:`."""
        for name, step in self.steps():
            if step.get("uses", "").startswith(f"{action}@"):
                yield name, step.get("with", {})

    def doing(self, command: str) -> list[str]:
        """Return the jobs with a step that runs this command: its first words."""
        wanted = _words(command)
        found = [name for name, step in self.steps() if _words(step.get("run", ""))[: len(wanted)] == wanted]
        return list(dict.fromkeys(found))

    def one(self, command: str) -> str:
        """Return the one job that runs this command; any other number is a ValueError."""
        found = self.doing(command)
        if len(found) != 1:
            raise ValueError(f"{len(found)} jobs run {command}, not one")
        return found[0]

    @property
    def publishing(self) -> dict[str, str]:
        """PyPI and TestPyPI, each with the one job that publishes there; an address makes it TestPyPI."""
        found: dict[str, str] = {}
        for name, step in self.steps():
            if "publish" in _words(step.get("run", ""))[:2] or "pypi-publish" in step.get("uses", ""):
                index = "testpypi" if "publish-url" in str(step) else "pypi"
                if index in found:
                    raise ValueError(f"{found[index]} and {name} publish to {index}")
                found[index] = name
        if set(found) != {"pypi", "testpypi"}:
            raise ValueError(f"it publishes to {', '.join(found) or 'nothing'}")
        return found

    @property
    def publishers(self) -> list[tuple[str, str, Event]]:
        """For each index its name, the job that publishes there, and at which event."""
        jobs = self.publishing
        return [("pypi", jobs["pypi"], TAG), ("testpypi", jobs["testpypi"], MANUAL)]

    @property
    def after_publishing(self) -> set[str]:
        """The jobs that come after one that publishes."""
        publishing = set(self.publishing.values())
        return {name for name in self.jobs if self.needs(name) & publishing}

    def needs(self, job: str) -> set[str]:
        """Return all jobs that come before one."""
        direct = as_list(self.jobs[job].get("needs", []))
        return set(direct).union(*(self.needs(name) for name in direct))

    def comes_to(
        self,
        event: Event,
        ends: Mapping[str, str] | None = None,
        *,
        code: bool = True,
        previous: Mapping[str, JobResult] | None = None,
    ) -> dict[str, JobResult]:
        """Return what becomes of the jobs at an event, in which something else than documents changes (`code`).

        The jobs in `ends` end as it says, the others well; `previous` is the attempt whose failed jobs are run again.
        """
        key = f"{event} {ends} {code}"
        if previous is not None or key not in self._known:
            outputs = {"code": str(code).lower(), "version": VERSION}
            known = {
                identify: Outcome(outputs={name: outputs[name] for name in self.jobs[identify].get("outputs", {})})
                for identify in self.doing("make identify")
            }
            # A job that is cancelled by itself took too long; the run goes on.
            ended = {name: Outcome(how, run_goes_on=how == "cancelled") for name, how in (ends or {}).items()}
            self._known[key] = run(self.workflow, event, {**known, **ended}, previous=previous)
        return self._known[key]

    def rows(self, job: str, event: Event = TAG) -> tuple[Row, ...]:
        """Return a job's rows at an event."""
        return self.comes_to(event)[job].rows

    def rows_doing(self, command: str) -> tuple[Row, ...]:
        """Return the rows of the one job that runs this command for a tag."""
        return self.rows(self.one(command))

    def all_rows(self, event: Event) -> Iterator[tuple[str, Row]]:
        """All rows of all jobs that run at an event, each with the name of its job."""
        return ((name, row) for name, result in self.comes_to(event).items() for row in result.rows)


@cache
def exit_code(command: str, env: tuple[tuple[str, str], ...]) -> int:
    """Run a step's command as GitHub would, with its own environment, and return the exit code."""
    environment = {"PATH": os.environ["PATH"], **dict(env)}
    return subprocess.run([*BASH, command], env=environment, check=False, capture_output=True).returncode


@cache
def _words(command: str) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(command))
    except ValueError:
        return tuple(command.split())
