"""Run the release command of the checkout in the working folder, whose proof was made before, and perhaps disturb it.

Called with what happens (`never` for nothing, `before-push` and `after-push` for a death there, `overtaken:FOLDER` for
the same release in another checkout before the push), and the arguments of release.py.
"""

import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import NoReturn

sys.path.insert(0, str(Path.cwd() / "roadworthy" / "src"))

from roadworthy.releasing import release
from roadworthy.releasing.plan import Plan
from roadworthy.releasing.push import push
from roadworthy.repository import Repository
from roadworthy.terminal import run_main

what, *sys.argv[1:] = sys.argv[1:]
what, _, where = what.partition(":")


def die(clone: Repository, plan: Plan) -> NoReturn:
    """End as a power cut ends it."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError(clone, plan)


def push_and_die(clone: Repository, plan: Plan) -> NoReturn:
    """Push, and end before anything else."""
    push(clone, plan)
    die(clone, plan)


def push_second(clone: Repository, plan: Plan) -> None:
    """Let the same release of another checkout push first; its time is that of a rehearsal's release."""
    first = {**os.environ, "GIT_COMMITTER_DATE": os.environ["GIT_AUTHOR_DATE"]}
    subprocess.run([sys.executable, __file__, "never", *sys.argv[1:]], cwd=where, env=first, check=False)
    push(clone, plan)


HAPPENS = {"never": push, "before-push": die, "after-push": push_and_die, "overtaken": push_second}
run_main(partial(release.main, release.Steps(prove=lambda _: None, push=HAPPENS[what])))
