"""How long commands take until they say what they take, or that they do not take that, and to check one wheel.

Nothing is read for a refusal but the command's own modules, so nobody waits for a mistyped word. It is processor time,
which other work on the machine changes least, and the ratios are to a bare Python.
"""

import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from report import PROJECT, compare
from roadworthy.__main__ import COMMANDS
from roadworthy.processes import find_uv

ROOT = PROJECT.root
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


def checks(folder: Path) -> dict[str, list[str]]:
    """Return bare Python, the check of a wheel of Python alone, made in the folder, and that of one in dist/."""
    uv = [str(find_uv()), "build", "--offline", "--quiet", "--wheel", f"--out-dir={folder}", str(ROOT / "roadworthy")]
    subprocess.run(uv, check=True)
    (pure,), native = folder.glob("*.whl"), next(PROJECT.dist.glob("*-abi3-*.whl"), None)
    words = [sys.executable, "-m", "roadworthy", "check", "--foreign"]
    found = {"bare Python": [sys.executable, "-c", "pass"], "a wheel of Python alone": [*words, str(pure)]}
    return found | ({"a wheel with a native module": [*words, str(native)]} if native else {})


def processor_time() -> float:
    """Return the seconds that all processes have taken that have ended and were started here."""
    taken = resource.getrusage(resource.RUSAGE_CHILDREN)
    return taken.ru_utime + taken.ru_stime


def measure(timed: dict[str, list[str]], rounds: int = ROUNDS) -> dict[str, float]:
    """Return the seconds that each takes: the least of several rounds, in each of which all take their turn."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "roadworthy" / "src")}
    found = dict.fromkeys(timed, float("inf"))
    for _ in range(rounds):
        for name, words in timed.items():
            before = processor_time()
            subprocess.run(words, cwd=ROOT, env=environment, check=False, capture_output=True)
            found[name] = min(found[name], processor_time() - before)
    return found


def run() -> None:
    """Print what each takes, and which take longer than they should."""
    found = measure(commands())
    compare("from a command's start to its help, or to its refusal", found)
    slow = [name for name, seconds in found.items() if seconds > LIMIT * found["bare Python"]]
    print(f"longer than {LIMIT} times bare Python: {', '.join(slow) or 'none'}")
    with tempfile.TemporaryDirectory() as folder:
        compare("the check of one file", measure(checks(Path(folder))))
