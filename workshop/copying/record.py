"""What a copy knows of where it came from: the table `[copy]` in its template.toml."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields

import tomli

from roadworthy.terminal import problem
from workshop.copying.rules import RECORD

HEAD = "[copy]\n# Written by make new and make template-update: an edit by hand is noticed, and refused.\n"
# The rules stand below it, so whatever comes after them is theirs.
TABLE = re.compile(r"^\[copy\]\n.*?(?=^\[rules\]$)", re.MULTILINE | re.DOTALL)
RULES = re.compile(r"^\[rules\]$", re.MULTILINE)


@dataclass(frozen=True)
class Answers:
    """What was asked when a copy was made."""

    name: str
    author: str
    email: str
    owner: str
    description: str
    license: str
    package: str
    year: str


@dataclass(frozen=True)
class Record:
    """Where a copy came from."""

    address: str  # of the template's repository
    commit: str  # that the copy was made from, or updated to
    label: str  # the same for people: a tag, or what git describes it as
    answers: Answers

    @property
    def checksum(self) -> str:
        """A digest of what must not be edited. The address may be: a template can move."""
        facts = json.dumps([self.commit, asdict(self.answers)], sort_keys=True)
        return hashlib.sha256(facts.encode()).hexdigest()[:16]

    @classmethod
    def read(cls, text: str) -> "Record | None":
        """Return the record in the text of a template.toml; None if the project is no copy."""
        table = tomli.loads(text).get("copy")
        if table is None:
            return None
        remedy = f"bring it back as it was: git log --patch -- {RECORD} shows every edit"
        try:
            answers = Answers(**{one.name: str(table["answers"][one.name]) for one in fields(Answers)})
            record = cls(table["address"], table["commit"], table["label"], answers)
        except (KeyError, TypeError) as error:
            raise problem(f"the table [copy] in {RECORD} is incomplete: it has no {error}", remedy) from None
        if record.checksum != table.get("checksum"):
            raise problem(f"the table [copy] in {RECORD} is not what was written there", remedy)
        return record

    def write(self, text: str) -> str:
        """Return the text of a template.toml with this record, in the place of the one that it has."""
        facts = {"address": self.address, "commit": self.commit, "label": self.label, "checksum": self.checksum}
        return with_table(text, f"{HEAD}{lines(facts)}\n[copy.answers]\n{lines(asdict(self.answers))}\n")


def lines(values: Mapping[str, str]) -> str:
    """Return lines of TOML; its strings are written like those of JSON."""
    return "".join(f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in values.items())


def table_of(text: str) -> str:
    """Return the record in the text of a template.toml, to the letter; "" if it has none."""
    found = TABLE.search(text)
    return found[0] if found else ""


def with_table(text: str, table: str) -> str:
    """Return the text of a template.toml with another record, to the letter; "" is none."""
    return RULES.sub(lambda found: table + found[0], TABLE.sub("", text), count=1)
