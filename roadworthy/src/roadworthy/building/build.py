"""Build the sdist, and from it the wheels for one target, into a new dist/, with their hashes in SHA256SUMS.

The same commit gives the same bytes, wherever and whenever it is built with the same tools: times come from the
commit, no path of this machine is compiled in, and nothing of the environment changes what the compiler does.
"""

import argparse
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from roadworthy.building.toolchain import fetch_crates, host_triple, rustc
from roadworthy.processes import find_uv, venv_bin
from roadworthy.project import HERE, same_wheel
from roadworthy.pythons import PythonNotFoundError, find_pythons
from roadworthy.repository import environment
from roadworthy.terminal import ProblemsError, err, out, problem
from roadworthy.verifying.artefacts import compare_sums, read_sums, sha256, unpack, write_sums

TARGET_DIR = HERE.root / "target" / "dist"
# What was built last: written when dist/ and SHA256SUMS are complete.
BUILT_FROM = TARGET_DIR / "built-from"
# Variables with which a shell, or a CI's set-up, would change what is compiled.
CHANGES_THE_BUILD = (
    "CARGO_BUILD_",
    "CARGO_ENCODED_",
    "CARGO_PROFILE_",
    "CARGO_TARGET_",
    "MACOSX_",
    "MATURIN_",
    "PYO3_",
    "PYTHON",
    "RUSTFLAGS",
)


def require_target(triple: str) -> None:
    """Make sure that wheels for `triple` have a name, and that its standard library is there.

    Raises:
        ProblemsError: Something is missing.
    """
    HERE.platform_tag(triple)
    parts = ("x86_64", "aarch64") if triple.startswith("universal2-") else (triple.split("-", 1)[0],)
    for part in parts:
        rust_target = f"{part}-{triple.split('-', 1)[1]}"
        # With cargo's build-std the standard library is compiled too, so it need not be installed.
        installed = Path(rustc("--print=target-libdir", f"--target={rust_target}")).is_dir()
        if not installed and "CARGO_UNSTABLE_BUILD_STD" not in os.environ:
            raise problem(f"Rust cannot build for {rust_target} yet", f"run: rustup target add {rust_target}")


def build_environment(triple: str | None = None) -> dict[str, str]:
    """Return the environment for maturin and cargo: this one, without what would change the result."""
    oldest = HERE.deployment_target(triple) if triple else None
    cargo_home = Path(os.environ.get("CARGO_HOME", Path.home() / ".cargo"))
    library = Path(rustc("--print=sysroot")) / "lib" / "rustlib" / "src" / "rust"
    replaced = {cargo_home: "/cargo", library: "/rust"}
    flags = [f"--remap-path-prefix={path}={name}" for path, name in replaced.items()]
    kept = {name: value for name, value in environment().items() if not name.startswith(CHANGES_THE_BUILD)}
    return {
        **kept,
        "CARGO_ENCODED_RUSTFLAGS": "\x1f".join(flags),
        # CARGO_HOME may be a symbolic link, and cargo resolves the variable, not its own default.
        "CARGO_HOME": str(cargo_home),
        **({"MACOSX_DEPLOYMENT_TARGET": oldest} if oldest else {}),
        "PATH": os.pathsep.join([str(venv_bin("python").parent), *os.get_exec_path()]),
        "SOURCE_DATE_EPOCH": str(HERE.checkout.commit_time()),
    }


def run_maturin(arguments: list[str], folder: Path, environment: dict[str, str]) -> None:
    """Run maturin, show what it says, and end with a problem for a warning: each is about what would be shipped."""
    done = subprocess.run(
        [str(venv_bin("maturin")), *arguments],
        cwd=folder,
        env=environment,
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    )
    # In one piece: two of them may run at the same time.
    err.print(done.stdout.rstrip())
    if done.returncode:
        raise problem(f"maturin {arguments[0]} failed", "its message is above; repair what it names, and build again")
    warnings = [line.split("⚠️", 1)[1].strip() for line in done.stdout.splitlines() if "⚠️" in line]
    if warnings:
        raise problem(
            f"maturin warns: {'; '.join(warnings)}", "what it warns of would be shipped; repair it, and build again"
        )


def build_sdist(folder: Path) -> Path:
    """Build the sdist into `folder`: what git tracks, and nothing else."""
    run_maturin(["sdist", f"--out={folder}"], HERE.root, build_environment())
    return folder / HERE.sdist_name()


def take_sdist(built: Path, folder: Path) -> Path:
    """Copy the sdist that another machine built into `folder`; `built` holds its dist/ and SHA256SUMS.

    Raises:
        ProblemsError: It is not there, or not as its SHA256SUMS says.
    """
    sdist = built / HERE.dist.name / HERE.sdist_name()
    if not sdist.is_file():
        raise problem(f"{sdist} is missing", "FROM= is a folder with the dist/ and SHA256SUMS that `make sdist` writes")
    if problems := compare_sums([sdist], read_sums(built / HERE.sums.name), built / HERE.sums.name):
        raise ProblemsError(problems)
    return Path(shutil.copy(sdist, folder))


def unpack_as_new(sdist: Path, folder: Path) -> Path:
    """Unpack the sdist below `folder`, and return the folder of its content.

    The files are as old as this moment, not as the commit: cargo compares times, and would otherwise take what it
    compiled from a newer commit for up to date.
    """
    source = unpack(sdist, folder)
    for path in source.rglob("*"):
        os.utime(path)
    return source


def choose_interpreters(triple: str, *, all_of_them: bool) -> dict[str, str]:
    """Map the Pythons to build for to what maturin is told: a version, or an executable where it needs one.

    A version is looked up in what maturin knows of every Python. A name such as python3.10 would be looked for on PATH
    first and run, and what answers there may be anything: a launcher that leads nowhere ends the build.

    Raises:
        ProblemsError: One is missing, and `all_of_them` are asked for.
    """
    pythons = HERE.python_tags
    if "-linux-" in triple or triple != host_triple():
        return {python: python for python in pythons}
    if sysconfig.get_config_var("Py_GIL_DISABLED"):
        raise problem("this free-threaded Python cannot build for the stable ABI", "run: make setup PYTHON=3.12")
    chosen = {}
    for python in pythons:
        try:
            free_threaded = python.endswith("t")
            chosen[python] = str(find_pythons(find_uv(), [python])[0].path) if free_threaded else sys.executable
        except PythonNotFoundError as error:
            if all_of_them:
                raise problem(str(error), "install it before the build, so that its wheel is not missing") from error
            err.print(f"left out: the wheel for it, because {error}")
    return chosen


def build_wheel(python: str, command: str, triple: str, source: Path, folder: Path) -> None:
    """Build one wheel into `folder` from the unpacked sdist."""
    arguments = [
        "build",
        "--release",
        "--locked",
        f"--target={triple}",
        # One each: with a shared one, each would compile PyO3 anew for its Python, and the other's away.
        f"--target-dir={TARGET_DIR / HERE.python_tags[python]}",
        f"--interpreter={command}",
        f"--sbom-include={sbom_path(source)}",
        f"--out={folder}",
        "--compatibility=pypi",
    ]
    if "-linux-" in triple:
        newest_tag = HERE.platform_tag(triple).rsplit(".", 1)[-1]
        arguments += [
            "--zig",
            f"--compatibility={newest_tag.removesuffix('_' + triple.split('-', 1)[0])}",
        ]
    run_maturin([*arguments, *choose_features(python)], source, build_environment(triple))


def choose_features(python: str) -> list[str]:
    """Return what maturin is told of Cargo's features, so that all wheels have the same but for the stable ABI.

    It has no free-threaded form at first, and then another one: its own features are left out one by one, with what
    turns them on, and all others named.
    """
    if not python.endswith("t"):
        return []
    named = [*HERE.crate.features_without_abi3, *(["abi3t"] if python == f"{HERE.crate.first_abi3t}t" else [])]
    # Said even if it is empty: else maturin takes those of pyproject.toml.
    return ["--no-default-features", f"--features={','.join(named)}"]


def sbom_path(source: Path) -> Path:
    """Return where the SBOM for an unpacked sdist is written: beside it, under the name that it has in the wheel."""
    return source.parent / f"{HERE.file_stem}.cdx.json"


def build_wheels(interpreters: dict[str, str], triple: str, source: Path, folder: Path) -> None:
    """Build the wheels into `folder`, at the same time: each alone would often leave a processor idle."""
    from roadworthy.building.sbom import make_sbom  # noqa: PLC0415 - takes longer to load than all else, and only a build needs it

    sbom_path(source).write_text(make_sbom(source, triple, HERE.checkout.commit_time()), encoding="utf-8")
    with err.status("building the wheels …"), ThreadPoolExecutor(len(interpreters)) as pool:
        builds = [pool.submit(build_wheel, *each, triple, source, folder) for each in interpreters.items()]
        for each in builds:
            each.result()


def check_names(folder: Path, triple: str, pythons: list[str]) -> None:
    """Compare what was built with what was to be built.

    Raises:
        ProblemsError: A file has another name, so the build is not what it should be.
    """
    expected = [HERE.wheel_name(python, triple) for python in pythons]
    built = sorted(path.name for path in folder.iterdir() if path.name != HERE.sdist_name())
    if len(built) != len(expected) or not all(any(same_wheel(one, two) for two in expected) for one in built):
        raise problem(
            f"the build made {', '.join(built)}, and not {', '.join(expected)}",
            "compare the versions in Cargo.toml and pyproject.toml, and the tags in CI.yml's matrix",
        )


def replace_dist(folder: Path) -> None:
    """Move what was built to dist/, whose old content goes, and write SHA256SUMS as `sha256sum -c` reads it."""
    BUILT_FROM.unlink(missing_ok=True)
    shutil.rmtree(HERE.dist, ignore_errors=True)
    shutil.move(folder, HERE.dist)
    write_sums(HERE.sums, HERE.dist)


def is_current() -> bool:
    """Say whether dist/ holds what this very state of the checkout builds for this machine, whole and unchanged."""
    if not (BUILT_FROM.exists() and HERE.sums.exists() and HERE.dist.is_dir()):
        return False
    present = {path.name: sha256(path.read_bytes()) for path in HERE.dist.iterdir() if path.is_file()}
    return BUILT_FROM.read_text(encoding="utf-8") == built_from(host_triple()) and read_sums(HERE.sums) == present


def built_from(triple: str) -> str:
    """Name what a build depends on: the content of the checkout, and the target."""
    return f"{HERE.checkout.state()} {triple}"


def build(triple: str | None = None, built: Path | None = None) -> None:
    """Build everything for one target.

    Args:
        triple: The target; default: this machine's.
        built: A folder with an sdist that was built elsewhere; the wheels are built from that one.
    """
    HERE.checkout.require_checkout()
    HERE.require_facts()
    triple = host_triple() if triple is None else triple
    require_target(triple)
    state = built_from(triple)
    interpreters = choose_interpreters(triple, all_of_them=built is not None)
    with new_dist() as folder:
        sdist = build_sdist(folder) if built is None else take_sdist(built, folder)
        source = unpack_as_new(sdist, folder.parent / "source")
        build_wheels(interpreters, triple, source, folder)
        check_names(folder, triple, list(interpreters))
    if built is None:
        BUILT_FROM.write_text(state, encoding="utf-8")


@contextmanager
def new_dist() -> Iterator[Path]:
    """Provide an empty folder that becomes dist/, if all goes well, and print what is then in it."""
    # `maturin sdist` would silently rewrite a lock that does not fit.
    fetch_crates()
    TARGET_DIR.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=TARGET_DIR) as temporary:
        folder = Path(temporary) / "dist"
        folder.mkdir()
        yield folder
        replace_dist(folder)
    for path in sorted(HERE.dist.iterdir()):
        out.print(f"{path.stat().st_size:>9,} bytes  {path.relative_to(HERE.root)}")


def main() -> None:
    """Read the arguments, and build."""
    parser = argparse.ArgumentParser(description="Build the sdist and one target's wheels into dist/.")
    parser.add_argument("--target", metavar="TRIPLE", help="a Rust target triple; default: this machine's")
    parser.add_argument("--sdist-only", action="store_true", help="build no wheels")
    parser.add_argument("--from", type=Path, metavar="FOLDER", dest="built", help="take the sdist from its dist/")
    arguments = parser.parse_args()
    if not arguments.sdist_only:
        build(arguments.target, arguments.built)
        return
    HERE.checkout.require_checkout()
    HERE.require_facts()
    with new_dist() as folder:
        build_sdist(folder)
