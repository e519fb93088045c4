"""Running a program and all that it starts as a group: to be ended together, or not to be ended half way."""

import os
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from roadworthy.processes import record


def run_apart(
    *command: object, cwd: Path, env: Mapping[str, str], timeout: float
) -> "subprocess.CompletedProcess[str]":
    """Run a program and all that it starts as a group, which any exception here ends, or `timeout` seconds.

    Where this process is killed, it runs on to its end.

    Returns:
        How it ended; `stdout` has both of its streams, in the order in which they were written.

    Raises:
        TimeoutExpired: It took too long.
    """
    words = [str(word) for word in command]
    # Into a file and not a pipe: a program that outlives this process would be ended by what it prints (SIGPIPE).
    with tempfile.TemporaryFile() as printed:
        pipes: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": printed, "stderr": subprocess.STDOUT}
        with subprocess.Popen(words, cwd=cwd, env=env, start_new_session=True, **pipes) as process:
            try:
                process.wait(timeout=timeout)
            except BaseException:
                end_group(process)
                raise
            finally:
                record(words)
        printed.seek(0)
        text = printed.read().decode("utf-8", "backslashreplace").replace("\r\n", "\n")
    return subprocess.CompletedProcess(words, process.returncode, text, "")


def end_group(process: "subprocess.Popen[bytes]") -> None:
    """End a program that leads a group, and all that it has started: whoever cleans up after them does so."""
    if os.name == "nt":
        process.kill()
    else:
        with suppress(ProcessLookupError):  # they may have ended in this moment
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()
