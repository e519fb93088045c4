"""Print which tool catches which mistake of the corpus: the table in docs/checks.md.

usage: python benchmarks/mistakes.py

Every tool is loaded once, and judges each mistake in a process that is forked from there. For Linux.
"""

import os
import shutil
import sys
import tempfile
import traceback
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from importlib.metadata import entry_points
from multiprocessing import get_context
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "roadworthy" / "tests"), str(ROOT / "workshop" / "tests")]

from corpus import CORPUS, Release  # noqa: E402
from helpers import PROJECT  # noqa: E402
from roadworthy import building  # noqa: E402
from roadworthy.gate import command  # noqa: E402
from roadworthy.terminal import run_main  # noqa: E402
from test_pypi import ask_port  # noqa: E402

# Each is given what it can take: the wheels, or all files.
TOOLS: dict[str, list[str]] = {
    "check_dist": ["roadworthy", "check", "DIST", "--host", "--strict"],
    "twine check --strict": ["twine", "check", "--strict", "FILES"],
    "check-wheel-contents": ["check-wheel-contents", "WHEELS"],
    "abi3audit --strict": ["abi3audit", "--strict", "ABI3"],
    # The checks that are left out refuse a .gitignore in the sdist, and .pre-commit-config.yaml beside CI.yml.
    "pydistcheck": ["pydistcheck", "--ignore=unexpected-files", "--ignore=mixed-file-extensions", "FILES"],
}


@cache
def load(tool: str) -> Callable[[], object]:
    """Return the function that a tool's command calls, with all that it imports."""
    if tool == "roadworthy":
        return lambda: run_main(lambda: command.main(PROJECT, sys.argv[2:]))
    (found,) = entry_points(group="console_scripts", name=tool)
    function: Callable[[], object] = found.load()
    return function


def arguments(line: list[str], folder: Path) -> list[str] | None:
    """Return a command with the files in a folder; None if there is nothing that it takes."""
    files = sorted(str(path) for path in folder.iterdir())
    wheels = [file for file in files if file.endswith(".whl")]
    stable = [file for file in wheels if "-abi3-" in file]
    chosen = {"DIST": [str(folder)], "FILES": files, "WHEELS": wheels, "ABI3": stable}
    if any(part in chosen and not chosen[part] for part in line):
        return None
    return [text for part in line for text in chosen.get(part, [part])]


def verdict(line: list[str], folder: Path) -> str:
    """Return what a tool says of a folder: yes (it refuses), no, or traceback. It runs in a process of its own."""
    words = arguments(line, folder)
    if words is None:
        return "no"
    function = load(line[0])
    with tempfile.TemporaryFile() as said:
        child = os.fork()
        if child == 0:
            for stream in (1, 2):
                os.dup2(said.fileno(), stream)
            sys.argv = words
            try:
                code = function()
            except SystemExit as error:
                code = error.code
            except BaseException:  # noqa: BLE001 - as the interpreter would
                traceback.print_exc()
                code = 1
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(1 if code else 0)
        _, status = os.waitpid(child, 0)
        said.seek(0)
        text = said.read()
    return "traceback" if b"Traceback (most recent call last)" in text else "yes" if status else "no"


def row(name: str) -> list[str]:
    """Return a mistake's line of the table."""
    rule, breakage = CORPUS[name]
    with tempfile.TemporaryDirectory() as temporary:
        shutil.copytree(PROJECT.dist, Path(temporary) / "good")
        folder = Path(shutil.copytree(PROJECT.dist, Path(temporary) / "dist"))
        (wheel,), (sdist,) = folder.glob("*-abi3-*.whl"), folder.glob("*.tar.gz")
        breakage(Release(folder, wheel, sdist))
        return [name, rule, *(verdict(line, folder) for line in TOOLS.values()), ask_pypi(folder)]


def ask_pypi(folder: Path) -> str:
    """Return whether PyPI refuses one of the files, as its published source has it."""
    refused = (ask_port(path) for path in folder.iterdir() if path.is_file())
    return "yes" if any(refused) else "no"


def main() -> None:
    """Measure, and print the end of the document."""
    building.require_current(PROJECT)
    for line in TOOLS.values():
        load(line[0])
    with ProcessPoolExecutor(os.cpu_count(), get_context("fork")) as pool:
        rows = list(pool.map(row, CORPUS))
    tools = [*TOOLS, "PyPI"]
    good = ["*the good release*", "", *(verdict(line, PROJECT.dist) for line in TOOLS.values())]
    good.append(ask_pypi(PROJECT.dist))
    caught = [
        "**refused**",
        "",
        *(str(sum(line[column] == "yes" for line in rows)) for column in range(2, 2 + len(tools))),
    ]
    crashed = [
        "**traceback**",
        "",
        *(str(sum(line[column] == "traceback" for line in rows)) for column in range(2, 2 + len(tools))),
    ]
    together = sum("yes" in line[3:] for line in rows)
    head = ["mistake", "rule", *tools]
    table = "\n".join(f"| {' | '.join(line)} |" for line in (head, ["---"] * len(head), good, *rows, caught, crashed))
    print("Each line is a release with one thing wrong, in roadworthy/tests/corpus.py; a tool catches it if it refuses")
    print(f"the release. Of {len(rows)} mistakes, the four other tools and PyPI together catch {together}; the other")
    print(f"{len(rows) - together} only this one finds.", end=" ")
    print(f"Measured by `python benchmarks/mistakes.py`.\n\n{table}")


if __name__ == "__main__":
    run_main(main)
