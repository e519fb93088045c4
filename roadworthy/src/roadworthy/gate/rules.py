"""What rules.md says of each rule; and `roadworthy rules`, which prints it."""

import re
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import NamedTuple

from roadworthy.arguments import Parser
from roadworthy.project import Project
from roadworthy.terminal import out

ENTRY = re.compile(r"^### (\S+)( \(ours\))?\n\n(.+)\n\n- Why: (.+)\n- Source: (.+)\n- Remedy: (.+)$", re.MULTILINE)


class Entry(NamedTuple):
    """What is said of a rule: the whole of it, whether it is only for the project's own artefacts, and two parts."""

    text: str
    ours: bool
    what: str
    remedy: str


@cache
def entries() -> dict[str, Entry]:
    """Return what is said of each rule, by its name. Those without a function are PyPI's alone."""
    text = Path(__file__).with_name("rules.md").read_text(encoding="utf-8")
    return {found[1]: Entry(found[0], bool(found[2]), found[3], found[6]) for found in ENTRY.finditer(text)}


def nearest(name: str) -> str:
    """Say which rules somebody may have meant, or where all of them are listed."""
    found = get_close_matches(name, entries())
    return f"rules like it: {', '.join(found)}" if found else "see: roadworthy rules"


def main(_: Project, words: list[str]) -> None:
    """Print a line for each rule, or all that is said of one."""
    parser = Parser("roadworthy rules", "Say what `roadworthy check` refuses, and why.")
    name = parser.take("NAME", "one of the rules; default: a line for each", first=True).read(words).get("NAME")
    if name is None:
        out.print("\n".join(f"{each:24}{entry.what}" for each, entry in entries().items()))
    elif name in entries():
        out.print(entries()[name].text)
    else:
        parser.error(f"{name!r} is no rule; {nearest(name)}")
