"""A run of a workflow on this machine: what runs, with what, what it leaves, and what a failure means for the rest."""

import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from helpers import PROJECT
from rehearsal_faults import go_again, replace_text, skip_to
from roadworthy import processes as commands
from roadworthy.building.toolchain import host_triple
from workshop.apart import run_apart
from workshop.loopback.identity import IdentityProvider
from workshop.rehearsing.machine import OF_THE_CHECKOUT, Machine, keep_rows
from workshop.rehearsing.report import PROOFS, proof_of
from workshop.rehearsing.runner import FOLDER, Run
from workshop.rehearsing.scratch import CONFIGURATION, ScratchCopy, choose_version
from workshop.workflows.jobs import Event
from workshop.workflows.pipeline import TAG, Pipeline

CI = Pipeline.of(PROJECT)
MACHINE = Machine("x86_64-unknown-linux-gnu", frozenset({"3.12"}), "x86_64-unknown-linux-gnu")
WORKFLOW = """\
on: push
jobs:
  first:
    runs-on: ubuntu-24.04
    outputs:
      word: ${{ steps.say.outputs.word }}
    steps:
      - uses: actions/checkout@1
      - id: say
        run: echo "word=hello" >> "$GITHUB_OUTPUT"; echo "ref $GITHUB_REF, ${CI:-none}, ${UV_PUBLISH_URL:-nowhere}"
      - run: mkdir dist; echo "$TEXT" > dist/a.txt; touch SHA256SUMS
        env:
          TEXT: made by ${{ github.sha }}
      - uses: actions/upload-artifact@1
        with:
          name: made
          path: |
            dist/
            SHA256SUMS
  second:
    needs: first
    runs-on: ubuntu-24.04
    permissions:
      id-token: write
    environment: pypi
    steps:
      - uses: actions/download-artifact@1
        with:
          name: made
      - run: cat dist/a.txt
      - run: echo "asked for $WORD at ${ACTIONS_ID_TOKEN_REQUEST_URL:-nobody}, ${UV_PUBLISH_URL:-nowhere}"
        env:
          WORD: ${{ needs.first.outputs.word }}
      - run: test ! -e "$FLAG"
        env:
          FLAG: FLAG-FILE
  third:
    needs: second
    runs-on: ubuntu-24.04
    steps:
      - run: echo third, ${ACTIONS_ID_TOKEN_REQUEST_URL:-nobody}
  rows:
    needs: first
    runs-on: ubuntu-24.04
    strategy:
      matrix:
        include:
          - target: x86_64-unknown-linux-gnu
          - target: aarch64-apple-darwin
    steps:
      - run: echo "builds for $TARGET"
        env:
          TARGET: ${{ matrix.target }}
  report:
    needs: [second]
    if: failure()
    runs-on: ubuntu-24.04
    steps:
      - run: echo reported
"""

ENGINE = str(PROJECT.root / "roadworthy" / "src")


def make_place(folder: Path, workflow: str) -> ScratchCopy:
    """Make a place with one commit, which holds a workflow."""
    place = ScratchCopy(folder, 1900000000, {"UV_PUBLISH_URL": "http://127.0.0.1:9/legacy/"})
    (folder / "gitconfig").write_text(CONFIGURATION, encoding="utf-8")
    place.tools.mkdir()
    for path in (place.checkout, place.remote):
        kind = ["--bare"] if path == place.remote else []
        place.git("init", "--quiet", *kind, "--initial-branch=main", path, cwd=folder)
    place.git("remote", "add", "origin", place.remote)
    place.commit("Start", {f"{FOLDER}/CI.yml": workflow, "scripts/bootstrap.py": "", "roadworthy/pyproject.toml": ""})
    return place


@pytest.mark.parametrize(
    ("standing", "tags", "chosen"),
    [
        ("0.1.0", [], "0.1.1"),
        ("0.3.0-rc1", ["v0.2.9", "v0.3.0-rc1"], "0.3.0"),
        ("0.1.0-alpha1", ["v0.1.0-alpha1"], "0.1.0"),
        ("0.3.0-rc1", ["v0.3.0", "vacation"], "0.3.1"),
        ("0.2.0", ["v0.2.4", "v0.3.0-rc1"], "0.2.5"),
    ],
)
def test_the_version_that_is_rehearsed_is_the_next_final_one(
    tmp_path: Path, standing: str, tags: list[str], chosen: str
) -> None:
    place = make_place(tmp_path, WORKFLOW)
    text = f'name = "other"\nversion = "{standing}"\n'
    files = {"pyproject.toml": f"[project]\n{text}", "Cargo.toml": f"[package]\n{text}"}
    place.commit("A package", {**files, "Cargo.lock": f"[[package]]\n{text}"})
    for tag in tags:
        place.git("tag", tag)
    assert choose_version(place).text == chosen


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Return a run of the workflow above, whose second job fails as long as there is a file `flag`."""
    place = make_place(tmp_path, WORKFLOW.replace("FLAG-FILE", str(tmp_path / "flag")))
    event = Event(name="push", sha=place.git("rev-parse", "HEAD"), repository="owner/name")
    provider = IdentityProvider(address="https://localhost/idtoken")
    return Run(place, event, MACHINE, tmp_path / "run", provider, {"UV_PUBLISH_URL": "https://localhost/legacy/"})


def said(run: Run) -> list[str]:
    return [line for one in run.done for line in one.output.splitlines()]


def test_jobs_run_in_order_with_what_those_before_left(run: Run) -> None:
    assert run.go()
    assert [one.job for one in run.done] == ["first", "first", "second", "second", "second", "rows", "third"]
    assert f"made by {run.event.sha}" in said(run)
    assert run.outcomes["first"].outputs == {"word": "hello"}
    assert run.results["report"].result == "skipped"


def test_a_step_has_what_github_gives(run: Run) -> None:
    run.go()
    assert said(run)[0] == "ref refs/heads/main, true, http://127.0.0.1:9/legacy/"


def test_only_a_job_that_may_has_an_identity_and_sends_over_tls(run: Run) -> None:
    run.go()
    (line,) = [line for line in said(run) if line.startswith("asked for hello")]
    assert line.startswith("asked for hello at https://localhost/idtoken/")
    assert line.endswith("https://localhost/legacy/")
    assert "third, nobody" in said(run)


def test_rows_of_other_machines_are_left_out(run: Run) -> None:
    run.go()
    assert [line for line in said(run) if line.startswith("builds")] == ["builds for x86_64-unknown-linux-gnu"]


def test_a_command_is_shown_with_its_values(run: Run) -> None:
    run.go()
    (command,) = [one.command for one in run.done if one.job == "rows"]
    assert command == 'echo "builds for x86_64-unknown-linux-gnu"'


def test_what_needs_a_failed_job_does_not_run_and_runs_again_with_it(run: Run, tmp_path: Path) -> None:
    (tmp_path / "flag").touch()
    assert not run.go()
    assert (run.failed, run.results["third"].result) == (["second"], "skipped")
    assert "reported" in said(run)
    before = len(run.done)
    assert not go_again(run)
    (tmp_path / "flag").unlink()
    assert go_again(run)
    again = [one.job for one in run.done[before:]]
    # The first job and the rows have succeeded, and are not run again.
    assert again == ["second", "second", "second", "report", "second", "second", "second", "third"]
    assert run.event.run_attempt == 3


def test_an_artefact_cannot_be_left_twice(run: Run) -> None:
    (run.artefacts / "made").mkdir(parents=True)
    assert not run.go()
    assert run.failed == ["first"]
    (line,) = [line for line in said(run) if "(409)" in line]
    assert line == "actions/upload-artifact: (409) Conflict: an artifact with this name already exists: made"


def test_what_is_not_there_is_neither_left_nor_fetched(tmp_path: Path) -> None:
    text = WORKFLOW.replace('echo "$TEXT" > dist/a.txt; touch SHA256SUMS', "true").replace(
        "needs: first\n", "needs: []\n", 1
    )
    place = make_place(tmp_path, text.replace("FLAG-FILE", "none"))
    event = Event(name="push", sha=place.git("rev-parse", "HEAD"))
    run = Run(place, event, MACHINE, tmp_path / "run", IdentityProvider(), {})
    assert not run.go()
    assert {one.output for one in run.done if one.code} == {
        "actions/upload-artifact: No files were found with the provided path: dist/, SHA256SUMS",
        "actions/download-artifact: Unable to find any artifacts for made",
    }


def test_a_run_can_begin_later_with_the_artefacts_of_another(run: Run, tmp_path: Path) -> None:
    run.go()
    later = replace(run, folder=tmp_path / "later", done=[], outcomes={}, results={})
    skip_to(later, "cat dist/a.txt", run.outcomes, run.artefacts)
    assert later.go()
    assert [one.job for one in later.done if one.job != "rows"] == ["second", "second", "second", "third"]


def test_an_action_that_nothing_takes_the_place_of_is_an_error(run: Run) -> None:
    replace_text(run.scratch, f"{FOLDER}/CI.yml", "actions/checkout@1", "somebody/action@1")
    run.event = replace(run.event, sha=run.scratch.git("rev-parse", "HEAD"))
    with pytest.raises(ValueError, match="nothing takes the place of somebody/action"):
        run.go()


# ---- CI.yml ----------------------------------------------------------------------------------------------------------


def test_everything_on_the_way_to_pypi_is_run_or_known_to_be_left_out() -> None:
    results = CI.comes_to(TAG)
    way = [step.run for result in results.values() for row in result.rows for step in row.steps if step.run]
    others = ("make check-lock", "make check-news", *OF_THE_CHECKOUT)
    assert {run for run in way if not proof_of(run) and "rustup" not in run and not run.startswith(others)} == set()
    proven = {words for words in PROOFS if any(run.startswith(words) for run in way)}
    assert set(PROOFS) - proven == {"make release"}


def test_one_row_of_wheels_is_kept_and_the_rest_of_the_file_stays() -> None:
    for row in PROJECT.matrix("wheels"):
        reduced = keep_rows(CI.text, row["target"], "CI.yml")
        assert yaml.safe_load(reduced)["jobs"]["wheels"]["strategy"]["matrix"]["include"] == [row]
        whole = CI.text.splitlines()
        assert [line for line in reduced.splitlines() if line not in whole] == []
        # A row has three lines, and one of them a fourth.
        assert len(whole) - len(reduced.splitlines()) in {24, 25}


def test_a_machine_that_nothing_is_built_for_is_refused() -> None:
    with pytest.raises(Exception, match=r"no row of CI\.yml builds for this machine, s390x-unknown"):
        keep_rows(CI.text, "s390x-unknown-linux-gnu", "CI.yml")


def test_exactly_one_row_verifies_on_each_machine() -> None:
    for target in PROJECT.platform_tags:
        machine = Machine(target, frozenset({"3.12"}), target.replace("universal2", "x86_64 and aarch64"))
        rows = CI.comes_to(TAG)[CI.one("make verify FROM=release")].rows
        here = [row for row in rows if not machine.why_not(row)]
        # What is put together for both processors is verified on both.
        assert len(here) == (2 if target.startswith("universal2") else 1) or "musl" in target, target


def test_what_a_step_is_given_is_what_this_machine_has() -> None:
    env = {"WHEELS": "x86_64-unknown-linux-gnu x86_64-unknown-linux-gnu@an/image", "PYTHONS": "3.10\n3.12\n"}
    assert MACHINE.changes(env) == {"WHEELS": "x86_64-unknown-linux-gnu", "PYTHONS": "3.12"}
    assert MACHINE.changes({"INDEX": "pypi"}) == {}
    assert MACHINE.changes({"PYTHONS": "3.10 3.14t"}) == {"PYTHONS": "3.12"}
    assert MACHINE.left_out(env) == [
        "without x86_64-unknown-linux-gnu in an/image, a container",
        "without CPython 3.10: not installed",
    ]


# ---- ends ------------------------------------------------------------------------------------------------------------


def running_below(folder: Path) -> list[str]:
    """Return the processes whose working folder is below a folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            where = (process / "cwd").readlink()
        except OSError:
            continue
        if where.is_relative_to(folder):
            found.append(process.name)
    return found


def wait_for(condition: Callable[[], object]) -> None:
    for _ in range(2400):
        if condition():
            return
        time.sleep(0.05)
    pytest.fail("it does not come")


@pytest.mark.skipif(not Path("/proc/self/cwd").exists(), reason="asks Linux which processes there are")
def test_what_a_program_has_started_ends_with_it(tmp_path: Path) -> None:
    started = tmp_path / "started"
    script = f"sleep 60 & sleep 60 & touch {started}; wait"

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.7)
    try:
        with pytest.raises(KeyboardInterrupt):
            run_apart("sh", "-c", script, cwd=tmp_path, env=os.environ, timeout=50)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert started.exists()
    wait_for(lambda: not running_below(tmp_path))


def test_both_streams_of_a_program_are_kept_in_their_order(tmp_path: Path) -> None:
    script = "import sys; print('a', flush=True); print('b', file=sys.stderr, flush=True); print('c'); sys.exit(3)"
    done = run_apart(sys.executable, "-c", script, cwd=tmp_path, env=os.environ, timeout=50)
    assert (done.returncode, done.stdout.split()) == (3, ["a", "b", "c"])


@pytest.mark.skipif(os.name == "nt", reason="sends SIGKILL")
def test_a_program_that_outlives_who_started_it_may_still_print(tmp_path: Path) -> None:
    done = tmp_path / "done"
    alive = "kill -KILL $PPID; while kill -0 $PPID 2> /dev/null; do sleep 0.05; done"
    shell = f"{alive}; echo more; exec touch {done}"
    script = (
        f"import os, sys; from pathlib import Path; sys.path[:0] = {[str(PROJECT.root), ENGINE]!r}\n"
        "from workshop.apart import run_apart\n"
        f"run_apart('bash', '-ec', {shell!r}, cwd=Path.cwd(), env=os.environ, timeout=50)"
    )
    assert commands.run(sys.executable, "-c", script, cwd=tmp_path, env=os.environ, check=False).returncode == -9
    wait_for(done.exists)


def test_this_machine_is_one_that_wheels_are_built_for() -> None:
    assert host_triple(PROJECT) in PROJECT.platform_tags
