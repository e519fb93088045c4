"""What an upload must be, looked at in PyPI's order: the form, the project, the file's name, the file, what is in it.

The source is PyPI's: warehouse/forklift/legacy.py, file_upload. Rules of scripts/gate that PyPI does not have are no
reason to refuse anything here.
"""

import hashlib
import hmac
import io
import re
import tempfile
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.metadata import Metadata
from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    canonicalize_name,
    parse_sdist_filename,
    parse_wheel_filename,
)
from packaging.version import Version
from pypi_attestations import Attestation

from roadworthy.gate.names import PLATFORMS
from workshop.loopback import attestations
from workshop.loopback.archives import read_contents, validate
from workshop.loopback.forms import EXTENSIONS, Form, check_fields, first, read_metadata
from workshop.loopback.minting import Token, check_permission
from workshop.loopback.publishers import TrustedPublisher
from workshop.loopback.refusals import refused

if TYPE_CHECKING:
    from workshop.loopback.index import PackageIndex

MIB, GIB = 1 << 20, 1 << 30
# How long a release takes new files after its first one.
OPEN = timedelta(days=14)


@dataclass(frozen=True)
class Upload:
    """What was posted: the form without its file, and the file, if there was one."""

    form: Form
    name: str | None = None
    content: bytes = field(default=b"", repr=False)
    content_type: str = ""


@dataclass(frozen=True)
class StoredFile:
    """A file that the index has taken.

    Attributes:
        name: The file name.
        content: The file.
        hashes: In hexadecimal, by their names: md5, sha256, blake2_256.
        kind: `sdist` or `bdist_wheel`.
        python: Which Python it is for, as the uploader said: `cp310`, `source` …
        info: The core metadata in the upload's form.
        uploaded: When, in UTC.
        metadata: A wheel's METADATA; None for an sdist.
        attestations: Those that came with it.
        publisher: Whose token it came by; None for a user's.
        visible_after: How many requests of the project's simple page do not see it, counted from the index's first.
    """

    name: str
    content: bytes = field(repr=False)
    hashes: dict[str, str]
    kind: str
    python: str
    info: Metadata = field(repr=False)
    uploaded: datetime
    metadata: bytes | None = field(repr=False)
    attestations: list[Attestation] = field(repr=False)
    publisher: TrustedPublisher | None
    visible_after: int

    @property
    def version(self) -> Version:
        """The release that it is of."""
        return self.info.version

    @property
    def requires_python(self) -> str | None:
        """Which Pythons it may be installed on."""
        return str(self.info.requires_python) if self.info.requires_python else None


def admit(index: "PackageIndex", token: Token, upload: Upload) -> StoredFile | None:
    """Return the file as it is to be stored, or None if it is there already, byte for byte.

    Raises:
        RefusedError: PyPI would not take it.
    """
    form = upload.form
    if first(form, "protocol_version") not in {"", "1"}:
        raise refused("protocol-version")
    check_fields(form)
    info = read_metadata(form)
    if upload.name is None:
        raise refused("no-file")
    check_permission(index, token, info.name)
    check_description(info)
    kind = first(form, "filetype")
    check_name(upload.name, kind)
    if not upload.content_type or upload.content_type.startswith("image/"):
        raise refused("content-type")
    check_size(index, info.name, len(upload.content))
    hashes = digests(upload.content)
    check_digests(form, hashes)
    if is_there(index, upload.name, hashes):
        return None
    now = datetime.fromtimestamp(index.now(), timezone.utc)
    check_release(index, kind, info.version, now)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / upload.name
        path.write_bytes(upload.content)
        validate(path)
        if kind == "sdist":
            check_sdist_name(upload.name, info)
        else:
            check_wheel_name(upload.name, info)
        metadata = read_contents(path, info)
    attested = []
    if "attestations" in form:
        attested = attestations.check(first(form, "attestations"), token.publisher, upload.name, upload.content)
    return StoredFile(
        name=upload.name,
        content=upload.content,
        hashes=hashes,
        kind=kind,
        python=first(form, "pyversion") or "source",
        info=info,
        uploaded=now,
        metadata=metadata,
        attestations=attested,
        publisher=token.publisher,
        visible_after=index.page_requests + index.late,
    )


def check_description(info: Metadata) -> None:
    """Check that the description renders. Of the kinds that PyPI knows, only reStructuredText can fail to.

    Raises:
        RefusedError: It does not.
    """
    kind = info.description_content_type
    if not info.description or (kind or "text/x-rst").split(";")[0].strip().lower() != "text/x-rst":
        return
    from readme_renderer import rst  # noqa: PLC0415 - docutils takes longer to load than all the rest

    if rst.render(info.description, stream=io.StringIO()) is None:
        raise refused("description", kind=kind) if kind else refused("default-description")


def check_name(name: str, kind: str) -> None:
    """Check the characters and the end of a file name.

    Raises:
        RefusedError: They are not those of a distribution.
    """
    if re.search(r"[\x00-\x1f\x7f]", name):
        raise refused("control-character")
    if "/" in name or "\\" in name:
        raise refused("separator")
    found = re.match(r".+?(\.(tar\.gz|zip|whl))$", name, re.IGNORECASE)
    if found is None:
        raise refused("unknown-extension")
    if found[1] not in EXTENSIONS[kind]:
        raise refused("extension", extension=found[1], kind=kind)


def check_size(index: "PackageIndex", project: str, size: int) -> None:
    """Check the limits of a file and of the project.

    Raises:
        RefusedError: One is exceeded.
    """
    if size > index.file_limit:
        raise refused("file-too-large", project=project, limit=index.file_limit // MIB)
    if size + sum(len(file.content) for file in index.files.values()) > index.project_limit:
        raise refused("project-too-large", project=project, limit=index.project_limit // GIB)


def digests(content: bytes) -> dict[str, str]:
    """Return the digests that PyPI keeps of a file, in hexadecimal, by their names."""
    return {
        "md5": hashlib.md5(content, usedforsecurity=False).hexdigest(),
        "sha256": hashlib.sha256(content).hexdigest(),
        "blake2_256": hashlib.blake2b(content, digest_size=32).hexdigest(),
    }


def check_digests(form: Form, hashes: dict[str, str]) -> None:
    """Compare the digests that the form says with those of the file.

    Raises:
        RefusedError: One differs.
    """
    for name, digest in hashes.items():
        said = first(form, f"{name}_digest").lower()
        if said and not hmac.compare_digest(said.encode(), digest.encode()):
            raise refused("digest")


def is_there(index: "PackageIndex", name: str, hashes: dict[str, str]) -> bool:
    """Say whether this very file is there, by its name and its content.

    Raises:
        RefusedError: Another content is there under this name, or this content under another name; or there was once
            a file of this name.
    """
    for file in index.files.values():
        same_content = file.hashes["blake2_256"] == hashes["blake2_256"]
        if file.name == name and same_content:
            return True
        if file.name == name or same_content:
            raise refused("exists", file=name, digest=hashes["blake2_256"])
    if name in index.deleted:
        raise refused("deleted")
    return False


def check_release(index: "PackageIndex", kind: str, version: Version, now: datetime) -> None:
    """Check that a release takes another file.

    Raises:
        RefusedError: It is too old, or has its sdist.
    """
    if version in index.releases and index.releases[version] < now - OPEN:
        raise refused("closed-release")
    if kind == "sdist" and any((file.kind, file.version) == ("sdist", version) for file in index.files.values()):
        raise refused("second-sdist")


def check_sdist_name(name: str, info: Metadata) -> None:
    """Check that an sdist is called as its metadata says, and normalised (PEP 625).

    Raises:
        RefusedError: It is not.
    """
    project = canonicalize_name(info.name)
    start = project.replace("-", "_")
    expected = f"{start}-{info.version}.tar.gz"
    try:
        found = parse_sdist_filename(name)[0]
    except InvalidSdistFilename as error:
        raise refused("sdist-name", file=name) from error
    if found != project:
        raise refused("start", project=info.name, start=start)
    if name != expected:
        raise refused("sdist-spelling", file=name, expected=expected)


def check_wheel_name(name: str, info: Metadata) -> None:
    """Check that a wheel is called as its metadata says, normalised, and for a system that PyPI knows.

    Raises:
        RefusedError: It is not.
    """
    project = canonicalize_name(info.name)
    start = project.replace("-", "_")
    try:
        found, version, _, tags = parse_wheel_filename(name)
    except InvalidWheelFilename as error:
        raise refused("wheel-name", reason=error) from error
    for platform in sorted({tag.platform for tag in tags}):
        if not PLATFORMS.fullmatch(platform):
            raise refused("platform", file=name, platform=platform)
    if found != project:
        raise refused("start", project=info.name, start=start)
    spelled = name.split("-", maxsplit=1)[0]
    if spelled != start:
        raise refused("wheel-spelling", file=name, expected=start, found=spelled)
    if version != info.version:
        raise refused("wheel-version", expected=str(info.version), found=str(version))
