"""Rules about the set of files, their names, and the zip or tar file itself: does everyone unpack the same from it?"""

import struct
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import PurePosixPath

from packaging.utils import parse_wheel_filename

from roadworthy.gate.model import LARGEST_MEMBER, Artefact, Expectations, UnreadableError, rule

# How a member begins (APPNOTE 4.3.7): flags, method, and the checksum.
LOCAL_HEADER = struct.Struct("<6xHH4xL")


@rule("both")
def plain_file(artefact: Artefact) -> Iterator[str]:
    """Find what is no file."""
    if artefact.path.is_symlink():
        yield "is a link"
    elif not artefact.path.is_file():
        yield "is no file"


@rule("both")
def file_name(artefact: Artefact) -> Iterator[str]:
    """Find a name that PyPI takes and others do not."""
    name = artefact.path.name
    if not name.isprintable() or not name.isascii():
        yield f"{name!r} is no name on every system"
    elif artefact.parsed is not None and name.endswith(".zip"):
        yield "an sdist is a .tar.gz"


@rule("both")
def file_size(artefact: Artefact) -> Iterator[str]:
    """Find an empty file."""
    if artefact.path.stat().st_size == 0:
        yield "the file is empty"


@rule("folder")
def one_sdist(artefacts: list[Artefact]) -> Iterator[str]:
    """Find no sdist, or several."""
    sdists = sorted(artefact.path.name for artefact in artefacts if artefact.path.name.endswith((".tar.gz", ".zip")))
    if len(sdists) != 1:
        yield f"there are {len(sdists)} sdists{': ' if sdists else ''}{', '.join(sdists)}"


@rule("both", needs_project=True)
def project_version(artefact: Artefact, project: Expectations) -> Iterator[str]:
    """Find another name or version."""
    if artefact.parsed is not None and artefact.parsed[:2] != (project.name, project.version):
        yield f"is {artefact.parsed[0]} {artefact.parsed[1]}, and this project is at {project.name} {project.version}"


@rule("folder", needs_project=True)
def complete_set(artefacts: list[Artefact], project: Expectations) -> Iterator[str]:
    """Find what is missing, and what is too much."""
    found = {same_spelling(artefact.path.name): artefact.path.name for artefact in artefacts}
    expected = {same_spelling(name): name for name in project.expected}
    yield from (f"missing: {name}" for name in sorted(expected[key] for key in expected.keys() - found.keys()))
    yield from (f"not expected: {name}" for name in sorted(found[key] for key in found.keys() - expected.keys()))


def same_spelling(name: str) -> object:
    """Return something that is equal for file names of one wheel: compressed tags may stand in any order."""
    try:
        return parse_wheel_filename(name)
    except ValueError:
        return name


@rule("both")
def readable_archive(artefact: Artefact) -> Iterator[str]:
    """Find an empty archive, and a damaged one: reading everything raises UnreadableError, which is told as this."""
    if not artefact.digests:
        yield "there is no file in it"


@rule("both")
def no_bomb(artefact: Artefact) -> Iterator[str]:
    """Find what unpacks to too much. What cannot be read is told by another rule."""
    try:
        members = artefact.members
    except UnreadableError:
        return
    total = artefact.size
    if artefact.is_bomb(total):
        yield f"it unpacks to {total:,} bytes or more, {total / artefact.path.stat().st_size:.0f} times its size"
    for member in members:
        if member.size > LARGEST_MEMBER:
            yield f"{member.name!r} unpacks to {member.size:,} bytes"


@rule("wheel")
def zip_compression(artefact: Artefact) -> Iterator[str]:
    """Find encrypted members."""
    for member in artefact.members:
        if isinstance(member.entry, zipfile.ZipInfo) and member.entry.flag_bits & 1:
            yield f"{member.name!r} is encrypted"


@rule("wheel")
def zip_framing(artefact: Artefact) -> Iterator[str]:
    """Find what a program needs that unpacks without the directory: PyPI compares names and sizes only."""
    archive = artefact.archive
    if not isinstance(archive, zipfile.ZipFile) or archive.fp is None:
        return
    for entry in archive.infolist():
        archive.fp.seek(entry.header_offset)
        header = archive.fp.read(LOCAL_HEADER.size).ljust(LOCAL_HEADER.size, b"\0")
        if LOCAL_HEADER.unpack(header) != (entry.flag_bits, entry.compress_type, entry.CRC):
            yield f"{entry.filename!r} has other flags, another method or checksum in its own header"


@rule("both")
def unique_members(artefact: Artefact) -> Iterator[str]:
    """Find names that are there twice, also in other case."""
    names = Counter(member.name.rstrip("/") for member in artefact.members)
    yield from (f"{name!r} is there {count} times" for name, count in sorted(names.items()) if count > 1)
    folded = Counter(name.casefold() for name in names)
    yield from (f"{name!r} is there in other case too" for name in sorted(names) if folded[name.casefold()] > 1)


@rule("both")
def safe_members(artefact: Artefact) -> Iterator[str]:
    """Find members that are not safe to unpack everywhere."""
    yield from (f"{member.name!r} {reason}" for member in artefact.members if (reason := member.unsafe))


@rule("sdist")
def one_top_folder(artefact: Artefact) -> Iterator[str]:
    """Find a folder that is not called as the file is; where there is none, PyPI tells it."""
    top = PurePosixPath(artefact.top).parts
    if top and top[0] != artefact.folder:
        yield f"it holds {top[0]!r}, not {artefact.folder!r}"
