"""What spoils a place, and what every release that is refused there has in common."""

import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from helpers import run
from releases import Place, environment, fingerprint

if TYPE_CHECKING:
    import subprocess

    from _pytest.mark.structures import ParameterSet

# Changes a place; a dict that it returns is put on top of the environment of the release.
Step = Callable[[Place], object]
LONGEST_REMEDY = 160


@dataclass(frozen=True)
class Case:
    """A mistake, and the pairs of a fragment that names it and a fragment of its remedy, in the order of the output."""

    steps: tuple[Step, ...]
    problems: tuple[tuple[str, str], ...]
    arguments: tuple[str, ...] = ("0.2.0", "--yes")
    notes: tuple[str, ...] = ()

    def prepare(self, place: Place) -> dict[str, str | None]:
        """Spoil the place; return what the environment has beside this one's."""
        variables = environment()
        for step in self.steps:
            returned = step(place)
            variables |= returned if isinstance(returned, dict) else {}
        return variables

    def release(self, place: Place, variables: dict[str, str | None]) -> "subprocess.CompletedProcess[str]":
        """Run the release."""
        return place.python("scripts/release.py", *self.arguments, **variables)


@dataclass
class Cases:
    """Cases with a name each, as pytest takes them."""

    params: "list[ParameterSet]" = field(default_factory=list)

    def add(  # noqa: PLR0913 - a row of a table
        self,
        name: str,
        what: str,
        remedy: str,
        *steps: Step,
        also: tuple[tuple[str, str], ...] = (),
        arguments: tuple[str, ...] = ("0.2.0", "--yes"),
        notes: tuple[str, ...] = (),
    ) -> None:
        """Add one; `also` are the problems that follow from the same mistake."""
        case = Case(steps, ((what, remedy), *also), arguments, notes)
        self.params.append(pytest.param(case, id=name))


def check_refused(place: Place, case: Case) -> None:
    """Try the release, and see it refused with exactly these problems and without any other effect."""
    variables = case.prepare(place)
    before = seen(place)
    refused = case.release(place, variables)
    said = refused.stdout + refused.stderr
    assert refused.returncode == 1, said
    assert "Traceback" not in said, said
    # Between a problem and its remedy may stand what another program said.
    shape = r"^problem: ([^\n]*(?:\n(?!  |problem: )[^\n]+)*)\n(?:  \| ?[^\n]*\n)*  ([^|\n][^\n]*)$"
    found = re.findall(shape, refused.stderr, re.MULTILINE)
    assert len(found) == len(case.problems) == len(re.findall("^problem: ", refused.stderr, re.MULTILINE)), said
    for (what, remedy), (name, cure) in zip(found, case.problems, strict=True):
        assert name in what, said
        assert cure in remedy, said
        assert len(remedy) <= LONGEST_REMEDY, remedy
    for note in case.notes:
        assert note in refused.stderr
    assert seen(place) == before


def seen(place: Place) -> tuple[dict[str, str], str]:
    """Return everything that a refused release leaves as it was: the checkout, and the remote's refs."""
    refs = place.git("for-each-ref", cwd=place.remote) if (place.remote / "HEAD").exists() else ""
    return fingerprint(place.checkout), refs


def git(*arguments: str) -> Step:
    """Run git in the checkout."""
    return lambda place: place.git(*(argument.replace("PLACE", str(place.folder)) for argument in arguments))


def failing_git(*arguments: str) -> Step:
    """Run git in the checkout; it stops half way."""

    def step(place: Place) -> None:
        stopped = run("git", *arguments, cwd=place.checkout, **environment())
        assert stopped.returncode != 0, stopped.stdout

    return step


def remote_git(*arguments: str) -> Step:
    """Run git in the remote."""
    return lambda place: place.git(*arguments, cwd=place.remote)


def write(name: str, text: str = "Some text.\n") -> Step:
    return lambda place: place.write(name, text)


def write_bytes(name: bytes, content: bytes) -> Step:
    """Write a file of any name and any content."""
    return lambda place: (place.checkout / os.fsdecode(name)).write_bytes(content)


def replace(name: str, old: str, new: str) -> Step:
    return lambda place: place.replace(name, old, new)


def append(name: str, text: str) -> Step:
    return lambda place: place.write(name, place.read(name) + text)


def own_check(text: str, instead: str = "") -> Step:
    """Let the owner add a check of their own to the page, `check_mine`, or put it in the place of another one."""

    def step(place: Place) -> None:
        line = next(line for line in place.read("scripts/release.py").splitlines() if instead in line and "  #" in line)
        place.replace("scripts/release.py", line, "    check_mine," if instead else f"    check_mine,\n{line}")
        place.replace("scripts/release.py", "\n# Every reason", f"\n{text}\n\n\n# Every reason")
        place.commit()

    return step


def remove(name: str) -> Step:
    def step(place: Place) -> None:
        path = place.checkout / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()

    return step


def commit(place: Place) -> None:
    """Commit everything, and push it."""
    place.commit()


def commit_here(place: Place) -> None:
    """Commit everything, and keep it here."""
    place.commit(push=False)


def variables(**values: str | None) -> Step:
    """Set variables; PLACE stands for the place's folder."""
    return lambda place: {
        name: value.replace("PLACE", str(place.folder)) if value else value for name, value in values.items()
    }


def program(name: str, text: str) -> Step:
    """Put a shell script on PATH before everything else; REAL stands for the program that it hides."""

    def step(place: Place) -> dict[str, str]:

        folder = place.folder / "bin"
        folder.mkdir(exist_ok=True)
        real = shutil.which(name) or "false"
        script(folder / name, text.replace("REAL", real))
        return {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}

    return step


def script(path: Path, text: str) -> None:
    """Write a shell script."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8", newline="\n")
    path.chmod(0o755)


def server_hook(name: str, text: str) -> Step:
    """Give the remote a hook."""
    return lambda place: script(place.remote / "hooks" / name, text)
