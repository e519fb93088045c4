"""Facts about this project, read from the files in which they stand. Reading happens when a fact is asked for.

What these files may say is what pip, maturin and cargo read, and not only what this project's own say. A fact that is
missing, or that this tooling cannot work with, is a problem that names its file; nobody else looks into the tables.
"""

import os
import re
import shutil
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import tomli
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name, parse_wheel_filename
from packaging.version import InvalidVersion, Version

from roadworthy.terminal import problem

ROOT = Path(__file__).resolve().parents[3]
DIST = ROOT / "dist"
SUMS = ROOT / "SHA256SUMS"
EXE = ".exe" if os.name == "nt" else ""
# What PyPI and TestPyPI are told of the publisher: this file, and its environments by the name of the index.
WORKFLOW = "CI.yml"
ENVIRONMENTS = {"pypi": "pypi", "testpypi": "testpypi"}
PYPROJECT, MANIFEST, CI = "pyproject.toml", "Cargo.toml", f".github/workflows/{WORKFLOW}"
# The folder of the Python package: what is proven of a wheel is compared with it.
SOURCE = "python"


# ---- files and tables -----------------------------------------------------------------------------------------------


def read_text(folder: Path, name: str) -> str:
    """Return the text of a file below a folder.

    Raises:
        ProblemsError: It is not there, or no UTF-8.
    """
    try:
        return (folder / name).read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError) as error:
        raise problem(f"{name} is missing", "put it back, and commit") from error
    except UnicodeDecodeError as error:
        raise problem(f"{name} is not UTF-8", "save it as UTF-8, and commit") from error


def parse_toml(name: str, text: str) -> dict[str, Any]:
    """Return the content of a TOML file.

    Raises:
        ProblemsError: It is none; the parser says in which line.
    """
    if text.startswith("\ufeff"):
        # Cargo reads such a file; pip, and all else that is written in Python, does not.
        raise problem(f"{name} begins with a mark for its encoding", "save it as UTF-8 without that (BOM), and commit")
    try:
        return tomli.loads(text)
    except tomli.TOMLDecodeError as error:
        raise problem(f"{name} is no TOML: {error}", "repair it, and commit") from error


@cache
def load_toml(name: str) -> dict[str, Any]:
    """Return the parsed content of a TOML file at the repository's root."""
    return parse_toml(name, read_text(ROOT, name))


def find(table: Any, *keys: str) -> Any:  # noqa: ANN401 - whatever stands there
    """Return what stands in a table at a path of keys, or None."""
    for key in keys:
        table = table.get(key) if isinstance(table, dict) else None
    return table


def find_table(table: Any, *keys: str) -> dict[str, Any]:  # noqa: ANN401 - whatever stands there
    """Return the table that stands there; an empty one for anything else."""
    found = find(table, *keys)
    return found if isinstance(found, dict) else {}


def require_text(name: str, *keys: str, remedy: str) -> str:
    """Return a text that stands in a TOML file at a path of keys.

    Raises:
        ProblemsError: There is none.
    """
    found = find(load_toml(name), *keys)
    if not isinstance(found, str) or not found.strip():
        raise problem(f"{name} has no {keys[-1]} in [{'.'.join(keys[:-1])}]", remedy)
    return found


def package_of(manifest: dict[str, Any]) -> dict[str, Any]:
    """Return the table [package] of a Cargo.toml, with what it inherits from its own [workspace.package]."""
    shared, package = find_table(manifest, "workspace", "package"), find_table(manifest, "package")
    return {key: shared.get(key) if find(value, "workspace") else value for key, value in package.items()}


# ---- the package ----------------------------------------------------------------------------------------------------


def name() -> str:
    """Return the name of the distribution, as pyproject.toml spells it."""
    return require_text(PYPROJECT, "project", "name", remedy='write it there: name = "turbo-frob"')


def file_stem() -> str:
    """Return what stands for the distribution in the names of its files (PEP 427, PEP 625)."""
    return canonicalize_name(name()).replace("-", "_")


def native_module() -> str:
    """Return the full name of the extension module, which is in a package of the folder `SOURCE`.

    Raises:
        ProblemsError: It would be anywhere else, so what is in a wheel could not be compared with it.
    """
    example = f'write module-name = "{file_stem()}._core" there, as #[pymodule] says'
    found = require_text(PYPROJECT, "tool", "maturin", "module-name", remedy=example)
    if not re.fullmatch(r"\w+(\.\w+)+", found):
        raise problem(f"{PYPROJECT} has the module-name {found!r}, which is in no package", example)
    source = find(load_toml(PYPROJECT), "tool", "maturin", "python-source")
    if source is None or Path(str(source)) != Path(SOURCE):
        what = f"{PYPROJECT} has the python-source {source!r} in [tool.maturin]"
        raise problem(what, f'move the package below {SOURCE}/, and write python-source = "{SOURCE}"')
    return found


def import_name() -> str:
    """Return the name that is imported."""
    return native_module().split(".", maxsplit=1)[0]


def version() -> Version:
    """Return the version in pyproject.toml."""
    remedy = f"write it there as {MANIFEST} has it, and not as dynamic: make release edits both"
    text = require_text(PYPROJECT, "project", "version", remedy=remedy)
    try:
        return Version(text)
    except InvalidVersion as error:
        raise problem(f"{PYPROJECT} has the version {text!r}, which is none", "write X.Y.Z, such as 0.2.0") from error


def repository(project: Any) -> str | None:  # noqa: ANN401 - as it was parsed
    """Return the address of the repository in a table [project], under any label that indexes know (PEP 753)."""
    urls = find_table(project, "urls")
    labels = {re.sub(r"[^a-z]", "", label.lower()): str(address) for label, address in urls.items()}
    return next((labels[label] for label in ("repository", "source", "sourcecode", "github") if label in labels), None)


def require_repository(project: Any) -> str:  # noqa: ANN401 - as it was parsed
    """Return the same.

    Raises:
        ProblemsError: There is none.
    """
    found = repository(project)
    if found is None:
        remedy = 'write it there: Repository = "https://github.com/owner/name"'
        raise problem(f"{PYPROJECT} has no Repository in [project.urls]", remedy)
    return found


# ---- the Pythons that it is for -------------------------------------------------------------------------------------


def requires_python() -> SpecifierSet:
    """Return which versions of Python the package may be installed on."""
    remedy = 'write requires-python = ">=3.10" there, or your oldest'
    text = require_text(PYPROJECT, "project", "requires-python", remedy=remedy)
    try:
        return SpecifierSet(text)
    except InvalidSpecifier as error:
        raise problem(f"{PYPROJECT} has the requires-python {text!r}, which is none", remedy) from error


# No 3.x will ever be newer, as far as this is concerned.
NEWEST_MINOR = 99


@cache
def minors() -> tuple[int, ...]:
    """Return the minor versions of Python 3 of which at least one release is allowed.

    Within one of them only a patch release that is named, or the next to it, can be the first one to differ.
    """
    allowed = requires_python()
    named = {int(number) for number in re.findall(r"\d+\.\d+\.(\d+)", str(allowed))}
    patches = sorted({0, *named, *(patch + 1 for patch in named), *(patch - 1 for patch in named if patch)})
    found = tuple(
        minor for minor in range(NEWEST_MINOR + 1) if any(allowed.contains(f"3.{minor}.{patch}") for patch in patches)
    )
    if not found:
        raise problem(f"{PYPROJECT} allows no Python 3: requires-python is {allowed}", "write the oldest: >=3.10")
    return found


def oldest_python() -> str:
    """Return the oldest minor version that `requires-python` allows, such as `"3.10"`."""
    return f"3.{minors()[0]}"


# ---- the crate ------------------------------------------------------------------------------------------------------


def crate(key: str) -> str | None:
    """Return a text of Cargo.toml's [package], its own or what it inherits from its workspace; None without one."""
    found = package_of(load_toml(MANIFEST)).get(key)
    return found if isinstance(found, str) else None


def oldest_rust() -> str | None:
    """Return the oldest Rust that builds the package, as Cargo.toml promises; None where it promises none."""
    return crate("rust-version")


def pyo3() -> dict[str, set[str]]:
    """Map each name that Cargo.toml has for the crate pyo3 to the features that it always turns on.

    It may have another name, be for some targets only, and come from the workspace's table.
    """
    manifest = load_toml(MANIFEST)
    found: dict[str, set[str]] = {}
    for holder in (manifest, *find_table(manifest, "target").values()):
        for key, wanted in find_table(holder, "dependencies").items():
            asked = [wanted, find(manifest, "workspace", "dependencies", key) if find(wanted, "workspace") else None]
            if any(find(each, "package") == "pyo3" for each in asked) or key == "pyo3":
                always = {str(feature) for each in asked for feature in find(each, "features") or ()}
                found[key] = found.get(key, set()) | always
    return found


def features() -> dict[str, list[str]]:
    """Return Cargo.toml's features, each with what it turns on."""
    found = find_table(load_toml(MANIFEST), "features")
    return {key: list(map(str, value)) for key, value in found.items() if isinstance(value, list)}


def asked_features() -> list[str]:
    """Return the features that a wheel has: the default ones, and those that pyproject.toml asks for.

    Raises:
        ProblemsError: It asks for them in a way in which the stable ABI cannot be left out.
    """
    maturin = find_table(load_toml(PYPROJECT), "tool", "maturin")
    given = maturin.get("features", [])
    if maturin.get("all-features") or not (isinstance(given, list) and all(isinstance(each, str) for each in given)):
        what = f"{PYPROJECT} has all-features in [tool.maturin], or features for some Pythons"
        raise problem(what, f"write a plain list: features = [], and the rest into the default features of {MANIFEST}")
    return [*([] if maturin.get("no-default-features") else ["default"]), *given]


def everything_on(asked: Iterable[str]) -> set[str]:
    """Return features, and all that they turn on."""
    known, found, waiting = features(), set[str](), list(asked)
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.add(one)
            waiting += known.get(one, [])
    return found


def stable_abi(items: Iterable[str]) -> Iterator[str]:
    """Yield PyO3's features for the stable ABI, such as `abi3-py310`, among items of features of Cargo.toml."""
    names = pyo3()
    for item in items:
        owner, slash, feature = item.partition("/")
        if slash and owner.removesuffix("?") in names and re.match(r"abi3t?(-|$)", feature):
            yield feature


def floor(found: Iterable[str], kind: str) -> int | None:
    """Return the oldest minor version among PyO3's features for an ABI; PyO3 and maturin take the oldest as well."""
    matches = (re.fullmatch(rf"{kind}-py3(\d+)", feature) for feature in found)
    return min((int(match[1]) for match in matches if match), default=None)


def abi3_feature() -> str:
    """Return PyO3's feature of the stable ABI that wheels are built for, such as `abi3-py310`.

    Raises:
        ProblemsError: There is none, or it cannot be left out, as the free-threaded wheels have to.
    """
    remedy = f'write into {MANIFEST}: default = ["abi3"], and abi3 = ["pyo3/abi3-py3{minors()[0]}"]'
    always = sorted(each for names in pyo3().values() for each in names if each.startswith("abi3"))
    if always:
        what = f"{MANIFEST} has {', '.join(always)} at pyo3 itself, so no free-threaded wheel can be without it"
        raise problem(what, f"take it out there, and {remedy}")
    oldest = floor(stable_abi(everything_on(asked_features())), "abi3")
    if oldest is None:
        raise problem(f"{MANIFEST} has no default feature with PyO3's stable ABI from one Python on", remedy)
    return f"abi3-py3{oldest}"


def first_abi3t() -> str | None:
    """Return the first Python whose stable ABI has a free-threaded form, as Cargo.toml's feature `abi3t` says.

    None is for a package without that feature, which has no such wheel.
    """
    if "abi3t" not in features():
        return None
    oldest = floor(stable_abi(everything_on(["abi3t"])), "abi3t")
    if oldest is None:
        remedy = 'write abi3t = ["pyo3/abi3t-py315"], or take it out: then no such wheel is built'
        raise problem(f"{MANIFEST} has a feature abi3t without PyO3's", remedy)
    return f"3.{oldest}"


def features_without_abi3() -> list[str]:
    """Return the features that a wheel has without the stable ABI: those of all others, less what turns it on.

    Raises:
        ProblemsError: One of them cannot be asked for by itself.
    """
    known, seen, kept = features(), set[str](), dict[str, None]()
    waiting = asked_features()[::-1]
    while waiting:
        one = waiting.pop()
        if one in seen or any(stable_abi([one])):
            continue
        seen.add(one)
        if one == "default" or any(stable_abi(everything_on([one]))):
            waiting += known.get(one, [])[::-1]
        else:
            kept[one] = None
    for one in kept:
        if one.startswith("dep:") or "?" in one:
            what = f"{MANIFEST} turns on {one} together with the stable ABI, and cargo cannot turn it on alone"
            raise problem(what, f'give it a feature of its own, and name that: extra = ["{one}"]')
    return list(kept)


# ---- CI.yml ---------------------------------------------------------------------------------------------------------


@cache
def workflow() -> dict[str, Any]:
    """Return the jobs of CI.yml as they stand there, with expressions as they are."""
    import yaml  # noqa: PLC0415 - `make test` does without what has a compiled library

    text = read_text(ROOT, CI)
    try:
        # The loader in C, where PyYAML has it, is six times as fast.
        content = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" (at line {mark.line + 1})" if mark else ""
        raise problem(f"{CI} is no YAML: {getattr(error, 'problem', error)}{where}", "repair it, and commit") from error
    jobs = find(content, "jobs")
    if not isinstance(jobs, dict):
        raise problem(f"{CI} has no jobs", "compare it with the template's")
    return jobs


def matrix(job: str, *needed: str) -> list[dict[str, str]]:
    """Return the rows of a job of CI.yml; there they stand one by one, under `include:`.

    Args:
        job: Its name in the file.
        needed: What each row has to have, as a text.

    Raises:
        ProblemsError: It has none, or one of them is incomplete.
    """
    rows = find(workflow(), job, "strategy", "matrix", "include")
    if not isinstance(rows, list) or not rows:
        raise problem(f"{CI} has no rows at {job}.strategy.matrix.include", "write each there, as the template does")
    for number, row in enumerate(rows, start=1):
        for key in needed:
            if not isinstance(find(row, key), str):
                raise problem(f"{CI} has no {key} in row {number} of the job {job}", f"write it there: {key}: …")
    return rows


def platform_tags() -> dict[str, str]:
    """Map each target that is built for to the platform tag of its wheels, both as CI.yml says.

    The tag names the oldest system: for Linux, glibc or musl as zig links; for macOS, the deployment target.
    """
    tags = {row["target"]: row["tag"] for row in matrix("wheels", "target", "tag")}
    for target, tag in tags.items():
        if not re.fullmatch(r"[a-z0-9_]+(\.[a-z0-9_]+)*", tag):
            raise problem(f"{CI} has the tag {tag!r} for {target}, which is none", "write a platform tag of PEP 425")
    return tags


def platform_tag(triple: str) -> str:
    """Return the platform tag of a target's wheels.

    Raises:
        ProblemsError: No wheels are built for it.
    """
    tags = platform_tags()
    if triple not in tags:
        raise problem(f"no wheels are built for {triple}", f"TARGET is one of: {', '.join(tags)}")
    return tags[triple]


def deployment_target(triple: str) -> str | None:
    """Return the oldest macOS that a target's wheels are tagged for, such as `"10.12"`; None for other systems."""
    found = re.match(r"macosx_(\d+)_(\d+)_", platform_tag(triple))
    return f"{found[1]}.{found[2]}" if found else None


# ---- the files of a release -----------------------------------------------------------------------------------------

# The free-threaded CPythons that get a wheel of their own: the stable ABI has no free-threaded form before 3.15.
FREE_THREADED = ("3.14",)


def python_tags() -> dict[str, str]:
    """Map the name of the interpreter that each wheel is built for to the wheel's Python and ABI tags.

    There is none for a Python that `requires-python` does not allow.
    """
    oldest, abi3t = oldest_python(), first_abi3t()
    tags = {oldest: f"cp{oldest.replace('.', '')}-abi3"}
    for minor in FREE_THREADED:
        digits = minor.replace(".", "")
        if int(minor.removeprefix("3.")) in minors():
            tags[f"{minor}t"] = f"cp{digits}-cp{digits}t"
    if abi3t and minors()[-1] >= int(abi3t.removeprefix("3.")):
        tags[f"{abi3t}t"] = f"cp{abi3t.replace('.', '')}-abi3.abi3t"
    return tags


def require_facts() -> None:
    """Make sure, before a build, that all that it will be judged by can be read.

    Raises:
        ProblemsError: Something is missing; it says where.
    """
    native_module()
    features_without_abi3()
    for triple in platform_tags():
        for python in python_tags():
            wheel_name(python, triple)
    abi3_feature()


def sdist_name(of: Version | None = None) -> str:
    """Return the file name of the sdist of a version; default: this one."""
    return f"{file_stem()}-{of or version()}.tar.gz"


def wheel_name(python: str, triple: str, of: Version | None = None) -> str:
    """Return the file name of the wheel for an interpreter of `python_tags` and a target of `platform_tags`."""
    return f"{file_stem()}-{of or version()}-{python_tags()[python]}-{platform_tag(triple)}.whl"


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
