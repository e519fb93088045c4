"""What PyPI rejects of an archive, before it looks at the names in it: in its order and its words.

The source is PyPI's: warehouse/forklift/legacy.py, _is_valid_dist_file, and warehouse/utils/zipfiles.py. Its search for
malware is left out, and an sdist that is a zip file is not looked into: its name is rejected a moment later.
"""

import re
import struct
import tarfile
import zipfile
from collections.abc import Iterator
from typing import Any

from roadworthy.gate.model import BOMB_RATIO, Artefact, Rejection, UnreadableError

SEE = "See /archives for more information"
# Signatures of a zip file's records, and what follows each (APPNOTE 4.3): the fields that are looked at.
LOCAL, CENTRAL, END, END64, LOCATOR = (b"PK" + end for end in (b"\3\4", b"\1\2", b"\5\6", b"\6\6", b"\6\7"))
RECORDS = {
    LOCAL: struct.Struct("<xxHHxxxxxxxxLLHH"),
    CENTRAL: struct.Struct("<24xHHH12x"),
    END: struct.Struct("<xxxxHHLLH"),
    END64: struct.Struct("<Q12xQQQQ"),
    LOCATOR: struct.Struct("<16x"),
}
HAS_DATA_DESCRIPTOR = 0x0008
# The size is in the extra field of Zip64.
SIZE_IS_ELSEWHERE = 0xFFFFFFFF
ZIP64, UNICODE_PATH = 0x0001, 0x7075
CONTROL = re.compile(rb"[\x00-\x1f\x7f]")
MALFORMED, UNPRINTABLE = "Malformed zip file", "Invalid character in filename"


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
            if artefact.is_bomb(artefact.size):
                yield invalid("no-bomb", f"File exceeds compression ratio of {BOMB_RATIO}")
        except UnreadableError:
            yield invalid("readable-archive", "None")


def judge_archive(artefact: Artefact) -> Iterator[Rejection]:
    """Find what is wrong with an archive that `judge_container` takes."""
    if artefact.path.suffix == ".zip":
        return
    try:
        archive = artefact.archive
        yield from judge_zip(artefact, archive) if isinstance(archive, zipfile.ZipFile) else judge_tar(artefact)
    except UnreadableError:
        yield invalid("readable-archive", "None")


def judge_zip(artefact: Artefact, archive: zipfile.ZipFile) -> Iterator[Rejection]:
    """Find what is wrong with a wheel's zip file."""
    if {entry.compress_type for entry in archive.infolist()} - {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        yield invalid("zip-compression", "File does not use a supported compression type")
    yield from judge_wheel_name(artefact.path.name)
    place = f"{artefact.folder}/WHEEL"
    if artefact.read(place) is None:
        yield invalid("wheel-file", f"WHEEL not found at {place}")
    try:
        Framing(archive).check()
    except FramingError as error:
        yield invalid("zip-framing", f"ZIP archive not accepted: {error}.", SEE)


def judge_wheel_name(name: str) -> Iterator[Rejection]:
    """Find out whether the name of a wheel leads to its .dist-info folder."""
    if name.count("-") < 2:  # noqa: PLR2004 - NAME-VERSION-TAGS
        yield invalid("file-name", "Unable to parse name and version from wheel filename")


def judge_tar(artefact: Artefact) -> Iterator[Rejection]:
    """Find what is wrong with an sdist's tar file."""
    if any(isinstance(member.entry, tarfile.TarInfo) and member.entry.issparse() for member in artefact.members):
        yield invalid("no-sparse-members", "tar archive not accepted: Sparse members are not allowed.", SEE)
    if artefact.top in {".", "/", ""}:
        yield invalid("one-top-folder", "Incorrect number of top-level directories in sdist")
    elif artefact.metadata_name not in artefact.names:
        yield invalid("metadata-present", f"PKG-INFO not found at {artefact.metadata_name}")


class FramingError(Exception):
    """A zip file is read differently by different programs; the message is PyPI's."""


def require(fits: bool, words: str) -> None:
    """Raise PyPI's words, unless the zip file is as it has to be."""
    if not fits:
        raise FramingError(words)


class Framing:
    """The records of a zip file, one after the other, compared with what its central directory says.

    A program that reads the directory and one that reads the members as they come must see the same. The source is
    PyPI's: warehouse/utils/zipfiles.py, _validate_zipfile. What it does not take is raised as FramingError.
    """

    def __init__(self, archive: zipfile.ZipFile) -> None:
        """Begin at the start of the file."""
        self.file: Any = archive.fp
        self.sizes = {entry.orig_filename: (entry.compress_size, entry.file_size) for entry in archive.filelist}
        self.members, self.listed = set[bytes](), set[bytes]()
        # Where the central directory begins, and how long it is.
        self.offset: int | None = None
        self.size = 0
        # What the end of Zip64 says of it, and whether there is a locator of that end.
        self.told64: list[int] | None = None
        self.located64 = False

    def read(self, length: int) -> bytes:
        """Return the next bytes."""
        content: bytes = self.file.read(length)
        require(len(content) == length, MALFORMED)
        return content

    def check(self) -> None:
        """Read the whole file."""
        self.file.seek(0)
        each = {LOCAL: self.read_local, CENTRAL: self.read_central, END64: self.read_end64, LOCATOR: self.read_locator}
        while (signature := self.read(4)) != END:
            require(signature in each, "Unknown record signature")
            each[signature]()
        self.read_end()
        require(self.listed == self.members, "Mis-matched local headers and central directory")
        require(self.file.tell() == self.file.seek(0, 2), "Trailing data")

    def read_fields(self, signature: bytes) -> tuple[Any, ...]:
        """Return the fields of the record that begins with a signature."""
        return RECORDS[signature].unpack(self.read(RECORDS[signature].size))

    def read_name(self, length: int, extra_length: int) -> tuple[bytes, bytes]:
        """Return a member's name and its extra fields."""
        name, extra = self.read(length), self.read(extra_length)
        require(not CONTROL.search(name), UNPRINTABLE)
        return name, extra

    def read_local(self) -> None:
        """Read a member with its header (APPNOTE 4.3.7)."""
        flags, method, packed, size, name_length, extra_length = self.read_fields(LOCAL)
        name, extra = self.read_name(name_length, extra_length)
        packed, size = read_extra(extra, method, packed, size)
        require(not flags & HAS_DATA_DESCRIPTOR, "ZIP contains a data descriptor")
        try:
            expected = self.sizes[name.decode("utf-8")]
        except UnicodeDecodeError as error:
            raise FramingError("Filename not unicode") from error
        except KeyError as error:
            raise FramingError("Filename not in central directory") from error
        require(expected[0] == packed, "Mis-matched data size")
        require(expected[1] == size, "Mis-matched file size")
        self.file.seek(packed, 1)
        require(name not in self.members, "Duplicate filename in local headers")
        self.members.add(name)

    def read_central(self) -> None:
        """Read a line of the central directory (APPNOTE 4.3.12)."""
        if self.offset is None:
            self.offset = self.file.tell() - 4
        name_length, extra_length, comment_length = self.read_fields(CENTRAL)
        require(not comment_length, "Comment in central directory")
        name, _ = self.read_name(name_length, extra_length)
        self.size += 4 + RECORDS[CENTRAL].size + name_length + extra_length
        require(name not in self.listed, "Duplicate filename in central directory")
        require(name in self.members, "Missing filename in local headers")
        self.listed.add(name)

    def read_end64(self) -> None:
        """Read the end of Zip64 (APPNOTE 4.3.14)."""
        length, on_disk, *self.told64 = self.read_fields(END64)
        require(on_disk == self.told64[0], MALFORMED)
        require(length == RECORDS[END64].size - 8, "ZIP64 extensible data not allowed")

    def read_locator(self) -> None:
        """Read what leads to the end of Zip64 (APPNOTE 4.3.15)."""
        self.read_fields(LOCATOR)
        self.located64 = True

    def read_end(self) -> None:
        """Read the end, and compare what it says of the central directory (APPNOTE 4.3.16)."""
        require(self.told64 is None or self.located64, MALFORMED)
        if self.offset is None:
            self.offset = self.file.tell() - 4
        on_disk, *told, comment_length = self.read_fields(END)
        require(on_disk == told[0], MALFORMED)
        self.file.seek(comment_length, 1)
        records, size, offset = self.told64 or told
        require(records == len(self.listed), "Mismatched central directory records")
        require(offset == self.offset, "Mismatched central directory offset")
        require(size == self.size, "Mismatched central directory size")


def read_extra(extra: bytes, method: int, packed: int, size: int) -> tuple[int, int]:
    """Return the packed and the full size of a member, which may be in its extra fields (APPNOTE 4.5)."""
    seen: set[int] = set()
    while extra:
        kind, length = struct.unpack("<HH", extra[:4]) if len(extra) >= 4 else (0, len(extra))  # noqa: PLR2004
        content, extra = extra[4 : 4 + length], extra[4 + length :]
        require(len(content) == length, MALFORMED)
        require(kind not in seen or kind not in {ZIP64, UNICODE_PATH}, "Invalid duplicate extra in local file")
        seen.add(kind)
        if kind == ZIP64:
            packed, size = read_sizes(content, method, packed, size)
        elif kind == UNICODE_PATH:
            require(not CONTROL.search(content[5:]), UNPRINTABLE)
            try:
                content[5:].decode("utf-8")
            except UnicodeDecodeError as error:
                raise FramingError("Filename not valid UTF-8") from error
    return packed, size


def read_sizes(content: bytes, method: int, packed: int, size: int) -> tuple[int, int]:
    """Return the packed and the full size of a member with the extra field of Zip64."""
    sizes = struct.unpack_from(f"<{min(len(content) // 8, 2)}Q", content)
    require(len(content) in {0, 8, 16, 24, 28}, MALFORMED)
    require(bool(sizes) or SIZE_IS_ELSEWHERE not in {packed, size}, MALFORMED)
    # Only where nothing is packed are both sizes one.
    require(len(sizes) != 1 or method == zipfile.ZIP_STORED, MALFORMED)
    if not sizes:
        return packed, size
    return sizes[-1], sizes[0] if size == SIZE_IS_ELSEWHERE else size
