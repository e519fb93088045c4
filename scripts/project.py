"""Facts about this project, read from the files in which they stand. Reading happens when a fact is asked for."""

import os
import sys
from functools import cache
from pathlib import Path
from typing import Any

from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parent.parent
DIST = ROOT / "dist"
SUMS = ROOT / "SHA256SUMS"
EXE = ".exe" if os.name == "nt" else ""


@cache
def load_toml(name: str) -> dict[str, Any]:
    """Return the parsed content of a TOML file at the repository's root."""
    return tomllib.loads((ROOT / name).read_text(encoding="utf-8"))


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


def venv_bin(tool: str) -> Path:
    """Return the path of a tool in .venv."""
    return ROOT / ".venv" / ("Scripts" if os.name == "nt" else "bin") / (tool + EXE)
