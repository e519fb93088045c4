"""A copy of a copy, `make new DEST=.`, and the script without its repository: whole runs."""

import re
import shutil
from pathlib import Path

import pytest
import template

from copies import GIVEN, PROJECT, TEMPLATE, Folder, environment, make_template
from helpers import run
from roadworthy.processes import find_uv
from workshop.copying.record import Record


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """A template, not to be changed."""
    return make_template(tmp_path_factory.mktemp("template"))


@pytest.fixture
def copy(source: Folder, tmp_path: Path) -> Folder:
    """A copy of a test's own, with work of its owner."""
    made = source.new("iron-pot", f"--dest={tmp_path / 'iron-pot'}")
    copy = Folder(tmp_path / "iron-pot", made.home)
    copy.write("src/own.rs", b'pub const NAME: &str = "iron_pot";\n')
    copy.write("python/iron_pot/own.py", b'from iron_pot import closest\n\nclosest("iron-pot", [])\n')
    copy.write("notes/iron-pot.md", b"https://github.com/ada/iron-pot, by `ada`; irony-pots are no iron-pot.\n")
    copy.write("python/iron_pot/image.bin", b"iron-pot\0")
    copy.commit("Own work")
    return copy


def record_of(folder: Folder) -> Record:
    record = Record.read(folder.read("template.toml"))
    assert record is not None
    return record


def test_a_copy_of_a_copy_is_a_copy_of_that(copy: Folder) -> None:
    copy.git("tag", "v0.1.0")
    grandchild = copy.new("tin-can")
    record = record_of(grandchild)
    assert (record.commit, record.label) == (copy.git("rev-parse", "HEAD"), "v0.1.0")
    assert record.address == "https://github.com/ada/iron-pot"
    assert grandchild.holding(re.compile(rb"(?<![a-z])iron[-_]pot|" + TEMPLATE.pattern)) == {
        "template.toml",
        "python/tin_can/image.bin",
    }
    assert (grandchild.folder / "src" / "own.rs").is_file()


def test_the_minimal_package_is_not_in_a_copy(copy: Folder) -> None:
    done = copy.template("new", *GIVEN, "--package=minimal", "tin-can")
    assert done.returncode == 1
    assert "the package 'minimal' is in the template, and not in its copies" in done.stderr


@pytest.mark.parametrize("arguments", [[*GIVEN, "tin-can"], [*GIVEN, "--dest=.", "tin-can"]])
def test_a_name_of_one_word_is_not_exchanged(source: Folder, tmp_path: Path, arguments: list[str]) -> None:
    """It would take the place of `python` in any sentence."""
    source.new("qz", f"--dest={tmp_path / 'qz'}")
    done = Folder(tmp_path / "qz", source.home).template("new", *arguments)
    assert done.returncode == 1
    assert "problem: qz is a single word" in done.stderr


# ---- GitHub's "Use this template"


@pytest.fixture
def forged(source: Folder, tmp_path: Path) -> Folder:
    """What a forge makes of a template: its files, in one commit; here its address is the template's folder."""
    folder = tmp_path / "turbo-frob"
    shutil.copytree(source.folder, folder, symlinks=True, ignore=shutil.ignore_patterns(".git"))
    forged = Folder(folder, source.home)
    forged.git("init", "--quiet", "--initial-branch=main")
    forged.write(".git/info/exclude", b"/.venv\n")
    forged.commit("Initial commit")
    return forged


def at_home(source: Folder) -> dict[str, str | None]:
    """Return settings with which the template's address leads to its folder."""
    configuration = source.home / "gitconfig-at-home"
    text = Path(str(environment(source.home)["GIT_CONFIG_GLOBAL"])).read_text(encoding="utf-8")
    address = "https://github.com/rust-wheelwrights/ferrous-wheel"
    configuration.write_text(f'{text}[url "{source.folder}"]\n\tinsteadOf = {address}\n', encoding="utf-8")
    return {"GIT_CONFIG_GLOBAL": str(configuration)}


def test_a_forge_s_copy_is_renamed_in_place_once(source: Folder, forged: Folder) -> None:
    first = forged.git("rev-parse", "HEAD")
    done = forged.template("new", *GIVEN, "--dest=.", "turbo-frob", **at_home(source))
    assert done.returncode == 0, done.stderr
    assert forged.git("status", "--porcelain") == ""
    assert forged.git("rev-list", "HEAD").splitlines()[1:] == [first]
    assert forged.holding(TEMPLATE) == {"template.toml"}
    assert record_of(forged).commit == source.git("rev-parse", "HEAD")
    tree = source.new("turbo-frob").git("ls-tree", "-r", "HEAD").splitlines()
    assert [line for line in forged.git("ls-tree", "-r", "HEAD").splitlines() if line not in tree] == [
        line for line in forged.git("ls-tree", "-r", "HEAD").splitlines() if line.endswith("\ttemplate.toml")
    ]
    again = forged.template("new", *GIVEN, "--dest=.", "other-name", **at_home(source))
    assert again.returncode == 1
    assert "this is a copy already, called turbo-frob" in again.stderr


def test_what_was_built_under_the_old_name_is_gone(source: Folder, forged: Folder) -> None:
    (forged.folder / ".venv").unlink(missing_ok=True)
    forged.write(".venv/setup.stamp", b"python")
    forged.write("python/ferrous_wheel/_core.abi3.so", b"\0")
    done = forged.template("new", *GIVEN, "--dest=.", "turbo-frob", **at_home(source))
    assert done.returncode == 0, done.stderr
    assert not (forged.folder / "python" / "ferrous_wheel").exists()
    assert not (forged.folder / ".venv" / "setup.stamp").exists()


def test_a_repository_with_a_history_is_not_renamed_in_place(source: Folder, forged: Folder) -> None:
    forged.write("notes.txt", b"mine")
    forged.commit("More")
    done = forged.template("new", *GIVEN, "--dest=.", "turbo-frob", **at_home(source))
    assert done.returncode == 1
    assert "this repository has a history of its own, of 2 commits" in done.stderr
    assert forged.git("status", "--porcelain") == ""


def test_changes_that_are_not_committed_are_not_renamed_in_place(source: Folder, forged: Folder) -> None:
    forged.write("notes.txt", b"mine")
    done = forged.template("new", *GIVEN, "--dest=.", "turbo-frob", **at_home(source))
    assert done.returncode == 1
    assert "changes that are not committed: notes.txt" in done.stderr


def test_files_that_are_no_commit_of_the_template_are_not_renamed_in_place(source: Folder, forged: Folder) -> None:
    forged.write("notes.txt", b"mine")
    forged.git("add", "--all")
    forged.git("commit", "--quiet", "--amend", "--no-edit")
    done = forged.template("new", *GIVEN, "--dest=.", "turbo-frob", **at_home(source))
    assert done.returncode == 1
    assert "no commit of https://github.com/rust-wheelwrights/ferrous-wheel has the files" in done.stderr
    assert forged.git("status", "--porcelain") == ""


# ---- without a checkout


def test_the_script_alone_clones_the_template_and_copies_that(source: Folder, tmp_path: Path) -> None:
    shutil.copy(PROJECT.root / "scripts" / "template.py", tmp_path / "downloaded.py")
    environment_ = {**environment(source.home), **at_home(source)}
    command = [
        find_uv(),
        "run",
        "--quiet",
        "--offline",
        "--no-project",
        "--script",
        tmp_path / "downloaded.py",
        "new",
    ]
    done = run(*command, *GIVEN, "turbo-frob", cwd=tmp_path, **environment_)
    assert done.returncode == 0, done.stderr
    copy = Folder(tmp_path / "turbo-frob", source.home)
    assert record_of(copy).commit == source.git("rev-parse", "HEAD")
    # What git makes of the address, with the settings above.
    assert record_of(copy).address == str(source.folder)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["downloaded.py", "turbo-frob"]


def test_the_script_alone_does_nothing_else(tmp_path: Path) -> None:
    script = shutil.copy(PROJECT.root / "scripts" / "template.py", tmp_path)
    for arguments in (["update"], []):
        done = run("python3", script, *arguments, cwd=tmp_path)
        assert done.returncode == 2
        assert len(done.stderr.splitlines()) == 1


def test_a_template_that_cannot_be_cloned_is_said_in_one_line(source: Folder, tmp_path: Path) -> None:
    script = shutil.copy(PROJECT.root / "scripts" / "template.py", tmp_path)
    (tmp_path / "gitconfig").write_text(
        '[url "file:///nowhere/"]\n\tinsteadOf = https://github.com/\n', encoding="utf-8"
    )
    variables = {**environment(source.home), "GIT_CONFIG_GLOBAL": str(tmp_path / "gitconfig")}
    done = run("python3", script, "new", "turbo-frob", cwd=tmp_path, **variables)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("template.py: https://github.com/rust-wheelwrights/ferrous-wheel")
    assert "Traceback" not in done.stderr


def test_the_script_knows_where_the_template_is() -> None:
    text = (PROJECT.root / "scripts" / "template.py").read_text(encoding="utf-8")
    address = PROJECT.pyproject["project"]["urls"]["Repository"]
    assert f'\nTEMPLATE = "{address}"\n' in text


def test_the_script_runs_on_the_pythons_that_the_project_runs_on() -> None:
    text = (PROJECT.root / "scripts" / "template.py").read_text(encoding="utf-8")
    assert f'# requires-python = "{PROJECT.requires_python}"\n' in text


def test_what_the_script_needs_is_among_the_locked_tools() -> None:
    texts = [(PROJECT.root / "requirements" / f"{group}.txt").read_text(encoding="utf-8") for group in template.LOCKS]
    assert [name for name in template.NEEDED if f"\n{name}==" not in "".join(texts)] == []
