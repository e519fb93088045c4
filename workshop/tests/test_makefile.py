import re
from pathlib import Path

import pytest

from helpers import run
from roadworthy.project import HERE

# The template has some more targets than its copies.
PLACES = {"Makefile": "README.md", "template.mk": "docs/copying.md"}
MAKEFILE = "".join((HERE.root / name).read_text(encoding="utf-8") for name in PLACES if (HERE.root / name).exists())
DECLARED = dict(re.findall(r"^\.PHONY: ([a-z-]+)  ## (.+)$", MAKEFILE, re.MULTILINE))
TARGETS = sorted(DECLARED)


def test_make_alone_prints_every_target() -> None:
    printed = run("make")
    assert printed.returncode == 0
    assert printed.stdout == run("make", "help").stdout
    assert [line.split()[0] for line in printed.stdout.splitlines()] == list(DECLARED)


def test_every_target_says_what_it_does() -> None:
    rules = set(re.findall(r"^([a-z][a-z-]*):(?!=)", MAKEFILE, re.MULTILINE))
    assert rules == set(DECLARED)
    assert [sentence for sentence in DECLARED.values() if not re.search(r"[.?]( \[.*\])?$", sentence)] == []


@pytest.mark.parametrize("target", TARGETS)
def test_every_target_can_be_made(target: str) -> None:
    planned = run("make", "--dry-run", target)
    assert planned.returncode == 0, planned.stderr


def test_the_documents_name_every_target() -> None:
    text = "".join((HERE.root / name).read_text(encoding="utf-8") for name in PLACES.values())
    assert [target for target in DECLARED if f"`make {target}" not in text] == []


@pytest.mark.parametrize("target", TARGETS)
def test_a_mistyped_variable_is_an_error_that_names_the_right_ones(target: str) -> None:
    refused = run("make", target, "VERSON=1")
    assert refused.returncode == 2
    taken = re.search(rf"^override VARS_{target} := (.*)$", MAKEFILE, re.MULTILINE)
    ending = f"it takes {' '.join(sorted(taken[1].split()))}" if taken else "it takes none"
    assert f"make {target} takes no variable VERSON; {ending}" in refused.stderr


def test_variables_named_in_the_help_are_those_taken() -> None:
    for target, sentence in DECLARED.items():
        shown = re.search(r"\[(.*)\]$", sentence)
        taken = re.search(rf"^override VARS_{target} := (.*)$", MAKEFILE, re.MULTILINE)
        names = re.findall(r"([A-Z_]+)=", shown[1]) if shown else []
        assert sorted(names) == sorted(taken[1].split() if taken else []), target


@pytest.mark.parametrize("value", ["0.2.0", "", "$(shell false)", "a b", "'; exit 3; '"])
def test_a_value_reaches_a_script_only_through_the_environment(value: str) -> None:
    planned = run("make", "--dry-run", "verify", f"VERSION={value}")
    assert planned.returncode == 0
    assert '--version "$VERSION"' in planned.stdout
    assert "exit 3" not in planned.stdout


def test_a_variable_in_the_environment_is_not_given() -> None:
    planned = run("make", "--dry-run", "verify", VERSION="9.9.9", VERSON="1")
    assert planned.returncode == 0
    assert "--version" not in planned.stdout


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
    looked = [".venv/bin/python", "-m", "roadworthy", "toolchain"]
    assert [line.split()[:2] for line in planned] == [looked, ["cargo", "test"], [".venv/bin/python", "-m"]]


def test_a_python_that_is_not_there_ends_in_one_line() -> None:
    refused = run("make", "test", "PYTHON=3.99")
    assert refused.returncode == 2
    first, *rest = refused.stderr.splitlines()
    assert first.startswith("bootstrap: CPython 3.99 is not on this machine; install it, or choose one of: ")
    assert len(rest) == 1  # make's own


def test_a_copy_can_have_targets_of_its_own(checkout: Path) -> None:
    own = "override VARS_shout := WORD\n\n.PHONY: shout  ## Say it loud. [WORD=now]\nshout:\n\t@echo $(WORD)!\n"
    (checkout / "local.mk").write_text(own, encoding="utf-8")
    assert run("make", "shout", "WORD=now", cwd=checkout).stdout == "now!\n"
    assert "make shout takes no variable WORT; it takes WORD" in run("make", "shout", "WORT=1", cwd=checkout).stderr
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
