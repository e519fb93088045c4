"""Cargo.lock after an update: what the template locked anew, beside what the copy has locked for itself."""

import os
import re
import subprocess
from collections import defaultdict
from pathlib import Path

from roadworthy import processes as commands
from roadworthy.repository import Repository
from workshop.copying.trees import LINK, SUBMODULE, Entry, read_blobs

CRATE = re.compile(r"^(?=\[\[package\]\]$)", re.MULTILINE)
NAMED = re.compile(r'^name = "([^"]+)"\nversion = "([^"]+)"$', re.MULTILINE)


def read_crates(text: str) -> tuple[str, dict[str, list[str]]]:
    """Return the head of a lock, and its crates by name: a crate can be locked in several versions."""
    head, *crates = CRATE.split(text)
    named: dict[str, list[str]] = defaultdict(list)
    for crate in crates:
        if found := NAMED.search(crate):
            named[found[1]].append(crate.strip())
    return head, named


def merge_locks(base: str, new: str, ours: str) -> str:
    """Return our lock with each crate as the template has locked it since, unless it is locked otherwise here.

    Cargo then adds what is missing, and takes out what nobody needs.
    """
    (_, before), (head, after), (_, here) = (read_crates(text) for text in (base, new, ours))
    names = sorted({*after, *here})
    merged = [(after if here.get(name) == before.get(name) else here).get(name, []) for name in names]
    return head + "\n\n".join(crate for crates in merged for crate in crates) + "\n"


def write_files(repository: Repository, entries: list[Entry], folder: Path) -> None:
    """Write the files of a tree into a folder, links left out."""
    plain = [entry for entry in entries if entry.mode not in (LINK, SUBMODULE)]
    blobs = read_blobs(repository, (entry.blob for entry in plain))
    for entry in plain:
        path = folder / entry.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(blobs[entry.blob])


def relock(folder: Path, lock: str) -> str | None:
    """Return a lock as cargo corrects it for the manifest in a folder; None if cargo cannot."""
    path = folder / "Cargo.lock"
    path.write_text(lock, encoding="utf-8", newline="\n")
    # First without the network, which most updates do not need.
    for offline in (("--offline",), ()):
        try:
            commands.run("cargo", "update", "--quiet", "--workspace", *offline, cwd=folder, env=os.environ)
        except (OSError, subprocess.CalledProcessError):
            continue
        return path.read_text(encoding="utf-8")
    return None
