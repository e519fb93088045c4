import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from roadworthy.arguments import take_given
from roadworthy.building.toolchain import build_folder
from roadworthy.project import Project
from workshop.rehearsing.scratch import age_sources

# What make was given for the tests (`make test-tooling ARGS=…`) is not for what they start.
take_given()
PROJECT = Project(Path(__file__).resolve().parents[2])


def run(*command: object, cwd: Path = PROJECT.root, **variables: str | None) -> "subprocess.CompletedProcess[str]":
    """Run a command without input, and return its exit code and what it said.

    Args:
        command: The command; each part is made a str.
        cwd: The folder to run it in.
        variables: What the environment has beside this one's; None takes a variable away.
    """
    return subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=environment_in(cwd, variables),
        stdin=subprocess.DEVNULL,
        check=False,
        capture_output=True,
        text=True,
        timeout=900,
    )


def environment_in(cwd: Path, variables: Mapping[str, str | None]) -> dict[str, str]:
    """Return the environment of a command that is run in a folder; None takes a variable away."""
    # What the outer make passes on is not for an inner one.
    outer = ("MAKE", "MFLAGS", "PYTHONPATH")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(outer)}
    # As the Makefile there does.
    if (engine := cwd / "roadworthy" / "src").is_dir():
        environment["PYTHONPATH"] = str(engine)
    for name, value in variables.items():
        environment.pop(name, None)
        if value is not None:
            environment[name] = value
    return environment


def rustup_home() -> str:
    """Return where rustup keeps its toolchains, which moves with CARGO_HOME nowhere."""
    return os.environ.get("RUSTUP_HOME", str(Path.home() / ".rustup"))


def share_compiled(checkout: Path) -> None:
    """Let the wheels of another checkout be built from crates that are compiled for this one already."""
    folder = build_folder(PROJECT)
    target = checkout / folder.relative_to(PROJECT.root)
    target.mkdir(parents=True, exist_ok=True)
    for compiled in folder.glob("cp*"):
        (target / compiled.name).symlink_to(compiled)


def copy_checkout(folder: Path) -> Path:
    """Copy what git tracks, or would, into a repository of its own with one commit, and share .venv with it."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=PROJECT.root,
        check=True,
        capture_output=True,
    ).stdout.decode()
    for name in listed.split("\0"):
        if name and (PROJECT.root / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(PROJECT.root / name, folder / name)
    time = subprocess.run(
        ["git", "log", "-1", "--format=%ct"], cwd=PROJECT.root, check=True, capture_output=True, text=True
    ).stdout
    stamp = {"GIT_COMMITTER_DATE": f"{time.strip()} +0000", "GIT_AUTHOR_DATE": f"{time.strip()} +0000"}
    identity = ["-c", "user.name=Test", "-c", "user.email=test@localhost", "-c", "commit.gpgsign=false"]
    for arguments in (["init", "--quiet"], ["add", "--all"], [*identity, "commit", "--quiet", "--message=Copy"]):
        subprocess.run(["git", *arguments], cwd=folder, check=True, env={**os.environ, **stamp})
    exclude = folder / ".git" / "info" / "exclude"
    exclude.write_text("/.venv\n", encoding="utf-8")
    (folder / ".venv").symlink_to(PROJECT.root / ".venv")
    age_sources(folder)
    return folder
