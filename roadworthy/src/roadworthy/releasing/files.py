"""What the project's own files say about its releases: the version, the changelog, the news fragments.

Facts that a release rests on, and that stand in several files, are compared here: what disagrees is to be repaired.
"""

import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from roadworthy.arguments import Parser
from roadworthy.project import Project
from roadworthy.pythons import Python
from roadworthy.releasing.version import Release, version_of_tag
from roadworthy.tables import find, package_of, parse_toml
from roadworthy.terminal import Problem, ProblemsError, problem, raise_problems

if TYPE_CHECKING:
    from markdown_it.token import Token

# Gives a file's text for its path from the root: of a folder, or of a commit.
Reader = Callable[[str], str]

VERSION_FILES = ("pyproject.toml", "Cargo.toml", "Cargo.lock")  # of a package with a crate; without, the first
HEADING = re.compile(r"\[?v?([0-9][^\s\]]*)")
ALLOW = "take it out there, or let pyproject.toml allow it: requires-python; for 3.14t, free-threaded"
NAMED = re.compile(r"(?:[1-9][0-9]*|\+[A-Za-z0-9_-]+)\.([a-z]+)\.md")


def part(read: Reader, name: str, *keys: str) -> dict[str, Any]:
    """Return a table of a TOML file; without `keys` all of it."""
    found: Any = find(parse_toml(name, read(name)), *keys)
    if not isinstance(found, dict):
        raise problem(f"{name} has no [{'.'.join(keys)}]", "compare it with the template's, and commit")
    return found


def table(read: Reader) -> dict[str, Any]:
    """Return towncrier's table of pyproject.toml, which has all that a release needs."""
    found = part(read, "pyproject.toml", "tool", "towncrier")
    for key, kind in {"directory": str, "filename": str, "start_string": str, "ignore": list, "type": list}.items():
        if not isinstance(found.get(key), kind):
            raise problem(f"pyproject.toml has no {key} in [tool.towncrier]", "write it there as the template has it")
    return found


def versions(read: Reader) -> dict[str, str]:
    """Map each file that holds the version to the version in it; to "none" where there is no plain one."""
    found = [part(read, "pyproject.toml", "project").get("version")]
    if has_crate(read):
        part(read, "Cargo.toml", "package")
        package, crates = package_of(part(read, "Cargo.toml")), part(read, "Cargo.lock").get("package", [])
        locked = [each for each in crates if "name" in package and find(each, "name") == package["name"]]
        found += [package.get("version"), find(locked[0], "version") if locked else None]
    return {file: each if isinstance(each, str) else "none" for file, each in zip(VERSION_FILES, found, strict=False)}


def has_crate(read: Reader) -> bool:
    """Say whether a package is built from a crate."""
    return is_there(read, "Cargo.toml") or find(part(read, "pyproject.toml"), "tool", "maturin") is not None


def standing(read: Reader) -> str:
    """Return the version in pyproject.toml, as it stands there, if it is one."""
    found = versions(read)["pyproject.toml"]
    if version_of_tag(found) is None:
        what = f"pyproject.toml has no version in [project], but {found}"
        raise problem(what, "write it there, such as 0.2.0, as Cargo.toml has it, and not as dynamic")
    return found


def parse_markdown(text: str, *without: str) -> "list[Token]":
    """Return what a text of Markdown is made of (CommonMark), so that what stands in code is no heading or comment.

    `without` are rules of the parser's: a long changelog takes a quarter of the time without "inline".
    """
    from markdown_it import MarkdownIt  # noqa: PLC0415 - not for a refusal of the command line

    return MarkdownIt("commonmark").disable(without).parse(text)


def sections(text: str) -> dict[str, str]:
    """Map each version to its section of the changelog: a heading that is in nothing else, and all below it."""
    # A carriage return by itself ends a line, too.
    tokens, lines = parse_markdown(text, "inline"), re.split(r"(?<=\n)|(?<=\r)(?!\n)", text)
    heads = [
        (one.map[0], its.content) for one, its in pairwise(tokens) if one.map and (one.tag, one.level) == ("h2", 0)
    ]
    found = [(line, match[1]) for line, words in heads if (match := HEADING.match(words))]
    ends = [*(line for line, _ in found[1:]), len(lines)]
    return {name: "".join(lines[at:end]).rstrip() + "\n" for (at, name), end in zip(found, ends, strict=False)}


def changelog(read: Reader) -> str:
    """Return the path of the changelog, which towncrier writes."""
    return str(table(read)["filename"])


def section_of(read: Reader, release: Release) -> str | None:
    """Return a release's section in the changelog, or None; its heading may spell the version in any way."""
    found = sections(read(changelog(read)))
    return next((section for name, section in found.items() if version_of_tag(name) == release.version), None)


def has_release(read: Reader, release: Release) -> bool:
    """Say whether the files are those of this release: its version in all three, and its section."""
    try:
        return {*versions(read).values()} == {release.text} and section_of(read, release) is not None
    except (OSError, LookupError, TypeError, ProblemsError):
        return False


def bumped_too(read: Reader) -> list[str]:
    """Return the files in which a release writes its version beside the three: those that [tool.bumpversion] names."""
    entries = find(part(read, "pyproject.toml"), "tool", "bumpversion", "files")
    named = {find(each, "filename"): each for each in (entries if isinstance(entries, list) else ())}
    there = (name for name, each in named.items() if not find(each, "ignore_missing_file") or is_there(read, name))
    return [name for name in there if isinstance(name, str) and name not in VERSION_FILES]


def is_there(read: Reader, name: str) -> bool:
    """Say whether a file can be read."""
    try:
        read(name)
    except ProblemsError:
        return False
    return True


def check_versions(read: Reader) -> Iterator[Problem]:
    """Find versions that disagree, or that are spelled as no release could be."""
    found = versions(read)
    if len(set(found.values())) > 1:
        listed = ", ".join(f"{file}: {version}" for file, version in found.items())
        remedy = "write the same one into pyproject.toml and Cargo.toml, then run: cargo update --workspace; and commit"
        yield Problem(f"the versions disagree ({listed})", remedy)
        return
    try:
        Release.parse(found["pyproject.toml"])
    except ValueError as error:
        yield Problem(f"pyproject.toml: {error}", f"write it so into {', '.join(found)}")


def check_changelog(read: Reader, release: Release, *, via_pr: bool) -> Iterator[Problem]:
    """Find why towncrier could not write this release's section where it belongs."""
    name, marker = changelog(read), table(read)["start_string"].strip()
    if (count := read(name).count(marker)) != 1:
        what = f"{name} has its marker {count} times, not once: {marker}"
        yield Problem(what, "let it stand once, on a line of its own above the newest section")
    if section_of(read, release):
        remedy = f"release the next version, or take out the section of {release.text}"
        if not via_pr:
            remedy += "; if a pull request brought it, add VIA=pr"
        yield Problem(f"{name} already has a section for {release.text}", remedy)


def list_fragments(folder: Path, tracked: Iterable[str], read: Reader) -> list[str]:
    """Return everything in the fragments' folder that is nothing else, in `folder` or among the `tracked`."""
    directory, others = table(read)["directory"], table(read)["ignore"]
    there = {path.name for path in (folder / directory).glob("*")}
    there |= {name.removeprefix(f"{directory}/").split("/")[0] for name in tracked if name.startswith(f"{directory}/")}
    return sorted(f"{directory}/{name}" for name in there.difference(others))


def check_fragments(folder: Path, tracked: Collection[str], read: Reader) -> Iterator[Problem]:
    """Find what is wrong with the news fragments of a folder; those that git knows, `tracked`, may be absent there."""
    types = [str(find(each, "directory")) for each in table(read)["type"]]
    for where in list_fragments(folder, tracked, read):
        path = folder / where
        # It would be lost, or left out; and whatever is no fragment had better not be added.
        if path.is_file() and where not in tracked and NAMED.fullmatch(path.name):
            yield Problem(f"{where} is not tracked by git", f"run: git add --force {where}; and commit")
        yield from check_fragment(path, where, types, read)


def check_fragment(path: Path, where: str, types: list[str], read: Reader) -> Iterator[Problem]:
    """Find what is wrong with one news fragment's name or text."""
    named = NAMED.fullmatch(path.name)
    remedy = f"call it <issue>.<type>.md or +<word>.<type>.md, with a type of: {', '.join(types)}; or remove it"
    if not named:
        yield Problem(f"{where} is no name of a news fragment", remedy)
    elif named[1] not in types:
        yield Problem(f"{where} is of an unknown type, {named[1]}", remedy)
    present = os.path.lexists(path)
    if present and (path.is_symlink() or not path.is_file()):
        yield Problem(f"{where} is no plain file", "write a file with one sentence, or remove it")
        return
    try:
        text = path.read_text(encoding="utf-8") if present else read(where)
    except UnicodeDecodeError:
        yield Problem(f"{where} is not UTF-8", "save it as UTF-8")
        return
    if not text.strip():
        yield Problem(f"{where} is empty", "write one sentence for the person who uses the package, or remove it")
    if control := re.search(r"[\0-\x08\x0b\x0c\x0e-\x1f\x7f]", text):
        yield Problem(f"{where} holds the control character {control[0]!r}", "take it out")
    parts = [part for token in parse_markdown(text) for part in (token, *(token.children or ()))]
    if any(part.type == "heading_open" or ("html" in part.type and "<!--" in part.content) for part in parts):
        yield Problem(f"{where} holds a heading or a comment", "write plain sentences: the section has its headings")


def check_abi(project: Project) -> Iterator[Problem]:
    """Wheels are built for the stable ABI of the oldest Python."""
    oldest, found = project.minors[0], project.crate.abi3_feature
    if found != f"abi3-py3{oldest}":
        remedy = f'write abi3 = ["pyo3/abi3-py3{oldest}"] there, or change requires-python in pyproject.toml'
        yield Problem(f"Cargo.toml has the feature {found}, and the oldest Python is 3.{oldest}", remedy)


def check_classifiers(project: Project) -> Iterator[Problem]:
    """No Python is promised that is not allowed; which ones are promised is the owner's business."""
    for text in find(project.pyproject, "project", "classifiers") or ():
        named = re.fullmatch(r"Programming Language :: Python :: 3\.(\d+)", str(text))
        if named and int(named[1]) not in project.minors:
            what = f'{project.declaration} has the classifier "{text}", and allows {project.requires_python}'
            yield Problem(what, ALLOW)


def check_rows(project: Project) -> Iterator[Problem]:
    """The workflow tests on the oldest Python, and does nothing with one that there is no wheel for."""
    path, oldest = project.workflow_path, project.oldest_python
    for job, key in {"test": "python", "verify": "pythons"}.items():
        rows = find(project.jobs, job, "strategy", "matrix", "include") or ()
        pythons = dict.fromkeys(" ".join(str(find(row, key) or "") for row in rows).split())
        if job == "test" and pythons and oldest not in pythons:
            remedy = f'write it there: {{ runner: ubuntu-24.04, python: "{oldest}" }}'
            yield Problem(f"{path} has no row for Python {oldest}, the oldest one, in the job test", remedy)
        for parts in filter(None, (re.match(r"3\.(\d+)(?:\.(\d+))?(t?)", each) for each in pythons)):
            # Of its newest patch release, which CI takes; what is tested needs no wheel.
            python = Python((3, int(parts[1]), int(parts[2] or 99)), job == "verify" and bool(parts[3]), Path())
            if not project.supports(python):
                yield Problem(f"{path} has Python {parts[0]} in the job {job}, and no wheel is made for it", ALLOW)


def check_rust(project: Project) -> Iterator[Problem]:
    """The row of the oldest Rust tests that one, and no file outranks it."""
    path, test = project.workflow_path, find(project.jobs, "test")
    rows = {str(rust) for row in find(test, "strategy", "matrix", "include") or () if (rust := find(row, "rust"))}
    if rows and project.rust_version and project.rust_version not in rows:
        what = f"{path} tests Rust {', '.join(sorted(rows))}, and Cargo.toml promises {project.rust_version}"
        yield Problem(what, "write the same into both")
    pinned = [name for name in ("rust-toolchain.toml", "rust-toolchain") if is_there(project.read, name)]
    if pinned and "rustup default" in str(test):
        what = f"{pinned[0]} outranks `rustup default` in the job test of {path}, so no row tests another Rust"
        yield Problem(what, "write `rustup override set` there")


def check_facts(project: Project) -> Iterator[Problem]:
    """Find all facts that disagree; what cannot be read is a problem, too."""
    yield from check_versions(project.read)
    of_a_crate = () if project.package else (check_abi, check_rust)
    for part in (*of_a_crate, check_classifiers, check_rows):
        try:
            yield from part(project)
        except ProblemsError as error:
            yield from error.problems


def main(project: Project, words: list[str]) -> None:
    """End with exit code 1 if there is one."""
    Parser("check-facts", "Check that the facts which a release rests on agree.").read(words)
    raise_problems(dict.fromkeys(check_facts(project)))
