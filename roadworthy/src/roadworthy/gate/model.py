"""What the rules look at, and how a function becomes a rule. What each of them says stands in rules.md."""

import hashlib
import posixpath
import re
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from packaging.metadata import RawMetadata, parse_email
from packaging.tags import Tag, parse_tag
from packaging.utils import parse_sdist_filename, parse_wheel_filename
from packaging.version import Version

from roadworthy.gate.native import Library, read_library

# What zipfile, tarfile and zlib raise for bytes that are no archive, or a damaged one.
UNREADABLE = (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, OSError, RuntimeError, ValueError)
# More than this is not unpacked, not even in pieces.
LARGEST_MEMBER = 1 << 30
PIECE = 1 << 20
# The kinds of a tar archive's headers that hold a name, or more, of the next one.
EXTENDING = {
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
}
# PyPI's thresholds for a decompression bomb.
BOMB_SIZE = 64 << 20
BOMB_RATIO = 50


class UnreadableError(Exception):
    """An archive, or a member of one, cannot be read; the message says why."""


@contextmanager
def reading(what: str = "") -> Iterator[None]:
    """Raise UnreadableError for what cannot be read."""
    try:
        yield
    except UNREADABLE as error:
        raise UnreadableError(f"{what}{type(error).__name__}: {error}") from error


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong with one file, and what to do about it."""

    file: str
    rule: str
    what: str
    remedy: str


@dataclass(frozen=True)
class Rejection:
    """One reason for which PyPI takes no file: the rule of the gate that tells it, and PyPI's words.

    What PyPI adds to its words, mostly where to read more, is in `more`; of an address of its own only the path.
    """

    rule: str
    words: str
    more: str = ""


@dataclass(frozen=True)
class Member:
    """A file, folder or link in an archive. `size` is in bytes, unpacked."""

    name: str
    size: int
    entry: zipfile.ZipInfo | tarfile.TarInfo

    @property
    def kind(self) -> str:
        """What it is: file, folder, link or special."""
        if isinstance(self.entry, zipfile.ZipInfo):
            # 3 is Unix (APPNOTE 4.4.2).
            if self.entry.create_system == 3 and stat.S_ISLNK(self.entry.external_attr >> 16):  # noqa: PLR2004
                return "link"
            return "folder" if self.entry.is_dir() else "file"
        if self.entry.issym() or self.entry.islnk():
            return "link"
        return "file" if self.entry.isfile() else "folder" if self.entry.isdir() else "special"

    @property
    def unsafe(self) -> str | None:
        """What is wrong with its name or kind, wherever it is unpacked; None for nothing."""
        if self.kind in {"link", "special"}:
            return "is a link" if self.kind == "link" else "is neither file nor folder"
        if PurePosixPath(self.name).is_absolute() or PureWindowsPath(self.name).drive:
            return "is an absolute path"
        if ".." in PurePosixPath(self.name).parts:
            return "leads out of the archive"
        if "\\" in self.name:
            return "has a backslash in it"
        # Bytes that are no UTF-8 arrive as surrogates, which are not printable either.
        if not self.name.isprintable() or not self.name:
            return "has a character in it that cannot be printed"
        return None


class Header(tarfile.TarInfo):
    """A header that is refused where what extends it is longer than any name: tarfile reads that at once."""

    def _proc_member(self, archive: tarfile.TarFile) -> Any:  # noqa: ANN401 - tarfile's own, for subclasses
        if self.type in EXTENDING and self.size > PIECE:
            raise tarfile.ReadError(f"a header of {self.size:,} bytes")
        return super()._proc_member(archive)  # type: ignore[misc]


@dataclass(frozen=True)
class Expectations:
    """What this project expects of its artefacts."""

    name: str
    native_module: str
    version: Version
    oldest_python: str
    requires_python: str
    abi3_feature: str
    first_abi3t: str
    expected: tuple[str, ...]
    tracked: frozenset[str]
    builder_paths: tuple[bytes, ...]


@dataclass
class Artefact:
    """A file that is to be published. What looks into it raises UnreadableError where it is no archive, or damaged."""

    path: Path

    def __enter__(self) -> "Artefact":  # noqa: PYI034 - Self came with 3.11
        return self

    def __exit__(self, *_: object) -> None:
        if "archive" in self.__dict__:
            self.archive.close()

    @property
    def is_wheel(self) -> bool:
        """Whether it is called a wheel; anything else is taken for an sdist."""
        return self.path.name.endswith(".whl")

    @cached_property
    def parsed(self) -> tuple[str, Version, frozenset[Tag]] | None:
        """The normalised name, the version and the tags in the file name; None if it is no artefact's name."""
        try:
            if self.is_wheel:
                name, version, _, tags = parse_wheel_filename(self.path.name)
                return name, version, tags
            return (*parse_sdist_filename(self.path.name), frozenset())
        except ValueError:
            return None

    @property
    def tags(self) -> frozenset[Tag]:
        """The tags in the file name; none for an sdist."""
        return self.parsed[2] if self.parsed else frozenset()

    @property
    def folder(self) -> str:
        """The folder that the metadata of a wheel is in, or all of an sdist, as the file name spells it."""
        if self.is_wheel:
            return "-".join(self.path.name.split("-")[:2]) + ".dist-info"
        return self.path.name.removesuffix(".tar.gz")

    @cached_property
    def archive(self) -> zipfile.ZipFile | tarfile.TarFile:
        """The open archive."""
        with reading():
            return zipfile.ZipFile(self.path) if self.is_wheel else tarfile.open(self.path, "r:gz", tarinfo=Header)

    @cached_property
    def members(self) -> list[Member]:
        """Everything in the archive, in its order."""
        found: list[Member] = []
        total = 0
        with reading():
            if isinstance(self.archive, zipfile.ZipFile):
                return [Member(entry.filename, entry.file_size, entry) for entry in self.archive.infolist()]
            # To reach the next header all that is before it has to be unpacked, so a bomb ends the reading.
            for entry in self.archive:
                found.append(Member(entry.name, entry.size, entry))
                total += entry.size
                if entry.size > LARGEST_MEMBER or self.is_bomb(total):
                    break
        return found

    @property
    def size(self) -> int:
        """How many bytes everything in the archive has, unpacked."""
        return sum(member.size for member in self.members)

    def is_bomb(self, total: int) -> bool:
        """Whether members of this size in all are so many times larger than the file that PyPI takes it for a bomb."""
        return total > BOMB_SIZE and total > BOMB_RATIO * self.path.stat().st_size

    @cached_property
    def files(self) -> dict[str, Member]:
        """The regular files by their names; of two with one name, the last, which is what installers take."""
        return {member.name: member for member in self.members if member.kind == "file"}

    def pieces(self, member: Member) -> Iterator[bytes]:
        """Yield the content of a member in pieces, so that memory does not grow with it."""
        if member.size > LARGEST_MEMBER:
            raise UnreadableError(f"{member.name} is too large to be unpacked: {member.size:,} bytes")
        with reading(f"{member.name}: "):
            opened: Any = self.archive.open if isinstance(self.archive, zipfile.ZipFile) else self.archive.extractfile
            with opened(member.entry) as file:
                while piece := file.read(PIECE):
                    yield piece

    def read(self, name: str) -> bytes | None:
        """Return the content of a file, or None if there is none of that name."""
        member = self.files.get(name)
        return None if member is None else b"".join(self.pieces(member))

    @cached_property
    def digests(self) -> dict[str, "hashlib._Hash"]:
        """The SHA-256 of every file. Reading them all finds every damaged one."""
        found = {}
        for name, member in self.files.items():
            found[name] = hashlib.sha256()
            for piece in self.pieces(member):
                found[name].update(piece)
        return found

    @cached_property
    def names(self) -> frozenset[str]:
        """The names of everything in the archive."""
        return frozenset(member.name for member in self.members)

    @cached_property
    def top(self) -> str:
        """The folder in which everything is that an archive holds; "" if there is no such."""
        try:
            return posixpath.commonpath(self.names)
        except ValueError:
            # There is nothing in it, or some are absolute, and others are not.
            return ""

    @property
    def metadata_name(self) -> str:
        """The name of the file with the core metadata, where PyPI looks for it."""
        return f"{self.folder}/METADATA" if self.is_wheel else f"{self.top}/PKG-INFO"

    @cached_property
    def metadata(self) -> bytes | None:
        """The core metadata as it stands in the archive."""
        return self.read(self.metadata_name)

    @cached_property
    def fields(self) -> RawMetadata:
        """The core metadata as it was written, without the fields that cannot be read."""
        return parse_email(self.metadata or b"")[0]

    @cached_property
    def native(self) -> list[str]:
        """The names of what is called a shared library in a wheel."""
        return [name for name in self.files if re.search(r"\.(so(\.[0-9.]+)?|pyd|dylib|dll)$", name)]

    @cached_property
    def libraries(self) -> dict[str, Library]:
        """Those, each with what it says of itself."""
        return {name: read_library(self.read(name) or b"") for name in self.native}


def wheel_fields(content: bytes | str) -> dict[str, list[str]]:
    """Return the fields of a WHEEL file by their names in lower case: none of them is one of the core metadata."""
    return parse_email(content)[1]


def wheel_tags(content: bytes | str) -> frozenset[Tag]:
    """Return the tags in a WHEEL file; a line that is none counts for nothing."""
    tags = wheel_fields(content).get("tag", [])
    return frozenset(tag for line in tags if line.count("-") == 2 for tag in parse_tag(line))  # noqa: PLR2004


Check = Callable[..., Iterator[str]]


@dataclass(frozen=True)
class Rule:
    """A function that looks at one thing and yields a line for each thing that is wrong with it."""

    name: str
    check: Check
    applies_to: str
    needs_project: bool


def rule(applies_to: str, *, needs_project: bool = False) -> Callable[[Check], Rule]:
    """Make a function a rule, under its own name with dashes; rules.md has an entry of that name.

    Args:
        applies_to: `folder` (it gets all artefacts of one), `wheel`, `sdist` or `both` (it gets one artefact).
        needs_project: It compares with this project's own facts, so it is left out for others' artefacts.
    """
    return lambda check: Rule(check.__name__.replace("_", "-"), check, applies_to, needs_project)
