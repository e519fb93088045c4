"""Running other programs: one door, so that the log names every one of them in its order."""

import os
import shlex
import subprocess
import sys
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from roadworthy.terminal import ProblemsError, problem

# What brings a program that is not there; any other one has its own name.
RUST = "install Rust (rustup, or your system's packages), or put ~/.cargo/bin on PATH"
REMEDIES = {"cargo": RUST, "rustc": RUST, "rustfmt": RUST}
EXE = ".exe" if os.name == "nt" else ""
# The exit code of a program that was ended because it took too long, as the command timeout has it.
SILENT = 124


def not_there(program: str, reason: str = "is not on PATH") -> ProblemsError:
    """Return the exception for a program that cannot be started, to be raised."""
    return problem(f"{program} {reason}", REMEDIES.get(program, f"install {program}, or put it on PATH"))


def record(words: list[str]) -> None:
    """Log the command line of a program that has ended: at level DEBUG, as `commands`."""
    from logging import getLogger  # noqa: PLC0415 - takes longer to load than what begins with this module

    getLogger("commands").debug("%s", shlex.join(words))


def run(
    *command: object,
    cwd: Path,
    env: Mapping[str, str],
    check: bool = True,
    timeout: float | None = None,
    merged: bool = False,
) -> "subprocess.CompletedProcess[str]":
    """Run a program without input to its end in a folder, with `env` alone, and return what it printed, as UTF-8.

    With `merged`, `stdout` has both of its streams, as they came, and what it leaves running is not waited for. After
    more than `timeout` seconds (default: never) it is ended, and has failed with the exit code `SILENT`. Raises
    CalledProcessError where `check` is set and it fails, and ProblemsError where it is not there.
    """
    from tempfile import TemporaryFile  # noqa: PLC0415 - as above

    words = [str(word) for word in command]
    # A path that is no UTF-8 comes through as it is.
    text: dict[str, Any] = {"encoding": "utf-8", "errors": "surrogateescape"}
    how: dict[str, Any] = {"cwd": cwd, "env": env, "stdin": subprocess.DEVNULL, "timeout": timeout, **text}
    how["stderr"] = subprocess.STDOUT if merged else subprocess.PIPE
    # A pipe has come to its end when all have closed it that were started, a file when the program has.
    with TemporaryFile("w+", **text) if merged else nullcontext[Any](subprocess.PIPE) as stdout:
        try:
            done = subprocess.run(words, check=False, stdout=stdout, **how)
        except subprocess.TimeoutExpired:
            done = subprocess.CompletedProcess(words, SILENT, "", f"no answer within {timeout} s")
        except OSError as error:
            if error.filename not in (None, words[0]) or not cwd.is_dir():
                raise
            if isinstance(error, FileNotFoundError):
                raise not_there(words[0]) from error
            raise not_there(words[0], f"cannot be started: {error.strerror}") from error
        finally:
            record(words)
        if merged:
            stdout.seek(0)
            done.stdout, done.stderr = f"{stdout.read()}{done.stderr or ''}", ""
    if check:
        done.check_returncode()
    return done


def tool_environment(base: Mapping[str, str]) -> dict[str, str]:
    """Return an environment in which a Python tool does what its configuration says, and nothing else."""
    foreign = ("BUMPVERSION_", "CARGO_TARGET_", "PYTHON", "SOURCE_DATE_EPOCH", "TOWNCRIER_")
    return {**{name: value for name, value in base.items() if not name.startswith(foreign)}, "PYTHONUTF8": "1"}


def tail(done: "subprocess.CompletedProcess[str]", lines: int = 40) -> str:
    """Return the last lines of what a program printed."""
    text = os.linesep.join(part.rstrip() for part in (done.stdout, done.stderr) if part.strip())
    return "\n".join(text.splitlines()[-lines:])


def venv_bin(tool: str) -> Path:
    """Return the path of a tool in the environment that runs this: .venv, perhaps of another checkout."""
    return Path(sys.prefix) / ("Scripts" if os.name == "nt" else "bin") / (tool + EXE)


def find_uv() -> Path:
    """Return the uv to use, the locked one of .venv, or the one on PATH; ProblemsError where there is neither."""
    import shutil  # noqa: PLC0415 - as above

    if found := shutil.which(venv_bin("uv")) or shutil.which("uv"):
        return Path(found)
    raise problem("there is no uv, neither in .venv nor on PATH", "run: make setup")
