"""The lines of `make lint` for what GitHub reads, each run as it stands in the Makefile."""

import re
import shutil
from pathlib import Path

import pytest

from helpers import PROJECT, copy_checkout, run

PROGRAM = r"(?m)^\S*/{}(?:\.exe)? .*"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return copy_checkout(tmp_path / "checkout")


def planned(copy: Path, tool: str) -> str:
    """Return the first line of `make lint` that runs a tool."""
    done = run("make", "--dry-run", "lint", cwd=copy)
    found = re.search(PROGRAM.format(tool), done.stdout)
    assert found, done.stdout + done.stderr
    return found[0]


def share_actionlint(copy: Path) -> None:
    """Let a copy have the actionlint of this checkout, built if need be."""
    makefile = PROJECT.read("requirements/tools.mk")
    (version,) = re.findall(r"^override ACTIONLINT_VERSION := (.*)$", makefile, re.MULTILINE)
    built = f"target/tools/{version}/actionlint"
    if not (PROJECT.root / built).exists():
        if shutil.which("go") is None:
            pytest.skip("there is no Go to build actionlint with")
        made = run("make", built)
        assert made.returncode == 0, made.stderr
    (copy / built).parent.mkdir(parents=True)
    (copy / built).symlink_to(PROJECT.root / built)


@pytest.mark.parametrize(
    ("old", "new", "tool", "finding"),
    [
        ("runs-on: ubuntu-24.04\n", "runs-on: ubuntu-99.04\n", "actionlint", 'label "ubuntu-99.04" is unknown'),
        ("- run: make lint\n", "- run: echo $HOME\n", "actionlint", "shellcheck reported issue"),
        (
            *("setup-python@5fda3b95a4ea91299a34e894583c3862153e4b97 # v7.0.0", "setup-python@v7"),
            *("zizmor", "unpinned-uses"),
        ),
        ("    timeout-minutes: 10\n", "    timeout-minutes: soon\n", "check-jsonschema", "timeout-minutes"),
    ],
)
def test_each_tool_finds_what_it_is_there_for(copy: Path, old: str, new: str, tool: str, finding: str) -> None:
    if tool == "actionlint":
        share_actionlint(copy)
    line = planned(copy, tool)
    right = run("sh", "-c", line, cwd=copy)
    assert right.returncode == 0, right.stdout + right.stderr
    workflow = copy / ".github" / "workflows" / PROJECT.workflow_file
    text = workflow.read_text(encoding="utf-8")
    assert old in text
    workflow.write_text(text.replace(old, new), encoding="utf-8")
    wrong = run("sh", "-c", line, cwd=copy)
    assert wrong.returncode != 0
    assert finding in wrong.stdout + wrong.stderr


@pytest.mark.parametrize("row", ["target: .*-apple-darwin", r"\{.* python: \"3\.16-dev\" .*"])
def test_rows_that_are_taken_out_leave_nothing_that_is_read_of_them(copy: Path, row: str) -> None:
    share_actionlint(copy)
    workflow = copy / ".github" / "workflows" / PROJECT.workflow_file
    text = workflow.read_text(encoding="utf-8")
    fewer = re.sub(rf"(?m)^          - {row}\n(?:            .*\n)*", "", text)
    assert fewer != text
    workflow.write_text(fewer, encoding="utf-8")
    done = run("sh", "-c", planned(copy, "actionlint"), cwd=copy)
    assert done.returncode == 0, done.stdout + done.stderr


def test_without_go_that_is_said_and_in_ci_an_error(copy: Path, tmp_path: Path) -> None:
    make, empty = shutil.which("make"), tmp_path / "empty"
    empty.mkdir()
    here = run(make, "--dry-run", "lint", cwd=copy, PATH=str(empty), CI=None)
    assert here.returncode == 0, here.stderr
    assert "skipped: actionlint is not to be had here\n" in here.stdout
    assert re.search(PROGRAM.format("zizmor"), here.stdout)
    assert not re.search(PROGRAM.format("actionlint"), here.stdout)
    in_ci = run(make, "--dry-run", "lint", cwd=copy, PATH=str(empty), CI="true")
    assert in_ci.returncode == 2
    assert "actionlint is not to be had here; install Go, from which it is built" in in_ci.stderr
    other = run(make, "--dry-run", "test", cwd=copy, PATH=str(empty), CI="true")
    assert (other.returncode, "actionlint" in other.stdout) == (0, False)
