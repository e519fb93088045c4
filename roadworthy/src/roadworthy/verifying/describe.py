"""Tell, as JSON in a file, what is installed and what an import really loads.

Run with the `-I` of an interpreter under test, in an empty folder: standard library only. It only tells; proofs judge.
What a package prints, or does to stdout, is its own affair: nobody reads that.

usage: python -I describe.py DISTRIBUTION NATIVE_MODULE FILE
"""

import hashlib
import importlib
import json
import os
import sys
import sysconfig
import traceback
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from importlib.machinery import all_suffixes
from importlib.metadata import distribution
from pathlib import Path
from typing import Any


def gil_enabled() -> bool:
    """Say whether this interpreter's threads take turns."""
    return bool(getattr(sys, "_is_gil_enabled", lambda: True)())


def describe(name: str) -> dict[str, Any]:
    """Return the facts about a distribution, as if its import had ended this interpreter."""
    installed = distribution(name)
    root, prefix = Path(str(installed.locate_file(""))).resolve(), Path(sys.prefix).resolve()
    listed = sorted({Path(str(installed.locate_file(file))).resolve() for file in installed.files or []})
    return {
        "free_threaded": bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
        "gil_after": gil_enabled(),
        "gil_warnings": [],
        "version": installed.version,
        "wheel": installed.read_text("WHEEL") or "",
        "metadata": installed.read_text("METADATA") or "",
        "entry_points": [[each.group, each.name, each.value] for each in installed.entry_points],
        # By its path below the folder that is imported from, the SHA-256 of each file, as it is on the disk.
        "files": {
            path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in listed
            if path.is_relative_to(root) and path.is_file() and "__pycache__" not in path.parts
        },
        # What was installed outside that folder, relative to the environment.
        "elsewhere": [
            Path(os.path.relpath(path, prefix)).as_posix() for path in listed if not path.is_relative_to(root)
        ],
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
    except BaseException as error:  # noqa: BLE001 - whatever ends the import is what is to be told
        facts["import_error"] = traceback.format_exception_only(error)[-1].strip()
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
    parts = [file.partition(".") for file in files if file.startswith(f"{package}/")]
    modules = {module.removesuffix("/__init__") for module, _, suffix in parts if f".{suffix}" in all_suffixes()}
    loaders: dict[str, Callable[[], Any]] = {
        f"import {module.replace('/', '.')}": partial(importlib.import_module, module.replace("/", "."))
        for module in modules
        if not module.endswith("/__main__")
        and module.replace("/", "").isidentifier()
        # Other folders hold data.
        and all(f"{folder}/__init__.py" in files for folder in map(Path.as_posix, list(Path(module).parents)[:-1]))
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
