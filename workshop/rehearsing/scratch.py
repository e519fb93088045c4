"""The scratch copy in which a release is rehearsed: a checkout, its bare remote, and a git that knows nobody."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from filelock import FileLock, Timeout
from packaging.version import Version

from roadworthy.project import Project
from roadworthy.releasing import files
from roadworthy.releasing.state import Checkout
from roadworthy.releasing.version import Release, next_version, version_of_tag
from roadworthy.terminal import problem
from workshop.apart import run_apart

BRANCH = "main"
# What a caller's environment would tell git, make, uv, twine or a step of a workflow.
FOREIGN = (
    *("ACTIONS_", "GH_", "GITHUB_", "GIT_", "MAKE", "MFLAGS", "RUNNER_", "SOURCE_DATE_EPOCH", "TWINE_"),
    *("UV_PUBLISH_", "UV_TRUSTED_"),
)
# Older than the environment that a copy shares, or make in the copy would make that anew.
MADE_FROM = ("requirements/*.txt", "scripts/bootstrap.py", "roadworthy/pyproject.toml", "workshop/workflows/node/*")
# Who commits here; nothing is signed, nobody is asked, and no credential is looked for.
CONFIGURATION = """\
[user]
	name = Rehearsal
	email = rehearsal@localhost
[credential]
	helper =
[advice]
	detachedHead = false
[gc]
	auto = 0
"""
FRAGMENT = "changelog.d/+rehearsal.added.md"
LONGEST = 1200


@dataclass(frozen=True)
class ScratchCopy:
    """A folder with a checkout and the bare repository that it pushes to."""

    folder: Path
    # The time of every commit and tag, in seconds since 1970: the same release is the same commit.
    moment: int
    # What every command finds in its environment beside what is the same for all scratch copies.
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def checkout(self) -> Path:
        """Where the maintainer works."""
        return self.folder / "checkout"

    @property
    def remote(self) -> Path:
        """What stands for the repository on GitHub."""
        return self.folder / "remote.git"

    @property
    def tools(self) -> Path:
        """Programs that take the place of others: the first folder of PATH."""
        return self.folder / "tools"

    def environment(self) -> dict[str, str]:
        """Return what every command is run with: this machine's environment, but another git and no GitHub."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
        temporary = self.folder / "tmp"
        temporary.mkdir(exist_ok=True)
        here = ",".join(filter(None, [kept.get("NO_PROXY") or kept.get("no_proxy"), "localhost", "127.0.0.1"]))
        return {
            **kept,
            "GIT_AUTHOR_DATE": f"{self.moment} +0000",
            "GIT_COMMITTER_DATE": f"{self.moment} +0000",
            "GIT_CONFIG_GLOBAL": str(self.folder / "gitconfig"),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            # A proxy has no way to this machine's own addresses.
            "NO_PROXY": here,
            "no_proxy": here,
            "PATH": os.pathsep.join([str(self.tools), os.environ["PATH"]]),
            **dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(temporary)),
            **self.variables,
        }

    def run(self, *command: object, cwd: Path | None = None, **variables: str) -> "subprocess.CompletedProcess[str]":
        """Run a command in the checkout, or in another folder, with further variables; return how it ended."""
        env = {**self.environment(), **variables}
        return run_apart(*command, cwd=cwd or self.checkout, env=env, timeout=LONGEST)

    def git(self, *arguments: object, cwd: Path | None = None) -> str:
        """Run git, and return what it prints; a failure is a problem."""
        done = self.run("git", *arguments, cwd=cwd)
        if done.returncode:
            what = f"git {arguments[0]} failed in the scratch copy: {' '.join(done.stdout.split())}"
            raise problem(what, "run: git fsck; and look for room in the temporary folder")
        return done.stdout.removesuffix("\n")

    def commit(self, message: str, changes: Mapping[str, str | None], *, push: bool = True) -> str:
        """Write files of the checkout (None removes one), commit them, and push; return the commit."""
        for name, text in changes.items():
            path = self.checkout / name
            if text is None:
                path.unlink()
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8", newline="\n")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--no-verify", "--allow-empty", f"--message={message}")
        if push:
            self.git("push", "--quiet", "origin", BRANCH)
        return self.git("rev-parse", "HEAD")

    def read(self, name: str) -> str:
        """Return the text of a file of the checkout."""
        return (self.checkout / name).read_text(encoding="utf-8")

    def tag_commit(self, tag: str) -> str:
        """Return the commit of a tag of the remote, or ""."""
        return self.run("git", "rev-parse", "--verify", "--quiet", f"{tag}^{{commit}}", cwd=self.remote).stdout.strip()


@contextmanager
def scratch_folder(project: Project) -> Iterator[Path]:
    """Provide a folder of this rehearsal's own, and remove it; and what rehearsals have left that were killed.

    Beside it lies a lock, which a process that dies lets go of, and the log, which stays until the next rehearsal.
    """
    prefix, above = f"rehearsal-{project.name}-", Path(tempfile.gettempdir()).resolve()
    for left in above.glob(f"{prefix}*.lock"):
        _remove_left(left)
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=above))
    with FileLock(folder.with_name(f"{folder.name}.lock")):
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _remove_left(lock: Path) -> None:
    """Remove what lies beside a lock, if nobody holds it."""
    taken = FileLock(lock, blocking=False)
    try:
        taken.acquire()
    except (Timeout, OSError):
        return
    folder = lock.with_suffix("")
    shutil.rmtree(folder, ignore_errors=True)
    # A build that nobody waits for may still write there; then the next rehearsal removes it.
    if not folder.exists():
        log_of(folder).unlink(missing_ok=True)
        lock.unlink(missing_ok=True)
    taken.release()


def log_of(folder: Path) -> Path:
    """Return the log of a rehearsal's folder."""
    return folder.with_name(f"{folder.name}.log")


def make_copy(project: Project, folder: Path) -> ScratchCopy:
    """Make the scratch copy of what is checked out, with its history and tags, and a remote that has the same."""
    state = Checkout.read(project.checkout)
    if loose := (*state.changed, *state.untracked):
        what = f"a commit is rehearsed, and this is in none: {', '.join(loose[:5])}{' …' if loose[5:] else ''}"
        raise problem(what, "commit it, or stash it: git stash --include-untracked")
    head = state.head
    scratch = ScratchCopy(folder, int(time.time()))
    (folder / "gitconfig").write_text(CONFIGURATION, encoding="utf-8")
    scratch.tools.mkdir()
    # With the git of the user, to whom the checkout belongs; no hook and no template comes with it.
    clone = ("-c", "protocol.file.allow=always", "clone", "--quiet", "--no-checkout", "--template=")
    project.checkout.run(*clone, project.root, scratch.checkout, check=True)
    if scratch.git("rev-parse", "--is-shallow-repository") == "true":
        # Its history ends somewhere, which no remote takes; the same files begin a new one.
        (scratch.checkout / ".git" / "shallow").unlink()
        head = scratch.git("commit-tree", "-m", "The checkout, which is shallow", f"{head}^{{tree}}")
    scratch.git("checkout", "--quiet", "-B", BRANCH, head)
    share_environment(project.root / ".venv", scratch.checkout)
    scratch.git("init", "--quiet", "--bare", f"--initial-branch={BRANCH}", "--template=", scratch.remote)
    scratch.git("remote", "remove", "origin")
    scratch.git("remote", "add", "origin", scratch.remote)
    scratch.git("push", "--quiet", "--set-upstream", "origin", BRANCH, "--tags")
    return scratch


def share_environment(environment: Path, checkout: Path) -> None:
    """Let a copy use the .venv of a project, which git does not see there and make takes for new."""
    exclude = checkout / ".git" / "info" / "exclude"
    exclude.parent.mkdir(exist_ok=True)
    exclude.write_text("/.venv\n", encoding="utf-8")
    (checkout / ".venv").symlink_to(environment.resolve())
    age_sources(checkout)


def age_sources(checkout: Path) -> None:
    """Make what an environment is made from older than any that is shared."""
    for pattern in MADE_FROM:
        for path in checkout.glob(pattern):
            os.utime(path, (0, 0))


def choose_version(scratch: ScratchCopy, package: str = "") -> Release:
    """Return the next patch after all that is in pyproject.toml or a tag; after a pre-release, its final version."""
    standing = Version(files.standing(Project(scratch.checkout, package).read))
    tagged = (version_of_tag(tag, package) for tag in scratch.git("tag", "--list").splitlines())
    versions = [standing, *filter(None, tagged)]
    patches = [Version(next_version(str(version))) for version in versions if not version.is_prerelease]
    return Release(str(max([Version(standing.base_version), *patches])), package)


def has_fragment(scratch: ScratchCopy, package: str = "") -> bool:
    """Say whether there is anything to write into the changelog."""
    project = Project(scratch.checkout, package)
    return bool(files.list_fragments(project.folder, (), project.read))
