"""Artefacts with one thing wrong, made from a good one."""

import base64
import hashlib
import io
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

Files = dict[str, bytes]


def record_of(files: Files, record: str) -> bytes:
    """Return the RECORD (PEP 376, PEP 427) that is right for these files."""

    def digest(content: bytes) -> str:
        return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()

    lines = [f"{name},sha256={digest(content)},{len(content)}" for name, content in files.items() if name != record]
    return "\n".join([*lines, f"{record},,", ""]).encode()


def repack_wheel(wheel: Path, folder: Path, change: Callable[[Files], object], name: str | None = None) -> Path:
    """Write a changed copy of a wheel, with a RECORD that fits, into `folder`."""
    with zipfile.ZipFile(wheel) as archive:
        files = {entry.filename: archive.read(entry) for entry in archive.infolist()}
    change(files)
    (record,) = (file for file in files if file.endswith(".dist-info/RECORD"))
    files[record] = record_of(files, record)
    copy = folder / (name or wheel.name)
    with zipfile.ZipFile(copy, "w", zipfile.ZIP_DEFLATED) as archive:
        for file, content in files.items():
            archive.writestr(file, content)
    return copy


def make_wheel(folder: Path, name: str, version: str, files: Files, *fields: str, tags: str = "py3-none-any") -> Path:
    """Write a wheel into `folder`, for every Python if nothing is said, with further fields of the metadata."""
    info = f"{name}-{version}.dist-info"
    metadata = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", *fields, ""]
    wheel = ["Wheel-Version: 1.0", "Generator: tests", "Root-Is-Purelib: true", f"Tag: {tags}", ""]
    files = {
        **files,
        f"{info}/METADATA": "\n".join(metadata).encode(),
        f"{info}/WHEEL": "\n".join(wheel).encode(),
    }
    path = folder / f"{name}-{version}-{tags}.whl"
    folder.mkdir(exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for file, content in {**files, f"{info}/RECORD": record_of(files, f"{info}/RECORD")}.items():
            archive.writestr(file, content)
    return path


def repack_sdist(sdist: Path, folder: Path, change: Callable[[Files], object], name: str | None = None) -> Path:
    """Write a changed copy of an sdist into `folder`."""
    with tarfile.open(sdist) as archive:
        files = {member.name: archive.extractfile(member).read() for member in archive if member.isfile()}  # type: ignore[union-attr]
    change(files)
    copy = folder / (name or sdist.name)
    with tarfile.open(copy, "w:gz") as archive:
        for file, content in files.items():
            member = tarfile.TarInfo(file)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return copy
