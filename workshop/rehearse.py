"""Rehearse a release on this machine: all of it, to the installation of what was published."""

from pathlib import Path

from roadworthy.arguments import Parser
from roadworthy.terminal import run_main


def main() -> None:
    """Read the command line, and rehearse."""
    parser = Parser("rehearse", "Rehearse a release on this machine.")
    parser.take("VERSION", "default: the next patch").switch("KEEP", "leave remote and index running, until Ctrl-C")
    given = parser.read()
    from roadworthy.project import Project  # noqa: PLC0415 - not for a refusal of the command line
    from roadworthy.releasing.version import Release  # noqa: PLC0415

    try:
        version = Release.parse(given["VERSION"]) if "VERSION" in given else None
    except ValueError as error:
        parser.error(str(error))
    from workshop.rehearsing.whole import rehearse_whole  # noqa: PLC0415

    rehearse_whole(Project(Path.cwd()), version, keeping="KEEP" in given)


if __name__ == "__main__":
    run_main(main)
