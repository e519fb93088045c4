"""Which rows of CI.yml are for this machine, why the others are not, and what a step is given another value of."""

from collections.abc import Mapping
from dataclasses import dataclass

import yaml

from roadworthy.building.toolchain import host_triple
from roadworthy.processes import find_uv
from roadworthy.project import Project
from roadworthy.pythons import list_pythons
from roadworthy.terminal import problem
from workshop.workflows.jobs import Row
from workshop.workflows.pipeline import RUNNERS

# They test the checkout, and not the release: a rehearsal would only take longer.
OF_THE_CHECKOUT = ("make lint", "make test", "make test-tooling")


@dataclass(frozen=True)
class Machine:
    """What this machine is: the target that it builds for, and the CPythons on it that wheels are made for."""

    triple: str
    pythons: frozenset[str]
    host: str  # the target of its own system, also where it builds for any

    @classmethod
    def here(cls, project: Project) -> "Machine":
        """Look at this machine."""
        pythons = [python for python in list_pythons(find_uv()) if project.supports(python)]
        names = frozenset(python.name for python in pythons)
        return cls(host_triple(project), names, host_triple(Project(project.root)))

    def why_not(self, row: Row) -> str:
        """Return why a row does not run here, or "" if it does."""
        commands = [step.run for step in row.steps]
        if tests := [line for line in commands if line.partition(" PACKAGE=")[0] in OF_THE_CHECKOUT]:
            return f"`{tests[0]}` is about the checkout, and can be run there"
        target = row.matrix.get("target")
        if target and target != self.triple:
            return f"builds for {target}"
        targets = row.matrix.get("wheels", "").split()
        if targets and not all(part in self.host for part in RUNNERS.get(str(row.runs_on), ())):
            return "is another system"
        if targets and self.triple not in targets:
            return f"verifies {', '.join(dict.fromkeys(word.split('@')[0] for word in targets))}"
        return ""

    def changes(self, env: Mapping[str, str]) -> dict[str, str]:
        """Return the variables of a step that have another value here, as far as the step has them."""
        here = [name for name in env.get("PYTHONS", "").split() if name in self.pythons]
        # Where none of them is, those that are will do.
        wanted = {"WHEELS": self.triple, "PYTHONS": " ".join(here or sorted(self.pythons))}
        return {name: value for name, value in wanted.items() if name in env}

    def left_out(self, env: Mapping[str, str]) -> list[str]:
        """Return what of a step's variables is not on this machine, in words."""
        images = [word for word in env.get("WHEELS", "").split() if word != self.triple]
        pythons = [name for name in env.get("PYTHONS", "").split() if name not in self.pythons]
        # An image by its tag; the digest behind it says nothing to a reader.
        found = [f"without {' in '.join(image.split('@')[:2])}, a container" for image in images]
        return [*found, f"without CPython {', '.join(pythons)}: not installed"] if pythons else found


def keep_rows(text: str, triple: str, file: str) -> str:
    """Return a workflow with one row of `wheels`, the target's: the complete set is then what this machine can build.

    Everything else stays as it is, to the letter. That there is no such row is a problem.
    """
    rows = _find_rows(file, yaml.compose(text), "jobs", "wheels", "strategy", "matrix", "include")
    starts = [row.start_mark.line for row in rows.value]
    ends = [*starts[1:], rows.end_mark.line]
    kept = [number for number, row in enumerate(rows.value) if ("target", triple) in _texts(row)]
    if not kept:
        raise problem(f"no row of {file} builds for this machine, {triple}", "rehearse on one that it builds for")
    lines = text.splitlines(keepends=True)
    (one,) = kept
    return "".join([*lines[: starts[0]], *lines[starts[one] : ends[one]], *lines[ends[-1] :]])


def _find_rows(file: str, node: yaml.Node | None, *path: str) -> yaml.SequenceNode:
    """Return the list at a path of mappings."""
    for key in path:
        pairs = node.value if isinstance(node, yaml.MappingNode) else []
        node = next((value for name, value in pairs if name.value == key), None)
    if not isinstance(node, yaml.SequenceNode):
        raise problem(f"{file} has no list at {'.'.join(path)}", "compare it with the template's")
    return node


def _texts(row: yaml.MappingNode) -> list[tuple[str, str]]:
    return [(name.value, value.value) for name, value in row.value if isinstance(value, yaml.ScalarNode)]
