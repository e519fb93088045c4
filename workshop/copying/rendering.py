"""A commit of a template, as a copy of another name has it: the same for the same answers, whoever asks and when.

New copies are made of it, and updates compare two of them. Nothing is read from or written to a working tree.
"""

import re
from dataclasses import replace
from functools import partial

from roadworthy.repository import Repository
from roadworthy.terminal import problem
from workshop.copying.edits import EDITS, FRAGMENT, FRAGMENTS, pruned_lock, with_head, without_crates
from workshop.copying.formatting import format_files
from workshop.copying.names import Names
from workshop.copying.record import Answers, Record
from workshop.copying.rules import RECORD, Rules
from workshop.copying.spelling import is_module
from workshop.copying.trees import PLAIN, SUBMODULE, Entry, list_tree, read_blobs, write_blobs, write_tree

FIRST = b"The first release.\n"
# By path: the mode, and the content, which for a submodule is the name of its commit.
Files = dict[str, tuple[str, bytes]]


def read_files(repository: Repository, treeish: str) -> Files:
    """Return all files of a commit or a tree."""
    entries = list_tree(repository, treeish)
    blobs = read_blobs(repository, (entry.blob for entry in entries if entry.mode != SUBMODULE))
    return {entry.name: (entry.mode, blobs.get(entry.blob, entry.blob.encode())) for entry in entries}


def write_files(repository: Repository, files: Files) -> str:
    """Make a tree of files and return its name."""
    contents = [content for mode, content in files.values() if mode != SUBMODULE]
    blobs = iter(write_blobs(repository, contents))
    return write_tree(
        repository,
        [
            Entry(mode, path.encode("utf-8", "surrogateescape"), content.decode() if mode == SUBMODULE else next(blobs))
            for path, (mode, content) in files.items()
        ],
    )


class Renamer:
    """Takes one project's name and owner for another's, in texts and paths."""

    def __init__(self, rules: Rules, answers: Answers) -> None:
        """Prepare for the name and owner of a template, and those of a copy."""
        new = Names(answers.name)
        self.kebab, self.snake = new.kebab.encode(), new.snake.encode()
        # For a single word there is one spelling for two.
        self.words = {rules.names.kebab.encode(): self.kebab, rules.names.snake.encode(): self.snake}
        self.is_clear = len(self.words) > 1 or self.kebab == self.snake
        words = "|".join(re.escape(word.decode()) for word in self.words)
        # In no longer word; a test of the template sees to it that there is none.
        self.pattern = re.compile(rf"(?<![A-Za-z0-9])(?:{words})(?![A-Za-z0-9])".encode())
        self.old_owner, self.owner = rules.owner.encode(), answers.owner.encode()
        owner, name = re.escape(rules.owner), re.escape(new.kebab)
        # In an address, or by itself in a table.
        self.owner_pattern = re.compile(rf"(?<![\w.-]){owner}(?=/{name}(?![\w-]))|(?<=`){owner}(?=`)".encode())

    def text(self, path: str, text: bytes) -> bytes:
        """Return the text of a file with the new name and owner; what holds a NUL byte is no text."""
        if b"\0" in text:
            return text

        def word(found: "re.Match[bytes]") -> bytes:
            if self.is_clear:
                return self.words[found[0]]
            return self.snake if is_module(path, text, *found.span(), self.old_owner) else self.kebab

        return self.owner_pattern.sub(lambda _: self.owner, self.pattern.sub(word, text))

    def path(self, path: bytes) -> bytes:
        """Return a path with the new name."""
        in_package = path.startswith(b"python/") or path.endswith((b".py", b".rs"))
        return self.pattern.sub(lambda found: self.words[found[0]] if self.is_clear or in_package else self.kebab, path)

    def files(self, files: Files) -> tuple[Files, set[str]]:
        """Return files with the new name, in contents and paths, and the paths of those that it has changed."""
        renamed: Files = {}
        changed = set()
        for path, (mode, content) in files.items():
            new_path = self.path(path.encode("utf-8", "surrogateescape")).decode("utf-8", "surrogateescape")
            new_content = content if mode == SUBMODULE else self.text(path, content)
            renamed[new_path] = (mode, new_content)
            if (new_path, new_content) != (path, content):
                changed.add(new_path)
        return renamed, changed


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
            "Cargo.lock": partial(pruned_lock, name=rules.names.kebab, crates=sample.crates),
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


def formatted(files: Files, changed: set[str]) -> Files:
    """Return the files, those that have changed as the formatters have them."""
    texts = {path: content for path, (mode, content) in files.items() if mode.startswith("100")}
    return files | {path: (files[path][0], text) for path, text in format_files(texts, changed & set(texts)).items()}


def attach(target: Repository, tree: str, record: Record) -> str:
    """Return a rendered tree with a record of where it came from."""
    entries = {entry.name: entry for entry in list_tree(target, tree)}
    old = entries[RECORD]
    text = read_blobs(target, [old.blob])[old.blob].decode()
    (blob,) = write_blobs(target, [record.write(text).encode()])
    return write_tree(target, [*entries.values(), replace(old, blob=blob)])


def render(  # noqa: PLR0913 - what a rendering depends on, and nothing else
    source: Repository,
    commit: str,
    answers: Answers,
    version: str,
    target: Repository,
    *,
    with_seeded: bool = True,
    with_generated: bool = True,
) -> str:
    """Make the tree that a copy of a template's commit is, without a record of where it came from.

    Args:
        source: The template.
        commit: Which commit of it; a tree will do.
        answers: The copy's name, and what else was asked.
        version: The version of the copy.
        target: The repository that gets the objects.
        with_seeded: Whether what a copy gets only once is in the tree.
        with_generated: Whether what a tool makes of the rest is in the tree.

    Returns:
        The tree's name in the target.

    Raises:
        ProblemsError: It is no commit of a template, or a formatter is missing.
    """
    rules = Rules.read(source, commit)
    files, changed = Renamer(rules, answers).files(select(read_files(source, commit), rules, answers.package))
    files = formatted(answered(files, answers, version), changed)
    unwanted = {name for name, wanted in (("seeded", with_seeded), ("generated", with_generated)) if not wanted}
    return write_files(target, {path: file for path, file in files.items() if rules.class_of(path) not in unwanted})
