"""The command line: `roadworthy COMMAND`. A command's module is read when the command is asked for."""

import os
import sys
from importlib import import_module
from pathlib import Path

from roadworthy import deliver
from roadworthy.arguments import take_package
from roadworthy.terminal import out, run_main

# By command: the function that reads the rest of the command line, and what it does.
COMMANDS = {
    "check": ("gate.command:main", "check artefacts: would PyPI take them, and should they be sent?"),
    "compare": ("gate.command:compare", "say what changes between two artefacts, or two releases"),
    "facts": ("releasing.files:main", "check that what a release rests on says the same in all files"),
    "rules": ("gate.rules:main", "say what check refuses, or all about one of its rules"),
    "toolchain": ("building.toolchain:main", "say which tools build here, and fetch the locked crates"),
    "collect": ("ci.built:collect", "put together what several machines have built"),
    "identify": ("ci.change:identify", "say what a run of CI is about"),
    "stamp": ("ci.change:stamp", "write a development version into the files"),
    "check-index": ("ci.built:check_index", "check that an index serves exactly what was built"),
    "check-names": ("ci.built:check_names", "check that an index has no other file of a version"),
    "check-news": ("ci.change:check_news", "check that a change for users brings a news fragment"),
    "github-release": ("releasing.github:github_release", "release on GitHub what is published"),
    "doctor": ("ci.doctor:main", "say what has to be set up once, and what is missing here"),
}
# Those that need no copy of the template.
ANYWHERE = ("check", "compare", "rules")


def main() -> None:
    """Start the command that the first word names, for the project in the folder in which this is started."""
    command, *words = sys.argv[1:] or [""]
    if command in {"-h", "--help"}:
        lines = {each: f"  {each:15} {about}\n" for each, (_, about) in COMMANDS.items()}
        anywhere = "".join(lines.pop(each) for each in ANYWHERE)
        text = f"anywhere:\n{anywhere}\nin a copy of the template:\n{''.join(lines.values())}"
        run_main(lambda: out.write(f"usage: roadworthy COMMAND … | --version | --help\n\n{text}"))
        return
    if command == "--version":
        from importlib.metadata import version  # noqa: PLC0415 - takes as long to load as all else here

        run_main(lambda: out.write(f"roadworthy {version('roadworthy')}\n"))
        return
    if command not in COMMANDS:
        deliver("stderr", f"roadworthy: {command!r} is no command; it is one of: {', '.join(COMMANDS)}\n")
        sys.exit(2)
    from roadworthy.project import Project  # noqa: PLC0415 - only where there is a command

    project = Project(Path.cwd(), take_package(command, words))
    # make runs it in a copy, also in one that has lost its record.
    if not (command in ANYWHERE or project.is_copy or "GIVEN" in os.environ or {"-h", "--help"} & {*words}):
        what = f"{project.root} is no copy of the template: it has no template.toml"
        deliver("stderr", f"roadworthy {command}: {what}; go to one, or: roadworthy --help\n")
        sys.exit(2)
    module, function = COMMANDS[command][0].split(":")
    start = getattr(import_module(f"roadworthy.{module}"), function)
    run_main(lambda: start(project, words))


if __name__ == "__main__":
    main()
