"""What a run of CI is about, in checkouts as a runner has them: with all branches and tags of a remote."""

from pathlib import Path

import pytest

from pipeline_steps import Told, run_step, write_release
from releases import Place, copy_place, make_place, set_version
from roadworthy import terminal
from roadworthy.ci.change import DOCUMENTS as TAKEN_FOR_DOCUMENTS

DOCUMENTS = [
    "CONTRIBUTING.md",
    "README.md",
    "changelog.d/+more.added.md",
    "docs/mehr über alles.md",
    "docs/picture.svg",
    ".github/ISSUE_TEMPLATE/bug.yml",
    ".github/PULL_REQUEST_TEMPLATE.md",
]
CODE = [
    ".github/actions/build/README.md",
    ".github/actions/build/action.yml",
    ".github/workflows/CI.yml",
    ".github/workflows/README.md",
    "LICENSE",
    "Makefile",
    "changelog.d/template.md.jinja",
    "python/ferrous_wheel/notes.md",
    "src/docs/notes.md",
    "workshop/tests/golden/first/changelog.md",
]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return make_place(tmp_path_factory.mktemp("identify") / "template")


@pytest.fixture(scope="module")
def lasting(template: Place, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Return a place in which tests commit one after the other: none of them looks at what was there before."""
    return copy_place(template, tmp_path_factory.mktemp("lasting") / "place")


@pytest.fixture
def place(template: Place, tmp_path: Path) -> Place:
    return copy_place(template, tmp_path / "place")


def ask(place: Place, event: str = "push", ref: str = "refs/heads/main", **variables: str) -> Told:
    """Identify a run as the first job of CI.yml does."""
    given = {"GITHUB_EVENT_NAME": event, "GITHUB_REF": ref, "GITHUB_RUN_NUMBER": "7", "DEFAULT_BRANCH": "main"}
    return run_step(place, "identify", **{**given, **variables})


def push_tag(place: Place, tag: str) -> Told:
    """Tag the commit that is checked out, and identify the run that its push starts."""
    place.git("tag", "--annotate", f"--message={tag}", tag)
    return ask(place, ref=f"refs/tags/{tag}", BEFORE="0" * 40)


def release(place: Place, version: str = "0.2.0", branch: str = "main") -> None:
    """Make a release's commit on a branch of the remote."""
    write_release(place, version)
    place.commit(f"Release {version}", push=False)
    place.git("push", "--quiet", "origin", f"HEAD:{branch}")


def change(place: Place, *names: str) -> str:
    """Commit a change of some files, and return the commit before it."""
    for name in names:
        old = place.read(name) if (place.checkout / name).exists() else ""
        place.write(name, f"{old}\n")
    place.commit(push=False)
    return place.git("rev-parse", "HEAD^")


# ---- does anything but documents change? ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_is_no_code(name: str) -> None:
    assert TAKEN_FOR_DOCUMENTS.fullmatch(name)


@pytest.mark.parametrize("name", CODE)
def test_what_a_test_or_a_wheel_looks_at_is_code(name: str) -> None:
    assert not TAKEN_FOR_DOCUMENTS.fullmatch(name)


def test_a_push_of_documents_alone_changes_no_code(lasting: Place) -> None:
    told = ask(lasting, BEFORE=change(lasting, *DOCUMENTS))
    assert told.outputs == {"version": "0.1.0", "code": "false"}
    assert (told.code, told.out) == (0, "version=0.1.0\ncode=false\n")


def test_one_file_of_code_among_documents_is_a_change_of_code(lasting: Place) -> None:
    assert ask(lasting, BEFORE=change(lasting, "README.md", "docs/more.md", "src/core.rs")).outputs["code"] == "true"


def test_the_expected_texts_of_tests_are_code(lasting: Place) -> None:
    before = change(lasting, "workshop/tests/golden/more/changelog.md")
    assert ask(lasting, BEFORE=before).outputs["code"] == "true"


def test_code_that_becomes_a_document_is_a_change_of_code(lasting: Place) -> None:
    lasting.git("mv", "src/core.rs", "docs/core.md")
    lasting.commit(push=False)
    assert ask(lasting, BEFORE=lasting.git("rev-parse", "HEAD^")).outputs["code"] == "true"


def test_a_push_of_several_commits_is_judged_by_all_of_them(lasting: Place) -> None:
    before = change(lasting, "Makefile")
    change(lasting, "README.md")
    assert ask(lasting, BEFORE=before).outputs["code"] == "true"
    assert ask(lasting, BEFORE=lasting.git("rev-parse", "HEAD^")).outputs["code"] == "false"


@pytest.mark.parametrize("before", ["0" * 40, "0123456789" * 4, "", "--output=oh-no"])
def test_a_push_whose_earlier_commit_is_not_known_may_change_code(lasting: Place, before: str) -> None:
    change(lasting, "README.md")
    told = ask(lasting, BEFORE=before)
    assert (told.code, told.outputs["code"]) == (0, "true")
    assert not (lasting.checkout / "oh-no..HEAD").exists()


@pytest.mark.parametrize(("name", "code"), [("docs/more.md", "false"), ("src/more.rs", "true")])
def test_a_pull_request_is_judged_by_its_own_changes_alone(place: Place, name: str, code: str) -> None:
    place.git("switch", "--quiet", "--create", "topic")
    change(place, name)
    place.git("switch", "--quiet", "main")
    # The branch that it goes to has moved on, and its code is not the pull request's.
    change(place, "src/core.rs", "README.md")
    place.git("switch", "--quiet", "--detach", "main")
    place.git("merge", "--quiet", "--no-ff", "--message=Merge", "topic")
    told = ask(place, "pull_request", "refs/pull/7/merge")
    assert told.outputs == {"version": "0.1.0", "code": code}


# ---- may the tag be published? --------------------------------------------------------------------------------------


def test_a_tag_of_a_release_is_its_version_and_always_code(place: Place) -> None:
    release(place)
    told = push_tag(place, "v0.2.0")
    assert (told.code, told.err) == (0, "")
    assert told.outputs == {"version": "0.2.0", "code": "true"}


def test_what_make_release_pushes_is_accepted_as_a_runner_checks_it_out(place: Place) -> None:
    assert place.release("0.2.0-rc1", "--yes").returncode == 0
    runner_has = Place(place.folder / "runner")
    place.git("clone", "--quiet", "--no-checkout", place.remote, runner_has.checkout)
    runner_has.git("checkout", "--quiet", "--detach", "v0.2.0-rc1")
    told = ask(runner_has, ref="refs/tags/v0.2.0-rc1")
    assert told.outputs == {"version": "0.2.0-rc1", "code": "true"}
    assert "| kind | pre-release |" in told.summary


def test_a_release_on_its_maintenance_line_is_accepted(place: Place) -> None:
    release(place, "0.1.7", "0.1.x")
    assert push_tag(place, "v0.1.7").outputs["version"] == "0.1.7"


def refused(told: Told, *texts: str) -> None:
    """Make sure that a tag is refused for these reasons and no others, on the run's page too, and nothing goes on."""
    assert told.code == 1
    assert told.outputs == {}
    assert told.summary == ""
    assert told.annotations == [f"::error::{text}" for text in texts]
    for text in texts:
        assert f"problem: {text}\n" in told.err
    assert told.err.count("problem: ") == told.err.count("it publishes nothing: ") == len(texts)


@pytest.mark.parametrize(
    ("file", "section"), [("pyproject.toml", "project"), ("Cargo.toml", "package"), ("Cargo.lock", "[package]")]
)
def test_a_file_with_another_version_than_the_tag_is_refused(place: Place, file: str, section: str) -> None:
    write_release(place, "0.2.0")
    kept = place.git("show", f"HEAD:{file}") + "\n"
    assert f"[{section}]" in kept
    place.write(file, kept)
    place.commit()
    refused(push_tag(place, "v0.2.0"), f"the tag is v0.2.0, and {file} says 0.1.0")


def test_a_release_without_its_section_is_refused(place: Place) -> None:
    set_version(place, "0.2.0")
    place.commit()
    refused(push_tag(place, "v0.2.0"), "CHANGELOG.md has no section for 0.2.0")


def test_a_tag_on_no_branch_is_refused(place: Place) -> None:
    write_release(place, "0.2.0")
    place.commit(push=False)
    text = "the commit of v0.2.0 is not on main, nor on its maintenance line: it is on no branch"
    refused(push_tag(place, "v0.2.0"), text)


@pytest.mark.parametrize("branch", ["0.1.x", "topic", "release/v0.2.0", "topic/main", "topic/0.2.x"])
def test_a_tag_on_a_branch_that_is_not_released_from_is_refused(place: Place, branch: str) -> None:
    release(place, branch=branch)
    text = f"the commit of v0.2.0 is not on main, nor on its maintenance line: it is on {branch}"
    refused(push_tag(place, "v0.2.0"), text)


def test_the_default_branch_is_the_one_that_github_names(place: Place) -> None:
    release(place, branch="trunk")
    place.git("tag", "v0.2.0")
    assert ask(place, ref="refs/tags/v0.2.0", DEFAULT_BRANCH="trunk").outputs["version"] == "0.2.0"


def test_all_that_speaks_against_a_tag_is_told_at_once(place: Place) -> None:
    place.commit("Not pushed", push=False)
    refused(
        push_tag(place, "v0.3.0"),
        *(f"the tag is v0.3.0, and {file} says 0.1.0" for file in ("pyproject.toml", "Cargo.toml", "Cargo.lock")),
        "CHANGELOG.md has no section for 0.3.0",
        "the commit of v0.3.0 is not on main, nor on its maintenance line: it is on no branch",
    )


@pytest.mark.parametrize("tag", ["vacation", "v1.2.3a1", "v01.2.3", "v0.2", "v0.1.1-dev7"])
def test_a_tag_that_is_no_releases_is_refused_in_one_line(lasting: Place, tag: str) -> None:
    told = ask(lasting, ref=f"refs/tags/{tag}")
    assert (told.code, told.outputs) == (1, {})
    (line,) = told.annotations
    shown = repr(tag.removeprefix("v"))
    assert line.startswith(f"::error::the tag {tag} is no release's: {shown} is no version of a release")
    assert told.err.count("problem: ") == 1


# ---- a run by hand, and what is told --------------------------------------------------------------------------------


@pytest.mark.parametrize(("version", "expected"), [("0.1.0", "0.1.1-dev7"), ("0.2.0-rc1", "0.2.1-dev7")])
def test_a_manual_run_is_a_development_version_of_the_next_patch(place: Place, version: str, expected: str) -> None:
    set_version(place, version)
    told = ask(place, "workflow_dispatch")
    assert told.outputs == {"version": expected, "code": "true"}


def test_a_manual_run_for_a_tag_is_no_push_of_it(lasting: Place) -> None:
    told = ask(lasting, "workflow_dispatch", "refs/tags/vacation", GITHUB_RUN_NUMBER="12")
    assert told.outputs == {"version": "0.1.1-dev12", "code": "true"}


def test_the_summary_says_what_the_run_is_about(lasting: Place) -> None:
    told = ask(lasting, "workflow_dispatch")
    rows = [line.strip("| ").split(" | ") for line in told.summary.splitlines() if line.startswith("|")]
    assert rows[:2] == [["what", "value"], ["---", "---"]]
    assert dict(rows[2:]) == {
        "event": "workflow_dispatch of refs/heads/main",
        "commit": lasting.git("rev-parse", "HEAD"),
        "kind": "pre-release",
        "version": "0.1.1-dev7",
        "code": "true",
    }


def test_on_a_laptop_it_says_the_same_of_what_is_checked_out(lasting: Place) -> None:
    nothing = dict.fromkeys(("GITHUB_ACTIONS", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"))
    told = run_step(lasting, "identify", **nothing)
    assert (told.code, told.out) == (0, "version=0.1.0\ncode=true\n")
    assert (told.outputs, told.summary) == ({}, "")


# ---- outputs and summaries ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", ["1.0\ncode=false", "1.0\rcode=false", "1.0\x85code=false", "1.0\u2028"])
def test_an_output_of_more_than_one_line_is_never_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], value: str
) -> None:
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "output"))
    with pytest.raises(ValueError, match="an output of more than one line"):
        terminal.set_outputs({"code": "true", "version": value})
    assert not (tmp_path / "output").exists()
    assert capsys.readouterr().out == ""


def test_outputs_are_added_to_those_of_earlier_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "output"
    path.write_text("first=1\n", encoding="utf-8")
    monkeypatch.setenv("GITHUB_OUTPUT", str(path))
    terminal.set_outputs({"second": "a=b"})
    assert path.read_text(encoding="utf-8") == "first=1\nsecond=a=b\n"


def test_a_cell_of_a_summary_cannot_end_its_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary"))
    terminal.summarise("A title", ["file", "problem"], [("a|b", "one\ntwo"), (3, "\x1b[31mred")])
    written = (tmp_path / "summary").read_text(encoding="utf-8")
    assert written == (
        "\n### A title\n\n| file | problem |\n| --- | --- |\n| a\\|b | one\\ntwo |\n| 3 | \\x1b[31mred |\n\n"
    )


def test_without_a_runner_nothing_is_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    terminal.set_outputs({"version": "1.0"})
    terminal.summarise("A title", ["what"], [("x",)])
    assert list(tmp_path.iterdir()) == []
