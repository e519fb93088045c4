"""Is it what was built? Asked of what several machines hand over, and of what an index serves.

Each machine hands over a folder with its dist/ and its SHA256SUMS, which also names the sdist that the wheels were
built from: so wheels from another sdist are found, and files that were changed or lost on the way, and names that came
twice. An index must serve, before anything is sent, nothing but what was built, and all of it afterwards: a file name
can be used once, so a file that somebody else has put there would end publishing half-way.
"""

import shutil
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from roadworthy.arguments import Parser
from roadworthy.building import new_dist
from roadworthy.index import PATIENT, BusyError, Index, NotThereYetError, Patience, patiently
from roadworthy.project import Project
from roadworthy.releasing.version import advising, next_version, parse_version, repair
from roadworthy.sums import BUILD_AGAIN, check_folder, read_sums
from roadworthy.terminal import Problem, out, problem, raise_problems, summarise

# What is slow to load is not for a refusal of the command line.
if TYPE_CHECKING:
    from packaging.version import Version
    from pypi_simple import DistributionPackage


def check_together(found: dict[Path, Path]) -> Iterator[Problem]:
    """Find names that several machines have built, and hashes in which the SHA256SUMS of each dist/ do not agree."""
    builders, hashes = defaultdict(list), defaultdict(set)
    for dist, sums in found.items():
        for path in dist.iterdir():
            builders[path.name].append(dist.parent.name)
        for name, digest in read_sums(sums).items():
            hashes[name].add(digest)
    # Every file has a hash: that of each folder was compared.
    for name, digests in sorted(hashes.items()):
        if len(where := builders[name]) > 1:
            yield Problem(f"{name} was built by {', '.join(where)}: one would replace the other", BUILD_AGAIN)
        if len(digests) > 1:
            yield Problem(f"{name} has {len(digests)} different SHA-256 in the SHA256SUMS", BUILD_AGAIN)
        if not where:
            yield Problem(f"{name} stands in a SHA256SUMS, and no machine has it", BUILD_AGAIN)


def collect(project: Project, words: list[str]) -> None:
    """Move everything into dist/, which stays as it was where something does not fit together."""
    parser = Parser("collect", "Put together what several machines have built.")
    parser.take("FROM", "the folder of the folders that machines have built", first=True, required=True)
    built = Path(parser.read(words)["FROM"])
    folders = sorted(path for path in built.iterdir() if path.is_dir()) if built.is_dir() else []
    if not folders:
        raise problem(f"there are no folders in {built}", "FROM= is the folder of the folders that machines have built")
    found = {folder / project.dist.name: folder / project.sums.name for folder in folders}
    raise_problems(one for dist, sums in found.items() for one in check_folder(dist, sums))
    raise_problems(check_together(found))
    with new_dist(project) as folder:
        for path in (path for dist in found for path in dist.iterdir()):
            shutil.copy(path, folder)


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


def check_index(project: Project, words: list[str]) -> None:
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
