"""Node and GitHub's packages, which evaluate expressions: as locked, in target/, and not beside the sources."""

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers import PROJECT, run

ASK = """
import sys

sys.path[:0] = [".", "roadworthy/src"]
from roadworthy.terminal import run_main
from workshop.workflows.expressions import Scope, shared

TEXT = "${{ format('{0}, {1}', github.actor, 2 > 1) }}"
run_main(lambda: print(shared().fill(TEXT, "string-steps-context", Scope({"github": {"actor": "somebody"}}))))
"""
STAMP = "target/workflow-node/stamp"


@pytest.fixture
def nothing_installed(checkout: Path) -> Iterator[Path]:
    """Return a checkout with an empty target/."""
    yield checkout
    shutil.rmtree(checkout / "target", ignore_errors=True)


def test_without_them_one_line_says_how_to_get_them(nothing_installed: Path) -> None:
    done = run(sys.executable, "-B", "-c", ASK, cwd=nothing_installed)
    assert (done.returncode, done.stdout) == (1, "")
    said, remedy = done.stderr.splitlines()
    assert said.endswith("are not installed")
    assert remedy == f"  run: make {STAMP}"


def test_make_installs_what_evaluates_whatever_node_is_on_path(nothing_installed: Path, tmp_path: Path) -> None:
    (tmp_path / "node").write_text("#!/bin/sh\nexit 3\n", encoding="utf-8")
    (tmp_path / "node").chmod(0o755)
    made = run("make", "--silent", STAMP, cwd=nothing_installed)
    assert made.returncode == 0, made.stderr
    done = run(sys.executable, "-c", ASK, cwd=nothing_installed, PATH=str(tmp_path))
    assert done.stdout == "somebody, true\n", done.stderr
    assert not (nothing_installed / "workshop" / "workflows" / "node" / "node_modules").exists()
    assert run("make", "--question", STAMP, cwd=nothing_installed).returncode == 0


def test_what_has_failed_is_done_again(nothing_installed: Path, tmp_path: Path) -> None:
    offline = {"npm_config_offline": "true", "npm_config_cache": str(tmp_path)}
    assert run("make", "--silent", STAMP, cwd=nothing_installed, **offline).returncode == 2
    assert not (nothing_installed / STAMP).exists()


def test_the_lock_holds_hashes_and_no_addresses() -> None:
    lock = json.loads(PROJECT.read("workshop/workflows/node/package-lock.json"))
    packages = [package for path, package in lock["packages"].items() if path]
    assert packages
    assert all(package["integrity"].startswith("sha512-") and "resolved" not in package for package in packages)
