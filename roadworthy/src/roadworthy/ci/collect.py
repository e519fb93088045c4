"""Put together what several machines have built: one folder for each in, dist/ and SHA256SUMS out.

Each folder holds a dist/ and the SHA256SUMS of its machine, which also names the sdist that the wheels were built from:
so wheels from another sdist are found, and files that were changed or lost on the way, and names that came twice.
"""

import shutil
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from roadworthy.arguments import Parser
from roadworthy.building import new_dist
from roadworthy.project import Project
from roadworthy.sums import compare_sums, read_sums
from roadworthy.terminal import Problem, problem, raise_problems

REMEDY = "run the jobs that built them again, all of them; publish nothing of this run"


def check_folder(dist: Path, sums: Path) -> Iterator[Problem]:
    """Find what is wrong with what one machine has built: its dist/, and its SHA256SUMS."""
    hashes = read_sums(sums)
    if not dist.is_dir():
        yield Problem(f"{dist.parent} has no {dist.name}/", REMEDY)
        return
    paths = sorted(dist.iterdir())
    plain = [path for path in paths if path.is_file() and not path.is_symlink()]
    yield from (Problem(f"{path} is no plain file", REMEDY) for path in paths if path not in plain)
    yield from compare_sums(plain, hashes, sums)


def check_together(found: dict[Path, Path]) -> Iterator[Problem]:
    """Find names that several machines have built, and hashes in which the SHA256SUMS of each dist/ do not agree."""
    builders, hashes = defaultdict(list), defaultdict(set)
    for dist, sums in found.items():
        for path in dist.iterdir():
            builders[path.name].append(dist.parent.name)
        for name, digest in read_sums(sums).items():
            hashes[name].add(digest)
    # Every file has a hash: that of each folder was compared.
    for name, digests in sorted(hashes.items()):
        if len(where := builders[name]) > 1:
            yield Problem(f"{name} was built by {', '.join(where)}: one would replace the other", REMEDY)
        if len(digests) > 1:
            yield Problem(f"{name} has {len(digests)} different SHA-256 in the SHA256SUMS", REMEDY)
        if not where:
            yield Problem(f"{name} stands in a SHA256SUMS, and no machine has it", REMEDY)


def main(project: Project, words: list[str]) -> None:
    """Move everything into dist/, which stays as it was where something does not fit together."""
    parser = Parser("collect", "Put together what several machines have built.")
    parser.take("FROM", "the folder of the folders that machines have built", first=True, required=True)
    built = Path(parser.read(words)["FROM"])
    folders = sorted(path for path in built.iterdir() if path.is_dir()) if built.is_dir() else []
    if not folders:
        raise problem(f"there are no folders in {built}", "FROM= is the folder of the folders that machines have built")
    found = {folder / project.dist.name: folder / project.sums.name for folder in folders}
    raise_problems(one for dist, sums in found.items() for one in check_folder(dist, sums))
    raise_problems(check_together(found))
    with new_dist(project) as folder:
        for path in (path for dist in found for path in dist.iterdir()):
            shutil.copy(path, folder)
