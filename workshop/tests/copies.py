"""What tests of copying begin with: a template with this project's files, and copies of it."""

import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

from helpers import copy_checkout, run
from releases import MOMENT
from roadworthy.project import Project
from roadworthy.repository import Repository
from workshop.copying.record import Answers, Record

PROJECT = Project(Path(__file__).resolve().parents[2])
ADDRESS = "https://github.com/rust-wheelwrights/ferrous-wheel"
# The template's name in any spelling, and its owner.
TEMPLATE = re.compile(rb"ferr[o0]us|wheelwright", re.IGNORECASE)
GIVEN = ("--author=Ada Lovelace", "--email=ada@example.org", "--owner=ada", "--description=Frobs turbos.")


def answers(name: str) -> Answers:
    """Return the answers of somebody."""
    return Answers(name, "Ada Lovelace", "ada@example.org", "ada", "Frobs turbos.", "MIT", time.strftime("%Y"))


def record(name: str, commit: str = "HEAD") -> Record:
    """Return what a copy with these answers, of a commit or a tree, knows of where it came from."""
    return Record(ADDRESS, commit, commit, "v1", answers(name))


def environment(home: Path) -> dict[str, str | None]:
    """Return what git reads instead of this machine's configuration: one that knows who commits, at a fixed time."""
    configuration = home / "gitconfig"
    if not configuration.exists():
        configuration.write_text("[user]\n\tname = Grace Hopper\n\temail = grace@example.org\n", encoding="utf-8")
    return {
        "GIT_AUTHOR_DATE": MOMENT,
        "GIT_COMMITTER_DATE": MOMENT,
        "GIT_CONFIG_GLOBAL": str(configuration),
        "GIT_CONFIG_NOSYSTEM": "1",
    }


class Folder:
    """A repository, in which git and scripts/template.py are run; `home` has the configuration that git reads."""

    def __init__(self, folder: Path, home: Path) -> None:
        self.folder = folder
        self.home = home

    def variables(self) -> dict[str, str | None]:
        """Return what programs are run with."""
        return environment(self.home)

    def git(self, *arguments: object) -> str:
        """Run git with fixed times; fail loudly."""
        done = run("git", *arguments, cwd=self.folder, **self.variables())
        assert done.returncode == 0, f"{arguments}: {done.stderr}{done.stdout}"
        return done.stdout.removesuffix("\n")

    def template(self, *arguments: object, **variables: str | None) -> "subprocess.CompletedProcess[str]":
        """Run scripts/template.py."""
        command = (sys.executable, "scripts/template.py", *arguments)
        return run(*command, cwd=self.folder, **{**self.variables(), **variables})

    def new(self, name: str, *arguments: str, **variables: str | None) -> "Folder":
        """Make a copy beside it."""
        done = self.template("new", *GIVEN, *arguments, name, **variables)
        assert done.returncode == 0, done.stderr + done.stdout
        return Folder(self.folder.parent / name, self.home)

    def commit(self, message: str = "Change") -> str:
        """Commit everything."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--no-verify", "--allow-empty", f"--message={message}")
        return self.git("rev-parse", "HEAD")

    def read(self, name: str) -> str:
        return (self.folder / name).read_text(encoding="utf-8")

    def write(self, name: str, content: bytes | str) -> None:
        (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / name).write_bytes(content.encode() if isinstance(content, str) else content)

    def replace(self, name: str, old: str, new: str) -> None:
        """Replace a text that is there."""
        text = self.read(name)
        assert old in text, f"{old!r} is not in {name}"
        self.write(name, text.replace(old, new))

    @property
    def record(self) -> Record:
        """What a copy knows of where it came from."""
        found = Record.read(self.read("template.toml"))
        assert found is not None
        return found

    @property
    def repository(self) -> Repository:
        return Repository(self.folder)

    def holding(self, pattern: "re.Pattern[bytes]") -> set[str]:
        """Return the committed files in whose name or content something stands; a link's content is its target."""
        names = self.git("ls-tree", "-r", "-z", "--name-only", "HEAD").rstrip("\0").split("\0")
        return {name for name in names if pattern.search(name.encode()) or pattern.search(self.content(name))}

    def content(self, name: str) -> bytes:
        """Return what git keeps of a file."""
        path = self.folder / name
        return str(path.readlink()).encode() if path.is_symlink() else path.read_bytes()


def share_compiled(folder: Path) -> None:
    """Give a copy what is compiled here of the crates that both have, and the program that reads its workflows.

    What is in dist/ here is current: nothing is written there meanwhile.
    """
    for name in (name for name in ("develop", "dist", "tools") if (PROJECT.target / name).is_dir()):
        ignored = shutil.ignore_patterns("tmp*", "built-from")
        shutil.copytree(PROJECT.target / name, folder / "target" / name, symlinks=True, ignore=ignored)


def make_template(folder: Path) -> Folder:
    """Make a template with this project's files, as one commit."""
    return Folder(copy_checkout(folder / "ferrous-wheel"), folder)
