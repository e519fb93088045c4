"""What goes wrong on purpose: each fault starts from what a good rehearsal left, and must end in its stated outcome.

A fault is a function that breaks something and goes on as a user would. What it has said must show what the user is
told, and what is then on the index must be nothing of the release, or all of it.
"""

import re
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from roadworthy.project import HERE
from roadworthy.releasing.version import Release
from roadworthy.sums import read_sums, sha256
from roadworthy.terminal import Problem, ProblemsError, err
from workshop.rehearsing.machine import Machine
from workshop.rehearsing.place import Place
from workshop.rehearsing.rehearsal import Rehearsal, on_loopback
from workshop.rehearsing.report import show_table
from workshop.rehearsing.runner import Run
from workshop.workflows.jobs import Outcome

NOTHING, COMPLETE = "nothing", "everything"
DRIVER = Path(__file__).with_name("unproven.py")
# How much is shown of what a user sees.
WIDTH = 110


def release_command(version: str, what: str = "never") -> tuple[object, ...]:
    """Return the command that releases, without the proof; `what` happens to it, see `unproven.py`."""
    return (sys.executable, DRIVER, what, "--yes", "--", version)


@dataclass(frozen=True)
class Base:
    """What a good rehearsal leaves, from which the faults start.

    Attributes:
        before: The scratch copy before the release.
        after: The scratch copy after it.
        release: The version.
        artefacts: The artefacts of the run, each in its folder.
        outcomes: What the jobs came to.
        machine: This machine.
    """

    before: Place
    after: Place
    release: Release
    artefacts: Path
    outcomes: Mapping[str, Outcome]
    machine: Machine

    @property
    def sums(self) -> dict[str, str]:
        """The files of the release, each with its SHA-256."""
        return read_sums(self.artefacts / "release" / HERE.sums.name)


@dataclass
class Scene:
    """One fault's own scratch copy, index and GitHub, and all that was said in it."""

    base: Base
    rehearsal: Rehearsal
    folder: Path
    said: list[str] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)

    @property
    def place(self) -> Place:
        """The scratch copy."""
        return self.rehearsal.place

    @property
    def tag(self) -> str:
        """The release's tag."""
        return self.base.release.tag

    def release(self, *, version: str = "", what: str = "never", cwd: Path | None = None, **env: str) -> None:
        """Run the release command, without a proof that was made before; `what` happens to it."""
        command = release_command(version or self.base.release.text, what)
        done = self.place.run(*command, cwd=cwd, **env)
        self.said.append(done.stdout)

    def start(self, command: str, **others: Any) -> Run:  # noqa: ANN401 - whatever a run has
        """Return a run that begins at the job with this command; what comes before it is as it was."""
        number = len(list(self.folder.glob("run-*")))
        run = self.rehearsal.start_run(self.folder / f"run-{number}", **others)
        run.skip_to(command, self.base.outcomes, self.base.artefacts)
        return run

    def go(self, run: Run, *, again: bool = False) -> bool:
        """Let a run go on, or its failed jobs again; return whether all is well."""
        if run not in self.runs:
            self.runs.append(run)
        since = len(run.done)
        well = run.again() if again else run.go()
        self.said += [one.output for one in run.done[since:]]
        return well

    def publish(self, *, attempts: int = 1, spoil: Callable[[Run], object] = lambda _: None, **others: Any) -> Run:  # noqa: ANN401
        """Run the pipeline from the publishing job on; its failed jobs again, up to so many attempts in all.

        That it installs from the index is left out: a rehearsal without a fault proves that.
        """
        run = self.start("uv publish --trusted-publishing always dist/*", without=("make verify",), **others)
        spoil(run)
        well = self.go(run)
        for _ in range(attempts - 1):
            well = well or self.go(run, again=True)
        return run

    def edit(self, name: str, old: str, new: str) -> None:
        """Change a file in the commit that is tagged."""
        commit = self.place.replace(name, old, new)
        self.place.git("push", "--quiet", "--force", "origin", f"{commit}:refs/tags/{self.tag}")

    def file(self, ending: str) -> str:
        """Return the name of the one file of the release that ends so."""
        (found,) = [name for name in self.base.sums if name.endswith(ending)]
        return found

    def state(self) -> str:
        """Return what is on the index of the release."""
        there = {name: sha256(stored.content) for name, stored in self.rehearsal.index.files.items()}
        ours = [name for name, digest in self.base.sums.items() if there.get(name) == digest]
        if len(ours) == len(self.base.sums):
            return COMPLETE
        return f"{len(ours)} of {len(self.base.sums)} files" if ours else NOTHING


@dataclass(frozen=True)
class Fault:
    """A way to go wrong.

    Attributes:
        name: What it is called.
        story: What happens.
        sees: A pattern of what the user is told; a space in it stands for any white space.
        ends: What is on the index at the end: `NOTHING` or `COMPLETE`.
        green: Whether CI's last run ends well, if there is one.
        start: Whether it starts "before" or "after" the release.
        play: Breaks something, and goes on as a user would.
    """

    name: str
    story: str
    sees: str
    ends: str
    green: bool
    start: str
    play: Callable[[Scene], None]


FAULTS: dict[str, Fault] = {}


def is_complete(rehearsal: Rehearsal, release: Path) -> bool:
    """Say whether the index has exactly the files of an artefact, with their bytes."""
    there = {name: sha256(stored.content) for name, stored in rehearsal.index.files.items()}
    return there == read_sums(release / HERE.sums.name)


def fault(
    sees: str, *, ends: str = NOTHING, green: bool | None = None, start: str = "after"
) -> Callable[[Callable[[Scene], None]], Callable[[Scene], None]]:
    """Register a function as a fault: its name is the fault's, its docstring the story; the rest as `Fault` says.

    CI's last run ends well by default where everything is published.
    """

    def register(play: Callable[[Scene], None]) -> Callable[[Scene], None]:
        name = play.__name__.replace("_", "-")
        story = " ".join((play.__doc__ or "").split()).removesuffix(".")
        FAULTS[name] = Fault(name, story, sees, ends, ends == COMPLETE if green is None else green, start, play)
        return play

    return register


@dataclass(frozen=True)
class Verdict:
    """How a fault ended.

    Attributes:
        fault: The fault.
        said: All that was said.
        seen: What the user was told of it; "" for nothing.
        state: What is on the index.
        green: Whether CI's last run ended well; None if there was none.
        seconds: How long it took.
    """

    fault: Fault
    said: str
    seen: str
    state: str
    green: bool | None
    seconds: float

    @property
    def good(self) -> bool:
        """Whether it ended as stated."""
        return bool(self.seen) and self.state == self.fault.ends and self.green in (None, self.fault.green)


def play(fault: Fault, base: Base, folder: Path) -> Verdict:
    """Play one fault in a folder of its own."""
    started = time.perf_counter()
    place = (base.before if fault.start == "before" else base.after).copy(folder)
    with on_loopback(place, base.release, base.machine) as rehearsal:
        scene = Scene(base, rehearsal, folder)
        fault.play(scene)
        said, state = "\n".join(scene.said), scene.state()
    shutil.rmtree(folder, ignore_errors=True)
    green = scene.runs[-1].well if scene.runs else None
    return Verdict(fault, said, look(fault.sees, said), state, green, time.perf_counter() - started)


def look(pattern: str, said: str) -> str:
    """Return the line of what was said in which a pattern is, or ""."""
    found = re.search(pattern.replace(" ", r"\s+"), said)
    if not found:
        return ""
    said += "\n"
    start, end = said.rfind("\n", 0, found.start()) + 1, said.find("\n", found.end())
    line = " ".join(said[start:end].split())
    # Where that is too long, the beginning is what matters less.
    words = line if len(line) <= WIDTH else " ".join(said[found.start() : end].split())
    return words if len(words) <= WIDTH else f"{words[: WIDTH - 1]}…"


def play_all(names: Iterable[str], base: Base, folder: Path, log: Path) -> None:
    """Play faults one after the other, write what each says into the log, and print the table.

    Raises:
        ProblemsError: One of them did not end as stated.
    """
    verdicts = []
    chosen = list(names)
    for number, name in enumerate(chosen, start=1):
        verdict = play(FAULTS[name], base, folder / name)
        verdicts.append(verdict)
        with log.open("a", encoding="utf-8") as stream:
            stream.write(f"== fault {name}\n{verdict.said}\n")
        how = "as stated" if verdict.good else "NOT AS STATED"
        err.print(f"{verdict.seconds:6.1f} s  [{number}/{len(chosen)}] {name}: {how}")
    rows = [
        (one.fault.name, one.seen or "nothing of what was expected", one.state, "as stated" if one.good else "WRONG")
        for one in verdicts
    ]
    show_table("Broken on purpose", ("fault", "what the user sees", "on the index", "verdict"), rows)
    wrong = [one for one in verdicts if not one.good]
    if wrong:
        raise ProblemsError(explain(one) for one in wrong)


def explain(verdict: Verdict) -> Problem:
    """Return the problem of a fault that did not end as stated."""
    fault = verdict.fault
    what = f"{fault.name} ended with {verdict.state} on the index, and {fault.ends} is stated"
    if verdict.green not in (None, fault.green):
        what += f"; CI's last run ended {'well' if verdict.green else 'badly'}"
    if not verdict.seen:
        what += f"; nobody was told: {fault.sees}"
    return Problem(what, f"see what it does in scripts/rehearsing; again: make rehearse FAULT={fault.name}")


def listed() -> Iterator[tuple[str, str, str]]:
    """Return the faults as rows: name, story, and what is on the index at the end; first those before a release."""
    for fault in sorted(FAULTS.values(), key=lambda fault: fault.start != "before"):
        yield fault.name, fault.story, fault.ends
