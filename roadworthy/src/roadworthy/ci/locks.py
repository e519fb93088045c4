"""Check that each job of CI.yml finds a wheel for every tool that it installs, and print how much that is.

For each lock uv lists the files that the index has; packaging chooses among them what an installer would take on the
job's system, processor and Python, with or without a GIL. Nothing is installed, and nothing of these machines is here.
"""

import os
import re
import shlex
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import tomli
from packaging.markers import Environment
from packaging.pylock import PackageWheel, Pylock, PylockSelectError
from packaging.tags import Tag, compatible_tags, cpython_tags, mac_platforms
from packaging.version import Version
from rich.table import Table

from roadworthy import processes as programs
from roadworthy.processes import find_uv
from roadworthy.project import HERE
from roadworthy.runner import summarise
from roadworthy.terminal import Problem, ProblemsError, out

# Ubuntu 24.04's, and the musl of the images.
GLIBC, MUSL = 39, 2
# What make installs a lock for: the file that says that it is installed.
STAMP = re.compile(r"\.venv/([a-z]+)\.stamp")
RULE = re.compile(r"^([.\w][\w./-]*):(?!=)(.*)$", re.MULTILINE)
SYSTEMS = {"linux": ("Linux", "posix"), "darwin": ("Darwin", "posix"), "win32": ("Windows", "nt")}


@dataclass(frozen=True)
class Row:
    """What one job, or one environment that it makes, installs.

    Attributes:
        title: What it is: the job, and its machine or container.
        system: As `sys.platform` calls it.
        machine: The processor, as wheels call it on that system.
        platforms: The platform tags that an installer takes there, the best first.
        python: The Python: `3.15`, `3.15t`.
        groups: The locks.
    """

    title: str
    system: str
    machine: str
    platforms: tuple[str, ...]
    python: str
    groups: tuple[str, ...]

    def tags(self) -> list[Tag]:
        """Return the tags of the wheels that an installer takes there, the best first."""
        version = tuple(map(int, self.python.rstrip("t").split(".")))
        interpreter = "cp" + "".join(map(str, version))
        abi = interpreter + ("t" if self.python.endswith("t") else "")
        return [
            *cpython_tags(version, [abi], list(self.platforms)),
            *compatible_tags(version, interpreter, list(self.platforms)),
        ]

    def environment(self) -> Environment:
        """Return the values of markers there."""
        version = self.python.rstrip("t")
        platform_system, os_name = SYSTEMS[self.system]
        return {
            "implementation_name": "cpython",
            "implementation_version": f"{version}.0",
            "os_name": os_name,
            "platform_machine": {"amd64": "AMD64", "win_arm64": "ARM64"}.get(self.machine, self.machine),
            "platform_python_implementation": "CPython",
            "platform_release": "",
            "platform_system": platform_system,
            "platform_version": "",
            "python_full_version": f"{version}.0",
            "python_version": version,
            "sys_platform": self.system,
        }


def linux(machine: str, glibc: int = GLIBC) -> tuple[str, str, tuple[str, ...]]:
    """Return the system, the processor and the platform tags of a Linux with glibc 2.`glibc`."""
    old = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}
    names = [name for minor in range(glibc, 4, -1) for name in (f"manylinux_2_{minor}", old.get(minor)) if name]
    return "linux", machine, tuple(f"{name}_{machine}" for name in [*names, "linux"])


def machine_of(runner: str) -> tuple[str, str, tuple[str, ...]]:
    """Return the system, the processor and the platform tags of one of GitHub's runners, by its name."""
    if runner.startswith("windows"):
        machine = "arm64" if runner.endswith("-arm") else "amd64"
        return "win32", machine, (f"win_{machine}",)
    if runner.startswith("macos"):
        machine = "x86_64" if runner.endswith("-intel") else "arm64"
        return "darwin", machine, tuple(mac_platforms((int(runner.split("-")[1]), 0), machine))
    return linux("aarch64" if runner.endswith("-arm") else "x86_64")


def machine_in(image: str) -> tuple[str, str, tuple[str, ...]]:
    """Return the same for a container of the manylinux project, by the name of its image."""
    name = re.split("[@:]", image, maxsplit=1)[0].rpartition("/")[2]
    machine = "aarch64" if name.endswith("aarch64") else "x86_64"
    if name.startswith("musllinux"):
        return "linux", machine, tuple(f"musllinux_1_{minor}_{machine}" for minor in range(MUSL, -1, -1))
    return linux(machine, 17 if "2014" in name else int(name.split("_")[2]))


def lock(group: str) -> Path:
    """Return the lock of a group."""
    return HERE.root / "requirements" / f"{group}.txt"


@cache
def groups_of(command: str) -> frozenset[str]:
    """Return the locks that a make command installs, as make itself has read the Makefile for it."""
    asked = ("make", "--print-data-base", "--question", "--no-print-directory", *shlex.split(command)[1:])
    # What another make has given to this one is not for the question.
    env = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    printed = programs.run(*asked, cwd=HERE.root, env=env, check=False).stdout
    needs = {target: set(words.split()) for target, words in RULE.findall(printed)}
    found, waiting = set(), {shlex.split(command)[1]}
    while waiting:
        target = waiting.pop()
        found.add(target)
        waiting |= needs.get(target, set()) - found
    # One rule makes the stamps of all groups, and make shows it only for those that it has come to.
    stamps = {found[1] for found in map(STAMP.fullmatch, found) if found and lock(found[1]).exists()}
    return frozenset(stamps | {Path(name).stem for name in found if name.startswith("requirements/")})


def fill_in(text: object, row: dict[str, Any]) -> str:
    """Return a text of CI.yml with the row's values in the place of `${{ matrix.… }}`."""
    return re.sub(r"\$\{\{ *matrix\.([\w-]+)[^}]*\}\}", lambda found: str(row.get(found[1], "")), str(text))


def find_rows() -> Iterator[Row]:
    """Yield what every job of CI.yml installs, each row of its matrix for itself."""
    for name, job in HERE.jobs.items():
        for values in job.get("strategy", {}).get("matrix", {}).get("include", [{}]):
            steps = job["steps"]
            runner = fill_in(job["runs-on"], values)
            versions = [step["with"]["python-version"] for step in steps if "setup-python@" in step.get("uses", "")]
            pythons = [word.removesuffix("-dev") for text in versions for word in fill_in(text, values).split()]
            commands = [step["run"] for step in steps if step.get("run", "").startswith("make ")]
            if not pythons or not commands:
                continue
            groups = frozenset().union(*map(groups_of, commands))
            yield Row(f"{name} on {runner}", *machine_of(runner), pythons[-1], tuple(sorted(groups)))
            if any(command.startswith("make verify ") for command in commands):
                yield from find_environments(runner, values, pythons)


def find_environments(runner: str, values: dict[str, Any], pythons: list[str]) -> Iterator[Row]:
    """Yield what is installed in the clean environments of `make verify`, containers among them."""
    images = [word.split("@", 1)[1] for word in values.get("wheels", "").split() if "@" in word]
    places = {runner: machine_of(runner), **{image.split("@")[0]: machine_in(image) for image in images}}
    for place, machine in places.items():
        for python in sorted(set(pythons)):
            yield Row(f"an environment on {place}", *machine, python, ("test",))


def list_files(group: str, folder: Path) -> Pylock:
    """Return what the index has for a lock, with uv, which asks the index that it is configured for.

    Raises:
        CalledProcessError: It cannot be asked, or has not what is locked.
    """
    found = folder / f"pylock.{group}.toml"
    arguments = ("--quiet", "--no-deps", "--universal", "--python-version=3.10", f"--output-file={found}")
    environment = {**os.environ, "UV_PYTHON_DOWNLOADS": "never"}
    programs.run(find_uv(), "pip", "compile", *arguments, lock(group), cwd=HERE.root, env=environment)
    return Pylock.from_dict(tomli.loads(found.read_text(encoding="utf-8")))


def judge(row: Row, locks: dict[str, Pylock]) -> tuple[dict[str, int], set[str]]:
    """Return the sizes of the wheels that a row installs, by name, and the packages that it would have to build."""
    wheels, missing = {}, set()
    for package in (package for group in row.groups for package in locks[group].packages):
        # One at a time: the first that cannot be installed would hide the others.
        alone = Pylock(lock_version=Version("1.0"), created_by="check_lock", packages=[package])
        try:
            for _, chosen in alone.select(environment=row.environment(), tags=row.tags()):
                if isinstance(chosen, PackageWheel):
                    wheels[chosen.filename] = chosen.size or 0
                else:
                    missing.add(f"{package.name} {package.version}")
        except PylockSelectError:
            missing.add(f"{package.name} {package.version}")
    return wheels, missing


def judge_all(rows: list[Row]) -> tuple[list[tuple[str, ...]], list[Problem]]:
    """Return the lines of the table, one for all Pythons of a place, and a problem for each package without a wheel."""
    groups = sorted({group for row in rows for group in row.groups})
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor() as pool:
        locks = dict(zip(groups, pool.map(lambda group: list_files(group, Path(folder)), groups), strict=True))
    remedy = "bound it in [dependency-groups] of pyproject.toml to a version with a wheel, and run: make lock"
    lines: dict[tuple[str, tuple[str, ...]], list[tuple[str, int, float]]] = defaultdict(list)
    problems = []
    for row in rows:
        wheels, missing = judge(row, locks)
        lines[row.title, row.groups].append((row.python, len(wheels), sum(wheels.values()) / 1e6))
        what = f"{row.title}, CPython {row.python}: no wheel of"
        problems += [Problem(f"{what} {package} ({HERE.workflow_file})", remedy) for package in sorted(missing)]
    table: list[tuple[str, ...]] = []
    for (title, names), judged in lines.items():
        pythons, counts, sizes = zip(*judged, strict=True)
        table.append((title, " ".join(pythons), " ".join(names), str(max(counts)), f"{max(sizes):.0f}"))
    return table, problems


def main() -> None:
    """Ask the index, print the table, and end with a problem for each package without a wheel.

    Raises:
        ProblemsError: There is one.
    """
    heads = ("job", "Python", "locks", "wheels", "MB")
    lines, problems = judge_all(list(dict.fromkeys(find_rows())))
    table = Table(*heads, box=None, pad_edge=False)
    for line in lines:
        table.add_row(*line)
    out.print(table)
    summarise("What each job installs", heads, lines)
    if problems:
        raise ProblemsError(problems)
