"""scripts/template.py of a copy: which version of its template it finds, from where, and what stops it.

The template here is a page and a workshop that says what it is called with.
"""

import json
import os
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from copies import PROJECT, Folder
from helpers import run
from releases import IDENTITY, environment
from versioned import ADDRESS, lead
from workshop.copying.record import Answers, Record

SAYING = """\
import json, pathlib, subprocess, sys
folder = pathlib.Path(__file__).resolve().parents[1]
commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=folder, check=True, capture_output=True, text=True).stdout
print(json.dumps([folder.name, commit.strip(), str(pathlib.Path.cwd()), *sys.argv[1:]]))
"""
ANSWERS = Answers("turbo-frob", "Ada", "", "acme", "Frobs.", "MIT", "2030")


class Place(Folder):
    """A template, or a copy, whose git obeys a configuration beside it alone."""

    def variables(self) -> dict[str, str | None]:
        return {**environment(), "GIT_CONFIG_GLOBAL": str(self.home / "gitconfig")}

    def called(self, *words: str, **variables: str | None) -> list[str]:
        """Run the door, and return what the workshop was called with: its folder, its commit, where, and the words."""
        done = self.template(*words, **variables)
        assert done.returncode == 0, done.stderr
        found: list[str] = json.loads(done.stdout)
        return found

    def refused(self, *words: str, **variables: str | None) -> str:
        """Run the door, and return the one line that it ends with."""
        done = self.template(*words, **variables)
        assert (done.returncode, done.stdout) == (1, "")
        (line,) = done.stderr.splitlines()
        assert line.startswith("template.py: ")
        return line

    def release(self, version: str) -> str:
        commit = self.commit(f"Release {version}")
        self.git("tag", f"v{version}")
        return commit


def make_template(folder: Path) -> Place:
    template = Place(folder, folder.parent)
    template.write("scripts/template.py", (PROJECT.root / "scripts" / "template.py").read_text(encoding="utf-8"))
    template.write("workshop/start.py", SAYING)
    template.write("Makefile", f".venv/%.stamp:\n\tln -s {sys.prefix} .venv\n")
    template.write(".gitignore", "/.venv\n/target/\n")
    template.git("init", "--quiet", "--initial-branch=main")
    for key, value in IDENTITY.items():
        template.git("config", key, value)
    template.release("1.0.0")
    return template


@pytest.fixture
def template(tmp_path: Path) -> Place:
    """Return a template to which its public address leads."""
    lead(tmp_path / "gitconfig", tmp_path / "template")
    return make_template(tmp_path / "template")


@pytest.fixture
def copy(template: Place) -> Place:
    """Return a copy of the first release, as somebody has cloned it."""
    copy = Place(template.home / "copy", template.home)
    commit = template.git("rev-parse", "HEAD")
    for name in ("scripts/template.py", ".gitignore"):
        copy.write(name, template.read(name))
    copy.write("template.toml", Record(ADDRESS, commit, commit, "v1.0.0", ANSWERS).write())
    copy.git("init", "--quiet", "--initial-branch=main")
    for key, value in IDENTITY.items():
        copy.git("config", key, value)
    copy.commit("Start")
    return copy


def cut_off(copy: Place) -> None:
    """Let the address lead to where nothing answers."""
    lead(copy.home / "gitconfig", copy.home / "nowhere")


# ---- which version --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["new", "rehearse"])
def test_what_is_recorded_is_fetched_once_and_then_no_network_is_needed(
    template: Place, copy: Place, command: str
) -> None:
    first = template.git("rev-parse", "HEAD")
    template.release("1.1.0")
    expected = ["template", first, str(copy.folder), command, "--x"]
    assert copy.called(command, "--x") == expected
    cut_off(copy)
    assert copy.called(command, "--x") == expected
    assert copy.git("status", "--porcelain") == ""


def test_an_update_is_done_by_the_newest_release_and_a_wanted_one_needs_no_network_twice(
    template: Place, copy: Place
) -> None:
    commits = {version: template.release(version) for version in ("1.9.0", "1.10.0")}
    for version in ("2.0.0-rc1", "2.0.0rc1"):
        template.release(version)
    template.git("tag", "vacation")
    assert copy.called("update")[1] == commits["1.10.0"]
    assert copy.called("update", "--to=v1.9.0")[1] == commits["1.9.0"]
    assert copy.called("update", "--to", "main")[1] == template.git("rev-parse", "HEAD")
    cut_off(copy)
    assert copy.called("update", "--to=v1.10.0")[1] == commits["1.10.0"]
    assert copy.called("update", f"--to={commits['1.9.0']}")[1] == commits["1.9.0"]
    # What is newest is known to the template alone.
    assert "the template cannot be had from" in copy.refused("update")
    assert "the template cannot be had from" in copy.refused("update", "--to=main")


def test_what_make_gives_is_what_the_command_line_gives(template: Place, copy: Place) -> None:
    commit = template.release("1.1.0")
    template.release("1.2.0")
    assert copy.called("update", GIVEN="CHECK TO", TO="v1.1.0")[1] == commit
    # Without make it is somebody's variable of that name.
    assert copy.called("update", TO="v1.1.0")[1] != commit


def test_without_a_release_it_is_the_default_branch(template: Place, copy: Place) -> None:
    template.git("tag", "--delete", "v1.0.0")
    template.git("switch", "--quiet", "--create", "trunk")
    commit = template.commit("Newer")
    assert copy.called("update")[1] == commit


def test_branches_and_tags_that_are_moved_are_followed(template: Place, copy: Place) -> None:
    template.git("branch", "topic")
    template.release("1.1.0")
    assert copy.called("update", "--to=topic")
    # A branch cannot be where a folder of branches is; and a release that was taken back is none.
    template.git("branch", "--move", "topic", "topic/one")
    template.git("tag", "--delete", "v1.1.0")
    template.git("commit", "--quiet", "--amend", "--allow-empty", "--message=Another")
    assert copy.called("update", "--to=topic/one")
    assert copy.called("update")[1] == template.git("rev-parse", "v1.0.0")
    assert copy.called("update", "--to=main")[1] == template.git("rev-parse", "main")


def test_a_tag_that_is_called_like_a_branch_changes_neither(template: Place, copy: Place) -> None:
    old = template.git("rev-parse", "HEAD")
    template.release("1.1.0")
    template.git("tag", "main", old)
    template.git("branch", "v1.1.0", old)
    assert copy.called("update")[1] == template.git("rev-parse", "refs/tags/v1.1.0")


@pytest.mark.parametrize("wanted", ["v9.9.9", "1" * 40, "--upload-pack=false", "main..topic", ":/Release"])
def test_what_the_template_does_not_have_is_said_with_what_it_has(template: Place, copy: Place, wanted: str) -> None:
    template.release("1.1.0")
    assert f"it has no {wanted}, but v1.1.0, v1.0.0" in copy.refused("update", f"--to={wanted}")


# ---- from where -----------------------------------------------------------------------------------------------------


def test_a_folder_that_is_remembered_is_asked_where_the_address_does_not_answer(template: Place, copy: Place) -> None:
    commit = template.release("1.1.0")
    cut_off(copy)
    refused = copy.refused("update")
    assert f"the template cannot be had from {ADDRESS}: " in refused
    assert refused.endswith("; if it has moved: make template-update FROM=ADDRESS")
    copy.git("config", "template.folder", template.folder)
    assert copy.called("update")[1] == commit
    assert copy.called("rehearse")[1] == template.git("rev-parse", "v1.0.0")


def test_a_commit_that_the_address_does_not_have_is_looked_for_in_the_folder(template: Place, copy: Place) -> None:
    """Whoever works on the template has it, and has perhaps not pushed."""
    published = make_template(copy.home / "published")
    published.git("commit", "--quiet", "--amend", "--allow-empty", "--message=Another history")
    published.git("tag", "--force", "v1.0.0")
    lead(copy.home / "gitconfig", published.folder)
    first = template.git("rev-parse", "HEAD")
    assert f"it has no {first}, but v1.0.0" in copy.refused("rehearse")
    assert f"it has no {first}, but v1.0.0" in copy.refused("update")
    copy.git("config", "template.folder", template.folder)
    assert copy.called("update")[1] == first
    assert copy.called("rehearse")[1] == first


def test_a_template_that_has_moved_is_asked_at_its_new_address(template: Place, copy: Place) -> None:
    template.folder.rename(copy.home / "moved")
    moved = Place(copy.home / "moved", copy.home)
    commit = moved.release("1.1.0")
    assert "the template cannot be had from" in copy.refused("update")
    (copy.home / "gitconfig").write_text(f'[url "{moved.folder}"]\n\tinsteadOf = https://me:secret@example.org/moved\n')
    address = "https://me:secret@example.org/moved"
    assert copy.called("update", f"--from={address}") == [
        "template",
        commit,
        str(copy.folder),
        "update",
        f"--from={address}",
    ]
    for folder in (str(moved.folder), "../moved"):
        assert copy.called("update", f"--from={folder}")[1] == commit


def test_a_new_address_is_asked_although_all_is_there_and_its_password_is_not_shown(
    template: Place, copy: Place
) -> None:
    assert template.release("1.1.0") == copy.called("update")[1]
    refused = copy.refused("update", "--to=v1.1.0", "--from=file://me:secret@localhost/nowhere")
    assert "the template cannot be had from file://localhost/nowhere: " in refused
    assert "secret" not in refused


# ---- what stops it --------------------------------------------------------------------------------------------------


def lock_index(clone: Path) -> None:
    (clone / ".git" / "index.lock").touch()


def lock_refs(clone: Path) -> None:
    (clone / ".git" / "refs" / "heads" / "main.lock").touch()
    (clone / ".git" / "packed-refs.lock").touch()
    (clone / ".git" / "HEAD.lock").touch()


def half_a_checkout(clone: Path) -> None:
    (clone / "scripts" / "template.py").write_text("half of i", encoding="utf-8")
    (clone / "workshop" / "start.py").unlink()
    (clone / "workshop" / "of_another_version.py").touch()


def no_index(clone: Path) -> None:
    (clone / ".git" / "index").unlink()


def half_a_repository(clone: Path) -> None:
    shutil.rmtree(clone / ".git" / "refs")
    (clone / ".git" / "HEAD").unlink()


def no_repository(clone: Path) -> None:
    shutil.rmtree(clone / ".git")


@pytest.mark.parametrize(
    "left",
    [lock_index, lock_refs, half_a_checkout, no_index, half_a_repository, no_repository],
    ids=lambda f: f.__name__,
)
def test_what_is_left_in_the_fetched_template_stops_nothing(
    template: Place, copy: Place, left: Callable[[Path], None]
) -> None:
    assert copy.called("rehearse")
    commit = template.release("1.1.0")
    left(copy.folder / "target" / "template")
    assert copy.called("update")[1] == commit
    assert copy.called("rehearse")[1] == template.git("rev-parse", "v1.0.0")


def test_a_door_that_is_killed_after_any_call_of_git_opens_the_next_time(template: Place, copy: Place) -> None:
    killer = copy.home / "killer" / "git"
    killer.parent.mkdir()
    count = copy.home / "count"
    killer.write_text(
        f'#!/bin/sh\n{shutil.which("git")} "$@"\ncode=$?\necho "$*" >> {count}\n'
        f'[ $(wc -l < {count}) = "$KILL" ] && kill -9 $PPID\nexit $code\n',
        encoding="utf-8",
    )
    killer.chmod(0o755)
    path = f"{killer.parent}{os.pathsep}{os.environ['PATH']}"
    commit = template.release("1.1.0")
    before = {name: copy.git(*words) for name, words in WITNESSES.items()}
    for number in range(1, 99):
        count.unlink(missing_ok=True)
        shutil.rmtree(copy.folder / "target", ignore_errors=True)
        killed = copy.template("update", PATH=path, KILL=str(number))
        if killed.returncode == 0:
            break
        # The page of the version that is found may be what is killed.
        assert killed.returncode in {-9, 256 - 9}, killed.stderr
        assert copy.called("update")[1] == commit
    assert number > 6, "nothing was killed"
    assert {name: copy.git(*words) for name, words in WITNESSES.items()} == before


WITNESSES = {"refs": ("for-each-ref",), "head": ("rev-parse", "HEAD"), "status": ("status", "--porcelain")}


@pytest.mark.parametrize("broken", [False, True])
def test_in_a_hook_of_another_repository_it_works_on_its_own(template: Place, copy: Place, *, broken: bool) -> None:
    """Whoever sets GIT_DIR means another one; and a folder that is no repository is in no other one."""
    commit = template.release("1.1.0")
    other = make_template(copy.home / "other")
    if broken:
        # Which git cannot make one of, and so looks above.
        (copy.folder / "target" / "template" / ".git" / "HEAD").mkdir(parents=True)
    places = (copy, other)
    before = [{name: place.git(*words) for name, words in WITNESSES.items()} for place in places]
    git = other.folder / ".git"
    hook = {"GIT_DIR": str(git), "GIT_WORK_TREE": str(other.folder), "GIT_INDEX_FILE": str(git / "index")}
    if broken:
        assert copy.refused("update", **hook)
    else:
        assert copy.called("update", **hook)[1] == commit
    assert [{name: place.git(*words) for name, words in WITNESSES.items()} for place in places] == before


def test_no_hook_of_the_users_has_a_part_in_it(template: Place, copy: Place) -> None:
    hooks = copy.home / "hooks"
    hooks.mkdir()
    for name in ("post-checkout", "reference-transaction"):
        (hooks / name).write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
        (hooks / name).chmod(0o755)
    with (copy.home / "gitconfig").open("a", encoding="utf-8") as configuration:
        configuration.write(f"[core]\n\thooksPath = {hooks}\n")
    assert copy.called("update")[1] == template.git("rev-parse", "HEAD")


# ---- the record -----------------------------------------------------------------------------------------------------


def windows(text: str) -> str:
    return text.replace("\n", "\r\n")


def comments(text: str) -> str:
    return re.sub(r"(?m)^(\w+ = .*)$", r"\1  # address = 'x'", "# address = 'y'\n" + text)


def quotes(text: str) -> str:
    return text.replace('"', "'")


def spaces(text: str) -> str:
    return re.sub(r"(?m)^(\w+) = ", r'  "\1"   =   ', text)


def order(text: str) -> str:
    head, _, answers = text.partition("\n[answers]\n")
    return "\n".join(reversed(head.splitlines())) + f"\n\n[answers]\n{answers}"


def tables(text: str) -> str:
    return text + '\n[tool.mine]\naddress = "elsewhere"\ncommit = "none"\n'


def markers(text: str) -> str:
    return re.sub(r"(commit = .*\n)", r'<<<<<<< HEAD\n\1=======\ncommit = "1"\n>>>>>>> theirs\n', text, count=1)


@pytest.mark.parametrize("edit", [windows, comments, quotes, spaces, order, tables, markers])
def test_the_record_is_what_it_says_and_not_how_it_is_written(
    template: Place, copy: Place, edit: Callable[[str], str]
) -> None:
    first = template.git("rev-parse", "HEAD")
    template.release("1.1.0")
    copy.write("template.toml", edit(copy.read("template.toml")))
    assert copy.called("rehearse")[1] == first


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "address = 7\n",
        'address = "x"\n',
        'commit = "x"\n',
        b"\xff\xfe\0",
        "[[[",
        'address = "x"\ncommit = ""\n',
    ],
)
def test_a_record_that_says_nothing_is_one_line_with_a_remedy(copy: Place, text: "str | bytes | None") -> None:
    (copy.folder / "template.toml").unlink()
    if text is not None:
        copy.write("template.toml", text)
    for command in ("update", "rehearse", *(("new",) if text is not None else ())):
        assert copy.refused(command) == (
            "template.py: template.toml has no address and commit; bring it back: git log --patch template.toml"
        )


# ---- the machine ----------------------------------------------------------------------------------------------------


def test_what_is_missing_on_the_machine_is_one_line(copy: Place) -> None:
    empty = copy.home / "empty"
    empty.mkdir()
    assert copy.refused("update", PATH=str(empty)) == (
        "template.py: git: No such file or directory; put that right, and try again"
    )
    copy.write("target", "a file of that name\n")
    assert f"{copy.folder / 'target' / 'template'}: Not a directory" in copy.refused("update")


@pytest.mark.parametrize("words", [(), ("nothing",), ("--help",)])
def test_what_is_no_command_is_an_error_of_usage(copy: Place, words: tuple[str, ...]) -> None:
    done: CompletedProcess[str] = run(sys.executable, "scripts/template.py", *words, cwd=copy.folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "usage: template.py is called with one of: new, update, rehearse\n"


def test_a_folder_called_workshop_makes_no_template_of_a_copy(template: Place, copy: Place) -> None:
    copy.write("workshop/saw.txt", "mine\n")
    assert copy.called("update")[1] == template.git("rev-parse", "HEAD")
