"""The few places of a copy in which an answer stands, or which the template has for itself alone."""

import json
import re
from collections.abc import Callable, Mapping

from roadworthy.tables import find_table, parse_toml
from roadworthy.terminal import problem
from workshop.copying.locks import CRATES, prune_lock
from workshop.copying.objects import Files
from workshop.copying.record import Record

LICENCES = "workshop/copying/licences/"
# Lines that only the template has, or only a copy; they are comments, so that the template stays what it is.
BLOCK = r"^# > only the template\n(?:.*\n)*?# < only the template\n"
ONLY_TEMPLATE = re.compile(rf"{BLOCK}|^.*\S.* # only the template\n", re.MULTILINE)
ONLY_COPY = re.compile(r"^# only a copy: ", re.MULTILINE)
STRING = r'"(?:[^"\\\n]|\\.)*"'
VALUE = rf'(?:{STRING}|\[(?:[^\]"]|{STRING})*\])'
# Before what Markdown would take for markup of its own; some of that only where a line begins, also after a number.
MARKUP = re.compile(r"(^\d*(?=[-+=.)]))|(?=[\\`*_\[\]<>#|~&])")


def for_a_copy(text: str) -> str:
    """Return the text of a file without what only the template has, and with what only a copy has."""
    return ONLY_COPY.sub("", ONLY_TEMPLATE.sub("", text))


def licences(files: Mapping[str, object]) -> list[str]:
    """Return the licences whose text a template has, as SPDX calls them, by its files' paths."""
    found = (path.removeprefix(LICENCES) for path in files if path.startswith(LICENCES))
    return sorted(name.removesuffix(".txt") for name in found)


def toml(value: str) -> str:
    """Return a string of TOML."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def set_values(file: str, text: str, table: str, values: Mapping[str, str]) -> str:
    """Return a file's TOML in which keys of a table have other values, and all else is as it was."""
    for key, value in values.items():
        pattern = re.compile(rf"(^\[{re.escape(table)}\]\n(?:(?!\[).*\n)*?{key} = ){VALUE}", re.MULTILINE)
        text, count = pattern.subn(lambda found, value=value: found[1] + value, text)  # type: ignore[misc]
        if count != 1:
            what = f"{file} of the template has no plain {key} = … in [{table}]"
            raise problem(what, "write it there, on a line that begins with it")
    return text


def edit_project(text: str, record: Record, version: str) -> str:
    """Return pyproject.toml with the answers."""
    answers = record.answers
    email = f", email = {toml(answers.email)}" if answers.email else ""
    values = {
        "version": toml(version),
        "description": toml(answers.description),
        "license": toml(answers.license),
        "authors": f"[{{ name = {toml(answers.author)}{email} }}]",
        "keywords": "[]",
    }
    return set_values("pyproject.toml", text, "project", values)


def edit_crate(text: str, _: Record, version: str) -> str:
    """Return Cargo.toml with the version; what else it could repeat of pyproject.toml is not in it."""
    return set_values("Cargo.toml", text, "package", {"version": toml(version)})


def edit_readme(text: str, record: Record, *_: str) -> str:
    """Return README.md with what the package is, under which licence, and what it was made from."""
    made = f"{record.answers.license}. Made from [a template]({record.address})."
    text = re.sub(r"(?m)^MIT\. Made from a template\.$", lambda _: made, text, count=1)
    described = MARKUP.sub(r"\1\\", record.answers.description.strip())
    return re.sub(r"(?m)^A Python package with a Rust core\.$", lambda _: described, text, count=1)


def edit_guide(text: str, record: Record, *_: str) -> str:
    """Return docs/publishing.md, whose links out of the sample lead to the template's repository."""
    return text.replace(f"]({'../' * 4}", f"]({record.address}/blob/HEAD/")


EDITS: dict[str, Callable[[str, Record, str], str]] = {
    "pyproject.toml": edit_project,
    "Cargo.toml": edit_crate,
    "README.md": edit_readme,
    "docs/publishing.md": edit_guide,
}


def edit_lock(lock: str, manifest: str, name: str, version: str) -> str:
    """Return Cargo.lock with the crate's version, without what its manifest does not ask for, in cargo's order."""
    head, crates = CRATES.split(lock)
    # One that is fetched is another crate of that name, which only the template needs.
    own = [crate for crate in crates.get(name, []) if "\nsource = " not in crate]
    if len(own) != 1:
        raise problem("Cargo.lock of the template does not have its crate, once", "lock it: cargo update --workspace")
    edited = re.sub(rf"(?m)^version = {STRING}$", f'version = "{version}"', own[0], count=1)
    table = parse_toml("Cargo.toml", manifest)
    wanted = {each for kind in ("", "build-", "dev-") for each in find_table(table, f"{kind}dependencies")}
    return prune_lock(CRATES.join(head, {**crates, name: [edited]}), name, wanted)


def licence_text(files: Files, record: Record) -> bytes:
    """Return the text of the licence that was chosen."""
    text = files[f"{LICENCES}{record.answers.license}.txt"][1].decode()
    holder = f"Copyright (c) {record.answers.year} {record.answers.author}"
    return re.sub(r"(?m)^Copyright \(c\) .*$", lambda _: holder, text).encode()
