"""The crates that could do the matching."""

import subprocess
from pathlib import Path

from report import compare

FOLDER = Path(__file__).resolve().parent / "crates"


def run() -> None:
    """Build and run the Rust program beside this file."""
    command = [
        "cargo",
        "run",
        "--release",
        "--quiet",
        "--locked",
        f"--target-dir={FOLDER.parents[1] / 'target' / 'bench'}",
    ]
    printed = subprocess.run(command, cwd=FOLDER, check=True, capture_output=True, text=True).stdout
    times = {name: float(value) / 1e3 for name, value in (line.split("\t") for line in printed.splitlines())}
    longest = times.pop("two words of 10,000")
    compare("one word against 100,000", times)
    compare("the longest comparison", {"two words of 10,000 code points, nothing in common": longest})
