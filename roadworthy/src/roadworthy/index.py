"""Package indexes: their addresses, what they serve of a release, and waiting until it is there."""

import os
import re
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, NamedTuple, TypeVar
from urllib.parse import urlsplit, urlunsplit

from roadworthy.releasing.version import version_of_tag
from roadworthy.sums import parse_name
from roadworthy.terminal import err, printable, problem

# What asks an index is imported where it is asked: a command that does not takes a third of the time to start.
if TYPE_CHECKING:
    from packaging.version import Version
    from pypi_simple import DistributionPackage, ProjectPage, PyPISimple
    from requests import Response

T = TypeVar("T")

# More files than any release has, and more bytes than any page, and than PyPI lets a whole project have.
MOST_FILES, LARGEST_PAGE, LARGEST_RELEASE = 1_000, 32 << 20, 10 << 30
TIMEOUT = 30  # how many seconds an index may be silent
# What a server or a cache before it answers when it may be well a little later (RFC 6585, RFC 9110); 500 is no such.
PASSING = {408, 429, 502, 503, 504}


class Patience(NamedTuple):
    """How long an index is asked again: seconds in all, and of the first pause; each is twice the last, up to 30."""

    # An upload is visible at once, or after a cache or two has forgotten that there was nothing.
    longest: float = 600
    first: float = 1


PATIENT = Patience()


class NotThereYetError(Exception):
    """The index does not serve the release; it may a little later."""


class BusyError(NotThereYetError):
    """The index did not answer the question; it may a little later."""


def upload_address(name: str) -> str:
    """Return where files for an index are sent to: PyPI's or TestPyPI's, by twine's names, or an address itself.

    Where uv publishes to another index than PyPI by its own variable, UV_PUBLISH_URL, that one is meant by `pypi`.
    """
    address = os.environ.get("UV_PUBLISH_URL") if name == "pypi" else None
    if name in {"pypi", "testpypi"} and not address:
        from twine import utils as twine  # noqa: PLC0415 - takes longer to load than most commands run

        return twine.DEFAULT_REPOSITORY if name == "pypi" else twine.TEST_REPOSITORY
    address = address or name
    parts, remedy = urlsplit(address), "it is pypi, testpypi, or an address that starts with https://"
    if parts.scheme not in {"http", "https"}:
        raise problem(f"INDEX={address} is no index", remedy)
    if not is_private(address):
        raise problem(f"INDEX={address} is not encrypted: anybody on the way could read what is sent", remedy)
    return address


def is_private(address: str) -> bool:
    """Say whether what is sent to an address is encrypted, or stays on this machine."""
    parts = urlsplit(address)
    return parts.scheme == "https" or bool(re.fullmatch(r"localhost|127(\.\d+){3}|::1", parts.hostname or ""))


def patiently(ask: Callable[[], T], patience: Patience = PATIENT) -> T:
    """Return what `ask` returns; as long as it raises NotThereYetError, say so, wait, and ask again.

    It is a ProblemsError after `patience.longest` seconds.
    """
    until, pause = time.time() + patience.longest, patience.first
    while True:
        try:
            return ask()
        except NotThereYetError as error:
            if time.time() + pause > until:
                remedy = "is that version published there? see what the publishing job of CI says"
                raise problem(f"{error}, after {patience.longest} s", remedy) from error
            err.print(f"{error}; asking again in {pause:.0f} s, until {time.strftime('%X', time.localtime(until))}")
        time.sleep(pause)
        pause = min(2 * pause, 30)


def within(seconds: float, what: str, ask: Callable[[], T]) -> T:
    """Return what `ask` returns; BusyError, with `what` was asked for, where it has not after so many seconds.

    A server that sends a byte now and then is never silent, and no client limits the whole.
    """
    from concurrent.futures import Future, wait  # noqa: PLC0415

    answer = Future[T]()

    def work() -> None:
        try:
            answer.set_result(ask())
        except BaseException as error:  # noqa: BLE001 - it is raised where it is waited for
            answer.set_exception(error)

    # A daemon: this process does not wait for it to end.
    Thread(target=work, daemon=True).start()
    if not wait([answer], seconds).done:
        raise BusyError(f"{what} has not come by {time.strftime('%X')}, within {seconds:,} s")
    return answer.result()


def check_names(names: list[str], url: str) -> None:
    """Make sure that an index names wheels and sdists, each once, however it is spelled: names become paths."""
    remedy, spellings = "trust nothing that this index serves; check INDEX", dict[object, list[str]]()
    if len(names) > MOST_FILES:
        raise problem(f"{url} serves {len(names)} files of one version", remedy)
    for name in names:
        try:
            spellings.setdefault(parse_name(name), []).append(name)
        except ValueError as error:
            raise problem(f"{url} serves {name!r}, which is no name of a wheel or an sdist", remedy) from error
    for same in spellings.values():
        if len(same) > 1:
            raise problem(f"{url} serves one file {len(same)} times: {', '.join(same)}", remedy)


def bounded_client(url: str, largest: int) -> "PyPISimple":
    """Return a client of an index that ends with ValueError once its answers have more than `largest` bytes."""
    from pypi_simple import PyPISimple  # noqa: PLC0415

    left = largest

    def bound(response: "Response", **_: object) -> None:
        if not is_private(str(response.url)):
            response.close()
            raise ValueError(f"it leads to {response.url}, which is not encrypted")
        stream = response.raw.stream

        def counted(amount: int, *, decode_content: bool) -> Iterator[bytes]:
            nonlocal left
            for piece in stream(amount, decode_content=decode_content):
                left -= len(piece)
                if left < 0:
                    response.close()
                    raise ValueError(f"it sends more than {largest:,} bytes")
                yield piece

        response.raw.stream = counted  # type: ignore[method-assign]

    client = PyPISimple(url)
    # Called before anything of an answer is read, whoever reads it.
    client.s.hooks["response"].append(bound)
    return client


@dataclass(frozen=True)
class Index:
    """A simple index (PEP 503, PEP 691) at an address."""

    url: str
    page_limit: float = 120  # how many seconds it may take to send a page
    release_limit: float = 3_600  # and all files of a release

    @classmethod
    def named(cls, name: str) -> "Index":
        """Return PyPI, TestPyPI (both by the names that twine gives them), or what an address names."""
        address = upload_address(name)
        parts = urlsplit(address)
        # Beside the address for uploads, which may have a host of their own.
        beside = urlunsplit((parts.scheme, parts.netloc.removeprefix("upload."), "/simple/", "", ""))
        return cls(address if address == name else beside)

    def __str__(self) -> str:
        return printable(self.url)

    def page(self, project: str) -> "ProjectPage":
        """Return the page of a project; NotThereYetError where it has none, BusyError where it cannot answer now.

        ValueError, or a requests.RequestException, where it does not answer as an index does.
        """
        import requests  # noqa: PLC0415
        from pypi_simple import NoSuchProjectError, UnsupportedRepoVersionError  # noqa: PLC0415

        def ask() -> "ProjectPage":
            with bounded_client(self.url, LARGEST_PAGE) as client:
                return client.get_project_page(project, timeout=TIMEOUT, headers={"Cache-Control": "no-cache"})

        try:
            return within(self.page_limit, f"the page of {project} on {self}", ask)
        except NoSuchProjectError as error:
            raise NotThereYetError(f"{project} is not on {self}") from error
        except requests.HTTPError as error:
            if error.response.status_code not in PASSING:
                raise
            raise BusyError(f"{self} answers {error.response.status_code}") from error
        except requests.RequestException as error:
            # That nobody is there, or speaks another language, does not pass.
            broken = (requests.Timeout, requests.exceptions.ChunkedEncodingError, ConnectionResetError)
            whys = (error, *(getattr(error.args[0], "args", ()) if error.args else ()))
            if not any(isinstance(why, broken) for why in whys):
                raise
            raise BusyError(f"{self} broke its answer off: {printable(str(error))[:200]}") from error
        except (UnsupportedRepoVersionError, RecursionError) as error:
            raise ValueError(str(error)) from error

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Raise ProblemsError where it does not answer, or not as an index does."""
        import requests  # noqa: PLC0415

        try:
            yield
        except (requests.RequestException, ValueError, BusyError) as error:
            # What pydantic says has many lines.
            what = f"{self} does not answer as an index: {' '.join(str(error).split())[:500]}"
            raise problem(what, "check INDEX and the network") from error

    def releases(self, project: str) -> "dict[Version, list[DistributionPackage]]":
        """Return the files of each release; what is no version is of none. NotThereYetError as of the page."""
        found: dict[Version, list[DistributionPackage]] = {}
        for file in self.page(project).packages:
            if version := version_of_tag(file.version or ""):
                found.setdefault(version, []).append(file)
        return found

    def files(self, project: str, version: "Version") -> "list[DistributionPackage]":
        """Return the files of a release; NotThereYetError as of the page, or where the index does not know the version.

        ProblemsError where it names a file as none may be called, one of another project, or two that are one.
        """
        from packaging.utils import canonicalize_name  # noqa: PLC0415

        if not (files := self.releases(project).get(version)):
            raise NotThereYetError(f"{project} {version} is not on {self}")
        check_names([file.filename for file in files], str(self))
        others = [file.filename for file in files if parse_name(file.filename)[0] != canonicalize_name(project)]
        if others:
            what = f"{self} serves {', '.join(others)} as files of {project}"
            raise problem(what, "trust nothing that this index serves; check INDEX")
        return files

    def fetch(self, files: "Iterable[DistributionPackage]", folder: Path, largest: int = LARGEST_RELEASE) -> None:
        """Download files whose names are checked; each is compared with the digest, if the index gives one.

        ProblemsError where it does not answer, a file has other bytes, or all together have more than `largest`.
        """

        def ask() -> None:
            with bounded_client(self.url, largest) as client:
                for file in files:
                    err.print(f"downloading {file.filename}")
                    client.download_package(file, folder / file.filename, verify=bool(file.digests), timeout=TIMEOUT)

        with self.answering():
            within(self.release_limit, "all that was asked for", ask)

    def download(self, project: str, version: "Version", folder: Path, largest: int = LARGEST_RELEASE) -> None:
        """Download the files of a release, as `fetch` does; one that is not there yet is waited for."""
        with self.answering():
            files = patiently(lambda: self.files(project, version))
        self.fetch(files, folder, largest)
