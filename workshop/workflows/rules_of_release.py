"""Rules about what is published, when, and by what."""

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import product

from workshop.workflows.events import Event, triggers
from workshop.workflows.pipeline import EVENTS, MANUAL, MATRIX, TAG, VERIFY, VERSION, Pipeline

GOOD_TAGS = ("v0.1.0", "v1.2.3", "v10.20.30", "v0.3.0-alpha1", "v0.3.0-beta12", "v0.3.0-rc1")
BAD_TAGS = (
    *("vacation", "v1", "v1.2", "1.2.3", "v1.2.3.4", "v1.2.3-", "v1.2.3-rc", "v1.2.3-gamma1", "v1.2.3a1", "v1.2.3rc1"),
    *("release-1.2.3", "2026-07-22", "v1.2.3-rc.1", "v1.2.3+build", "xv1.2.3", "v1.2.3-post1", "v1.2.3-dev7", "latest"),
)
# Which none of the steps needs, because it is trusted publishing.
FORBIDDEN = ("UV_PUBLISH_TOKEN", "UV_PUBLISH_PASSWORD", "TWINE_", "MATURIN_PYPI_TOKEN", "password:", "skip-existing")
# So long after its first file, PyPI takes more of a release.
DAYS = 14
# The steps before publishing, by what they do; the wheels' jobs are among them.
BEFORE = ("make identify", "make lint", "make test", *MATRIX[:3], "make check-dist", "make verify")


def only_release_tags_start_a_run(pipeline: Pipeline) -> Iterator[str]:
    """A tag starts a run if `make release` could have made it, and no other (any tag published: `vacation`, a date)."""
    for tag in (*GOOD_TAGS, *BAD_TAGS):
        if triggers(pipeline.workflow, replace(TAG, ref=f"refs/tags/{tag}")) != (tag in GOOD_TAGS):
            yield f"{tag} {'starts no' if tag in GOOD_TAGS else 'starts a'} run"
    wanted = ("pull request", "push", "push to a maintenance line", "manual run")
    yield from (f"a {name} starts no run" for name in wanted if not triggers(pipeline.workflow, EVENTS[name]))
    if triggers(pipeline.workflow, replace(TAG, ref="refs/heads/topic")):
        yield "a push to any branch starts a run, beside that of its pull request"
    if extra := set(pipeline.workflow["on"]) - {"pull_request", "push", "workflow_dispatch"}:
        yield f"it is also started by {', '.join(sorted(extra))}"


def only_a_pushed_tag_publishes_to_pypi(pipeline: Pipeline) -> Iterator[str]:
    """A release's tag publishes to PyPI, a manual run, where asked to, to TestPyPI, and nothing else does."""
    for name, event in EVENTS.items():
        wanted = "testpypi" if "TestPyPI" in name else "pypi" if name in ("tag", "tag of a pre-release") else ""
        results = pipeline.comes_to(event)
        for index, job in pipeline.publishing.items():
            if bool(results and results[job].runs) != (index == wanted):
                yield f"{name}: {job} {'does not run' if index == wanted else 'runs'}"


def nothing_is_published_that_failed(pipeline: Pipeline) -> Iterator[str]:
    """Publishing waits for all that is built and proven, and for nothing that was skipped (incomplete releases)."""
    before = {job for command in BEFORE for job in pipeline.doing(command)} - pipeline.after_publishing
    for _, job, event in pipeline.publishers:
        for name, result in product(sorted(before), ("failure", "cancelled")):
            if pipeline.comes_to(event, {name: result})[job].runs:
                yield f"{job} runs although {name} ended with {result}"
        if pipeline.comes_to(event, code=False)[job].runs:
            yield f"{job} runs although nothing was built"
        condition = str(pipeline.jobs[job].get("if", ""))
        if any(function in condition for function in ("always(", "cancelled(", "failure(")):
            yield f"{job} asks for more than success: {condition}"


def a_publish_job_does_five_things(pipeline: Pipeline) -> Iterator[str]:
    """Download, uv, compare the hashes, attest, publish: no checkout, no make, nothing else beside the identity."""
    uv = pipeline.project.read("requirements/setup.txt").split("\nuv==", 1)[1].split()[0]
    for index, job, event in pipeline.publishers:
        (row,) = pipeline.rows(job, event)
        does = [step.uses.split("@")[0] or step.run.split()[0] for step in row.steps]
        expected = ["actions/download-artifact", "astral-sh/setup-uv", "sha256sum", "astral-sh/attest-action", "uv"]
        if does != expected:
            yield f"{job} does {', '.join(does)}"
            continue
        _, setup, check, attest, publish = row.steps
        if any(step.runs is not True for step in row.steps):
            yield f"{job} may leave out a step"
        checksum = setup.inputs.get("checksum", "")
        if setup.inputs != {"version": uv, "checksum": checksum, "enable-cache": "false"}:
            yield f"{job} sets uv up with {setup.inputs}, and {uv} is locked"
        if not re.fullmatch(r"[0-9a-f]{64}", checksum):
            yield f"{job} takes any uv that calls itself {uv}: checksum: {checksum or 'none'}"
        if check.run.split() != ["sha256sum", "--check", "--strict", pipeline.project.sums.name]:
            yield f"{job} does not compare every hash: {check.run}"
        if attest.inputs != {"paths": "dist/*"}:
            yield f"{job} attests {attest.inputs}"
        address = [] if index == "pypi" else ["--publish-url", '"$PUBLISH_URL"']
        if publish.run.split() != ["uv", "publish", "--trusted-publishing", "always", *address, "dist/*"]:
            yield f"{job} publishes with: {publish.run}"
        if publish.env != ({"PUBLISH_URL": ""} if address else {}):
            yield f"{job} publishes with the environment {publish.env}"


def the_address_of_testpypi_is_its_environments_variable(pipeline: Pipeline) -> Iterator[str]:
    """No address of an index stands in the file; the job for TestPyPI reads it from its environment."""
    job, variables = pipeline.publishing["testpypi"], {"PUBLISH_URL": "https://localhost/legacy/"}
    (row,) = pipeline.rows(job, replace(MANUAL, variables=variables))
    if row.steps[-1].env != variables:
        yield f"{job} publishes to {row.steps[-1].env}"


def environments_are_those_that_the_indexes_know(pipeline: Pipeline) -> Iterator[str]:
    """Each publish job names its own environment, as it is told to the index; no other job has one [O1, O13]."""
    for index, job, event in pipeline.publishers:
        (row,) = pipeline.rows(job, event)
        if row.environment != pipeline.project.environments[index]:
            yield f"{job} runs in {row.environment}, and the publisher's is {pipeline.project.environments[index]}"
    for name in sorted(set(pipeline.jobs) - set(pipeline.publishing.values())):
        if "environment" in pipeline.jobs[name]:
            yield f"{name} runs in an environment, and publishes nothing"


def publishing_is_inline_and_without_secrets(pipeline: Pipeline) -> Iterator[str]:
    """No reusable workflow, whose name would be in the identity; no secret, which uv would prefer [O3, U8]."""
    yield from (f"{name} is another workflow: {job['uses']}" for name, job in pipeline.jobs.items() if "uses" in job)
    for event_name, event in EVENTS.items():
        for name, result in pipeline.comes_to(event).items():
            if result.secrets:
                yield f"{event_name}: {name} is given {', '.join(sorted(result.secrets))}"
    yield from (f"{word} stands in it" for word in FORBIDDEN if word in pipeline.text)


def names_are_free_before_anything_is_sent(pipeline: Pipeline) -> Iterator[str]:
    """Before publishing, and only then, the index is asked for files of this version that are not these [P1, U2]."""
    job = pipeline.one("make check-names")
    for name, event in EVENTS.items():
        results = pipeline.comes_to(event)
        if not results or not results[job].runs:
            continue
        (step,) = [step for step in results[job].row.steps if step.run.startswith("make check-names")]
        index = next((index for index, publisher in pipeline.publishing.items() if results[publisher].runs), None)
        if step.runs != (index is not None):
            yield f"{name}: {job} {'asks no index' if index else 'asks an index'}"
        elif index and (step.env.get("INDEX") != index or step.env.get("VERSION") != VERSION):
            yield f"{name}: {job} asks {step.env.get('INDEX')} for {step.env.get('VERSION')}"


def what_is_published_is_proven_to_arrive(pipeline: Pipeline) -> Iterator[str]:
    """After publishing, and only then, every machine compares the index with the manifest, and installs from it."""
    job = pipeline.one("make check-index")
    for name, event in EVENTS.items():
        results = pipeline.comes_to(event)
        if not results:
            continue
        published = any(results[each].runs for each in pipeline.publishing.values())
        if results[job].runs != published:
            yield f"{name}: {job} {'does not run' if published else 'runs'}"
    for index, publisher, event in pipeline.publishers:
        if pipeline.comes_to(event, {publisher: "failure"})[job].runs:
            yield f"{job} runs although {publisher} failed"
        yield from _check_arrival(pipeline, job, event, index)


def _check_arrival(pipeline: Pipeline, job: str, event: Event, index: str) -> Iterator[str]:
    rows = pipeline.rows(job, event)
    if [row.runs_on for row in rows] != [row.runs_on for row in pipeline.rows_doing(VERIFY)]:
        yield f"{job} does not run on the machines on which the wheels were verified"
    for row in rows:
        steps = [step for step in row.steps if step.run.startswith(("make check-index", "make verify"))]
        if sorted(step.run.split()[1] for step in steps) != ["check-index", "verify"]:
            yield f"{job} does not both compare and install"
            continue
        for step in steps:
            if step.env.get("INDEX") != index or '"$INDEX"' not in step.run or '"$VERSION"' not in step.run:
                yield f"{job} asks {step.env.get('INDEX')} where it was published to {index}: {step.run}"
            if "SUMS=release/SHA256SUMS" not in step.run:
                yield f"{job} does not compare with what was built: {step.run}"


def the_github_release_comes_last(pipeline: Pipeline) -> Iterator[str]:
    """GitHub's release follows what is proven to be on PyPI, and nothing else [A8, A9]."""
    release = pipeline.one("make github-release")
    arrival, publisher = pipeline.one("make check-index"), pipeline.publishing["pypi"]
    for name, event in EVENTS.items():
        results = pipeline.comes_to(event)
        if results and results[release].runs != (name in ("tag", "tag of a pre-release")):
            yield f"{name}: {release} {'runs' if results[release].runs else 'does not run'}"
    for result, job in product(("failure", "cancelled"), (arrival, publisher)):
        if pipeline.comes_to(TAG, {job: result})[release].runs:
            yield f"{release} runs although {job} ended with {result}"


def a_retry_sends_the_same_bytes(pipeline: Pipeline) -> Iterator[str]:
    """Running the failed jobs again builds nothing again [U2]."""
    publisher = pipeline.publishing["pypi"]
    failed = pipeline.comes_to(TAG, {publisher: "failure"})
    again = pipeline.comes_to(replace(TAG, run_attempt=2), previous=failed)
    if not again[publisher].runs:
        yield f"{publisher} does not run again"
    for job in (job for command in MATRIX[:3] for job in pipeline.doing(command) if again[job].runs):
        yield f"{job} runs again"
    for name, inputs in pipeline.using("actions/upload-artifact"):
        days = int(inputs.get("retention-days", 0))
        if days < DAYS:
            yield f"{name} keeps {inputs['name']} for {days} days, and PyPI takes files for {DAYS}"
