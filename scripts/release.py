"""Release a version: all of it, or nothing.

The commit and its tag are made in a staging clone, proven there, and pushed in one transaction. Before that push only
that clone is written, and after it the release is complete. So the same command finishes it, whatever ended this one.
"""

from collections.abc import Callable
from pathlib import Path

from roadworthy.arguments import Parser

PARSER = Parser("release", "Release a version.").take("VERSION", "0.2.2, 0.3.0-alpha1, -beta2, -rc1", first=True)
PARSER.switch("DRY_RUN", "print the plan, and do nothing else").switch("YES", "push without a question")
PARSER.take("REMOTE", "where to push; default: origin")
PARSER.take("BRANCH", "a maintenance line, such as 0.1.x; default: the remote's default branch")
PARSER.take("VIA", "pr: by a pull request, for a branch that takes no push", choices=["pr"]).take_package()
# Before all else is loaded, so that a mistyped option or version is told at once.
GIVEN = PARSER.read() if __name__ == "__main__" else None
from roadworthy.releasing.version import Request

REQUEST = None if GIVEN is None else Request.of(PARSER, GIVEN)

from roadworthy.project import Project
from roadworthy.releasing import checks, files, plan
from roadworthy.releasing.github import check_github
from roadworthy.releasing.push import catch_up, confirm, explain, find_release, follow, push
from roadworthy.releasing.state import State, read_state
from roadworthy.repository import exclusive
from roadworthy.terminal import run_main, step

ROOT = Path(__file__).resolve().parents[1]

# Every reason not to release. All are asked, at the same time, and what they find is told in this order. One of your
# own is a function that takes the state and yields roadworthy.terminal.Problem(what is wrong, what removes it).
CHECKS = (
    checks.check_branch,  # the checkout is on the branch that is released from
    checks.check_tree,  # everything is committed, and no other git command is half way
    checks.check_remote,  # the remote answers, and has the commit that is checked out
    checks.check_tags,  # the version is not taken, in any spelling, and no earlier attempt is left
    checks.check_order,  # the version comes after all that are released on this line
    checks.check_files,  # versions agree, dependencies are published, changelog and news fragments can be written
    checks.check_lock,  # Cargo.lock fits Cargo.toml, and its crates are here
    checks.check_identity,  # git knows who commits, and can sign if it is to
    checks.check_push,  # the remote would take branch and tag in one transaction
    checks.check_tools,  # the tools are the locked ones, git and Rust are new enough
    checks.check_disk,  # there is room for a build
    check_github,  # CI is green, the environment is there, the branch takes a push
    checks.check_published,  # the index has no file of this version
    checks.check_terminal,  # somebody is there to confirm the push
    checks.check_hooks,  # names the hooks that do not run for a release
)


def write(state: State, day: str) -> None:
    """Write the version and the section of the changelog into the staging clone."""
    release, versions = state.release, files.versions(state.read)
    if versions["pyproject.toml"] != release.text:
        plan.tool(state, "bump-my-version", "bump", f"--new-version={release.text}", "--no-commit", "--no-tag")
        if "Cargo.lock" in versions:
            plan.tool(state, "cargo", "update", "--workspace", "--offline", "--quiet")
    fragments = "--keep" if release.is_prerelease else "--yes"  # The final release consumes them.
    plan.tool(state, "towncrier", "build", f"--version={release.text}", f"--date={day}", fragments)


def expect(state: State, after: files.Reader) -> plan.Lines:
    """Say which files that may change, and by how many lines: added, removed."""
    before, changelog = state.read, files.changelog(state.read)
    lines = {changelog: (plan.dense(after(changelog)).count("\n") - plan.dense(before(changelog)).count("\n"), 0)}
    if files.versions(before)["pyproject.toml"] != state.release.text:
        lines |= dict.fromkeys(files.versions(before), (1, 1))
        lines |= {name: plan.count_edits(before(name), after(name)) for name in files.bumped_too(before)}
    if not state.release.is_prerelease:
        lines |= {name: plan.count_edits(before(name), "") for name in state.fragments}
    return lines


def prove(state: State) -> None:
    """Prove the commit in the staging clone, with its own pages and its own engine."""
    run = plan.prover(state)
    run("build the sdist and this machine's wheels", "scripts/build.py")
    run("check them as PyPI would", "-m", "roadworthy", "check", "--host")
    run("install and test them in clean environments", "scripts/verify_install.py")


def release(request: Request, folder: Path, prove: Callable[[State], None]) -> None:
    """Look, plan, prove, ask, push, and let the checkout follow."""
    with step("look at the checkout and at the remote"):
        state = read_state(Project(ROOT, request.release.package), request, folder)
        released = find_release(state)
        if not released and not state.is_waiting:
            checks.require(state, CHECKS)
    if released or state.is_waiting:
        catch_up(state, released)
        return
    with step("write the release's commit and tag into a staging clone"):
        planned = plan.make_plan(state, write, expect)
    planned.show()
    if request.dry_run:
        return
    prove(state)
    confirm(state, planned)
    with step(f"push to {request.remote}"):
        push(state, planned)
    follow(state)
    explain(state, planned)


def main(prove: Callable[[State], None] = prove) -> None:
    """Read the command line, and release."""
    request = REQUEST or Request.of(PARSER, PARSER.read())
    with exclusive(ROOT, "release") as folder:
        release(request, folder, prove)


if __name__ == "__main__":
    run_main(main)
