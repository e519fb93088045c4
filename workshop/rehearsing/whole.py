"""The whole of a rehearsal: the release, what CI does for its tag, and what has to be there then.

The real release command, the commands of CI.yml as they stand there, and the real uv publish; a remote, an index and a
GitHub on this machine. Nothing is written outside a temporary folder, and nothing else is contacted but the package
registries, for what the tools themselves need.
"""

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from packaging.utils import canonicalize_name

from roadworthy.project import Project
from roadworthy.releasing.version import Release
from roadworthy.sums import read_sums, sha256
from roadworthy.terminal import Problem, out, problem, raise_problems, step
from workshop.rehearsing import report
from workshop.rehearsing.machine import Machine
from workshop.rehearsing.rehearsal import Rehearsal, on_loopback, prepare_copy
from workshop.rehearsing.report import Screen
from workshop.rehearsing.runner import Run
from workshop.rehearsing.scratch import log_of, scratch_folder
from workshop.workflows.events import load
from workshop.workflows.jobs import run
from workshop.workflows.rules import require_rules

REPAIR = "repair what its last lines say; nothing but the scratch copy has changed; then rehearse again"


def rehearse(rehearsal: Rehearsal, screen: Screen, folder: Path) -> Run:
    """Release, and run what CI runs for the tag; of what fails, the last lines are shown before it is a problem."""
    screen.begin("release", rehearsal.release.command())
    released = rehearsal.timed("release", *rehearsal.release.command().split(), "YES=1")
    screen.end(released)
    if released.code:
        raise problem(f"the release fails at: {released.command}", REPAIR)
    ci = rehearsal.start_run(folder, watch=screen)
    if not ci.go():
        failing = ", ".join(f"{one.job}: {one.command}" for one in ci.done if one.code) or "no job was started"
        raise problem(f"the pipeline fails at: {failing}", REPAIR)
    raise_problems(missing(rehearsal, ci))
    return ci


def missing(rehearsal: Rehearsal, ci: Run) -> Iterator[Problem]:
    """Find what a pipeline without a failure has left undone."""
    workflow = rehearsal.project.workflow_path
    there = {
        each.name: sha256(each.content) for each in rehearsal.index.visible(canonicalize_name(rehearsal.project.name))
    }
    if there != read_sums(ci.artefacts / "release" / rehearsal.project.sums.name):
        yield Problem("the index does not hold exactly what was built", f"see the jobs that publish in {workflow}")
    if any(each["isDraft"] for each in rehearsal.read_github()["releases"].values()):
        yield Problem("the release on GitHub is still a draft", "see roadworthy/src/roadworthy/releasing/github.py")
    for command in report.PROOFS:
        if not any(ran.command.startswith(command) for ran in ci.done) and command != "make release":
            yield Problem(f"no job ran a command that begins with: {command}", f"see their `if:` in {workflow}")


def show(rehearsal: Rehearsal, screen: Screen, ci: Run, seconds: float) -> None:
    """Print the report."""
    commit = rehearsal.scratch.tag_commit(rehearsal.release.tag)[:10]
    out.print(f"rehearsed: {rehearsal.release.text}, commit {commit} of a scratch copy, on {rehearsal.machine.triple}")
    report.show_steps(screen.ran)
    # Of the checkout's file: that of the scratch copy has no rows for other machines.
    everywhere = load(rehearsal.project.read_shared(rehearsal.project.workflow_path))
    report.show_elsewhere(run(everywhere, ci.event, ci.outcomes), rehearsal.machine)
    report.show_artefacts(rehearsal)
    report.show_github(rehearsal)
    out.print(f"\nall of it held, in {seconds:.0f} s: on this machine, {rehearsal.release.text} can be released")


def stay() -> None:
    """Wait for Ctrl-C."""
    while True:
        time.sleep(3600)


def keep(rehearsal: Rehearsal, until: Callable[[], None] = stay) -> None:
    """Leave everything running, by default until Ctrl-C, and say what can be done with it."""
    addresses, token = rehearsal.addresses, "pypi-rehearsal"
    rehearsal.index.tokens.add(token)
    out.print("\nStill there, until Ctrl-C:\n")
    for line in (
        f"git clone {rehearsal.scratch.remote}",
        f"pip install --index-url {addresses.simple} {rehearsal.project.name}",
        f"{rehearsal.release.command('verify')} INDEX={addresses.simple}",
        f"UV_PUBLISH_TOKEN={token} UV_PUBLISH_URL={addresses.plain} .venv/bin/uv publish dist/*",
    ):
        out.print(f"  {line}")
    sys.stdout.flush()
    until()


def rehearse_whole(project: Project, version: Release | None, *, keeping: bool) -> None:
    """Rehearse the release of a version; default: the next patch.

    Raises:
        ProblemsError: The workflow breaks a rule, or a step fails; the last lines of that have been shown.
    """
    with step(f"read {project.workflow_path} by its rules"):
        require_rules(project)
    with scratch_folder(project) as folder, report.showing(log_of(folder)) as screen:
        started = time.perf_counter()
        with step("make a scratch copy of this commit, and a remote"):
            scratch, release = prepare_copy(project, folder, version)
        with on_loopback(project, scratch, release, Machine.here(project)) as rehearsal:
            ci = rehearse(rehearsal, screen, folder / "run")
            show(rehearsal, screen, ci, time.perf_counter() - started)
            if keeping:
                keep(rehearsal)
