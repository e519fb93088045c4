"""A workflow's file, what happens on GitHub, and whether the one's `on:` asks for the other."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

# Without `types:`, other activities of a pull request start nothing.
DEFAULT_TYPES = ("opened", "synchronize", "reopened")
# Null in events of other kinds.
OF_ONE_EVENT = ("head_commit", "inputs", "merge_group", "pull_request", "release", "schedule", "workflow_run")
# Of the context `github`, under the name that they have here.
OF_EVERY_EVENT = ("actor", "base_ref", "head_ref", "ref", "ref_name", "ref_type", "repository", "sha")
ZEROS = {"boolean": False, "number": 0}


# libyaml's is ten times as fast, and in every wheel of PyYAML.
_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_Base):  # type: ignore[misc]
    """Reads YAML as GitHub does: by the core schema of YAML 1.2, in which `on`, `yes` and `12:30` are strings."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - yaml's own, emptied

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key) for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                raise ValueError(f"{key} is defined twice, in line {node.start_mark.line + 1} and after")
        return dict(super().construct_mapping(node, deep))


for _tag, _pattern, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("int", r"[-+]?[0-9]+", "-+0123456789"),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", "-+.0123456789"),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"(?:{_pattern})\\Z"), list(_first))
_Loader.add_constructor("tag:yaml.org,2002:int", lambda _, node: int(node.value))


def load(text: str) -> dict[str, Any]:
    """Return a parsed workflow; a key that is defined twice in a mapping is a ValueError."""
    workflow: dict[str, Any] = yaml.load(text, Loader=_Loader)  # noqa: S506 - derived from SafeLoader
    return workflow


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that happens on GitHub."""

    name: str
    ref: str = "refs/heads/main"  # in full; of a pull request "refs/pull/1/merge"
    action: str = ""  # a pull request's default is "synchronize"
    head_ref: str = ""  # the branch that a pull request comes from
    base_ref: str = ""  # the branch that it is for
    sha: str = "0123456789abcdef0123456789abcdef01234567"
    repository: str = "owner/name"
    default_branch: str = "main"
    fork: bool = False  # a pull request comes from one
    draft: bool = False  # a pull request is one
    inputs: Mapping[str, Any] = field(default_factory=dict)  # what a person entered for workflow_dispatch
    run_id: int = 1000
    run_attempt: int = 1  # one more at every re-run
    actor: str = "somebody"
    variables: Mapping[str, str] = field(default_factory=dict)  # the repository's: the context `vars`

    @property
    def ref_type(self) -> str:
        """Return "tag" or "branch"."""
        return "tag" if self.ref.startswith("refs/tags/") else "branch"

    @property
    def ref_name(self) -> str:
        """Return the ref as people write it."""
        return re.sub(r"^refs/(heads|tags|pull)/", "", self.ref)

    @property
    def activity(self) -> str:
        """Return what `types:` is about."""
        return self.action or ("synchronize" if self.name == "pull_request" else "")

    @property
    def facts(self) -> dict[str, str]:
        """What of the context `github` is the same for all workflows of the repository."""
        return {
            **{key: getattr(self, key) for key in OF_EVERY_EVENT},
            "event_name": self.name,
            "repository_owner": self.repository.split("/")[0],
            "run_attempt": str(self.run_attempt),
            "run_id": str(self.run_id),
            "run_number": str(self.run_id),
            "server_url": "https://github.com",
            # Anybody who may write can run it again.
            "triggering_actor": self.actor if self.run_attempt == 1 else "another",
        }

    def github(self, workflow: Mapping[str, Any]) -> dict[str, Any]:
        """Return what is known of the context `github`."""
        return {**self.facts, "event": self._payload(workflow), "workflow": workflow.get("name", "")}

    def _payload(self, workflow: Mapping[str, Any]) -> dict[str, Any]:
        here = {"full_name": self.repository, "default_branch": self.default_branch, "fork": False}
        payload: dict[str, Any] = {key: None for key in OF_ONE_EVENT if key != self.name}
        payload["repository"] = here
        if self.activity or self.name in ("push", "schedule", "workflow_dispatch"):
            payload["action"] = self.activity or None
        if self.name == "push":
            del payload["head_commit"]
            payload |= {"ref": self.ref, "after": self.sha, "deleted": False}
        elif self.name == "workflow_dispatch":
            inputs = self.given_inputs(workflow)
            payload |= {"ref": self.ref, "inputs": {key: text_of(value) for key, value in inputs.items()}}
        elif self.name == "pull_request":
            fork = {"full_name": f"{self.actor}/{self.repository.split('/')[1]}", "fork": True} if self.fork else {}
            head = {"ref": self.head_ref, "sha": self.sha, "repo": here | fork}
            base = {"ref": self.base_ref, "repo": here}
            payload |= {"number": 1, "pull_request": {"number": 1, "draft": self.draft, "head": head, "base": base}}
        return payload

    def given_inputs(self, workflow: Mapping[str, Any]) -> dict[str, Any]:
        """Return the context `inputs`: what was entered, if the workflow takes it, and the defaults for the rest."""
        if self.name != "workflow_dispatch":
            return {}
        declared = (_filters(workflow).get("workflow_dispatch") or {}).get("inputs") or {}
        if unknown := self.inputs.keys() - declared.keys():
            raise ValueError(f"no such inputs: {', '.join(sorted(unknown))}")
        values = {}
        for name, its in declared.items():
            value = self.inputs.get(name, its.get("default", ZEROS.get(its.get("type"), "")))
            # What is of no other type is text, and so is its "false".
            values[name] = value if its.get("type") in ZEROS else text_of(value)
            options = [False, True] if its.get("type") == "boolean" else its.get("options")
            if options and name in self.inputs and values[name] not in options:
                raise ValueError(f"input {name} takes {options}, not {values[name]!r}")
        return values


def triggers(workflow: Mapping[str, Any], event: Event) -> bool:
    """Tell whether an event starts a workflow.

    Raises:
        ValueError: A filter is one that GitHub refuses, or is about paths: which ones change, is not known.
    """
    on = _filters(workflow)
    if event.name not in on:
        return False
    filters = on[event.name] if isinstance(on[event.name], Mapping) else {}
    types = filters.get("types", DEFAULT_TYPES if event.name == "pull_request" else None)
    if types is not None and event.activity not in as_list(types):
        return False
    kind, other = ("tags", "branches") if event.name == "push" and event.ref_type == "tag" else ("branches", "tags")
    wanted = _wanted(filters, kind, event.base_ref or event.ref_name)
    if wanted is None:
        # Only tags named: no push of a branch starts it; only branches named: no push of a tag.
        wanted = _wanted(filters, other, "") is None
    # Paths are not looked at when a tag is pushed.
    if wanted and kind == "branches" and _wanted(filters, "paths", "") is not None:
        raise ValueError(f"{event.name} is filtered by paths")
    return wanted


def matches(patterns: Iterable[str], name: str) -> bool:
    """Tell whether GitHub's filter patterns take a name; the last one that matches decides, `!` says no."""
    listed = as_list(patterns)
    if all(pattern.startswith("!") for pattern in listed):
        raise ValueError(f"a pattern without ! is needed beside {', '.join(listed) or 'none'}")
    found = [each for each in listed if re.fullmatch(_regex(each.removeprefix("!")), name, re.DOTALL)]
    return bool(found) and not found[-1].startswith("!")


def _regex(pattern: str) -> str:
    parts = {"*": "[^/]*", "**": ".*", "**/": "(?:.*/)?", "?": "?", "+": "+"}
    # `**/` may stand for no folder at all, if it begins a part of the path.
    tokens = re.findall(r"(?:(?<=/)|(?<!.))\*\*/|\*\*|\*|\?|\+|\[[^\]]*\]|\\.|.", pattern, re.DOTALL)
    return "".join(
        parts.get(token) or (token if token[0] == "[" else re.escape(token.removeprefix("\\") or token))
        for token in tokens
    )


def _wanted(filters: Mapping[str, Any], kind: str, name: str) -> bool | None:
    """Tell whether a name is wanted, or None if there is no such filter."""
    given = [key for key in (kind, f"{kind}-ignore") if key in filters]
    if len(given) > 1:
        raise ValueError(f"not both of {' and '.join(given)}")
    if not given:
        return None
    return matches(filters[given[0]], name) == (given == [kind])


def _filters(workflow: Mapping[str, Any]) -> dict[str, Any]:
    on = workflow["on"]
    return dict(on) if isinstance(on, Mapping) else dict.fromkeys(as_list(on))


def as_list(value: str | Iterable[str]) -> list[str]:
    """Return what may be one or several as a list."""
    return [value] if isinstance(value, str) else list(value)


def text_of(value: object) -> str:
    """Return a value as GitHub writes it where only text can be."""
    return value if isinstance(value, str) else "" if value is None else json.dumps(value)
