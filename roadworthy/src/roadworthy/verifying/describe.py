"""Tell, as JSON in a file, what is installed and what an import loads; proofs judge. Standard library only.

usage, in an empty folder: python -I describe.py DISTRIBUTION NATIVE_MODULE FILE
"""

import hashlib
import importlib.util
import json
import os
import sys
import sysconfig
import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from importlib.machinery import all_suffixes
from importlib.metadata import distribution
from pathlib import Path
from typing import Any


def gil_enabled() -> bool:
    """Say whether this interpreter's threads take turns."""
    return bool(getattr(sys, "_is_gil_enabled", lambda: True)())


def describe(name: str, package: str) -> dict[str, Any]:
    """Return the facts about a distribution and its package, as if the import had ended this interpreter."""
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
        "files": digests(root, (path for path in listed if path.is_relative_to(root))),
        # What was installed outside that folder, relative to the environment.
        "elsewhere": [
            Path(os.path.relpath(path, prefix)).as_posix() for path in listed if not path.is_relative_to(root)
        ],
        "import_error": "it ended the interpreter",
        "modules": {},
        "broken": {},
        "loaded": [],
        "folder": digests(root / package, (root / package).rglob("*")),  # others may have files there, too
        "written": [],
    }


def digests(root: Path, paths: Iterable[Path]) -> dict[str, str]:
    """Return the SHA-256 of files, by their paths below a folder."""
    files = (path for path in paths if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


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
    """Import every module of a package, compile programs, load every entry point, and yield the facts before each."""
    files: dict[str, str] = facts["files"]
    parts = [file.partition(".") for file in files if file.startswith(f"{package}/")]
    modules = {module.removesuffix("/__init__") for module, _, suffix in parts if f".{suffix}" in all_suffixes()}
    loaders: dict[str, Callable[[], Any]] = {
        f"import {module.replace('/', '.')}": partial(load_module, module.replace("/", "."))
        for module in modules
        if module.replace("/", "").isidentifier()
        # Other folders hold data.
        and all(f"{folder}/__init__.py" in files for folder in map(Path.as_posix, list(Path(module).parents)[:-1]))
    }
    for each in distribution(name).entry_points:
        loaders[f"the entry point {each.name} = {each.value}"] = partial(load_entry_point, each)
    folder = Path(str(distribution(name).locate_file(package))).resolve()
    before = facts.pop("folder")
    for what, load in sorted(loaders.items()):
        facts["broken"][what] = ["it ended the interpreter", None]
        yield facts
        try:
            load()
        except BaseException as error:  # noqa: BLE001 - the same
            missing = error.name if isinstance(error, ModuleNotFoundError) else None
            # Another system or version of Python may have it.
            if missing not in sys.stdlib_module_names:
                facts["broken"][what] = [explain(error), missing]
                continue
        else:
            facts["loaded"].append(what)
        del facts["broken"][what]
    facts["written"] = sorted({file for file, _ in before.items() ^ digests(folder, folder.rglob("*")).items()})
    yield facts


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
    facts = describe(name, package)
    Path(file).write_text(json.dumps(facts), encoding="utf-8")
    facts.update(describe_import(package, native))
    for known in load_all(facts, name, package) if facts["import_error"] is None else [facts]:
        Path(file).write_text(json.dumps(known), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
