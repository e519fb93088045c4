"""How every script speaks: results on stdout, everything else on stderr, problems each with a remedy.

Exit codes: 0 done, or nothing to do; 1 problems were found; 2 wrong usage. GitHub's runner, where there is one, is told
more: errors on the run's page, the outputs of a step, the job's summary.
"""

import errno
import io
import os
import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from subprocess import CalledProcessError
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

# A table in a log is not cut off at the 80 columns of a terminal that is not there.
WIDE = 240
# A full disk, a quota, a limit of the shell.
NO_ROOM = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}


class Terminal:
    """`sys.stdout` or `sys.stderr`, whatever that is when something is printed, as rich shows it.

    Rich is loaded for what is more than plain text, which most starts do not print; what this class has not, it has.
    """

    def __init__(self, name: str) -> None:
        """Prepare for a stream of this name."""
        self.name = name

    @cached_property
    def console(self) -> "Console":
        """Rich's console for the stream."""
        from rich.console import Console  # noqa: PLC0415 - takes longer to load than most commands to run

        width = None if getattr(sys, self.name).isatty() else WIDE
        plain = {"markup": False, "highlight": False, "emoji": False, "soft_wrap": True}
        return Console(stderr=self.name == "stderr", width=width, **plain)  # type: ignore[arg-type]

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever rich has
        return getattr(self.console, name)

    def print(self, *objects: Any, style: str = "", markup: bool = False, end: str = "\n") -> None:  # noqa: ANN401 - rich's
        """Print texts, or whatever rich shows; `style` is for terminals, and `markup` is rich's."""
        stream = getattr(sys, self.name)
        objects = tuple(printable(each.expandtabs(), "\n") if isinstance(each, str) else each for each in objects)
        shown = style and (stream.isatty() or "FORCE_COLOR" in os.environ)
        # Where rich is there already, it may just show how a step goes on.
        if markup or shown or "console" in vars(self) or not all(isinstance(each, str) for each in objects):
            self.console.print(*objects, style=style or None, markup=markup, end=end)
            return
        try:
            print(" ".join(objects), end=end, file=stream, flush=True)
        except BrokenPipeError:
            self.console.on_broken_pipe()


err, out = Terminal("stderr"), Terminal("stdout")


@dataclass(frozen=True)
class Problem:
    """What is wrong and where, the command or edit that removes it, and what another program said, if any did."""

    what: str
    remedy: str
    said: str = ""

    def __str__(self) -> str:
        return "\n".join([self.what, *(f"  | {line}" for line in self.said.splitlines()), f"  {self.remedy}"])

    def printable(self) -> "Problem":
        """Return the same with nothing that a terminal, or GitHub's runner, obeys: names in it may be anybody's."""
        said = "\n".join(printable(line.expandtabs()) for line in self.said.splitlines())
        return Problem(printable(self.what), printable(self.remedy), said)


class ProblemsError(Exception):
    """Ends a script with exit code 1 after all its problems have been listed."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        """Keep them; the message is for logs."""
        self.problems = list(problems)
        super().__init__("\n".join(map(str, self.problems)))


def problem(what: str, remedy: str, said: str = "") -> ProblemsError:
    """Return the exception for a single problem, to be raised."""
    return ProblemsError([Problem(what, remedy, said)])


def printable(text: str, kept: str = "") -> str:
    """Return a text of one line: without what would move the cursor or end the line, and bytes that are no UTF-8.

    Nor with what GitHub's runner obeys: it takes a line for a command that begins with :: or has ##[ in it. Nor with
    what stands before the host of an address: a name and a password.
    """
    shown = "".join(letter if letter.isprintable() or letter in kept else ascii(letter)[1:-1] for letter in text)
    shown = re.sub(r"(?<=://)[^/\s]+@", "", shown)
    if kept:
        return shown
    return re.sub(r"^(\s*):(?=:)|#(?=#\[)", lambda found: f"{found[1] or ''}\\x{ord(found[0][-1]):x}", shown)


def annotate(errors: Iterable[tuple[str, str]]) -> None:
    """Under GitHub Actions, show errors on the run's page; each is what is wrong, and a title or ""."""
    if os.environ.get("GITHUB_ACTIONS") == "true":
        for what, title in errors:
            text = printable(what.replace("\n", " ")).replace("%", "%25")
            out.print(f"::error title={title}::{text}" if title else f"::error::{text}")


def set_outputs(outputs: Mapping[str, str]) -> None:
    """Print the outputs of a step, and hand them to the runner where there is one (`GITHUB_OUTPUT`).

    Raises:
        ValueError: A value has more than one line, and could pose as another output.
    """
    lines = [f"{name}={value}" for name, value in outputs.items()]
    if any(not line.isprintable() for line in lines):
        raise ValueError(f"an output of more than one line: {lines}")
    for line in lines:
        out.print(line)
    hand_on("GITHUB_OUTPUT", lines)


def summarise(title: str, heads: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Add a table to the job's summary, where there is one (`GITHUB_STEP_SUMMARY`)."""
    table = [heads, ["---"] * len(heads), *rows]
    cells = [[printable(str(cell)).replace("|", "\\|") for cell in row] for row in table]
    hand_on("GITHUB_STEP_SUMMARY", ["", f"### {title}", "", *(f"| {' | '.join(row)} |" for row in cells), ""])


def hand_on(variable: str, lines: Iterable[str]) -> None:
    """Append lines to the file that a variable of the runner names, where there is one."""
    if path := os.environ.get(variable):
        with Path(path).open("a", encoding="utf-8") as stream:
            stream.writelines(f"{line}\n" for line in lines)


@contextmanager
def step(title: str) -> Iterator[None]:
    """Tell what goes on, on a terminal while it goes on, and how long it took when it has ended well."""
    started = time.perf_counter()
    if sys.stderr.isatty():
        from rich.markup import escape  # noqa: PLC0415 - only where it is seen

        with err.status(f"{escape(title)} …"):
            yield
    else:
        yield
    err.print(f"{time.perf_counter() - started:6.1f} s  {title}")


def run_main(main: Callable[[], None]) -> None:
    """Run a script's `main` and end the process with the right exit code, never with a traceback for a problem."""
    for stream in (sys.stdout, sys.stderr):
        # A text that a stream cannot show is shown escaped.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        main()
    except ProblemsError as error:
        annotate((one.what, "") for one in error.problems)
        for one in error.problems:
            err.print("problem:", style="bold red", end=" ")
            err.print(str(one.printable()))
        sys.exit(1)
    except CalledProcessError as error:
        err.print(f"problem: this command ended with exit code {error.returncode}: {' '.join(map(str, error.cmd))}")
        for said in filter(None, (error.stdout, error.stderr)):
            err.print(str(said).rstrip())
        sys.exit(1)
    except OSError as error:
        # Anything else that the system refuses is a mistake of the script, and its traceback is wanted.
        if error.errno not in NO_ROOM:
            raise
        err.print(f"problem: there is no room for {error.filename2 or error.filename}: {error.strerror}")
        err.print("  make room, and run the same command again")
        sys.exit(1)
    except KeyboardInterrupt:
        err.print("interrupted")
        sys.exit(130)
