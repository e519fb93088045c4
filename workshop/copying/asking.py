"""What is asked before a copy is made: given on the command line, answered on a terminal, or known to git.

Each answer is judged by itself, as it is given, and by who will judge it in the end: PyPI's rules in the gate, GitHub's
for accounts, and what the files of a copy need a name for.
"""

import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from roadworthy.gate import pypi_metadata
from roadworthy.repository import Repository
from roadworthy.tables import find, parse_toml
from roadworthy.terminal import Problem, err, raise_problems
from workshop.copying.edits import licences
from workshop.copying.names import EXAMPLE, check, taken
from workshop.copying.objects import read_files
from workshop.copying.record import Answers, Record
from workshop.copying.rendering import render
from workshop.copying.rules import Rules

# https://github.com/shinnn/github-username-regex has GitHub's own words for it.
OWNER = re.compile(r"[A-Za-z0-9](?:-?[A-Za-z0-9]){0,38}")


@dataclass(frozen=True)
class Question:
    """Something that a copy has to know."""

    name: str  # what make calls it
    text: str  # what a terminal shows
    default: str  # what it is without an answer, if git or the template knows
    judge: Callable[[str], Iterator[Problem]]

    def problems(self, answer: str) -> list[Problem]:
        """Return what is wrong with an answer."""
        if any(not letter.isprintable() for letter in answer):
            return [Problem(f"{self.name} has a character that cannot be shown: {answer!a}", "leave it out")]
        return list(self.judge(answer))


def questions(source: Repository, commit: str, rules: Rules) -> list[Question]:
    """Return what is asked, in order, for a copy of a commit."""

    def configured(key: str) -> str:
        return source.run("config", "--get", key).stdout.strip()

    files = read_files(source, commit)
    known = licences(files)
    own = str(find(parse_toml("pyproject.toml", files["pyproject.toml"][1].decode()), "project", "license"))
    example = Answers(EXAMPLE, author="", email="", owner="", description="", license=own, year="")
    others = taken(render(source, Record(rules.address, commit, commit, label="", answers=example), "0"))
    address = configured("user.email")
    return [
        Question("NAME", "name, such as turbo-frob", "", lambda name: check(name, others)),
        Question("AUTHOR", "author", configured("user.name"), judge_author),
        # One that is of this machine alone is no default.
        Question("EMAIL", "the author's e-mail address", "" if [*judge_email(address)] else address, judge_email),
        Question("OWNER", "owner of the repository on GitHub", configured("github.user"), judge_owner),
        Question("DESCRIPTION", "what it does, in one sentence", "", judge_description),
        Question("LICENSE", f"licence ({', '.join(known)})", own, lambda text: judge_licence(text, known)),
    ]


def judge_author(author: str) -> Iterator[Problem]:
    """Say what is wrong with the name of an author."""
    if not author.strip():
        yield Problem("there is no author", 'give AUTHOR="Ada Lovelace", or tell git: git config --global user.name …')


def judge_email(address: str) -> Iterator[Problem]:
    """Say what PyPI will have against an address; there need not be one."""
    from email_validator import EmailNotValidError, validate_email  # noqa: PLC0415 - only where there is one

    try:
        if address:
            validate_email(address, check_deliverability=False)
    except EmailNotValidError as error:
        what = f"{address!r} is no e-mail address that PyPI takes: {error}"
        yield Problem(what, "give EMAIL=ada@example.org, or EMAIL= for none")


def judge_owner(owner: str) -> Iterator[Problem]:
    """Say what is wrong with the name of an account on GitHub."""
    remedy = "give OWNER=, the name of the account or organisation: letters, digits and single hyphens"
    if not owner:
        yield Problem("there is no owner of the repository on GitHub", remedy)
    elif not OWNER.fullmatch(owner):
        yield Problem(f"GitHub has no owner {owner!r}", remedy)


def judge_description(text: str) -> Iterator[Problem]:
    """Say what PyPI will have against a summary."""
    remedy = "give DESCRIPTION=, one sentence, which PyPI shows below the name"
    if not text.strip():
        yield Problem("there is no description", remedy)
    metadata = f"Metadata-Version: 2.4\nName: a\nVersion: 1\nSummary: {text}\n"
    for rejection in pypi_metadata.judge(*pypi_metadata.read(metadata.encode())):
        yield Problem(f"PyPI does not take the description: {rejection.words}", remedy)


def judge_licence(text: str, known: list[str]) -> Iterator[Problem]:
    """Say whether the text of a licence is here."""
    if text not in known:
        remedy = f"give LICENSE= {' or '.join(known)}; any other one can be written into the copy by hand"
        yield Problem(f"the text of the licence {text!r} is not here", remedy)


def ask_terminal(question: Question) -> str:
    """Ask until an answer will do; an empty one is the default."""
    shown = f"{question.text} [{question.default}]: " if question.default else f"{question.text}: "
    while True:
        try:
            answer = err.input(shown, markup=False).strip() or question.default
        except EOFError:
            raise KeyboardInterrupt from None
        problems = question.problems(answer)
        if not problems:
            return answer
        for each in problems:
            err.print(f"{each.what}; {each.remedy}", style="red")


def ask(source: Repository, commit: str, rules: Rules, given: Mapping[str, str]) -> Answers:
    """Return what a copy is to be: by what the command line gives under the names of make, by git, or by a terminal.

    Raises:
        ProblemsError: All that is wrong with what is given, before anything is asked.
    """
    asked = questions(source, commit, rules)
    on_terminal = sys.stdin is not None and sys.stdin.isatty()
    told = {one.name: given.get(one.name, one.default) for one in asked if one.name in given or not on_terminal}
    told = {name: answer.strip() for name, answer in told.items()}
    raise_problems(each for one in asked if one.name in told for each in one.problems(told[one.name]))
    answers = {one.name: told[one.name] if one.name in told else ask_terminal(one) for one in asked}
    return Answers(**{name.lower(): answer for name, answer in answers.items()}, year=time.strftime("%Y"))
