"""A rehearsal against the builds, checks and verifications in it, which a release takes in any case."""

import re
import sys
import tempfile
from pathlib import Path

from report import PROJECT, compare
from roadworthy import processes as commands
from workshop.rehearsing.scratch import make_copy

# A line of a step's time, of the rehearsal's own steps and of those that the release proves with.
STEP = re.compile(r"^ *([0-9.]+) s  (.+)$", re.MULTILINE)
WORK = re.compile(r"(?:\w+: make (?:sdist|build|verify)\b|build the sdist|check them|install and test)")


def run() -> None:
    """Print how long a rehearsal of this commit takes, and how much of it is work that it is about."""
    with tempfile.TemporaryDirectory() as folder:
        place = make_copy(PROJECT, Path(folder))
        done = place.run(sys.executable, "scripts/template.py", "rehearse")
        if done.returncode:
            sys.exit(commands.tail(done))
        (whole,) = re.findall(r"in ([0-9]+) s: on this machine", done.stdout)
        (log,) = re.findall(r"what each step said: (.+)", done.stdout)
        said = done.stdout + Path(log).read_text(encoding="utf-8")
    work = {line: float(seconds) for seconds, line in STEP.findall(said) if WORK.match(line)}
    compare(
        f"A rehearsal of {PROJECT.root.name}", {"its builds and verifications": sum(work.values()), "all": float(whole)}
    )
