"""Run Python programs in processes that begin with those libraries read which most programs here need.

Reading them takes longer than all that most of the programs do. None of them is this project's: its own modules are
read by each program anew, from where it finds them. Run as a program, this is what the processes are forked from.
"""

import atexit
import json
import os
import runpy
import signal
import subprocess
import sys
import tempfile
import traceback
from importlib import import_module
from pathlib import Path

LIBRARIES = (
    *("concurrent.futures.thread", "datetime", "filelock", "importlib.metadata", "packaging.requirements"),
    *("packaging.utils", "pypi_simple", "requests", "rich.console", "rich.prompt", "rich.status", "tomli"),
    *("twine.utils", "yaml"),
)
# Seconds after which a program is ended.
LONGEST = 900
# Those that have nothing to do; each does one thing after the other.
IDLE: "list[subprocess.Popen[str]]" = []


def run(*words: str, cwd: Path, env: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    """Run a program as `python words` does, without input; return its exit code and what it said.

    Args:
        words: Its path, from `cwd`, and its arguments.
        cwd: The folder to run it in.
        env: Its whole environment.
    """
    try:
        server = IDLE.pop()
    except IndexError:
        server = start()
    with tempfile.TemporaryDirectory() as folder:
        said = [Path(folder, name) for name in ("out", "err")]
        asked = {"words": words, "cwd": str(cwd), "env": env, "said": list(map(str, said))}
        print(json.dumps(asked), file=server.stdin, flush=True)
        assert server.stdout
        code = int(server.stdout.readline())
        out, err = (path.read_bytes().decode("utf-8", "replace") for path in said)
        IDLE.append(server)
        return subprocess.CompletedProcess(words, code, out, err)


def start() -> "subprocess.Popen[str]":
    """Start a process that others are forked from."""
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command, pipe = [sys.executable, __file__], subprocess.PIPE
    server = subprocess.Popen(command, env=clean, text=True, stdin=pipe, stdout=pipe)
    atexit.register(server.communicate)
    return server


def serve() -> None:
    """Fork a process for each line that comes in, and answer with its exit code."""
    for library in LIBRARIES:
        import_module(library)
    for line in sys.stdin.buffer:
        child = os.fork()
        if child == 0:
            os._exit(become(**json.loads(line)))
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


def become(words: list[str], cwd: str, env: dict[str, str], said: list[str]) -> int:
    """Be that program to its end, and return its exit code."""
    for number, path in enumerate([os.devnull, *said]):
        os.dup2(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), number)
    sys.stdin, sys.stdout = open(0, closefd=False), open(1, "w", closefd=False)  # noqa: SIM115 - open files
    sys.stderr = open(2, "w", closefd=False, errors="backslashreplace")  # noqa: SIM115 - as above
    os.chdir(cwd)
    signal.alarm(LONGEST)
    os.environ.clear()
    os.environ.update(env)
    sys.dont_write_bytecode = bool(env.get("PYTHONDONTWRITEBYTECODE"))
    sys.argv = words
    sys.path[:1] = [str(Path(words[0]).resolve().parent), *filter(None, env.get("PYTHONPATH", "").split(os.pathsep))]
    code: object = 0
    try:
        runpy.run_path(words[0], run_name="__main__")
    except SystemExit as ended:
        code = ended.code
    except BaseException:  # noqa: BLE001 - as the interpreter would
        traceback.print_exc()
        code = 1
    if code is not None and not isinstance(code, int):
        sys.stderr.write(f"{code}\n")
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    return code or 0


if __name__ == "__main__":
    serve()
