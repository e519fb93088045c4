"""Rules about the zip or tar file itself: whether everyone who unpacks it gets the same, and nothing but files."""

import struct
import tarfile
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

from roadworthy.gate.model import LARGEST_MEMBER, Artefact, rule

LOCAL_HEADER = struct.Struct("<4s2xHH8xLLHH")
END_RECORD = 22
HAS_DATA_DESCRIPTOR = 0x0008
# Zip64: the real size is in an extra field.
SIZE_IS_ELSEWHERE = 0xFFFFFFFF


@rule("both")
def readable_archive(artefact: Artefact) -> Iterator[str]:
    """The file is a zip file (a wheel) or a gzipped tar file (an sdist), whole and undamaged, to the last member.

    Why: a build that failed leaves an empty wheel behind.
    Source: PyPI, "Invalid distribution file. File is not a zipfile", "File is not a tarfile".
    Remedy: build it anew: make build
    """
    # Reading everything raises UnreadableError for a damaged one, which is reported under this rule's name.
    if artefact.digests and tarfile.is_tarfile(artefact.path) and zipfile.is_zipfile(artefact.path):
        yield "the file is both a zip and a tar file"


@rule("both")
def no_bomb(artefact: Artefact) -> Iterator[str]:
    """Unpacked, it is at most 50 times as large as packed (from 64 MiB on), and no member is larger than 1 GiB.

    Why: PyPI takes it for a decompression bomb. Nothing is unpacked to find out.
    Source: PyPI, "File exceeds compression ratio of 50".
    Remedy: leave out what compresses so well, or split it
    """
    if artefact.is_bomb(artefact.members):
        total = sum(member.size for member in artefact.members)
        yield f"it unpacks to {total:,} bytes or more, {total / artefact.path.stat().st_size:.0f} times its size"
    for member in artefact.members:
        if member.size > LARGEST_MEMBER:
            yield f"{member.name!r} unpacks to {member.size:,} bytes"


@rule("wheel")
def zip_compression(artefact: Artefact) -> Iterator[str]:
    """Every member is stored, or compressed by deflate, and not encrypted.

    Why: pip says "That compression method is not supported" for the others.
    Source: PyPI, "File does not use a supported compression type".
    Remedy: do not repack wheels, and leave maturin's --compression-method alone
    """
    for member in artefact.members:
        if isinstance(member.entry, zipfile.ZipInfo):
            if member.entry.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
                yield f"{member.name!r} is compressed by method {member.entry.compress_type}"
            if member.entry.flag_bits & 1:
                yield f"{member.name!r} is encrypted"


@rule("wheel")
def zip_framing(artefact: Artefact) -> Iterator[str]:
    """The zip file's directory and its members tell the same, with nothing before, between or after them.

    Why: one program reads the directory, another the members one after the other; both must see the same.
    Source: PyPI, "ZIP archive not accepted: Trailing data", "… Mis-matched data size", "… ZIP contains a data
        descriptor", "… Comment in central directory" and others.
    Remedy: do not repack or append to wheels; build it anew: make build
    """
    archive = artefact.archive
    if not isinstance(archive, zipfile.ZipFile) or archive.fp is None:
        return
    position = 0
    for entry in sorted(archive.infolist(), key=lambda entry: entry.header_offset):
        if entry.header_offset != position:
            yield f"{entry.filename!r} does not begin where what is before it ends"
            return
        archive.fp.seek(position)
        header = archive.fp.read(LOCAL_HEADER.size)
        fields = LOCAL_HEADER.unpack(header.ljust(LOCAL_HEADER.size, b"\0"))
        name, extra = archive.fp.read(fields[5]), fields[6]
        if reason := misframed(entry, fields, name):
            yield f"{entry.filename!r} {reason}"
        position += LOCAL_HEADER.size + len(name) + extra + entry.compress_size
    if archive.start_dir != position:
        yield "there is data between the last member and the directory"
    archive.fp.seek(-END_RECORD - len(archive.comment), 2)
    if archive.fp.read(4) != b"PK\x05\x06":
        yield "there is data after the end of the zip file"


def misframed(entry: zipfile.ZipInfo, fields: tuple[Any, ...], name: bytes) -> str | None:
    """Return what is wrong with a member's own header (APPNOTE 4.3.7), or with its line in the directory."""
    signature, flags, method, packed, size, *_ = fields
    if signature != b"PK\x03\x04":
        return "has no header"
    if flags & HAS_DATA_DESCRIPTOR:
        return "has a data descriptor"
    # PyPI reads names as UTF-8, also where the directory does not say that they are.
    if name != entry.orig_filename.encode("utf-8"):
        return f"is called {name!r} in its own header"
    if size != SIZE_IS_ELSEWHERE and (method, packed, size) != (
        entry.compress_type,
        entry.compress_size,
        entry.file_size,
    ):
        return "has other sizes, or another method, in its own header"
    return "has a comment" if entry.comment else None


@rule("both")
def unique_members(artefact: Artefact) -> Iterator[str]:
    """No name is there twice, also not in other case: some file systems know no difference.

    Why: which of the two is installed depends on the installer.
    Source: PyPI, "ZIP archive not accepted: Duplicate filename in central directory".
    Remedy: build it anew: make build
    """
    names = Counter(member.name.rstrip("/") for member in artefact.members)
    for name, count in sorted(names.items()):
        if count > 1:
            yield f"{name!r} is there {count} times"
    folded = Counter(name.casefold() for name in names)
    for name in sorted(names):
        if folded[name.casefold()] > 1:
            yield f"{name!r} is there in other case too"


@rule("both")
def safe_members(artefact: Artefact) -> Iterator[str]:
    """Every member is a file or a folder whose name stays inside, is printable, and is the same on every system.

    Why: a name that leads out overwrites files, a link points anywhere.
    Source: PyPI, "Invalid character in filename", "Filename not valid UTF-8"; pip and uv refuse names that lead out.
    Remedy: build it anew from tracked files: make build
    """
    for member in artefact.members:
        if reason := member.unsafe:
            yield f"{member.name!r} {reason}"


@rule("sdist")
def no_sparse_members(artefact: Artefact) -> Iterator[str]:
    """No member is sparse.

    Why: sparse members need an extension of GNU tar's that not everyone has.
    Source: PyPI, "tar archive not accepted: Sparse members are not allowed".
    Remedy: build it anew: make build
    """
    for member in artefact.members:
        if isinstance(member.entry, tarfile.TarInfo) and member.entry.issparse():
            yield f"{member.name!r} is sparse"


@rule("sdist")
def one_top_folder(artefact: Artefact) -> Iterator[str]:
    """Everything is in one folder, called as the file is.

    Why: PyPI and pip look for PKG-INFO there.
    Source: PyPI, "Incorrect number of top-level directories in sdist", "PKG-INFO not found at …"; PEP 625.
    Remedy: build it anew: make build
    """
    tops = sorted(
        {PurePosixPath(member.name).parts[0] for member in artefact.members if PurePosixPath(member.name).parts}
    )
    if tops != [artefact.folder]:
        yield f"it holds {', '.join(map(repr, tops[:5])) or 'nothing'}, not one folder {artefact.folder!r}"
