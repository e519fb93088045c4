"""Building the sdist, and from it the wheels: the same bytes wherever and whenever they are built.

Times come from the commit, no path of this machine is compiled in, and nothing of the environment changes what the
compiler does. This module is about dist/ as a whole: it is replaced when all that belongs into it is there.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from roadworthy.building.toolchain import build_folder, fetch_crates, host_triple
from roadworthy.crate import find_unpublished
from roadworthy.declared import find_unpackable, list_files
from roadworthy.project import Project
from roadworthy.repository import exclusive
from roadworthy.sums import read_sums, sha256, write_sums
from roadworthy.terminal import err, listed, out, printable, problem, raise_problems

PAGE = "scripts/build.py"  # builds both, from where a project has its scripts


def require_buildable(project: Project) -> None:
    """Make sure, before a build, that all that it needs is there, but the targets of the compiler.

    ProblemsError where it is no checkout, a fact is missing, or crates are needed that cannot be had, or not by all.
    """
    project.checkout.require_checkout()
    project.require_facts()
    if project.package:
        return
    # Cargo's own words for a compiler that is not there are of no help.
    host_triple(project)
    raise_problems([*find_unpublished(project.manifest), *find_unpackable(project)])
    # `maturin sdist` would silently rewrite a lock that does not fit.
    fetch_crates(project)


@contextmanager
def new_dist(project: Project) -> Iterator[Path]:
    """Provide an empty folder that becomes dist/ if all goes well: its old content goes, and SHA256SUMS is written."""
    build_folder(project).mkdir(parents=True, exist_ok=True)
    # Inside the checkout: cargo and rustup read the settings of the folders above.
    with exclusive(project.root, "build", build_folder(project)) as temporary:
        folder = temporary / project.dist.name
        folder.mkdir()
        yield folder
        record(project).unlink(missing_ok=True)
        shutil.rmtree(project.dist, ignore_errors=True)
        shutil.move(folder, project.dist)
        write_sums(project.sums, project.dist)


def print_dist(project: Project) -> None:
    """Print what is in dist/, and which files of the checkout could not be in it."""
    for path in sorted(project.dist.iterdir()):
        out.print(f"{path.stat().st_size:>9,} bytes  {printable(str(path.relative_to(project.root)))}")
    if strays := list_files(project, "--others", "--exclude-standard"):
        err.print(f"note: left out, because git does not track them: {listed(strays)}; git add what belongs to it")


def record(project: Project) -> Path:
    """Return the file that names what dist/ was built from: written when dist/ and SHA256SUMS are complete."""
    return build_folder(project) / "built-from"


def state_of(project: Project, triple: str) -> str:
    """Name what a build depends on: the content of the checkout, and the target."""
    return f"{project.checkout.state()} {triple}"


def is_current(project: Project) -> bool:
    """Say whether dist/ holds what this very state of the checkout builds for this machine, whole and unchanged."""
    made_from = record(project)
    if not (made_from.exists() and project.sums.exists() and project.dist.is_dir()):
        return False
    present = {path.name: sha256(path.read_bytes()) for path in project.dist.iterdir() if path.is_file()}
    same = made_from.read_text(encoding="utf-8") == state_of(project, host_triple(project))
    return same and read_sums(project.sums) == present


def require_current(project: Project) -> None:
    """Let the project's own page build dist/ anew, with the engine beside it, unless it is what the checkout builds.

    ProblemsError where it cannot be built; what is wrong was said.
    """
    if is_current(project):
        return
    err.print("dist/ is not what this checkout builds; building it first")
    env = {**os.environ, **({"PYTHONPATH": str(project.engine)} if project.engine.is_dir() else {})}
    command, nothing = [sys.executable, PAGE, *project.options], subprocess.DEVNULL
    if subprocess.run(command, cwd=project.root, env=env, stdin=nothing, check=False).returncode:
        raise problem(f"{PAGE} could not build dist/", "its message is above; repair what it names")
