"""Rules about the set of files, and about their names."""

from collections.abc import Iterator
from pathlib import Path

from packaging.utils import parse_wheel_filename

from roadworthy.gate.model import Artefact, Expectations, documented, rule


@rule("both")
def plain_file(artefact: Artefact) -> Iterator[str]:
    """Everything in the folder is a file: no folder, no link, nothing else.

    Why: uploaders take what lies there, or skip it and carry on.
    Source: twine, "Unknown distribution format"; AcademySoftwareFoundation/OpenTimelineIO#1970.
    Remedy: remove it, or run: make build
    """
    if artefact.path.is_symlink():
        yield "is a link"
    elif not artefact.path.is_file():
        yield "is no file"


@rule("both")
def file_name(artefact: Artefact) -> Iterator[str]:
    """The file name is that of a wheel (PEP 427) or of an sdist (PEP 625).

    Why: uv skips a file with another name, and uploads the rest.
    Source: PyPI, "Invalid file extension", "Invalid source distribution filename", "Invalid wheel filename".
    Remedy: build it anew, and never rename it: make build
    """
    name = artefact.path.name
    if not name.isprintable() or not name.isascii():
        yield f"{name!r} is no name on every system"
    elif artefact.parsed is not None and name.endswith(".zip"):
        yield "an sdist is a .tar.gz"


@rule("both")
def file_size(artefact: Artefact) -> Iterator[str]:
    """The file is not empty, and not larger than PyPI's 100 MB, each of 1,048,576 bytes.

    Why: an upload stops half-way at the first file that is too large.
    Source: PyPI, "File too large. Limit for project … is 100 MB".
    Remedy: strip the library, or ask PyPI for a higher limit
    """
    if artefact.path.stat().st_size == 0:
        yield "the file is empty"


@rule("folder")
def one_sdist(artefacts: list[Artefact]) -> Iterator[str]:
    """There is exactly one sdist.

    Why: without it nobody without a wheel can install; PyPI takes one.
    Source: PyPI, "Only one sdist may be uploaded per release".
    Remedy: run: make build
    """
    sdists = sorted(artefact.path.name for artefact in artefacts if artefact.path.name.endswith((".tar.gz", ".zip")))
    if len(sdists) != 1:
        yield f"there are {len(sdists)} sdists{': ' if sdists else ''}{', '.join(sdists)}"


@rule("both", needs_project=True)
def project_version(artefact: Artefact, project: Expectations) -> Iterator[str]:
    """Name and version are this project's.

    Why: a file of an earlier build lies in dist/ and is uploaded with the new ones.
    Source: seen: pip, "ResolutionImpossible" for two versions in one folder; maturin adds to what is there.
    Remedy: remove it, or run: make build
    """
    if artefact.parsed is not None and artefact.parsed[:2] != (project.name, project.version):
        yield f"is {artefact.parsed[0]} {artefact.parsed[1]}, and this project is at {project.name} {project.version}"


@rule("folder", needs_project=True)
def complete_set(artefacts: list[Artefact], project: Expectations) -> Iterator[str]:
    """The folder holds the files that are to be published, all of them and no other.

    Why: a release without one platform's wheel cannot be completed after 14 days; a wheel too
        many is one that nobody tested.
    Source: Bluetooth-Devices/bluetooth-data-tools#310 (15 releases with 2 files); PyPI, "Uploading new files to
        releases older than 14 days is not allowed."
    Remedy: build what is missing, and remove what is not expected; the set is that of CI.yml's rows
    """
    found = {same_spelling(artefact.path.name): artefact.path.name for artefact in artefacts}
    expected = {same_spelling(name): name for name in project.expected}
    for name in sorted(expected[key] for key in expected.keys() - found.keys()):
        yield f"missing: {name}"
    for name in sorted(found[key] for key in found.keys() - expected.keys()):
        yield f"not expected: {name}"


def same_spelling(name: str) -> object:
    """Return something that is equal for file names of one wheel: compressed tags may stand in any order."""
    try:
        return parse_wheel_filename(name)
    except ValueError:
        return name


def list_folder(folder: Path) -> list[Artefact]:
    """Return everything that lies in a folder as an artefact, hidden files too."""
    return [Artefact(path) for path in sorted(folder.iterdir())]


# What PyPI rejects; pypi.py finds it.
PYPI = documented(
    __name__,
    """
    normalised-name (both):
        The file name spells name and version normalised: lower case, one underscore for any run of - _ and dots.
    Why: PyPI refuses any other spelling.
    Source: PyPI, "Filename 'Demo.Pkg-0.1.tar.gz' is invalid, should be 'demo_pkg-0.1.tar.gz'", "Filename … should
        contain the normalized project name".
    Remedy: build it anew with the pinned maturin: make build

    platform-tag (wheel): PyPI accepts the platform in the file name.
    Why: a wheel built on the host is tagged linux_x86_64, one of a new macOS with a minor version.
    Source: PyPI, "Binary wheel '…' has an unsupported platform tag 'linux_x86_64'".
    Remedy: build with zig for a fixed manylinux, and with a fixed MACOSX_DEPLOYMENT_TARGET: make build
    """,
)
