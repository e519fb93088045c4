"""What PyPI rejects of an archive, before it looks at the names in it: in its order and its words.

The source is PyPI's: warehouse/forklift/legacy.py, _is_valid_dist_file, and warehouse/utils/zipfiles.py. Its search for
malware is left out, and an sdist that is a zip file is not looked into: its name is rejected a moment later.
"""

import struct
import tarfile
import zipfile
from collections.abc import Iterator
from typing import Any

from roadworthy.gate.model import BOMB_RATIO, Artefact, Rejection, UnreadableError

SEE = "See /archives for more information"
UNREADABLE = Rejection("readable-archive", "Invalid distribution file. None")
# Signatures of a zip file's records, and what follows each (APPNOTE 4.3): the fields that are looked at.
LOCAL, CENTRAL, END, END64, LOCATOR = (b"PK" + end for end in (b"\3\4", b"\1\2", b"\5\6", b"\6\6", b"\6\7"))
RECORDS = {
    LOCAL: struct.Struct("<xxHHxxxxxxxxLLHH"),
    CENTRAL: struct.Struct("<24xHHH12x"),
    END: struct.Struct("<xxxxHHLLH"),
    END64: struct.Struct("<Q12xQQQQ"),
    LOCATOR: struct.Struct("<xxxxQxxxx"),
}
HAS_DATA_DESCRIPTOR = 0x0008
# The size is in the extra field of Zip64.
SIZE_IS_ELSEWHERE = 0xFFFFFFFF
ZIP64, UNICODE_PATH = 0x0001, 0x7075
MALFORMED = "Malformed zip file"


def invalid(rule: str, words: str, more: str = "") -> Rejection:
    """Return the rejection of a file that is no distribution."""
    return Rejection(rule, f"Invalid distribution file. {words}", more)


def judge_container(artefact: Artefact) -> Iterator[Rejection]:
    """Find what keeps PyPI from looking into the file."""
    path = artefact.path
    is_zip, is_tar = zipfile.is_zipfile(path), tarfile.is_tarfile(path)
    if is_zip and is_tar:
        yield invalid("readable-archive", "File is both a zip and a tar file")
    elif path.suffix in {".whl", ".zip"} and not is_zip:
        yield invalid("readable-archive", "File is not a zipfile")
    elif path.suffix == ".gz" and not is_tar:
        yield invalid("readable-archive", "File is not a tarfile")
    elif artefact.is_wheel:
        try:
            if artefact.is_bomb(artefact.members):
                yield invalid("no-bomb", f"File exceeds compression ratio of {BOMB_RATIO}")
        except UnreadableError:
            yield UNREADABLE


def judge_archive(artefact: Artefact) -> Iterator[Rejection]:
    """Find what is wrong with an archive that `judge_container` takes."""
    try:
        if artefact.is_wheel:
            yield from judge_zip(artefact)
        elif artefact.path.suffix != ".zip":
            yield from judge_tar(artefact)
    except UnreadableError:
        yield UNREADABLE


def judge_zip(artefact: Artefact) -> Iterator[Rejection]:
    """Find what is wrong with a wheel's zip file.

    Raises:
        UnreadableError: It cannot be read.
    """
    methods = {member.entry.compress_type for member in artefact.members if isinstance(member.entry, zipfile.ZipInfo)}
    if methods - {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        yield invalid("zip-compression", "File does not use a supported compression type")
    yield from judge_wheel_name(artefact.path.name)
    place = f"{artefact.folder}/WHEEL"
    if artefact.read(place) is None:
        yield invalid("wheel-file", f"WHEEL not found at {place}")
    assert isinstance(artefact.archive, zipfile.ZipFile)  # noqa: S101 - for mypy
    try:
        Framing(artefact.archive).check()
    except FramingError as error:
        yield invalid("zip-framing", f"ZIP archive not accepted: {error}.", SEE)


def judge_wheel_name(name: str) -> Iterator[Rejection]:
    """Find out whether the name of a wheel leads to its .dist-info folder."""
    if name.count("-") < 2:  # noqa: PLR2004 - NAME-VERSION-TAGS
        yield invalid("file-name", "Unable to parse name and version from wheel filename")


def judge_tar(artefact: Artefact) -> Iterator[Rejection]:
    """Find what is wrong with an sdist's tar file.

    Raises:
        UnreadableError: It cannot be read.
    """
    if any(isinstance(member.entry, tarfile.TarInfo) and member.entry.issparse() for member in artefact.members):
        yield invalid("no-sparse-members", "tar archive not accepted: Sparse members are not allowed.", SEE)
    if artefact.top in {".", "/", ""}:
        yield invalid("one-top-folder", "Incorrect number of top-level directories in sdist")
    elif artefact.metadata_name not in artefact.names:
        yield invalid("metadata-present", f"PKG-INFO not found at {artefact.metadata_name}")


class FramingError(Exception):
    """A zip file is read differently by different programs; the message is PyPI's."""


class Framing:
    """The records of a zip file, one after the other, compared with what its central directory says.

    A program that reads the directory and one that reads the members as they come must see the same. The source is
    PyPI's: warehouse/utils/zipfiles.py, _validate_zipfile. What it does not take is raised as FramingError.
    """

    def __init__(self, archive: zipfile.ZipFile) -> None:
        """Begin at the start of the file."""
        assert archive.fp is not None  # noqa: S101 - for mypy: it is open
        self.file = archive.fp
        self.sizes = {entry.orig_filename: (entry.compress_size, entry.file_size) for entry in archive.filelist}
        self.members: set[bytes] = set()
        self.listed: set[bytes] = set()
        # Where the central directory begins, and how long it is.
        self.offset: int | None = None
        self.size = 0
        # What the end of Zip64 says of it, where that is, and where its locator says that it is.
        self.told64: tuple[int, int, int] | None = None
        self.end64: int | None = None
        self.located64: int | None = None

    def read(self, length: int) -> bytes:
        """Return the next bytes."""
        content = self.file.read(length)
        if len(content) != length:
            raise FramingError(MALFORMED)
        return content

    def check(self) -> None:
        """Read the whole file."""
        self.file.seek(0)
        readers = {LOCAL: self.read_local, CENTRAL: self.read_central, END64: self.read_end64}
        while (signature := self.read(4)) != END:
            if signature == LOCATOR:
                (self.located64,) = self.read_fields(LOCATOR)
            elif signature in readers:
                readers[signature]()
            else:
                raise FramingError("Unknown record signature")
        self.read_end()
        if self.listed != self.members:
            raise FramingError("Mis-matched local headers and central directory")
        if self.file.tell() != self.file.seek(0, 2):
            raise FramingError("Trailing data")

    def read_fields(self, signature: bytes) -> tuple[Any, ...]:
        """Return the fields of the record that begins with a signature."""
        record = RECORDS[signature]
        return record.unpack(self.read(record.size))

    def read_name(self, length: int, extra_length: int) -> tuple[bytes, bytes]:
        """Return a member's name and its extra fields."""
        name, extra = self.read(length), self.read(extra_length)
        check_printable(name)
        return name, extra

    def read_local(self) -> None:
        """Read a member with its header (APPNOTE 4.3.7)."""
        flags, method, packed, size, name_length, extra_length = self.read_fields(LOCAL)
        name, extra = self.read_name(name_length, extra_length)
        packed, size = read_extra(extra, method, packed, size)
        if flags & HAS_DATA_DESCRIPTOR:
            raise FramingError("ZIP contains a data descriptor")
        try:
            expected = self.sizes[name.decode("utf-8")]
        except UnicodeDecodeError as error:
            raise FramingError("Filename not unicode") from error
        except KeyError as error:
            raise FramingError("Filename not in central directory") from error
        if expected[0] != packed:
            raise FramingError("Mis-matched data size")
        if expected[1] != size:
            raise FramingError("Mis-matched file size")
        self.file.seek(packed, 1)
        if name in self.members:
            raise FramingError("Duplicate filename in local headers")
        self.members.add(name)

    def read_central(self) -> None:
        """Read a line of the central directory (APPNOTE 4.3.12)."""
        if self.offset is None:
            self.offset = self.file.tell() - 4
        name_length, extra_length, comment_length = self.read_fields(CENTRAL)
        if comment_length:
            raise FramingError("Comment in central directory")
        name, _ = self.read_name(name_length, extra_length)
        self.size += 4 + RECORDS[CENTRAL].size + name_length + extra_length
        if name in self.listed:
            raise FramingError("Duplicate filename in central directory")
        if name not in self.members:
            raise FramingError("Missing filename in local headers")
        self.listed.add(name)

    def read_end64(self) -> None:
        """Read the end of Zip64 (APPNOTE 4.3.14)."""
        self.end64 = self.file.tell() - 4
        length, on_disk, *told = self.read_fields(END64)
        if on_disk != told[0]:
            raise FramingError(MALFORMED)
        if length != RECORDS[END64].size - 8:
            raise FramingError("ZIP64 extensible data not allowed")
        self.told64 = (told[0], told[1], told[2])

    def read_end(self) -> None:
        """Read the end, and compare what it says of the central directory (APPNOTE 4.3.16)."""
        if self.end64 is not None and self.located64 is None:
            raise FramingError(MALFORMED)
        if self.offset is None:
            self.offset = self.file.tell() - 4
        on_disk, *told, comment_length = self.read_fields(END)
        if on_disk != told[0]:
            raise FramingError(MALFORMED)
        self.file.seek(comment_length, 1)
        if self.located64 is not None and self.told64 is not None:
            told = [*self.told64]
        records, size, offset = told
        found = {"records": (records, len(self.listed)), "offset": (offset, self.offset), "size": (size, self.size)}
        for name, (said, is_so) in found.items():
            if said != is_so:
                raise FramingError(f"Mismatched central directory {name}")


def check_printable(name: bytes) -> None:
    """Make sure that a name holds no control character."""
    if any(code < ord(" ") or code == 0x7F for code in name):  # noqa: PLR2004 - DEL
        raise FramingError("Invalid character in filename")


def read_extra(extra: bytes, method: int, packed: int, size: int) -> tuple[int, int]:
    """Return the packed and the full size of a member, which may be in its extra fields (APPNOTE 4.5)."""
    seen: set[int] = set()
    while extra:
        kind, length = struct.unpack("<HH", extra[:4]) if len(extra) >= 4 else (0, len(extra))  # noqa: PLR2004
        content, extra = extra[4 : 4 + length], extra[4 + length :]
        if len(content) != length:
            raise FramingError(MALFORMED)
        if kind in seen and kind in {ZIP64, UNICODE_PATH}:
            raise FramingError("Invalid duplicate extra in local file")
        seen.add(kind)
        if kind == ZIP64:
            packed, size = read_sizes(content, method, packed, size)
        elif kind == UNICODE_PATH:
            check_printable(content[5:])
            try:
                content[5:].decode("utf-8")
            except UnicodeDecodeError as error:
                raise FramingError("Filename not valid UTF-8") from error
    return packed, size


def read_sizes(content: bytes, method: int, packed: int, size: int) -> tuple[int, int]:
    """Return the packed and the full size of a member with the extra field of Zip64."""
    sizes = struct.unpack_from(f"<{min(len(content) // 8, 2)}Q", content)
    if len(content) not in {0, 8, 16, 24, 28}:
        raise FramingError(MALFORMED)
    if not sizes and SIZE_IS_ELSEWHERE in {packed, size}:
        raise FramingError(MALFORMED)
    # Only where nothing is packed are both sizes one.
    if len(sizes) == 1 and method != zipfile.ZIP_STORED:
        raise FramingError(MALFORMED)
    if not sizes:
        return packed, size
    return sizes[-1], sizes[0] if size == SIZE_IS_ELSEWHERE else size
