"""What is done about a version that is published and broken. Nothing of it can be replaced, so it is yanked."""

import re

from packaging.version import Version


def next_version(version: str) -> str:
    """Return the version after this one: the next patch, or of a pre-release the next of its kind."""
    if numbered := re.fullmatch(r"(.*-[a-z]+)(\d+)", version):
        return f"{numbered[1]}{int(numbered[2]) + 1}"
    major, minor, patch = Version(version).release
    return f"{major}.{minor}.{patch + 1}"


def repair(version: str) -> list[str]:
    """Return the steps, in their order: yank, repair, release the next version. No command yanks: PyPI's pages do."""
    pages = "Your projects, Manage, Releases, Options, Yank"
    return [
        f"yank {version} on PyPI ({pages}): nobody gets it any more, but who asks for exactly this version",
        "write the test that fails, repair it, and add a news fragment",
        f"run: make release VERSION={next_version(version)}",
    ]
