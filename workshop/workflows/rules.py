"""What has to hold for a workflow: every rule, and how a workflow breaks them.

What a rule states, the docstring of its function says. In brackets: the kinds of failure that it prevents, of the
letters A workflow, I installation, L Linux and macOS, M maturin, O trusted publishing, P PyPI, R supply chain, S sdist,
U upload, Y Python's ABI.
"""

from collections.abc import Iterable

import yaml

from roadworthy.project import Project
from roadworthy.terminal import Problem, ProblemsError
from workshop.workflows import rules_of_build, rules_of_hygiene, rules_of_release
from workshop.workflows.pipeline import Pipeline

RULES = {rule.__name__: rule for each in (rules_of_build, rules_of_hygiene, rules_of_release) for rule in each.RULES}


def broken(name: str, pipeline: Pipeline) -> list[str]:
    """Return how a workflow breaks a rule. A workflow that GitHub would refuse, or that lacks a job, breaks it too."""
    try:
        return list(RULES[name](pipeline))
    except (LookupError, ValueError, TypeError, AttributeError, yaml.YAMLError) as error:
        return [f"it cannot be evaluated: {type(error).__name__}: {error}"]


def require_rules(project: Project, names: Iterable[str] = RULES) -> None:
    """Make sure that the workflow that publishes keeps every rule.

    Raises:
        ProblemsError: It breaks some; there is a problem for each way.
    """
    pipeline = Pipeline.of(project)
    problems = [
        Problem(f"{project.workflow_path}: {what}", f"the rule is: {rule_text(name)}")
        for name in names
        for what in broken(name, pipeline)
    ]
    if problems:
        raise ProblemsError(problems)


def rule_text(name: str) -> str:
    """Return what must hold, in one sentence or two."""
    return " ".join((RULES[name].__doc__ or name).split())
