"""What cargo says of the crates that an sdist is built from."""

import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from roadworthy import processes as commands
from roadworthy.gate.model import Artefact
from roadworthy.terminal import err

# Where crates are published; a lock names no source for what lies beside it.
PUBLISHED = ("registry+", "sparse+")
# Words of cargo's where it could not reach what it has to read.
UNREACHED = re.compile(r"failed to download|network error|offline mode")


def ask_cargo(artefact: Artefact) -> Iterator[str]:
    """Find why cargo would not build an sdist with its Cargo.lock as it is, or would build what is not in it.

    Where there is no cargo, or it cannot read a registry, that is told, and nothing is found.
    """
    if not shutil.which("cargo"):
        tell(artefact, "cargo is not on PATH")
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary).resolve() / "sdist"
        write_files(artefact, folder)
        # What the machine has is enough where the sdist was built; only what it lacks is asked for.
        printed, reason = read_metadata(folder, "--offline")
        if UNREACHED.search(reason):
            printed, reason = read_metadata(folder)
        reason = reason.replace(f"{folder}{os.sep}", "").replace(str(folder), artefact.folder)
        if "because --locked was passed" in reason:
            yield "Cargo.lock does not fit Cargo.toml"
        elif UNREACHED.search(reason):
            tell(artefact, reason)
        elif reason:
            yield f"cargo cannot read the package: {reason}"
        else:
            yield from find_outside(printed, folder)


def tell(artefact: Artefact, reason: str) -> None:
    """Say what is not judged."""
    err.print(f"{artefact.path.name}: whether Cargo.lock fits Cargo.toml is not judged: {reason}")


def write_files(artefact: Artefact, folder: Path) -> None:
    """Write the sdist's files into a new folder, without those whose names lead out of it."""
    for name, member in artefact.files.items():
        if not member.unsafe and name.startswith(f"{artefact.folder}/"):
            path = folder / name.removeprefix(f"{artefact.folder}/")
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as file:
                file.writelines(artefact.pieces(member))


def read_metadata(folder: Path, *options: str) -> tuple[str, str]:
    """Return what `cargo metadata` prints, and why it fails, in one line; "" where it does not."""
    command = ("cargo", "metadata", "--locked", "--format-version=1", "--quiet", "--color=never", *options)
    done = commands.run(*command, cwd=folder, env=commands.tool_environment(os.environ), check=False)
    said = " ".join(done.stderr.split())[:400]
    return done.stdout, (said or "it says nothing") if done.returncode else ""


def find_outside(printed: str, folder: Path) -> Iterator[str]:
    """Find the crates that are read from this machine, and not from the sdist."""
    for package in json.loads(printed)["packages"]:
        if package["source"] is None and not Path(package["manifest_path"]).is_relative_to(folder):
            yield f"the crate {package['name']} lies outside the sdist: {package['manifest_path']}"
