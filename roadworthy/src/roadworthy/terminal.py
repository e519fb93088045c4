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
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from subprocess import CalledProcessError
from typing import TYPE_CHECKING, Any

from roadworthy import deliver

if TYPE_CHECKING:
    from rich.console import Console

# A table in a log is not cut off at the 80 columns of a terminal that is not there.
WIDE = 240
# A full disk, a quota, a limit of the shell.
NO_ROOM = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}
# A disk with no more bytes than these is full.
LITTLE = 1_000_000
AGAIN = "run the same command again"


class Terminal:
    """`sys.stdout` or `sys.stderr`, whatever that is when something is printed, as rich shows it.

    Rich is loaded for what is more than plain text, which most starts do not print; what this class has not, it has.
    """

    def __init__(self, name: str) -> None:
        """Prepare for a stream of this name."""
        self.name = name
        self.lost: OSError | None = None  # why nothing arrives there any more
        self.told = False  # whether an outcome is, wherever it has arrived

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
        objects = tuple(printable(each.expandtabs(), "\n") if isinstance(each, str) else each for each in objects)
        seen = getattr(sys, self.name).isatty()
        # Where rich is there already, it may just show how a step goes on.
        shown = (style or "console" in vars(self)) if seen else (style and "FORCE_COLOR" in os.environ)
        if not (markup or shown) and all(isinstance(each, str) for each in objects):
            self.write(" ".join(objects) + end)
            return
        with nullcontext() if seen else self.console.capture() as captured:
            self.console.print(*objects, style=style or None, markup=markup, end=end)
        self.write(captured.get() if captured else "")

    def write(self, text: str) -> None:
        """Write a text as it is; where it does not arrive, `lost` says why."""
        self.lost = deliver(self.name, text) or self.lost


err, out = Terminal("stderr"), Terminal("stdout")


@dataclass(frozen=True)
class Problem:
    """What is wrong and where, the command or edit that removes it, and what another program said, if any did."""

    what: str
    remedy: str
    said: str = ""

    def __str__(self) -> str:
        # Names in it may be anybody's.
        said = (f"  | {printable(line.expandtabs())}" for line in self.said.splitlines())
        return "\n".join([printable(self.what), *said, f"  {printable(self.remedy)}"])


class ProblemsError(Exception):
    """Ends a script with exit code 1 after all its problems have been listed."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        """Keep them; the message is for logs."""
        self.problems = list(problems)
        super().__init__("\n".join(map(str, self.problems)))


def problem(what: str, remedy: str, said: str = "") -> ProblemsError:
    """Return the exception for a single problem, to be raised."""
    return ProblemsError([Problem(what, remedy, said)])


def raise_problems(found: Iterable[Problem]) -> None:
    """Raise ProblemsError with all of them, if there are any."""
    if problems := list(found):
        raise ProblemsError(problems)


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


def listed(names: Sequence[str], most: int = 8) -> str:
    """Return some names, and how many more there are: more of them say no more."""
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def annotate(errors: Iterable[tuple[str, str]]) -> None:
    """Under GitHub Actions, show errors on the run's page; each is what is wrong, and a title or ""."""
    if os.environ.get("GITHUB_ACTIONS") == "true":
        for what, title in errors:
            text = printable(what.replace("\n", " ")).replace("%", "%25")
            out.print(f"::error title={title}::{text}" if title else f"::error::{text}")


def set_outputs(outputs: Mapping[str, str]) -> None:
    """Print the outputs of a step, and hand them to the runner where there is one (`GITHUB_OUTPUT`).

    A value of more than one line could pose as another output, and is a ValueError.
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
    shown: AbstractContextManager[object] = nullcontext()
    if sys.stderr.isatty():
        from rich.markup import escape  # noqa: PLC0415 - only where it is seen

        shown = err.status(f"{escape(title)} …")
    with shown:
        yield
    err.print(f"{time.perf_counter() - started:6.1f} s  {title}")


def tell(text: str) -> None:
    """Print the outcome of what cannot be undone: on stderr where stdout does not take it."""
    out.told = True
    out.print(text)
    if out.lost:
        err.print(text)


def open_streams() -> None:
    """Give this process the standard streams that it was started without, or what it opens would take their places."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            os.dup2(os.open(os.devnull, os.O_RDWR), number)
            setattr(sys, name, open(number, "w" if number else "r", encoding="utf-8", closefd=False))  # noqa: SIM115
            out.lost = OSError(errno.EBADF, "it is closed") if name == "stdout" else out.lost
    for stream in (sys.stdout, sys.stderr):
        # A text that a stream cannot show is shown escaped.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def refused_by_system(error: OSError) -> Problem:
    """Return the problem that the system let something not be read or written."""
    where = error.filename2 or error.filename
    if error.errno not in NO_ROOM:
        return Problem(f"{where}: {error.strerror}" if where else str(error.strerror), f"put that right, and {AGAIN}")
    # What is written to an open file has no name; then it is on one of these disks.
    from shutil import disk_usage  # noqa: PLC0415 - only here

    folders = {Path.cwd(), Path(os.environ.get("TMPDIR", os.environ.get("TEMP", "/tmp")))}  # noqa: S108 - only looked at
    full = sorted(str(each) for each in folders if each.is_dir() and disk_usage(each).free < LITTLE)
    what = where or f"a file on the disk of {' or '.join(full) or 'its folder'}"
    return Problem(f"there is no room for {what}: {error.strerror}", f"make room, and {AGAIN}")


def find_problems(main: Callable[[], None]) -> list[Problem]:
    """Run a script's `main`, and return why it has ended, if it has not ended well."""
    try:
        main()
        if out.lost and out.lost.errno in NO_ROOM and not out.told:
            return [refused_by_system(OSError(out.lost.errno, out.lost.strerror, "stdout"))]
    except ProblemsError as error:
        return error.problems
    except CalledProcessError as error:
        what = f"this command ended with exit code {error.returncode}: {' '.join(map(str, error.cmd))}"
        return [Problem(what, f"repair what it says, and {AGAIN}", "".join(filter(None, (error.stdout, error.stderr))))]
    except OSError as error:
        # An error of a library's own is a mistake of the script, and its traceback is wanted.
        if error.errno is None:
            raise
        return [refused_by_system(error)]
    return []


def run_main(main: Callable[[], None]) -> None:
    """Run a script's `main` and end the process with the right exit code, never with a traceback for a problem."""
    open_streams()
    try:
        if problems := find_problems(main):
            annotate((one.what, "") for one in problems)
            for one in problems:
                err.print("problem:", style="bold red", end=" ")
                err.print(str(one))
            sys.exit(1)
    except KeyboardInterrupt:
        err.print("interrupted")
        sys.exit(130)
