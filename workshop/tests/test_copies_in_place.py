"""`make new` in a copy, `make new DEST=.`, and the script without its repository: whole runs."""

import re
import shutil
import sys
from pathlib import Path

import pytest
import template

from copies import ADDRESS, GIVEN, PROJECT, TEMPLATE, Folder, environment, make_template
from helpers import run
from roadworthy.processes import find_uv
from workshop import start


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """A template, not to be changed."""
    return make_template(tmp_path_factory.mktemp("template"))


def at_home(source: Folder) -> dict[str, str | None]:
    """Return settings with which the template's address leads to its folder."""
    configuration = source.home / "gitconfig-at-home"
    text = Path(str(environment(source.home)["GIT_CONFIG_GLOBAL"])).read_text(encoding="utf-8")
    configuration.write_text(f'{text}[url "{source.folder}"]\n\tinsteadOf = {ADDRESS}\n', encoding="utf-8")
    return {**environment(source.home), "GIT_CONFIG_GLOBAL": str(configuration)}


# ---- in a copy


def test_a_copy_makes_another_copy_of_the_template_it_was_made_from_beside_itself(tmp_path: Path) -> None:
    source = make_template(tmp_path)
    copy = source.new("iron-pot")
    copy.write("src/own.rs", b'pub const NAME: &str = "iron_pot";\n')
    copy.replace("Makefile", "Print this list.", "Print my list.")
    copy.commit("Own work")
    first = source.git("rev-parse", "HEAD")
    source.replace("Makefile", "Print this list.", "Print that list.")
    source.commit("The template goes on")
    done = copy.template("new", *GIVEN, "tin-can")
    assert done.returncode == 0, done.stderr
    made = Folder(tmp_path / "tin-can", source.home)
    assert (made.record.address, made.record.commit) == (ADDRESS, first)
    assert made.holding(re.compile(rb"iron[-_]pot|Print (?:my|that) list")) == set()
    assert not (made.folder / "src" / "own.rs").exists()
    source.git("checkout", "--quiet", first)
    assert made.git("rev-parse", "HEAD:scripts") == copy.git("rev-parse", "HEAD:scripts")
    shutil.rmtree(made.folder)
    tree = source.new("tin-can").git("ls-tree", "-r", "HEAD").splitlines()
    assert len(tree) == len(copy.git("ls-tree", "-r", "HEAD~1").splitlines())
    # It is there now, and wanted once more.
    (source.folder / ".git").rename(source.folder / "gone")
    again = copy.template("new", *GIVEN, "--dest=nowhere/tin-pan", "tin-pan")
    assert again.returncode == 1
    assert again.stderr.startswith("problem: there is no folder ")


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


def test_a_forge_s_copy_is_renamed_in_place_once(source: Folder, forged: Folder) -> None:
    first = forged.git("rev-parse", "HEAD")
    done = forged.template("new", *GIVEN, "--dest=.", "turbo-frob", **at_home(source))
    assert done.returncode == 0, done.stderr
    assert forged.git("status", "--porcelain") == ""
    assert forged.git("rev-list", "HEAD").splitlines()[1:] == [first]
    assert forged.record.commit == source.git("rev-parse", "HEAD")
    copy = source.new("turbo-frob")
    assert forged.holding(TEMPLATE) == copy.holding(TEMPLATE)
    here, there = (set(folder.git("ls-tree", "-r", "HEAD").splitlines()) for folder in (forged, copy))
    # The tag, or what git describes it as, is nothing that a forge's copy knows.
    assert {line.partition("\t")[2] for line in here ^ there} <= {"template.toml"}
    again = forged.template("new", *GIVEN, "--dest=.", "other-name", **at_home(source))
    assert again.returncode == 1
    assert again.stderr.splitlines()[-2].endswith("is there already, and not empty")
    assert forged.git("status", "--porcelain") == ""


def test_what_was_built_under_the_old_name_is_gone(source: Folder, forged: Folder) -> None:
    shared = (forged.folder / ".venv").resolve()
    (forged.folder / ".venv").unlink()
    (forged.folder / ".venv").mkdir()
    for path in shared.iterdir():
        if path.suffix == ".stamp":
            shutil.copy2(path, forged.folder / ".venv")
        else:
            (forged.folder / ".venv" / path.name).symlink_to(path)
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
    assert f"no commit of {ADDRESS} has the files" in done.stderr
    assert forged.git("status", "--porcelain") == ""


# ---- without a checkout


def test_the_script_alone_clones_the_template_and_copies_that(source: Folder, tmp_path: Path) -> None:
    shutil.copy(PROJECT.root / "scripts" / "template.py", tmp_path / "downloaded.py")
    command = [find_uv(), "run", "--quiet", "--offline", "--no-project", "--script", tmp_path / "downloaded.py", "new"]
    done = run(*command, *GIVEN, "turbo-frob", cwd=tmp_path, **at_home(source))
    assert done.returncode == 0, done.stderr
    made = Folder(tmp_path / "turbo-frob", source.home).record
    assert (made.address, made.commit) == (ADDRESS, source.git("rev-parse", "HEAD"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["downloaded.py", "turbo-frob"]


def test_the_script_alone_does_nothing_else(tmp_path: Path) -> None:
    script = shutil.copy(PROJECT.root / "scripts" / "template.py", tmp_path)
    for arguments in (["update"], ["rehearse"], ["nwe"], []):
        done = run("python3", script, *arguments, cwd=tmp_path)
        assert done.returncode in {1, 2}
        assert re.fullmatch(r"(?:usage|template\.py): .+\n", done.stderr)


def test_a_template_that_cannot_be_cloned_is_said_in_one_line(source: Folder, tmp_path: Path) -> None:
    script = shutil.copy(PROJECT.root / "scripts" / "template.py", tmp_path)
    (tmp_path / "gitconfig").write_text(f'[url "file:///nowhere"]\n\tinsteadOf = {ADDRESS}\n', encoding="utf-8")
    variables = {**environment(source.home), "GIT_CONFIG_GLOBAL": str(tmp_path / "gitconfig")}
    done = run("python3", script, "new", "turbo-frob", cwd=tmp_path, **variables)
    assert done.returncode == 1
    assert re.fullmatch(rf"template\.py: the template cannot be had from {ADDRESS}: .+\n", done.stderr)


def test_without_git_that_is_said_in_one_line(tmp_path: Path) -> None:
    script = shutil.copy(PROJECT.root / "scripts" / "template.py", tmp_path)
    done = run(sys.executable, script, "new", "turbo-frob", cwd=tmp_path, PATH=str(tmp_path))
    assert done.returncode == 1
    assert re.fullmatch(r"template\.py: git: No such file or directory.*\n", done.stderr)


def test_the_script_knows_where_the_template_is() -> None:
    assert PROJECT.pyproject["project"]["urls"]["Repository"] == template.TEMPLATE == ADDRESS


def test_the_script_runs_on_the_pythons_that_the_project_runs_on() -> None:
    text = (PROJECT.root / "scripts" / "template.py").read_text(encoding="utf-8")
    assert f'# requires-python = "{PROJECT.requires_python}"\n' in text


def test_what_the_workshop_needs_is_locked_for_the_commands_of_the_script() -> None:
    assert tuple(start.NEEDED) == template.COMMANDS
    stamps = {Path(stamp) for stamps in start.NEEDED.values() for stamp in stamps}
    groups = {stamp.stem for stamp in stamps if stamp.parent == Path(".venv")}
    assert groups <= PROJECT.pyproject["dependency-groups"].keys()
