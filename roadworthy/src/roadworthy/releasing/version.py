"""How the version of a release is spelled, and what follows from it."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from packaging.version import Version

NUMBER = "(?:0|[1-9][0-9]{0,8})"
# Only what SemVer (cargo) and PEP 440 (Python) both read, and read as the same version.
GRAMMAR = re.compile(rf"{NUMBER}\.{NUMBER}\.{NUMBER}(?:-(?:alpha|beta|rc)[1-9][0-9]{{0,8}})?")
# No more than this is shown of what is no version.
LONGEST = 60
# The name of a branch that keeps an older line alive.
MAINTENANCE = re.compile(rf"(?P<major>{NUMBER})\.(?P<minor>{NUMBER})\.x")


@dataclass(frozen=True)
class Release:
    """A version that can be released, in its only spelling: `X.Y.Z` or `X.Y.Z-alphaN`, `-betaN`, `-rcN`."""

    text: str

    @classmethod
    def parse(cls, text: str) -> "Release":
        """Return the release of that version.

        Raises:
            ValueError: The version is spelled in another way; the message says how.
        """
        if GRAMMAR.fullmatch(text):
            return cls(text)
        shown = repr(text if len(text) <= LONGEST else f"{text[:LONGEST]}…")
        raise ValueError(
            f"{shown} is no version of a release; write X.Y.Z, X.Y.Z-alphaN, X.Y.Z-betaN or X.Y.Z-rcN, "
            "such as 0.2.2 or 0.3.0-rc1: no zeros in front, N from 1, at most nine digits each"
        )

    @property
    def version(self) -> "Version":
        """What to compare; texts are not compared."""
        from packaging.version import Version  # noqa: PLC0415 - a refused command line does without

        return Version(self.text)

    @property
    def is_prerelease(self) -> bool:
        """Whether it is an alpha, a beta or a release candidate."""
        return self.version.is_prerelease

    @property
    def tag(self) -> str:
        """The name of its tag."""
        return f"v{self.text}"

    @property
    def branch(self) -> str:
        """The branch from which a pull request brings it to a protected branch."""
        return f"release/{self.tag}"


def version_of_tag(tag: str) -> "Version | None":
    """Return the version that a tag stands for in any spelling that PEP 440 reads, or None."""
    from packaging.version import InvalidVersion, Version  # noqa: PLC0415 - a refused command line does without

    try:
        return Version(tag)
    except InvalidVersion:
        return None


def belongs_to(branch: str, version: "Version") -> bool:
    """Say whether a maintenance branch is for versions like this one."""
    line = MAINTENANCE.fullmatch(branch)
    return line is not None and (int(line["major"]), int(line["minor"])) == version.release[:2]
