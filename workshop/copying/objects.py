"""Files as git keeps them in its objects: bytes, modes and links, without a working tree that could change them."""

import re
import subprocess
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from roadworthy.processes import record
from roadworthy.repository import LINK, SUBMODULE, Repository

PLAIN = "100644"


@dataclass(frozen=True)
class Entry:
    """A file, a link or a submodule: its mode, and the name of its content."""

    mode: str
    blob: str


# By their paths; bytes that are no UTF-8 are kept as surrogates. A file has its mode and its content, which for a link
# is its target, and for a submodule the name of its commit.
Entries = dict[str, Entry]
Files = dict[str, tuple[str, bytes]]


def encode(path: str) -> bytes:
    """Return a path as git has it."""
    return path.encode("utf-8", "surrogateescape")


def decode(path: bytes) -> str:
    """Return git's path as text."""
    return path.decode("utf-8", "surrogateescape")


def pipe(repository: Repository, *arguments: object, data: bytes = b"", env: Mapping[str, str] | None = None) -> bytes:
    """Run a git command with bytes as input, and return the bytes that it prints."""
    words = ["git", *map(str, arguments)]
    env = {**repository.environment(), **(env or {})}
    try:
        done = subprocess.run(words, cwd=repository.folder, env=env, input=data, check=True, capture_output=True)
    finally:
        record(words)
    return done.stdout


def list_tree(repository: Repository, treeish: str) -> Entries:
    """Return all that a commit or a tree holds, in git's order."""
    listed = pipe(repository, "ls-tree", "-r", "-z", "--full-tree", treeish)
    found = re.finditer(rb"(\d+) \w+ ([0-9a-f]+)\t([^\0]+)\0", listed)
    return {decode(match[3]): Entry(match[1].decode(), match[2].decode()) for match in found}


def read_blobs(repository: Repository, blobs: Iterable[str]) -> dict[str, bytes]:
    """Map each blob to its bytes."""
    wanted = list(dict.fromkeys(blobs))
    answer = pipe(repository, "cat-file", "--batch", "--buffer", data="".join(f"{blob}\n" for blob in wanted).encode())
    contents, position = {}, 0
    for blob in wanted:
        end = answer.index(b"\n", position)
        header = answer[position:end].split()
        if header[1:2] != [b"blob"]:
            raise LookupError(f"{repository.folder} has no blob {blob}")
        size = int(header[2])
        contents[blob] = answer[end + 1 : end + 1 + size]
        position = end + 1 + size + 1
    return contents


def write_blobs(repository: Repository, contents: Sequence[bytes]) -> list[str]:
    """Keep contents in a repository, and return the name of each, in their order."""
    if not contents:
        return []
    stream = [b"blob\nmark :%d\ndata %d\n%s\n" % (mark, len(each), each) for mark, each in enumerate(contents, start=1)]
    with tempfile.TemporaryDirectory(prefix="blobs-") as folder:
        marks = Path(folder, "marks")
        # One process for all of them; fast-import writes one pack, whatever their number.
        words = ("fast-import", "--quiet", "--done", f"--export-marks={marks}")
        pipe(repository, *words, data=b"".join(stream) + b"done\n")
        named = dict(line.split() for line in marks.read_text(encoding="ascii").splitlines())
    return [named[f":{number}"] for number in range(1, len(contents) + 1)]


def write_tree(repository: Repository, entries: Entries) -> str:
    """Make a tree of entries whose blobs the repository has, and return its name."""
    lines = b"".join(b"%s %s\t%s\0" % (one.mode.encode(), one.blob.encode(), encode(at)) for at, one in entries.items())
    with tempfile.TemporaryDirectory(prefix="index-") as folder:
        index = {"GIT_INDEX_FILE": str(Path(folder, "index"))}
        pipe(repository, "update-index", "-z", "--index-info", data=lines, env=index)
        return pipe(repository, "write-tree", env=index).decode().strip()


def read_file(repository: Repository, treeish: str, path: str) -> str | None:
    """Return the text of one file of a commit or a tree; None if it has none of that name."""
    found = repository.run("cat-file", "blob", f"{treeish}:{path}")
    return None if found.returncode else found.stdout


def read_files(repository: Repository, treeish: str) -> Files:
    """Return all files of a commit or a tree."""
    entries = list_tree(repository, treeish)
    blobs = read_blobs(repository, (entry.blob for entry in entries.values() if entry.mode != SUBMODULE))
    return {path: (entry.mode, blobs.get(entry.blob, entry.blob.encode())) for path, entry in entries.items()}


def write_files(repository: Repository, files: Files) -> str:
    """Make a tree of files and return its name."""
    kept = {path: content for path, (mode, content) in files.items() if mode != SUBMODULE}
    blobs = dict(zip(kept, write_blobs(repository, list(kept.values())), strict=True))
    names = {path: blobs[path] if path in blobs else content.decode() for path, (_, content) in files.items()}
    return write_tree(repository, {path: Entry(mode, names[path]) for path, (mode, _) in files.items()})


def regular(files: Files) -> dict[str, bytes]:
    """Return the contents of those that are neither links nor submodules."""
    return {path: content for path, (mode, content) in files.items() if mode not in (LINK, SUBMODULE)}


def read_texts(repository: Repository, treeish: str) -> dict[str, bytes]:
    """Return the contents of the regular files of a commit or a tree."""
    return regular(read_files(repository, treeish))


def export(files: Mapping[str, bytes], folder: Path) -> None:
    """Write contents into a folder, which is made."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def commit_tree(repository: Repository, tree: str, message: str, *parents: str, env: Mapping[str, str]) -> str:
    """Make a commit that no branch has, by who is in the environment, and return its name."""
    above = [word for parent in parents for word in ("-p", parent)]
    words = ("commit-tree", "--no-gpg-sign", tree, *above)
    return pipe(repository, *words, data=message.encode(), env=env).decode().strip()
