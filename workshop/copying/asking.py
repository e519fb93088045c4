"""What is asked before a copy is made: given on the command line, answered on a terminal, or known to git."""

import re
import sys
import time
from collections.abc import Iterator, Mapping

from roadworthy.repository import Repository
from roadworthy.tables import find, parse_toml
from roadworthy.terminal import Problem, ProblemsError, err
from workshop.copying.edits import licences
from workshop.copying.names import check
from workshop.copying.objects import read_file
from workshop.copying.record import Answers
from workshop.copying.rules import Rules

# What PyPI takes for the summary.
LONGEST_DESCRIPTION = 512
EMAIL = re.compile(r"[^@\s<>]+@[^@\s<>]+\.[^@\s<>.]+")
OWNER = re.compile(r"[A-Za-z0-9](?:-?[A-Za-z0-9]){0,38}")
DESCRIPTION = "A Python package with a Rust core."
FULL = "full"


def configured(repository: Repository, key: str) -> str:
    """Return a value of git's configuration, or ""."""
    return repository.run("config", "--get", key).stdout.strip()


def questions(source: Repository, licence: str, told: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """Yield what is asked, in order: what make calls it, what a terminal shows, and what it is without an answer.

    `told` are the answers so far.
    """
    address = configured(source, "user.email")
    yield "NAME", "name, such as turbo-frob", ""
    yield "AUTHOR", "author", configured(source, "user.name")
    # One that is of this machine alone is no default.
    yield "EMAIL", "the author's e-mail address", address if EMAIL.fullmatch(address) else ""
    # As an account of the author might be called.
    slug = re.sub(r"[^a-z0-9]+", "-", told["AUTHOR"].lower()).strip("-")[:39].rstrip("-")
    yield "OWNER", "owner of the repository on GitHub", configured(source, "github.user") or slug
    yield "DESCRIPTION", "what it does, in one sentence", DESCRIPTION
    yield "LICENSE", f"licence ({', '.join(licences())})", licence


def collect(source: Repository, licence: str, given: Mapping[str, str]) -> dict[str, str]:
    """Return the answer to every question; a terminal is asked for what is not given."""
    answers: dict[str, str] = {}
    for name, text, default in questions(source, licence, answers):
        answer = given.get(name, default)
        if name not in given and sys.stdin.isatty():
            shown = f"{text} [{answer}]: " if answer else f"{text}: "
            try:
                answer = err.input(shown, markup=False).strip() or answer
            except EOFError:
                raise KeyboardInterrupt from None
        answers[name] = answer
    return {**answers, "PACKAGE": given.get("PACKAGE") or FULL}


def find_problems(answers: Mapping[str, str], rules: Rules, licence: str) -> Iterator[Problem]:
    """Say what is wrong with the answers."""
    try:
        check(answers["NAME"], rules.names)
    except ProblemsError as error:
        yield from error.problems
    for name, value in answers.items():
        if any(not letter.isprintable() for letter in value):
            yield Problem(f"{name} has a character that cannot be shown: {value!a}", "leave it out")
    if not answers["AUTHOR"]:
        yield Problem("there is no author", 'give AUTHOR="Ada Lovelace", or tell git: git config --global user.name …')
    if answers["EMAIL"] and not EMAIL.fullmatch(answers["EMAIL"]):
        yield Problem(f"{answers['EMAIL']!r} is no e-mail address", "give EMAIL=ada@example.org, or EMAIL= for none")
    if not OWNER.fullmatch(answers["OWNER"]):
        remedy = "give OWNER=, the name of the account or organisation: letters, digits and single hyphens"
        yield Problem(f"GitHub has no owner {answers['OWNER']!r}", remedy)
    if not 0 < len(answers["DESCRIPTION"]) <= LONGEST_DESCRIPTION:
        remedy = f"give DESCRIPTION=, one sentence of at most {LONGEST_DESCRIPTION} letters"
        yield Problem(f"a description of {len(answers['DESCRIPTION'])} letters is none that PyPI takes", remedy)
    known = sorted({*licences(), licence} - {""})
    if answers["LICENSE"] not in known:
        remedy = f"give LICENSE= {' or '.join(known)}; any other one can be written into the copy by hand"
        yield Problem(f"the text of the licence {answers['LICENSE']!r} is not here", remedy)
    if answers["PACKAGE"] not in {FULL, *rules.packages}:
        remedy = f"give PACKAGE= {' or '.join(sorted({FULL, *rules.packages}))}"
        yield Problem(f"there is no package {answers['PACKAGE']!r} to begin with", remedy)


def ask(source: Repository, commit: str, rules: Rules, given: Mapping[str, str]) -> Answers:
    """Return what a copy is to be, by what the command line gives under the names of make; or all that is wrong."""
    project = parse_toml("pyproject.toml", read_file(source, commit, "pyproject.toml") or "")
    own = find(project, "project", "license")
    # As SPDX calls it.
    licence = own if isinstance(own, str) else ""
    answers = collect(source, licence, given)
    if problems := list(find_problems(answers, rules, licence)):
        raise ProblemsError(problems)
    return Answers(**{name.lower(): answer for name, answer in answers.items()}, year=time.strftime("%Y"))
