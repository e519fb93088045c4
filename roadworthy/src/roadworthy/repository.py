"""A checkout: asking git about it, whatever the environment says about another one, and keeping others out of it."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
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
    # Some editors also say in it how git is to read paths.
    clean = {name: value for name, value in os.environ.items() if name not in foreign and "PATHSPECS" not in name}
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


def read_note(note: Path) -> list[str]:
    """Return who works, and in which folder; it may be written, or removed, in this moment."""
    with suppress(OSError):
        return note.read_text(encoding="utf-8").splitlines() or ["just begun"]
    return ["just begun"]


@contextmanager
def exclusive(root: Path, name: str, below: Path | None = None) -> Iterator[Path]:
    """Keep others out of the same work in a checkout, or raise ProblemsError that names who does it; provide a folder.

    `name` is what the work is called, to people and below target/, which git ignores. The folder is new, in `below`,
    default: outside of the checkout. It is removed afterwards; that of a process which is killed, the next one removes.
    """
    from filelock import FileLock, Timeout  # noqa: PLC0415 - not for who looks at artefacts alone

    state, prefix = root / "target" / name, f"{name}-"
    lock, note = FileLock(state / "lock", blocking=False), state / "scratch"
    with ExitStack() as ends:
        try:
            state.mkdir(parents=True, exist_ok=True)
            ends.enter_context(lock)
        except Timeout as error:
            what = f"another {name} is running in this checkout ({read_note(note)[0]})"
            raise problem(what, "wait until it has ended, or end it") from error
        except OSError as error:
            remedy = "make it a folder of yours, or remove it"
            raise problem(f"{state} cannot be written: {error.strerror}", remedy) from error
        if (left := Path(read_note(note)[-1])).name.startswith(prefix):
            shutil.rmtree(left, ignore_errors=True)
        folder = Path(tempfile.mkdtemp(prefix=prefix, dir=below)).resolve()
        note.write_text(f"process {os.getpid()}\n{folder}", encoding="utf-8")
        ends.callback(note.unlink, missing_ok=True)
        ends.callback(shutil.rmtree, folder, ignore_errors=True)
        yield folder
