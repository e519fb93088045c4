"""What is asked before a copy is made: given on the command line, answered on a terminal, or known to git."""

import argparse
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from roadworthy.repository import Repository
from roadworthy.tables import find, parse_toml
from roadworthy.terminal import Problem, ProblemsError, err
from workshop.copying.edits import licences
from workshop.copying.names import check
from workshop.copying.record import Answers
from workshop.copying.rules import Rules
from workshop.copying.trees import read_file

# What PyPI takes for the summary.
LONGEST_DESCRIPTION = 512
EMAIL = re.compile(r"[^@\s<>]+@[^@\s<>]+\.[^@\s<>.]+")
OWNER = re.compile(r"[A-Za-z0-9](?:-?[A-Za-z0-9]){0,38}")
DESCRIPTION = "A Python package with a Rust core."
FULL = "full"


@dataclass(frozen=True)
class Question:
    """One thing that is asked.

    Attributes:
        name: What it is called on the command line.
        text: What a terminal shows.
        default: What the answer is if there is none, from the answers before it; "" if there has to be one.
    """

    name: str
    text: str
    default: Callable[[Mapping[str, str]], str]


def configured(repository: Repository, key: str) -> str:
    """Return a value of git's configuration, or ""."""
    return repository.run("config", "--get", key).stdout.strip()


def public_email(repository: Repository) -> str:
    """Return the address that git commits with, or "" for one that is of this machine alone."""
    address = configured(repository, "user.email")
    return address if EMAIL.fullmatch(address) else ""


def own_licence(source: Repository, commit: str) -> str:
    """Return the template's own licence, as SPDX calls it, or ""."""
    text = read_file(source, commit, "pyproject.toml") or ""
    licence = find(parse_toml("pyproject.toml", text), "project", "license")
    return licence if isinstance(licence, str) else ""


def questions(source: Repository, commit: str) -> Iterator[Question]:
    """Yield what is asked, in its order."""
    yield Question("name", "name, such as turbo-frob", lambda _: "")
    yield Question("author", "author", lambda _: configured(source, "user.name"))
    yield Question("email", "the author's e-mail address", lambda _: public_email(source))
    yield Question(
        "owner", "owner of the repository on GitHub", lambda so_far: configured(source, "github.user") or slug(so_far)
    )
    yield Question("description", "what it does, in one sentence", lambda _: DESCRIPTION)
    yield Question("license", f"licence ({', '.join(licences())})", lambda _: own_licence(source, commit))


def slug(so_far: Mapping[str, str]) -> str:
    """Return the author as an account might be called."""
    return re.sub(r"[^a-z0-9]+", "-", so_far["author"].lower()).strip("-")[:39].rstrip("-")


def on_terminal(question: Question, default: str) -> str:
    """Ask, and return the answer."""
    shown = f" [{default}]" if default else ""
    try:
        return err.input(f"{question.text}{shown}: ", markup=False).strip() or default
    except EOFError:
        raise KeyboardInterrupt from None


def collect(source: Repository, commit: str, given: Mapping[str, str | None]) -> dict[str, str]:
    """Return the answer to every question; a terminal is asked for what is not given."""
    answers: dict[str, str] = {}
    for question in questions(source, commit):
        answer = given.get(question.name)
        if answer is None:
            answer = question.default(answers)
            if sys.stdin.isatty():
                answer = on_terminal(question, answer)
        answers[question.name] = answer
    return answers


def find_problems(answers: Mapping[str, str], rules: Rules, own: str) -> Iterator[Problem]:
    """Say what is wrong with the answers, but for the name."""
    for name, value in answers.items():
        if any(not letter.isprintable() for letter in value):
            yield Problem(f"{name.upper()} has a character that cannot be shown: {value!a}", "leave it out")
    if not answers["author"]:
        yield Problem("there is no author", 'give AUTHOR="Ada Lovelace", or tell git: git config --global user.name …')
    if answers["email"] and not EMAIL.fullmatch(answers["email"]):
        yield Problem(f"{answers['email']!r} is no e-mail address", "give EMAIL=ada@example.org, or EMAIL= for none")
    if not OWNER.fullmatch(answers["owner"]):
        remedy = "give OWNER=, the name of the account or organisation: letters, digits and single hyphens"
        yield Problem(f"GitHub has no owner {answers['owner']!r}", remedy)
    if not 0 < len(answers["description"]) <= LONGEST_DESCRIPTION:
        remedy = f"give DESCRIPTION=, one sentence of at most {LONGEST_DESCRIPTION} letters"
        yield Problem(f"a description of {len(answers['description'])} letters is none that PyPI takes", remedy)
    known = sorted({*licences(), own} - {""})
    if answers["license"] not in known:
        remedy = f"give LICENSE= {' or '.join(known)}; any other one can be written into the copy by hand"
        yield Problem(f"the text of the licence {answers['license']!r} is not here", remedy)
    if answers["package"] not in {FULL, *rules.packages}:
        remedy = f"give PACKAGE= {' or '.join(sorted({FULL, *rules.packages}))}"
        yield Problem(f"there is no package {answers['package']!r} to begin with", remedy)


def ask(source: Repository, commit: str, rules: Rules, given: Mapping[str, str | None]) -> Answers:
    """Return what a copy is to be.

    Args:
        source: The template.
        commit: Which commit of it.
        rules: Its rules.
        given: What the command line says; None is what it does not say.

    Raises:
        ProblemsError: An answer is missing, or cannot be; it has all that is wrong.
    """
    answers = {**collect(source, commit, given), "package": given.get("package") or FULL}
    problems: list[Problem] = []
    try:
        check(answers["name"], rules.names)
    except ProblemsError as error:
        problems += error.problems
    problems += find_problems(answers, rules, own_licence(source, commit))
    if problems:
        raise ProblemsError(problems)
    return Answers(**answers, year=time.strftime("%Y"))


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add an option for each answer but the name, which stands by itself."""
    for name in ("author", "email", "owner", "description", "license", "package"):
        parser.add_argument(f"--{name}", metavar=name.upper())
