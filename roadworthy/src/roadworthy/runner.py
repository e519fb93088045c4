"""Speaking with GitHub's runner: a step's outputs, and the job's summary. Elsewhere the summary is left out."""

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from roadworthy.terminal import out, printable


def set_outputs(outputs: Mapping[str, str]) -> None:
    """Print the outputs of a step, and hand them to the runner where there is one (`GITHUB_OUTPUT`).

    Raises:
        ValueError: A value has more than one line, and could pose as another output.
    """
    lines = [f"{name}={value}" for name, value in outputs.items()]
    if any(not line.isprintable() for line in lines):
        raise ValueError(f"an output of more than one line: {lines}")
    for line in lines:
        out.print(line)
    if path := os.environ.get("GITHUB_OUTPUT"):
        _append(path, lines)


def summarise(title: str, heads: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Add a table to the job's summary, where there is one (`GITHUB_STEP_SUMMARY`)."""
    if path := os.environ.get("GITHUB_STEP_SUMMARY"):
        table = [heads, ["---"] * len(heads), *rows]
        cells = [[printable(str(cell)).replace("|", "\\|") for cell in row] for row in table]
        _append(path, ["", f"### {title}", "", *(f"| {' | '.join(row)} |" for row in cells), ""])


def _append(path: str, lines: Iterable[str]) -> None:
    with Path(path).open("a", encoding="utf-8") as stream:
        stream.writelines(f"{line}\n" for line in lines)
