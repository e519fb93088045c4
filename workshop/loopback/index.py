"""The index itself: what it has, whom it trusts, what befalls its network, and what it has been asked."""

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

GIB = 1 << 30
# An owner's number, which a repository that is transferred does not take along. GitHub's real ones do not matter.
OWNER_ID = "5555"


@dataclass(frozen=True)
class TrustedPublisher:
    """What is registered as a project's publisher."""

    repository: str  # owner/name on GitHub
    workflow: str  # the file in .github/workflows, such as CI.yml
    environment: str  # of the job that publishes, in any case; "" for any or none
    project: str  # that it may upload to
    owner_id: str = OWNER_ID
    pending: bool = False  # the project does not exist yet, and is made by the first token


@dataclass(frozen=True)
class Request:
    """A request that was answered: its method, its path, and the status; 0 if the connection was cut."""

    method: str
    path: str
    status: int


@dataclass
class Outage:
    """What happens to some requests: answers that come late, are errors, or never come."""

    method: str
    path: str  # how their paths begin
    status: int = 0  # they are answered with it, 429 with `Retry-After: 1`; 0 for what they ask for
    times: int | None = None  # it happens to the first so many of them; None for all
    seconds: float | None = None  # it happens to those that come so soon after the first; None for all
    wait: float = 0.0  # the answer comes so many seconds later
    drop_after: int | None = None  # the connection is cut after so many bytes of the body; None for not at all
    met: list[float] = field(default_factory=list, repr=False)  # when they came, by the index's clock

    def meets(self, method: str, path: str, now: float) -> bool:
        """Say whether it happens to this request, and count it."""
        if method != self.method or not path.startswith(self.path):
            return False
        self.met.append(now)
        few = self.times is None or len(self.met) <= self.times
        return few and (self.seconds is None or now - self.met[0] <= self.seconds)


@dataclass(frozen=True)
class Token:
    """A token for uploads. `expires` is in seconds of the index's clock; a user's token has no publisher."""

    project: str
    expires: float
    publisher: TrustedPublisher | None


@dataclass(frozen=True)
class StoredFile:
    """A file that the index has taken."""

    name: str
    content: bytes = field(repr=False)
    hashes: dict[str, str]  # in hexadecimal, by their names: md5, sha256, blake2_256
    kind: str  # sdist or bdist_wheel
    info: Metadata = field(repr=False)  # as the upload's form says it
    uploaded: datetime  # in UTC
    metadata: bytes | None = field(repr=False)  # a wheel's METADATA
    attestations: list[Attestation] = field(repr=False)
    publisher: TrustedPublisher | None  # whose token it came by; None for a user's
    visible_after: int  # so many requests of the project's page, from the index's first on, do not see it

    @property
    def project(self) -> str:
        """The normalised name of the project that it is of."""
        return canonicalize_name(self.info.name)

    @property
    def version(self) -> Version:
        """The release that it is of."""
        return self.info.version


@dataclass
class PackageIndex:
    """A package index with a project of ours. With a pending publisher, the project does not exist yet."""

    project: str  # as its owner spells it
    publisher: InitVar[TrustedPublisher | None]
    tokens: set[str] = field(default_factory=set)  # of the project's owner
    projects: set[str] = field(default_factory=set)  # the normalised names of all, those of others too
    publishers: list[TrustedPublisher] = field(default_factory=list)
    audience: str = "pypi"  # who an identity must be for
    archived: bool = False  # the project takes no more files
    file_limit: int = LARGEST_FILE  # in bytes
    project_limit: int = 10 * GIB  # of all files together
    late: int = 0  # so many requests of the project's page do not see a file that is uploaded from now on
    outages: list[Outage] = field(default_factory=list)
    now: Callable[[], float] = time.time  # its clock: seconds since 1970
    files: dict[str, StoredFile] = field(default_factory=dict)  # by their names
    deleted: set[str] = field(default_factory=set)  # names of files that it had once
    # By project and version: when the first file came.
    releases: dict[tuple[str, Version], datetime] = field(default_factory=dict)
    minted: dict[str, Token] = field(default_factory=dict)  # the tokens that were made of identities, by their text
    used: set[str] = field(default_factory=set)  # the `jti` of those identities
    page_requests: int = 0  # how often a project's page was asked for
    log: list[Request] = field(default_factory=list)  # in the order of the answers
    errors: list[Exception] = field(default_factory=list)  # raised while answering: mistakes of the index
    # To be held while any of this is changed.
    lock: AbstractContextManager[bool] = field(default_factory=threading.RLock, repr=False)

    def __post_init__(self, publisher: TrustedPublisher | None) -> None:
        """Register the publisher, and the project unless it is a pending one's."""
        if publisher is not None:
            self.publishers.append(publisher)
        if publisher is None or not publisher.pending:
            self.projects.add(canonicalize_name(self.project))

    def delete(self, file_name: str) -> None:
        """Delete a file, as its owner can; its name is never taken again."""
        with self.lock:
            del self.files[file_name]
            self.deleted.add(file_name)

    def visible(self, project: str) -> list[StoredFile]:
        """Return the files that the next request of a project's page sees, by version and name."""
        with self.lock:
            mine = (file for file in self.files.values() if file.project == project)
            seen = [file for file in mine if file.visible_after <= self.page_requests]
            return sorted(seen, key=lambda file: (file.version, file.name))
