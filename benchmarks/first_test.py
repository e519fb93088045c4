"""A copy, and the way to its first green test, against the same by hand with `maturin new` and uv."""

import subprocess
import tempfile
from pathlib import Path

from environments import clean_environment
from project import ROOT, find_uv, venv_bin
from report import compare, shortest

NAME = "turbo-frob"
ANSWERS = ("AUTHOR=Ada Lovelace", "EMAIL=ada@example.org", "OWNER=ada", "DESCRIPTION=It frobs.", "LICENSE=MIT")


def call(*command: object, cwd: Path) -> None:
    """Run a command as one would by hand, without its output."""
    subprocess.run([str(part) for part in command], cwd=cwd, check=True, capture_output=True, env=clean_environment())


def copy(folder: Path, *options: str) -> Path:
    """Copy this project, and return where to."""
    made = folder / NAME
    call("make", "new", f"NAME={NAME}", f"DEST={made}", *ANSWERS, *options, cwd=ROOT)
    return made


def by_copy(*options: str) -> None:
    """Copy, and test: all tools that the project has are set up on the way."""
    with tempfile.TemporaryDirectory() as folder:
        call("make", "test", cwd=copy(Path(folder), *options))


def by_hand() -> None:
    """Make a new project, and test it in Rust and in Python, with the two tools that it takes."""
    with tempfile.TemporaryDirectory() as folder:
        made, python = Path(folder, NAME), Path(folder, NAME, ".venv", "bin", "python")
        call(venv_bin("maturin"), "new", "--bindings=pyo3", "--mixed", made, cwd=Path(folder))
        call(find_uv(), "venv", cwd=made)
        call(find_uv(), "pip", "install", "maturin", "pytest", "uv", cwd=made)
        call(python, "-m", "maturin", "develop", "--uv", cwd=made)
        call("cargo", "test", cwd=made)
        call(python, "-m", "pytest", cwd=made)


def run() -> None:
    """Compare them, with the caches of cargo and uv warm."""
    with tempfile.TemporaryDirectory() as folder:
        number = iter(range(9))

        def once() -> None:
            (below := Path(folder, str(next(number)))).mkdir()
            copy(below)

        compare("make new", {"the copy itself": shortest(once, runs=5)})
    by_hand()  # fills the caches
    compare(
        "to the first green test of a new project",
        {
            "maturin new and uv, by hand": shortest(by_hand, runs=2),
            "make new PACKAGE=minimal": shortest(lambda: by_copy("PACKAGE=minimal"), runs=2),
            "make new": shortest(by_copy, runs=2),
        },
    )
