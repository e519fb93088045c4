"""A clean environment for one interpreter: made outside the checkout, filled, asked, and used to run the tests.

In a container, for the oldest glibc, and for musl, which no runner's own system has, the commands are the same but for
what is fetched, which is done here. Each is run by `docker run` in the image, with the folders that it needs at the
paths that they have here. The image brings the interpreters, on its PATH as `python3.10` or `python3.14t`, as those of
the manylinux project do.

What a program there is told of this machine is a list of what is let in, and a home of its own. Tests, imports and
builds are anybody's code and get no more than that. Only what fetches requirements is also told where packages come
from: an address may hold a token.
"""

import json
import os
import re
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from filelock import FileLock
from packaging.utils import canonicalize_name

from roadworthy import processes
from roadworthy.index import NotThereYetError, patiently
from roadworthy.processes import EXE, find_uv
from roadworthy.project import Project
from roadworthy.pythons import Python
from roadworthy.tables import find, parse_toml, read_text
from roadworthy.terminal import ProblemsError, problem
from roadworthy.verifying import proofs
from roadworthy.verifying.artefacts import Artefacts, Source, pytest_settings, read_requirements
from roadworthy.verifying.describe import times

DESCRIBE, RUN_TESTS = (Path(__file__).resolve().parent / name for name in ("describe.py", "run_tests.py"))
# Import a module from a folder, and nothing else.
IMPORT_FROM = (
    "import importlib, sys; sys.path.insert(0, sys.argv[1]); "
    "sys.exit(sys.argv[1] not in importlib.import_module(sys.argv[2]).__file__)"
)
# What uv and pip say of a version that an index does not list.
ABSENT = re.compile("(?i)there is no version of|was not found in the package registry|No matching distribution found")
# What they say, as a warning, of a requirement such as x[extra].
NO_EXTRA = re.compile("does not have an extra named|does not provide the extra")
PIP = ("-m", "pip", "--disable-pip-version-check", "--no-input")
ALONE = ("--no-cache", "--no-config", "--no-sources")  # a cache could have an older file of the same name
OFFLINE = ("--no-index", "--no-deps")
# What the system, its compilers and its certificates need; on Windows names have no case.
SYSTEM = re.compile(
    r"PATH(EXT)?|SYSTEM(ROOT|DRIVE)|WINDIR|COMSPEC|PROGRAM(FILES|DATA|W6432)\S*|(NUMBER_OF_)?PROCESSORS?(_\w+)?|LANG"
    r"|LC_\w+|TZ|TE?MP|TMPDIR|SSL_CERT_(FILE|DIR)|(REQUESTS_CA|CURL_CA)_BUNDLE|RUSTUP_(HOME|TOOLCHAIN)",
    re.IGNORECASE,
)
PROXIES = re.compile(r"(HTTPS?|ALL|NO)_PROXY", re.IGNORECASE)
# Where packages come from, and how uv gets there: in the environment, and in a uv.toml.
ORIGINS = re.compile(
    r"UV_((DEFAULT_|EXTRA_)?INDEX\w*|FIND_LINKS|NO_INDEX|KEYRING_PROVIDER|INSECURE_HOST|(NATIVE_TLS|SYSTEM_CERTS)"
    r"|OFFLINE|HTTP_\w+|CREDENTIALS_DIR)|NETRC"
)
ORIGIN_KEYS = re.compile(
    r"((extra-)?index(-url|-strategy)?|find-links|no-index|keyring-provider|allow-insecure-host|native-tls|system-certs"
    r"|offline)"
)


def failed(what: str, said: str = "") -> ProblemsError:
    """Return the exception for a step that failed, with what it printed, to be raised."""
    return problem(what, "KEEP=1 leaves the environments, to look around in them", said)


@dataclass(frozen=True)
class Environment:
    """A virtual environment of its own in `folder`, and an empty folder beside it to run things in."""

    project: Project
    python: Python  # of this machine; of an image it is the one of this name
    folder: Path
    image: str = ""
    target: str = ""  # what the image's system is, as Rust calls it
    folders: tuple[Path, ...] = ()  # what can be seen in the containers beside the environment's own folder
    limit: float = 3_600  # seconds that each step may take: what hangs, or an index that sends a byte now and then
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

    def run(self, what: str, *command: object, fetches: bool = False, more: Mapping[str, str] | None = None) -> str:
        """Run a command in the empty folder and return what it prints; it knows nothing of this machine.

        With `fetches` it is told where packages come from, in a home of its own, and is run here. `more` are further
        variables, also secret ones: everybody sees a command line. Any exit code but 0 is a ProblemsError.
        """
        variables = dict(more or {})
        if self.image and not fetches:
            variables |= {"HOME": str(self.folder), "PYTHONDONTWRITEBYTECODE": "1"}
            # docker takes their values from its own environment, where only this user sees them.
            options = (f"--workdir={self.empty}", *(f"--env={name}" for name in variables))
            command = (*docker_run(self.image, command, (self.folder, self.project.root, *self.folders), *options),)
            variables = {**os.environ, **variables}
        else:
            home = self.folder / ("fetching" if fetches else "home")
            variables = {**own_variables(home, fetches=fetches), **variables}
        done = processes.run(*command, cwd=self.empty, env=variables, check=False, merged=True, timeout=self.limit)
        if done.returncode:
            raise failed(what, done.stdout)
        return done.stdout

    def create(self, *, with_pip: bool = False) -> None:
        """Make it with uv, or, as in containers, with the interpreter's own venv module and the pip that it brings."""
        if with_pip or self.image:
            python = f"python{self.python.name}" if self.image else self.python.path
            there = f"{python} in {self.image}" if self.image else python
            what = f"there is no {there} that makes an environment with its own pip"
            self.run(what, python, "-m", "venv", self.folder / "env")
        else:
            what = "uv could not make an environment"
            self.run(what, find_uv(), "venv", "--python", self.python.path, self.folder / "env")

    @property
    def sites(self) -> list[Path]:
        """The folders into which packages are installed, of which there is one."""
        return [*self.folder.glob("env/lib/python*/site-packages"), *self.folder.glob("env/Lib/site-packages")]

    @property
    def uv(self) -> tuple[object, ...]:
        """The words before what uv is to install into this environment."""
        return (find_uv(), "pip", "install", "--python", self.executable)

    def pip(self, *, own: bool = True) -> tuple[object, ...]:
        """Return the same for pip: the environment's own, or the locked one, which is not in it."""
        elsewhere = (processes.venv_bin("python"), "-I", *PIP, f"--python={self.executable}")
        return (*((self.executable, "-I", *PIP) if own else elsewhere), "install")

    def fetch(self, what: str, *arguments: object) -> None:
        """Install what is required from where this machine's uv finds it.

        uv asks an interpreter what it is, with what it knows of addresses. So it is the machine's that is asked, in
        whose start no code of the package runs, as it could in the environment's (a .pth file).
        """
        where: tuple[object, ...] = ("--prefix", self.folder / "env")
        if self.image:
            # What the oldest glibc takes, every one does.
            system = self.target.replace("unknown-linux-gnu", "manylinux2014")
            where = ("--target", *self.sites, "--python-platform", system, "--only-binary=:all:")
        command = (find_uv(), "pip", "install", "--python", self.python.path, *where)
        said = self.run(what, *command, *arguments, fetches=True)
        if NO_EXTRA.search(said):
            raise failed(f"{what}: an extra of it does not exist", said)

    def create_for_tests(self) -> None:
        """Make it, and install what the package's tests need, as it is locked."""
        self.create()
        what = "the requirements of the tests could not be installed"
        lock = self.project.root / "requirements" / "test.txt"
        self.fetch(what, "--only-binary=:all:", "--require-hashes", "--requirement", lock)

    def install_wheel(self, source: Source, *, with_pip: bool = False, own: bool = True) -> None:
        """Install the wheel from the one source, with uv, or with pip, which may be the environment's own.

        Where an index says that it has no such version, wait: it may a little later.
        """
        what, command = "none of the wheels can be installed here", (*self.uv, *ALONE)
        if with_pip or self.image:
            what, command = "pip can install none of the wheels", (*self.pip(own=own), "--no-cache-dir")
        what = f"{what}: {', '.join(path.name for path in source.artefacts.wheels)}"

        def attempt() -> None:
            try:
                self.run(what, *command, *source.arguments, more=source.variables)
            except ProblemsError as error:
                if source.index and ABSENT.search(" ".join(str(error.problems[0].said).split())):
                    wanted = f"{self.project.name} {source.artefacts.version}"
                    raise NotThereYetError(f"{wanted} cannot be installed yet") from error
                raise

        there = times(self.executable.parent)
        patiently(attempt)
        if replaced := sorted(file for file, _ in there - times(self.executable.parent)):
            what = f"a script of the package takes the place of what every environment has: {', '.join(replaced)}"
            raise problem(what, "give it another name in [project.scripts]")

    def install_sdist(self, source: Source) -> Iterator[None]:
        """Install the sdist from source with its locked crates: the file with uv, then its content as packagers do.

        Yields:
            When it is there, each time.
        """
        artefacts, what = source.artefacts, "the sdist cannot be installed from source"
        # Programs in it are started by the environment's interpreter, in which there is no package yet.
        needed = "what the build requires could not be installed"
        self.run(needed, *self.uv, "--", *artefacts.build_requirements(), fetches=True)
        alone, nowhere, _ = without_network()
        path = f"{self.executable.parent}{os.pathsep}{os.environ.get('PATH', '')}"
        with self.compiling() as compiled:
            crates = {} if self.project.package else self.vendor_crates(artefacts, compiled)
            offline = {**nowhere, **crates, "PATH": path}
            self.run(what, *alone, *self.uv, *ALONE, *OFFLINE, "--no-build-isolation", artefacts.sdist, more=offline)
            yield
            folder, wheels = self.folder / "unpacked", self.folder / "packaged"
            shutil.copytree(artefacts.unpacked, folder)
            build = (self.executable, "-I", "-m", "build", "--wheel", "--no-isolation", f"--outdir={wheels}", folder)
            self.run(f"{what}, unpacked (python -m build)", *alone, *build, more=offline)
        self.run(f"{what}, unpacked", *self.pip(), *OFFLINE, "--force-reinstall", *wheels.iterdir())
        yield

    @contextmanager
    def compiling(self) -> Iterator[Path]:
        """Provide the folder to compile in, one at a time: the project's, so that crates are compiled once."""
        shared = self.project.target / "verify"
        shared.mkdir(parents=True, exist_ok=True)
        with FileLock(shared / "lock"):
            yield shared

    def vendor_crates(self, artefacts: Artefacts, folder: Path) -> dict[str, str]:
        """Put the locked crates into a folder, as distributions do; return the variables of a build that has no more.

        They are fetched as this machine fetches crates: that is cargo's own code, and runs nothing of theirs. What was
        compiled of the package before goes: cargo goes by times alone, and would take an older one's for this one's.
        """
        home = (self.folder / "cargo").resolve()
        home.mkdir(exist_ok=True)
        manifest = f"--manifest-path={artefacts.unpacked / 'Cargo.toml'}"
        # Always in the same place: elsewhere they would be compiled anew.
        fetch = ("cargo", "vendor", "--locked", "--respect-source-config", manifest, folder / "vendor")
        fetched = processes.run(*fetch, cwd=self.empty, env=os.environ, check=False)
        if fetched.returncode:
            raise failed("the sdist's locked crates could not be fetched", fetched.stderr)
        (home / "config.toml").write_text(fetched.stdout, encoding="utf-8")
        cargo = {"CARGO_HOME": str(home), "CARGO_TARGET_DIR": str(folder), "CARGO_NET_OFFLINE": "true"}
        profile = find(artefacts.pyproject, "tool", "maturin", "profile") or "release"
        crates = Project(artefacts.unpacked).locked_crates
        own = [f"--package={each['name']}" for each in crates if "source" not in each]
        what = "what was compiled of the package before could not be removed"
        self.run(what, "cargo", "clean", "--locked", manifest, f"--profile={profile}", *own, more=cargo)
        return {**cargo, "MATURIN_PEP517_ARGS": "--locked"}

    def install_dependencies(self, source: Source, *, lowest: bool = False) -> None:
        """Install what the installed package says that it requires, from where this machine's installer finds it.

        The package is there already: nothing that is required can bring another one. With `lowest` it is the lowest
        version of each requirement that has a lowest one.
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
            except ProblemsError:
                self.fetch(what, *arguments)
        if not requirements:
            return
        listed = ", ".join(requirements)
        try:
            self.fetch(f"{file} requires what cannot be installed together: {listed}", "--", *requirements)
        except ProblemsError:
            for each in requirements:
                self.fetch(f"{file} requires {each}, which cannot be installed", "--", each)
            raise

    def try_other_ways(self, source: Source, told: proofs.Installation, *, own: bool) -> str:
        """Make sure that each module imports alone, each extra installs, and the wheel into a folder and as a tool.

        What an interpreter has imported before, another module may lean on without importing it. What is missing, as
        was `told`, must be there with all extras. Returns the result of that in words.
        """
        for what in (each for each in told.facts["loaded"] if each.startswith("import ") and "__main__" not in each):
            self.run(f"{what} fails in an interpreter of its own", self.executable, "-I", "-c", what)
        wheel = source.artefacts.installed_wheel(self.read_installed("WHEEL"))
        if wheel is None:
            raise failed(f"{self.project.name} was installed from none of the wheels")
        for extra in told.fields.get("provides_extra", ()):
            try_only = () if told.facts["broken"] else ("--dry-run",)
            what = f"the extra {extra} requires what cannot be installed"
            self.fetch(what, *try_only, "--", f"{self.project.name}[{extra}] @ {wheel.as_uri()}")
        if told.facts["broken"]:
            proofs.require([proofs.everything_loads], replace(told, facts=self.describe(), extras=True))
        folder, module = self.folder / "target", self.project.module
        options = (f"--target={folder}", "--no-cache-dir", *OFFLINE, wheel)
        self.run("the wheel cannot be installed into a folder (pip install --target)", *self.pip(own=own), *options)
        what = f"import {module} fails where the wheel was installed into a folder (pip install --target)"
        self.run(what, self.executable, "-I", "-c", IMPORT_FROM, folder, module)
        if any(group.endswith("_scripts") for group, *_ in source.artefacts.entry_points()):
            tools = {name: str(self.folder / "tools" / name) for name in ("UV_TOOL_DIR", "UV_TOOL_BIN_DIR")}
            command = (find_uv(), "tool", "install", "--no-cache", "--python", self.python.path, wheel)
            self.run("the wheel cannot be installed as a tool (uv tool install)", *command, fetches=True, more=tools)
        return "; ".join(["installed", *(f"refused: {what}" for what in told.facts["refused"])])

    def read_installed(self, file: str) -> bytes:
        """Return a file of the package's .dist-info folder, without asking the environment's interpreter."""
        for path in (path for site in self.sites for path in site.glob(f"*.dist-info/{file}")):
            if canonicalize_name(path.parent.name.split("-", 1)[0]) == canonicalize_name(self.project.name):
                return path.read_bytes()
        raise failed(f"{self.project.name} was installed, and has no {file} in the environment")

    def describe(self) -> dict[str, Any]:
        """Return what `describe.py` tells about this environment."""
        what, told = "the interpreter could not say what is installed", self.folder / "installed.json"
        told.unlink(missing_ok=True)
        try:
            printed = self.run(what, self.executable, "-I", DESCRIBE, self.project.name, self.project.module, told)
        except ProblemsError as error:
            # What ends the interpreter is told by then.
            printed = error.problems[0].said
        try:
            facts = dict(json.loads(told.read_text(encoding="utf-8")))
            facts["written"]  # whatever the package has made of json
        except (LookupError, OSError, ValueError) as error:
            raise failed(what, printed) from error
        return facts

    def run_tests(self, source: Path) -> str:
        """Run the package's tests out of the unpacked sdist, and return how many passed, as each of them told."""
        settings, declared = pytest_settings(source)
        if declared and not any(path for each in declared for path in source.glob(each)):
            what = f"the sdist has no {', '.join(declared)}: without a test nothing shows that the package works"
            raise problem(what, "write one that imports it; compare testpaths and [tool.maturin] exclude")
        # They may write there, and other jobs read it. Who imports the package from its folder gets what is installed.
        folder, sites = Path(tempfile.mkdtemp(dir=self.folder)), self.sites
        shutil.copytree(source, folder, dirs_exist_ok=True)
        package = folder / self.project.source / self.project.import_name
        for installed in (site / package.name for site in sites if (site / package.name).is_dir()):
            shutil.copytree(installed, package, dirs_exist_ok=True)
        # Nothing that is tested can foresee the name.
        report, started, exited_well = self.folder / secrets.token_hex(16), time.perf_counter(), True
        # What proves nothing, and what fails where nobody looks.
        strict = (f"-Werror::pytest.Pytest{each}Warning" for each in ("ReturnNotNone", "UnhandledThreadException"))
        options = (f"--override-ini=cache_dir={self.folder / 'cache'}", "--color=no", "--quiet", *strict)
        where = (f"--config-file={folder / settings}", f"--rootdir={folder}")
        tests = sorted(path for each in declared for path in folder.glob(each))
        command = ("-I", RUN_TESTS, report, package, folder, *options, *where, *tests)
        before = [times(site) for site in sites]
        try:
            printed = self.run("", self.executable, *command)
        except ProblemsError as error:
            printed, exited_well = error.problems[0].said, False
        outcomes, ended = proofs.read_outcomes(report)
        if fault := proofs.find_fault_of_tests(outcomes, ended=ended, exited_well=exited_well):
            raise failed(fault, printed)
        if changed := sorted({file for site, old in zip(sites, before, strict=True) for file, _ in old ^ times(site)}):
            what = f"the package's tests change {', '.join(changed)}, where packages are installed"
            raise problem(what, "let them, and the package, write into a folder of the user's, as tmp_path")
        self.outcomes.update(outcomes)
        return f"{proofs.summarise_tests(outcomes)} in {time.perf_counter() - started:.2f}s"


@cache
def without_network() -> tuple[list[str], dict[str, str], str]:
    """Return what takes the network away from a command: words before it, and variables; and how, in words."""
    alone = ["unshare", "--user", "--map-current-user", "--net", "--"]
    if shutil.which("unshare") and not subprocess.run([*alone, "true"], check=False, capture_output=True).returncode:
        return alone, {}, "in a namespace without network"
    # Nothing listens at the port of `discard`.
    names = [f"{kind}_proxy" for kind in ("http", "https", "all")]
    return [], dict.fromkeys([*names, *map(str.upper, names)], "http://127.0.0.1:9"), "with proxies to nowhere"


@cache
def engine() -> str:
    """Return the program that runs containers; ProblemsError where there is none, or it does not answer."""
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


def own_variables(home: Path, *, fetches: bool = False) -> dict[str, str]:
    """Return the whole environment of a program whose home is `home`, which is made.

    With `fetches` it is to fetch what is required, and does nothing else.
    """
    home.mkdir(parents=True, exist_ok=True)
    proxies = {name: value for name, value in os.environ.items() if PROXIES.fullmatch(name)}
    own = {
        **{name: value for name, value in os.environ.items() if SYSTEM.fullmatch(name)},
        # A password may stand before the host's name.
        **{name: value for name, value in proxies.items() if fetches or "@" not in value},
        **dict.fromkeys(("HOME", "USERPROFILE", "APPDATA", "LOCALAPPDATA"), str(home)),
        # Else rustup would look for its toolchains in the new home.
        "RUSTUP_HOME": os.environ.get("RUSTUP_HOME", str(Path.home() / ".rustup")),
        "UV_PYTHON_DOWNLOADS": "never",
        "PIP_CONFIG_FILE": os.devnull,
        # Bytecode is a file that no artefact brought.
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    if not fetches:
        return {**own, "UV_NO_CONFIG": "1"}
    settings = home / "uv.toml"
    # With other separators, JSON is the inline form of what TOML has.
    to_toml = json.JSONEncoder(ensure_ascii=False, separators=(", ", " = ")).encode
    settings.write_text("".join(f"{key} = {to_toml(value)}\n" for key, value in read_origins().items()), "utf-8")
    # What is fetched by hash, or from an index that has one file of a name, is the same from the cache.
    own |= {"NETRC": str(Path.home() / ".netrc"), "UV_CACHE_DIR": cache_folder(), "UV_CONFIG_FILE": str(settings)}
    return own | {name: value for name, value in os.environ.items() if ORIGINS.fullmatch(name)}


def read_origins() -> dict[str, Any]:
    """Return what uv's own files say of where packages come from, the user's before the system's."""
    roaming = os.environ.get("APPDATA") if os.name == "nt" else os.environ.get("XDG_CONFIG_HOME")
    everybodys = os.environ.get("PROGRAMDATA", "") if os.name == "nt" else "/etc"
    folders = [Path(roaming) if roaming else Path.home() / ".config", Path(everybodys)]
    given = os.environ.get("UV_CONFIG_FILE")
    found: dict[str, Any] = {}
    for file in [Path(given)] if given else [folder / "uv" / "uv.toml" for folder in folders]:
        if given or file.is_file():
            table = parse_toml(str(file), read_text(file.parent, file.name))
            for key, value in {**table.get("pip", {}), **table}.items():
                if ORIGIN_KEYS.fullmatch(key):
                    found[key] = [*found.get(key, []), *value] if isinstance(value, list) else found.get(key, value)
    return found


@cache
def cache_folder() -> str:
    """Return the folder in which uv keeps what it has fetched."""
    return processes.run(processes.find_uv(), "cache", "dir", cwd=Path.home(), env=os.environ).stdout.strip()
