"""Releases with one thing wrong each, made from a good one: what the gate must refuse, and by which rule."""

import gzip
import io
import json
import re
import shutil
import stat
import tarfile
import warnings
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from broken import Files, record_of, repack_sdist, repack_wheel

Change = Callable[[Files], object]


@dataclass
class Release:
    """A folder with a good release, to be broken."""

    folder: Path
    wheel: Path
    sdist: Path

    @property
    def info(self) -> str:
        """The name of the wheel's .dist-info folder."""
        return "-".join(self.wheel.name.split("-")[:2]) + ".dist-info"

    @property
    def top(self) -> str:
        """The name of the folder in the sdist."""
        return self.sdist.name.removesuffix(".tar.gz")

    @property
    def native(self) -> str:
        """The name of the native module in the wheel."""
        return "ferrous_wheel/_core.abi3.so"

    def change_wheel(self, change: Change, name: str | None = None, *, record: bool = True) -> None:
        """Replace the wheel by a changed copy; with `record=False` RECORD stays as it was."""
        with zipfile.ZipFile(self.wheel) as archive:
            before = archive.read(f"{self.info}/RECORD")
        self.wheel.unlink() if name else None
        source = self.folder.parent / "good" / self.wheel.name
        copy = repack_wheel(source, self.folder, change, name)
        if not record:
            with zipfile.ZipFile(copy) as archive:
                files = {entry: archive.read(entry) for entry in archive.infolist()}
            with zipfile.ZipFile(copy, "w", zipfile.ZIP_DEFLATED) as archive:
                for entry, content in files.items():
                    archive.writestr(entry, before if entry.filename == f"{self.info}/RECORD" else content)

    def change_sdist(self, change: Change, name: str | None = None) -> None:
        """Replace the sdist by a changed copy."""
        self.sdist.unlink() if name else None
        repack_sdist(self.folder.parent / "good" / self.sdist.name, self.folder, change, name)

    def change_metadata(self, old: str, new: str) -> None:
        """Replace text in the wheel's METADATA."""
        file = f"{self.info}/METADATA"

        def change(files: Files) -> None:
            assert re.search(old.encode(), files[file]), old
            files[file] = re.sub(old.encode(), new.encode(errors="surrogateescape"), files[file], count=1)

        self.change_wheel(change)

    def change_all_metadata(self, old: str, new: str) -> None:
        """Replace text in the wheel's METADATA and in the sdist's PKG-INFO."""
        self.change_metadata(old, new)
        name = f"{self.top}/PKG-INFO"

        def change(files: Files) -> None:
            assert re.search(old.encode(), files[name]), old
            files[name] = re.sub(old.encode(), new.encode(errors="surrogateescape"), files[name], count=1)

        self.change_sdist(change)

    def change_native(self, old: bytes, new: bytes) -> None:
        """Replace bytes in the wheel's native module, without moving any."""

        def change(files: Files) -> None:
            assert old in files[self.native]
            assert len(old) == len(new)
            files[self.native] = files[self.native].replace(old, new)

        self.change_wheel(change)

    def add_to_wheel(self, **files: bytes) -> None:
        """Add files to the wheel."""
        self.change_wheel(lambda present: present.update(files))

    def raw_zip(self, write: Callable[[zipfile.ZipFile, Files], object]) -> None:
        """Write the wheel anew by hand."""
        with zipfile.ZipFile(self.wheel) as archive:
            files = {entry.filename: archive.read(entry) for entry in archive.infolist()}
        with zipfile.ZipFile(self.wheel, "w", zipfile.ZIP_DEFLATED) as archive:
            write(archive, files)

    def raw_tar(self, *members: tuple[tarfile.TarInfo, bytes]) -> None:
        """Add members to the sdist by hand."""
        with tarfile.open(self.sdist) as archive:
            present = [(member, archive.extractfile(member)) for member in archive]
            present = [(member, file.read() if file else b"") for member, file in present]  # type: ignore[misc]
        with tarfile.open(self.sdist, "w:gz", format=tarfile.GNU_FORMAT) as archive:
            for member, content in (*present, *members):
                archive.addfile(member, io.BytesIO(content))  # type: ignore[arg-type]


Breakage = Callable[[Release], object]
# By name: the rules that must refuse it, the one that it is made for first, and what breaks a good release.
CORPUS: dict[str, tuple[str, Breakage]] = {}


def breaks(rules: str, name: str) -> Callable[[Breakage], Breakage]:
    """Register a breakage under a name, with the rules that must refuse it, and no other."""

    def register(breakage: Breakage) -> Breakage:
        assert name not in CORPUS
        CORPUS[name] = (rules, breakage)
        return breakage

    return register


def add(rules: str, name: str, breakage: Breakage) -> None:
    """Register a breakage that fits on a line."""
    breaks(rules, name)(breakage)


def capital(found: "re.Match[str]") -> str:
    return found[0].upper()


def rename_wheel(old: str, new: "str | Callable[[re.Match[str]], str]") -> Breakage:
    return lambda release: release.wheel.rename(release.folder / re.sub(old, new, release.wheel.name))


def rename_sdist(old: str, new: "str | Callable[[re.Match[str]], str]") -> Breakage:
    return lambda release: release.sdist.rename(release.folder / re.sub(old, new, release.sdist.name))


def metadata(old: str, new: str) -> Breakage:
    return lambda release: release.change_metadata(old, new)


def header(line: str) -> Breakage:
    return metadata("^", f"{line}\n")


def to_wheel(name: str, content: bytes = b"x", *, record: bool = True) -> Breakage:
    return lambda release: release.change_wheel(
        lambda files: files.update({name.format(info=release.info): content}), record=record
    )


def from_wheel(name: str, *, record: bool = True) -> Breakage:
    return lambda release: release.change_wheel(
        lambda files: files.pop(name.format(info=release.info, native=release.native)), record=record
    )


def in_wheel(name: str, old: bytes, new: bytes) -> Breakage:
    def breakage(release: Release) -> None:
        file = name.format(info=release.info)

        def change(files: Files) -> None:
            assert old in files[file], old
            files[file] = files[file].replace(old, new, 1)

        release.change_wheel(change)

    return breakage


def to_sdist(name: str, content: bytes = b"x") -> Breakage:
    return lambda release: release.change_sdist(lambda files: files.update({f"{release.top}/{name}": content}))


def from_sdist(name: str) -> Breakage:
    return lambda release: release.change_sdist(lambda files: files.pop(f"{release.top}/{name}"))


def in_sdist(name: str, old: bytes, new: bytes) -> Breakage:
    def breakage(release: Release) -> None:
        def change(files: Files) -> None:
            file = f"{release.top}/{name}"
            assert old in files[file], old
            files[file] = files[file].replace(old, new, 1)

        release.change_sdist(change)

    return breakage


def member(name: str, kind: bytes = tarfile.REGTYPE, **attributes: str) -> Breakage:
    def breakage(release: Release) -> None:
        entry = tarfile.TarInfo(name.format(top=release.top))
        entry.type = kind
        for attribute, value in attributes.items():
            setattr(entry, attribute, value)
        release.raw_tar((entry, b""))

    return breakage


def native(old: bytes, new: bytes) -> Breakage:
    return lambda release: release.change_native(old, new)


# ---- the set, and names
add("complete-set", "no wheel", lambda release: release.wheel.unlink())
add("complete-set", "no sdist", lambda release: release.sdist.unlink())
add(
    "complete-set name-and-version-agree one-top-folder project-version",
    "two sdists",
    lambda release: shutil.copy(release.sdist, release.folder / "ferrous_wheel-9.9.9.tar.gz"),
)


@breaks("complete-set", "a wheel twice, with its tags in another order")
def _(release: Release) -> None:
    *rest, tags = release.wheel.stem.split("-")
    other = "-".join([*rest, ".".join(reversed(tags.split(".")))])
    assert other != release.wheel.stem
    shutil.copy(release.wheel, release.folder / f"{other}.whl")


add("plain-file", "a folder in dist/", lambda release: (release.folder / "nested").mkdir())
add("plain-file", "a link in dist/", lambda release: (release.folder / "x.whl").symlink_to(release.wheel))
add("file-name", "a stray file in dist/", lambda release: (release.folder / "SHA256SUMS").write_text("x"))
add("file-name", "a hidden file in dist/", lambda release: (release.folder / ".DS_Store").write_text("x"))
add("file-name complete-set", "a wheel without tags", rename_wheel(r"-cp310.*", ".whl"))
add("file-name complete-set", "a wheel with a wrong version", rename_wheel(r"-0\.1\.0-", "-zero-"))
add(
    "file-name complete-set",
    "a zip as sdist",
    lambda release: release.sdist.rename(release.folder / "ferrous_wheel-0.1.0.zip"),
)
add("file-name complete-set", "a line feed in a name", rename_wheel("cp310", "cp310\n"))
add(
    "normalised-name metadata-present one-dist-info record-complete sbom-present wheel-file",
    "capitals in a wheel's name",
    rename_wheel(r"^\w", capital),
)
add("normalised-name complete-set", "capitals in an sdist's name", rename_sdist(r"^\w", capital))
add(
    "normalised-name complete-set one-top-folder",
    "an sdist's version that is not normalised",
    rename_sdist("0.1.0", "0.1.00"),
)
add("platform-tag complete-set wheel-file", "linux_x86_64", rename_wheel("-manylinux.*", "-linux_x86_64.whl"))
add(
    "platform-tag complete-set library-readable wheel-file",
    "macosx_14_4",
    rename_wheel("-manylinux.*", "-macosx_14_4_arm64.whl"),
)
add(
    "platform-tag complete-set library-readable wheel-file",
    "a macOS that does not exist",
    rename_wheel("-manylinux.*", "-macosx_27_0_arm64.whl"),
)
add(
    "complete-set glibc-floor needed-libraries sbom-present wheel-file",
    "another platform's wheel",
    rename_wheel("-manylinux.*", "-musllinux_1_2_x86_64.whl"),
)
add("complete-set native-module wheel-file", "a version-specific wheel", rename_wheel("cp310-abi3", "cp312-cp312"))
add("complete-set wheel-file", "a newer glibc's tag", rename_wheel("-manylinux.*", "-manylinux_2_34_x86_64.whl"))
add(
    "project-version complete-set metadata-present one-dist-info record-complete sbom-present wheel-file",
    "an older version's wheel",
    rename_wheel(r"0\.1\.0", "0.0.9"),
)
add("readable-archive", "an empty wheel", lambda release: release.wheel.write_bytes(b""))
add("readable-archive", "an empty sdist", lambda release: release.sdist.write_bytes(b""))


@breaks("file-size readable-archive", "a wheel of more than 100 MB")
def _(release: Release) -> None:
    with release.wheel.open("r+b") as file:
        file.truncate((100 << 20) + 1)


# ---- archives
add("readable-archive", "text as a wheel", lambda release: release.wheel.write_text("hello"))
add("readable-archive", "text as an sdist", lambda release: release.sdist.write_text("hello"))
add(
    "readable-archive",
    "a truncated wheel",
    lambda release: release.wheel.write_bytes(release.wheel.read_bytes()[:9_000]),
)
add(
    "readable-archive",
    "a truncated sdist",
    lambda release: release.sdist.write_bytes(release.sdist.read_bytes()[:9_000]),
)
add("readable-archive", "an sdist as a wheel", lambda release: shutil.copy(release.sdist, release.wheel))
add("readable-archive", "a wheel as an sdist", lambda release: shutil.copy(release.wheel, release.sdist))
add(
    "readable-archive",
    "a tar that is not gzipped",
    lambda release: release.sdist.write_bytes(gzip.decompress(release.sdist.read_bytes())),
)


@breaks("readable-archive", "a byte changed in a compressed member")
def _(release: Release) -> None:
    content = bytearray(release.wheel.read_bytes())
    with zipfile.ZipFile(release.wheel) as archive:
        entry = archive.getinfo(release.native)
    content[entry.header_offset + 5_000] ^= 0xFF
    release.wheel.write_bytes(content)


add("no-bomb", "a wheel that unpacks to 200 MB", to_wheel("ferrous_wheel/zeros", bytes(200 << 20)))


add("no-bomb", "an sdist that unpacks to 200 MB", to_sdist("zeros", bytes(200 << 20)))


@breaks("readable-archive", "a member of an sdist that says it has 2 GiB")
def _(release: Release) -> None:
    content = gzip.decompress(release.sdist.read_bytes())
    entry = tarfile.TarInfo(f"{release.top}/a")
    entry.size = 2 << 30
    release.sdist.write_bytes(gzip.compress(entry.tobuf() + content))


@breaks("no-bomb", "a member that says it has 2 GiB")
def _(release: Release) -> None:
    content = release.wheel.read_bytes()
    with zipfile.ZipFile(release.wheel) as archive:
        size = archive.getinfo(release.native).file_size.to_bytes(4, "little")
    release.wheel.write_bytes(content.replace(size, (2 << 30).to_bytes(4, "little")))


def written(method: int) -> Breakage:
    def write(archive: zipfile.ZipFile, files: Files) -> None:
        for name, content in files.items():
            archive.writestr(name, content, compress_type=method)

    return lambda release: release.raw_zip(write)


add("zip-compression", "bzip2 in a wheel", written(zipfile.ZIP_BZIP2))
add("zip-compression", "lzma in a wheel", written(zipfile.ZIP_LZMA))


@breaks("zip-framing package-files record-complete", "a name in a wheel that is not UTF-8")
def _(release: Release) -> None:
    release.change_wheel(lambda files: files.update({"ferrous_wheel/XX.py": b""}))
    # 0x82 is an e with an accent in the code page of old zip files.
    release.wheel.write_bytes(release.wheel.read_bytes().replace(b"ferrous_wheel/XX.py", b"ferrous_wheel/X\x82.py"))


add("zip-framing", "data after a wheel", lambda release: release.wheel.write_bytes(release.wheel.read_bytes() + b"\0"))
add("zip-framing", "data before a wheel", lambda release: release.wheel.write_bytes(b"#!" + release.wheel.read_bytes()))
add("zip-framing", "two wheels in one file", lambda release: release.wheel.write_bytes(release.wheel.read_bytes() * 2))


@breaks("zip-framing", "a data descriptor")
def _(release: Release) -> None:
    class Stream(io.RawIOBase):
        """A file that cannot seek, so that sizes can only follow the data."""

        def __init__(self) -> None:
            self.content = b""

        def writable(self) -> bool:
            return True

        def write(self, data: object) -> int:
            self.content += bytes(data)  # type: ignore[call-overload]
            return len(bytes(data))  # type: ignore[call-overload]

    with zipfile.ZipFile(release.wheel) as archive:
        files = {entry.filename: archive.read(entry) for entry in archive.infolist()}
    stream = Stream()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    release.wheel.write_bytes(stream.content)


@breaks("readable-archive zip-framing", "another name in a member's own header")
def _(release: Release) -> None:
    content = release.wheel.read_bytes()
    release.wheel.write_bytes(content.replace(b"py.typed", b"py.tyred", 1))


@breaks("zip-framing", "another checksum in a member's own header")
def _(release: Release) -> None:
    content = bytearray(release.wheel.read_bytes())
    with zipfile.ZipFile(release.wheel) as archive:
        # The checksum is 14 bytes after the beginning (APPNOTE 4.3.7).
        content[archive.getinfo(release.native).header_offset + 14] ^= 0xFF
    release.wheel.write_bytes(content)


@breaks("zip-framing", "a comment on a member")
def _(release: Release) -> None:
    def write(archive: zipfile.ZipFile, files: Files) -> None:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name)
            entry.comment = b"look here"
            archive.writestr(entry, content)

    release.raw_zip(write)


@breaks("unique-members zip-framing", "a name twice in a wheel")
def _(release: Release) -> None:
    def write(archive: zipfile.ZipFile, files: Files) -> None:
        for name, content in (*files.items(), ("ferrous_wheel/py.typed", b"")):
            archive.writestr(name, content)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        release.raw_zip(write)


add("unique-members same-contents", "a name twice in an sdist", member("{top}/README.md"))
add("unique-members tracked-files", "a name in other case in an sdist", member("{top}/readme.md"))
add("unique-members package-files", "a name in other case in a wheel", to_wheel("ferrous_wheel/PY.TYPED"))
add("safe-members package-files", "a name that leads out of a wheel", to_wheel("../evil.py"))
add("safe-members package-files", "an absolute name in a wheel", to_wheel("/etc/evil"))
add("safe-members package-files", "a drive in a wheel", to_wheel("C:/evil"))
add("safe-members package-files", "a backslash in a wheel", to_wheel("ferrous_wheel\\evil.py"))
add("safe-members package-files zip-framing", "a control character in a wheel", to_wheel("ferrous_wheel/\x1b[31m.py"))
add("safe-members tracked-files", "a name that leads out of an sdist", member("{top}/../../evil"))
add("no-links tracked-files", "a link in an sdist", member("{top}/link", tarfile.SYMTYPE, linkname="README.md"))
add(
    "safe-members tracked-files",
    "a link out of an sdist",
    member("{top}/link", tarfile.SYMTYPE, linkname="/etc/passwd"),
)
add(
    "safe-members tracked-files",
    "a hard link in an sdist",
    member("{top}/link", tarfile.LNKTYPE, linkname="/etc/passwd"),
)
add("safe-members tracked-files", "a device in an sdist", member("{top}/device", tarfile.CHRTYPE))
add("safe-members tracked-files", "a pipe in an sdist", member("{top}/pipe", tarfile.FIFOTYPE))


@breaks("safe-members", "a link in a wheel")
def _(release: Release) -> None:
    def write(archive: zipfile.ZipFile, files: Files) -> None:
        for name, content in files.items():
            archive.writestr(name, content)
        entry = zipfile.ZipInfo("ferrous_wheel/link")
        entry.create_system, entry.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
        archive.writestr(entry, "/etc/passwd")

    release.raw_zip(write)


@breaks("no-sparse-members", "a sparse member in an sdist")
def _(release: Release) -> None:
    entry = tarfile.TarInfo(f"{release.top}/sparse")
    entry.pax_headers = {
        "GNU.sparse.major": "0",
        "GNU.sparse.minor": "1",
        "GNU.sparse.map": "0,1",
        "GNU.sparse.size": "1",
    }
    entry.size = 1
    with tarfile.open(release.sdist) as archive:
        present = [(one, archive.extractfile(one)) for one in archive]
        contents = [(one, file.read() if file else b"") for one, file in present]
    with tarfile.open(release.sdist, "w:gz", format=tarfile.PAX_FORMAT) as archive:
        for one, content in (*contents, (entry, b"x")):
            archive.addfile(one, io.BytesIO(content))


add("one-top-folder tracked-files", "a file beside the sdist's folder", member("setup.py"))
add(
    "one-top-folder",
    "an sdist's folder with another name",
    lambda release: release.change_sdist(
        lambda files: [files.update({name.replace("0.1.0", "0.1", 1): files.pop(name)}) for name in list(files)]
    ),
)

# ---- metadata
add("metadata-present", "no METADATA", from_wheel("{info}/METADATA"))
add("metadata-present", "no PKG-INFO", from_sdist("PKG-INFO"))
add(
    "metadata-valid metadata-agrees",
    "a licence that is no SPDX expression",
    metadata("License-Expression: .+", "License-Expression: MITT"),
)
add("metadata-valid metadata-agrees", "a requirement that cannot be read", header("Requires-Dist: foo >"))
add("twine-check", "an unknown field", header("Colour: red"))
add("metadata-valid metadata-agrees", "two summaries", header("Summary: another"))
add(
    "metadata-valid metadata-agrees",
    "a Requires-Python that cannot be read",
    metadata("Requires-Python: >=3.10", "Requires-Python: three"),
)
add("metadata-version", "metadata of version 9.9", metadata(r"Metadata-Version: \S+", "Metadata-Version: 9.9"))
add(
    "name-and-version-agree metadata-agrees",
    "another name in the metadata",
    metadata("Name: ferrous-wheel", "Name: other"),
)
add(
    "name-and-version-agree metadata-agrees",
    "another version in the metadata",
    metadata("Version: 0.1.0", "Version: 0.2.0"),
)
add(
    "no-local-version metadata-agrees name-and-version-agree",
    "a local version",
    metadata("Version: 0.1.0", "Version: 0.1.0+local"),
)
add(
    "classifiers-known metadata-agrees",
    "a classifier with a typo",
    header("Classifier: Programming Language :: Pyhton"),
)
add("classifiers-known metadata-agrees", "a deprecated classifier", header("Classifier: Natural Language :: Ukranian"))
add("classifiers-known metadata-agrees", "a private classifier", header("Classifier: Private :: Do Not Upload"))
add("license-files-exist", "a licence file that is not there", from_wheel("{info}/licenses/LICENSE"))
add(
    "license-files-exist",
    "a licence file that is not in the sdist",
    in_sdist("PKG-INFO", b"License-File: LICENSE", b"License-File: COPYING"),
)
add("license-present", "no licence file named", metadata("License-File: LICENSE\n", ""))
add("license-present metadata-agrees", "no licence expression", metadata("License-Expression: .+\n", ""))
add("one-license-field metadata-agrees", "both licence fields", header("License: MIT"))
add(
    "no-direct-dependency metadata-agrees",
    "a dependency on an address",
    header("Requires-Dist: foo @ git+https://example.com/foo"),
)
add("no-direct-dependency metadata-agrees", "an old field that is no requirement", header("Provides-Dist: foo >"))
add(
    "readme-renders metadata-agrees twine-check",
    "a README that does not render",
    lambda release: release.change_wheel(
        lambda files: files.update(
            {
                f"{release.info}/METADATA": re.sub(
                    rb"Description-Content-Type: \S+.*",
                    b"Description-Content-Type: text/x-rst",
                    files[f"{release.info}/METADATA"],
                ).split(b"\n\n")[0]
                + b"\n\n.. raw:: html\n\n   <p>\n\n.. nosuch::\n"
            }
        )
    ),
)
add(
    "twine-check metadata-agrees",
    "no description",
    lambda release: release.change_wheel(
        lambda files: files.update(
            {f"{release.info}/METADATA": files[f"{release.info}/METADATA"].split(b"\n\n")[0] + b"\n"}
        )
    ),
)
add("summary-length metadata-agrees", "a summary of 600 characters", metadata("Summary: .*", "Summary: " + "x" * 600))
add("project-urls metadata-agrees", "a label of 40 characters", header(f"Project-URL: {'x' * 40}, https://example.com"))
add("project-urls metadata-agrees", "an address that is none", header("Project-URL: Home, example"))
add("project-urls metadata-agrees", "an address without a label", header("Project-URL: , https://example.com"))
add("email-addresses metadata-agrees", "an e-mail address that is none", header("Author-email: nobody@nowhere"))
add("dynamic-fields", "a dynamic name", header("Dynamic: Name"))
add("metadata-agrees", "another floor in the metadata", metadata("Requires-Python: >=3.10", "Requires-Python: >=3.8"))
add("metadata-agrees", "no floor in the metadata", metadata("Requires-Python: >=3.10\n", ""))
add("metadata-agrees", "an older classifier", header("Classifier: Programming Language :: Python :: 3.9"))

# ---- contents
add("wheel-file", "no WHEEL", from_wheel("{info}/WHEEL"))
add("wheel-file", "other tags in WHEEL", in_wheel("{info}/WHEEL", b"cp310-abi3", b"cp311-abi3"))
add(
    "wheel-file",
    "a wheel version of the future",
    in_wheel("{info}/WHEEL", b"Wheel-Version: 1.0", b"Wheel-Version: 2.0"),
)
add(
    "wheel-file",
    "a native module in purelib",
    in_wheel("{info}/WHEEL", b"Root-Is-Purelib: false", b"Root-Is-Purelib: true"),
)
add("one-dist-info", "two .dist-info folders", to_wheel("other-1.0.dist-info/METADATA"))
add(
    "record-complete package-files",
    "a file that RECORD does not list",
    to_wheel("ferrous_wheel/extra.py", b"", record=False),
)
add(
    "record-complete package-files", "a file that only RECORD lists", from_wheel("ferrous_wheel/py.typed", record=False)
)


@breaks("record-complete", "no RECORD")
def _(release: Release) -> None:
    def write(archive: zipfile.ZipFile, files: Files) -> None:
        for name, content in files.items():
            if not name.endswith("/RECORD"):
                archive.writestr(name, content)

    release.raw_zip(write)


add(
    "record-hashes same-contents",
    "a file changed after the build",
    to_wheel("ferrous_wheel/__init__.py", b"evil = True\n", record=False),
)


@breaks("record-hashes", "a file without a hash in RECORD")
def _(release: Release) -> None:
    def write(archive: zipfile.ZipFile, files: Files) -> None:
        record = f"{release.info}/RECORD"
        files[record] = re.sub(rb"(py\.typed),sha256=[^,]+,", rb"\1,,", record_of(files, record))
        for name, content in files.items():
            archive.writestr(name, content)

    release.raw_zip(write)


add(
    "entry-points metadata-agrees",
    "a command whose name is a path",
    to_wheel("{info}/entry_points.txt", b"[console_scripts]\n../evil = ferrous_wheel:main\n"),
)
add("entry-points", "entry points that cannot be read", to_wheel("{info}/entry_points.txt", b"console_scripts"))
# ---- contents, as the checkout has them
add("same-contents", "an edited module", in_wheel("ferrous_wheel/__init__.py", b"import", b"import  "))
add("same-contents", "an edited stub", in_wheel("ferrous_wheel/_core.pyi", b"def ", b"def  "))
add("same-contents", "py.typed with something in it", in_wheel("ferrous_wheel/py.typed", b"", b"partial\n"))
add("same-contents", "an edited licence in a wheel", in_wheel("{info}/licenses/LICENSE", b"MIT", b"ISC"))
add("same-contents", "a licence that nobody wrote", to_wheel("{info}/licenses/NOTICE"))
add("same-contents", "an edited licence in the sdist", in_sdist("LICENSE", b"MIT", b"ISC"))
add("same-contents", "edited Rust", in_sdist("src/core.rs", b"fn ", b"fn  "))
add("same-contents", "an edited test", in_sdist("tests/test_distance.py", b"assert", b"assert  "))
add("same-contents", "another build backend", in_sdist("pyproject.toml", b'"maturin"', b'"mutarin"'))
add("same-contents", "another version of the build backend", in_sdist("pyproject.toml", b"maturin==", b"maturin>="))
add("same-contents", "an edited changelog", in_sdist("CHANGELOG.md", b"\n", b"\r\n"))
add("same-contents declared-metadata", "an edited README", in_sdist("README.md", b"template", b"Template"))
add("same-contents", "a line feed at the end of a module", in_sdist("python/ferrous_wheel/exceptions.py", b"", b"\n"))
add("same-contents", "an edited manifest", in_sdist("Cargo.toml", b"[dependencies]", b"[dependencies] "))


@breaks("same-modes", "a module in an sdist that can be run")
def _(release: Release) -> None:
    with tarfile.open(release.sdist) as archive:
        present = [(one, archive.extractfile(one)) for one in archive]
        contents = [(one, file.read() if file else b"") for one, file in present]
    with tarfile.open(release.sdist, "w:gz") as archive:
        for one, content in contents:
            one.mode = 0o755 if one.name.endswith("__init__.py") else one.mode
            archive.addfile(one, io.BytesIO(content))


@breaks("same-modes", "a module in a wheel that can be run")
def _(release: Release) -> None:
    def write(archive: zipfile.ZipFile, files: Files) -> None:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = (stat.S_IFREG | (0o755 if name.endswith("__init__.py") else 0o644)) << 16
            archive.writestr(entry, content)

    release.raw_zip(write)


DATA = "ferrous_wheel-0.1.0.data"
add("package-files", "data that nobody declared", to_wheel(f"{DATA}/data/share/x.txt"))
add("package-files", "a script that nobody declared", to_wheel(f"{DATA}/scripts/frob", b"#!python\n"))
add("package-files", "a module in .data that nobody declared", to_wheel(f"{DATA}/purelib/frob.py"))
add("package-files", "a header that nobody declared", to_wheel(f"{DATA}/headers/frob.h"))
add("package-files", "where it was installed from", to_wheel("{info}/direct_url.json", b"{}"))
add("package-files", "what setuptools would make", to_wheel("{info}/top_level.txt"))
add("package-files", "a .pth file", to_wheel("ferrous_wheel.pth", b"import os\n"))
add("data-folder package-files", "a .pth file in .data", to_wheel(f"{DATA}/purelib/frob.pth", b"import os\n"))
add("data-folder package-files", "a .pth file for another place", to_wheel(f"{DATA}/platlib/frob.pth", b"import os\n"))
add(
    "data-folder package-files",
    "a .pth file by a way around",
    to_wheel(f"{DATA}/data/lib/python3.12/site-packages/frob.pth"),
)
add("data-folder package-files", "a script called pip", to_wheel(f"{DATA}/scripts/pip", b"#!python\n"))
add("data-folder package-files", "a script called as a Python", to_wheel(f"{DATA}/scripts/python3.12", b"#!/bin/sh\n"))
add("data-folder package-files", "a script called activate", to_wheel(f"{DATA}/scripts/activate"))
add("data-folder package-files", "a program of Windows called Python", to_wheel(f"{DATA}/scripts/Python.exe"))
add("data-folder no-build-products", "another Python's settings", to_wheel(f"{DATA}/data/pyvenv.cfg"))
add("data-folder package-files", "a Python as data", to_wheel(f"{DATA}/data/bin/python3"))
add("data-folder package-files", "a module as data", to_wheel(f"{DATA}/data/lib/python3.12/site-packages/frob.py"))
add("data-folder package-files", "a folder that no installer knows", to_wheel(f"{DATA}/bin/frob"))
add("data-folder package-files", "a file beside the folders", to_wheel(f"{DATA}/frob"))
add("data-folder package-files", "another version's folder", to_wheel("ferrous_wheel-0.2.0.data/scripts/frob"))
add("data-folder package-files", "a module twice", to_wheel(f"{DATA}/purelib/ferrous_wheel/exceptions.py"))
add(
    "data-folder package-files",
    "a module in both places",
    lambda release: release.add_to_wheel(**{f"{DATA}/purelib/frob.py": b"x", f"{DATA}/platlib/frob.py": b"y"}),
)

# ---- what the files of a release say
add("metadata-agrees", "a requirement that the sdist has not", header("Requires-Dist: evil"))
add("metadata-agrees", "an extra that the sdist has not", header("Provides-Extra: fast"))
add("metadata-agrees", "another summary", metadata("Summary: .*", "Summary: Another one"))
add("metadata-agrees", "another licence", metadata("License-Expression: .*", "License-Expression: ISC"))
add("metadata-agrees", "other keywords", metadata("Keywords: ", "Keywords: more,"))
add("metadata-agrees", "another address", header("Project-URL: Home, https://example.com"))
add("metadata-agrees", "an address under another label", metadata("Project-URL: Issues", "Project-URL: Bugs"))
add("metadata-agrees", "one classifier more", header("Classifier: Topic :: Utilities"))
add("metadata-agrees", "one classifier less", metadata("Classifier: Typing :: Typed\n", ""))
add("metadata-agrees", "an author", header("Author-email: somebody@example.com"))
add("metadata-agrees", "another README", metadata(r"\Z", "\nOne more line.\n"))
add("metadata-agrees", "another kind of README", metadata("text/markdown", "text/plain"))
add("metadata-agrees", "a command", to_wheel("{info}/entry_points.txt", b"[console_scripts]\nfrob = ferrous_wheel:x\n"))
add("metadata-agrees", "a plugin", to_wheel("{info}/entry_points.txt", b"[pytest11]\nfrob = ferrous_wheel\n"))
PKG = "PKG-INFO"
add(
    "declared-metadata metadata-agrees",
    "a requirement that nobody declared",
    in_sdist(PKG, b"Summary", b"Requires-Dist: x\nSummary"),
)
add(
    "declared-metadata metadata-agrees",
    "an extra that nobody declared",
    in_sdist(PKG, b"Summary", b"Provides-Extra: x\nSummary"),
)
add("declared-metadata metadata-agrees", "a summary that nobody wrote", in_sdist(PKG, b"Summary: ", b"Summary: No "))
add("declared-metadata metadata-agrees", "a README that nobody wrote", in_sdist(PKG, b"A template", b"No template"))
add(
    "declared-metadata metadata-agrees",
    "a floor that nobody declared",
    in_sdist(PKG, b"Requires-Python: >=3.10", b"Requires-Python: >=3.9"),
)
add(
    "declared-metadata metadata-agrees",
    "keywords that nobody declared",
    in_sdist(PKG, b"Keywords: ", b"Keywords: more,"),
)
add(
    "declared-metadata metadata-agrees",
    "a licence that nobody declared",
    in_sdist(PKG, b"Expression: MIT", b"Expression: ISC"),
)
add(
    "declared-metadata metadata-agrees",
    "an address that nobody declared",
    in_sdist(PKG, b"Summary", b"Project-URL: A, https://a.example\nSummary"),
)
add(
    "declared-metadata metadata-agrees",
    "a classifier that nobody declared",
    in_sdist(PKG, b"Summary", b"Classifier: Topic :: Utilities\nSummary"),
)
add(
    "readme-on-pypi declared-metadata metadata-agrees",
    "a link to a file in the README",
    in_sdist(PKG, b"\n# ", b"\n[x](docs/x.md)\n# "),
)

# ---- what stands for a file, and what a merge leaves
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 12345\n"
CONFLICT = b"<<<<<<< HEAD\none\n=======\ntwo\n>>>>>>> topic\n"
add("no-placeholders package-files", "a pointer of LFS in a wheel", to_wheel("ferrous_wheel/data.bin", POINTER))
add("no-placeholders tracked-files", "a pointer of LFS in an sdist", to_sdist("tests/data.bin", POINTER))
add("no-placeholders same-contents", "a pointer of LFS as a licence", to_wheel("{info}/licenses/LICENSE", POINTER))
add(
    "no-placeholders same-contents",
    "a conflict in a module",
    in_wheel("ferrous_wheel/exceptions.py", b"", CONFLICT),
)
add("no-placeholders same-contents", "a conflict in the changelog", in_sdist("CHANGELOG.md", b"\n", b"\n" + CONFLICT))
add(
    "no-placeholders declared-metadata same-contents",
    "a conflict in the README",
    in_sdist("README.md", b"\n", b"\n" + CONFLICT),
)
add(
    "no-placeholders metadata-agrees",
    "a conflict in the description",
    metadata(r"\n\n# ", "\n\n" + CONFLICT.decode() + "# "),
)
add(
    "no-placeholders tracked-files",
    "a conflict with Windows' ends of lines",
    to_sdist("x.txt", CONFLICT.replace(b"\n", b"\r\n")),
)
add(
    "no-placeholders tracked-files",
    "a conflict with the common ancestor",
    to_sdist("x.txt", CONFLICT.replace(b"===", b"||||||| 1a2b\nzero\n===", 1)),
)

SBOM = "{info}/sboms/ferrous_wheel.cdx.json"
add("sbom-present", "an SBOM that is text", to_wheel(SBOM, b"hello"))
add("sbom-present", "an SBOM that is empty", to_wheel(SBOM, b"{}"))
add("sbom-present", "an SBOM that is a list", to_wheel(SBOM, b"[]"))
add("sbom-present", "an SBOM of another version", in_wheel(SBOM, b'"version": "0.1.0"', b'"version": "0.0.9"'))
add("sbom-present", "an SBOM with another checksum", in_wheel(SBOM, b'"content": "', b'"content": "0'))
add("sbom-present", "an SBOM with another crate", in_wheel(SBOM, b'"name": "libc"', b'"name": "libd"'))
add("package-files", "no py.typed", from_wheel("ferrous_wheel/py.typed"))
add("package-files", "no stub", from_wheel("ferrous_wheel/_core.pyi"))
add("package-files", "a stale module", to_wheel("ferrous_wheel/old.py"))
add("package-files no-build-products", "a second top-level package", to_wheel("tests/test_x.py"))
add("package-files library-readable", "a stale library", to_wheel("ferrous_wheel/_old.abi3.so", b"\x7fELF"))
add("native-module", "no native module", from_wheel("{native}"))
add(
    "native-module module-name",
    "a second native module",
    lambda release: release.change_wheel(
        lambda files: files.update({"ferrous_wheel/_core.cpython-312-x86_64-linux-gnu.so": files[release.native]})
    ),
)
add(
    "native-module module-name",
    "a native module with another suffix",
    lambda release: release.change_wheel(
        lambda files: files.update({"ferrous_wheel/_core.cpython-312-x86_64-linux-gnu.so": files.pop(release.native)})
    ),
)
add(
    "sbom-present",
    "no SBOM",
    lambda release: release.change_wheel(lambda files: [files.pop(name) for name in list(files) if "/sboms/" in name]),
)
add("tracked-files", "an untracked file in the sdist", to_sdist("notes/private.txt"))
add("tracked-files", "a source file missing in the sdist", from_sdist("src/core.rs"))
add("locked-crates tracked-files", "no Cargo.lock", from_sdist("Cargo.lock"))
add(
    "locked-crates same-contents",
    "a Cargo.lock of another version",
    in_sdist("Cargo.toml", b'version = "0.1.0"', b'version = "0.2.0"'),
)
add(
    "locked-crates same-contents",
    "a crate that is not locked",
    in_sdist("Cargo.toml", b"[dependencies]\n", b'[dependencies]\nserde = "1"\n'),
)
add(
    "locked-crates same-contents",
    "a crate by path",
    in_sdist("Cargo.toml", b"[dependencies]", b'[dependencies]\nother = { path = "../other" }'),
)
add(
    "locked-crates same-contents",
    "a crate for one system that is not locked",
    in_sdist("Cargo.toml", b"[features]\n", b"[target.'cfg(unix)'.dependencies]\nserde = \"1\"\n[features]\n"),
)
add(
    "locked-crates same-contents",
    "a crate that is locked at another version",
    in_sdist("Cargo.toml", b'pyo3 = "0.30.1"', b'pyo3 = "0.29"'),
)


@breaks("locked-crates same-contents", "a crate that is locked and not used")
def unused_crate(release: Release) -> None:
    def change(files: Files) -> None:
        file = f"{release.top}/Cargo.lock"
        (crate,) = re.findall(rb'\[\[package\]\]\nname = "libc"\n(?:.+\n)+\n', files[file])
        files[file] = files[file].replace(crate, crate.replace(b'"libc"', b'"lib-unused"') + crate)

    release.change_sdist(change)


add(
    "locked-crates same-contents",
    "a crate from git",
    in_sdist("Cargo.lock", b'source = "registry+https://', b'source = "git+https://'),
)
add(
    "locked-crates same-contents", "a Cargo.toml that cannot be read", in_sdist("Cargo.toml", b"[package]", b"[package")
)
add(
    "locked-crates same-contents",
    "a Cargo.lock that cannot be read",
    in_sdist("Cargo.lock", b"[[package]]", b"[[package"),
)
add("no-secrets tracked-files", "an .env in the sdist", to_sdist(".env", b"TOKEN=x"))
add(
    "no-secrets tracked-files",
    "a private key in the sdist",
    to_sdist("docs/key.txt", b"-----BEGIN RSA " + b"PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG"),
)
add(
    "no-secrets package-files",
    "a token in the wheel",
    to_wheel("ferrous_wheel/old.py", b"t = 'pypi-" + b"AgEIcHlwaS5vcmcCJDAwMDAw'"),
)
add("no-build-products tracked-files", "a wheel in the sdist", to_sdist("wheelhouse/old.whl"))
add(
    "no-build-products tracked-files",
    "bytecode in the sdist",
    to_sdist("python/ferrous_wheel/__pycache__/x.cpython-312.pyc"),
)
add("no-build-products tracked-files", "a library in the sdist", to_sdist("python/ferrous_wheel/_core.abi3.so"))
add(
    "no-builder-paths same-contents",
    "a builder's path in the wheel",
    lambda release: release.change_wheel(
        lambda files: files.update({"ferrous_wheel/py.typed": f"{Path(__file__).parents[2]}/target".encode()})
    ),
)

# ---- the native module
add(
    "library-readable",
    "a native module that is text",
    lambda release: release.change_wheel(lambda files: files.update({release.native: b"hello"})),
)
add(
    "library-readable",
    "a truncated native module",
    lambda release: release.change_wheel(lambda files: files.update({release.native: files[release.native][:5_000]})),
)
add(
    "library-readable complete-set sbom-present wheel-file",
    "an ELF in a macOS wheel",
    rename_wheel("-manylinux.*", "-macosx_11_0_arm64.whl"),
)
add(
    "library-readable complete-set native-module sbom-present wheel-file",
    "an ELF in a Windows wheel",
    rename_wheel("-manylinux.*", "-win_amd64.whl"),
)
add(
    "library-machine complete-set wheel-file",
    "an x86_64 library in an aarch64 wheel",
    rename_wheel("x86_64.*", "aarch64.manylinux2014_aarch64.whl"),
)
add(
    "library-machine",
    "an aarch64 library in an x86_64 wheel",
    native(b"\x03\0\x3e\0\x01\0\0\0", b"\x03\0\xb7\0\x01\0\0\0"),
)
add("init-function", "another init function", native(b"PyInit__core", b"PyInit__cord"))
add("stable-abi", "a function outside the stable ABI", native(b"PyModuleDef_Init\0", b"PyModuleDef_Inix\0"))
add("stable-abi", "a function newer than the floor", native(b"PyModuleDef_Init\0", b"PyBuffer_Release\0"))
add("abi-floor complete-set stable-abi wheel-file", "a lower floor in the tag", rename_wheel("cp310-abi3", "cp37-abi3"))
add("abi-floor complete-set wheel-file", "a higher floor in the tag", rename_wheel("cp310-abi3", "cp312-abi3"))
add("glibc-floor", "a glibc newer than the tag", native(b"GLIBC_2.14\0", b"GLIBC_2.34\0"))
add(
    "glibc-floor complete-set needed-libraries sbom-present wheel-file",
    "a glibc library in a musl wheel",
    rename_wheel("-manylinux.*", "-musllinux_1_2_x86_64.whl"),
)
add("glibc-floor", "a musl library in a manylinux wheel", native(b"libdl.so.2\0", b"libc.so\0\0\0\0"))
add("no-libpython", "a library linked with libpython", native(b"libpthread.so.0\0", b"libpython3.11.so"[:15] + b"\0"))


def renamed_module(name: str) -> Breakage:
    return lambda release: release.change_wheel(
        lambda files: files.update({f"ferrous_wheel/{name}": files.pop(release.native)})
    )


add("native-module module-name", "a module for Windows in a Linux wheel", renamed_module("_core.pyd"))
add("native-module", "a module that any Python would import", renamed_module("_core.so"))
add("native-module module-name", "a module of the other stable ABI", renamed_module("_core.abi3t.so"))
add(
    "native-module module-name",
    "a module for one platform of the stable ABI",
    renamed_module("_core.abi3-x86_64-linux-gnu.so"),
)
add(
    "native-module complete-set module-name wheel-file",
    "the stable ABI for a Python without a lock",
    rename_wheel("cp310-abi3", "cp314-cp314t"),
)
add("native-module complete-set wheel-file", "the stable ABI for one Python", rename_wheel("cp310-abi3", "cp312-cp312"))
add(
    "module-name init-function package-files",
    "a second module for another processor",
    lambda release: release.change_wheel(
        lambda files: files.update({"ferrous_wheel/_x.cpython-312-aarch64-linux-gnu.so": files[release.native]})
    ),
)
add("needed-libraries", "a library that needs OpenSSL", native(b"libpthread.so.0\0", b"libssl-nn.so.3\0\0"[:16]))
add("glibc-floor", "what glibc keeps to itself", native(b"GLIBC_2.3.4\0", b"GLIBC_PRIVATE"[:11] + b"\0"))
add("library-readable", "a library for FreeBSD", native(b"\x7fELF\x02\x01\x01\0", b"\x7fELF\x02\x01\x01\x09"))
add("library-loadable", "an executable stack", native(b"\x51\xe5\x74\x64\x06\0\0\0", b"\x51\xe5\x74\x64\x07\0\0\0"))

# ---- more of each kind
add(
    "no-links tracked-files",
    "a link to another file of an sdist",
    member("{top}/a/link", tarfile.SYMTYPE, linkname="../README.md"),
)
add("safe-members tracked-files", "a name with an empty part in an sdist", member("{top}//x"))
add(
    "declared-metadata",
    "another summary in wheel and sdist",
    lambda release: release.change_all_metadata("Summary: .*", "Summary: Another"),
)
add(
    "metadata-consistent declared-metadata",
    "an extra twice",
    lambda release: release.change_all_metadata("^", "Provides-Extra: a-b\nProvides-Extra: A_B\n"),
)
add(
    "metadata-consistent metadata-agrees",
    "a requirement for an extra that there is not",
    header("Requires-Dist: x; extra == 'nope'"),
)
add(
    "metadata-consistent metadata-agrees",
    "a floor above the ceiling",
    metadata("Requires-Python: >=3.10", "Requires-Python: >=3.10,<3"),
)
add("wheel-file", "a build number that is in WHEEL alone", in_wheel("{info}/WHEEL", b"Tag: ", b"Build: 7\nTag: "))
add(
    "wheel-file",
    "two versions of WHEEL",
    in_wheel("{info}/WHEEL", b"Wheel-Version: 1.0", b"Wheel-Version: 1.0\nWheel-Version: 9.0"),
)
add("wheel-file", "purelib neither true nor false", in_wheel("{info}/WHEEL", b"Purelib: false", b"Purelib: no"))
add("wheel-file", "tags behind an empty line", in_wheel("{info}/WHEEL", b"Tag: ", b"\nTag: "))
add(
    "wheel-file package-files",
    "a native module in purelib of .data",
    lambda release: release.change_wheel(
        lambda files: files.update({f"{DATA}/purelib/frob/_core.abi3.so": files[release.native]})
    ),
)
add(
    "one-dist-info package-files",
    "a second distribution in .data",
    to_wheel(f"{DATA}/purelib/other-1.0.dist-info/METADATA"),
)
add("one-dist-info package-files", "a second distribution of an older kind", to_wheel("other-1.0.egg-info/PKG-INFO"))
add("data-folder package-files", "a .data folder in capitals", to_wheel("ferrous_wheel-0.1.0.DATA/scripts/frob"))
add(
    "data-folder package-files",
    "a module that is imported at every start",
    to_wheel(f"{DATA}/purelib/usercustomize.py"),
)
for words, line in (
    ("called pip", "pip = ferrous_wheel:main"),
    ("called as a Python", "python3 = ferrous_wheel:main"),
    ("called as a program of Windows", "Python.EXE = ferrous_wheel:main"),
    ("to no module", "frob = ferrous_wheel.nosuch:main"),
    ("without a function", "frob = ferrous_wheel"),
    ("that is a call", "frob = ferrous_wheel:main()"),
):
    points = f"[console_scripts]\n{line}\n".encode()
    add("entry-points metadata-agrees", f"a command {words}", to_wheel("{info}/entry_points.txt", points))
add(
    "no-placeholders package-files",
    "a pointer of git-annex",
    to_wheel("ferrous_wheel/data.bin", b"/annex/objects/SHA256E-s1--" + b"0" * 64 + b".bin\n"),
)
JJ = b"<<<<<<< Conflict 1 of 1\n%%%%%%% Changes\n-a\n+b\n+++++++ Contents of side #2\nc\n>>>>>>> Conflict 1 of 1 ends\n"
add("no-placeholders tracked-files", "a conflict of jj", to_sdist("x.txt", JJ))
for words, token in (
    ("a key of PGP", b"-----BEGIN PGP " + b"PRIVATE KEY BLOCK-----\n\nlQPGBGFXq3MBCADOq0Xj"),
    ("an encrypted key", b"-----BEGIN ENCRYPTED " + b"PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED"),
    ("a token of the crate index", b"cio" + b"a1B2c3D4" * 4),
    ("a token of GitLab", b"glpat-" + b"a1B2c3D4e5F6g7H8i9J0"),
):
    add("no-secrets tracked-files", f"{words} in the sdist", to_sdist("docs/x.txt", token))


def bill(change: Callable[[Any], object]) -> Breakage:
    """Return what changes the SBOM of the wheel."""

    def breakage(release: Release) -> None:
        def change_file(files: Files) -> None:
            name = SBOM.format(info=release.info)
            found = json.loads(files[name])
            change(found)
            files[name] = json.dumps(found).encode()

        release.change_wheel(change_file)

    return breakage


add("sbom-present", "an SBOM without one of the crates", bill(lambda found: found["components"].pop()))
add("sbom-present", "an SBOM without any crate", bill(lambda found: found.pop("components")))
add(
    "sbom-present", "an SBOM with a crate twice", bill(lambda found: found["components"].append(found["components"][0]))
)
add(
    "sbom-present",
    "an SBOM with another address of a crate",
    bill(lambda found: found["components"][0].update(purl="pkg:cargo/x@1")),
)
add("sbom-present", "an SBOM of another kind", bill(lambda found: found.update(bomFormat="SPDX")))
add("sbom-present", "an SBOM without what needs what", bill(lambda found: found.pop("dependencies")))
add(
    "sbom-present",
    "an SBOM of another name",
    lambda release: release.change_wheel(
        lambda files: files.update({f"{release.info}/sboms/x.cdx.json": files.pop(SBOM.format(info=release.info))})
    ),
)
