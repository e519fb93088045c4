"""Which wheel each machine of the workflow gets, on every Python that is supported: computed by the tags (PEP 425)."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from packaging.tags import Tag, compatible_tags, cpython_tags, mac_platforms
from packaging.utils import parse_wheel_filename

from roadworthy.project import Project
from roadworthy.pythons import Python
from roadworthy.tables import find
from roadworthy.terminal import Problem

# glibc of Ubuntu 24.04, 2.39, and a macOS that is not named; what older versions of glibc are called as well (PEP 600).
RUNNERS_GLIBC, RUNNERS_MACOS, LEGACY = 39, 15, {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}
IMAGE = re.compile(r"(?:.*/)?(many|musl)linux(?:_\d+_)?(\d+)_(x86_64|aarch64)(?=[:@]|$)")


def machine_of(name: str) -> tuple[str, str, tuple[str, ...]]:
    """Return the system, the processor and the platform tags of one of GitHub's runners, or of a manylinux image.

    Of any other name there are no tags.
    """
    if name.startswith("windows"):
        return "win32", *(("ARM64", ("win_arm64",)) if name.endswith("-arm") else ("AMD64", ("win_amd64",)))
    if name.startswith("macos"):
        machine, version = "x86_64" if name.endswith("-intel") else "arm64", re.search(r"-(\d+)", name)
        return "darwin", machine, tuple(mac_platforms((int(version[1]) if version else RUNNERS_MACOS, 0), machine))
    image = IMAGE.match(name)
    machine = image[3] if image else "aarch64" if name.endswith("-arm") else "x86_64"
    if image and image[1] == "musl":
        return "linux", machine, tuple(f"musllinux_1_{minor}_{machine}" for minor in range(int(image[2]), -1, -1))
    if not image and not name.startswith("ubuntu"):
        return "linux", machine, ()
    # manylinux2014 is named after its year.
    glibc = {"2014": 17}.get(image[2], int(image[2])) if image else RUNNERS_GLIBC
    names = [each for minor in range(glibc, 4, -1) for each in (f"manylinux_2_{minor}", LEGACY.get(minor)) if each]
    return "linux", machine, tuple(f"{each}_{machine}" for each in [*names, "linux"])


def list_tags(python: str, platforms: Sequence[str]) -> list[Tag]:
    """Return the tags that a CPython such as `3.15t` takes on some platforms, the best first."""
    version = python.rstrip("t")
    numbers, tag = tuple(map(int, version.split("."))), f"cp{version.replace('.', '')}"
    abis = [tag + python[len(version) :]]
    return [*cpython_tags(numbers, abis, platforms), *compatible_tags(numbers, tag, platforms)]


def choose(tags: Sequence[Tag], wheels: Mapping[str, frozenset[Tag]]) -> list[str]:
    """Return the wheels that fit best, each as well as the others; none where an installer would take the sdist."""
    fitting = ([name for name, own in wheels.items() if tag in own] for tag in tags)
    return next(filter(None, fitting), [])


def resolve(project: Project) -> dict[tuple[str, str], list[str]]:
    """Return the wheels by machine or image, and Python; all that the workflow builds are there to be chosen."""
    built = [project.wheel_name(python, triple) for triple in project.platform_tags for python in project.python_tags]
    wheels = {name: parse_wheel_filename(name)[3] for name in built}
    rows = find(project.jobs, "verify", "strategy", "matrix", "include") or ()
    runners, places, versions = ([str(find(row, key)) for row in rows] for key in ("runner", "wheels", "pythons"))
    images = re.findall(r"(?<=@)\S+", " ".join(places))
    newest = max(map(int, re.findall(r"\b3\.(\d+)", " ".join(versions))), default=-1)
    asked = [Python((3, minor, 99), kind, Path()) for minor in range(newest + 1) for kind in (False, True)]
    pythons = [python.name for python in asked if project.supports(python)]
    return {
        (place, python): choose(list_tags(python, machine_of(place)[2]), wheels)
        for place in dict.fromkeys([*runners, *images])
        for python in pythons
        if machine_of(place)[2]
    }


def check_wheels(project: Project) -> Iterator[Problem]:
    """Every machine that the workflow verifies on gets a wheel, on every Python that is supported."""
    for (place, python), wheels in resolve(project).items():
        if not wheels:
            what = f"{project.workflow_path} verifies on {place}, where CPython {python} gets no wheel, but the sdist"
            yield Problem(what, "build one: a row in the job wheels; or take that machine out of the job verify")
