"""What is asked before a copy is made: how it is judged, and how it arrives in the files of the copy."""

import os
import pty
import re
import select
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import tomli
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from copies import GIVEN, Folder, environment, make_template, record
from helpers import run
from workshop.copying.asking import Question, questions
from workshop.copying.edits import EDITS, licence_text
from workshop.copying.objects import Files, read_files
from workshop.copying.record import Record
from workshop.copying.rules import Rules

# A name, somebody's answers, and nobody whom git knows.
ANSWERS = ("AUTHOR=Ada Lovelace", "EMAIL=ada@example.org", "OWNER=ada", "DESCRIPTION=Frobs turbos.", "LICENSE=MIT")
NOBODY = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "HOME": "/nonexistent"}


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """A template, not to be changed."""
    return make_template(tmp_path_factory.mktemp("template"))


@pytest.fixture(scope="module")
def files(source: Folder) -> Files:
    return read_files(source.repository, "HEAD")


@pytest.fixture(scope="module")
def asked(source: Folder) -> dict[str, Question]:
    return {one.name: one for one in questions(source.repository, "HEAD", Rules.read(source.repository, "HEAD"))}


# ---- each by itself

GOOD = {
    "AUTHOR": ("Ada", 'Ada "the \\ first" O\'Hara', "艾达", "$HOME"),
    "EMAIL": ("", "ada@example.org", "ada+frob@xn--bcher-kva.example", "ada@bücher.example"),
    "OWNER": ("a", "ada", "A-1", "a" * 39),
    "DESCRIPTION": ("x", "Parses US$100 amounts", "é" * 512, "字" * 512, "`` \" ' \\ {} %s", "- [ ] # 1."),
    "LICENSE": ("MIT", "Apache-2.0", "BSD-3-Clause"),
}
BAD = {
    "AUTHOR": {"": "there is no author", " ": "there is no author"},
    "EMAIL": {
        "ada": "'ada' is no e-mail address that PyPI takes: ",
        "a,b@x.yz": "'a,b@x.yz' is no e-mail address that PyPI takes: ",
        "Ada <ada@example.org>": "is no e-mail address that PyPI takes: ",
        "root@localhost": "'root@localhost' is no e-mail address that PyPI takes: ",
    },
    "OWNER": {
        "": "there is no owner of the repository on GitHub",
        **dict.fromkeys(("-", "a--b", "ada-", "ada/turbo", "a" * 40, "ädä", "ada.l"), "GitHub has no owner "),
    },
    "DESCRIPTION": {
        "": "there is no description",
        " ": "there is no description",
        "é" * 513: "PyPI does not take the description: ",
    },
    "LICENSE": {"Beerware": "the text of the licence 'Beerware' is not here", "": "the text of the licence ''"},
}


@pytest.mark.parametrize("name", GOOD)
def test_an_answer_that_will_do_is_taken(asked: dict[str, Question], name: str) -> None:
    assert {answer: asked[name].problems(answer) for answer in GOOD[name]} == {answer: [] for answer in GOOD[name]}


@pytest.mark.parametrize("name", BAD)
def test_an_answer_that_will_not_do_is_refused_with_the_reason(asked: dict[str, Question], name: str) -> None:
    for answer, words in BAD[name].items():
        (problem,) = asked[name].problems(answer)
        assert words in problem.what
        assert problem.remedy
        assert len(str(problem)) < 1000


@pytest.mark.parametrize("letter", ["\n", "\r", "\x1b", "\0", "\x7f", "\u2028", "\u202e", "\udc80"])
def test_what_a_terminal_obeys_is_in_no_answer(asked: dict[str, Question], letter: str) -> None:
    for name, question in asked.items():
        (problem,) = question.problems(f"Ada{letter}Lovelace")
        assert problem.what == f"{name} has a character that cannot be shown: {f'Ada{letter}Lovelace'!a}"


# ---- given on the command line


def problems_of(stderr: str) -> list[str]:
    return re.findall(r"^problem: (.+)\n  \S", stderr, re.MULTILINE)


def test_all_that_is_wrong_is_said_at_once(source: Folder) -> None:
    done = source.template("new", "--author=", "--email=x", "--owner=-", "--description=", "--license=x", "Turbo")
    assert (done.returncode, done.stdout) == (1, "")
    assert len(problems_of(done.stderr)) == 6
    assert not (source.folder.parent / "Turbo").exists()


def test_nothing_is_invented(source: Folder) -> None:
    done = source.template("new", "turbo-frob", **NOBODY)
    assert (done.returncode, done.stdout) == (1, "")
    assert problems_of(done.stderr) == [
        "there is no author",
        "there is no owner of the repository on GitHub",
        "there is no description",
    ]
    assert not (source.folder.parent / "turbo-frob").exists()


def test_what_is_not_said_is_known_to_git(source: Folder) -> None:
    source.git("config", "github.user", "grace")
    done = source.template("new", "--description=Hops.", "known-to-git")
    source.git("config", "--unset", "github.user")
    assert done.returncode == 0, done.stderr
    found = Folder(source.folder.parent / "known-to-git", source.home).record.answers
    assert (found.author, found.email) == ("Grace Hopper", "grace@example.org")
    assert (found.owner, found.license) == ("grace", "MIT")


def test_an_address_of_this_machine_alone_is_not_taken_from_git(source: Folder, tmp_path: Path) -> None:
    (tmp_path / "gitconfig").write_text("[user]\n\temail = root@localhost\n", encoding="utf-8")
    done = source.template(
        *("new", "--author=Ada", "--owner=ada", "--description=Frobs.", "no-address"),
        **{**NOBODY, "GIT_CONFIG_GLOBAL": str(tmp_path / "gitconfig")},
    )
    assert done.returncode == 0, done.stderr
    copy = Folder(source.folder.parent / "no-address", source.home)
    assert tomli.loads(copy.read("pyproject.toml"))["project"]["authors"] == [{"name": "Ada"}]


def test_by_make_an_answer_arrives_as_it_was_typed_but_for_blanks_around_it(source: Folder) -> None:
    for name, description in (("dollars", "Parses US$100 amounts"), ("quotes", "\"a\" 'b' `c` $(id) $$ \\ # %")):
        words = ("make", "new", f"NAME={name}", f"DEST=../{name}", *ANSWERS, f"DESCRIPTION= {description}  ")
        done = run(*words, cwd=source.folder, **source.variables())
        assert done.returncode == 0, done.stderr
        copy = Folder(source.folder.parent / name, source.home)
        assert copy.record.answers.description == description
        assert tomli.loads(copy.read("pyproject.toml"))["project"]["description"] == description
        assert shown(copy.read("README.md")) == description


def shown(readme: str) -> str:
    """Return the paragraph below the title of a README, as Markdown shows it."""
    heading, _, _, opening, paragraph, *_ = MarkdownIt("commonmark").enable("strikethrough").parse(readme)
    assert (heading.tag, opening.tag) == ("h1", "p")
    return "".join(each.content for each in paragraph.children or [])


PRINTABLE = st.text(st.characters(categories=("L", "M", "N", "P", "S", "Zs")), min_size=1, max_size=60).filter(
    lambda text: text.isprintable() and text.strip()
)


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(author=PRINTABLE, description=PRINTABLE)
@example(author='Ada "the \\ first" O\'Hara', description='\\1 \\g<1> {name} $HOME "]" [')
@example(author="]", description="MIT. Made from a template.")
@example(author="]", description="- a list")
@example(author="=", description="1. another")
@example(author="MIT", description="1) another")
@example(author="#", description="===")
@example(author="-", description="    code")
@example(author="A Python package with a Rust core.", description="![x](y) <b> &amp; ~~z~~ http://a.b")
def test_whatever_can_be_shown_is_written_and_read_back(files: Files, author: str, description: str) -> None:
    new = record("turbo-frob")
    new = replace(new, answers=replace(new.answers, author=author, description=description))
    assert Record.read(new.write()) == new
    sample = {path: files.get(f"workshop/copying/sample/{path}", files.get(path)) for path in EDITS}
    edited = {path: EDITS[path](file[1].decode(), new, "0.1.0") for path, file in sample.items() if file}
    project = tomli.loads(edited["pyproject.toml"])["project"]
    assert project["authors"] == [{"name": author, "email": new.answers.email}]
    assert project["description"] == description
    assert f" {author}\n" in licence_text(files, new).decode()
    assert shown(edited["README.md"]) == description.strip()


# ---- on a terminal


class Terminal:
    """A command of the template, which has a terminal."""

    def __init__(self, source: Folder, *arguments: str) -> None:
        variables = {name: value for name, value in environment(source.home).items() if value}
        self.process, self.terminal = pty.fork()
        if not self.process:
            os.chdir(source.folder)
            command = [sys.executable, "scripts/template.py", "new", *arguments]
            os.execve(sys.executable, command, {**os.environ, **variables})  # noqa: S606 - the child of a fork

    def read_until(self, end: str) -> str:
        """Return what it shows, to something; or to its end."""
        shown, deadline = b"", time.monotonic() + 60
        while not re.search(end.encode(), shown):
            assert time.monotonic() < deadline, shown
            if select.select([self.terminal], [], [], 1)[0]:
                try:
                    shown += os.read(self.terminal, 4096)
                except OSError:
                    break
        return re.sub(r"\x1b\[[0-9;]*m", "", shown.decode())

    def answer(self, question: str, typed: str) -> str:
        """Type a line, once a question stands there, and return what was shown before."""
        said = self.read_until(rf"{re.escape(question)}.*: $")
        assert question in said
        os.write(self.terminal, typed.encode())
        return said

    def end(self) -> tuple[int, str]:
        """Return how it ends, and what it says last."""
        said = self.read_until(r"(?!)")
        return os.waitstatus_to_exitcode(os.waitpid(self.process, 0)[1]), said


def test_a_terminal_is_asked_for_what_is_missing_and_again_for_what_will_not_do(source: Folder) -> None:
    """An empty line takes what is shown; nothing that was answered is lost."""
    terminal = Terminal(source, "--author=Grace Hopper")
    terminal.answer("name, such as turbo-frob", "class\n")
    assert "cannot be called 'class'" in terminal.answer("name, such as turbo-frob", "on-terminal\n")
    terminal.answer("e-mail address [grace@example.org]", "a,b@x.yz\n")
    assert "'a,b@x.yz' is no e-mail address" in terminal.answer("e-mail address [grace@example.org]", "\n")
    terminal.answer("owner of the repository", "\n")
    assert "there is no owner" in terminal.answer("owner of the repository", "grace\n")
    terminal.answer("what it does, in one sentence", f"{'x' * 513}\n")
    assert "PyPI does not take the description" in terminal.answer("what it does, in one sentence", "Hops.\n")
    terminal.answer("licence (Apache-2.0, BSD-3-Clause, MIT) [MIT]", "\n")
    code, said = terminal.end()
    assert code == 0, said
    found = Folder(source.folder.parent / "on-terminal", source.home).record.answers
    assert (found.author, found.email) == ("Grace Hopper", "grace@example.org")
    assert (found.owner, found.description, found.license) == ("grace", "Hops.", "MIT")


def test_what_is_given_is_judged_before_a_terminal_is_asked(source: Folder) -> None:
    code, said = Terminal(source, "--email=ada", "--owner=-").end()
    assert code == 1
    assert said.count("problem: ") == 2
    assert "name, such as" not in said


@pytest.mark.parametrize("key", ["\x03", "\x04"], ids=["Ctrl-C", "Ctrl-D"])
def test_who_goes_away_leaves_nothing(source: Folder, key: str) -> None:
    terminal = Terminal(source, *GIVEN[:-1], "gone-away")
    terminal.answer("what it does, in one sentence", key)
    code, said = terminal.end()
    assert code == 130
    assert "Traceback" not in said
    assert [path for path in source.folder.parent.iterdir() if "gone-away" in path.name] == []
