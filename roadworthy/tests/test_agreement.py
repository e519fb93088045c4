"""What a release rests on and stands in several files: told where it disagrees, and what else is nobody's business."""

import shutil
from pathlib import Path

import pytest

from helpers import PROJECT
from roadworthy.project import Project
from roadworthy.releasing.files import check_facts

FILES = ("pyproject.toml", "Cargo.toml", "Cargo.lock", PROJECT.workflow_path)
OLDEST = PROJECT.oldest_python
NEXT = f"3.{PROJECT.minors[0] + 1}"
FEATURE, RAISED = (f'"pyo3/abi3-py{each.replace(".", "")}"' for each in (OLDEST, NEXT))
REQUIRES = f'requires-python = ">={OLDEST}"'
ROW = f'runner: ubuntu-24.04, python: "{OLDEST}"'
CLASSIFIER = "Programming Language :: Python :: "
# By what is edited (file, old, new): how each problem begins, in their order.
DISAGREEING = {
    ("Cargo.toml", '\nversion = "', '\nversion = "9'): ["the versions disagree (pyproject.toml: "],
    ("Cargo.toml", FEATURE, RAISED): [f"Cargo.toml has the feature abi3-py{NEXT.replace('.', '')}, and the oldest"],
    ("pyproject.toml", f"{CLASSIFIER}{OLDEST}", f"{CLASSIFIER}3.9"): [
        f'pyproject.toml has the classifier "{CLASSIFIER}3.9", and allows >={OLDEST}'
    ],
    ("pyproject.toml", REQUIRES, f'requires-python = ">={NEXT}"'): [
        f"Cargo.toml has the feature abi3-py{OLDEST.replace('.', '')}, and the oldest Python is {NEXT}",
        f'pyproject.toml has the classifier "{CLASSIFIER}{OLDEST}"',
        f"CI.yml has Python {OLDEST} in the job test, and no wheel is made for it",
        f"CI.yml has Python {OLDEST} in the job verify",
    ],
    ("pyproject.toml", REQUIRES, f'requires-python = ">={OLDEST},<3.15"'): [
        f'pyproject.toml has the classifier "{CLASSIFIER}3.15"',
        "CI.yml has Python 3.15t in the job test",
        "CI.yml has Python 3.16 in the job test",
        "CI.yml has Python 3.15 in the job test",
        "CI.yml has Python 3.15 in the job verify",
        "CI.yml has Python 3.15t in the job verify",
    ],
    ("pyproject.toml", 'free-threaded = ["3.14"]', "free-threaded = []"): ["CI.yml has Python 3.14t in the job verify"],
    (PROJECT.workflow_path, f'python: "{OLDEST}"', f'python: "{NEXT}"'): [
        f"CI.yml has no row for Python {OLDEST}, the oldest one, in the job test"
    ],
    # What cannot be read is told beside the rest.
    ("Cargo.toml", f"abi3 = [{FEATURE}]", "abi3 = []"): ["Cargo.toml has no default feature with PyO3's stable ABI"],
}
AGREEING = {
    "capped": ("pyproject.toml", REQUIRES, f'requires-python = ">={OLDEST},<4"'),
    "with a hole": ("pyproject.toml", REQUIRES, f'requires-python = ">={OLDEST},!={NEXT}.0"'),
    "no classifier of a Python": ("pyproject.toml", CLASSIFIER, "Topic :: "),
    "no rows": (PROJECT.workflow_path, "include:", "exclude:"),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with the files in which the facts stand."""
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(PROJECT.root / name, tmp_path / name)
    return tmp_path


def edit(folder: Path, name: str, old: str, new: str) -> None:
    text = (folder / name).read_text(encoding="utf-8")
    assert old in text
    (folder / name).write_text(text.replace(old, new), encoding="utf-8")


def test_what_agrees_is_no_problem(folder: Path) -> None:
    assert list(check_facts(Project(folder))) == []


@pytest.mark.parametrize(("edited", "begins"), DISAGREEING.items(), ids=lambda each: str(each[-1]))
def test_what_disagrees_is_told_with_its_remedy(folder: Path, edited: tuple[str, str, str], begins: list[str]) -> None:
    edit(folder, *edited)
    found = list(check_facts(Project(folder)))
    told = [each.what.removeprefix(".github/workflows/") for each in found]
    assert len(told) == len(begins), told
    assert all(what.startswith(begin) for what, begin in zip(told, begins, strict=True)), told
    assert all(each.remedy for each in found)


@pytest.mark.parametrize("edited", AGREEING.values(), ids=list(AGREEING))
def test_what_is_not_there_is_nobodys_business(folder: Path, edited: tuple[str, str, str]) -> None:
    edit(folder, *edited)
    assert list(check_facts(Project(folder))) == []
