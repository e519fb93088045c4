"""The one moment that others see: an atomic push, the proof that it happened, and the checkout that follows it."""

from roadworthy.project import HERE
from roadworthy.releasing.checks import PUSH
from roadworthy.releasing.files import has_release
from roadworthy.releasing.plan import Plan
from roadworthy.releasing.state import Remote, Situation, commit_reader
from roadworthy.releasing.version import Release
from roadworthy.repository import Repository
from roadworthy.terminal import Problem, err, problem


def push(clone: Repository, plan: Plan) -> None:
    """Push everything in one transaction, and compare what the remote then holds.

    Raises:
        ProblemsError: The remote refused all of it; or it does not answer, and what it holds is not known.
    """
    refs = [f"{thing}:{ref}" for ref, thing in plan.refs.items()]
    # What git says is read below, so it says it in English.
    pushed = clone.run("push", *PUSH, plan.remote, *refs, env={"LC_ALL": "C", "LANGUAGE": ""})
    there = Remote.read(clone, plan.remote)
    said = " ".join(f"{pushed.stdout} {pushed.stderr}".split())
    if there.unreachable:
        raise problem(
            f"{plan.remote} does not answer after the push ({there.unreachable}), so its state is not known",
            "run the same command again: it finishes the release, or says that it is released",
        )
    # A connection may break after the server has taken everything: what it holds counts.
    missing = [ref for ref, thing in plan.refs.items() if there.refs.get(ref) != thing]
    if not missing:
        return
    if len(missing) < len(plan.refs):
        raise problem(
            f"{plan.remote} took a part of the push in spite of --atomic; {', '.join(missing)} is not there: {said}",
            "ask who runs the server to let it pass; then this tags what is there: "
            f"make release VERSION={plan.release.text} VIA=pr",
        )
    if not pushed.returncode:
        raise problem(
            f"the push to {plan.remote} went through, and reading from {plan.remote} does not show it",
            f"see whether both are one repository: git remote get-url {plan.remote}; with --push; url.*.pushInsteadOf",
        )
    raise problem(f"{plan.remote} refused the push, so nothing changed there: {said}", remedy_of(said, plan))


def remedy_of(said: str, plan: Plan) -> str:
    """Return what to do about a refused push, from what git said."""
    again = f"make release VERSION={plan.release.text}"
    if "fetch first" in said or "non-fast-forward" in said or "cannot lock ref" in said:
        return f"somebody else has pushed to {plan.branch} meanwhile: git pull --ff-only; then again: {again}"
    if "already exists" in said:
        return "somebody else has released this version meanwhile: git pull --ff-only; see: git log -3"
    if "does not support --atomic" in said:
        return "the server cannot take branch and tag in one transaction; release over ssh or https, or move the server"
    if "protected" in said.lower() or "pull request" in said.lower():
        return f"the branch takes pull requests only: {again} VIA=pr"
    return f"ask who runs the server about the reason above; then again: {again}"


def is_released(situation: Situation) -> str | None:
    """Return the commit of this release if the remote has it, tag and branch; None if it has no such tag.

    Raises:
        ProblemsError: There is a tag of that name which is no release of this project.
    """
    release, remote, clone = situation.request.release, situation.remote, situation.clone
    commit = remote.commit_of(release.tag)
    if commit is None:
        return None
    wanted = [f"refs/tags/{release.tag}", *([f"refs/heads/{situation.branch}"] if situation.remote_head else [])]
    clone.run("fetch", "--quiet", "--no-tags", "--no-auto-maintenance", remote.name, *wanted, check=True)
    if not has_release(commit_reader(clone, commit), release):
        raise wrong_tag(release, remote, f"its files are not those of {release.text}")
    head = situation.remote_head
    if head is None or clone.run("merge-base", "--is-ancestor", commit, head).returncode:
        raise wrong_tag(release, remote, f"its commit {commit[:10]} is not on {situation.branch}")
    return commit


def wrong_tag(release: Release, remote: Remote, why: str) -> Exception:
    """Return the problem of a tag that somebody made by hand."""
    what = f"the tag {release.tag} is on {remote.name}, and is no release: {why}"
    return problem(what, "tags are never moved; release the next version")


def follow(situation: Situation, commit: str) -> None:
    """Bring the tag into the checkout, and move its branch forward to the release; say so where that is not possible.

    The release is out, so nothing that goes wrong here is an error.
    """
    release, branch = situation.request.release, situation.branch
    refs = [f"refs/heads/{branch}", f"refs/tags/{release.tag}:refs/tags/{release.tag}"]
    empty = str(situation.clone.folder.parent / "no-hooks")
    quiet = ("-c", f"core.hooksPath={empty}")
    options = ("--quiet", "--no-tags", "--no-auto-maintenance", "--no-recurse-submodules", "--no-write-fetch-head")
    fetched = HERE.checkout.run(*quiet, "fetch", *options, situation.remote.name, *refs)
    current = HERE.checkout.run("symbolic-ref", "--short", "--quiet", "HEAD").stdout.strip()
    reason = " ".join(fetched.stderr.split()) if fetched.returncode else ""
    if not reason and current != branch:
        reason = f"{current or 'no branch'} is checked out, and not {branch}"
    if not reason and HERE.checkout.run("merge-base", "--is-ancestor", commit, "HEAD").returncode:
        moved = HERE.checkout.run(*quiet, "merge", "--ff-only", "--quiet", "--no-verify-signatures", commit)
        reason = " ".join(moved.stderr.split()) if moved.returncode else ""
    if reason:
        warning = Problem(f"the release is out, but this checkout was left as it is: {reason}", "run: git pull")
        err.print(f"note: {warning}")
