"""Running a script as a step of CI.yml runs it, and what it then tells the runner."""

import os
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path

from helpers import run
from releases import Place, environment, set_version

FIRST_LINES = "<!-- news fragments are written below this line -->\n"


@dataclass(frozen=True)
class Told:
    """How a step ended: its exit code, both of its streams, its outputs and its part of the job's summary."""

    code: int
    out: str
    err: str
    outputs: dict[str, str]
    summary: str

    @property
    def annotations(self) -> list[str]:
        """The errors on the run's page."""
        return [line for line in self.out.splitlines() if line.startswith("::error")]


def run_step(place: Place, step: str, *arguments: object, **variables: str | None) -> Told:
    """Run a command of the checkout with the variables that GitHub's runner sets, and no others of its own."""
    written = {"GITHUB_OUTPUT": place.folder / "output", "GITHUB_STEP_SUMMARY": place.folder / "summary"}
    for path in written.values():
        path.write_bytes(b"")
    inherited = dict.fromkeys(name for name in os.environ if name.startswith("GITHUB_"))
    runner = {"GITHUB_ACTIONS": "true", **{name: str(path) for name, path in written.items()}}
    variables = {**inherited, **environment(), "BEFORE": None, "DEFAULT_BRANCH": None, **runner, **variables}
    done = run(sys.executable, "-m", "roadworthy", step, *arguments, cwd=place.checkout, **variables)
    assert "Traceback" not in done.stderr, done.stderr
    outputs, summary = (path.read_text(encoding="utf-8") for path in written.values())
    pairs = dict(line.split("=", 1) for line in outputs.splitlines())
    return Told(done.returncode, done.stdout, done.stderr, pairs, summary)


def write_release(place: Place, version: str, notes: str = "### Added\n\n- Something is new.") -> None:
    """Write what `make release` writes, into the checkout alone: the version, and its section."""
    set_version(place, version)
    place.replace("CHANGELOG.md", FIRST_LINES, f"{FIRST_LINES}\n## {version} (2030-03-17)\n\n{notes}\n")


def stand_in(folder: Path, tool: str, module: str | Path, *arguments: object) -> Path:
    """Write a program that takes the place of a tool, and return the folder to put in front of PATH.

    Args:
        folder: Where.
        tool: What it is called.
        module: What does it: one of the modules beside this one, or the path of another.
        arguments: What it is given in front of the tool's own.
    """
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-I", Path(__file__).parent / module, *arguments]
    (folder / tool).write_text(f'#!/bin/sh\nexec {shlex.join(map(str, command))} "$@"\n', encoding="utf-8")
    (folder / tool).chmod(0o755)
    return folder
