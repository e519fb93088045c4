"""The index itself: what it has, whom it trusts, and what it has been asked."""

import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import InitVar, dataclass, field
from datetime import datetime

from packaging.metadata import Metadata
from packaging.utils import canonicalize_name
from packaging.version import Version
from pypi_attestations import Attestation

from roadworthy.gate.pypi import LARGEST_FILE
from workshop.loopback.outages import Outage
from workshop.loopback.publishers import TrustedPublisher

GIB = 1 << 30


@dataclass(frozen=True)
class Request:
    """A request that was answered: its method, its path, and the status; 0 if the connection was cut."""

    method: str
    path: str
    status: int


@dataclass(frozen=True)
class Token:
    """A token for uploads. `expires` is in seconds of the index's clock; a user's token has no publisher."""

    project: str
    expires: float
    publisher: TrustedPublisher | None


@dataclass(frozen=True)
class StoredFile:
    """A file that the index has taken.

    Attributes:
        name: The file name.
        content: The file.
        hashes: In hexadecimal, by their names: md5, sha256, blake2_256.
        kind: `sdist` or `bdist_wheel`.
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


@dataclass
class PackageIndex:
    """A package index with one project of ours.

    Attributes:
        project: Our project's name, as its owner spells it.
        publisher: Its trusted publisher; with a pending one, the project does not exist yet.
        tokens: Tokens of a user who owns the project, for this project.
        projects: The normalised names of all projects, those of others too.
        publishers: All publishers that are registered for the project.
        audience: Who an identity must be for.
        archived: Whether the project takes no more files.
        file_limit: Of one file, in bytes.
        project_limit: Of all files, in bytes.
        late: How many requests of a project's simple page do not see a file that is uploaded from now on.
        outages: What the network does, see `outages.py`.
        now: The index's clock: seconds since 1970.
        files: What it has, by the file names.
        deleted: The names of files that it had once.
        releases: When the first file of each version came.
        minted: The tokens that were made of identities, by their text.
        used: The identities that tokens were made of, by their `jti`.
        page_requests: How often a project's simple page was asked for.
        log: All requests, in the order of their answers.
        errors: What was raised while answering, and is a mistake of the index.
        lock: To be held while any of this is changed.
    """

    project: str
    publisher: InitVar[TrustedPublisher | None]
    tokens: set[str] = field(default_factory=set)
    projects: set[str] = field(default_factory=set)
    publishers: list[TrustedPublisher] = field(default_factory=list)
    audience: str = "pypi"
    archived: bool = False
    file_limit: int = LARGEST_FILE
    project_limit: int = 10 * GIB
    late: int = 0
    outages: list[Outage] = field(default_factory=list)
    now: Callable[[], float] = time.time
    files: dict[str, StoredFile] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)
    releases: dict[Version, datetime] = field(default_factory=dict)
    minted: dict[str, Token] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    page_requests: int = 0
    log: list[Request] = field(default_factory=list)
    errors: list[Exception] = field(default_factory=list)
    lock: AbstractContextManager[bool] = field(default_factory=threading.RLock, repr=False)

    def __post_init__(self, publisher: TrustedPublisher | None) -> None:
        """Register the publisher, and the project unless it is a pending one's."""
        if publisher is not None:
            self.publishers.append(publisher)
        if publisher is None or not publisher.pending:
            self.projects.add(canonicalize_name(self.project))

    def delete(self, file_name: str) -> None:
        """Delete a file, as its owner can; its name is never taken again.

        Raises:
            KeyError: There is no such file.
        """
        with self.lock:
            del self.files[file_name]
            self.deleted.add(file_name)

    def visible(self) -> list[StoredFile]:
        """Return the files that the next request of the project's simple page sees, by version and name."""
        with self.lock:
            seen = [file for file in self.files.values() if file.visible_after <= self.page_requests]
            return sorted(seen, key=lambda file: (file.version, file.name))
