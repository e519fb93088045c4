"""Rules about the zip or tar file itself: whether everyone who unpacks it gets the same, and nothing but files."""

import struct
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import PurePosixPath

from roadworthy.gate.model import LARGEST_MEMBER, Artefact, UnreadableError, documented, rule

# How a member begins (APPNOTE 4.3.7): flags, method, and the checksum.
LOCAL_HEADER = struct.Struct("<6xHH4xL")


@rule("both")
def readable_archive(artefact: Artefact) -> Iterator[str]:
    """The file is a zip file (a wheel) or a gzipped tar file (an sdist), whole and undamaged, to the last member.

    Why: a build that failed leaves an empty wheel behind.
    Source: PyPI, "Invalid distribution file. File is not a zipfile", "File is not a tarfile".
    Remedy: build it anew: make build
    """
    # Reading everything raises UnreadableError for a damaged one, which is reported under this rule's name.
    if not artefact.digests:
        yield "there is no file in it"


@rule("both")
def no_bomb(artefact: Artefact) -> Iterator[str]:
    """Unpacked, it is at most 50 times as large as packed (from 64 MiB on), and no member is larger than 1 GiB.

    Why: PyPI takes it for a decompression bomb. Nothing is unpacked to find out.
    Source: PyPI, "File exceeds compression ratio of 50".
    Remedy: leave out what compresses so well, or split it
    """
    try:
        members = artefact.members
    except UnreadableError:
        # Another rule tells it.
        return
    if artefact.is_bomb(members):
        total = sum(member.size for member in members)
        yield f"it unpacks to {total:,} bytes or more, {total / artefact.path.stat().st_size:.0f} times its size"
    for member in members:
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
        if isinstance(member.entry, zipfile.ZipInfo) and member.entry.flag_bits & 1:
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
    # PyPI compares names and sizes, and not what a program needs that unpacks without the directory.
    for entry in archive.infolist():
        archive.fp.seek(entry.header_offset)
        header = archive.fp.read(LOCAL_HEADER.size).ljust(LOCAL_HEADER.size, b"\0")
        if LOCAL_HEADER.unpack(header) != (entry.flag_bits, entry.compress_type, entry.CRC):
            yield f"{entry.filename!r} has other flags, another method or checksum in its own header"


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
def one_top_folder(artefact: Artefact) -> Iterator[str]:
    """Everything is in one folder, called as the file is.

    Why: PyPI and pip look for PKG-INFO there.
    Source: PyPI, "Incorrect number of top-level directories in sdist", "PKG-INFO not found at …"; PEP 625.
    Remedy: build it anew: make build
    """
    top = PurePosixPath(artefact.top).parts
    # Of none, PyPI tells it.
    if top and top[0] != artefact.folder:
        yield f"it holds {top[0]!r}, not {artefact.folder!r}"


# What PyPI rejects; pypi.py finds it.
PYPI = documented(
    __name__,
    """
    no-sparse-members (sdist): No member is sparse.
    Why: sparse members need an extension of GNU tar's that not everyone has.
    Source: PyPI, "tar archive not accepted: Sparse members are not allowed".
    Remedy: build it anew: make build
    """,
)
