"""Everything that is read before a release is judged: the checkout, the remote as it is now, the request."""

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from threading import Lock

from roadworthy.project import HERE
from roadworthy.releasing import clone as scratch
from roadworthy.releasing.files import Reader, has_release
from roadworthy.releasing.version import Release
from roadworthy.repository import Repository
from roadworthy.terminal import problem


@dataclass(frozen=True)
class Request:
    """What was asked for on the command line; the default branch is the remote's."""

    release: Release
    remote: str = "origin"
    branch: str | None = None
    via_pr: bool = False


@dataclass(frozen=True)
class Checkout:
    """The state of the user's checkout, as `git status` tells it."""

    head: str
    branch: str | None
    changed: tuple[str, ...]
    untracked: tuple[str, ...]
    refs: dict[str, str]

    @classmethod
    def read(cls) -> "Checkout":
        """Ask git; nothing is written, not even the index."""
        arguments = ("--porcelain=v2", "--branch", "-z", "--untracked-files=all", "--no-renames")
        head, branch, changed, untracked = "", None, [], []
        for entry in HERE.checkout.ask("status", *arguments, "--ignore-submodules=none").split("\0"):
            kind, _, rest = entry.partition(" ")
            if entry.startswith("# branch.oid "):
                head = rest.removeprefix("branch.oid ")
            elif entry.startswith("# branch.head "):
                branch = None if rest == "branch.head (detached)" else rest.removeprefix("branch.head ")
            elif kind == "?":
                untracked.append(rest)
            elif kind in {"1", "u"}:
                changed.append(entry.split(" ", 8 if kind == "1" else 10)[-1])
        refs = HERE.checkout.ask("for-each-ref", "--format=%(objectname) %(refname)", "refs/heads", "refs/tags")
        return cls(head, branch, tuple(changed), tuple(untracked), parse_refs(refs))


@dataclass(frozen=True)
class Remote:
    """What the remote holds at this moment."""

    name: str
    refs: dict[str, str] = field(default_factory=dict)
    default_branch: str | None = None
    unreachable: str | None = None

    @classmethod
    def read(cls, clone: Repository, name: str) -> "Remote":
        """Ask the server that a push would go to; if it does not answer, `unreachable` says why."""
        asked = clone.run("ls-remote", "--symref", name)
        if asked.returncode:
            return cls(name, unreachable=" ".join(asked.stderr.split()) or "git ls-remote failed")
        head = re.search(r"^ref: refs/heads/(\S+)\tHEAD$", asked.stdout, re.MULTILINE)
        plain = "\n".join(line for line in asked.stdout.splitlines() if not line.startswith("ref: "))
        return cls(name, parse_refs(plain), head[1] if head else None)

    def commit_of(self, tag: str) -> str | None:
        """Return the commit that a tag stands for: an annotated tag is listed with what it points to."""
        return self.refs.get(f"refs/tags/{tag}^{{}}", self.refs.get(f"refs/tags/{tag}"))

    def tags(self) -> dict[str, str]:
        """Map the name of every tag to its commit."""
        names = {
            ref.removeprefix("refs/tags/").removesuffix("^{}") for ref in self.refs if ref.startswith("refs/tags/")
        }
        return {name: str(self.commit_of(name)) for name in names}


def commit_reader(repository: Repository, commit: str) -> Reader:
    """Return the reader of a commit's files, which reads each of them once."""

    @cache
    def fetch(name: str) -> str:
        shown = repository.run("show", f"{commit}:{name}")
        if shown.returncode:
            raise problem(f"{name} is missing", "put it back, and commit")
        if any("\udc80" <= each <= "\udcff" for each in shown.stdout):
            raise problem(f"{name} is not UTF-8", "save it as UTF-8, and commit")
        return shown.stdout

    guard = Lock()

    def read(name: str) -> str:
        # Checks that run at the same time ask for the same files.
        with guard:
            return fetch(name)

    return read


def parse_refs(text: str) -> dict[str, str]:
    """Return the refs that git lists, one to a line: object, white space, name."""
    pairs = (line.split(maxsplit=1) for line in text.splitlines())
    return {name: commit for commit, name in pairs}


@dataclass(frozen=True)
class Situation:
    """All that the checks and the plan are computed from."""

    request: Request
    clone: Repository
    settings: dict[str, list[str]]
    checkout: Checkout
    remote: Remote

    @property
    def branch(self) -> str:
        """The branch that is released from: the one asked for, or the remote's default."""
        return self.request.branch or self.remote.default_branch or ""

    @property
    def remote_head(self) -> str | None:
        """The commit of that branch on the remote."""
        return self.remote.refs.get(f"refs/heads/{self.branch}")

    @cached_property
    def read(self) -> Reader:
        """Reads the files of the commit that is checked out."""
        return commit_reader(self.clone, self.checkout.head)

    @cached_property
    def ancestors(self) -> frozenset[str]:
        """Every commit that the checked out one comes from, and itself; first asked for before there are threads."""
        return frozenset(self.clone.ask("rev-list", "HEAD").split())

    @cached_property
    def merged(self) -> str | None:
        """The commit that brought this release's version and section to the branch, if a pull request has.

        On the first parents' line: a merge or a squash is one commit there, and later ones leave it as it is.
        """
        if not self.request.via_pr or not has_release(self.read, self.request.release):
            return None
        commits = self.clone.ask("rev-list", "--first-parent", "HEAD").split()
        brought = commits[0]
        for commit in commits[1:]:
            if not has_release(commit_reader(self.clone, commit), self.request.release):
                break
            brought = commit
        return brought


def known_remotes(settings: dict[str, list[str]]) -> list[str]:
    """Return the names of the remotes that the configuration has an address for."""
    found = (re.fullmatch(r"remote\.(.+)\.(?:push)?url", name) for name in settings)
    return sorted({match[1] for match in found if match})


def read_situation(request: Request, folder: Path) -> Situation:
    """Read everything, in a throw-away clone below `folder` where a command could leave a trace.

    Raises:
        ProblemsError: This is no checkout, so nothing can be read.
    """
    HERE.checkout.require_checkout()
    settings = scratch.read_settings(HERE.checkout)
    with ThreadPoolExecutor() as pool:
        checkout = pool.submit(Checkout.read)
        clone = scratch.make_clone(folder, request.remote, settings)
        remote = pool.submit(Remote.read, clone, request.remote)
        return Situation(request, clone, settings, checkout.result(), remote.result())
