"""Does an index serve exactly what was built? The names both ways, every SHA-256, and an attestation for each file.

With --before, which is for the time before anything is sent: does it serve anything else of this version? A file name
can be used once, so a file that somebody else has put there would end publishing half-way.
"""

import argparse
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import requests
from packaging.version import InvalidVersion, Version
from pypi_simple import DistributionPackage

from roadworthy.index import BusyError, Index, NotThereYetError, patiently
from roadworthy.project import HERE
from roadworthy.releasing.yank import advising, next_version, repair
from roadworthy.runner import summarise
from roadworthy.sums import read_sums
from roadworthy.terminal import Problem, ProblemsError, out, problem


def served_files(index: Index, version: Version, names: set[str]) -> list[DistributionPackage]:
    """Return what the index serves, once it serves all of the names: caches learn of them one after the other.

    Raises:
        ProblemsError: It does not, after ten minutes.
    """

    def ask() -> list[DistributionPackage]:
        files = index.files(HERE.name, version)
        if missing := names - {file.filename for file in files}:
            raise NotThereYetError(f"{index.url} does not serve {', '.join(sorted(missing))} yet")
        return files

    return patiently(ask)


def early_files(index: Index, version: Version) -> list[DistributionPackage]:
    """Return what the index serves of a version that may not be there at all.

    Raises:
        ProblemsError: It does not answer for ten minutes.
    """

    def ask() -> list[DistributionPackage]:
        try:
            return index.files(HERE.name, version)
        except BusyError:
            raise
        except NotThereYetError:
            return []

    return patiently(ask)


def compare_early(files: list[DistributionPackage], sums: dict[str, str], version: str) -> Iterator[Problem]:
    """Find what is served of the version and is none of the files that are to be sent."""
    for file in files:
        if file.digests.get("sha256") != sums.get(file.filename, ""):
            what = f"the index has {file.filename} already, with other bytes than were built, or none were"
            yield Problem(what, f"nothing was sent; who put it there? Release {next_version(version)}")


def compare(files: list[DistributionPackage], sums: dict[str, str], version: str) -> Iterator[Problem]:
    """Find what is served and was not built, or has other bytes, or no attestation (PEP 740)."""
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


def check(arguments: argparse.Namespace, version: Version) -> None:
    """Ask, compare, and print what is served.

    Raises:
        ProblemsError: It is not what was built, or the index does not answer.
    """
    sums, index = read_sums(arguments.sums), Index.named(arguments.index)
    try:
        files = early_files(index, version) if arguments.before else served_files(index, version, set(sums))
    except (requests.RequestException, ValueError) as error:
        raise problem(f"{index.url} does not answer as an index: {error}", "check INDEX and the network") from error
    if problems := list((compare_early if arguments.before else compare)(files, sums, arguments.version)):
        raise ProblemsError(problems)
    if arguments.before:
        out.print(f"{index.url} serves {len(files)} files of {version}, and no other ones than were built")
        return
    rows = [(file.filename, file.digests["sha256"]) for file in sorted(files, key=lambda file: file.filename)]
    summarise(f"{index.url} serves", ["file", "SHA-256"], rows)
    out.print(f"{index.url} serves exactly the {len(files)} files of {arguments.sums}, each with an attestation")


def main() -> None:
    """Read the arguments, ask, compare, and print what is served."""
    parser = argparse.ArgumentParser(description="Check that an index serves exactly what was built.")
    parser.add_argument("version", metavar="VERSION")
    parser.add_argument("--index", default="pypi", help="pypi (default), testpypi, or the address of a simple index")
    parser.add_argument("--sums", type=Path, default=HERE.sums, metavar="FILE", help="the SHA256SUMS of what was built")
    parser.add_argument("--before", action="store_true", help="nothing is sent yet: is a name used for other bytes?")
    arguments = parser.parse_args()
    try:
        version = Version(arguments.version)
    except InvalidVersion as error:
        raise problem(f"VERSION={arguments.version} is no version", "write it as it was released") from error
    with nullcontext() if arguments.before else advising(arguments.version, arguments.index):
        check(arguments, version)
