"""What a rehearsal shows: a line for each step while it runs, the rest in a log; and at the end what was proven."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.markup import escape
from rich.status import Status
from rich.table import Table

from roadworthy.sums import sha256
from roadworthy.terminal import err, out
from workshop.rehearsing.machine import Machine
from workshop.rehearsing.rehearsal import Rehearsal
from workshop.rehearsing.runner import Ran, Watch
from workshop.workflows.jobs import JobResult

# How many of its last lines are shown of a step that fails.
TAIL = 15
# What each command of the way from a version to its users proves when it ends well, by its first words.
PROOFS = {
    "make release": "what is tagged builds, passes the gate and works; branch and tag are pushed together",
    "make identify": "the tag, the version, the changelog and the branch agree",
    "make stamp": "the files say the version of this run",
    "make sdist": "the sdist can be built from the tag alone",
    "make build": "the wheels can be built from that sdist",
    "make collect": "no name twice, and each hash as its builder wrote it",
    "make check-dist": "nothing is missing, nothing is too much, and PyPI would take each file",
    "make check-names": "the index has no other file of this version",
    "make verify FROM": "it installs in clean environments, is what is imported, and passes its tests",
    "sha256sum": "what is sent is what was verified",
    "uv publish": "this workflow's identity is taken for a token, and each file with its attestation",
    "make check-index": "the index serves exactly what was built, each file attested",
    "make verify VERSION": "a user's pip and uv install it from the index, and it passes its tests",
    "make github-release": "a draft with every file first, public last, with the changelog's section",
}


def proof_of(command: str) -> str:
    """Return what a command proves; "" for an action."""
    return next((proof for words, proof in PROOFS.items() if command.startswith(words)), "")


class Screen(Watch):
    """Shows each step while it runs and when it has ended, and writes all that it says into a log."""

    def __init__(self, log: Path) -> None:
        """Begin the log."""
        self.log = log
        self.ran: list[Ran] = []
        self._status: Status | None = None
        log.write_text("", encoding="utf-8")

    def begin(self, job: str, command: str) -> None:
        """Show that a step has begun, on a terminal."""
        self._status = err.status(f"{escape(job)}: {escape(command)} …")
        self._status.start()

    def stop(self) -> None:
        """Show no longer that something runs."""
        if self._status:
            self._status.stop()

    def end(self, ran: Ran) -> None:
        """Show how it went, and its last lines if it failed."""
        self.stop()
        self.ran.append(ran)
        title = f"{ran.job}: {ran.command}"
        err.print(f"{ran.seconds:6.1f} s  {title}{'' if ran.code == 0 else f'  FAILED, exit code {ran.code}'}")
        with self.log.open("a", encoding="utf-8") as stream:
            stream.write(f"== {title} ({ran.row}): exit code {ran.code}, {ran.seconds:.1f} s\n{ran.output}\n")
        if ran.code:
            err.print("\n".join(f"          {line}" for line in ran.output.rstrip().splitlines()[-TAIL:]))


@contextmanager
def showing(log: Path) -> Iterator[Screen]:
    """Show what happens, and at the end, however it comes, where the log is."""
    screen = Screen(log)
    try:
        yield screen
    finally:
        screen.stop()
        sys.stdout.flush()
        err.print(f"what each step said: {log}")


def show_table(title: str, heads: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    """Print a table below a title."""
    table = Table(*heads, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*row)
    out.print(f"\n{title}\n")
    out.print(table)


def show_steps(ran: list[Ran]) -> None:
    """Print the steps, each with its time and with what it proved."""
    rows = [(f"{one.seconds:.1f}", one.job, one.command, proof_of(one.command)) for one in ran]
    show_table("What was run, and what it proved", ("seconds", "job", "command", "proved"), rows)


def show_elsewhere(jobs: dict[str, JobResult], machine: Machine) -> None:
    """Print the jobs and rows that do not run on this machine, and what of the others is left out."""
    found: dict[str, list[tuple[str, str]]] = {}
    for name, result in jobs.items():
        for row in result.rows:
            reason = machine.why_not(row)
            left = [reason] if reason else [words for step in row.steps for words in machine.left_out(step.env)]
            for words in left:
                found.setdefault(words, []).append((name, str(row.runs_on)))
    # Several rows, or jobs, have the same reason.
    rows = [
        [*(", ".join(dict.fromkeys(each)) for each in zip(*where, strict=True)), words]
        for words, where in found.items()
    ]
    show_table("Not run here", ("jobs", "runners", "why, or what"), rows)


def show_artefacts(rehearsal: Rehearsal) -> None:
    """Print the files, which the index has exactly as they were built, or there would be no report."""
    files = rehearsal.index.files.items()
    rows = [(name, f"{len(stored.content):,}", sha256(stored.content), "yes") for name, stored in files]
    show_table("What was published", ("file", "bytes", "SHA-256", "on the index"), rows)


def show_github(rehearsal: Rehearsal) -> None:
    """Print the release on GitHub: its files and its notes."""
    for tag, release in rehearsal.read_github()["releases"].items():
        kind = "pre-release" if release["isPrerelease"] else "latest" if release["latest"] == "true" else "release"
        out.print(f"\nReleased on GitHub: {tag} ({kind}{', draft' if release['isDraft'] else ''})\n")
        for asset in release["assets"]:
            out.print(f"  {asset['name']}")
        out.print("".join(f"\n  {line}".rstrip(" ") for line in release["notes"].strip().splitlines()))
