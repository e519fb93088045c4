"""Foreign text is printable wherever it is shown: nothing in a name moves the cursor or commands GitHub's runner."""

import json
import sys
from pathlib import Path

import pytest

from helpers import run
from loopback_samples import INFO, METADATA, SDIST, TOP, WHEEL, good_wheel, make_sdist, sdist_files
from roadworthy.terminal import annotate, err, out, printable, summarise

NAMES = [
    "a\x1b[2J.whl",
    "a\n::set-output name=x::y.whl",
    "::add-mask::x.whl",
    "##[error]x.whl",
    "a\u202ex.whl",
    "a\r.whl",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_in_a_folder_commands_nothing_in_any_sink(tmp_path: Path, name: str) -> None:
    folder, summary = tmp_path / "dist", tmp_path / "summary"
    folder.mkdir()
    (folder / name).write_text("x")
    command = (sys.executable, "-m", "roadworthy", "check", folder, "--foreign")
    done = run(*command, GITHUB_ACTIONS="true", GITHUB_STEP_SUMMARY=str(summary))
    assert done.returncode == 1
    lines = [*done.stderr.splitlines(), *done.stdout.splitlines(), *summary.read_text(encoding="utf-8").splitlines()]
    assert all(line.isprintable() and "##[" not in line for line in lines)
    commands = [line for line in lines if line.lstrip().startswith("::")]
    assert commands
    assert all(line.startswith("::error title=") for line in commands)
    findings = json.loads(run(*command, "--json").stdout)
    assert all(finding["file"].isprintable() for finding in findings)


EVIL = "\x1b[2J\x9b31m\u202e::error::x##[group]"


def test_what_is_in_an_artefact_commands_nothing_in_any_sink(tmp_path: Path) -> None:
    folder, summary = tmp_path / "dist", tmp_path / "summary"
    folder.mkdir()
    head, _, _ = METADATA.partition("\n\n")
    lines = [f"Requires-Dist: {EVIL}", f"Classifier: {EVIL}", f"Project-URL: {EVIL}, {EVIL}", f"License-File: {EVIL}"]
    metadata = "\n".join([head.replace(": MIT", f": {EVIL}"), *lines, "", f"[x]({EVIL})\n> [!NOTE] {EVIL}\n"]).encode()
    points = f"[console_scripts]\n{EVIL} = {EVIL}\n".encode()
    named = {f"{EVIL}.data/x": b"", f"a/{EVIL}.py": b"<<<<<<< x\n=======\n>>>>>>> y\n", f"{EVIL}.so": b"\x7fELF"}
    info = {f"{INFO}/METADATA": metadata, f"{INFO}/entry_points.txt": points, f"{INFO}/WHEEL": f"Tag: {EVIL}".encode()}
    (folder / WHEEL).write_bytes(good_wheel({**named, **info}))
    pyproject = f'[project]\nname = "{TOP}"\nkeywords = ["::error::x##[group]\u202e"]\n'.encode()
    files = {f"{TOP}/{EVIL}": b"", f"{TOP}/PKG-INFO": metadata, f"{TOP}/pyproject.toml": pyproject}
    (folder / SDIST).write_bytes(make_sdist({**sdist_files(), **files}))
    command = (sys.executable, "-m", "roadworthy", "check", folder, "--foreign", "--strict")
    done = run(*command, GITHUB_ACTIONS="true", GITHUB_STEP_SUMMARY=str(summary))
    lines = [*done.stderr.splitlines(), *done.stdout.splitlines(), *summary.read_text(encoding="utf-8").splitlines()]
    assert done.returncode == 1
    assert all(line.isprintable() for line in lines)
    assert all(line.startswith("::error title=") for line in lines if line.lstrip().startswith("::"))
    assert not any("##[" in line for line in lines)
    findings = json.loads(run(*command, "--json").stdout)
    assert {"declared-metadata", "no-placeholders", "readme-on-pypi", "data-folder", "safe-members"} <= {
        each["rule"] for each in findings
    }
    assert all(each["what"].isprintable() for each in findings)


@pytest.mark.parametrize("text", ["::set-output::x", "  ::x", "a ##[group]x", "\x1b[1m", "\udce9"])
def test_what_is_printable_is_no_command(text: str) -> None:
    shown = printable(text)
    assert shown.isprintable()
    assert not shown.lstrip().startswith("::")
    assert "##[" not in shown


def test_words_stay_as_they_are() -> None:
    for text in ("", "a::b", "std::vec", "# [x]", "größer, 数据, 🦀", "a  b"):
        assert printable(text) == text


def test_each_stream_shows_control_characters_as_text(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for stream in (err, out):
        stream.print("one\x1b[2J\ntwo\r\x07", style="bold")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary"))
    annotate([("\x1b::x", "rule")])
    summarise("\x1b", ["a"], [["\x1b|\n"]])
    shown = capsys.readouterr()
    assert shown.err == "one\\x1b[2J\ntwo\\r\\x07\n"
    assert shown.out == "one\\x1b[2J\ntwo\\r\\x07\n::error title=rule::\\x1b::x\n"
    assert (tmp_path / "summary").read_text(encoding="utf-8").splitlines()[-2] == "| \\x1b\\|\\n |"
