"""The CPythons on this machine: on PATH, pyenv's (also those that are not selected), and uv's own."""

import json
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

# A version as people write it: 3, 3.12, 3.12.1, each with a t for free-threaded.
SPEC = re.compile(r"(?P<version>\d+(?:\.\d+){0,2})(?P<threads>t?)", re.ASCII)


class PythonNotFoundError(LookupError):
    """An interpreter that was asked for is not there; the message says what was looked for and what is there."""


@dataclass(frozen=True, order=True)
class Python:
    """One interpreter."""

    version: tuple[int, int, int]
    free_threaded: bool
    path: Path

    @property
    def name(self) -> str:
        """The minor version, as the executable is called: `3.12`, `3.14t`."""
        return f"{self.version[0]}.{self.version[1]}{'t' if self.free_threaded else ''}"

    def __str__(self) -> str:
        return ".".join(map(str, self.version)) + ("t" if self.free_threaded else "")


def search_path() -> str:
    """Return PATH with pyenv's shims replaced by all that pyenv has installed.

    A shim of a version that pyenv has not selected only prints an error.
    """
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    folders = [folder for folder in os.get_exec_path() if Path(folder) != root / "shims"]
    installed = [*sorted(root.glob("versions/*/bin")), *sorted(root.glob("pyenv-win/versions/*"))]
    return os.pathsep.join([*folders, *map(str, installed)])


def list_pythons(uv: Path, *request: str) -> list[Python]:
    """Return the CPythons that uv finds for a request (all of them without one), each file once."""
    command = [str(uv), "python", "list", "--only-installed", "--output-format=json", *request]
    environment = {**os.environ, "PATH": search_path(), "UV_PYTHON_DOWNLOADS": "never"}
    # Where uv looks first by itself is an environment, and here it is the machine that is asked about.
    for variable in ("VIRTUAL_ENV", "CONDA_PREFIX", "UV_PYTHON"):
        environment.pop(variable, None)
    # uv prints paths relative to the folder it runs in, and reads a project's settings there: neither at the root.
    root = Path(Path(__file__).resolve().anchor)
    found = subprocess.run(command, env=environment, check=False, capture_output=True, text=True, cwd=root)
    try:
        entries = json.loads(found.stdout) if found.returncode == 0 else []
    except ValueError:
        # A program of that name which is none, or says more than was asked: it has found nothing.
        entries = []
    pythons = {}
    for entry in reversed(entries):
        if entry["implementation"] == "cpython" and not entry["variant"].endswith("debug"):
            path, parts = root / entry["path"], entry["version_parts"]
            version = (parts["major"], parts["minor"], parts["patch"])
            pythons[path.resolve()] = Python(version, entry["variant"].startswith("freethreaded"), path)
    return sorted(pythons.values())


def newest_of_each(pythons: list[Python]) -> list[Python]:
    """Return the newest patch release of each minor version."""
    return sorted({(python.version[:2], python.free_threaded): python for python in sorted(pythons)}.values())


def find_pythons(uv: Path, specs: list[str]) -> list[Python]:
    """Return the interpreter for each of `specs`: a path, or the newest of a version (`3.12`, `3.14t`).

    PythonNotFoundError where one of them is not there, or is neither.
    """
    everything, found = list_pythons(uv), []
    for spec in specs:
        if asked := SPEC.fullmatch(spec):
            version, free_threaded = tuple(map(int, asked["version"].split("."))), bool(asked["threads"])
            of_kind = [python for python in everything if python.free_threaded == free_threaded]
            fitting = [python for python in of_kind if python.version[: len(version)] == version]
            there = ", ".join(python.name for python in newest_of_each(everything)) or "none"
            missing = f"CPython {spec} is not on this machine; install it, or choose one of: {there}"
        else:
            fitting = list_pythons(uv, str(Path(spec).absolute())) if Path(spec).is_file() else []
            missing = f"PYTHON={spec} is neither a version such as 3.12 or 3.14t nor a CPython's path"
        if not fitting:
            raise PythonNotFoundError(missing)
        found.append(fitting[-1])
    return found
