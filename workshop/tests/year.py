"""The first year of a copy: what an owner changes, each by itself, and what make says to it."""

import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import tomlkit
from tomlkit.container import Container
from tomlkit.items import Table

from copies import make_template, share_compiled
from helpers import run
from releases import IDENTITY, Place, environment
from roadworthy.processes import find_uv
from roadworthy.project import Project
from workshop.copying.record import Record
from workshop.rehearsing.scratch import age_sources

NAME = "tin-can"
# What stays from change to change, so that nothing is compiled, installed or looked at again that is the same.
KEPT = (".venv", "target", ".mypy_cache", ".ruff_cache")


def nothing(_: Place) -> None:
    """Do nothing."""


@dataclass(frozen=True)
class Change:
    """What an owner changes in a copy, and commits.

    Attributes:
        name: What it is, in a few words.
        project: Values in pyproject.toml, table by table; None takes a key out.
        crate: The same of Cargo.toml.
        files: The texts of files by their paths; what is there is replaced, and None removes it.
        step: What is no plain text.
        targets: What make is called with afterwards, one after the other. `verify` is by the oldest Python alone.
        after: What else has to hold then.
        refused: Words of what the last of them says, which has to end with an error; without any, all succeed.
        often: It is played at every change of the template, too.
    """

    name: str
    project: Mapping[str, Any] = field(default_factory=dict)
    crate: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, str | None] = field(default_factory=dict)
    step: Callable[[Place], object] = nothing
    targets: tuple[str, ...] = ("test", "lint", "build", "check-dist", "verify")
    refused: tuple[str, ...] = ()
    after: Callable[[Place], object] = nothing
    often: bool = False

    def apply(self, place: Place) -> None:
        """Make it in a checkout, and commit it."""
        for name, text in self.files.items():
            if text is None:
                (place.checkout / name).unlink()
            else:
                place.write(name, text)
        for name, edits in {"pyproject.toml": self.project, "Cargo.toml": self.crate}.items():
            edit_toml(place, name, edits)
        self.step(place)
        # As cargo does by itself, whatever is called first.
        locked = run("cargo", "update", "--workspace", "--quiet", cwd=place.checkout)
        assert locked.returncode == 0, locked.stderr
        place.commit(self.name)


def edit_toml(place: Place, name: str, edits: Mapping[str, Any]) -> None:
    """Write values into a TOML file, table by table, so that all else stays as it is; None takes a key out."""
    if edits:
        document = tomlkit.parse(place.read(name))
        edit_table(document, edits)
        place.write(name, tomlkit.dumps(document))


def edit_table(table: Container | Table, edits: Mapping[str, Any]) -> None:
    """Write values into a table."""
    for key, value in edits.items():
        there = table.get(key)
        if value is None:
            table.remove(key)
        elif isinstance(value, Mapping) and isinstance(there, Container | Table):
            edit_table(there, value)
        else:
            table[key] = value


class Year:
    """A copy with a remote, which is again as it was made before every change.

    It is always in the same place, and so has one environment and one target folder.
    """

    def __init__(self, folder: Path) -> None:
        """Make a template, a copy of it, and then a release of the template."""
        self.place = Place(folder)
        self.template = make_template(folder)
        self.template.new(NAME, f"--dest={self.place.checkout}")
        for key, value in IDENTITY.items():
            self.place.git("config", key, value)
        record = Record.read(self.place.read("template.toml"))
        assert record is not None
        # As far as git is asked, the template is where it was made.
        self.configuration = folder / "gitconfig"
        with self.configuration.open("a", encoding="utf-8") as file:
            file.write(f'[url "{self.template.folder}"]\n\tinsteadOf = {record.address}\n')
        self.template.write("scripts/build.py", self.template.read("scripts/build.py") + "# Improved.\n")
        self.template.commit("Improve")
        self.template.git("tag", "v9.9.9")
        # Without it, the set-up would first install one.
        (folder / "uv").mkdir()
        (folder / "uv" / find_uv().name).symlink_to(find_uv())
        shutil.copytree(self.place.checkout / ".git", folder / "start")
        share_compiled(self.place.checkout)

    def begin(self) -> None:
        """Let the copy be as it was made, but for what is kept."""
        place = self.place
        shutil.rmtree(place.checkout / ".git")
        shutil.copytree(place.folder / "start", place.checkout / ".git")
        # A file that is as it was keeps its time: what was made from it stays newer.
        place.git("status")
        place.git("reset", "--quiet", "--hard")
        place.git("clean", "--quiet", "-ffdx", *(f"--exclude=/{name}" for name in KEPT))
        # The native module was in the package.
        (place.checkout / ".venv" / "develop.stamp").unlink(missing_ok=True)
        shutil.rmtree(place.remote, ignore_errors=True)
        place.git("init", "--quiet", "--bare", "--initial-branch=main", place.remote)
        place.git("remote", "add", "origin", place.remote)
        place.git("push", "--quiet", "--set-upstream", "origin", "main")

    def call(self, name: str) -> None:
        """Let there be a copy of another name, with what is kept of the one before."""
        place, kept = self.place, self.place.folder / "kept"
        kept.mkdir()
        for each in KEPT:
            (place.checkout / each).rename(kept / each)
        former = Project(place.checkout).name
        shutil.rmtree(place.checkout)
        self.template.new(name, f"--dest={place.checkout}")
        for each in KEPT:
            (kept / each).rename(place.checkout / each)
        kept.rmdir()
        (place.checkout / ".venv" / "develop.stamp").unlink(missing_ok=True)
        run(".venv/bin/uv", "pip", "uninstall", "--quiet", "--python", ".venv/bin/python", former, cwd=place.checkout)
        age_sources(place.checkout)

    def play(self, change: Change) -> None:
        """Make one change in the copy, and everything of it that the change asks for."""
        self.begin()
        change.apply(self.place)
        *good, last = change.targets
        for target in good:
            done = self.make(target)
            assert done.returncode == 0, f"{target}: {done.stdout}{done.stderr}"
        done = self.make(last)
        said = f"{last}: {done.stdout}{done.stderr}"
        assert "Traceback" not in said, said
        assert (done.returncode == 0) == (not change.refused), said
        assert [words for words in change.refused if words not in " ".join(said.split())] == [], said
        change.after(self.place)
        if "template-update" not in change.targets:
            assert self.place.git("status", "--porcelain") == "", "make has left something to be committed"

    def make(self, target: str) -> "CompletedProcess[str]":
        """Call make for a target, with its variables, as the copy's owner does."""
        checkout = self.place.checkout
        words = target.split()
        if words[0] == "verify":
            words.append(f"PYTHON={Project(checkout).oldest_python}")
        its = {
            "CI": None,
            # Crates that a change asks for are fetched.
            "CARGO_NET_OFFLINE": None,
            "GIT_CONFIG_GLOBAL": str(self.configuration),
            "PATH": f"{self.place.folder / 'uv'}{os.pathsep}{os.environ['PATH']}",
        }
        return run("make", *words, cwd=checkout, **{**environment(), **its})
