"""Do the rules notice? Each mistake breaks the rule that it is meant to break, and what is no mistake breaks none."""

from collections.abc import Callable
from functools import cache

import pytest
import yaml

from ci_mutants import HARMLESS, MUTANTS, written_out
from helpers import PROJECT
from platforms import ALL_RULES
from workshop.workflows.pipeline import Pipeline
from workshop.workflows.rules import broken

TEXT = written_out(PROJECT.read(PROJECT.workflow_path))
LEAST_MUTANTS, LEAST_HARMLESS = 80, 20
BY_NAME = {mutant.name: mutant for mutant in MUTANTS}


@cache
def noticed(name: str) -> list[str]:
    """Return how a mistake breaks the rule that is there for it."""
    mutant = BY_NAME[name]
    return broken(ALL_RULES[mutant.rule], Pipeline(PROJECT, mutant.edit(TEXT)))


@cache
def blamed(name: str) -> dict[str, list[str]]:
    """Return the rules that a harmless change breaks."""
    pipeline = Pipeline(PROJECT, HARMLESS[name](TEXT))
    return {name: found for name, rule in ALL_RULES.items() if (found := broken(rule, pipeline))}


@pytest.mark.parametrize("name", BY_NAME)
def test_a_mistake_is_noticed_by_its_rule(name: str) -> None:
    mutated = BY_NAME[name].edit(TEXT)
    assert mutated != TEXT
    yaml.safe_load(mutated)
    assert noticed(name) != []


@pytest.mark.parametrize("name", HARMLESS)
def test_what_is_no_mistake_is_not_noticed(name: str) -> None:
    assert HARMLESS[name](TEXT) != TEXT
    assert blamed(name) == {}


def test_every_rule_has_a_mistake_that_it_is_there_for() -> None:
    assert set(ALL_RULES) == {mutant.rule for mutant in MUTANTS}


def test_the_score(record_property: Callable[[str, object], None]) -> None:
    """Printed at the end of the run; the documentation says the same."""
    made = [name for name, mutant in BY_NAME.items() if mutant.edit(TEXT) != TEXT]
    killed = sum(noticed(name) != [] for name in made)
    spared = sum(blamed(name) == {} for name in HARMLESS)
    score = f"CI.yml: {killed} of {len(made)} mistakes noticed, {spared} of {len(HARMLESS)} harmless changes passed"
    record_property("score", score)
    assert len(BY_NAME) == len(MUTANTS)
    assert len(made) >= LEAST_MUTANTS
    assert len(HARMLESS) >= LEAST_HARMLESS
    assert (killed, spared) == (len(made), len(HARMLESS)), score
