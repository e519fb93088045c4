import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from filelock import FileLock

if TYPE_CHECKING:
    from loopback.identity import IdentityProvider
    from loopback_clients import Scene
    from loopback_samples import Attempt

ROOT = Path(__file__).resolve().parents[2]
# The scripts are run by their paths and import each other; the tests import them the same way, and their own helpers.
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "tests" / "tooling")]
# What nohup, or a shell in the background, has told to be ignored, every program that a test starts would ignore too.
for name in ("SIGHUP", "SIGINT"):
    if getattr(signal, name, None) and signal.getsignal(getattr(signal, name)) is signal.SIG_IGN:
        signal.signal(getattr(signal, name), signal.SIG_DFL)

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


# Imported where they are used: `make test`, which shares this file, does without what a rehearsal installs.


@pytest.fixture(scope="session")
def provider() -> "IdentityProvider":
    """Return who vouches for jobs; making its key takes longer than most tests."""
    from loopback.identity import IdentityProvider  # noqa: PLC0415

    return IdentityProvider()


@pytest.fixture
def one(tmp_path: Path, provider: "IdentityProvider") -> Iterator["Attempt"]:
    """Return somebody who can ask an index of its own for something."""
    from loopback_samples import somebody  # noqa: PLC0415

    with somebody(tmp_path, provider) as attempt:
        yield attempt


@pytest.fixture
def scene(tmp_path: Path, provider: "IdentityProvider") -> Iterator["Scene"]:
    """Return an index, also under the name of PyPI's for uploads, and clients that know nothing of it."""
    from loopback_clients import open_scene  # noqa: PLC0415

    with open_scene(tmp_path, provider) as scene:
        yield scene
