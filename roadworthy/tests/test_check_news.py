"""The check of news fragments, on branches as pull requests are made of."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from helpers import run
from releases import Place, copy_place, environment, make_place


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Place:
    place = make_place(tmp_path_factory.mktemp("news") / "template")
    place.git("switch", "--quiet", "--create", "change")
    return place


@pytest.fixture
def place(template: Place, tmp_path: Path) -> Place:
    return copy_place(template, tmp_path / "place")


def check(place: Place, base: str = "origin/main") -> "subprocess.CompletedProcess[str]":
    return run(sys.executable, "-m", "roadworthy", "check-news", f"--base={base}", cwd=place.checkout, **environment())


def change_the_package(place: Place, message: str = "Change the core") -> None:
    place.write("src/core.rs", place.read("src/core.rs") + "// more\n")
    place.commit(message, push=False)


def test_a_change_of_the_package_without_a_fragment_is_told_how_to_write_one(place: Place) -> None:
    change_the_package(place)
    checked = check(place)
    assert checked.returncode == 1
    assert "src/core.rs" in checked.stderr
    for words in ("changelog.d/<issue>.<type>.md", "changelog.d/README.md", "Changelog: none"):
        assert words in checked.stderr


@pytest.mark.parametrize("name", ["42.fixed.md", "+core.changed.md"])
def test_a_change_with_a_fragment_passes(place: Place, name: str) -> None:
    change_the_package(place)
    place.write(f"changelog.d/{name}", "The core is another one.\n")
    place.commit("Tell it", push=False)
    assert check(place).returncode == 0


def test_a_better_text_in_a_waiting_fragment_counts(place: Place) -> None:
    change_the_package(place)
    place.write("changelog.d/+first.added.md", "The first release, and its core.\n")
    place.commit("Tell it", push=False)
    assert check(place).returncode == 0


def test_a_fragment_that_is_removed_does_not_count(place: Place) -> None:
    change_the_package(place)
    (place.checkout / "changelog.d" / "+first.added.md").unlink()
    place.commit("Take it away", push=False)
    assert check(place).returncode == 1


def test_what_no_user_can_notice_says_so_in_a_commit_message(place: Place) -> None:
    change_the_package(place, "Rename a variable\n\nChangelog: none")
    assert check(place).returncode == 0


@pytest.mark.parametrize("name", ["README.md", "tests/test_more.py", "docs/more.md", "scripts/more.py"])
def test_what_is_in_no_wheel_needs_no_fragment(place: Place, name: str) -> None:
    place.write(name, "more\n")
    place.commit(push=False)
    assert check(place).returncode == 0


@pytest.mark.parametrize("name", ["8.feature.md", "notes.md", "4.added.md~", "9.added.txt"])
def test_a_fragment_that_a_release_would_refuse_is_refused_here(place: Place, name: str) -> None:
    place.write(f"changelog.d/{name}", "Something.\n")
    place.commit(push=False)
    checked = check(place)
    assert checked.returncode == 1
    assert f"changelog.d/{name}" in checked.stderr


def test_a_fragment_that_was_not_committed_is_told(place: Place) -> None:
    change_the_package(place)
    place.write("changelog.d/42.fixed.md", "The core is another one.\n")
    checked = check(place)
    assert checked.returncode == 1
    assert "changelog.d/42.fixed.md is not tracked by git" in checked.stderr


def test_the_pull_request_of_a_release_passes(place: Place) -> None:
    place.git("switch", "--quiet", "main")
    assert place.release("0.2.0", "--yes", "--via=pr").returncode == 0
    place.git("fetch", "--quiet", "origin", "release/v0.2.0")
    place.git("switch", "--quiet", "--detach", "FETCH_HEAD")
    checked = check(place)
    assert checked.returncode == 0, checked.stderr
    assert "the release of 0.2.0" in checked.stdout


@pytest.mark.parametrize("base", ["origin/nowhere", "--all", ""])
def test_a_base_that_is_not_there_is_a_problem_with_its_remedy(place: Place, base: str) -> None:
    checked = check(place, base)
    assert checked.returncode == 1
    assert f"there is no {base} here to compare this branch with" in checked.stderr
    assert "or name the branch with BASE=" in checked.stderr


def test_the_default_that_a_first_push_leaves_unset_is_told_how_to_set(place: Place) -> None:
    change_the_package(place)
    command = (sys.executable, "-m", "roadworthy", "check-news")
    refused = run(*command, cwd=place.checkout, **environment())
    assert refused.returncode == 1
    assert "there is no origin/HEAD here" in refused.stderr
    place.git(*re.search(r"and: git (.*?);", refused.stderr)[1].split())  # type: ignore[index]
    assert "src/core.rs" in run(*command, cwd=place.checkout, **environment()).stderr


def test_a_branch_of_another_history_is_told_to_fetch_all_of_it(place: Place) -> None:
    place.git("switch", "--quiet", "--orphan", "other")
    place.write("template.toml", "")
    place.commit("Begin anew", push=False)
    checked = check(place, "change")
    assert checked.returncode == 1
    assert "there is no commit that change and this branch have in common" in checked.stderr
    assert "fetch-depth: 0" in checked.stderr
