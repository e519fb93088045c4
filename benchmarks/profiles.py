"""What the release profile's settings cost and bring."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from report import PROJECT, compare, shortest
from roadworthy.terminal import out

SETTINGS = [("false", "1"), ("false", "16"), ("thin", "1"), ("thin", "16"), ("fat", "1"), ("fat", "16")]
CODE = """
from importlib.machinery import ExtensionFileLoader
from importlib.util import module_from_spec, spec_from_file_location
import sys, timeit
spec = spec_from_file_location("_core", sys.argv[1], loader=ExtensionFileLoader("_core", sys.argv[1]))
core = module_from_spec(spec)
spec.loader.exec_module(core)
words = core.Vocabulary([f"word{number:x}" for number in range(20_000)])
print(min(timeit.repeat(lambda: words.closest("wrod123"), number=20, repeat=9)) / 20)
"""


def run() -> None:
    """Build the library with each setting; time the compilation of this crate alone, and a search."""
    builds, searches, sizes = {}, {}, {}
    with tempfile.TemporaryDirectory() as folder:
        for lto, units in SETTINGS:
            name = f"lto = {lto}, codegen-units = {units}"
            environment = {
                **os.environ,
                "CARGO_PROFILE_RELEASE_LTO": lto,
                "CARGO_PROFILE_RELEASE_CODEGEN_UNITS": units,
                "CARGO_TARGET_DIR": str(Path(folder) / "target"),
            }
            command = ["cargo", "build", "--release", "--locked", "--quiet"]
            subprocess.run(command, cwd=PROJECT.root, env=environment, check=True)
            os.utime(PROJECT.root / "src" / "lib.rs")
            builds[name] = timed(command, environment)
            (library,) = Path(folder, "target", "release").glob("*_core.[sd][oyl]*")
            copy = shutil.copy(library, Path(folder) / f"{lto}-{units}.so")
            sizes[name] = Path(copy).stat().st_size
            printed = subprocess.run([sys.executable, "-c", CODE, copy], check=True, capture_output=True, text=True)
            searches[name] = float(printed.stdout)
    compare("compiling the crate", builds)
    compare(f"{PROJECT.import_name}: the closest of 20,000 words", searches)
    out.print("\n".join(["", "size", *(f"{name}: {size:,} bytes" for name, size in sizes.items())]))


def timed(command: list[str], environment: dict[str, str]) -> float:
    """Return the seconds that a command takes."""
    return shortest(lambda: subprocess.run(command, cwd=PROJECT.root, env=environment, check=True), runs=1)
