"""Run every command that reads facts in one checkout, as often as a line comes in, and print how each has ended.

Each is run in a process of its own, which begins with all scripts read: starting Python for each took longer than all
that they do. No index answers: where uv publishes to, nothing listens.

usage: python every_command.py CHECKOUT
"""

import json
import os
import runpy
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import IO

CHECKOUT = Path(sys.argv[1])
sys.path[:0] = [str(CHECKOUT / each) for each in ("scripts", ".", "roadworthy/src")]

import release  # noqa: E402

from roadworthy.ci import built, change, doctor  # noqa: E402
from roadworthy.gate import command as gate  # noqa: E402
from roadworthy.project import Project  # noqa: E402
from roadworthy.releasing.github import github_release  # noqa: E402
from roadworthy.terminal import run_main  # noqa: E402
from workshop.copying import creating  # noqa: E402
from workshop.rehearsing.rehearsal import prepare_copy, publisher_of  # noqa: E402
from workshop.rehearsing.scratch import scratch_folder  # noqa: E402

ANSWERS = {
    "NAME": "tin-can",
    "AUTHOR": "Ada Lovelace",
    "EMAIL": "ada@example.org",
    "OWNER": "ada",
    "DESCRIPTION": "Frobs turbos.",
    "LICENSE": "MIT",
}


def begin_rehearsal() -> None:
    """Do what a rehearsal begins with; what follows are the other commands."""
    with scratch_folder(Project(CHECKOUT)) as folder:
        prepare_copy(Project(CHECKOUT), folder, None)
        publisher_of(Project(CHECKOUT))


def page(name: str) -> Callable[[], None]:
    """Return what runs a script of the checkout."""

    def run_page() -> None:
        runpy.run_path(f"scripts/{name}.py", run_name="__main__")

    return run_page


def engine(main: Callable[[Project, list[str]], None]) -> Callable[[], None]:
    """Return a command of the engine as one that takes its words from `sys.argv`."""
    return lambda: main(Project(CHECKOUT), sys.argv[1:])


# Those that may run beside each other, and those that come after them: they need what was built.
FIRST: dict[str, tuple[Callable[[], None], list[str]]] = {
    "release": (release.main, ["0.2.0", "--dry-run"]),
    "new": (lambda: creating.new(Project(CHECKOUT), CHECKOUT, {**ANSWERS, "DEST": sys.argv[1]}), ["COPY"]),
    "identify": (engine(change.identify), []),
    "doctor": (lambda: doctor.main(Project(CHECKOUT), sys.argv[1:], taken=lambda *_: "not asked"), []),
    "check_news": (engine(change.check_news), ["--base=origin/main"]),
    "check_names": (engine(built.check_names), ["--index=http://127.0.0.1:9/simple/", "--sums=SUMS", "0.1.0"]),
    "github_release": (engine(github_release), ["--from=EMPTY"]),
    "collect": (engine(built.collect), ["EMPTY"]),
    "rehearse": (begin_rehearsal, []),
    "build": (page("build"), ["--sdist-only"]),
    "stamp": (engine(change.stamp), ["--", "0.1.0"]),
}
THEN: dict[str, tuple[Callable[[], None], list[str]]] = {
    "check_dist": (engine(gate.main), ["--host"]),
    "verify": (page("verify_install"), ["--from=."]),
}


def start(name: str, main: Callable[[], None], arguments: list[str], folder: Path) -> tuple[int, IO[bytes]]:
    """Start one command in a process of its own; return that, and the file with all that it prints."""
    places = {"EMPTY": folder / "empty", "COPY": folder / "copy", "SUMS": folder / "sums"}
    for word, path in places.items():
        arguments = [argument.replace(word, str(path)) for argument in arguments]
    printed = tempfile.TemporaryFile()  # noqa: SIM115 - closed where it is read
    child = os.fork()
    if child == 0:
        os.dup2(printed.fileno(), 1)
        os.dup2(printed.fileno(), 2)
        os._exit(end(name, main, arguments))
    return child, printed


def wait(child: int, printed: IO[bytes]) -> tuple[int, str]:
    """Wait for a command, and return its exit code, and what it printed."""
    _, status = os.waitpid(child, 0)
    with printed:
        printed.seek(0)
        return os.waitstatus_to_exitcode(status), printed.read().decode("utf-8", "backslashreplace")


def end(name: str, main: Callable[[], None], arguments: list[str]) -> int:
    """Run it to its end, and return its exit code."""
    sys.argv = [f"{name}.py", *arguments]
    code = 0
    try:
        run_main(main)
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
    except BaseException:  # noqa: BLE001 - as the interpreter would
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    return code


def run_all() -> dict[str, tuple[int, str]]:
    """Run them all, and return how each has ended."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "sums").touch()
        (folder / "empty").mkdir()
        ended: dict[str, tuple[int, str]] = {}
        for commands in (FIRST, THEN):
            started = {name: start(name, *command, folder) for name, command in commands.items()}
            ended |= {name: wait(*each) for name, each in started.items()}
    return ended


os.chdir(CHECKOUT)
for _ in sys.stdin:
    print(json.dumps(run_all()), flush=True)
