"""Tell, as JSON in a file, what is installed and what an import really loads.

Run with the `-I` of an interpreter under test, in an empty folder: standard library only. It only tells; proofs judge.
What a package prints, or does to stdout, is its own affair: nobody reads that.

usage: python -I describe.py DISTRIBUTION NATIVE_MODULE FILE
"""

import hashlib
import importlib
import json
import platform
import sys
import sysconfig
import traceback
import warnings
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
        "files": describe_files(installed),
        "sitecustomize": getattr(sys.modules.get("sitecustomize"), "__file__", None),
        "import_error": "it ended the interpreter",
        "modules": {},
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


def main(name: str, native: str, file: str) -> None:
    """Write the facts before the import, and again after it, if it comes back."""
    facts = describe(name)
    Path(file).write_text(json.dumps(facts), encoding="utf-8")
    Path(file).write_text(json.dumps({**facts, **describe_import(native)}), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
