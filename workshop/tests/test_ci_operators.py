"""Do the rules notice mistakes that nobody thought of? Each that the operators make, or the reason why it is none.

`make test-tooling` judges one of 36, `make test-year` all of them.
"""

import json
import os
import re
from collections.abc import Callable, Iterator

import pytest
import yaml

from ci_mutants import written_out
from ci_operators import Change, Tree
from helpers import PROJECT
from platforms import ALL_RULES
from roadworthy.project import Project
from workshop.workflows import jobs, rules_of_steps
from workshop.workflows.expressions import Scope
from workshop.workflows.jobs import Event, Row, Workflow
from workshop.workflows.pipeline import Pipeline
from workshop.workflows.rules import RULES, broken

Asked = Callable[..., object]
PROJECTS = {"CI.yml": PROJECT, "roadworthy.yml": Project(PROJECT.root, "roadworthy")}
CHANGES = {
    name: list(Tree(written_out(each.read_shared(each.workflow_path))).changes()) for name, each in PROJECTS.items()
}
ALL_CHANGES = [change for changes in CHANGES.values() for change in changes]
EVERY = 1 if os.environ.get("WHOLE_YEAR") else 36
LEAST = 90
# Why a change is no mistake: what GitHub does is the same, or nobody minds.
NO_MISTAKE = {
    "people read it, and nothing else": [
        r"(all|jobs/[\w-]+): without name: .*",
        r"(jobs/[\w-]+/)?name: (?!.*in place of all).*",
        r"on/workflow_dispatch/inputs/testpypi(/description)?: (?!.*(type|default)\b).*",
    ],
    "a choice is false unless it is made": [r"on/workflow_dispatch/inputs/testpypi: .*default.*"],
    "a list of patterns, all of which say yes, has no order": [r"on/push/(tags|branches): (twice|-) .*"],
    "the group still has the event's reference, or the run's number": [r"concurrency/group: .* in place of all"],
    "a job may be called otherwise": [r"jobs: release misspelled"],
    "nothing comes before it that could have failed": [
        r"jobs/(identify|lint): with if: (always\(\)|\$\{\{ !cancelled\(\) \}\})",
    ],
    "it is said already": [r"jobs/.*/if: success\(\) &&… in place of all"],
    "what comes before has ended well where the rest holds": [
        r"jobs/(published|release)/if: (always\(\) && … in place of all|failure\(\) in place of cancelled\(\) at 1)",
        r"jobs/passed/if: always\(\) && … in place of all",
    ],
    "there is one wheel, for every system": [
        r"jobs/wheels/name: (true|false|''|!\(matrix.target\)) in place of all",
        r"jobs/wheels/strategy/matrix/include/0/runner: (?!ubuntu-24.04 )[\w.-]+ in place of ubuntu-24.04",
        # Another processor has the same system; and the oldest and the newest Python stay.
        r"jobs/verify/strategy/matrix/include: without - .*",
        r"jobs/verify/strategy/matrix/include/\d/(wheels: nothing|pythons: without 3.14)",
    ],
    "the rows of a matrix have no order that counts": [
        r"jobs/[\w-]+/strategy/matrix/include: - .* before the one before"
    ],
    "Linux is Linux on both processors": [
        r"jobs/test/strategy/matrix/include/\d/runner: ubuntu-24.04-arm in place of .*"
    ],
    "it waits for that by way of another job": [
        r"jobs/collect/needs(/\d)?: (without|\w+ in place of) sdist",
        r"jobs/passed/needs(/\d)?: (without|\w+ in place of) (sdist|wheels|collect)",
        r"jobs/(publish-(test)?pypi|release)/needs(/\d)?: (without|\w+ in place of) (identify|collect)",
    ],
    "GitHub keeps it for as long as it keeps anything": [r"jobs/.*/retention-days: 600 in place of 30"],
    "only a tag's push comes here, and manual runs": [r"jobs/.*/env/INDEX: without github.ref_type == 'tag' &&"],
    "only a manual run has inputs": [r"jobs/publish-testpypi/if: without github.event_name == 'workflow_dispatch' &&"],
    "it is the same, but for a space": [r".*: '(\w+)' in place of '\1'"],
}
# The rules about which jobs run: they see nothing of a step but what it runs, except in the job that is one check.
ABOUT_JOBS = (
    "jobs_run_at_their_events",
    "nothing_follows_what_failed",
    "a_retry_sends_the_same_bytes",
    "one_check_stands_for_all",
)


# What holds for a package of Python alone, and not for one with a wheel for each system.
OF_ONE_WHEEL = "there is one wheel, for every system"


def reason(change: Change, workflow: str) -> str:
    """Return why a change is no mistake, or ""."""
    known = {why: patterns for why, patterns in NO_MISTAKE.items() if why != OF_ONE_WHEEL or workflow != "CI.yml"}
    found = (why for why, patterns in known.items() if any(re.fullmatch(each, change.name) for each in patterns))
    return next(found, "")


def jobs_of(pipeline: Pipeline) -> str:
    """Return all that the rules about jobs see."""
    seen = {}
    for name, job in pipeline.jobs.items():
        kept = {key: value for key, value in job.items() if key not in ("name", "permissions", "timeout-minutes")}
        steps = [{key: step.get(key) for key in ("run", "uses")} for step in job.get("steps", [])]
        seen[name] = kept if name == "passed" else {**kept, "steps": steps}
    return json.dumps({**pipeline.workflow, "jobs": seen})


class Judge:
    """All rules, of which each workflow is asked until one is broken; what all have in common is evaluated once."""

    def __init__(self, patch: pytest.MonkeyPatch, name: str) -> None:
        """Learn what the workflow as it is comes to."""
        self.learning = True
        self.project = PROJECTS[name]
        # The documents promise platforms of the one with a crate.
        self.rules = RULES if self.project.package else ALL_RULES
        for module, asked, key in (
            (jobs, "_scope", self.of_scope),
            (jobs, "_rows", self.of_rows),
            (rules_of_steps, "_compare", self.of_comparison),
        ):
            patch.setattr(module, asked, self.remember(getattr(module, asked), key))
        pipeline = Pipeline.of(self.project)
        self.standing = jobs_of(pipeline)
        self.kept = all(broken(rule, pipeline) == [] for rule in self.rules.values())
        self.learning = False

    def remember(self, function: Asked, key: Callable[..., object]) -> Asked:
        """Return a function that knows what it was asked while the judge learned."""
        known: dict[object, object] = {}

        def answer(*given: object) -> object:
            asked = key(*given)
            if asked in known:
                return known[asked]
            found = function(*given)
            # A generator gives what it has only once.
            found = tuple(found) if isinstance(found, Iterator) else found
            if self.learning:
                known[asked] = found
            return found

        return answer

    @staticmethod
    def of_scope(workflow: Workflow, event: Event) -> object:
        return repr(event), workflow.get("name"), json.dumps(workflow["on"])

    @staticmethod
    def of_rows(workflow: Workflow, name: str, scope: Scope) -> object:
        about = [workflow.get("env"), workflow.get("defaults"), workflow["jobs"][name], name]
        # The scope of an event is one object, as long as it is learned.
        return id(scope.contexts["github"]), json.dumps([*about, scope.contexts["needs"], scope.results], default=str)

    @staticmethod
    def of_comparison(_: Pipeline, role: str, row: Row, event: Event) -> object:
        return role, id(row), id(event)

    def notices(self, change: Change) -> bool:
        """Tell whether a rule is broken; a workflow that cannot be read breaks all."""
        pipeline = Pipeline(self.project, change.text)
        try:
            as_it_was = jobs_of(pipeline) == self.standing
        except (ValueError, TypeError, AttributeError, LookupError, yaml.YAMLError):
            return True
        # The last rules are the quick ones.
        asked = [rule for name, rule in self.rules.items() if not (as_it_was and name in ABOUT_JOBS)]
        return any(broken(rule, pipeline) for rule in reversed(asked))


@pytest.mark.parametrize("name", CHANGES)
def test_every_change_is_noticed_or_is_no_mistake(name: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        judge = Judge(patch, name)
        assert judge.kept
        mistakes = [change for change in CHANGES[name] if not reason(change, name)][::EVERY]
        assert len(mistakes) >= LEAST
        assert [change.name for change in mistakes if not judge.notices(change)] == []


def test_the_documentation_says_how_many_there_are() -> None:
    text = PROJECT.read("docs/decisions.md")
    spared = sum(bool(reason(change, name)) for name, changes in CHANGES.items() for change in changes)
    assert f"{len(ALL_CHANGES):,} mistakes that operators make" in text
    assert f"{spared} of them are none, for one of {len(NO_MISTAKE)} reasons" in text


def test_each_reason_is_needed() -> None:
    patterns = [pattern for each in NO_MISTAKE.values() for pattern in each]
    assert [each for each in patterns if not any(re.fullmatch(each, change.name) for change in ALL_CHANGES)] == []
