"""Each target can be the first one that somebody types: in a fresh clone, with an empty home and nothing in a cache."""

import os
import re
import shutil
from pathlib import Path

import pytest

from helpers import PROJECT, copy_checkout, run, rustup_home
from releases import make_place

# How this machine reaches the registries, and where its toolchains are; nothing else of its environment is known.
KEPT = re.compile(
    r"PATH|PYENV_ROOT|RUSTUP_HOME|SSL_CERT_(FILE|DIR)|PIP_(CERT|INDEX_URL)|UV_(DEFAULT_INDEX|INDEX_URL)|CARGO_HTTP_CAINFO"
    r"|REQUESTS_CA_BUNDLE|(?i:https?_proxy|no_proxy)"
)
CONFIGURATION = (".cargo/config.toml", ".config/pip/pip.conf", ".config/uv/uv.toml", ".pip/pip.conf")
ANSWERS = ("AUTHOR=Ada Lovelace", "EMAIL=ada@example.org", "OWNER=ada", "DESCRIPTION=It frobs.", "LICENSE=MIT")
QUICK = {
    "changelog": "## Unreleased",
    "check-news BASE=HEAD": "",
    "doctor": "Trusted publisher",
    "identify": "version=",
    "new NAME=turbo-frob DEST=../turbo-frob": "turbo-frob is in ",
    "release VERSION=0.2.0 DRY_RUN=1": "release 0.2.0 of main on origin",
    "sdist": ".tar.gz",
}
# What takes minutes; .ci/run begins with the one in which all the others are.
SLOW = ("build", "check-dist", "lint", "rehearse", "release VERSION=0.2.0 YES=1", "test", "verify")


def stranger(home: Path) -> list[str]:
    """Return the beginning of a command that runs another one with an empty home and nothing of this environment."""
    home.mkdir()
    for name in CONFIGURATION:
        if (Path.home() / name).is_file():
            (home / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(Path.home() / name, home / name)
    kept = {name: value for name, value in os.environ.items() if KEPT.fullmatch(name)}
    toolchains = {"RUSTUP_HOME": rustup_home(), "PYENV_ROOT": str(Path.home() / ".pyenv")}
    variables = {**toolchains, **kept, "HOME": str(home)}
    return ["env", "-i", *(f"{name}={value}" for name, value in variables.items())]


@pytest.mark.parametrize("target", QUICK)
def test_a_target_works_as_the_first_command_of_a_stranger(target: str, tmp_path: Path) -> None:
    checkout = make_place(tmp_path).checkout if "release" in target else copy_checkout(tmp_path / "checkout")
    (checkout / ".venv").unlink()
    answers = ANSWERS if target.startswith("new") else ()
    done = run(*stranger(tmp_path / "home"), "make", *target.split(), *answers, cwd=checkout)
    assert done.returncode == 0, done.stderr
    assert QUICK[target] in done.stdout
    assert "installing into .venv what is locked for: tools" in done.stderr
    # What has to be fetched is fetched, and said; nothing else is.
    fetched = re.search(r"^fetching \d+ crates$", done.stderr, re.MULTILINE) is not None
    assert fetched == (target.split(maxsplit=1)[0] in {"release", "sdist"})


def test_ci_begins_as_a_stranger_does() -> None:
    script = (PROJECT.root / ".ci" / "run").read_text(encoding="utf-8")
    emptied, _, commands = script.partition('\nexport HOME="$stranger"\n')
    assert "make" not in re.sub("#.*", "", emptied)
    assert re.findall(r"^make .*", commands, re.MULTILINE)[0] == "make rehearse"


def test_every_target_of_the_list_is_there() -> None:
    makefile = "".join(PROJECT.read(name) for name in ("Makefile", "template.mk"))
    assert all(f"\n.PHONY: {target.split()[0]}  ##" in makefile for target in (*QUICK, *SLOW))
