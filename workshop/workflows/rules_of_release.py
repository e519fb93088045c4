"""Rules about which jobs run, when, and after what; and so what is published."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

from workshop.workflows.events import Event, triggers
from workshop.workflows.jobs import JobResult, Outcome
from workshop.workflows.pipeline import EVENTS, KINDS, MATRIX, STARTED, TAG, Pipeline, exit_code, index_of

# Of the tags that `make release` makes, and no other.
TAGS = {f"v[0-9]+.[0-9]+.[0-9]+{stage}" for stage in ("", "-alpha[0-9]+", "-beta[0-9]+", "-rc[0-9]+")}
# Branches that a push starts a run of, and such that it does not.
LINES, OTHERS = (
    ("main", "0.1.x", "10.20.x"),
    ("topic", "main2", "feature/main", "0.1", "0.1.x-y", "v0.1.x", "0.1.2", "x"),
)
# What has to have gone well before, directly.
AFTER: dict[str, tuple[str, ...]] = {
    "identify": (),
    "lint": (),
    "test": ("identify",),
    "sdist": ("identify",),
    "build": ("sdist",),
    "collect": ("build",),
    "verify": ("collect",),
    "pypi": ("lint", "test", "verify"),
    "testpypi": ("lint", "test", "verify"),
    "published": ("pypi", "testpypi"),  # the one of them that runs
    "release": ("published",),
}
# What the check for branch protection is about.
BEFORE = tuple(AFTER)[:7]
ENDS = {
    "fails": Outcome("failure"),
    "takes too long": Outcome("cancelled", run_goes_on=True),
    "is cancelled with the run": Outcome("cancelled"),
}


def only_release_tags_start_a_run(pipeline: Pipeline) -> Iterator[str]:
    """A tag starts a run if `make release` could have made it; so do main, its maintenance lines, any pull request."""
    if (tags := set(pipeline.workflow["on"]["push"]["tags"])) != TAGS:
        yield f"tags start a run by other patterns: {', '.join(sorted(tags ^ TAGS))}"
    for branch in (*LINES, *OTHERS):
        if triggers(pipeline.workflow, replace(TAG, ref=f"refs/heads/{branch}")) != (branch in LINES):
            yield f"a push to {branch} {'starts no' if branch in LINES else 'starts a'} run"
    for name, event in EVENTS.items():
        if triggers(pipeline.workflow, event) != (name in STARTED):
            yield f"{name}: it {'starts no' if name in STARTED else 'starts a'} run"
    if set(pipeline.workflow["on"]) != {"pull_request", "push", "workflow_dispatch"}:
        yield f"it is started by {', '.join(sorted(pipeline.workflow['on']))}"


def jobs_run_at_their_events(pipeline: Pipeline) -> Iterator[str]:
    """A release's tag publishes to PyPI, a manual run, where asked to, to TestPyPI; documents are linted, not built."""
    again = {f"{name}, all run again": replace(event, run_attempt=3) for name, event in KINDS.items()}
    for (name, event), code in product({**STARTED, **again}.items(), ("true", "false", "")):
        results = pipeline.comes_to(event, code=code)
        yield from _compare(pipeline, results, _expected(event, code, set()), f"{name}, code is {code!r}")


def nothing_follows_what_failed(pipeline: Pipeline) -> Iterator[str]:
    """Publishing waits for all that is built and proven, GitHub's release for what arrived; nothing else is held up."""
    for (name, event), role, (how, end) in product(KINDS.items(), AFTER, ENDS.items()):
        if role in _expected(event, "true", set()):
            results = pipeline.comes_to(event, {pipeline.roles[role]: end})
            yield from _compare(pipeline, results, _expected(event, "true", {role}), f"{name}, {role} {how}")


def a_retry_sends_the_same_bytes(pipeline: Pipeline) -> Iterator[str]:
    """Failed jobs that are run again bring what comes after them with them, and build nothing else again [U2]."""
    for event, role in product((TAG, EVENTS["manual run for TestPyPI"]), AFTER):
        first = pipeline.comes_to(event, {pipeline.roles[role]: ENDS["fails"]})
        again = pipeline.comes_to(replace(event, run_attempt=2), previous=first)
        kept = {each for each, job in pipeline.roles.items() if first[job].result == "success"}
        kept -= {"passed"} if role in BEFORE else set()
        wanted = _expected(event, "true", set()) - kept
        yield from _compare(pipeline, again, wanted, f"run again after a failure of {role}")


def _expected(event: Event, code: str, ended: set[str]) -> set[str]:
    """Return the roles that run at an event, if those in `ended` end badly."""
    index, good, running = index_of(event), set[str](), set[str]()
    left_out = {"pypi", "testpypi"} - {index} | ({"published"} if not index else set())
    left_out |= set() if index == "pypi" else {"release"}
    left_out |= set() if code == "true" else {"test", *MATRIX}
    for role, before in AFTER.items():
        if role not in left_out and all(each in good for each in before if each not in {"pypi", "testpypi"} - {index}):
            running.add(role)
            if role not in ended:
                good.add(role)
    return running | (set() if event.ref_type == "tag" else {"passed"})


def _compare(pipeline: Pipeline, results: dict[str, JobResult], wanted: set[str], when: str) -> Iterator[str]:
    runs = {role for role, job in pipeline.roles.items() if results and results[job].runs}
    for role in sorted(runs ^ wanted):
        yield f"{when}: {pipeline.roles[role]} {'runs' if role in runs else 'does not run'}"


def one_check_stands_for_all(pipeline: Pipeline) -> Iterator[str]:
    """Branch protection asks for one job, which always runs, and is red if anything failed, or was left out."""
    before = set(pipeline.jobs) - {job for role, job in pipeline.roles.items() if role not in BEFORE}
    for (name, event), code in product(KINDS.items(), ("true", "false", "")):
        if event.ref_type == "tag":
            continue
        where = f"{name}, code is {code!r}"
        yield from _check_verdict(pipeline.comes_to(event, code=code)["passed"], where, passes=code != "")
        for job, (how, end) in product(sorted(before), ENDS.items()):
            if pipeline.comes_to(event, code=code)[job].runs:
                verdict = pipeline.comes_to(event, {job: end}, code=code)["passed"]
                yield from _check_verdict(verdict, f"{where}, {job} {how}", passes=False)


def _check_verdict(verdict: JobResult, why: str, *, passes: bool) -> Iterator[str]:
    if not verdict.runs:
        yield f"{why}: the check does not run, and a check that is skipped counts as passed"
    elif all(exit_code(step.run, tuple(step.env.items())) == 0 for step in verdict.row.steps if step.runs) != passes:
        yield f"{why}: the check {'fails' if passes else 'passes'}"


def environments_are_those_that_the_indexes_know(pipeline: Pipeline) -> Iterator[str]:
    """The file and each publish job's environment are as the index is told; no other job has one [O1, O3, O13]."""
    for index, job, event in pipeline.publishers:
        (row,) = pipeline.rows(job, event)
        if row.environment != pipeline.project.environments[index]:
            yield f"{job} runs in {row.environment}, and the publisher's is {pipeline.project.environments[index]}"
    for name in sorted(set(pipeline.jobs) - set(pipeline.publishing.values())):
        if "environment" in pipeline.jobs[name]:
            yield f"{name} runs in an environment, and publishes nothing"
