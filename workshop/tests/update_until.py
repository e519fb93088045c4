"""Run the workshop of a template on the copy in this folder, in this process, and kill it after its Nth step.

A step is a program that it has run to its end, as its own log names it. Called with: the folder of the template, N, a
file for the log of the steps, and what the workshop is called with.
"""

import logging
import os
import signal
import sys
from pathlib import Path

TEMPLATE, AT, LOG = Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])


class Steps(logging.Handler):
    """Counts the steps, and ends the process at the one that was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def emit(self, record: logging.LogRecord) -> None:
        self.count += 1
        with LOG.open("a", encoding="utf-8", errors="surrogateescape") as stream:
            stream.write(f"{record.getMessage()}\n")
        if self.count == AT:
            os.kill(os.getpid(), signal.SIGKILL)


started = 0


def count_programs(event: str, _: object) -> None:
    """Count every program that Python starts, whoever starts it."""
    global started  # noqa: PLW0603 - an audit hook has no other place
    started += event == "subprocess.Popen"


sys.addaudithook(count_programs)
sys.argv = ["workshop", *sys.argv[4:]]
sys.path[:0] = [str(TEMPLATE), str(TEMPLATE / "roadworthy" / "src")]

from workshop.__main__ import main  # noqa: E402

steps = Steps()
log = logging.getLogger("commands")
log.setLevel(logging.DEBUG)
log.addHandler(steps)
try:
    main()
finally:
    print(f"steps: {steps.count}, programs: {started}")
