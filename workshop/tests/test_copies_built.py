"""Copies under nasty names, as their owners meet them: set up, built, tested and linted by their own make.

They share one folder for what Cargo builds, so the dependencies are compiled once.
"""

import os
import shutil
from pathlib import Path

import pytest

from copies import Folder, make_template
from helpers import run
from roadworthy.processes import find_uv

# What is nasty about each.
NAMES = {
    "qz": "two letters, and one spelling",
    "a0-b1-c2": "digits, and before every other crate and import",
    "zz-core-match-test-wheel": "words of the code, and after every other crate and import",
    "frobnicating-turbochargers-of-the-valley": "forty letters",
    "x86-64-rs": "like a target",
}
MINIMAL = "tin-can"


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """A template, not to be changed."""
    return make_template(tmp_path_factory.mktemp("template"))


@pytest.fixture(scope="module")
def uv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that has uv alone: without it each set-up would first install one."""
    folder = tmp_path_factory.mktemp("uv")
    (folder / "uv").symlink_to(find_uv())
    return folder


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where Cargo builds all of them."""
    return tmp_path_factory.mktemp("target")


def check(copy: Folder, uv: Path, target: Path) -> None:
    """Test and lint a copy, which must leave nothing to be committed."""
    (copy.folder / "target").symlink_to(target)
    copy.write(".git/info/exclude", b"/target\n")
    for goal in ("test", "lint"):
        done = run("make", goal, cwd=copy.folder, PATH=f"{uv}{os.pathsep}{os.environ['PATH']}", CI=None)
        assert done.returncode == 0, f"{goal}: {done.stdout}{done.stderr}"
    assert copy.git("status", "--porcelain") == ""
    # An environment of 500 MB is not kept until the last of them is done.
    shutil.rmtree(copy.folder)


@pytest.mark.parametrize("name", NAMES)
def test_a_copy_is_green_without_an_edit(source: Folder, uv: Path, target: Path, name: str) -> None:
    assert len(name) <= 40
    check(source.new(name), uv, target)


def test_a_minimal_copy_is_green_and_has_one_function_and_one_test(source: Folder, uv: Path, target: Path) -> None:
    copy = source.new(MINIMAL, "--package=minimal")
    tests = [path for path in copy.git("ls-files", "tests").splitlines() if not path.startswith("tests/tooling/")]
    assert tests == ["tests/conftest.py", "tests/test_initials.py"]
    assert copy.read("tests/test_initials.py").count("def test_") == 1
    assert copy.read("python/tin_can/_core.pyi").count("def ") == 1
    check(copy, uv, target)
