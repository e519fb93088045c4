"""Measure what docs/performance.md says: ratios, each from one run, against what one would use instead.

usage: python benchmarks/run.py [PART ...]
"""

import importlib
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent.parent))

from report import environment

HERE = Path(__file__).resolve().parent
PARTS = {
    "copy": "first_test",
    "crates": "crates",
    "gate": "gate_tools",
    "matching": "matching",
    "profiles": "profiles",
    "rehearsal": "rehearsal",
    "release": "release_command",
    "start": "start",
    "verify": "verify",
}


def main(names: list[str]) -> int:
    """Run the named parts, or all."""
    # A package of one's own has no use for what is measured of this one.
    parts = {name: module for name, module in PARTS.items() if (HERE / f"{module}.py").exists()}
    unknown = [name for name in names if name not in parts]
    if unknown:
        sys.stderr.write(f"no such part: {', '.join(unknown)}; there are: {', '.join(parts)}\n")
        return 2
    print(environment())
    for name in names or parts:
        importlib.import_module(parts[name]).run()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
