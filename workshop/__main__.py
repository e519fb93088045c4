"""`python -m workshop COMMAND`, in the folder of a template or of a copy: what start.py starts."""

import signal
import sys
from collections.abc import Callable
from pathlib import Path

from roadworthy.arguments import Parser

# The template, of whose version this is.
TEMPLATE = Path(__file__).resolve().parents[1]


def new(words: list[str]) -> Callable[[], None]:
    """Return what makes a copy."""
    parser = Parser("new", "Copy the template under another name.").take("NAME", "such as turbo-frob", first=True)
    parser.take("DEST", "the folder; default: beside this one; `.`: the template itself")
    parser.take("AUTHOR", "default: what a terminal is told, or git's user.name")
    parser.take("EMAIL", "the author's; default: what a terminal is told, or git's user.email")
    parser.take("OWNER", "of the repository on GitHub; default: what a terminal is told, or git's github.user")
    parser.take("DESCRIPTION", "what it does, in one sentence; default: what a terminal is told")
    parser.take("LICENSE", "default: what a terminal is told, or the template's")
    given = parser.read(words)
    from roadworthy.project import Project  # noqa: PLC0415 - only for a command line that is right
    from workshop.copying import creating  # noqa: PLC0415 - as above

    return lambda: creating.new(Project(TEMPLATE), Path.cwd(), given)


def update(words: list[str]) -> Callable[[], None]:
    """Return what updates the copy in this folder to this version of the template."""
    parser = Parser("template-update", "Bring this copy what the template has learned since.")
    parser.take("TO", "a tag, branch or commit; default: the newest release of the template")
    parser.take("FROM", "where the template is from now on")
    parser.take("ENGINE", "theirs: replace roadworthy/ although it was edited here", choices=["theirs"])
    parser.switch("CHECK", "change nothing; exit 1 if there is something new")
    parser.switch("DRY_RUN", "change nothing; print what would change")
    given = parser.read(words)
    if {"CHECK", "DRY_RUN"} <= given.keys():
        parser.error("--check and --dry-run exclude each other")
    from roadworthy.project import Project  # noqa: PLC0415 - as above
    from workshop.copying import updating  # noqa: PLC0415 - as above

    return lambda: updating.update(Project(Path.cwd()), Project(TEMPLATE), given)


def rehearse(words: list[str]) -> Callable[[], None]:
    """Return what rehearses a release of the project in this folder."""
    parser = Parser("rehearse", "Rehearse a release on this machine.")
    parser.take("VERSION", "default: the next patch").switch("KEEP", "leave remote and index running, until Ctrl-C")
    given = parser.take_package().read(words)
    from roadworthy.project import Project  # noqa: PLC0415 - as above
    from roadworthy.releasing.version import Release  # noqa: PLC0415 - as above

    try:
        version = Release.parse(given["VERSION"], given.get("PACKAGE", "")) if "VERSION" in given else None
    except ValueError as error:
        parser.error(str(error))
    from workshop.rehearsing.whole import rehearse_whole  # noqa: PLC0415 - as above

    project = Project(Path.cwd(), given.get("PACKAGE", ""))
    return lambda: rehearse_whole(project, version, keeping="KEEP" in given)


def main() -> None:
    """Do what the first word asks for; scripts/template.py knows which ones there are."""
    # As Ctrl-C does: whatever was started is ended, and what was written is removed.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    command, *words = sys.argv[1:]
    run = {"new": new, "update": update, "rehearse": rehearse}[command](words)
    from roadworthy.terminal import run_main  # noqa: PLC0415 - as above

    run_main(run)


if __name__ == "__main__":
    main()
