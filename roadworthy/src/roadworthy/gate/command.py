"""The commands `check` and `compare`: the command line is read before what judges is loaded."""

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
    parser.take("PATHS", "files, and folders of them; default: dist/", first=True, nargs="*")
    parser.take("SELECT", "only these rules: no-bomb,file-name", type=rules).take("IGNORE", "not these", type=rules)
    parser.switch("STRICT", "a warning is as bad as an error").switch("JSON", "print the findings as JSON on stdout")
    parser.switch("SARIF", "print them as GitHub's code scanning takes them").switch("ALL", "expect all platforms")
    parser.switch("HOST", "expect what this machine builds").switch("FOREIGN", "expect nothing: judge as anybody's")
    parser.take("AGAINST", "warn of what is lost since the newest release on pypi, testpypi or a simple index")
    given = parser.read(words)
    paths = given.get("PATHS", [os.path.relpath(project.dist)])
    if missing := [path for path in paths if not os.path.lexists(path)]:
        parser.error(f"there is no {missing[0]}: name files or folders" + ", or run: make build" * project.is_copy)
    if {"JSON", "SARIF"} <= given.keys():
        parser.error("JSON and SARIF are two forms of the same: give one")
    from roadworthy.gate.report import report  # noqa: PLC0415 - not for a refusal of the command line

    if not report(project, [*map(Path, paths)], given):
        sys.exit(1)


def compare(_: Project, words: list[str]) -> None:
    """Print what changes between two artefacts or releases; a wheel and an sdist are a usage error."""
    parser = Parser("roadworthy compare", "Say what changes between two artefacts, or two releases of a project.")
    for name in ("OLD", "NEW"):
        parser.names[name] = True
        parser.add_argument(name, help="an artefact, a folder with those of one version, or NAME==VERSION")
    parser.take("INDEX", "where NAME==VERSION is: pypi (default), testpypi, or the address of a simple index")
    given = parser.switch("JSON", "print every change as JSON on stdout").read(words)
    files = [Path(given[name]) for name in ("OLD", "NEW") if Path(given[name]).is_file()]
    if [path.suffix == ".whl" for path in files] in ([True, False], [False, True]):
        parser.error(f"a wheel and an sdist are not compared: {', '.join(path.name for path in files)}")
    from roadworthy.gate.compare import compare  # noqa: PLC0415 - not for a refusal of the command line

    compare(given)
