"""Facts about this project, read from the files in which they stand. Reading happens when a fact is asked for."""

import os
import shutil
import sys
from functools import cache
from pathlib import Path
from typing import Any

import tomli
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name, parse_wheel_filename
from packaging.version import Version

from console import problem

ROOT = Path(__file__).resolve().parent.parent
DIST = ROOT / "dist"
SUMS = ROOT / "SHA256SUMS"
EXE = ".exe" if os.name == "nt" else ""


@cache
def load_toml(name: str) -> dict[str, Any]:
    """Return the parsed content of a TOML file at the repository's root."""
    content: dict[str, Any] = tomli.loads((ROOT / name).read_text(encoding="utf-8"))
    return content


def name() -> str:
    """Return the name of the distribution, as pyproject.toml spells it."""
    return str(load_toml("pyproject.toml")["project"]["name"])


def import_name() -> str:
    """Return the name that is imported; in file names it stands for the distribution (PEP 427, PEP 625)."""
    return canonicalize_name(name()).replace("-", "_")


def native_module() -> str:
    """Return the full name of the extension module."""
    return str(load_toml("pyproject.toml")["tool"]["maturin"]["module-name"])


def version() -> Version:
    """Return the version in pyproject.toml."""
    return Version(load_toml("pyproject.toml")["project"]["version"])


def requires_python() -> SpecifierSet:
    """Return which versions of Python the package may be installed on."""
    return SpecifierSet(load_toml("pyproject.toml")["project"]["requires-python"])


def oldest_python() -> str:
    """Return the floor of `requires-python`, such as `"3.10"`."""
    (floor,) = requires_python()
    return floor.version


# What each target's wheels are tagged as. Linux: the oldest glibc (manylinux2014) or musl that zig links against;
# macOS: the deployment target, with which rustc compiles.
PLATFORM_TAGS = {
    "x86_64-unknown-linux-gnu": "manylinux_2_17_x86_64.manylinux2014_x86_64",
    "aarch64-unknown-linux-gnu": "manylinux_2_17_aarch64.manylinux2014_aarch64",
    "x86_64-unknown-linux-musl": "musllinux_1_2_x86_64",
    "aarch64-unknown-linux-musl": "musllinux_1_2_aarch64",
    "x86_64-apple-darwin": "macosx_10_12_x86_64",
    "aarch64-apple-darwin": "macosx_11_0_arm64",
    "universal2-apple-darwin": "macosx_10_12_x86_64.macosx_11_0_arm64.macosx_10_12_universal2",
    "x86_64-pc-windows-msvc": "win_amd64",
    "aarch64-pc-windows-msvc": "win_arm64",
}

# The free-threaded CPythons that get a wheel of their own: the stable ABI has no free-threaded form before 3.15.
FREE_THREADED = ("3.14",)


def python_tags() -> dict[str, str]:
    """Map the name of the interpreter that each wheel is built for to the wheel's Python and ABI tags."""
    oldest = oldest_python()
    tags = {oldest: f"cp{oldest.replace('.', '')}-abi3"}
    for minor in FREE_THREADED:
        digits = minor.replace(".", "")
        tags[f"{minor}t"] = f"cp{digits}-cp{digits}t"
    return tags


def sdist_name(of: Version | None = None) -> str:
    """Return the file name of the sdist of a version; default: this one."""
    return f"{import_name()}-{of or version()}.tar.gz"


def wheel_name(python: str, triple: str, of: Version | None = None) -> str:
    """Return the file name of the wheel for an interpreter of `python_tags` and a target of `PLATFORM_TAGS`."""
    return f"{import_name()}-{of or version()}-{python_tags()[python]}-{PLATFORM_TAGS[triple]}.whl"


def same_wheel(name: str, other: str) -> bool:
    """Say whether two file names mean the same wheel: their compressed tags may stand in any order (PEP 425)."""
    return parse_wheel_filename(name) == parse_wheel_filename(other)


def venv_bin(tool: str) -> Path:
    """Return the path of a tool in the environment that runs this: .venv, perhaps of another checkout."""
    return Path(sys.prefix) / ("Scripts" if os.name == "nt" else "bin") / (tool + EXE)


def find_uv() -> Path:
    """Return the uv to use: the locked one of .venv, or, where there is no .venv, the one on PATH.

    Raises:
        ProblemsError: There is neither.
    """
    locked = venv_bin("uv")
    on_path = shutil.which("uv")
    if not locked.exists() and on_path is None:
        raise problem("there is no uv, neither in .venv nor on PATH", "run: make setup")
    return locked if locked.exists() else Path(str(on_path))
