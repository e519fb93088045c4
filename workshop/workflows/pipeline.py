"""CI.yml as rules see it: its jobs by what they do, under whatever name, and what becomes of them at each event."""

import os
import re
import shlex
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from typing import Any

from roadworthy.building.toolchain import ANY
from roadworthy.project import Project
from roadworthy.releasing.version import stem
from workshop.workflows.events import load
from workshop.workflows.jobs import Event, JobResult, Outcome, Row, run

PULL = Event(name="pull_request", ref="refs/pull/7/merge", head_ref="topic", base_ref="main")
MANUAL = Event(
    name="workflow_dispatch", inputs={"testpypi": True}, variables={"PUBLISH_URL": "https://localhost/legacy/"}
)
TAG = Event(name="push", ref="refs/tags/v1.2.3")
ELSEWHERE: dict[str, Any] = {"repository": "else/where", "default_branch": "trunk"}
EVENTS = {
    "pull request": PULL,
    "new pull request": replace(PULL, action="opened"),
    "pull request that is closed": replace(PULL, action="closed"),
    "pull request of a fork": replace(PULL, ref="refs/pull/8/merge", head_ref="main", fork=True, actor="one"),
    "pull request of another fork": replace(PULL, ref="refs/pull/9/merge", head_ref="main", fork=True, actor="other"),
    "draft to a maintenance line, opened again": replace(
        PULL, ref="refs/pull/10/merge", base_ref="0.1.x", draft=True, action="reopened"
    ),
    "pull request of Dependabot, to a topic": replace(
        PULL,
        ref="refs/pull/11/merge",
        head_ref="dependabot/cargo/pyo3",
        base_ref="topic/groundwork",
        actor="dependabot[bot]",
        **ELSEWHERE,
    ),
    "push": Event(name="push"),
    "push to a maintenance line": Event(name="push", ref="refs/heads/0.1.x", **ELSEWHERE),
    "tag": TAG,
    "tag of an alpha": replace(TAG, ref="refs/tags/v1.2.3-alpha1", **ELSEWHERE),
    "tag of a beta": replace(TAG, ref="refs/tags/v1.2.3-beta1"),
    "tag of a release candidate": replace(TAG, ref="refs/tags/v1.2.3-rc1"),
    "tag vacation": replace(TAG, ref="refs/tags/vacation"),
    "manual run": replace(MANUAL, inputs={}),
    "manual run of a tag": replace(MANUAL, inputs={}, ref=TAG.ref),
    "manual run for TestPyPI": MANUAL,
    "manual run of a topic for TestPyPI": replace(MANUAL, ref="refs/heads/topic", **ELSEWHERE),
    "manual run of a tag for TestPyPI": replace(MANUAL, ref=TAG.ref),
}
NOT_STARTED = ("tag vacation", "pull request that is closed")
STARTED = {name: event for name, event in EVENTS.items() if name not in NOT_STARTED}
# One of each kind, where more of a kind could tell nothing new.
KINDS = {name: EVENTS[name] for name in ("pull request", "push", "tag", "manual run for TestPyPI")}
# GitHub's own machines, and what they are, in the words of a target.
RUNNERS = {
    "ubuntu-24.04": ("linux", "x86_64"),
    "ubuntu-24.04-arm": ("linux", "aarch64"),
    "macos-15": ("darwin", "aarch64"),
    "macos-15-intel": ("darwin", "x86_64"),
    "windows-2025": ("windows", "x86_64"),
    "windows-11-arm": ("windows", "aarch64"),
}
VERSION = "9.8.7.dev6"
VERIFY = "make verify FROM=release"
# What the jobs are known by, under whatever name, and where it is not a command, what it is; in their order.
ROLES = {
    "identify": "make identify",
    "lint": "make lint",
    "test": "make test",
    "sdist": "make sdist",
    "build": "make build",
    "collect": "make collect",
    "verify": VERIFY,
    "published": "make check-index",
    "release": "make github-release",
}
# What makes and proves the artefacts of a run.
MATRIX = ("sdist", "build", "collect", "verify")
# What GitHub runs for `shell: bash`.
BASH = ("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c")


def processors_of(target: str) -> set[str]:
    """Return the processors that a wheel for a target is for."""
    first = target.split("-", 1)[0]
    return {"x86_64", "aarch64"} if first in {"universal2", ANY} else {first}


def library_of(row: Row) -> str:
    """Return the target whose library of Rust is fetched to build a row: for two halves, the one of another machine."""
    target, own = row.matrix["target"], RUNNERS.get(row.runs_on, ("", ""))[1]
    others = sorted(processors_of(target) - {own})
    return f"{others[0]}-{target.split('-', 1)[1]}" if others else str(target)


def index_of(event: Event) -> str:
    """Return what is published to at an event: "pypi", "testpypi" or ""."""
    if event.inputs:
        return "testpypi"
    return "pypi" if event.name == "push" and event.ref_type == "tag" else ""


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
        return cls(project, project.read_shared(path or project.workflow_path))

    @cached_property
    def workflow(self) -> dict[str, Any]:
        """The parsed file; a second package's tags and branches as if they were the first one's, without its name."""
        named = re.compile(r'^( +- ")([\w-]+-)?(?=v?\[)', re.MULTILINE)
        own = stem(self.project.package) or None
        return load(named.sub(lambda each: each[1] if each[2] == own else f"{each[1]}another-", self.text))

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

    @cached_property
    def roles(self) -> dict[str, str]:
        """What the jobs are there for, each with the one job that does it; any other number is a ValueError."""
        lint = self.one(ROLES["lint"])
        found = {role: self.one(command) for role, command in ROLES.items() if role != "test"}
        (found["test"],) = (name for name in self.doing(ROLES["test"]) if name != lint)
        return {**found, **self.publishing, "passed": "passed"}

    @property
    def publishers(self) -> list[tuple[str, str, Event]]:
        """For each index its name, the job that publishes there, and at which event."""
        jobs = self.publishing
        return [("pypi", jobs["pypi"], TAG), ("testpypi", jobs["testpypi"], MANUAL)]

    def comes_to(
        self,
        event: Event,
        ends: Mapping[str, Outcome] | None = None,
        *,
        code: str = "true",
        previous: Mapping[str, JobResult] | None = None,
    ) -> dict[str, JobResult]:
        """Return what becomes of the jobs at an event.

        Args:
            event: What happens.
            ends: What jobs end with; all others end well.
            code: Whether something else than documents changes, in the words of `identify`.
            previous: The attempt whose failed jobs are run again.
        """
        key = f"{event} {ends} {code} {previous}"
        if key not in self._known:
            outputs = {"code": code, "version": VERSION if code else ""}
            outcomes = dict(ends or {})
            for identify in self.doing(ROLES["identify"]):
                # Also where it fails, which may be after its last step.
                told = {name: outputs[name] for name in self.jobs[identify].get("outputs", {})}
                outcomes[identify] = replace(outcomes.get(identify, Outcome()), outputs=told)
            self._known[key] = run(self.workflow, event, outcomes, previous=previous)
        return self._known[key]

    def rows(self, job: str, event: Event = TAG) -> tuple[Row, ...]:
        """Return a job's rows at an event."""
        return self.comes_to(event)[job].rows

    def rows_of(self, role: str) -> tuple[Row, ...]:
        """Return the rows of the job with a role, for a tag."""
        return self.rows(self.roles[role])

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
