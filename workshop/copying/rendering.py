"""A commit of a template, as a copy of another name has it: the same for the same answers, whoever asks and when.

New copies are made of it, and updates compare two of them. Nothing is read from or written to a working tree.
"""

import re

from roadworthy.repository import Repository
from roadworthy.terminal import problem
from workshop.copying.edits import EDITS, edit_lock, for_a_copy, licence_text
from workshop.copying.names import Names
from workshop.copying.objects import PLAIN, Files, decode, encode, read_files
from workshop.copying.record import Record
from workshop.copying.rules import RECORD, Rules

LICENCE, LOCK, MANIFEST = "LICENSE", "Cargo.lock", "Cargo.toml"
# They hold no name of a package, and where the template itself is stands in them.
VERBATIM = ("roadworthy/", "scripts/")


class Renamer:
    """Takes a template's name and owner for a copy's, in texts and paths."""

    def __init__(self, rules: Rules, record: Record) -> None:
        """Prepare for the name and owner of a template, and those of a copy."""
        old, new = rules.names, Names(record.answers.name)
        self.words = {old.kebab.encode(): new.kebab.encode(), old.snake.encode(): new.snake.encode()}
        # In no longer word; a test of the template sees to it that there is none.
        self.name = re.compile(rf"(?<![A-Za-z0-9])(?:{old.kebab}|{old.snake})(?![A-Za-z0-9])".encode())
        # In an address, or by itself in a table.
        was, self.owner = re.escape(rules.owner), record.answers.owner.encode()
        self.old_owner = re.compile(rf"(?<![\w.-]){was}(?=/{old.kebab}(?![\w-]))|(?<=`){was}(?=`)".encode())

    def path(self, path: str) -> str:
        """Return a path with the new name."""
        return decode(self.name.sub(lambda found: self.words[found[0]], encode(path)))

    def text(self, text: bytes) -> bytes:
        """Return the content of a file with the new name and owner."""
        named = self.old_owner.sub(lambda _: self.owner, text)
        return self.name.sub(lambda found: self.words[found[0]], named)


def adapt(path: str, content: bytes, renamer: Renamer) -> bytes:
    """Return the content of a template's file as a copy has it, without answers; what holds a NUL byte is no text."""
    if path.startswith(VERBATIM) or b"\0" in content:
        return content
    # What is no UTF-8 comes back as it was.
    text = for_a_copy(content.decode("utf-8", "surrogateescape"))
    return renamer.text(text.encode("utf-8", "surrogateescape"))


def render(source: Repository, record: Record, version: str) -> Files:
    """Return the files of a copy of the template's commit (a tree will do) that the record names, with the record."""
    rules, files = Rules.read(source, record.commit), read_files(source, record.commit)
    renamer = Renamer(rules, record)
    made: Files = {}
    for path, (mode, content) in rules.select(files).items():
        if (name := renamer.path(path)) in made:
            raise problem(f"two files of the template would both be {name}", "choose another name")
        made[name] = (mode, adapt(path, content, renamer))  # Of a link that is its target.
    for path, edit in EDITS.items():
        if path in made:
            made[path] = (made[path][0], edit(made[path][1].decode(), record, version).encode())
    if LOCK in made:
        lock, manifest = made[LOCK][1].decode(), made[MANIFEST][1].decode()
        made[LOCK] = (made[LOCK][0], edit_lock(lock, manifest, record.answers.name, version).encode())
    return made | {LICENCE: (PLAIN, licence_text(files, record)), RECORD: (PLAIN, record.write().encode())}
