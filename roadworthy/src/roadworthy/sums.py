"""What files of a release are called, and SHA256SUMS: which bytes they are."""

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from roadworthy.terminal import Problem, problem

if TYPE_CHECKING:
    from packaging.tags import Tag
    from packaging.utils import BuildTag
    from packaging.version import Version

BUILD_AGAIN = "run the jobs that built them again, all of them; publish nothing of this run"
# On no system the name of a folder, a drive or an option, nor what a terminal obeys; a longer one no disk takes.
PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+!-]{0,254}")


def parse_name(name: str) -> "tuple[str, Version, BuildTag, frozenset[Tag]]":
    """Return what the name of a wheel or an sdist says, equal for all spellings of one.

    Whoever is told a name by somebody else asks this before it becomes a path: packaging takes a/../x for a build tag.
    ValueError where it is neither's name, or no plain name of a file on every system.
    """
    from packaging.utils import parse_sdist_filename, parse_wheel_filename  # noqa: PLC0415 - read by every command

    if not PLAIN_NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no plain name of a file")
    if name.endswith(".whl"):
        return parse_wheel_filename(name)
    return (*parse_sdist_filename(name), (), frozenset())


def sha256(content: bytes) -> str:
    """Return a SHA-256 in hexadecimal."""
    from hashlib import sha256 as digest  # noqa: PLC0415 - read by every command

    return digest(content).hexdigest()


def read_sums(path: Path) -> dict[str, str]:
    """Map the file names of a SHA256SUMS to their hashes. Folders in front of the names do not count.

    ProblemsError where the file is not there, or a line is not as `sha256sum` writes it for an artefact, each once.
    """
    remedy = "give the file that `make build` wrote"
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise problem(f"{path} cannot be read: {error}", remedy) from error
    sums: dict[str, str] = {}
    for line in lines:
        if not re.fullmatch(r"[0-9a-f]{64} [ *].+", line):
            raise problem(f"{path} is no SHA256SUMS: {line!r} is not a line of sha256sum", remedy)
        file = PurePosixPath(line[66:]).name
        if file in sums:
            raise problem(f"{path} is no SHA256SUMS: {file!r} is there twice", remedy)
        try:
            parse_name(file)
        except ValueError as error:
            raise problem(f"{path} is no SHA256SUMS: {file!r} is neither a wheel nor an sdist", remedy) from error
        sums[file] = line[:64]
    return sums


def write_sums(path: Path, folder: Path) -> None:
    """Write the SHA256SUMS of the files in a folder beside it, as `sha256sum --check` reads it there."""
    lines = [f"{sha256(file.read_bytes())}  {folder.name}/{file.name}\n" for file in sorted(folder.iterdir())]
    path.write_text("".join(lines), encoding="utf-8", newline="\n")


def compare_sums(paths: list[Path], sums: dict[str, str], source: Path) -> list[Problem]:
    """Return a problem for each file whose bytes are not those of SHA256SUMS."""
    what, remedy = "{} has the SHA-256 {}, and {} says {}", "these are not the bytes that were built; do not use them"
    found = {path: sha256(path.read_bytes()) for path in paths}
    return [
        Problem(what.format(path, digest, source, sums.get(path.name, "nothing of it")), remedy)
        for path, digest in found.items()
        if sums.get(path.name) != digest
    ]


def check_folder(dist: Path, sums: Path) -> Iterator[Problem]:
    """Find what is wrong with what one machine has built: its dist/, and its SHA256SUMS."""
    hashes = read_sums(sums)
    if not dist.is_dir():
        yield Problem(f"{dist.parent} has no {dist.name}/", BUILD_AGAIN)
        return
    paths = sorted(dist.iterdir())
    plain = [path for path in paths if path.is_file() and not path.is_symlink()]
    yield from (Problem(f"{path} is no plain file", BUILD_AGAIN) for path in paths if path not in plain)
    yield from compare_sums(plain, hashes, sums)
