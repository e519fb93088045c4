"""A clean environment for one interpreter: made outside the checkout, filled, asked, and used to run the tests.

In a container, for the oldest glibc, and for musl, which no runner's own system has, the commands are the same. Each is
run by `docker run` in the image, with the folders that it needs at the paths that they have here. The image brings the
interpreters, on its PATH as `python3.10` or `python3.14t`, as those of the manylinux project do.
"""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from packaging.utils import canonicalize_name

from roadworthy.building.toolchain import run_merged
from roadworthy.index import NotThereYetError, patiently
from roadworthy.processes import EXE, find_uv
from roadworthy.project import Project
from roadworthy.pythons import Python
from roadworthy.terminal import problem
from roadworthy.verifying.artefacts import Source, read_requirements

DESCRIBE = Path(__file__).resolve().parent / "describe.py"
# What an interpreter is, by itself.
ASK = "import json, sys; print(json.dumps([*sys.version_info[:3], 't' in sys.abiflags]))"
# What uv and pip say of a version that an index does not list.
ABSENT = re.compile("(?i)there is no version of|was not found in the package registry|No matching distribution found")
# Variables with which the caller's environment would decide what is installed, from where, or what is imported.
DROPPED = re.compile(r"PYTHON|PIP_|CONDA_|VIRTUAL_ENV|CARGO_TARGET_DIR|RUSTFLAGS|UV_PYTHON$")
# And, for the one installation whose source must be what is on the command line:
DROPPED_FOR_THE_PACKAGE = re.compile(
    r"UV_((BUILD_)?CONSTRAINT|CONFIG_FILE|DEFAULT_INDEX|EXCLUDE_NEWER|EXTRA_INDEX_URL|FIND_LINKS|INDEX|NO_BINARY|NO_BUILD"
    r"|OVERRIDE|PRERELEASE)"
)
# Without its cache, uv cannot take an older file of the same name for this one.
ALONE = ("--no-cache", "--no-config", "--no-sources")


class FailedError(Exception):
    """A step in an environment failed: what it was about, and all that it printed."""

    def __init__(self, what: str, output: str = "") -> None:
        """Keep both; the message is what it was about."""
        super().__init__(what)
        self.what, self.output = what, output


def clean_environment() -> dict[str, str]:
    """Return this process's environment without what would reach into another one."""
    kept = {name: value for name, value in os.environ.items() if not DROPPED.match(name)}
    # Bytecode is a file that no artefact brought.
    return {**kept, "UV_PYTHON_DOWNLOADS": "never", "PYTHONDONTWRITEBYTECODE": "1"}


def package_environment() -> dict[str, str]:
    """Return the same for the installation of the package."""
    return {name: value for name, value in clean_environment().items() if not DROPPED_FOR_THE_PACKAGE.match(name)}


@dataclass(frozen=True)
class Environment:
    """A virtual environment of its own in `folder`, and an empty folder beside it to run things in."""

    project: Project
    python: Python
    folder: Path

    @property
    def executable(self) -> Path:
        """The environment's interpreter."""
        return self.folder / "env" / ("Scripts" if os.name == "nt" else "bin") / ("python" + EXE)

    @property
    def empty(self) -> Path:
        """The folder to run in: on `sys.path` of a plain `python -c`, so nothing may lie in it."""
        folder = self.folder / "empty"
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def run(self, what: str, *command: object, environment: dict[str, str] | None = None) -> str:
        """Run a command in the empty folder and return what it prints.

        Raises:
            FailedError: It ended with another exit code than 0. `what` says what that means.
        """
        done = run_merged(*command, cwd=self.empty, env=environment or clean_environment())
        if done.returncode:
            raise FailedError(what, done.stdout)
        return done.stdout

    def create(self, *, with_pip: bool = False) -> None:
        """Make it with uv, or with the interpreter's own venv module and the pip that it brings."""
        if with_pip:
            what = "this Python cannot make an environment with its own pip"
            self.run(what, self.python.path, "-m", "venv", self.folder / "env")
        else:
            what = "uv could not make an environment"
            self.run(what, find_uv(), "venv", "--quiet", "--python", self.python.path, self.folder / "env")

    def install(self, what: str, *arguments: object, environment: dict[str, str] | None = None) -> None:
        """Run `uv pip install` into this environment."""
        command = (find_uv(), "pip", "install", "--python", self.executable, *arguments)
        self.run(what, *command, environment=environment)

    def pip(self, what: str, *arguments: object) -> None:
        """Run `pip install` in this environment, isolated from its user's configuration."""
        options = ("--isolated", "--disable-pip-version-check", "--no-input", "install")
        self.run(what, self.executable, "-I", "-m", "pip", *options, *arguments, environment=package_environment())

    def install_test_requirements(self) -> None:
        """Install what the package's tests need, as it is locked."""
        what = "the requirements of the tests could not be installed"
        lock = self.project.root / "requirements" / "test.txt"
        self.install(what, "--only-binary", ":all:", "--require-hashes", "--requirement", lock)

    def install_wheel(self, source: Source) -> None:
        """Install the wheel with uv from the one source."""
        what, arguments = "none of the wheels can be installed here", (*ALONE, *source.arguments)
        self.try_patiently(source, what, lambda what: self.install(what, *arguments, environment=package_environment()))

    def install_wheel_with_pip(self, source: Source) -> None:
        """Install the wheel with the environment's pip from the one source."""
        what = "pip finds none of the wheels to install"
        self.try_patiently(source, what, lambda what: self.pip(what, "--no-cache-dir", *source.arguments))

    def try_patiently(self, source: Source, what: str, install: Callable[[str], None]) -> None:
        """Install the package; where an index says that it has no such version, wait: it may a little later."""

        def attempt() -> None:
            try:
                install(f"{what}: {', '.join(path.name for path in source.artefacts.wheels)}")
            except FailedError as error:
                if source.index and ABSENT.search(" ".join(error.output.split())):
                    wanted = f"{self.project.name} {source.artefacts.version}"
                    raise NotThereYetError(f"{wanted} cannot be installed yet") from error
                raise

        patiently(attempt)

    def install_sdist(self, source: Source) -> None:
        """Install the sdist from source with its locked crates, without any network."""
        artefacts = source.artefacts
        fetch = ("cargo", "fetch", "--locked", f"--manifest-path={artefacts.unpacked / 'Cargo.toml'}")
        self.run("the sdist's locked crates could not be fetched", *fetch)
        self.install("what the build requires could not be installed", "--", *artefacts.build_requirements())
        # Without isolation the build may use no index.
        options = (*ALONE, "--no-index", "--no-deps", "--no-build-isolation", artefacts.sdist)
        offline = {**package_environment(), "MATURIN_PEP517_ARGS": "--locked", "CARGO_NET_OFFLINE": "true"}
        self.install("the sdist cannot be installed from source", *options, environment=offline)

    def install_dependencies(self, source: Source) -> None:
        """Install what the installed package says that it requires, from where this machine's installer finds it.

        The package is there already: nothing that is required can bring another one.
        """
        wheel = source.artefacts.installed_wheel(self.read_installed("WHEEL"))
        file = (wheel or source.artefacts.sdist).name
        requirements = read_requirements(self.read_installed("METADATA"), file)
        if not requirements:
            return
        listed = ", ".join(requirements)
        try:
            self.install(f"{file} requires what cannot be installed together: {listed}", "--", *requirements)
        except FailedError:
            for each in requirements:
                self.install(f"{file} requires {each}, which cannot be installed", "--", each)
            raise

    def read_installed(self, file: str) -> bytes:
        """Return a file of the package's .dist-info folder, without asking the environment's interpreter."""
        sites = [*self.folder.glob("env/lib/python*/site-packages"), *self.folder.glob("env/Lib/site-packages")]
        for path in (path for site in sites for path in site.glob(f"*.dist-info/{file}")):
            if canonicalize_name(path.parent.name.split("-", 1)[0]) == canonicalize_name(self.project.name):
                return path.read_bytes()
        raise FailedError(f"{self.project.name} was installed, and has no {file} in the environment")

    def describe(self) -> dict[str, Any]:
        """Return what `describe.py` tells about this environment."""
        what, told = "the interpreter could not say what is installed", self.folder / "installed.json"
        printed = self.run(what, self.executable, "-I", DESCRIBE, self.project.name, self.project.native_module, told)
        try:
            facts: dict[str, Any] = json.loads(told.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise FailedError(what, printed) from error
        return facts

    def run_tests(self, source: Path) -> str:
        """Run the package's tests out of the unpacked sdist, and return how many passed, as pytest's report says."""
        what, report = "the package's tests failed", self.folder / "tests.xml"
        command = ("-I", "-m", "pytest", "-p", "no:cacheprovider", "--color=no", "--quiet", f"--junitxml={report}")
        declared = Project(source).test_paths
        if not (tests := sorted(path for each in declared for path in source.glob(each))):
            what = f"the sdist has no {', '.join(declared)}: without a test nothing shows that the package works"
            raise problem(what, "write one that imports it; compare testpaths and [tool.maturin] exclude")
        where = ("--config-file", source / "pyproject.toml", "--rootdir", source, *tests)
        printed = self.run(what, self.executable, *command, *where)
        try:
            return read_report(report)
        except (OSError, ValueError, ET.ParseError) as error:
            raise FailedError(what, f"{printed}\npytest has left no report: {error}") from error


def read_report(report: Path) -> str:
    """Return what a report in JUnit's form says of tests that did not fail, in pytest's words."""
    suite = next(ET.parse(report).iter("testsuite"), ET.Element(""))  # noqa: S314 - pytest wrote it
    tests, skipped = (int(suite.get(count, "")) for count in ("tests", "skipped"))
    skips = f", {skipped} skipped" if skipped else ""
    return f"{tests - skipped} passed{skips} in {float(suite.get('time', '')):.2f}s"


# ---- in a container -------------------------------------------------------------------------------------------------


@cache
def engine() -> str:
    """Return the program that runs containers.

    Raises:
        ProblemsError: There is none, or it does not answer.
    """
    found = shutil.which("docker")
    if found is None or subprocess.run([found, "info"], check=False, capture_output=True).returncode:
        what = "docker is not running" if found else "docker is not installed"
        raise problem(f"{what}, so nothing can be verified in a container", "start it, or leave out what has an @")
    return found


def docker_run(image: str, command: Iterable[object], folders: Iterable[Path], *options: str) -> list[str]:
    """Return the command that runs another one in a container which is removed afterwards."""
    mounts = [f"--volume={folder}:{folder}" for folder in dict.fromkeys(folders)]
    # Files that the user of this machine can remove.
    user = [f"--user={os.getuid()}:{os.getgid()}"] if hasattr(os, "getuid") else []
    # Alpine's and CentOS's own entry points set up compilers; nothing is compiled here.
    first, *others = map(str, command)
    return [engine(), "run", "--rm", "--init", *user, *mounts, *options, f"--entrypoint={first}", image, *others]


def find_in_image(image: str, name: str) -> Python:
    """Return the interpreter of a name, such as `3.14t`, in an image.

    Raises:
        ProblemsError: It is not there, or does not answer.
    """
    remedy = "leave it out of PYTHON, or name another image"
    # Without the modules of `site`, which may print what they like.
    command = docker_run(image, [f"python{name}", "-I", "-S", "-c", ASK], [])
    asked = subprocess.run(command, check=False, capture_output=True, text=True, errors="replace")
    if asked.returncode:
        last = (asked.stderr.strip().splitlines() or ["it says nothing"])[-1]
        raise problem(f"{image} has no python{name}: {last}", remedy)
    try:
        major, minor, patch, free_threaded = json.loads(asked.stdout)
        return Python((int(major), int(minor), int(patch)), bool(free_threaded), Path(f"python{name}"))
    except (TypeError, ValueError) as error:
        raise problem(f"python{name} in {image} does not say which it is: {asked.stdout[:80]!r}", remedy) from error


@dataclass(frozen=True)
class ContainerEnvironment(Environment):
    """An environment in containers of one image, made and filled with the interpreter's own venv and pip: no uv."""

    image: str
    folders: tuple[Path, ...]  # what can be seen in the containers beside the environment's own folder

    @property
    def executable(self) -> Path:
        """The environment's interpreter, as it is called in the container."""
        return self.folder / "env" / "bin" / "python"

    def run(self, what: str, *command: object, **_: object) -> str:
        """Run a command in a container, which nothing of this machine's environment reaches."""
        variables = (f"--env=HOME={self.folder}", "--env=PYTHONDONTWRITEBYTECODE=1")
        folders = (self.folder, self.project.root, *self.folders)
        return super().run(what, *docker_run(self.image, command, folders, f"--workdir={self.empty}", *variables))

    def create(self, **_: object) -> None:
        """Make it, always with pip."""
        super().create(with_pip=True)

    def install(self, what: str, *arguments: object, **_: object) -> None:
        """Run `pip install`."""
        self.pip(what, *arguments)

    def install_wheel(self, source: Source) -> None:
        """Install the wheel with pip as well."""
        self.install_wheel_with_pip(source)
