"""The tables of platforms in the documents, as CI.yml's matrices make them, and the rule that they are kept."""

import re
from collections.abc import Iterator, Mapping, Sequence

from workshop.workflows.pipeline import Pipeline
from workshop.workflows.rules import RULES, Rule

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
    """Return for each platform its row: where it is built, by one job's rows, and where verified, by another's."""
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


def the_platforms_are_those_that_are_promised(pipeline: Pipeline) -> Iterator[str]:
    """Each row of docs/publishing.md, written by hand when a platform is meant to come or to go, is one of CI.yml."""
    rows, verified = pipeline.rows_of("build"), pipeline.rows_of("verify")
    promised = table_in(pipeline.project.read("docs/publishing.md"))[:-1]
    if len(promised) != len(rows):
        yield f"{len(promised)} platforms are promised, and {len(rows)} have a row"
    for line in rows_of([row.matrix for row in rows], [row.matrix for row in verified]):
        if line not in promised:
            yield f"docs/publishing.md does not promise: {line}"


# What holds for CI.yml of the template: it promises platforms to the users of a table.
ALL_RULES: dict[str, Rule] = {
    **RULES,
    the_platforms_are_those_that_are_promised.__name__: the_platforms_are_those_that_are_promised,
}
