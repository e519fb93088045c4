"""The command `check`: the command line is read before what judges is loaded."""

import argparse
import os
import sys
from pathlib import Path

from roadworthy.arguments import Parser
from roadworthy.gate.rules import entries, nearest
from roadworthy.project import Project


def rules(text: str) -> set[str]:
    """Return the rules that are named, with commas between them."""
    names = {name.strip() for name in text.split(",")}
    for name in sorted(names - entries().keys()):
        raise argparse.ArgumentTypeError(f"{name!r} is no rule; {nearest(name)}")
    return names


def main(project: Project, words: list[str]) -> None:
    """Check, report, and end with exit code 1 if there is anything wrong."""
    parser = Parser("roadworthy check", "Check artefacts as PyPI would, and as the project in this folder should.")
    parser.take("PATHS", "files, and folders of them; default: dist/", first=True, nargs="*", type=Path)
    parser.take("SELECT", "only these rules: no-bomb,file-name", type=rules).take("IGNORE", "not these", type=rules)
    parser.switch("STRICT", "a warning is as bad as an error").switch("JSON", "print the findings as JSON on stdout")
    parser.switch("SARIF", "print them as GitHub's code scanning takes them").switch("ALL", "expect all platforms")
    parser.switch("HOST", "expect what this machine builds").switch("FOREIGN", "expect nothing: judge as anybody's")
    given = parser.read(words)
    paths = given.get("PATHS", [Path(os.path.relpath(project.dist))])
    if missing := [path for path in paths if not os.path.lexists(path)]:
        parser.error(f"there is no {missing[0]}: name files or folders" + ", or run: make build" * project.is_copy)
    if {"JSON", "SARIF"} <= given.keys():
        parser.error("JSON and SARIF are two forms of the same: give one")
    from roadworthy.gate.report import report  # noqa: PLC0415 - not for a refusal of the command line

    sys.exit(0 if report(project, paths, given) else 1)
