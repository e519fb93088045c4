"""Rules about what is built and tested, where, and that it is all there."""

import re
from collections.abc import Iterator
from typing import Any

from roadworthy.building.toolchain import ANY
from workshop.workflows.jobs import Row
from workshop.workflows.pipeline import RUNNERS, Pipeline, processors_of

# The tags of a target's wheels: the oldest Linux that the tools know, and the system's name of the processor.
TAGS = {
    "x86_64-unknown-linux-gnu": r"manylinux_2_17_x86_64\.manylinux2014_x86_64",
    "aarch64-unknown-linux-gnu": r"manylinux_2_17_aarch64\.manylinux2014_aarch64",
    "x86_64-unknown-linux-musl": r"musllinux_1_2_x86_64",
    "aarch64-unknown-linux-musl": r"musllinux_1_2_aarch64",
    "x86_64-apple-darwin": r"macosx_\d+_\d+_x86_64",
    "aarch64-apple-darwin": r"macosx_\d+_\d+_arm64",
    "universal2-apple-darwin": r"macosx_\d+_\d+_x86_64\.macosx_\d+_\d+_arm64\.macosx_\d+_\d+_universal2",
    "x86_64-pc-windows-msvc": "win_amd64",
    "aarch64-pc-windows-msvc": "win_arm64",
    ANY: "any",
}
OLDEST_GLIBC = "manylinux2014"


def _runs_natively(row: Row, target: str) -> bool:
    system, processor = RUNNERS.get(row.runs_on, ("no such system", ""))
    return (system in target or target == ANY) and processor in processors_of(target)


def every_platform_is_built_natively(pipeline: Pipeline) -> Iterator[str]:
    """Each platform has one row, on a machine of its kind, tagged for the oldest Linux [A5, A13, L1, M11]."""
    rows = pipeline.rows_of("build")
    for row in rows:
        target, tag = row.matrix["target"], row.matrix["tag"]
        if not re.fullmatch(TAGS.get(target, "none"), tag):
            yield f"{target} is tagged {tag}"
        if not _runs_natively(row, target):
            yield f"{target} is built on {row.runs_on}"
        if [other.matrix["target"] for other in rows].count(target) > 1:
            yield f"{target} is built twice"


def every_wheel_is_tested_where_it_runs(pipeline: Pipeline) -> Iterator[str]:
    """Each wheel on its own system and processors, oldest glibc and musl in containers, oldest and newest Python."""
    built = {row.matrix["target"]: row for row in pipeline.rows_of("build")}
    # For each target the processors that its wheels are verified on, and in which image, or none.
    verified: dict[str, set[tuple[str, str]]] = {target: set() for target in built}
    for row in pipeline.rows_of("verify"):
        for word in row.matrix["wheels"].split():
            target, _, image = word.partition("@")
            if target not in built:
                yield f"{row.runs_on} verifies {target}, which is not built"
                continue
            if not _runs_natively(row, target):
                yield f"{target} is verified on {row.runs_on}"
            verified[target].add((RUNNERS.get(row.runs_on, ("", ""))[1], image))
        yield from _check_pythons(pipeline, row)
    for target, row in built.items():
        yield from _check_images(target, row.matrix["tag"], verified[target])
    systems = {RUNNERS.get(row.runs_on, ("",))[0] for row in pipeline.rows_of("verify")} if ANY in built else set()
    if systems and (missing := {system for system, _ in RUNNERS.values()} - systems):
        yield f"it is not verified on {', '.join(sorted(missing))}"
    if [row.matrix for row in pipeline.rows_of("verify")] != [row.matrix for row in pipeline.rows_of("published")]:
        yield "what is published is not installed on the machines on which it was verified"


def _check_images(target: str, tag: str, verified: set[tuple[str, str]]) -> Iterator[str]:
    images = set() if target.endswith("-musl") else {""}
    if "-linux-" in target:
        # The image that has the very libc of the tag.
        found = re.fullmatch(r"(manylinux_\d+_\d+|musllinux_\d+_\d+)_.+", tag)
        images |= {found[1].replace("manylinux_2_17", OLDEST_GLIBC) if found else OLDEST_GLIBC}
    for processor, image in sorted((each, image) for each in processors_of(target) for image in images):
        # An image of that libc and that processor, of the manylinux project's, by its content: a tag can be moved.
        named = rf"quay\.io/pypa/{image}_{processor}(:[\w.-]+)?@sha256:[0-9a-f]{{64}}" if image else ""
        if not any(other == processor and re.fullmatch(named, text) for other, text in verified):
            yield f"{target} is not verified on {processor}{f' in {image}' if image else ''}"


def _check_pythons(pipeline: Pipeline, row: Row) -> Iterator[str]:
    pythons = row.matrix["pythons"].split()
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
    for row in (*pipeline.rows_of("lint"), *pipeline.rows_of("test")):
        python = row.step_using("actions/setup-python").inputs["python-version"].strip().removesuffix("-dev")
        system = RUNNERS.get(row.runs_on, ("",))[0]
        if python not in ({coming} if row.continue_on_error else supported):
            yield f"{row.name} is on {python}: what is supported is tested, and the next one, {coming}, may fail"
        if "rust" not in row.matrix:
            tested.add((system, python))
        elif system == "linux":
            rusts.add(str(row.matrix["rust"]))
    wanted = {("linux", python) for python in (*supported, coming)}
    wanted |= {(system, python) for system in ("darwin", "windows") for python in (oldest, newest)}
    for system, python in sorted(wanted - tested):
        yield f"{python} is not tested on {system}"
    if not pipeline.project.package and (rust := pipeline.project.rust_version) not in rusts:
        yield f"Rust {rust} is not tested, only {', '.join(sorted(rusts))}"


def interpreters_are_named(pipeline: Pipeline) -> Iterator[str]:
    """No `3.x`, no pre-release by accident, no cache of packages; what is built for is set up [M2, M6, Y1, Y4]."""
    for job, inputs in pipeline.using("actions/setup-python"):
        versions = str(inputs["python-version"]).split()
        if "${{" not in versions[0] and not all(re.fullmatch(r"3\.\d+t?", each) for each in versions):
            yield f"{job} does not name its Pythons: {', '.join(versions)}"
    for role in ("identify", "sdist", "collect", "release"):
        (row,) = pipeline.rows_of(role)
        if row.step_using("actions/setup-python").inputs["python-version"] not in pipeline.minors:
            yield f"{pipeline.roles[role]} runs its tools on another Python than {', '.join(pipeline.minors)}"
    for row in pipeline.rows_of("build"):
        pythons = row.step_using("actions/setup-python").inputs["python-version"].split()
        if missing := set(pipeline.threaded) - set(pythons):
            yield f"{row.matrix['target']} is built without CPython {', '.join(sorted(missing))}"
        if pythons[-1] not in pipeline.minors:
            yield f"{row.matrix['target']} is built by tools that run on {pythons[-1]}"


def a_row_that_fails_stops_no_other(pipeline: Pipeline) -> Iterator[str]:
    """All failing rows are seen at once, and may fail only where that is said [A4]."""
    for name, job in pipeline.jobs.items():
        strategy: dict[str, Any] = job.get("strategy", {"fail-fast": False})
        if strategy.get("fail-fast") is not False or "max-parallel" in strategy:
            yield f"{name} ends at its first failing row, or holds rows back"
        if job.get("continue-on-error") and name != pipeline.roles["test"]:
            yield f"{name} may fail"
