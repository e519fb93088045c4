"""What an owner of a copy edits first, edited only where docs/copying.md says; everything else follows."""

import re
import sys
from pathlib import Path

import pytest

from copies import PROJECT
from helpers import copy_checkout, run
from roadworthy.building.toolchain import host_triple
from test_facts import DOCUMENTS

OLDEST = PROJECT.oldest_python
NEXT = f"3.{int(OLDEST.split('.')[1]) + 1}"
# A platform that is on a machine of its own, and not this one.
GONE = next(
    row
    for row in reversed(PROJECT.matrix("verify"))
    if len(row["wheels"].split()) == 1 and row["wheels"] != host_triple(PROJECT) and "universal2" not in row["wheels"]
)


def edit(path: Path, *replacements: tuple[str, str]) -> None:
    text = path.read_text(encoding="utf-8")
    for pattern, new in replacements:
        text, count = re.subn(pattern, new, text)
        assert count, pattern
    path.write_text(text, encoding="utf-8")


def row(first: str) -> str:
    """Return a pattern of a row of a matrix."""
    return rf"(?m)^          - {re.escape(first)}\n(?:            .*\n)*"


@pytest.fixture(scope="module")
def edited(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a checkout with a newer oldest Python, and without a platform, both committed."""
    copy = copy_checkout(tmp_path_factory.mktemp("edits") / "checkout")
    digits = OLDEST.replace(".", "")
    edit(
        copy / "pyproject.toml",
        (rf'requires-python = ">={OLDEST}"', f'requires-python = ">={NEXT}"'),
        (rf'  "Programming Language :: Python :: {OLDEST}",\n', ""),
        (rf'python_version = "{OLDEST}"', f'python_version = "{NEXT}"'),
    )
    edit(copy / "Cargo.toml", (rf"abi3-py{digits}\b", f"abi3-py{NEXT.replace('.', '')}"))
    edit(
        copy / ".github" / "workflows" / PROJECT.workflow_file,
        (rf'          - {{ runner: ubuntu-24.04, python: "{OLDEST}" }}\n', ""),
        (rf'python: "{OLDEST}"', f'python: "{NEXT}"'),
        (rf"(?m)^( +){OLDEST}$", rf"\g<1>{NEXT}"),
        (row(f"target: {GONE['wheels']}"), ""),
        (row(f"runner: {GONE['runner']}"), ""),
    )
    for name in DOCUMENTS:
        edit(
            copy / name,
            (rf"(?m)^\| .* \| {re.escape(GONE['runner'])} \|\n", ""),
            (rf"(?m)^(Each has \d+ wheels: `cp){digits}-abi3`", rf"\g<1>{NEXT.replace('.', '')}-abi3`"),
        )
    git = ("git", "-c", "user.name=Test", "-c", "user.email=test@localhost", "-c", "commit.gpgsign=false")
    run(*git, "commit", "--quiet", "--all", "--message=First edits", cwd=copy)
    return copy


def test_facts_and_rules_follow(edited: Path) -> None:
    tests = ("workshop/tests/test_facts.py", "workshop/tests/test_ci.py")
    done = run(
        sys.executable, "-m", "pytest", "-q", "--import-mode=prepend", "-p", "no:cacheprovider", *tests, cwd=edited
    )
    assert done.returncode == 0, done.stdout


def test_gate_release_and_rehearsal_follow(edited: Path, tmp_path: Path) -> None:
    """The rehearsal builds, passes the gate with the complete set, and finds what is missing from it."""
    tests = [f"workshop/tests/test_faults_of_{what}.py" for what in ("building", "publishing")]
    chosen = ("--import-mode=prepend", "-k", "wheel_missing or everything_there", "-rP", "-p", "no:cacheprovider")
    done = run(sys.executable, "-m", "pytest", *chosen, *tests, cwd=edited, TMPDIR=str(tmp_path))
    assert done.returncode == 0, done.stderr + done.stdout
    assert " 2 passed" in done.stdout
    assert f"-cp{NEXT.replace('.', '')}-abi3-" in done.stdout
