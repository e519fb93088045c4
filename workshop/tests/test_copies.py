"""What `make new` makes of a template, and what it refuses: whole runs of scripts/template.py."""

import os
import pty
import re
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
import tomli

from copies import ADDRESS, GIVEN, PROJECT, TEMPLATE, Folder, answers, environment, make_template
from helpers import run
from roadworthy.processes import venv_bin
from roadworthy.terminal import ProblemsError
from workshop.copying.objects import read_files
from workshop.copying.record import Record
from workshop.copying.rendering import render
from workshop.copying.rules import Rules


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


def record_of(folder: Folder) -> Record:
    record = Record.read(folder.read("template.toml"))
    assert record is not None
    return record


# ---- what a copy is


def test_a_copy_is_a_repository_of_its_own_with_one_commit(source: Folder, copy: Folder) -> None:
    assert copy.git("log", "--format=%an %ae %s", "--all").startswith(
        "Grace Hopper grace@example.org Make turbo-frob of "
    )
    assert copy.git("rev-list", "--count", "--all") == "1"
    assert copy.git("rev-parse", "--abbrev-ref", "HEAD") == "main"
    assert copy.git("status", "--porcelain", "--ignored") == ""
    assert copy.git("remote") == ""
    assert copy.git("fsck", "--strict", "--no-dangling") == ""
    assert sorted(path.name for path in source.folder.parent.iterdir()) == ["ferrous-wheel", "gitconfig", "turbo-frob"]


def test_the_template_s_name_is_in_the_record_alone(copy: Folder) -> None:
    assert copy.holding(TEMPLATE) == {"template.toml"}
    text = copy.read("template.toml")
    assert [line for line in text.splitlines() if TEMPLATE.search(line.encode())] == [f'address = "{ADDRESS}"']


def test_the_record_says_where_the_copy_came_from(source: Folder, copy: Folder) -> None:
    record = record_of(copy)
    assert (record.address, record.commit) == (ADDRESS, source.git("rev-parse", "HEAD"))
    assert source.git("rev-parse", record.label) == record.commit
    expected = answers("turbo-frob")
    assert record.answers == expected


def test_a_copy_begins_its_own_history(copy: Folder) -> None:
    marker = tomli.loads(copy.read("pyproject.toml"))["tool"]["towncrier"]["start_string"]
    assert copy.read("CHANGELOG.md").endswith(marker)
    news = [path.name for path in (copy.folder / "changelog.d").iterdir() if re.search(r"\.[a-z]+\.md$", path.name)]
    assert news == ["+first.added.md"]
    assert copy.read("LICENSE").startswith("MIT License\n\nCopyright (c) ")
    assert " Ada Lovelace\n" in copy.read("LICENSE")
    assert "https://github.com/ada/turbo-frob" in copy.read("Cargo.toml")


def test_what_only_the_template_needs_is_not_in_a_copy(source: Folder, copy: Folder) -> None:
    before, after = (set(folder.git("ls-files").splitlines()) for folder in (source, copy))
    renamed = {name.replace("ferrous_wheel", "turbo_frob") for name in before}
    left_out = {name for name in renamed - after if not re.fullmatch(r"changelog\.d/.+\..+\.md", name)}
    assert left_out
    kept = re.compile(
        r"benchmarks/(?:first_test|foreign|mistakes|release_command|updating)|\w+/tests/|template\.mk$|"
        r"workshop/(?:check_lock\.py|copying/minimal/)|\.github/workflows/workshop\.yml$|\.git-blame-ignore-revs$"
    )
    assert [name for name in left_out if not kept.match(name)] == []
    assert after - renamed <= {"changelog.d/+first.added.md"}


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
    new = answers("turbo-frob")
    files = render(source.repository, "HEAD", new, "0.1.0")
    assert render(source.repository, "HEAD^{tree}", new, "0.1.0") == files
    there = read_files(copy.repository, "HEAD")
    assert {path for path in {**files, **there} if files.get(path) != there.get(path)} == {"template.toml"}


WHOSE = {
    "dropped": ("template.mk", "roadworthy/tests/helpers.py", "workshop/tests/copies.py"),
    "seeded": ("README.md", "CHANGELOG.md", "LICENSE", "src/lib.rs", "python/turbo_frob/__init__.py"),
    "generated": ("Cargo.lock",),
    "merged": ("Makefile", "pyproject.toml", "scripts/release.py", "template.toml", "roadworthy/pyproject.toml"),
}


def test_the_rules_say_whose_each_file_is(source: Folder) -> None:
    rules = Rules.read(source.repository, "HEAD")
    assert {
        name: tuple(path for path in paths if rules.class_of(path) == name) for name, paths in WHOSE.items()
    } == WHOSE


@pytest.mark.parametrize(
    ("licence", "title"), [("Apache-2.0", "Apache License"), ("BSD-3-Clause", "BSD 3-Clause License")]
)
def test_a_copy_has_the_licence_that_is_asked_for(source: Folder, licence: str, title: str) -> None:
    copy = source.new(f"under-{licence[:3].lower()}", f"--license={licence}")
    assert copy.read("LICENSE").splitlines()[0].strip() == title
    assert copy.read("README.md").endswith(f"{licence} licence.\n")
    assert tomli.loads(copy.read("pyproject.toml"))["project"]["license"] == licence
    assert tomli.loads(copy.read("Cargo.toml"))["package"]["license"] == licence
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
    own.write("Makefile", b"broken")
    done = own.template("new", *GIVEN, "turbo-frob")
    assert done.returncode == 0, done.stderr
    assert "without 2 changes that are not committed" in done.stderr
    copy = Folder(own.folder.parent / "turbo-frob", own.home)
    assert not (copy.folder / "notes.txt").exists()
    assert copy.read("Makefile") != "broken"


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


def test_what_is_not_said_is_known_to_git(source: Folder) -> None:
    done = source.template("new", "known-to-git")
    assert done.returncode == 0, done.stderr
    found = record_of(Folder(source.folder.parent / "known-to-git", source.home)).answers
    assert (found.author, found.email) == ("Grace Hopper", "grace@example.org")
    assert (found.owner, found.license) == ("grace-hopper", "MIT")


REFUSED = {
    "author": (["--author="], "there is no author"),
    "email": (["--email=ada"], "'ada' is no e-mail address"),
    "owner": (["--owner=a--b"], "GitHub has no owner 'a--b'"),
    "slash": (["--owner=ada/turbo"], "GitHub has no owner 'ada/turbo'"),
    "description": (["--description="], "a description of 0 letters"),
    "long description": ([f"--description={'x' * 513}"], "a description of 513 letters"),
    "licence": (["--license=Beerware"], "the text of the licence 'Beerware' is not here"),
    "package": (["--package=maximal"], "there is no package 'maximal'"),
    "line feed": (["--author=Ada\nLovelace"], r"AUTHOR has a character that cannot be shown: 'Ada\nLovelace'"),
    "no folder": (["--dest=../nowhere/turbo-frob"], "there is no folder "),
    "inside": (["--dest=tests/turbo-frob"], "is inside the repository that is copied"),
    "not empty": (["--dest=../not-empty"], "is there already, and not empty"),
    "a file": (["--dest=../gitconfig"], "is there already, and not empty"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_is_refused_in_one_line_and_nothing_is_written(own: Folder, case: str) -> None:
    (own.folder.parent / "not-empty").mkdir()
    (own.folder.parent / "not-empty" / "file").touch()
    environment(own.home)
    before = sorted(own.folder.parent.rglob("*"))
    arguments, words = REFUSED[case]
    done = own.template("new", *GIVEN, *arguments, "turbo-frob")
    assert (done.returncode, done.stdout) == (1, "")
    (line, remedy) = done.stderr.splitlines()
    assert line.startswith("problem: ")
    assert words in line
    assert remedy.startswith("  ")
    assert [path for path in sorted(own.folder.parent.rglob("*")) if "__pycache__" not in path.parts] == [
        path for path in before if "__pycache__" not in path.parts
    ]


def test_all_that_is_wrong_is_said_at_once(source: Folder) -> None:
    done = source.template("new", "--author=", "--email=x", "--owner=-", "--license=x", "Turbo")
    assert done.returncode == 1
    assert done.stderr.count("problem: ") == 5


@pytest.mark.parametrize("arguments", [["new", "--autor=x", "turbo-frob"], ["new", "a", "b"], ["nwe"], []])
def test_a_mistyped_command_is_wrong_usage(source: Folder, arguments: list[str]) -> None:
    done = source.template(*arguments)
    assert done.returncode == 2
    assert "usage: " in done.stderr
    assert "Traceback" not in done.stderr


def test_a_terminal_is_asked_for_what_is_missing(source: Folder) -> None:
    """An empty line takes what is shown."""
    typed = ["on-terminal", "", "", "grace", "Hops.", ""]
    command = [sys.executable, "scripts/template.py", "new", "--author=Grace Hopper"]
    variables = {name: value for name, value in environment(source.home).items() if value}
    process, terminal = pty.fork()
    if not process:
        os.chdir(source.folder)
        os.execve(sys.executable, command, {**os.environ, **variables})  # noqa: S606 - the child of a fork
    shown = b""
    for answer in [typed[0], *typed[2:]]:
        shown += read_until(terminal, rb": $")
        os.write(terminal, answer.encode() + b"\n")
    shown += read_until(terminal, rb"make doctor\s+$")
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 0
    assert b"e-mail address [grace@example.org]: " in shown
    found = record_of(Folder(source.folder.parent / "on-terminal", source.home)).answers
    assert (found.author, found.email) == ("Grace Hopper", "grace@example.org")
    assert (found.owner, found.description) == ("grace", "Hops.")


def read_until(terminal: int, end: bytes) -> bytes:
    """Read what a terminal shows until it ends like this."""
    shown, deadline = b"", time.monotonic() + 60
    while not re.search(end, shown):
        assert time.monotonic() < deadline, shown
        if select.select([terminal], [], [], 1)[0]:
            try:
                shown += os.read(terminal, 4096)
            except OSError:
                break
    return shown


# ---- when something fails


def test_without_a_formatter_nothing_is_made(source: Folder, tmp_path: Path) -> None:
    (tmp_path / "git").symlink_to(shutil.which("git") or "")
    done = source.template("new", *GIVEN, "no-tools", PATH=str(tmp_path))
    assert done.returncode == 1
    assert "there is no rustfmt" in done.stderr
    assert [path for path in source.folder.parent.iterdir() if "no-tools" in path.name] == []


def test_after_a_kill_there_is_no_half_of_a_copy_and_the_same_command_makes_it(own: Folder, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    killer = tmp_path / "bin" / "rustfmt"
    killer.write_text("#!/bin/sh\nkill -9 $PPID\n", encoding="utf-8")
    killer.chmod(0o755)
    killed = own.template("new", *GIVEN, "turbo-frob", PATH=f"{killer.parent}{os.pathsep}{os.environ['PATH']}")
    assert killed.returncode == -9
    assert not (own.folder.parent / "turbo-frob").exists()
    assert own.git("status", "--porcelain") == ""
    assert own.new("turbo-frob").git("status", "--porcelain") == ""


def test_a_commit_that_is_no_template_is_refused(own: Folder) -> None:
    own.git("rm", "--quiet", "template.toml")
    own.commit("No rules")
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
    with pytest.raises(ProblemsError, match=r"the table \[copy\] in template\.toml is"):
        Record.read(text.replace(old, new))


def test_a_template_that_has_moved_may_be_said_in_the_record(copy: Folder) -> None:
    moved = Record.read(copy.read("template.toml").replace(ADDRESS, "https://example.org/elsewhere"))
    assert moved is not None
    assert moved.address == "https://example.org/elsewhere"


def test_a_password_in_the_address_of_the_template_is_not_written_down(own: Folder) -> None:
    own.git("remote", "set-url", "origin", "https://ada:secret@example.org/iron/ferrous-wheel")
    assert record_of(own.new("turbo-frob")).address == ADDRESS


def test_without_a_remote_the_address_is_the_one_in_pyproject(own: Folder) -> None:
    own.git("remote", "remove", "origin")
    address = tomli.loads(own.read("pyproject.toml"))["project"]["urls"]["Repository"]
    assert record_of(own.new("turbo-frob")).address == address
