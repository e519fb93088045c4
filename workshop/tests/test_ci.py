"""CI.yml keeps every rule; which rule each function states, its docstring says."""

import pytest

from ci_rules import RULES, rules_of_hygiene
from pipeline import PATH, Pipeline, broken

CI = Pipeline(PATH.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", sorted(RULES))
def test_ci_keeps(name: str) -> None:
    assert broken(name, CI) == []


def test_every_action_that_is_used_is_known() -> None:
    assert all(len(commit) == 40 for commit, _ in rules_of_hygiene.ACTIONS.values())
