"""The commands of CI.yml, run in the order of its jobs for a release's tag, as far as this machine goes."""

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import project
from ci_runner import Runner
from helpers import copy_checkout
from pipeline import PATH, TAG, Pipeline
from rules_of_build import step_of
from toolchain import host_triple

CI = Pipeline(PATH.read_text(encoding="utf-8"))
RELEASE = str(project.version())
NOTES = "### Added\n\n- `distance()` and `closest()` compare words."
GH = """#!{python}
import json, pathlib, sys
log = pathlib.Path({log!r})
notes = [pathlib.Path(word.split("=", 1)[1]).read_text() for word in sys.argv if word.startswith("--notes-file=")]
with log.open("a") as stream:
    stream.write(json.dumps({{"words": sys.argv[1:], "notes": notes}}) + "\\n")
sys.exit(sys.argv[1:3] == ["release", "view"])
"""


def git(folder: Path, *arguments: object) -> str:
    identity = ["-c", "user.name=Test", "-c", "user.email=test@localhost", "-c", "commit.gpgsign=false"]
    command = ["git", *identity, *map(str, arguments)]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Runner:
    """Return a run for the tag of a release that was made as `make release` makes it, in a remote of its own."""
    folder = tmp_path_factory.mktemp("ci")
    checkout = copy_checkout(folder / "checkout")
    changelog = checkout / "CHANGELOG.md"
    changelog.write_text(
        f"{changelog.read_text(encoding='utf-8')}\n## {RELEASE} (2026-01-02)\n\n{NOTES}\n", encoding="utf-8"
    )
    git(checkout, "commit", "--quiet", "--all", f"--message=Release {RELEASE}")
    git(checkout, "branch", "--force", "-M", "main")
    git(checkout, "tag", "--annotate", f"--message={RELEASE}", f"v{RELEASE}")
    git(folder, "clone", "--quiet", "--bare", checkout, folder / "remote.git")
    event = replace(TAG, ref=f"refs/tags/v{RELEASE}", sha=git(checkout, "rev-parse", "HEAD"))
    tools = folder / "tools"
    tools.mkdir()
    (tools / "gh").write_text(GH.format(python=sys.executable, log=str(folder / "gh.jsonl")), encoding="utf-8")
    (tools / "gh").chmod(0o755)
    path = os.pathsep.join([str(tools), os.environ["PATH"]])
    return Runner(CI, event, folder / "remote.git", folder / "run", {"PATH": path})


def green(runner: Runner, since: int) -> None:
    for job, command, ran in runner.done[since:]:
        assert ran.returncode == 0, f"{job}: {command}\n{ran.stdout}\n{ran.stderr}"


# One after the other: each job needs what the ones before it have left.


def test_identify_finds_a_release(runner: Runner) -> None:
    job = CI.one("make identify")
    runner.run(job, runner.rows(job)[0])
    green(runner, 0)
    assert runner.outputs[job] == {"code": "true", "version": RELEASE}


def test_the_sdist_is_built_once(runner: Runner) -> None:
    job, since = CI.one("make sdist"), len(runner.done)
    runner.run(job, runner.rows(job)[0])
    green(runner, since)
    left = runner.folder / "artefacts" / "built-sdist"
    assert [path.name for path in (left / "dist").iterdir()] == [project.sdist_name()]
    assert (left / "SHA256SUMS").is_file()


def test_this_machines_wheels_are_built_from_it(runner: Runner) -> None:
    job, since = CI.one("make build"), len(runner.done)
    (row,) = [row for row in runner.rows(job) if row.matrix["target"] == host_triple()]
    runner.run(job, row)
    green(runner, since)
    left = runner.folder / "artefacts" / f"built-{host_triple()}"
    assert len(list((left / "dist").glob("*.whl"))) == len(project.python_tags())
    sums = [(left / "SHA256SUMS").read_text(), (left.parent / "built-sdist" / "SHA256SUMS").read_text()]
    assert [line for line in sums[0].splitlines() if ".tar.gz" in line] == sums[1].splitlines()


def test_the_gate_misses_exactly_the_other_machines_wheels(runner: Runner) -> None:
    job, since = CI.one("make collect"), len(runner.done)
    runner.run(job, runner.rows(job)[0])
    gate = [ran for _, command, ran in runner.done[since:] if command == "make check-dist ALL=1"]
    others = [target for target in project.platform_tags() if target != host_triple()]
    missing = {project.wheel_name(python, target) for target in others for python in project.python_tags()}
    assert [ran.returncode for ran in gate] == [2]  # make's own, for the script's 1
    found = re.findall(r"^  (.+) \[([a-z-]+)\]$", gate[0].stderr, re.MULTILINE)
    assert {what for what, _ in found} == {f"missing: {name}" for name in missing}
    assert {rule for _, rule in found} == {"complete-set"}
    assert gate[0].stdout.count("::error title=complete-set::") == len(missing)
    assert "### Not to be sent" in (runner.folder / "summary.md").read_text(encoding="utf-8")
    others_ran = [entry for entry in runner.done[since:] if entry[1] != "make check-dist ALL=1"]
    assert [ran.returncode for _, _, ran in others_ran] == [0] * len(others_ran)


def test_what_was_collected_is_verified(runner: Runner) -> None:
    job, since = CI.one("make verify FROM=release"), len(runner.done)
    rows = [(row, step_of(row, "make verify").env["WHEELS"].split()) for row in runner.rows(job)]
    (row,) = [row for row, targets in rows if host_triple() in targets]
    runner.run(job, row, changes={"WHEELS": host_triple(), "PYTHONS": sys.executable})
    green(runner, since)
    assert "passed" in runner.done[-1][2].stdout


def test_what_would_be_sent_is_what_was_built(runner: Runner) -> None:
    (row,) = runner.rows(CI.publishing["pypi"])
    step = next(step for step in row.steps if step.run.startswith("sha256sum"))
    release = runner.folder / "artefacts" / "release"
    checked = subprocess.run(step.run.split(), cwd=release, check=False, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr
    assert len(checked.stdout.splitlines()) == 1 + len(project.python_tags())


def test_the_release_on_github_is_a_draft_first(runner: Runner) -> None:
    job, since = CI.one("make github-release"), len(runner.done)
    runner.run(job, runner.rows(job)[0])
    green(runner, since)
    calls = [json.loads(line) for line in (runner.folder.parent / "gh.jsonl").read_text().splitlines()]
    assert [call["words"][:2] for call in calls] == [["release", "view"], ["release", "create"], ["release", "edit"]]
    assert "--draft" in calls[1]["words"]
    assert calls[1]["notes"] == [f"{NOTES}\n"]
    assert {Path(word).name for word in calls[1]["words"] if "/" in word and not word.startswith("--")} == {
        "SHA256SUMS",
        *(path.name for path in (runner.folder / "artefacts" / "release" / "dist").iterdir()),
    }
    assert calls[2]["words"] == [
        "release",
        "edit",
        f"v{RELEASE}",
        "--draft=false",
        "--prerelease=false",
        "--latest=true",
    ]


def test_every_command_before_publishing_was_run(runner: Runner) -> None:
    """But those that this same run of the tests is: lint, and the tests."""
    ran = {(job, command) for job, command, _ in runner.done}
    left_out = {"make lint", "make test", "make test-tooling", 'make check-news BASE="origin/$GITHUB_BASE_REF"'}
    left_out |= {'rustup default "$RUST"', 'test "$PASSED" = true'}
    before = set(CI.jobs) - set(CI.publishing.values()) - CI.after_publishing
    commands = {(name, step["run"]) for name, step in CI.steps() if "run" in step and name in before}
    assert {entry for entry in commands - ran if entry[1] not in left_out} == set()
