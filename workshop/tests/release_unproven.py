"""Run the release command of the checkout in the working folder, whose proof was made before, and perhaps disturb it.

Called with what happens (`never` for nothing, `before-push` and `after-push` for a death there, `overtaken:FOLDER` for
the same release in another checkout before the push), and the arguments of release.py.
"""

import logging
import os
import runpy
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path.cwd() / "roadworthy" / "src"))

from roadworthy.terminal import run_main

what, *sys.argv[1:] = sys.argv[1:]
what, _, where = what.partition(":")


class AfterPush(logging.Handler):
    """Ends the process as a power cut ends it, once the push has been made."""

    def emit(self, record: logging.LogRecord) -> None:
        """Read what was run."""
        if record.getMessage().startswith("git push --atomic"):
            os.kill(os.getpid(), signal.SIGKILL)


def prove(_: object) -> None:
    """Prove nothing; and let happen here what happens before the push."""
    if what == "before-push":
        os.kill(os.getpid(), signal.SIGKILL)
    elif what == "overtaken":
        # The same release of another checkout; its time is that of a rehearsal's release.
        first = {**os.environ, "GIT_COMMITTER_DATE": os.environ["GIT_AUTHOR_DATE"]}
        subprocess.run([sys.executable, __file__, "never", *sys.argv[1:]], cwd=where, env=first, check=False)
    elif what == "after-push":
        log = logging.getLogger("commands")
        log.setLevel(logging.DEBUG)
        log.addHandler(AfterPush())


run_main(partial(runpy.run_path("scripts/release.py")["main"], prove))
