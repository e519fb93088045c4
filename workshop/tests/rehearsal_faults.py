"""Going wrong on purpose: a fault starts from what a good rehearsal left, and must end in its stated outcome.

A fault is a function that breaks something and goes on as a user would; its docstring is the story. Which command
stops it, and with which words, is stated beside it, and so is what is then on the index: nothing of the release, or
all of it.
"""

import pickle
import re
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from filelock import FileLock

from helpers import PROJECT, copy_checkout, run
from roadworthy import processes as commands
from roadworthy.building.toolchain import build_folder
from roadworthy.releasing.version import Release
from roadworthy.sums import read_sums, sha256
from workshop.rehearsing.machine import Machine
from workshop.rehearsing.rehearsal import Rehearsal, on_loopback, prepare_copy
from workshop.rehearsing.runner import FOLDER, Ran, Run
from workshop.rehearsing.scratch import ScratchCopy
from workshop.workflows.jobs import Outcome, in_order
from workshop.workflows.jobs import run as evaluate
from workshop.workflows.pipeline import Pipeline

NOTHING, COMPLETE = "nothing", "everything"
# What stops a fault that nothing stops.
NOBODY = ""
DRIVER = Path(__file__).with_name("release_unproven.py")
# Run in a checkout, of which all is committed: a rehearsal takes a commit.
MAKE_BASE = (
    "import sys; sys.path[:0] = ['.', 'roadworthy/src', 'roadworthy/tests', 'workshop/tests'];"
    "from pathlib import Path;"
    "from rehearsal_faults import make_base; make_base(Path(sys.argv[1]), Path(sys.argv[2]))"
)


def release_command(version: str, what: str = "never", *options: str) -> tuple[object, ...]:
    """Return the command that releases, without the proof; `what` happens to it, see `release_unproven.py`."""
    return (sys.executable, DRIVER, what, "--yes", *options, "--", version)


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

    before: ScratchCopy
    after: ScratchCopy
    release: Release
    artefacts: Path
    outcomes: Mapping[str, Outcome]
    machine: Machine

    @property
    def sums(self) -> dict[str, str]:
        """The files of the release, each with its SHA-256."""
        return read_sums(self.artefacts / "release" / PROJECT.sums.name)


def copy_place(place: ScratchCopy, folder: Path) -> ScratchCopy:
    """Copy a place to another folder."""
    copy = replace(place, folder=folder, variables={})
    folder.mkdir(parents=True)
    for each in (place.checkout, place.remote, place.tools):
        shutil.copytree(each, folder / each.name, symlinks=True, ignore=shutil.ignore_patterns("target"))
    shutil.copy(place.folder / "gitconfig", folder)
    copy.git("remote", "set-url", "origin", copy.remote)
    return copy


def replace_text(place: ScratchCopy, name: str, old: str, new: str) -> str:
    """Replace a text that stands in a file of a place once, commit, push, and return the commit."""
    text = place.read(name)
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {name}"
    return place.commit(f"Change {name}", {name: text.replace(old, new)})


def job_of(run: Run, command: str) -> str:
    """Return the job of a run with a step that runs this command: its first words."""
    text = run.scratch.git("show", f"{run.event.sha}:{FOLDER}/{run.workflow_file}")
    return Pipeline(PROJECT, text).one(command)


def skip_to(run: Run, command: str, outcomes: Mapping[str, Outcome], artefacts: Path) -> None:
    """Begin at the job that runs this command, after what the jobs before it came to, and with their artefacts."""
    names = in_order(run.workflow())
    first = names.index(job_of(run, command))
    run.outcomes |= {name: outcomes[name] for name in names[:first] if name in outcomes}
    results = evaluate(run.workflow(), run.event, run.outcomes)
    steps = [step for name in names[first:] for row in results[name].rows for step in row.steps]
    later = {step.inputs["name"] for step in steps if step.uses.startswith("actions/upload-artifact@")}
    for path in artefacts.iterdir():
        if path.name not in later:
            shutil.copytree(path, run.artefacts / path.name)


def go_again(run: Run) -> bool:
    """Do what "Re-run failed jobs" does, and return whether all is well then."""
    run.previous, run.event = run.results, replace(run.event, run_attempt=run.event.run_attempt + 1)
    again = evaluate(run.workflow(), run.event, run.outcomes, previous=run.previous)
    for name, result in again.items():
        if result.runs:
            run.outcomes.pop(name, None)
    return run.go()


def find_base(folder: Path) -> Base:
    """Return what is in a folder; made there by the first of the test processes that ask for it."""
    kept = folder / "base.pickle"
    with FileLock(f"{folder}.lock"):
        if not kept.exists():
            shutil.rmtree(folder, ignore_errors=True)
            copy = copy_checkout(folder / "source")
            made = run(sys.executable, "-c", MAKE_BASE, folder, build_folder(PROJECT), cwd=copy)
            assert made.returncode == 0, commands.tail(made)
    found = pickle.loads(kept.read_bytes())  # noqa: S301 - made by this very module
    assert isinstance(found, Base)
    return found


def make_base(folder: Path, compiled: Path) -> None:
    """Release this checkout's version, and build what is published; the crates that are compiled are taken from there.

    What a rehearsal proves of both is left out.
    """
    target = build_folder(PROJECT).relative_to(PROJECT.root)
    taken = f"mkdir -p {target}; for each in '{compiled}'/cp*; do ln -s \"$each\" {target}; done"
    place, release = prepare_copy(PROJECT, folder, None)
    with on_loopback(PROJECT, place, release, Machine.here(PROJECT)) as rehearsal:
        before = copy_place(place, folder / "before")
        released = rehearsal.timed("release", *release_command(release.text))
        assert released.code == 0, released.output
        ci = rehearsal.start_run(folder / "run", before={"make build": taken})
        assert ci.go(until=job_of(ci, "make collect")), ci.done[-1].output
        base = Base(before, place, release, ci.artefacts, ci.outcomes, rehearsal.machine)
    (folder / "base.pickle").write_bytes(pickle.dumps(base))


@dataclass
class Scene:
    """One fault's own scratch copy, index and GitHub, and all that was said in it."""

    base: Base
    rehearsal: Rehearsal
    folder: Path
    ran: list[Ran] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)

    @property
    def place(self) -> ScratchCopy:
        """The scratch copy."""
        return self.rehearsal.scratch

    @property
    def tag(self) -> str:
        """The release's tag."""
        return self.base.release.tag

    def release(self, *, version: str = "", what: str = "never", cwd: Path | None = None, **env: str) -> None:
        """Run the release command, without a proof that was made before; `what` happens to it."""
        command = release_command(version or self.base.release.text, what)
        done = self.place.run(*command, cwd=cwd, **env)
        self.ran.append(Ran("release", "", "make release", 0, done.returncode, done.stdout))

    def tell(self, text: str) -> None:
        """Keep what no command has said, and a user can read."""
        self.ran.append(Ran("", "", "", 0, 0, text))

    def start(self, command: str, **others: Any) -> Run:  # noqa: ANN401 - whatever a run has
        """Return a run that begins at the job with this command; what comes before it is as it was."""
        number = len(list(self.folder.glob("run-*")))
        run = self.rehearsal.start_run(self.folder / f"run-{number}", **others)
        skip_to(run, command, self.base.outcomes, self.base.artefacts)
        return run

    def go(self, run: Run, *, again: bool = False) -> None:
        """Let a run go on, or its failed jobs again."""
        if run not in self.runs:
            self.runs.append(run)
        since = len(run.done)
        if again:
            go_again(run)
        else:
            run.go()
        self.ran += run.done[since:]

    def publish(self, *, spoil: Callable[[Run], object] = lambda _: None, **others: Any) -> Run:  # noqa: ANN401
        """Run the pipeline from the publishing job on.

        That it installs from the index is left out: a rehearsal without a fault proves that.
        """
        run = self.start("uv publish --trusted-publishing always dist/*", without=("make verify",), **others)
        spoil(run)
        self.go(run)
        return run

    def edit(self, name: str, old: str, new: str) -> None:
        """Change a file in the commit that is tagged."""
        commit = replace_text(self.place, name, old, new)
        self.place.git("push", "--quiet", "--force", "origin", f"{commit}:refs/tags/{self.tag}")

    def file(self, ending: str) -> str:
        """Return the name of the one file of the release that ends so."""
        (found,) = [name for name in self.base.sums if name.endswith(ending)]
        return found

    @property
    def said(self) -> str:
        """All that was said."""
        return "\n".join(one.output for one in self.ran)

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
        play: Breaks something, and goes on as a user would.
        stops: The first words of the first command that fails; `NOBODY` where none does.
        sees: A pattern of what the user is told, by that command where nothing is published; a space in it stands for
            any white space.
        ends: What is on the index at the end: `NOTHING` or `COMPLETE`.
        green: Whether CI's last run ends well, if there is one; default: where everything is published.
        start: Whether it starts "before" or "after" the release.
    """

    play: Callable[[Scene], None]
    stops: str
    sees: str
    ends: str = NOTHING
    green: bool | None = None
    start: str = "after"

    def __str__(self) -> str:
        """Return what it is called."""
        return self.play.__name__


@dataclass(frozen=True)
class Ending:
    """How a fault ended.

    Attributes:
        ran: All that was run, in its order, with what it said.
        state: What is on the index.
        green: Whether CI's last run ended well; None if there was none.
    """

    ran: list[Ran]
    state: str
    green: bool | None


def play(fault: Fault, base: Base, folder: Path) -> Ending:
    """Play one fault in a folder of its own."""
    place = copy_place(base.before if fault.start == "before" else base.after, folder)
    with on_loopback(PROJECT, place, base.release, base.machine) as rehearsal:
        scene = Scene(base, rehearsal, folder)
        fault.play(scene)
        state = scene.state()
    shutil.rmtree(folder, ignore_errors=True)
    return Ending(scene.ran, state, scene.runs[-1].well if scene.runs else None)


def judge(fault: Fault, ending: Ending) -> Iterator[str]:
    """Find in what a fault has not ended as stated."""
    failed = next((one for one in ending.ran if one.code), None)
    stopped = failed.command if failed else NOBODY
    if not (stopped.startswith(fault.stops) if fault.stops else stopped == NOBODY):
        yield f"{stopped or 'nothing'} has failed first, and not {fault.stops or 'nothing'}"
    heard = [failed] if failed and fault.ends == NOTHING else ending.ran
    if not re.search(fault.sees.replace(" ", r"\s+"), "\n".join(one.output for one in heard)):
        yield f"nobody was told: {fault.sees}"
    if ending.state != fault.ends:
        yield f"{ending.state} is on the index, and {fault.ends} is stated"
    green = fault.ends == COMPLETE if fault.green is None else fault.green
    if ending.green not in (None, green):
        yield f"CI's last run has ended {'well' if ending.green else 'badly'}"


def require_stated(fault: Fault, base: Base, folder: Path) -> None:
    """Play a fault, and fail unless it ends as stated; what was said is shown then."""
    ending = play(fault, base, folder)
    for one in ending.ran:
        print(f"== {one.command}: exit code {one.code}\n{one.output}")
    assert list(judge(fault, ending)) == [], fault.play.__doc__
