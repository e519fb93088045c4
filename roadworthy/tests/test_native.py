"""What the gate says of libraries: real ones of all systems."""

from pathlib import Path

import pytest

from broken import Files
from linked import elf, macho, native_wheel, pe
from native_cases import CASES, INTEL, LINUX, UNIVERSAL, both
from roadworthy.gate.check import check


@pytest.mark.parametrize("name", CASES)
def test_a_library_is_judged_for_the_right_reason(tmp_path: Path, name: str) -> None:
    rule, tags, file, make = CASES[name]
    made = make()
    findings = check([native_wheel(tmp_path, tags, made if isinstance(made, dict) else {file: made})])
    assert {finding.rule for finding in findings} == ({rule} if rule else set()), findings
    assert all(finding.what and finding.remedy for finding in findings)


def test_there_are_enough_of_both() -> None:
    refused = [rule for rule, *_ in CASES.values() if rule]
    assert len(refused) >= 100
    assert len(CASES) - len(refused) >= 40


def test_a_cut_file_is_told_to_be_one(tmp_path: Path) -> None:
    for number, content in enumerate(
        (elf()[:-1], macho()[:-1], both(macho(), INTEL())[:-20_000], pe("python3.dll")[:-1])
    ):
        tags = f"cp31{number}-abi3-{LINUX}"
        findings = check([native_wheel(tmp_path, tags, {"pkg/_core.abi3.so": content})])
        assert "it is cut: it has" in findings[0].what


def test_each_half_is_told_by_its_name(tmp_path: Path) -> None:
    files: Files = {"pkg/_core.abi3.so": both(macho(init="PyInit__cord"), INTEL())}
    (finding,) = check([native_wheel(tmp_path, f"cp310-abi3-{UNIVERSAL}", files)])
    assert finding.what == "pkg/_core.abi3.so (arm64) does not export PyInit__core but PyInit__cord"
