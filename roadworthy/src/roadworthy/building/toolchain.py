"""The tools of a build: which Rust and maturin there are, the locked crates, an environment that changes nothing."""

import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from roadworthy import processes as commands
from roadworthy.arguments import Parser
from roadworthy.processes import venv_bin
from roadworthy.project import Project
from roadworthy.repository import environment
from roadworthy.tables import find_table
from roadworthy.terminal import err, listed, problem

if TYPE_CHECKING:
    from packaging.requirements import Requirement

GROUPS = ("setup", "test", "tools", "build")  # the locks that a build, its proofs and a release work with
ANY = "any"  # what a package without a crate is built for, as the platform tag says it
# Variables with which a shell, or a CI's set-up, would change what is compiled.
CHANGES_THE_BUILD = re.compile(r"(CARGO_(BUILD|ENCODED|PROFILE|TARGET)|MACOSX|MATURIN|PYO3)_|PYTHON|RUSTFLAGS")


def build_folder(project: Project) -> Path:
    """Return the folder in which everything is compiled."""
    return project.target / "dist"


def cargo_home() -> Path:
    """Return the folder in which cargo keeps what it fetches."""
    return Path(os.environ.get("CARGO_HOME") or Path.home() / ".cargo")


def maturin_version(project: Project) -> str:
    """Return the version of the maturin that builds: the second word that it prints."""
    return commands.run(venv_bin("maturin"), "--version", cwd=project.root, env=os.environ).stdout.split()[1]


def rustc(project: Project, *arguments: str) -> str:
    """Return what rustc prints: the one that is chosen in the project's folder."""
    done = commands.run("rustc", *arguments, cwd=project.root, env=os.environ, check=False)
    if done.returncode:
        # Such as rustup's, that no toolchain is chosen.
        raise problem("rustc does not run", "do what it says, such as: rustup default stable", done.stderr)
    return done.stdout.strip()


def host_triple(project: Project) -> str:
    """Return the target that this machine builds for by itself; without a crate there is one for all."""
    if project.package:
        return ANY
    (host,) = [line.removeprefix("host: ") for line in rustc(project, "-vV").splitlines() if line.startswith("host: ")]
    return host


def plain_environment(project: Project) -> dict[str, str]:
    """Return this environment without what would change what is built, and with the commit's time for its files."""
    kept = {name: value for name, value in environment().items() if not CHANGES_THE_BUILD.match(name)}
    return {**kept, "SOURCE_DATE_EPOCH": str(project.checkout.commit_time())}


def build_environment(project: Project, triple: str | None = None) -> dict[str, str]:
    """Return the environment for maturin and cargo: this one, without what would change the result."""
    oldest = re.match(r"macosx_(\d+)_(\d+)_", project.platform_tag(triple)) if triple else None
    library = Path(rustc(project, "--print=sysroot")) / "lib" / "rustlib" / "src" / "rust"
    flags = [f"--remap-path-prefix={cargo_home()}=/cargo", f"--remap-path-prefix={library}=/rust"]
    return {
        **plain_environment(project),
        "CARGO_ENCODED_RUSTFLAGS": "\x1f".join(flags),
        # CARGO_HOME may be a symbolic link, and cargo resolves the variable, not its own default.
        "CARGO_HOME": str(cargo_home()),
        **({"MACOSX_DEPLOYMENT_TARGET": f"{oldest[1]}.{oldest[2]}"} if oldest else {}),
        "PATH": os.pathsep.join([str(venv_bin("python").parent), *os.get_exec_path()]),
    }


def run_builder(name: str, *command: object, cwd: Path, env: dict[str, str]) -> str:
    """Run a program that builds, show what it says, and return that."""
    done = commands.run(*command, cwd=cwd, env=env, check=False, merged=True)
    # In one piece: two of them may run at the same time.
    err.print(done.stdout.rstrip())
    if done.returncode:
        raise problem(f"{name} failed", "its message is above; repair what it names, and build again")
    return done.stdout


def run_maturin(arguments: list[str], folder: Path, env: dict[str, str]) -> None:
    """Run maturin, and end with a problem for a warning: each is about what would be shipped."""
    said = run_builder(f"maturin {arguments[0]}", venv_bin("maturin"), *arguments, cwd=folder, env=env)
    if warnings := [line.split("⚠️", 1)[1].strip() for line in said.splitlines() if "⚠️" in line]:
        remedy = "what it warns of would be shipped; repair it, and build again"
        raise problem(f"maturin warns: {'; '.join(warnings)}", remedy)


def run_uv(project: Project, kind: str, source: Path, folder: Path) -> None:
    """Build the artefact of a package without a crate, `--sdist` or `--wheel`, from `source` into `folder`.

    The backend is the one that its pyproject.toml names; uv's own is not fetched, it is in uv.
    """
    env = plain_environment(project)
    with tempfile.TemporaryDirectory(dir=folder.parent) as made:
        # Beside the artefact, uv writes a file for git.
        command = (commands.find_uv(), "build", kind, f"--out-dir={made}", "--no-config", source)
        run_builder(f"uv build {kind}", *command, cwd=project.root, env=env)
        for path in (path for path in Path(made).iterdir() if path.suffix in {".gz", ".whl"}):
            shutil.move(path, folder)


def require_rust(project: Project) -> str:
    """Return the version of rustc; ProblemsError where there is none, or one older than Cargo.toml's `rust-version`."""
    from packaging.version import Version  # noqa: PLC0415 - not for a refusal of the command line

    for program in ("cargo", "rustc"):
        if not shutil.which(program):
            raise commands.not_there(program)
    found, oldest = rustc(project, "--version").split()[1], project.rust_version
    if oldest and Version(found.split("-")[0]) < Version(oldest):
        raise problem(f"Rust {found} is too old: Cargo.toml asks for {oldest} or newer", "run: rustup update stable")
    return found


def fetch_crates(project: Project) -> str:
    """Return what `cargo metadata` prints; crates that are locked and not on this machine are fetched, and it is said.

    ProblemsError where Cargo.lock does not fit Cargo.toml, or the crates cannot be fetched or kept.
    """
    env = commands.tool_environment(os.environ)
    ask = ("cargo", "metadata", "--locked", "--offline", "--format-version=1", "--quiet")
    asked = commands.run(*ask, cwd=project.root, env=env, check=False)
    if asked.returncode == 0:
        return asked.stdout
    home = cargo_home()
    try:
        home.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=home).close()
    except OSError as error:
        what = f"cargo's folder, {home}, cannot be written ({error.strerror})"
        raise problem(what, "set CARGO_HOME to a folder that can be") from error
    if "offline" in asked.stderr:
        err.print(f"fetching {sum('source' in crate for crate in project.locked_crates)} crates")
        asked = commands.run(*(word for word in ask if word != "--offline"), cwd=project.root, env=env, check=False)
    # Behind warnings of a network that was asked again.
    reason = " ".join(asked.stderr[max(0, asked.stderr.find("error:")) :].split())
    if asked.returncode and "--locked" in reason:
        raise problem("Cargo.lock does not fit Cargo.toml", "run: cargo update --workspace; and commit Cargo.lock")
    if asked.returncode:
        remedy = "repair what it names, and commit; or let cargo reach its registry, and run the same again"
        raise problem(f"cargo cannot read the package: {reason[:300]}", remedy)
    return asked.stdout


def read_lock(project: Project, group: str) -> "Iterator[Requirement]":
    """Yield what the lock of a group of tools pins."""
    from packaging.requirements import Requirement  # noqa: PLC0415 - not for a refusal of the command line

    text = project.read_shared(f"requirements/{group}.txt")
    return map(Requirement, re.findall(r"^([A-Za-z0-9._-]+==[^\\\n#]+?)(?: \\| +#.*)?$", text, re.MULTILINE))


def find_unlocked(project: Project) -> Iterator[str]:
    """Find what pyproject.toml has in a group of tools and the group's lock has not, so that nothing installs it."""
    from packaging.utils import canonicalize_name  # noqa: PLC0415 - as above

    for group, wanted in find_table(project.pyproject, "dependency-groups").items():
        if (project.root / (lock := f"requirements/{group}.txt")).is_file():
            names = (re.match(r"[\w.-]+", each) for each in wanted if isinstance(each, str))
            pinned = {canonicalize_name(each.name) for each in read_lock(project, group)}
            if missing := [name[0] for name in names if name and canonicalize_name(name[0]) not in pinned]:
                yield f"{lock} locks no {listed(missing)}, which pyproject.toml has in the group {group}"


def main(project: Project, words: list[str]) -> None:
    """Fetch what is missing, and print one line of versions."""
    Parser("toolchain", "Say which tools build here, and fetch the locked crates.").read(words)
    rust = require_rust(project)
    fetch_crates(project)
    here = sys.version.split()[0]
    for what in () if project.package else find_unlocked(project):
        err.print(f"note: {what}; run: make lock")
    err.print(f"Rust {rust}, maturin {maturin_version(project)}, Python {here}")
    if not project.requires_python.contains(here, prereleases=True):
        # A build does without.
        what = f"the package, which is for {project.requires_python}, cannot be installed into .venv"
        err.print(f"note: {what}; make it of another Python: make setup PYTHON={project.oldest_python}")
