"""Tell, as JSON in a file, what is installed and what an import really loads.

Run with the `-I` of an interpreter under test, in an empty folder: standard library only. It only tells; proofs judge.
What a package prints, or does to stdout, is its own affair: nobody reads that.

usage: python -I describe.py DISTRIBUTION NATIVE_MODULE FILE
"""

import hashlib
import importlib
import json
import os
import platform
import sys
import sysconfig
import traceback
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from importlib.machinery import all_suffixes
from importlib.metadata import Distribution, distribution, distributions
from pathlib import Path
from typing import Any


def gil_enabled() -> bool:
    """Say whether this interpreter's threads take turns."""
    return bool(getattr(sys, "_is_gil_enabled", lambda: True)())


def describe_files(installed: Distribution) -> dict[str, str]:
    """Map each installed file, relative to the folder of installation, to its SHA-256 in hexadecimal."""
    root = Path(str(installed.locate_file(""))).resolve()
    listed = {Path(str(installed.locate_file(file))).resolve() for file in installed.files or []}
    tops = {path.relative_to(root).parts[0] for path in listed if path.is_relative_to(root)}
    found = {path for top in tops for path in (root / top).rglob("*") if path.is_file()} - list_others(installed, tops)
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(found | {path for path in listed if path.is_file() and path.is_relative_to(root)})
        if "__pycache__" not in path.parts
    }


def list_elsewhere(installed: Distribution) -> list[str]:
    """Return what was installed outside the folder that is imported from, relative to the environment."""
    root, prefix = Path(str(installed.locate_file(""))).resolve(), Path(sys.prefix).resolve()
    listed = {Path(str(installed.locate_file(file))).resolve() for file in installed.files or []}
    return sorted(Path(os.path.relpath(path, prefix)).as_posix() for path in listed if not path.is_relative_to(root))


def list_others(installed: Distribution, tops: set[str]) -> set[Path]:
    """Return what other distributions have put into folders that they share with this one, such as a namespace."""
    record = installed.read_text("RECORD")
    others = [other for other in distributions() if other.read_text("RECORD") != record]
    return {
        Path(str(other.locate_file(file))).resolve()
        for other in others
        for file in other.files or []
        if file.parts[0] in tops
    }


def describe(name: str) -> dict[str, Any]:
    """Return the facts about a distribution, as if its import had ended this interpreter."""
    installed = distribution(name)
    return {
        "python": platform.python_version(),
        "platform": sysconfig.get_platform(),
        "prefix": sys.prefix,
        "free_threaded": bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
        "gil_before": gil_enabled(),
        "gil_after": gil_enabled(),
        "gil_warnings": [],
        "version": installed.version,
        "wheel": installed.read_text("WHEEL") or "",
        "metadata": installed.read_text("METADATA") or "",
        "entry_points": [[each.group, each.name, each.value] for each in installed.entry_points],
        "files": describe_files(installed),
        "elsewhere": list_elsewhere(installed),
        "sitecustomize": getattr(sys.modules.get("sitecustomize"), "__file__", None),
        "import_error": "it ended the interpreter",
        "modules": {},
        "broken": {},
    }


def describe_import(native: str) -> dict[str, Any]:
    """Import the package of an extension module, and the module, and return the facts about that."""
    facts: dict[str, Any] = {"import_error": None}
    package = native.split(".", maxsplit=1)[0]
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            importlib.import_module(package)
            module = importlib.import_module(native)
    except BaseException:  # noqa: BLE001 - whatever ends the import is what is to be told
        facts["import_error"] = traceback.format_exc()
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
    """Import every module of a package that is no program, load every entry point, and yield the facts before each.

    What cannot be loaded is in `broken`, by what it is: why, and the module that it misses, unless it is one of Python
    that another system or version has.
    """
    files: dict[str, str] = facts["files"]
    parts = [file.partition(".") for file in files]
    modules = {module.removesuffix("/__init__") for module, _, suffix in parts if f".{suffix}" in all_suffixes()}
    inside = {
        module.replace("/", ".")
        for module in modules
        if module.startswith(f"{package}/")
        and not module.endswith("/__main__")
        and module.replace("/", "").isidentifier()
        # Other folders hold data.
        and all(f"{folder}/__init__.py" in files for folder in map(Path.as_posix, list(Path(module).parents)[:-1]))
    }
    loaders: dict[str, Callable[[], Any]] = {
        f"import {each}": partial(importlib.import_module, each) for each in inside
    }
    for each in distribution(name).entry_points:
        loaders[f"the entry point {each.name} = {each.value}"] = each.load
    for what, load in sorted(loaders.items()):
        facts["broken"][what] = ["it ended the interpreter", None]
        yield facts
        try:
            load()
        except BaseException as error:  # noqa: BLE001 - the same
            missing = error.name if isinstance(error, ModuleNotFoundError) else None
            if missing not in sys.stdlib_module_names:
                facts["broken"][what] = [traceback.format_exception_only(error)[-1].strip(), missing]
                continue
        del facts["broken"][what]
    yield facts


def main(name: str, native: str, file: str) -> None:
    """Write the facts before the import, and again after it, if it comes back, and before all else that is loaded."""
    facts = describe(name)
    Path(file).write_text(json.dumps(facts), encoding="utf-8")
    facts.update(describe_import(native))
    for known in load_all(facts, name, native.split(".", maxsplit=1)[0]) if facts["import_error"] is None else [facts]:
        Path(file).write_text(json.dumps(known), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
