"""Make .venv: a fresh environment with exactly the tools of requirements/dev.txt.

Runs on whatever Python the machine has, before anything is installed: standard library only, and syntax that an old
Python can still read, so that it can say that it is too old. uv does the work. Where it is not on PATH, the version
that the requirements lock is first installed by pip, with its hashes, into a folder that is thrown away.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMP = VENV / "setup.stamp"
REQUIREMENTS = ROOT / "requirements" / "dev.txt"
BIN = "Scripts" if os.name == "nt" else "bin"
EXE = ".exe" if os.name == "nt" else ""


def fail(problem: str) -> "NoReturn":
    """End with one line on stderr and exit code 1."""
    sys.exit("bootstrap: " + problem)


def oldest_python() -> "tuple[int, int]":
    """Read the floor from `requires-python`; there is no TOML parser before Python 3.11."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    found = re.search(r'^requires-python = ">=(\d+)\.(\d+)"$', text, re.MULTILINE)
    if found is None:
        fail('pyproject.toml has no line requires-python = ">=X.Y"')
    return int(found.group(1)), int(found.group(2))


def locked_uv(folder: Path) -> Path:
    """Install the locked uv into `folder` with pip, and return its path."""
    lines = REQUIREMENTS.read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
    pin = [line for line in lines if line.startswith("uv==")]
    (folder / "uv.txt").write_text("\n".join(pin), encoding="utf-8")
    try:
        venv.create(folder / "env", with_pip=True)
    except subprocess.CalledProcessError:
        fail("this Python cannot make environments; install uv, or the venv module (Debian: apt install python3-venv)")
    python = folder / "env" / BIN / ("python" + EXE)
    pip = [str(python), "-m", "pip", "--quiet", "--disable-pip-version-check", "install", "--require-hashes"]
    if subprocess.run([*pip, "-r", str(folder / "uv.txt")], check=False).returncode:
        fail("pip could not install uv (its message is above); once the index is reachable, run the same again")
    return folder / "env" / BIN / ("uv" + EXE)


def find_uv(folder: Path) -> Path:
    """Return a uv that will still be there when .venv is made anew."""
    on_path = shutil.which("uv")
    if on_path:
        return Path(on_path)
    in_venv = VENV / BIN / ("uv" + EXE)
    if in_venv.exists():
        return Path(shutil.copy2(str(in_venv), str(folder)))
    return locked_uv(folder)


def interpreter(uv: Path, wanted: "str | None") -> str:
    """Return the path of the Python to use: the one that runs this, or the one asked for."""
    if wanted is None:
        return sys.executable
    # Only now: this Python is new enough, and it needs uv.
    from pythons import PythonNotFoundError, find_pythons

    try:
        return str(find_pythons(uv, [wanted])[0].path)
    except PythonNotFoundError as error:
        fail(str(error))


def is_made_with(python: str) -> bool:
    """Say whether .venv is complete, not older than what it is made from, and made with this interpreter."""
    newest = max(path.stat().st_mtime for path in (REQUIREMENTS, Path(__file__)))
    fresh = STAMP.exists() and STAMP.stat().st_mtime >= newest
    return fresh and STAMP.read_text(encoding="utf-8") == python


def main() -> int:
    """Make .venv, or leave it alone where nothing has changed."""
    oldest = oldest_python()
    if sys.version_info[:2] < oldest:
        fail(
            "%s is Python %d.%d, and %d.%d or newer is needed; put a newer python3 first on PATH"
            % ((sys.executable, *sys.version_info[:2], *oldest))
        )
    parser = argparse.ArgumentParser(description="Make .venv with the tools of requirements/dev.txt.")
    parser.add_argument("--python", help="a version (3.12, 3.14t) or a path; default: the Python that runs this")
    wanted = parser.parse_args().python
    with tempfile.TemporaryDirectory() as folder:
        uv = find_uv(Path(folder))
        python = interpreter(uv, wanted)
        if is_made_with(python):
            return 0
        environment = dict(os.environ, UV_PYTHON_DOWNLOADS="never", VIRTUAL_ENV=str(VENV))
        # Python compiles what it imports, and keeps it; where it must not, each start of a tool would compile it anew.
        compiled = ["--compile-bytecode"] if os.environ.get("PYTHONDONTWRITEBYTECODE") else []
        for command in (
            ["venv", "--quiet", "--clear", "--python", python, str(VENV)],
            ["pip", "sync", "--quiet", "--require-hashes", *compiled, str(REQUIREMENTS)],
        ):
            if subprocess.run([str(uv), *command], env=environment, cwd=str(ROOT), check=False).returncode:
                fail("uv could not make .venv (its message is above)")
    STAMP.write_text(python, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
