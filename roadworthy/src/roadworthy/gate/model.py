"""What the rules look at, and how a function becomes a rule. What each of them says stands in rules.md."""

import hashlib
import io
import os
import posixpath
import re
import stat
import struct
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from email.errors import MessageError
from functools import cached_property, reduce
from itertools import chain
from pathlib import Path
from typing import IO, Any, NamedTuple, cast

import tomli
from packaging.metadata import RawMetadata, parse_email
from packaging.tags import Tag, parse_tag
from packaging.utils import parse_sdist_filename, parse_wheel_filename
from packaging.version import Version

from roadworthy.declared import Contents
from roadworthy.gate.native import PROGRAMS, Library, read_libraries
from roadworthy.project import Project
from roadworthy.tables import find
from roadworthy.terminal import err, printable

# What zipfile, tarfile and zlib raise for bytes that are no archive, or a damaged one, and email for a damaged header.
UNREADABLE = (
    zipfile.BadZipFile, tarfile.TarError, zlib.error, struct.error,
    EOFError, LookupError, MessageError, OSError, OverflowError, RuntimeError, ValueError,
)  # fmt: skip
PIECE = 1 << 20
# What is larger is not read, so that no file takes more than 300 MB of memory or a minute (benchmarks/bounds.py): all
# that is in an archive, a library, any other file that is read whole, the names and headers together, and one header.
LARGEST_CONTENT, LARGEST_LIBRARY, LARGEST_TEXT = 1 << 30, 160 << 20, 8 << 20
LARGEST_LISTING, LARGEST_HEADER, MOST_MEMBERS = 12 << 20, 1 << 16, 65_535
LONGEST_PATHS = 1024  # macOS's PATH_MAX
NO_SPARSE = "Invalid distribution file. tar archive not accepted: Sparse members are not allowed."
# Tar's headers that only say more of the next one (POSIX pax, GNU tar), and what is not read in one: it makes a member
# sparse, or Python before 3.13 look at every digit once for each that follows (CVE-2024-6232).
LONG_HEADERS = (*tarfile.GNU_TYPES, tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE)
SPARSE, DIGITS = b"GNU.sparse", re.compile(rb"[0-9]{1000}")
BOMB_SIZE, BOMB_RATIO = 64 << 20, 50  # PyPI's thresholds for a decompression bomb
# Of a zip file's member: that it was made on Unix (APPNOTE 4.4.2), is encrypted, or a patch for one (4.4.4); its own
# header: signature, flags, method, checksum, and the lengths of its name and of further fields (4.3.7).
UNIX = 3
IS_ENCRYPTED = 0x0001 | 0x0020 | 0x0040 | 0x2000
LOCAL_HEADER = struct.Struct("<4sxxHH4xL8xHH")
# How what stands for a file of Git LFS (its spec, v1), of git-annex or of a link begins, and one side of a conflict.
POINTERS = (b"version https://git-lfs.github.com/spec/", b"/annex/objects/")
UPWARDS, CONFLICT = b"../", b"<<<<<<< "
# A private key, and not its first line alone, which programs have that read some; and how tokens begin, as who issues
# them says. Each by itself, and with what must not stand before it behind its first letters: Python looks for a text of
# letters a hundred times as fast as for one of several.
SECRETS = [
    re.compile(line, re.DOTALL)
    for line in rb"""
-----BEGIN[A-Z\x20]*\x20PRIVATE\x20KEY(?:\x20BLOCK)?-----(?:\\[rn]|[\s"'+])+(?:[A-Za-z-]+:\x20|[A-Za-z0-9+/]{16})
pypi-AgE(?<!\w.{8})[\w-]{16}
gh[pousr]_(?<!\w.{4})[A-Za-z0-9]{36}
github_pat_(?<!\w.{11})\w{22}
glpat-(?<!\w.{6})[\w-]{20}
AKIA(?<!\w.{4})[0-9A-Z]{16}\b
xox[abprs]-(?<!\w.{5})[A-Za-z0-9-]{10}
cio(?<!\w.{3})[A-Za-z0-9]{32}\b
npm_(?<!\w.{4})[A-Za-z0-9]{36}\b
dckr_pat_(?<!\w.{9})[\w-]{27}
hf_(?<!\w.{3})[A-Za-z]{34}\b
sk-proj-(?<!\w.{8})[\w-]{40}
sk-ant-(?<!\w.{7})[\w-]{40}
sk_live_(?<!\w.{8})[A-Za-z0-9]{24}
""".split()
]
LONGEST_SECRET, FEWEST_CHARACTERS = 128, 9  # different ones: in documents one is ghp_xxxx…
# Not what holds the symbols for debugging a library, which Apple's tools call as it.
LIBRARY_NAME = re.compile(r"^(?!.*\.dSYM/).*\.(so(\.[0-9.]+)?|pyd|dylib|dll)$")
# What Windows has no files of; a path there has a limit, which begins where a usual Python installs.
WINDOWS_CHARACTERS = re.compile(r'[<>:"|?*]')
DEVICES = re.compile(r"CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|(COM|LPT)[1-9¹²³]")
SITE_PACKAGES = "C:\\Users\\somebody\\AppData\\Local\\Programs\\Python\\Python314\\Lib\\site-packages\\"
LONGEST_PATH, LONGEST_NAME = 259, 255
JOINERS = dict.fromkeys((0x200C, 0x200D))  # which words of some languages and pictures have in them (UAX 31)


class UnreadableError(Exception):
    """An archive, or a member of one, cannot be read; the message says why, and `rule` is the rule that tells it."""

    def __init__(self, what: str, rule: str = "readable-archive") -> None:
        """Keep the rule beside the message."""
        super().__init__(what)
        self.rule = rule


@contextmanager
def reading(what: str = "") -> Iterator[None]:
    """Raise UnreadableError for what cannot be read."""
    try:
        yield
    except UNREADABLE as error:
        raise UnreadableError(f"{what}{type(error).__name__}: {error}") from error


class Finding(NamedTuple):
    """One thing that is wrong with one file, and what to do about it: one line each, fit to be printed anywhere."""

    file: str  # its path, as it was given; or the releases that are compared
    rule: str  # its name in rules.md
    what: str
    remedy: str
    level: str = "error"  # or warning, or note; or ignored, and the remedy is the entry of pyproject.toml that says so


class Rejection(NamedTuple):
    """Why PyPI takes no file: the gate's rule, PyPI's words, and where to read more; of its own addresses the path."""

    rule: str
    words: str
    more: str = ""


class Member(NamedTuple):
    """A file, folder or link in an archive. `size` is in bytes, unpacked."""

    name: str
    size: int
    entry: zipfile.ZipInfo | tarfile.TarInfo

    @property
    def kind(self) -> str:
        """What it is: file, folder, link or special."""
        if isinstance(self.entry, zipfile.ZipInfo):
            plain = "folder" if self.name.endswith("/") else "file"
            kinds = {stat.S_IFLNK: "link", **dict.fromkeys((0, stat.S_IFREG, stat.S_IFDIR), plain)}
            return kinds.get(stat.S_IFMT(self.mode), "special")
        if self.entry.issym() or self.entry.islnk():
            return "link"
        return "file" if self.entry.isfile() else "folder" if self.entry.isdir() else "special"

    @property
    def unsafe(self) -> str | None:
        """What is wrong with its name or kind, wherever it is unpacked; None for nothing."""
        kind, name = self.kind, self.name.rstrip("/")
        wrong = {
            "is a link that leads out of the archive, or back from a folder": kind == "link" and self.target is None,
            "is neither file nor folder": kind == "special",
            "is an absolute path": self.name.startswith("/"),
            "leads out of the archive": ".." in name.split("/"),
            "has a part that is empty or a dot": {"", "."} & set(name.split("/")),
            "has a backslash in it": "\\" in self.name,
            # Bytes that are no UTF-8 arrive as surrogates, which are not printable either.
            "has a character in it that cannot be printed": not self.name.translate(JOINERS).isprintable() or not name,
            # Of a folder it only says whose the files in it are.
            "would run as somebody else (setuid)": kind == "file" and self.mode & (stat.S_ISUID | stat.S_ISGID),
            f"has more than {LONGEST_PATH} characters below {SITE_PACKAGES}": len(SITE_PACKAGES + name) > LONGEST_PATH,
        }
        reasons = chain((what for what, is_so in wrong.items() if is_so), filter(None, map(unfit, name.split("/"))))
        return next(reasons, None)

    @property
    def target(self) -> str | None:
        """Where a link leads to in an sdist's folder, as PEP 721 lets it; None where it leads out, or in a wheel."""
        if isinstance(self.entry, zipfile.ZipInfo):
            return None
        start = posixpath.dirname(self.name) if self.entry.issym() else ""
        place = posixpath.normpath(posixpath.join(start, self.entry.linkname))
        # Behind a folder, which may be a link itself, `..` leads who knows where.
        back = "/../" in f"{self.entry.linkname.lstrip('./')}/"
        return place if place.startswith(self.name.partition("/")[0] + "/") and not back else None

    @property
    def mode(self) -> int:
        """Its mode as Unix has it; 0 where none is said."""
        if isinstance(self.entry, zipfile.ZipInfo):
            return self.entry.external_attr >> 16 if self.entry.create_system == UNIX else 0
        return self.entry.mode


def unfit(part: str) -> str | None:
    """Say why some system cannot hold a file or folder of this name; the source is CPython's: ntpath.isreserved."""
    if len(os.fsencode(part)) > LONGEST_NAME:
        return f"has a part of more than {LONGEST_NAME} bytes"
    if found := WINDOWS_CHARACTERS.search(part):
        return f"has {found[0]!r} in it, which Windows cannot have"
    if part.endswith((".", " ")):
        return "has a part that ends in a dot or a blank, which Windows leaves out"
    stem = part.partition(".")[0].rstrip(" ").upper()
    return f"has the name {part!r}, which is a device on Windows" if DEVICES.fullmatch(stem) else None


@dataclass(frozen=True, kw_only=True)
class Expectations(Project):
    """A project, and what it expects of its artefacts."""

    expected: tuple[str, ...]
    sdist: Contents
    wheel: Contents
    builder_paths: tuple[bytes, ...]
    excuses: tuple[tuple[str, str], ...]

    @property
    def data_folder(self) -> str:
        """The folder whose content maturin puts into the .data folder of wheels; one that cannot be for none."""
        return str(find(self.pyproject, "tool", "maturin", "data") or "//").removeprefix("./").rstrip("/") or "/"


@dataclass
class Artefact(AbstractContextManager["Artefact"]):
    """A file that is to be published. What looks into it raises UnreadableError where it is no archive, or damaged."""

    path: Path
    after_gzip: bytes = b""  # the first two bytes behind the gzip file in an sdist; known when it is unpacked
    # The files that begin like a placeholder, or have a mark of a conflict somewhere, and those with what looks like a
    # secret; known when all is read.
    suspicious: set[str] = field(default_factory=set)
    secretive: set[str] = field(default_factory=set)
    # What libraries say of themselves, which is asked while all is read: nothing is unpacked twice for it.
    inspected: dict[str, list[Library]] = field(default_factory=dict)

    def __exit__(self, *_: object) -> None:
        for each in {"archive", "unpacked"} & vars(self).keys():
            getattr(self, each).close()

    @property
    def is_wheel(self) -> bool:
        """Whether it is called a wheel; anything else is taken for an sdist."""
        return self.path.name.endswith(".whl")

    @cached_property
    def parsed(self) -> tuple[str, Version, frozenset[Tag]] | None:
        """The normalised name, the version and the tags in the file name; None if it is no artefact's name."""
        with suppress(ValueError):
            if self.is_wheel:
                name, version, _, tags = parse_wheel_filename(self.path.name)
                return name, version, tags
            return (*parse_sdist_filename(self.path.name), frozenset())
        return None

    @property
    def tags(self) -> frozenset[Tag]:
        """The tags in the file name; none for an sdist."""
        return self.parsed[2] if self.parsed else frozenset()

    @property
    def folder(self) -> str:
        """The folder that the metadata of a wheel is in, or all of an sdist, as the file name spells it."""
        name = self.path.name
        return "-".join(name.split("-")[:2]) + ".dist-info" if self.is_wheel else name.removesuffix(".tar.gz")

    @cached_property
    def archive(self) -> zipfile.ZipFile | tarfile.TarFile:
        """The open archive."""
        if not self.is_wheel:
            with reading():
                self.unpacked.seek(0)
                return tarfile.open(fileobj=self.unpacked, mode="r:", tarinfo=Header)
        with reading(), self.path.open("rb") as file:
            end = zipfile._EndRecData(file)  # type: ignore[attr-defined]  # noqa: SLF001 - before all of it is read
            refuse_listing(end[zipfile._ECD_SIZE] if end else 0)  # type: ignore[attr-defined]  # noqa: SLF001
            return zipfile.ZipFile(self.path)

    @property
    def largest_content(self) -> int:
        """To how many bytes it may unpack."""
        return min(max(BOMB_SIZE, BOMB_RATIO * self.path.stat().st_size), LARGEST_CONTENT)

    @cached_property
    def unpacked(self) -> IO[bytes]:
        """The tar file in an sdist, on the disk if it is large: it is unpacked once, and read in any order."""
        stream = zlib.decompressobj(wbits=31)
        with ExitStack() as opened, self.path.open("rb") as file:
            tar = opened.enter_context(tempfile.SpooledTemporaryFile(max_size=16 * PIECE))
            while not stream.eof:
                packed = stream.unconsumed_tail or file.read(PIECE)
                piece = stream.decompress(packed, PIECE)
                if not packed and not piece and not stream.eof:
                    raise EOFError("it ends too early")
                tar.write(piece)
                if tar.tell() > self.largest_content:
                    raise UnreadableError(f"it unpacks to more than {self.largest_content:,} bytes", "no-bomb")
            self.after_gzip = stream.unused_data[:2] or file.read(2)
            opened.pop_all()
        return cast("IO[bytes]", tar)

    @cached_property
    def members(self) -> list[Member]:
        """Everything in the archive, in its order."""
        found: list[Member] = []
        with reading():
            archive: Any = self.archive
            name, size = ("filename", "file_size") if self.is_wheel else ("name", "size")
            for entry in archive.infolist() if self.is_wheel else archive:
                found.append(Member(getattr(entry, name), getattr(entry, size), entry))
                if found[-1].size < 0 or getattr(entry, "has_two_sizes", False):
                    raise UnreadableError(f"{found[-1].name!r} has a size that is none, or two of them")
                if len(found) > MOST_MEMBERS or len(found[-1].name) > LONGEST_PATHS:
                    what = f"more than {MOST_MEMBERS:,} members, or a name of more than {LONGEST_PATHS:,} characters"
                    raise UnreadableError(f"in it are {what}", "no-bomb")
        return found

    @cached_property
    def files(self) -> dict[str, Member]:
        """The regular files by their names; of two with one name, the last, which is what installers take."""
        return {member.name: member for member in self.members if member.kind == "file"}

    def pieces(self, member: Member) -> Iterator[bytes]:
        """Yield the content of a member in pieces, so that memory does not grow with it."""
        with reading(f"{member.name}: "):
            if isinstance(self.archive, zipfile.ZipFile):
                yield from self.unzip(self.archive, cast("zipfile.ZipInfo", member.entry))
            elif file := self.archive.extractfile(cast("tarfile.TarInfo", member.entry)):
                while piece := file.read(PIECE):
                    yield piece

    def unzip(self, archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Iterator[bytes]:
        """Yield a zip file's member, if it is what the directory says; what is too much uv refuses (uv-extract)."""
        name = entry.filename
        if entry.flag_bits & IS_ENCRYPTED or entry.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
            what = f"{name!r} is encrypted, or compressed by another method than deflate"
            raise UnreadableError(what, "zip-compression")
        size, checksum, more = 0, 0, False
        with archive.open(entry) as file:
            state: Any = file
            # One byte too many would be seen; and the checksum is of what was said to be there.
            state._left, state._expected_crc = entry.file_size + 1, None  # noqa: SLF001
            while piece := file.read(PIECE):
                more = len(piece) > entry.file_size - size
                piece = piece[: entry.file_size - size]
                size, checksum = size + len(piece), zlib.crc32(piece, checksum)
                yield piece
            stream, more = state._decompressor, more or state._compress_left > 0  # noqa: SLF001
        if size != entry.file_size or checksum != entry.CRC or (stream and not stream.eof and not more):
            raise zipfile.BadZipFile("it is damaged: another size or checksum (CRC-32) than the directory says")
        if more or (stream and stream.unused_data):
            raise UnreadableError(f"{name!r} has more in it than the directory says", "zip-framing")

    def read(self, name: str) -> bytes | None:
        """Return the content of a file, or None if there is none of that name."""
        if (member := self.files.get(name)) is None:
            return None
        if member.size > (LARGEST_LIBRARY if name in self.native else LARGEST_TEXT):
            raise UnreadableError(f"{name} is too large to be read: {member.size:,} bytes", "no-bomb")
        content = io.BytesIO()
        content.writelines(self.pieces(member))
        return content.getvalue()

    @cached_property
    def digests(self) -> dict[str, "hashlib._Hash"]:
        """The SHA-256 of every file. Reading them all finds every damaged one."""
        found, native = {}, set(self.native)
        for name, member in self.files.items():
            found[name], before = hashlib.sha256(), b""
            library = [self.read(name) or b""] if name in native and member.size <= LARGEST_LIBRARY else []
            for piece in library or self.pieces(member):
                found[name].update(piece)
                if member.size > LARGEST_TEXT:
                    continue
                if CONFLICT in piece or piece.startswith((*POINTERS, UPWARDS)):
                    self.suspicious.add(name)
                for secret in chain.from_iterable(each.finditer(before + piece) for each in SECRETS):
                    if len(set(secret[0])) >= FEWEST_CHARACTERS and b"EXAMPLE" not in secret[0]:
                        self.secretive.add(name)
                before = piece[-LONGEST_SECRET:]
            if library:
                self.inspected[name] = read_libraries(name, library[0])
        return found

    @cached_property
    def names(self) -> frozenset[str]:
        """The names of everything in the archive."""
        return frozenset(member.name for member in self.members)

    @cached_property
    def top(self) -> str:
        """The folder in which everything is that an archive holds; "" if there is no such."""
        # It is a ValueError where some are absolute, and others are not.
        with suppress(ValueError):
            # Two by two: all of them in their parts would take much memory.
            return reduce(lambda one, other: posixpath.commonpath([one, other]), self.names or ("",))
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
    def pyproject(self) -> dict[str, Any]:
        """An sdist's own pyproject.toml; empty where there is none, or one that is too large to be read."""
        name = f"{self.top}/pyproject.toml"
        try:
            small = name in self.files and self.files[name].size <= PIECE
            return tomli.loads((self.read(name) or b"").decode()) if small else {}
        except (ValueError, RecursionError) as error:
            raise UnreadableError(f"its pyproject.toml cannot be read: {error}", "declared-metadata") from error

    @cached_property
    def native(self) -> list[str]:
        """The names of what is called a shared library in a wheel, and of its programs and scripts."""
        return [name for name in self.files if self.is_wheel and (LIBRARY_NAME.search(name) or PROGRAMS in name)]

    @cached_property
    def libraries(self) -> list[Library]:
        """Those, each with what it says of itself, for each processor that it is for."""
        small = [name for name in self.native if self.files[name].size <= LARGEST_LIBRARY]
        for name in set(self.native) - set(small):
            err.print(f"{printable(self.path.name)}: {printable(name)} is too large to be judged")
        known = self.inspected
        read = (known[name] if name in known else read_libraries(name, self.read(name) or b"") for name in small)
        return list(chain.from_iterable(read))


class Header(tarfile.TarInfo):
    """A header of a tar file, looked at before tarfile reads what it announces: the place that tarfile has for this."""

    def _proc_member(self, archive: Any) -> tarfile.TarInfo:  # noqa: ANN401 - tarfile's own, open
        if self.type in LONG_HEADERS:
            read = archive.fileobj.read(min(self.size, LARGEST_HEADER + 1))
            archive.fileobj.seek(-len(read), io.SEEK_CUR)
            # What is in a global header is copied for each member.
            archive.listing = getattr(archive, "listing", 0) + len(read) + len(str(archive.pax_headers))
            refuse_listing(archive.listing)
            if self.type == tarfile.GNUTYPE_SPARSE or SPARSE in read:
                raise UnreadableError(NO_SPARSE, "no-sparse-members")
            if self.size > LARGEST_HEADER or DIGITS.search(read):
                raise UnreadableError(f"a header of {self.size:,} bytes is in it", "no-bomb")
        member: tarfile.TarInfo = super()._proc_member(archive)  # type: ignore[misc]
        return member

    def _apply_pax_info(self, *given: Any) -> None:  # noqa: ANN401 - as above
        own = self.size
        super()._apply_pax_info(*given)  # type: ignore[misc]
        # Some programs go by the size in a pax header, others by the member's own; uv_build writes both.
        self.has_two_sizes = self.size != own


def refuse_listing(size: int) -> None:
    """Raise UnreadableError where an archive's names and headers are too large to be read."""
    if size > LARGEST_LISTING:
        raise UnreadableError(f"the names and headers in it have more than {LARGEST_LISTING:,} bytes", "no-bomb")


def wheel_tags(content: bytes | str) -> frozenset[Tag]:
    """Return the tags in a WHEEL file; a line that is none counts for nothing."""
    tags = parse_email(content)[1].get("tag", [])
    return frozenset(tag for line in tags if line.count("-") == 2 for tag in parse_tag(line))  # noqa: PLR2004


Check = Callable[..., Iterator[str]]


class Rule(NamedTuple):
    """A function that looks at one thing and yields a line for each thing that is wrong with it."""

    name: str
    check: Check
    applies_to: str
    needs_project: bool
    needs_crate: bool
    level: str


def rule(
    applies_to: str, *, needs_project: bool = False, needs_crate: bool = False, level: str = "error"
) -> Callable[[Check], Rule]:
    """Make a function a rule, under its own name with dashes; rules.md has an entry of that name.

    It gets an artefact (`wheel`, `sdist`, `both`), all of a `folder`, of a `release` what the sdist and a wheel
    say, of a `page` the metadata that is shown there, or an `update`. What `needs_project` is left out for others'
    artefacts, what `needs_crate` also for those of a package of Python alone. The level is `error`, `warning`, or
    `note`.
    """
    needs = (needs_project or needs_crate, needs_crate)
    return lambda check: Rule(check.__name__.replace("_", "-"), check, applies_to, *needs, level)
