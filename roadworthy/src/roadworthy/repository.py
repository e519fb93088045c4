"""Asking git about a repository, whatever the environment says about another one."""

import os
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from roadworthy import processes as commands
from roadworthy.sums import sha256
from roadworthy.terminal import problem

# Modes of git's, of what is no file: a link, and a commit of another repository, which is no object of this one.
LINK, SUBMODULE = "120000", "160000"
# What is read has neither colours in it nor, of a signed commit, what git finds of the signature.
READABLE = tuple((name, "false") for name in ("log.showSignature", "color.ui", "color.diff", "color.grep"))


@cache
def environment() -> dict[str, str]:
    """Return the environment without the variables that point git at another repository (set inside hooks)."""
    asked = commands.run("git", "rev-parse", "--local-env-vars", cwd=Path(__file__).parent, env=os.environ)
    foreign = {*asked.stdout.split(), "GIT_NAMESPACE", "GIT_TEMPLATE_DIR", "GIT_EXTERNAL_DIFF", "GIT_DIFF_OPTS"}
    clean = {name: value for name, value in os.environ.items() if name not in foreign}
    if not sys.stdin.isatty():
        # Nobody is there to answer, so a question for a password would wait for ever.
        clean["GIT_TERMINAL_PROMPT"] = "0"
    # `git status` and `git diff` would otherwise rewrite the index.
    return {**clean, "GIT_OPTIONAL_LOCKS": "0"}


@dataclass(frozen=True)
class Repository:
    """A folder to run git in, with settings that go before those of every configuration file."""

    folder: Path
    settings: tuple[tuple[str, str], ...] = ()

    def environment(self) -> dict[str, str]:
        """Return the environment that git is run with."""
        settings = (*READABLE, *self.settings)
        given = {**environment(), "GIT_CONFIG_COUNT": str(len(settings))}
        for number, (key, value) in enumerate(settings):
            given |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
        return given

    def run(
        self, *arguments: object, check: bool = False, timeout: float | None = None, env: dict[str, str] | None = None
    ) -> "subprocess.CompletedProcess[str]":
        """Run a git command, with `env` on top of the environment, and return how it ended."""
        whole = {**self.environment(), **(env or {})}
        return commands.run("git", *arguments, cwd=self.folder, env=whole, check=check, timeout=timeout)

    def ask(self, *arguments: object) -> str:
        """Return what a git command prints, without the last line feed; CalledProcessError if it fails."""
        return self.run(*arguments, check=True).stdout.removesuffix("\n")

    def require_checkout(self) -> None:
        """Make sure that the folder is the root of a git checkout with a commit, and not, say, an unpacked sdist."""
        top = self.run("rev-parse", "--show-toplevel")
        what = f"{self.folder} is not the root of a git checkout with a commit"
        remedy = "clone the repository, and work in the clone"
        if top.returncode and (self.folder / ".git").exists():
            # What git refuses (a folder that belongs to somebody else) it explains, with the remedy.
            raise problem(what, f"do what git says, or {remedy}", top.stderr)
        has_commit = self.run("rev-parse", "--verify", "--quiet", "HEAD").returncode == 0
        if not has_commit or Path(top.stdout.removesuffix("\n")).resolve() != self.folder:
            raise problem(what, remedy)

    def commit_time(self) -> int:
        """Return the time of the commit that is checked out, in seconds since 1970."""
        return int(self.ask("log", "-1", "--format=%ct"))

    def state(self) -> str:
        """Name the content of all tracked files: the commit, and a digest of what differs from it."""
        changes = self.ask("diff", "HEAD", "--binary", "--no-ext-diff", "--no-textconv")
        digest = sha256(changes.encode("utf-8", "surrogateescape")) if changes else "clean"
        return f"{self.ask('rev-parse', 'HEAD')} {digest}"
