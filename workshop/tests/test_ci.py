"""CI.yml keeps every rule; which rule each function states, its docstring says."""

import pytest

from helpers import PROJECT
from platforms import ALL_RULES
from workshop.workflows.events import matches, triggers
from workshop.workflows.jobs import workflow_concurrency
from workshop.workflows.pipeline import STARTED, Pipeline
from workshop.workflows.rules import broken
from workshop.workflows.rules_of_hygiene import ACTIONS
from workshop.workflows.rules_of_release import TAGS

CI = Pipeline.of(PROJECT)
WORKSHOP = Pipeline.of(PROJECT, ".github/workflows/workshop.yml")
# What holds for a workflow that publishes nothing, too.
GENERAL = (
    "actions_are_pinned_and_known",
    "expressions_reach_no_shell",
    "jobs_end_and_run_on_known_machines",
    "nothing_else_stands_there",
    "rights_are_granted_one_by_one",
    "steps_are_commands_of_a_laptop",
    "the_shell_ends_at_the_first_error",
)
GOOD_TAGS = "v0.1.0 v1.2.3 v10.20.30 v0.3.0-alpha1 v0.3.0-beta12 v0.3.0-rc1"
BAD_TAGS = """
vacation v1 v1.2 1.2.3 v1.2.3.4 v1.2.3- v1.2.3-rc v1.2.3-gamma1 v1.2.3a1 v1.2.3rc1 release-1.2.3 2026-07-22 v1.2.3-rc.1
v1.2.3+build xv1.2.3 v1.2.3-post1 v1.2.3-dev7 latest v1.2. v.2.3 v1..3 v1.2.3-alpha v1.2.3-beta v1.2.3-alpha1x v1x2x3
v1.2.3/x v1.2.3-rc1-1
"""


def test_the_tags_that_start_a_run_are_those_that_a_release_makes() -> None:
    assert [tag for tag in (GOOD_TAGS + BAD_TAGS).split() if matches(TAGS, tag)] == GOOD_TAGS.split()


@pytest.mark.parametrize("name", sorted(ALL_RULES))
def test_ci_keeps(name: str) -> None:
    assert broken(ALL_RULES[name], CI) == []


@pytest.mark.parametrize("name", GENERAL)
def test_the_workflow_of_the_workshop_keeps(name: str) -> None:
    assert broken(ALL_RULES[name], WORKSHOP) == []


def test_the_workflow_of_the_workshop_runs_all_that_no_copy_has_for_each_change() -> None:
    started = {name for name, event in STARTED.items() if triggers(WORKSHOP.workflow, event)}
    assert started == {
        name for name, event in STARTED.items() if event.name == "pull_request" or name.startswith("push")
    }
    parts = [*WORKSHOP.jobs.values(), *(step for _, step in WORKSHOP.steps())]
    assert not any(key in part for part in parts for key in ("if", "needs", "continue-on-error"))
    does = {name: [step["run"] for step in job["steps"] if "run" in step] for name, job in WORKSHOP.jobs.items()}
    assert does == {
        "rehearse": ["make rehearse", "make rehearse PACKAGE=roadworthy"],
        "test": ["make check-lock", "make test-tooling"],
    }
    assert not any(CI.doing(command) for commands in does.values() for command in commands)
    pull, other = (workflow_concurrency(WORKSHOP.workflow, STARTED[name]) for name in ("pull request", "push"))
    assert [each.cancel_in_progress for each in (pull, other) if each] == [True, False]


def test_every_action_that_is_used_is_known() -> None:
    assert all(len(commit) == 40 for commit, _ in ACTIONS.values())
