"""Rehearse a release on this machine: all of it, to the installation of what was published; or break it on purpose.

The real release command, the commands of CI.yml as they stand there, and the real uv publish; a remote, an index and a
GitHub on this machine. Nothing is written outside a temporary folder, and nothing else is contacted but the package
registries, for what the tools themselves need.
"""

import argparse
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from roadworthy.arguments import option, take_given
from roadworthy.building.toolchain import host_triple
from roadworthy.project import HERE
from roadworthy.releasing.release import parse_version
from roadworthy.terminal import Problem, ProblemsError, out, problem, run_main, step
from workshop.rehearsing import faults, faults_of_building, faults_of_publishing, faults_of_releasing, report  # noqa: F401 - importing registers
from workshop.rehearsing.machine import Machine
from workshop.rehearsing.place import log_of, scratch_folder
from workshop.rehearsing.rehearsal import CI, Rehearsal, on_loopback, prepare_place
from workshop.rehearsing.report import Screen
from workshop.rehearsing.runner import Run
from workshop.workflows.events import load
from workshop.workflows.jobs import run
from workshop.workflows.rules import require_rules

REPAIR = "repair what its last lines say; nothing but the scratch copy has changed; then rehearse again"


@contextmanager
def gentle_end() -> Iterator[None]:
    """Let SIGTERM end this as Ctrl-C does: whatever was started is ended, and what was written is removed."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def rehearse(rehearsal: Rehearsal, screen: Screen, folder: Path) -> Run:
    """Release, and run what CI runs for the tag.

    Raises:
        ProblemsError: Something failed; its last lines have been shown.
    """
    screen.begin("release", f"make release VERSION={rehearsal.release.text}")
    released = rehearsal.make_release()
    screen.end(released)
    if released.code:
        raise problem(f"the release fails at: {released.command}", REPAIR)
    ci = rehearsal.start_run(folder, watch=screen)
    if not ci.go():
        failing = ", ".join(f"{one.job}: {one.command}" for one in ci.done if one.code) or "no job was started"
        raise problem(f"the pipeline fails at: {failing}", REPAIR)
    if problems := list(missing(rehearsal, ci)):
        raise ProblemsError(problems)
    return ci


def quickly(rehearsal: Rehearsal, screen: Screen, folder: Path) -> Run:
    """Release, and build what is published, without what a rehearsal proves of both: a fault starts from there."""
    screen.begin("release", f"make release VERSION={rehearsal.release.text}")
    screen.end(rehearsal.timed("release", *faults.release_command(rehearsal.release.text)))
    ci = rehearsal.start_run(folder, watch=screen)
    if not ci.go(until=ci.job_of("make collect")):
        raise problem("what the fault starts from cannot be made; its last lines are above", "run: make rehearse")
    return ci


def missing(rehearsal: Rehearsal, ci: Run) -> Iterator[Problem]:
    """Find what a pipeline without a failure has left undone."""
    if not faults.is_complete(rehearsal, ci.artefacts / "release"):
        yield Problem("the index does not hold exactly what was built", f"see the jobs that publish in {CI}")
    if any(each["isDraft"] for each in rehearsal.read_github()["releases"].values()):
        yield Problem("the release on GitHub is still a draft", "see roadworthy/src/roadworthy/ci/github_release.py")
    for command in report.PROOFS:
        if not any(ran.command.startswith(command) for ran in ci.done) and command != "make release":
            yield Problem(f"no job ran a command that begins with: {command}", f"see the jobs and their `if:` in {CI}")


def show(rehearsal: Rehearsal, screen: Screen, ci: Run, seconds: float) -> None:
    """Print the report."""
    commit = rehearsal.place.tag_commit(rehearsal.release.tag)[:10]
    out.print(f"rehearsed: {rehearsal.release.text}, commit {commit} of a scratch copy, on {rehearsal.machine.triple}")
    report.show_steps(screen.ran)
    # Of the checkout's file: that of the scratch copy has no rows for other machines.
    everywhere = load((HERE.root / CI).read_text(encoding="utf-8"))
    report.show_elsewhere(run(everywhere, ci.event, ci.outcomes), rehearsal.machine)
    report.show_artefacts(rehearsal, ci)
    report.show_github(rehearsal)
    out.print(f"\nall of it held, in {seconds:.0f} s: on this machine, {rehearsal.release.text} can be released")


def keep(rehearsal: Rehearsal) -> None:
    """Leave everything running until Ctrl-C, and say what can be done with it."""
    addresses, version = rehearsal.addresses, rehearsal.release.text
    token = "pypi-rehearsal"  # noqa: S105 - of an index that ends with this process
    rehearsal.index.tokens.add(token)
    out.print("\nStill there, until Ctrl-C:\n")
    for line in (
        f"git clone {rehearsal.place.remote}",
        f"pip install --index-url {addresses.simple} {HERE.name}",
        f"make verify VERSION={version} INDEX={addresses.simple}",
        f"UV_PUBLISH_TOKEN={token} UV_PUBLISH_URL={addresses.plain} .venv/bin/uv publish dist/*",
    ):
        out.print(f"  {line}")
    sys.stdout.flush()
    stay()


def stay() -> None:
    """Wait for Ctrl-C."""
    while True:
        time.sleep(3600)


def chosen_faults(text: str) -> list[str]:
    """Read the names of faults: one or several, or all of them."""
    names = [name for name, *_ in faults.listed()] if text == "all" else text.split()
    if unknown := [name for name in names if name not in faults.FAULTS]:
        raise argparse.ArgumentTypeError(
            f"there is no fault {', '.join(map(repr, unknown))}; see: make rehearse FAULT=list"
        )
    return names


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Rehearse a release on this machine.", allow_abbrev=False)
    parser.add_argument("--version", metavar="VERSION", type=parse_version, help="default: the next patch")
    parser.add_argument("--fault", metavar="NAMES", help="break it on purpose: names, all, or list for the names")
    parser.add_argument("--keep", choices=["1"], help="leave the remote and the index running, until Ctrl-C")
    given = [f"{option(name)}={value}" for name, value in (take_given() or {}).items()]
    arguments = parser.parse_args([*sys.argv[1:], *given])
    if arguments.fault and arguments.keep:
        parser.error("--keep is for a rehearsal without a fault")
    if arguments.fault not in (None, "list"):
        try:
            arguments.names = chosen_faults(arguments.fault)
        except argparse.ArgumentTypeError as error:
            parser.error(str(error))
    return arguments


def stage(arguments: argparse.Namespace, folder: Path, screen: Screen) -> None:
    """Rehearse in a folder, without a fault, or with all or some."""
    started = time.perf_counter()
    with step("make a scratch copy of this commit, and a remote"):
        place, release = prepare_place(folder, arguments.version)
    with on_loopback(place, release, Machine.here(host_triple())) as rehearsal:
        before = place.copy(folder / "before")
        if arguments.fault is None:
            ci = rehearse(rehearsal, screen, folder / "run")
            show(rehearsal, screen, ci, time.perf_counter() - started)
        else:
            ci = quickly(rehearsal, screen, folder / "run")
        if arguments.fault:
            base = faults.Base(before, place, release, ci.artefacts, ci.outcomes, rehearsal.machine)
            faults.play_all(arguments.names, base, folder / "faults", screen.log)
        if arguments.keep:
            keep(rehearsal)


def main() -> None:
    """Read the command line, and rehearse."""
    arguments = parse_arguments()
    if arguments.fault == "list":
        report.show_table("Faults", ("name", "what goes wrong", "on the index at the end"), faults.listed())
        return
    with step(f"read {CI} by its rules"):
        require_rules(HERE)
    with gentle_end(), scratch_folder() as folder, report.showing(log_of(folder)) as screen:
        stage(arguments, folder, screen)


if __name__ == "__main__":
    run_main(main)
