"""bump-my-version and towncrier as pyproject.toml configures them."""

import shutil
from pathlib import Path

import pytest

from helpers import run
from releases import PROJECT
from roadworthy.processes import venv_bin


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for name in ("pyproject.toml", "Cargo.toml", "CHANGELOG.md"):
        shutil.copy(PROJECT.root / name, tmp_path)
    shutil.copytree(PROJECT.root / "changelog.d", tmp_path / "changelog.d")
    return tmp_path


def changed_lines(folder: Path, name: str) -> list[tuple[str, str]]:
    before, after = ((root / name).read_text(encoding="utf-8").splitlines() for root in (PROJECT.root, folder))
    assert len(before) == len(after)
    return [pair for pair in zip(before, after, strict=True) if pair[0] != pair[1]]


@pytest.mark.parametrize("wanted", ["0.2.0", "1.0.0-beta12", "10.20.30"])
def test_a_bump_changes_one_line_of_each_file(copy: Path, wanted: str) -> None:
    cargo = copy / "Cargo.toml"
    dependency = f'other = {{ version = "{PROJECT.version}" }}\n[dependencies.another]\nversion = "{PROJECT.version}"\n'
    cargo.write_text(cargo.read_text(encoding="utf-8") + f"\n[build-dependencies]\n{dependency}", encoding="utf-8")
    done = run(venv_bin("bump-my-version"), "bump", f"--new-version={wanted}", cwd=copy)
    assert done.returncode == 0, done.stderr
    line = [(f'version = "{PROJECT.version}"', f'version = "{wanted}"')]
    assert changed_lines(copy, "pyproject.toml") == line
    cargo.write_text(cargo.read_text(encoding="utf-8").split("\n[build-dependencies]")[0], encoding="utf-8")
    assert changed_lines(copy, "Cargo.toml") == line


@pytest.mark.parametrize("wrong", ["v1.0.0", "01.0.0", "1.0.0-rc", "1.0.0rc1", "1.0.0x"])
def test_another_spelling_changes_nothing(copy: Path, wrong: str) -> None:
    done = run(venv_bin("bump-my-version"), "bump", f"--new-version={wrong}", cwd=copy)
    assert done.returncode != 0
    assert changed_lines(copy, "pyproject.toml") == changed_lines(copy, "Cargo.toml") == []


def test_a_section_is_written_below_the_marker_as_it_is_previewed(copy: Path) -> None:
    for fragment in (copy / "changelog.d").glob("*.*.md"):
        fragment.unlink()
    (copy / "changelog.d" / "7.fixed.md").write_text("`closest()` is right.\n", encoding="utf-8")
    (copy / "changelog.d" / "+word.added.md").write_text("`distance()` is new.\n", encoding="utf-8")
    arguments = (venv_bin("towncrier"), "build", "--version=0.2.0", "--date=2030-01-02")
    section = """## 0.2.0 (2030-01-02)

### Added

- `distance()` is new.

### Fixed

- `closest()` is right. ([#7](https://github.com/rust-wheelwrights/ferrous-wheel/issues/7))
"""
    before = (copy / "CHANGELOG.md").read_text(encoding="utf-8")
    assert section.strip() in run(*arguments, "--draft", cwd=copy).stdout
    assert (copy / "CHANGELOG.md").read_text(encoding="utf-8") == before
    written = run(*arguments, "--keep", cwd=copy)
    assert written.returncode == 0, written.stderr
    assert (copy / "CHANGELOG.md").read_text(encoding="utf-8") == f"{before}\n{section}"


def test_a_fragment_of_an_unknown_type_is_an_error(copy: Path) -> None:
    (copy / "changelog.d" / "8.feature.md").write_text("New.\n", encoding="utf-8")
    refused = run(venv_bin("towncrier"), "build", "--draft", "--version=0.2.0", cwd=copy)
    assert refused.returncode != 0
    assert "8.feature.md" in refused.stderr + refused.stdout


def test_changelog_previews_the_waiting_fragments() -> None:
    previewed = run("make", "changelog", "VERSION=0.2.0")
    assert previewed.returncode == 0, previewed.stderr
    assert "## 0.2.0 (" in previewed.stdout
    assert "## Unreleased (" in run("make", "changelog").stdout
