"""The rows of a job's matrix."""

from collections.abc import Mapping
from itertools import product
from typing import Any

from workshop.workflows.expressions import Scope, shared, strings


def expand_matrix(strategy: Mapping[str, Any] | None, scope: Scope | None = None) -> list[dict[str, Any]]:
    """Return the rows of a job's matrix, in GitHub's order; one empty row if there is no matrix.

    Args:
        strategy: The job's `strategy:`.
        scope: What expressions in it can see.

    Raises:
        ValueError: The matrix has no row, excludes by a key that it does not have, or is not known entirely.
    """
    return [row for row, _ in named_rows(strategy, scope or Scope({}))]


def named_rows(strategy: Mapping[str, Any] | None, scope: Scope) -> list[tuple[dict[str, Any], list[Any]]]:
    """Return each row with what of it stands in the job's name."""
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
    rows: list[tuple[dict[str, Any], list[Any]]] = [
        (dict(row), list(row.values()))
        for row in originals
        if not any(_agree(entry, row) for entry in matrix.get("exclude", []))
    ]
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
