"""Build the sdist, and from it the wheels of one target, into a new dist/, with their hashes in SHA256SUMS."""

from pathlib import Path

from roadworthy.arguments import Parser

PARSER = Parser("build", "Build the sdist and one target's wheels into dist/.")
PARSER.take("TARGET", "a Rust target triple; default: this machine's")
PARSER.take("FROM", "a folder: take the sdist from its dist/", type=Path)
PARSER.take_package().switch("SDIST_ONLY", "build no wheels")
# Before all else is loaded, so that a mistyped option is told at once.
GIVEN = PARSER.read() if __name__ == "__main__" else {}

from roadworthy import building
from roadworthy.building import steps
from roadworthy.building.toolchain import host_triple
from roadworthy.project import Project
from roadworthy.terminal import run_main

PROJECT = Project(Path(__file__).resolve().parents[1], GIVEN.get("PACKAGE", ""))


def build(triple: str, built: Path | None) -> None:
    """Build everything for one target; `built` has the dist/ with the sdist, if another machine has built that."""
    steps.require_target(PROJECT, triple)
    state = building.state_of(PROJECT, triple)
    interpreters = steps.choose_interpreters(PROJECT, triple, all_of_them=built is not None)
    with building.new_dist(PROJECT) as dist:
        source = steps.take_sdist(PROJECT, built, dist) if built else steps.build_sdist(PROJECT, dist)
        steps.build_wheels(PROJECT, interpreters, triple, source, dist)
        steps.check_names(PROJECT, dist, triple, interpreters)
    if not built:
        building.record(PROJECT).write_text(state, encoding="utf-8")


def main() -> None:
    """Build what is asked for."""
    building.require_buildable(PROJECT)
    if "SDIST_ONLY" in GIVEN:
        with building.new_dist(PROJECT) as dist:
            steps.build_sdist(PROJECT, dist)
    else:
        build(GIVEN["TARGET"] if "TARGET" in GIVEN else host_triple(PROJECT), GIVEN.get("FROM"))
    building.print_dist(PROJECT)


if __name__ == "__main__":
    run_main(main)
