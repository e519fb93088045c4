"""pyproject.toml, Cargo.toml and CI.yml in shapes that others give them, told to every command that reads facts.

Each shape either works as this project's own files do, or is named in one line with a remedy; never a traceback.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path

import pytest

from helpers import PROJECT, run
from releases import Place, environment, make_place

Step = Callable[[Place], object]
Ended = dict[str, tuple[int, str]]
PYPROJECT, MANIFEST = "pyproject.toml", "Cargo.toml"
# Writes whatever Cargo.lock needs, as `cargo update --workspace` does.
LOCK = ("cargo", "update", "--workspace", "--offline", "--quiet")

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the commands are run by fork")

CI = PROJECT.workflow_path


def swap(file: str, *pairs: tuple[str, str]) -> Step:
    """Replace patterns that stand there."""

    def step(place: Place) -> None:
        text = place.read(file)
        for pattern, new in pairs:
            text, count = re.subn(pattern, lambda _, new=new: new, text, flags=re.MULTILINE)  # type: ignore[misc]
            assert count, pattern
        place.write(file, text)

    return step


def line(file: str, key: str, new: str) -> Step:
    """Write something else in the place of a line that begins with a key."""
    return swap(file, (rf"^{re.escape(key)} = .*\n", f"{new}\n" if new else ""))


def section(file: str, name: str, new: str = "") -> Step:
    """Write something else in the place of a table."""
    return swap(file, (rf"^\[{re.escape(name)}\]\n(?:(?!\[).*\n)*", new))


def raw(file: str, change: Callable[[bytes], bytes]) -> Step:
    """Change the bytes of a file."""

    def step(place: Place) -> None:
        path = place.checkout / file
        path.write_bytes(change(path.read_bytes()))

    return step


def python(text: str) -> Step:
    """Allow some Pythons."""
    return line(PYPROJECT, "requires-python", f'requires-python = "{text}"')


def feature(name: str, *new: str) -> Step:
    """Give Cargo.toml another feature in the place of one."""
    return line(MANIFEST, name, "\n".join(new))


def write(file: str, text: str) -> Step:
    return lambda place: place.write(file, text)


def remove(file: str) -> Step:
    return lambda place: (place.checkout / file).unlink()


def append(file: str, text: str) -> Step:
    return lambda place: place.write(file, place.read(file) + text)


PYO3 = r"^pyo3 = .*\n"
MATURIN = "[tool.maturin]\n"
NETBSD = "          - target: riscv64gc-unknown-netbsd\n            runner: ubuntu-24.04\n            tag: any\n"
# What works as this project's own files do.
GOOD: dict[str, tuple[Step, ...]] = {
    "as it is": (),
    "a capped Python": (python(">=3.10,<4"),),
    "a Python with a hole": (python(">=3.10,!=3.11.0"),),
    "a Python with a hole at the oldest": (python(">=3.10,!=3.10.0,!=3.10.1"),),
    "a compatible Python": (python("~=3.10"),),
    "an oldest patch of Python": (python(">=3.10.2"),),
    "a Python with a star": (python("==3.*,>=3.10"),),
    "blanks in the Python": (python(" >= 3.10 , < 4.0 "),),
    "a version that is inherited": (
        line(MANIFEST, "version", "version.workspace = true"),
        append(MANIFEST, '\n[workspace.package]\nversion = "0.1.0"\n'),
    ),
    "an oldest Rust and an edition that are inherited": (
        line(MANIFEST, "rust-version", "rust-version.workspace = true"),
        line(MANIFEST, "edition", "edition = { workspace = true }"),
        append(MANIFEST, '\n[workspace.package]\nrust-version = "1.85"\nedition = "2024"\n'),
    ),
    "no oldest Rust": (line(MANIFEST, "rust-version", ""),),
    "more than the stable ABI in its features": (
        feature("abi3", 'extra = []\nabi3 = ["extra", "pyo3/abi3-py310"]'),
        feature("abi3t", 'abi3t = ["extra", "pyo3/abi3t-py315"]'),
    ),
    "the stable ABI in a feature of a feature": (
        feature("default", 'default = ["std-abi"]\nstd-abi = ["abi3", "fancy"]\nfancy = []'),
    ),
    "the stable ABI straight in the default ones": (
        feature("default", 'default = ["pyo3/abi3-py310"]'),
        feature("abi3", ""),
    ),
    "two of the stable ABI, of which the older counts": (
        feature("abi3", 'abi3 = ["pyo3/abi3-py312", "pyo3/abi3-py310"]'),
    ),
    "features in a circle": (feature("default", 'default = ["abi3", "one"]\none = ["two"]\ntwo = ["one"]'),),
    "features that pyproject.toml asks for": (
        feature("default", "default = []"),
        swap(PYPROJECT, (r"^\[tool\.maturin\]\n", f'{MATURIN}features = ["pyo3/abi3-py310", "abi3"]\n')),
    ),
    "PyO3 under another name": (
        swap(MANIFEST, (PYO3, 'py = { package = "pyo3", version = "0.30.1" }\n'), (r'"pyo3/', '"py/')),
    ),
    "PyO3 in a table of its own": (
        swap(MANIFEST, (PYO3, ""), (r"^\[features\]", '[dependencies.pyo3]\nversion = "0.30.1"\n\n[features]')),
    ),
    "PyO3 from the workspace": (
        swap(MANIFEST, (PYO3, "pyo3.workspace = true\n")),
        append(MANIFEST, '\n[workspace.dependencies]\npyo3 = { version = "0.30.1", default-features = true }\n'),
    ),
    "PyO3 for some targets": (
        swap(MANIFEST, (PYO3, "")),
        append(MANIFEST, "\n[target.'cfg(not(windows))'.dependencies]\npyo3 = \"0.30.1\"\n"),
    ),
    "a readme in a table": (
        line(PYPROJECT, "readme", 'readme = { file = "README.md", content-type = "text/markdown" }'),
    ),
    "no authors": (line(PYPROJECT, "authors", ""),),
    "no classifiers": (swap(PYPROJECT, (r"^classifiers = \[\n(?:  .*\n)*\]\n", "")),),
    "a repository in small letters": (line(PYPROJECT, "Repository", 'repository = "https://github.com/iron/wheel"'),),
    "a repository called the source": (
        line(PYPROJECT, "Repository", '"Source Code" = "https://github.com/iron/wheel"'),
    ),
    "a name with capitals and a dot": (swap(PYPROJECT, (r'^name = "ferrous-wheel"$', 'name = "Ferrous.Wheel"')),),
    "a package that is not called as the distribution": (
        line(PYPROJECT, "module-name", 'module-name = "iron._core"'),
        write("python/iron/__init__.py", ""),
    ),
    "a module deeper in the package": (
        line(PYPROJECT, "module-name", 'module-name = "ferrous_wheel.deep._core"'),
        write("python/ferrous_wheel/deep/__init__.py", ""),
    ),
    "a further file with the version": (
        write("docs/version.txt", "this is 0.1.0\nand no other\n"),
        append(PYPROJECT, '\n[[tool.bumpversion.files]]\nfilename = "docs/version.txt"\n'),
    ),
    "line ends of Windows": (
        raw(PYPROJECT, lambda text: text.replace(b"\n", b"\r\n")),
        raw(MANIFEST, lambda text: text.replace(b"\n", b"\r\n")),
    ),
    "comments after values": (
        python('>=3.10" # not older'),
        line(MANIFEST, "rust-version", "rust-version = '1.85' # of edition 2024"),
    ),
    "an inline table of addresses": (
        section(PYPROJECT, "project.urls"),
        line(PYPROJECT, "readme", 'readme = "README.md"\nurls = { Repository = "https://github.com/iron/wheel" }'),
    ),
    "dotted keys": (
        section(PYPROJECT, "project.urls"),
        line(PYPROJECT, "readme", 'readme = "README.md"\nurls.Repository = "https://github.com/iron/wheel"'),
    ),
    "a target that has no name among people": (
        swap(
            CI,
            (r"^          - target: aarch64-pc-windows-msvc", f"{NETBSD}          - target: aarch64-pc-windows-msvc"),
        ),
    ),
    "a job that has no name of its own": (swap(CI, (r"^    name: CI passed\n", "")),),
}
# What cannot work, and how it is named.
BAD: dict[str, tuple[str, tuple[Step, ...]]] = {
    "no Python": ("pyproject.toml has no requires-python in [project]", (line(PYPROJECT, "requires-python", ""),)),
    "a Python in words": ("pyproject.toml has the requires-python", (python("3.10 or newer"),)),
    "no Python 3": ("pyproject.toml allows no Python 3", (python(">=4"),)),
    "no name": ("pyproject.toml has no name in [project]", (swap(PYPROJECT, (r'^name = "ferrous-wheel"\n', "")),)),
    "no version": ("pyproject.toml has no version in [project]", (line(PYPROJECT, "version", ""),)),
    "a dynamic version": (
        "pyproject.toml has no version in [project]",
        (line(PYPROJECT, "version", 'dynamic = ["version"]'),),
    ),
    "a version in words": ("pyproject.toml has the version 'one'", (line(PYPROJECT, "version", 'version = "one"'),)),
    "a version that is a number": ("pyproject.toml has no version", (line(PYPROJECT, "version", "version = 0.1"),)),
    "no [project]": ("pyproject.toml has no", (section(PYPROJECT, "project"),)),
    "no [package]": ("Cargo.toml has no [package]", (section(MANIFEST, "package"),)),
    "the stable ABI at PyO3 itself": (
        "Cargo.toml has abi3-py310 at pyo3 itself",
        (swap(MANIFEST, (PYO3, 'pyo3 = { version = "0.30.1", features = ["abi3-py310"] }\n')),),
    ),
    "no features": ("Cargo.toml has no default feature with PyO3's stable ABI", (section(MANIFEST, "features"),)),
    "no default features": ("Cargo.toml has no default feature with", (feature("default", ""),)),
    "the stable ABI without a floor": (
        "Cargo.toml has no default feature with",
        (feature("abi3", 'abi3 = ["pyo3/abi3"]'),),
    ),
    "no PyO3": (
        "Cargo.toml has no default feature with",
        (swap(MANIFEST, (PYO3, "")), feature("abi3", "abi3 = []"), feature("abi3t", "")),
    ),
    "a feature abi3t without PyO3's": ("Cargo.toml has a feature abi3t", (feature("abi3t", "abi3t = []"),)),
    "what cargo cannot turn on alone": (
        "Cargo.toml turns on dep:libc together with the stable ABI",
        (
            swap(MANIFEST, (PYO3, 'pyo3 = "0.30.1"\nlibc = { version = "0.2", optional = true }\n')),
            feature("default", 'default = ["abi3", "dep:libc"]'),
        ),
    ),
    "all features": (
        "pyproject.toml has all-features in [tool.maturin]",
        (swap(PYPROJECT, (r"^\[tool\.maturin\]\n", f"{MATURIN}all-features = true\n")),),
    ),
    "features for some Pythons": (
        "pyproject.toml has all-features in [tool.maturin], or features for some Pythons",
        (
            swap(
                PYPROJECT,
                (
                    r"^\[tool\.maturin\]\n",
                    f'{MATURIN}features = [{{ feature = "abi3", python-version = ">=3.10" }}]\n',
                ),
            ),
        ),
    ),
    "no addresses": ("pyproject.toml has no Repository in [project.urls]", (section(PYPROJECT, "project.urls"),)),
    "no module": ("pyproject.toml has no module-name in [tool.maturin]", (line(PYPROJECT, "module-name", ""),)),
    "a module in no package": (
        "pyproject.toml has the module-name 'ferrous_wheel'",
        (line(PYPROJECT, "module-name", 'module-name = "ferrous_wheel"'),),
    ),
    "no folder of the package": (
        "pyproject.toml has the python-source None",
        (line(PYPROJECT, "python-source", ""),),
    ),
    "another folder of the package": (
        "pyproject.toml has the python-source 'lib'",
        (line(PYPROJECT, "python-source", 'python-source = "lib"'), write("lib/ferrous_wheel/__init__.py", "")),
    ),
    "no [tool.maturin]": ("pyproject.toml has no module-name", (section(PYPROJECT, "tool.maturin"),)),
    "no towncrier": ("pyproject.toml has no directory in [tool.towncrier]", (section(PYPROJECT, "tool.towncrier"),)),
    "no types of news": (
        "pyproject.toml has no type in [tool.towncrier]",
        (swap(PYPROJECT, (r"^\[\[tool\.towncrier\.type\]\]\n(?:(?!\[).*\n?)*", "")),),
    ),
    "a table twice": ("pyproject.toml is no TOML: ", (append(PYPROJECT, "\n[project]\nx = 1\n"),)),
    "a key twice": ("Cargo.toml is no TOML: ", (line(MANIFEST, "edition", 'edition = "2024"\nedition = "2024"'),)),
    "a broken line": (
        "(at line 1, column ",
        (raw(PYPROJECT, lambda text: b"[broken\n" + text),),
    ),
    "a mark for the encoding": (
        "Cargo.toml begins with a mark for its encoding",
        (raw(MANIFEST, lambda text: b"\xef\xbb\xbf" + text),),
    ),
    "no license": ("set license and license-files in pyproject.toml", (line(PYPROJECT, "license", ""),)),
    "a license in a table": (
        "set license and license-files in pyproject.toml",
        (line(PYPROJECT, "license", 'license = { text = "MIT" }'), line(PYPROJECT, "license-files", "")),
    ),
    "another encoding": ("pyproject.toml is not UTF-8", (raw(PYPROJECT, lambda _: b"\xff\xfe"),)),
    "no pyproject.toml": ("pyproject.toml is missing", (remove(PYPROJECT),)),
    "no Cargo.toml": ("Cargo.toml is missing", (remove(MANIFEST),)),
    "no CI.yml": ("CI.yml is missing", (remove(CI),)),
    "a CI.yml that is no YAML": ("CI.yml is no YAML: ", (append(CI, "\n  - [broken\n"),)),
    "a CI.yml without jobs": ("CI.yml has no jobs", (write(CI, "on: push\n"),)),
    "a CI.yml that is a list": ("CI.yml has no jobs", (write(CI, "- a\n"),)),
    "no job that builds": (
        "CI.yml has no rows at wheels.",
        (swap(CI, (r"^  wheels:$", "  other:")),),
    ),
    "a matrix that is no list": (
        "CI.yml has no rows at wheels.",
        (
            swap(
                CI,
                (r"        include:\n          - target: ", "        other:\n          - target: "),
            ),
        ),
    ),
    "a row without a tag": (
        "CI.yml has no tag in row 1 of the job wheels",
        (swap(CI, (r"^            tag: manylinux_2_17_x86_64.manylinux2014_x86_64\n", "")),),
    ),
    "a row without a target": (
        "CI.yml has no target in row 2 of the job wheels",
        (
            swap(
                CI,
                (r"^          - target: aarch64-unknown-linux-gnu", "          - triple: aarch64"),
            ),
        ),
    ),
    "a tag that is none": (
        "CI.yml has the tag 'win-arm64'",
        (swap(CI, (r"tag: win_arm64", "tag: win-arm64")),),
    ),
    "no row for this machine": (
        "no wheels are built for",
        (swap(CI, (r"^          - target: \S*-unknown-linux-gnu\n(?:            .*\n)*", "")),),
    ),
    "no job that all depends on": (
        "CI.yml has no job passed",
        (swap(CI, (r"^  passed:$", "  done:")),),
    ),
}
# Those that are tried in one checkout, since each is about something else; any other one alone.
TOGETHER = (
    (
        "a capped Python",
        "an oldest Rust and an edition that are inherited",
        "more than the stable ABI in its features",
        "no classifiers",
        "a package that is not called as the distribution",
        "a target that has no name among people",
    ),
    (
        "a Python with a hole",
        "no oldest Rust",
        "the stable ABI in a feature of a feature",
        "a repository in small letters",
        "a module deeper in the package",
        "a job that has no name of its own",
    ),
    (
        "a Python with a hole at the oldest",
        "the stable ABI straight in the default ones",
        "a repository called the source",
        "a further file with the version",
        "PyO3 in a table of its own",
    ),
    (
        "a compatible Python",
        "two of the stable ABI, of which the older counts",
        "a readme in a table",
        "PyO3 from the workspace",
    ),
    ("an oldest patch of Python", "features in a circle", "an inline table of addresses", "PyO3 for some targets"),
    ("a Python with a star", "features that pyproject.toml asks for", "dotted keys"),
    ("blanks in the Python", "PyO3 under another name"),
    ("comments after values", "line ends of Windows"),
)
ALONE = tuple((name,) for name in GOOD if name not in chain(*TOGETHER))
# Works but for `make new`, which edits a template line by line: then it says which line it misses.
NOT_COPIED = {
    "a version that is inherited": "Cargo.toml of the template has no plain version = ",
    "a name with capitals and a dot": "pyproject.toml has the name 'Ferrous.Wheel'",
    "no authors": "pyproject.toml of the template has no plain authors = ",
}


class Asker:
    """A checkout with a remote, and a process that runs the commands there."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.start = place.git("rev-parse", "HEAD")
        command = [sys.executable, str(Path(__file__).parent / "every_command.py"), str(place.checkout)]
        env = {**os.environ, **{name: value for name, value in environment().items() if value is not None}}
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env)

    def ask(self, *steps: Step) -> Ended:
        """Shape the checkout, commit and push that, and return how every command ended."""
        place = self.place
        place.git("reset", "--quiet", "--hard", self.start)
        place.git("clean", "--quiet", "--force", "-d")
        for step in steps:
            step(place)
        run(*LOCK, cwd=place.checkout)
        place.git("add", "--all")
        place.git("commit", "--quiet", "--allow-empty", "--no-verify", "--message=Shape")
        place.git("push", "--quiet", "--force", "origin", "HEAD:main")
        place.git("fetch", "--quiet", "origin")
        assert self.process.stdin
        assert self.process.stdout
        print("once more", file=self.process.stdin, flush=True)
        ended: Ended = {name: (code, text) for name, (code, text) in json.loads(self.process.stdout.readline()).items()}
        return ended


@pytest.fixture(scope="module")
def asker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asker]:
    asker = Asker(make_place(tmp_path_factory.mktemp("shapes") / "place", proof=None))
    yield asker
    asker.process.communicate()


@pytest.fixture(scope="module")
def usual(asker: Asker) -> dict[str, int]:
    """Return the exit codes for this project's own files; some have nothing to work on here."""
    return {name: code for name, (code, _) in asker.ask().items()}


def said(ended: Ended) -> str:
    """Return what the commands have said of problems."""
    return "\n".join(f"{name}: {text[-400:]}" for name, (code, text) in ended.items() if code)


def check_said(ended: Ended, usual: dict[str, int]) -> None:
    """What ends otherwise than usual says in one line what is wrong with which file, and in another what to do."""
    for name, (code, text) in ended.items():
        assert "Traceback" not in text, f"{name}: {text[-1500:]}"
        assert code in {0, 1, 2}, f"{name}: {text}"
        if code and code != usual[name]:
            assert re.search(r"(?m)^problem: .+\n  \S.+$", text), f"{name}: {text[-1500:]}"


@pytest.mark.parametrize("shapes", [*ALONE, *TOGETHER], ids=", ".join)
def test_another_shape_works_as_the_usual_one(asker: Asker, usual: dict[str, int], shapes: tuple[str, ...]) -> None:
    ended = asker.ask(*(step for shape in shapes for step in GOOD[shape]))
    check_said(ended, usual)
    differing = {name: text for name, (code, text) in ended.items() if code != usual[name]}
    if shapes[0] in NOT_COPIED:
        assert NOT_COPIED[shapes[0]] in differing.pop("new")
    assert not differing
    assert not re.search(r"\[(?!complete-set)[a-z]+(-[a-z]+)+\]$", ended["check_dist"][1], re.MULTILINE)


@pytest.mark.parametrize("shape", BAD)
def test_what_cannot_work_is_named(asker: Asker, usual: dict[str, int], shape: str) -> None:
    named, steps = BAD[shape]
    ended = asker.ask(*steps)
    check_said(ended, usual)
    assert any(named in text and code == 1 for code, text in ended.values()), said(ended)


def test_there_are_enough_shapes() -> None:
    assert len(GOOD) + len(BAD) >= 40
