"""`make rehearse` as people give it; the whole of it is run by .ci/run, and each way to break it by test_faults_*."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from filelock import FileLock

from helpers import PROJECT, copy_checkout, run
from roadworthy.releasing.version import Release
from test_rehearsing import MACHINE, WORKFLOW, make_place, running_below, wait_for
from workshop.rehearsing import whole
from workshop.rehearsing.rehearsal import on_loopback


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return another checkout of the same content, all of it committed."""
    return copy_checkout(tmp_path_factory.mktemp("rehearse") / "checkout")


@pytest.fixture
def temporary(tmp_path: Path) -> Path:
    """Return a temporary folder of the test's own."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    return folder


@pytest.fixture
def dirty(copy: Path) -> Iterator[Path]:
    """Return the checkout with a file that is not committed."""
    path = copy / "notes.txt"
    path.write_text("mine", encoding="utf-8")
    yield path
    path.unlink()


def start(copy: Path, temporary: Path) -> "subprocess.Popen[str]":
    """Start a rehearsal, and return when it has its scratch copy and does something in it."""
    command = [sys.executable, "scripts/template.py", "rehearse"]
    environment = {**os.environ, "TMPDIR": str(temporary)}
    process = subprocess.Popen(
        command, cwd=copy, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    wait_for(lambda: list(temporary.glob("rehearsal-*/remote.git")) and running_below(temporary))
    return process


def test_a_workflow_that_breaks_a_rule_is_not_rehearsed(copy: Path, temporary: Path) -> None:
    workflow = copy / ".github" / "workflows" / PROJECT.workflow_file
    text = workflow.read_text(encoding="utf-8")
    broken = text.replace("runner: macos-15-intel", "runner: macos-13").replace("  cancel-in-progress: ", "  # ")
    workflow.write_text(broken.replace("    timeout-minutes: 30\n", ""), encoding="utf-8")
    done = run(sys.executable, "scripts/template.py", "rehearse", cwd=copy, TMPDIR=str(temporary))
    workflow.write_text(text, encoding="utf-8")
    assert (done.returncode, done.stdout) == (1, "")
    for what in (
        "wheels may take 360 minutes",
        "wheels runs on macos-13 [A14]",
        "pull request: an older run is not ended",
    ):
        assert f"problem: {PROJECT.workflow_path}: {what}\n  the rule is: " in done.stderr
    assert list(temporary.glob("rehearsal-*")) == []


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["KEEP=yes"], ": 'yes' is not 1, its only value"),
        (["VERSION=0.2"], "'0.2' is no version of a release; write X.Y.Z"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(arguments: list[str], complaint: str) -> None:
    done = run(sys.executable, "scripts/template.py", "rehearse", *(f"--{word.lower()}" for word in arguments))
    named = run("make", "rehearse", *arguments)
    assert done.returncode == named.returncode == 2
    for each in (done, named):
        assert complaint in each.stderr
        assert "Traceback" not in each.stderr


def test_what_is_not_committed_is_not_rehearsed(copy: Path, dirty: Path, temporary: Path) -> None:
    done = run(sys.executable, "scripts/template.py", "rehearse", cwd=copy, TMPDIR=str(temporary))
    assert done.returncode == 1
    assert f"problem: a commit is rehearsed, and this is in none: {dirty.name}" in done.stderr
    assert sorted(path.suffix for path in temporary.iterdir()) == [".lock", ".log"]


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_whoever_ends_it_leaves_nothing_running_and_nothing_behind(copy: Path, temporary: Path, how: int) -> None:
    process = start(copy, temporary)
    process.send_signal(how)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "Traceback" not in said
    assert sorted(path.suffix for path in temporary.iterdir()) == [".lock", ".log"]
    assert running_below(temporary) == []


def test_two_run_side_by_side(copy: Path, temporary: Path) -> None:
    first = start(copy, temporary)
    second = start(copy, temporary)
    wait_for(lambda: len(list(temporary.glob("rehearsal-*/remote.git"))) == 2)
    for process in (first, second):
        assert process.poll() is None
        process.terminate()
        process.communicate(timeout=60)
    assert [path for path in temporary.iterdir() if path.is_dir()] == []


def test_what_a_killed_one_left_is_removed_by_the_next_and_nothing_else(
    copy: Path, temporary: Path, dirty: Path
) -> None:
    dirty.unlink()
    process = start(copy, temporary)
    process.kill()
    process.communicate(timeout=60)
    for number in running_below(temporary):
        os.kill(int(number), signal.SIGKILL)
    wait_for(lambda: not running_below(temporary))
    (left,) = [path for path in temporary.iterdir() if path.is_dir()]
    others = [temporary / f"rehearsal-{PROJECT.name}-running", temporary / "rehearsal-another", temporary / "mine"]
    for folder in others:
        folder.mkdir()
    dirty.write_text("mine", encoding="utf-8")
    with FileLock(f"{others[0]}.lock"):
        run(sys.executable, "scripts/template.py", "rehearse", cwd=copy, TMPDIR=str(temporary))
    assert not left.exists()
    assert not left.with_name(f"{left.name}.log").exists()
    assert [folder for folder in others if not folder.is_dir()] == []


def test_a_commit_without_news_can_be_rehearsed(copy: Path, tmp_path: Path) -> None:
    """So can the commit that a release has made."""
    program = (
        "import sys; sys.path[:0] = ['.', 'roadworthy/src']; from pathlib import Path;"
        "from workshop.rehearsing.rehearsal import prepare_copy; from workshop.rehearsing.scratch import has_fragment;"
        "from roadworthy.project import Project;"
        "place, release = prepare_copy(Project(Path.cwd()), Path(sys.argv[1]), None);"
        "print(release.text, has_fragment(place)); print(place.git('status', '--porcelain'))"
    )
    first = run(sys.executable, "-c", program, made(tmp_path / "first"), cwd=copy)
    assert first.stderr == ""
    version = first.stdout.split()[0]
    assert first.stdout == f"{version} True\n\n"
    released = run(
        sys.executable,
        copy / "workshop" / "tests" / "release_unproven.py",
        *("never", "--yes", "--", version),
        cwd=tmp_path / "first" / "checkout",
        UV_PUBLISH_URL="http://127.0.0.1:9/legacy/",
        GIT_CONFIG_GLOBAL=str(tmp_path / "first" / "gitconfig"),
    )
    assert released.returncode == 0, released.stderr
    second = run(sys.executable, "-c", program, made(tmp_path / "second"), cwd=tmp_path / "first" / "checkout")
    assert second.stderr == "note: no news fragment waits, so the scratch copy gets one\n"
    assert second.stdout.split()[1] == "True"
    assert second.stdout.split()[0] != version


def test_a_shallow_checkout_can_be_rehearsed(copy: Path, tmp_path: Path) -> None:
    git = ("git", "-c", "user.name=Test", "-c", "user.email=test@localhost", "-c", "commit.gpgsign=false")
    run(*git, "commit", "--quiet", "--allow-empty", "--message=Second", cwd=copy)
    shallow = tmp_path / "shallow"
    cloned = run("git", "clone", "--quiet", "--depth=1", f"file://{copy}", shallow)
    assert cloned.returncode == 0, cloned.stderr
    program = (
        "import sys; sys.path[:0] = ['.', 'roadworthy/src']; from pathlib import Path;"
        "from workshop.rehearsing.rehearsal import prepare_copy; from roadworthy.project import Project;"
        "place, _ = prepare_copy(Project(Path.cwd()), Path(sys.argv[1]), None);"
        "print(place.git('rev-list', '--count', 'HEAD', cwd=place.remote), place.git('rev-parse', 'HEAD~1^{tree}'))"
    )
    done = run(sys.executable, "-c", program, made(tmp_path / "place"), cwd=shallow)
    tree = run("git", "rev-parse", "HEAD^{tree}", cwd=copy).stdout.strip()
    assert done.stdout.split() == ["2", tree], done.stderr


def made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def test_what_is_kept_can_be_used_until_it_is_ended(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = make_place(tmp_path, WORKFLOW)
    place.git("push", "--quiet", "origin", "main")
    used = []

    def use() -> None:
        said = capsys.readouterr().out
        address, remote = re.search(r"--index-url (\S+)", said), re.search(r"git clone (\S+)", said)
        assert address
        assert remote
        used.append(run("git", "clone", "--quiet", remote[1], tmp_path / "clone").returncode)
        used.append(requests.get(address[1], timeout=10).status_code)
        raise KeyboardInterrupt

    with on_loopback(PROJECT, place, Release("0.1.1"), MACHINE) as rehearsal, pytest.raises(KeyboardInterrupt):
        whole.keep(rehearsal, use)
    assert used == [0, 200]
