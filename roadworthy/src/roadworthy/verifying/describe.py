"""Tell, as JSON in a file, what is installed and what an import loads; proofs judge. Standard library only.

usage, in an empty folder: python -I describe.py DISTRIBUTION NATIVE_MODULE FILE
"""

import ast
import hashlib
import importlib.util
import json
import os
import pkgutil
import re
import sys
import sysconfig
import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator
from functools import partial, reduce
from importlib.machinery import all_suffixes
from importlib.metadata import Distribution, distribution
from keyword import iskeyword
from pathlib import Path
from typing import Any

# What pytest takes for tests by itself, which need more than the package does.
TESTS = re.compile(r"/(tests/.+|conftest\.py|test_[^/]*\.py|[^/]*_test\.py)$")


def gil_enabled() -> bool:
    """Say whether this interpreter's threads take turns."""
    return bool(getattr(sys, "_is_gil_enabled", lambda: True)())


def describe(name: str) -> dict[str, Any]:
    """Return the facts about a distribution and its package, as if the import had ended this interpreter."""
    installed = distribution(name)
    root, prefix = Path(str(installed.locate_file(""))).resolve(), Path(sys.prefix).resolve()
    listed = sorted({Path(str(installed.locate_file(file))).resolve() for file in installed.files or []})
    inside = [path for path in listed if path.is_relative_to(root)]
    return {
        "free_threaded": bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
        "gil_after": gil_enabled(),
        "gil_warnings": [],
        "version": installed.version,
        "wheel": installed.read_text("WHEEL") or "",
        "metadata": installed.read_text("METADATA") or "",
        "entry_points": [[each.group, each.name, each.value] for each in installed.entry_points],
        # By its path below the folder that is imported from, the SHA-256 of each file, as it is on the disk.
        "files": {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in named(root, inside)},
        # What was installed outside that folder, relative to the environment.
        "elsewhere": [Path(os.path.relpath(path, prefix)).as_posix() for path in listed if path not in inside],
        "import_error": "it ended the interpreter",
        "modules": {},
        "broken": {},
        "loaded": [],
        "refused": {},
        "untyped": False,
        "written": [],
    }


def named(root: Path, paths: Iterable[Path]) -> Iterator[tuple[str, Path]]:
    """Yield the files among some paths, each with its path below a folder, without bytecode."""
    return ((p.relative_to(root).as_posix(), p) for p in paths if p.is_file() and "__pycache__" not in p.parts)


def times(root: Path) -> set[tuple[str, int]]:
    """Return the files below a folder, each with the time at which it was written."""
    return {(name, path.stat().st_mtime_ns) for name, path in named(root, root.rglob("*"))}


def explain(error: BaseException) -> str:
    """Return what an exception says, in so many words."""
    return traceback.format_exception_only(error)[-1].strip()[:1_000]


def describe_import(package: str, native: str) -> dict[str, Any]:
    """Import a package and its extension module, and return the facts about that."""
    facts: dict[str, Any] = {"import_error": None}
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            facts["says_version"] = str(getattr(importlib.import_module(package), "__version__", None))
            module = importlib.import_module(native)
    except BaseException as error:  # noqa: BLE001 - whatever ends the import is what is to be told
        facts["import_error"] = explain(error)
    else:
        facts["build_profile"] = getattr(module, "BUILD_PROFILE", None)
    facts["gil_after"] = gil_enabled()
    # Of several modules that need it, the interpreter names the first.
    facts["gil_warnings"] = [str(one.message) for one in caught if "global interpreter lock" in str(one.message)]
    facts["modules"] = {
        key: getattr(module, "__file__", None)
        for key, module in sys.modules.items()
        if key == package or key.startswith(f"{package}.")
    }
    return facts


def load_all(facts: dict[str, Any], name: str, package: str) -> Iterator[dict[str, Any]]:
    """Import every module of a package, try all that it promises beside, and yield the facts before each."""
    root = Path(str(distribution(name).locate_file(""))).resolve()
    before = times(root)
    for what, load in promises(facts, distribution(name), root, package):
        facts["broken"][what] = ["it ended the interpreter", None]
        yield facts
        try:
            load()
        except BaseException as error:  # noqa: BLE001 - the same
            del facts["broken"][what]
            missing = missing_module(error)
            if type(error) is ImportError and error.name is None and missing is None:
                facts["refused"][what] = explain(error)
            # Another system or version of Python may have it.
            elif missing not in sys.stdlib_module_names:
                facts["broken"][what] = [explain(error), missing]
        else:
            del facts["broken"][what]
            facts["loaded"].append(what)
    facts["written"] = sorted({file for file, _ in before ^ times(root)})
    yield facts


def missing_module(error: BaseException | None) -> str | None:
    """Return the name of the module that is not there, also where another ImportError says so in its own words."""
    while type(error) is ImportError and error.name is None:
        error = error.__cause__ or error.__context__
    return error.name if isinstance(error, ModuleNotFoundError) else None


def promises(
    facts: dict[str, Any], installed: Distribution, root: Path, package: str
) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Yield what an installation promises, in words, and how each is tried: modules, entry points, stubs, imports."""
    files = sorted(
        file for file in facts["files"] if file.startswith(f"{package}/") and is_module(file, facts["files"])
    )
    named = {file: file.partition(".")[0].removesuffix("/__init__").replace("/", ".") for file in files}
    stubs = [file for file in files if file.endswith(".pyi")]
    for module in sorted({named[file] for file in named.keys() - stubs}):
        yield f"import {module}", partial(load_module, module)
    for each in installed.entry_points:
        yield f"the entry point {each.name} = {each.value}", partial(load_entry_point, each)
    for file in stubs:
        yield f"the stub {file}", partial(compare_stub, root / file, named[file])
    loaded = [file for file in files if file.endswith(".py") and f"import {named[file]}" in facts["loaded"]]
    trees = {file: ast.parse((root / file).read_bytes()) for file in loaded}
    nodes = [node for tree in trees.values() for node in ast.walk(tree)]
    functions = len(files) > len(stubs) + len(loaded) or any(isinstance(node, ast.FunctionDef) for node in nodes)
    annotated = any(getattr(node, "annotation", None) or getattr(node, "returns", None) for node in nodes)
    facts["untyped"] = functions and not annotated and not stubs
    for file, tree in trees.items():
        for module in sorted({name.partition(".")[0] for node in certain(tree) for name in imported(node)}):
            yield f"the import of {module} in {file}", partial(find_module, module)


def is_module(file: str, files: Iterable[str]) -> bool:
    """Say whether a file is a module or its stub, in a package: other folders hold data, and tests are run."""
    stem, _, suffix = file.partition(".")
    named = all(part.isidentifier() and not iskeyword(part) for part in stem.split("/"))
    known = f".{suffix}" in {*all_suffixes(), ".pyi"} and named and not TESTS.search(file)
    folders = [folder.as_posix() for folder in list(Path(file).parents)[:-1]]
    return known and all(f"{folder}/__init__.py" in files or f"{folder}/__init__.pyi" in files for folder in folders)


def certain(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes of a tree that hold for every system and Python: below no condition, and no error is caught."""
    for node in ast.iter_child_nodes(tree):
        if not isinstance(node, ast.If | ast.Try | ast.With):
            yield node
            yield from certain(node)


def imported(node: ast.AST) -> list[str]:
    """Return the modules that a node imports by their whole names."""
    if isinstance(node, ast.ImportFrom):
        return [node.module] if node.module and not node.level else []
    return [each.name for each in node.names] if isinstance(node, ast.Import) else []


def find_module(name: str) -> None:
    """Make sure that a module could be imported, without doing it."""
    if name not in {*sys.modules, *sys.stdlib_module_names} and importlib.util.find_spec(name) is None:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def compare_stub(file: Path, name: str) -> None:
    """Make sure that a module has what its stub says without a condition, by the rules of mypy's stubtest."""
    try:
        module: Any = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        if is_private(name.rpartition(".")[2]):
            return  # for type checkers alone
        # An extension module can have others in it that no import finds.
        module = pkgutil.resolve_name(name)
    absent, paths = object(), promised(ast.parse(file.read_bytes()))
    # What has no such attribute has none of its attributes either.
    found = {path: reduce(lambda it, part: getattr(it, part, absent), path.split("."), module) for path in paths}
    if gone := [path for path, it in found.items() if it is absent]:
        raise AttributeError(f"{name} has no {', '.join(gone)}")


def is_private(name: str) -> bool:
    """Say whether a name is for its module alone."""
    return name.startswith("_") and not name.endswith("__")


def promised(tree: ast.Module) -> Iterator[str]:
    """Yield the public names of a stub, and those of the methods of its classes: attributes may come with an object."""
    for node in tree.body:
        name = getattr(node, "name", None) or getattr(getattr(node, "target", None), "id", "_")
        if (
            isinstance(name, str)
            and not is_private(name)
            and "type_check_only" not in map(ast.unparse, getattr(node, "decorator_list", ()))
        ):
            yield name
            methods = [each.name for each in getattr(node, "body", ()) if isinstance(each, ast.FunctionDef)]
            yield from (f"{name}.{each}" for each in methods if not each.startswith("_"))


def load_module(name: str) -> None:
    """Import a module with all that it says it exports; a program is only compiled."""
    if name.endswith(".__main__"):
        importlib.util.find_spec(name).loader.get_code(name)  # type: ignore[union-attr]
    else:
        exec(f"from {name} import *", {})  # noqa: S102 - what an interpreter makes of __all__ is what counts


def load_entry_point(point: Any) -> None:  # noqa: ANN401 - importlib's
    """Load an entry point, which has to be something that can be called where a script calls it."""
    found = point.load()
    if point.group in {"console_scripts", "gui_scripts"} and not callable(found):
        raise TypeError(f"{point.value} cannot be called")


def main(name: str, native: str, file: str) -> None:
    """Write the facts before the import, and again after it, if it comes back, and before all else that is loaded."""
    package = native.split(".", maxsplit=1)[0]
    facts = describe(name)
    Path(file).write_text(json.dumps(facts), encoding="utf-8")
    facts.update(describe_import(package, native))
    for known in load_all(facts, name, package) if facts["import_error"] is None else [facts]:
        Path(file).write_text(json.dumps(known), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
