"""The rows of a job's matrix."""

from collections.abc import Mapping
from itertools import product
from typing import Any

from workshop.workflows.expressions import Scope, shared, strings


def named_rows(strategy: Mapping[str, Any] | None, scope: Scope) -> list[tuple[dict[str, Any], list[Any]]]:
    """Return the rows of a job's matrix, in GitHub's order, each with what of it stands in the job's name.

    Without a matrix that is one empty row.

    Raises:
        ValueError: The matrix has no row, excludes by a key that it does not have, or is not known entirely.
    """
    if not strategy or "matrix" not in strategy:
        return [({}, [])]
    matrix = shared().fill(strategy["matrix"], "strategy", scope)
    if any("${{" in text for text in strings(matrix)):
        raise ValueError(f"it takes more to tell the rows of {matrix}")
    vectors = {key: values for key, values in matrix.items() if key not in ("include", "exclude")}
    if no_lists := [key for key, values in vectors.items() if not isinstance(values, list)]:
        raise ValueError(f"no list in the matrix: {', '.join(no_lists)}")
    for entry in matrix.get("exclude", []):
        if unknown := entry.keys() - vectors.keys():
            raise ValueError(f"exclude: the matrix has no {', '.join(sorted(unknown))}")
    originals = [dict(zip(vectors, values, strict=True)) for values in product(*vectors.values())] if vectors else []
    excluded = matrix.get("exclude", [])
    rows = [(row, list(row.values())) for row in originals if not any(_agree(entry, row) for entry in excluded)]
    added: list[tuple[dict[str, Any], list[Any]]] = []
    for entry in matrix.get("include", []):
        wanted = {key: value for key, value in entry.items() if key in vectors}
        # What an earlier entry has added is not looked at, and overwritten.
        fitting = [row for row, _ in rows if _agree(wanted, row)]
        for row in fitting:
            row.update(entry)
        if not fitting:
            added.append((dict(entry), list(entry.values())))
    if not rows + added:
        raise ValueError(f"the matrix has no row: {matrix}")
    return rows + added


def _agree(entry: Mapping[str, Any], row: Mapping[str, Any]) -> bool:
    return all(row[key] == value for key, value in entry.items())
