import json
import os
import re
import sys
import time
from pathlib import Path

import pytest

from helpers import PROJECT, copy_checkout, run

# The template has some more targets than its copies.
FILES = [name for name in ("Makefile", "requirements/tools.mk", "template.mk") if (PROJECT.root / name).exists()]
DOCUMENTS = ("README.md", "docs/copying.md")
MAKEFILE = "".join(PROJECT.read(name) for name in FILES)
DECLARED = dict(re.findall(r"^\.PHONY: ([a-z-]+)  ## (.+)$", MAKEFILE, re.MULTILINE))
TARGETS = sorted(DECLARED)
TAKEN = {target: re.findall(r"[\[ ]([A-Z_]+)=", sentence) for target, sentence in DECLARED.items()}


def test_make_alone_prints_every_target() -> None:
    printed = run("make")
    assert printed.returncode == 0
    assert printed.stdout == run("make", "help").stdout
    assert [line.split()[0] for line in printed.stdout.splitlines()] == list(DECLARED)


def test_every_target_says_what_it_does() -> None:
    rules = re.findall(r"^([a-z][a-z -]*):(?!=)", MAKEFILE, re.MULTILINE)
    assert {target for rule in rules for target in rule.split()} == set(DECLARED)
    assert [sentence for sentence in DECLARED.values() if not re.search(r"[.?]( \[.*\])?$", sentence)] == []


@pytest.mark.parametrize("target", TARGETS)
def test_every_target_can_be_made(target: str) -> None:
    planned = run("make", "--dry-run", target)
    assert planned.returncode == 0, planned.stderr


def test_the_documents_name_every_target() -> None:
    text = "".join(PROJECT.read(name) for name in DOCUMENTS)
    assert [target for target in DECLARED if f"`make {target}" not in text] == []


@pytest.mark.parametrize("target", TARGETS)
def test_a_mistyped_variable_is_an_error_that_names_the_right_ones(target: str) -> None:
    refused = run("make", target, "VERSON=1")
    assert refused.returncode == 2
    ending = f"it takes {', '.join(TAKEN[target]) or 'nothing: see make help'}.  Stop."
    assert f"make {target} takes no VERSON; {ending}" in refused.stderr
    assert refused.stdout == ""


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a checkout in which a Python writes down what it is started with, and does nothing."""
    copy = copy_checkout(tmp_path_factory.mktemp("asked") / "checkout")
    (copy / ".venv").unlink()
    (copy / ".venv" / "bin").mkdir(parents=True)
    python = copy / ".venv" / "bin" / "python"
    python.write_text(f"#!{sys.executable}\n{ASK}", encoding="utf-8")
    python.chmod(0o755)
    for stamp in ("setup", "develop", "tools", "build", "lint", "workshop", "node"):
        (copy / ".venv" / f"{stamp}.stamp").touch()
    (copy / ".venv" / "workflow-node").mkdir()
    (copy / ".venv" / "workflow-node" / "stamp").touch()
    (copy / "dist").mkdir()
    return copy


ASK = """import json, os, sys
names = os.environ["GIVEN"].split()
print(json.dumps([sys.argv[1:], {name: os.environ[name] for name in names}]))
"""
# Each with the words that its script is started with.
SCRIPTS = {
    "build": ["scripts/build.py"],
    "check-dist": ["-m", "roadworthy", "check"],
    "check-index": ["-m", "roadworthy", "check-index"],
    "check-names": ["-m", "roadworthy", "check-names"],
    "check-news": ["-m", "roadworthy", "check-news"],
    "collect": ["-m", "roadworthy", "collect"],
    "github-release": ["-m", "roadworthy", "github-release"],
    "new": ["-m", "workshop", "new"],
    "rehearse": ["-m", "workshop", "rehearse"],
    "release": ["scripts/release.py"],
    "stamp": ["-m", "roadworthy", "stamp"],
    "template-update": ["-m", "workshop", "update"],
    "verify": ["scripts/verify_install.py"],
}
VALUES = [
    "$(shell touch oh-no)",
    "Parses US$100 amounts",
    "",
    "a  b ",
    "'; exit 3; '",
    '"; exit 3; "',
    "`exit 3`",
    "# $@ %",
]


def told(asked: Path, target: str, *given: str) -> list[list[object]]:
    """Return what each script was started with, in their order: its words, and what it was given."""
    done = run("make", target, *given, cwd=asked)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("[")]


@pytest.mark.parametrize("target", SCRIPTS)
def test_what_is_given_reaches_the_script_as_it_was_typed_and_runs_nothing(asked: Path, target: str) -> None:
    for number, value in enumerate(VALUES):
        name = TAKEN[target][number % len(TAKEN[target])]
        *before, (words, given) = told(asked, target, f"{name}={value}")
        here = ["--host"] * (target == "check-dist" and name != "ALL")
        assert (words, given) == ([*SCRIPTS[target], *here], {name: value})
        # What is done before it was given nothing, but what it is about.
        assert [each[1] for each in before if name != "PACKAGE"] == [{}] * (len(before) if name != "PACKAGE" else 0)
    assert not (asked / "oh-no").exists()


def test_all_that_a_target_takes_can_be_given_at_once(asked: Path) -> None:
    for target, words in SCRIPTS.items():
        given = {name: f"{number} of $(all)" for number, name in enumerate(TAKEN[target])}
        assert told(asked, target, *(f"{name}={value}" for name, value in given.items()))[-1] == [words, given]


def test_each_of_several_targets_is_given_what_is_its_own(asked: Path) -> None:
    done = run("make", "collect", "check-index", "FROM=built", "VERSION=0.2.0", cwd=asked)
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("[")]
    assert [given for _, given in lines] == [{"FROM": "built"}, {"VERSION": "0.2.0"}]


def test_the_python_of_dot_venv_is_chosen_only_where_it_is_meant(asked: Path) -> None:
    chosen = run("make", "--dry-run", "test", "PYTHON=$(shell touch oh-no)", cwd=asked).stdout
    assert 'scripts/bootstrap.py --python "$PYTHON"\n' in chosen
    assert "--python" not in run("make", "--dry-run", "verify", "PYTHON=3.12", cwd=asked).stdout
    assert not (asked / "oh-no").exists()


def test_a_variable_in_the_environment_is_not_given() -> None:
    planned = run("make", "--dry-run", "changelog", VERSION="9.9.9", VERSON="1")
    assert planned.returncode == 0
    assert "--version Unreleased" in planned.stdout


def test_a_variable_in_the_environment_reaches_no_script(asked: Path) -> None:
    done = run("make", "release", cwd=asked, VERSION="9.9.9", GIVEN="VERSION", YES="1")
    assert json.loads(done.stdout.splitlines()[-1]) == [["scripts/release.py"], {}]


def test_recipes_are_plain_commands() -> None:
    """No shell logic: it would be lost on other shells, and nobody tests it."""
    recipes = [line.lstrip("\t@") for line in MAKEFILE.splitlines() if line.startswith("\t")]
    words = {"if", "for", "while", "case", "test", "cd"}
    assert [
        line for line in recipes if line.split()[0] in words or re.search(r"[^|]\|\|?[^|]|&&|;", _without_awk(line))
    ] == []


def _without_awk(line: str) -> str:
    return "" if line.startswith("awk ") else line


def test_nothing_is_used_that_make_3_81_lacks() -> None:
    lacking = r"^define .*=|\.ONESHELL|\.SHELLFLAGS|\.RECIPEPREFIX|\bundefine\b|!=|::=|\$\(file|&:"
    assert re.findall(lacking, MAKEFILE, re.MULTILINE) == []


def test_a_second_run_with_nothing_changed_only_tests() -> None:
    made = run("make", "develop")
    assert made.returncode == 0, made.stderr
    planned = re.sub(r'(?m)^PYO3_CONFIG_FILE="[^"]+" ', "", run("make", "--dry-run", "test").stdout).splitlines()
    python = [".venv/bin/python", "-m"]
    assert planned[0].split() == [*python, "roadworthy", "toolchain"]
    assert [line.split()[:2] for line in planned] == [python, ["cargo", "test"], python]


CRATE = ("src/deep/mod.rs", "build.rs", "src/number.c", "vendor/number.h", "crates/inner/Cargo.toml")


@pytest.mark.parametrize("name", CRATE)
def test_the_package_is_built_again_after_a_change_of_whatever_the_crate_is_made_of(asked: Path, name: str) -> None:
    source = asked / name
    source.parent.mkdir(parents=True, exist_ok=True)
    source.touch()
    plan = ("make", "--dry-run", "develop")
    os.utime(source, (0, 0))
    assert "--editable ." not in run(*plan, cwd=asked).stdout
    os.utime(source, (time.time() + 9, time.time() + 9))
    assert "--editable ." in run(*plan, cwd=asked).stdout
    source.unlink()


def test_a_python_that_is_not_there_ends_in_one_line() -> None:
    refused = run("make", "test", "PYTHON=3.99")
    assert refused.returncode == 2
    first, *rest = refused.stderr.splitlines()
    assert first.startswith("bootstrap: CPython 3.99 is not on this machine; install it, or choose one of: ")
    assert len(rest) == 1  # make's own


def test_a_copy_can_have_targets_of_its_own(checkout: Path) -> None:
    own = ".PHONY: shout  ## Say it loud. [WORD=now]\nshout:\n\t@echo $(WORD)!\n"
    (checkout / "local.mk").write_text(own, encoding="utf-8")
    assert run("make", "shout", "WORD=now", cwd=checkout).stdout == "now!\n"
    assert "make shout takes no WORT; it takes WORD" in run("make", "shout", "WORT=1", cwd=checkout).stderr
    assert run("make", cwd=checkout).stdout.splitlines()[-1] == "shout          Say it loud. [WORD=now]"
    (checkout / "local.mk").unlink()


def test_clean_removes_only_what_git_ignores(checkout: Path) -> None:
    (checkout / "dist").mkdir()
    (checkout / "dist" / "old.whl").touch()
    (checkout / "notes.txt").write_text("mine", encoding="utf-8")
    before = run("git", "ls-files", cwd=checkout).stdout
    cleaned = run("make", "clean", cwd=checkout)
    assert cleaned.returncode == 0, cleaned.stderr
    assert not (checkout / "dist").exists()
    assert (checkout / "notes.txt").read_text(encoding="utf-8") == "mine"
    assert run("git", "ls-files", cwd=checkout).stdout == before
    assert run("git", "status", "--porcelain", cwd=checkout).stdout == "?? notes.txt\n"
