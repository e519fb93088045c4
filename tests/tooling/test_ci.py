"""CI.yml keeps every rule; which rule each function states, its docstring says."""

import pytest

import project
from ci_rules import RULES, rules_of_build, rules_of_hygiene
from pipeline import MANUAL, PATH, PULL, TAG, Pipeline, broken

CI = Pipeline(PATH.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", sorted(RULES))
def test_ci_keeps(name: str) -> None:
    assert broken(name, CI) == []


def test_the_promised_platforms_are_those_that_the_gate_expects() -> None:
    assert set(project.platform_tags()) == set(rules_of_build.PROMISED)


def test_every_action_that_is_used_is_known() -> None:
    assert all(len(commit) == 40 for commit, _ in rules_of_hygiene.ACTIONS.values())


def test_the_jobs_are_as_many_as_the_documentation_says() -> None:
    text = (project.ROOT / "docs" / "performance.md").read_text(encoding="utf-8")
    table = text.split("<!-- jobs -->", 1)[1].split("<!-- /jobs -->", 1)[0]
    said = [int(row.split("|")[2]) for row in table.strip().splitlines()[2:]]
    happens = [(PULL, False), (PULL, True), (MANUAL, True), (TAG, True)]
    runs = [CI.comes_to(event, code=code).values() for event, code in happens]
    assert said == [sum(len(result.rows) for result in results) for results in runs]
