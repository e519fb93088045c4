"""Formatting what a new name has made longer or shorter, and sorting its imports: by ruff and rustfmt, as lint asks."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from roadworthy import processes as commands
from roadworthy.processes import venv_bin
from roadworthy.tables import package_of, parse_toml, read_text
from roadworthy.terminal import problem
from workshop.copying.objects import export

CONFIGURATION = ("Cargo.toml", "pyproject.toml", "rustfmt.toml")
PYTHON, RUST = (".py", ".pyi"), (".rs",)


def find_tool(name: str, remedy: str) -> Path | str:
    """Return a tool of the environment that runs this, or on PATH."""
    beside = venv_bin(name)
    found = beside if beside.exists() else shutil.which(name)
    if not found:
        raise problem(f"there is no {name}, so a copy would not be formatted", remedy)
    return found


def formatters(folder: Path, paths: list[str]) -> Iterator[list[object]]:
    """Yield the commands that format these files of a folder."""
    python = [path for path in paths if path.endswith(PYTHON)]
    if python:
        ruff = find_tool("ruff", "run: make setup")
        # The order of imports is all that a name changes, beside the length of lines.
        yield [ruff, "check", "--quiet", "--no-cache", "--fix-only", "--select=I", "--", *python]
        yield [ruff, "format", "--quiet", "--no-cache", "--", *python]
    rust = [path for path in paths if path.endswith(RUST)]
    if rust:
        # Cargo's own default, which nobody writes.
        edition = package_of(parse_toml("Cargo.toml", read_text(folder, "Cargo.toml"))).get("edition", "2015")
        yield [find_tool("rustfmt", "run: rustup component add rustfmt"), f"--edition={edition}", "--", *rust]


def format_files(files: Mapping[str, bytes], changed: set[str]) -> dict[str, bytes]:
    """Return those of the changed files that the formatters change, as they are then.

    `files` is the whole project: what is a module of its own is told from what is installed by looking.
    """
    wanted = sorted(path for path in changed if path.endswith(PYTHON + RUST) and is_plain(path))
    if not wanted:
        return {}
    with tempfile.TemporaryDirectory(prefix="format-") as temporary:
        folder = Path(temporary)
        seen = {*(path for path in files if path.endswith(PYTHON + RUST) and is_plain(path)), *CONFIGURATION}
        export({path: files[path] for path in seen & files.keys()}, folder)
        for command in formatters(folder, wanted):
            try:
                commands.run(*command, cwd=folder, env=commands.tool_environment(os.environ))
            except subprocess.CalledProcessError as error:
                said = str(error.stderr).strip()
                raise problem(f"the template's files cannot be formatted: {said}", "correct them there") from error
        now = {path: (folder / path).read_bytes() for path in wanted}
    return {path: content for path, content in now.items() if content != files[path]}


def is_plain(path: str) -> bool:
    """Say whether a path stays in its folder, and every system can write it."""
    return path.isascii() and path.isprintable() and ".." not in PurePosixPath(path).parts
