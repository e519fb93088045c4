"""The few places of a copy in which an answer stands, and how it gets there."""

import json
import re
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from roadworthy.terminal import problem
from workshop.copying.locks import join_lock, split_lock
from workshop.copying.record import Answers, with_table
from workshop.copying.rules import RECORD

LICENCES = Path(__file__).parent / "licences"
FRAGMENT = "changelog.d/+first.added.md"
FRAGMENTS = re.compile(r"changelog\.d/[^/]+\.[a-z]+\.md")
STRING = r'"(?:[^"\\\n]|\\.)*"'
VALUE = rf'(?:{STRING}|\[(?:[^\]"]|{STRING})*\])'


def licences() -> list[str]:
    """Return the licences whose text can be written, as SPDX calls them."""
    return sorted(path.stem for path in LICENCES.glob("*.txt"))


def toml(value: str) -> str:
    """Return a string of TOML."""
    return json.dumps(value, ensure_ascii=False)


def set_values(file: str, text: str, table: str, values: Mapping[str, str]) -> str:
    """Return a file's TOML in which keys of a table have other values, and all else is as it was."""
    for key, value in values.items():
        pattern = re.compile(rf"(^\[{re.escape(table)}\]\n(?:(?!\[).*\n)*?{key} = ){VALUE}", re.MULTILINE)
        text, count = pattern.subn(lambda found, value=value: found[1] + value, text)  # type: ignore[misc]
        if count != 1:
            what = f"{file} of the template has no plain {key} = … in [{table}]"
            raise problem(what, "write it there, on a line that begins with it")
    return text


def edit_project(text: str, answers: Answers, version: str) -> str:
    """Return pyproject.toml with the answers."""
    email = f", email = {toml(answers.email)}" if answers.email else ""
    values = {
        "version": toml(version),
        "description": toml(answers.description),
        "license": toml(answers.license),
        "authors": f"[{{ name = {toml(answers.author)}{email} }}]",
        "keywords": "[]",
    }
    return set_values("pyproject.toml", text, "project", values)


def edit_crate(text: str, answers: Answers, version: str) -> str:
    """Return Cargo.toml with the answers."""
    values = {"version": version, "description": answers.description, "license": answers.license}
    return set_values("Cargo.toml", text, "package", {key: toml(value) for key, value in values.items()})


def edit_lock(text: str, answers: Answers, version: str) -> str:
    """Return Cargo.lock with the crate's version, and with the crates in cargo's order."""
    head, crates = split_lock(text)
    if len(crates.get(answers.name, [])) != 1:
        raise problem("Cargo.lock of the template does not have its crate, once", "lock it: cargo update --workspace")
    edited = re.sub(rf"(?m)^version = {STRING}$", f'version = "{version}"', crates[answers.name][0], count=1)
    return join_lock(head, {**crates, answers.name: [edited]})


def without_crates(manifest: str, crates: Collection[str]) -> str:
    """Return a Cargo.toml without some dependencies."""
    names = "|".join(map(re.escape, crates))
    return re.sub(rf"(?m)^(?:{names}) = .*\n", "", manifest)


def with_head(readme: str, head: str) -> str:
    """Return a README with another text above its first heading of the second level."""
    return head + readme[readme.index("\n## ") + 1 :]


def edit_licence(text: str, answers: Answers, *_: str) -> str:
    """Return the text of the licence; of one that is not known here, the template's own."""
    known = LICENCES / f"{answers.license}.txt"
    text = known.read_text(encoding="utf-8") if known.is_file() else text
    return re.sub(r"(?m)^Copyright \(c\) .*$", lambda _: f"Copyright (c) {answers.year} {answers.author}", text)


def edit_changelog(text: str, *_: object) -> str:
    """Return the changelog of a project that has not released anything."""
    found = re.search(r"^<!--.*-->\n", text, re.MULTILINE)
    return text[: found.end()] if found else text


EDITS: dict[str, Callable[[str, Answers, str], str]] = {
    "pyproject.toml": edit_project,
    "Cargo.toml": edit_crate,
    "Cargo.lock": edit_lock,
    "LICENSE": edit_licence,
    "CHANGELOG.md": edit_changelog,
    "README.md": lambda text, its, _: re.sub(r"(?m)^[\w.-]+ licence\.$", f"{its.license} licence.", text),
    # The rules alone: where the template itself came from is no business of its copies.
    RECORD: lambda text, *_: with_table(text, ""),
}
