import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from cyclonedx.model.bom import Bom

from helpers import PROJECT, copy_checkout, run, share_compiled
from roadworthy import building
from roadworthy.building import toolchain
from roadworthy.building.steps import choose_interpreters, require_target
from roadworthy.declared import sdist_contents
from roadworthy.processes import find_uv, venv_bin
from roadworthy.project import Project, spelling
from roadworthy.pythons import list_pythons
from roadworthy.repository import exclusive
from roadworthy.terminal import ProblemsError

BUILD = ("scripts", "build.py")
TESTS = "tests/"


def members(artefact: Path) -> dict[str, bytes]:
    """Return the content of every file in a wheel or an sdist."""
    if artefact.suffix == ".whl":
        with zipfile.ZipFile(artefact) as archive:
            return {entry.filename: archive.read(entry) for entry in archive.infolist()}
    with tarfile.open(artefact) as archive:
        return {entry.name: archive.extractfile(entry).read() for entry in archive if entry.isfile()}  # type: ignore[union-attr]


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / "dist").iterdir()}


def build_elsewhere(checkout: Path, **variables: str) -> "subprocess.CompletedProcess[str]":
    return run(sys.executable, checkout.joinpath(*BUILD), cwd=checkout, **variables)


def test_dist_holds_the_expected_files_and_nothing_else(dist: Path) -> None:
    triple = toolchain.host_triple(PROJECT)
    names = {path.name for path in dist.iterdir()}
    wheels = {name for name in names if name.endswith(".whl")}
    expected = [
        PROJECT.wheel_name(python, triple) for python in choose_interpreters(PROJECT, triple, all_of_them=False)
    ]
    assert names - wheels == {PROJECT.sdist_name()}
    assert len(wheels) == len(expected)
    assert set(map(spelling, wheels)) <= set(map(spelling, expected))


def test_the_hashes_hold(dist: Path) -> None:
    checked = run("sha256sum", "--check", "--strict", "SHA256SUMS")
    assert checked.returncode == 0, checked.stderr
    assert len(checked.stdout.splitlines()) == len(list(dist.iterdir()))


def test_the_sdist_holds_the_package_and_its_tests_and_nothing_else(sdist: Path) -> None:
    top = sdist.name.removesuffix(".tar.gz")
    tracked = run("git", "ls-files").stdout.splitlines()
    files = {"CHANGELOG.md", "Cargo.lock", "Cargo.toml", "LICENSE", "README.md", "pyproject.toml"}
    expected = files | {name for name in tracked if name.startswith(("python/", "src/", "tests/"))}
    assert files < set(tracked)
    assert {name.removeprefix(f"{top}/") for name in members(sdist)} == {*expected, "PKG-INFO"}
    assert sdist_contents(PROJECT).files == expected
    assert sdist.stat().st_size < 60_000


def test_what_an_sdist_holds_is_what_was_declared(checkout: Path) -> None:
    """As maturin reads it: the patterns of all formats and of this one, a generated file, a stray one."""
    pyproject = checkout / "pyproject.toml"
    text = pyproject.read_text(encoding="utf-8")
    declared = (
        'include = ["made.txt", { path = "more/*.txt", format = ["sdist", "wheel"] }, {path="no", format = "wheel" }]',
        'exclude = ["/src/error.rs", { path = "CHANGE*", format = "sdist" }, { path = "tests/**", format = "wheel" },',
    )
    pyproject.write_text(text.replace("exclude = [", "\n".join(declared)), encoding="utf-8")
    (checkout / "more").mkdir()
    for name in ("made.txt", "more/made.txt", "no", "stray.txt"):
        (checkout / name).touch()
    listed = sdist_contents(Project(checkout))
    built = run(venv_bin("maturin"), "sdist", f"--out={checkout / 'target'}", cwd=checkout)
    pyproject.write_text(text, encoding="utf-8")
    assert built.returncode == 0, built.stderr
    (sdist,) = (checkout / "target").glob("*.tar.gz")
    packed = {name.split("/", 1)[1] for name in members(sdist)}
    assert (listed.lacking(packed), listed.strange(packed)) == ([], ["PKG-INFO"])
    assert {"made.txt", "more/made.txt", "tests/test_docs.py"} < packed
    assert not {"no", "stray.txt", "src/error.rs", "CHANGELOG.md"} & packed
    less = packed - {"more/made.txt", "tests/test_docs.py"} | {"stray.txt"}
    assert (listed.lacking(less), listed.strange(less)) == (
        ["more/*.txt", "tests/test_docs.py"],
        ["PKG-INFO", "stray.txt"],
    )


# What stands on PATH for a Python that is not there, or not chosen: pyenv's shims, a shop's stubs, what an
# uninstalled Python leaves. Each writes down that it was run.
LAUNCHERS = (
    'echo "pyenv: $(basename "$0"): command not found" >&2; exit 127',
    "exit 1",
    "echo rubbish",
    'echo "Traceback" >&2; exit 3',
)


def launchers(folder: Path) -> str:
    """Return a PATH on which launchers that lead nowhere come first; those that were run are listed in `ran` there."""
    names = [f"python{version}" for version in (*PROJECT.python_tags, "3.11", "3.12", "3.13", "3.14", "3.15")]
    folder.mkdir()
    for number, name in enumerate(names):
        if number == 1:
            (folder / name).symlink_to(folder / "nowhere")
            continue
        (folder / name).write_text(f'#!/bin/sh\necho "$0" >>"{folder / "ran"}"\n{LAUNCHERS[number % len(LAUNCHERS)]}\n')
        (folder / name).chmod(0o755)
    return f"{folder}{os.pathsep}{os.environ['PATH']}"


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
def test_two_builds_in_two_folders_are_the_same_bytes(dist: Path, checkout: Path) -> None:
    """Another folder, another CARGO_HOME, other flags in the environment, other Pythons on PATH, which are not run."""
    there = checkout.parent / "launchers"
    cargo_home = checkout.parent / "other-cargo-home"
    cargo_home.mkdir()
    usual = Path(os.environ.get("CARGO_HOME", Path.home() / ".cargo"))
    for name in ("registry", "config.toml"):
        if (usual / name).exists():
            (cargo_home / name).symlink_to(usual / name)
    built = build_elsewhere(
        checkout,
        CARGO_HOME=str(cargo_home),
        CARGO_PROFILE_RELEASE_OPT_LEVEL="0",
        PATH=launchers(there),
        PYO3_PRINT_CONFIG="1",
        RUSTFLAGS="-C debuginfo=2",
        SOURCE_DATE_EPOCH="1",
        TZ="Pacific/Auckland",
        UMASK="0",
    )
    assert built.returncode == 0, built.stderr
    ours, others = contents(PROJECT.root), contents(checkout)
    assert {name for name in ours | others if ours.get(name) != others.get(name)} == set()
    assert (checkout / "SHA256SUMS").read_text(encoding="utf-8") == (PROJECT.root / "SHA256SUMS").read_text(
        encoding="utf-8"
    )
    assert dist == PROJECT.root / "dist"
    assert not (there / "ran").exists(), (there / "ran").read_text(encoding="utf-8")


@pytest.mark.skipif(sys.platform == "win32", reason="launchers are shell scripts here")
def test_launchers_that_lead_nowhere_hide_no_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usual = list_pythons(find_uv())
    monkeypatch.setenv("PATH", launchers(tmp_path / "launchers"))
    assert list_pythons(find_uv()) == usual


def test_no_artefact_holds_a_path_of_the_builder(dist: Path) -> None:
    paths = [str(PROJECT.root), str(Path.home()), os.environ.get("CARGO_HOME", str(Path.home())), "/tmp/"]  # noqa: S108
    found = [
        (artefact.name, name, path)
        for artefact in dist.iterdir()
        for name, content in members(artefact).items()
        for path in paths
        if path.encode() in content and not name.split("/", 1)[-1].startswith(TESTS)
    ]
    assert found == []


def test_the_sbom_lists_the_crates_with_their_hashes(wheel: Path) -> None:
    (text,) = (content for name, content in members(wheel).items() if "/sboms/" in name)
    bom = Bom.from_json(json.loads(text))  # type: ignore[attr-defined]
    listed = {(part.name, part.version): next(iter(part.hashes)).content for part in bom.components}
    locked = {(crate["name"], crate["version"]): crate.get("checksum") for crate in PROJECT.locked_crates}
    direct = set(PROJECT.manifest["dependencies"])
    assert direct <= {name for name, _ in listed}
    assert listed.items() <= locked.items()
    assert bom.metadata.component is not None
    assert (bom.metadata.component.name, bom.metadata.component.version) == (PROJECT.name, str(PROJECT.version))


def test_a_build_is_current_until_something_changes(dist: Path, wheel: Path) -> None:
    assert dist.is_dir()
    assert building.is_current(PROJECT)
    content = wheel.read_bytes()
    wheel.write_bytes(content + b"\0")
    assert not building.is_current(PROJECT)
    wheel.write_bytes(content)
    extra = dist / "extra.txt"
    extra.touch()
    assert not building.is_current(PROJECT)
    extra.unlink()
    recorded = building.record(PROJECT).read_text(encoding="utf-8")
    building.record(PROJECT).write_text(building.state_of(PROJECT, "x86_64-unknown-linux-musl"), encoding="utf-8")
    assert not building.is_current(PROJECT)
    building.record(PROJECT).write_text(recorded, encoding="utf-8")
    assert building.is_current(PROJECT)


def test_what_git_does_not_track_is_named_for_it_is_in_no_artefact(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project = Project(checkout)
    project.dist.mkdir(exist_ok=True)
    stray = checkout / "python" / project.import_name / "forgotten.py"
    building.print_dist(project)
    assert stray.name not in capsys.readouterr().err
    stray.touch()
    building.print_dist(project)
    stray.unlink()
    told = capsys.readouterr().err
    assert told.startswith("note: left out, because git does not track them: ")
    assert stray.relative_to(checkout).as_posix() in told


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
@pytest.mark.usefixtures("dist")
def test_only_one_build_at_a_time_writes_dist_and_who_does_is_named(checkout: Path) -> None:
    with exclusive(checkout, "build"):
        refused = run(sys.executable, "scripts/build.py", "--sdist-only", cwd=checkout)
    assert refused.returncode == 1
    what = f"another build is running in this checkout (process {os.getpid()})"
    assert refused.stderr == f"problem: {what}\n  wait until it has ended, or end it\n"


def test_a_warning_of_maturins_ends_the_build_and_leaves_the_old_one(tmp_path: Path) -> None:
    """The name of the module is wrong: maturin only warns, and nobody could import the wheel."""
    checkout = copy_checkout(tmp_path / "checkout")
    share_compiled(checkout)
    (checkout / "dist").mkdir()
    (checkout / "dist" / "old.whl").write_bytes(b"old")
    pyproject = checkout / "pyproject.toml"
    text = pyproject.read_text(encoding="utf-8")
    pyproject.write_text(text.replace(PROJECT.native_module, f"{PROJECT.native_module}x"), encoding="utf-8")
    refused = build_elsewhere(checkout)
    assert refused.returncode == 1
    assert "problem: maturin warns: Warning: Couldn't find the symbol" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert contents(checkout) == {"old.whl": b"old"}


def test_a_lock_that_does_not_fit_is_refused_and_left_alone(checkout: Path) -> None:
    lock = checkout / "Cargo.lock"
    text = lock.read_text(encoding="utf-8")
    stale = re.sub(r'(name = "pyo3"\nversion = ")[^"]+', r"\g<1>0.0.1", text)
    lock.write_text(stale, encoding="utf-8")
    refused = build_elsewhere(checkout)
    left = lock.read_text(encoding="utf-8")
    lock.write_text(text, encoding="utf-8")
    assert left == stale != text
    assert refused.returncode == 1
    assert "problem: Cargo.lock does not fit Cargo.toml\n" in refused.stderr


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("sparc-unknown-linux-gnu", "the targets are: x86_64-unknown-linux-gnu, "),
        ("", "the targets are: x86_64-unknown-linux-gnu, "),
    ],
)
def test_a_target_without_wheels_is_refused(target: str, words: str) -> None:
    refused = run("make", "build", f"TARGET={target}")
    assert refused.returncode == 2
    assert words in refused.stderr


def test_a_target_that_rust_lacks_is_named_with_the_remedy() -> None:
    missing = next(
        (triple for triple in PROJECT.platform_tags if not _has_library(triple.replace("universal2", "aarch64"))),
        None,
    )
    if missing is None:
        pytest.skip("this Rust can build for all targets")
    with pytest.raises(ProblemsError, match="run: rustup target add "):
        require_target(PROJECT, missing)


def _has_library(triple: str) -> bool:
    return Path(toolchain.rustc(PROJECT, "--print=target-libdir", f"--target={triple}")).is_dir()


def test_a_folder_that_is_no_checkout_is_refused(checkout: Path) -> None:
    (checkout / ".git").rename(checkout.parent / "git")
    refused = build_elsewhere(checkout)
    (checkout.parent / "git").rename(checkout / ".git")
    assert refused.returncode == 1
    assert "is not the root of a git checkout with a commit" in refused.stderr


@pytest.mark.usefixtures("dist")
def test_a_panic_in_the_build_that_ships_is_an_exception(tmp_path: Path) -> None:
    """The probe is built in the release profile, and is in no wheel that ships."""
    library = tmp_path / PROJECT.import_name
    shutil.copytree(
        PROJECT.root / "python" / PROJECT.import_name, library, ignore=shutil.ignore_patterns("*.so", "*.pyd")
    )
    triple = toolchain.host_triple(PROJECT)
    compiled = toolchain.build_folder(PROJECT) / PROJECT.python_tags[PROJECT.oldest_python]
    command = [venv_bin("maturin"), "build", "--release", "--locked", "--features=panic-probe", f"--target={triple}"]
    where = [f"--out={tmp_path}", f"--target-dir={compiled}", f"--interpreter={PROJECT.oldest_python}"]
    tags = ["--compatibility=pypi", *(["--zig", "--compatibility=manylinux2014"] if "-linux-" in triple else [])]
    done = run(*command, *where, *tags, cwd=PROJECT.root, **toolchain.build_environment(PROJECT, triple))
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    code = f"import {PROJECT.native_module} as core\nprint(core.BUILD_PROFILE, flush=True)\ncore.panic_probe()"
    probe = run(sys.executable, "-c", code, cwd=tmp_path)
    assert probe.stdout == "release\n"
    assert probe.stderr.rstrip().endswith("pyo3_runtime.PanicException: probe")
    assert probe.returncode == 1


def test_the_build_that_ships_has_no_probe(wheel: Path) -> None:
    (native,) = (content for name, content in members(wheel).items() if name.endswith(".so"))
    assert b"panic_probe" not in native
    assert b"PyInit__core" in native
