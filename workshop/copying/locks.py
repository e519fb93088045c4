"""Cargo.lock, crate by crate: of a copy that needs fewer of them, and after an update, which may need others."""

import os
import re
import subprocess
from collections import defaultdict
from collections.abc import Collection, Mapping
from pathlib import Path

import tomli

from roadworthy import processes as commands

CRATE = re.compile(r"^(?=\[\[package\]\]$)", re.MULTILINE)
NAMED = re.compile(r'^name = "([^"]+)"$', re.MULTILINE)


def split_lock(lock: str) -> tuple[str, dict[str, list[str]]]:
    """Return what stands above the crates, and the crates by name: one can be locked in several versions."""
    head, *blocks = CRATE.split(lock)
    crates: dict[str, list[str]] = defaultdict(list)
    for block in blocks:
        if found := NAMED.search(block):
            crates[found[1]].append(block.strip())
    return head, crates


def join_lock(head: str, crates: Mapping[str, list[str]]) -> str:
    """Return a lock with its crates in cargo's order."""
    return head + "\n\n".join(block for name in sorted(crates) for block in crates[name]) + "\n"


def prune_lock(lock: str, name: str, crates: Collection[str]) -> str:
    """Return a lock without some dependencies of a crate, and without what only they need."""
    head, blocks = split_lock(lock)
    names = "|".join(map(re.escape, crates))
    blocks[name] = [re.sub(rf'(?m)^ "(?:{names})(?: .*)?",\n', "", block) for block in blocks[name]]
    needed, waiting = set(), [name]
    while waiting:
        one = waiting.pop()
        needed.add(one)
        lists = [tomli.loads(block)["package"][0].get("dependencies", []) for block in blocks[one]]
        waiting += {word.split()[0] for words in lists for word in words} - needed
    return join_lock(head, {one: blocks[one] for one in needed})


def merge_locks(base: str, new: str, ours: str) -> str:
    """Return our lock with each crate as the template has locked it since, unless it is locked otherwise here.

    Cargo then adds what is missing, and takes out what nobody needs.
    """
    (_, before), (head, after), (_, here) = (split_lock(text) for text in (base, new, ours))
    chosen = {name: after if here.get(name) == before.get(name) else here for name in {*after, *here}}
    return join_lock(head, {name: side.get(name, []) for name, side in chosen.items()})


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
