"""What `make new` makes of a template, and what it refuses: whole runs of scripts/template.py."""

import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

import pytest
import tomli

from copies import ADDRESS, GIVEN, PROJECT, TEMPLATE, Folder, answers, environment, make_template, record
from helpers import run
from roadworthy.processes import venv_bin
from roadworthy.terminal import ProblemsError
from workshop.copying.objects import read_files
from workshop.copying.record import Record
from workshop.copying.rendering import render
from workshop.copying.rules import Rules

# What tools write, and nobody reads.
LOCKS = re.compile(r"requirements/.+\.txt|Cargo\.lock")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """A template, not to be changed."""
    return make_template(tmp_path_factory.mktemp("template"))


@pytest.fixture(scope="module")
def copy(source: Folder) -> Folder:
    """A copy of it, not to be changed."""
    return source.new("turbo-frob")


@pytest.fixture
def own(source: Folder, tmp_path: Path) -> Folder:
    """A template of a test's own."""
    shutil.copytree(source.folder, tmp_path / "ferrous-wheel", symlinks=True)
    return Folder(tmp_path / "ferrous-wheel", tmp_path)


# ---- what a copy is


def test_a_copy_is_a_repository_of_its_own_with_one_commit(source: Folder, copy: Folder) -> None:
    assert copy.git("log", "--format=%an %ae %s", "--all").startswith(
        "Grace Hopper grace@example.org Make turbo-frob of "
    )
    assert copy.git("rev-list", "--count", "--all") == "1"
    assert copy.git("rev-parse", "--abbrev-ref", "HEAD") == "main"
    assert copy.git("status", "--porcelain", "--ignored") == ""
    assert copy.git("remote") == ""
    assert copy.git("config", "--get", "template.folder") == str(source.folder)
    assert copy.git("fsck", "--strict", "--no-dangling") == ""
    assert sorted(path.name for path in source.folder.parent.iterdir()) == ["ferrous-wheel", "gitconfig", "turbo-frob"]


def test_a_copy_is_small(copy: Folder) -> None:
    own = [name for name in copy.git("ls-files").splitlines() if not name.startswith("roadworthy/")]
    assert len(own) <= 40
    lines = {name: len(copy.read(name).splitlines()) for name in own if not LOCKS.fullmatch(name)}
    assert sum(lines.values()) <= 2000, lines


def test_nothing_of_the_workshop_is_in_a_copy(copy: Folder) -> None:
    names = copy.git("ls-files").splitlines()
    assert {name.split("/")[0] for name in names if "/" in name} == {
        *(".cargo", ".github", "changelog.d", "docs", "python", "requirements", "roadworthy", "scripts", "src", "tests")
    }
    assert [name for name in names if name.startswith(("docs/", "tests/"))] == [
        *("docs/publishing.md", "tests/test_initials.py", "tests/test_readme.py")
    ]
    groups = tomli.loads(copy.read("pyproject.toml"))["dependency-groups"]
    assert {f"requirements/{group}.txt" for group in groups} == {
        name for name in names if LOCKS.fullmatch(name) and name != "Cargo.lock"
    }


def test_the_engine_is_the_template_s_to_the_byte_without_its_tests(source: Folder, copy: Folder) -> None:
    theirs, ours = (
        {path: file for path, file in read_files(folder.repository, "HEAD").items() if path.startswith("roadworthy/")}
        for folder in (source, copy)
    )
    assert "roadworthy/src/roadworthy/__main__.py" in ours
    # Nor is a copy an action that others use, or releases the engine.
    left = ("roadworthy/tests/", "roadworthy/action.yml", "roadworthy/CHANGELOG.md", "roadworthy/changelog.d/")
    assert ours == {path: file for path, file in theirs.items() if not path.startswith(left)}


def test_a_forge_shows_none_of_what_no_owner_writes(copy: Folder) -> None:
    names = copy.git("ls-files").splitlines()
    listed = copy.git("check-attr", "linguist-vendored", "linguist-generated", "--", *names)
    hidden = re.findall(r"^(.+): (linguist-[a-z]+): set$", listed, re.MULTILINE)
    engine = {name for name in names if name.startswith("roadworthy/")}
    assert {name for name, what in hidden if what == "linguist-vendored"} == engine
    assert {name for name, what in hidden if what == "linguist-generated"} == engine | set(filter(LOCKS.match, names))


def test_the_template_s_name_is_where_it_is_needed(copy: Folder) -> None:
    # Where a page is too long for a copy, it leads to the template's.
    guide = copy.read("docs/publishing.md").replace(f"]({ADDRESS}/blob/", "](")
    assert not TEMPLATE.search(guide.encode())
    # And the engine's own distribution says where it comes from.
    engine = {f"roadworthy/{name}" for name in ("LICENSE", "README.md", "pyproject.toml")}
    assert copy.holding(TEMPLATE) - {"docs/publishing.md"} == {
        *("README.md", "scripts/template.py", "template.toml"),
        *engine,
    }
    lines = [line for line in copy.read("README.md").splitlines() if TEMPLATE.search(line.encode())]
    assert lines == [f"MIT. Made from [a template]({ADDRESS})."]
    text = copy.read("template.toml")
    assert [line for line in text.splitlines() if TEMPLATE.search(line.encode())] == [f'address = "{ADDRESS}"']


def test_no_path_of_this_machine_is_in_a_copy(source: Folder, copy: Folder) -> None:
    for path in (source.folder.parent, PROJECT.root, Path.home()):
        assert copy.holding(re.compile(re.escape(os.fsencode(path)) + rb"\b")) == set()


def test_no_marker_is_left_in_a_copy(copy: Folder) -> None:
    """The engine and the pages go along as they are, so there may be none in them."""
    assert copy.holding(re.compile(rb"only (?:the template|a copy)\b")) == set()


def test_the_record_says_where_the_copy_came_from(source: Folder, copy: Folder) -> None:
    made = copy.record
    assert (made.address, made.commit, made.sample) == (ADDRESS, *[source.git("rev-parse", "HEAD")] * 2)
    assert source.git("rev-parse", made.label) == made.commit
    assert made.answers == answers("turbo-frob")


def test_a_copy_of_a_clone_knows_the_template_s_own_address(own: Folder) -> None:
    own.git("remote", "add", "origin", "https://ada:secret@example.org/iron/fork")
    made = own.new("turbo-frob")
    assert made.record.address == ADDRESS
    assert made.holding(re.compile(rb"ada:secret|example\.org/iron")) == set()


def test_a_copy_begins_its_own_history(copy: Folder) -> None:
    marker = tomli.loads(copy.read("pyproject.toml"))["tool"]["towncrier"]["start_string"]
    assert copy.read("CHANGELOG.md").endswith(marker)
    news = [path.name for path in (copy.folder / "changelog.d").iterdir() if re.search(r"\.[a-z]+\.md$", path.name)]
    assert news == ["+first.added.md"]
    assert copy.read("LICENSE").startswith("MIT License\n\nCopyright (c) ")
    assert " Ada Lovelace\n" in copy.read("LICENSE")
    assert "https://github.com/ada/turbo-frob" in copy.read("pyproject.toml")


def test_the_files_of_a_copy_are_formatted_whatever_its_name(source: Folder) -> None:
    """A name of forty letters makes lines longer, and changes the order of imports and crates."""
    long = source.new("z" * 19 + "-" + "a" * 20)
    tools = (
        [venv_bin("ruff"), "check", "--no-cache"],
        [venv_bin("ruff"), "format", "--check", "--no-cache"],
    )
    for command in (*tools, ["cargo", "fmt", "--check"]):
        done = run(*command, cwd=long.folder)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", ["aa", "zz-top"])
def test_the_lock_of_a_copy_is_as_cargo_writes_it(source: Folder, name: str) -> None:
    made = source.new(name)
    before = made.read("Cargo.lock")
    written = run("cargo", "update", "--workspace", "--offline", cwd=made.folder)
    assert written.returncode == 0, written.stderr
    assert made.read("Cargo.lock") == before


def test_the_same_answers_make_the_same_files(source: Folder, copy: Folder) -> None:
    files = render(source.repository, record("turbo-frob"), "0.1.0")
    again = render(source.repository, record("turbo-frob", "HEAD^{tree}"), "0.1.0")
    there = read_files(copy.repository, "HEAD")
    for other in (again, there):
        assert {path for path in {**files, **other} if files.get(path) != other.get(path)} == {"template.toml"}


WHOSE = {
    "merged": ("Makefile", "pyproject.toml", "scripts/release.py", "docs/publishing.md", ".gitattributes"),
    "generated": ("Cargo.lock", "requirements/lint.txt"),
    "engine": ("roadworthy/pyproject.toml", "roadworthy/src/roadworthy/gate/pypi.py"),
    "seeded": ("README.md", "CHANGELOG.md", "LICENSE", "src/lib.rs", "python/turbo_frob/__init__.py", "template.toml"),
}


def test_the_rules_say_whose_each_file_is(source: Folder) -> None:
    rules = Rules.read(source.repository, "HEAD")
    assert {name: tuple(path for path in paths if rules.class_of(path) == name) for name, paths in WHOSE.items()} == (
        WHOSE
    )


@pytest.mark.parametrize(
    ("licence", "title"), [("Apache-2.0", "Apache License"), ("BSD-3-Clause", "BSD 3-Clause License")]
)
def test_a_copy_has_the_licence_that_is_asked_for(source: Folder, licence: str, title: str) -> None:
    copy = source.new(f"under-{licence[:3].lower()}", f"--license={licence}")
    assert copy.read("LICENSE").splitlines()[0].strip() == title
    assert copy.read("README.md").endswith(f"\n\n{licence}. Made from [a template]({ADDRESS}).\n")
    assert tomli.loads(copy.read("pyproject.toml"))["project"]["license"] == licence
    assert "YEAR" not in copy.read("LICENSE")


# ---- what git keeps beside text

CRLF = b"ferrous-wheel\r\nferrous_wheel\r\n"
LATIN = "ferrous-wheel, größer\n".encode("latin-1")
BINARY = b"ferrous-wheel\0ferrous_wheel\xff"


def test_modes_links_line_ends_and_bytes_are_as_they_were(own: Folder) -> None:
    own.write("odd/crlf.txt", CRLF)
    own.write("odd/.gitattributes", b"crlf.txt -text\nferrous-wheel.dat filter=none\n")
    own.write("odd/latin.txt", LATIN)
    own.write("odd/ferrous-wheel.dat", BINARY)
    own.write("odd/ferrous_wheel.sh", b"#!/bin/sh\necho ferrous-wheel\n")
    (own.folder / "odd" / "ferrous_wheel.sh").chmod(0o755)
    (own.folder / "odd" / "link").symlink_to("ferrous_wheel.sh")
    (own.folder / "odd" / "plain").symlink_to("../LICENSE")
    own.write("odd/a file\twith\nodd letters-ferrous-wheel é", b"")
    (own.folder / os.fsdecode(b"odd/ferrous-wheel-\xff.txt")).write_bytes(b"no UTF-8 in the name\n")
    own.replace("template.toml", "merged = [\n", 'merged = [\n  "odd/*",\n')
    own.commit("Odd files")
    copy = own.new("turbo-frob")
    odd = {
        name: (copy.folder / "odd" / name).read_bytes()
        for name in ("crlf.txt", ".gitattributes", "latin.txt", "turbo-frob.dat", "turbo_frob.sh")
    }
    assert odd == {
        "crlf.txt": b"turbo-frob\r\nturbo_frob\r\n",
        ".gitattributes": b"crlf.txt -text\nturbo-frob.dat filter=none\n",
        "latin.txt": "turbo-frob, größer\n".encode("latin-1"),
        "turbo-frob.dat": BINARY,
        "turbo_frob.sh": b"#!/bin/sh\necho turbo-frob\n",
    }
    modes = dict(line.split(" ", 1)[::-1] for line in ls(copy, "odd"))
    assert modes["odd/turbo_frob.sh"] == "100755"
    assert modes["odd/latin.txt"] == "100644"
    assert modes["odd/link"] == modes["odd/plain"] == "120000"
    assert (copy.folder / "odd" / "link").readlink() == Path("turbo_frob.sh")
    assert (copy.folder / "odd" / "plain").readlink() == Path("../LICENSE")
    assert "odd/a file\twith\nodd letters-turbo-frob é" in modes
    assert os.fsdecode(b"odd/turbo-frob-\xff.txt") in modes
    assert copy.git("status", "--porcelain") == ""


def ls(folder: Folder, path: str) -> list[str]:
    """Return mode and path of each committed file below a path."""
    listed = subprocess.run(
        ["git", "ls-tree", "-r", "-z", "HEAD", path], cwd=folder.folder, check=True, capture_output=True
    ).stdout
    found = re.findall(rb"(\d+) \w+ [0-9a-f]+\t([^\0]+)\0", listed)
    return [f"{mode.decode()} {os.fsdecode(name)}" for mode, name in found]


def test_what_is_not_committed_is_not_copied_and_that_is_said(own: Folder) -> None:
    own.write("notes.txt", b"mine")
    own.write(".editorconfig", b"broken")
    done = own.template("new", *GIVEN, "turbo-frob")
    assert done.returncode == 0, done.stderr
    assert "without 2 changes that are not committed" in done.stderr
    copy = Folder(own.folder.parent / "turbo-frob", own.home)
    assert not (copy.folder / "notes.txt").exists()
    assert copy.read(".editorconfig") != "broken"


# ---- what is asked


def test_it_prints_what_there_is_and_five_lines_of_what_to_do(source: Folder) -> None:
    done = source.template("new", *GIVEN, "five-lines")
    first, *rest = done.stdout.splitlines()
    assert first.startswith(f"five-lines is in {source.folder.parent / 'five-lines'}: ")
    assert len(rest) == 5
    targets = set(re.findall(r"make ([a-z-]+)", done.stdout))
    assert targets
    makefile = (PROJECT.root / "Makefile").read_text(encoding="utf-8")
    assert [target for target in targets if f"\n.PHONY: {target}  ##" not in makefile] == []


REFUSED = {
    "no folder": (["--dest=../nowhere/turbo-frob"], "there is no folder "),
    "inside": (["--dest=tests/turbo-frob"], "is inside the repository that is copied"),
    "not empty": (["--dest=../not-empty"], "is there already, and not empty"),
    "a file": (["--dest=../gitconfig"], "is there already, and not empty"),
    "a link": (["--dest=../leads-nowhere"], "is there already, and not empty"),
    # Not even root can make a folder where the kernel shows itself.
    "nothing can be written": (["--dest=/proc/turbo-frob"], "/proc cannot be written: "),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_folder_that_cannot_be_is_refused_in_one_line_and_nothing_is_written(own: Folder, case: str) -> None:
    (own.folder.parent / "not-empty").mkdir()
    (own.folder.parent / "not-empty" / "file").touch()
    (own.folder.parent / "leads-nowhere").symlink_to("nowhere")
    before = paths_beside(own)
    arguments, words = REFUSED[case]
    done = own.template("new", *GIVEN, *arguments, "turbo-frob")
    assert (done.returncode, done.stdout) == (1, "")
    (line, remedy) = done.stderr.splitlines()
    assert line.startswith("problem: ")
    assert words in line
    assert remedy.startswith("  ")
    assert paths_beside(own) == before


def paths_beside(own: Folder) -> list[Path]:
    """Return all that is in the folder of a template, and beside it."""
    environment(own.home)
    return sorted(path for path in own.folder.parent.rglob("*") if "__pycache__" not in path.parts)


@pytest.mark.parametrize(
    "arguments", [["new", "--autor=x", "turbo-frob"], ["new", "a", "b"], ["new", "--name=a", "b"], ["nwe"], []]
)
def test_a_mistyped_command_is_wrong_usage(source: Folder, arguments: list[str]) -> None:
    done = source.template(*arguments)
    assert done.returncode == 2
    assert done.stderr.startswith("usage: ")
    assert len(done.stderr.splitlines()) == 1


# ---- when something fails


def stopping(folder: Path, command: str, how: str) -> str:
    """Return a PATH with a git that stops who has called it at a certain command, and does nothing."""
    folder.mkdir()
    git = folder / "git"
    stop = f'case " $* " in *" {command} "*) kill -{how} $PPID; sleep 1; exit 1;; esac'
    git.write_text(f'#!/bin/sh\n{stop}\nexec {shutil.which("git")} "$@"\n', encoding="utf-8")
    git.chmod(0o755)
    return f"{folder}{os.pathsep}{os.environ['PATH']}"


@pytest.mark.parametrize("command", ["ls-tree", "commit-tree", "reset"])
@pytest.mark.parametrize("how", ["INT", "TERM"])
def test_what_is_interrupted_leaves_nothing(own: Folder, tmp_path: Path, how: str, command: str) -> None:
    before = paths_beside(own)
    path = stopping(tmp_path.parent / f"{tmp_path.name}-bin", command, how)
    stopped = own.template("new", *GIVEN, "turbo-frob", PATH=path)
    assert (stopped.returncode, stopped.stdout, stopped.stderr) == (130, "", "interrupted\n")
    assert paths_beside(own) == before


def test_after_a_kill_there_is_no_half_of_a_copy_and_the_same_command_makes_it(own: Folder, tmp_path: Path) -> None:
    killed = own.template("new", *GIVEN, "turbo-frob", PATH=stopping(tmp_path / "bin", "reset", "KILL"))
    assert killed.returncode == -signal.SIGKILL
    assert not (own.folder.parent / "turbo-frob").exists()
    assert own.git("status", "--porcelain") == ""
    assert own.new("turbo-frob").git("status", "--porcelain") == ""


def test_two_files_that_would_become_one_are_refused_and_neither_is_lost(own: Folder) -> None:
    for name in ("ferrous-wheel", "turbo-frob"):
        own.write(f".github/workflows/{name}.yml", f"name: {name}\n")
    own.replace("template.toml", "merged = [", 'merged = [\n  ".github/workflows/*.yml",')
    own.commit()
    done = own.template("new", *GIVEN, "turbo-frob")
    assert done.returncode == 1
    assert "two files of the template would both be .github/workflows/turbo-frob.yml" in done.stderr


def test_a_commit_that_is_no_template_is_refused(own: Folder) -> None:
    own.git("rm", "--quiet", "--cached", "template.toml")
    own.git("commit", "--quiet", "--message=No rules")
    done = own.template("new", *GIVEN, "turbo-frob")
    assert done.returncode == 1
    assert "it has no template.toml" in done.stderr


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('name = "turbo-frob"', 'name = "turbo-frog"'),
        ('commit = "', 'commit = "0'),
        ('owner = "ada"\n', ""),
        ('checksum = "', 'checksum = "0'),
    ],
)
def test_a_record_that_was_edited_is_noticed(copy: Folder, old: str, new: str) -> None:
    text = copy.read("template.toml")
    assert old in text
    with pytest.raises(ProblemsError, match=r"template\.toml is (?:not what was written there|incomplete)"):
        Record.read(text.replace(old, new))
