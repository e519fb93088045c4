"""Rules about the set of files, their names, and the zip or tar file itself: does everyone unpack the same from it?"""

import struct
import tarfile
import unicodedata
import zlib
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path, PurePosixPath
from typing import Any

from packaging.utils import canonicalize_name

from roadworthy.gate.model import LARGEST_TEXT, LOCAL_HEADER, PIECE, Artefact, Expectations, UnreadableError, rule
from roadworthy.gate.pypi_archives import UNICODE_PATH, ZIP64, FramingError, extra_fields
from roadworthy.project import spelling
from roadworthy.terminal import Problem, problem, raise_problems

# The numbers of disks in the end of a zip file (APPNOTE 4.3.16), and fields that change what a member is.
DISKS, CHANGING = struct.Struct("<4xHH14x"), (ZIP64, UNICODE_PATH)
GZIP = b"\x1f\x8b"
# What is read and parsed whole; larger ones are written to stop who does that.
MOST_FIELDS, MOST_LINES = 5_000, 20_000
READ_WHOLE, LARGEST_METADATA = ("WHEEL", "entry_points.txt", "RECORD"), 1 << 19


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


@rule("both", needs_project=True)
def project_version(artefact: Artefact, project: Expectations) -> Iterator[str]:
    """Find another name or version."""
    if artefact.parsed is not None and artefact.parsed[:2] != (canonicalize_name(project.name), project.version):
        yield f"is {artefact.parsed[0]} {artefact.parsed[1]}, and this project is at {project.name} {project.version}"


@rule("folder", needs_project=True)
def complete_set(artefacts: list[Artefact], project: Expectations) -> Iterator[str]:
    """Find what is missing, and what is too much."""
    # What is no artefact, other rules tell.
    found, expected = sorted(each.path.name for each in artefacts if each.parsed), sorted(project.expected)
    for what, names, others in (("missing", expected, found), ("not expected", found, expected)):
        left = Counter(map(spelling, others))
        for name in names:
            left[spelling(name)] -= 1
            if left[spelling(name)] < 0:
                yield f"{what}: {name}"


@rule("both")
def readable_archive(artefact: Artefact) -> Iterator[str]:
    """Find an empty archive, and a damaged one: reading everything raises UnreadableError, which is told as this."""
    if not artefact.digests:
        yield "there is no file in it"
    if not artefact.is_wheel:
        # tarfile takes anything for the end, and others look for the next header, some behind empty ones too.
        artefact.unpacked.seek(getattr(artefact.archive, "offset"))  # noqa: B009 - of a tar file
        if any(piece.strip(b"\0") for piece in iter(lambda: artefact.unpacked.read(PIECE), b"")):
            yield "after its last member there is something that is no member"
    if artefact.after_gzip:
        yield f"the gzip file is followed by {'a second one' if artefact.after_gzip == GZIP else 'something else'}"


@rule("both")
def no_bomb(artefact: Artefact) -> Iterator[str]:
    """Find what unpacks to too much. What cannot be read for other reasons is told by another rule."""
    try:
        members, metadata = artefact.members, artefact.metadata or b""
    except UnreadableError as error:
        yield from [str(error)] if error.rule == "no-bomb" else []
        return
    total = sum(member.size for member in members)
    if total > artefact.largest_content:
        yield f"it unpacks to {total:,} bytes, {total / artefact.path.stat().st_size:.0f} times its size"
    for name in (artefact.metadata_name, *(f"{artefact.folder}/{each}" for each in READ_WHOLE)):
        limit = LARGEST_TEXT if name.endswith("/RECORD") else LARGEST_METADATA
        if name in artefact.files and artefact.files[name].size > limit:
            yield f"{name!r} has {artefact.files[name].size:,} bytes"
            return
    fields, _, description = metadata.partition(b"\n\n")
    if fields.count(b"\n") > MOST_FIELDS or description.count(b"\n") > MOST_LINES:
        yield f"{artefact.metadata_name!r} has more than {MOST_FIELDS:,} fields, or {MOST_LINES:,} lines behind them"


@rule("wheel")
def zip_framing(artefact: Artefact) -> Iterator[str]:
    """Find what PyPI does not look at, and what uv refuses, or what is read differently by different programs."""
    archive: Any = artefact.archive
    for entry in archive.infolist():
        archive.fp.seek(entry.header_offset)
        _, flags, method, checksum, *lengths = LOCAL_HEADER.unpack(archive.fp.read(LOCAL_HEADER.size))
        name = archive.fp.read(lengths[0])
        if (flags, method, checksum) != (entry.flag_bits, entry.compress_type, entry.CRC):
            yield f"{entry.filename!r} has other flags, another method or checksum in its own header"
        if entry.filename.endswith("/") and (entry.file_size or entry.CRC):
            yield f"{entry.filename!r} is a folder, and has content"
        for place, extra in (("its own header", archive.fp.read(lengths[1])), ("the directory", entry.extra)):
            yield from (f"{entry.filename!r} {what} in {place}" for what in misleading(name, extra))
    if any(byte in archive.comment for byte in range(1, 9)):
        yield "its comment may hold another zip file"
    archive.fp.seek(-len(archive.comment) - DISKS.size, 2)
    if any(DISKS.unpack(archive.fp.read(DISKS.size))) or any(entry.volume for entry in archive.infolist()):
        yield "it is said to be in several parts"


def misleading(name: bytes, extra: bytes) -> Iterator[str]:
    """Find what is wrong with the further fields of a member (APPNOTE 4.5), some of which change what it is."""
    try:
        fields = list(extra_fields(extra))
    except FramingError:
        yield "has further fields that cannot be read"
        return
    names = [kind for kind, _ in fields]
    yield from ("has a field twice that must be there once" for kind in CHANGING if names.count(kind) > 1)
    for kind, content in fields:
        if kind == UNICODE_PATH and (content[:5] != struct.pack("<BL", 1, zlib.crc32(name)) or content[5:] != name):
            yield "has another name as a further field"


def folded(name: str) -> str:
    """Return what is the same for names that some file system takes for one."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


@rule("both")
def unique_members(artefact: Artefact) -> Iterator[str]:
    """Find names that are there twice, also in other case or composed otherwise, or for a folder and what is none."""
    kinds = {member.name: member.kind for member in artefact.members}
    names = Counter(member.name.rstrip("/") for member in artefact.members)
    yield from (f"{name!r} is there {count} times" for name, count in sorted(names.items()) if count > 1)
    # A folder's name is followed by those of what is in it: nothing comes before what stands for the slash.
    ordered = sorted((folded(name).replace("/", "\0"), name) for name in names)
    for (one, first), (two, second) in pairwise(ordered):
        if (kind := kinds.get(first, "folder")) != "folder" and two.startswith(f"{one}\0"):
            yield f"{first!r} is a {kind}, and a folder too"
            continue
        # Also in a folder's name; where they differ otherwise, there is no other of the same.
        differing = next(((x, y) for x, y in zip(first.split("/"), second.split("/"), strict=False) if x != y), None)
        if differing and folded(differing[0]) == folded(differing[1]):
            yield f"{second!r} is there in other case too, or composed otherwise: {first!r}"


@rule("both")
def safe_members(artefact: Artefact) -> Iterator[str]:
    """Find members that are not safe to unpack everywhere."""
    yield from (f"{member.name!r} {reason}" for member in artefact.members if (reason := member.unsafe))
    for member in artefact.members:
        if getattr(member.entry, "islnk", bool)() and member.target not in {None, *artefact.files}:
            yield f"{member.name!r} is a hard link to {member.target!r}, which is no file in it"


@rule("sdist")
def one_top_folder(artefact: Artefact) -> Iterator[str]:
    """Find a folder that is not called as the file is; where there is none, PyPI tells it."""
    top = PurePosixPath(artefact.top).parts
    # Name and version as the metadata spells them will do.
    if top and canonicalize_name(top[0]) != canonicalize_name(artefact.folder):
        yield f"it holds {top[0]!r}, not {artefact.folder!r}"


@rule("sdist", level="warning")
def no_links(artefact: Artefact) -> Iterator[str]:
    """Find links; those that lead out, another rule refuses."""
    links = (member for member in artefact.members if member.kind == "link" and member.target)
    yield from (f"{link.name!r} is a link to {link.target!r}" for link in links)


def unpack(sdist: Path, folder: Path) -> Path:
    """Unpack an sdist below `folder` and return the one folder in it.

    ProblemsError where it is damaged, a bomb, or holds anything but files and folders that stay inside. The files are
    as old as this moment, not as the commit: cargo compares times, and would take what it compiled of a newer commit
    for up to date.
    """
    try:
        with Artefact(sdist) as artefact:
            unsafe = (f"{member.name!r} {member.unsafe}" for member in artefact.members if member.unsafe)
            raise_problems(Problem(f"{sdist} cannot be unpacked: {each}", "run: make build") for each in unsafe)
            for member in artefact.members:
                path = folder / member.name
                (path if member.kind == "folder" else path.parent).mkdir(parents=True, exist_ok=True)
                if member.kind == "file":
                    # Without its owner and mode: not every Python has a filter of tarfile's.
                    with path.open("xb") as stream:
                        stream.writelines(artefact.pieces(member))
                    path.chmod(0o755 if member.mode & 0o100 else 0o644)
        (content,) = folder.iterdir()
    except (OSError, EOFError, tarfile.TarError, ValueError, UnreadableError) as error:
        raise problem(f"{sdist} cannot be unpacked: {error}", "run: make build") from error
    return content
