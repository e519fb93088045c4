"""Rules about what may do what, and that nothing but what stands here decides it."""

import json
import os
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

from roadworthy.processes import run
from workshop.workflows.events import load
from workshop.workflows.jobs import workflow_concurrency
from workshop.workflows.pipeline import KINDS, PULL, RUNNERS, STARTED, Pipeline

# Commits that stand in the workflows of large projects, each with its version.
ACTIONS: dict[str, list[str]] = json.loads(Path(__file__).with_name("actions.json").read_text(encoding="utf-8"))
# What may hold more than the right to read, by what the job runs.
GRANTS = {"uv publish": {"id-token": "write"}, "make github-release": {"contents": "write"}}
# Programs that a step may begin with; all else is in a script.
PROGRAMS = {"make", "rustup", "sha256sum", "test", "uv"}
# All that may stand there: what runs in a container, with other defaults, by another workflow … is a key not listed.
KEYS = {
    "the workflow": {"name", "on", "concurrency", "permissions", "defaults", "jobs"},
    "a job": {
        *("name", "needs", "if", "runs-on", "timeout-minutes", "permissions", "outputs", "strategy", "steps"),
        *("environment", "continue-on-error"),
    },
    "a step": {"name", "id", "if", "uses", "with", "run", "env"},
}
LONGEST = 60
# The least time for a job, in minutes: what it takes on a slow day; to wait for an index is ten minutes, twice.
LEAST = {"lint": 15, "test": 15, "sdist": 10, "build": 20, "collect": 10, "verify": 30, "published": 45}
LEAST |= {"identify": 5, "pypi": 10, "testpypi": 10, "release": 10, "passed": 2}


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


def expressions_reach_no_shell(pipeline: Pipeline) -> Iterator[str]:
    """A branch's name is no code: expressions stand in `env:`, and a script reads the variable, quoted [R6]."""
    for name, step in pipeline.steps():
        if "${{" in step.get("run", ""):
            yield f"{name} has an expression in a command: {step['run']}"
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


def jobs_end_and_run_on_known_machines(pipeline: Pipeline) -> Iterator[str]:
    """A time limit for each, and a machine of a fixed version, without a matrix Linux's [A14, M6]."""
    for name, job in pipeline.jobs.items():
        minutes = job.get("timeout-minutes")
        if not isinstance(minutes, int) or minutes > LONGEST:
            yield f"{name} may take {minutes or 360} minutes"
        if "strategy" not in job and job["runs-on"] not in ("ubuntu-24.04", ["ubuntu-24.04"]):
            yield f"{name} runs on {job['runs-on']}"
    for event in KINDS.values():
        found = ((name, row.runs_on) for name, row in pipeline.all_rows(event))
        yield from (f"{name} runs on {machine} [A14]" for name, machine in found if machine not in RUNNERS)


def jobs_have_the_time_that_they_take(pipeline: Pipeline) -> Iterator[str]:
    """No limit ends a job that is only slow: a release that is half out would wait for a person."""
    for role, job in pipeline.roles.items():
        if (minutes := pipeline.jobs[job].get("timeout-minutes", 0)) < LEAST[role]:
            yield f"{job} is ended after {minutes} minutes, and may take {LEAST[role]}"


def nothing_else_stands_there(pipeline: Pipeline) -> Iterator[str]:
    """No container, reusable workflow, default, group or environment of a job; no shell, folder or limit of a step."""
    found = [("the workflow", pipeline.workflow), *(("a job", job) for job in pipeline.jobs.values())]
    found += [("a step", step) for _, step in pipeline.steps()]
    for what, mapping in found:
        if unknown := mapping.keys() - KEYS[what]:
            yield f"{what} has {', '.join(sorted(unknown))}"


def names_are_unique(pipeline: Pipeline) -> Iterator[str]:
    """Two checks of one name are one to branch protection, whichever ends last; the name it asks for never changes."""
    for event in KINDS.values():
        names = [row.name for _, row in pipeline.all_rows(event)]
        if twice := {name for name in names if names.count(name) > 1}:
            yield f"several jobs are called {', '.join(sorted(twice))}"
    if "${{" in pipeline.jobs["passed"]["name"]:
        yield "the name of the check changes"
    # Runs of two workflows of one name are in one group.
    own = {pipeline.workflow["name"], pipeline.jobs["passed"]["name"]}
    path = pipeline.project.root / pipeline.project.workflow_path
    for other in sorted(path.parent.glob("*.y*ml")):
        if other != path and (both := own & _names_in(other)):
            yield f"{other.name} has the name, too: {', '.join(sorted(both))}"


@cache
def _names_in(path: Path) -> set[str]:
    """Return what a workflow and its jobs are called."""
    other = load(path.read_text(encoding="utf-8"))
    return {str(each.get("name")) for each in (other, *other["jobs"].values())}


def only_a_pull_requests_older_run_is_cancelled(pipeline: Pipeline) -> Iterator[str]:
    """A run for a branch or a tag is neither ended by a newer one nor, while it waits, replaced by one [A10]."""
    newer = replace(PULL, sha="f" * 40, run_id=1001)
    # The groups of each pull request, by its reference.
    pulls: dict[str, set[str]] = {}
    for name, event in {**STARTED, "another commit": newer}.items():
        each, is_pull = workflow_concurrency(pipeline.workflow, event), event.name == "pull_request"
        if each is None:
            yield "a newer commit of a pull request ends no older run"
            return
        if each.cancel_in_progress != is_pull:
            yield f"{name}: an older run is {'ended' if each.cancel_in_progress else 'not ended'}"
        its = event.ref if is_pull else str(event.run_id)
        if is_pull:
            pulls.setdefault(event.ref, set()).add(each.group)
        elif its not in each.group:
            yield f"{name}: the group {each.group} is shared, so a run that waits in it is replaced"
        if each.group == its:
            yield f"{name}: a run of another workflow has the group {its}, too"
    if any(len(groups) > 1 for groups in pulls.values()):
        yield "two commits of a pull request are not in one group"
    if len(set().union(*pulls.values())) < len(pulls):
        yield "two pull requests are in one group"
