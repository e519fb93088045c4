"""What an upload must be, looked at in PyPI's order: the form, the project, the file's name, the file, what is in it.

The source is PyPI's: warehouse/forklift/legacy.py, file_upload. What it rejects for the file itself is in gate/pypi.py.
Rules of the gate that PyPI does not have are no reason to refuse anything here.
"""

import hashlib
import hmac
import re
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, cast

# PyPI reads the form by these tables of packaging's too, so that a field is as often there, and a list, as they say.
from packaging.metadata import _LIST_FIELDS, _STRING_FIELDS, Metadata, RawMetadata
from packaging.utils import canonicalize_name
from packaging.version import Version
from pypi_attestations import Attestation

from roadworthy.gate import pypi, pypi_metadata
from roadworthy.gate.model import Artefact
from roadworthy.gate.pypi_archives import judge_archive, judge_container
from workshop.loopback import attestations
from workshop.loopback.index import GIB, PackageIndex, StoredFile, Token
from workshop.loopback.minting import check_permission
from workshop.loopback.refusals import refused, reject

# All values of each field, in their order.
Form = Mapping[str, list[str]]

# How long a release takes new files after its first one.
OPEN = timedelta(days=14)
DIGEST = re.compile(r"[A-F0-9]{64}", re.IGNORECASE)
RAW_NAMES = {field: raw for raw, field in pypi_metadata.FORM_FIELDS.items()}


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
            index.releases.setdefault((file.project, file.version), file.uploaded)


def admit(index: PackageIndex, token: Token, upload: Upload) -> StoredFile | None:
    """Return the file as it is to be stored, or None if it is there already, byte for byte."""
    form, name, content = upload.form, upload.name, upload.content
    info = read_form(form)
    if name is None:
        raise refused("no-file")
    check_permission(index, token, info.name)
    reject(pypi.judge_description(info))
    kind = first(form, "filetype")
    reject(pypi.judge_file_name(name, kind))
    if not upload.content_type or upload.content_type.startswith("image/"):
        raise refused("content-type")
    reject(pypi.judge_size(info.name, len(content), index.file_limit))
    if len(content) + sum(len(file.content) for file in index.files.values()) > index.project_limit:
        raise refused("project-too-large", project=info.name, limit=index.project_limit // GIB)
    hashes = digests(content)
    for algorithm, digest in hashes.items():
        said = first(form, f"{algorithm}_digest").lower()
        if said and not hmac.compare_digest(said.encode(), digest.encode()):
            raise refused("digest")
    if is_there(index, name, hashes):
        return None
    now = datetime.fromtimestamp(index.now(), timezone.utc)
    check_release(index, kind, (canonicalize_name(info.name), info.version), now)
    metadata, attested, publisher = read_file(name, content, info), list[Attestation](), token.publisher
    if "attestations" in form:
        attested = attestations.check(first(form, "attestations"), publisher, name, content)
    late = index.page_requests + index.late
    return StoredFile(name, content, hashes, kind, info, now, metadata, attested, publisher, late)


# ---- the form -------------------------------------------------------------------------------------------------------


def sanitize(fields: Form) -> dict[str, list[str]]:
    """Return the form without what is nothing, and without zero bytes.

    The source is PyPI's: warehouse/forklift/decorators.py, sanitize.
    """
    return {
        name: [value.replace("\0", "\\x00") for value in values]
        for name, values in fields.items()
        if not pypi_metadata.is_nothing(values)
    }


def first(form: Form, name: str) -> str:
    """Return the first value of a field, or ""."""
    return form.get(name, [""])[0]


def read_form(form: Form) -> Metadata:
    """Return the core metadata in a form, after all else in it has been checked."""
    if first(form, "protocol_version") not in {"", "1"}:
        raise refused("protocol-version")
    reject(pypi.judge_project(first(form, "name")))
    for refusal in wrong_fields(form):
        raise refused(refusal)
    raw, unparsed = read_raw(form)
    reject(pypi_metadata.judge(raw, unparsed))
    return Metadata.from_raw(raw)


def wrong_fields(form: Form) -> Iterator[str]:
    """Yield what is refused of the form, in the order in which PyPI tells it: by the fields' names, then the whole.

    The source is PyPI's: warehouse/forklift/forms.py, UploadForm.
    """
    kind, python = first(form, "filetype"), first(form, "pyversion")
    digests = [first(form, f"{name}_digest") for name in ("blake2_256", "sha256", "md5")]
    if digests[0] and not DIGEST.fullmatch(digests[0]):
        yield "bad-blake2"
    if kind not in pypi.EXTENSIONS:
        yield "file-type" if kind else "no-file-type"
    if digests[1] and not DIGEST.fullmatch(digests[1]):
        yield "bad-sha256"
    if kind != "sdist" and not python:
        yield "no-python-version"
    if kind == "sdist" and python not in {"", "source"}:
        yield "python-version"
    if not any(digests):
        yield "no-digest"


def read_raw(form: Form) -> tuple[RawMetadata, list[str]]:
    """Return the form's fields of metadata as packaging wants them, and the names of those that cannot be read.

    The source is PyPI's: warehouse/forklift/metadata.py, parse_form_metadata.
    """
    raw: dict[str, Any] = {}
    unparsed = []
    for name, values in form.items():
        known = RAW_NAMES.get(name)
        if known is None:
            continue
        if known in _LIST_FIELDS:
            raw[known] = values
        elif known == "project_urls":
            pairs = [[part.strip() for part in value.partition(",")] for value in values]
            raw[known] = {label: url for label, _, url in pairs}
            if len(raw[known]) != len(pairs):
                unparsed.append(name)
        elif len(values) > 1:
            unparsed.append(name)
        elif known in _STRING_FIELDS:
            raw[known] = values[0]
        elif known == "keywords":
            raw[known] = [word.strip() for word in values[0].split(",")]
        else:
            unparsed.append(name)
    return cast(RawMetadata, raw), unparsed


# ---- the file -------------------------------------------------------------------------------------------------------


def read_file(name: str, content: bytes, info: Metadata) -> bytes | None:
    """Return the METADATA of a wheel that PyPI takes under this name and with what the form says; None for an sdist."""
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


def digests(content: bytes) -> dict[str, str]:
    """Return the digests that PyPI keeps of a file, in hexadecimal, by their names."""
    return {
        "md5": hashlib.md5(content, usedforsecurity=False).hexdigest(),
        "sha256": hashlib.sha256(content).hexdigest(),
        "blake2_256": hashlib.blake2b(content, digest_size=32).hexdigest(),
    }


def is_there(index: PackageIndex, name: str, hashes: dict[str, str]) -> bool:
    """Say whether this very file is there; there may be no other content, and was never one, under this name."""
    for file in index.files.values():
        same_content = file.hashes["blake2_256"] == hashes["blake2_256"]
        if file.name == name and same_content:
            return True
        if file.name == name or same_content:
            raise refused("exists", file=name, digest=hashes["blake2_256"])
    if name in index.deleted:
        raise refused("deleted")
    return False


def check_release(index: PackageIndex, kind: str, release: tuple[str, Version], now: datetime) -> None:
    """Check that a release takes another file: it is not too old, and has no second sdist."""
    if release in index.releases and index.releases[release] < now - OPEN:
        raise refused("closed-release")
    there = ((file.kind, file.project, file.version) for file in index.files.values())
    if kind == "sdist" and (kind, *release) in there:
        raise refused("second-sdist")
