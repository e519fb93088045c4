"""Where node and GitHub's packages come from: PATH, or what is locked; installed once, and not beside the sources."""

import json
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers import run
from roadworthy.terminal import ProblemsError
from workshop.workflows import installation

ASK = """
import sys

sys.path[:0] = [".", "roadworthy/src"]
from roadworthy.terminal import run_main
from workshop.workflows.expressions import Scope, shared

TEXT = "${{ format('{0}, {1}', github.actor, 2 > 1) }}"
run_main(lambda: print(shared().fill(TEXT, "string-steps-context", Scope({"github": {"actor": "somebody"}}))))
"""
NPM = "#!/bin/sh\nmkdir node_modules && echo $@ >> {calls}\n"


def program(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)


@pytest.fixture
def nothing_installed(checkout: Path) -> Iterator[Path]:
    """Return a checkout with an empty target/; node takes too much room to be left there."""
    yield checkout
    shutil.rmtree(checkout / "target")


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the first folder on PATH, with a node and an npm; there is no other node, and uv fails."""
    folder = tmp_path / "tools"
    folder.mkdir()
    program(folder / "node", "#!/bin/sh\necho v20.0.0\n")
    program(folder / "npm", NPM.format(calls=tmp_path / "calls"))
    program(folder / "uv", "#!/bin/sh\necho error: uv was asked >&2\nexit 2\n")
    for name in ("sh", "mkdir"):
        (folder / name).symlink_to(str(shutil.which(name)))
    monkeypatch.setenv("PATH", str(folder))
    return folder


def test_without_node_on_path_the_locked_one_evaluates(nothing_installed: Path, tmp_path: Path) -> None:
    done = run(sys.executable, "-c", ASK, cwd=nothing_installed, PATH=str(tmp_path))
    assert done.stdout == "somebody, true\n"
    assert re.fullmatch(r"fetching node, .*\nfetching GitHub's npm packages, .*\n", done.stderr)
    assert not (nothing_installed / "workshop" / "workflows" / "node" / "node_modules").exists()


@pytest.mark.parametrize(
    ("what", "variables"),
    [
        ("node, which", {"PATH": "{empty}", "UV_OFFLINE": "1", "UV_CACHE_DIR": "{empty}"}),
        ("GitHub's npm packages, which", {"npm_config_offline": "true", "npm_config_cache": "{empty}"}),
    ],
    ids=["uv", "npm"],
)
def test_without_network_one_line_says_so(
    nothing_installed: Path, tmp_path: Path, what: str, variables: dict[str, str]
) -> None:
    filled = {name: value.format(empty=tmp_path) for name, value in variables.items()}
    done = run(sys.executable, "-B", "-c", ASK, cwd=nothing_installed, **filled)
    assert (done.returncode, done.stdout) == (1, "")
    *_, said, remedy = done.stderr.splitlines()
    assert said.startswith(f"problem: {what} ")
    assert " cannot be installed: " in said
    assert remedy == "  once, this needs the network: run the same again where there is one"


def test_packages_are_installed_once_and_anew_when_a_file_has_changed(tools: Path, tmp_path: Path) -> None:
    target, calls = tmp_path / "target", tmp_path / "calls"
    node, script = installation.install(target)
    assert (node, script.read_bytes()) == (tools / "node", (installation.FOLDER / script.name).read_bytes())
    assert installation.install(target) == (node, script)
    assert calls.read_text() == "ci --no-audit --no-fund --ignore-scripts\n"
    changed = tmp_path / "changed" / script.name
    changed.parent.mkdir()
    changed.write_text("// changed", encoding="utf-8")
    installation.install(target, (*installation.FILES[:-1], changed))
    assert script.read_text() == "// changed"
    assert len(calls.read_text().splitlines()) == 2


def test_what_has_failed_is_done_again(tools: Path, tmp_path: Path) -> None:
    program(tools / "npm", "#!/bin/sh\nmkdir node_modules; echo here; echo no network >&2; exit 1\n")
    for _ in range(2):
        with pytest.raises(ProblemsError, match="cannot be installed: no network\n"):
            installation.install(tmp_path / "target")
    program(tools / "npm", NPM.format(calls=tmp_path / "calls"))
    installation.install(tmp_path / "target")
    assert (tmp_path / "calls").exists()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("node", None),
        ("npm", None),
        ("node", "#!/bin/sh\necho v18.20.4\n"),
        ("node", "#!/bin/sh\necho no version is set >&2\nexit 126\n"),
    ],
    ids=["no node", "no npm", "too old", "does not run"],
)
def test_a_node_that_will_not_do_is_not_used(tools: Path, tmp_path: Path, name: str, text: str | None) -> None:
    (tools / name).unlink()
    if text:
        program(tools / name, text)
    with pytest.raises(ProblemsError, match=r"node, which .*: uv was asked\n"):
        installation.install(tmp_path / "target", uv=tools / "uv")


@pytest.mark.parametrize(
    ("stderr", "why"),
    [
        (
            "npm warn old\nnpm error code E404\nnpm error\nnpm error 404 Not Found\nnpm error a log",
            "404 Not Found",
        ),
        ("npm ERR! code EAI_AGAIN\nnpm ERR! errno EAI_AGAIN\nnpm ERR! request failed", "request failed"),
        ("warning: slow\nerror: Failed to fetch: x\n  cause: y", "Failed to fetch: x"),
    ],
)
def test_the_line_that_says_why_is_found(tools: Path, tmp_path: Path, stderr: str, why: str) -> None:
    said = tmp_path / "said"
    said.write_text(f"{stderr}\n", encoding="utf-8")
    program(tools / "npm", f"#!/bin/sh\nwhile read -r line; do echo \"$line\"; done < '{said}' >&2; exit 1\n")
    with pytest.raises(ProblemsError, match=f"cannot be installed: {why}\n"):
        installation.install(tmp_path / "target")


def test_the_lock_holds_hashes_and_no_addresses() -> None:
    lock = json.loads((installation.FOLDER / "package-lock.json").read_text(encoding="utf-8"))
    packages = [package for path, package in lock["packages"].items() if path]
    assert packages
    assert all(package["integrity"].startswith("sha512-") and "resolved" not in package for package in packages)
