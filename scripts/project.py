"""Facts about this project, read from the files in which they stand. Reading happens when a fact is asked for."""

import os
import re
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
# What PyPI and TestPyPI are told of the publisher: this file, and its environments by the name of the index.
WORKFLOW = "CI.yml"
ENVIRONMENTS = {"pypi": "pypi", "testpypi": "testpypi"}


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


def oldest_rust() -> str | None:
    """Return the oldest Rust that builds the package, as Cargo.toml says; None where it does not."""
    oldest: str | None = load_toml("Cargo.toml")["package"].get("rust-version")
    return oldest


@cache
def workflow() -> dict[str, Any]:
    """Return the jobs of CI.yml as they stand there, with expressions as they are."""
    import yaml  # noqa: PLC0415 - `make test` does without what has a compiled library

    text = (ROOT / ".github" / "workflows" / WORKFLOW).read_text(encoding="utf-8")
    # The loader in C, where PyYAML has it, is six times as fast.
    jobs: dict[str, Any] = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))["jobs"]  # noqa: S506
    return jobs


def matrix(job: str) -> list[dict[str, str]]:
    """Return the rows of a job of CI.yml; there they stand one by one, under `include:`."""
    rows: list[dict[str, str]] = workflow()[job]["strategy"]["matrix"]["include"]
    return rows


def platform_tags() -> dict[str, str]:
    """Map each target that is built for to the platform tag of its wheels, both as CI.yml says.

    The tag names the oldest system: for Linux, glibc or musl as zig links; for macOS, the deployment target.
    """
    return {row["target"]: row["tag"] for row in matrix("wheels")}


def build_image(triple: str) -> str:
    """Return the image in whose containers a target's wheels are built, as its row in CI.yml says; "" for none."""
    return next((row.get("container", "") for row in matrix("wheels") if row["target"] == triple), "")


def deployment_target(triple: str) -> str | None:
    """Return the oldest macOS that a target's wheels are tagged for, such as `"10.12"`; None for other systems."""
    found = re.match(r"macosx_(\d+)_(\d+)_", platform_tags()[triple])
    return f"{found[1]}.{found[2]}" if found else None


# The free-threaded CPythons that get a wheel of their own: the stable ABI has no free-threaded form before 3.15.
FREE_THREADED = ("3.14",)


def first_abi3t() -> str:
    """Return the first Python whose stable ABI has a free-threaded form, as Cargo.toml's feature `abi3t` says."""
    (feature,) = load_toml("Cargo.toml")["features"]["abi3t"]
    return f"3.{feature.removeprefix('pyo3/abi3t-py3')}"


def python_tags() -> dict[str, str]:
    """Map the name of the interpreter that each wheel is built for to the wheel's Python and ABI tags."""
    oldest, abi3t = oldest_python(), first_abi3t()
    tags = {oldest: f"cp{oldest.replace('.', '')}-abi3"}
    for minor in FREE_THREADED:
        digits = minor.replace(".", "")
        tags[f"{minor}t"] = f"cp{digits}-cp{digits}t"
    return {**tags, f"{abi3t}t": f"cp{abi3t.replace('.', '')}-abi3.abi3t"}


def sdist_name(of: Version | None = None) -> str:
    """Return the file name of the sdist of a version; default: this one."""
    return f"{import_name()}-{of or version()}.tar.gz"


def wheel_name(python: str, triple: str, of: Version | None = None) -> str:
    """Return the file name of the wheel for an interpreter of `python_tags` and a target of `platform_tags`."""
    return f"{import_name()}-{of or version()}-{python_tags()[python]}-{platform_tags()[triple]}.whl"


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
