"""An update that is killed after any program that it ran: nothing has changed, or the merge stands as if it lived on.

The points are those of its own log of steps: of the command that people give, and of the engine that it starts.
"""

import shutil
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from copies import PROJECT
from helpers import run
from releases import environment, fingerprint
from versioned import Versioned, left_behind, make_template

DRIVER = PROJECT.root / "workshop" / "tests" / "update_until.py"
WORKERS = 2


def visible(project: Versioned) -> dict[str, str]:
    """Return a checkout without what git keeps of objects in no branch, and what it ignores."""
    hidden = (".git/objects/", "target/")
    return {name: value for name, value in fingerprint(project.folder).items() if not name.startswith(hidden)}


def merged(project: Versioned) -> dict[str, str]:
    """Return the files and the index's content, whose file has times in it as well."""
    files = {name: value for name, value in visible(project).items() if not name.startswith(".git/")}
    return {**files, "index": project.git("ls-files", "--stage"), "message": project.read(".git/MERGE_MSG")}


@dataclass(frozen=True)
class Ground:
    """Where every trial starts from, and what every update of it must lead to."""

    folder: Path
    template: Versioned
    copy: Versioned
    commit: str

    def trial(self, name: str) -> Versioned:
        """Return a copy for one trial."""
        folder = self.folder / name
        shutil.copytree(self.copy.folder, folder / "copy", symlinks=True)
        (folder / "tmp").mkdir()
        (folder / "work").mkdir()
        return Versioned(folder / "copy")

    def command(self, copy: Versioned, point: int) -> "CompletedProcess[str]":
        """Give the command, and kill it after a step."""
        return self.drive(copy, copy.folder / "scripts", point, "update")

    def engine(self, copy: Versioned, point: int) -> "CompletedProcess[str]":
        """Start the engine as the command does, and kill it after a step."""
        bare = copy.folder.parent / "work" / "template.git"
        shutil.copytree(self.template.folder / ".git", bare)
        arguments = ("update", "--engine", copy.folder, bare, self.commit)
        return self.drive(copy, self.template.folder / "scripts", point, *arguments)

    def drive(self, copy: Versioned, scripts: Path, point: int, *arguments: object) -> "CompletedProcess[str]":
        variables = {"TMPDIR": str(copy.folder.parent / "tmp"), "PYTHONDONTWRITEBYTECODE": "1"}
        driver = (sys.executable, DRIVER, scripts, point, copy.folder.parent / "steps")
        return run(*driver, *arguments, cwd=copy.folder, **{**environment(), **variables})


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Ground:
    """Make a copy that a newer version of its template has everything for: files, a conflict, and a lock."""
    folder = tmp_path_factory.mktemp("kill")
    template = make_template(folder / "template")
    copy = template.copy(folder / "copy")
    copy.replace("Makefile", "line 3\n", "my line\n")
    copy.write("README.md", "Mine.\n")
    copy.commit()
    template.replace("Makefile", "line 3\n", "line three\n")
    template.replace("scripts/tool.py", "print(", "print(0, ")
    template.write("docs/new.md", "New.\n")
    template.replace("Cargo.toml", "[dependencies]\n", '[dependencies]\nextra = { path = "crates/extra" }\n')
    template.write("crates/extra/Cargo.toml", '[package]\nname = "extra"\nversion = "0.3.0"\nedition = "2024"\n')
    template.write("crates/extra/src/lib.rs", "")
    return Ground(folder, template, copy, template.release("1.1.0"))


@dataclass(frozen=True)
class Whole:
    """An update that was not killed."""

    steps: list[str]
    result: dict[str, str]


def whole(ground: Ground, name: str, start: Callable[[Versioned, int], "CompletedProcess[str]"]) -> Whole:
    copy = ground.trial(name)
    done = start(copy, 0)
    assert done.returncode == 1, done.stderr
    assert "problem: both sides have changed the same in Makefile" in done.stderr
    steps = (copy.folder.parent / "steps").read_text(encoding="utf-8").splitlines()
    assert f"steps: {len(steps)}, programs: {len(steps)}" in done.stdout, "a program was started that is not in the log"
    return Whole(steps, merged(copy))


def try_points(steps: list[str], trial: Callable[[int], None]) -> None:
    """Try all points, some at the same time, and fail with every one that fails."""

    def attempt(point: int) -> str:
        try:
            trial(point)
        except AssertionError as error:
            return f"after step {point}, {steps[point - 1]}: {error}"
        return ""

    with ThreadPoolExecutor(WORKERS) as pool:
        failed = [text for text in pool.map(attempt, range(1, len(steps) + 1)) if text]
    assert not failed, "\n".join(failed)


def require_whole(ground: Ground, copy: Versioned, result: dict[str, str]) -> None:
    """Make sure that the same command leads to the result, and leaves nothing behind."""
    again = ground.command(copy, 0)
    assert "problem: both sides have changed the same in Makefile" in again.stderr, again.stderr
    assert merged(copy) == result
    assert list((copy.folder.parent / "tmp").iterdir()) == [], "left behind"
    assert not (copy.folder / ".git" / "template-update").exists()


def test_an_engine_that_is_killed_after_any_step_has_changed_nothing_or_has_done_its_work(ground: Ground) -> None:
    complete = whole(ground, "engine", ground.engine)
    stands = []

    def trial(point: int) -> None:
        copy = ground.trial(f"engine-{point}")
        before = visible(copy)
        killed = ground.engine(copy, point)
        assert killed.returncode == -9, f"it ended by itself: {killed.returncode} {killed.stderr}"
        if visible(copy) == before:
            return
        stands.append(point)
        assert merged(copy) == complete.result
        refused = ground.command(copy, 0)
        assert "problem: the checkout has changes that are not committed" in refused.stderr, refused.stderr
        copy.git("reset", "--merge")
        require_whole(ground, copy, complete.result)

    try_points(complete.steps, trial)
    first = next(number for number, step in enumerate(complete.steps, start=1) if " cherry-pick " in step)
    assert sorted(stands) == list(range(first, len(complete.steps) + 1)), "something was written at another point"


def test_a_command_that_is_killed_after_any_step_has_changed_nothing_or_has_done_its_work(ground: Ground) -> None:
    complete = whole(ground, "command", ground.command)

    def trial(point: int) -> None:
        copy = ground.trial(f"command-{point}")
        before = visible(copy)
        killed = ground.command(copy, point)
        assert killed.returncode == -9, f"it ended by itself: {killed.returncode} {killed.stderr}"
        assert visible(copy) == before
        if point in {1, len(complete.steps)}:
            require_whole(ground, copy, complete.result)

    try_points(complete.steps, trial)


@pytest.mark.parametrize(("signal", "code"), [("KILL", -9), ("INT", 1)])
def test_an_engine_that_is_ended_while_git_writes_has_done_its_work(ground: Ground, signal: str, code: int) -> None:
    """A filter of the checkout ends whoever has started git, in the middle of git's work; Ctrl-C has to wait."""
    complete = whole(ground, f"plain-{signal}", ground.engine)
    copy = ground.trial(f"while-git-writes-{signal}")
    killer = copy.folder.parent / "killer"
    killer.write_text(f"#!/bin/sh\nkill -{signal} $(ps -o ppid= -p $PPID)\nexec cat\n", encoding="utf-8")
    killer.chmod(0o755)
    copy.git("config", "filter.killer.smudge", f"exec {killer}")
    (copy.folder / ".git" / "info").mkdir(exist_ok=True)
    (copy.folder / ".git" / "info" / "attributes").write_text("docs/new.md filter=killer\n", encoding="utf-8")
    ended = ground.engine(copy, 0)
    assert ended.returncode == code, ended.stderr
    # Git goes on by itself; the last thing that it writes is the message.
    for _ in range(500):
        if (copy.folder / ".git" / "MERGE_MSG").exists():
            break
        time.sleep(0.02)
    (copy.folder / ".git" / "info" / "attributes").unlink()
    assert merged(copy) == complete.result


def test_a_second_update_at_the_same_time_is_refused(ground: Ground) -> None:
    from filelock import FileLock  # noqa: PLC0415 - only here

    copy = ground.trial("twice")
    (copy.folder / "target" / "template-update").mkdir(parents=True)
    before = visible(copy)
    with FileLock(copy.folder / "target" / "template-update" / "lock"):
        refused = ground.command(copy, 0)
    assert refused.returncode == 1
    assert "problem: another template-update is running in this checkout" in refused.stderr
    assert visible(copy) == before
    assert left_behind(copy) == []
