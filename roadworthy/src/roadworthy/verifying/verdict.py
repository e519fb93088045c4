"""What a package's tests prove: judged by what `run_tests.py` told of each, for an exit code alone proves nothing."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from roadworthy.terminal import listed

USAGE_ERROR = "4"  # pytest's exit code


def read_outcomes(report: Path) -> tuple[dict[str, str], str | None]:
    """Return by the test what became of it, and the code with which pytest came back; nothing without a report.

    It has passed, failed, was skipped or left out (by a conftest or an option), or has ended as nothing: "".
    """
    told: dict[str, dict[str, str]] = {}
    for line in report.read_text(encoding="utf-8", errors="replace").splitlines() if report.is_file() else ():
        try:
            kind, name, *outcome = json.loads(line)
            phases = told.setdefault(str(name), {})
            # A subtest is told as its test is, before it.
            phases[kind] = "failed" if phases.get(kind) == "failed" else "".join(outcome)
        except (TypeError, ValueError):
            break
    ended = told.pop("pytest", {}).get("ended")
    return {name: outcome_of(phases) for name, phases in told.items()}, ended


def outcome_of(phases: Mapping[str, str]) -> str:
    """Return what became of a test, by how each of its phases ended."""
    if "failed" in phases.values():
        return "failed"
    if "not installed" in phases:
        return "not installed"
    if "chosen" not in phases:
        return "left out"
    if "teardown" not in phases:
        return ""
    return "passed" if [*phases.values()].count("passed") == 3 else "skipped"  # noqa: PLR2004 - setup, call, teardown


def find_fault(outcomes: Mapping[str, str], *, ended: str | None, exited_well: bool) -> str | None:
    """Say why the tests prove nothing; None if they prove something."""
    counts = Counter(outcomes.values())
    chosen = len(outcomes) - counts["left out"]
    of_all = f"{counts['']} of {chosen}"
    astray = "import another one of its name from the sdist, and not what is installed: see pythonpath, and conftest.py"
    needed = "the settings of the package's tests; requirements/test.txt locks what they may need"
    faults = {
        f"the package's tests {astray}": counts["not installed"],
        "the package's tests failed": counts["failed"],
        f"pytest cannot use {needed}": ended == USAGE_ERROR,
        "none of the package's tests was collected": not chosen and (ended or exited_well),
        f"the package's tests ended early: {of_all} have no outcome": counts[""] or not ended,
        "none of the package's tests was run to its end": not counts["passed"],
        "the package's tests passed, and pytest ended with an error": not exited_well,
    }
    return next((what for what, holds in faults.items() if holds), None)


def summarise(outcomes: Mapping[str, str]) -> str:
    """Return how many passed, and how many did not."""
    counts = Counter(outcomes.values())
    return ", ".join(f"{counts[each]} {each}" for each in ("passed", "skipped", "left out") if counts[each])


def compare(by_job: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    """Yield a line for the tests that no job has run to their end, and for each job's that another one has."""
    passed = {job: {name for name, end in outcomes.items() if end == "passed"} for job, outcomes in by_job.items()}
    elsewhere = {name for names in passed.values() for name in names}
    if nowhere := {name for outcomes in by_job.values() for name in outcomes} - elsewhere:
        yield f"run to their end nowhere: {len(nowhere)} tests: {listed(sorted(nowhere), most=5)}"
    for job, names in passed.items():
        if missing := elsewhere - names:
            yield f"{job}: not run to their end, as elsewhere: {len(missing)} tests: {listed(sorted(missing), most=5)}"
