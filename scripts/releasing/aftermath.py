"""What is done about a version that is published and broken. Nothing of it can be replaced, so it is yanked."""

from packaging.version import Version

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
