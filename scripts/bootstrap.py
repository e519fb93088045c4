"""Make .venv, and install groups of locked tools into it: `bootstrap.py [--python 3.12] [GROUP ...]`.

A group is a lock, requirements/GROUP.txt; wheels only, each with its hash. Runs on whatever Python the machine has,
before anything is installed: standard library only, and syntax that an old Python can still read, so that it can say
that it is too old. The locked uv does the work, or a newer one on PATH; where there is none, pip installs it, with its
hash, into a folder that is thrown away.
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
REQUIREMENTS = ROOT / "requirements"
ENGINE = ROOT / "roadworthy"
# What a fresh .venv begins with.
FIRST = ("setup", "test")
# What the scripts themselves are written for; the package may ask for a newer one.
OLDEST_PYTHON = (3, 10)
BIN = "Scripts" if os.name == "nt" else "bin"
EXE = ".exe" if os.name == "nt" else ""
# What a user's own settings would make of an installation into a folder.
REACHES_INTO_PIP = ("PIP_PREFIX", "PIP_REQUIRE_VIRTUALENV", "PIP_TARGET", "PIP_USER")


def fail(problem: str) -> "NoReturn":
    """End with one line on stderr and exit code 1."""
    sys.exit("bootstrap: " + problem)


def oldest_python() -> "tuple[int, int]":
    """Return the oldest Python that will do: the package's, or the scripts'.

    There is no TOML parser before Python 3.11. What is read here only serves a better message: without it, installing
    the package into .venv says the same later.
    """
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    found = re.search(r"^\s*(?:project\.)?requires-python\s*=\s*[\"']([^\"']*)", text, re.MULTILINE)
    floors = re.findall(r"(?:>=|~=|==)\s*(\d+)\.(\d+)", found.group(1)) if found else []
    return max([OLDEST_PYTHON] + [(int(major), int(minor)) for major, minor in floors])


def lock(group: str) -> Path:
    """Return the lock of a group."""
    path = REQUIREMENTS / (group + ".txt")
    if not path.is_file():
        fail("there is no requirements/%s.txt" % group)
    return path


def locked_uv() -> "tuple[str, str]":
    """Return the version of the locked uv, and its entry: the version with the hashes."""
    text = lock("setup").read_text(encoding="utf-8")
    found = re.search(r"^uv==(\S+)(?:[^\n]*\\\n)*[^\n]*$", text, re.MULTILINE)
    if found is None:
        fail("requirements/setup.txt locks no uv; run: make lock")
    return found.group(1), found.group(0)


def version_of(uv: Path) -> "tuple[int, ...]":
    """Return the version of a uv; nothing for what says none, such as a launcher that leads nowhere."""
    try:
        said = subprocess.run([str(uv), "--version"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    except OSError:
        return ()
    found = re.match(rb"uv (\d+)\.(\d+)\.(\d+)", said.stdout)
    return tuple(map(int, found.groups())) if found else ()


def install_uv(folder: Path, entry: str) -> "Path | None":
    """Install the locked uv into `folder` with pip, and return its path; None where this Python has no pip."""
    requirement = folder / "uv.txt"
    requirement.write_text(entry, encoding="utf-8")
    python, target = sys.executable, folder / "uv"
    if subprocess.run([python, "-m", "pip", "--version"], check=False, capture_output=True).returncode:
        try:
            venv.create(folder / "env", with_pip=True)
        except (subprocess.CalledProcessError, SystemExit):
            # Debian's own venv module explains, and ends the process.
            return None
        python = str(folder / "env" / BIN / ("python" + EXE))
    pip = [python, "-m", "pip", "--quiet", "--disable-pip-version-check", "install", "--no-deps", "--no-user"]
    wheel = ["--require-hashes", "--only-binary", ":all:", "--target", str(target), "-r", str(requirement)]
    environment = {name: value for name, value in os.environ.items() if name not in REACHES_INTO_PIP}
    environment["PIP_ROOT_USER_ACTION"] = "ignore"
    sys.stderr.write("fetching uv, with pip\n")
    if subprocess.run([*pip, *wheel], check=False, env=environment).returncode:
        fail("pip could not install uv (its message is above); once the index is reachable, run the same again")
    return target / "bin" / ("uv" + EXE)


def find_uv(folder: Path) -> Path:
    """Return a uv that will still be there when .venv is made anew: the locked one, or a newer one."""
    wanted, entry = locked_uv()
    in_venv, on_path = VENV / BIN / ("uv" + EXE), shutil.which("uv")
    locked = tuple(map(int, re.findall(r"\d+", wanted)[:3]))
    if in_venv.exists() and version_of(in_venv) == locked:
        return Path(shutil.copy2(str(in_venv), str(folder)))
    if on_path and version_of(Path(on_path)) >= locked:
        return Path(on_path)
    # An older one may lack what is asked of it; it is better than none.
    uv = install_uv(folder, entry) or (Path(on_path) if on_path and version_of(Path(on_path)) else None)
    if uv is None:
        fail("there is neither uv nor pip; install uv, or the venv module of this Python (Debian: python3-venv)")
    return uv


def require_cache(uv: Path) -> None:
    """Make sure that uv can keep what it fetches."""
    said = subprocess.run([str(uv), "cache", "dir"], stdout=subprocess.PIPE, check=False)
    cache = Path(os.fsdecode(said.stdout.strip()))
    try:
        cache.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=str(cache)).close()
    except OSError as error:
        fail(
            "the folder of uv's cache, %s, cannot be written (%s); "
            "set XDG_CACHE_HOME and CARGO_HOME to folders that can be" % (cache, error.strerror)
        )


def interpreter(uv: Path, wanted: "str | None") -> str:
    """Return the path of the Python to use: the one that runs this, or the one asked for."""
    if wanted is None:
        return sys.executable
    # Only now: this Python is new enough, and it needs uv.
    from roadworthy.pythons import PythonNotFoundError, find_pythons

    try:
        return str(find_pythons(uv, [wanted])[0].path)
    except PythonNotFoundError as error:
        fail(str(error))


def is_made(python: "str | None") -> bool:
    """Say whether .venv is complete, not older than what it is made from, and made with this interpreter, if any."""
    if not STAMP.exists():
        return False
    newest = max(path.stat().st_mtime for path in (*map(lock, FIRST), Path(__file__), ENGINE / "pyproject.toml"))
    return STAMP.stat().st_mtime >= newest and python in (None, STAMP.read_text(encoding="utf-8"))


def run_uv(uv: Path, *command: str) -> None:
    """Run uv on .venv."""
    environment = dict(os.environ, UV_PYTHON_DOWNLOADS="never", VIRTUAL_ENV=str(VENV))
    if subprocess.run([str(uv), *command, "--quiet"], env=environment, cwd=str(ROOT), check=False).returncode:
        fail("uv could not make .venv (its message is above); then run the same again")


def install(uv: Path, groups: "tuple[str, ...]") -> None:
    """Install groups into .venv."""
    sys.stderr.write("installing into .venv what is locked for: %s\n" % ", ".join(groups))
    # Python compiles what it imports, and keeps it; where it must not, each start of a tool would compile it anew.
    compiled = ["--compile-bytecode"] if os.environ.get("PYTHONDONTWRITEBYTECODE") else []
    files = [word for group in groups for word in ("--requirement", str(lock(group)))]
    run_uv(uv, "pip", "install", "--require-hashes", "--no-build", *compiled, *files)


def install_engine() -> None:
    """Install the engine of the scripts, which is a distribution in this repository: uv builds it by itself."""
    uv = VENV / BIN / ("uv" + EXE)
    run_uv(uv, "pip", "install", "--offline", "--no-index", "--no-deps", "--editable", str(ENGINE))


def make(wanted: "str | None", groups: "tuple[str, ...]") -> None:
    """Make .venv, unless it is made, and install the groups."""
    with tempfile.TemporaryDirectory() as folder:
        uv = find_uv(Path(folder))
        require_cache(uv)
        python = interpreter(uv, wanted)
        if not is_made(python if wanted else None):
            run_uv(uv, "venv", "--clear", "--python", python, str(VENV))
            install(uv, FIRST)
            install_engine()
            STAMP.write_text(python, encoding="utf-8")
        for group in groups:
            install(uv, (group,))
            (VENV / (group + ".stamp")).touch()


def main() -> None:
    """Read the command line, and make .venv."""
    oldest = oldest_python()
    if sys.version_info[:2] < oldest:
        fail(
            "%s is Python %d.%d, and %d.%d or newer is needed; put a newer python3 first on PATH"
            % ((sys.executable, *sys.version_info[:2], *oldest))
        )
    parser = argparse.ArgumentParser(description="Make .venv, and install groups of locked tools into it.")
    parser.add_argument("--python", help="a version (3.12, 3.14t) or a path; default: the Python that runs this")
    parser.add_argument("groups", nargs="*", metavar="GROUP", help="tools, build, lint, workshop, …")
    arguments = parser.parse_args()
    try:
        make(arguments.python, tuple(arguments.groups))
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        sys.exit(130)


if __name__ == "__main__":
    main()
