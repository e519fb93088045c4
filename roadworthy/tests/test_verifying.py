import re
import tarfile
import zipfile
from pathlib import Path

import pytest

from helpers import PROJECT
from roadworthy.building.sdist import unpack
from roadworthy.index import NotThereYetError, Patience, patiently
from roadworthy.pythons import Python
from roadworthy.sums import read_sums
from roadworthy.terminal import ProblemsError
from roadworthy.verifying.artefacts import Artefacts, read_requirements, wheel_files
from roadworthy.verifying.jobs import keep_supported
from roadworthy.verifying.proofs import Installation, gil_left_alone


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Foo_Bar[Baz] (>=1.0) ; python_version < '3'", 'foo-bar[Baz]>=1.0; python_version < "3"'),
        ("a.zip", "a-zip"),
        ("x;extra=='dev'", 'x; extra == "dev"'),
        ("-r /etc/passwd", "is no requirement"),
        ("--index-url=http://127.0.0.1/", "is no requirement"),
        ("-e .", "is no requirement"),
        ("./folder", "is no requirement"),
        ("x --pre", "is no requirement"),
        ("https://127.0.0.1/x-1.0-py3-none-any.whl", "is no requirement"),
        ("x @ file:///etc", "is an address"),
        ("x @ git+https://127.0.0.1/x", "is an address"),
        ("", "is no requirement"),
    ],
)
def test_a_requirement_is_never_an_option_a_file_or_an_address(text: str, expected: str) -> None:
    metadata = f"Metadata-Version: 2.1\nRequires-Dist: {text}\n".encode()
    if expected.startswith("is "):
        with pytest.raises(ProblemsError, match=re.escape(f"a.whl requires {text!r}, which {expected}")):
            read_requirements(metadata, "a.whl")
    else:
        assert read_requirements(metadata, "a.whl") == [expected]


@pytest.mark.parametrize(
    ("told", "problems"), [(["ferrous_wheel._core"], 1), (["other._x"], 0), (["ferrous_wheel_x._y"], 0), ([], 1)]
)
def test_a_gil_that_a_dependency_switches_on_is_not_the_packages_fault(
    tmp_path: Path, told: list[str], problems: int
) -> None:
    text = "The global interpreter lock (GIL) has been enabled to load module '{}', which has not declared"
    facts = {
        "free_threaded": True,
        "gil_before": False,
        "gil_after": True,
        "gil_warnings": [text.format(module) for module in told],
    }
    artefacts = Artefacts(tmp_path, PROJECT.version, tmp_path, tmp_path, {})
    assert len(list(gil_left_alone(Installation(PROJECT, artefacts, tmp_path, facts)))) == problems


@pytest.mark.parametrize(
    "content", [b"", b"[build-system]\nrequires = ['-r x']\n", b"]", b"[build-system]\nrequires = 1"]
)
def test_an_sdist_that_does_not_say_what_its_build_requires_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "pyproject.toml").write_bytes(content)
    with pytest.raises(ProblemsError, match=r"pyproject\.toml (does not say what its build requires|is no TOML)"):
        Artefacts(tmp_path, PROJECT.version, tmp_path, tmp_path, {}).build_requirements()


def test_a_wheel_that_cannot_be_read_to_its_end_is_a_problem(wheel: Path, tmp_path: Path) -> None:
    content = bytearray(wheel.read_bytes())
    with zipfile.ZipFile(wheel) as archive:
        content[archive.getinfo(f"{PROJECT.import_name}/_core.abi3.so").header_offset + 5_000] ^= 0xFF
    (tmp_path / wheel.name).write_bytes(content)
    with pytest.raises(ProblemsError, match="cannot be read: "):
        wheel_files(tmp_path / wheel.name)


def test_a_free_threaded_python_without_a_wheel_is_refused_if_asked_for() -> None:
    old = Python((3, 13, 1), free_threaded=True, path=Path("python3.13t"))
    with pytest.raises(ProblemsError, match=r"no wheel is made for CPython 3\.13t"):
        keep_supported(PROJECT, [old], asked=True)


def test_waiting_comes_to_an_end() -> None:
    def never() -> None:
        raise NotThereYetError("x 1.0 is not on the index")

    with pytest.raises(ProblemsError, match=r"x 1\.0 is not on the index, after 0\.1 s"):
        patiently(never, Patience(longest=0.1))


@pytest.mark.parametrize("content", [b"hello\n", b"\xff", b"0" * 63 + b"  file\n"], ids=["text", "bytes", "short hash"])
def test_a_file_of_hashes_that_is_none_is_refused(tmp_path: Path, content: bytes) -> None:
    sums = tmp_path / "SHA256SUMS"
    sums.write_bytes(content)
    with pytest.raises(ProblemsError, match=r"SHA256SUMS (is no SHA256SUMS|cannot be read)"):
        read_sums(sums)


@pytest.mark.parametrize(
    ("name", "kind", "reason"),
    [
        ("{top}/../../../evil", tarfile.REGTYPE, "leads out of the archive"),
        ("/tmp/evil", tarfile.REGTYPE, "is an absolute path"),  # noqa: S108 - nothing is put there
        ("{top}/..\\evil", tarfile.REGTYPE, "has a backslash in it"),
        ("{top}/link", tarfile.SYMTYPE, "is a link"),
        ("{top}/pipe", tarfile.FIFOTYPE, "is neither file nor folder"),
    ],
)
def test_an_sdist_is_unpacked_without_harm_or_not_at_all(tmp_path: Path, name: str, kind: bytes, reason: str) -> None:
    entry = tarfile.TarInfo(name.format(top="x-1.0"))
    entry.type, entry.linkname = kind, "/etc"
    with tarfile.open(tmp_path / "x-1.0.tar.gz", "w:gz") as archive:
        archive.addfile(entry)
    with pytest.raises(ProblemsError, match=f"cannot be unpacked: '.*' {reason}"):
        unpack(tmp_path / "x-1.0.tar.gz", tmp_path / "unpacked")
    assert not (tmp_path / "unpacked").exists()
