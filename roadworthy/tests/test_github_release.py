"""Releasing on GitHub; in place of `gh` is a program of ours."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from packaging.version import Version

from pipeline_steps import Told, run_step, stand_in, write_release
from releases import Place, copy_place, make_place
from roadworthy.sums import sha256, write_sums
from workshop.loopback import gh
from workshop.loopback.gh import START

NOTES = "### Added\n\n- Something is new."
FILES = {
    "ferrous_wheel-0.2.0-cp310-abi3-win_amd64.whl": b"wheel",
    "ferrous_wheel-0.2.0.tar.gz": b"sdist",
}
State = dict[str, Any]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Return a checkout of the release 0.2.0 with its tag, the files of its run, and a `gh`."""
    return make_release(make_place(tmp_path_factory.mktemp("github") / "template"), "0.2.0")


@pytest.fixture
def place(template: Place, tmp_path: Path) -> Place:
    return equip(copy_place(template, tmp_path / "place"))


def make_release(place: Place, version: str) -> Place:
    """Commit and tag a release, and put what was built of it into a folder."""
    write_release(place, version, NOTES)
    place.commit(f"Release {version}", push=False)
    place.git("tag", "--annotate", f"--message={version}", f"v{version}")
    built = place.folder / "release"
    shutil.rmtree(built, ignore_errors=True)
    (built / "dist").mkdir(parents=True)
    for name, content in FILES.items():
        (built / "dist" / name.replace("0.2.0", str(Version(version)))).write_bytes(content)
    write_sums(built / "SHA256SUMS", built / "dist")
    return place


def equip(place: Place, **state: object) -> Place:
    """Give the place a `gh`, and a GitHub that has its tags."""
    write_state(place, {**START, "tags": place.git("tag").split("\n"), **state})
    stand_in(place.folder / "tools", "gh", Path(gh.__file__), place.folder / "github.json")
    return place


def write_state(place: Place, state: State) -> None:
    (place.folder / "github.json").write_text(json.dumps(state), encoding="utf-8")


def read_state(place: Place) -> State:
    state: State = json.loads((place.folder / "github.json").read_text(encoding="utf-8"))
    return state


def release_of(place: Place, version: str = "0.2.0") -> Any:  # noqa: ANN401 - as gh knows it, or None
    return read_state(place)["releases"].get(f"v{version}")


def run_with_gh(place: Place, script: str, *arguments: object, **variables: str | None) -> Told:
    path = os.pathsep.join([str(place.folder / "tools"), os.environ["PATH"]])
    return run_step(place, script, *arguments, **{"PATH": path, "GH_PROMPT_DISABLED": None, **variables})


def publish(place: Place) -> Told:
    return run_with_gh(place, "github-release", f"--from={place.folder / 'release'}")


def calls(place: Place) -> list[str]:
    """Return the commands that gh was given."""
    return [" ".join(words[:2]) for words in read_state(place)["calls"]]


def digests(place: Place) -> dict[str, str]:
    """Return what is to be found in the release, with the hashes."""
    built = place.folder / "release"
    paths = [*(built / "dist").iterdir(), built / "SHA256SUMS"]
    return {path.name: f"sha256:{sha256(path.read_bytes())}" for path in paths}


def assets(release: State) -> dict[str, str]:
    return {asset["name"]: asset["digest"] for asset in release["assets"]}


def test_it_is_a_draft_with_all_files_before_it_is_public(place: Place) -> None:
    told = publish(place)
    assert (told.code, told.err, told.out) == (0, "", "v0.2.0 is released, with 3 files\n")
    assert calls(place) == ["release view", "release create", "release edit"]
    _, create, edit = read_state(place)["calls"]
    assert {"--draft", "--verify-tag"} < set(create)
    assert {Path(word).name for word in create if not word.startswith("-")} >= digests(place).keys()
    assert edit == ["release", "edit", "v0.2.0", "--draft=false", "--prerelease=false", "--latest=true"]
    found = release_of(place)
    assert assets(found) == digests(place)
    assert (found["name"], found["notes"]) == ("0.2.0", f"{NOTES}\n")
    assert (found["isDraft"], found["isPrerelease"], found["latest"]) == (False, False, "true")


@pytest.mark.parametrize(
    ("version", "others", "prerelease", "latest"),
    [
        ("0.2.0", ["v0.1.0", "v0.3.0-rc1", "vacation", "v0.10"], False, "false"),
        ("0.2.0", ["v0.1.0", "v0.1.10", "v0.3.0-rc1", "vacation", "v0.2.0-rc1"], False, "true"),
        ("0.1.7", ["v0.1.6", "v0.2.0"], False, "false"),
        ("0.3.0-rc1", ["v0.2.0"], True, "false"),
    ],
)
def test_only_the_greatest_final_version_is_the_latest(  # noqa: PLR0913, PLR0917 - what it depends on
    template: Place, tmp_path: Path, version: str, others: list[str], prerelease: bool, latest: str
) -> None:
    place = copy_place(template, tmp_path / "place")
    if version != "0.2.0":
        place.git("tag", "--delete", "v0.2.0")
        place.git("reset", "--quiet", "--hard", "HEAD^")
        make_release(place, version)
    for tag in others:
        place.git("tag", tag, "HEAD^")
    assert publish(equip(place)).code == 0
    found = release_of(place, version)
    assert (found["isDraft"], found["isPrerelease"], found["latest"]) == (False, prerelease, latest)
    assert read_state(place)["calls"][-1][3:] == [
        "--draft=false",
        f"--prerelease={str(prerelease).lower()}",
        f"--latest={latest}",
    ]


def test_what_is_public_with_the_same_files_is_left_alone(place: Place) -> None:
    publish(place)
    before = release_of(place)
    told = publish(place)
    assert told.code == 0
    assert told.out == f"v0.2.0 is released already: {before['url']}\n"
    assert release_of(place) == before
    assert calls(place)[3:] == ["release view"]


@pytest.mark.parametrize("change", ["other bytes", "one more", "one less"])
def test_what_is_public_with_other_files_is_told_and_not_changed(place: Place, change: str) -> None:
    publish(place)
    state = read_state(place)
    found = state["releases"]["v0.2.0"]["assets"]
    if change == "other bytes":
        found[0]["digest"] = f"sha256:{'0' * 64}"
    elif change == "one more":
        found.append({"name": "extra.txt", "digest": f"sha256:{'0' * 64}"})
    else:
        found.pop()
    write_state(place, {**state, "calls": []})
    told = publish(place)
    assert told.code == 1
    assert "v0.2.0 is public already, with other files than these\n" in told.err
    assert "PyPI's are right. It is not changed\n" in told.err
    assert read_state(place)["releases"] == state["releases"]
    assert calls(place) == ["release view"]


def test_a_draft_that_was_left_is_made_anew(place: Place) -> None:
    old = {"isDraft": True, "assets": [{"name": "old", "digest": ""}], "url": "", "notes": "old"}
    equip(place, releases={"v0.2.0": old})
    assert publish(place).code == 0
    assert calls(place) == ["release view", "release delete", "release create", "release edit"]
    assert assets(release_of(place)) == digests(place)
    assert release_of(place)["notes"] == f"{NOTES}\n"


@pytest.mark.parametrize("dies", ["release create", "release edit"])
def test_what_is_cut_off_is_not_public_and_the_next_run_completes_it(place: Place, dies: str) -> None:
    equip(place, dies=dies)
    told = publish(place)
    assert told.code == 1
    assert f"gh {dies} v0.2.0" in told.err
    assert "HTTP 502: " in told.err
    assert release_of(place)["isDraft"] is True
    again = publish(place)
    assert again.code == 0, again.err
    assert release_of(place)["isDraft"] is False
    assert assets(release_of(place)) == digests(place)


def test_a_github_that_does_not_answer_is_not_taken_for_one_without_the_release(place: Place) -> None:
    """Otherwise there would be a second draft of what may be public."""
    publish(place)
    write_state(place, {**read_state(place), "offline": "release view", "calls": []})
    told = publish(place)
    assert told.code == 1
    assert "problem: gh cannot say whether v0.2.0 is released: " in told.err
    assert "check your internet connection" in told.err
    assert calls(place) == ["release view"]


@pytest.mark.parametrize("answer", ["exit 1", "exit 137", "echo '<html>'", "echo null"])
def test_what_is_no_answer_is_not_taken_for_one(place: Place, answer: str) -> None:
    publish(place)
    state = read_state(place)
    (place.folder / "tools" / "gh").write_text(f"#!/bin/sh\n{answer}\n", encoding="utf-8")
    told = publish(place)
    assert told.code == 1
    assert "problem: gh cannot say whether v0.2.0 is released: " in told.err
    assert read_state(place) == state


def test_a_tag_that_github_does_not_have_is_not_made(place: Place) -> None:
    equip(place, tags=[])
    told = publish(place)
    assert told.code == 1
    assert "v0.2.0 doesn't exist in the repo" in told.err
    assert release_of(place) is None


def spoil(place: Place, how: str) -> str:
    """Spoil what was built, and return the problem that it is."""
    built = place.folder / "release"
    sdist = built / "dist" / "ferrous_wheel-0.2.0.tar.gz"
    if how == "other bytes":
        sdist.write_bytes(b"other")
        return f"{sdist} has the SHA-256 {sha256(b'other')}, and {built / 'SHA256SUMS'} says "
    if how == "a file that is not listed":
        (built / "dist" / "extra").touch()
        return f"{built / 'dist' / 'extra'} has the SHA-256 "
    if how == "a file less":
        sdist.unlink()
        return "the set is not complete\n"
    if how == "no files":
        shutil.rmtree(built / "dist")
        return f"{built} has no dist/\n"
    (built / "SHA256SUMS").unlink()
    return f"{built / 'SHA256SUMS'} cannot be read: "


@pytest.mark.parametrize("how", ["other bytes", "a file that is not listed", "a file less", "no files", "no hashes"])
def test_files_that_are_not_what_was_built_are_refused_before_github_is_asked(place: Place, how: str) -> None:
    text = spoil(place, how)
    told = publish(place)
    assert told.code == 1
    assert f"problem: {text}" in told.err
    assert calls(place) == []


def test_a_version_without_its_section_is_refused(place: Place) -> None:
    place.replace("CHANGELOG.md", "## 0.2.0", "## 0.1.9")
    told = publish(place)
    assert told.code == 1
    assert "problem: CHANGELOG.md has no section for 0.2.0\n  check out the tag\n" in told.err
    assert release_of(place) is None


def test_a_version_that_is_no_releases_is_refused(place: Place) -> None:
    place.replace("pyproject.toml", 'version = "0.2.0"', 'version = "0.2.1-dev7"')
    told = publish(place)
    assert told.code == 1
    assert "problem: '0.2.1-dev7' is no version of a release" in told.err
    assert calls(place) == []


def test_without_gh_it_is_asked_for(place: Place) -> None:
    git = shutil.which("git")
    (place.folder / "git").mkdir()
    (place.folder / "git" / "git").symlink_to(str(git))
    told = run_with_gh(place, "github-release", f"--from={place.folder / 'release'}", PATH=str(place.folder / "git"))
    assert told.code == 1
    assert "problem: gh is not on PATH\n" in told.err
