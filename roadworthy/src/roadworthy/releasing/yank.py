"""What is done about a version that is published and broken. Nothing of it can be replaced, so it is yanked."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from packaging.version import Version

from roadworthy.runner import summarise

# How a release's version spells the kinds of pre-releases.
KINDS = {"a": "alpha", "b": "beta", "rc": "rc"}


def next_version(version: str) -> str:
    """Return the version after this one: the next patch, or of a pre-release the next of its kind."""
    parsed = Version(version)
    major, minor, patch = (*parsed.release, 0, 0)[:3]
    if parsed.pre:
        kind, number = parsed.pre
        return f"{major}.{minor}.{patch}-{KINDS[kind]}{number + 1}"
    # A development version is one of the version that comes.
    return f"{major}.{minor}.{patch if parsed.is_devrelease else patch + 1}"


def repair(version: str) -> list[str]:
    """Return the steps, in their order: yank, repair, release the next version. No command yanks: PyPI's pages do."""
    pages = "Your projects, Manage, Releases, Options, Yank"
    return [
        f"yank {version} on PyPI ({pages}): nobody gets it any more, but who asks for exactly this version",
        "write the test that fails, repair it, and add a news fragment",
        f"run: make release VERSION={next_version(version)}",
    ]


@contextmanager
def advising(version: str, index: str) -> Iterator[None]:
    """Where the proof of a version on PyPI fails in a job on GitHub, say in the job's summary what to do."""
    try:
        yield
    except Exception:
        # What is on any other index is a test, about which nothing has to be done.
        if index == "pypi":
            repository, commit = os.environ.get("GITHUB_REPOSITORY", ""), os.environ.get("GITHUB_SHA", "")
            page = f"{os.environ.get('GITHUB_SERVER_URL', '')}/{repository}/blob/{commit}/docs/publishing.md"
            again = "re-run the failed jobs (`gh run rerun --failed`): it is proven again, and released on GitHub"
            rows = [
                ("it is the index, or the network", again),
                *(("it is the release", step) for step in repair(version)),
                ("you want to know more", f"[docs/publishing.md]({page}#a-broken-version-is-out)"),
            ]
            summarise("What to do", ["if", "then"], rows)
        raise
