"""Print which tool catches which mistake of the corpus: the table in docs/checks.md.

usage: python benchmarks/mistakes.py

Every tool is loaded once, and judges each file that a mistake changes in a process that is forked from there; what it
said of a content is kept. auditwheel, which needs another pyelftools, has an environment of its own, made by uv. For
Linux.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import cache
from importlib.metadata import entry_points
from multiprocessing import get_context
from pathlib import Path
from typing import IO, cast

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "roadworthy" / "tests"), str(ROOT / "workshop" / "tests")]

import linked  # noqa: E402
from corpus import CORPUS, Release  # noqa: E402
from helpers import PROJECT  # noqa: E402
from native_cases import CASES  # noqa: E402
from roadworthy import building  # noqa: E402
from roadworthy.building.toolchain import host_triple  # noqa: E402
from roadworthy.gate.check import check, expect  # noqa: E402
from roadworthy.gate.model import Expectations  # noqa: E402
from roadworthy.processes import find_uv  # noqa: E402
from roadworthy.sums import sha256  # noqa: E402
from roadworthy.terminal import run_main  # noqa: E402
from test_pypi import ask_port  # noqa: E402

DOCUMENT = ROOT / "docs" / "checks.md"
HEADING = "## Who catches what\n"
# What each is told, and the end of the names of the files that it takes.
TOOLS: dict[str, tuple[list[str], str]] = {
    "twine check --strict": (["twine", "check", "--strict"], ""),
    "check-wheel-contents": (["check-wheel-contents"], ".whl"),
    "abi3audit --strict": (["abi3audit", "--strict"], ".whl"),
    # The checks that are left out refuse a .gitignore in the sdist, and .pre-commit-config.yaml beside CI.yml.
    "pydistcheck": (["pydistcheck", "--ignore=unexpected-files", "--ignore=mixed-file-extensions"], ""),
}
AUDITWHEEL = "auditwheel==6.8.2"
# Reads the paths of wheels, and prints of each whether auditwheel finds that it is what its tag says.
AUDIT = """
import sys
from pathlib import Path
from auditwheel.error import AuditwheelError
from auditwheel.wheel_abi import analyze_wheel_abi
from auditwheel.wheeltools import get_wheel_architecture, get_wheel_libc
for line in sys.stdin:
    path = Path(line.rstrip("\\n"))
    try:
        libc, machine = get_wheel_libc(path.name), get_wheel_architecture(path.name)
        found = analyze_wheel_abi(libc, machine, path, frozenset(), disable_isa_ext_check=False, allow_graft=False)
        asked = [found.policies.get_policy_by_name(tag) for tag in path.stem.split("-")[-1].split(".")]
        said = "yes" if any(policy is None or policy > found.overall_policy for policy in asked) else "no"
    except (AuditwheelError, LookupError):
        said = "yes"
    except Exception:
        said = "traceback"
    print(said, flush=True)
"""


@cache
def load(tool: str) -> Callable[[], object]:
    """Return the function that a tool's command calls, with all that it imports."""
    (found,) = entry_points(group="console_scripts", name=tool)
    function: Callable[[], object] = found.load()
    return function


@cache
def facts() -> Expectations:
    """Return what this project expects of what this machine builds, but for the wheels of Pythons without a lock."""
    found = expect(PROJECT, [host_triple(PROJECT)])
    return replace(found, expected=tuple(name for name in found.expected if "t-" not in name))


SAID: dict[tuple[str, ...], str] = {}


def verdict(tool: str, path: Path) -> str:
    """Return what a tool says of a file: yes (it refuses), no, or traceback; asked once for each name and content."""
    line, suffix = TOOLS[tool]
    if not path.name.endswith(suffix) or (tool.startswith("abi3audit") and "-abi3-" not in path.name):
        return "no"
    key = (tool, path.name, sha256(path.read_bytes()) if path.is_file() else str(path.is_dir()))
    if key not in SAID:
        SAID[key] = ask(line, path)
    return SAID[key]


def ask(line: list[str], path: Path) -> str:
    """Return what a command says of a file, in a process of its own."""
    function = load(line[0])
    with tempfile.TemporaryFile() as said:
        child = os.fork()
        if child == 0:
            for stream in (1, 2):
                os.dup2(said.fileno(), stream)
            sys.argv = [*line, str(path)]
            try:
                code = function()
            except SystemExit as error:
                code = error.code
            except BaseException:  # noqa: BLE001 - as the interpreter would
                traceback.print_exc()
                code = 1
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(1 if code else 0)
        _, status = os.waitpid(child, 0)
        said.seek(0)
        text = said.read()
    return "traceback" if b"Traceback (most recent call last)" in text else "yes" if status else "no"


@cache
def auditor() -> tuple[IO[str], IO[str]]:
    """Start auditwheel, and return where it takes paths, and where it answers a line for each."""
    command = (find_uv(), "run", "--no-project", "--isolated", "--with", AUDITWHEEL, "python", "-c", AUDIT)
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True)
    return cast("tuple[IO[str], IO[str]]", (process.stdin, process.stdout))


def audit(path: Path) -> str:
    """Return what auditwheel says of a wheel for Linux; of others it says nothing."""
    if "linux" not in path.name or path.suffix != ".whl" or "\n" in path.name or not path.is_file():
        return "no"
    key = ("auditwheel", path.name, sha256(path.read_bytes()))
    if key not in SAID:
        asked, said = auditor()
        asked.write(f"{path}\n")
        asked.flush()
        SAID[key] = said.readline().strip() or "traceback"
    return SAID[key]


def ask_pypi(path: Path) -> str:
    """Return whether PyPI refuses a file, as its published source has it."""
    key = ("PyPI", path.name, sha256(path.read_bytes()) if path.is_file() else "")
    if key not in SAID:
        SAID[key] = "yes" if path.is_file() and ask_port(path) else "no"
    return SAID[key]


def judge(folder: Path, expectations: Expectations | None) -> list[str]:
    """Return what each says of a folder: it refuses that if it refuses a file, and ends if it ends at one."""
    files = sorted(folder.iterdir())
    said = ["yes" if check([folder], expectations) else "no"]
    every = (*([verdict(tool, path) for path in files] for tool in TOOLS), [audit(path) for path in files])
    said += ["yes" if "yes" in each else "traceback" if "traceback" in each else "no" for each in every]
    return [*said, "yes" if "yes" in map(ask_pypi, files) else "no"]


def copy_good(folder: Path) -> Path:
    """Copy the good release, as far as the facts here go."""
    return Path(shutil.copytree(PROJECT.dist, folder, ignore=shutil.ignore_patterns("*t-*")))


def row(name: str) -> list[str]:
    """Return a mistake's line of the table."""
    with tempfile.TemporaryDirectory() as temporary:
        if name in CASES:
            rule, tags, file, make = CASES[name]
            made, folder = make(), Path(temporary)
            linked.native_wheel(folder, tags, made if isinstance(made, dict) else {file: made})
            return [name, rule or "", *judge(folder, None)]
        rules, breakage = CORPUS[name]
        copy_good(Path(temporary) / "good")
        folder = copy_good(Path(temporary) / "dist")
        (wheel,), (sdist,) = folder.glob("*-abi3-*.whl"), folder.glob("*.tar.gz")
        breakage(Release(folder, wheel, sdist))
        return [name, rules.split()[0], *judge(folder, facts())]


def link_elsewhere() -> None:
    """Let a process link its libraries in a folder of its own."""
    linked.FOLDER = tempfile.TemporaryDirectory(prefix="linked-")


def main() -> None:
    """Measure, and write the end of the document."""
    building.require_current(PROJECT)
    for line, _ in TOOLS.values():
        load(line[0])
    facts()
    names = [*CORPUS, *(name for name, (rule, *_) in CASES.items() if rule)]
    with ProcessPoolExecutor(os.cpu_count(), get_context("fork"), link_elsewhere) as pool:
        rows = list(pool.map(row, names, chunksize=8))
    with tempfile.TemporaryDirectory() as temporary:
        good = ["*the good release*", "", *judge(copy_good(Path(temporary) / "dist"), facts())]
    tools = ["roadworthy check --strict", *TOOLS, "auditwheel", "PyPI"]
    totals = [
        [f"**{title}**", "", *(str(sum(line[column] == said for line in rows)) for column in range(2, 2 + len(tools)))]
        for title, said in (("refused", "yes"), ("traceback", "traceback"))
    ]
    together = sum("yes" in line[3:] for line in rows)
    head = ["mistake", "rule", *tools]
    table = "\n".join(f"| {' | '.join(line)} |" for line in (head, ["---"] * len(head), good, *rows, *totals))
    text = f"""
Each line is a release with one thing wrong (roadworthy/tests/corpus.py), or a wheel with one library that has
(roadworthy/tests/native_cases.py); a tool catches it if it refuses a file of it. Of {len(rows)} mistakes, the five
other tools and PyPI together catch {together}; the other {len(rows) - together} only this one finds. Written by
`python benchmarks/mistakes.py`.

Of ELF files auditwheel says the same about versions of symbols, needed libraries and processors. It does not judge
what a loader refuses (executable stack, TEXTREL, static TLS, NODLOPEN) nor where libraries are looked for, and reads
the note of a needed processor from its section, not from its segment, as glibc does.

{table}
"""
    before = DOCUMENT.read_text(encoding="utf-8").partition(HEADING)[0]
    DOCUMENT.write_text(before + HEADING + text, encoding="utf-8")


if __name__ == "__main__":
    run_main(main)
