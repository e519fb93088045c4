"""Rules about what may do what, and that nothing but what stands here decides it."""

import json
import os
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

from roadworthy.processes import run
from workshop.workflows.jobs import workflow_concurrency
from workshop.workflows.pipeline import EVENTS, MATRIX, PULL, TAG, VERSION, Pipeline
from workshop.workflows.rules_of_build import RUNNERS

# Commits that stand in the workflows of large projects, each with its version.
ACTIONS: dict[str, list[str]] = json.loads(Path(__file__).with_name("actions.json").read_text(encoding="utf-8"))
# What may hold more than the right to read, by what the job runs.
GRANTS = {"uv publish": {"id-token": "write"}, "make github-release": {"contents": "write"}}
# Programs that a step may begin with; all else is in a script.
PROGRAMS = {"make", "rustup", "sha256sum", "test", "uv", "xargs"}
CACHES = ("actions/cache", "Swatinem/rust-cache", "mozilla-actions/sccache-action")
LONGEST = 60


def rights_are_granted_one_by_one(pipeline: Pipeline) -> Iterator[str]:
    """Nothing at the top; each job what it needs, with the reason; the identity only where it is published [O4, R4]."""
    if pipeline.workflow.get("permissions") != {}:
        yield f"the whole workflow has {pipeline.workflow.get('permissions', 'what the repository grants')}"
    for name, job in pipeline.jobs.items():
        granted = job.get("permissions")
        least = {"contents": "read"} if name in dict(pipeline.using("actions/checkout")) else {}
        wanted = next((GRANTS[command] for command in GRANTS if name in pipeline.doing(command)), least)
        if granted != wanted:
            yield f"{name} is granted {granted}, and needs {wanted}"
    for line in pipeline.text.splitlines():
        if re.match(r" {6}[a-z-]+: (read|write)\b", line) and not re.search(r" # \w", line):
            yield f"no reason is given for: {line.strip()}"


def actions_are_pinned_and_known(pipeline: Pipeline) -> Iterator[str]:
    """Each action by a known commit, with its version beside it; a tag can be moved [R2]."""
    for line in re.findall(r"uses: *(.+)", pipeline.text):
        found = re.fullmatch(r"['\"]?([\w.-]+/[\w.-]+)@([0-9a-f]{40})['\"]? # (\S+)(?: #.*)?", line)
        if not found:
            yield f"not by commit and version: {line}"
        elif [found[2], found[3]] != ACTIONS.get(found[1]):
            yield f"not the known commit and version: {line}"


def checkouts_hold_no_token_and_no_other_commit(pipeline: Pipeline) -> Iterator[str]:
    """The token is not left in the checkout; what is checked out is what the run is about [A2]."""
    whole = {pipeline.one(f"make {goal}") for goal in ("identify", "lint", "github-release")}
    for name, inputs in pipeline.using("actions/checkout"):
        if inputs.get("persist-credentials") is not False:
            yield f"{name} keeps the token"
        if extra := set(inputs) - {"persist-credentials", "fetch-depth"}:
            yield f"{name} checks out with {', '.join(sorted(extra))}"
        if (inputs.get("fetch-depth") == 0) != (name in whole):
            yield f"{name} checks out with a history of {inputs.get('fetch-depth', 1)}"


def no_cache_reaches_what_is_published(pipeline: Pipeline) -> Iterator[str]:
    """Caches speed tests of branches up; for a tag there is none, and none where artefacts are built [R1, L10]."""
    artefacts = {job for way in ("upload", "download") for job, _ in pipeline.using(f"actions/{way}-artifact")}
    for name, step in pipeline.steps():
        action, inputs = step.get("uses", "").split("@")[0], step.get("with", {})
        asked = any(key.startswith(("cache", "enable-cache")) and value is not False for key, value in inputs.items())
        if action in CACHES and name in artefacts:
            yield f"{name} makes or sends artefacts, with a cache"
        if action not in CACHES and asked:
            yield f"{name} has a cache of {action}"
    for event in (TAG, EVENTS["tag of a pre-release"], EVENTS["manual run of a tag for TestPyPI"]):
        for name, row in pipeline.all_rows(event):
            if any(step.uses.split("@")[0] in CACHES and step.runs is not False for step in row.steps):
                yield f"{name} has a cache for a tag"
    pull = pipeline.comes_to(PULL)[pipeline.one("make lint")].row
    if not any(step.uses.split("@")[0] in CACHES and step.runs for step in pull.steps):
        yield "a pull request has no cache"


def expressions_reach_no_shell(pipeline: Pipeline) -> Iterator[str]:
    """A branch's name is no code: expressions stand in `env:`, and a script reads the variable, quoted [R6]."""
    for name, step in pipeline.steps():
        if "${{" in step.get("run", ""):
            yield f"{name} has an expression in a command: {step['run']}"
        if "script" in step.get("with", {}):
            yield f"{name} has a script in it"
        if unquoted := re.findall(r"(?<![\"\w])\$\w+(?![\w\"])", step.get("run", "")):
            yield f"{name} does not quote {', '.join(unquoted)}"


def steps_are_commands_of_a_laptop(pipeline: Pipeline) -> Iterator[str]:
    """Each step is one plain command, and a target that is there, with variables that it takes; no logic in YAML."""
    for name, step in pipeline.steps():
        command = " ".join(step.get("run", "").split())
        if not command:
            continue
        program, *words = command.split()
        if program not in PROGRAMS or re.search(r"[;|&`]|\$\(|\bif\b", command.replace("$PASSED", "")):
            yield f"{name} runs: {command}"
        elif program == "make" and (refusal := _ask_make(pipeline.project.root, tuple(words))):
            yield f"{name}: {command}: {refusal}"
        if step.get("shell") or "working-directory" in step:
            yield f"{name} runs in a shell or a folder of its own: {command}"


@cache
def _ask_make(root: Path, words: tuple[str, ...]) -> str:
    """Return how make refuses a target with its variables, or ""."""
    env = {key: value for key, value in os.environ.items() if not key.startswith(("MAKE", "MFLAGS"))}
    done = run("make", "--dry-run", *(word.replace('"', "") for word in words), cwd=root, env=env, check=False)
    return done.stderr.strip() if done.returncode else ""


def the_shell_ends_at_the_first_error(pipeline: Pipeline) -> Iterator[str]:
    """Every command runs in bash with -e and pipefail, which GitHub gives to whoever names bash."""
    if pipeline.workflow.get("defaults") != {"run": {"shell": "bash"}}:
        yield f"the defaults are {pipeline.workflow.get('defaults')}"
    yield from (f"{name} has other defaults" for name, job in pipeline.jobs.items() if "defaults" in job)


def jobs_end_and_run_on_known_machines(pipeline: Pipeline) -> Iterator[str]:
    """A time limit for each, and a machine of a fixed version, not in a container: actions do not run in an old one."""
    for name, job in pipeline.jobs.items():
        minutes = job.get("timeout-minutes")
        if not isinstance(minutes, int) or minutes > LONGEST:
            yield f"{name} may take {minutes or 360} minutes"
        if "container" in job or "services" in job:
            yield f"{name} runs in a container, where actions may not [L5]"
    for event in (PULL, TAG, EVENTS["manual run for TestPyPI"]):
        found = ((name, row.runs_on) for name, row in pipeline.all_rows(event))
        yield from (f"{name} runs on {machine} [A14]" for name, machine in found if machine not in RUNNERS)


def only_a_pull_requests_older_run_is_cancelled(pipeline: Pipeline) -> Iterator[str]:
    """A run for a branch or a tag is neither ended by a newer one nor, while it waits, replaced by one [A10]."""
    events = {**EVENTS, "another commit": replace(PULL, sha="f" * 40)}
    found = {name: workflow_concurrency(pipeline.workflow, event) for name, event in events.items()}
    groups = {name: each.group for name, each in found.items() if each}
    for name, event in EVENTS.items():
        each, is_pull = found[name], event.name == "pull_request"
        if each is None:
            yield "a newer commit of a pull request ends no older run"
            return
        if each.cancel_in_progress != is_pull:
            yield f"{name}: an older run is {'ended' if each.cancel_in_progress else 'not ended'}"
        # The run's own number, which no other run has.
        if not is_pull and "1000" not in each.group:
            yield f"{name}: the group {each.group} is shared, so a run that waits in it is replaced"
    if groups["another commit"] != groups["pull request"]:
        yield "two commits of a pull request are not in one group"
    if groups["pull request"] == groups["pull request of a fork"]:
        yield "two pull requests are in one group"
    yield from (f"{name} has a group of its own" for name, job in pipeline.jobs.items() if "concurrency" in job)


def every_build_knows_its_version(pipeline: Pipeline) -> Iterator[str]:
    """Who builds or checks artefacts stamps the run's version first; only what `identify` found counts [A2]."""
    for job, row in ((name, row) for name in map(pipeline.one, MATRIX) for row in pipeline.rows(name)):
        first = next(step for step in row.steps if step.run.startswith("make"))
        if not first.run.startswith('make stamp VERSION="'):
            yield f"{job} begins with {first.run}"
        elif first.env != {"VERSION": VERSION} or first.runs is not True:
            yield f"{job} stamps {first.env}"
    env = pipeline.rows_doing("make identify")[0].steps[-1].env
    if env.get("DEFAULT_BRANCH") != "main" or "BEFORE" not in env:
        yield f"what identify is told: {env}"


def only_the_release_holds_a_token(pipeline: Pipeline) -> Iterator[str]:
    """A token is given to the step that uses it, and to nothing else."""
    release = pipeline.one("make github-release")
    for name, job in pipeline.jobs.items():
        held = [step for step in job["steps"] if "github.token" in str(step) or "GITHUB_TOKEN" in str(step)]
        if held and (name != release or len(held) > 1 or not held[0].get("run", "").startswith("make ")):
            yield f"{name} holds a token"
        if "env" in job or "github.token" in str({key: value for key, value in job.items() if key != "steps"}):
            yield f"{name} has an environment for all of its steps"
    if "env" in pipeline.workflow:
        yield "all jobs have an environment in common"


def free_threading_is_left_to_the_interpreter(pipeline: Pipeline) -> Iterator[str]:
    """Nothing forces the GIL off: a module that switches it on again has to be noticed [Y3]."""
    if "PYTHON_GIL" in pipeline.text or "-X gil" in pipeline.text:
        yield "it decides about the GIL"


def only_locked_tools_are_used(pipeline: Pipeline) -> Iterator[str]:
    """No installer in a command, and no other maturin than the locked one, which make uses [M8]."""
    for name, step in pipeline.steps():
        for word in ("pip ", "pipx", "uvx", "uv tool", "cargo install", "npm ", "curl", "wget", "maturin", "docker"):
            if word in step.get("run", ""):
                yield f"{name} runs: {step['run']}"
        if step.get("uses", "").lower().startswith(("pyo3/maturin-action", "actions/github-script")):
            yield f"{name} uses {step['uses']}"
    if pipeline.project.workflow_file != "CI.yml":
        yield "the trusted publisher is bound to CI.yml"
