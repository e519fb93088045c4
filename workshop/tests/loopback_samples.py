"""Small distributions of this project, and an index on loopback with somebody who publishes there."""

import io
import random
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

import requests
from packaging.metadata import _EMAIL_TO_RAW_MAPPING, parse_email

from broken import Files, record_of
from helpers import PROJECT
from roadworthy.gate.pypi_metadata import FORM_FIELDS
from roadworthy.sums import sha256
from workshop.loopback.identity import IdentityProvider, github_claims
from workshop.loopback.index import PackageIndex, TrustedPublisher
from workshop.loopback.server import Addresses, serve

REPOSITORY = "somebody/ferrous-wheel"
PUBLISHER = TrustedPublisher(repository=REPOSITORY, workflow="CI.yml", environment="pypi", project=PROJECT.name)
TOKEN = "pypi-of-the-owner"  # noqa: S105 - of an index that is gone when the test is
CLAIMS = github_claims(
    repository=REPOSITORY,
    workflow="CI.yml",
    ref="refs/tags/v0.1.0",
    sha="a" * 40,
    event_name="push",
    environment="pypi",
)
INFO = f"{PROJECT.import_name}-{PROJECT.version}.dist-info"
TOP = f"{PROJECT.import_name}-{PROJECT.version}"
WHEEL = f"{TOP}-py3-none-any.whl"
SDIST = f"{TOP}.tar.gz"
METADATA = f"""Metadata-Version: 2.4
Name: {PROJECT.name}
Version: {PROJECT.version}
Summary: A sample
License-Expression: MIT
License-File: LICENSE
Requires-Python: >=3.10
Project-URL: Repository, https://github.com/{REPOSITORY}
Description-Content-Type: text/markdown

# A sample
"""


def wheel_files() -> Files:
    """Return what is in a wheel, but RECORD."""
    return {
        f"{PROJECT.import_name}/__init__.py": b'ANSWER = "a sample"\n',
        f"{INFO}/METADATA": METADATA.encode(),
        f"{INFO}/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{INFO}/licenses/LICENSE": b"MIT",
    }


def make_wheel(files: Files, compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return a wheel."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as archive:
        for file, content in files.items():
            archive.writestr(zipfile.ZipInfo(file), content, compression)
    return stream.getvalue()


def good_wheel(more: Files | None = None) -> bytes:
    """Return a wheel in which everything is right, perhaps with more files."""
    record, files = f"{INFO}/RECORD", {**wheel_files(), **(more or {})}
    return make_wheel({**files, record: record_of(files, record)})


def sdist_files() -> Files:
    """Return what is in an sdist; it is large enough to be cut in the middle."""
    return {
        f"{TOP}/PKG-INFO": METADATA.encode(),
        f"{TOP}/LICENSE": b"MIT",
        f"{TOP}/pyproject.toml": b"[build-system]\nrequires = []\n",
        f"{TOP}/noise": random.Random(1).randbytes(20_000),
    }


def make_sdist(files: Files, *members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    """Return an sdist; `members` are added to the files as they are."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz", format=tarfile.PAX_FORMAT) as archive:
        for file, content in files.items():
            entry = tarfile.TarInfo(file)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
        for entry, content in members:
            archive.addfile(entry, io.BytesIO(content))
    return stream.getvalue()


def write_samples(folder: Path) -> list[Path]:
    """Write a good wheel and a good sdist into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / WHEEL).write_bytes(good_wheel())
    (folder / SDIST).write_bytes(make_sdist(sdist_files()))
    return [folder / WHEEL, folder / SDIST]


def metadata_of(file: str, content: bytes) -> bytes:
    """Return the core metadata in a file; of one that has none that can be read, that of the samples."""
    try:
        if file.endswith(".whl"):
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
                return archive.read(name)
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as sdist:
            member = next(member for member in sdist if member.name.endswith("/PKG-INFO"))
            return cast("IO[bytes]", sdist.extractfile(member)).read()
    except (OSError, EOFError, StopIteration, ValueError, tarfile.TarError, zipfile.BadZipFile, zlib.error):
        return METADATA.encode()


def form_of(file: str, content: bytes) -> dict[str, Any]:
    """Return the form with which an uploader would send a file, its fields by their names."""
    raw, unparsed = parse_email(metadata_of(file, content))
    if raw.get("metadata_version", "") < "2.4":
        raw.pop("license_files", None)
    kind, python = ("bdist_wheel", "py3") if file.endswith(".whl") else ("sdist", "source")
    form: dict[str, Any] = {
        ":action": "file_upload",
        "protocol_version": "1",
        "filetype": kind,
        "pyversion": python,
        "sha256_digest": sha256(content),
        **{FORM_FIELDS[field]: value for field, value in raw.items()},
    }
    # What is there twice is sent twice, and so is what cannot be read at all.
    known = {field: FORM_FIELDS[raw] for field, raw in _EMAIL_TO_RAW_MAPPING.items()}
    form |= {known[field]: [*values, *values] for field, values in unparsed.items() if field in known}
    if "project_urls" in raw:
        form["project_urls"] = [f"{label}, {url}" for label, url in raw["project_urls"].items()]
    if "keywords" in raw:
        form["keywords"] = ",".join(raw["keywords"])
    return form


@dataclass
class Attempt:
    """Somebody who uploads, or asks for a token."""

    index: PackageIndex
    provider: IdentityProvider
    at: Addresses
    authorization: tuple[str, str] | None = ("__token__", TOKEN)
    content_type: str = "application/octet-stream"

    def post(self, path: str, **arguments: Any) -> requests.Response:  # noqa: ANN401 - what requests takes
        """Send a request over TLS; one that is refused must not change anything."""
        before = self.state()
        address = self.at.upload.replace("/legacy/", path)
        response = requests.post(address, verify=str(self.at.authority), timeout=30, **arguments)
        assert response.ok or self.state() == before
        return response

    def state(self) -> tuple[object, ...]:
        """Return what a refused request does not change."""
        index = self.index
        return dict(index.files), set(index.deleted), dict(index.releases), dict(index.minted), set(index.used)

    def send(self, file: str, content: bytes, **changes: Any) -> requests.Response:  # noqa: ANN401 - text or texts
        """Upload a file; `changes` are other values of the form's fields, None for a field that is not there."""
        form = {key: value for key, value in {**form_of(file, content), **changes}.items() if value is not None}
        files = {"content": (file, content, self.content_type)}
        return self.post("/legacy/", data=form, files=files, auth=self.authorization)

    def wheel(self, **changes: Any) -> requests.Response:  # noqa: ANN401 - text or texts
        """Upload the good wheel; what is changed is the form."""
        return self.send(WHEEL, good_wheel(), **changes)

    def sdist(self, **changes: Any) -> requests.Response:  # noqa: ANN401 - text or texts
        """Upload the good sdist; what is changed is the form."""
        return self.send(SDIST, make_sdist(sdist_files()), **changes)

    def mint(self, **claims: str | None) -> requests.Response:
        """Ask for a token with changed claims; None takes one away."""
        changed = {claim: value for claim, value in {**CLAIMS, **claims}.items() if value is not None}
        return self.exchange(self.provider.issue(changed, self.index.audience))

    def exchange(self, identity: str) -> requests.Response:
        """Exchange an identity for a token."""
        return self.post("/_/oidc/mint-token", json={"token": identity})

    def trust(self) -> None:
        """Upload with a token that was minted from now on."""
        self.authorization = ("__token__", self.mint().json()["token"])


@contextmanager
def somebody(folder: Path, provider: IdentityProvider) -> Iterator[Attempt]:
    """Let an index answer, in which nothing goes wrong that is its own mistake, and yield who uploads there."""
    index = PackageIndex(PROJECT.name, PUBLISHER, tokens={TOKEN})
    with serve(index, provider, folder) as addresses:
        yield Attempt(index, provider, addresses)
    assert index.errors == []
