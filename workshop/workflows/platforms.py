"""The tables of platforms in the documents: what CI.yml's matrices make of each row."""

import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher

from roadworthy.project import Project

DOCUMENTS = ("README.md", "docs/publishing.md")
HEAD = "| system | processor | wheels are built on | and verified on |\n| --- | --- | --- | --- |\n"
TABLE = re.compile(rf"^{re.escape(HEAD)}((?:\|.*\n)*)\n(.*)$", re.MULTILINE)
SYSTEMS = {
    "linux-gnu": "Linux (glibc {})",
    "linux-musl": "Linux (musl {})",
    "darwin": "macOS {}",
    "windows-msvc": "Windows",
}


def describe(target: str, tag: str) -> tuple[str, str]:
    """Return how people call a target's system, with its oldest version, and its processors."""
    processor, _, system = target.partition("-")
    name = next((text for end, text in SYSTEMS.items() if system.endswith(end)), system)
    version = re.match(r"(?:manylinux|musllinux|macosx)_(\d+)_(\d+)_", tag)
    oldest = f"{version[1]}.{version[2]} and newer" if version else ""
    return name.format(oldest).strip(), {"universal2": "x86_64 and aarch64 in one"}.get(processor, processor)


def rows_of(built: Sequence[Mapping[str, str]], verify: Sequence[Mapping[str, str]]) -> list[str]:
    """Return for each platform its row: the target, where it is built, and where its wheels are verified.

    Args:
        built: The rows of the job that builds wheels.
        verify: The rows of the job that verifies them.
    """
    verified: dict[str, list[str]] = {}
    for row in verify:
        for word in row["wheels"].split():
            target, _, image = word.partition("@")
            where = image.rsplit("/", 1)[-1].split(":")[0].split("@")[0] if image else row["runner"]
            verified.setdefault(target, []).append(where)
    return [
        f"| {' | '.join(describe(row['target'], row['tag']))} | {row['runner']} "
        f"| {', '.join(verified.get(row['target'], ['nowhere']))} |"
        for row in built
    ]


def table_in(text: str) -> list[str]:
    """Return the rows of the table in a document, and at the end the line below it."""
    found = TABLE.search(text)
    return [*found[1].splitlines(), found[2]] if found else []


def find_stale(project: Project, name: str, text: str) -> Iterator[str]:
    """Say which lines of a document's table are not what CI.yml says, and how they should read."""
    tags = project.python_tags.values()
    rows = rows_of(project.matrix("wheels", "target", "tag", "runner"), project.matrix("verify", "wheels", "runner"))
    below = f"Each has {len(tags)} wheels: {', '.join(f'`{tag}`' for tag in tags)}."
    there, wanted = table_in(text), [*rows, below]
    if not there:
        yield f"{name} has no table of platforms, which begins with: {HEAD}"
        return
    for kind, old, end, new, last in SequenceMatcher(None, there, wanted).get_opcodes():
        if kind != "equal":
            has, should = " ".join(there[old:end]) or "nothing", " ".join(wanted[new:last]) or "nothing"
            yield f"in the table of platforms in {name} stands: {has}\nas CI.yml says, there should stand: {should}"
