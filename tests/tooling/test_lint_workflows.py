import os
import shutil
import sys
from pathlib import Path

import pytest

import lint_workflows
from helpers import copy_checkout, run
from project import ROOT, WORKFLOW

WITHOUT_GO = os.pathsep.join(folder for folder in os.get_exec_path() if not shutil.which("go", path=folder))


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return copy_checkout(tmp_path / "checkout")


@pytest.mark.parametrize(
    ("old", "new", "tool"),
    [
        ("runs-on: ubuntu-24.04\n", "runs-on: ubuntu-99.04\n", "actionlint"),
        ("setup-python@5fda3b95a4ea91299a34e894583c3862153e4b97 # v7.0.0", "setup-python@v7", "zizmor"),
        ("    timeout-minutes: 10\n", "    timeout-minutes: soon\n", "GitHub's schema of workflows"),
    ],
)
def test_each_tool_finds_what_it_is_there_for(copy: Path, old: str, new: str, tool: str) -> None:
    built = lint_workflows.find_actionlint()
    if built is None:
        pytest.skip("there is no Go to build actionlint with")
    target = copy / built.relative_to(ROOT)
    target.parent.mkdir(parents=True)
    target.symlink_to(built)
    workflow = copy / ".github" / "workflows" / WORKFLOW
    text = workflow.read_text(encoding="utf-8")
    assert old in text
    workflow.write_text(text.replace(old, new), encoding="utf-8")
    done = run(sys.executable, "scripts/lint_workflows.py", cwd=copy)
    assert done.returncode == 1
    assert f"problem: {tool} has found something" in done.stderr


def test_without_go_that_is_said_and_in_ci_an_error(copy: Path) -> None:
    here = run(sys.executable, "scripts/lint_workflows.py", cwd=copy, PATH=WITHOUT_GO, CI=None)
    assert (here.returncode, here.stderr) == (0, "skipped: actionlint is not to be had here\n")
    in_ci = run(sys.executable, "scripts/lint_workflows.py", cwd=copy, PATH=WITHOUT_GO, CI="true")
    assert in_ci.returncode == 1
    assert "problem: actionlint is not to be had here\n  install Go" in in_ci.stderr
