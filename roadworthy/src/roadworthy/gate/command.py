"""The command `check`: the command line is read before what judges is loaded."""

import sys
from pathlib import Path

from roadworthy.arguments import Parser
from roadworthy.project import Project


def main(project: Project, words: list[str]) -> None:
    """Check, report, and end with exit code 1 if there is anything wrong."""
    parser = Parser("check-dist", "Check artefacts as PyPI would, and as this project should.")
    parser.take("FOLDER", "default: dist/", first=True, type=Path).switch("HOST", "expect what this machine builds")
    parser.switch("ALL", "expect all platforms (the default)")
    parser.switch("FOREIGN", "artefacts of other projects: nothing is expected of them")
    parser.switch("STRICT", "a warning is as bad as an error")
    given = parser.switch("JSON", "print the findings as JSON on stdout").read(words)
    from roadworthy.gate.check import check  # noqa: PLC0415 - not for a refusal of the command line

    sys.exit(0 if check(project, given) else 1)
