import sys
from pathlib import Path

import pytest
from filelock import FileLock

ROOT = Path(__file__).resolve().parents[2]
# The scripts are run by their paths and import each other; the tests import them the same way, and their own helpers.
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "tests" / "tooling")]

import build  # noqa: E402
from helpers import copy_checkout  # noqa: E402
from releases import Place, copy_place, make_place  # noqa: E402


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the scores that tests have recorded, wherever they ran."""
    reports = [report for each in terminalreporter.stats.values() for report in each]
    scores = {value for report in reports for name, value in getattr(report, "user_properties", []) if name == "score"}
    for score in sorted(scores):
        terminalreporter.write_line(str(score))


@pytest.fixture(scope="session")
def dist() -> Path:
    """Return dist/ as this checkout builds it; built once by one of the test processes, and not where it is current."""
    (ROOT / "target").mkdir(exist_ok=True)
    with FileLock(ROOT / "target" / "test-dist.lock"):
        if not build.is_current():
            build.build()
    return ROOT / "dist"


@pytest.fixture(scope="session")
def wheel(dist: Path) -> Path:
    """Return the wheel of the stable ABI."""
    (path,) = dist.glob("*-abi3-*.whl")
    return path


@pytest.fixture(scope="session")
def sdist(dist: Path) -> Path:
    """Return the sdist."""
    (path,) = dist.glob("*.tar.gz")
    return path


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return another checkout of the same content, in another folder."""
    return copy_checkout(tmp_path_factory.mktemp("elsewhere") / "checkout")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Return a place in which 0.2.0 could be released, not to be changed."""
    return make_place(tmp_path_factory.mktemp("template") / "template")


@pytest.fixture
def place(template: Place, tmp_path: Path) -> Place:
    """Return such a place of its own."""
    return copy_place(template, tmp_path / "place")
