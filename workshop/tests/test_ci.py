"""CI.yml keeps every rule; which rule each function states, its docstring says."""

import pytest

from helpers import PROJECT
from platforms import ALL_RULES
from workshop.workflows.pipeline import Pipeline
from workshop.workflows.rules import broken
from workshop.workflows.rules_of_hygiene import ACTIONS

CI = Pipeline.of(PROJECT)
WORKSHOP = Pipeline.of(PROJECT, ".github/workflows/workshop.yml")
# What holds for a workflow that publishes nothing, too.
GENERAL = (
    "actions_are_pinned_and_known",
    "expressions_reach_no_shell",
    "free_threading_is_left_to_the_interpreter",
    "jobs_end_and_run_on_known_machines",
    "only_locked_tools_are_used",
    "rights_are_granted_one_by_one",
    "steps_are_commands_of_a_laptop",
    "the_shell_ends_at_the_first_error",
)


@pytest.mark.parametrize("name", sorted(ALL_RULES))
def test_ci_keeps(name: str) -> None:
    assert broken(ALL_RULES[name], CI) == []


@pytest.mark.parametrize("name", GENERAL)
def test_the_workflow_of_the_workshop_keeps(name: str) -> None:
    assert broken(ALL_RULES[name], WORKSHOP) == []


def test_the_workflow_of_the_workshop_runs_what_no_copy_has() -> None:
    assert set(WORKSHOP.workflow["on"]) == {"pull_request", "push"}
    for command in ("make rehearse", "make test-tooling", "make check-lock"):
        assert WORKSHOP.one(command) in {"rehearse", "test"}
        assert CI.doing(command) == []


def test_every_action_that_is_used_is_known() -> None:
    assert all(len(commit) == 40 for commit, _ in ACTIONS.values())
