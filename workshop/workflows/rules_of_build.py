"""Rules about what is built and tested, where, and that it is all there."""

import re
from collections.abc import Iterator
from typing import Any

from workshop.workflows import platforms
from workshop.workflows.jobs import Row, Step
from workshop.workflows.pipeline import EVENTS, TAG, Pipeline, exit_code

# GitHub's own machines, and what they are.
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


def system_of(target: str) -> str:
    """Return the system that a target is for, in the words of `RUNNERS`."""
    return next(system for system in ("linux", "darwin", "windows") if system in target)


def architectures_of(target: str) -> set[str]:
    """Return the processors that a target's wheels run on."""
    first = target.split("-", 1)[0]
    return {"x86_64", "aarch64"} if first == "universal2" else {first}


def step_of(row: Row, *commands: str) -> Step:
    """Return the one step that runs one of these commands."""
    (found,) = [step for step in row.steps if step.run.startswith(commands)]
    return found


def every_platform_is_built_natively(pipeline: Pipeline) -> Iterator[str]:
    """Each promised platform has a row, on a machine of its kind, tagged for the oldest system [A13, L1, L8, M11]."""
    rows = pipeline.rows(pipeline.one("make build"))
    verified = pipeline.rows(pipeline.one("make verify FROM=release"))
    # What is promised to users: its rows are written by hand, when a platform is meant to come or to go.
    promised = platforms.table_in(pipeline.project.read("docs/publishing.md"))[:-1]
    if len(promised) != len(rows):
        yield f"{len(promised)} platforms are promised, and {len(rows)} have a row"
    for row in rows:
        target, tag = row.matrix["target"], row.matrix["tag"]
        (line,) = platforms.rows_of([row.matrix], [other.matrix for other in verified])
        if line not in promised:
            yield f"docs/publishing.md does not promise: {line}"
        if "linux" in target and not re.fullmatch(LINUX, tag):
            yield f"{target} is tagged {tag}"
        system, processor = RUNNERS.get(row.runs_on, ("", ""))
        if system != system_of(target) or processor not in architectures_of(target):
            yield f"{target} is built on {row.runs_on}"


def wheels_are_built_from_the_one_sdist(pipeline: Pipeline) -> Iterator[str]:
    """The sdist is built once, and each row builds its own target from it, by the command of a laptop [S5, U2]."""
    builder = pipeline.one("make build")
    sdist = uploads(pipeline, pipeline.one("make sdist"))
    for row in pipeline.rows(builder):
        step = step_of(row, "make build")
        folder = downloads(row).get(sdist[0])
        if step.run.split() != ["make", "build", 'TARGET="$TARGET"', f"FROM={folder}"]:
            yield f"{builder} builds with: {step.run}"
        if step.env != {"TARGET": row.matrix["target"]}:
            yield f"the row of {row.matrix['target']} builds for {step.env}"
        targets = step_of(row, "xargs rustup").env["RUST_TARGETS"].split()
        wanted = [f"{each}-{row.matrix['target'].split('-', 1)[1]}" for each in architectures_of(row.matrix["target"])]
        if sorted(targets) != sorted(wanted):
            yield f"{row.matrix['target']} is built with the libraries for {targets}"


def uploads(pipeline: Pipeline, job: str) -> list[str]:
    """Return the names of the artefacts that a job leaves, of all its rows."""
    return [
        step.inputs["name"]
        for row in pipeline.rows(job)
        for step in row.steps
        if step.uses.startswith("actions/upload-artifact@")
    ]


def downloads(row: Row) -> dict[str, str]:
    """Map the name or pattern of each artefact that a row fetches to the folder that it goes to."""
    steps = [step for step in row.steps if step.uses.startswith("actions/download-artifact@")]
    return {step.inputs.get("name") or step.inputs.get("pattern", "*"): step.inputs.get("path", ".") for step in steps}


def artefacts_keep_apart_and_complete(pipeline: Pipeline) -> Iterator[str]:
    """Every artefact has a name of its own, is never empty, and is fetched from a job that came before [A5, A6, A7]."""
    names = [name for job, result in pipeline.comes_to(TAG).items() if result.rows for name in uploads(pipeline, job)]
    if twice := {name for name in names if names.count(name) > 1}:
        yield f"several rows leave an artefact called {', '.join(sorted(twice))}"
    for job, step in pipeline.steps():
        if step.get("uses", "").startswith("actions/upload-artifact@"):
            if step["with"].get("if-no-files-found") != "error":
                yield f"{job} may leave an empty artefact"
            if step["with"].get("overwrite"):
                yield f"{job} may replace an artefact"
        if step.get("uses", "").startswith("actions/download-artifact@"):
            if step["with"].get("merge-multiple"):
                yield f"{job} merges artefacts, of which one file may replace another"
            wanted = step["with"].get("name") or step["with"].get("pattern", "*")
            before = {
                name for other in pipeline.needs(job) if pipeline.rows(other) for name in uploads(pipeline, other)
            }
            if not any(re.fullmatch(str(wanted).replace("*", ".*"), name) for name in before):
                yield f"{job} fetches {wanted}, which no job before it leaves"


def the_gate_sees_all_of_it(pipeline: Pipeline) -> Iterator[str]:
    """One job collects what all rows left, checks the set, and only then leaves what is published [A4, L11]."""
    job = pipeline.one("make collect")
    (row,) = pipeline.rows(job)
    ((pattern, folder),) = downloads(row).items()
    built = [name for each in ("make sdist", "make build") for name in uploads(pipeline, pipeline.one(each))]
    if missed := [name for name in built if not re.fullmatch(pattern.replace("*", ".*"), name)]:
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
    (name,) = uploads(pipeline, job)
    for other in (*pipeline.publishing.values(), pipeline.one("make verify FROM=release")):
        event = next(event for event in EVENTS.values() if (found := pipeline.comes_to(event)) and found[other].runs)
        fetched = downloads(pipeline.rows(other, event)[0])
        if list(fetched) != [name]:
            yield f"{other} fetches {', '.join(fetched)}, and what passed the gate is {name}"
    paths = row.steps[-1].inputs["path"].split()
    if paths != [f"{pipeline.project.dist.name}/", pipeline.project.sums.name]:
        yield f"{job} leaves {', '.join(paths)}"


def every_wheel_is_tested_where_it_runs(pipeline: Pipeline) -> Iterator[str]:
    """Each wheel, on its own system and processors, glibc's oldest and musl in containers, oldest and newest Python."""
    job = pipeline.one("make verify FROM=release")
    places: dict[str, list[tuple[str, str, str]]] = {}
    for row in pipeline.rows(job):
        step = step_of(row, "make verify")
        if step.run.split() != ["make", "verify", "FROM=release", 'WHEELS="$WHEELS"', 'PYTHON="$PYTHONS"']:
            yield f"{job} verifies with: {step.run}"
        if "release" not in downloads(row).values():
            yield f"{job} does not fetch what it verifies"
        system, processor = RUNNERS.get(row.runs_on, ("", ""))
        for word in step.env["WHEELS"].split():
            target, _, image = word.partition("@")
            if target not in project_targets(pipeline):
                yield f"{row.runs_on} verifies {target}, which is not built"
            elif system != system_of(target) or processor not in architectures_of(target):
                yield f"{target} is verified on {row.runs_on}"
            places.setdefault(target, []).append((row.runs_on, processor, image))
        yield from _check_pythons(pipeline, row, step)
    for row in pipeline.rows(pipeline.one("make build")):
        yield from _check_places(row, places.get(row.matrix["target"], []))


def project_targets(pipeline: Pipeline) -> list[str]:
    """Return the targets that are built."""
    return [row.matrix["target"] for row in pipeline.rows(pipeline.one("make build"))]


def _check_places(row: Row, places: list[tuple[str, str, str]]) -> Iterator[str]:
    target, images = row.matrix["target"], set[str]()
    if "-linux-" in target:
        # The image that has the very libc of the tag.
        found = re.fullmatch(r"(manylinux_\d+_\d+|musllinux_\d+_\d+)_.+", row.matrix["tag"])
        images = {found[1].replace("manylinux_2_17", OLDEST_GLIBC)} if found else {OLDEST_GLIBC}
    wanted = {(processor, image) for processor in architectures_of(target) for image in images}
    if not target.endswith("-musl"):
        wanted |= {(processor, "") for processor in architectures_of(target)}
    there = {(processor, image) for _, processor, image in places}
    for processor, image in sorted(wanted):
        # An image of that libc and that processor, of the manylinux project's, by its content: a tag can be moved.
        named = rf"quay\.io/pypa/{image}_{processor}(:[\w.-]+)?@sha256:[0-9a-f]{{64}}"
        if not any(other == processor and (re.fullmatch(named, text) if image else not text) for other, text in there):
            yield f"{target} is not verified on {processor}{f' in {image}' if image else ''}"


def _check_pythons(pipeline: Pipeline, row: Row, step: Step) -> Iterator[str]:
    pythons = step.env["PYTHONS"].split()
    (setup,) = [each for each in row.steps if each.uses.startswith("actions/setup-python@")]
    if setup.inputs["python-version"].split() != pythons:
        yield f"{row.runs_on} sets up other Pythons than it verifies with"
    # CPython for Windows on ARM begins with 3.11.
    oldest = "3.11" if row.runs_on == "windows-11-arm" else pipeline.project.oldest_python
    for name in {oldest, pipeline.minors[-1], *pipeline.threaded} - set(pythons):
        yield f"{row.runs_on} does not verify with CPython {name}"
    if pythons[-1].endswith("t") or pythons[-1] not in pipeline.minors:
        yield f"{row.runs_on} runs its tools with CPython {pythons[-1]}"


def every_python_is_tested(pipeline: Pipeline) -> Iterator[str]:
    """All on Linux, the oldest and the newest elsewhere; the oldest Rust; the next Python, which alone may fail."""
    tested: set[tuple[str, str]] = set()
    rusts: set[str] = set()
    for job in pipeline.doing("make test"):
        for row in pipeline.rows(job):
            python = row.step_using("actions/setup-python").inputs["python-version"].strip()
            step = step_of(row, "make test")
            rust = [each.env["RUST"] for each in row.steps if each.run == 'rustup default "$RUST"']
            rusts.update(rust)
            if {key.upper() for key in {**row.env, **step.env}} & {"PYTHON_GIL"}:
                yield f"{row.name} decides about the GIL, which the module must leave alone"
            if row.continue_on_error and python in {*pipeline.minors, *pipeline.threaded}:
                yield f"{row.name} may fail, and {python} is supported"
            if step.run != "make test" or step.runs is not True:
                yield f"{row.name} tests with: {step.run}"
            if not row.continue_on_error:
                tested.add((RUNNERS.get(row.runs_on, ("",))[0], python))
            elif python.removesuffix("-dev") != next_python(pipeline):
                yield f"{row.name} may fail, and the next Python is {next_python(pipeline)}"
            else:
                tested.add(("next", python.removesuffix("-dev")))
    wanted = {("linux", python) for python in (*pipeline.minors, *pipeline.threaded)} | {
        ("next", next_python(pipeline))
    }
    wanted |= {
        (system, python) for system in ("darwin", "windows") for python in (pipeline.minors[0], pipeline.minors[-1])
    }
    for system, python in sorted(wanted - tested):
        yield f"{python} is not tested on {system}"
    if (oldest := pipeline.project.manifest["package"]["rust-version"]) not in rusts:
        yield f"Rust {oldest} is not tested, only {', '.join(sorted(rusts))}"


def next_python(pipeline: Pipeline) -> str:
    """Return the Python after the newest that is supported."""
    return f"3.{int(pipeline.minors[-1].split('.')[1]) + 1}"


def interpreters_are_named(pipeline: Pipeline) -> Iterator[str]:
    """No `3.x`, no pre-release by accident, no cache of packages; what is built for is set up [M2, M6, Y1, Y4]."""
    for job, step in pipeline.steps():
        if step.get("uses", "").startswith("actions/setup-python@"):
            given = step["with"]
            if set(given) != {"python-version"}:
                yield f"{job} sets Python up with {', '.join(sorted(given))}"
            versions = str(given["python-version"]).split()
            if "${{" not in versions[0] and not all(re.fullmatch(r"3\.\d+t?", each) for each in versions):
                yield f"{job} does not name its Pythons: {', '.join(versions)}"
    for row in pipeline.rows(pipeline.one("make build")):
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
    matrix = ("make sdist", "make build", "make collect", "make verify FROM=release")
    for name in ("pull request", "pull request of a fork", "push", "push to a maintenance line"):
        results, all_of_it = (pipeline.comes_to(EVENTS[name], code=code) for code in (False, True))
        for command in matrix:
            job = pipeline.one(command)
            if results[job].runs:
                yield f"{name}: {job} runs for documents"
            if not all_of_it[job].runs:
                yield f"{name}: {job} does not run"
        if not results[pipeline.one("make lint")].runs:
            yield f"{name}: documents are not linted"


def one_check_stands_for_all(pipeline: Pipeline) -> Iterator[str]:
    """Branch protection asks for one job, which always runs, and is red if anything failed, or was left out."""
    job = "passed"
    if "${{" in pipeline.jobs[job]["name"]:
        yield "its name changes"
    before = set(pipeline.jobs) - set(pipeline.publishing.values()) - pipeline.after_publishing - {job}
    for name in ("pull request", "push", "manual run"):
        good = pipeline.comes_to(EVENTS[name])
        yield from _check_verdict(good, passes=True, why=f"{name}, all well")
        documents = pipeline.comes_to(EVENTS[name], code=False)
        yield from _check_verdict(documents, passes=True, why=f"{name}, documents only")
        for other in sorted(before):
            for result in ("failure", "cancelled"):
                bad = pipeline.comes_to(EVENTS[name], {other: result})
                yield from _check_verdict(bad, passes=False, why=f"{name}, {other} ends with {result}")


def _check_verdict(results: dict[str, Any], *, passes: bool, why: str) -> Iterator[str]:
    if not results["passed"].runs:
        yield f"{why}: the check does not run, and a check that is skipped counts as passed"
        return
    (step,) = results["passed"].row.steps
    if (exit_code(step.run, tuple(step.env.items())) == 0) != passes:
        yield f"{why}: the check {'fails' if passes else 'passes'}"


RULES = (
    every_platform_is_built_natively,
    wheels_are_built_from_the_one_sdist,
    artefacts_keep_apart_and_complete,
    the_gate_sees_all_of_it,
    every_wheel_is_tested_where_it_runs,
    every_python_is_tested,
    interpreters_are_named,
    a_row_that_fails_stops_no_other,
    documents_do_not_pay_for_the_matrix,
    one_check_stands_for_all,
)
