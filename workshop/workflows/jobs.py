"""What a GitHub workflow does at an event: which jobs run, with what, and which of their steps."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from graphlib import CycleError, TopologicalSorter
from itertools import product
from typing import Any

from workshop.workflows.events import Event, as_list, text_of, triggers
from workshop.workflows.expressions import Scope, shared, strings

__all__ = ["Concurrency", "Event", "JobResult", "Outcome", "Row", "Step", "in_order", "run", "workflow_concurrency"]

Workflow = Mapping[str, Any]
SYSTEMS = {"ubuntu": "Linux", "macos": "macOS", "windows": "Windows"}


@dataclass(frozen=True)
class Outcome:
    """What a job that runs results in."""

    result: str = "success"  # or "failure" or "cancelled"
    outputs: Mapping[str, str] = field(default_factory=dict)
    # The job was cancelled, but the run was not: it took too long, or was replaced in its concurrency group.
    run_goes_on: bool = False


@dataclass(frozen=True)
class Concurrency:
    """A concurrency group, and whether a newcomer ends the one that runs."""

    group: str
    cancel_in_progress: bool


@dataclass(frozen=True)
class Step:
    """A step; `runs` is None where its `if:` asks for what is only known on GitHub. So are templates that stay."""

    id: str
    name: str
    runs: bool | None
    uses: str
    inputs: dict[str, str]  # with:
    env: dict[str, str]
    run: str


@dataclass(frozen=True)
class Row:
    """A job as it runs for one row of its matrix; without a matrix, there is one row."""

    matrix: dict[str, Any]
    name: str
    runs_on: Any
    environment: str | None
    continue_on_error: bool
    steps: tuple[Step, ...]

    def step_using(self, action: str) -> Step:
        """Return the only step that uses this action, such as "actions/checkout"."""
        (found,) = [step for step in self.steps if step.uses.split("@")[0] == action]
        return found


@dataclass(frozen=True)
class JobResult:
    """What becomes of a job."""

    runs: bool  # in this attempt
    result: str  # what the jobs that need it see: "success", "failure", "cancelled" or "skipped"
    outputs: Mapping[str, str] = field(default_factory=dict)
    run_goes_on: bool = False  # although it was cancelled
    permissions: Mapping[str, str] | str = "default"  # where the workflow does not say
    # Most questions are about which jobs run, and rows are what takes time.
    _make_rows: Callable[[], tuple[Row, ...]] = field(default=tuple, repr=False, compare=False)

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        """Return how it runs, once for each row of its matrix; none if it is skipped."""
        return self._make_rows()

    @property
    def row(self) -> Row:
        """Return the only row."""
        (row,) = self.rows
        return row


def workflow_concurrency(workflow: Workflow, event: Event) -> Concurrency | None:
    """Return the concurrency group of the whole run."""
    given = workflow.get("concurrency")
    if given is None:
        return None
    wanted = given if isinstance(given, Mapping) else {"group": given}
    filled = shared().fill(wanted, "workflow-concurrency", _scope(workflow, event))
    return Concurrency(filled["group"], filled.get("cancel-in-progress", False))


def run(
    workflow: Workflow,
    event: Event,
    outcomes: Mapping[str, Outcome] | None = None,
    *,
    previous: Mapping[str, JobResult] | None = None,
) -> dict[str, JobResult]:
    """Go through the jobs of a workflow, and return what becomes of each, in the order of the file.

    Args:
        workflow: The workflow.
        event: What happened; where it does not start the workflow, no job is returned.
        outcomes: What jobs result in, if they run; all others succeed, without outputs.
        previous: What the attempt before came to, for a re-run of the failed jobs: only those run again, and those
            that need them.

    Raises:
        ValueError: The workflow is wrong, or it takes more to tell what happens.
    """
    jobs, outcomes = workflow["jobs"], outcomes or {}
    needs = _needs(workflow)
    _check(jobs, needs)
    if not triggers(workflow, event):
        return {}
    scope, results = _scope(workflow, event), dict[str, JobResult]()
    ancestors: dict[str, set[str]] = {}
    for name in in_order(workflow):
        before = ancestors[name] = set(needs[name]).union(*(ancestors[need] for need in needs[name]))
        if previous and not any(previous[other].result in ("failure", "cancelled") for other in {name, *before}):
            results[name] = replace(previous[name], runs=False)
            continue
        seen = {need: {"result": results[need].result, "outputs": results[need].outputs} for need in needs[name]}
        here = replace(
            scope.having(needs=seen),
            results={other: results[other].result for other in before},
            cancelled=any(results[it].result == "cancelled" and not results[it].run_goes_on for it in before),
        )
        results[name] = _job(workflow, name, here, outcomes.get(name, Outcome()))
    return {name: results[name] for name in jobs}


def in_order(workflow: Workflow) -> list[str]:
    """Return the jobs, each after those that it needs."""
    return _order(tuple((name, tuple(needs)) for name, needs in _needs(workflow).items()))


@cache
def _order(needs: tuple[tuple[str, tuple[str, ...]], ...]) -> list[str]:
    try:
        return list(TopologicalSorter(dict(needs)).static_order())
    except CycleError as error:
        raise ValueError(f"jobs need each other: {' → '.join(error.args[1])}") from error


def _needs(workflow: Workflow) -> dict[str, list[str]]:
    return {name: as_list(job.get("needs", [])) for name, job in workflow["jobs"].items()}


def _check(jobs: Mapping[str, Any], needs: Mapping[str, list[str]]) -> None:
    for name, job in jobs.items():
        if unknown := set(needs[name]) - jobs.keys():
            raise ValueError(f"{name} needs {', '.join(sorted(unknown))}, and there is no such job")
        ids = [step["id"] for step in job.get("steps", []) if "id" in step]
        if twice := {step for step in ids if ids.count(step) > 1}:
            raise ValueError(f"{name} has several steps with the id {', '.join(sorted(twice))}")


def _scope(workflow: Workflow, event: Event) -> Scope:
    inputs = event.given_inputs(workflow)
    return Scope({"github": event.github(workflow), "inputs": inputs, "vars": event.variables})


def _job(workflow: Workflow, name: str, scope: Scope, outcome: Outcome) -> JobResult:
    job = workflow["jobs"][name]
    runs = shared().holds(job.get("if"), "job-if", scope)
    if runs is None:
        raise ValueError(f"it takes more to tell whether {name} runs: {job['if']}")
    if not runs:
        return JobResult(runs=False, result="skipped")
    result = JobResult(
        runs=True,
        result=outcome.result,
        outputs=outcome.outputs,
        run_goes_on=outcome.run_goes_on,
        permissions=_permissions(workflow, job),
        _make_rows=lambda: tuple(_rows(workflow, name, scope)),
    )
    may_fail = outcome.result == "failure" and job.get("continue-on-error")
    return (
        replace(result, result="success") if may_fail and all(row.continue_on_error for row in result.rows) else result
    )


def _rows(workflow: Workflow, name: str, scope: Scope) -> Iterator[Row]:
    strategy = workflow["jobs"][name].get("strategy") or {}
    found = named_rows(strategy, scope)
    for index, (matrix, shown) in enumerate(found):
        about = {"job-index": index, "job-total": len(found), "fail-fast": strategy.get("fail-fast", True)}
        yield _row(workflow, name, shown, scope.having(matrix=matrix, strategy=about))


def named_rows(strategy: Mapping[str, Any] | None, scope: Scope) -> list[tuple[dict[str, Any], list[Any]]]:
    """Return the rows of a job's matrix, in GitHub's order, each with what of it stands in the job's name.

    Without a matrix that is one empty row.

    Raises:
        ValueError: The matrix has no row, excludes by a key that it does not have, or is not known entirely.
    """
    if not strategy or "matrix" not in strategy:
        return [({}, [])]
    matrix = shared().fill(strategy["matrix"], "strategy", scope)
    if any("${{" in text for text in strings(matrix)):
        raise ValueError(f"it takes more to tell the rows of {matrix}")
    vectors = {key: values for key, values in matrix.items() if key not in ("include", "exclude")}
    if no_lists := [key for key, values in vectors.items() if not isinstance(values, list)]:
        raise ValueError(f"no list in the matrix: {', '.join(no_lists)}")
    for entry in matrix.get("exclude", []):
        if unknown := entry.keys() - vectors.keys():
            raise ValueError(f"exclude: the matrix has no {', '.join(sorted(unknown))}")
    originals = [dict(zip(vectors, values, strict=True)) for values in product(*vectors.values())] if vectors else []
    excluded = matrix.get("exclude", [])
    rows = [(row, list(row.values())) for row in originals if not any(_agree(entry, row) for entry in excluded)]
    added: list[tuple[dict[str, Any], list[Any]]] = []
    for entry in matrix.get("include", []):
        wanted = {key: value for key, value in entry.items() if key in vectors}
        # What an earlier entry has added is not looked at, and overwritten.
        fitting = [row for row, _ in rows if _agree(wanted, row)]
        for row in fitting:
            row.update(entry)
        if not fitting:
            added.append((dict(entry), list(entry.values())))
    if not rows + added:
        raise ValueError(f"the matrix has no row: {matrix}")
    return rows + added


def _agree(entry: Mapping[str, Any], row: Mapping[str, Any]) -> bool:
    return all(row[key] == value for key, value in entry.items())


def _row(workflow: Workflow, name: str, shown: list[Any], scope: Scope) -> Row:
    job, fill = workflow["jobs"][name], shared().fill
    title = job.get("name", name)
    if shown and "${{" not in title:
        title = f"{title} ({', '.join(text_of(value) for value in shown)})"
    environment = job.get("environment")
    if isinstance(environment, Mapping):
        environment = environment["name"]
    env = _texts(workflow.get("env"), "workflow-env", scope) | _texts(job.get("env"), "job-env", scope)
    runs_on = fill(job.get("runs-on"), "runs-on", scope)
    # A list of labels asks for a machine that has them all.
    runs_on = ", ".join(map(str, runs_on)) if isinstance(runs_on, list) else runs_on
    return Row(
        matrix=scope.contexts["matrix"],
        name=fill(title, "string-strategy-context", scope),
        runs_on=runs_on,
        environment=fill(environment, "job-environment-name", scope) or None,
        continue_on_error=fill(job.get("continue-on-error", False), "boolean-strategy-context", scope),
        steps=tuple(_steps(job.get("steps", []), env, scope, str(runs_on).split("-")[0])),
    )


def _steps(steps: list[Any], env: dict[str, str], scope: Scope, system: str) -> Iterator[Step]:
    """Yield the steps of a job in which none fails."""
    runner = {"os": SYSTEMS[system]} if system in SYSTEMS else {}
    scope = replace(scope, results={}, cancelled=False).having(steps={}, runner=runner, job={"status": "success"})
    for step in steps:
        own = _texts(step.get("env"), "step-env", scope.having(env=_known(env)))
        here = scope.having(env=_known(env | own))
        title = step.get("name") or step.get("uses") or "Run " + step["run"].partition("\n")[0]
        yield Step(
            id=step.get("id", ""),
            name=_text(title, here),
            runs=shared().holds(step.get("if"), "step-if", here),
            uses=step.get("uses", ""),
            inputs=_texts(step.get("with"), "step-with", here),
            env=own,
            run=_text(step.get("run", ""), here),
        )


def _texts(values: Mapping[str, Any] | None, where: str, scope: Scope) -> dict[str, str]:
    return {key: text_of(value) for key, value in shared().fill(values or {}, where, scope).items()}


def _text(value: str, scope: Scope) -> str:
    return text_of(shared().fill(value, "string-steps-context", scope))


def _known(env: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in env.items() if "${{" not in value}


def _permissions(workflow: Workflow, job: Mapping[str, Any]) -> dict[str, str] | str:
    given = job.get("permissions", workflow.get("permissions", "default"))
    return given if isinstance(given, str) else dict(given or {})
