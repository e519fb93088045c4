"""Prove that an artefact works where a user will install it: in a clean environment, on every CPython of this machine.

For each Python, outside the checkout: a fresh environment, the wheel installed with nothing else as its source, proof
that what is imported is that very file, and then the package's tests, taken from the sdist. On the oldest and the
newest Python pip installs the wheel as well, and on the oldest the sdist is installed from source.
"""

import argparse
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from packaging.version import InvalidVersion, Version
from rich.markup import escape
from rich.table import Table

import build
from artefacts import Artefacts, judge
from console import Problem, ProblemsError, err, out, problem, run_main
from environments import Environment, FailedError, package_environment
from index import Index, NotThereYetError, patiently
from project import DIST, SUMS, find_uv, load_toml, name, python_tags, requires_python, version
from pythons import Python, PythonNotFoundError, find_pythons, list_pythons, newest_of_each

# How many lines of a failed command are shown.
TAIL = 40

# Variables that change what a Python imports or runs, told because somebody may rely on one.
REACHES_INTO = ("PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP", "PYTHONUSERBASE")

# What uv and pip say of a version that an index does not list.
NOT_THERE = re.compile(
    "there is no version of|was not found in the package registry|No matching distribution found", re.IGNORECASE
)


@dataclass
class Job:
    """One environment to be made and judged; `result` and the rest are filled in by `run_job`."""

    python: Python
    artefact: str
    steps: Callable[[Environment], str]
    result: str = ""
    seconds: float = 0.0
    problems: list[Problem] = field(default_factory=list)
    output: str = ""


@dataclass(frozen=True)
class Source:
    """Where the package comes from: a folder with artefacts, and, if they were published, the index."""

    artefacts: Artefacts
    index: Index | None = None

    @property
    def arguments(self) -> list[str]:
        """What pip and uv are told so that nothing but this source is used, and only wheels."""
        where = (
            ["--index-url", self.index.url]
            if self.index
            else ["--no-index", "--find-links", str(self.artefacts.folder)]
        )
        return [*where, "--only-binary", ":all:", "--no-deps", f"{name()}=={self.artefacts.version}"]


def is_supported(python: Python) -> bool:
    """Say whether there should be a wheel for this interpreter."""
    if python.free_threaded:
        return python.name in python_tags()
    return requires_python().contains(".".join(map(str, python.version)))


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
            f"no wheel is made for CPython {left_out}", f"the wheels are for: {', '.join(python_tags())} and up"
        )
    if not supported:
        raise problem(f"there is no CPython {requires_python()} on this machine", "install one: uv python install 3.12")
    if left_out:
        err.print(f"left out, because no wheel is made for it: CPython {left_out}")
    return supported


def prepare(environment: Environment) -> None:
    """Make the environment, and install everything that the package and its tests need, but not the package."""
    environment.create()
    environment.install_test_requirements()
    if dependencies := load_toml("pyproject.toml")["project"].get("dependencies"):
        environment.uv("the package's dependencies could not be installed", *dependencies)


def check_wheel(environment: Environment, source: Source) -> str:
    """Install the wheel with uv, prove what it is, and run the tests."""
    prepare(environment)
    install_wheel(environment, source)
    raise_problems(judge(environment.describe(), environment.folder, source.artefacts))
    return environment.run_tests(source.artefacts.unpacked)


def install_patiently(source: Source, install: Callable[[], None]) -> None:
    """Install the package; where an index says that it has no such version, wait: it may a little later."""

    def attempt() -> None:
        try:
            install()
        except FailedError as error:
            if source.index and NOT_THERE.search(" ".join(error.output.split())):
                raise NotThereYetError(f"{name()} {source.artefacts.version} cannot be installed yet") from error
            raise

    patiently(attempt)


def install_wheel(environment: Environment, source: Source) -> None:
    """Install the wheel with uv from the one source."""
    what = f"none of the wheels can be installed here: {source.artefacts.wheel_names()}"
    # Without its cache, uv cannot take an older file of the same name for this one.
    arguments = ("--no-cache", "--no-config", "--no-sources", *source.arguments)
    install_patiently(source, lambda: environment.uv(what, *arguments, environment=package_environment()))


def check_wheel_with_pip(environment: Environment, source: Source, *, bundled: bool) -> str:
    """Install the wheel with pip (the one that the Python brings, or the locked one) and prove what it is."""
    environment.create(with_pip=bundled)
    if not bundled:
        environment.install_test_requirements()
    what = f"pip finds none of the wheels to install: {source.artefacts.wheel_names()}"
    install_patiently(source, lambda: environment.pip(what, "--no-cache-dir", *source.arguments))
    raise_problems(judge(environment.describe(), environment.folder, source.artefacts))
    return "installed"


def check_sdist(environment: Environment, source: Source) -> str:
    """Install the sdist from source with its locked crates, and run the tests."""
    prepare(environment)
    requires = load_toml("pyproject.toml")["build-system"]["requires"]
    environment.uv("what the build requires could not be installed", *requires)
    # Without isolation the build may use no index, and without its cache uv cannot take what it built before.
    environment.uv(
        "the sdist cannot be installed from source",
        *("--no-cache", "--no-config", "--no-sources", "--no-index", "--no-deps", "--no-build-isolation"),
        source.artefacts.sdist,
        environment={**package_environment(), "MATURIN_PEP517_ARGS": "--locked"},
    )
    raise_problems(judge(environment.describe(), environment.folder, source.artefacts, from_source=True))
    return environment.run_tests(source.artefacts.unpacked)


def raise_problems(problems: list[Problem]) -> None:
    """End the job if there are any."""
    if problems:
        raise ProblemsError(problems)


def plan_jobs(pythons: list[Python], source: Source) -> list[Job]:
    """Return what is to be done, the longest first."""
    with_gil = [python for python in pythons if not python.free_threaded] or pythons
    oldest, newest = with_gil[0], with_gil[-1]
    jobs = [Job(oldest, "sdist", lambda environment: check_sdist(environment, source))]
    jobs += [Job(python, "wheel", lambda environment: check_wheel(environment, source)) for python in pythons]
    for python in sorted({oldest, newest}):
        bundled = python == oldest
        jobs.append(
            Job(
                python,
                f"wheel, by {'its own' if bundled else 'the newest'} pip",
                lambda environment, bundled=bundled: check_wheel_with_pip(environment, source, bundled=bundled),  # type: ignore[misc]
            )
        )
    return jobs


def run_job(job: Job, folder: Path) -> Job:
    """Carry out one job in its own folder, and write down how it went."""
    started = time.perf_counter()
    folder.mkdir()
    try:
        job.result = job.steps(Environment(job.python, folder))
    except FailedError as error:
        job.output = error.output
        job.problems = [
            Problem(error.what, f"its last lines are above; look around in the environment: {keep_command(job)}")
        ]
    except ProblemsError as error:
        job.problems = error.problems
    job.seconds = time.perf_counter() - started
    return job


def keep_command(job: Job) -> str:
    """Return the command that does one Python's jobs again and leaves the environments."""
    return f"make verify PYTHON={job.python.name} KEEP=1"


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
            err.print("\n".join(job.output.rstrip().splitlines()[-TAIL:]))
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
        folder, sums = DIST, SUMS
    return Source(Artefacts.read(folder, version(), sums, unpacked))


def published_source(asked: str, index: Index, sums: Path | None, folder: Path) -> Source:
    """Return an index as the source, with the release's files downloaded to compare with."""
    try:
        wanted = Version(asked)
    except InvalidVersion as error:
        raise problem(
            f"VERSION={asked} is no version", "write it as it was released, such as 0.2.2 or 0.3.0-rc1"
        ) from error
    downloads = folder / "downloads"
    downloads.mkdir()
    index.download(name(), wanted, downloads)
    return Source(Artefacts.read(downloads, wanted, sums, folder / "sdist"), index)


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Prove that the artefacts work in clean environments.")
    parser.add_argument("dist", nargs="?", type=Path, help="a folder with artefacts; default: dist/, built if need be")
    parser.add_argument("--version", metavar="VERSION", help="verify this version as an index serves it")
    parser.add_argument("--index", default="pypi", help="pypi (default), testpypi, or the address of a simple index")
    parser.add_argument("--sums", type=Path, metavar="FILE", help="compare the artefacts with this SHA256SUMS")
    parser.add_argument(
        "--python", action="append", default=[], metavar="PYTHON", help="a version or a path; may be repeated"
    )
    parser.add_argument("--keep", nargs="?", const="1", choices=["1"], help="leave the environments, and say where")
    arguments = parser.parse_args()
    if arguments.version and arguments.dist:
        parser.error("a folder and --version exclude each other")
    if arguments.index != "pypi" and not arguments.version:
        parser.error("--index needs --version")
    return arguments


def main() -> None:
    """Read the arguments, verify, report."""
    arguments = parse_arguments()
    for variable in sorted(variable for variable in os.environ if variable.startswith(REACHES_INTO)):
        err.print(f"{variable} is set; it is kept away from the environments")
    pythons = choose_pythons(arguments.python)
    with working_folder(keep=arguments.keep is not None) as folder:
        if arguments.version:
            source = published_source(arguments.version, Index.named(arguments.index), arguments.sums, folder)
        else:
            source = local_source(arguments.dist, arguments.sums, folder / "sdist")
        jobs = plan_jobs(pythons, source)
        run_jobs(jobs, folder)
        report(jobs)


if __name__ == "__main__":
    run_main(main)
