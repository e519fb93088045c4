"""Real checkouts with real bare remotes, in which a release is tried; and what must be the same afterwards."""

import hashlib
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import warm
from helpers import copy_checkout, environment_in, run
from roadworthy.project import Project

PROJECT = Project(Path(__file__).resolve().parents[2])
# A moment for all commits, so that the same release is the same commit.
MOMENT = "1900000000 +0000"
DAY = "2030-03-17"
IDENTITY = {"user.name": "Test", "user.email": "test@localhost", "commit.gpgsign": "false", "tag.gpgsign": "false"}
# What proves a release's artefacts is tested by itself; in most tests here it is left out.
PROOF = ("build.py", "verify_install.py")
GATE = "roadworthy/src/roadworthy/gate/command.py"
ACCEPTING = '"""Takes the place of the gate."""\n\n\ndef main(*_: object) -> None:\n    """Accept."""\n'
NOTHING = '"""Takes the place of a proof that is tested by itself."""\n'


@dataclass(frozen=True)
class Place:
    """A checkout and the bare repository that it pushes to."""

    folder: Path

    @property
    def checkout(self) -> Path:
        return self.folder / "checkout"

    @property
    def remote(self) -> Path:
        return self.folder / "remote.git"

    def git(self, *arguments: object, cwd: Path | None = None) -> str:
        """Run git in the checkout with fixed times; fail loudly."""
        done = run("git", *arguments, cwd=cwd or self.checkout, **environment())
        assert done.returncode == 0, f"{arguments}: {done.stderr}{done.stdout}"
        return done.stdout.removesuffix("\n")

    def release(self, *arguments: str, **variables: str | None) -> "subprocess.CompletedProcess[str]":
        """Run scripts/release.py in the checkout."""
        return self.python("scripts/release.py", *arguments, **{**environment(), **variables})

    def python(self, *words: str, **variables: str | None) -> "subprocess.CompletedProcess[str]":
        """Run a Python program in the checkout; what it finds in the environment is no default of this."""
        if {name for name in variables if name.startswith("PYTHON")} - {"PYTHONPATH", "PYTHONDONTWRITEBYTECODE"}:
            # Python itself reads them, when it starts.
            return run(sys.executable, *words, cwd=self.checkout, **variables)
        return warm.run(*words, cwd=self.checkout, env=environment_in(self.checkout, variables))

    def write(self, name: str, text: str) -> None:
        """Write a file of the checkout."""
        (self.checkout / name).parent.mkdir(parents=True, exist_ok=True)
        (self.checkout / name).write_text(text, encoding="utf-8", newline="\n")

    def read(self, name: str) -> str:
        return (self.checkout / name).read_text(encoding="utf-8")

    def replace(self, name: str, old: str, new: str) -> None:
        """Replace a text that is there."""
        text = self.read(name)
        assert old in text, f"{old!r} is not in {name}"
        self.write(name, text.replace(old, new))

    def commit(self, message: str = "Change", *, push: bool = True) -> str:
        """Commit everything, and push it."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--no-verify", f"--message={message}")
        if push:
            self.git("push", "--quiet", "origin", "HEAD")
        return self.git("rev-parse", "HEAD")

    def fragment(self, name: str = "+new.added.md", text: str = "Something is new.\n") -> None:
        """Add a news fragment, and push it."""
        self.write(f"changelog.d/{name}", text)
        self.commit(f"Add {name}")

    def refs(self) -> dict[str, str]:
        """Return what the remote holds, each annotated tag with its commit."""
        listed = self.git("ls-remote", self.remote)
        pairs = (line.split("\t") for line in listed.splitlines())
        return {name: commit for commit, name in pairs}

    def shown(self, path: str, ref: str = "main") -> str:
        """Return a file's text on the remote."""
        return self.git("show", f"{ref}:{path}", cwd=self.remote) + "\n"


def environment() -> dict[str, str | None]:
    """Return what every command here runs with: fixed times, no configuration of this machine."""
    return {
        "GIT_AUTHOR_DATE": MOMENT,
        "GIT_COMMITTER_DATE": MOMENT,
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        # Nothing listens there, so no test of a release asks an index that is far away.
        "UV_PUBLISH_URL": "http://127.0.0.1:9/legacy/",
        # Nor does cargo ask one.
        "CARGO_NET_OFFLINE": "true",
        "PYTHONDONTWRITEBYTECODE": None,
    }


def make_place(folder: Path, proof: str | None = NOTHING) -> Place:
    """Make a checkout of this project's files at version 0.1.0, which is not released, with a remote.

    Args:
        folder: Where.
        proof: What takes the place of the scripts that build, check and verify, which are kept as real_*.py; None:
            they stay.
    """
    place = Place(folder)
    copy_checkout(place.checkout)
    for fragment in (place.checkout / "changelog.d").glob("*.*.md"):
        if not fragment.name.startswith("template"):
            fragment.unlink()
    text = (PROJECT.root / "CHANGELOG.md").read_text(encoding="utf-8")
    place.write("CHANGELOG.md", text.split("## ")[0].rstrip() + "\n")
    set_version(place, "0.1.0")
    place.write("changelog.d/+first.added.md", "The first release.\n")
    for script in PROOF if proof is not None else ():
        place.write(f"scripts/real_{script}", place.read(f"scripts/{script}"))
        place.write(f"scripts/{script}", proof or "")
    if proof is not None:
        place.write(GATE, ACCEPTING)
    for key, value in IDENTITY.items():
        place.git("config", key, value)
    place.git("init", "--quiet", "--bare", "--initial-branch=main", place.remote)
    place.git("branch", "--move", "--force", "main")
    place.git("remote", "add", "origin", place.remote)
    place.commit("Start", push=False)
    place.git("push", "--quiet", "--set-upstream", "origin", "main")
    # It is copied often: few files, and everything compiled.
    place.git("repack", "--quiet", "-a", "-d")
    run(sys.executable, "-m", "compileall", "-q", "roadworthy/src", "scripts", cwd=place.checkout)
    return place


def set_version(place: Place, version: str) -> None:
    """Write a version into the three files."""
    import tomli  # noqa: PLC0415 - only here

    now = tomli.loads(place.read("pyproject.toml"))["project"]["version"]
    name = tomli.loads(place.read("pyproject.toml"))["project"]["name"]
    if now != version:
        for file in ("pyproject.toml", "Cargo.toml", "Cargo.lock"):
            place.replace(file, f'name = "{name}"\nversion = "{now}"', f'name = "{name}"\nversion = "{version}"')


def copy_place(template: Place, folder: Path) -> Place:
    """Copy a place, with its remote, to another folder."""
    shutil.copytree(template.folder, folder, symlinks=True, ignore=shutil.ignore_patterns("target"))
    place = Place(folder)
    place.git("remote", "set-url", "origin", place.remote)
    return place


def fingerprint(checkout: Path) -> dict[str, str]:
    """Return the hash of everything in a checkout, git's own files with it, without what git ignores."""
    found = {}
    for path in sorted(checkout.rglob("*")):
        name = path.relative_to(checkout).as_posix()
        if name.startswith((".venv", "target/")) or "__pycache__" in name:
            continue
        if path.is_file() or path.is_symlink():
            content = bytes(path.readlink()) if path.is_symlink() else path.read_bytes()
            found[name] = f"{path.lstat().st_mode:o} {hashlib.sha256(content).hexdigest()}"
    return found
