"""Copies under nasty names, as their owners meet them: set up, built, tested and linted by their own make.

They are made one after the other in the same folder, so that all have the .venv that the first one has made, and they
share what Cargo builds, so that the dependencies are compiled once.
"""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from copies import Folder, make_template, share_compiled
from helpers import run
from roadworthy.processes import find_uv
from workshop.rehearsing.scratch import age_sources

# What is nasty about each.
NAMES = {
    "q": "one letter, and one spelling",
    "a0-b1-c2": "digits, and before every other crate and import",
    "zz-core-match-test-wheel": "words of the code, and after every other crate and import",
    "frobnicating-turbochargers-of-the-valley": "forty letters",
    "x86-64-rs": "like a target",
}
# What mypy has found out is as true in the next copy, file by file.
SHARED = (".venv", ".mypy_cache")


@dataclass(frozen=True)
class Series:
    """What the copies have in common."""

    source: Folder
    folder: Path

    def make(self, name: str) -> Folder:
        """Make a copy where the one before was; environment and cache go along, without what was built there."""
        folder, kept = self.folder / "copy", self.folder / "kept"
        kept.mkdir(exist_ok=True)
        for each in SHARED:
            if (folder / each).exists():
                (folder / each).rename(kept / each)
        shutil.rmtree(folder, ignore_errors=True)
        self.source.new(name, f"--dest={folder}")
        for path in kept.iterdir():
            path.rename(folder / path.name)
        if (folder / ".venv").exists():
            (folder / ".venv" / "develop.stamp").unlink(missing_ok=True)
            here = ("--quiet", "--python", ".venv/bin/python")
            run(".venv/bin/uv", "pip", "uninstall", *here, *NAMES, cwd=folder)
            age_sources(folder)
        copy = Folder(folder, self.source.home)
        (folder / "target").symlink_to(self.folder / "target")
        copy.write(".git/info/exclude", b"/target\n")
        return copy


@pytest.fixture(scope="module")
def series(tmp_path_factory: pytest.TempPathFactory, dist: Path) -> Iterator[Series]:  # noqa: ARG001 - built first
    """A template, not to be changed, and a folder that has uv alone: without it the set-up would first install one."""
    folder = tmp_path_factory.mktemp("ground")
    (folder / "uv").mkdir()
    (folder / "uv" / "uv").symlink_to(find_uv())
    share_compiled(folder)
    yield Series(make_template(tmp_path_factory.mktemp("template")), folder)
    # An environment of 500 MB is not kept.
    shutil.rmtree(folder)


def check(series: Series, copy: Folder) -> None:
    """Test and lint a copy, which must leave nothing to be committed."""
    for goal in ("test", "lint"):
        path = f"{series.folder / 'uv'}{os.pathsep}{os.environ['PATH']}"
        done = run("make", goal, cwd=copy.folder, PATH=path, CI=None)
        assert done.returncode == 0, f"{goal}: {done.stdout}{done.stderr}"
    assert copy.git("status", "--porcelain") == ""


@pytest.mark.parametrize("name", NAMES)
def test_a_copy_is_green_without_an_edit(series: Series, name: str) -> None:
    assert len(name) <= 40
    check(series, series.make(name))
