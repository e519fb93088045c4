"""Mistakes in a workflow made by rule: every key, item, word, number, condition is dropped, negated, swapped, weakened.

The operators know nothing of CI.yml. They walk its tree, so they meet places that nobody thought of; each edit is made
in the text, where the node stands, so that everything else stays as it was, comments too.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import yaml

LOADER: Any = getattr(yaml, "CLoader", yaml.Loader)
EXPRESSION = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)
# What people write at a step or a job that has none of it.
ADDED = {
    "step": {
        "if": ["always()", "false", "failure()", "github.event_name == 'push'", "github.event_name != 'pull_request'"],
        "continue-on-error": ["true"],
        "shell": ["sh"],
        "working-directory": ["python"],
        "timeout-minutes": ["1"],
        "env": ["{ PYTHONPATH: . }"],
    },
    "job": {
        "if": ["always()", "${{ !cancelled() }}", "github.event_name == 'push'", "github.repository_owner == 'owner'"],
        "continue-on-error": ["true"],
        "needs": ["identify", "lint", "publish-pypi"],
        "env": ["{ PYTHON_GIL: 0 }"],
        "container": ["alpine"],
        "concurrency": ["publish"],
        "environment": ["pypi"],
        "defaults": ["{ run: { shell: sh } }"],
        "outputs": ["{ code: 'true' }"],
    },
    "workflow": {
        "env": ["{ UV_OFFLINE: 1 }"],
        "run-name": ["Release"],
    },
    "with": {"x": ["1"]},
    "env": {"X": ["1"]},
    "permissions": {
        "packages": ["write # to send"],
        "id-token": ["write # to publish"],
        "contents": ["write # to push"],
    },
    "matrix": {"exclude": ["[{ runner: ubuntu-24.04 }]"]},
    "strategy": {"max-parallel": ["1"]},
    "on": {"schedule": ["[{ cron: '0 0 * * 0' }]"], "workflow_call": ["{}"], "release": ["{ types: [published] }"]},
}


@dataclass(frozen=True)
class Change:
    """A change of a workflow: what was done, where (`jobs/lint/steps/2/run`), and the text that it makes."""

    what: str
    where: str
    text: str

    @property
    def name(self) -> str:
        """How it is called in a list."""
        return f"{self.where}: {self.what}"


@dataclass(frozen=True)
class Tree:
    """A workflow as text, and the nodes of it."""

    text: str

    @cached_property
    def root(self) -> yaml.Node:
        """The whole."""
        return yaml.compose(self.text, Loader=LOADER) or yaml.ScalarNode("", "")

    @cached_property
    def values(self) -> dict[str, list[str]]:
        """What stands under each key anywhere, as it is written: what one is mistaken for."""
        found: dict[str, list[str]] = {}
        for path, node in self.walk():
            if isinstance(node, yaml.ScalarNode) and not node.style and path:
                found.setdefault(_key_of(path), []).append(node.value)
        return {key: list(dict.fromkeys(values)) for key, values in found.items()}

    def walk(
        self, node: yaml.Node | None = None, path: tuple[str, ...] = ()
    ) -> Iterator[tuple[tuple[str, ...], yaml.Node]]:
        """All nodes, each with the keys and numbers that lead to it."""
        node = node or self.root
        yield path, node
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                # What an alias stands for, stands elsewhere.
                if value.start_mark.index >= key.end_mark.index:
                    yield from self.walk(value, (*path, key.value))
        elif isinstance(node, yaml.SequenceNode):
            for number, value in enumerate(node.value):
                yield from self.walk(value, (*path, str(number)))

    def changes(self) -> Iterator[Change]:
        """All changes that the operators make, each once."""
        seen = {self.text}
        for path, node in self.walk():
            for what, text in self._changes(path, node):
                if text not in seen:
                    seen.add(text)
                    yield Change(what, "/".join(path) or "all", text)

    def _changes(self, path: tuple[str, ...], node: yaml.Node) -> Iterator[tuple[str, str]]:
        if isinstance(node, yaml.ScalarNode):
            for what, value in _other_scalars(path, node, self.values):
                begin, end = node.start_mark.index, node.end_mark.index
                yield what, self._with(begin, end, _written(self.text[begin:end], node, value, self._indent(node)))
            return
        parts = [self._lines(pair[0] if isinstance(pair, tuple) else pair, pair) for pair in node.value]
        if isinstance(node, yaml.CollectionNode) and node.flow_style:
            yield from self._of_flow(node)
        else:
            yield from self._of_block(node, parts)
        if isinstance(node, yaml.MappingNode):
            yield from self._of_keys(path, node)

    def _of_flow(self, node: yaml.Node) -> Iterator[tuple[str, str]]:
        """Drop, in braces or brackets, each part; a list's repeat nothing, and have no order that counts."""
        begin, end = node.start_mark.index, node.end_mark.index
        parts = [
            self.text[pair[0].start_mark.index : pair[1].end_mark.index]
            if isinstance(pair, tuple)
            else self.text[pair.start_mark.index : pair.end_mark.index]
            for pair in node.value
        ]
        for number, part in enumerate(parts):
            rest = ", ".join(parts[:number] + parts[number + 1 :])
            yield f"without {part}", self._with(begin, end, f"{self.text[begin]}{rest}{self.text[end - 1]}")

    def _of_block(self, node: yaml.Node, parts: list[tuple[int, int]]) -> Iterator[tuple[str, str]]:
        """Drop each key or item, with all that is under it; exchange items that follow each other; repeat an item."""
        for number, (begin, end) in enumerate(parts):
            first = self.text[begin:end].strip().splitlines()[0]
            yield f"without {first}", self._with(begin, end, "")
            if isinstance(node, yaml.SequenceNode):
                yield f"twice {first}", self._with(end, end, self.text[begin:end])
                if number:
                    before, middle = parts[number - 1]
                    text = self.text[begin:end] + self.text[middle:begin] + self.text[before:middle]
                    yield f"{first} before the one before", self._with(before, end, text)

    def _of_keys(self, path: tuple[str, ...], node: yaml.MappingNode) -> Iterator[tuple[str, str]]:
        """Misspell each key, and add what could stand there as well."""
        for key, _ in node.value:
            end = key.end_mark.index
            yield f"{key.value} misspelled", self._with(end, end, "x")
        first = node.value[0][0].start_mark if node.value else node.start_mark
        for key, values in ADDED.get(_kind_of(path), {}).items():
            if key in {each.value for each, _ in node.value} or node.flow_style:
                continue
            for value in values:
                added = f"{key}: {value}\n{' ' * first.column}"
                yield f"with {added.strip()}", self._with(first.index, first.index, added)

    def _with(self, begin: int, end: int, new: str) -> str:
        return self.text[:begin] + new + self.text[end:]

    def _lines(self, first: yaml.Node, part: "yaml.Node | tuple[yaml.Node, yaml.Node]") -> tuple[int, int]:
        """Return where the lines of a key or an item begin and end, or its own text if it shares its first line."""
        begin = self.text.rindex("\n", 0, first.start_mark.index) + 1 if first.start_mark.line else 0
        last = part[1] if isinstance(part, tuple) and part[1].start_mark.index > first.start_mark.index else first
        # libyaml counts what stands before the next one to a mapping or a list.
        end = len(self.text[: (part if isinstance(part, yaml.Node) else last).end_mark.index].rstrip(" "))
        # The key of an item's first line: what follows takes its place after the dash.
        if self.text[begin : first.start_mark.index].strip() == "-" and isinstance(part, tuple):
            begin = first.start_mark.index
            after = self.text.find("\n", end - 1) + 1 if self.text[end - 1] != "\n" else end
            return begin, after + len(self.text[after:]) - len(self.text[after:].lstrip(" "))
        return begin, end if self.text[end - 1] == "\n" else self.text.index("\n", end) + 1

    def _indent(self, node: yaml.Node) -> int:
        line = self.text[self.text.rindex("\n", 0, node.start_mark.index) + 1 :] if node.start_mark.line else self.text
        return len(line) - len(line.lstrip(" -"))


def _key_of(path: tuple[str, ...]) -> str:
    return next((part for part in reversed(path) if not part.isdigit()), "")


def _kind_of(path: tuple[str, ...]) -> str:
    if not path:
        return "workflow"
    if len(path) == 2 and path[0] == "jobs":
        return "job"
    if len(path) == 4 and path[2] == "steps":
        return "step"
    return path[-1]


def _written(old: str, node: yaml.ScalarNode, value: str, indent: int) -> str:
    """Return a value as YAML, in the style of what stood there."""
    if node.style in ("|", ">"):
        lines = "".join(f"{' ' * (indent + 2)}{line}\n" for line in value.splitlines())
        return f"{old.splitlines()[0]}\n{lines}"
    if node.style == '"':
        return f'"{value}"'
    return "'" + value.replace("'", "''") + "'" if _special(value) else value


def _special(value: str) -> bool:
    return value == "" or value[0] in "!&*[]{}>|%@`\"'#," or ": " in value or " #" in value


def _other_scalars(
    path: tuple[str, ...], node: yaml.ScalarNode, values: dict[str, list[str]]
) -> Iterator[tuple[str, str]]:
    """Return what could stand there in place of a value."""
    text, key = node.value, _key_of(path)
    if text in ("true", "false"):
        yield "negated", {"true": "false", "false": "true"}[text]
    elif re.fullmatch(r"\d+", text):
        for number in dict.fromkeys([0, 1, int(text) // 3, int(text) * 20]):
            yield f"{number} in place of {text}", str(number)
    elif key == "if" or "${{" in text:
        yield from _other_conditions(text)
    else:
        words = text.split()
        if len(words) > 1:
            for number, word in enumerate(words):
                gap = "\n" if node.style == "|" else " "
                yield f"without {word}", gap.join(words[:number] + words[number + 1 :])
                yield f"{word}x", gap.join([*words[:number], f"{word}x", *words[number + 1 :]])
        else:
            yield "more of it", f"{text}x"
            yield "in capitals", text.upper()
            yield "nothing", ""
            for other in values.get(key, [])[:4]:
                yield f"{other} in place of {text}", other


def _other_conditions(text: str) -> Iterator[tuple[str, str]]:
    """Return the conditions and expressions that one is mistaken for."""
    inner = EXPRESSION.search(text)
    begin, end = (inner.start(1), inner.end(1)) if inner else (0, len(text))
    body = text[begin:end].strip()

    def put(new: str) -> str:
        return f"{text[:begin]} {new} {text[end:]}" if inner else new

    for whole in (
        "true",
        "false",
        "always()",
        "failure()",
        "''",
        f"!({body})",
        f"always() && ({body})",
        f"success() && ({body})",
    ):
        yield f"{whole if len(whole) < 20 else whole[:12] + '…'} in place of all", put(whole)
    swaps = {"&&": "||", "||": "&&", "==": "!=", "!=": "==", "!": "", "(": "", "'": "'x", "always()": "success()"}
    swaps |= {"cancelled()": "failure()", "github.": "gitlab.", "needs.": "need.", ".result": ".outcome"}
    swaps |= {"ref_type": "ref_name", "event_name": "event", "inputs.": "github.event.inputs.", "steps.": "step."}
    for old, new in swaps.items():
        for found in re.finditer(re.escape(old), body):
            yield (
                f"{new or 'nothing'} in place of {old} at {found.start()}",
                put(body[: found.start()] + new + body[found.end() :]),
            )
    for part in re.split(r"&&|\|\|", body):
        for joined in (f"{part}&&", f"{part}||", f"&&{part}", f"||{part}"):
            if joined in body:
                yield f"without {joined.strip()}", put(body.replace(joined, " ", 1))
    for found in re.finditer(r"'(\w[\w-]*)'", body):
        for other in (
            "push",
            "pull_request",
            "tag",
            "branch",
            "failure",
            "success",
            "skipped",
            "true",
            "false",
            "pypi",
        ):
            yield f"'{other}' in place of {found[0]}", put(f"{body[: found.start()]}'{other}'{body[found.end() :]}")
