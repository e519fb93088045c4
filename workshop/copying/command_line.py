"""What scripts/template.py is called with, and what does it, which is read when the command line is right."""

import argparse
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from roadworthy.arguments import Parser


def main(root: Path, words: list[str]) -> None:
    """Do what the command line, or make, asks for in the project whose folder is `root`."""
    command, *rest = words or [""]
    if command not in COMMANDS:
        sys.stderr.write(f"usage: {command!r} is none of: {', '.join(COMMANDS)}\n")
        sys.exit(2)
    run = COMMANDS[command](root, rest)
    from roadworthy.terminal import run_main  # noqa: PLC0415 - only for a command line that is right

    run_main(run)


def new(root: Path, words: list[str]) -> Callable[[], None]:
    """Return what makes a copy."""
    parser = Parser("new", "Copy this project under another name.").take("NAME", "such as turbo-frob", first=True)
    parser.take("DEST", "the folder; default: beside the template; `.`: the template itself")
    for name in ("AUTHOR", "EMAIL", "OWNER", "DESCRIPTION", "LICENSE"):
        parser.take(name, "default: what a terminal is told, or else what git and the template say")
    parser.take("PACKAGE", "full, or minimal: one function and one test; default: full")
    # Where a copy goes that a clone in a temporary folder makes.
    parser.add_argument("--beside", dest="BESIDE", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
    given = parser.read(words)
    from roadworthy.project import Project  # noqa: PLC0415 - as above
    from workshop.copying import creating  # noqa: PLC0415 - as above

    return partial(creating.new, Project(root), given)


def update(root: Path, words: list[str]) -> Callable[[], None]:
    """Return what updates this copy; after `--engine`, what updates another one to this version."""
    if words[:1] == ["--engine"]:
        from workshop.copying import engine  # noqa: PLC0415 - as above

        return engine.read_call(words[1:])
    parser = Parser("template-update", "Bring this copy what the template has learned since.")
    parser.take("TO", "a tag, branch or commit; default: the newest release of the template")
    parser.switch("CHECK", "change nothing; exit 1 if there is something new")
    parser.switch("DRY_RUN", "change nothing; print what would change")
    given = parser.read(words)
    if {"CHECK", "DRY_RUN"} <= given.keys():
        parser.error("--check and --dry-run exclude each other")
    from roadworthy.project import Project  # noqa: PLC0415 - as above
    from workshop.copying import updating  # noqa: PLC0415 - as above

    return partial(updating.update, Project(root), given)


COMMANDS: dict[str, Callable[[Path, list[str]], Callable[[], None]]] = {"new": new, "update": update}
