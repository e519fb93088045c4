"""The one moment that others see: an atomic push, the proof that it happened, and the checkout that follows it."""

from roadworthy.releasing.files import has_release
from roadworthy.releasing.github import Forge
from roadworthy.releasing.plan import Plan
from roadworthy.releasing.state import Remote, State, commit_reader
from roadworthy.terminal import err, out, problem

# One transaction, no hook of this machine, and nothing but the refs that are named.
PUSH = ("--atomic", "--porcelain", "--no-verify", "--no-follow-tags", "--recurse-submodules=no")


def find_release(state: State) -> str | None:
    """Return the commit of this release if the remote has it, tag and branch; None if it has no such tag.

    A tag of that name which is no release of this project is a problem.
    """
    release, remote, clone, head = state.release, state.remote, state.clone, state.remote_head
    if (commit := remote.commit_of(release.tag)) is None:
        return None
    wanted = [f"refs/tags/{release.tag}", *([f"refs/heads/{state.branch}"] if head else [])]
    clone.run("fetch", "--quiet", "--no-tags", "--no-auto-maintenance", remote.name, *wanted, check=True)
    why = ""
    if not has_release(commit_reader(clone, commit), release):
        why = f"its files are not those of {release.text}"
    elif head is None or clone.run("merge-base", "--is-ancestor", commit, head).returncode:
        why = f"its commit {commit[:10]} is not on {state.branch}"
    if why:
        what = f"the tag {release.tag} is on {remote.name}, and is no release: {why}"
        raise problem(what, "tags are never moved; release the next version")
    return commit


def confirm(state: State, plan: Plan) -> None:
    """Ask on the terminal, unless the answer stands in the command."""
    from rich.prompt import Confirm  # noqa: PLC0415 - a refused command line does without

    question = f"Push {', '.join(plan.refs)} to {state.remote.name}?"
    if not state.request.yes and not Confirm.ask(question, console=err.console, default=False):
        raise problem("not confirmed, so nothing was pushed", "run the same command again whenever you like")


def push(state: State, plan: Plan) -> None:
    """Push everything in one transaction, and compare what the remote then holds."""
    remote = state.remote.name
    refs = [f"{thing}:{ref}" for ref, thing in plan.refs.items()]
    # What git says is read below, so it says it in English.
    pushed = state.clone.run("push", *PUSH, remote, *refs, env={"LC_ALL": "C", "LANGUAGE": ""})
    there = Remote.read(state.clone, remote)
    said = " ".join(f"{pushed.stdout} {pushed.stderr}".split())
    if there.unreachable:
        what = f"{remote} does not answer after the push ({there.unreachable}), so its state is not known"
        raise problem(what, "run the same command again: it finishes the release, or says that it is released")
    # A connection may break after the server has taken everything: what it holds counts.
    missing = [ref for ref, thing in plan.refs.items() if there.refs.get(ref) != thing]
    if not missing:
        return
    if len(missing) < len(plan.refs):
        what = f"{remote} took a part of the push in spite of --atomic; {', '.join(missing)} is not there: {said}"
        remedy = "ask who runs the server to let it pass; then this tags what is there: "
        raise problem(what, f"{remedy}make release VERSION={state.release.text} VIA=pr")
    if not pushed.returncode:
        remedy = f"see whether both are one repository: git remote get-url {remote}; with --push; url.*.pushInsteadOf"
        raise problem(f"the push to {remote} went through, and reading from {remote} does not show it", remedy)
    raise problem(f"{remote} refused the push, so nothing changed there: {said}", remedy_of(said, state))


def remedy_of(said: str, state: State) -> str:
    """Return what to do about a refused push, from what git said."""
    again = f"make release VERSION={state.release.text}"
    if "fetch first" in said or "non-fast-forward" in said or "cannot lock ref" in said:
        return f"somebody else has pushed to {state.branch} meanwhile: git pull --ff-only; then again: {again}"
    if "already exists" in said:
        return "somebody else has released this version meanwhile: git pull --ff-only; see: git log -3"
    if "does not support --atomic" in said:
        return "the server cannot take branch and tag in one transaction; release over ssh or https, or move the server"
    if "protected" in said.lower() or "pull request" in said.lower():
        return f"the branch takes pull requests only: {again} VIA=pr"
    return f"ask who runs the server about the reason above; then again: {again}"


def follow(state: State, commit: str) -> None:
    """Bring the tag into the checkout, and move its branch forward to the release; say so where that is not possible.

    The release is out, so nothing that goes wrong here is an error.
    """
    git, tag, branch = state.project.checkout, f"refs/tags/{state.release.tag}", state.branch
    quiet = ("-c", f"core.hooksPath={state.clone.folder.parent / 'no-hooks'}")
    options = ("--quiet", "--no-tags", "--no-auto-maintenance", "--no-recurse-submodules", "--no-write-fetch-head")
    fetched = git.run(*quiet, "fetch", *options, state.remote.name, f"refs/heads/{branch}", f"{tag}:{tag}")
    current = git.run("symbolic-ref", "--short", "--quiet", "HEAD").stdout.strip()
    reason = " ".join(fetched.stderr.split()) if fetched.returncode else ""
    if not reason and current != branch:
        reason = f"{current or 'no branch'} is checked out, and not {branch}"
    if not reason and git.run("merge-base", "--is-ancestor", commit, "HEAD").returncode:
        moved = git.run(*quiet, "merge", "--ff-only", "--quiet", "--no-verify-signatures", commit)
        reason = " ".join(moved.stderr.split()) if moved.returncode else ""
    if reason:
        err.print(f"note: the release is out, but this checkout was left as it is: {reason}\n  run: git pull")


def catch_up(state: State, released: str | None) -> None:
    """Do what is left to do of a release that is out, at a commit, or that waits for its pull request; and say so."""
    release = state.release
    if not released:
        out.print(f"{release.branch} waits to be merged into {state.branch}; then run the same command again")
        return
    if not state.request.dry_run:
        follow(state, released)
    out.print(f"{release.text} is already released: {release.tag} on {state.remote.name} is {released[:10]}")


def explain(state: State, plan: Plan) -> None:
    """Say what happens now, and what to do if it does not."""
    release, branch, forge = state.release, state.branch, Forge.of(state.project, state.push_address)
    if not plan.tag:
        if forge:
            out.print(f"open the pull request: {forge.compare(branch, release.branch)}")
        out.print(f"when {release.branch} is merged into {branch}, pull, and run the same command again: it tags")
        return
    out.print(f"{release.text} is released: {release.tag} and {branch} are on {state.remote.name}")
    asked = f"--branch={release.tag} --limit=1 --json=databaseId --jq=.[].databaseId"
    if forge:
        out.print(f"CI builds and publishes it: {forge.runs(release.tag)}")
    watched = f"$(gh run list --workflow={state.project.workflow_file} {asked})"
    out.print(f"watch it:                   gh run watch --exit-status {watched}")
    out.print(f"when it is published:       make verify VERSION={release.text}")
    out.print("if CI fails:                gh run rerun --failed, which sends the same bytes; if the fault is in the")
    out.print("                            code, repair it and release the next version: the tag stays where it is")
