"""Asking git about this checkout, whatever the environment says about another one."""

import hashlib
import os
import subprocess
from functools import cache
from pathlib import Path

from console import problem
from project import ROOT


@cache
def environment() -> dict[str, str]:
    """Return the environment without the variables that point git at another repository (set inside hooks)."""
    command = ["git", "rev-parse", "--local-env-vars"]
    names = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout.split()
    clean = {name: value for name, value in os.environ.items() if name not in {*names, "GIT_NAMESPACE"}}
    # `git status` and `git diff` would otherwise rewrite the index.
    return {**clean, "GIT_OPTIONAL_LOCKS": "0"}


def git(*arguments: str) -> str:
    """Return what a git command prints, without the last line feed; it runs at the repository's root."""
    command = ["git", *arguments]
    printed = subprocess.run(command, check=True, capture_output=True, cwd=ROOT, env=environment())
    return printed.stdout.decode("utf-8", "surrogateescape").removesuffix("\n")


def require_checkout() -> None:
    """Make sure that the project's root is that of a git checkout with a commit.

    Raises:
        ProblemsError: It is not, for example in an unpacked sdist.
    """
    try:
        top = git("rev-parse", "--show-toplevel")
        git("rev-parse", "--verify", "--quiet", "HEAD")
    except (OSError, subprocess.CalledProcessError):
        top = ""
    if not top or Path(top).resolve() != ROOT:
        raise problem(
            f"{ROOT} is not the root of a git checkout with a commit", "clone the repository, and build there"
        )


def commit_time() -> int:
    """Return the time of the commit that is checked out, in seconds since 1970."""
    return int(git("log", "-1", "--format=%ct"))


def state() -> str:
    """Name the content of all tracked files: the commit, and a digest of what differs from it."""
    changes = git("diff", "HEAD", "--binary", "--no-ext-diff", "--no-textconv", "--no-color")
    digest = hashlib.sha256(changes.encode("utf-8", "surrogateescape")).hexdigest() if changes else "clean"
    return f"{git('rev-parse', 'HEAD')} {digest}"
