"""Make .venv, and install into it what requirements/GROUP.txt lock. Any Python must be able to read this."""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV, ENGINE = ROOT / ".venv", ROOT / "roadworthy"
STAMP = VENV / "setup.stamp"
MADE_FROM = ("requirements/setup.txt", "requirements/test.txt", "scripts/bootstrap.py", "roadworthy/pyproject.toml")
BIN, EXE = ("Scripts", ".exe") if os.name == "nt" else ("bin", "")


def oldest_python(pyproject: str) -> "tuple[int, int]":
    """Return the oldest Python that will do: the package's, or the scripts'; there is no TOML parser before 3.11."""
    found = re.search(r"^\s*(?:project\.)?requires-python\s*=\s*[\"']([^\"']*)", pyproject, re.MULTILINE)
    floors = re.findall(r"(?:>=|~=|==)\s*(\d+)\.(\d+)", found.group(1)) if found else []
    return max([(3, 10)] + [(int(major), int(minor)) for major, minor in floors])


def version_of(uv: "Path | str | None") -> "tuple[int, ...]":
    """Return the version of a uv; nothing for what says none, such as a launcher that leads nowhere."""
    try:
        said = subprocess.run([str(uv), "--version"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    except OSError:
        return ()
    return tuple(map(int, re.findall(rb"\d+", said.stdout)[:3])) if said.stdout.startswith(b"uv ") else ()


def find_uv(folder: Path) -> Path:
    """Return a uv that outlives .venv: the locked one, or a newer one; one that is older is better than none."""
    text = (ROOT / "requirements" / "setup.txt").read_text(encoding="utf-8")
    entry = re.search(r"^uv==(\d+)\.(\d+)\.(\d+)(?:[^\n]*\\\n)*[^\n]*$", text, re.MULTILINE)
    entry = entry or sys.exit("bootstrap: requirements/setup.txt locks no uv; run: make lock")
    locked = tuple(map(int, entry.groups()))
    in_venv, on_path = VENV / BIN / ("uv" + EXE), shutil.which("uv")
    if version_of(in_venv) == locked:
        return Path(shutil.copy2(str(in_venv), str(folder)))
    found = on_path if version_of(on_path) >= locked else fetch_uv(folder, entry.group(0)) or on_path
    if not version_of(found):
        sys.exit("bootstrap: there is neither uv nor pip; install uv, or this Python's venv (Debian: python3-venv)")
    return Path(str(found))


def fetch_uv(folder: Path, entry: str) -> "Path | None":
    """Fetch the locked uv into `folder` with pip and its hash; None where this Python has no pip."""
    python = sys.executable
    (folder / "uv.txt").write_text(entry, encoding="utf-8")
    if subprocess.run([python, "-m", "pip", "--version"], check=False, capture_output=True).returncode:
        if subprocess.run([python, "-m", "venv", str(folder / "env")], check=False).returncode:
            return None  # Debian's own venv module explains.
        python = str(folder / "env" / BIN / ("python" + EXE))
    for name in ("PIP_PREFIX", "PIP_REQUIRE_VIRTUALENV", "PIP_TARGET", "PIP_USER"):
        os.environ.pop(name, None)
    sys.stderr.write("fetching uv, with pip\n")
    pip = [python, "-m", "pip", "-qq", "--disable-pip-version-check", "install", "--no-deps", "--no-user"]
    wheel = ["--require-hashes", "--only-binary=:all:", "--target=uv", "--requirement=uv.txt"]
    if subprocess.run([*pip, *wheel], cwd=str(folder), check=False).returncode:
        sys.exit("bootstrap: pip could not install uv (its message is above); once the index is reachable, try again")
    return folder / "uv" / "bin" / ("uv" + EXE)


def run(uv: Path, *command: str) -> None:
    """Run uv on .venv."""
    environment = dict(os.environ, UV_PYTHON_DOWNLOADS="never", VIRTUAL_ENV=str(VENV))
    if subprocess.run([str(uv), *command, "--quiet"], env=environment, cwd=str(ROOT), check=False).returncode:
        sys.exit("bootstrap: uv failed (see above); where it cannot write, set XDG_CACHE_HOME and CARGO_HOME")


def make(folder: Path, wanted: "str | None", groups: "list[str]") -> None:
    """Make .venv unless it is there, newer than its sources, and of the Python that is wanted; install the groups."""
    newest = max(path.stat().st_mtime for path in map(ROOT.joinpath, MADE_FROM) if path.exists())
    made, python = STAMP.exists() and STAMP.stat().st_mtime >= newest, sys.executable
    oldest = (3, 10) if wanted or made else oldest_python((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    if sys.version_info[:2] < oldest:
        what = "bootstrap: %s is Python %d.%d, and %d.%d or newer is needed; %s, or run: make setup PYTHON=%d.%d"
        sys.exit(what % (python, *sys.version_info[:2], *oldest, "put a newer python3 first on PATH", *oldest))
    uv = find_uv(folder)
    if wanted:
        sys.path.insert(0, str(ENGINE / "src"))
        from roadworthy.pythons import find_pythons

        python = str(find_pythons(uv, [wanted])[0].path)
        made = made and STAMP.read_text(encoding="utf-8") == python
    if not made:
        run(uv, "venv", "--clear", "--python", python, str(VENV))
        for told in (ROOT / "target" / "develop" / "maturin").glob("pyo3-config-*.txt"):
            told.unlink()  # It is about the Python that .venv had before, and `make test` reads the one that is there.
    for group in groups if made else ["setup", "test", *groups]:
        sys.stderr.write("installing into .venv what is locked for: %s\n" % group)
        run(uv, "pip", "install", "--require-hashes", "--no-build", "--requirement", "requirements/%s.txt" % group)
    if not made:
        if ENGINE.is_dir():  # A distribution in this repository, which the locked uv builds by itself.
            run(VENV / BIN / ("uv" + EXE), "pip", "install", "--offline", "--no-index", "--no-deps", "-e", "roadworthy")
        STAMP.write_text(python, encoding="utf-8")
    for group in groups:
        (VENV / (group + ".stamp")).touch()


def main() -> None:
    """Read the command line, and make .venv."""
    parser = argparse.ArgumentParser(description="Make .venv, and install groups of locked tools into it.")
    parser.add_argument("--python", help="a version (3.12, 3.14t) or a path; default: the Python that runs this")
    parser.add_argument("groups", nargs="*", metavar="GROUP", help="tools, build, lint, workshop, …")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        make(Path(folder), given.python, given.groups)


if __name__ == "__main__":
    try:
        main()
    except (KeyboardInterrupt, LookupError) as error:  # The latter: there is no such Python.
        sys.exit("bootstrap: %s" % (str(error) or "interrupted"))
