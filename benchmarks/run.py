"""Measure what docs/performance.md says: ratios, each from one run, against what one would use instead.

usage: python benchmarks/run.py [PART ...]
"""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent.parent / "scripts"))

import crates
import gate_tools
import matching
import profiles
import rehearsal
import release_command
import verify
from report import environment

PARTS = {
    "crates": crates.run,
    "gate": gate_tools.run,
    "matching": matching.run,
    "profiles": profiles.run,
    "rehearsal": rehearsal.run,
    "release": release_command.run,
    "verify": verify.run,
}


def main(names: list[str]) -> int:
    """Run the named parts, or all."""
    unknown = [name for name in names if name not in PARTS]
    if unknown:
        sys.stderr.write(f"no such part: {', '.join(unknown)}; there are: {', '.join(PARTS)}\n")
        return 2
    print(environment())
    for name in names or PARTS:
        PARTS[name]()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
