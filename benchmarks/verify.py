"""`make verify`'s wheel jobs, against the same steps by bare uv commands, and by venv and pip."""

import os
import runpy
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from report import PROJECT, compare, shortest
from roadworthy.processes import find_uv, tool_environment
from roadworthy.pythons import Python
from roadworthy.verifying.artefacts import Source
from roadworthy.verifying.environment import DESCRIBE
from roadworthy.verifying.jobs import Job, choose_pythons, open_source, run_jobs

TEST_REQUIREMENTS = PROJECT.root / "requirements" / "test.txt"


def call(*command: object) -> None:
    """Run a command as one would by hand, without its output."""
    subprocess.run([str(part) for part in command], check=True, capture_output=True, env=tool_environment(os.environ))


def prove(executable: Path, source: Source) -> None:
    """Ask what is installed, and run the tests: the same in all three."""
    call(executable, "-I", DESCRIBE, PROJECT.name, PROJECT.native_module, executable.parent / "described.json")
    unpacked = source.artefacts.unpacked
    options = ("-p", "no:cacheprovider", "--quiet", "--config-file", unpacked / "pyproject.toml", "--rootdir", unpacked)
    call(executable, "-I", "-m", "pytest", *options, unpacked / "tests")


def by_uv(python: Python, folder: Path, source: Source) -> None:
    """Do it with uv."""
    executable = folder / "bin" / "python"
    call(find_uv(), "venv", "--python", python.path, folder)
    call(find_uv(), "pip", "install", "--python", executable, "--require-hashes", "-r", TEST_REQUIREMENTS)
    call(find_uv(), "pip", "install", "--python", executable, "--no-cache", *source.arguments)
    prove(executable, source)


def by_pip(python: Python, folder: Path, source: Source) -> None:
    """Do it with the standard library's venv and pip."""
    executable = folder / "bin" / "python"
    call(python.path, "-m", "venv", folder)
    call(executable, "-m", "pip", "install", "--require-hashes", "-r", TEST_REQUIREMENTS)
    call(executable, "-m", "pip", "install", *source.arguments)
    prove(executable, source)


def one_after_the_other(
    steps: Callable[[Python, Path, Source], None], pythons: list[Python], source: Source, folder: Path
) -> None:
    """Do the steps for each Python, as a person would type them."""
    for python in pythons:
        environment = folder / f"by-hand-{python.name}"
        steps(python, environment, source)
        shutil.rmtree(environment)


def by_verify(pythons: list[Python], source: Source, folder: Path) -> None:
    """Do what `make verify` does for wheels."""
    wheel = runpy.run_path(str(PROJECT.root / "scripts" / "verify_install.py"))["wheel"]
    with tempfile.TemporaryDirectory(dir=folder) as jobs:
        run_jobs([Job(python, "wheel", wheel, source) for python in pythons], Path(jobs))


def run() -> None:
    """Compare the three on every CPython of this machine that has pip, with caches warm."""
    pythons = [python for python in choose_pythons(PROJECT, "") if not python.free_threaded]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary).resolve()
        with open_source(PROJECT, {}, folder) as source:
            by_verify(pythons, source, folder)  # fills the caches
            compare(
                f"the wheel on {len(pythons)} Pythons: installed, proven, tested",
                {
                    "make verify": shortest(lambda: by_verify(pythons, source, folder), runs=2),
                    "bare uv commands": shortest(lambda: one_after_the_other(by_uv, pythons, source, folder), runs=2),
                    "venv and pip": shortest(lambda: one_after_the_other(by_pip, pythons, source, folder), runs=1),
                },
            )
