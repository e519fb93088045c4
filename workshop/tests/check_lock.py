"""Check that each job of CI.yml finds a wheel for every tool that it installs, and for the package itself.

For each lock uv lists the files that the index has; packaging chooses among them what an installer would take on the
job's system, processor and Python, with or without a GIL. Nothing is installed, and nothing of these machines is here.
"""

import os
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from packaging.pylock import PackageWheel, Pylock, PylockSelectError
from packaging.version import Version

from resolution import check_wheels, list_tags, machine_of
from roadworthy.arguments import Parser
from roadworthy.processes import find_uv, run
from roadworthy.project import Project
from roadworthy.tables import parse_toml
from roadworthy.terminal import Problem, ProblemsError, out, run_main

SYSTEMS = {"linux": ("Linux", "posix"), "darwin": ("Darwin", "posix"), "win32": ("Windows", "nt")}
REMEDY = "bound it in [dependency-groups] of pyproject.toml to a version with a wheel, and run: make lock"


class Row(NamedTuple):
    """What one job, or one environment that it makes, installs: where, with which Python (`3.15t`), which locks."""

    title: str
    system: str
    machine: str
    platforms: tuple[str, ...]
    python: str
    groups: frozenset[str]


@cache
def groups_of(root: Path, command: str) -> frozenset[str]:
    """Return the locks that a make command installs, as make itself has read the Makefile for it."""
    goal, *given = command.replace('"', "").split()[1:]
    # What another make has given to this one is not for the question.
    env = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    printed = run("make", "--print-data-base", "--question", goal, *given, cwd=root, env=env, check=False).stdout
    needs = {target: words.split() for target, words in re.findall(r"(?m)^([.\w][\w./-]*):(?!=)(.*)$", printed)}
    found, waiting = set[str](), [goal]
    while waiting:
        found.add(target := waiting.pop())
        waiting += set(needs.get(target, ())) - found
    # One rule makes the stamps of all groups, and make shows it only for those that it has come to.
    return frozenset(re.findall(r"(?:\.venv|requirements)/([a-z]+)\.(?:stamp|txt)", " ".join(found))) - {"develop"}


def find_rows(project: Project) -> Iterator[Row]:
    """Yield what every job of the workflow installs, each row of its matrix for itself."""
    for name, job in project.jobs.items():
        setting_up = (step for step in job["steps"] if "setup-python@" in str(step.get("uses")))
        versions = [step["with"]["python-version"] for step in setting_up]
        for values in job.get("strategy", {}).get("matrix", {}).get("include", [{}]):
            # As in each row: with its values in the place of `${{ matrix.… }}`.
            runner, *setups = (
                re.sub(r"\$\{\{ *matrix\.([\w-]+)[^}]*\}\}", lambda found: str(values.get(found[1], "")), str(text))  # noqa: B023
                for text in (job["runs-on"], *versions)
            )
            pythons = [word.removesuffix("-dev") for text in setups for word in text.split()]
            commands = [step["run"] for step in job["steps"] if str(step.get("run")).startswith("make ")]
            if not pythons or not commands:
                continue
            groups = frozenset[str]().union(*(groups_of(project.root, command) for command in commands))
            yield Row(f"{name} on {runner}", *machine_of(runner), pythons[-1], groups)
            if any(command.startswith("make verify ") for command in commands):
                images = [word.split("@")[1] for word in values.get("wheels", "").split() if "@" in word]
                for where, python in ((where, python) for where in (runner, *images) for python in pythons):
                    yield Row(f"an environment on {where}", *machine_of(where), python, frozenset({"test"}))


def list_files(root: Path, group: str) -> Pylock:
    """Return what the index has for a lock, with uv, which asks the index that it is configured for."""
    asked = ("--quiet", "--no-deps", "--universal", "--python-version=3.10", "--format=pylock.toml")
    lock, environment = root / "requirements" / f"{group}.txt", {**os.environ, "UV_PYTHON_DOWNLOADS": "never"}
    listed = run(find_uv(), "pip", "compile", *asked, lock, cwd=root, env=environment)
    return Pylock.from_dict(parse_toml("pylock.toml", listed.stdout))


def choose(row: Row, locks: dict[str, Pylock]) -> tuple[set[str], set[str]]:
    """Return the wheels that a row installs, and the packages that it would have to build."""
    version, (system, os_name) = row.python.rstrip("t"), SYSTEMS[row.system]
    python = {"python_version": version, "python_full_version": f"{version}.0", "implementation_name": "cpython"}
    machine = {"sys_platform": row.system, "platform_system": system, "platform_machine": row.machine}
    markers: Any = {**python, **machine, "os_name": os_name, "platform_python_implementation": "CPython"}
    wheels, missing, tags = set[str](), set[str](), list_tags(row.python, row.platforms)
    for package in (package for group in row.groups for package in locks[group].packages):
        # One at a time: the first that cannot be installed would hide the others.
        single = Pylock(lock_version=Version("1.0"), created_by="check-lock", packages=[package])
        try:
            chosen: list[object] = [file for _, file in single.select(environment=markers, tags=tags)]
        except PylockSelectError:
            chosen = [None]
        wheels |= {str(file.filename) for file in chosen if isinstance(file, PackageWheel)}
        if not all(isinstance(file, PackageWheel) for file in chosen):
            missing.add(f"{package.name} {package.version}")
    return wheels, missing


def main() -> None:
    """Ask the index, and end with a problem for each package without a wheel."""
    Parser("check-lock", "Check that each job of CI finds a wheel for every tool that it installs.").read()
    project = Project(Path.cwd())
    if unfit := list(check_wheels(project)):
        raise ProblemsError(unfit)
    rows = list(dict.fromkeys(find_rows(project)))
    groups = sorted({group for row in rows for group in row.groups})
    with ThreadPoolExecutor() as pool:
        locks = dict(zip(groups, pool.map(lambda group: list_files(project.root, group), groups), strict=True))
    missing = [(row, package) for row in rows for package in sorted(choose(row, locks)[1])]
    if missing:
        what, where = "{0.title}, CPython {0.python}: no wheel of {1} ({2})", project.workflow_file
        raise ProblemsError(Problem(what.format(row, package, where), REMEDY) for row, package in missing)
    out.print(f"there is a wheel of every tool for {len(rows)} machines and environments")


if __name__ == "__main__":
    run_main(main)
