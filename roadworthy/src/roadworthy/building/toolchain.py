"""Say which tools a build will use, and fetch the locked crates; end with one line if Rust is missing or too old."""

import os
import platform
import shutil
import tempfile
from pathlib import Path

from packaging.version import Version

from roadworthy import processes as commands
from roadworthy.arguments import Parser
from roadworthy.processes import venv_bin
from roadworthy.project import HERE, Project
from roadworthy.terminal import err, problem

# The locks in requirements/ that a build, its proofs and a release work with.
GROUPS = ("setup", "test", "tools", "build")


def ask_version(*command: str) -> str:
    """Return the version that a tool prints of itself: the second word of its first line."""
    return commands.run(*command, "--version", cwd=HERE.root, env=os.environ).stdout.split()[1]


def maturin_version() -> str:
    """Return the version of the maturin that builds."""
    return ask_version(str(venv_bin("maturin")))


def rustc(*arguments: str) -> str:
    """Return what rustc prints."""
    return commands.run("rustc", *arguments, cwd=HERE.root, env=os.environ).stdout.strip()


def host_triple() -> str:
    """Return the target that this machine builds for by itself."""
    (host,) = [line.removeprefix("host: ") for line in rustc("-vV").splitlines() if line.startswith("host: ")]
    return host


def require_rust() -> str:
    """Return the version of rustc.

    Raises:
        ProblemsError: There is no Rust on PATH, or it is older than Cargo.toml's `rust-version`.
    """
    for program in ("cargo", "rustc"):
        if not shutil.which(program):
            raise commands.not_there(program)
    found, oldest = ask_version("rustc"), HERE.rust_version
    if oldest and Version(found.split("-")[0]) < Version(oldest):
        raise problem(f"Rust {found} is too old: Cargo.toml asks for {oldest} or newer", "run: rustup update stable")
    return found


def require_cargo_home() -> None:
    """Make sure that cargo can keep what it fetches.

    Raises:
        ProblemsError: It cannot.
    """
    home = Path(os.environ.get("CARGO_HOME") or Path.home() / ".cargo")
    try:
        home.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=home).close()
    except OSError as error:
        what = f"cargo's folder, {home}, cannot be written ({error.strerror})"
        raise problem(what, "set CARGO_HOME to a folder that can be") from error


def fetch_crates() -> None:
    """Make sure that cargo can read all locked crates offline; what is not on this machine is fetched, and said.

    Raises:
        ProblemsError: Cargo.lock does not fit Cargo.toml, or the crates cannot be fetched or kept.
    """
    env = commands.tool_environment(os.environ)
    ask = ("cargo", "metadata", "--locked", "--offline", "--format-version=1", "--quiet")
    asked = commands.run(*ask, cwd=HERE.root, env=env, check=False)
    if asked.returncode == 0:
        return
    require_cargo_home()
    if "offline" in asked.stderr:
        count = sum("source" in crate for crate in HERE.locked_crates)
        err.print(f"fetching {count} crates")
        asked = commands.run("cargo", "fetch", "--locked", cwd=HERE.root, env=env, check=False)
    # Behind warnings of a network that was asked again.
    reason = " ".join(asked.stderr[max(0, asked.stderr.find("error:")) :].split())
    if asked.returncode and "--locked" in reason:
        raise problem("Cargo.lock does not fit Cargo.toml", "run: cargo update --workspace; and commit Cargo.lock")
    if asked.returncode:
        remedy = "repair what it names, and commit; or let cargo reach its registry, and run the same again"
        raise problem(f"cargo cannot read the package: {reason[:300]}", remedy)


def main(project: Project, words: list[str]) -> None:  # noqa: ARG001 - as all commands
    """Fetch what is missing, and print one line of versions."""
    Parser("toolchain", "Say which tools build here, and fetch the locked crates.").read(words)
    rust = require_rust()
    fetch_crates()
    err.print(f"Rust {rust}, maturin {maturin_version()}, Python {platform.python_version()}")
