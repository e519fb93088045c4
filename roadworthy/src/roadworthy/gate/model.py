"""What rules look at, and how a rule is made.

A rule is a function that looks at one thing and yields a line for each thing that is wrong. Its docstring is its entry
in docs/checks.md: what must hold, then `Why:`, `Source:` and `Remedy:`, one line each.
"""

import hashlib
import posixpath
import re
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, NoReturn

from packaging.metadata import RawMetadata, parse_email
from packaging.tags import Tag, parse_tag
from packaging.utils import InvalidSdistFilename, InvalidWheelFilename, parse_sdist_filename, parse_wheel_filename
from packaging.version import Version

from roadworthy.gate.native import Library, NotALibraryError, read_library

# What zipfile, tarfile and zlib raise for bytes that are no archive, or a damaged one.
UNREADABLE = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    EOFError,
    NotImplementedError,
    OSError,
    RuntimeError,
    UnicodeDecodeError,
    ValueError,
)
# More than this is not unpacked, not even in pieces.
LARGEST_MEMBER = 1 << 30
PIECE = 1 << 20
# PyPI's thresholds for a decompression bomb.
BOMB_SIZE = 64 << 20
BOMB_RATIO = 50


class UnreadableError(Exception):
    """An archive, or a member of one, cannot be read; the message says why."""


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
    kind: str  # file, folder, link or special
    entry: zipfile.ZipInfo | tarfile.TarInfo

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
    """A file that is to be published."""

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
            name, version = parse_sdist_filename(self.path.name)
        except (InvalidWheelFilename, InvalidSdistFilename):
            return None
        return name, version, frozenset()

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
        """The open archive.

        Raises:
            UnreadableError: It is none, or damaged.
        """
        try:
            return zipfile.ZipFile(self.path) if self.is_wheel else tarfile.open(self.path, "r:gz")
        except UNREADABLE as error:
            raise UnreadableError(f"{type(error).__name__}: {error}") from error

    @cached_property
    def members(self) -> list[Member]:
        """Everything in the archive, in its order.

        Raises:
            UnreadableError: The archive is damaged.
        """
        try:
            if isinstance(self.archive, zipfile.ZipFile):
                return [
                    Member(entry.filename, entry.file_size, zip_kind(entry), entry) for entry in self.archive.infolist()
                ]
            return self._tar_members(self.archive)
        except UNREADABLE as error:
            raise UnreadableError(f"{type(error).__name__}: {error}") from error

    def _tar_members(self, archive: tarfile.TarFile) -> list[Member]:
        found: list[Member] = []
        # To reach the next header all that is before it has to be unpacked, so a bomb ends the reading.
        for entry in archive:
            found.append(Member(entry.name, entry.size, tar_kind(entry), entry))
            if entry.size > LARGEST_MEMBER or self.is_bomb(found):
                break
        return found

    def is_bomb(self, members: list[Member]) -> bool:
        """Whether these members are so many times larger than the file that PyPI takes it for a bomb."""
        total = sum(member.size for member in members)
        return total > BOMB_SIZE and total > BOMB_RATIO * self.path.stat().st_size

    @cached_property
    def files(self) -> dict[str, Member]:
        """The regular files by their names; of two with one name, the last, which is what installers take."""
        return {member.name: member for member in self.members if member.kind == "file"}

    def pieces(self, member: Member) -> Iterator[bytes]:
        """Yield the content of a member in pieces, so that memory does not grow with it.

        Raises:
            UnreadableError: It cannot be unpacked, or is larger than `LARGEST_MEMBER`.
        """
        if member.size > LARGEST_MEMBER:
            raise UnreadableError(f"{member.name} is too large to be unpacked: {member.size:,} bytes")
        try:
            if isinstance(self.archive, zipfile.ZipFile):
                file: Any = self.archive.open(member.entry)  # type: ignore[arg-type]
            else:
                file = self.archive.extractfile(member.entry)  # type: ignore[arg-type]
            with file:
                while piece := file.read(PIECE):
                    yield piece
        except UNREADABLE as error:
            raise UnreadableError(f"{member.name}: {type(error).__name__}: {error}") from error

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
            return posixpath.commonpath(self.names) if self.names else ""
        except ValueError:
            # Some are absolute, others are not.
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
        """The names of the shared libraries in a wheel."""
        return [name for name in self.files if re.search(r"\.(so(\.[0-9.]+)?|pyd|dylib|dll)$", name)]

    @cached_property
    def _libraries(self) -> tuple[dict[str, Library], dict[str, str]]:
        read, damaged = {}, {}
        for name in self.native:
            try:
                read[name] = read_library(self.read(name) or b"")
            except NotALibraryError as error:
                damaged[name] = str(error)
        return read, damaged

    @property
    def libraries(self) -> dict[str, Library]:
        """The shared libraries in a wheel, by their names."""
        return self._libraries[0]

    @property
    def damaged_libraries(self) -> dict[str, str]:
        """The files that are called shared libraries and are none, with the reason."""
        return self._libraries[1]

    @property
    def package_files(self) -> list[str]:
        """The names of a wheel's files that are installed beside .dist-info and .data folders."""
        return [name for name in self.files if not PurePosixPath(name).parts[0].endswith((".dist-info", ".data"))]


def wheel_fields(content: bytes | str) -> dict[str, list[str]]:
    """Return the fields of a WHEEL file by their names in lower case: none of them is one of the core metadata."""
    return parse_email(content)[1]


def wheel_tags(content: bytes | str) -> frozenset[Tag]:
    """Return the tags in a WHEEL file; a line that is none counts for nothing."""
    tags = wheel_fields(content).get("tag", [])
    return frozenset(tag for line in tags if line.count("-") == 2 for tag in parse_tag(line))  # noqa: PLR2004


def zip_kind(entry: zipfile.ZipInfo) -> str:
    """Return what a zip entry is."""
    mode = entry.external_attr >> 16
    if entry.create_system == 3 and stat.S_ISLNK(mode):  # noqa: PLR2004 - 3 is Unix (APPNOTE 4.4.2)
        return "link"
    return "folder" if entry.is_dir() else "file"


def tar_kind(entry: tarfile.TarInfo) -> str:
    """Return what a tar entry is."""
    if entry.isfile():
        return "file"
    if entry.isdir():
        return "folder"
    return "link" if entry.issym() or entry.islnk() else "special"


Check = Callable[..., Iterator[str]]


@dataclass(frozen=True)
class Rule:
    """A rule: what it finds by itself, and what its docstring says of it."""

    name: str
    module: str
    check: Check
    applies_to: str  # folder, wheel, sdist or both
    needs_project: bool
    what: str
    why: str
    source: str
    remedy: str


def rule(applies_to: str, *, needs_project: bool = False) -> Callable[[Check], Rule]:
    """Make a function a rule, under its own name with dashes.

    Args:
        applies_to: `folder` (it gets all artefacts of one), `wheel`, `sdist` or `both` (it gets one artefact).
        needs_project: It compares with this project's own facts, so it is left out for others' artefacts.
    """

    def make(check: Check) -> Rule:
        name = check.__name__.replace("_", "-")
        return Rule(name, check.__module__, check, applies_to, needs_project, *documentation(check.__doc__ or ""))

    return make


def nothing(*_: object) -> Iterator[NoReturn]:
    """Find nothing."""
    return iter(())


def documented(module: str, text: str) -> tuple[Rule, ...]:
    """Make rules that find nothing by themselves, of paragraphs that begin with `name (kind): what must hold`."""
    rules = []
    for paragraph in text.strip().split("\n\n"):
        head, told = re.split(r":\s", paragraph, maxsplit=1)
        name, kind = head.strip(" )").split(" (")
        rules.append(Rule(name, module, nothing, kind, False, *documentation(told)))
    return tuple(rules)


def documentation(text: str) -> list[str]:
    """Return what a text says of a rule: what must hold, why, the source, the remedy."""
    found = re.fullmatch(r"(.*?)\n\s*Why: (.*?)\n\s*Source: (.*?)\n\s*Remedy: (.*)", text, re.DOTALL)
    if found is None:
        raise ValueError(f"the documentation of a rule lacks Why:, Source: or Remedy: {text!r}")
    return [" ".join(part.split()) for part in found.groups()]
