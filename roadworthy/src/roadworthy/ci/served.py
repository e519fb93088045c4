"""What does an index serve of a version? Before anything is sent: nothing but what was built. Afterwards: all of it.

A file name can be used once, so a file that somebody else has put there would end publishing half-way.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from roadworthy.arguments import Parser
from roadworthy.index import PATIENT, BusyError, Index, NotThereYetError, Patience, patiently
from roadworthy.project import Project
from roadworthy.releasing.version import advising, next_version, parse_version, repair
from roadworthy.sums import read_sums
from roadworthy.terminal import Problem, out, raise_problems, summarise

# What is slow to load is not for a refusal of the command line.
if TYPE_CHECKING:
    from packaging.version import Version
    from pypi_simple import DistributionPackage


def read_arguments(command: str, about: str, words: list[str]) -> dict[str, Any]:
    """Read what both commands take; what is not given is left out."""
    parser = Parser(command, about).take("VERSION", "the version that was built", first=True, required=True)
    parser.take("INDEX", "pypi (default), testpypi, or the address of a simple index")
    return parser.take("SUMS", "the SHA256SUMS of what was built", type=Path).read(words)


def ask(
    project: Project, given: dict[str, Any], version: "Version", patience: Patience = PATIENT, *, complete: bool
) -> "tuple[str, list[DistributionPackage], dict[str, str]]":
    """Return the address of an index, what it serves of a version, and the hashes of what was built.

    Where that is to be complete, what is not served yet is waited for: caches learn of the files one after the other.
    """
    sums, index = read_sums(given.get("SUMS", project.sums)), Index.named(given.get("INDEX", "pypi"))

    def served() -> "list[DistributionPackage]":
        try:
            files = index.files(project.name, version)
        except NotThereYetError as error:
            if complete or isinstance(error, BusyError):
                raise
            return []
        missing = sums.keys() - {file.filename for file in files}
        if complete and missing:
            raise NotThereYetError(f"{index} does not serve {', '.join(sorted(missing))} yet")
        return files

    with index.answering():
        return str(index), patiently(served, patience), sums


def compare(files: "list[DistributionPackage]", sums: dict[str, str], repairing: list[str]) -> Iterator[Problem]:
    """Find what is served and was not built, or has other bytes, or no attestation (PEP 740)."""
    remedy = f"these are not the files of this run; {'; '.join(repairing)}"
    for file in files:
        served = file.digests.get("sha256", "no SHA-256")
        if file.filename not in sums:
            yield Problem(f"the index serves {file.filename}, which was not built", remedy)
        elif served != sums[file.filename]:
            yield Problem(f"the index serves {file.filename} with {served}, built was {sums[file.filename]}", remedy)
        elif file.provenance_url is None:
            what = f"the index serves {file.filename} without an attestation"
            yield Problem(what, "it can be installed; see what the publishing job says of attesting")


def check(project: Project, given: dict[str, Any], version: "Version", patience: Patience = PATIENT) -> None:
    """Ask, compare, and print what is served: exactly what was built."""
    url, files, sums = ask(project, given, version, patience, complete=True)
    raise_problems(compare(files, sums, repair(given["VERSION"], project.package)))
    summarise(f"{url} serves", ["file", "SHA-256"], sorted((file.filename, file.digests["sha256"]) for file in files))
    source = given.get("SUMS", project.sums)
    out.print(f"{url} serves exactly the {len(files)} files of {source}, each with an attestation")


def main(project: Project, words: list[str]) -> None:
    """Check what is served, the names both ways, every SHA-256, and an attestation for each file."""
    given = read_arguments("check-index", "Check that an index serves exactly what was built.", words)
    version = parse_version(given["VERSION"])
    with advising(given["VERSION"], given.get("INDEX", "pypi"), project.package):
        check(project, given, version)


def check_names(project: Project, words: list[str]) -> None:
    """Check, before anything is sent, that no name is taken, but with the same bytes; and print how many are."""
    about = "Check, before anything is sent, that the index has no other file of this version."
    given = read_arguments("check-names", about, words)
    version = parse_version(given["VERSION"])
    url, files, sums = ask(project, given, version, complete=False)
    others = [file.filename for file in files if file.digests.get("sha256") != sums.get(file.filename, "")]
    remedy = f"nothing was sent; who put it there? Release {next_version(given['VERSION'])}"
    what = "the index has {} already, with other bytes than were built, or none were"
    raise_problems(Problem(what.format(name), remedy) for name in others)
    out.print(f"{url} serves {len(files)} files of {version}, and no other ones than were built")
