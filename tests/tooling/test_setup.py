import re
import shutil
import sys
from pathlib import Path

import pytest

import lock
import toolchain
from console import ProblemsError
from helpers import copy_checkout, run
from project import ROOT, find_uv, oldest_python, requires_python
from pythons import list_pythons, newest_of_each

ENV = "/usr/bin/env"


def test_a_python_that_is_too_old_is_told_in_one_line() -> None:
    old = [python for python in newest_of_each(list_pythons(find_uv())) if python.version < (3, 10)]
    if not old:
        pytest.skip("no Python older than the floor is on this machine")
    for python in old:
        refused = run(python.path, ROOT / "scripts" / "bootstrap.py")
        assert refused.returncode == 1
        assert refused.stderr.startswith("bootstrap: ")
        assert f"is Python {python.name}, and {oldest_python()} or newer is needed" in refused.stderr
        assert refused.stderr.count("\n") == 1


def without(*tools: str, keep: tuple[str, ...] = ("git", "make", "awk", "sh", "python3"), folder: Path) -> str:
    """Return a PATH that has a few tools, and not those named."""
    for tool in keep:
        if tool not in tools:
            (folder / tool).symlink_to(str(shutil.which(tool)))
    return str(folder)


def test_a_missing_rust_is_told_with_the_remedy(tmp_path: Path) -> None:
    refused = run(sys.executable, ROOT / "scripts" / "toolchain.py", PATH=without("cargo", folder=tmp_path))
    assert refused.returncode == 1
    what, remedy = refused.stderr.splitlines()
    assert what == "problem: Rust is not on PATH: there is no cargo or no rustc"
    assert remedy.startswith("  install Rust 1.85 or newer")


def test_a_rust_that_is_too_old_is_told_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(toolchain, "ask_version", lambda *_: "1.84.1-nightly")
    with pytest.raises(ProblemsError, match=r"Rust 1\.84\.1-nightly is too old: Cargo\.toml asks for 1\.85 or newer"):
        toolchain.require_rust()


def test_the_versions_are_printed_before_a_build() -> None:
    printed = run(sys.executable, ROOT / "scripts" / "toolchain.py")
    assert re.fullmatch(r"Rust 1\.\d+\.\S+, maturin \d+\.\S+, Python 3\.\d+\.\S+\n", printed.stderr)


def test_a_clone_sets_itself_up_without_uv_on_path(tmp_path: Path) -> None:
    """The locked uv comes by pip, with its hash; the environment then holds the locked tools and no others."""
    checkout = copy_checkout(tmp_path / "checkout")
    (checkout / ".venv").unlink()
    folders = [folder for folder in __import__("os").get_exec_path() if not (Path(folder) / "uv").exists()]
    made = run("make", "setup", cwd=checkout, PATH=":".join(folders))
    assert made.returncode == 0, made.stderr
    frozen = run(checkout / ".venv" / "bin" / "uv", "pip", "freeze", "--python", checkout / ".venv" / "bin" / "python")
    locked = (checkout / "requirements" / "dev.txt").read_text(encoding="utf-8")
    assert frozen.stdout.splitlines()
    assert [pin for pin in frozen.stdout.splitlines() if pin not in locked] == []
    again = run("make", "--dry-run", "setup", cwd=checkout)
    assert "bootstrap.py" not in again.stdout


def test_the_locks_follow_from_the_groups() -> None:
    checked = run(sys.executable, ROOT / "scripts" / "lock.py", "--check")
    assert checked.returncode == 0, checked.stderr


def test_a_pin_that_was_moved_by_hand_is_fresh_and_a_missing_one_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a dependency bot does: another version with its right hashes, here an older one."""
    shutil.copytree(ROOT / "requirements", tmp_path / "requirements")
    monkeypatch.setattr(lock, "FOLDER", tmp_path / "requirements")
    locked = tmp_path / "requirements" / "test.txt"
    text = locked.read_text(encoding="utf-8")
    constraint = tmp_path / "constraint.txt"
    constraint.write_text("pytest<9.1\n", encoding="utf-8")
    older = run(
        find_uv(), "pip", "compile", "--group=test", "--universal", f"--python-version={oldest_python()}",
        "--generate-hashes", "--no-emit-index-url", "--no-annotate", "--no-header", f"--constraints={constraint}",
    ).stdout  # fmt: skip
    moved = re.search(r"^pytest==.*?(?=^\S)", older + "\nx", re.MULTILINE | re.DOTALL)
    assert moved
    locked.write_text(
        re.sub(r"^pytest==.*?(?=^\S|\Z)", moved[0], text, flags=re.MULTILINE | re.DOTALL), encoding="utf-8"
    )
    assert locked.read_text(encoding="utf-8") != text
    assert lock.find_stale() == []
    locked.write_text(re.sub(r"^pluggy==.*?(?=^\S)", "", text, flags=re.MULTILINE | re.DOTALL), encoding="utf-8")
    assert [one.what for one in lock.find_stale()] == [
        "requirements/test.txt is not what the group test of pyproject.toml locks to"
    ]


def test_pythons_are_listed_once_each() -> None:
    found = list_pythons(find_uv())
    resolved = [python.path.resolve() for python in found]
    assert len(resolved) == len(set(resolved))
    assert any(requires_python().contains(".".join(map(str, python.version))) for python in found)
    minors = newest_of_each(found)
    assert len({(python.version[:2], python.free_threaded) for python in minors}) == len(minors)
