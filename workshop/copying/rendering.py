"""A commit of a template, as a copy of another name has it: the same for the same answers, whoever asks and when.

New copies are made of it, and updates compare two of them. Nothing is read from or written to a working tree.
"""

import re
from functools import partial

from roadworthy.repository import Repository
from roadworthy.terminal import problem
from workshop.copying.edits import EDITS, FRAGMENT, FRAGMENTS, with_head, without_crates
from workshop.copying.formatting import format_files
from workshop.copying.locks import prune_lock
from workshop.copying.names import Names
from workshop.copying.objects import PLAIN, SUBMODULE, Files, decode, encode, read_files, regular
from workshop.copying.record import Answers, Record
from workshop.copying.rules import RECORD, Rules

FIRST = b"The first release.\n"


class Renamer:
    """Takes one project's name and owner for another's, in texts and paths."""

    def __init__(self, rules: Rules, answers: Answers) -> None:
        """Prepare for the name and owner of a template, and those of a copy."""
        old, new = rules.names, Names(answers.name)
        self.words = {old.kebab.encode(): new.kebab.encode(), old.snake.encode(): new.snake.encode()}
        # In no longer word; a test of the template sees to it that there is none.
        self.name = re.compile(rf"(?<![A-Za-z0-9])(?:{old.kebab}|{old.snake})(?![A-Za-z0-9])".encode())
        # In an address, or by itself in a table.
        was, self.new_owner = re.escape(rules.owner), answers.owner.encode()
        self.owner = re.compile(rf"(?<![\w.-]){was}(?=/{new.kebab}(?![\w-]))|(?<=`){was}(?=`)".encode())

    def path(self, path: str) -> str:
        """Return a path with the new name."""
        return decode(self.name.sub(lambda found: self.words[found[0]], encode(path)))

    def text(self, text: bytes) -> bytes:
        """Return the text of a file with the new name and owner; what holds a NUL byte is no text."""
        if b"\0" in text:
            return text
        return self.owner.sub(lambda _: self.new_owner, self.name.sub(lambda found: self.words[found[0]], text))

    def files(self, files: Files) -> tuple[Files, set[str]]:
        """Return files with the new name, in contents and paths, and the paths of those that it has changed."""
        renamed = {
            path: (self.path(path), (mode, content if mode == SUBMODULE else self.text(content)))
            for path, (mode, content) in files.items()
        }
        changed = {new for path, (new, file) in renamed.items() if (new, file) != (path, files[path])}
        return dict(renamed.values()), changed


def select(files: Files, rules: Rules, package: str) -> Files:
    """Return what a copy gets, with the sample that it asks for, in the paths of the template."""
    # News is a copy's own.
    kept = {path: file for path, file in files.items() if not FRAGMENTS.fullmatch(path)}
    sample = rules.packages.get(package)
    if sample:
        its = {path.removeprefix(sample.folder): file for path, file in files.items() if path.startswith(sample.folder)}
        if not its:
            raise problem(f"the package {package!r} is in the template, and not in its copies", "leave PACKAGE= out")
        edits = {
            "Cargo.toml": partial(without_crates, crates=sample.crates),
            "Cargo.lock": partial(prune_lock, name=rules.names.kebab, crates=sample.crates),
            "README.md": partial(with_head, head=its.pop("README.md")[1].decode()),
        }
        kept = {path: file for path, file in kept.items() if not sample.replaces(path)} | its
        kept |= {path: (kept[path][0], edit(kept[path][1].decode()).encode()) for path, edit in edits.items()}
    return {path: file for path, file in kept.items() if rules.class_of(path) != "dropped"}


def answered(files: Files, answers: Answers, version: str) -> Files:
    """Return the files with the answers where they stand, and with a first piece of news."""
    edited = {
        path: (files[path][0], edit(files[path][1].decode(), answers, version).encode())
        for path, edit in EDITS.items()
        if path in files
    }
    return files | edited | {FRAGMENT: (PLAIN, FIRST)}


def render(source: Repository, commit: str, answers: Answers, version: str) -> Files:
    """Return the files of a copy of a template's commit (a tree will do), without a record of where it came from."""
    rules = Rules.read(source, commit)
    renamed, changed = Renamer(rules, answers).files(select(read_files(source, commit), rules, answers.package))
    files = answered(renamed, answers, version)
    texts = regular(files)
    formatted = format_files(texts, changed & texts.keys())
    return files | {path: (files[path][0], text) for path, text in formatted.items()}


def attach(files: Files, record: Record) -> Files:
    """Return rendered files with a record of where they came from."""
    mode, text = files[RECORD]
    return {**files, RECORD: (mode, record.write(text.decode()).encode())}
