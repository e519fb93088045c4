"""Which wheel a machine of CI.yml gets: computed from the tags, and asked of pip and of uv, which install it."""

import json
import os
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from broken import make_wheel
from helpers import PROJECT, run
from resolution import check_wheels, machine_of, resolve
from roadworthy.processes import find_uv
from roadworthy.project import Project

TABLE = resolve(PROJECT)
# Each machine and Python, once: images of one kind, and their digests, are the same to an installer.
ROWS = {(*machine_of(place), python): wheels for (place, python), wheels in TABLE.items()}
# pip is asked for all rows by one process: starting it takes longer than what it does.
PIP = """\
import json, sys
from pip._internal.cli.main import main
for words in json.load(open(sys.argv[1])):
    if main(words):
        sys.exit(f"pip fails: {words}")
"""
OFFLINE = ("--no-index", "--no-deps", "--only-binary=:all:")


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with every wheel that the workflow builds; each holds its own name."""
    folder, made = tmp_path_factory.mktemp("wheels"), tmp_path_factory.mktemp("made")
    for triple in PROJECT.platform_tags:
        for python in PROJECT.python_tags:
            name = PROJECT.wheel_name(python, triple)
            wheel = make_wheel(made, PROJECT.file_stem, str(PROJECT.version), {"chosen": name.encode()})
            wheel.rename(folder / name)
    return folder


def installed(folder: Path) -> str:
    """Return which wheel was installed into a folder."""
    return (folder / "chosen").read_text(encoding="utf-8")


def folder_of(root: Path, row: tuple[str, str, tuple[str, ...], str]) -> Path:
    """Return where a row's wheel is installed."""
    return root / "-".join([row[1], row[2][0], row[3]])


def uv_platform(system: str, platforms: tuple[str, ...]) -> tuple[str, Mapping[str, str]]:
    """Return uv's name for a platform, and the variables that say the rest."""
    kind, _, rest = platforms[0].partition("_")
    if system == "win32":
        return {"amd64": "x86_64", "arm64": "aarch64"}[rest] + "-pc-windows-msvc", {}
    if system == "darwin":
        major, minor, machine = rest.split("_", 2)
        target = {"arm64": "aarch64"}.get(machine, machine) + "-apple-darwin"
        return target, {"MACOSX_DEPLOYMENT_TARGET": f"{major}.{minor}"}
    _, minor, machine = rest.split("_", 2)
    return (f"{machine}-manylinux_2_{minor}" if kind == "manylinux" else f"{machine}-unknown-linux-musl"), {}


def test_every_row_gets_a_wheel_that_is_made_for_it() -> None:
    assert {python for _, python in TABLE} >= {"3.10", "3.13", "3.14t", "3.15", "3.15t"}
    assert len({place for place, _ in TABLE}) == 10
    assert [row for row, found in TABLE.items() if not found] == []
    assert {found[0].split("-")[2] for (_, python), found in TABLE.items() if python == "3.14t"} == {"cp314"}
    # Only on macOS there are two that fit as well: of one processor, and of both.
    doubtful = {place for (place, _), found in TABLE.items() if len(found) > 1}
    assert doubtful == {"macos-15", "macos-15-intel"}
    used = {name for found in TABLE.values() for name in found}
    made = {PROJECT.wheel_name(python, triple) for triple in PROJECT.platform_tags for python in PROJECT.python_tags}
    assert used == made, "a wheel that nobody gets"


def test_pip_takes_what_is_computed(wheels: Path, tmp_path: Path) -> None:
    commands = []
    for row in ROWS:
        _, _, platforms, python = row
        version = python.rstrip("t")
        words = [f"--abi=cp{python.replace('.', '')}", *(f"--platform={each}" for each in platforms)]
        where = [f"--target={folder_of(tmp_path, row)}", f"--find-links={wheels}", f"--python-version={version}"]
        commands.append(
            ["install", "--quiet", "--no-compile", *OFFLINE, *where, *words, "--implementation=cp", PROJECT.name]
        )
    (tmp_path / "commands").write_text(json.dumps(commands), encoding="utf-8")
    asked = run(sys.executable, "-c", PIP, tmp_path / "commands", PIP_CONFIG_FILE=os.devnull, PIP_FIND_LINKS=None)
    assert asked.returncode == 0, asked.stderr
    differing = {row: installed(folder_of(tmp_path, row)) for row in ROWS}
    assert {row: name for row, name in differing.items() if name not in ROWS[row]} == {}


def test_uv_takes_what_is_computed(wheels: Path, tmp_path: Path) -> None:
    def ask(row: tuple[str, str, tuple[str, ...], str]) -> str:
        system, _, platforms, python = row
        name, variables = uv_platform(system, platforms)
        words = (f"--target={folder_of(tmp_path, row)}", f"--find-links={wheels}", f"--python-version={python}")
        command = ("install", "--no-cache", "--no-config", *OFFLINE, *words, f"--python-platform={name}", PROJECT.name)
        asked = run(find_uv(), "pip", *command, cwd=tmp_path, **variables)
        assert asked.returncode == 0, asked.stderr
        return installed(folder_of(tmp_path, row))

    # uv is not asked for a free-threaded Python that is not on this machine.
    rows = [row for row in ROWS if not row[3].endswith("t")]
    with ThreadPoolExecutor() as pool:
        found = dict(zip(rows, pool.map(ask, rows), strict=True))
    assert {row: name for row, name in found.items() if name not in ROWS[row]} == {}


def workflow(tmp_path: Path, *edits: tuple[str, str]) -> Project:
    """Return a project whose CI.yml is this one's with some words in the place of others."""
    text = PROJECT.read(PROJECT.workflow_path)
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    path = tmp_path / PROJECT.workflow_path
    path.parent.mkdir(parents=True)
    path.write_text(text, encoding="utf-8")
    for name in ("pyproject.toml", "Cargo.toml"):
        (tmp_path / name).write_text(PROJECT.read(name), encoding="utf-8")
    return Project(tmp_path)


def said(project: Project) -> list[str]:
    return [one.what.removeprefix(f"{project.workflow_path} verifies on ") for one in check_wheels(project)]


def test_a_machine_without_a_wheel_is_a_problem(tmp_path: Path) -> None:
    assert said(PROJECT) == []
    project = workflow(tmp_path, ("tag: win_arm64", "tag: win32"))
    expected = ["3.10", "3.11", "3.12", "3.13", "3.14", "3.14t", "3.15", "3.15t"]
    assert said(project) == [
        f"windows-11-arm, where CPython {python} gets no wheel, but the sdist" for python in expected
    ]


def test_an_image_that_is_older_than_the_wheels_is_a_problem(tmp_path: Path) -> None:
    project = workflow(tmp_path, ("manylinux_2_17_x86_64.manylinux2014_x86_64", "manylinux_2_28_x86_64"))
    assert {each.split(":")[0] for each in said(project)} == {"quay.io/pypa/manylinux2014_x86_64"}
    newer = ("quay.io/pypa/manylinux2014_x86_64", "quay.io/pypa/manylinux_2_28_x86_64")
    edits = (("manylinux_2_17_x86_64.manylinux2014_x86_64", "manylinux_2_28_x86_64"), newer)
    assert said(workflow(tmp_path / "newer", *edits)) == []


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("macos-latest", "macosx_15_0_arm64", "macosx_10_4_universal2"),
        ("macos-26-intel", "macosx_26_0_x86_64", "macosx_10_4_universal"),
        ("127.0.0.1:5000/a/musllinux_1_1_aarch64@sha256:0", "musllinux_1_1_aarch64", "musllinux_1_0_aarch64"),
        ("manylinux_2_34_x86_64:latest", "manylinux_2_34_x86_64", "linux_x86_64"),
        ("ubuntu-latest", "manylinux_2_39_x86_64", "linux_x86_64"),
        ("self-hosted", "", ""),
        ("some/image:1", "", ""),
    ],
)
def test_other_machines_are_known_or_left_out(name: str, first: str, last: str) -> None:
    tags = machine_of(name)[2]
    assert (tags[:1], tags[-1:]) == (((first,), (last,)) if first else ((), ()))
