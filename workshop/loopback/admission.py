"""What an upload must be, looked at in PyPI's order: the form, the project, the file's name, the file, what is in it.

The source is PyPI's: warehouse/forklift/legacy.py, file_upload. What it rejects for the file itself is in gate/pypi.py.
Rules of the gate that PyPI does not have are no reason to refuse anything here.
"""

import hashlib
import hmac
import tempfile
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path

from packaging.metadata import Metadata
from packaging.version import Version

from roadworthy.gate import pypi, pypi_metadata
from roadworthy.gate.model import Artefact
from roadworthy.gate.pypi_archives import judge_archive, judge_container
from workshop.loopback import attestations
from workshop.loopback.forms import Form, check_fields, first, read_raw
from workshop.loopback.index import GIB, PackageIndex, StoredFile, Token
from workshop.loopback.minting import check_permission
from workshop.loopback.refusals import refused, reject

# How long a release takes new files after its first one.
OPEN = timedelta(days=14)


@dataclass(frozen=True)
class Upload:
    """What was posted: the form without its file, and the file, if there was one."""

    form: Form
    name: str | None = None
    content: bytes = field(default=b"", repr=False)
    content_type: str = ""


def take(index: PackageIndex, token: Token, upload: Upload) -> None:
    """Store an upload; if it is there already, byte for byte, nothing changes.

    Raises:
        RefusedError: PyPI would not take it; nothing has changed.
    """
    with index.lock:
        file = admit(index, token, upload)
        if file is not None:
            index.files[file.name] = file
            index.releases.setdefault(file.version, file.uploaded)


def admit(index: PackageIndex, token: Token, upload: Upload) -> StoredFile | None:
    """Return the file as it is to be stored, or None if it is there already, byte for byte.

    Raises:
        RefusedError: PyPI would not take it.
    """
    form = upload.form
    info = read_form(form)
    if upload.name is None:
        raise refused("no-file")
    check_permission(index, token, info.name)
    reject(pypi.judge_description(info))
    kind = first(form, "filetype")
    reject(pypi.judge_file_name(upload.name, kind))
    if not upload.content_type or upload.content_type.startswith("image/"):
        raise refused("content-type")
    reject(pypi.judge_size(info.name, len(upload.content), index.file_limit))
    check_project_size(index, info.name, len(upload.content))
    hashes = digests(upload.content)
    check_digests(form, hashes)
    if is_there(index, upload.name, hashes):
        return None
    now = datetime.fromtimestamp(index.now(), timezone.utc)
    check_release(index, kind, info.version, now)
    metadata = read_file(upload.name, upload.content, info)
    attested = []
    if "attestations" in form:
        attested = attestations.check(first(form, "attestations"), token.publisher, upload.name, upload.content)
    return StoredFile(
        name=upload.name,
        content=upload.content,
        hashes=hashes,
        kind=kind,
        info=info,
        uploaded=now,
        metadata=metadata,
        attestations=attested,
        publisher=token.publisher,
        visible_after=index.page_requests + index.late,
    )


def read_form(form: Form) -> Metadata:
    """Return the core metadata in a form.

    Raises:
        RefusedError: Something in the form is missing or wrong.
    """
    if first(form, "protocol_version") not in {"", "1"}:
        raise refused("protocol-version")
    check_fields(form)
    raw, unparsed = read_raw(form)
    reject(pypi_metadata.judge(raw, unparsed))
    return Metadata.from_raw(raw)


def read_file(name: str, content: bytes, info: Metadata) -> bytes | None:
    """Return the METADATA of a wheel, and None for an sdist.

    Raises:
        RefusedError: PyPI does not take the file, or not under this name and with what the form says of it.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        with Artefact(path) as artefact:
            reject(judge_container(artefact))
            reject(judge_archive(artefact))
            reject(pypi.judge_parsed_name(name))
            reject(pypi.judge_agreement(name, info.name, info.version))
            reject(pypi.judge_contents(artefact, info.license_files or []))
            return artefact.metadata if artefact.is_wheel else None


def check_project_size(index: PackageIndex, project: str, size: int) -> None:
    """Check the limit of all files together.

    Raises:
        RefusedError: It is exceeded.
    """
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


def is_there(index: PackageIndex, name: str, hashes: dict[str, str]) -> bool:
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


def check_release(index: PackageIndex, kind: str, version: Version, now: datetime) -> None:
    """Check that a release takes another file.

    Raises:
        RefusedError: It is too old, or has its sdist.
    """
    if version in index.releases and index.releases[version] < now - OPEN:
        raise refused("closed-release")
    if kind == "sdist" and any((file.kind, file.version) == ("sdist", version) for file in index.files.values()):
        raise refused("second-sdist")
