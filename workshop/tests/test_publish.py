"""Publishing by hand: the commands of docs/publishing.md as they stand there, to an index on loopback."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from helpers import PROJECT
from loopback_clients import Done, Scene
from loopback_samples import INFO, SDIST, TOKEN, WHEEL, make_wheel, wheel_files
from roadworthy.processes import find_uv
from roadworthy.sums import write_sums

TITLE = "### By hand, with a token"
TEXT = (
    (PROJECT.root / "docs" / "publishing.md")
    .read_text(encoding="utf-8")
    .split(f"\n{TITLE}\n", 1)[1]
    .split("\n### ", 1)[0]
)
COMMANDS = re.findall(r"^\$ (.*?)(?: +#.*)?$", TEXT, re.MULTILINE)
# Where each uploads to, unless it is told otherwise, is PyPI.
ADDRESSES = {"uv publish": "UV_PUBLISH_URL", "twine upload": "TWINE_REPOSITORY_URL"}
tools = pytest.mark.parametrize("tool", ADDRESSES)


def command_of(words: str) -> str:
    """Return the one command of the document with these words."""
    (found,) = [command for command in COMMANDS if words in command]
    return str(found)


def told(tool: str, token: str) -> dict[str, str]:
    """Return the variables that the document exports for a tool, with a token in the place of its dots."""
    exported = command_of(f"export {tool.split(maxsplit=1)[0].upper()}_").removeprefix("export ")
    return dict(pair.replace("…", token).split("=", 1) for pair in exported.split())


def shell(scene: Scene, command: str, **variables: str) -> Done:
    """Run a command in a folder that has the artefact `release` of a run, and .venv."""
    if not (scene.folder / ".venv").exists():
        (scene.folder / ".venv").symlink_to(PROJECT.root / ".venv")
        write_sums(scene.folder / PROJECT.sums.name, scene.folder / "dist")
    return scene.call("bash", "-c", command, **variables)


def upload(scene: Scene, tool: str, token: str = TOKEN) -> Done:
    """Upload as the document says."""
    return shell(scene, command_of(tool), **{ADDRESSES[tool]: scene.at.upload}, **told(tool, token))


def test_the_document_checks_before_it_sends() -> None:
    checks = [COMMANDS.index(command_of(words)) for words in ("sha256sum", "make check-dist ALL=1")]
    assert max(checks) < min(COMMANDS.index(command_of(tool)) for tool in ADDRESSES)


@tools
def test_every_file_is_sent_as_it_is_with_the_token_and_only_once(scene: Scene, tool: str) -> None:
    done = upload(scene, tool)
    assert done.returncode == 0, done.stdout + done.stderr
    stored = dict(scene.index.files)
    assert {name: file.content for name, file in stored.items()} == {
        path.name: path.read_bytes() for path in scene.samples
    }
    assert [(file.publisher, file.attestations) for file in stored.values()] == [(None, [])] * 2
    assert TOKEN not in done.stdout + done.stderr
    assert upload(scene, tool).returncode == 0
    assert scene.index.files == stored


@tools
def test_a_release_that_is_half_there_is_completed(scene: Scene, tool: str) -> None:
    first = {"UV_PUBLISH_URL": scene.at.upload, "UV_PUBLISH_TOKEN": TOKEN}
    assert scene.call(find_uv(), "publish", scene.samples[1], **first).returncode == 0
    there = dict(scene.index.files)
    assert there.keys() == {SDIST}
    done = upload(scene, tool)
    assert done.returncode == 0, done.stdout + done.stderr
    assert scene.index.files.keys() == {WHEEL, SDIST}
    assert scene.index.files[SDIST] == there[SDIST]


@tools
def test_other_bytes_of_a_name_that_is_there_end_it(scene: Scene, tool: str) -> None:
    assert upload(scene, tool).returncode == 0
    before = dict(scene.index.files)
    scene.samples[0].write_bytes(make_wheel({**wheel_files(), f"{INFO}/RECORD": b""}))
    done = upload(scene, tool)
    assert done.returncode != 0
    assert f"File already exists ('{WHEEL}'" in done.stdout + done.stderr
    assert scene.index.files == before


@tools
def test_a_token_that_is_refused_is_told_and_not_shown(scene: Scene, tool: str) -> None:
    other = "pypi-of-another-project"
    done = upload(scene, tool, other)
    assert done.returncode != 0
    assert "403" in done.stdout + done.stderr
    assert other not in done.stdout + done.stderr
    assert scene.index.files == {}


@tools
def test_without_a_token_nothing_is_sent(scene: Scene, tool: str) -> None:
    done = shell(scene, command_of(tool), **{ADDRESSES[tool]: scene.at.upload})
    assert done.returncode != 0
    assert scene.index.files == {}


def change(path: Path) -> None:
    path.write_bytes(b"other")


@pytest.mark.parametrize("spoil", [change, Path.unlink])
def test_files_that_are_not_those_of_the_run_are_noticed(scene: Scene, spoil: Callable[[Path], None]) -> None:
    command = command_of("sha256sum")
    done = shell(scene, command)
    assert done.returncode == 0, done.stderr
    spoil(scene.samples[0])
    done = shell(scene, command)
    assert done.returncode != 0
    assert f"dist/{WHEEL}: FAILED" in done.stdout
