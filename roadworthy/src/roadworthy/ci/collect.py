"""Put together what several machines have built: one folder for each in, dist/ and SHA256SUMS out.

Each folder holds a dist/ and the SHA256SUMS of its machine, which also names the sdist that the wheels were built from:
so wheels from another sdist are found, and files that were changed or lost on the way, and names that came twice.
"""

import argparse
import shutil
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from roadworthy.building import new_dist
from roadworthy.project import HERE
from roadworthy.sums import compare_sums, is_artefact_name, read_sums
from roadworthy.terminal import Problem, ProblemsError, problem

REMEDY = "run the jobs that built them again, all of them; publish nothing of this run"
FROM = "FROM= is the folder of the folders that machines have built"


def list_folders(built: Path) -> list[Path]:
    """Return the folders, one for each machine.

    Raises:
        ProblemsError: There is none, or one of them is not as a build leaves it.
    """
    folders = sorted(path for path in built.iterdir() if path.is_dir()) if built.is_dir() else []
    if not folders:
        raise problem(f"there are no folders in {built}", FROM)
    return folders


def check_folder(folder: Path) -> Iterator[Problem]:
    """Find what is wrong with what one machine has built."""
    sums = read_sums(folder / HERE.sums.name)
    if not (folder / HERE.dist.name).is_dir():
        yield Problem(f"{folder} has no {HERE.dist.name}/", REMEDY)
        return
    paths = sorted((folder / HERE.dist.name).iterdir())
    plain = [path for path in paths if path.is_file() and not path.is_symlink()]
    yield from (Problem(f"{path} is no plain file", REMEDY) for path in paths if path not in plain)
    named = [path for path in plain if is_artefact_name(path.name)]
    yield from (Problem(f"{path} is neither a wheel nor an sdist", REMEDY) for path in plain if path not in named)
    yield from compare_sums(named, sums, folder / HERE.sums.name)


def check_together(folders: list[Path]) -> Iterator[Problem]:
    """Find names that several machines have built, and hashes in which they do not agree."""
    places, hashes = defaultdict(list), defaultdict(set)
    for folder in folders:
        for path in (folder / HERE.dist.name).iterdir():
            places[path.name].append(folder.name)
        for name, digest in read_sums(folder / HERE.sums.name).items():
            hashes[name].add(digest)
    for name, where in sorted(places.items()):
        if len(where) > 1:
            yield Problem(f"{name} was built by {', '.join(where)}: one would replace the other", REMEDY)
    for name in sorted(name for name, found in hashes.items() if len(found) > 1):
        yield Problem(f"{name} has {len(hashes[name])} different SHA-256 in the SHA256SUMS", REMEDY)
    for name in sorted(hashes.keys() - places.keys()):
        yield Problem(f"{name} stands in a SHA256SUMS, and no machine has it", REMEDY)


def collect(built: Path) -> None:
    """Move everything into dist/.

    Raises:
        ProblemsError: Something does not fit together; dist/ is as it was.
    """
    folders = list_folders(built)
    problems = [one for folder in folders for one in check_folder(folder)] or list(check_together(folders))
    if problems:
        raise ProblemsError(problems)
    with new_dist(HERE) as folder:
        for path in (path for each in folders for path in (each / HERE.dist.name).iterdir()):
            shutil.copy(path, folder)


def main() -> None:
    """Read the command line, and collect."""
    parser = argparse.ArgumentParser(description="Put together what several machines have built.")
    parser.add_argument("built", metavar="FOLDER")
    built = parser.parse_args().built
    if not built:
        # It would be taken for the folder in which this runs.
        raise problem("no folder is given", FROM)
    collect(Path(built))
