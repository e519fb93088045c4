"""How long commands take until they say what they take, or that they do not take that: as ratios to a bare Python.

Nothing is read for either but the command's own modules, so nobody waits for a mistyped word.
"""

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

from report import compare
from roadworthy.__main__ import COMMANDS

ROOT = Path(__file__).resolve().parent.parent
ROUNDS = 7
# What a start may take, as a multiple of bare Python.
LIMIT = 5
PAGES = ("bootstrap", "build", "release", "template", "verify_install")


def commands() -> dict[str, list[str]]:
    """Return every command: bare Python first, and then each with --help, and with a word that it does not take."""
    starts = {page: [sys.executable, f"scripts/{page}.py"] for page in PAGES}
    starts |= {name: [sys.executable, "-m", "roadworthy", name] for name in COMMANDS}
    found = {"bare Python": [sys.executable, "-c", "pass"], "make help": ["make", "help"]}
    for name, words in starts.items():
        found[f"{name} --help"] = [*words, "--help"]
        found[f"{name} --nonsense"] = [*words, "--nonsense"]
    return found


def measure(rounds: int = ROUNDS) -> dict[str, float]:
    """Return the seconds that each takes: the median of several rounds, in each of which all take their turn."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "roadworthy" / "src")}
    times: dict[str, list[float]] = {name: [] for name in commands()}
    for _ in range(rounds):
        for name, words in commands().items():
            started = time.perf_counter()
            subprocess.run(words, cwd=ROOT, env=environment, check=False, capture_output=True)
            times[name].append(time.perf_counter() - started)
    return {name: statistics.median(found) for name, found in times.items()}


def run() -> None:
    """Print what each takes, and which take longer than they should."""
    found = measure()
    compare("from a command's start to its help, or to its refusal", found)
    bare = found["bare Python"]
    slow = [name for name, seconds in found.items() if seconds > LIMIT * bare]
    print(f"longer than {LIMIT} times bare Python: {', '.join(slow) or 'none'}")
