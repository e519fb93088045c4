"""Publishing by hand, to an index on loopback. What this machine builds stands for the complete set."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import commands
import project
import publish
import toolchain
from artefacts import read_sums, sha256
from broken import repack_wheel
from console import ProblemsError
from helpers import run
from index import simple_address, upload_address
from pipeline_index import PackageIndex, running
from project import ROOT

TOKEN = "pypi-a-token-for-one-project"  # noqa: S105 - of an index that is gone after the test


@pytest.fixture
def built(dist: Path, tmp_path: Path) -> Path:
    """Return the artefact of a run: its files, and their hashes."""
    shutil.copytree(dist, tmp_path / "release" / "dist")
    shutil.copy(ROOT / "SHA256SUMS", tmp_path / "release")
    return tmp_path / "release"


@pytest.fixture
def host_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this machine's platform be the only one that is published for."""
    host, tags = toolchain.host_triple(), project.platform_tags()
    monkeypatch.setattr(project, "platform_tags", lambda: {host: tags[host]})


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch) -> Iterator[PackageIndex]:
    """Return an index that has nothing yet, and put its token where it is looked for."""
    monkeypatch.setenv(publish.TOKEN, TOKEN)
    with running(PackageIndex(token=TOKEN)) as index:
        yield index


def run_publish(built: Path | str, index: PackageIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the script in this process."""
    monkeypatch.setattr(sys, "argv", ["publish.py", f"--index={index.upload}", "--", str(built)])
    publish.main()


def refused(built: Path | str, index: PackageIndex, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Run the script, and return the problems that it finds."""
    with pytest.raises(ProblemsError) as caught:
        run_publish(built, index, monkeypatch)
    return [one.what for one in caught.value.problems]


def names(folder: Path) -> set[str]:
    return {path.name for path in (folder / "dist").iterdir()}


@pytest.mark.usefixtures("host_only")
def test_every_file_is_sent_as_it_is_with_the_token_and_only_once(
    built: Path, index: PackageIndex, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run_publish(built, index, monkeypatch)
    sums = read_sums(built / "SHA256SUMS")
    assert {sent["filename"]: sent["sha256_digest"] for sent in index.uploads} == sums
    assert {name: sha256(content) for name, content in index.files.items()} == sums
    assert {(sent["name"], sent["version"]) for sent in index.uploads} == {(project.name(), str(project.version()))}
    assert all("attestations" not in sent for sent in index.uploads)
    told = capsys.readouterr()
    assert told.out.splitlines() == [
        f"{len(sums)} files of {project.version()} are there, without attestations",
        f"prove it:           make verify VERSION={project.version()} INDEX={index.simple} SUMS={built}/SHA256SUMS",
    ]
    assert TOKEN not in told.out + told.err
    run_publish(built, index, monkeypatch)
    assert len(index.uploads) == len(sums)


@pytest.mark.usefixtures("host_only")
def test_a_release_that_is_half_there_is_completed(
    built: Path, index: PackageIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = max(names(built))
    index.files[there] = (built / "dist" / there).read_bytes()
    run_publish(built, index, monkeypatch)
    assert {sent["filename"] for sent in index.uploads} == names(built) - {there}
    assert index.files.keys() == names(built)


@pytest.mark.usefixtures("host_only")
def test_other_bytes_of_a_name_that_is_there_end_it(
    built: Path, index: PackageIndex, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    there = min(names(built))
    index.files[there] = b"other"
    assert refused(built, index, monkeypatch) == ["the index did not take all of them"]
    assert index.files[there] == b"other"
    assert there in capsys.readouterr().err


@pytest.mark.usefixtures("host_only")
def test_a_token_that_is_refused_is_told_and_not_shown(
    built: Path, index: PackageIndex, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(publish.TOKEN, "pypi-of-another-project")
    assert refused(built, index, monkeypatch) == ["the index did not take all of them"]
    assert index.uploads == []
    said = capsys.readouterr().err
    assert "403" in said
    assert "pypi-of-another-project" not in said


@pytest.mark.usefixtures("host_only")
@pytest.mark.parametrize("token", [None, ""])
def test_without_a_token_nothing_is_sent(
    built: Path, index: PackageIndex, monkeypatch: pytest.MonkeyPatch, token: str | None
) -> None:
    if token is None:
        monkeypatch.delenv(publish.TOKEN)
    else:
        monkeypatch.setenv(publish.TOKEN, token)
    assert refused(built, index, monkeypatch) == ["there is no token in UV_PUBLISH_TOKEN"]
    assert (index.asked, index.uploads) == ([], [])


@pytest.mark.usefixtures("host_only")
def test_files_that_are_not_those_of_the_run_are_refused(
    built: Path, index: PackageIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The gate finds nothing wrong with them: they are well made."""
    (wheel,) = (built / "dist").glob("*-abi3-*.whl")
    repack_wheel(wheel, built / "dist", lambda _: None)
    (problem,) = refused(built, index, monkeypatch)
    assert problem.startswith(f"{wheel} has the SHA-256 ")
    assert (index.asked, index.uploads) == ([], [])


def test_an_incomplete_set_is_refused_before_a_token_is_asked_for(built: Path) -> None:
    """This machine's own, where nine platforms are to be published for."""
    command = (sys.executable, ROOT / "scripts" / "publish.py", "--index=http://127.0.0.1:9/legacy/", "--", built)
    done = run(*command, UV_PUBLISH_TOKEN=None)
    assert done.returncode == 1
    assert done.stderr.count("[complete-set]") >= 24
    assert f"problem: {built / 'dist'} does not pass the gate; what is wrong stands above\n" in done.stderr
    assert "token" not in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.usefixtures("host_only")
def test_without_a_folder_what_lies_in_the_checkout_is_not_sent(
    built: Path, index: PackageIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(built)
    assert refused("", index, monkeypatch) == ["no folder is given"]
    assert index.uploads == []


def test_an_index_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(publish.TOKEN, TOKEN)
    with pytest.raises(ProblemsError, match=r"INDEX=example is no index"):
        publish.upload([], "example")


@pytest.mark.parametrize("name", ["pypi", "testpypi"])
def test_what_is_there_is_asked_of_the_index_that_is_uploaded_to(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not with a real one: what uv would be told."""
    monkeypatch.setenv(publish.TOKEN, TOKEN)
    told: list[str] = []

    def record(*command: object, **_: object) -> object:
        told.extend(map(str, command))
        raise KeyboardInterrupt

    monkeypatch.setattr(commands, "run", record)
    with pytest.raises(KeyboardInterrupt):
        publish.upload([], name)
    options = dict(word.split("=", 1) for word in told if "=" in word)
    assert options["--check-url"] == simple_address(options["--publish-url"])
    assert options["--publish-url"] == upload_address(name)
    assert not any(TOKEN in word for word in told)
