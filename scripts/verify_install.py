"""Prove that an artefact works where a user will install it: in a clean environment, on every CPython of this machine.

For each Python: the wheel with nothing else as its source, proof that what is imported is that very file, and the tests
of the sdist; on the oldest, the sdist. On the oldest and the newest pip installs what a user has, as low and as new.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from roadworthy.arguments import Parser

PARSER = Parser("verify", "Prove that the artefacts work in clean environments; default: those in dist/.")
PARSER.take("VERSION", "verify this version as an index serves it")
PARSER.take("INDEX", "of it: pypi (default), testpypi, or the address of a simple index")
PARSER.take("FROM", "verify a folder's dist/ with its SHA256SUMS", type=Path)
PARSER.take("SUMS", "compare the artefacts with this SHA256SUMS", type=Path)
PARSER.take("PYTHON", "versions, or a path; default: the newest of each minor version that is here")
PARSER.take("WHEELS", "which: targets, or target@image for containers; default: what is for this machine")
PARSER.take_package().switch("KEEP", "leave the environments, and say where")
# Before all else is loaded, so that a mistyped option is told at once.
GIVEN = PARSER.read() if __name__ == "__main__" else {}

from roadworthy.project import Project
from roadworthy.pythons import Python
from roadworthy.terminal import run_main
from roadworthy.verifying import jobs, proofs
from roadworthy.verifying.artefacts import Source
from roadworthy.verifying.environment import Environment, without_network
from roadworthy.verifying.jobs import Job

PROJECT = Project(Path(__file__).resolve().parents[1], GIVEN.get("PACKAGE", ""))
# What must hold of what was installed. One of your own: a function that yields a Problem for each thing that is wrong.
PROOFS = (
    proofs.same_bytes_as_a_wheel,
    proofs.same_version,
    proofs.one_native_module,
    proofs.same_files_as_the_source,
    proofs.same_metadata_as_the_source,
    proofs.types_as_promised,
    proofs.nothing_elsewhere,
    proofs.import_works,
    proofs.everything_loads,
    proofs.import_stays_inside,
    proofs.gil_left_alone,
)


def prove(environment: Environment, source: Source, *, built: bool = False, low: bool = False) -> proofs.Installation:
    """Install what the package requires, ask the interpreter what it has, and judge and return that."""
    environment.install_dependencies(source, lowest=low)
    told = proofs.Installation(PROJECT, source.artefacts, environment.folder, environment.describe(), built)
    proofs.require(PROOFS, told)
    return told


def wheel(environment: Environment, source: Source) -> str:
    """Install the wheel with uv, in a container with pip, and run the tests."""
    environment.create_for_tests()
    environment.install_wheel(source)
    prove(environment, source)
    return environment.run_tests(source.artefacts.unpacked)


def wheel_with_pip(environment: Environment, source: Source, *, own: bool) -> str:
    """Install just what a user has, with the Python's own pip, perhaps an old one, or with the newest, as locked."""
    environment.create(with_pip=own)
    environment.install_wheel(source, with_pip=True, own=own)
    return environment.try_other_ways(source, prove(environment, source, low=own), own=own)


def sdist(environment: Environment, source: Source) -> str:
    """Install the sdist from source without any network, with uv, then as packagers do, and run the tests."""
    environment.create_for_tests()
    for _ in environment.install_sdist(source):
        prove(environment, source, built=True)
    return f"{environment.run_tests(source.artefacts.unpacked)}, built {without_network()[2]}"


def plan(pythons: list[Python], source: Source, selected: list[Source]) -> Iterator[Job]:
    """Yield what is to be done, the longest first, for all that is selected of the source."""
    with_gil = [python for python in pythons if not python.free_threaded] or pythons
    yield Job(with_gil[0], "sdist", sdist, source)
    for each in selected:
        for python in pythons:
            yield Job(python, "wheel", wheel, each)
        if not each.image:
            yield Job(with_gil[0], "wheel", partial(wheel_with_pip, own=True), each, "its own pip")
            yield Job(with_gil[-1], "wheel", partial(wheel_with_pip, own=False), each, "the newest pip")


def main() -> None:
    """Verify what is asked for."""
    if "VERSION" in GIVEN and "FROM" in GIVEN:
        PARSER.error("FROM and VERSION exclude each other")
    for name in {"INDEX", "SUMS"} & GIVEN.keys():
        if "VERSION" not in GIVEN:
            PARSER.error(f"{name} needs VERSION")
    pythons = jobs.choose_pythons(PROJECT, GIVEN.get("PYTHON", ""))
    with jobs.working_folder(keep="KEEP" in GIVEN) as folder, jobs.open_source(PROJECT, GIVEN, folder) as source:
        selected = jobs.select(source, GIVEN.get("WHEELS", ""), folder / "wheels")
        jobs.run_jobs(list(plan(pythons, source, selected)), folder)


if __name__ == "__main__":
    run_main(main)
