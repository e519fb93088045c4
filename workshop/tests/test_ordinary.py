"""A package with what ordinary ones have, and the sample has not: built, looked at, and released for real."""

import shutil
import sys
import zipfile
from pathlib import Path

import pytest

from helpers import PROJECT, run, share_compiled
from packages import Package
from releases import Place, copy_place
from roadworthy.processes import find_uv
from roadworthy.pythons import list_pythons

LIBRARY = """\
//! The binding.

mod core;

use pyo3::prelude::*;

/// Return the first letter of each word.
#[pyfunction]
fn initials(py: Python<'_>, text: &str) -> String {
    py.detach(|| core::initials(text))
}

/// Return the number of this process, as the system's own library knows it.
#[cfg(all(feature = "fancy", unix))]
#[pyfunction]
fn fancy_number() -> i32 {
    // SAFETY: it takes nothing, and always succeeds.
    unsafe { libc::getpid() }
}

/// End this call as a panic in the core would.
#[cfg(feature = "panic-probe")]
#[pyfunction]
#[expect(clippy::panic, reason = "this is what it is for")]
fn panic_probe(py: Python<'_>) {
    py.detach(|| panic!("probe"));
}

#[pymodule(gil_used = false)]
mod _core {
    #[cfg(all(feature = "fancy", unix))]
    #[pymodule_export]
    use super::fancy_number;
    #[pymodule_export]
    use super::initials;

    #[cfg(feature = "panic-probe")]
    #[pymodule_export]
    use super::panic_probe;

    /// "release" or "debug": what this file was built as.
    #[pymodule_export]
    const BUILD_PROFILE: &str = if cfg!(debug_assertions) {
        "debug"
    } else {
        "release"
    };
}
"""
WORDS = '''\
"""What needs another package."""

import os

from typing_extensions import override

from tin_can._core import fancy_number


class Words:
    """Words."""

    def number(self) -> int:
        """Return a number."""
        return 0


class Numbered(Words):
    """Words that know their process."""

    @override
    def number(self) -> int:
        """Return the process's number."""
        return fancy_number() if fancy_number() == os.getpid() else 0
'''
INIT = '''\
"""The first letter of each word.

>>> from tin_can import initials
>>> initials("did you mean")
'dym'
"""

from importlib.metadata import version

from tin_can._core import initials
from tin_can.words import Numbered

__all__ = ["Numbered", "initials"]

__version__ = version("tin-can")
'''
TEST = """\
from tin_can import Numbered


def test_the_feature_and_the_dependency_are_there() -> None:
    assert Numbered().number() > 0
"""
ORDINARY = Package(
    metadata={"requires-python": ">=3.10,<4"},
    dependencies=["typing-extensions>=4.12"],
    target_crates={"cfg(unix)": {"libc": "0.2"}},
    # The stable ABI is in a feature of a feature, beside something that all wheels have.
    features={"default": ["std-abi", "fancy"], "std-abi": ["abi3", "plain"], "fancy": [], "plain": []},
    files={
        "src/lib.rs": LIBRARY,
        "python/tin_can/__init__.py": INIT,
        "python/tin_can/words.py": WORDS,
        "tests/test_words.py": TEST,
    },
)

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="what is built is for Unix")


@pytest.fixture(scope="module")
def ordinary(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Return its checkout, with a remote."""
    return ORDINARY.make(tmp_path_factory.mktemp("ordinary") / "place", remote=True)


@pytest.fixture(scope="module")
def wheels(ordinary: Place) -> list[Path]:
    """Return its wheels."""
    share_compiled(ordinary.checkout)
    built = run(sys.executable, "scripts/build.py", cwd=ordinary.checkout)
    assert built.returncode == 0, built.stderr
    return sorted((ordinary.checkout / "dist").glob("*.whl"))


def test_every_wheel_has_the_features_of_all_others(wheels: list[Path]) -> None:
    """A free-threaded one leaves out the stable ABI, and nothing else."""
    assert len(wheels) == 3
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            (native,) = (archive.read(name) for name in archive.namelist() if name.endswith(".so"))
        assert b"fancy_number" in native, wheel.name
        assert b"panic_probe" not in native, wheel.name


def test_a_free_threaded_python_that_is_here_finds_the_feature(wheels: list[Path], tmp_path: Path) -> None:
    here = [python for python in list_pythons(find_uv()) if python.name == "3.14t"]
    if not here:
        pytest.skip("there is no CPython 3.14t on this machine")
    (wheel,) = (each for each in wheels if "-cp314t-" in each.name)
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    # By itself: what the package depends on is not installed here.
    code = "import sys; sys.path[:0] = ['tin_can']; import _core; print(_core.fancy_number() > 0)"
    asked = run(here[-1].path, "-c", code, cwd=tmp_path)
    assert asked.stdout == "True\n", asked.stderr


def test_its_tests_find_what_it_depends_on(ordinary: Place, tmp_path: Path) -> None:
    place = copy_place(ordinary, tmp_path / "place")
    # Into an environment of its own: the shared one has the sample.
    (place.checkout / ".venv").unlink()
    # PyO3 is compiled for this checkout already.
    if (compiled := PROJECT.target / "develop").exists():
        shutil.copytree(compiled, place.checkout / "target" / "develop")
    done = run("make", "test", cwd=place.checkout)
    assert done.returncode == 0, done.stderr + done.stdout
    assert "test_words.py" in done.stdout


def test_it_is_released_and_rehearsed(ordinary: Place, tmp_path: Path) -> None:
    """A rehearsal makes the release itself, with its real proofs, and pushes it to a remote."""
    place = copy_place(ordinary, tmp_path / "place")
    done = run("make", "rehearse", cwd=place.checkout, TMPDIR=str(tmp_path))
    assert done.returncode == 0, done.stderr + done.stdout
    assert "release: make release VERSION=0.1.1 YES=1" in done.stderr
    assert "all of it held" in done.stdout
