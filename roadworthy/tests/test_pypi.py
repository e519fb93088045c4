"""What PyPI rejects is written once: the gate tells all of it, and the rehearsal's index the first."""

import re
import shutil
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis.strategies import from_regex
from packaging.utils import canonicalize_name

from corpus import CORPUS, Release
from loopback_samples import form_of, write_samples
from rejections import REJECTED
from roadworthy.gate import pypi_metadata
from roadworthy.gate.check import LAST, RULES, STAGES, judge
from roadworthy.gate.model import Artefact, Rejection, UnreadableError
from roadworthy.gate.rules import entries
from workshop.loopback.admission import Upload, sanitize, take
from workshop.loopback.index import PackageIndex, Token
from workshop.loopback.refusals import RefusedError


def ask_index(path: Path) -> str | None:
    """Return for what the index refuses a file that its owner uploads; None if it takes it."""
    content = path.read_bytes()
    form = {key: value if isinstance(value, list) else [value] for key, value in form_of(path.name, content).items()}
    project = str(form.get("name", [""])[0])
    token = Token(canonicalize_name(project), float("inf"), None)
    try:
        take(PackageIndex(project, None), token, Upload(sanitize(form), path.name, content, "application/zip"))
    except RefusedError as error:
        return error.words
    return None


def ask_port(path: Path) -> list[Rejection]:
    """Return everything that PyPI rejects in a file, until nothing more can be known of it."""
    found: list[Rejection] = []
    with Artefact(path) as artefact:
        for ask, _ in STAGES:
            try:
                found += ask(artefact)
            except UnreadableError:
                break
            if any(one.rule in LAST for one in found):
                break
    return found


def agree(path: Path) -> None:
    """Make sure that the gate and the index say the same of a file."""
    answer, found = ask_index(path), ask_port(path)
    answers = {f"{one.words} {one.more}".rstrip(): one for one in found}
    assert (answer is None) == (not found), (answer, found)
    told = {(finding.rule, finding.what) for finding in judge(path, None)[0]}
    # Where the gate has its own reason not to look further, such as a bomb, PyPI may tell what is in it.
    if not {"file-name", "no-bomb"} & {rule for rule, _ in told} and not (LAST & {rule for rule, _ in told}) - {
        one.rule for one in found
    }:
        assert answer is None or answer in answers
        assert {(one.rule, one.words) for one in found} <= told


@pytest.mark.parametrize("name", CORPUS)
def test_the_gate_and_the_index_agree_on_each_mistake(dist: Path, tmp_path: Path, name: str) -> None:
    good = Path(shutil.copytree(dist, tmp_path / "good"))
    folder = Path(shutil.copytree(dist, tmp_path / "dist"))
    (wheel,), (sdist,) = folder.glob("*-abi3-*.whl"), folder.glob("*.tar.gz")
    CORPUS[name][1](Release(folder, wheel, sdist))
    for path in folder.iterdir():
        same = good / path.name
        if path.is_file() and not path.is_symlink() and not (same.exists() and same.read_bytes() == path.read_bytes()):
            agree(path)


@pytest.mark.parametrize("name", REJECTED)
def test_what_pypi_rejects_is_told_in_its_words_by_both(tmp_path: Path, name: str) -> None:
    rejected = REJECTED[name]
    path = tmp_path / rejected.file
    path.write_bytes(rejected.content)
    assert ask_index(path) == rejected.answer
    found = {(one.rule, f"{one.words} {one.more}".rstrip()) for one in ask_port(path)}
    assert (rejected.rule, rejected.answer) in found
    agree(path)


def test_what_pypi_takes_is_taken_by_both(dist: Path, tmp_path: Path) -> None:
    for path in (*dist.iterdir(), *write_samples(tmp_path)):
        assert ask_port(path) == []
        assert ask_index(path) is None


def test_every_rule_that_is_pypis_alone_has_a_file_that_breaks_it() -> None:
    # One of more than 100 MB stands in the corpus.
    rejected = {"file-size", *(each.rule for each in REJECTED.values())}
    assert entries().keys() - RULES.keys() == rejected - RULES.keys()


@given(from_regex(pypi_metadata.PLAIN_ADDRESS, fullmatch=True))
def test_what_is_taken_for_a_plain_address_is_one_for_the_library_that_pypi_asks(address: str) -> None:
    with patch.object(pypi_metadata, "PLAIN_ADDRESS", re.compile("(?!)")):
        assert pypi_metadata.is_valid_uri(address)
