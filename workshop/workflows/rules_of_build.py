"""Rules about what is built and tested, where, and that it is all there."""

import re
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

from workshop.workflows.jobs import JobResult, Row, Step
from workshop.workflows.pipeline import EVENTS, MATRIX, TAG, VERIFY, Pipeline, exit_code

# GitHub's own machines, and what they are, in the words of a target.
RUNNERS = {
    "ubuntu-24.04": ("linux", "x86_64"),
    "ubuntu-24.04-arm": ("linux", "aarch64"),
    "macos-15": ("darwin", "aarch64"),
    "macos-15-intel": ("darwin", "x86_64"),
    "windows-2025": ("windows", "x86_64"),
    "windows-11-arm": ("windows", "aarch64"),
}
LINUX = r"(manylinux_2_17_(\w+)\.manylinux2014_\2|musllinux_1_2_\w+)"
OLDEST_GLIBC = "manylinux2014"


def _processors_of(target: str) -> set[str]:
    first = target.split("-", 1)[0]
    return {"x86_64", "aarch64"} if first == "universal2" else {first}


def _runs_natively(row: Row, target: str) -> bool:
    system, processor = RUNNERS.get(row.runs_on, ("no such system", ""))
    return system in target and processor in _processors_of(target)


def _step_of(row: Row, command: str) -> Step:
    (found,) = [step for step in row.steps if step.run.startswith(command)]
    return found


def _uploads(pipeline: Pipeline, job: str) -> list[str]:
    """Return the names of the artefacts that a job leaves, of all its rows."""
    steps = (step for row in pipeline.rows(job) for step in row.steps)
    return [step.inputs["name"] for step in steps if step.uses.startswith("actions/upload-artifact@")]


def _wanted(inputs: Mapping[str, Any]) -> str:
    return str(inputs.get("name") or inputs.get("pattern", "*"))


def _downloads(row: Row) -> dict[str, str]:
    """Map the name or pattern of each artefact that a row fetches to the folder that it goes to."""
    steps = [step for step in row.steps if step.uses.startswith("actions/download-artifact@")]
    return {_wanted(step.inputs): step.inputs.get("path", ".") for step in steps}


def _matches(wanted: str, name: str) -> bool:
    return bool(re.fullmatch(wanted.replace("*", ".*"), name))


def every_platform_is_built_natively(pipeline: Pipeline) -> Iterator[str]:
    """Each platform has a row on a machine of its kind, tagged for the oldest Linux [A13, L1, M11]."""
    for row in pipeline.rows_doing("make build"):
        target, tag = row.matrix["target"], row.matrix["tag"]
        if "linux" in target and not re.fullmatch(LINUX, tag):
            yield f"{target} is tagged {tag}"
        if not _runs_natively(row, target):
            yield f"{target} is built on {row.runs_on}"


def wheels_are_built_from_the_one_sdist(pipeline: Pipeline) -> Iterator[str]:
    """The sdist is built once, and each row builds its own target from it, by the command of a laptop [S5, U2]."""
    builder = pipeline.one("make build")
    sdist = _uploads(pipeline, pipeline.one("make sdist"))
    for row in pipeline.rows(builder):
        step, target = _step_of(row, "make build"), row.matrix["target"]
        if step.run.split() != ["make", "build", 'TARGET="$TARGET"', f"FROM={_downloads(row).get(sdist[0])}"]:
            yield f"{builder} builds with: {step.run}"
        if step.env != {"TARGET": target}:
            yield f"the row of {target} builds for {step.env}"
        libraries = _step_of(row, "xargs rustup").env["RUST_TARGETS"].split()
        if sorted(libraries) != sorted(f"{each}-{target.split('-', 1)[1]}" for each in _processors_of(target)):
            yield f"{target} is built with the libraries for {libraries}"


def artefacts_keep_apart_and_complete(pipeline: Pipeline) -> Iterator[str]:
    """Every artefact has a name of its own, is never empty, and is fetched from a job that came before [A5, A6, A7]."""
    names = [name for job in pipeline.comes_to(TAG) for name in _uploads(pipeline, job)]
    if twice := {name for name in names if names.count(name) > 1}:
        yield f"several rows leave an artefact called {', '.join(sorted(twice))}"
    for job, inputs in pipeline.using("actions/upload-artifact"):
        if inputs.get("if-no-files-found") != "error":
            yield f"{job} may leave an empty artefact"
        if inputs.get("overwrite"):
            yield f"{job} may replace an artefact"
    for job, inputs in pipeline.using("actions/download-artifact"):
        if inputs.get("merge-multiple"):
            yield f"{job} merges artefacts, of which one file may replace another"
        before = {name for other in pipeline.needs(job) for name in _uploads(pipeline, other)}
        if not inputs or not any(_matches(_wanted(inputs), name) for name in before):
            yield f"{job} fetches {_wanted(inputs)}, which no job before it leaves"


def the_gate_sees_all_of_it(pipeline: Pipeline) -> Iterator[str]:
    """One job collects what all rows left, checks the set, and only then leaves what is published [A4, L11]."""
    job = pipeline.one("make collect")
    (row,) = pipeline.rows(job)
    ((pattern, folder),) = _downloads(row).items()
    built = [name for each in ("make sdist", "make build") for name in _uploads(pipeline, pipeline.one(each))]
    if missed := [name for name in built if not _matches(pattern, name)]:
        yield f"{job} does not fetch {', '.join(missed)}"
    does = [step.run or step.uses.split("@")[0] for step in row.steps]
    last = [
        "actions/download-artifact",
        f"make collect FROM={folder}",
        "make check-dist ALL=1",
        'make check-names VERSION="$VERSION" INDEX="$INDEX"',
        "actions/upload-artifact",
    ]
    if does[-5:] != last:
        yield f"{job} ends with {', '.join(does[-5:])}"
    (name,) = _uploads(pipeline, job)
    for other in (*pipeline.publishing.values(), pipeline.one(VERIFY)):
        event = next(event for event in EVENTS.values() if (found := pipeline.comes_to(event)) and found[other].runs)
        fetched = _downloads(pipeline.rows(other, event)[0])
        if list(fetched) != [name]:
            yield f"{other} fetches {', '.join(fetched)}, and what passed the gate is {name}"
    paths = row.steps[-1].inputs["path"].split()
    if paths != [f"{pipeline.project.dist.name}/", pipeline.project.sums.name]:
        yield f"{job} leaves {', '.join(paths)}"


def every_wheel_is_tested_where_it_runs(pipeline: Pipeline) -> Iterator[str]:
    """Each wheel, on its own system and processors, glibc's oldest and musl in containers, oldest and newest Python."""
    job, built = pipeline.one(VERIFY), {row.matrix["target"]: row for row in pipeline.rows_doing("make build")}
    # For each target the processors that its wheels are verified on, and in which image, or none.
    verified: dict[str, set[tuple[str, str]]] = {target: set() for target in built}
    for row in pipeline.rows(job):
        step = _step_of(row, "make verify")
        if step.run.split() != [*VERIFY.split(), 'WHEELS="$WHEELS"', 'PYTHON="$PYTHONS"']:
            yield f"{job} verifies with: {step.run}"
        if "release" not in _downloads(row).values():
            yield f"{job} does not fetch what it verifies"
        for word in step.env["WHEELS"].split():
            target, _, image = word.partition("@")
            if target not in built:
                yield f"{row.runs_on} verifies {target}, which is not built"
                continue
            if not _runs_natively(row, target):
                yield f"{target} is verified on {row.runs_on}"
            verified[target].add((RUNNERS.get(row.runs_on, ("", ""))[1], image))
        yield from _check_pythons(pipeline, row, step)
    for target, row in built.items():
        yield from _check_images(target, row.matrix["tag"], verified[target])


def _check_images(target: str, tag: str, verified: set[tuple[str, str]]) -> Iterator[str]:
    images = set() if target.endswith("-musl") else {""}
    if "-linux-" in target:
        # The image that has the very libc of the tag.
        found = re.fullmatch(r"(manylinux_\d+_\d+|musllinux_\d+_\d+)_.+", tag)
        images |= {found[1].replace("manylinux_2_17", OLDEST_GLIBC) if found else OLDEST_GLIBC}
    for processor, image in sorted((each, image) for each in _processors_of(target) for image in images):
        # An image of that libc and that processor, of the manylinux project's, by its content: a tag can be moved.
        named = rf"quay\.io/pypa/{image}_{processor}(:[\w.-]+)?@sha256:[0-9a-f]{{64}}" if image else ""
        if not any(other == processor and re.fullmatch(named, text) for other, text in verified):
            yield f"{target} is not verified on {processor}{f' in {image}' if image else ''}"


def _check_pythons(pipeline: Pipeline, row: Row, step: Step) -> Iterator[str]:
    pythons = step.env["PYTHONS"].split()
    if row.step_using("actions/setup-python").inputs["python-version"].split() != pythons:
        yield f"{row.runs_on} sets up other Pythons than it verifies with"
    # CPython for Windows on ARM begins with 3.11.
    oldest = "3.11" if row.runs_on == "windows-11-arm" else pipeline.project.oldest_python
    for name in {oldest, pipeline.minors[-1], *pipeline.threaded} - set(pythons):
        yield f"{row.runs_on} does not verify with CPython {name}"
    if pythons[-1] not in pipeline.minors:
        yield f"{row.runs_on} runs its tools with CPython {pythons[-1]}"


def every_python_is_tested(pipeline: Pipeline) -> Iterator[str]:
    """All on Linux, the oldest and the newest elsewhere; the oldest Rust; the next Python, which alone may fail."""
    supported, oldest, newest = {*pipeline.minors, *pipeline.threaded}, pipeline.minors[0], pipeline.minors[-1]
    coming = f"3.{int(newest.split('.')[1]) + 1}"
    tested, rusts = set[tuple[str, str]](), set[str]()
    for row in (row for job in pipeline.doing("make test") for row in pipeline.rows(job)):
        python = row.step_using("actions/setup-python").inputs["python-version"].strip()
        step = _step_of(row, "make test")
        rusts.update(each.env["RUST"] for each in row.steps if each.run == 'rustup override set "$RUST"' and each.runs)
        if "PYTHON_GIL" in {key.upper() for key in {**row.env, **step.env}}:
            yield f"{row.name} decides about the GIL, which the module must leave alone"
        if row.continue_on_error and python in supported:
            yield f"{row.name} may fail, and {python} is supported"
        if step.run != "make test" or step.runs is not True:
            yield f"{row.name} tests with: {step.run}"
        if not row.continue_on_error:
            tested.add((RUNNERS.get(row.runs_on, ("",))[0], python))
        elif python.removesuffix("-dev") == coming:
            tested.add(("next", coming))
        else:
            yield f"{row.name} may fail, and the next Python is {coming}"
    wanted = {("linux", python) for python in supported} | {("next", coming)}
    wanted |= {(system, python) for system in ("darwin", "windows") for python in (oldest, newest)}
    for system, python in sorted(wanted - tested):
        yield f"{python} is not tested on {system}"
    if (rust := pipeline.project.manifest["package"]["rust-version"]) not in rusts:
        yield f"Rust {rust} is not tested, only {', '.join(sorted(rusts))}"


def interpreters_are_named(pipeline: Pipeline) -> Iterator[str]:
    """No `3.x`, no pre-release by accident, no cache of packages; what is built for is set up [M2, M6, Y1, Y4]."""
    for job, inputs in pipeline.using("actions/setup-python"):
        if set(inputs) != {"python-version"}:
            yield f"{job} sets Python up with {', '.join(sorted(inputs))}"
        versions = str(inputs["python-version"]).split()
        if "${{" not in versions[0] and not all(re.fullmatch(r"3\.\d+t?", each) for each in versions):
            yield f"{job} does not name its Pythons: {', '.join(versions)}"
    for row in pipeline.rows_doing("make build"):
        pythons = row.step_using("actions/setup-python").inputs["python-version"].split()
        if missing := set(pipeline.threaded) - set(pythons):
            yield f"{row.matrix['target']} is built without CPython {', '.join(sorted(missing))}"
        if pythons[-1] not in pipeline.minors:
            yield f"{row.matrix['target']} is built by tools that run on {pythons[-1]}"


def a_row_that_fails_stops_no_other(pipeline: Pipeline) -> Iterator[str]:
    """All failing rows are seen at once, and may fail only where that is said [A4]."""
    for name, job in pipeline.jobs.items():
        strategy: dict[str, Any] = job.get("strategy", {})
        if strategy and strategy.get("fail-fast") is not False:
            yield f"{name} ends at its first failing row"
        if "max-parallel" in strategy:
            yield f"{name} holds its rows back"
        if job.get("continue-on-error") and name not in pipeline.doing("make test"):
            yield f"{name} may fail"
    for name, step in pipeline.steps():
        if step.get("continue-on-error"):
            yield f"{name} has a step that may fail: {step.get('run') or step.get('uses')}"


def documents_do_not_pay_for_the_matrix(pipeline: Pipeline) -> Iterator[str]:
    """A change of documents is linted, and its examples are tested; nothing is built. Anything else runs all of it."""
    for name in ("pull request", "pull request of a fork", "push", "push to a maintenance line"):
        documents, all_of_it = (pipeline.comes_to(EVENTS[name], code=code) for code in (False, True))
        for job in map(pipeline.one, MATRIX):
            if documents[job].runs:
                yield f"{name}: {job} runs for documents"
            if not all_of_it[job].runs:
                yield f"{name}: {job} does not run"
        if not documents[pipeline.one("make lint")].runs:
            yield f"{name}: documents are not linted"


def one_check_stands_for_all(pipeline: Pipeline) -> Iterator[str]:
    """Branch protection asks for one job, which always runs, and is red if anything failed, or was left out."""
    job = "passed"
    if "${{" in pipeline.jobs[job]["name"]:
        yield "its name changes"
    before = set(pipeline.jobs) - set(pipeline.publishing.values()) - pipeline.after_publishing - {job}
    for name in ("pull request", "push", "manual run"):
        event = EVENTS[name]
        yield from _check_verdict(pipeline.comes_to(event)[job], f"{name}, all well", passes=True)
        yield from _check_verdict(pipeline.comes_to(event, code=False)[job], f"{name}, documents only", passes=True)
        for other, ends in product(sorted(before), ("failure", "cancelled")):
            verdict = pipeline.comes_to(event, {other: ends})[job]
            yield from _check_verdict(verdict, f"{name}, {other} ends with {ends}", passes=False)


def _check_verdict(verdict: JobResult, why: str, *, passes: bool) -> Iterator[str]:
    if not verdict.runs:
        yield f"{why}: the check does not run, and a check that is skipped counts as passed"
        return
    (step,) = verdict.row.steps
    if (exit_code(step.run, tuple(step.env.items())) == 0) != passes:
        yield f"{why}: the check {'fails' if passes else 'passes'}"
