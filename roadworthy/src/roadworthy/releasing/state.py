"""Everything that is read before a release is judged: the checkout, and the remote as it is now.

The staging clone is made here too: throw-away, and what a release is made and proven in.
"""

import os
import re
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from threading import Lock

from roadworthy.project import Project
from roadworthy.releasing.files import Reader, has_release, table
from roadworthy.releasing.version import Release, Request
from roadworthy.repository import Repository
from roadworthy.terminal import problem

# What git is told, by name: all values of each, in their order.
Settings = dict[str, list[str]]

# What of the checkout's configuration decides who commits, how it is signed, and how the remote is reached.
FAMILIES = (
    *("author.", "commit.gpgsign", "committer.", "core.askpass", "core.gitproxy", "core.sshcommand", "credential."),
    *("gpg.", "http.", "https.", "protocol.", "push.gpgsign", "push.pushoption", "ssh.", "tag.forcesignannotated"),
    *("tag.gpgsign", "url.", "user."),
)
# Seconds that a remote may take to answer; somebody may have to type a passphrase meanwhile.
LIMIT = 120


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
        head, branch = repository.ask("rev-parse", "HEAD"), repository.ask("branch", "--show-current") or None
        options = ("--porcelain", "-z", "--untracked-files=all", "--no-renames", "--ignore-submodules=none")
        entries = repository.ask("status", *options).split("\0")[:-1]
        untracked = tuple(entry[3:] for entry in entries if entry.startswith("??"))
        changed = tuple(entry[3:] for entry in entries if not entry.startswith("??"))
        refs = repository.ask("for-each-ref", "--format=%(objectname) %(refname)", "refs/heads", "refs/tags")
        return cls(head, branch, changed, untracked, parse_refs(refs))


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
        asked = clone.run("ls-remote", "--symref", name, timeout=LIMIT)
        if asked.returncode:
            return cls(name, unreachable=" ".join(asked.stderr.split()) or "git ls-remote failed")
        head = re.search(r"^ref: refs/heads/(\S+)\tHEAD$", asked.stdout, re.MULTILINE)
        plain = "\n".join(line for line in asked.stdout.splitlines() if not line.startswith("ref: "))
        return cls(name, parse_refs(plain), head[1] if head else None)

    @property
    def tags(self) -> dict[str, str]:
        """The commit of every tag, by its name: below an annotated one, git lists what it points to."""
        found = {ref: commit for ref, commit in self.refs.items() if ref.startswith("refs/tags/")}
        return {ref.removeprefix("refs/tags/").removesuffix("^{}"): commit for ref, commit in found.items()}


def parse_refs(text: str) -> dict[str, str]:
    """Return the refs that git lists, one to a line: object, white space, name."""
    return {name: commit for commit, name in (line.split(maxsplit=1) for line in text.splitlines())}


def commit_reader(repository: Repository, commit: str) -> Reader:
    """Return the reader of a commit's files, which reads each of them once."""
    guard = Lock()

    @cache
    def ask(name: str) -> str:
        shown = repository.run("cat-file", "blob", f"{commit}:{name}")
        if shown.returncode:
            raise problem(f"{name} is missing", "put it back, and commit")
        if any("\udc80" <= each <= "\udcff" for each in shown.stdout):
            raise problem(f"{name} is not UTF-8", "save it as UTF-8, and commit")
        return shown.stdout

    def read(name: str) -> str:
        # Checks that run at the same time ask for the same files.
        with guard:
            return ask(name)

    return read


@dataclass(frozen=True, kw_only=True)
class Committed(Project):
    """A project whose facts are those of a commit, whatever of it lies in its folder: a checkout may be sparse."""

    reader: Reader

    def read_shared(self, name: str) -> str:
        """Return the text of a file of the commit."""
        return self.reader(name)


@dataclass(frozen=True)
class State:
    """All that the checks and the plan are computed from."""

    project: Project  # the commit that is checked out, in the user's checkout
    request: Request
    clone: Repository  # of the checkout's commit: the staging clone
    settings: Settings  # of git, as they are in force in the checkout
    checkout: Checkout
    remote: Remote

    @property
    def read(self) -> Reader:
        """What reads the files of the commit that is checked out."""
        return self.project.read

    @property
    def folder(self) -> Path:
        """The folder of the package in the staging clone."""
        return self.clone.folder / self.project.package

    def reader(self, commit: str) -> Reader:
        """Return what reads the package's files of a commit."""
        return self.project.below(commit_reader(self.clone, commit))

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
            if not has_release(self.reader(commit), self.release):
                break
            brought = commit
        return brought

    @property
    def fragments(self) -> list[str]:
        """The paths of the commit's news fragments, from the package's folder."""
        configured, tree = table(self.read), f"{self.checkout.head}:{self.project.package}"
        listed = self.clone.ask("ls-tree", "-r", "--name-only", "-z", tree, configured["directory"])
        return [name for name in listed.split("\0") if name and Path(name).name not in configured["ignore"]]

    @property
    def is_waiting(self) -> bool:
        """Whether a pull request of this release is there, and not merged as far as an up-to-date checkout shows."""
        there = self.request.via_pr and f"refs/heads/{self.release.branch}" in self.remote.refs
        return there and self.checkout.head == self.remote_head and not self.merged


def read_state(project: Project, request: Request, folder: Path) -> State:
    """Read everything, in a staging clone below `folder` where a command could leave a trace.

    Where this is no checkout, nothing can be read, and it raises ProblemsError.
    """
    project.checkout.require_checkout()
    settings = read_settings(project.checkout)
    clone = make_clone(project, folder, request.remote, settings)
    checkout, remote = Checkout.read(project.checkout), Remote.read(clone, request.remote)
    committed = Committed(project.root, project.package, reader=commit_reader(clone, checkout.head))
    return State(committed, request, clone, settings, checkout, remote)


def read_settings(repository: Repository) -> Settings:
    """Return every setting that is in force there; names are in lower case."""
    settings: Settings = defaultdict(list)
    for entry in repository.ask("config", "--list", "--includes", "-z").split("\0"):
        # A setting without a value is true.
        name, equals, value = entry.partition("\n")
        if name:
            settings[name].append(value if equals else "true")
    return settings


def push_addresses(root: Path, settings: Settings, remote: str) -> list[str]:
    """Return the addresses that a push to the remote goes to, as they are written in the configuration."""
    addresses = settings.get(f"remote.{remote}.pushurl") or settings.get(f"remote.{remote}.url", [])
    # A path is relative to the checkout, and would mean another folder in the clone.
    paths = {each for each in addresses if each and "://" not in each and not Path(each).is_absolute()}
    return [str((root / each).resolve()) if each in paths and (root / each).is_dir() else each for each in addresses]


def clone_settings(root: Path, settings: Settings, remote: str, plain: Settings) -> Settings:
    """Return what the clone has to be told so that it commits, signs and pushes as the checkout does.

    `plain` is in force in the clone by itself: the checkout's `settings` without the repository's own, and without what
    the user's configuration includes for the checkout's folder only.
    """
    wanted = {name: values for name, values in settings.items() if name.startswith(FAMILIES)}
    keys, addresses = ("proxy", "proxyauthmethod", "receivepack", "uploadpack"), push_addresses(root, settings, remote)
    wanted |= {name: settings.get(name, []) for name in (f"remote.{remote}.{key}" for key in keys)}
    # Also for reading: what counts is where it is pushed to; `pushInsteadOf` is for remotes without a push address.
    wanted |= {f"remote.{remote}.url": addresses[:1], f"remote.{remote}.mirror": ["false"]}
    if f"remote.{remote}.pushurl" in settings:
        wanted[f"remote.{remote}.pushurl"] = addresses[:1]
    for name, values in wanted.items():
        # A value that is said twice may act twice, as a header does that is sent.
        known = plain.get(name, [])
        wanted[name] = values[len(known) :] if values[: len(known)] == known else values
    return wanted


def make_clone(project: Project, folder: Path, remote: str, settings: Settings) -> Repository:
    """Clone the checkout's commit into `folder`/clone: its files, its objects by reference, none of its hooks."""
    empty, target = folder / "no-hooks", folder / "clone"
    empty.mkdir()
    # No configuration may change these.
    fixed = (
        *(("core.hooksPath", str(empty)), ("core.fsmonitor", "false"), ("gc.auto", "0"), ("maintenance.auto", "false")),
        *(("core.attributesFile", os.devnull), ("core.excludesFile", os.devnull), ("core.sparseCheckout", "false")),
        *(("core.autocrlf", "false"), ("core.eol", "lf"), ("core.ignoreStat", "false")),
        ("i18n.commitEncoding", "utf8"),
    )
    own = ("-c", f"core.hooksPath={empty}", "-c", "init.defaultRefFormat=files")
    # The name of its own remote is one that nobody can ask for.
    command = ("clone", "--quiet", "--shared", "--no-tags", "--no-checkout", "--template=", "--origin=@checkout")
    # The exception is for this one local clone; the checkout's own rule is copied for the push.
    allowed = {"GIT_ALLOW_PROTOCOL": "file"}
    project.checkout.run(*own, *command, project.root, target, check=True, env=allowed)
    wanted = clone_settings(project.root, settings, remote, read_settings(Repository(target, fixed)))
    return Repository(target, (*fixed, *((name, value) for name, values in wanted.items() for value in values)))
