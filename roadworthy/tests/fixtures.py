"""Fixtures of all tests: what is built, and places in which a release can be tried."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from filelock import FileLock

from helpers import PROJECT, copy_checkout
from releases import Place, copy_place, make_place
from roadworthy import building

if TYPE_CHECKING:
    from loopback_clients import Scene
    from loopback_samples import Attempt
    from rehearsal_faults import Base
    from workshop.loopback.identity import IdentityProvider

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def dist() -> Path:
    """Return dist/ as this checkout builds it; built once by one of the test processes, and not where it is current."""
    (ROOT / "target").mkdir(exist_ok=True)
    with FileLock(ROOT / "target" / "test-dist.lock"):
        building.require_current(PROJECT)
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
    from workshop.loopback.identity import IdentityProvider  # noqa: PLC0415

    return IdentityProvider()


@pytest.fixture(scope="session")
def rehearsed(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    dist: Path,  # noqa: ARG001 - what was compiled for it is taken
) -> "Base":
    """Return what a good rehearsal leaves; made once by one of the test processes."""
    from rehearsal_faults import find_base  # noqa: PLC0415

    own = tmp_path_factory.getbasetemp()
    return find_base((own.parent if hasattr(request.config, "workerinput") else own) / "rehearsed")


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
