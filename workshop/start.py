"""Start the workshop of this folder, with its own engine and what it has locked; it works on the current folder.

A copy's scripts/template.py calls it, of any version that it fetches; so that call stays as it is, for any Python.
"""

import os
import subprocess
import sys
from pathlib import Path

TEMPLATE = Path(__file__).resolve().parents[1]
# What make has to make for each command.
TOOLS, MORE = (".venv/tools.stamp",), (".venv/build.stamp", ".venv/workshop.stamp", ".venv/workflow-node/stamp")
NEEDED = {"new": TOOLS, "update": TOOLS, "rehearse": TOOLS + MORE}


def main(words: "list[str]") -> int:
    """Set up what is missing, and become the workshop."""
    # What make was given for the command is not for the make that sets it up.
    environment = {name: value for name, value in os.environ.items() if name not in ("GIVEN", "MAKEFLAGS", "MFLAGS")}
    if subprocess.run(["make", "--silent", "-C", TEMPLATE, *NEEDED[words[0]]], env=environment, check=False).returncode:
        return 1
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join([str(TEMPLATE), str(TEMPLATE / "roadworthy" / "src")]))
    python = TEMPLATE / ".venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    command = [str(python), "-m", "workshop", *words]
    if os.name != "nt":
        # In this one's place, so that it gets the signals.
        os.execve(command[0], command, environment)  # noqa: S606 - as it would be started
    return subprocess.run(command, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
