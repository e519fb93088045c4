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
    parser.take("AGAINST", "warn of what is lost since the newest release on pypi, testpypi or a simple index")
    given = parser.switch("JSON", "print the findings as JSON on stdout").read(words)
    from roadworthy.gate.check import check  # noqa: PLC0415 - not for a refusal of the command line

    sys.exit(0 if check(project, given) else 1)


def compare(_: Project, words: list[str]) -> None:
    """Print what changes between two artefacts or releases; a wheel and an sdist are a usage error."""
    parser = Parser("compare", "Say what changes between two artefacts, or two releases of a project.")
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
