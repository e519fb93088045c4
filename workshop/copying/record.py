"""What a copy knows of where it came from: its template.toml, which is written as a whole, and read as TOML."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import tomli

from roadworthy.tables import find_table
from roadworthy.terminal import problem
from workshop.copying.rules import RECORD

HEAD = """\
# Where this project came from. Written by make new and make template-update: an edit by hand is noticed, and refused.
# A template that moves is followed by: make template-update FROM=ADDRESS
"""


@dataclass(frozen=True)
class Answers:
    """What was asked when a copy was made."""

    name: str
    author: str
    email: str
    owner: str
    description: str
    license: str
    year: str


@dataclass(frozen=True)
class Record:
    """Where a copy came from."""

    address: str  # of the template's repository, for everybody
    commit: str  # that the copy was made from, or updated to
    sample: str  # the commit whose sample it has: what an owner has changed stays behind
    label: str  # the first for people: a tag, or what git describes it as
    answers: Answers

    @property
    def checksum(self) -> str:
        """A digest of all that is recorded."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()[:16]

    @classmethod
    def read(cls, text: str) -> "Record | None":
        """Return the record in the text of a template.toml; None if the project is no copy.

        Raises:
            ProblemsError: It is not what was written.
        """
        remedy = f"bring it back as it was: git log --patch -- {RECORD} shows every edit"
        try:
            table: dict[str, Any] = tomli.loads(text)
        except tomli.TOMLDecodeError as error:
            raise problem(f"{RECORD} is no TOML: {error}", remedy) from None
        if not {"answers", "checksum"} & table.keys():
            return None
        try:
            answers = Answers(**{one.name: str(find_table(table, "answers")[one.name]) for one in fields(Answers)})
            plain = {one.name: str(table[one.name]) for one in fields(cls) if one.name != "answers"}
        except LookupError as error:
            raise problem(f"{RECORD} is incomplete: it has no {error}", remedy) from None
        record = cls(**plain, answers=answers)
        if record.checksum != table.get("checksum"):
            raise problem(f"{RECORD} is not what was written there", remedy)
        return record

    def write(self) -> str:
        """Return the text of a template.toml."""
        facts = {one.name: getattr(self, one.name) for one in fields(self) if one.name != "answers"}
        return f"{HEAD}{lines({**facts, 'checksum': self.checksum})}\n[answers]\n{lines(asdict(self.answers))}"


def lines(values: Mapping[str, str]) -> str:
    """Return lines of TOML; its strings are written like those of JSON."""
    return "".join(f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in values.items())
