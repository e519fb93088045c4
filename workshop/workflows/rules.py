"""What has to hold for a workflow: every rule, and how a workflow breaks them.

What a rule states, the docstring of its function says. In brackets: the kinds of failure that it prevents, of the
letters A workflow, I installation, L Linux and macOS, M maturin, O trusted publishing, P PyPI, R supply chain, S sdist,
U upload, Y Python's ABI.
"""

from collections.abc import Callable, Iterable
from inspect import isfunction

import yaml

from roadworthy.project import Project
from roadworthy.terminal import Problem, raise_problems
from workshop.workflows import rules_of_build, rules_of_hygiene, rules_of_release, rules_of_steps
from workshop.workflows.pipeline import Pipeline

Rule = Callable[[Pipeline], Iterable[str]]
# A public function of these modules is a rule.
RULES: dict[str, Rule] = {
    name: rule
    for module in (rules_of_steps, rules_of_release, rules_of_build, rules_of_hygiene)
    for name, rule in vars(module).items()
    if isfunction(rule) and rule.__module__ == module.__name__ and not name.startswith("_")
}


def broken(rule: Rule, pipeline: Pipeline) -> list[str]:
    """Return how a workflow breaks a rule. A workflow that GitHub would refuse, or that lacks a job, breaks it too."""
    try:
        return list(rule(pipeline))
    except (LookupError, ValueError, TypeError, AttributeError, yaml.YAMLError) as error:
        return [f"it cannot be evaluated: {type(error).__name__}: {error}"]


def require_rules(project: Project) -> None:
    """Make sure that the workflow that publishes keeps every rule; there is a problem for each way to break one."""
    pipeline, found = Pipeline.of(project), dict[str, Rule]()
    for rule in RULES.values():
        for what in broken(rule, pipeline):
            found.setdefault(what, rule)  # What keeps several rules from being judged is told under the first.
    raise_problems(
        # The rule is what its function says of itself, in its first line.
        Problem(f"{project.workflow_path}: {what}", f"the rule is: {str(rule.__doc__).partition(chr(10))[0]}")
        for what, rule in found.items()
    )
