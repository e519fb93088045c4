import io
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from pathlib import Path

import pytest

from helpers import PROJECT
from roadworthy.gate.archives import unpack
from roadworthy.index import Index, NotThereYetError, Patience, check_names, patiently
from roadworthy.project import Project
from roadworthy.pythons import Python
from roadworthy.sums import read_sums
from roadworthy.terminal import ProblemsError, printable
from roadworthy.verifying.artefacts import Artefacts, read_requirements
from roadworthy.verifying.environment import Environment
from roadworthy.verifying.jobs import choose_pythons
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


def test_a_wheel_that_cannot_be_read_to_its_end_is_a_problem(dist: Path, wheel: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(dist, tmp_path / "dist"))
    content = bytearray(wheel.read_bytes())
    with zipfile.ZipFile(wheel) as archive:
        content[archive.getinfo(f"{PROJECT.import_name}/_core.abi3.so").header_offset + 5_000] ^= 0xFF
    (folder / wheel.name).write_bytes(content)
    with pytest.raises(ProblemsError, match=rf"{re.escape(wheel.name)}: .*\[readable-archive\]"):
        Artefacts.read(PROJECT, folder, PROJECT.version, None, tmp_path / "sdist")
    assert not (tmp_path / "sdist").exists()


def test_a_python_without_a_wheel_is_refused_if_asked_for(tmp_path: Path) -> None:
    for name in ("pyproject.toml", "Cargo.toml"):
        text = PROJECT.read(name).replace('requires-python = ">=3.10"', 'requires-python = ">=3.99"')
        (tmp_path / name).write_text(text, encoding="utf-8")
    here = "{}.{}".format(*sys.version_info)
    with pytest.raises(ProblemsError, match=rf"no wheel is made for CPython {re.escape(here)}"):
        choose_pythons(Project(tmp_path), sys.executable)
    assert not PROJECT.supports(Python((3, 13, 1), free_threaded=True, path=Path("python3.13t")))


def test_waiting_comes_to_an_end() -> None:
    def never() -> None:
        raise NotThereYetError("x 1.0 is not on the index")

    with pytest.raises(ProblemsError, match=r"x 1\.0 is not on the index, after 0\.1 s"):
        patiently(never, Patience(longest=0.1))


def test_who_waits_is_told_until_when(capsys: pytest.CaptureFixture[str]) -> None:
    answers = iter([NotThereYetError("x is not there"), None])

    def ask() -> None:
        if (answer := next(answers)) is not None:
            raise answer

    patiently(ask, Patience(longest=5, first=0.01))
    assert re.fullmatch(r"x is not there; asking again in 0 s, until \d\d:\d\d:\d\d\n", capsys.readouterr().err)


@pytest.mark.parametrize(
    "address",
    ["http://example.org/simple/", "http://somebody:secret-word@example.org/", "http://127.0.0.1.example.org/"],
)
def test_an_index_is_asked_over_tls_or_on_this_machine(address: str) -> None:
    with pytest.raises(ProblemsError, match="is not encrypted") as refused:
        Index.named(address)
    assert "secret" not in str(refused.value)
    for near in ("http://localhost:1/", "http://127.0.0.1:1/", "http://[::1]:1/", "https://example.org/"):
        assert Index.named(near).url == near


def test_what_stands_before_a_host_is_never_printed() -> None:
    address = "https://somebody:secret@word@example.org/simple/ and https://x@y.example/a@b"
    assert printable(address) == "https://example.org/simple/ and https://y.example/a@b"
    assert str(Index("https://somebody:secret@example.org/simple/")) == "https://example.org/simple/"


def test_an_index_that_serves_too_many_files_is_refused() -> None:
    names = [f"x-1.0-{number}-py3-none-any.whl" for number in range(1_001)]
    with pytest.raises(ProblemsError, match="serves 1001 files of one version"):
        check_names(names, "https://example.org/")
    check_names(names[1:], "https://example.org/")


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


def write_sdist(path: Path, *entries: tuple[tarfile.TarInfo, bytes]) -> Path:
    with tarfile.open(path, "w:gz", format=tarfile.PAX_FORMAT) as archive:
        for entry, content in entries:
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return path


def test_an_sdist_is_unpacked_without_its_modes_on_every_python(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(tarfile, "data_filter")
    entries = [(tarfile.TarInfo(f"x-1.0/{name}"), name.encode()) for name in ("plain", "program")]
    for (entry, _), mode in zip(entries, (0o666, 0o777), strict=True):
        entry.mode, entry.uid = mode, 4711
    unpacked = unpack(write_sdist(tmp_path / "x-1.0.tar.gz", *entries), tmp_path / "unpacked")
    modes = {path.name: (path.read_bytes(), path.stat().st_mode & 0o7777) for path in unpacked.iterdir()}
    assert modes == {"plain": (b"plain", 0o644), "program": (b"program", 0o755)}
    assert (unpacked / "plain").stat().st_uid == tmp_path.stat().st_uid


def test_a_name_that_an_sdist_has_twice_is_refused(tmp_path: Path) -> None:
    entries = [(tarfile.TarInfo("x-1.0/twice"), content) for content in (b"a", b"b")]
    with pytest.raises(ProblemsError, match="cannot be unpacked: "):
        unpack(write_sdist(tmp_path / "x-1.0.tar.gz", *entries), tmp_path / "unpacked")


def test_a_header_that_is_longer_than_any_name_is_not_read(tmp_path: Path) -> None:
    entry = tarfile.TarInfo("x-1.0/file")
    entry.pax_headers = {"comment": "x" * (2 << 20)}
    path = write_sdist(tmp_path / "x-1.0.tar.gz", (entry, b""))
    with pytest.raises(ProblemsError, match=r"cannot be unpacked: a header of 2,097,\d+ bytes is in it"):
        unpack(path, tmp_path / "unpacked")


def compile_number(folder: Path, number: int) -> str:
    """Compile a crate that prints a number, with files as old as a commit, and return what was built prints."""
    crate, job = folder / f"crate-{number}", folder / f"job-{number}"
    job.mkdir()
    (crate / "src").mkdir(parents=True)
    (crate / "Cargo.toml").write_text('[package]\nname = "x"\nversion = "1.0.0"\nedition = "2021"\n', "utf-8")
    (crate / "Cargo.lock").write_text('version = 3\n\n[[package]]\nname = "x"\nversion = "1.0.0"\n', "utf-8")
    (crate / "pyproject.toml").touch()
    (crate / "src" / "main.rs").write_text(f'fn main() {{ print!("{number}") }}\n', "utf-8")
    for path in crate.rglob("*"):
        os.utime(path, (1_000_000_000, 1_000_000_000))
    environment = Environment(Project(folder), Python((3, 12, 0), False, Path(sys.executable)), job)
    artefacts = Artefacts(folder, PROJECT.version, folder, crate, {})
    with environment.compiling() as compiled:
        variables = {**os.environ, **environment.vendor_crates(artefacts, compiled)}
        command = ("cargo", "run", "--quiet", "--release", "--locked", "--offline")
        return subprocess.run(command, cwd=crate, env=variables, check=True, capture_output=True, text=True).stdout


def test_what_an_older_sdist_has_left_is_never_taken_for_this_ones(tmp_path: Path) -> None:
    assert [compile_number(tmp_path, number) for number in (1, 2)] == ["1", "2"]
    assert (tmp_path / "target" / "verify" / "release").is_dir()


def test_only_one_verification_at_a_time_compiles_in_a_checkout(tmp_path: Path) -> None:
    python, order = Python((3, 12, 0), False, Path(sys.executable)), []

    def compiles(name: str) -> None:
        with Environment(Project(tmp_path), python, tmp_path / name).compiling():
            order.append(name)

    with ThreadPoolExecutor() as pool, Environment(Project(tmp_path), python, tmp_path / "first").compiling():
        waiting = pool.submit(compiles, "second")
        with pytest.raises(NotYet):
            waiting.result(timeout=0.5)
        order.append("first")
    assert order == ["first", "second"]
