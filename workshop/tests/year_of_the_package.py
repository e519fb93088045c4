"""What owners change of the package itself: its README, what it needs, the crate, files of every kind, tests."""

import zipfile
from collections.abc import Callable
from urllib.parse import urlsplit

import tomlkit
from pypi_simple import PYPI_SIMPLE_ENDPOINT

from releases import Place
from year import Change, edit_toml

BUILT = ("build", "check-dist", "verify")
PLAN = "release VERSION=0.1.0 DRY_RUN=1"
# Whatever its name is: an owner may write it.
INDEX = urlsplit(PYPI_SIMPLE_ENDPOINT).netloc

SHORT_README = "# tin-can\n\nCans.\n\nSee docs.\n"
RST_README = """\
tin-can
=======

Frobs turbos, as `the changelog <https://github.com/ada/tin-can/blob/main/CHANGELOG.md>`_ says.

>>> from tin_can import initials
>>> initials("did you mean")
'dym'
"""
LINKED_README = f"""\
# tin-can

[![CI](https://github.com/ada/tin-can/actions/workflows/CI.yml/badge.svg)](https://github.com/ada/tin-can/actions)
[![version](https://img.shields.io/pypi/v/tin-can)](https://{INDEX}/project/tin-can/)

Ask [Ada](mailto:ada@example.org), or see the [other page](https://test.{INDEX}/project/tin-can/) and
[what changed](https://github.com/ada/tin-can/blob/main/CHANGELOG.md).

![a can](https://example.org/can.png)
"""

INIT = '''\
"""The first letter of each word.

>>> from tin_can import initials
>>> initials("did you mean")
'dym'
"""

from importlib.metadata import version

from tin_can._core import initials
from tin_can.words import count

__all__ = ["count", "initials"]

__version__ = version("tin-can")
'''
WORDS = '''\
"""Words."""


def count(text: str) -> int:
    """Return the number of words."""
    return len(text.split())
'''
TEST_WORDS = """\
from tin_can import count


def test_words_are_counted() -> None:
    assert count("did you mean") == 3
"""
# A module beside the native one, with its test; others are like it.
MODULE = {
    "python/tin_can/__init__.py": INIT,
    "python/tin_can/words.py": WORDS,
    "tests/test_words.py": TEST_WORDS,
}

COUNT_BY_ANOTHER = '''\
"""Words."""

from humanize import intword


def count(text: str) -> str:
    """Return the number of words, in words."""
    return intword(len(text.split()) * 1_000_000)
'''
TEST_ANOTHER = """\
from tin_can import count


def test_words_are_counted_in_millions() -> None:
    assert count("did you mean") == "3.0 million"
"""
COUNT_WITH_EXTRA = '''\
"""Words."""

from importlib.util import find_spec


def count(text: str) -> int:
    """Return the number of words, of natural ones where the extra is installed."""
    return len(text.split()) if find_spec("natsort") is None else len(text.split(" "))
'''
MAIN = '''\
"""The command."""

import sys

from tin_can import initials


def main() -> int:
    """Print the first letters of what the command line has."""
    print(initials(" ".join(sys.argv[1:])))
    return 0


if __name__ == "__main__":
    sys.exit(main())
'''
TEST_MAIN = """\
import subprocess
import sysconfig
from pathlib import Path


def test_the_command_prints_the_letters() -> None:
    command = Path(sysconfig.get_path("scripts")) / "tin-can"
    done = subprocess.run([command, "did", "you"], check=True, capture_output=True, text=True)
    assert done.stdout == "dy\\n"
"""

# A binding that has one function more, which is found in some way.
LIBRARY = """\
//! The binding.

mod core;

use pyo3::prelude::*;

BEFORE/// Return the first letter of each word.
#[pyfunction]
fn initials(py: Python<'_>, text: &str) -> String {
    py.detach(|| core::initials(text))
}

/// Return a number.
#[pyfunction]
fn number() -> i32 {
    BODY
}

#[pymodule(gil_used = false)]
mod _core {
    #[pymodule_export]
    use super::initials;
    #[pymodule_export]
    use super::number;
}
"""
STUB = """\
__all__ = ["initials", "number"]

def initials(text: str) -> str: ...
def number() -> int: ...
"""
COMPLETED = '''\
"""Some words."""

import attrs


@attrs.define(order=True)
class Words:
    """Some words, in an order."""

    text: str
'''
TEST_COMPLETED = """\
from tin_can.words import Words


def test_words_have_an_order() -> None:
    assert Words("a") < Words("b")
"""
NUMBER_INIT = '''\
"""The first letter of each word, and a number."""

from importlib.metadata import version

from tin_can._core import initials, number

__all__ = ["initials", "number"]

__version__ = version("tin-can")
'''
TEST_NUMBER = """\
from tin_can import number


def test_there_is_a_number() -> None:
    assert number() > 0
"""


def number(body: str, before: str = "", cfg: str = "") -> dict[str, str]:
    """Return the files of a package that has a number, too.

    Args:
        body: What the function in Rust does.
        before: What stands above it.
        cfg: Where there is one at all.
    """
    library = LIBRARY.replace("BEFORE", before and f"{before}\n").replace("BODY", body)
    if cfg:
        library = library.replace("/// Return a number.\n", f"/// Return a number.\n#[cfg({cfg})]\n")
        library = library.replace(
            "    #[pymodule_export]\n    use super::number",
            f"    #[cfg({cfg})]\n    #[pymodule_export]\n    use super::number",
        )
    return {
        "src/lib.rs": library,
        "python/tin_can/__init__.py": NUMBER_INIT,
        "python/tin_can/_core.pyi": STUB,
        "tests/test_number.py": TEST_NUMBER,
    }


LIBC_NUMBER = "// SAFETY: it takes nothing, and always succeeds.\n    unsafe { libc::getpid() }"
C_NUMBER = "// SAFETY: it takes nothing, and always returns.\n    unsafe { c_number() }"
C_DECLARED = """\
unsafe extern "C" {
    fn c_number() -> std::ffi::c_int;
}
"""
C_SOURCE = "int c_number(void) { return 7; }\n"
C_BUILD = """\
//! Compiles what is written in C.

fn main() {
    cc::Build::new().file("src/number.c").compile("number");
}
"""
BUILD_SCRIPT = """\
//! Says what is known when the crate is compiled.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-env=TIN_CAN_WORD=seven77");
}
"""
BUILT_NUMBER = 'i32::from(env!("TIN_CAN_WORD").len() == 7)'
INNER_CRATE = """\
[package]
name = "inner"
version = "0.1.0"
edition = "2024"
publish = false
"""
INNER_LIBRARY = """\
//! A crate that is not published.

/// Return a number.
#[must_use]
pub fn number() -> i32 {
    7
}
"""
INNER = {"crates/inner/Cargo.toml": INNER_CRATE, "crates/inner/src/lib.rs": INNER_LIBRARY}


def needs(name: str, source: object) -> dict[str, object]:
    """Return what Cargo.toml says of one crate more."""
    return {"dependencies": {name: source}}


def add_program(place: Place) -> None:
    """Add a file that can be run to the package."""
    place.write("python/tin_can/greet.sh", "#!/bin/sh\necho hello\n")
    (place.checkout / "python" / "tin_can" / "greet.sh").chmod(0o755)


def outside(place: Place) -> None:
    """Put a crate beside the checkout."""
    folder = place.folder / "inner"
    for name, text in INNER.items():
        path = folder / name.removeprefix("crates/inner/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def from_git(place: Place) -> None:
    """Need a crate of another repository."""
    outside(place)
    folder = place.folder / "inner"
    place.git("init", "--quiet", cwd=folder)
    place.git("add", "--all", cwd=folder)
    identity = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
    place.git(*identity, "commit", "--quiet", "--allow-empty", "--message=Inner", cwd=folder)
    edit_toml(place, "Cargo.toml", needs("inner", {"git": folder.as_uri()}))


def all_wheels_have_a_number(place: Place) -> None:
    """Look into every wheel: none but those with the stable ABI is installed on most machines."""
    wheels = list((place.checkout / "dist").glob("*.whl"))
    assert len(wheels) > 1
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            (native,) = (archive.read(name) for name in archive.namelist() if name.endswith((".so", ".pyd")))
        assert b"Return a number." in native, wheel.name


README_CHANGES = (
    Change("a README of three lines", files={"README.md": SHORT_README}, targets=("test", "lint", *BUILT, PLAN)),
    Change(
        "a README in reStructuredText",
        files={"README.md": None, "README.rst": RST_README},
        project={"project": {"readme": "README.rst"}},
        targets=("test", "lint", *BUILT, PLAN),
        often=True,
    ),
    Change("badges and links", files={"README.md": LINKED_README}, targets=("test", "lint", *BUILT[:-1], PLAN)),
    Change("no docs", files={"docs/publishing.md": None}, targets=("test", "lint", *BUILT[:-1], "doctor", PLAN)),
    Change(
        "docs of one's own",
        files={"docs/index.md": "# Guide\n\nSee [the rest](more/rest.md).\n", "docs/more/rest.md": "# The rest\n"}
        | {"mkdocs.yml": "site_name: tin-can\n"},
        targets=("test", "lint", *BUILT[:-1]),
    ),
)
DEPENDENCIES = (
    Change(
        "a runtime dependency",
        project={"project": {"dependencies": ["humanize>=4.9"]}},
        files=MODULE | {"python/tin_can/words.py": COUNT_BY_ANOTHER, "tests/test_words.py": TEST_ANOTHER},
        targets=("test", "lint", *BUILT, PLAN),
        often=True,
    ),
    Change(
        "a class that a library completes",
        project={"project": {"dependencies": ["attrs>=22.2"]}},
        files={"python/tin_can/words.py": COMPLETED, "tests/test_words.py": TEST_COMPLETED},
        targets=("test", "lint"),
        often=True,
    ),
    Change(
        "a file that can be run",
        step=add_program,
        targets=("build", "check-dist"),
        refused=("cannot be run, unlike the commit's python/tin_can/greet.sh", "chmod -x it, commit"),
    ),
    Change(
        "a file that can be run, and need not be",
        project={"tool": {"roadworthy": {"ignore": ["same-modes: tin_can/greet.sh"]}}},
        step=add_program,
        targets=("build", "check-dist"),
    ),
    Change(
        "an extra",
        project={"project": {"optional-dependencies": {"natural": ["natsort>=8"]}}},
        files=MODULE | {"python/tin_can/words.py": COUNT_WITH_EXTRA},
    ),
    Change(
        "a command",
        project={"project": {"scripts": {"tin-can": "tin_can.__main__:main"}}},
        files={"python/tin_can/__main__.py": MAIN, "tests/test_main.py": TEST_MAIN},
    ),
    Change(
        "a dependency by its address",
        # For no Python that there is, so that nobody asks there.
        project={"project": {"dependencies": ["spam @ git+https://example.org/spam.git ; python_version < '3'"]}},
        targets=("test", "build", "check-dist"),
        refused=("Can't have direct dependency: spam", "depend on a released version"),
    ),
    Change(
        "a crate outside the repository",
        crate=needs("inner", {"path": "../inner"}),
        step=outside,
        targets=("test", "lint", "build"),
        refused=("inner comes from a path, ../inner", "depend on a version of it that is published"),
        often=True,
    ),
    Change(
        "a crate from git",
        step=from_git,
        targets=("test", PLAN),
        refused=("inner comes from a git, file:", "depend on a version of it that is published"),
    ),
)
RUST = (
    Change(
        "a crate more", crate=needs("itoa", "1"), files=number('i32::from(itoa::Buffer::new().format(7_u8) == "7")')
    ),
    Change(
        "a crate in the repository",
        crate=needs("inner", {"path": "crates/inner"}),
        files=number("inner::number()") | INNER,
        targets=("test", "lint", *BUILT, PLAN),
    ),
    Change(
        "a feature that is on by default",
        crate={"features": {"default": ["abi3", "fancy"], "fancy": []}},
        files=number("7", cfg='feature = "fancy"'),
        targets=("test", "lint", *BUILT[:-1], "verify PYTHON="),
        after=all_wheels_have_a_number,
    ),
    Change(
        "a crate for one kind of system",
        crate={"target": {"cfg(unix)": {"dependencies": {"libc": "0.2"}}}},
        files=number(LIBC_NUMBER, cfg="unix"),
        targets=("test", "lint", *BUILT, PLAN),
    ),
    Change("a build script", files=number(BUILT_NUMBER) | {"build.rs": BUILD_SCRIPT}),
    Change(
        "a source in C",
        crate={"build-dependencies": {"cc": "1"}},
        files=number(C_NUMBER, C_DECLARED) | {"build.rs": C_BUILD, "src/number.c": C_SOURCE},
        after=all_wheels_have_a_number,
        often=True,
    ),
)


def spelled(texts: dict[str, str], *pairs: tuple[str, str]) -> dict[str, str]:
    """Return files in whose texts some words are others."""
    found = dict(texts)
    for old, new in pairs:
        found = {name: text.replace(old, new) for name, text in found.items()}
    return found


READ_DATA = '''\
"""Words."""

from importlib.resources import files

KNOWN = files("tin_can").joinpath("data/known.txt").read_text(encoding="utf-8").split()


def count(text: str) -> int:
    """Return the number of words that are known."""
    return len([word for word in text.split() if word in KNOWN])
'''
DATA = MODULE | {"python/tin_can/words.py": READ_DATA}
KNOWN_WORDS = "did\nyou\nmean\n"


def generate(place: Place) -> None:
    """Write a file that is not committed, as a script of the owner's would."""
    place.write(".gitignore", place.read(".gitignore") + "/python/tin_can/data/\n")
    place.write("python/tin_can/data/known.txt", KNOWN_WORDS)


def exclude(*patterns: object) -> Callable[[Place], None]:
    """Return what adds patterns to those that are excluded already."""

    def step(place: Place) -> None:
        document = tomlkit.parse(place.read("pyproject.toml"))
        document["tool"]["maturin"]["exclude"].extend(patterns)
        place.write("pyproject.toml", tomlkit.dumps(document))

    return step


TEST_FILE = """\
from pathlib import Path

from tin_can import initials

HERE = Path(__file__).parent


def test_the_letters_of_a_file_are_returned() -> None:
    assert initials((HERE / "data" / "words.txt").read_text(encoding="utf-8")) == "dym"
"""
TEST_SAME = """\
from tin_can import initials


def test_one_word_has_one_letter() -> None:
    assert initials("WORD") == "WORD"[0]
"""
WORDS_STUB = "def count(text: str) -> int: ...\n"

# The sample deleted, and another function in its place, in a module of another name.
OWN_LIBRARY = """\
//! The binding.

use pyo3::prelude::*;

/// Return the double of a number.
#[pyfunction]
fn double(number: u32) -> u64 {
    u64::from(number) * 2
}

#[pymodule(gil_used = false)]
mod _native {
    #[pymodule_export]
    use super::double;
}
"""
OWN_INIT = '''\
"""The double of a number."""

from tin_can._native import double

__all__ = ["double"]
'''
OWN_STUB = '__all__ = ["double"]\n\ndef double(number: int) -> int: ...\n'
OWN_TEST = "from tin_can import double\n\n\ndef test_it_doubles() -> None:\n    assert double(2) == 4\n"
OWN = {
    "src/lib.rs": OWN_LIBRARY,
    "src/core.rs": None,
    "python/tin_can/__init__.py": OWN_INIT,
    "python/tin_can/_core.pyi": None,
    "python/tin_can/_native.pyi": OWN_STUB,
    "tests/test_initials.py": None,
    "tests/test_double.py": OWN_TEST,
    "README.md": "# tin-can\n\n```python\n>>> from tin_can import double\n>>> double(2)\n4\n```\n",
}


def move_below_cans(place: Place) -> None:
    """Make `tin_can` the package `tin` of a namespace, `cans`."""
    place.git("mv", "python/tin_can", "python/tin")
    (place.checkout / "python" / "cans").mkdir()
    place.git("mv", "python/tin", "python/cans/tin")
    for path in [
        *place.checkout.glob("python/**/*.py"),
        *place.checkout.glob("tests/*.py"),
        place.checkout / "README.md",
    ]:
        path.write_text(path.read_text(encoding="utf-8").replace("tin_can", "cans.tin"), encoding="utf-8")


def print_at_import(place: Place) -> None:
    """Print at import."""
    text = place.read("python/tin_can/__init__.py")
    place.write(
        "python/tin_can/__init__.py", text + '\nprint("tin-can is free software")\nprint("{}", file=sys.stderr)\n'
    )
    place.replace("python/tin_can/__init__.py", "from importlib", "import sys\nfrom importlib")


def link_data(place: Place) -> None:
    """Let a folder of the package be another one."""
    place.write("python/tin_can/words/known.txt", KNOWN_WORDS)
    (place.checkout / "python" / "tin_can" / "data").symlink_to("words")


PYTHON = (
    Change(
        "a link to a folder",
        step=link_data,
        targets=("build",),
        refused=(
            "python/tin_can/data is a link to python/tin_can/words, which is no file that git tracks, and nothing",
        ),
    ),
    Change("data", files=DATA | {"python/tin_can/data/known.txt": KNOWN_WORDS}),
    Change(
        "data with names that others have",
        files={
            f"python/tin_can/{name}": "-----BEGIN CERTIFICATE-----\n" if name.endswith(".pem") else "NAME=tin-can\n"
            for name in ("authorities.pem", ".env.example", "build/one.txt", "dist/two.txt", "target/three.txt")
        },
    ),
    Change(
        "data that is generated",
        files=DATA,
        project={"tool": {"maturin": {"include": [{"path": "python/tin_can/data/*", "format": ["sdist", "wheel"]}]}}},
        step=generate,
        often=True,
    ),
    Change(
        "what the sdist does not have",
        files={"assets/logo.txt": "o\n", "tests/large/input.txt": "x\n"},
        step=exclude("/assets/**", {"path": "tests/large/**", "format": "sdist"}),
    ),
    Change(
        "what no wheel has",
        files={"python/tin_can/notes.txt": "For who builds it.\n"},
        step=exclude({"path": "python/tin_can/notes.txt", "format": "wheel"}),
    ),
    Change(
        "maturin's own SBOM",
        project={"tool": {"maturin": {"sbom": None}}},
        targets=("build", "check-dist"),
        refused=(
            "tin-can.cyclonedx.json holds the path",
            "without maturin's own SBOM: rust = false in [tool.maturin.sbom]",
        ),
    ),
    Change("a second module", files=MODULE),
    Change(
        "a package in the package",
        files=spelled(MODULE, ("tin_can.words", "tin_can.deep.words"))
        | {"python/tin_can/deep/__init__.py": '"""Deep."""\n'}
        | {"python/tin_can/deep/words.py": WORDS, "python/tin_can/words.py": WORDS},
    ),
    Change(
        "a namespace",
        project={"tool": {"maturin": {"module-name": "cans.tin._core"}}},
        step=move_below_cans,
        often=True,
    ),
    Change("a stub of another module", files=MODULE | {"python/tin_can/words.pyi": WORDS_STUB}),
    Change(
        "stubs of a package and of a module in it",
        files={
            f"python/tin_can/words/{name}": text
            for name, text in {
                "__init__.py": MODULE["python/tin_can/words.py"],
                "__init__.pyi": WORDS_STUB,
                "again.py": MODULE["python/tin_can/words.py"],
                "again.pyi": WORDS_STUB,
            }.items()
        },
        targets=("lint",),
    ),
    Change(
        "a test with data beside it", files={"tests/test_file.py": TEST_FILE, "tests/data/words.txt": "did you\nmean\n"}
    ),
    Change(
        "tests in folders",
        files={"tests/test_initials.py": None}
        | {f"tests/{folder}/test_same.py": TEST_SAME.replace("WORD", folder) for folder in ("unit", "slow")},
    ),
    Change(
        "no Python tests",
        files={"tests/test_initials.py": None, "tests/test_readme.py": None},
        targets=("build", "check-dist", "verify"),
        refused=("the sdist has no tests: without a test nothing shows", "write one that imports it"),
    ),
    Change(
        "a package of one's own in the place of the sample",
        files=OWN,
        project={"tool": {"maturin": {"module-name": "tin_can._native"}}},
        crate={"lib": {"name": "_native"}, "test": None},
        often=True,
    ),
    Change(
        "a package that prints at import",
        step=print_at_import,
        targets=("test", "lint", *BUILT[:-1], "verify PYTHON="),
    ),
)
TOGETHER = Change(
    "what ordinary packages have, together",
    project={
        "project": {
            "requires-python": ">=3.10,<4",
            "dependencies": ["humanize>=4.9"],
            "optional-dependencies": {"natural": ["natsort>=8"]},
            "scripts": {"tin-can": "tin_can.__main__:main"},
        }
    },
    # The stable ABI is in a feature of a feature, beside something that all wheels have.
    crate={
        "target": {"cfg(unix)": {"dependencies": {"libc": "0.2"}}},
        "features": {"default": ["std-abi", "fancy"], "std-abi": ["abi3", "plain"], "fancy": [], "plain": []},
    },
    files=number(LIBC_NUMBER, cfg='all(unix, feature = "fancy")')
    | {
        "python/tin_can/words.py": COUNT_BY_ANOTHER,
        "python/tin_can/__main__.py": MAIN,
        "tests/test_main.py": TEST_MAIN,
    },
    # A rehearsal releases it for real, and installs what it has published.
    targets=("test", "lint", "build", "check-dist", "rehearse"),
    after=all_wheels_have_a_number,
)
CHANGES: tuple[Change, ...] = (
    Change("nothing", targets=("test", "lint", *BUILT, "template-update"), often=True),
    *README_CHANGES,
    *DEPENDENCIES,
    *RUST,
    *PYTHON,
    TOGETHER,
)
