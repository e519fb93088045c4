"""Node and GitHub's packages, which evaluate expressions: as locked, beside no sources."""

import json
from pathlib import Path

import pytest

from helpers import PROJECT, run
from roadworthy.terminal import ProblemsError
from workshop.workflows.expressions import SCRIPT, Evaluator, Scope

TEXT = "${{ format('{0}, {1}', github.actor, 2 > 1) }}"
STAMP = ".venv/workflow-node/stamp"


def test_without_them_one_line_says_how_to_get_them(tmp_path: Path) -> None:
    with pytest.raises(ProblemsError, match=rf"are not installed\n  run: make {STAMP}"):
        Evaluator(tmp_path / SCRIPT.name)


def test_the_locked_node_evaluates_whatever_is_on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "node").write_text("#!/bin/sh\nexit 3\n", encoding="utf-8")
    (tmp_path / "node").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    scope = Scope({"github": {"actor": "somebody"}})
    assert Evaluator().fill(TEXT, "string-steps-context", scope) == "somebody, true"


def test_make_has_installed_them_beside_no_sources(checkout: Path) -> None:
    assert not (PROJECT.root / "workshop" / "workflows" / "node" / "node_modules").exists()
    assert run("make", "--question", STAMP, cwd=checkout).returncode == 0


def test_the_lock_holds_hashes_and_no_addresses() -> None:
    lock = json.loads(PROJECT.read("workshop/workflows/node/package-lock.json"))
    packages = [package for path, package in lock["packages"].items() if path]
    assert packages
    assert all(package["integrity"].startswith("sha512-") and "resolved" not in package for package in packages)
