"""The gate, against the four tools that people use today, on the same distinct files, with nothing cached."""

import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from report import PROJECT, compare, shortest
from roadworthy import building
from roadworthy.processes import venv_bin


def distinct_wheels(folder: Path, count: int) -> list[Path]:
    """Write wheels that differ: in their name by a build tag, in their library by its last bytes."""
    (wheel,) = PROJECT.dist.glob("*-abi3-*.whl")
    name, version, rest = wheel.name.split("-", 2)
    with zipfile.ZipFile(wheel) as archive:
        files = {entry.filename: archive.read(entry) for entry in archive.infolist()}
    made = []
    for number in range(1, count + 1):
        made.append(folder / f"{name}-{version}-{number}-{rest}")
        with zipfile.ZipFile(made[-1], "w", zipfile.ZIP_DEFLATED) as archive:
            for file, content in files.items():
                archive.writestr(file, content + number.to_bytes(4, "little") if file.endswith(".so") else content)
    return made


def call(*command: object) -> None:
    """Run a command, whatever it says: the changed libraries no longer fit RECORD."""
    subprocess.run([str(part) for part in command], check=False, capture_output=True)


def gate(folder: Path) -> None:
    """Run the gate."""
    call(sys.executable, "-m", "roadworthy", "check", folder, "--foreign")


def tools(paths: list[Path]) -> None:
    """Run the four, one after the other."""
    wheels = [path for path in paths if path.suffix == ".whl"]
    call(venv_bin("twine"), "check", "--strict", *paths)
    call(venv_bin("check-wheel-contents"), *wheels)
    call(venv_bin("abi3audit"), "--strict", *wheels)
    call(venv_bin("pydistcheck"), *paths)


def measure(count: int, runs: int, *, sdist: bool = False, with_tools: bool = True) -> dict[str, float]:
    """Time the gate, and the tools, on some wheels."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        paths = distinct_wheels(folder, count)
        if sdist:
            (path,) = PROJECT.dist.glob("*.tar.gz")
            paths.append(Path(shutil.copy(path, folder)))
        times = {"check_dist": shortest(lambda: gate(folder), runs=runs)}
        if with_tools:
            times["twine, check-wheel-contents, abi3audit, pydistcheck"] = shortest(lambda: tools(paths), runs=runs)
    return times


def run() -> None:
    """Compare on one release, and on many wheels."""
    building.require_current(PROJECT)
    compare("one wheel and the sdist", measure(1, 5, sdist=True))
    hundred = measure(100, 2)
    compare("100 wheels", hundred)
    thousand = measure(1_000, 1, with_tools=False)
    compare("growth", {"100 wheels": hundred["check_dist"], "1,000 wheels": thousand["check_dist"]})
