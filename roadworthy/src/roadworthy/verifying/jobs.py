"""What is done in one clean environment to verify a wheel or the sdist, and which environments that takes."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from packaging.requirements import Requirement

from roadworthy.gate.model import wheel_tags
from roadworthy.index import Index, NotThereYetError, patiently
from roadworthy.project import HERE
from roadworthy.pythons import Python
from roadworthy.tables import parse_toml
from roadworthy.terminal import Problem, ProblemsError, problem
from roadworthy.verifying.artefacts import Artefacts, judge, read_requirements
from roadworthy.verifying.container import ContainerEnvironment, find_in_image
from roadworthy.verifying.environment import Environment, FailedError, package_environment

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
    make: Callable[[Python, Path], Environment] = Environment
    wheels: str = ""
    result: str = ""
    seconds: float = 0.0
    problems: list[Problem] = field(default_factory=list)
    output: str = ""


@dataclass(frozen=True)
class Source:
    """Where the package comes from: a folder with artefacts, and, if they were published, the index."""

    artefacts: Artefacts
    index: Index | None = None
    target: str = ""

    @property
    def arguments(self) -> list[str]:
        """What pip and uv are told so that nothing but this source is used, and only wheels."""
        where = (
            ["--index-url", self.index.url]
            if self.index
            else ["--no-index", "--find-links", str(self.artefacts.folder)]
        )
        return [*where, "--only-binary", ":all:", "--no-deps", f"{HERE.name}=={self.artefacts.version}"]


@dataclass(frozen=True)
class Place:
    """One target's wheels, and the image of the containers in which they are verified; none: on this machine."""

    target: str
    image: str = ""

    @classmethod
    def parse(cls, text: str) -> "Place":
        """Read `target` or `target@image`.

        Raises:
            ProblemsError: There is no such target.
        """
        place = cls(*text.split("@", 1))
        if place.target not in HERE.platform_tags:
            raise problem(
                f"no wheels are built for {text}", f"it is target or target@image: {', '.join(HERE.platform_tags)}"
            )
        return place

    def choose(self, source: Source, folder: Path) -> Source:
        """Return the source with this target's wheels alone; of an index, what it is."""
        if source.index:
            return source
        where = re.sub(r"[^A-Za-z0-9.-]+", "-", self.image) or "here"
        alone = folder / f"{self.target}-{where}"
        return replace(source, artefacts=source.artefacts.only(self.target, alone), target=self.target)


def prepare(environment: Environment) -> None:
    """Make the environment, and install everything that the package's tests need, but not the package."""
    environment.create()
    environment.install_test_requirements()


def install_dependencies(environment: Environment, source: Source) -> None:
    """Install what the installed package says that it requires, from where this machine's installer finds it.

    The package is there already: nothing that is required can bring another one.
    """
    wheel = source.artefacts.installed_wheel(wheel_tags(environment.read_installed("WHEEL")))
    file = (wheel or source.artefacts.sdist).name
    requirements = read_requirements(environment.read_installed("METADATA"), file)
    if not requirements:
        return
    listed = ", ".join(requirements)
    try:
        environment.install(f"{file} requires what cannot be installed together: {listed}", "--", *requirements)
    except FailedError:
        for each in requirements:
            environment.install(f"{file} requires {each}, which cannot be installed", "--", each)
        raise


def check_wheel(environment: Environment, source: Source, *, by_pip: bool = False) -> str:
    """Install the wheel with uv, or with the environment's pip, prove what it is, and run the tests."""
    prepare(environment)
    (install_with_pip if by_pip else install_wheel)(environment, source)
    install_dependencies(environment, source)
    raise_problems(judge(environment.describe(), environment.folder, source.artefacts))
    return environment.run_tests(source.artefacts.unpacked)


def install_patiently(source: Source, install: Callable[[], None]) -> None:
    """Install the package; where an index says that it has no such version, wait: it may a little later."""

    def attempt() -> None:
        try:
            install()
        except FailedError as error:
            if source.index and NOT_THERE.search(" ".join(error.output.split())):
                raise NotThereYetError(f"{HERE.name} {source.artefacts.version} cannot be installed yet") from error
            raise

    patiently(attempt)


def install_wheel(environment: Environment, source: Source) -> None:
    """Install the wheel with uv from the one source."""
    what = f"none of the wheels can be installed here: {source.artefacts.wheel_names()}"
    # Without its cache, uv cannot take an older file of the same name for this one.
    arguments = ("--no-cache", "--no-config", "--no-sources", *source.arguments)
    install_patiently(source, lambda: environment.install(what, *arguments, environment=package_environment()))


def install_with_pip(environment: Environment, source: Source) -> None:
    """Install the wheel with the environment's pip from the one source."""
    what = f"pip finds none of the wheels to install: {source.artefacts.wheel_names()}"
    install_patiently(source, lambda: environment.pip(what, "--no-cache-dir", *source.arguments))


def check_wheel_with_pip(environment: Environment, source: Source, *, bundled: bool) -> str:
    """Install the wheel with pip (the one that the Python brings, or the locked one) and prove what it is."""
    environment.create(with_pip=bundled)
    if not bundled:
        environment.install_test_requirements()
    install_with_pip(environment, source)
    install_dependencies(environment, source)
    raise_problems(judge(environment.describe(), environment.folder, source.artefacts))
    return "installed"


def check_sdist(environment: Environment, source: Source) -> str:
    """Install the sdist from source with its locked crates, without any network, and run the tests."""
    prepare(environment)
    fetch = ("cargo", "fetch", "--locked", f"--manifest-path={source.artefacts.unpacked / 'Cargo.toml'}")
    environment.run("the sdist's locked crates could not be fetched", *fetch)
    requires = read_build_requirements(source.artefacts.unpacked / "pyproject.toml")
    environment.install("what the build requires could not be installed", "--", *requires)
    # Without isolation the build may use no index, and without its cache uv cannot take what it built before.
    environment.install(
        "the sdist cannot be installed from source",
        *("--no-cache", "--no-config", "--no-sources", "--no-index", "--no-deps", "--no-build-isolation"),
        source.artefacts.sdist,
        environment={**package_environment(), "MATURIN_PEP517_ARGS": "--locked", "CARGO_NET_OFFLINE": "true"},
    )
    install_dependencies(environment, source)
    raise_problems(judge(environment.describe(), environment.folder, source.artefacts, from_source=True))
    return environment.run_tests(source.artefacts.unpacked)


def read_build_requirements(pyproject: Path) -> list[str]:
    """Return what the build of an sdist requires.

    Raises:
        ProblemsError: Its pyproject.toml does not say so.
    """
    try:
        table = parse_toml(pyproject.name, pyproject.read_text(encoding="utf-8"))
        return [str(Requirement(text)) for text in table["build-system"]["requires"]]
    except (LookupError, OSError, TypeError, ValueError) as error:
        what = f"the sdist's pyproject.toml does not say what its build requires: {error}"
        raise problem(what, "repair requires in [build-system]") from error


def raise_problems(problems: list[Problem]) -> None:
    """End the job if there are any."""
    if problems:
        raise ProblemsError(problems)


def plan_jobs(pythons: list[Python], source: Source, wheels: list[Place], folder: Path) -> list[Job]:
    """Return what is to be done, the longest first.

    Args:
        pythons: The interpreters of this machine to verify with.
        source: What is verified.
        wheels: Which wheels, and where; default: what an installer chooses for this machine.
        folder: Where to put copies of one target's wheels.
    """
    with_gil = [python for python in pythons if not python.free_threaded] or pythons
    here = [place.choose(source, folder) for place in wheels if not place.image] or [source]
    # An index has no place for one target's wheels alone: an installer chooses.
    here = here[:1] if source.index else here
    jobs = [Job(with_gil[0], "sdist", partial(check_sdist, source=source))]
    jobs += [job for place in wheels if place.image for job in plan_container(place, pythons, source, folder)]
    for each in here:
        title = f"wheel for {each.target}" if each.target else "wheel"
        jobs += [Job(python, title, partial(check_wheel, source=each), wheels=each.target) for python in pythons]
        for python in sorted({with_gil[0], with_gil[-1]}):
            bundled = python == with_gil[0]
            by = f"{title}, by {'its own' if bundled else 'the newest'} pip"
            jobs.append(Job(python, by, partial(check_wheel_with_pip, source=each, bundled=bundled)))
    return jobs


def plan_container(place: Place, pythons: list[Python], source: Source, folder: Path) -> list[Job]:
    """Return the jobs for the same Pythons in containers of an image."""
    chosen = place.choose(source, folder)
    folders = (chosen.artefacts.folder, chosen.artefacts.unpacked)
    return [
        Job(
            python,
            f"wheel for {place.target} in {place.image}",
            partial(check_wheel, source=chosen, by_pip=True),
            partial(ContainerEnvironment, image=place.image, folders=folders),
            wheels=f"{place.target}@{place.image}",
        )
        for python in find_in_image(place.image, [python.name for python in pythons])
    ]


def run_job(job: Job, folder: Path) -> Job:
    """Carry out one job in its own folder, and write down how it went."""
    started = time.perf_counter()
    folder.mkdir()
    try:
        job.result = job.steps(job.make(job.python, folder))
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
    wheels = f" WHEELS={job.wheels}" if job.wheels else ""
    return f"make verify PYTHON={job.python.name}{wheels} KEEP=1"
