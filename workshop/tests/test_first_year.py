"""A copy is free to change: what owners change in the first year, each change by itself, leaves everything green.

`make test-year` plays all of them; `make test-tooling` those that are marked `often`, of which each is of another kind.
"""

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import year_of_the_package
import year_of_the_project
from year import Change, Year

CHANGES = (*year_of_the_package.CHANGES, *year_of_the_project.CHANGES)
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="some of it is for Unix")
# Names of copies, and what is nasty about each.
NAMES = {
    "q": "one letter, and one spelling",
    "a0-b1-c2": "digits, and before every other crate and import",
    "zz-core-match-test-wheel": "words of the code, and after every other crate and import",
    "frobnicating-turbochargers-of-the-valley": "forty letters",
    "x86-64-rs": "like a target",
}
PLAYED = [change for change in CHANGES if change.often or os.environ.get("WHOLE_YEAR")]


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory, dist: Path) -> Iterator[Year]:  # noqa: ARG001 - it is built first
    """Return the copy."""
    folder = tmp_path_factory.mktemp("year")
    yield Year(folder)
    # What is compiled and installed is not kept.
    shutil.rmtree(folder)


@pytest.mark.parametrize("change", PLAYED, ids=[change.name.replace(" ", "-") for change in PLAYED])
def test_a_copy_stays_green(year: Year, change: Change) -> None:
    year.play(change)


@pytest.mark.parametrize("name", NAMES)
def test_a_copy_of_any_name_is_green_without_an_edit(year: Year, name: str) -> None:
    year.call(name)
    for target in ("test", "lint"):
        done = year.make(target)
        assert done.returncode == 0, f"{target}: {done.stdout}{done.stderr}"
    assert year.place.git("status", "--porcelain") == "", "make has left something to be committed"


def test_each_change_is_named_once() -> None:
    names = [change.name for change in CHANGES]
    assert sorted(set(names)) == sorted(names)


def test_ordinary_packages_are_verified() -> None:
    """As README.md says; each of them is played by `make test-year`."""
    verified = [each for each in CHANGES if not each.refused and any(t.split()[0] == "verify" for t in each.targets)]
    assert len(verified) >= 25
    text = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    assert f"{len(verified)} of the {len(CHANGES)} are packages that `verify` passes" in text
