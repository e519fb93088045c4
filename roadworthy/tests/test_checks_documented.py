"""rules.md says of each rule what must hold, why, where that is known from, and what to do; a command prints it."""

import re
import sys
from importlib.resources import files
from pathlib import Path

from helpers import run
from rejections import REJECTED
from roadworthy.gate.check import RULES
from roadworthy.gate.rules import entries

TEXT = files("roadworthy.gate").joinpath("rules.md").read_text(encoding="utf-8")


def test_every_entry_is_there_once_and_has_its_why_its_source_and_its_remedy() -> None:
    # What is written otherwise is not read as an entry.
    assert list(entries()) == re.findall(r"^### (\S+)", TEXT, re.MULTILINE)
    assert all(f"\n- {part}: " in entry.text for entry in entries().values() for part in ("Why", "Source", "Remedy"))


def test_every_rule_has_an_entry_and_every_entry_a_rule() -> None:
    ours = {name for name, rule in RULES.items() if rule.needs_project}
    assert [name for name in entries() if name in RULES] == list(RULES)
    assert {name for name, entry in entries().items() if entry.ours} == ours
    # The others are PyPI's alone; what is too large for it stands in the corpus.
    assert entries().keys() == RULES.keys() | {"file-size"} | {rejected.rule for rejected in REJECTED.values()}


def test_the_rules_are_listed_anywhere_and_each_is_told_whole(tmp_path: Path) -> None:
    command = (sys.executable, "-m", "roadworthy", "rules")
    listed = run(*command, cwd=tmp_path)
    assert (listed.returncode, listed.stderr) == (0, "")
    assert [line.split()[0] for line in listed.stdout.splitlines()] == list(entries())
    assert run(*command, "no-bomb", cwd=tmp_path).stdout == f"{entries()['no-bomb'].text}\n"
    refused = run(*command, "no-such-rule", cwd=tmp_path)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.startswith("usage: 'no-such-rule' is no rule;")
