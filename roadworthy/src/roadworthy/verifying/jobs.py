"""What is done in one clean environment to verify an artefact: planned on the page, carried out and reported here."""

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from packaging.version import Version
from rich.markup import escape

from roadworthy.building import require_current
from roadworthy.index import Index
from roadworthy.processes import find_uv
from roadworthy.project import Project
from roadworthy.pythons import Python, PythonNotFoundError, find_pythons, list_pythons, newest_of_each
from roadworthy.releasing.version import advising, parse_version
from roadworthy.terminal import Problem, ProblemsError, err, out, printable, problem, raise_problems
from roadworthy.verifying.artefacts import Artefacts, Source
from roadworthy.verifying.environment import Environment, engine
from roadworthy.verifying.proofs import compare_tests

TAIL = 40  # how many lines of a failed command are shown


@dataclass
class Job:
    """One environment to be made and judged; `result` and the rest are filled in by `run`."""

    python: Python  # of this machine, or of the source's image
    artefact: str  # what is installed, in words
    steps: Callable[[Environment, Source], str]  # what is done with the environment; returns the result in a word
    source: Source
    by: str = ""  # how it is installed, in words
    result: str = ""
    seconds: float = 0.0
    problems: list[Problem] = field(default_factory=list)
    outcomes: dict[str, str] = field(default_factory=dict)  # of the tests, if they were run

    def __str__(self) -> str:
        return f"CPython {self.python}, {self.title}"

    @property
    def title(self) -> str:
        """What is verified, in words."""
        target = f" for {self.source.target}" if self.source.target else ""
        image = f" in {self.source.image}" if self.source.image else ""
        return f"{self.artefact}{target}{image}{f', by {self.by}' if self.by else ''}"

    def run(self, folder: Path) -> "Job":
        """Carry it out in its own folder, which is made, and write down how it went."""
        started = time.perf_counter()
        folder.mkdir()
        source, seen = self.source, (self.source.artefacts.folder, self.source.artefacts.unpacked)
        environment = Environment(source.project, self.python, folder, source.image, source.target, seen)
        try:
            self.result, self.outcomes = self.steps(environment, source), environment.outcomes
        except ProblemsError as error:
            self.problems = error.problems
        self.seconds = time.perf_counter() - started
        return self


def choose_pythons(project: Project, asked: str) -> list[Python]:
    """Return the interpreters to verify with: those asked for, or the newest of each minor version that is here.

    `asked` are versions, or the path of one. ProblemsError where one is not here, no wheel is for it, or none is left.
    """
    uv = find_uv()
    # A path may hold spaces.
    specs = [asked] if Path(asked).is_file() else asked.split()
    try:
        found = find_pythons(uv, specs) if specs else newest_of_each(list_pythons(uv))
    except PythonNotFoundError as error:
        raise problem(str(error), "install it (uv python install, pyenv), or name another one with PYTHON=") from error
    supported = [python for python in found if project.supports(python)]
    left_out = ", ".join(python.name for python in found if python not in supported)
    if left_out and specs:
        remedy = f"the wheels are for: {', '.join(project.python_tags)} and up"
        raise problem(f"no wheel is made for CPython {left_out}", remedy)
    if not supported:
        what = f"there is no CPython {project.requires_python} on this machine"
        raise problem(what, "install one: uv python install 3.12")
    if left_out:
        err.print(f"left out, because no wheel is made for it: CPython {left_out}")
    return supported


def published_source(project: Project, wanted: Version, index: Index, sums: Path | None, folder: Path) -> Source:
    """Return an index as the source, with the release's files downloaded to compare with."""
    downloads = folder / "downloads"
    downloads.mkdir()
    index.download(project.name, wanted, downloads)
    return Source(project, Artefacts.read(project, downloads, wanted, sums, folder / "sdist"), index)


@contextmanager
def open_source(project: Project, given: Mapping[str, Any], folder: Path) -> Iterator[Source]:
    """Provide what is to be verified; where that fails of a version on an index, tell what is to be done about it.

    `given` is a VERSION with its INDEX and SUMS; or a folder, FROM; or none of it, for the project's own dist/, which
    is built first unless it is current. What is downloaded is put into `folder`, and the content of the sdist. Before
    all that, WHEELS have to be such as there are, and containers, where they are to be installed in one.
    """
    for each in given.get("WHEELS", "").split():
        project.platform_tag(each.partition("@")[0])
    if "@" in given.get("WHEELS", ""):
        engine()
    if "VERSION" not in given:
        if "FROM" not in given:
            require_current(project)
        dist, sums = (given.get("FROM", project.folder) / each.name for each in (project.dist, project.sums))
        yield Source(project, Artefacts.read(project, dist, project.version, sums, folder / "sdist"))
        return
    version, name = parse_version(given["VERSION"]), given.get("INDEX", "pypi")
    index = Index.named(name)
    with advising(given["VERSION"], name, project.package):
        yield published_source(project, version, index, given.get("SUMS"), folder)


def select(source: Source, wheels: str, folder: Path) -> list[Source]:
    """Return what is to be installed: first in containers, then on this machine, where there is always something.

    `wheels` says which targets' wheels, `target` or `target@image`, of which copies are put into `folder`; "" is what
    an installer chooses for this machine.
    """
    chosen = [source.choose(each, folder) for each in wheels.split()]
    here = [each for each in chosen if not each.image] or [source]
    # An index has no place for one target's wheels alone: an installer chooses.
    return [*(each for each in chosen if each.image), *(here[:1] if source.index else here)]


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


def run_jobs(jobs: list[Job], folder: Path) -> None:
    """Carry out all jobs, as many at a time as there are processors, report each as it ends, and raise the problems."""
    from rich.table import Table  # noqa: PLC0415 - only where there is a table

    with err.status("verifying …"), ThreadPoolExecutor(min(len(jobs), os.cpu_count() or 1)) as pool:
        running = [pool.submit(job.run, folder / str(number)) for number, job in enumerate(jobs)]
        for done, future in enumerate(as_completed(running), start=1):
            job = future.result()
            mark = "[bold red]failed[/]" if job.problems else "ok"
            err.print(f"{escape(f'[{done}/{len(jobs)}]')} {job}: {mark}, {job.seconds:.1f} s", markup=True)
    table = Table("Python", "artefact", "result", "seconds", box=None, pad_edge=False)
    for job in sorted(jobs, key=lambda job: (job.python, job.title)):
        table.add_row(str(job.python), job.title, "FAILED" if job.problems else job.result, f"{job.seconds:.1f}")
    out.print(table)
    for line in compare_tests({str(job): job.outcomes for job in jobs if job.outcomes}):
        err.print(printable(line))
    # What is wrong in several environments is said once.
    found = {one: [str(job) for job in jobs if one in job.problems] for job in jobs for one in job.problems}
    where = {one: "everywhere" if len(of) == len(jobs) > 1 else "; ".join(of) for one, of in found.items()}
    ends = {one: "\n".join(one.said.splitlines()[-TAIL:]) for one in found}
    raise_problems(replace(one, what=f"{where[one]}: {one.what}", said=ends[one]) for one in found)
