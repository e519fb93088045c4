"""The evaluator of workflow files, against what GitHub's documentation says; the workflows here are its examples."""

from dataclasses import replace
from typing import Any

import pytest

from workshop.workflows.events import load, matches, triggers
from workshop.workflows.expressions import Scope
from workshop.workflows.jobs import Concurrency, Event, JobResult, Outcome, named_rows, run, workflow_concurrency

PUSH = Event(name="push")
TAG = Event(name="push", ref="refs/tags/v1.2.3")
PULL_REQUEST = Event(name="pull_request", ref="refs/pull/1/merge", head_ref="topic", base_ref="main")
FORK = replace(PULL_REQUEST, fork=True)


def job(**keys: object) -> dict[str, Any]:
    return {"runs-on": "ubuntu-latest", "steps": [{"run": "true"}], **keys}


def of(*, on: object = ("push", "pull_request"), jobs: dict[str, Any] | None = None, **keys: object) -> dict[str, Any]:
    listed = list(on) if isinstance(on, tuple) else on
    return {"name": "CI", "on": listed, "jobs": jobs or {"test": job()}, **keys}


def only(event: Event = PUSH, workflow: dict[str, Any] | None = None, /, **keys: object) -> JobResult:
    """Return what becomes of a single job with these keys."""
    return run({**of(), **(workflow or {}), "jobs": {"test": job(**keys)}}, event)["test"]


# --- Reading


def test_on_is_no_boolean_and_a_time_no_number() -> None:
    assert load("on: push\nx: [yes, off, 12:30, 2026-01-02, 010, 3.10, true, ~, 1e3]") == {
        "on": "push",
        "x": ["yes", "off", "12:30", "2026-01-02", 10, 3.1, True, None, 1000.0],
    }


def test_a_key_that_is_defined_twice_is_an_error() -> None:
    with pytest.raises(ValueError, match="run is defined twice, in line 2"):
        load("steps:\n  - run: a\n    run: b")


# --- Patterns, as in the filter pattern cheat sheet

MATCHES = {
    "feature/*": (
        ["feature/my-branch", "feature/your-branch"],
        ["feature/beta-a/my-branch", "feature", "my/feature/a"],
    ),
    "feature/**": (["feature/beta-a/my-branch", "feature/mona/the/octocat"], ["feature", "features/a"]),
    "main": (["main"], ["maint", "a/main", "Main"]),
    "releases/mona-the-octocat": (["releases/mona-the-octocat"], ["releases/mona"]),
    "*": (["main", "releases"], ["all/the/branches"]),
    "**": (["all/the/branches", "every/tag", "main"], []),
    "*feature": (["mona-feature", "feature", "ver-10-feature"], ["feature-1", "a/feature"]),
    "v2*": (["v2", "v2.0", "v2.9"], ["v1", "v2/0", "av2"]),
    "v[12].[0-9]+.[0-9]+": (["v1.10.1", "v2.0.0"], ["v3.0.0", "v1.10", "v1.10.1-rc1", "v1x10.1"]),
    "[CB]at": (["Cat", "Bat"], ["Rat", "at"]),
    "[1-2]00": (["100", "200"], ["300", "1-200"]),
    "*.jsx?": (["page.js", "page.jsx"], ["page.jsxx", "page.j", "src/page.js"]),
    "*.js": (["app.js", "index.js"], ["js/app.js", "app.jsx", "appXjs"]),
    "**.js": (["index.js", "js/index.js", "src/js/app.js"], ["index.ts"]),
    "docs/*": (["docs/README.md", "docs/file.txt"], ["docs/mona/octocat.txt", "a/docs/file.txt"]),
    "docs/**": (["docs/README.md", "docs/mona/octocat.txt"], ["doc/README.md", "a/docs/README.md"]),
    "docs/**/*.md": (["docs/README.md", "docs/mona/hello-world.md", "docs/a/markdown/file.md"], ["docs/a.txt"]),
    "**/docs/**": (["docs/hello.md", "dir/docs/my-file.txt", "space/docs/plan/space.doc"], ["mydocs/hello.md"]),
    "**/README.md": (["README.md", "js/README.md"], ["MYREADME.md", "README.md/a"]),
    "**/*src/**": (["a/src/app.js", "my-src/code/js/app.js"], ["src2/app.js"]),
    "**/*-post.md": (["my-post.md", "path/their-post.md"], ["my-post.markdown"]),
    "**/migrate-*.sql": (["migrate-10909.sql", "db/migrate-v1.0.sql", "db/sept/migrate-v1.sql"], ["db/migrate.sql"]),
    "a\\*b": (["a*b"], ["aXb"]),
}


@pytest.mark.parametrize("pattern", MATCHES)
def test_patterns_match_what_the_cheat_sheet_says(pattern: str) -> None:
    yes, no = MATCHES[pattern]
    assert [name for name in (*yes, *no) if matches([pattern], name)] == yes


def test_the_last_pattern_that_matches_decides() -> None:
    names = ["hello.md", "README.md", "README.doc", "docs/hello.md"]
    assert [name for name in names if matches(["*.md", "!README.md"], name)] == ["hello.md"]
    assert [name for name in names if matches(["*.md", "!README.md", "README*"], name)] == names[:3]
    assert [name for name in names if matches(["!README.md", "*.md"], name)] == names[:2]


def test_patterns_that_all_say_no_are_an_error() -> None:
    with pytest.raises(ValueError, match="without ! is needed"):
        matches(["!main"], "topic")


# --- Triggers

BRANCH = replace(PUSH, ref="refs/heads/releases/10")


@pytest.mark.parametrize(
    ("on", "started"),
    [
        ("push", {"branch", "tag"}),
        (["push", "pull_request"], {"branch", "tag", "pull request"}),
        ({"push": None}, {"branch", "tag"}),
        ({"push": {"branches": ["releases/**"]}}, {"branch"}),
        ({"push": {"branches": "releases/**"}}, {"branch"}),
        ({"push": {"branches": ["releases/**", "!releases/1*"]}}, set()),
        ({"push": {"branches-ignore": ["main"]}}, {"branch"}),
        ({"push": {"branches-ignore": ["releases/**"]}}, set()),
        ({"push": {"tags": ["v*"]}}, {"tag"}),
        ({"push": {"tags-ignore": ["v*"]}}, set()),
        ({"push": {"tags-ignore": ["x*"]}}, {"tag"}),
        ({"push": {"branches": ["main"], "tags": ["v*"]}}, {"tag"}),
        ({"push": {"branches": ["releases/**"], "tags": ["v*"]}}, {"branch", "tag"}),
        ({"pull_request": {"branches": ["main"]}}, {"pull request"}),
        ({"pull_request": {"branches": ["topic"]}}, set()),
        ({"pull_request": {"types": ["labeled"]}}, set()),
        ({"pull_request": {"types": ["labeled", "synchronize"]}}, {"pull request"}),
        ({"schedule": [{"cron": "0 0 * * *"}], "workflow_dispatch": None}, {"schedule", "person"}),
    ],
)
def test_the_filters_of_on_decide_what_starts_a_workflow(on: object, started: set[str]) -> None:
    events = {
        "branch": BRANCH,
        "tag": TAG,
        "pull request": PULL_REQUEST,
        "schedule": Event(name="schedule"),
        "person": Event(name="workflow_dispatch"),
    }
    assert {name for name, event in events.items() if triggers(of(on=on), event)} == started
    assert {name for name, event in events.items() if run(of(on=on), event)} == started


def test_an_unusual_activity_of_a_pull_request_starts_nothing() -> None:
    assert not triggers(of(), replace(PULL_REQUEST, action="labeled"))
    assert triggers(of(), replace(PULL_REQUEST, action="opened"))


def test_what_a_filter_by_paths_wants_is_not_known() -> None:
    by_paths = of(on={"push": {"branches": ["main"], "tags": ["v*"], "paths": ["src/**"]}})
    assert triggers(by_paths, TAG)
    assert not triggers(by_paths, BRANCH)
    with pytest.raises(ValueError, match="push is filtered by paths"):
        triggers(by_paths, PUSH)
    with pytest.raises(ValueError, match="not both of paths and paths-ignore"):
        triggers(of(on={"push": {"paths": ["a"], "paths-ignore": ["b"]}}), BRANCH)


# --- Matrices

FRUIT = load("""
matrix:
  fruit: [apple, pear]
  animal: [cat, dog]
  include:
    - color: green
    - color: pink
      animal: cat
    - fruit: apple
      shape: circle
    - fruit: banana
    - fruit: banana
      animal: cat
""")
VERSIONS = load("""
matrix:
  os: [macos-latest, windows-latest]
  version: [12, 14, 16]
  environment: [staging, production]
  exclude:
    - os: macos-latest
      version: 12
      environment: production
    - os: windows-latest
      version: 16
""")


def expand_matrix(strategy: dict[str, Any]) -> list[dict[str, Any]]:
    return [row for row, _ in named_rows(strategy, Scope({}))]


def test_include_extends_the_original_rows_or_adds_one() -> None:
    assert expand_matrix(FRUIT) == [
        {"fruit": "apple", "animal": "cat", "color": "pink", "shape": "circle"},
        {"fruit": "apple", "animal": "dog", "color": "green", "shape": "circle"},
        {"fruit": "pear", "animal": "cat", "color": "pink"},
        {"fruit": "pear", "animal": "dog", "color": "green"},
        {"fruit": "banana"},
        {"fruit": "banana", "animal": "cat"},
    ]


def test_exclude_takes_out_all_rows_that_have_these_values() -> None:
    rows = expand_matrix(VERSIONS)
    assert len(rows) == 9
    assert {"os": "macos-latest", "version": 12, "environment": "production"} not in rows
    assert not [row for row in rows if row["os"] == "windows-latest" and row["version"] == 16]


def test_include_comes_after_exclude() -> None:
    strategy = {"matrix": {"a": [1, 2], "exclude": [{"a": 1}], "include": [{"a": 1, "b": 3}]}}
    assert expand_matrix(strategy) == [{"a": 2}, {"a": 1, "b": 3}]


def test_a_matrix_may_be_include_alone_and_a_job_without_one_has_one_row() -> None:
    assert expand_matrix({"matrix": {"include": [{"a": 1}, {"b": 2}]}}) == [{"a": 1}, {"b": 2}]
    assert expand_matrix({"fail-fast": False}) == [{}]


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        ({"a": []}, "no row"),
        ({"a": [1], "exclude": [{"a": 1}]}, "no row"),
        ({"a": [1], "exclude": [{"b": 1}]}, "the matrix has no b"),
        ({"a": "x"}, "no list in the matrix: a"),
        ("${{ fromJSON(github.unknown) }}", "it takes more"),
    ],
)
def test_a_matrix_that_github_refuses_is_an_error(matrix: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        expand_matrix({"matrix": matrix})


def test_a_matrix_may_come_from_another_job() -> None:
    jobs = {
        "plan": job(outputs={"rows": "${{ steps.plan.outputs.rows }}"}),
        "build": job(
            needs="plan",
            strategy={"matrix": {"include": "${{ fromJSON(needs.plan.outputs.rows) }}"}},
            name="Build for ${{ matrix.os }}",
            **{"runs-on": "${{ matrix.os }}"},
        ),
    }
    rows = '[{"os": "macos-15"}, {"os": "windows-2025"}]'
    built = run(of(jobs=jobs), PUSH, {"plan": Outcome(outputs={"rows": rows})})["build"].rows
    assert [(row.name, row.runs_on) for row in built] == [
        ("Build for macos-15", "macos-15"),
        ("Build for windows-2025", "windows-2025"),
    ]


def test_a_name_without_an_expression_gets_the_values_of_the_matrix() -> None:
    assert [row.name for row in only(strategy=FRUIT, name="Test").rows][3:] == [
        "Test (pear, dog)",
        "Test (banana)",
        "Test (banana, cat)",
    ]
    assert only().row.name == "test"
    assert only(strategy={"matrix": {"a": [True, 3.1]}}).rows[1].name == "test (3.1)"


# --- Conditions

NEEDS = {"success": Outcome(), "failure": Outcome("failure"), "cancelled": Outcome("cancelled"), "skipped": Outcome()}
RESULTS = list(NEEDS)


def after(result: str, condition: object, distance: int = 1) -> JobResult:
    """Return what becomes of a job after one with this result, with more between them that always run."""
    jobs = {"first": job(**({"if": False} if result == "skipped" else {}))}
    for number in range(1, distance):
        jobs[f"between{number}"] = job(needs=list(jobs)[-1], **{"if": "always()"})
    jobs["last"] = job(needs=[list(jobs)[-1]], **({} if condition is None else {"if": condition}))
    return run(of(jobs=jobs), PUSH, {"first": NEEDS[result]})["last"]


@pytest.mark.parametrize("distance", [1, 2, 3])
@pytest.mark.parametrize(
    ("condition", "runs_after"),
    [
        (None, ["success"]),
        ("success()", ["success"]),
        ("github.event_name == 'push'", ["success"]),
        ("${{ github.event_name == 'push' }}", ["success"]),
        ("contains('success() || always()', 'always()')", ["success"]),
        ("github.event_name == 'PUSH' && true", ["success"]),
        (True, ["success"]),
        (False, []),
        ("github.event_name == 'pull_request'", []),
        ("always()", RESULTS),
        ("${{ always() && github.ref_type == 'tag' }}", []),
        ("ALWAYS()", RESULTS),
        ("!cancelled()", ["success", "failure", "skipped"]),
        ("cancelled()", ["cancelled"]),
        ("failure()", ["failure"]),
        ("!failure()", ["success", "cancelled", "skipped"]),
        ("!success()", ["failure", "cancelled", "skipped"]),
        ("failure() || cancelled()", ["failure", "cancelled"]),
        ("success() || failure()", ["success", "failure"]),
    ],
)
def test_conditions_are_about_all_jobs_before(condition: object, runs_after: list[str], distance: int) -> None:
    assert [result for result in RESULTS if after(result, condition, distance).runs] == runs_after


@pytest.mark.parametrize("result", RESULTS)
def test_a_condition_sees_the_results_of_what_it_needs(result: str) -> None:
    assert after(result, f"always() && needs.first.result == '{result}'").runs
    assert not after(result, "always() && contains(needs.*.result, 'other')").runs


def test_a_job_that_is_cancelled_alone_does_not_cancel_the_run() -> None:
    jobs = {"a": job(), "b": job(needs="a", **{"if": "!cancelled()"}), "c": job(needs="a")}
    ran = run(of(jobs=jobs), PUSH, {"a": Outcome("cancelled", run_goes_on=True)})
    assert [ran[name].runs for name in "abc"] == [True, True, False]


def test_a_failure_that_may_be_is_a_success_for_others() -> None:
    jobs = {"a": job(**{"continue-on-error": "${{ github.ref_type == 'branch' }}"}), "b": job(needs="a")}
    failed = {"a": Outcome("failure")}
    assert run(of(jobs=jobs), PUSH, failed)["b"].runs
    assert not run(of(jobs=jobs), TAG, failed)["b"].runs


def test_outputs_reach_only_the_jobs_that_need_theirs() -> None:
    publish = {"if": "needs.identify.outputs.publish == 'true'"}
    jobs = {
        "identify": job(outputs={"publish": "${{ steps.a.outputs.publish }}"}),
        "build": job(needs="identify"),
        "near": job(needs=["identify", "build"], **publish),
        "far": job(needs="build", **publish),
    }
    told = run(of(jobs=jobs), PUSH, {"identify": Outcome(outputs={"publish": "true"})})
    assert [name for name, its in told.items() if its.runs] == ["identify", "build", "near"]
    assert [name for name, its in run(of(jobs=jobs), PUSH).items() if its.runs] == ["identify", "build"]


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("${{ false }} || false", "text beside the template"),
        ("${{ true }}\n", "text beside the template"),
        ("secrets.TOKEN != ''", "Unrecognized named-value: 'secrets'"),
        ("matrix.os == 'x'", "Unrecognized named-value: 'matrix'"),
        ("github.ref = 'x'", "Unexpected symbol"),
        ('github.ref == "x"', "Unexpected symbol"),
        ("startswith(github.ref)", "Too few parameters"),
        ("succes()", "Unrecognized function"),
        ("github.event.head_commit.message == 'x'", "it takes more to tell whether test runs"),
    ],
)
def test_a_condition_that_is_wrong_or_cannot_be_told_is_an_error(condition: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        only(**{"if": condition})


def test_a_pull_request_says_where_it_comes_from() -> None:
    assert not only(PULL_REQUEST, **{"if": "github.event.head_commit.message == 'x'"}).runs
    assert only(FORK, **{"if": "github.event.pull_request.head.repo.full_name != github.repository"}).runs
    assert not only(PULL_REQUEST, **{"if": "github.event.pull_request.head.repo.fork"}).runs


def test_inputs_are_typed_have_defaults_and_are_checked() -> None:
    inputs = {
        "index": {"type": "choice", "options": ["pypi", "testpypi"], "default": "testpypi"},
        "dry": {"type": "boolean"},
    }
    workflow = of(
        on={"workflow_dispatch": {"inputs": inputs}, "push": None},
        jobs={"test": job(name="${{ inputs.index }} ${{ inputs.dry }} ${{ github.event.inputs.dry == 'true' }}")},
    )
    asked = Event(name="workflow_dispatch", inputs={"dry": True})
    assert run(workflow, asked)["test"].row.name == "testpypi true true"
    assert run(workflow, replace(asked, inputs={}))["test"].row.name == "testpypi false false"
    assert run(workflow, PUSH)["test"].row.name == "  false"
    with pytest.raises(ValueError, match="no such inputs: indx"):
        run(workflow, replace(asked, inputs={"indx": "pypi"}))
    with pytest.raises(ValueError, match="input index takes"):
        run(workflow, replace(asked, inputs={"index": "conda"}))


def test_an_input_without_a_type_is_text_and_so_is_its_false() -> None:
    workflow = of(
        on={"workflow_dispatch": {"inputs": {"dry": {"default": False}}}}, jobs={"test": job(**{"if": "inputs.dry"})}
    )
    assert run(workflow, Event(name="workflow_dispatch"))["test"].runs


# --- Steps

STEPS = load("""
- uses: actions/checkout@v5
  with: {ref: "${{ github.sha }}", fetch-depth: 0}
- id: build
  name: Build for ${{ matrix.os }}
  run: make build OS=${{ matrix.os }}
  env: {HASH: "${{ steps.cache.outputs.hash }}", WORD: "${{ env.GREETING }}!"}
- name: On Linux
  if: runner.os == 'Linux'
  run: one
- name: On a tag
  if: github.ref_type == 'tag' && steps.build.outputs.new == 'true'
  run: two
- name: If it is new
  if: steps.build.outputs.new == 'true'
  run: three
- name: After a failure
  if: failure()
  run: four
- name: At the end
  if: always()
  run: five
- name: Unless cancelled
  if: ${{ !cancelled() && env.GREETING == 'hello' }}
  run: six
- name: In its mode
  if: env.MODE == 'fast'
  env: {MODE: fast}
  run: seven
- name: With a hash
  if: env.HASH != ''
  env: {HASH: "${{ steps.cache.outputs.hash }}"}
  run: eight
""")
MATRIX = {"matrix": {"os": ["ubuntu-24.04", "macos-15"]}}


def steps() -> dict[str, dict[str, bool | None]]:
    tested = {"test": job(strategy=MATRIX, steps=STEPS, env={"GREETING": "hello"}, **{"runs-on": "${{ matrix.os }}"})}
    rows = run(of(jobs=tested), PUSH)["test"].rows
    return {row.runs_on: {step.name: step.runs for step in row.steps} for row in rows}


def test_conditions_of_steps_are_evaluated_as_far_as_things_are_known() -> None:
    assert steps()["ubuntu-24.04"] == {
        "actions/checkout@v5": True,
        "Build for ubuntu-24.04": True,
        "On Linux": True,
        "On a tag": False,
        "If it is new": None,
        "After a failure": False,
        "At the end": True,
        "Unless cancelled": True,
        "In its mode": True,
        "With a hash": None,
    }
    assert not steps()["macos-15"]["On Linux"]


def test_what_steps_are_given_is_evaluated_as_far_as_things_are_known() -> None:
    row = only(steps=STEPS, strategy=MATRIX, env={"GREETING": "hello"}).rows[1]
    checkout, build = row.steps[0], next(step for step in row.steps if step.id == "build")
    assert (checkout.uses, checkout.inputs) == ("actions/checkout@v5", {"ref": PUSH.sha, "fetch-depth": "0"})
    assert build.run == "make build OS=macos-15"
    assert build.env == {"HASH": "${{ steps.cache.outputs.hash }}", "WORD": "hello!"}


# --- Permissions, environments, concurrency

WRITE = {"contents": "read", "id-token": "write", "attestations": "write"}


@pytest.mark.parametrize(
    ("workflow", "own", "granted"),
    [
        (None, None, "default"),
        ({"contents": "read"}, None, {"contents": "read"}),
        ({"contents": "read"}, {}, {}),
        ({"contents": "read"}, {"issues": "write"}, {"issues": "write"}),
        (None, WRITE, WRITE),
        ("write-all", None, "write-all"),
        ({}, "read-all", "read-all"),
    ],
)
def test_a_job_has_its_own_permissions_or_else_the_workflows(workflow: object, own: object, granted: object) -> None:
    around = {} if workflow is None else {"permissions": workflow}
    keys = {} if own is None else {"permissions": own}
    assert only(PULL_REQUEST, around, **keys).permissions == granted


@pytest.mark.parametrize(
    ("environment", "name"),
    [
        (None, None),
        ("pypi", "pypi"),
        ({"name": "pypi", "url": "${{ steps.x.outputs.url }}"}, "pypi"),
        ("${{ github.ref_type == 'tag' && 'pypi' || 'testpypi' }}", "testpypi"),
        ({"name": "${{ github.ref_type == 'tag' && 'pypi' || '' }}"}, None),
    ],
)
def test_an_environment_is_a_name_or_a_mapping(environment: object, name: str | None) -> None:
    assert only(environment=environment).row.environment == name


def test_concurrency_is_evaluated() -> None:
    workflow = of(
        concurrency={
            "group": "${{ github.workflow }}-${{ github.head_ref || github.ref }}",
            "cancel-in-progress": "${{ github.event_name == 'pull_request' }}",
        }
    )
    assert workflow_concurrency(workflow, PULL_REQUEST) == Concurrency("CI-topic", cancel_in_progress=True)
    assert workflow_concurrency(workflow, PUSH) == Concurrency("CI-refs/heads/main", cancel_in_progress=False)
    assert workflow_concurrency(of(), PUSH) is None


# --- Re-runs and mistakes


def test_a_rerun_repeats_what_failed_and_what_needs_it() -> None:
    jobs = {
        "good": job(outputs={"x": "y"}),
        "bad": job(needs="good"),
        "publish": job(needs=["good", "bad"], **{"if": "needs.good.outputs.x == '1' && github.run_attempt > 1"}),
        "report": job(needs="bad", **{"if": "always()"}),
        "other": job(needs="good", **{"if": False}),
    }
    first = run(of(jobs=jobs), PUSH, {"good": Outcome(outputs={"x": "1"}), "bad": Outcome("failure")})
    assert [name for name, its in first.items() if its.runs] == ["good", "bad", "report"]
    second = run(of(jobs=jobs), replace(PUSH, run_attempt=2), previous=first)
    assert [name for name, its in second.items() if its.runs] == ["bad", "publish", "report"]
    assert (second["good"].result, second["other"].result) == ("success", "skipped")


@pytest.mark.parametrize(
    ("jobs", "outcomes", "message"),
    [
        ({"a": job(needs="b")}, {}, "a needs b, and there is no such job"),
        ({"a": job(needs="b"), "b": job(needs=["a"])}, {}, "jobs need each other: "),
        ({"a": job(steps=[{"id": "x", "run": ""}, {"id": "x", "run": ""}])}, {}, "several steps with the id x"),
    ],
)
def test_what_cannot_be_is_an_error(jobs: dict[str, Any], outcomes: dict[str, Outcome], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        print([result.rows for result in run(of(jobs=jobs), PUSH, outcomes).values()])
