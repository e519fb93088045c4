"""Every state of a checkout, of its remote or of the machine in which a release is refused: all are real."""

import shutil

import pytest
from filelock import FileLock

from refusals import (
    Case,
    Cases,
    Step,
    append,
    check_refused,
    commit,
    commit_here,
    failing_git,
    git,
    own_check,
    program,
    remote_git,
    remove,
    script,
    server_hook,
    variables,
    write,
    write_bytes,
)
from releases import Place, environment, set_version

CLONE = "clone the repository, and work in the clone"


# ---- the checkout -------------------------------------------------------------------------------------------------


def no_commit(place: Place) -> None:
    shutil.rmtree(place.checkout / ".git")
    place.git("init", "--quiet")


def inside_another(place: Place) -> None:
    """Let the checkout be a folder of a repository around it."""
    shutil.rmtree(place.checkout / ".git")
    place.git("init", "--quiet", cwd=place.folder)
    place.git("add", "checkout", cwd=place.folder)
    identity = ("-c", "user.name=Test", "-c", "user.email=test@localhost")
    place.git(*identity, "commit", "--quiet", "--message=All", cwd=place.folder)


def shallow(place: Place) -> None:
    place.commit()
    place.git("fetch", "--quiet", "--depth=1", "origin", "main")


def side_branch(place: Place) -> None:
    """Have a branch with a commit more, and be on main again."""
    place.git("switch", "--quiet", "--create=side")
    place.commit("Work", push=False)
    place.git("switch", "--quiet", "main")


def conflict(place: Place) -> None:
    """Have both branches change the same."""
    place.git("switch", "--quiet", "--create=side")
    place.write("LICENSE", "mine\n")
    place.commit("Work", push=False)
    place.git("switch", "--quiet", "main")
    place.write("LICENSE", "ours\n")
    place.commit()


CHECKOUT = Cases()
CHECKOUT.add("no repository", "is not the root of a git checkout", CLONE, remove(".git"))
CHECKOUT.add("repository without a commit", "is not the root of a git checkout with a commit", CLONE, no_commit)
CHECKOUT.add("folder of another repository", "is not the root of a git checkout", CLONE, inside_another)
CHECKOUT.add("broken repository", "is not the root of a git checkout", CLONE, remove(".git/HEAD"))
CHECKOUT.add("files elsewhere", "is not the root", CLONE, git("config", "core.worktree", "PLACE"))
CHECKOUT.add("repository without files", "is not the root", CLONE, git("config", "core.bare", "true"))
CHECKOUT.add("shallow clone", "this clone is shallow", "run: git fetch --unshallow --tags", shallow)
CHECKOUT.add(
    "no branch", "no branch is checked out (detached HEAD)", "git switch main", git("switch", "--detach", "-q")
)
CHECKOUT.add(
    "another branch",
    "work is checked out, and main is released from",
    "run: git switch main",
    git("switch", "-q", "-c", "work"),
)
CHECKOUT.add(
    "another branch than asked for",
    "main is checked out, and 0.2.x is released from",
    "run: git switch 0.2.x",
    git("push", "-q", "origin", "HEAD:0.2.x"),
    arguments=("0.2.0", "--yes", "--branch=0.2.x"),
)
CHECKOUT.add(
    "branch that is no maintenance line",
    "stable is neither the default branch, main, nor named like a maintenance line",
    "such as 0.1.x",
    git("switch", "-q", "-c", "stable"),
    git("push", "-q", "origin", "stable"),
    arguments=("0.2.0", "--yes", "--branch=stable"),
)
CHECKOUT.add(
    "version of another line",
    "0.2.0 is no version of the line 0.1.x",
    "release it from main",
    git("switch", "-q", "-c", "0.1.x"),
    git("push", "-q", "origin", "0.1.x"),
    arguments=("0.2.0", "--yes", "--branch=0.1.x"),
)
COMMIT_OR_STASH = "commit them, or run: git stash"
CHANGED = "there are changes that are not committed: "
CHECKOUT.add("unstaged change", f"{CHANGED}LICENSE", COMMIT_OR_STASH, append("LICENSE", "More.\n"))
CHECKOUT.add("staged change", f"{CHANGED}LICENSE", COMMIT_OR_STASH, append("LICENSE", "More.\n"), git("add", "-A"))
CHECKOUT.add("staged new file", f"{CHANGED}new.txt", COMMIT_OR_STASH, write("new.txt"), git("add", "-A"))
CHECKOUT.add("deleted file", f"{CHANGED}LICENSE", COMMIT_OR_STASH, remove("LICENSE"))
CHECKOUT.add("file only git deleted", f"{CHANGED}LICENSE", COMMIT_OR_STASH, git("rm", "-q", "LICENSE"))
CHECKOUT.add("renamed file", "COPYING, LICENSE", COMMIT_OR_STASH, git("mv", "LICENSE", "COPYING"))
CHECKOUT.add(
    "other mode", f"{CHANGED}LICENSE", COMMIT_OR_STASH, lambda place: (place.checkout / "LICENSE").chmod(0o755)
)
CHECKOUT.add(
    "symlink for a file",
    f"{CHANGED}LICENSE",
    COMMIT_OR_STASH,
    remove("LICENSE"),
    lambda place: (place.checkout / "LICENSE").symlink_to("README.md"),
)
CHECKOUT.add(
    "many changes",
    " and 2 more",
    COMMIT_OR_STASH,
    *(write(f"new{number}.txt") for number in range(10)),
    git("add", "-A"),
)
CHECKOUT.add(
    "conflict",
    f"{CHANGED}LICENSE",
    COMMIT_OR_STASH,
    conflict,
    failing_git("merge", "side"),
    also=(("a merge is half way", "end it; if nothing runs any more, remove"),),
)
NAME_OR_REMOVE = "commit them, remove them, or name them in .gitignore"
UNTRACKED = "there are files that git neither tracks nor ignores: "
CHECKOUT.add("untracked file", f"{UNTRACKED}notes.txt", NAME_OR_REMOVE, write("notes.txt"))
CHECKOUT.add("untracked file below", f"{UNTRACKED}src/new/notes.rs", NAME_OR_REMOVE, write("src/new/notes.rs"))
CHECKOUT.add("untracked name of two lines", f"{UNTRACKED}a\\nproblem: b", NAME_OR_REMOVE, write("a\nproblem: b"))
CHECKOUT.add("untracked name that is no UTF-8", f"{UNTRACKED}caf\\udce9", NAME_OR_REMOVE, write_bytes(b"caf\xe9", b""))
CHECKOUT.add(
    "lock of git", "another git command runs, or was killed", "end it; if nothing runs", write(".git/index.lock", "")
)
HALF_WAY = "end it; if nothing runs any more, remove"
CHECKOUT.add(
    "merge half way", "a merge is half way", HALF_WAY, side_branch, git("merge", "-q", "--no-ff", "--no-commit", "side")
)
CHECKOUT.add(
    "cherry-pick half way", "a cherry-pick is half way", HALF_WAY, side_branch, failing_git("cherry-pick", "side")
)
CHECKOUT.add("revert half way", "a revert is half way", HALF_WAY, commit, git("revert", "--no-commit", "HEAD"))
CHECKOUT.add("bisect half way", "a bisect is half way", HALF_WAY, git("bisect", "start"))
CHECKOUT.add(
    "rebase half way",
    "no branch is checked out (detached HEAD)",
    "run: git switch main",
    commit,
    failing_git("rebase", "--force-rebase", "--exec=false", "HEAD~1"),
    also=(("a rebase is half way", HALF_WAY),),
)
CHECKOUT.add(
    "patches half way",
    "a rebase is half way: rebase-apply is there",
    HALF_WAY,
    lambda place: (place.folder / "mail").write_text("From: a <a@localhost>\nSubject: b\n\n---\n", encoding="utf-8"),
    failing_git("am", "--quiet", "../mail"),
)

# ---- the remote ---------------------------------------------------------------------------------------------------


def push_of_others(place: Place) -> None:
    """Push a commit that the checkout has not."""
    other = Place(place.folder / "other")
    place.git("clone", "--quiet", place.remote, other.checkout)
    identity = ("-c", "user.name=Other", "-c", "user.email=other@localhost")
    other.git(*identity, "commit", "--quiet", "--allow-empty", "--message=Other work")
    other.git("push", "--quiet", "origin", "HEAD")


def new_remote(place: Place) -> None:
    """Point the checkout at a repository without anything in it."""
    shutil.rmtree(place.remote)
    place.git("init", "--quiet", "--bare", "--initial-branch=main", place.remote)


def gone(place: Place) -> None:
    place.remote.rename(place.folder / "moved.git")


REMOTE = Cases()
FETCH = git("fetch", "-q", "origin")
REMOTE.add("behind", "the checkout is behind main on origin", "run: git pull --ff-only", push_of_others)
REMOTE.add("behind, and fetched", "the checkout is behind main on origin", "git pull --ff-only", push_of_others, FETCH)
REMOTE.add("ahead", "1 commits ahead of main on origin", "run: git push origin main", commit_here)
REMOTE.add(
    "diverged", "the checkout and main on origin have diverged", "run: git pull --rebase", push_of_others, commit_here
)
REMOTE.add("diverged, and fetched", "have diverged", "git pull --rebase; and push", push_of_others, commit_here, FETCH)
REMOTE.add(
    "history rewritten there",
    "have diverged",
    "run: git pull --rebase",
    git("commit", "-q", "--amend", "--message=Anew"),
    git("push", "-q", "--force", "origin", "HEAD"),
    git("reset", "-q", "--hard", "HEAD@{1}"),
    git("commit", "-q", "--allow-empty", "--message=Mine"),
)
REMOTE.add(
    "branch missing there",
    "there is no 0.2.x on origin",
    "run: git push origin 0.2.x",
    git("switch", "-q", "-c", "0.2.x"),
    arguments=("0.2.0", "--yes", "--branch=0.2.x"),
)
REMOTE.add("nothing there", "the remote origin is empty", "git push --set-upstream origin HEAD", new_remote)
REMOTE.add(
    "no default branch there",
    "origin does not say which branch is its default",
    "name it with BRANCH=",
    remote_git("symbolic-ref", "HEAD", "refs/heads/trunk"),
)
SEE = "see that this works: git ls-remote origin"
REMOTE.add("path gone", "the remote origin cannot be read: ", SEE, gone)
REMOTE.add("path of no repository", "cannot be read: ", SEE, gone, lambda place: place.remote.mkdir())
REMOTE.add(
    "http to a closed port",
    "the remote origin cannot be read: ",
    SEE,
    git("remote", "set-url", "origin", "http://127.0.0.1:1/a.git"),
    variables(no_proxy="127.0.0.1"),
)
REMOTE.add(
    "ssh to nowhere",
    "the remote origin cannot be read: ",
    SEE,
    git("remote", "set-url", "origin", "ssh://git@localhost/a.git"),
    variables(GIT_SSH_COMMAND="false", GIT_SSH_VARIANT="simple"),
)
REMOTE.add(
    "protocol without a program",
    "the remote origin cannot be read: ",
    SEE,
    git("remote", "set-url", "origin", "nowhere://localhost/a.git"),
)
REMOTE.add(
    "protocol that is not allowed",
    "the remote origin cannot be read: ",
    SEE,
    git("config", "protocol.file.allow", "never"),
)
REMOTE.add(
    "protocol that the environment does not allow",
    "the remote origin cannot be read: fatal: transport 'file' not allowed",
    SEE,
    variables(GIT_ALLOW_PROTOCOL="ssh:https"),
)
REMOTE.add("address that is empty", "the remote origin cannot be read: ", SEE, git("config", "remote.origin.url", ""))
NAME_ONE = "name one with REMOTE=, or run: git remote add"
REMOTE.add("no remote", "there is no remote origin; there is none at all", NAME_ONE, git("remote", "remove", "origin"))
REMOTE.add(
    "remote of another name",
    "there is no remote origin; here are: upstream",
    NAME_ONE,
    git("remote", "rename", "origin", "upstream"),
)
REMOTE.add(
    "remote that is not there",
    "there is no remote fork; here are: origin",
    NAME_ONE,
    arguments=("0.2.0", "--yes", "--remote=fork"),
)
ONE_ADDRESS = "leave one of them: git config --edit"
REMOTE.add(
    "two addresses to push to",
    "origin pushes to 2 addresses, so a push could half happen",
    ONE_ADDRESS,
    git("remote", "set-url", "--push", "origin", "PLACE/remote.git"),
    git("remote", "set-url", "--push", "--add", "origin", "PLACE/mirror.git"),
)
REMOTE.add(
    "two addresses for everything",
    "origin pushes to 2 addresses, so a push could half happen",
    ONE_ADDRESS,
    git("remote", "set-url", "--add", "origin", "PLACE/mirror.git"),
)
REMOTE.add(
    "only the address to push to is gone",
    "the remote origin cannot be read: ",
    SEE,
    git("remote", "set-url", "--push", "origin", "PLACE/nowhere.git"),
)
REMOTE.add(
    "server that takes no transaction",
    "origin would refuse the push: ",
    "--atomic",
    remote_git("config", "receive.advertiseAtomic", "false"),
)
REMOTE.add(
    "server that takes no signed push",
    "origin would refuse the push: ",
    "ask who runs the server",
    git("config", "push.gpgSign", "true"),
)
REFUSED = "origin refused the push, so nothing changed there: "
WHO_RUNS = "ask who runs the server about the reason above; then again: make release VERSION=0.2.0"
REMOTE.add("server that refuses everything", f"{REFUSED}", WHO_RUNS, server_hook("pre-receive", "echo no >&2; exit 1"))
REMOTE.add(
    "server that refuses the branch", "hook declined", WHO_RUNS, server_hook("update", '[ "$1" != refs/heads/main ]')
)
REMOTE.add(
    "server that refuses the tag", "hook declined", WHO_RUNS, server_hook("update", '[ "$1" != refs/tags/v0.2.0 ]')
)
REMOTE.add(
    "server whose branch is protected",
    "GH006: Protected branch",
    "the branch takes pull requests only: make release VERSION=0.2.0 VIA=pr",
    server_hook("pre-receive", "echo 'error: GH006: Protected branch update failed for main.' >&2; exit 1"),
)

# ---- tags, branches and the order of versions ---------------------------------------------------------------------


def tagged(name: str, *, here: bool = True, there: bool = True) -> list[Step]:
    """Tag the commit that is checked out."""
    steps = [git("tag", "--annotate", f"--message={name}", name)]
    steps += [git("push", "-q", "origin", f"refs/tags/{name}")] if there else []
    return [*steps, *([] if here else [git("tag", "--delete", name)])]


def version(number: str) -> Step:
    """Write a version into the files, and commit it."""

    def step(place: Place) -> None:
        set_version(place, number)
        place.commit(f"Version {number}")

    return step


def off_the_branch(place: Place) -> None:
    """Push a tag whose commit is on no branch that is released from."""
    place.git("switch", "--quiet", "--create=side")
    set_version(place, "0.2.0")
    place.write("CHANGELOG.md", place.read("CHANGELOG.md") + "\n## 0.2.0 (2030-03-17)\n\n- Something.\n")
    place.commit("Version 0.2.0", push=False)
    place.git("tag", "v0.2.0")
    place.git("push", "--quiet", "origin", "v0.2.0")
    place.git("switch", "--quiet", "main")


TAGS = Cases()
NEXT = "release the next version"
TAGS.add(
    "tag left here",
    "the tag v0.2.0 is here and not on origin: a leftover",
    "run: git tag --delete v0.2.0",
    *tagged("v0.2.0", there=False),
)
TAGS.add(
    "tag there that is no release",
    "the tag v0.2.0 is on origin, and is no release: its files are not those of 0.2.0",
    "tags are never moved; release the next version",
    *tagged("v0.2.0"),
)
TAGS.add(
    "tag there on a file",
    "the tag v0.2.0 is on origin, and is no release",
    "tags are never moved",
    git("tag", "v0.2.0", "HEAD:LICENSE"),
    git("push", "-q", "origin", "v0.2.0"),
)
TAGS.add(
    "tags in folders of the name",
    "beside refs/tags/v0.2.0/a there can be no refs/tags/v0.2.0: git would need a file and a folder of one name",
    "rename or delete refs/tags/v0.2.0/a, here and on origin",
    *tagged("v0.2.0/a"),
    git("tag", "v0.2.0/b"),
    also=(("beside refs/tags/v0.2.0/b there can be no refs/tags/v0.2.0", "rename or delete refs/tags/v0.2.0/b"),),
)
TAGS.add(
    "branch there with the name of the folder of pull requests",
    "beside refs/heads/release there can be no refs/heads/release/v0.2.0",
    "rename or delete refs/heads/release, here and on origin",
    git("push", "-q", "origin", "HEAD:refs/heads/release"),
    arguments=("0.2.0", "--yes", "--via=pr"),
)
TAGS.add("tag there off the branch", "is not on main", "tags are never moved", off_the_branch)
for spelled, asked in (
    ("0.2.0", "0.2.0"),
    ("v0.2", "0.2.0"),
    ("v0.2.0.0", "0.2.0"),
    ("v0.3.0a1", "0.3.0-alpha1"),
    ("v0.3.0-alpha.1", "0.3.0-alpha1"),
):
    TAGS.add(
        f"tag {spelled} there for {asked}",
        f"the tag {spelled} (origin) is the same version as {asked}",
        NEXT,
        *tagged(spelled, here=False),
        arguments=(asked, "--yes"),
    )
TAGS.add(
    "tag of another spelling here",
    "the tag V0.2.0 (here) is the same version as 0.2.0",
    NEXT,
    *tagged("V0.2.0", there=False),
)
TAGS.add(
    "version below the newest release",
    "0.2.0 is not greater than what is released on this line: v0.3.0",
    "choose a version after 0.3.0",
    version("0.3.0"),
    *tagged("v0.3.0"),
)
TAGS.add(
    "pre-release after its final release",
    "0.2.0-rc1 is not greater than what is released on this line: v0.2.0",
    "choose a version after 0.2.0",
    version("0.2.0"),
    *tagged("v0.2.0"),
    arguments=("0.2.0-rc1", "--yes"),
)
TAGS.add(
    "alpha after a beta",
    "0.2.0-alpha9 is not greater than what is released on this line: v0.2.0-beta1",
    "choose a version after 0.2.0b1",
    version("0.2.0-beta1"),
    *tagged("v0.2.0-beta1"),
    arguments=("0.2.0-alpha9", "--yes"),
)
TAGS.add(
    "version below the files",
    "0.2.0 is below the version in the files, 0.3.0",
    "choose 0.3.0 or a later one",
    *tagged("v0.1.0"),
    version("0.3.0"),
)
TAGS.add(
    "version below the files, where all that is released is on another line",
    "0.2.0 is below the version in the files, 0.3.0",
    "choose 0.3.0 or a later one",
    version("0.3.0"),
    git("commit", "-q", "--allow-empty", "-m", "Elsewhere"),
    *tagged("v0.1.0"),
    git("reset", "-q", "--hard", "HEAD^"),
)
TAGS.add(
    "branch of a pull request left here",
    "the branch release/v0.2.0 is here: a leftover",
    "git branch --delete --force release/v0.2.0",
    git("branch", "release/v0.2.0"),
)
TAGS.add(
    "branch of a pull request there",
    "release/v0.2.0 is on origin: a release by pull request is under way",
    "add VIA=pr to finish it, or run: git push origin --delete release/v0.2.0",
    git("push", "-q", "origin", "HEAD:refs/heads/release/v0.2.0"),
)

# ---- the machine and the user -------------------------------------------------------------------------------------


def held_lock(place: Place) -> None:
    """Hold the lock of another release until the test's process ends."""
    (place.checkout / "target" / "release").mkdir(parents=True)
    held = FileLock(place.checkout / "target" / "release" / "lock")
    held.acquire()
    HELD.append(held)


HELD: list[FileLock] = []


def only_git(place: Place) -> dict[str, str]:
    """Leave nothing on PATH but git."""
    (place.folder / "bin").mkdir()
    (place.folder / "bin" / "git").symlink_to(str(shutil.which("git")))
    return {"PATH": str(place.folder / "bin")}


MACHINE = Cases()
WHO = "run: git config user.name <name>; and: git config user.email <address>"
NOBODY = "git does not know who you are"
UNSET = (git("config", "--unset", "user.name"), git("config", "--unset", "user.email"))
MACHINE.add("nobody", NOBODY, WHO, *UNSET, variables(EMAIL=None))
MACHINE.add("a name without an address", NOBODY, WHO, UNSET[1], variables(EMAIL=None))
MACHINE.add("an address without a name", NOBODY, WHO, UNSET[0])
MACHINE.add(
    "a committer without an author",
    NOBODY,
    WHO,
    *UNSET,
    git("config", "committer.name", "Test"),
    git("config", "committer.email", "test@localhost"),
)
SIGN = "repair user.signingKey, gpg.format and the key's "
BAD_GPG = git("config", "gpg.program", "false")
MACHINE.add(
    "commits cannot be signed", "commits are to be signed", SIGN, BAD_GPG, git("config", "commit.gpgSign", "true")
)
MACHINE.add("tags cannot be signed", "tags are to be signed", SIGN, BAD_GPG, git("config", "tag.gpgSign", "true"))
MACHINE.add(
    "annotated tags cannot be signed",
    "tags are to be signed",
    SIGN,
    BAD_GPG,
    git("config", "tag.forceSignAnnotated", "true"),
)
MACHINE.add(
    "nothing can be signed",
    "commits are to be signed",
    SIGN,
    BAD_GPG,
    git("config", "commit.gpgSign", "true"),
    git("config", "tag.gpgSign", "true"),
    also=(("tags are to be signed", SIGN),),
)
MACHINE.add(
    "the signing key is missing",
    "commits are to be signed",
    SIGN,
    git("config", "gpg.format", "ssh"),
    git("config", "user.signingKey", "PLACE/key.pub"),
    git("config", "commit.gpgSign", "true"),
)
MACHINE.add(
    "the signing program is missing",
    "commits are to be signed",
    SIGN,
    git("config", "gpg.program", "PLACE/gpg"),
    git("config", "commit.gpgSign", "true"),
)
SETUP = "remove .venv, then run: make setup"


def locks_another(tool: str) -> Step:
    """Lock a version of a tool that is not installed."""

    def step(place: Place) -> None:
        lines = place.read("requirements/tools.txt").splitlines(keepends=True)
        changed = [f"{tool}==0.0.1 \\\n" if line.startswith(f"{tool}==") else line for line in lines]
        assert changed != lines
        place.write("requirements/tools.txt", "".join(changed))
        place.commit()

    return step


MACHINE.add("a tool is another version", "towncrier==0.0.1", SETUP, locks_another("towncrier"))
MACHINE.add(
    "a tool is missing",
    "no-such-tool==1.0 (none is installed)",
    SETUP,
    append("requirements/tools.txt", "no-such-tool==1.0 \\\n"),
    commit,
)
MACHINE.add(
    "the list of tools is missing",
    "requirements/tools.txt",
    "put it back, and commit",
    remove("requirements/tools.txt"),
    commit,
)
MACHINE.add(
    "git is too old",
    "git 2.20.1 is too old",
    "install git 2.31 or newer",
    program("git", '[ "$*" = version ] && echo git version 2.20.1 || exec REAL "$@"'),
)
MACHINE.add(
    "Rust is too old",
    "Rust 1.70.0 is too old",
    "run: rustup update stable",
    program("rustc", '[ "$*" = --version ] && echo "rustc 1.70.0 (90c541806 2023-05-31)" || exec REAL "$@"'),
)
MACHINE.add(
    "no Rust is chosen",
    "rustc does not run",
    "rustup default",
    program("rustc", "echo error: none >&2; exit 1"),
)
MACHINE.add("Rust is not there", "cargo is not on PATH", "install Rust", only_git)
MACHINE.add("another release runs", "another release is running in this checkout", "wait until it has ended", held_lock)
MACHINE.add(
    "the disk is full",
    "GB free, and a build needs 1000000000 GB",
    "make room, or set TMPDIR",
    own_check("from functools import partial\ncheck_mine = partial(checks.check_disk, needed=10**18)", "check_disk"),
)
MACHINE.add(
    "nobody to ask",
    "there is no terminal to ask at before the push",
    "add YES=1, or DRY_RUN=1",
    arguments=("0.2.0",),
)

# ---- what only this project refuses -------------------------------------------------------------------------------

OWN = Cases()
FRIDAY = """
def check_mine(state: State) -> object:
    \"\"\"It is no Friday.\"\"\"
    from roadworthy.terminal import Problem
    {}
"""
OWN.add(
    "a check of the owner's own",
    "0.2.0 would come out on a Friday",
    "wait for Monday",
    own_check(FRIDAY.format('yield Problem(f"{state.release.text} would come out on a Friday", "wait for Monday")')),
    append("README.md", "More.\n"),
    also=((f"{CHANGED}README.md", COMMIT_OR_STASH),),
)
OWN.add(
    "a check of the owner's own in another place",
    f"{CHANGED}README.md",
    COMMIT_OR_STASH,
    own_check(FRIDAY.format('yield Problem("it is Friday\x1b[31m", "wait for Monday")'), "check_disk"),
    append("README.md", "More.\n"),
    also=(("it is Friday\\x1b[31m", "wait for Monday"),),
)
OWN.add(
    "a check of the owner's own that fails",
    "this could not be judged: It is no Friday. FileNotFoundError:",
    "repair the file that it names",
    own_check(FRIDAY.format('yield Path("calendar").read_text()')),
)

# ---- what only GitHub knows ---------------------------------------------------------------------------------------

GH = """case "$*" in
auth*) exit ${AUTH:-0} ;;
run*) printf %s "$RUNS" ;;
*/environments/*) [ -z "$MISSING" ] || { echo "gh: Not Found (HTTP 404)" >&2; exit 1; }; echo "{}" ;;
*/rules/*) printf %s "$RULES" ;;
esac"""
GREEN = '[{"status": "completed", "conclusion": "success", "url": "https://forge.example/1"}]'


def on_github(place: Place) -> dict[str, str]:
    """Reach the remote by an address like one on GitHub, and put a gh on PATH that answers from variables."""
    script(place.folder / "ssh", f"cd '{place.folder}' && eval \"$2\"")
    (place.folder / "owner").mkdir()
    (place.folder / "owner" / "name.git").symlink_to(place.remote)
    place.git("remote", "set-url", "origin", "git@forge.example:owner/name.git")
    path = program("gh", GH)(place)
    assert isinstance(path, dict)
    return {**path, "GIT_SSH": str(place.folder / "ssh"), "GIT_SSH_VARIANT": "simple", "RUNS": GREEN, "RULES": "[]"}


FORGE = Cases()
FORGE.add(
    "CI was red",
    "ended with failure",
    "repair what it says, or run it again: https://forge.example/1",
    on_github,
    variables(RUNS=GREEN.replace("success", "failure")),
)
FORGE.add(
    "CI was cancelled",
    "ended with cancelled",
    "or run it again",
    on_github,
    variables(RUNS=GREEN.replace("success", "cancelled")),
)
FORGE.add(
    "CI runs",
    "CI still runs on ",
    "wait for it: https://forge.example/1",
    on_github,
    variables(RUNS=GREEN.replace("completed", "in_progress").replace("success", "")),
)
FORGE.add("CI never ran", "CI has not run on ", "push it and wait for CI.yml", on_github, variables(RUNS="[]"))
FORGE.add(
    "no environment to publish from",
    "the environment pypi is missing on GitHub",
    "run: gh api --method PUT repos/owner/name/environments/pypi; and add reviewers",
    on_github,
    variables(MISSING="1"),
)
for rule in ("pull_request", "required_status_checks", "merge_queue"):
    FORGE.add(
        f"branch with the rule {rule}",
        "main takes changes by pull request only",
        "release by one: add VIA=pr",
        on_github,
        variables(RULES=f'[{{"type": "deletion"}}, {{"type": "{rule}"}}]'),
    )
# What cannot be asked is told, and keeps nobody from releasing: the problem is another one.
DIRTY = (f"{UNTRACKED}notes.txt", NAME_OR_REMOVE, on_github, write("notes.txt"))
UNASKED = Cases()
UNASKED.add("gh is not signed in", *DIRTY, variables(AUTH="1"), notes=("gh is not signed in; run: gh auth login",))
UNASKED.add(
    "gh answers nothing",
    *DIRTY,
    variables(RUNS="", RULES=""),
    notes=("not checked: CI's last run of this commit (gh gave no answer)", "not checked: the rules of main (gh gave"),
)
UNASKED.add(
    "gh answers rubbish",
    *DIRTY,
    variables(RUNS="<html>", RULES="<html>"),
    notes=("not checked: CI's last run of this commit (gh gave no answer)", "not checked: the rules of main (gh gave"),
)
UNASKED.add(
    "gh answers other JSON", *DIRTY, variables(RUNS="[{}]", RULES="[1]"), notes=("gh's answer cannot be understood",)
)
UNASKED.add(
    "gh answers an error",
    *DIRTY,
    program("gh", '[ "$1" = auth ] || { echo "HTTP 502" >&2; exit 1; }'),
    notes=("not checked: CI's last run of this commit (HTTP 502)", "not checked: the environment pypi (HTTP 502)"),
)
UNASKED.add(
    "gh does not answer",
    *DIRTY[:2],
    own_check("from functools import partial\ncheck_mine = partial(check_github, limit=0.2)", "check_github"),
    *DIRTY[2:],
    program("gh", '[ "$1" = auth ] || exec sleep 60'),
    notes=("gh does not answer within 0.2 s",),
)


@pytest.mark.parametrize(
    "case", [*CHECKOUT.params, *REMOTE.params, *TAGS.params, *MACHINE.params, *OWN.params, *FORGE.params]
)
def test_a_release_is_refused_and_leaves_everything_as_it_was(place: Place, case: Case) -> None:
    check_refused(place, case)


@pytest.mark.parametrize("case", UNASKED.params)
def test_what_cannot_be_asked_is_no_problem(place: Place, case: Case) -> None:
    check_refused(place, case)


def test_a_release_goes_on_without_gh(place: Place) -> None:
    given = {**environment(), **on_github(place), "AUTH": "1"}
    released = place.release("0.2.0", "--yes", **given)
    assert released.returncode == 0, released.stderr
    assert "gh is not signed in" in released.stderr
    assert {"refs/tags/v0.2.0", "refs/heads/main"} <= set(place.refs())


def test_a_remote_called_checkout_is_one_like_any_other(place: Place) -> None:
    place.git("remote", "rename", "origin", "checkout")
    released = place.release("0.2.0", "--yes", "--remote=checkout")
    assert released.returncode == 0, released.stderr


def test_a_tag_here_is_no_release_on_a_remote_that_is_not_there(place: Place) -> None:
    set_version(place, "0.2.0")
    place.write("CHANGELOG.md", place.read("CHANGELOG.md") + "\n## 0.2.0 (2030-03-17)\n\n- Something.\n")
    place.commit()
    place.git("tag", "v0.2.0")
    refused = place.release("0.2.0", "--yes", "--remote=checkout")
    assert refused.returncode == 1, refused.stdout
    assert "problem: there is no remote checkout; here are: origin\n" in refused.stderr


def test_a_transaction_that_the_server_broke_is_told_as_it_is(place: Place) -> None:
    # git takes the branch and refuses the tag, whatever --atomic says.
    place.git("config", "receive.hideRefs", "refs/tags", cwd=place.remote)
    before = place.refs()
    refused = place.release("0.2.0", "--yes")
    assert refused.returncode == 1, refused.stdout
    assert place.refs()["refs/heads/main"] != before["refs/heads/main"]
    assert "took a part of the push in spite of --atomic; refs/tags/v0.2.0 is not there" in refused.stderr
    place.git("config", "--unset", "receive.hideRefs", cwd=place.remote)
    place.git("pull", "--quiet", "--ff-only")
    finished = place.release("0.2.0", "--yes", "--via=pr")
    assert finished.returncode == 0, finished.stderr
    assert place.refs()["refs/tags/v0.2.0^{}"] == place.refs()["refs/heads/main"]
