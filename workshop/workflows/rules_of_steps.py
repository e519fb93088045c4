"""What the jobs do: exactly these steps, with exactly these words, inputs and environments, at every event."""

import re
from collections.abc import Iterator

from workshop.workflows.events import Event
from workshop.workflows.jobs import Row, Step
from workshop.workflows.pipeline import KINDS, STARTED, VERSION, Pipeline, index_of, library_of

# A step in short: its command or its action, `with:`, and `env:`.
Does = tuple[str, dict[str, str], dict[str, str]]
# So long after its first file, PyPI takes more of a release.
DAYS = 14


def _run(command: str, **env: str) -> Does:
    return command, {}, env


def _use(action: str, **inputs: str) -> Does:
    return action, {key.replace("_", "-"): value for key, value in inputs.items()}, {}


def _upload(name: str, path: str) -> Does:
    kept = {"if_no_files_found": "error", "retention_days": f"{DAYS} or more"}
    return _use("actions/upload-artifact", name=name, path=path, **kept)


CLONE = _use("actions/checkout", persist_credentials="false")
HISTORY = _use("actions/checkout", persist_credentials="false", fetch_depth="0")
CACHE = _use("Swatinem/rust-cache")
STAMP = _run('make stamp VERSION="$VERSION"', VERSION=VERSION)
BUILT = _use("actions/download-artifact", pattern="built-*", path="built")
SDIST = _use("actions/download-artifact", name="built-sdist", path="built/sdist")
RELEASE = _use("actions/download-artifact", name="release", path="release")
TEST = _run("make test", PYO3_USE_ABI3_FORWARD_COMPATIBILITY="1")
# The steps that have a condition; at which events they run, the list of steps says.
CONDITIONAL = ("Swatinem/rust-cache@", "make check-names ", "make check-news ", "rustup override ")
# What else a job may run: a target of the owner's own, in local.mk; and Rust may be told where nothing is made.
OWN = r"make (?!(build|check|collect|identify|sdist|stamp|verify)\b)[\w =-]+"
TOLD = rf"rustup [\w =-]+|{OWN}"
MORE = dict.fromkeys(("sdist", "build", "verify"), OWN) | dict.fromkeys(("lint", "test"), TOLD)


def jobs_do_exactly_their_steps(pipeline: Pipeline) -> Iterator[str]:
    """Each step at each event at which its job runs; no other one, word, input or variable [A2, A4-A7, R1, R4, S5, U2].

    No cache reaches an artefact, nothing runs beside the identity but what publishes, GitHub's release has a token.
    """
    for event_name, event in STARTED.items():
        results = pipeline.comes_to(event)
        for role, job in pipeline.roles.items():
            for row in results[job].rows:
                if wrong := _compare(pipeline, role, row, event):
                    yield f"{event_name}: {job} {wrong}"


def other_jobs_leave_nothing(pipeline: Pipeline) -> Iterator[str]:
    """A job more runs targets of its owner's own; the rest belongs into a workflow of its own [A5, R1, R4, U8]."""
    known = pipeline.roles.values()
    for event in KINDS.values():
        cache = [] if event.ref_type == "tag" else [CACHE]
        for row in (row for name, row in pipeline.all_rows(event) if name not in known):
            python = _use("actions/setup-python", python_version=_own(row, "actions/setup-python", "python-version"))
            for does in map(_in_short, row.steps):
                if does not in [CLONE, HISTORY, python, *cache] and (any(does[1:]) or not re.fullmatch(TOLD, does[0])):
                    yield f"{row.name} does {_say(does)}"


def steps_have_no_conditions(pipeline: Pipeline) -> Iterator[str]:
    """Every step runs in every run of its job, but four; none where another failed: what is sent was compared [A4]."""
    for name, step in pipeline.steps():
        what, condition = step.get("run") or step.get("uses", ""), str(step.get("if", ""))
        if "if" in step and not what.startswith(CONDITIONAL):
            yield f"{name} may leave out: {what}"
        if re.search(r"\b(always|cancelled|failure)\b", condition):
            yield f"{name} may go on after a failure with: {what}"


def outputs_are_those_of_the_step(pipeline: Pipeline) -> Iterator[str]:
    """What `make identify` finds reaches the other jobs as it is, and no job tells another anything else."""
    for name, job in pipeline.jobs.items():
        found = {key: re.sub(r"\s", "", str(value)) for key, value in job.get("outputs", {}).items()}
        ids = [step.get("id") for step in job["steps"] if step.get("run", "").split()[:2] == ["make", "identify"]]
        if found != {key: f"${{{{steps.{ids[0]}.outputs.{key}}}}}" for key in ("code", "version") if ids}:
            yield f"{name} has the outputs {found}"


def _in_short(step: Step) -> Does:
    inputs = {key: " ".join(value.split()) for key, value in step.inputs.items()}
    if int(inputs.get("retention-days", 0)) >= DAYS:
        inputs["retention-days"] = f"{DAYS} or more"
    return (step.uses.split("@")[0] or " ".join(step.run.split()), inputs, step.env)


def _compare(pipeline: Pipeline, role: str, row: Row, event: Event) -> str:
    """Return the first step of a row that is not the one that belongs there, or ""."""
    does = [_in_short(step) for step in row.steps if step.runs is not False]
    wanted = [_named(each, pipeline.project.package) for each in _wanted(pipeline, role, row, event)]
    if role in MORE:
        does = [each for each in does if each in wanted or any(each[1:]) or not re.fullmatch(MORE[role], each[0])]
    unknown = [step.name for step in row.steps if step.runs is None]
    if does == wanted:
        return f"does {unknown[0]}, or not: that is not known before" if unknown else ""
    number = next((i for i, (one, other) in enumerate(zip(does, wanted, strict=False)) if one != other), None)
    if number is None:
        number = min(len(does), len(wanted))
    has, lacks = (_say(steps[number]) if number < len(steps) else "nothing more" for steps in (does, wanted))
    return f"does, as step {number + 1}, {has} in place of {lacks}"


def _named(does: Does, package: str) -> Does:
    """Return a step as it is for a package in a folder of its own: the command names it, and artefacts are there."""
    command, inputs, env = does
    if package and command == "actions/upload-artifact":
        inputs = {**inputs, "path": " ".join(f"{package}/{path}" for path in inputs["path"].split())}
    named = package and command.startswith("make ") and command != "make lint"
    return f"{command} PACKAGE={package}" if named else command, inputs, env


def _say(does: Does) -> str:
    what, inputs, env = does
    said = [f"{word} {dict(sorted(values.items()))}" for word, values in (("with", inputs), ("env", env)) if values]
    return ", ".join([what, *said])


def _wanted(pipeline: Pipeline, role: str, row: Row, event: Event) -> list[Does]:
    """Return the steps of a job's row, with what of it is a choice as it stands there; other rules judge that."""
    target, pythons, wheels = (str(row.matrix.get(key, "")) for key in ("target", "pythons", "wheels"))
    index = index_of(event)
    asked = {"INDEX": index, "VERSION": VERSION}
    served = 'VERSION="$VERSION" INDEX="$INDEX"'
    package = pipeline.project.package
    cache = [] if event.ref_type == "tag" or package else [CACHE]
    rust = [_run('rustup override set "$RUST"', RUST=row.matrix["rust"])] if "rust" in row.matrix else []
    news = [_run('make check-news BASE="origin/$GITHUB_BASE_REF"')] if event.name == "pull_request" else []
    names = [_run(f"make check-names {served}", **asked)] if index else []
    library = [_run('rustup target add "$RUST_TARGET"', RUST_TARGET=library_of(row))] if target and not package else []
    build = _run('make build TARGET="$TARGET" FROM=built/sdist', TARGET=target)
    collect = [_run("make collect FROM=built"), _run("make check-dist ALL=1")]
    verify = _run('make verify FROM=release WHEELS="$WHEELS" PYTHON="$PYTHONS"', PYTHONS=pythons, WHEELS=wheels)
    arrived = [
        _run(f"make check-index {served} SUMS=release/SHA256SUMS", **asked),
        _run(
            f'make verify {served} SUMS=release/SHA256SUMS WHEELS="$WHEELS" PYTHON="$PYTHONS"',
            **asked,
            PYTHONS=pythons,
            WHEELS=wheels,
        ),
    ]
    github: Does = ("make github-release FROM=release", {}, {"GH_TOKEN": "${{ github.token }}"})
    own = _own(row, "actions/setup-python", "python-version")
    python = _use("actions/setup-python", python_version=" ".join(pythons.split()) or own)
    told = {"BEFORE": "${{ github.event.before }}", "DEFAULT_BRANCH": event.default_branch}
    steps = {
        "identify": [HISTORY, python, _run("make identify", **told)],
        "lint": [HISTORY, *cache, python, _run("make lint"), _run("make test"), *news],
        "test": [CLONE, *rust, *cache, python, _run("make test") if package else TEST],
        "sdist": [CLONE, python, STAMP, _run("make sdist"), _upload("built-sdist", "dist/ SHA256SUMS")],
        "build": [CLONE, *library, python, STAMP, SDIST, build, _upload(f"built-{target}", "dist/*.whl SHA256SUMS")],
        "collect": [CLONE, python, STAMP, BUILT, *collect, *names, _upload("release", "dist/ SHA256SUMS")],
        "verify": [CLONE, python, STAMP, RELEASE, verify],
        "passed": [_run('test "$PASSED" = true', PASSED="true")],
        "published": [CLONE, python, RELEASE, *arrived],
        "release": [HISTORY, python, RELEASE, github],
    }
    return steps[role] if role in steps else _publishing(pipeline, row, event)


def _publishing(pipeline: Pipeline, row: Row, event: Event) -> list[Does]:
    locked = pipeline.project.read_shared("requirements/setup.txt").split("\nuv==", 1)[1].split()[0]
    checksum = _own(row, "astral-sh/setup-uv", "checksum")
    if not re.fullmatch(r"[0-9a-f]{64}", checksum):
        checksum = "the SHA-256 of its archive"
    address = ' --publish-url "$PUBLISH_URL"' if event.inputs else ""
    return [
        _use("actions/download-artifact", name="release"),
        _use("astral-sh/setup-uv", version=locked, checksum=checksum, enable_cache="false"),
        _run("sha256sum --check --strict SHA256SUMS"),
        _use("astral-sh/attest-action", paths="dist/*"),
        _run(f"uv publish --trusted-publishing always{address} dist/*", **event.variables),
    ]


def _own(row: Row, action: str, key: str) -> str:
    """Return what a row itself hands to an action."""
    return " ".join(
        " ".join(step.inputs.get(key, "").split()) for step in row.steps if step.uses.startswith(f"{action}@")
    )
