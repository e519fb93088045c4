"""The package as it ships, against what the standard library offers."""

import difflib
import random
import subprocess
import sys
import tempfile
from pathlib import Path

from report import PROJECT, compare
from roadworthy import building
from roadworthy.processes import find_uv


def measure() -> None:
    """Time the installed package; run in an environment that has the wheel."""
    from ferrous_wheel import Vocabulary, closest, distance  # noqa: PLC0415
    from report import shortest  # noqa: PLC0415

    source = random.Random(1)
    words = ["".join(source.choices("abcdefghijklmnopqrstuvwxyz", k=source.randint(3, 14))) for _ in range(10_000)]
    vocabulary = Vocabulary(words)
    compare(
        "the three closest of 10,000 words",
        {
            "Vocabulary.closest()": shortest(lambda: vocabulary.closest("pyhtonista")),
            "closest()": shortest(lambda: closest("pyhtonista", words)),
            "difflib.get_close_matches()": shortest(lambda: difflib.get_close_matches("pyhtonista", words), runs=2),
        },
    )
    compare(
        "one call",
        {"distance() of two words of 6": shortest(lambda: [distance("pyhton", "python") for _ in range(1000)]) / 1e3},
    )


def run() -> None:
    """Install the wheel of the stable ABI where it shadows the developed one, and measure that."""
    building.require_current(PROJECT)
    (wheel,) = PROJECT.dist.glob("*-abi3-*.whl")
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([find_uv(), "pip", "install", "--quiet", "--no-deps", f"--target={folder}", wheel], check=True)
        path = [folder, str(Path(__file__).resolve().parent), str(PROJECT.root)]
        code = f"import sys; sys.path[:0] = {path}; import matching; matching.measure()"
        subprocess.run([sys.executable, "-c", code], check=True)
