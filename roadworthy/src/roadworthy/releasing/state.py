"""Everything that is read before a release is judged: the request, the checkout, and the remote as it is now."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from threading import Lock

from roadworthy.project import Project
from roadworthy.releasing.clone import make_clone, read_settings
from roadworthy.releasing.files import Reader, has_release, table
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
    dry_run: bool = False
    yes: bool = False

    @classmethod
    def of(cls, given: Mapping[str, str]) -> "Request":
        """Return what was given, by the names that make has for it.

        Raises:
            ValueError: The version, or a name, is none.
        """
        if "VERSION" not in given:
            raise ValueError("the following arguments are required: VERSION")
        release = Release.parse(given["VERSION"])
        remote, branch = given.get("REMOTE", "origin"), given.get("BRANCH")
        for kind, name in (("remote", remote), ("branch", branch)):
            if name is not None and not is_plain(name):
                raise ValueError(f"{name!r} is no name of a {kind}")
        return cls(release, remote, branch, "VIA" in given, "DRY_RUN" in given, "YES" in given)


def is_plain(name: str) -> bool:
    """Say whether a name can be a branch's or a remote's, and is no option, address or pattern."""
    parts = name.split("/")
    special = name == "HEAD" or parts[0] == "refs" or ".." in name
    plain = all(re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]*", part) for part in parts)
    return plain and not special and not any(part.endswith((".", ".lock")) for part in parts)


@dataclass(frozen=True)
class Checkout:
    """The state of the user's checkout, as `git status` tells it."""

    head: str
    branch: str | None
    changed: tuple[str, ...]
    untracked: tuple[str, ...]
    refs: dict[str, str]

    @classmethod
    def read(cls, repository: Repository) -> "Checkout":
        """Ask git; nothing is written, not even the index."""
        arguments = ("--porcelain=v2", "--branch", "-z", "--untracked-files=all", "--no-renames")
        head, branch, changed, untracked = "", None, [], []
        for entry in repository.ask("status", *arguments, "--ignore-submodules=none").split("\0"):
            kind, _, rest = entry.partition(" ")
            if entry.startswith("# branch.oid "):
                head = rest.removeprefix("branch.oid ")
            elif entry.startswith("# branch.head "):
                branch = None if rest == "branch.head (detached)" else rest.removeprefix("branch.head ")
            elif kind == "?":
                untracked.append(rest)
            elif kind in {"1", "u"}:
                changed.append(entry.split(" ", 8 if kind == "1" else 10)[-1])
        refs = repository.ask("for-each-ref", "--format=%(objectname) %(refname)", "refs/heads", "refs/tags")
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
        tags = (ref.removeprefix("refs/tags/").removesuffix("^{}") for ref in self.refs if ref.startswith("refs/tags/"))
        return {name: str(self.commit_of(name)) for name in tags}


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
class State:
    """All that the checks and the plan are computed from.

    Attributes:
        project: The project in the user's checkout.
        request: What was asked for.
        clone: The staging clone of the checkout's commit.
        settings: The configuration of git that is in force in the checkout.
        checkout: What `git status` says of it.
        remote: What the remote holds.
        read: Reads the files of the commit that is checked out.
    """

    project: Project
    request: Request
    clone: Repository
    settings: dict[str, list[str]]
    checkout: Checkout
    remote: Remote
    read: Reader

    @property
    def release(self) -> Release:
        """The version to release."""
        return self.request.release

    @property
    def branch(self) -> str:
        """The branch that is released from: the one asked for, or the remote's default."""
        return self.request.branch or self.remote.default_branch or ""

    @property
    def remote_head(self) -> str | None:
        """The commit of that branch on the remote."""
        return self.remote.refs.get(f"refs/heads/{self.branch}")

    @property
    def push_address(self) -> str:
        """The address that a push goes to, after git's own rewriting."""
        # The clone has its remote from the environment, and get-url looks at the repository's own file only.
        return self.project.checkout.run("remote", "get-url", "--push", self.remote.name).stdout.strip()

    @cached_property
    def ancestors(self) -> frozenset[str]:
        """Every commit that the checked out one comes from, and itself."""
        return frozenset(self.clone.ask("rev-list", "HEAD").split())

    @cached_property
    def merged(self) -> str | None:
        """The commit that brought this release's version and section to the branch, if a pull request has.

        On the first parents' line: a merge or a squash is one commit there, and later ones leave it as it is.
        """
        if not self.request.via_pr or not has_release(self.read, self.release):
            return None
        brought, *older = self.clone.ask("rev-list", "--first-parent", "HEAD").split()
        for commit in older:
            if not has_release(commit_reader(self.clone, commit), self.release):
                break
            brought = commit
        return brought

    @property
    def fragments(self) -> list[str]:
        """The paths of the commit's news fragments."""
        configured = table(self.read)
        listed = self.clone.ask("ls-tree", "-r", "--name-only", "-z", self.checkout.head, configured["directory"])
        return [name for name in listed.split("\0") if name and Path(name).name not in configured["ignore"]]

    @property
    def is_waiting(self) -> bool:
        """Whether a pull request of this release is there, and not merged as far as an up-to-date checkout shows."""
        there = f"refs/heads/{self.release.branch}" in self.remote.refs
        return self.request.via_pr and there and self.checkout.head == self.remote_head and not self.merged


def read_state(project: Project, request: Request, folder: Path) -> State:
    """Read everything, in a staging clone below `folder` where a command could leave a trace.

    Raises:
        ProblemsError: This is no checkout, so nothing can be read.
    """
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - a refused command line does without

    project.checkout.require_checkout()
    settings = read_settings(project.checkout)
    with ThreadPoolExecutor() as pool:
        status = pool.submit(Checkout.read, project.checkout)
        clone = make_clone(project, folder, request.remote, settings)
        remote = pool.submit(Remote.read, clone, request.remote)
        checkout = status.result()
        read = commit_reader(clone, checkout.head)
        return State(project, request, clone, settings, checkout, remote.result(), read)
