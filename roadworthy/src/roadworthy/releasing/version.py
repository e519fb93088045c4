"""How a release is asked for, how its version is spelled, and what is done where it is out and broken."""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from roadworthy.arguments import Parser
from roadworthy.terminal import problem, summarise

# A refused command line does without packaging, which is imported where it is used.
if TYPE_CHECKING:
    from packaging.version import Version

NUMBER = "(?:0|[1-9][0-9]{0,8})"
# Only what SemVer (cargo) and PEP 440 (Python) both read, and read as the same version.
GRAMMAR = re.compile(rf"{NUMBER}\.{NUMBER}\.{NUMBER}(?:-(?:alpha|beta|rc)[1-9][0-9]{{0,8}})?")
# What git's check-ref-format refuses in a name, and what a command takes for an option, a force, an address or a ref.
UNNAMED = re.compile(
    r"^$|[\0-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|^[-+/@]|/$|(?:^|/)\.|\.lock(?:/|$)|\.$|^HEAD$|^refs(?:/|$)"
)
# By how PEP 440 spells the kinds of pre-releases, how a release's version does.
KINDS = {"a": "alpha", "b": "beta", "rc": "rc"}


@dataclass(frozen=True)
class Release:
    """A version that can be released, in its only spelling: `X.Y.Z` or `X.Y.Z-alphaN`, `-betaN`, `-rcN`.

    It is of the repository's own package, or of the one in the folder `package`, whose name stands before its tags.
    """

    text: str
    package: str = ""

    @classmethod
    def parse(cls, text: str, package: str = "") -> "Release":
        """Return the release of that version; ValueError, with how to spell it, where it is spelled in another way."""
        if GRAMMAR.fullmatch(text):
            return cls(text, package)
        shown = repr(f"{text[:60]}…" if text[60:] else text)
        raise ValueError(
            f"{shown} is no version of a release; write X.Y.Z, X.Y.Z-alphaN, X.Y.Z-betaN or X.Y.Z-rcN, "
            "such as 0.2.2 or 0.3.0-rc1: no zeros in front, N from 1, at most nine digits each"
        )

    @property
    def version(self) -> "Version":
        """What to compare; texts are not compared."""
        from packaging.version import Version  # noqa: PLC0415

        return Version(self.text)

    @property
    def is_prerelease(self) -> bool:
        """Whether it is an alpha, a beta or a release candidate."""
        return self.version.is_prerelease

    @property
    def tag(self) -> str:
        """The name of its tag."""
        return f"{stem(self.package)}v{self.text}"

    @property
    def title(self) -> str:
        """What it is called."""
        return f"{self.package} {self.text}".lstrip()

    def command(self, target: str = "release") -> str:
        """Return the command that releases it, or that does something else with it."""
        return make_command(target, self.text, self.package)

    @property
    def branch(self) -> str:
        """The branch from which a pull request brings it to a protected branch."""
        return f"release/{self.tag}"

    def of_line(self, branch: str) -> bool | None:
        """Say whether a maintenance branch is for such versions; None where it is no maintenance branch at all."""
        line = re.fullmatch(rf"{re.escape(stem(self.package))}({NUMBER})\.({NUMBER})\.x", branch)
        return None if line is None else tuple(map(int, line.groups())) == self.version.release[:2]


@dataclass(frozen=True)
class Request:
    """What was asked for on the command line; the default branch is the remote's."""

    release: Release
    remote: str = "origin"
    branch: str | None = None
    via_pr: bool = False
    dry_run: bool = False
    yes: bool = False

    @classmethod
    def of(cls, parser: Parser, given: Mapping[str, str]) -> "Request":
        """Return what was given, by the names that make has for it; version or name that is none is a usage error."""
        if "VERSION" not in given:
            parser.error("the following arguments are required: VERSION")
        try:
            release = Release.parse(given["VERSION"], given.get("PACKAGE", ""))
        except ValueError as error:
            parser.error(str(error))
        remote, branch = given.get("REMOTE", "origin"), given.get("BRANCH")
        for kind, name in (("remote", remote), ("branch", branch)):
            if name is not None and UNNAMED.search(name):
                parser.error(f"{name!r} is no name of a {kind}")
        return cls(release, remote, branch, "VIA" in given, "DRY_RUN" in given, "YES" in given)


def stem(package: str) -> str:
    """Return what stands before the tags and the maintenance branches of a package."""
    return f"{package}-" if package else ""


def version_of_tag(tag: str, package: str = "") -> "Version | None":
    """Return the version of a package that a tag stands for in any spelling that PEP 440 reads, or None."""
    from packaging.version import InvalidVersion, Version  # noqa: PLC0415

    try:
        return Version(tag.removeprefix(stem(package))) if tag.startswith(stem(package)) else None
    except InvalidVersion:
        return None


def make_command(target: str, version: str, package: str = "") -> str:
    """Return the command that does something with a version of a package."""
    return f"make {target}{f' PACKAGE={package}' if package else ''} VERSION={version}"


def parse_version(text: str) -> "Version":
    """Return a version in any spelling; ProblemsError for what is none."""
    if (version := version_of_tag(text)) is None:
        raise problem(f"VERSION={text} is no version", "write it as it was released, such as 0.2.2 or 0.3.0-rc1")
    return version


def next_version(version: str) -> str:
    """Return the version after this one: the next patch, or of a pre-release the next of its kind."""
    from packaging.version import Version  # noqa: PLC0415

    parsed = Version(version)
    if parsed.pre:
        return f"{parsed.major}.{parsed.minor}.{parsed.micro}-{KINDS[parsed.pre[0]]}{parsed.pre[1] + 1}"
    # A development version is one of the version that comes.
    return f"{parsed.major}.{parsed.minor}.{parsed.micro + (not parsed.is_devrelease)}"


def repair(version: str, package: str = "") -> list[str]:
    """Return the steps where a version is published and broken: it cannot be replaced; PyPI's pages yank it."""
    pages = "Your projects, Manage, Releases, Options, Yank"
    return [
        f"yank {version} on PyPI ({pages}): nobody gets it any more, but who asks for exactly this version",
        "write the test that fails, repair it, and add a news fragment",
        f"run: {make_command('release', next_version(version), package)}",
    ]


@contextmanager
def advising(version: str, index: str, package: str = "") -> Iterator[None]:
    """Where the proof of a version on PyPI fails in a job on GitHub, say in the job's summary what to do."""
    try:
        yield
    except Exception:
        # What is on any other index is a test, about which nothing has to be done.
        if index == "pypi":
            names = ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_SHA")
            server, repository, commit = (os.environ.get(name, "") for name in names)
            page = f"{server}/{repository}/blob/{commit}/docs/publishing.md#a-broken-version-is-out"
            again = "re-run the failed jobs (`gh run rerun --failed`): it is proven again, and released on GitHub"
            rows = [
                ("it is the index, or the network", again),
                *(("it is the release", step) for step in repair(version, package)),
                ("you want to know more", f"[docs/publishing.md]({page})"),
            ]
            summarise("What to do", ["if", "then"], rows)
        raise
