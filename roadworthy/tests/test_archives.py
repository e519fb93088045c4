"""Archives as they should not be, and as they may be: the gate and PyPI's port are asked of each."""

import sys
from pathlib import Path

import pytest

from archives import ARCHIVES
from roadworthy.gate.check import check
from test_pypi import agree

REFUSED = {name: rule for name, (rule, *_) in ARCHIVES.items() if rule}
TAKEN = ARCHIVES.keys() - REFUSED.keys()


def write(folder: Path, name: str) -> Path:
    """Write one of the archives."""
    _, file, make = ARCHIVES[name]
    path = folder / file
    path.write_bytes(make())
    return path


@pytest.mark.parametrize("name", REFUSED)
def test_each_is_refused_under_its_rules_alone_and_pypi_is_quoted_rightly(tmp_path: Path, name: str) -> None:
    path = write(tmp_path, name)
    findings = check([path])
    told = {finding.rule for finding in findings}
    # Newer Pythons' own zipfile takes some for no archive, so that nothing else is looked at.
    by_python = sys.version_info >= (3, 12) and "zip-framing" in REFUSED[name] and told == {"readable-archive"}
    assert told == set(REFUSED[name].split()) or by_python, findings
    assert all(finding.what.isprintable() and finding.remedy for finding in findings)
    agree(path)


@pytest.mark.parametrize("name", sorted(TAKEN))
def test_what_is_unusual_and_right_is_taken(tmp_path: Path, name: str) -> None:
    path = write(tmp_path, name)
    assert check([path]) == []
    agree(path)


def test_there_are_enough_of_both() -> None:
    assert len(REFUSED) >= 80
    assert len(TAKEN) >= 25
