"""Print which tool catches which mistake of the corpus: the table in docs/checks.md.

usage: python benchmarks/mistakes.py

Takes some minutes, because every tool is started for every mistake.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "roadworthy" / "tests"), str(ROOT / "workshop" / "tests")]

from corpus import CORPUS, Release  # noqa: E402
from helpers import PROJECT  # noqa: E402
from roadworthy import building  # noqa: E402
from roadworthy.processes import venv_bin  # noqa: E402
from roadworthy.terminal import run_main  # noqa: E402
from test_pypi import ask_port  # noqa: E402

# Each is given what it can take: the wheels, or all files.
TOOLS: dict[str, list[object]] = {
    "check_dist": [sys.executable, "-m", "roadworthy", "check", "--host", "--strict", "DIST"],
    "twine check --strict": [venv_bin("twine"), "check", "--strict", "FILES"],
    "check-wheel-contents": [venv_bin("check-wheel-contents"), "WHEELS"],
    "abi3audit --strict": [venv_bin("abi3audit"), "--strict", "ABI3"],
    # The checks that are left out refuse a .gitignore in the sdist, and .pre-commit-config.yaml beside CI.yml.
    "pydistcheck": [
        venv_bin("pydistcheck"),
        "--ignore=unexpected-files",
        "--ignore=mixed-file-extensions",
        "FILES",
    ],
}


def arguments(command: list[object], folder: Path) -> list[str] | None:
    """Return a command with the files in a folder; None if there is nothing that it takes."""
    files = sorted(str(path) for path in folder.iterdir())
    wheels = [file for file in files if file.endswith(".whl")]
    stable = [file for file in wheels if "-abi3-" in file]
    chosen = {"DIST": [str(folder)], "FILES": files, "WHEELS": wheels, "ABI3": stable}
    if any(part in chosen and not chosen[str(part)] for part in command):
        return None
    return [text for part in command for text in chosen.get(str(part), [str(part)])]


def verdict(command: list[object], folder: Path) -> str:
    """Return what a tool says of a folder: yes (it refuses), no, or traceback."""
    line = arguments(command, folder)
    if line is None:
        return "no"
    done = subprocess.run(line, check=False, capture_output=True, text=True, errors="replace", timeout=120)
    if "Traceback (most recent call last)" in done.stderr + done.stdout:
        return "traceback"
    return "yes" if done.returncode else "no"


def row(name: str) -> list[str]:
    """Return a mistake's line of the table."""
    rule, breakage = CORPUS[name]
    with tempfile.TemporaryDirectory() as temporary:
        shutil.copytree(PROJECT.dist, Path(temporary) / "good")
        folder = Path(shutil.copytree(PROJECT.dist, Path(temporary) / "dist"))
        (wheel,), (sdist,) = folder.glob("*-abi3-*.whl"), folder.glob("*.tar.gz")
        breakage(Release(folder, wheel, sdist))
        return [name, rule, *(verdict(command, folder) for command in TOOLS.values()), ask_pypi(folder)]


def ask_pypi(folder: Path) -> str:
    """Return whether PyPI refuses one of the files, as its published source has it."""
    refused = (ask_port(path) for path in folder.iterdir() if path.is_file())
    return "yes" if any(refused) else "no"


def main() -> None:
    """Measure, and print the end of the document."""
    building.require_current(PROJECT)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        rows = list(pool.map(row, CORPUS))
    tools = [*TOOLS, "PyPI"]
    good = ["*the good release*", "", *(verdict(command, PROJECT.dist) for command in TOOLS.values())]
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
