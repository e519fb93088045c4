"""Run the release command of the checkout in the working folder, and do something after its Nth step.

A step is a program that the release has run to its end, as its own log names it. Called with: what to do, N, the
remote's path, a file for the log of the steps, and the arguments of release.py.
"""

import logging
import os
import runpy
import signal
import sys
import threading
from pathlib import Path

WHAT, AT, REMOTE, LOG = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]), Path(sys.argv[4])


class Steps(logging.Handler):
    """Counts the steps, and acts at the one that was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0
        self.guard = threading.Lock()

    def emit(self, record: logging.LogRecord) -> None:
        with self.guard:
            self.count += 1
            with LOG.open("a", encoding="utf-8", errors="surrogateescape") as stream:
                stream.write(f"{record.getMessage()}\n")
            if self.count == AT:
                act()


def act() -> None:
    """Do to this process, or to the remote, what was asked for."""
    if WHAT == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif WHAT == "vanish":
        REMOTE.rename(REMOTE.with_suffix(".gone"))
    elif WHAT == "refuse":
        hook = REMOTE / "hooks" / "pre-receive"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text("#!/bin/sh\necho 'closed today' >&2\nexit 1\n", encoding="utf-8")
        hook.chmod(0o755)


started = 0


def count_programs(event: str, _: object) -> None:
    """Count every program that Python starts, whoever starts it."""
    global started  # noqa: PLW0603 - an audit hook has no other place
    started += event == "subprocess.Popen"


sys.addaudithook(count_programs)
sys.argv = ["scripts/release.py", *sys.argv[5:]]
sys.path.insert(0, str(Path.cwd() / "roadworthy" / "src"))

from roadworthy.terminal import run_main  # noqa: E402

steps = Steps()
log = logging.getLogger("commands")
log.setLevel(logging.DEBUG)
log.addHandler(steps)
try:
    run_main(runpy.run_path("scripts/release.py")["main"])
finally:
    print(f"steps: {steps.count}, programs: {started}")
