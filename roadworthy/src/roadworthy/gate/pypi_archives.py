"""What PyPI rejects of an archive, before it looks at the names in it: in its order and its words.

The source is PyPI's: warehouse/forklift/legacy.py, _is_valid_dist_file, and warehouse/utils/zipfiles.py. Its search for
malware is left out, and an sdist that is a zip file is not looked into: its name is rejected a moment later.
"""

import re
import struct
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from roadworthy.gate.model import BOMB_RATIO, BOMB_SIZE, Artefact, Header, Rejection, UnreadableError, reading

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
SIZE_IS_ELSEWHERE = 0xFFFFFFFF  # in the extra field of Zip64
ZIP64, UNICODE_PATH = 0x0001, 0x7075
CONTROL = re.compile(rb"[\x00-\x1f\x7f]")
MALFORMED, UNPRINTABLE = "Malformed zip file", "Invalid character in filename"


def invalid(rule: str, words: str, more: str = "") -> Rejection:
    """Return the rejection of a file that is no distribution."""
    return Rejection(rule, f"Invalid distribution file. {words}", more)


def judge_container(artefact: Artefact) -> Iterator[Rejection]:
    """Find what keeps PyPI from looking into the file."""
    path = artefact.path
    is_zip, is_tar = zipfile.is_zipfile(path), is_tarfile(path)
    if is_zip and is_tar:
        yield invalid("readable-archive", "File is both a zip and a tar file")
    elif path.suffix in {".whl", ".zip"} and not is_zip:
        yield invalid("readable-archive", "File is not a zipfile")
    elif path.suffix == ".gz" and not is_tar:
        yield invalid("readable-archive", "File is not a tarfile")
    elif artefact.is_wheel:
        try:
            if sum(member.size for member in artefact.members) > max(BOMB_SIZE, BOMB_RATIO * path.stat().st_size):
                yield invalid("no-bomb", f"File exceeds compression ratio of {BOMB_RATIO}")
        except UnreadableError as error:
            yield from [invalid("readable-archive", "None")] if error.rule == "readable-archive" else []


def is_tarfile(path: Path) -> bool:
    """Say whether a file begins as a tar file, as tarfile.is_tarfile does, which reads a header of any size."""
    try:
        with reading(), tarfile.open(path, tarinfo=Header):
            return True
    except UnreadableError as error:
        return error.rule != "readable-archive"


def judge_archive(artefact: Artefact) -> Iterator[Rejection]:
    """Find what is wrong with an archive that `judge_container` takes."""
    if artefact.path.suffix == ".zip":
        return
    try:
        archive = artefact.archive
        with reading():
            yield from judge_zip(artefact, archive) if isinstance(archive, zipfile.ZipFile) else judge_tar(artefact)
    except UnreadableError as error:
        if error.rule == "no-sparse-members":
            yield Rejection(error.rule, str(error), SEE)
        else:
            yield invalid("readable-archive", "None")


def judge_zip(artefact: Artefact, archive: zipfile.ZipFile) -> Iterator[Rejection]:
    """Find what is wrong with a wheel's zip file."""
    if {entry.compress_type for entry in archive.infolist()} - {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        yield invalid("zip-compression", "File does not use a supported compression type")
        return
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
    """Find what is wrong with an sdist's tar file; reading a sparse member raises UnreadableError, told as that."""
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
    """The records of a zip file, one after the other, which must be what its central directory says.

    The source is PyPI's: warehouse/utils/zipfiles.py, _validate_zipfile. What it does not take is a FramingError.
    """

    def __init__(self, archive: zipfile.ZipFile) -> None:
        """Begin at the start of the file."""
        self.file: Any = archive.fp
        self.sizes = {entry.orig_filename: (entry.compress_size, entry.file_size) for entry in archive.filelist}
        self.members, self.listed = set[bytes](), set[bytes]()
        # By their signatures, where the first of the records begins, and the fields of the last.
        self.starts, self.fields = dict[bytes, int](), dict[bytes, tuple[Any, ...]]()
        self.size = 0  # of the central directory

    def read(self, length: int) -> bytes:
        """Return the next bytes."""
        content: bytes = self.file.read(length)
        require(len(content) == length, MALFORMED)
        return content

    def check(self) -> None:
        """Read the whole file."""
        self.file.seek(0)
        readers: dict[bytes, Callable[..., None]] = {
            LOCAL: self.read_local, CENTRAL: self.read_central, END64: self.read_end64, END: self.read_end
        }  # fmt: skip
        while END not in self.fields:
            start, signature = self.file.tell(), self.read(4)
            require(signature in RECORDS, "Unknown record signature")
            self.starts.setdefault(signature, start)
            self.fields[signature] = RECORDS[signature].unpack(self.read(RECORDS[signature].size))
            if signature in readers:
                readers[signature](*self.fields[signature])
        require(self.listed == self.members, "Mis-matched local headers and central directory")
        require(self.file.tell() == self.file.seek(0, 2), "Trailing data")

    def read_name(self, length: int, extra_length: int) -> tuple[bytes, bytes]:
        """Return a member's name and its extra fields."""
        name, extra = self.read(length), self.read(extra_length)
        require(not CONTROL.search(name), UNPRINTABLE)
        return name, extra

    def read_local(self, flags: int, method: int, packed: int, size: int, *lengths: int) -> None:
        """Read a member behind its header (APPNOTE 4.3.7)."""
        name, extra = self.read_name(*lengths)
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

    def read_central(self, name_length: int, extra_length: int, comment_length: int) -> None:
        """Read a line of the central directory (APPNOTE 4.3.12)."""
        require(not comment_length, "Comment in central directory")
        name, _ = self.read_name(name_length, extra_length)
        self.size += 4 + RECORDS[CENTRAL].size + name_length + extra_length
        require(name not in self.listed, "Duplicate filename in central directory")
        require(name in self.members, "Missing filename in local headers")
        self.listed.add(name)

    def read_end64(self, length: int, on_disk: int, records: int, *_: int) -> None:
        """Look at the end of Zip64 (APPNOTE 4.3.14)."""
        require(on_disk == records, MALFORMED)
        require(length == RECORDS[END64].size - 8, "ZIP64 extensible data not allowed")

    def read_end(self, on_disk: int, records: int, size: int, offset: int, comment_length: int) -> None:
        """Compare what the end says of the central directory, or that of Zip64 (APPNOTE 4.3.15, 4.3.16)."""
        require(END64 not in self.fields or LOCATOR in self.fields, MALFORMED)
        require(on_disk == records, MALFORMED)
        self.file.seek(comment_length, 1)
        _, _, records, size, offset = self.fields.get(END64, (0, 0, records, size, offset))
        require(records == len(self.listed), "Mismatched central directory records")
        require(offset == self.starts.get(CENTRAL, self.starts[END]), "Mismatched central directory offset")
        require(size == self.size, "Mismatched central directory size")


def extra_fields(extra: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the kind and the content of each further field of a member (APPNOTE 4.5)."""
    place = 0
    while place < len(extra):
        require(place + 4 <= len(extra), MALFORMED)
        kind, length = struct.unpack_from("<HH", extra, place)
        place += 4 + length
        require(place <= len(extra), MALFORMED)
        yield kind, extra[place - length : place]


def read_extra(extra: bytes, method: int, packed: int, size: int) -> tuple[int, int]:
    """Return the packed and the full size of a member, which may be in its extra fields (APPNOTE 4.5)."""
    seen: set[int] = set()
    for kind, content in extra_fields(extra):
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
