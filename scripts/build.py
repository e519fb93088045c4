"""Build the sdist, and from it the wheels of one target, into a new dist/, with their hashes in SHA256SUMS."""

from pathlib import Path

from roadworthy import building
from roadworthy.arguments import Parser
from roadworthy.building import sdist, wheel
from roadworthy.building.toolchain import host_triple
from roadworthy.project import Project
from roadworthy.terminal import run_main

PROJECT = Project(Path(__file__).resolve().parents[1])


def build(triple: str, built: Path | None) -> None:
    """Build everything for one target; `built` has the dist/ with the sdist, if another machine has built that."""
    building.require_buildable(PROJECT)
    wheel.require_target(PROJECT, triple)
    state = building.state_of(PROJECT, triple)
    # What a machine that only tries the package does not have is left out; for a release everything is built.
    interpreters = wheel.choose_interpreters(PROJECT, triple, all_of_them=built is not None)
    with building.new_dist(PROJECT) as dist:
        source = sdist.take_sdist(PROJECT, built, dist) if built else sdist.build_sdist(PROJECT, dist)
        unpacked = sdist.unpack_as_new(source, dist.parent / "source")
        wheel.build_wheels(PROJECT, interpreters, triple, unpacked, dist)
        wheel.check_names(PROJECT, dist, triple, interpreters)
    if not built:
        building.record(PROJECT).write_text(state, encoding="utf-8")


def build_sdist() -> None:
    """Build the sdist alone."""
    building.require_buildable(PROJECT)
    with building.new_dist(PROJECT) as dist:
        sdist.build_sdist(PROJECT, dist)


def main() -> None:
    """Read what is given, and build."""
    parser = Parser("build", "Build the sdist and one target's wheels into dist/.")
    parser.take("TARGET", "a Rust target triple; default: this machine's")
    parser.take("FROM", "a folder: take the sdist from its dist/", type=Path)
    parser.switch("SDIST_ONLY", "build no wheels")
    given = parser.read()
    if "SDIST_ONLY" in given:
        build_sdist()
    else:
        build(given["TARGET"] if "TARGET" in given else host_triple(PROJECT), given.get("FROM"))
    building.print_dist(PROJECT)


if __name__ == "__main__":
    run_main(main)
