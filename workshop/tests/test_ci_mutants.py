"""Do the rules notice? Each mistake breaks the rule that it is meant to break, and what is no mistake breaks none."""

from collections.abc import Callable
from functools import cache

import pytest
import yaml

from ci_mutants import HARMLESS, MUTANTS, Edit, written_out
from helpers import PROJECT
from roadworthy.tables import parse_toml
from workshop.workflows.pipeline import Pipeline
from workshop.workflows.rules import RULES, broken

TEXT = written_out(PROJECT.read(PROJECT.workflow_path))
LEAST_MUTANTS, LEAST_HARMLESS = 80, 20
BY_NAME = {mutant.name: mutant for mutant in MUTANTS}


# The owner of a copy may have taken out what an edit is about; here each edit can be made.
IS_COPY = "copy" in parse_toml("template.toml", PROJECT.read("template.toml"))


def edited(edit: Edit) -> str:
    """Return CI.yml after an edit; in a copy, as it is where the edit cannot be made."""
    try:
        return edit(TEXT)
    except (ValueError, IndexError):
        if IS_COPY:
            return TEXT
        raise


@cache
def noticed(name: str) -> list[str]:
    """Return how a mistake breaks the rule that is there for it."""
    mutant = BY_NAME[name]
    return broken(mutant.rule, Pipeline(PROJECT, edited(mutant.edit)))


@cache
def blamed(name: str) -> dict[str, list[str]]:
    """Return the rules that a harmless change breaks."""
    pipeline = Pipeline(PROJECT, edited(HARMLESS[name]))
    return {rule: found for rule in RULES if (found := broken(rule, pipeline))}


@pytest.mark.parametrize("name", BY_NAME)
def test_a_mistake_is_noticed_by_its_rule(name: str) -> None:
    mutated = edited(BY_NAME[name].edit)
    if mutated == TEXT and IS_COPY:
        pytest.skip("CI.yml has nothing that this mistake could be made in")
    assert mutated != TEXT
    yaml.safe_load(mutated)
    assert noticed(name) != []


@pytest.mark.parametrize("name", HARMLESS)
def test_what_is_no_mistake_is_not_noticed(name: str) -> None:
    assert IS_COPY or edited(HARMLESS[name]) != TEXT
    assert blamed(name) == {}


def test_every_rule_has_a_mistake_that_it_is_there_for() -> None:
    assert set(RULES) == {mutant.rule for mutant in MUTANTS}


def test_the_score(record_property: Callable[[str, object], None]) -> None:
    """Printed at the end of the run; the documentation says the same."""
    made = [name for name, mutant in BY_NAME.items() if edited(mutant.edit) != TEXT]
    killed = sum(noticed(name) != [] for name in made)
    spared = sum(blamed(name) == {} for name in HARMLESS)
    score = f"CI.yml: {killed} of {len(made)} mistakes noticed, {spared} of {len(HARMLESS)} harmless changes passed"
    record_property("score", score)
    assert len(BY_NAME) == len(MUTANTS)
    assert len(made) >= LEAST_MUTANTS
    assert len(HARMLESS) >= LEAST_HARMLESS
    assert (killed, spared) == (len(made), len(HARMLESS)), score
