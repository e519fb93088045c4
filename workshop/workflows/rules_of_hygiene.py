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
from workshop.workflows.pipeline import EVENTS, PULL, TAG, Pipeline

# Commits that stand in the workflows of large projects, each with its version.
ACTIONS: dict[str, list[str]] = json.loads(Path(__file__).with_name("actions.json").read_text(encoding="utf-8"))
# What may hold more than the right to read, by what the job runs.
GRANTS = {
    "uv publish": {"id-token": "write"},
    "make github-release": {"contents": "write"},
}
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
        does = [command for command in GRANTS if name in pipeline.doing(command)]
        wanted = GRANTS[does[0]] if does else {"contents": "read"}
        uses = [step.get("uses", "") for step in job["steps"]]
        if not does and not any(use.startswith("actions/checkout@") for use in uses):
            wanted = {}
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
    for name, step in pipeline.steps():
        if step.get("uses", "").startswith("actions/checkout@"):
            given = step.get("with", {})
            if given.get("persist-credentials") is not False:
                yield f"{name} keeps the token"
            if extra := set(given) - {"persist-credentials", "fetch-depth"}:
                yield f"{name} checks out with {', '.join(sorted(extra))}"
            if (given.get("fetch-depth") == 0) != (name in whole):
                yield f"{name} checks out with a history of {given.get('fetch-depth', 1)}"


def no_cache_reaches_what_is_published(pipeline: Pipeline) -> Iterator[str]:
    """Caches speed tests of branches up; for a tag there is none, and none where artefacts are built [R1, L10]."""
    artefacts = {
        name for name, step in pipeline.steps() if re.match("actions/(up|down)load-artifact@", step.get("uses", ""))
    }
    for name, step in pipeline.steps():
        action = step.get("uses", "").split("@")[0]
        inputs = step.get("with", {})
        asked = any(key.startswith(("cache", "enable-cache")) and value is not False for key, value in inputs.items())
        if action in CACHES and name in artefacts:
            yield f"{name} makes or sends artefacts, with a cache"
        if action not in CACHES and asked:
            yield f"{name} has a cache of {action}"
    for event in (TAG, EVENTS["tag of a pre-release"], EVENTS["manual run of a tag for TestPyPI"]):
        for name, result in pipeline.comes_to(event).items():
            for row in result.rows:
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
        elif program == "make":
            yield from _check_target(pipeline.project.root, name, tuple(words))
        if step.get("shell") or "working-directory" in step:
            yield f"{name} runs in a shell or a folder of its own: {command}"


def _check_target(root: Path, name: str, words: tuple[str, ...]) -> Iterator[str]:
    if refusal := ask_make(root, words):
        yield f"{name}: make {' '.join(words)}: {refusal}"


@cache
def ask_make(root: Path, words: tuple[str, ...]) -> str:
    """Return how make refuses a target with its variables, or ""."""
    env = {key: value for key, value in os.environ.items() if not key.startswith(("MAKE", "MFLAGS"))}
    done = run("make", "--dry-run", *(word.replace('"', "") for word in words), cwd=root, env=env, check=False)
    return done.stderr.strip() if done.returncode else ""


def the_shell_ends_at_the_first_error(pipeline: Pipeline) -> Iterator[str]:
    """Every command runs in bash with -e and pipefail, which GitHub gives to whoever names bash."""
    if pipeline.workflow.get("defaults") != {"run": {"shell": "bash"}}:
        yield f"the defaults are {pipeline.workflow.get('defaults')}"
    for name, job in pipeline.jobs.items():
        if "defaults" in job:
            yield f"{name} has other defaults"


def jobs_end_and_run_on_known_machines(pipeline: Pipeline) -> Iterator[str]:
    """A time limit for each, and a machine of a fixed version, not in a container: actions do not run in an old one."""
    labels = {"ubuntu-24.04", "ubuntu-24.04-arm", "macos-15", "macos-15-intel", "windows-2025", "windows-11-arm"}
    for name, job in pipeline.jobs.items():
        minutes = job.get("timeout-minutes")
        if not isinstance(minutes, int) or minutes > LONGEST:
            yield f"{name} may take {minutes or 360} minutes"
        if "container" in job or "services" in job:
            yield f"{name} runs in a container, where actions may not [L5]"
    for event in (PULL, TAG, EVENTS["manual run for TestPyPI"]):
        for name, result in pipeline.comes_to(event).items():
            for row in result.rows:
                if row.runs_on not in labels:
                    yield f"{name} runs on {row.runs_on} [A14]"


def only_a_pull_requests_older_run_is_cancelled(pipeline: Pipeline) -> Iterator[str]:
    """A run for a branch or a tag is neither ended by a newer one nor, while it waits, replaced by one [A10]."""
    groups = {}
    for name, event in EVENTS.items():
        found = workflow_concurrency(pipeline.workflow, event)
        if found is None:
            yield "a newer commit of a pull request ends no older run"
            return
        groups[name] = found.group
        if found.cancel_in_progress != name.startswith("pull request"):
            yield f"{name}: an older run is {'ended' if found.cancel_in_progress else 'not ended'}"
        # The run's own number, which no other run has.
        if not name.startswith("pull request") and "1000" not in found.group:
            yield f"{name}: the group {found.group} is shared, so a run that waits in it is replaced"
    again = workflow_concurrency(pipeline.workflow, replace(PULL, sha="f" * 40))
    if again is None or again.group != groups["pull request"]:
        yield "two commits of a pull request are not in one group"
    if groups["pull request"] == groups["pull request of a fork"]:
        yield "two pull requests are in one group"
    for name, job in pipeline.jobs.items():
        if "concurrency" in job:
            yield f"{name} has a group of its own"


def every_build_knows_its_version(pipeline: Pipeline) -> Iterator[str]:
    """Who builds or checks artefacts stamps the run's version first; only what `identify` found counts [A2]."""
    for command in ("make sdist", "make build", "make collect", "make verify FROM=release"):
        job = pipeline.one(command)
        for row in pipeline.rows(job):
            does = [step.run.split('"')[0].strip() for step in row.steps if step.run.startswith("make")]
            if does[0] != "make stamp VERSION=":
                yield f"{job} begins with {does[0]}"
                continue
            stamp = next(step for step in row.steps if step.run.startswith("make stamp"))
            if stamp.env != {"VERSION": "1.2.3"} or stamp.runs is not True:
                yield f"{job} stamps {stamp.env}"
    identify = pipeline.rows(pipeline.one("make identify"))[0]
    env = identify.steps[-1].env
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


RULES = (
    rights_are_granted_one_by_one,
    actions_are_pinned_and_known,
    checkouts_hold_no_token_and_no_other_commit,
    no_cache_reaches_what_is_published,
    expressions_reach_no_shell,
    steps_are_commands_of_a_laptop,
    the_shell_ends_at_the_first_error,
    jobs_end_and_run_on_known_machines,
    only_a_pull_requests_older_run_is_cancelled,
    every_build_knows_its_version,
    only_the_release_holds_a_token,
    free_threading_is_left_to_the_interpreter,
    only_locked_tools_are_used,
)
