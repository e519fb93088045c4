"""What an artefact should hold, as [tool.maturin] declares it."""

from pathlib import Path

import pytest

from helpers import run
from roadworthy.declared import Contents, fits, wheel_contents
from roadworthy.project import Project

FITTING = [
    ("tin/data/a.txt", "tin/data/*"),
    ("tin/data/a.txt", "tin/*/a.txt"),
    ("tin/data/deep/a.txt", "tin/data/**/*.txt"),
    ("tin/data/a.txt", "tin/data/**/*.txt"),
    ("tin/data/deep/a.txt", "tin/data/**"),
    # A wheel's name and a pattern from the root, an sdist's and one from the Python source.
    ("tin/a.txt", "python/tin/a.txt"),
    ("python/tin/a.txt", "tin/a.txt"),
    ("python/tin/a.txt", "python/*/a.txt"),
]
OTHERS = [
    ("tin/data/deep/a.txt", "tin/data/*"),
    ("other/tin/a.txt", "tin/a.txt"),
    ("tin/a.txt", "tin"),
    ("tin", "tin/*"),
    ("tin/a.txt.bak", "tin/*.txt"),
]


@pytest.mark.parametrize(("name", "pattern"), FITTING)
def test_a_name_fits(name: str, pattern: str) -> None:
    assert fits(name, pattern)


@pytest.mark.parametrize(("name", "pattern"), OTHERS)
def test_another_name_does_not(name: str, pattern: str) -> None:
    assert not fits(name, pattern)


def test_what_lacks_and_what_is_strange_is_told() -> None:
    contents = Contents(frozenset({"a", "b"}), ("made/*",), ("perhaps/*",))
    assert (contents.lacking({"a", "c"}), contents.strange({"a", "c", "perhaps/d"})) == (["b", "made/*"], ["c"])
    assert contents.lacking({"a", "b", "made/e"}) == []


DECLARED = """\
[project]
name = "tin-can"
[tool.maturin]
exclude = ["/docs/**", { path = "*.tmpl", format = "wheel" }, { path = "python/tin/kept", format = "sdist" }]
include = [
  { path = "tin/made/*", format = ["sdist", "wheel"] },
  { path = "no", format = "sdist" },
  { path = "*.json", from = "out-dir", to = "tin/" },
]
"""


def test_a_wheel_holds_what_is_declared_for_wheels(tmp_path: Path) -> None:
    run("git", "init", "--quiet", cwd=tmp_path)
    (tmp_path / "pyproject.toml").write_text(DECLARED, encoding="utf-8")
    # It is its checkout's own matter what git ignores.
    (tmp_path / ".gitignore").write_text("kept\n", encoding="utf-8")
    names = ["python/tin/a.py", "python/tin/deep/b.tmpl", "python/tin/kept", "docs/c.md", "tests/d.py"]
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    contents = wheel_contents(Project(tmp_path), tmp_path, names)
    assert contents.files == {"tin/a.py", "tin/kept"}
    assert contents.included == ("tin/made/*",)
    assert contents.optional == ("tin_can.libs/*.so*", "tin_can.libs/*.dll", "tin/*.json")
