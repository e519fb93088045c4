"""Files of a project, and the tables in them. What these may say is what pip, maturin and cargo read."""

from pathlib import Path
from typing import Any

from roadworthy.terminal import problem


def read_text(folder: Path, name: str) -> str:
    """Return the text of a file below a folder; ProblemsError where it is not there, or no UTF-8."""
    try:
        return (folder / name).read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError) as error:
        raise problem(f"{name} is missing", "put it back, and commit") from error
    except UnicodeDecodeError as error:
        raise problem(f"{name} is not UTF-8", "save it as UTF-8, and commit") from error


def parse_toml(name: str, text: str) -> dict[str, Any]:
    """Return the content of a TOML file; ProblemsError where it is none: the parser says in which line."""
    if text.startswith("\ufeff"):
        # Cargo reads such a file; pip, and all else that is written in Python, does not.
        raise problem(f"{name} begins with a mark for its encoding", "save it as UTF-8 without that (BOM), and commit")
    import tomli  # noqa: PLC0415 - a refusal of a command line reads no file

    try:
        return tomli.loads(text)
    except tomli.TOMLDecodeError as error:
        raise problem(f"{name} is no TOML: {error}", "repair it, and commit") from error


def find(table: Any, *keys: str) -> Any:  # noqa: ANN401 - whatever stands there
    """Return what stands in a table at a path of keys, or None."""
    for key in keys:
        table = table.get(key) if isinstance(table, dict) else None
    return table


def find_table(table: Any, *keys: str) -> dict[str, Any]:  # noqa: ANN401 - whatever stands there
    """Return the table that stands there; an empty one for anything else."""
    found = find(table, *keys)
    return found if isinstance(found, dict) else {}


def package_of(manifest: dict[str, Any]) -> dict[str, Any]:
    """Return the table [package] of a Cargo.toml, with what it inherits from its own [workspace.package]."""
    shared, package = find_table(manifest, "workspace", "package"), find_table(manifest, "package")
    return {key: shared.get(key) if find(value, "workspace") else value for key, value in package.items()}
