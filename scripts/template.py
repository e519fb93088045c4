# /// script
# requires-python = ">=3.10"
# dependencies = []
# ///
"""Make a copy of this project under another name, or bring a copy what the template has learned since.

By itself, without the repository around it, it clones the template and starts the script that is there:

    uv run ADDRESS-OF-THIS-FILE new turbo-frob
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

# Where the template is; a test compares it with pyproject.toml.
TEMPLATE = "https://github.com/rust-wheelwrights/ferrous-wheel"
HERE = Path(__file__).resolve().parent
# What the scripts of a clone import, and what formats a copy; the locks say in which versions.
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


def run_from_a_clone(arguments: list[str]) -> int:
    """Clone the template, and let the clone's own script do what is asked for, with this folder as the place."""
    if arguments[:1] != ["new"]:
        sys.stderr.write("template.py: without its repository it makes copies only: template.py new NAME\n")
        return 2
    with tempfile.TemporaryDirectory(prefix="template-", ignore_cleanup_errors=True) as folder:
        clone = Path(folder, "template")
        command = ["git", "clone", "--quiet", "--depth=1", TEMPLATE, str(clone)]
        if not shutil.which("git") or subprocess.run(command, check=False).returncode:
            sys.stderr.write(f"template.py: {TEMPLATE} cannot be cloned; is git there, and the network?\n")
            return 1
        script = str(clone / "scripts" / "template.py")
        try:
            return subprocess.run(
                [*interpreter(clone), script, *arguments, f"--beside={Path.cwd()}"], check=False
            ).returncode
        except subprocess.CalledProcessError:
            return 1


def parse(arguments: list[str]) -> argparse.Namespace:
    """Read the command line; `run` is what it asks for."""
    # They are not there where this script is alone.
    from workshop.copying import asking, creating  # noqa: PLC0415

    parser = argparse.ArgumentParser(description="Copy this project, or update a copy.")
    commands = parser.add_subparsers(required=True, metavar="new|update")
    new = commands.add_parser("new", help="make a copy under another name")
    new.add_argument("name", nargs="?", metavar="NAME", help="such as turbo-frob; a terminal is asked for it")
    new.add_argument("--dest", metavar="FOLDER", help="where; default: beside the template; `.`: the template itself")
    new.add_argument("--beside", default=str(HERE.parent.parent), help=argparse.SUPPRESS)
    asking.add_options(new)
    new.set_defaults(run=creating.new)
    update = commands.add_parser("update", help="bring a copy what the template has learned since")
    if arguments[:1] == ["update"]:
        from workshop.copying import updating  # noqa: PLC0415 - the other does not need what it needs

        updating.add_options(update)
        update.set_defaults(run=updating.update)
    return parser.parse_args(arguments)


def main() -> None:
    """Do what the command line says."""
    from roadworthy.arguments import option, take_given  # noqa: PLC0415 - not there where this script is alone

    given = take_given() or {}
    name = ["--", given.pop("NAME")] if "NAME" in given else []
    arguments = parse([*sys.argv[1:], *(f"{option(key)}={value}" for key, value in given.items()), *name])
    arguments.run(arguments)


if __name__ == "__main__":
    if not (HERE / "copying").is_dir():
        sys.exit(run_from_a_clone(sys.argv[1:]))
    from roadworthy.terminal import run_main

    run_main(main)
