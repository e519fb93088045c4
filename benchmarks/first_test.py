"""A copy, and the way to its first green test, against the same by hand with `maturin new` and uv."""

import os
import subprocess
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from report import PROJECT, compare, shortest
from roadworthy.processes import find_uv, tool_environment, venv_bin

NAME = "turbo-frob"
ANSWERS = ("AUTHOR=Ada Lovelace", "EMAIL=ada@example.org", "OWNER=ada", "DESCRIPTION=It frobs.", "LICENSE=MIT")
# What `make test` installs.
TOOLS = [word for group in ("setup", "test") for word in ("-r", PROJECT.root / "requirements" / f"{group}.txt")]


def call(folder: Path, *command: object) -> None:
    """Run a command in a folder as one would who has uv, without its output."""
    environment = tool_environment(os.environ)
    with tempfile.TemporaryDirectory() as uv:
        Path(uv, "uv").symlink_to(find_uv())
        environment["PATH"] = f"{uv}{os.pathsep}{environment['PATH']}"
        words = [str(part) for part in command]
        subprocess.run(words, cwd=folder, check=True, capture_output=True, env=environment)


def copy(folder: Path) -> Path:
    """Copy this project into a new folder of another one, and return it."""
    made = Path(tempfile.mkdtemp(dir=folder)) / NAME
    call(PROJECT.root, "make", "new", f"NAME={NAME}", f"DEST={made}", *ANSWERS)
    return made


def by_copy(folder: Path) -> None:
    """Copy, and test."""
    call(copy(folder), "make", "test")


def by_hand(folder: Path, *tools: object) -> None:
    """Make a new project with these tools, and test it in Rust and in Python."""
    made = Path(tempfile.mkdtemp(dir=folder)) / NAME
    call(folder, venv_bin("maturin"), "new", "--bindings=pyo3", "--mixed", made)
    python = made / ".venv" / "bin" / "python"
    for command in (
        ("uv", "venv"),
        ("uv", "pip", "install", *tools),
        (python, "-m", "maturin", "develop", "--uv"),
        ("cargo", "test"),
        (python, "-m", "pytest"),
    ):
        call(made, *command)


def run() -> None:
    """Compare them, with the caches of cargo and uv warm."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        compare("make new", {"the copy itself": shortest(partial(copy, folder))})
        ways: dict[str, Callable[[], None]] = {
            "maturin new and uv, with the same tools": partial(by_hand, folder, *TOOLS),
            "maturin new and uv, with maturin and pytest": partial(by_hand, folder, "maturin", "pytest"),
            "make new": partial(by_copy, folder),
        }
        by_hand(folder, *TOOLS, "maturin", "pytest")  # fills the caches
        title = "to the first green test of a new project"
        compare(title, {way: shortest(work, runs=2) for way, work in ways.items()})
