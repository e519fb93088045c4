"""Locks, entry by entry: Cargo.lock of a copy that needs fewer crates, and both kinds after an update."""

import os
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import tomli

from roadworthy import processes as commands
from roadworthy.terminal import ProblemsError
from workshop.rehearsing.scratch import age_sources


@dataclass(frozen=True)
class Lock:
    """How a lock is written: its head, and entries of a name each; one name can have several."""

    start: re.Pattern[str]
    name: re.Pattern[str]
    between: str

    def split(self, text: str) -> tuple[str, dict[str, list[str]]]:
        """Return what stands above the entries, and the entries by name."""
        head, *blocks = self.start.split(text)
        entries: dict[str, list[str]] = defaultdict(list)
        for block in blocks:
            if found := self.name.search(block):
                entries[found[1]].append(block.strip())
        return head, entries

    def join(self, head: str, entries: Mapping[str, list[str]]) -> str:
        """Return a lock with its entries in the order of the tool that writes it."""
        return head + self.between.join(block for name in sorted(entries) for block in entries[name]) + "\n"

    def merge(self, base: str, new: str, ours: str) -> str:
        """Return our lock with each entry as the template has locked it since, unless it is locked otherwise here.

        The tool then adds what is missing, and takes out what nobody needs.
        """
        (_, before), (head, after), (_, here) = (self.split(text) for text in (base, new, ours))
        chosen = {name: after if here.get(name) == before.get(name) else here for name in {*after, *here}}
        return self.join(head, {name: side.get(name, []) for name, side in chosen.items()})


# Of cargo, and of uv.
CRATES = Lock(re.compile(r"(?m)^(?=\[\[package\]\]$)"), re.compile(r'(?m)^name = "([^"]+)"$'), "\n\n")
PINS = Lock(re.compile(r"(?m)^(?=[A-Za-z0-9])"), re.compile(r"^([A-Za-z0-9._-]+)=="), "\n")


def prune_lock(lock: str, name: str, wanted: Collection[str]) -> str:
    """Return a lock in which a crate needs only the crates that are wanted, without what nobody needs then."""
    head, blocks = CRATES.split(lock)
    listed = re.compile(r'(?m)^ "([^" ]+)[^"]*",\n')
    blocks[name] = [listed.sub(lambda found: found[0] if found[1] in wanted else "", block) for block in blocks[name]]
    needed, waiting = set(), [name]
    while waiting:
        one = waiting.pop()
        needed.add(one)
        lists = [tomli.loads(block)["package"][0].get("dependencies", []) for block in blocks[one]]
        waiting += {word.split()[0] for words in lists for word in words} - needed
    return CRATES.join(head, {one: blocks[one] for one in needed})


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


def relock_tools(folder: Path) -> str:
    """Lock the tools of a project anew, by its own `make lock`, with the uv of this environment; return why not."""
    (folder / ".venv").symlink_to(sys.prefix)
    age_sources(folder)
    # What an outer make hands on is not for this one.
    env = {name: text for name, text in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    try:
        command = ("make", "--silent", "lock")
        done = commands.run(*command, cwd=folder, env=commands.tool_environment(env), check=False)
    except ProblemsError as error:
        return error.problems[0].what
    return (done.stderr.strip().splitlines() or ["it does not say why"])[-1] if done.returncode else ""
