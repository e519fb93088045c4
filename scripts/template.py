# /// script
# requires-python = ">=3.10"
# dependencies = []
# ///
"""Make a copy of this project under another name, or bring a copy what the template has learned since.

The door to workshop/copying, which does the work. By itself, without the repository around it, this file clones the
template and starts the script that is there: uv run ADDRESS-OF-THIS-FILE new turbo-frob
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

# Where the template is; a test compares it with pyproject.toml.
TEMPLATE = "https://github.com/rust-wheelwrights/ferrous-wheel"
# What the workshop of a clone imports, and what formats a copy; the locks say in which versions.
NEEDED = ("packaging", "pyyaml", "rich", "ruff", "tomli")
LOCKS = ("setup", "tools", "lint")


def interpreter(clone: Path) -> list[str]:
    """Return the command of a Python that has what the clone's scripts need: one that uv makes, or the clone's own."""
    locked = "".join((clone / "requirements" / f"{group}.txt").read_text(encoding="utf-8") for group in LOCKS)
    pins = re.findall(rf"^((?:{'|'.join(NEEDED)})==\S+)", locked, re.MULTILINE)
    uv = os.environ.get("UV") or shutil.which("uv")
    if uv:
        return [uv, "run", "--quiet", "--no-project", *(f"--with={pin}" for pin in pins), "python"]
    subprocess.run([sys.executable, str(clone / "scripts" / "bootstrap.py"), *LOCKS[1:]], check=True)
    return [str(clone / ".venv" / ("Scripts" if os.name == "nt" else "bin") / "python")]


def run_from_a_clone(words: list[str]) -> int:
    """Clone the template, and let the clone's own script do what is asked for; a copy goes into this folder."""
    if words[:1] != ["new"]:
        sys.stderr.write("template.py: without its repository it makes copies only: template.py new NAME\n")
        return 2
    with tempfile.TemporaryDirectory(prefix="template-", ignore_cleanup_errors=True) as folder:
        clone = Path(folder, "template")
        command = ["git", "clone", "--quiet", "--depth=1", TEMPLATE, str(clone)]
        if not shutil.which("git") or subprocess.run(command, check=False).returncode:
            sys.stderr.write(f"template.py: {TEMPLATE} cannot be cloned; is git there, and the network?\n")
            return 1
        call = [str(clone / "scripts" / "template.py"), "new", f"--beside={Path.cwd()}", *words[1:]]
        try:
            return subprocess.run([*interpreter(clone), *call], check=False).returncode
        except subprocess.CalledProcessError:
            return 1


def main(root: Path) -> None:
    """Let the workshop of this version do it, with the engine of this version, whatever else is installed."""
    sys.path[:0] = [str(root), str(root / "roadworthy" / "src")]
    from workshop.copying.command_line import main as start  # noqa: PLC0415 - of this folder, as said above

    start(root, sys.argv[1:])


if __name__ == "__main__":
    folder = Path(__file__).resolve().parents[1]
    if not (folder / "workshop" / "copying").is_dir():
        sys.exit(run_from_a_clone(sys.argv[1:]))
    main(folder)
