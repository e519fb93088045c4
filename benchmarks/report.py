"""Timing, and one way of printing a comparison."""

import os
import platform
import time
from collections.abc import Callable
from pathlib import Path

from rich.table import Table

from roadworthy.project import Project
from roadworthy.terminal import out

# What is measured.
PROJECT = Project(Path(__file__).resolve().parents[1])
# Where it is set, each process compiles every module that it loads, which on nobody's own machine it does.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def environment() -> str:
    """Say on what this was measured."""
    return f"{platform.platform()}, {platform.processor() or platform.machine()}, Python {platform.python_version()}"


def shortest(work: Callable[[], object], *, runs: int = 5) -> float:
    """Return the seconds of the fastest of a few runs; the others were disturbed more."""
    times = []
    for _ in range(runs):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return min(times)


def compare(title: str, seconds: dict[str, float]) -> None:
    """Print a table of times, and how many times as long as the first each is."""
    first = next(iter(seconds.values()))
    table = Table("what", "time", "ratio", title=title, title_justify="left", box=None, pad_edge=False)
    for name, value in seconds.items():
        unit, factor = next(pair for pair in (("s", 1), ("ms", 1e3), ("µs", 1e6)) if value * pair[1] > 1 / 8)
        table.add_row(name, f"{value * factor:.2f} {unit}", f"{value / first:.2f}")
    out.print()
    out.print(table)
