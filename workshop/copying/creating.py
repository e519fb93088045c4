"""`make new`: a copy of the commit that is checked out, as a repository of its own; or this very repository, once."""

import argparse
import os
import re
import shutil
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

from roadworthy.project import HERE
from roadworthy.repository import Repository
from roadworthy.terminal import err, out, problem
from workshop.copying.asking import ask
from workshop.copying.names import Names, check_taken
from workshop.copying.record import Answers, Record
from workshop.copying.rendering import attach, read_files, render, select
from workshop.copying.rules import RECORD, Rules
from workshop.copying.trees import list_tree, pipe, read_file

FIRST_VERSION = "0.1.0"
# Nobody's hook has a part in a copy's first commit.
QUIET = (("core.hooksPath", os.devnull), ("advice.detachedHead", "false"))


def address_of(rules: Rules) -> str:
    """Return where a copy will find its template again: this checkout's origin, or what pyproject.toml says."""
    found = HERE.checkout.run("remote", "get-url", "origin")
    address = found.stdout.strip() or rules.address
    parts = urlsplit(address)
    if parts.scheme and "@" in parts.netloc and parts.scheme != "ssh":
        # A password that stands in an address is not for a file that everybody reads.
        address = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    is_folder = not parts.scheme and not re.match(r"[^/]+:", address)
    return str((HERE.root / address).resolve()) if is_folder else address


def label_of(source: Repository, commit: str) -> str:
    """Return what people call a commit: its tag, or the last one before it."""
    return source.run("describe", "--tags", "--always", commit).stdout.strip() or commit[:10]


def destination(wanted: str | None, beside: Path) -> Path:
    """Return the folder of the copy: the one that is wanted, or else one beside the template.

    Raises:
        ProblemsError: Something is there, or it is inside the template.
    """
    folder = beside if wanted is None else Path.cwd() / wanted
    remedy = "give another folder, which is not there yet: DEST=…"
    if HERE.root.resolve() in folder.resolve().parents:
        raise problem(f"{folder} is inside the repository that is copied", remedy)
    if folder.is_symlink() or (folder.exists() and (not folder.is_dir() or any(folder.iterdir()))):
        raise problem(f"{folder} is there already, and not empty", remedy)
    if not folder.parent.is_dir():
        raise problem(f"there is no folder {folder.parent}", f"make it, or {remedy}")
    return folder


def check_contents(answers: Answers, rules: Rules, source: Repository, commit: str) -> None:
    """Make sure that no file of the template needs the name for something else.

    Raises:
        ProblemsError: One does.
    """
    files = select(read_files(source, commit), rules, answers.package)
    check_taken(Names(answers.name), rules.names, {path: content for path, (_, content) in files.items()})


def identity(repository: Repository, answers: Answers) -> dict[str, str]:
    """Return who commits: whom git knows, or the author of the copy."""
    if not repository.run("var", "GIT_COMMITTER_IDENT").returncode:
        return {}
    who = {"NAME": answers.author, "EMAIL": answers.email or f"{answers.name}@localhost"}
    return {f"GIT_{role}_{part}": value for role in ("AUTHOR", "COMMITTER") for part, value in who.items()}


def commit_tree(target: Repository, tree: str, answers: Answers, template: str, *parents: str) -> str:
    """Make the commit of a copy and return its name."""
    message = f"Make {answers.name} of {template}\n"
    above = [word for parent in parents for word in ("-p", parent)]
    environment = identity(target, answers)
    return pipe(target, "commit-tree", tree, *above, data=message.encode(), env=environment).decode().strip()


def build(folder: Path, commit: str, record: Record, rules: Rules) -> int:
    """Make the repository of a copy in a folder, and return how many files it has."""
    target = Repository(folder, QUIET)
    target.ask("init", "--quiet", "--initial-branch=main")
    tree = render(HERE.checkout, commit, record.answers, FIRST_VERSION, target)
    tree = attach(target, tree, record)
    made = commit_tree(target, tree, record.answers, f"{rules.names.kebab} {record.label}")
    target.ask("update-ref", "refs/heads/main", made)
    target.ask("reset", "--quiet", "--hard", made)
    return len(list_tree(target, tree))


def create(folder: Path, commit: str, record: Record, rules: Rules) -> int:
    """Make a copy, which is there as a whole or not at all, and return how many files it has."""
    temporary = Path(tempfile.mkdtemp(prefix=f".{record.answers.name}-", dir=folder.parent))
    try:
        # A temporary folder is for its owner alone; a project is for whom the umask says.
        (made := temporary / "copy").mkdir()
        count = build(made, commit, record, rules)
        if folder.exists():
            folder.rmdir()
        made.rename(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return count


def warn(commit: str, address: str) -> None:
    """Say what of this checkout is not in the copy, and what an update of it will miss."""
    if changes := HERE.checkout.ask("status", "--porcelain").splitlines():
        err.print(f"note: the commit {commit[:10]} is copied, without {len(changes)} changes that are not committed")
    if HERE.checkout.ask("remote") and not HERE.checkout.ask("branch", "--remotes", "--contains", commit):
        err.print(f"note: {commit[:10]} is not on a remote; make template-update will look for it in {address}")


def say_next(answers: Answers, folder: Path | None, count: int, label: str) -> None:
    """Print what there is, and what to do with it."""
    where = "this repository" if folder is None else f"{folder}"
    out.print(f"{answers.name} is in {where}: {count} files, version {FIRST_VERSION}, made of {label}")
    first = "make test" if folder is None else f"cd {folder} && make test"
    push = "git push" if folder is None else f"gh repo create {answers.owner}/{answers.name} --public --source=. --push"
    out.print(f"test it:                    {first}")
    out.print("rehearse a whole release:   make rehearse")
    out.print("write your own package:     src/lib.rs, python/, tests/, README.md; then make test, make lint")
    out.print(f"put it on GitHub:           {push}")
    out.print("set PyPI and GitHub up:     make doctor")


def upstream_commit(address: str, tree: str) -> str:
    """Return the commit of a template that has a tree: a forge's copy has the files, and not the history.

    Raises:
        ProblemsError: The template cannot be reached, or has none.
    """
    with tempfile.TemporaryDirectory(prefix="template-") as folder:
        bare = Repository(Path(folder))
        bare.ask("init", "--quiet", "--bare")
        fetched = bare.run("fetch", "--quiet", "--filter=blob:none", "--tags", address, "+refs/heads/*:refs/heads/*")
        if fetched.returncode:
            said = (fetched.stderr.strip().splitlines() or [""])[-1]
            raise problem(f"the template cannot be asked which commit this is: {said}", "run it again when it can")
        pairs = (line.split() for line in bare.ask("log", "--all", "--format=%H %T").splitlines())
        found = next((commit for commit, its in pairs if its == tree), None)
    if found is None:
        remedy = f"make a copy from a checkout of it: git clone {address}, and make new DEST= there"
        raise problem(f"no commit of {address} has the files that this repository has", remedy)
    return found


def require_fresh(rules: Rules) -> None:
    """Make sure that this is what a forge's "Use this template" makes: one commit, and nothing of one's own.

    Raises:
        ProblemsError: It is not.
    """
    if Record.read(read_file(HERE.checkout, "HEAD", RECORD) or "") is not None:
        remedy = "it keeps its name; for another one, make a copy beside it: make new NAME=… DEST=…"
        raise problem(f"this is a copy already, called {rules.names.kebab}", remedy)
    commits = int(HERE.checkout.ask("rev-list", "--count", "HEAD"))
    if commits > 1:
        what = f"this repository has a history of its own, of {commits} commits, and is not renamed in place"
        raise problem(what, f"make a copy beside it: make new NAME=… DEST={HERE.root.parent}/…")
    require_clean()


def require_clean() -> None:
    """Make sure that nothing is lost or mixed up.

    Raises:
        ProblemsError: There are changes that are not committed.
    """
    changes = HERE.checkout.ask("status", "--porcelain").splitlines()
    if changes:
        shown = ", ".join(line[3:] for line in changes[:3])
        what = f"there are {len(changes)} changes that are not committed: {shown}"
        raise problem(what, "commit them, or put them aside: git stash --include-untracked")


def settle(treeish: str) -> None:
    """Bring what is checked out, and what is staged, to a tree; what git does not know stays as it is."""
    HERE.checkout.ask("read-tree", "-m", "-u", "HEAD", treeish)


def tidy_up(old: Names) -> None:
    """Remove what was built under a name that is gone: the library beside the package, and its place in .venv."""
    folder = HERE.root / "python" / old.snake
    if folder.is_dir() and not HERE.checkout.ask("ls-files", "--", str(folder)):
        shutil.rmtree(folder)
    if not (HERE.root / ".venv").is_symlink():
        # The next make makes it anew.
        (HERE.root / ".venv" / "setup.stamp").unlink(missing_ok=True)


def rename_in_place(arguments: argparse.Namespace, commit: str, rules: Rules) -> None:
    """Turn this repository, which is a bare copy of a template's files, into a copy with a name."""
    require_fresh(rules)
    answers = ask(HERE.checkout, commit, rules, vars(arguments))
    check_contents(answers, rules, HERE.checkout, commit)
    upstream = upstream_commit(rules.address, HERE.checkout.ask("rev-parse", "HEAD^{tree}"))
    record = Record(rules.address, upstream, upstream[:10], answers)
    tree = attach(HERE.checkout, render(HERE.checkout, commit, answers, FIRST_VERSION, HERE.checkout), record)
    made = commit_tree(HERE.checkout, tree, answers, rules.names.kebab, commit)
    settle(made)
    HERE.checkout.ask("update-ref", "-m", f"make new NAME={answers.name}", "HEAD", made, commit)
    tidy_up(rules.names)
    say_next(answers, None, len(list_tree(HERE.checkout, tree)), f"{rules.names.kebab} {record.label}")


def new(arguments: argparse.Namespace) -> None:
    """Make a copy: ask, check, build, and say what comes next.

    Raises:
        ProblemsError: The copy cannot be made as asked for; nothing has been changed.
    """
    HERE.checkout.require_checkout()
    commit = HERE.checkout.ask("rev-parse", "HEAD")
    rules = Rules.read(HERE.checkout, commit)
    if arguments.dest is not None and Path(arguments.dest).resolve() == HERE.root.resolve():
        rename_in_place(arguments, commit, rules)
        return
    answers = ask(HERE.checkout, commit, rules, vars(arguments))
    folder = destination(arguments.dest, Path(arguments.beside, answers.name))
    check_contents(answers, rules, HERE.checkout, commit)
    record = Record(address_of(rules), commit, label_of(HERE.checkout, commit), answers)
    warn(commit, record.address)
    count = create(folder, commit, record, rules)
    say_next(answers, folder, count, f"{rules.names.kebab} {record.label}")
