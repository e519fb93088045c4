"""Every reason not to release, found before anything is changed: one function each, all of them asked."""

import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.version import Version

from roadworthy.building.toolchain import GROUPS, fetch_crates, require_rust
from roadworthy.project import HERE
from roadworthy.releasing import clone as scratch
from roadworthy.releasing import files
from roadworthy.releasing.github import Forge, check_forge
from roadworthy.releasing.published import check_published
from roadworthy.releasing.state import Situation, known_remotes
from roadworthy.releasing.version import MAINTENANCE, belongs_to, version_of_tag
from roadworthy.terminal import Problem, ProblemsError

# A build from nothing needs a quarter of this.
NEEDED_BYTES = 1_000_000_000
# The first git that takes configuration from the environment.
OLDEST_GIT = Version("2.31")
SIGNING_LIMIT = 30
# More names than this say no more than these.
SHOWN = 8


def check_branch(situation: Situation) -> Iterator[Problem]:
    """The checkout is on the branch that is released from."""
    current, wanted = situation.checkout.branch, situation.branch
    if HERE.checkout.ask("rev-parse", "--is-shallow-repository") == "true":
        yield Problem("this clone is shallow: earlier releases cannot be seen", "run: git fetch --unshallow --tags")
    if not wanted and situation.remote.refs:
        yield Problem(f"{situation.remote.name} does not say which branch is its default", "name it with BRANCH=")
    if current is None:
        yield Problem("no branch is checked out (detached HEAD)", f"run: git switch {wanted or '<branch>'}")
    elif wanted and current != wanted:
        remedy = f"run: git switch {wanted}; or, for a maintenance line, add BRANCH={current}"
        yield Problem(f"{current} is checked out, and {wanted} is released from", remedy)
    default = situation.remote.default_branch
    if default and wanted != default:
        yield from check_maintenance(situation, default)


def check_maintenance(situation: Situation, default: str) -> Iterator[Problem]:
    """A branch beside the default one is for one line of versions."""
    branch, release = situation.branch, situation.request.release
    if not MAINTENANCE.fullmatch(branch):
        what = f"{branch} is neither the default branch, {default}, nor named like a maintenance line"
        yield Problem(what, "name the branch after its line, such as 0.1.x")
    elif not belongs_to(branch, release.version):
        yield Problem(f"{release.text} is no version of the line {branch}", f"release it from {default}, or another")


def check_tree(situation: Situation) -> Iterator[Problem]:
    """Nothing differs from the commit, and no other git command is half way."""
    changed, untracked = situation.checkout.changed, situation.checkout.untracked
    fragments = files.table(situation.read)["directory"]
    untracked = tuple(name for name in untracked if not name.startswith(f"{fragments}/"))
    if changed:
        yield Problem(f"there are changes that are not committed: {listed(changed)}", "commit them, or run: git stash")
    if untracked:
        remedy = "commit them, remove them, or name them in .gitignore"
        yield Problem(f"there are files that git neither tracks nor ignores: {listed(untracked)}", remedy)
    folder = Path(HERE.checkout.ask("rev-parse", "--absolute-git-dir"))
    for name, what in (
        ("index.lock", "another git command runs, or was killed"),
        ("MERGE_HEAD", "a merge is half way"),
        ("CHERRY_PICK_HEAD", "a cherry-pick is half way"),
        ("REVERT_HEAD", "a revert is half way"),
        ("BISECT_LOG", "a bisect is half way"),
        ("rebase-merge", "a rebase is half way"),
        ("rebase-apply", "a rebase is half way"),
    ):
        path = folder / name
        if path.exists():
            yield Problem(f"{what}: {path.name} is there", f"end it; if nothing runs any more, remove {path}")


def listed(names: tuple[str, ...]) -> str:
    """Return some names, and how many more there are."""
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


def check_remote(situation: Situation) -> Iterator[Problem]:
    """There is one remote, it answers, and its branch is the commit that is checked out."""
    remote, head = situation.remote, situation.checkout.head
    addresses = scratch.push_addresses(situation.settings, remote.name)
    if len(addresses) > 1:
        what = f"{remote.name} pushes to {len(addresses)} addresses, so a push could half happen"
        yield Problem(
            what, f"leave one of them: git config --edit; or name another remote with REMOTE= ({remote.name})"
        )
    if not addresses:
        known = known_remotes(situation.settings)
        there = f"here are: {', '.join(known)}" if known else "there is none at all"
        yield Problem(f"there is no remote {remote.name}; {there}", "name one with REMOTE=, or run: git remote add")
    elif remote.unreachable:
        works = f"see that this works: git ls-remote {remote.name}"
        yield Problem(f"the remote {remote.name} cannot be read: {remote.unreachable}", works)
    elif not remote.refs:
        yield Problem(f"the remote {remote.name} is empty", f"run: git push --set-upstream {remote.name} HEAD")
    elif situation.branch:
        yield from compare_heads(situation, head, situation.remote_head)


def compare_heads(situation: Situation, head: str, there: str | None) -> Iterator[Problem]:
    """Find where the branch stands against the one on the remote."""
    name = f"{situation.branch} on {situation.remote.name}"
    if there is None:
        yield Problem(f"there is no {name}", f"run: git push {situation.remote.name} {situation.branch}")
    elif there in situation.ancestors:
        count = int(HERE.checkout.ask("rev-list", "--count", f"{there}..{head}"))
        if count:
            remedy = f"run: git push {situation.remote.name} {situation.branch}; a release is of what others can see"
            yield Problem(f"the checkout is {count} commits ahead of {name}", remedy)
    else:
        # The remote's commits are perhaps not here, so what is here is compared with what was fetched last.
        own = HERE.checkout.ask("rev-list", "--count", "HEAD", "--not", f"--remotes={situation.remote.name}")
        known = HERE.checkout.run("merge-base", "--is-ancestor", head, there).returncode == 0
        if known or own == "0":
            yield Problem(f"the checkout is behind {name}", "run: git pull --ff-only")
        else:
            yield Problem(f"the checkout and {name} have diverged", "run: git pull --rebase; and push")


def check_tags(situation: Situation) -> Iterator[Problem]:
    """The tag is free here and there, in every spelling, and no earlier attempt is left."""
    release, remote, local = situation.request.release, situation.remote, situation.checkout.refs
    there, here = remote.tags(), {ref.removeprefix("refs/tags/") for ref in local if ref.startswith("refs/tags/")}
    if release.tag in here and release.tag not in there and not remote.unreachable:
        what = f"the tag {release.tag} is here and not on {remote.name}: a leftover of an earlier attempt"
        yield Problem(what, f"run: git tag --delete {release.tag}")
    for name in sorted({*there, *here} - {release.tag}):
        if version_of_tag(name) == release.version:
            where = remote.name if name in there else "here"
            yield Problem(f"the tag {name} ({where}) is the same version as {release.text}", "release the next version")
    if f"refs/heads/{release.branch}" in local:
        what = f"the branch {release.branch} is here: a leftover of an earlier attempt"
        yield Problem(what, f"look at it, then run: git branch --delete --force {release.branch}")
    if f"refs/heads/{release.branch}" in remote.refs and not situation.request.via_pr:
        remedy = f"add VIA=pr to finish it, or run: git push {remote.name} --delete {release.branch}"
        yield Problem(f"{release.branch} is on {remote.name}: a release by pull request is under way", remedy)


def check_order(situation: Situation) -> Iterator[Problem]:
    """The version is greater than every one released on this line, and not below the one in the files."""
    release = situation.request.release
    released = [
        (version, name)
        for name, commit in situation.remote.tags().items()
        if commit in situation.ancestors and (version := version_of_tag(name)) is not None
    ]
    newest, name = max(released, default=(None, ""))
    if newest is not None and release.version < newest:
        what = f"{release.text} is not greater than what is released on this line: {name}"
        yield Problem(what, f"choose a version after {newest}")
    standing = files.versions(situation.read)["pyproject.toml"]
    in_files = version_of_tag(standing)
    if in_files is not None and release.version < in_files and (newest is None or newest < in_files):
        yield Problem(
            f"{release.text} is below the version in the files, {standing}", f"choose {standing} or a later one"
        )


def check_files(situation: Situation) -> Iterator[Problem]:
    """Versions, dependencies, changelog and fragments of the commit are fit for a release."""
    yield from files.check_versions(situation.read)
    yield from files.check_manifest(situation.read)
    if situation.merged:
        return
    request = situation.request
    yield from files.check_changelog(situation.read, request.release, via_pr=request.via_pr)
    directory = files.table(situation.read)["directory"]
    tracked = set(situation.clone.ask("ls-tree", "-r", "--name-only", "-z", "HEAD", directory).split("\0"))
    yield from files.check_fragments(HERE.root, tracked, situation.read)


def check_lock(situation: Situation) -> Iterator[Problem]:
    """Cargo.lock fits Cargo.toml, and all crates in it are on this machine, or are fetched."""
    if not shutil.which("cargo"):
        return  # check_tools says so.
    files.versions(situation.read)  # A file that cannot be read is named by this, once.
    try:
        fetch_crates(HERE)
    except ProblemsError as error:
        yield from error.problems


def check_tools(situation: Situation) -> Iterator[Problem]:
    """The tools are those that are locked, and those of the machine are new enough."""
    wrong = []
    for group in GROUPS:
        text = (HERE.root / "requirements" / f"{group}.txt").read_text(encoding="utf-8")
        wrong += list(wrong_tools(re.findall(r"^([A-Za-z0-9._-]+==[^\\\n]+?)(?: \\)?$", text, re.MULTILINE)))
    if wrong:
        yield Problem(
            f"tools are not those of requirements/: {listed(tuple(wrong))}", "remove .venv, then run: make setup"
        )
    found = HERE.checkout.ask("version").split()[2]
    files.part(situation.read, "Cargo.toml", "package")  # Names the file where it cannot be read.
    if Version(re.match(r"[0-9.]*[0-9]", found)[0]) < OLDEST_GIT:  # type: ignore[index]
        yield Problem(f"git {found} is too old", f"install git {OLDEST_GIT} or newer")
    try:
        require_rust(HERE)
    except ProblemsError as error:
        yield from error.problems


def wrong_tools(lines: list[str]) -> Iterator[str]:
    """Find those of a lock's lines that this environment has not, or in another version."""
    for wanted in map(Requirement, lines):
        if wanted.marker and not wanted.marker.evaluate():
            continue
        try:
            installed = metadata.version(wanted.name)
        except metadata.PackageNotFoundError:
            installed = "none"
        if not wanted.specifier.contains(installed if installed != "none" else "0", prereleases=True):
            yield f"{wanted} ({installed} is installed)"


def check_disk(_: Situation) -> Iterator[Problem]:
    """There is room for the build."""
    free = shutil.disk_usage(tempfile.gettempdir()).free
    if free < NEEDED_BYTES:
        what = f"{tempfile.gettempdir()} has {free / 1e9:.1f} GB free, and a build needs {NEEDED_BYTES / 1e9:.0f} GB"
        yield Problem(what, "make room, or set TMPDIR to a folder with more")


def check_identity(situation: Situation) -> Iterator[Problem]:
    """Git knows who commits, and can sign if it is to."""
    clone = situation.clone
    asked = [clone.run("-c", "user.useConfigOnly=true", "var", f"GIT_{who}_IDENT") for who in ("AUTHOR", "COMMITTER")]
    if any(each.returncode for each in asked):
        remedy = "run: git config user.name <name>; and: git config user.email <address>"
        yield Problem("git does not know who you are, so it cannot commit", remedy)
        return
    signs = {}
    if is_true(situation, "commit.gpgsign"):
        signs["commits"] = ("commit-tree", "-S", "-m", "signing works", "HEAD^{tree}")
    if is_true(situation, "tag.gpgsign") or is_true(situation, "tag.forcesignannotated"):
        signs["tags"] = ("tag", "--sign", "--message=signing works", "signing-works", "HEAD")
    limit = None if sys.stdin.isatty() else SIGNING_LIMIT
    for what, command in signs.items():
        try:
            tried = clone.run(*command, timeout=limit)
            reason = " ".join(tried.stderr.split()) if tried.returncode else ""
        except subprocess.TimeoutExpired:
            reason = f"no answer within {limit} s"
        if reason:
            remedy = "repair user.signingKey, gpg.format and the key's agent, or turn it off: git config --list"
            yield Problem(f"{what} are to be signed, and that does not work: {reason[:300]}", remedy)


def is_true(situation: Situation, name: str) -> bool:
    """Say whether a switch of git's configuration is on."""
    return situation.clone.run("config", "--type=bool", name).stdout.strip() == "true"


def check_push(situation: Situation) -> Iterator[Problem]:
    """The server would take a push, as far as it shows that to a dry one: rights, and `--atomic`."""
    remote, release, head = situation.remote, situation.request.release, situation.checkout.head
    in_step = situation.remote_head == head
    if remote.unreachable or not remote.refs or release.tag in remote.tags() or not in_step:
        return
    refs = (f"HEAD:refs/heads/{situation.branch}", f"HEAD:refs/tags/{release.tag}")
    tried = situation.clone.run("push", "--dry-run", *PUSH, remote.name, *refs)
    if tried.returncode:
        reason = " ".join(f"{tried.stderr} {tried.stdout}".split())
        remedy = f"see: git push --dry-run --atomic {remote.name} HEAD; or ask who runs the server"
        yield Problem(f"{remote.name} would refuse the push: {reason[:400]}", remedy)


# One transaction, no hook of this machine, and nothing but the refs that are named.
PUSH = ("--atomic", "--porcelain", "--no-verify", "--no-follow-tags", "--recurse-submodules=no")

CHECKS: tuple[Callable[[Situation], Iterator[Problem]], ...] = (
    check_branch,
    check_tree,
    check_remote,
    check_tags,
    check_order,
    check_files,
    check_lock,
    check_identity,
    check_push,
    check_tools,
    check_disk,
)


def find_problems(situation: Situation) -> tuple[list[Problem], list[str]]:
    """Ask every check, at the same time; return the problems in the checks' order, and what could not be checked."""
    # Two checks need it, and only one has to ask.
    _ = situation.ancestors
    with ThreadPoolExecutor() as pool:
        asked = [pool.submit(ask, check, situation) for check in CHECKS]
        published = pool.submit(check_published, situation.read, situation.request.release)
        far = [pool.submit(ask_forge, situation), published]
        problems = [problem for each in asked for problem in each.result()]
        problems += [problem for each in far for problem in each.result()[0]]
        notes = [note for each in far for note in each.result()[1]]
    # A file that cannot be read is found by several checks.
    return list(dict.fromkeys(problems)), notes + list_hooks()


def ask(check: Callable[[Situation], Iterator[Problem]], situation: Situation) -> list[Problem]:
    """Return what a check finds; what it cannot read is a problem too."""
    found: list[Problem] = []
    try:
        # What was found before the rest cannot be judged stays found.
        found.extend(check(situation))
    except ProblemsError as error:
        found += error.problems
    except subprocess.CalledProcessError as error:
        found.append(unjudged(check, f"{shlex.join(error.cmd)}: {' '.join(str(error.stderr).split())}"))
    except (AttributeError, OSError, LookupError, TypeError, ValueError) as error:
        found.append(unjudged(check, f"{type(error).__name__}: {error}"))
    return [each.printable() for each in found]


def ask_forge(situation: Situation) -> tuple[list[Problem], list[str]]:
    """Ask GitHub; that it does not answer, or answers something else, keeps nobody from releasing."""
    forge, via_pr = Forge.of(web_address(situation)), situation.request.via_pr
    try:
        return check_forge(forge, situation.checkout.head, situation.branch, via_pr=via_pr)
    except subprocess.TimeoutExpired as error:
        reason = f"gh does not answer within {error.timeout} s"
    except (AttributeError, LookupError, OSError, TypeError) as error:
        reason = f"gh's answer cannot be understood: {type(error).__name__}: {error}"
    return [], [f"not checked: what GitHub says of this commit and of {situation.branch} ({reason})"]


def unjudged(check: Callable[[Situation], Iterator[Problem]], reason: str) -> Problem:
    """Return the problem of a check that came to no end."""
    return Problem(f"this could not be judged: {check.__doc__} {reason}", "repair the file that it names")


def web_address(situation: Situation) -> str:
    """Return the address that a push goes to, after git's own rewriting."""
    # The clone has its remote from the environment, and get-url looks at the repository's own file only.
    return HERE.checkout.run("remote", "get-url", "--push", situation.remote.name).stdout.strip()


def list_hooks() -> list[str]:
    """Say which hooks of this checkout do not run."""
    folder = HERE.root / HERE.checkout.ask("rev-parse", "--git-path", "hooks")
    hooks = sorted(path.name for path in folder.glob("*") if path.suffix != ".sample") if folder.is_dir() else []
    return [f"hooks that do not run for a release: {', '.join(hooks)}"] if hooks else []
