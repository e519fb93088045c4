"""Prove that an artefact works where a user will install it: in a clean environment, on every CPython of this machine.

For each Python, outside the checkout: a fresh environment, the wheel installed with nothing else as its source, proof
that what is imported is that very file, and then the package's tests, taken from the sdist. On the oldest and the
newest Python pip installs the wheel as well, and on the oldest the sdist is installed from source.
"""

import argparse
import os
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path

from packaging.version import InvalidVersion, Version
from rich.markup import escape
from rich.table import Table

from roadworthy.building import build
from roadworthy.index import Index
from roadworthy.processes import find_uv
from roadworthy.project import HERE
from roadworthy.pythons import Python, PythonNotFoundError, find_pythons, list_pythons, newest_of_each
from roadworthy.releasing.yank import advising
from roadworthy.terminal import Problem, err, out, printable, problem
from roadworthy.verifying.artefacts import Artefacts
from roadworthy.verifying.jobs import Job, Place, Source, plan_jobs, raise_problems, run_job

# How many lines of a failed command are shown.
TAIL = 40

# Variables that change what a Python imports or runs, told because somebody may rely on one.
ENGINE = str(Path(__file__).resolve().parents[2])  # where the Makefile says that this engine is
REACHES_INTO = ("PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP", "PYTHONUSERBASE")


def is_supported(python: Python) -> bool:
    """Say whether there should be a wheel for this interpreter."""
    abi3t = HERE.crate.first_abi3t
    if python.free_threaded and (abi3t is None or Version(python.name.rstrip("t")) < Version(abi3t)):
        return python.name in HERE.python_tags
    return HERE.requires_python.contains(".".join(map(str, python.version)))


def choose_pythons(specs: list[str]) -> list[Python]:
    """Return the interpreters to verify with: those asked for, or the newest of each minor version that is here.

    Raises:
        ProblemsError: One that was asked for is not here or not supported, or none is here.
    """
    uv = find_uv()
    try:
        found = find_pythons(uv, specs) if specs else newest_of_each(list_pythons(uv))
    except PythonNotFoundError as error:
        raise problem(str(error), "install it (uv python install, pyenv), or name another one with PYTHON=") from error
    supported = [python for python in found if is_supported(python)]
    left_out = ", ".join(python.name for python in found if python not in supported)
    if left_out and specs:
        raise problem(
            f"no wheel is made for CPython {left_out}", f"the wheels are for: {', '.join(HERE.python_tags)} and up"
        )
    if not supported:
        raise problem(
            f"there is no CPython {HERE.requires_python} on this machine", "install one: uv python install 3.12"
        )
    if left_out:
        err.print(f"left out, because no wheel is made for it: CPython {left_out}")
    return supported


def run_jobs(jobs: list[Job], folder: Path) -> None:
    """Carry out all jobs, as many at a time as there are processors, and report each as it ends."""
    workers = min(len(jobs), os.cpu_count() or 1)
    with err.status("verifying …"), ThreadPoolExecutor(workers) as pool:
        running = [pool.submit(run_job, job, folder / str(number)) for number, job in enumerate(jobs)]
        for done, future in enumerate(as_completed(running), start=1):
            job = future.result()
            mark = "[bold red]failed[/]" if job.problems else "ok"
            count = escape(f"[{done}/{len(jobs)}]")
            err.print(f"{count} CPython {job.python}, {job.artefact}: {mark}, {job.seconds:.1f} s", markup=True)


def report(jobs: list[Job]) -> None:
    """Print the table, and end with the problems if there are any."""
    table = Table("Python", "artefact", "result", "seconds", box=None, pad_edge=False)
    for job in sorted(jobs, key=lambda job: (job.python, job.artefact)):
        table.add_row(str(job.python), job.artefact, "FAILED" if job.problems else job.result, f"{job.seconds:.1f}")
    out.print(table)
    for job in jobs:
        if job.output:
            err.rule(f"CPython {job.python}, {job.artefact}", align="left")
            # Anybody's words: a terminal must not obey them.
            err.print("\n".join(printable(line.expandtabs()) for line in job.output.rstrip().splitlines()[-TAIL:]))
    raise_problems(
        [
            Problem(f"CPython {job.python}, {job.artefact}: {one.what}", one.remedy)
            for job in jobs
            for one in job.problems
        ]
    )


@contextmanager
def working_folder(*, keep: bool) -> Iterator[Path]:
    """Provide a folder outside the checkout, and remove it unless it is to be kept."""
    folder = Path(tempfile.mkdtemp(prefix="verify-")).resolve()
    try:
        yield folder
    finally:
        if keep:
            err.print(f"the environments are in {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)


def local_source(folder: Path | None, sums: Path | None, unpacked: Path) -> Source:
    """Return a folder as the source; dist/, the default, is built first unless it is what this checkout builds."""
    if folder is None:
        if not build.is_current():
            err.print("dist/ is not what this checkout builds; building it first")
            build.build()
        folder, sums = HERE.dist, HERE.sums
    return Source(Artefacts.read(folder, HERE.version, sums, unpacked))


def read_version(asked: str) -> Version:
    """Return the version that is asked for.

    Raises:
        ProblemsError: It is none.
    """
    try:
        return Version(asked)
    except InvalidVersion as error:
        raise problem(
            f"VERSION={asked} is no version", "write it as it was released, such as 0.2.2 or 0.3.0-rc1"
        ) from error


def published_source(wanted: Version, index: Index, sums: Path | None, folder: Path) -> Source:
    """Return an index as the source, with the release's files downloaded to compare with."""
    downloads = folder / "downloads"
    downloads.mkdir()
    index.download(HERE.name, wanted, downloads)
    return Source(Artefacts.read(downloads, wanted, sums, folder / "sdist"), index)


def verify(source: Source, pythons: list[Python], wheels: list[Place], folder: Path) -> None:
    """Plan what is to be proven of a source, do it, and report."""
    jobs = plan_jobs(pythons, source, wheels, folder / "wheels")
    run_jobs(jobs, folder)
    report(jobs)


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Prove that the artefacts work in clean environments.")
    parser.add_argument("dist", nargs="?", type=Path, help="a folder with artefacts; default: dist/, built if need be")
    parser.add_argument("--version", metavar="VERSION", help="verify this version as an index serves it")
    parser.add_argument("--index", default="pypi", help="pypi (default), testpypi, or the address of a simple index")
    parser.add_argument("--from", type=Path, metavar="FOLDER", dest="built", help="its dist/, and its SHA256SUMS")
    parser.add_argument("--sums", type=Path, metavar="FILE", help="compare the artefacts with this SHA256SUMS")
    parser.add_argument(
        "--python", action="append", default=[], metavar="PYTHON", help="versions or a path; may be repeated"
    )
    parser.add_argument("--wheels", default="", metavar="TARGETS", help="which: target, or target@image for containers")
    parser.add_argument("--keep", nargs="?", const="1", choices=["1"], help="leave the environments, and say where")
    arguments = parser.parse_args()
    if bool(arguments.version) + bool(arguments.dist) + bool(arguments.built) > 1:
        parser.error("a folder, --from and --version exclude each other")
    if arguments.built:
        arguments.dist, arguments.sums = arguments.built / HERE.dist.name, arguments.built / HERE.sums.name
    # Several versions may stand in one argument; a path may hold spaces.
    arguments.python = [
        spec for given in arguments.python for spec in ([given] if Path(given).exists() else given.split())
    ]
    if arguments.index != "pypi" and not arguments.version:
        parser.error("--index needs --version")
    return arguments


def main() -> None:
    """Read the arguments, and verify."""
    arguments = parse_arguments()
    for variable, value in sorted(os.environ.items()):
        if not variable.startswith(REACHES_INTO) or value == ENGINE:
            continue
        err.print(f"{variable} is set; it is kept away from the environments")
    pythons = choose_pythons(arguments.python)
    wheels = [Place.parse(text) for text in arguments.wheels.split()]
    with working_folder(keep=arguments.keep is not None) as folder:
        if arguments.version:
            wanted, index = read_version(arguments.version), Index.named(arguments.index)
            with advising(arguments.version, arguments.index):
                verify(published_source(wanted, index, arguments.sums, folder), pythons, wheels, folder)
        else:
            verify(local_source(arguments.dist, arguments.sums, folder / "sdist"), pythons, wheels, folder)
