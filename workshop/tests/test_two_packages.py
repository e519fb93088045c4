"""Two packages of one repository: the same commands release each, and neither has a part in the other's release."""
# ruff: noqa: E501 - a table: a mistake is a line

import subprocess
import sys
import venv
from dataclasses import replace
from pathlib import Path

import pytest

from helpers import PROJECT
from rehearsal_faults import COMPLETE, Base, Scene, copy_place, release_command
from releases import Place
from roadworthy.project import Project
from workshop.rehearsing.machine import Machine
from workshop.rehearsing.rehearsal import Rehearsal, on_loopback, publisher_of
from workshop.rehearsing.scratch import choose_version
from workshop.workflows.pipeline import Pipeline
from workshop.workflows.rules import RULES, broken

SECOND = Project(PROJECT.root, "roadworthy")
TEXT = SECOND.read_shared(SECOND.workflow_path)
# What nobody would see in a workflow that is like another one.
BUILD, ROWS = 'make build TARGET="$TARGET" FROM=built/sdist', "wheels: any, pythons: *pythons }\n"
MISTAKES = {
    "a command is about the other package": (f"{BUILD} PACKAGE=roadworthy", BUILD),
    "a package that is not there": ("make identify PACKAGE=roadworthy", "make identify PACKAGE=roadworth"),
    "the other package's tags start it": ('"roadworthy-v[0-9]+.[0-9]+.[0-9]+"\n', '"v[0-9]+.[0-9]+.[0-9]+"\n'),
    "the other package's lines start it": ('- "roadworthy-[0-9]+.[0-9]+.x"', '- "[0-9]+.[0-9]+.x"'),
    "tags of a third package": ('- "roadworthy-v[0-9]+.[0-9]+.[0-9]+-rc[0-9]+"', '- "other-v[0-9]+.[0-9]+.[0-9]+-rc[0-9]+"'),
    "the other package's environment": (" pypi-roadworthy\n", " pypi\n"),
    "the other package's artefacts": ("            roadworthy/dist/*.whl\n", "            dist/*.whl\n"),
    "a system is left out": (f"          - {{ runner: windows-2025, {ROWS}          - runner: windows-11-arm", "          - runner: macos-15"),
    "a system is not tested": ('          - { runner: macos-15, python: "3.10" }\n', ""),
    "it is tagged for one system": ("            tag: any\n", "            tag: manylinux_2_17_x86_64\n"),
    "published before it is verified": ("collect, verify]\n    if: github.event_name == 'push'", "collect]\n    if: github.event_name == 'push'"),
}  # fmt: skip


def test_the_second_workflow_keeps_every_rule() -> None:
    pipeline = Pipeline.of(SECOND)
    assert {name: found for name, rule in RULES.items() if (found := broken(rule, pipeline))} == {}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_in_it_is_noticed(name: str) -> None:
    old, new = MISTAKES[name]
    assert TEXT.count(old) == 1
    pipeline = Pipeline(SECOND, TEXT.replace(old, new))
    assert any(broken(rule, pipeline) for rule in RULES.values())


def test_each_has_versions_tags_and_a_changelog_of_its_own(place: Place) -> None:
    place.git("tag", "v9.0.0")
    place.git("push", "--quiet", "origin", "v9.0.0")
    done = place.release("0.2.0", "--package=roadworthy", "--yes")
    assert done.returncode == 0, done.stderr
    head = place.refs()["refs/tags/roadworthy-v0.2.0^{}"]
    assert place.refs()["refs/heads/main"] == head
    changed = place.git("show", "--format=%s", "--name-only", head).split("\n")
    assert changed[0] == "Release roadworthy 0.2.0"
    fragments = {each for each in changed[2:] if each.startswith("roadworthy/changelog.d/+")}
    assert fragments
    assert {*changed[2:]} == fragments | {"roadworthy/CHANGELOG.md", "roadworthy/pyproject.toml"}
    assert place.git("status", "--porcelain") == ""
    assert place.release("0.2.0", "--package=roadworthy").returncode == 0
    again = place.release("0.1.9", "--package=roadworthy", "--yes")
    assert "0.1.9 is not greater than what is released on this line: roadworthy-v0.2.0" in again.stderr
    assert "no news fragment waits in changelog.d/" in again.stderr
    # The other one has its own.
    other = place.release("9.1.0", "--yes")
    assert other.returncode == 0, other.stderr
    assert "refs/tags/v9.1.0^{}" in place.refs()
    assert 'version = "0.2.0"' in place.read("roadworthy/pyproject.toml")


def test_what_it_declares_above_its_folder_holds_the_version_too_and_its_changelog_is_where_it_says(
    place: Place,
) -> None:
    more = '\n[[tool.bumpversion.files]]\nfilename = "../CITATION.cff"\nsearch = "version: {current_version}"\n'
    more += 'replace = "version: {new_version}"\n'
    place.write("roadworthy/pyproject.toml", place.read("roadworthy/pyproject.toml") + more)
    place.write("roadworthy/pyproject.toml", place.read("roadworthy/pyproject.toml").replace("CHANGELOG.md", "NEWS.md"))
    place.git("mv", "roadworthy/CHANGELOG.md", "roadworthy/NEWS.md")
    place.write("CITATION.cff", "version: 0.1.0\n")
    place.commit()
    done = place.release("0.2.0", "--package=roadworthy", "--yes")
    assert done.returncode == 0, done.stderr
    assert place.read("CITATION.cff") == "version: 0.2.0\n"
    assert "## 0.2.0" in place.read("roadworthy/NEWS.md")


def test_what_is_no_package_is_a_usage_error(place: Place) -> None:
    for name in ("nope", "../checkout", "scripts", "-x", ""):
        done = place.release("0.2.0", f"--package={name}")
        assert (done.returncode, done.stdout) == (2, ""), name
        assert "is no folder here with a pyproject.toml" in done.stderr


def release_second(first: Rehearsal, folder: Path) -> None:
    """Release the second package from the same repository to the same index, which does not know it yet."""
    release = choose_version(first.scratch, SECOND.package)
    first.index.publishers.append(replace(publisher_of(SECOND), pending=True))
    second = replace(first, project=SECOND, release=release, machine=Machine.here(SECOND))
    done = first.scratch.run(*release_command(release.text, "never", f"--package={SECOND.package}"))
    assert done.returncode == 0, done.stdout
    run = second.start_run(folder, without=("make verify", "make test"))
    assert run.go(), run.done[-1].output
    assert f"refs/tags/{release.tag}" == run.event.ref


def test_both_are_published_from_one_repository_and_a_user_installs_both(rehearsed: Base, tmp_path: Path) -> None:
    place = copy_place(rehearsed.after, tmp_path / "both")
    with on_loopback(PROJECT, place, rehearsed.release, rehearsed.machine) as first:
        scene = Scene(rehearsed, first, tmp_path / "both")
        scene.publish()
        assert scene.state() == COMPLETE, scene.said
        release_second(first, tmp_path / "both" / "second")
        assert scene.state() == COMPLETE
        venv.create(tmp_path / "user", with_pip=True)
        python = tmp_path / "user" / "bin" / "python"
        pip = [str(python), "-m", "pip", "install", "--quiet", "--no-deps", f"--index-url={first.addresses.simple}"]
        subprocess.run([*pip, PROJECT.name, SECOND.name], check=True, env=first.scratch.environment())
    tried = f"import {PROJECT.import_name}, roadworthy; print({PROJECT.import_name}.__file__, roadworthy.__file__)"
    told = subprocess.run([python, "-I", "-c", tried], check=True, capture_output=True, encoding="utf-8").stdout
    assert [path.startswith(str(tmp_path / "user")) for path in told.split()] == [True, True], sys.version
