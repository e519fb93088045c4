"""Lock the dependency groups of pyproject.toml in requirements/, with hashes, for every platform.

What is pinned there and still fits stays, so a pin that was bumped by hand, or by a bot, survives. No index address
is written. With --check nothing is written: it says which file a fresh lock would change.
"""

import argparse
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from console import Problem, ProblemsError, run_main
from project import ROOT, oldest_python, venv_bin

FOLDER = ROOT / "requirements"
# In this order: what is installed beside another group has the same versions.
GROUPS = {"dev": None, "test": None, "rehearsal": "dev", "node": None}


def compile_group(group: str, file: Path) -> None:
    """Lock one group into `file`, starting from the pins that it holds."""
    command = [
        str(venv_bin("uv")),
        "pip",
        "compile",
        f"--group={group}",
        "--universal",
        f"--python-version={oldest_python()}",
        "--generate-hashes",
        "--no-emit-index-url",
        "--no-annotate",
        "--custom-compile-command=make lock",
        f"--output-file={file}",
    ]
    if beside := GROUPS[group]:
        command.append(f"--constraint={file.with_name(f'{beside}.txt')}")
    environment = {**os.environ, "UV_PYTHON_DOWNLOADS": "never"}
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True)


def find_stale() -> list[Problem]:
    """Return a problem for each lock that does not follow from pyproject.toml."""
    problems = []
    with tempfile.TemporaryDirectory() as folder:
        for group in GROUPS:
            locked = FOLDER / f"{group}.txt"
            fresh = Path(shutil.copy(locked, folder))
            compile_group(group, fresh)
            if fresh.read_text(encoding="utf-8") != locked.read_text(encoding="utf-8"):
                what = f"requirements/{group}.txt is not what the group {group} of pyproject.toml locks to"
                problems.append(Problem(what, "run: make lock"))
    return problems


def main() -> None:
    """Write the locks, or compare them."""
    parser = argparse.ArgumentParser(description="Lock the tools in requirements/*.txt.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a lock would change")
    if not parser.parse_args().check:
        for group in GROUPS:
            compile_group(group, FOLDER / f"{group}.txt")
    elif stale := find_stale():
        raise ProblemsError(stale)


if __name__ == "__main__":
    run_main(main)
