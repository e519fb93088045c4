"""Trees and files as git keeps them: bytes, modes and links, without a working tree that could change them."""

import logging
import re
import shlex
import subprocess
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from roadworthy.repository import Repository

log = logging.getLogger("commands")
LINK = "120000"
# A commit of another repository, which is no object of this one.
SUBMODULE = "160000"
EXECUTABLE = "100755"
PLAIN = "100644"


@dataclass(frozen=True)
class Entry:
    """A file, a link or a submodule of a tree."""

    mode: str
    path: bytes
    blob: str

    @property
    def name(self) -> str:
        """The path as text; bytes that are no UTF-8 are kept as surrogates."""
        return self.path.decode("utf-8", "surrogateescape")


def pipe(repository: Repository, *arguments: object, data: bytes = b"", env: Mapping[str, str] | None = None) -> bytes:
    """Run a git command with bytes as input, and return the bytes that it prints.

    Raises:
        CalledProcessError: The command failed.
    """
    words = ["git", *map(str, arguments)]
    try:
        return subprocess.run(
            words,
            cwd=repository.folder,
            env={**repository.environment(), **(env or {})},
            input=data,
            check=True,
            capture_output=True,
        ).stdout
    finally:
        log.debug("%s", shlex.join(words))


def list_tree(repository: Repository, treeish: str) -> list[Entry]:
    """Return all that a commit or a tree holds, in git's order."""
    listed = pipe(repository, "ls-tree", "-r", "-z", "--full-tree", treeish)
    found = re.finditer(rb"(\d+) \w+ ([0-9a-f]+)\t([^\0]+)\0", listed)
    return [Entry(match[1].decode(), match[3], match[2].decode()) for match in found]


def read_blobs(repository: Repository, blobs: Iterable[str]) -> dict[str, bytes]:
    """Map each blob to its bytes.

    Raises:
        LookupError: One is missing.
    """
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
    stream = b"".join(
        b"blob\nmark :%d\ndata %d\n%s\n" % (number, len(content), content)
        for number, content in enumerate(contents, start=1)
    )
    with tempfile.TemporaryDirectory(prefix="blobs-") as folder:
        marks = Path(folder, "marks")
        # One process for all of them; fast-import writes one pack, whatever their number.
        pipe(repository, "fast-import", "--quiet", "--done", f"--export-marks={marks}", data=stream + b"done\n")
        pairs = (line.split() for line in marks.read_text(encoding="ascii").splitlines())
        named = {int(mark.removeprefix(":")): blob for mark, blob in pairs}
    return [named[number] for number in range(1, len(contents) + 1)]


def write_tree(repository: Repository, entries: Iterable[Entry]) -> str:
    """Make a tree of entries whose blobs the repository has, and return its name."""
    lines = b"".join(b"%s %s\t%s\0" % (one.mode.encode(), one.blob.encode(), one.path) for one in entries)
    with tempfile.TemporaryDirectory(prefix="index-") as folder:
        index = {"GIT_INDEX_FILE": str(Path(folder, "index"))}
        pipe(repository, "update-index", "-z", "--index-info", data=lines, env=index)
        return pipe(repository, "write-tree", env=index).decode().strip()


def read_file(repository: Repository, treeish: str, path: str) -> str | None:
    """Return the text of one file of a commit or a tree; None if it has none of that name."""
    found = repository.run("cat-file", "blob", f"{treeish}:{path}")
    return None if found.returncode else found.stdout
