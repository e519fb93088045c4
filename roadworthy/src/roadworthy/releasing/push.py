"""The one moment that others see: an atomic push, the proof that it happened, and the checkout that follows it."""

import shutil
from pathlib import Path
from subprocess import CalledProcessError

from roadworthy.processes import SILENT
from roadworthy.releasing.files import has_release
from roadworthy.releasing.github import Forge
from roadworthy.releasing.plan import Plan
from roadworthy.releasing.state import LIMIT, Remote, State
from roadworthy.repository import Repository
from roadworthy.terminal import AGAIN, err, listed, out, problem, tell

# One transaction, no hook of this machine, and nothing but the refs that are named.
PUSH = ("--atomic", "--porcelain", "--no-verify", "--no-follow-tags", "--recurse-submodules=no")
# What stands in git's lock of the index while a checkout follows.
LOCKED = f"A checkout follows its release. If make release does not run any more, {AGAIN}: it finishes it.\n".encode()


def find_release(state: State) -> str | None:
    """Return the commit of this release if the remote has it, tag and branch; None if it has no such tag.

    A tag of that name which is no release of this project is a problem.
    """
    release, remote, clone, head = state.release, state.remote, state.clone, state.remote_head
    if (commit := remote.tags.get(release.tag)) is None:
        return None
    tag = f"refs/tags/{release.tag}"
    words = ["--no-tags", "--no-auto-maintenance", remote.name, f"+{tag}:{tag}"]
    fetched = clone.run("fetch", "--quiet", *words, *([f"refs/heads/{state.branch}"] if head else []), timeout=LIMIT)
    if fetched.returncode:
        what = f"{release.tag} cannot be fetched from {remote.name}: {' '.join(fetched.stderr.split())}"
        raise problem(what, f"see that this works: git fetch {remote.name}; then {AGAIN}")
    why = ""
    if not has_release(state.reader(commit), release):
        why = f"its files are not those of {release.text}"
    elif head is None or clone.run("merge-base", "--is-ancestor", commit, head).returncode:
        why = f"its commit {commit[:10]} is not on {state.branch}"
    if why:
        what = f"the tag {release.tag} is on {remote.name}, and is no release: {why}"
        raise problem(what, "tags are never moved; release the next version")
    return commit


def confirm(state: State, plan: Plan) -> None:
    """Ask on the terminal, unless the answer stands in the command."""
    from rich.prompt import Confirm  # noqa: PLC0415 - only where somebody is asked

    question = f"Push {', '.join(plan.refs)} to {state.remote.name}?"
    if not state.request.yes and not Confirm.ask(question, console=err.console, default=False):
        raise problem("not confirmed, so nothing was pushed", "run the same command again whenever you like")


def push(state: State, plan: Plan) -> None:
    """Push everything in one transaction, and compare what the remote then holds."""
    remote = state.remote.name
    refs = [f"{thing}:{ref}" for ref, thing in plan.refs.items()]
    # What git says is read below, so it says it in English.
    english = {"LC_ALL": "C", "LANGUAGE": ""}
    pushed = state.clone.run("push", *PUSH, remote, *refs, env=english, timeout=5 * LIMIT)
    there = Remote.read(state.clone, remote)
    said = " ".join(f"{pushed.stdout} {pushed.stderr}".split())
    # A connection may break after the server has taken everything: what it holds counts.
    missing = [ref for ref, thing in plan.refs.items() if there.refs.get(ref) != thing]
    if not missing:
        return
    if silent := there.unreachable or (said if pushed.returncode == SILENT else ""):
        what = f"{remote} does not answer ({silent}), so its state is not known; sent were: {', '.join(plan.refs)}"
        raise problem(what, f"{AGAIN}: it finishes the release, or says that it is released")
    if len(missing) < len(plan.refs):
        what = f"{remote} took a part of the push in spite of --atomic; {', '.join(missing)} is not there: {said}"
        remedy = "ask who runs the server to let it pass; then this tags what is there: "
        raise problem(what, f"{remedy}{state.release.command()} VIA=pr")
    if not pushed.returncode:
        remedy = f"see whether both are one repository: git remote get-url {remote}; with --push; url.*.pushInsteadOf"
        raise problem(f"the push to {remote} went through, and reading from {remote} does not show it", remedy)
    raise problem(f"{remote} refused the push, so nothing changed there: {said}", remedy_of(said, state))


def remedy_of(said: str, state: State) -> str:
    """Return what to do about a refused push, from what git said."""
    again = state.release.command()
    if "fetch first" in said or "non-fast-forward" in said or "cannot lock ref" in said:
        return f"somebody else has pushed to {state.branch} meanwhile: git pull --ff-only; then again: {again}"
    if "already exists" in said:
        return "somebody else has released this version meanwhile: git pull --ff-only; see: git log -3"
    if "does not support --atomic" in said:
        return "the server cannot take branch and tag in one transaction; release over ssh or https, or move the server"
    if "protected" in said.lower() or "pull request" in said.lower():
        return f"the branch takes pull requests only: {again} VIA=pr"
    return f"ask who runs the server about the reason above; then again: {again}"


def follow(state: State) -> None:
    """Bring the tag into the checkout, and move its branch forward to the release; say so where that is not possible.

    The release is out, so nothing that goes wrong here is an error. What was interrupted, the same command finishes.
    """
    # No configuration may change these.
    hooks = ("core.hooksPath", str(state.clone.folder.parent / "no-hooks"))
    fixed = (hooks, ("submodule.recurse", "false"))
    git = Repository(state.project.root, (*state.project.checkout.settings, *fixed))
    name = f"refs/tags/{state.release.tag}"
    if state.clone.run("rev-parse", "--verify", "--quiet", name).returncode:
        return  # The tag comes after a pull request.
    tag, commit = state.clone.ask("rev-parse", name, f"{name}^{{commit}}").split()
    try:
        # Everything is in the clone already.
        git.run("fetch-pack", "--quiet", state.clone.folder, name, check=True, env={"GIT_ALLOW_PROTOCOL": "file"})
        if git.run("rev-parse", "--verify", "--quiet", name).stdout.strip() != tag:
            git.ask("update-ref", name, tag, "0" * len(tag))
        reason = move(git, state.branch, commit)
    except CalledProcessError as error:
        reason = " ".join(error.stderr.split()) or f"git {error.cmd[1]} ended with {error.returncode}"
    except OSError as error:
        reason = str(error)
    if reason:
        err.print(f"note: the release is out, but this checkout was left as it is: {reason}")
        err.print(f"  put that right, and {AGAIN}, or: git pull")


def move(git: Repository, branch: str, commit: str) -> str:
    """Move files, index and branch forward to a commit; return what is in the way, if something is.

    git writes the files with a copy of the index, while that of the checkout is locked as git locks it. So whoever is
    killed, git or this, leaves a known lock, and files as they were, as they shall be, or the beginning of that.
    """
    folder = Path(git.ask("rev-parse", "--absolute-git-dir"))
    lock, index, own = (folder / name for name in ("index.lock", "index", "index.release"))
    current = git.run("symbolic-ref", "--quiet", "HEAD").stdout.strip().removeprefix("refs/heads/")
    pairs = ((commit, "HEAD"), ("HEAD", commit))
    done, possible = (git.run("merge-base", "--is-ancestor", *pair).returncode == 0 for pair in pairs)
    left = lock.is_file() and lock.read_bytes() == LOCKED
    if current != branch:
        return f"{current or 'no branch'} is checked out, and not {branch}"
    if done and not left:
        return ""
    if not done and not possible:
        return f"{branch} has commits that the release has not"
    try:
        with lock.open("wb" if left else "xb") as stream:
            stream.write(LOCKED)
    except FileExistsError:
        return f"{lock} is there: another git command runs, or was killed; if nothing runs any more, remove it"
    try:
        head, reason = git.ask("rev-parse", "HEAD"), ""
        if not done:
            shutil.copyfile(index, own)
            reason = write_files(git, head, commit, own)
        if not done and not reason:
            own.replace(index)
            git.ask("update-ref", "-m", "the release", f"refs/heads/{branch}", commit, head)
        return reason
    finally:
        own.unlink(missing_ok=True)
        lock.unlink()


def write_files(git: Repository, head: str, commit: str, index: Path) -> str:
    """Write what differs between two commits, with a copy of the index; return what is in the way, if something is.

    git refuses what it does not know. Of that, a file which a killed git has left is written again.
    """
    differs = ("diff-tree", "-r", "-z", "--name-only", "--no-renames", head, commit)
    # git overwrites an ignored file in the place of a new one, which is the user's all the same.
    for way, which in (("-m", "--diff-filter=A"), ("--reset", "--diff-filter=AMDT")):
        names = git.ask(*differs, which).split("\0")[:-1]
        if foreign := [name for name in names if not was_written(git, head, commit, name)]:
            return f"changed here: {listed(foreign)}"
        Path(f"{index}.lock").unlink(missing_ok=True)
        for words in (("update-index", "-q", "--refresh"), ("read-tree", way, "-u", head, commit)):
            written = git.run(*words, env={"GIT_INDEX_FILE": str(index)})
        if not written.returncode:
            return ""
    return " ".join(written.stderr.split()) or f"git read-tree ended with {written.returncode}"


def was_written(git: Repository, head: str, commit: str, name: str) -> bool:
    """Say whether a file is not there, or as one of two commits has it, or the beginning of what the second one has."""
    path, code = git.folder / name, ("utf-8", "surrogateescape")
    try:
        there = str(path.readlink()) if path.is_symlink() else path.read_text(*code)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    old, new = (git.run("cat-file", "--filters", f"{each}:{name}").stdout for each in (head, commit))
    return there == old or new.encode(*code).startswith(there.encode(*code))


def catch_up(state: State, released: str | None) -> None:
    """Do what is left to do of a release that is out, at a commit, or that waits for its pull request; and say so."""
    release = state.release
    if not released:
        out.print(f"{release.branch} waits to be merged into {state.branch}; then run the same command again")
        return
    if not state.request.dry_run:
        follow(state)
    tell(f"{release.text} is already released: {release.tag} on {state.remote.name} is {released[:10]}")


def explain(state: State, plan: Plan) -> None:
    """Say what happens now, and what to do if it does not."""
    release, branch, forge = state.release, state.branch, Forge.of(state.project, state.push_address)
    if f"refs/tags/{release.tag}" not in plan.refs:
        if forge:
            out.print(f"open the pull request: {forge.page}/compare/{branch}...{release.branch}?expand=1")
        tell(f"when {release.branch} is merged into {branch}, pull, and run the same command again: it tags")
        return
    tell(f"{release.text} is released: {release.tag} and {branch} are on {state.remote.name}")
    if forge:
        out.print(f"CI builds and publishes it: {forge.runs(release.tag)}")
    asked = f"--branch={release.tag} --limit=1 --json=databaseId --jq=.[].databaseId"
    watched = f"$(gh run list --workflow={state.project.workflow_file} {asked})"
    out.print(
        f"watch it:                   gh run watch --exit-status {watched}\n"
        f"when it is published:       {release.command('verify')}\n"
        "if CI fails:                gh run rerun --failed, which sends the same bytes; if the fault is in the\n"
        "                            code, repair it and release the next version: the tag stays where it is"
    )
