"""Say which tools a build will use; end with one line if Rust is missing or too old."""

import os
import platform
import shutil

from packaging.version import Version

import commands
from console import err, problem, run_main
from project import ROOT, load_toml, venv_bin


def ask_version(*command: str) -> str:
    """Return the version that a tool prints of itself: the second word of its first line."""
    return commands.run(*command, "--version", cwd=ROOT, env=os.environ).stdout.split()[1]


def maturin_version() -> str:
    """Return the version of the maturin that builds."""
    return ask_version(str(venv_bin("maturin")))


def rustc(*arguments: str) -> str:
    """Return what rustc prints."""
    return commands.run("rustc", *arguments, cwd=ROOT, env=os.environ).stdout.strip()


def host_triple() -> str:
    """Return the target that this machine builds for by itself."""
    (host,) = [line.removeprefix("host: ") for line in rustc("-vV").splitlines() if line.startswith("host: ")]
    return host


def require_rust() -> str:
    """Return the version of rustc.

    Raises:
        ProblemsError: There is no Rust on PATH, or it is older than Cargo.toml's `rust-version`.
    """
    oldest = load_toml("Cargo.toml")["package"]["rust-version"]
    if not (shutil.which("cargo") and shutil.which("rustc")):
        raise problem(
            "Rust is not on PATH: there is no cargo or no rustc",
            f"install Rust {oldest} or newer (rustup, or your system's packages), or put ~/.cargo/bin on PATH",
        )
    found = ask_version("rustc")
    if Version(found.split("-")[0]) < Version(oldest):
        raise problem(f"Rust {found} is too old: Cargo.toml asks for {oldest} or newer", "run: rustup update stable")
    return found


def main() -> None:
    """Print one line of versions."""
    rust = require_rust()
    err.print(f"Rust {rust}, maturin {maturin_version()}, Python {platform.python_version()}")


if __name__ == "__main__":
    run_main(main)
