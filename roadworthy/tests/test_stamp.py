"""Writing a development version into a checkout, as each job of a manual run does."""

import json
import os
import shutil
import subprocess
import sys

import pytest
from packaging.version import Version

from helpers import PROJECT, run
from pipeline_steps import run_step
from releases import Place, environment
from roadworthy.ci.change import DEVELOPMENT
from roadworthy.project import Project
from roadworthy.releasing import files
from roadworthy.releasing.version import Release

WANTED = "0.1.1-dev7"


def versions(place: Place) -> dict[str, str]:
    return files.versions(Project(place.checkout).read)


def ask_project(place: Place, expression: str) -> "subprocess.CompletedProcess[str]":
    """Evaluate an expression with the checkout's own scripts."""
    begin = "import json, pathlib; from roadworthy.project import Project; project = Project(pathlib.Path.cwd())"
    code = f"{begin}; print(json.dumps({expression}))"
    return run(sys.executable, "-c", code, cwd=place.checkout)


def test_the_version_stands_in_three_files_and_nothing_else_changes(place: Place) -> None:
    told = run_step(place, "stamp", "--", WANTED)
    assert told.code == 0, told.err
    assert versions(place) == dict.fromkeys(files.VERSION_FILES, WANTED)
    counted = place.git("diff", "--numstat").splitlines()
    assert sorted(counted) == sorted(f"1\t1\t{file}" for file in files.VERSION_FILES)
    assert place.git("status", "--porcelain", "--untracked-files=all").count("\n") == 2
    assert place.git("log", "--format=%s") == "Start\nCopy"
    assert place.git("tag") == ""


@pytest.mark.parametrize(
    "spelled", ["version = '0.1.0'", 'version="0.1.0"', '\n  version   = "0.1.0" # as pyproject.toml has it']
)
def test_the_version_of_the_crate_may_be_written_as_toml_allows(place: Place, spelled: str) -> None:
    place.replace("Cargo.toml", "[package]", "[package] # the crate")
    place.replace("Cargo.toml", 'version = "0.1.0"', spelled)
    told = run_step(place, "stamp", WANTED)
    assert told.code == 0, told.err
    assert spelled.replace("0.1.0", WANTED) in place.read("Cargo.toml")
    assert versions(place) == dict.fromkeys(files.VERSION_FILES, WANTED)


def test_the_artefacts_are_called_as_the_version_that_was_stamped(place: Place) -> None:
    assert run_step(place, "stamp", WANTED).code == 0
    (sdist, version) = json.loads(ask_project(place, "[project.sdist_name(), str(project.version)]").stdout)
    assert version == str(Version(WANTED)) == "0.1.1.dev7"
    assert sdist == PROJECT.sdist_name(Version(WANTED)) == "ferrous_wheel-0.1.1.dev7.tar.gz"


def test_cargo_takes_the_lock_as_it_is(place: Place) -> None:
    assert run_step(place, "stamp", WANTED).code == 0
    command = ("cargo", "metadata", "--locked", "--offline", "--format-version=1", "--no-deps")
    asked = run(*command, cwd=place.checkout)
    assert asked.returncode == 0, asked.stderr
    assert [package["version"] for package in json.loads(asked.stdout)["packages"]] == [WANTED]


def test_the_version_that_stands_there_is_left_alone(place: Place) -> None:
    told = run_step(place, "stamp", "0.1.0", PATH=os.devnull)
    assert (told.code, told.out, told.err) == (0, "", "")
    assert place.git("status", "--porcelain", "--untracked-files=all") == ""


def test_the_same_stamp_twice_is_one(place: Place) -> None:
    assert run_step(place, "stamp", WANTED).code == 0
    before = place.git("diff")
    assert run_step(place, "stamp", WANTED).code == 0
    assert place.git("diff") == before
    # Another run by hand, in the same checkout.
    assert run_step(place, "stamp", "0.1.1-dev8").code == 0
    assert set(versions(place).values()) == {"0.1.1-dev8"}


@pytest.mark.parametrize(
    "version",
    [
        "0.2.0",
        "0.1.1",
        "0.2.0-rc1",
        "0.1.1.dev5",
        "0.1.1-dev0",
        "0.1.1-dev07",
        "0.1.1-dev",
        "0.1-dev1",
        "00.1.1-dev1",
        "0.1.1-dev1\n",
        "0.1.1-dev1; true",
        "latest",
        " ",
    ],
)
def test_any_other_version_is_refused(template: Place, version: str) -> None:
    place = template  # nothing is changed in it
    told = run_step(place, "stamp", "--", version)
    assert told.code == 1
    text = f"{version!r} is neither this version, 0.1.0, nor a development version"
    assert f"problem: {text}\n  VERSION is X.Y.Z-devN; for a release, run: make release\n" in told.err
    assert told.annotations == [f"::error::{text}"]
    assert place.git("status", "--porcelain", "--untracked-files=all") == ""


def test_a_release_of_a_development_version_is_refused(place: Place) -> None:
    with pytest.raises(ValueError, match="is no version of a release"):
        Release.parse(WANTED)
    assert run_step(place, "stamp", WANTED).code == 0
    assert DEVELOPMENT.fullmatch(WANTED)
    refused = place.release(WANTED, "--yes")
    assert (refused.returncode, set(place.refs())) == (2, {"HEAD", "refs/heads/main"})
    assert f"'{WANTED}' is no version of a release" in refused.stderr


def test_a_machine_that_knows_no_crates_yet_asks_for_them(place: Place) -> None:
    """As on a fresh runner: without the network, cargo knows none of the crates in its lock."""
    cargo, log = shutil.which("cargo"), place.folder / "cargo.log"
    (place.folder / "tools").mkdir()
    fresh = place.folder / "tools" / "cargo"
    fresh.write_text(
        f'#!/bin/sh\necho "$*" >> "{log}"\n'
        'case "$*" in *--offline*) echo "error: no matching package named pyo3 found" >&2; exit 101;; esac\n'
        f'exec "{cargo}" --offline "$@"\n',
        encoding="utf-8",
    )
    fresh.chmod(0o755)
    told = run_step(place, "stamp", WANTED, PATH=f"{fresh.parent}{os.pathsep}{os.environ['PATH']}")
    assert told.code == 0, told.err
    assert set(versions(place).values()) == {WANTED}
    assert sorted(place.git("diff", "--numstat").splitlines()) == sorted(f"1\t1\t{file}" for file in versions(place))
    assert [line.split()[:2] for line in log.read_text(encoding="utf-8").splitlines()] == [
        ["update", "--workspace"]
    ] * 2


def test_files_that_do_not_follow_are_told(place: Place) -> None:
    place.replace("pyproject.toml", 'filename = "Cargo.toml"', 'filename = "Cargo.toml"\nexcluded_paths = ["."]')
    place.replace("pyproject.toml", '[[tool.bumpversion.files]]\nfilename = "Cargo.toml"', '[tool.other]\nx = ""')
    told = run_step(place, "stamp", WANTED, **environment())
    assert told.code == 1
    assert f"problem: the files do not say {WANTED} after the edits\n" in told.err
