"""A clean environment for one interpreter: made outside the checkout, filled, asked, and used to run the tests.

In a container, for the oldest glibc, and for musl, which no runner's own system has, the commands are the same. Each is
run by `docker run` in the image, with the folders that it needs at the paths that they have here. The image brings the
interpreters, on its PATH as `python3.10` or `python3.14t`, as those of the manylinux project do.
"""

import json
import os
import re
import secrets
import shutil
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from packaging.metadata import parse_email
from packaging.utils import canonicalize_name

from roadworthy import processes
from roadworthy.building.toolchain import run_merged
from roadworthy.index import NotThereYetError, patiently
from roadworthy.processes import EXE, find_uv
from roadworthy.project import Project
from roadworthy.pythons import Python
from roadworthy.terminal import problem
from roadworthy.verifying import verdict
from roadworthy.verifying.artefacts import Source, read_requirements
from roadworthy.verifying.variables import own_variables, pip_origins

DESCRIBE, RUN_TESTS = (Path(__file__).resolve().parent / name for name in ("describe.py", "run_tests.py"))
# What an interpreter is, by itself.
ASK = "import json, sys; print(json.dumps([*sys.version_info[:3], 't' in sys.abiflags]))"
# Import a module from a folder, and nothing else.
IMPORT_FROM = (
    "import importlib, sys; sys.path.insert(0, sys.argv[1]); "
    "sys.exit(sys.argv[1] not in importlib.import_module(sys.argv[2]).__file__)"
)
# What uv and pip say of a version that an index does not list.
ABSENT = re.compile("(?i)there is no version of|was not found in the package registry|No matching distribution found")
PIP = ("-m", "pip", "--disable-pip-version-check", "--no-input")
# Without its cache, uv cannot take an older file of the same name for this one.
ALONE = ("--no-cache", "--no-config", "--no-sources")
OFFLINE = ("--no-index", "--no-deps")
EMPTY: Mapping[str, str] = MappingProxyType({})


class FailedError(Exception):
    """A step in an environment failed: what it was about, and all that it printed."""

    def __init__(self, what: str, output: str = "") -> None:
        """Keep both; the message is what it was about."""
        super().__init__(what)
        self.what, self.output = what, output


@dataclass(frozen=True)
class Environment:
    """A virtual environment of its own in `folder`, and an empty folder beside it to run things in."""

    project: Project
    python: Python
    folder: Path
    outcomes: dict[str, str] = field(default_factory=dict, kw_only=True)  # by the test, once they have been run

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

    def run(self, what: str, *command: object, fetches: bool = False, more: Mapping[str, str] = EMPTY) -> str:
        """Run a command in the empty folder and return what it prints; it knows nothing of this machine.

        Args:
            what: What it means if the command fails.
            command: The program and its arguments.
            fetches: Whether it is told where packages come from, in a home of its own.
            more: Further variables. They hold what may be secret, for a command line is seen by everybody.

        Raises:
            FailedError: It ended with another exit code than 0.
        """
        own = own_variables(self.folder / ("fetching" if fetches else "home"), fetches=fetches)
        done = run_merged(*command, cwd=self.empty, env={**own, **more})
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

    def fetch(self, what: str, *arguments: object) -> None:
        """Install what is required from where this machine's uv finds it.

        uv asks an interpreter what it is, with what it knows of addresses. So it is the machine's that is asked, in
        whose start no code of the package runs, as it could in the environment's (a .pth file).
        """
        where = ("--python", self.python.path, "--prefix", self.folder / "env")
        self.run(what, find_uv(), "pip", "install", *where, *arguments, fetches=True)

    def pip(self, what: str, *arguments: object, own: bool = True, more: Mapping[str, str] = EMPTY) -> None:
        """Run `pip install` into this environment: its own pip, or the locked one, which is not in it."""
        elsewhere = (processes.venv_bin("python"), "-I", *PIP, f"--python={self.executable}")
        self.run(what, *((self.executable, "-I", *PIP) if own else elsewhere), "install", *arguments, more=more)

    def create_for_tests(self) -> None:
        """Make it, and install what the package's tests need, as it is locked."""
        self.create()
        what = "the requirements of the tests could not be installed"
        lock = self.project.root / "requirements" / "test.txt"
        self.fetch(what, "--only-binary", ":all:", "--require-hashes", "--requirement", lock)

    def install_wheel(self, source: Source) -> None:
        """Install the wheel with uv from the one source."""
        uv = (find_uv(), "pip", "install", "--python", self.executable, *ALONE, *source.arguments)
        what = "none of the wheels can be installed here"
        self.try_patiently(source, what, lambda what: self.run(what, *uv, more=source.variables))

    def install_wheel_with_pip(self, source: Source, *, own: bool = True) -> None:
        """Install the wheel with the environment's pip, or the locked one, from the one source."""
        what, pip = "pip finds none of the wheels to install", ("--no-cache-dir", *source.arguments)
        self.try_patiently(source, what, lambda what: self.pip(what, *pip, own=own, more=source.variables))

    def try_patiently(self, source: Source, what: str, install: Callable[[str], object]) -> None:
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

    def prepare_build(self, source: Source) -> tuple[list[str], dict[str, str], str]:
        """Install what the build of the sdist requires, and return how it is built with nothing else, from then on.

        Returns:
            Words before a command, and variables, that leave it its locked crates and no network; and how, in words.
        """
        cargo = self.vendor_crates(source.artefacts.unpacked / "Cargo.toml")
        # Programs in it are started by the environment's interpreter, in which there is no package yet.
        uv = (find_uv(), "pip", "install", "--python", self.executable, "--", *source.artefacts.build_requirements())
        self.run("what the build requires could not be installed", *uv, fetches=True)
        alone, nowhere, how = without_network()
        path = f"{self.executable.parent}{os.pathsep}{os.environ.get('PATH', '')}"
        return alone, {**nowhere, **cargo, "MATURIN_PEP517_ARGS": "--locked", "PATH": path}, how

    def install_sdist(self, source: Source, alone: list[str], more: Mapping[str, str]) -> None:
        """Install the sdist with uv, from source."""
        uv = (find_uv(), "pip", "install", "--python", self.executable, *ALONE, *OFFLINE, "--no-build-isolation")
        what = "the sdist cannot be installed from source"
        self.run(what, *alone, *uv, source.artefacts.sdist, more=more)

    def package_sdist(self, source: Source, alone: list[str], more: Mapping[str, str]) -> None:
        """Build a wheel of the sdist's content and install it with pip, as packagers do."""
        folder, wheels = self.folder / "unpacked", self.folder / "packaged"
        shutil.copytree(source.artefacts.unpacked, folder)
        build = ("-m", "build", "--wheel", "--no-isolation", f"--outdir={wheels}", folder)
        self.run(
            "the sdist's content cannot be built (python -m build)", *alone, self.executable, "-I", *build, more=more
        )
        self.pip("what was built of the sdist cannot be installed", *OFFLINE, "--force-reinstall", *wheels.iterdir())

    def vendor_crates(self, manifest: Path) -> dict[str, str]:
        """Put the locked crates into a folder, as distributions do; return the variables of a cargo that has no more.

        They are fetched as this machine fetches crates: that is cargo's own code, and runs nothing of theirs.
        """
        home = (self.folder / "cargo").resolve()
        home.mkdir(exist_ok=True)
        fetch = ("cargo", "vendor", "--locked", "--respect-source-config", f"--manifest-path={manifest}")
        fetched = processes.run(*fetch, home / "vendor", cwd=self.empty, env=os.environ, check=False)
        if fetched.returncode:
            raise FailedError("the sdist's locked crates could not be fetched", fetched.stderr)
        (home / "config.toml").write_text(fetched.stdout, encoding="utf-8")
        return {"CARGO_HOME": str(home), "CARGO_TARGET_DIR": str(home / "target"), "CARGO_NET_OFFLINE": "true"}

    def install_dependencies(self, source: Source, *, lowest: bool = False) -> None:
        """Install what the installed package says that it requires, from where this machine's installer finds it.

        The package is there already: nothing that is required can bring another one.

        Args:
            source: Of the package.
            lowest: Whether to take the lowest version of each requirement that has a lowest one.
        """
        wheel = source.artefacts.installed_wheel(self.read_installed("WHEEL"))
        file = (wheel or source.artefacts.sdist).name
        requirements = read_requirements(self.read_installed("METADATA"), file)
        if bounded := [each for each in requirements if lowest and re.search(r">|==|~=", each.split(";")[0])]:
            what = f"{file} requires what cannot be installed in its lowest versions: {', '.join(bounded)}"
            arguments = ("--resolution=lowest-direct", "--", *bounded)
            try:
                # The lowest that this Python can have without a compiler.
                self.fetch(what, "--only-binary=:all:", *arguments)
            except FailedError:
                self.fetch(what, *arguments)
        if not requirements:
            return
        listed = ", ".join(requirements)
        try:
            self.fetch(f"{file} requires what cannot be installed together: {listed}", "--", *requirements)
        except FailedError:
            for each in requirements:
                self.fetch(f"{file} requires {each}, which cannot be installed", "--", each)
            raise

    def try_other_ways(self, source: Source, *, own: bool) -> None:
        """Make sure that each extra could be installed, and the wheel into a folder with pip, and as a tool with uv."""
        wheel = source.artefacts.installed_wheel(self.read_installed("WHEEL"))
        if wheel is None:
            return
        for extra in parse_email(self.read_installed("METADATA"))[0].get("provides_extra", []):
            what = f"the extra {extra} requires what cannot be installed"
            self.fetch(what, "--dry-run", "--", f"{self.project.name}[{extra}] @ {wheel.as_uri()}")
        folder, module = self.folder / "target", self.project.native_module
        options = (f"--target={folder}", "--no-cache-dir", *OFFLINE, wheel)
        self.pip("the wheel cannot be installed into a folder (pip install --target)", *options, own=own)
        what = f"import {module} fails where the wheel was installed into a folder (pip install --target)"
        self.run(what, self.executable, "-I", "-c", IMPORT_FROM, folder, module)
        if any(group.endswith("_scripts") for group, *_ in source.artefacts.entry_points()):
            tools = {name: str(self.folder / "tools" / name) for name in ("UV_TOOL_DIR", "UV_TOOL_BIN_DIR")}
            command = (find_uv(), "tool", "install", "--no-cache", "--python", self.python.path, wheel)
            self.run("the wheel cannot be installed as a tool (uv tool install)", *command, fetches=True, more=tools)

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
        """Run the package's tests out of the unpacked sdist, and return how many passed, as each of them told."""
        declared = Project(source).test_paths
        if not (tests := sorted(path for each in declared for path in source.glob(each))):
            what = f"the sdist has no {', '.join(declared)}: without a test nothing shows that the package works"
            raise problem(what, "write one that imports it; compare testpaths and [tool.maturin] exclude")
        # Nothing that is tested can foresee the name.
        report, started, exited_well = self.folder / secrets.token_hex(16), time.perf_counter(), True
        options = ("-p", "no:cacheprovider", "--color=no", "--quiet", "--config-file", source / "pyproject.toml")
        command = ("-I", RUN_TESTS, report, *options, "--rootdir", source, *tests)
        try:
            printed = self.run("", self.executable, *command)
        except FailedError as error:
            printed, exited_well = error.output, False
        outcomes, ended = verdict.read_outcomes(report)
        if fault := verdict.find_fault(outcomes, ended=ended, exited_well=exited_well):
            raise FailedError(fault, printed)
        self.outcomes.update(outcomes)
        return f"{verdict.summarise(outcomes)} in {time.perf_counter() - started:.2f}s"


@cache
def without_network() -> tuple[list[str], dict[str, str], str]:
    """Return what takes the network away from a command: words before it, and variables; and how, in words."""
    alone = ["unshare", "--user", "--map-current-user", "--net", "--"]
    if shutil.which("unshare") and not subprocess.run([*alone, "true"], check=False, capture_output=True).returncode:
        return alone, {}, "in a namespace without network"
    # Nothing listens at the port of `discard`.
    names = [f"{kind}_proxy" for kind in ("http", "https", "all")]
    nowhere = dict.fromkeys([*names, *map(str.upper, names)], "http://127.0.0.1:9")
    return [], nowhere, "with proxies to nowhere"


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

    def run(self, what: str, *command: object, fetches: bool = False, more: Mapping[str, str] = EMPTY) -> str:
        """Run a command in a container, which nothing of this machine's environment reaches but its program."""
        told = {"HOME": str(self.folder), "PYTHONDONTWRITEBYTECODE": "1", **(pip_origins() if fetches else {}), **more}
        folders = (self.folder, self.project.root, *self.folders)
        # docker takes their values from its own environment, where only this user sees them.
        started = docker_run(
            self.image, command, folders, f"--workdir={self.empty}", *(f"--env={name}" for name in told)
        )
        return super().run(what, *started, more={**os.environ, **told})

    def create(self, **_: object) -> None:
        """Make it, always with pip."""
        super().create(with_pip=True)

    def fetch(self, what: str, *arguments: object) -> None:
        """Run `pip install`."""
        self.run(what, self.executable, "-I", *PIP, "install", *arguments, fetches=True)

    def install_wheel(self, source: Source) -> None:
        """Install the wheel with its own pip as well."""
        self.install_wheel_with_pip(source)
