"""Does an index serve exactly what was built? The names both ways, every SHA-256, and an attestation for each file."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from roadworthy.arguments import Parser
from roadworthy.project import Project
from roadworthy.terminal import Problem, ProblemsError, out, problem

if TYPE_CHECKING:
    from packaging.version import Version
    from pypi_simple import DistributionPackage

    from roadworthy.index import Index, Patience


def read_arguments(command: str, about: str, words: list[str]) -> dict[str, Any]:
    """Read what this command takes, and the one for the time before anything is sent; what is not given is left out."""
    parser = Parser(command, about).take("VERSION", "the version that was built", first=True, required=True)
    parser.take("INDEX", "pypi (default), testpypi, or the address of a simple index")
    return parser.take("SUMS", "the SHA256SUMS of what was built", type=Path).read(words)


def parse_version(text: str) -> "Version":
    """Return a version in any spelling.

    Raises:
        ProblemsError: It is none.
    """
    from packaging.version import InvalidVersion, Version  # noqa: PLC0415 - not for a refusal of the command line

    try:
        return Version(text)
    except InvalidVersion as error:
        raise problem(f"VERSION={text} is no version", "write it as it was released") from error


def ask(index: "Index", question: "Callable[[], list[DistributionPackage]]", patience: "Patience | None") -> list[Any]:
    """Return what an index answers, as long as it takes.

    Raises:
        ProblemsError: It is no index, or does not answer.
    """
    from requests import RequestException  # noqa: PLC0415 - the slowest of all

    from roadworthy.index import PATIENT, patiently  # noqa: PLC0415

    try:
        return patiently(question, patience or PATIENT)
    except (RequestException, ValueError) as error:
        raise problem(f"{index.url} does not answer as an index: {error}", "check INDEX and the network") from error


def compare(files: "list[DistributionPackage]", sums: dict[str, str], version: str) -> Iterator[Problem]:
    """Find what is served and was not built, or has other bytes, or no attestation (PEP 740)."""
    from roadworthy.releasing.yank import repair  # noqa: PLC0415 - not for a refusal of the command line

    remedy = f"these are not the files of this run; {'; '.join(repair(version))}"
    for file in files:
        served = file.digests.get("sha256")
        if file.filename not in sums:
            yield Problem(f"the index serves {file.filename}, which was not built", remedy)
        elif served != sums[file.filename]:
            yield Problem(f"the index serves {file.filename} with {served}, built was {sums[file.filename]}", remedy)
        elif file.provenance_url is None:
            what = f"the index serves {file.filename} without an attestation"
            yield Problem(what, "it can be installed; see what the publishing job says of attesting")


def check(project: Project, given: dict[str, Any], version: "Version", patience: "Patience | None" = None) -> None:
    """Ask, compare, and print what is served.

    Args:
        project: What was built.
        given: The arguments.
        version: The version among them.
        patience: How long to wait for what is not served yet: caches learn of the files one after the other; default:
            ten minutes.

    Raises:
        ProblemsError: It is not what was built, or the index does not answer.
    """
    from roadworthy.index import Index, NotThereYetError  # noqa: PLC0415 - not for a refusal of the command line
    from roadworthy.runner import summarise  # noqa: PLC0415
    from roadworthy.sums import read_sums  # noqa: PLC0415

    path = given.get("SUMS", project.sums)
    sums, index = read_sums(path), Index.named(given.get("INDEX", "pypi"))

    def served() -> "list[DistributionPackage]":
        files = index.files(project.name, version)
        if missing := sums.keys() - {file.filename for file in files}:
            raise NotThereYetError(f"{index.url} does not serve {', '.join(sorted(missing))} yet")
        return files

    files = ask(index, served, patience)
    if problems := list(compare(files, sums, given["VERSION"])):
        raise ProblemsError(problems)
    rows = [(file.filename, file.digests["sha256"]) for file in sorted(files, key=lambda file: file.filename)]
    summarise(f"{index.url} serves", ["file", "SHA-256"], rows)
    out.print(f"{index.url} serves exactly the {len(files)} files of {path}, each with an attestation")


def main(project: Project, words: list[str]) -> None:
    """Read the arguments, and check."""
    given = read_arguments("check-index", "Check that an index serves exactly what was built.", words)
    from roadworthy.releasing.yank import advising  # noqa: PLC0415 - not for a refusal of the command line

    version = parse_version(given["VERSION"])
    with advising(given["VERSION"], given.get("INDEX", "pypi")):
        check(project, given, version)
