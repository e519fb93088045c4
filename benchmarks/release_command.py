"""The release command: against the bare commands that it calls; and its preflight, on a long history."""

import subprocess
import sys
import tempfile
from pathlib import Path

from report import PROJECT, compare, shortest
from roadworthy.processes import venv_bin

sys.path += [str(PROJECT.root), str(PROJECT.root / "roadworthy" / "tests"), str(PROJECT.root / "workshop" / "tests")]

from releases import MOMENT, Place, copy_place, make_place

COMMITS, TAGS, FRAGMENTS = 10_000, 2_000, 500


def require(words: str, said: str) -> None:
    """End unless a command has said what it should: otherwise something else was measured."""
    if words not in said:
        raise SystemExit(f"the release did not say: {words}")


def release(place: Place) -> None:
    """Release, with everything but the build, which is left out in this place."""
    require("is released", place.release("0.2.0", "--yes").stdout)


def by_hand(place: Place) -> None:
    """Do the same with the bare commands, in a throw-away clone too, and without looking at anything."""
    clone = place.folder / "clone"
    place.git("clone", "--quiet", "--shared", place.checkout, clone)
    place.git("config", "user.name", "Test", cwd=clone)
    place.git("config", "user.email", "test@localhost", cwd=clone)
    for command in (
        [venv_bin("bump-my-version"), "bump", "--new-version=0.2.0"],
        ["cargo", "update", "--workspace", "--offline", "--quiet"],
        [venv_bin("towncrier"), "build", "--version=0.2.0", "--yes"],
    ):
        subprocess.run([str(word) for word in command], cwd=clone, check=True, capture_output=True)
    place.git("commit", "--quiet", "--all", "--message=Release 0.2.0", cwd=clone)
    place.git("tag", "--annotate", "--message=0.2.0", "v0.2.0", cwd=clone)
    place.git("push", "--quiet", "--atomic", place.remote, "HEAD:refs/heads/main", "v0.2.0", cwd=clone)
    place.git("pull", "--quiet", "--ff-only", "--tags")


def time_whole(template: Place, folder: Path) -> None:
    """Compare a whole release but its build with the bare commands."""
    places = iter([copy_place(template, folder / f"whole-{number}") for number in range(6)])
    hand = shortest(lambda: by_hand(next(places)), runs=3)
    compare(
        "a release, without its build",
        {"by hand": hand, "make release": shortest(lambda: release(next(places)), runs=3)},
    )


def lengthen(place: Place, part: int) -> None:
    """Give a place a long history: a `part` of the commits, tags and fragments."""
    commits, tags, fragments = COMMITS // part, TAGS // part, FRAGMENTS // part
    for number in range(fragments):
        place.write(f"changelog.d/{number + 1}.fixed.md", f"The problem {number + 1} is solved.\n")
    start = place.commit("Add fragments")
    lines = []
    for number in range(1, commits + 1):
        lines += [
            "commit refs/heads/main",
            f"mark :{number}",
            f"committer Test <test@localhost> {MOMENT}",
            "data 1",
            "x",
        ]
        lines += [f"from {start}"] if number == 1 else []
        if number % (commits // tags) == 0:
            lines += [f"reset refs/tags/v0.0.{number}", f"from :{number}", ""]
    stream = "\n".join(lines) + "\n"
    command = ["git", "fast-import", "--quiet", "--force"]
    subprocess.run(command, cwd=place.checkout, input=stream, text=True, check=True)
    place.git("reset", "--quiet", "--hard", "main")
    place.git("push", "--quiet", "--tags", "origin", "main")


def look(place: Place) -> None:
    """Let the command look at everything, and end with the one problem that there is: nobody to ask."""
    complaint = place.release("0.2.0").stderr
    require("no terminal to ask", complaint if complaint.count("problem: ") == 1 else "")


def time_preflight(template: Place, folder: Path) -> None:
    """Compare the preflight with asking the remote twice, on a long history and on a tenth of it."""
    for part in (10, 1):
        place = copy_place(template, folder / f"long-{part}")
        lengthen(place, part)
        ask = shortest(lambda place=place: (place.git("ls-remote", "origin"), place.git("ls-remote", "origin")))  # type: ignore[misc]
        title = f"{COMMITS // part:,} commits, {TAGS // part:,} tags, {FRAGMENTS // part} fragments"
        compare(title, {"git ls-remote, twice": ask, "the preflight": shortest(lambda place=place: look(place))})  # type: ignore[misc]


def run() -> None:
    """Measure both."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        template = make_place(folder / "template")
        time_whole(template, folder)
        time_preflight(template, folder)
