import os
import re
import runpy
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from helpers import PROJECT, copy_checkout, run, rustup_home
from roadworthy.building import toolchain
from roadworthy.processes import find_uv
from roadworthy.pythons import list_pythons, newest_of_each
from roadworthy.terminal import ProblemsError

# A PATH without any uv: where there is one, it is not the locked one's turn.
WITHOUT_UV = os.pathsep.join(folder for folder in os.get_exec_path() if not (Path(folder) / "uv").exists())


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """Return a checkout without an environment."""
    checkout = copy_checkout(tmp_path / "checkout")
    (checkout / ".venv").unlink()
    return checkout


def launcher(folder: Path, name: str, script: str) -> str:
    """Write a program, and return a PATH with it in front."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    (folder / name).chmod(0o755)
    return f"{folder}{os.pathsep}{WITHOUT_UV}"


def test_a_python_that_is_too_old_is_told_in_one_line() -> None:
    old = [python for python in newest_of_each(list_pythons(find_uv())) if python.version < (3, 10)]
    if not old:
        pytest.skip("no Python older than the floor is on this machine")
    for python in old:
        refused = run(python.path, PROJECT.root / "scripts" / "bootstrap.py")
        assert refused.returncode == 1
        assert refused.stderr.startswith("bootstrap: ")
        assert f"is Python {python.name}, and {PROJECT.oldest_python} or newer is needed" in refused.stderr
        assert refused.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("line", "oldest"),
    [
        ('requires-python = ">=3.12"', (3, 12)),
        ("requires-python = '>=3.11,<4,!=3.12.1'  # a cap", (3, 11)),
        ('requires-python="~=3.13"', (3, 13)),
        ('requires-python = "<4,>3.9"', (3, 10)),
        ('requires-python = "==3.*"', (3, 10)),
        ("", (3, 10)),
    ],
)
def test_the_oldest_python_is_read_from_whatever_stands_there(line: str, oldest: tuple[int, int]) -> None:
    page = runpy.run_path(str(PROJECT.root / "scripts" / "bootstrap.py"))
    assert page["oldest_python"](f'[project]\nname = "x"\n{line}\n') == oldest


def without(*tools: str, folder: Path) -> str:
    """Return a PATH that has what this one has, and not the programs that are named."""
    folder.mkdir()
    for path in (path for each in reversed(os.get_exec_path()) if Path(each).is_dir() for path in Path(each).iterdir()):
        (folder / path.name).unlink(missing_ok=True)
        (folder / path.name).symlink_to(path)
    for tool in tools:
        (folder / tool).unlink(missing_ok=True)
    return str(folder)


@pytest.fixture(scope="module")
def lacking(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return, by the name of a program, a PATH that has what this one has, and not that."""
    folder = tmp_path_factory.mktemp("lacking")
    return {tool: without(tool, folder=folder / tool) for tool in ("cargo", "rustc")}


@pytest.mark.parametrize("missing", ["cargo", "rustc"])
@pytest.mark.parametrize(
    "target",
    [
        *("bench", "build", "develop", "format", "lint", "release VERSION=0.9.0 DRY_RUN=1", "rehearse", "sdist"),
        *("test", "test-tooling", "verify"),
    ],
)
def test_every_target_that_needs_rust_says_so_in_the_same_words(
    target: str, missing: str, checkout: Path, lacking: dict[str, str]
) -> None:
    refused = run("make", *target.split(), cwd=checkout, PATH=lacking[missing])
    assert refused.returncode == 2
    assert f"problem: {missing} is not on PATH\n  install Rust (rustup, or your system's packages)" in refused.stderr
    assert "Traceback" not in refused.stderr


SCRIPTS = [
    "scripts/build.py",
    "-m roadworthy check --host src",
    "scripts/release.py 0.9.0 --dry-run",
    "-m workshop rehearse",
]


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_that_is_run_by_itself_says_so_too(script: str, checkout: Path, lacking: dict[str, str]) -> None:
    refused = run(sys.executable, *script.split(), cwd=checkout, PATH=lacking["rustc"])
    assert refused.returncode == 1
    assert re.search(r"problem: (cargo|rustc) is not on PATH\n  install Rust", refused.stderr)
    assert "Traceback" not in refused.stderr


def test_a_rust_that_is_too_old_is_told_with_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", launcher(tmp_path / "bin", "rustc", "echo 'rustc 1.84.1-nightly (fake)'"))
    with pytest.raises(ProblemsError, match=r"Rust 1\.84\.1-nightly is too old: Cargo\.toml asks for 1\.85 or newer"):
        toolchain.require_rust(PROJECT)


def test_the_versions_are_printed_before_a_build() -> None:
    printed = run(sys.executable, "-m", "roadworthy", "toolchain")
    assert re.fullmatch(r"Rust 1\.\d+\.\S+, maturin \d+\.\S+, Python 3\.\d+\.\S+\n", printed.stderr)


def test_a_clone_sets_itself_up_without_uv_on_path(bare: Path) -> None:
    """The locked uv comes by pip, with its hash; the environment then holds the locked tools and no others."""
    made = run("make", "setup", cwd=bare, PATH=WITHOUT_UV)
    assert made.returncode == 0, made.stderr
    assert "fetching uv, with pip" in made.stderr
    frozen = run(
        bare / ".venv" / "bin" / "uv",
        "pip",
        "freeze",
        "--exclude-editable",
        "--python",
        bare / ".venv" / "bin" / "python",
    )
    locks = [(bare / "requirements" / f"{group}.txt").read_text("utf-8") for group in ("setup", "test", "tools")]
    assert frozen.stdout.splitlines()
    assert [pin for pin in frozen.stdout.splitlines() if pin not in "".join(locks)] == []
    again = run("make", "--dry-run", "setup", cwd=bare)
    assert "bootstrap.py" not in again.stdout


@pytest.mark.parametrize(
    ("script", "fetched"),
    [
        ("[ $1 = --version ] && echo 'uv 0.4.30' || exit 9", True),
        ("echo 'pyenv: uv: command not found' >&2; exit 127", True),
        ("echo rubbish", True),
        ('[ $1 = --version ] && echo "uv 99.0.0 (newer)" || exec REAL "$@"', False),
    ],
)
def test_a_uv_on_path_is_used_if_it_is_not_older_than_the_locked_one(
    script: str, fetched: bool, bare: Path, tmp_path: Path
) -> None:
    path = launcher(tmp_path / "bin", "uv", script.replace("REAL", str(find_uv())))
    made = run("make", ".venv/setup.stamp", cwd=bare, PATH=path)
    assert made.returncode == 0, made.stderr
    assert ("fetching uv, with pip" in made.stderr) == fetched


def test_without_uv_and_without_pip_that_is_said(bare: Path, tmp_path: Path) -> None:
    """As with Debian's python3, whose ensurepip is a package of its own."""
    for module in ("pip", "venv"):
        (tmp_path / f"{module}.py").write_text("raise SystemExit('it is a package of its own')\n", encoding="utf-8")
    refused = run(
        *(sys.executable, "scripts/bootstrap.py"), cwd=bare, PATH=str(tmp_path / "bin"), PYTHONPATH=str(tmp_path)
    )
    assert refused.returncode == 1
    assert refused.stderr.endswith(
        "bootstrap: there is neither uv nor pip; install uv, or this Python's venv (Debian: python3-venv)\n"
    )


def test_a_cache_that_cannot_be_written_is_told_with_what_to_set(bare: Path, tmp_path: Path) -> None:
    """As in a container with a read-only home; what nobody can write, not even root, is a folder below a file."""
    (tmp_path / "home").write_bytes(b"")
    refused = run("make", "setup", cwd=bare, XDG_CACHE_HOME=str(tmp_path / "home"), UV_CACHE_DIR=None)
    assert refused.returncode == 2
    assert f"{tmp_path}/home/uv" in refused.stderr
    assert (
        "bootstrap: uv failed (see above); where it cannot write, set XDG_CACHE_HOME and CARGO_HOME" in refused.stderr
    )
    assert "Traceback" not in refused.stderr


def test_a_cargo_home_that_cannot_be_written_is_told_with_what_to_set(checkout: Path, tmp_path: Path) -> None:
    (tmp_path / "home").write_bytes(b"")
    refused = run("make", "toolchain", cwd=checkout, CARGO_HOME=str(tmp_path / "home"), RUSTUP_HOME=rustup_home())
    assert refused.returncode == 2
    assert f"problem: cargo's folder, {tmp_path}/home, cannot be written (" in refused.stderr
    assert "set CARGO_HOME to a folder that can be" in refused.stderr


def test_crates_that_are_not_here_are_fetched_and_that_is_said(checkout: Path, tmp_path: Path) -> None:
    fetched = run("make", "toolchain", cwd=checkout, CARGO_HOME=str(tmp_path / "cargo"), RUSTUP_HOME=rustup_home())
    assert fetched.returncode == 0, fetched.stderr
    assert re.search(r"^fetching \d+ crates$", fetched.stderr, re.MULTILINE)
    again = run("make", "toolchain", cwd=checkout, CARGO_HOME=str(tmp_path / "cargo"), RUSTUP_HOME=rustup_home())
    assert "fetching" not in again.stderr


def test_an_interrupted_set_up_goes_on_with_the_same_command(bare: Path, tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    # With a cache of its own it takes seconds.
    environment |= {"UV_CACHE_DIR": str(tmp_path / "cache"), "PATH": WITHOUT_UV}
    said = tmp_path / "said"
    with (
        said.open("wb") as stream,
        subprocess.Popen(
            ["make", "setup"], cwd=bare, env=environment, stdout=stream, stderr=stream, start_new_session=True
        ) as process,
    ):
        deadline = time.monotonic() + 60
        while b"installing into .venv" not in said.read_bytes() and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(0.3)
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(timeout=60) != 0
    text = said.read_text(encoding="utf-8")
    assert "interrupted\n" in text
    assert "Traceback" not in text
    again = run("make", "setup", cwd=bare, UV_CACHE_DIR=str(tmp_path / "cache"), PATH=WITHOUT_UV)
    assert again.returncode == 0, again.stderr


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a checkout that belongs to somebody else."""
    folder = copy_checkout(tmp_path_factory.mktemp("foreign") / "checkout")
    for path in (folder, *folder.rglob("*")):
        os.chown(path, 12345, 12345, follow_symlinks=False)
    return folder


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="only root can give a folder away")
@pytest.mark.parametrize(
    "target",
    [
        *("build", "check-news BASE=HEAD", "identify", "new NAME=turbo-frob DEST=../turbo-frob", "rehearse", "sdist"),
        *("release VERSION=0.9.0 DRY_RUN=1", "template-update CHECK=1", "verify"),
    ],
)
def test_a_checkout_of_somebody_else_is_refused_in_gits_own_words(target: str, foreign: Path) -> None:
    refused = run("make", *target.split(), cwd=foreign, GIT_CONFIG_GLOBAL=os.devnull, GIT_CONFIG_NOSYSTEM="1")
    assert refused.returncode == 2
    assert "detected dubious ownership in repository" in refused.stderr
    assert f"git config --global --add safe.directory {foreign}" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_pythons_are_listed_once_each() -> None:
    found = list_pythons(find_uv())
    resolved = [python.path.resolve() for python in found]
    assert len(resolved) == len(set(resolved))
    assert any(PROJECT.requires_python.contains(".".join(map(str, python.version))) for python in found)
    minors = newest_of_each(found)
    assert len({(python.version[:2], python.free_threaded) for python in minors}) == len(minors)


@pytest.mark.skipif(os.name == "nt", reason="a script is no program there")
def test_a_python_or_a_uv_that_says_something_else_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there = list_pythons(find_uv())
    for name in ("python3.98", "uv"):
        (tmp_path / name).write_text("#!/bin/sh\necho rubbish\n", encoding="utf-8")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert list_pythons(find_uv()) == there
    assert list_pythons(tmp_path / "uv") == []
