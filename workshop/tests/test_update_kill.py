"""An update that is killed, or whose git is: nothing has changed, or it is done, or what is printed leads back.

The points are those of its own log of steps, and each file that git writes.
"""

import re
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
# Of the steps before anything is written, one of so many is tried.
FEW = 12


def visible(project: Versioned) -> dict[str, str]:
    """Return a checkout without what git keeps of objects in no branch, and what it ignores."""
    hidden = (".git/objects/", "target/")
    return {name: value for name, value in fingerprint(project.folder).items() if not name.startswith(hidden)}


def files(project: Versioned) -> dict[str, str]:
    """Return the files alone."""
    return {name: value for name, value in visible(project).items() if not name.startswith(".git/")}


def merged(project: Versioned) -> dict[str, str]:
    """Return the files and the index's content, whose file has times in it as well."""
    index, message = project.git("ls-files", "--stage"), project.read(".git/MERGE_MSG")
    return {**files(project), "index": index, "message": message}


@dataclass(frozen=True)
class Ground:
    """Where every trial starts from, and what every update of it must lead to."""

    folder: Path
    template: Versioned
    copy: Versioned

    def trial(self, name: str) -> Versioned:
        """Return a copy for one trial."""
        folder = self.folder / name
        shutil.copytree(self.copy.folder, folder / "copy", symlinks=True)
        (folder / "tmp").mkdir()
        (folder / "template").symlink_to(self.template.folder)
        return Versioned(folder / "copy")

    def workshop(self, copy: Versioned, point: int) -> "CompletedProcess[str]":
        """Start the workshop as the door does, and kill it after a step."""
        variables = {"TMPDIR": str(copy.folder.parent / "tmp"), "PYTHONDONTWRITEBYTECODE": "1"}
        driver = (sys.executable, DRIVER, self.template.folder, point, copy.folder.parent / "steps", "update")
        return run(*driver, cwd=copy.folder, **{**environment(), **variables})


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Ground:
    """Make a copy that a newer version of its template has everything for.

    That is: files that are new, moved, or beside one that is in conflict; the engine, the Makefile, the door, a lock.
    """
    folder = tmp_path_factory.mktemp("kill")
    template = make_template(folder / "template")
    for name in ("link", "other"):
        template.write(f"docs/{name}.md", "".join(f"{number} of {name}\n" for number in range(20)))
    template.release("1.0.1")
    copy = template.copy(folder / "copy")
    copy.replace("Makefile", "line 3\n", "my line\n")
    copy.write("README.md", "Mine.\n")
    (copy.folder / "docs" / "link.md").unlink()
    (copy.folder / "docs" / "link.md").symlink_to("guide.md")
    copy.commit()
    template.replace("Makefile", "line 3\n", "line three\n")
    template.replace("scripts/tool.py", 'print("line")', 'print("line", "three")')
    template.write("scripts/template.py", template.read("scripts/template.py") + "# New.\n")
    template.write("docs/new.md", "New.\n")
    template.write("docs/link.md", template.read("docs/link.md") + "more\n")
    template.git("mv", "docs/other.md", "docs/moved.md")
    template.git("mv", "roadworthy/src/roadworthy/ci/change.py", "roadworthy/src/roadworthy/ci/olds.py")
    template.replace("Cargo.toml", "[dependencies]\n", '[dependencies]\nextra = { path = "crates/extra" }\n')
    template.write("crates/extra/Cargo.toml", '[package]\nname = "extra"\nversion = "0.3.0"\nedition = "2024"\n')
    template.write("crates/extra/src/lib.rs", "")
    template.release("1.1.0")
    return Ground(folder, template, copy)


@dataclass(frozen=True)
class Whole:
    """An update that was not killed."""

    steps: list[str]
    result: dict[str, str]


@pytest.fixture(scope="module")
def whole(ground: Ground) -> Whole:
    copy = ground.trial("whole")
    done = ground.workshop(copy, 0)
    assert done.returncode == 1, done.stderr
    assert CONFLICTS in done.stderr, done.stderr
    steps = (copy.folder.parent / "steps").read_text(encoding="utf-8").splitlines()
    assert f"steps: {len(steps)}, programs: {len(steps)}" in done.stdout, "a program was started that is not in the log"
    return Whole(steps, merged(copy))


CONFLICTS = "problem: both sides have changed the same in Makefile, docs/link.md, docs/link.md~"


def try_points(points: list[int], steps: list[str], trial: Callable[[int], None]) -> None:
    """Try all points, some at the same time, and fail with every one that fails."""

    def attempt(point: int) -> str:
        try:
            trial(point)
        except AssertionError as error:
            return f"after step {point}, {steps[point - 1]}: {error}"
        return ""

    with ThreadPoolExecutor(WORKERS) as pool:
        failed = [text for text in pool.map(attempt, points) if text]
    assert not failed, "\n".join(failed)


def require_whole(ground: Ground, copy: Versioned, whole: Whole) -> None:
    """Make sure that the same command leads to the result, and leaves nothing behind."""
    again = ground.workshop(copy, 0)
    assert CONFLICTS in again.stderr, again.stderr
    assert merged(copy) == whole.result
    assert list((copy.folder.parent / "tmp").iterdir()) == [], "left behind"
    assert not (copy.folder / ".git" / "template-update").exists()


def test_an_update_that_is_killed_after_any_step_has_changed_nothing_or_has_done_its_work(
    ground: Ground, whole: Whole
) -> None:
    stands = []

    def trial(point: int) -> None:
        copy = ground.trial(f"step-{point}")
        before = visible(copy)
        killed = ground.workshop(copy, point)
        assert killed.returncode == -9, f"it ended by itself: {killed.returncode} {killed.stderr}"
        if visible(copy) != before:
            stands.append(point)
            assert merged(copy) == whole.result
            refused = ground.workshop(copy, 0)
            assert "problem: there are conflicts in Makefile" in refused.stderr, refused.stderr
            copy.git("reset", "--merge")
        require_whole(ground, copy, whole)

    first = next(number for number, step in enumerate(whole.steps, start=1) if " cherry-pick " in step)
    last = list(range(first - 2, len(whole.steps) + 1))
    try_points([*range(1, first - 2, FEW), *last], whole.steps, trial)
    assert sorted(stands) == list(range(first, len(whole.steps) + 1)), "something was written at another point"


@pytest.mark.parametrize(("signal", "code"), [("KILL", -9), ("INT", 1)])
def test_an_update_that_is_ended_while_git_writes_has_done_its_work(
    ground: Ground, whole: Whole, signal: str, code: int
) -> None:
    """A filter of the checkout ends whoever has started git, in the middle of git's work; Ctrl-C has to wait."""
    copy = ground.trial(f"while-git-writes-{signal}")
    use_filter(copy, "docs/new.md", f"kill -{signal} $(ps -o ppid= -p $PPID)")
    ended = ground.workshop(copy, 0)
    assert ended.returncode == code, ended.stderr
    # Git goes on by itself; the last thing that it writes is the message.
    for _ in range(500):
        if (copy.folder / ".git" / "MERGE_MSG").exists():
            break
        time.sleep(0.02)
    assert merged(copy) == whole.result


def use_filter(copy: Versioned, path: str, command: str) -> None:
    """Let git run a command each time before it writes a file."""
    script = copy.folder.parent / "filter"
    script.write_text(f"#!/bin/sh\n{command}\nexec cat\n", encoding="utf-8")
    script.chmod(0o755)
    copy.git("config", "filter.test.smudge", f"exec {script}")
    copy.git("config", "filter.test.clean", "cat")
    copy.git("config", "filter.test.required", "true")
    (copy.folder / ".git" / "info").mkdir(exist_ok=True)
    (copy.folder / ".git" / "info" / "attributes").write_text(f"{path} filter=test\n", encoding="utf-8")


def follow(copy: Versioned, remedy: str) -> None:
    """Do what is printed, to the letter."""
    steps = re.sub(r"^ *when no git runs here any more: |; and run the same again$", "", remedy.strip()).split("; ")
    assert any("git reset" in step for step in steps), remedy
    for step in steps:
        if step.startswith("remove "):
            (copy.folder / step.removeprefix("remove ")).unlink()
        else:
            done = run("sh", "-c", step, cwd=copy.folder, **copy.variables())
            assert done.returncode == 0, done.stderr


# What git writes in this order; what is printed must lead back from each, also where the update's own files are half
# written.
WRITTEN = (
    *("Makefile", "crates/extra/src/lib.rs", "docs/moved.md", "roadworthy/src/roadworthy/ci/olds.py"),
    *("scripts/template.py", "template.toml"),
)


@pytest.mark.parametrize(
    ("path", "end"), [*((path, "kill -9 $PPID") for path in WRITTEN), *((path, "exit 1") for path in WRITTEN[::3])]
)
def test_a_git_that_ends_while_it_writes_leaves_a_copy_that_what_is_printed_leads_back_from(
    ground: Ground, whole: Whole, path: str, end: str
) -> None:
    """Killed, or by itself: a filter that fails is fatal to it, as a full disk is."""
    copy = ground.trial(f"{path.replace('/', '-')}-{end[:4]}")
    copy.git("config", "template.folder", ground.template.folder)
    before = files(copy)
    use_filter(copy, path, end)
    ended = copy.update()
    assert ended.returncode == 1
    assert "problem: an update was ended while git wrote its files" in ended.stderr, ended.stderr
    assert files(copy) != before, "nothing was written"
    (copy.folder / ".git" / "info" / "attributes").unlink()
    command = re.search(r"this says how to go on: python3 (\S+) update\n", ended.stderr)
    assert command, ended.stderr
    said = run(sys.executable, command[1], "update", cwd=copy.folder, **copy.variables())
    assert said.returncode == 1
    assert "problem: an update was ended while git wrote its files" in said.stderr, said.stderr
    follow(copy, said.stderr.splitlines()[-1])
    assert files(copy) == before
    assert copy.git("status", "--porcelain") == ""
    again = copy.update()
    assert CONFLICTS in again.stderr, again.stderr
    assert merged(copy) == whole.result


def test_a_second_update_at_the_same_time_is_refused(ground: Ground) -> None:
    from filelock import FileLock  # noqa: PLC0415 - only here

    copy = ground.trial("twice")
    (copy.folder / "target" / "template-update").mkdir(parents=True)
    before = visible(copy)
    with FileLock(copy.folder / "target" / "template-update" / "lock"):
        refused = ground.workshop(copy, 0)
    assert refused.returncode == 1
    assert "problem: another template-update is running in this checkout" in refused.stderr
    assert visible(copy) == before
    assert left_behind(copy) == []
