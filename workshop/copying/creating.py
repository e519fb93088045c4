"""`make new`: a copy of the commit that is checked out, as a repository of its own; or this very repository, once."""

import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from roadworthy.project import Project
from roadworthy.repository import Repository
from roadworthy.terminal import err, out, problem
from workshop.copying.asking import ask
from workshop.copying.objects import PLAIN, Files, commit_tree, write_files
from workshop.copying.record import Answers, Record
from workshop.copying.rendering import render
from workshop.copying.rules import RECORD, Rules

FIRST_VERSION = "0.1.0"
# The setting of a copy that names its template's folder, as scripts/template.py reads it.
SETTING = "template.folder"
# Nobody's hook has a part in a copy's first commit.
QUIET = (("core.hooksPath", os.devnull), ("advice.detachedHead", "false"))


def new(template: Project, here: Path, given: Mapping[str, str]) -> None:
    """Make a copy, as the command line says under the names that make has: ask, check, build, and say what comes next.

    `here` is the folder in which that was asked for: the template itself, a copy that has fetched it, or any other one.
    """
    source = template.checkout
    source.require_checkout()
    commit, stays = source.ask("rev-parse", "HEAD"), template.root == here.resolve()
    rules = Rules.read(source, commit)
    in_place = stays and "DEST" in given and (here / given["DEST"]).resolve() == template.root
    if in_place:
        require_fresh(template)
    answers = ask(source, commit, rules, given)
    if in_place:
        rename_in_place(template, commit, rules, answers)
        return
    # A project goes beside a project, and into any other folder.
    above = here.parent if (here / RECORD).is_file() else here
    folder = destination(template, here / given["DEST"] if "DEST" in given else above / answers.name)
    record = Record(rules.address, commit, commit, label_of(source, commit), answers)
    if stays:
        warn(source, commit, record.address)
    files, label = render(source, record, FIRST_VERSION), f"{rules.names.kebab} {record.label}"
    create(folder, files, record, label, template.root if stays else None)
    say_next(answers, folder.resolve(), len(files), label)


def label_of(source: Repository, commit: str) -> str:
    """Return what people call a commit: its tag, or the last one before it."""
    return source.run("describe", "--tags", "--always", "--abbrev=10", commit).stdout.strip() or commit[:10]


def destination(template: Project, folder: Path) -> Path:
    """Return the folder of a copy, if one can be made there."""
    remedy = "give another folder, which is not there yet: DEST=…"
    if template.root in folder.resolve().parents:
        raise problem(f"{folder} is inside the repository that is copied", remedy)
    if folder.is_symlink() or (folder.exists() and (not folder.is_dir() or any(folder.iterdir()))):
        raise problem(f"{folder} is there already, and not empty", remedy)
    if not folder.parent.is_dir():
        raise problem(f"there is no folder {folder.parent}", f"make it, or {remedy}")
    return folder


def make_commit(target: Repository, files: Files, answers: Answers, template: str, *parents: str) -> str:
    """Make the commit of a copy and return its name."""
    env = {}
    if target.run("var", "GIT_COMMITTER_IDENT").returncode:
        # Git knows nobody here, so it is the author of the copy who commits.
        who = {"NAME": answers.author, "EMAIL": answers.email or f"{answers.name}@localhost"}
        env = {f"GIT_{role}_{part}": value for role in ("AUTHOR", "COMMITTER") for part, value in who.items()}
    message = f"Make {answers.name} of {template}\n"
    return commit_tree(target, write_files(target, files), message, *parents, env=env)


def create(folder: Path, files: Files, record: Record, template: str, remembered: Path | None) -> None:
    """Make a copy, which is there as a whole or not at all; it finds its template again in a folder of this machine."""
    prefix = f".{record.answers.name}-"
    try:
        scratch = tempfile.TemporaryDirectory(prefix=prefix, dir=folder.parent, ignore_cleanup_errors=True)
    except OSError as error:
        raise problem(f"{folder.parent} cannot be written: {error.strerror}", "give another folder: DEST=…") from None
    with scratch as temporary:
        # A temporary folder is for its owner alone; a project is for whom the umask says.
        (made := Path(temporary, "copy")).mkdir()
        target = Repository(made, QUIET)
        target.ask("init", "--quiet", "--initial-branch=main")
        if remembered:
            # In no file that others get.
            target.ask("config", SETTING, remembered)
        commit = make_commit(target, files, record.answers, template)
        target.ask("update-ref", "refs/heads/main", commit)
        target.ask("reset", "--quiet", "--hard", commit)
        if folder.exists():
            folder.rmdir()
        made.rename(folder)


def warn(source: Repository, commit: str, address: str) -> None:
    """Say what of this checkout is not in the copy, and what an update of it will miss."""
    if changes := source.ask("status", "--porcelain").splitlines():
        err.print(f"note: the commit {commit[:10]} is copied, without {len(changes)} changes that are not committed")
    if source.ask("remote") and not source.ask("branch", "--remotes", "--contains", commit):
        err.print(f"note: {commit[:10]} is not on a remote; make template-update will look for it in {address}")


def say_next(answers: Answers, folder: Path | None, count: int, label: str) -> None:
    """Print what there is, and what to do with it."""
    where, first, push = "this repository", "make test", "git push"
    if folder:
        where, first = str(folder), f"cd {folder} && make test"
        push = f"gh repo create {answers.owner}/{answers.name} --public --source=. --push"
    out.print(
        f"{answers.name} is in {where}: {count} files, version {FIRST_VERSION}, made of {label}\n"
        f"test it:                    {first}\n"
        "rehearse a whole release:   make rehearse\n"
        "write your own package:     src/, python/, tests/, README.md; then make test, make lint\n"
        f"put it on GitHub:           {push}\n"
        "set PyPI and GitHub up:     make doctor"
    )


def require_fresh(project: Project) -> None:
    """Make sure that this is what a forge's "Use this template" makes: one commit, and nothing of one's own."""
    checkout = project.checkout
    commits = int(checkout.ask("rev-list", "--count", "HEAD"))
    if commits > 1:
        what = f"this repository has a history of its own, of {commits} commits, and is not renamed in place"
        raise problem(what, f"make a copy beside it: make new NAME=… DEST={project.root.parent}/…")
    # Nothing may be lost or mixed up.
    if changes := checkout.ask("status", "--porcelain").splitlines():
        shown = ", ".join(line[3:] for line in changes[:3])
        what = f"there are {len(changes)} changes that are not committed: {shown}"
        raise problem(what, "commit them, or put them aside: git stash --include-untracked")


def upstream_commit(address: str, tree: str) -> str:
    """Return the commit of a template that has a tree: a forge's copy has the files, and not the history."""
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


def rename_in_place(project: Project, commit: str, rules: Rules, answers: Answers) -> None:
    """Turn this repository, which is a bare copy of a template's files, into a copy with a name."""
    checkout, old = project.checkout, rules.names
    upstream = upstream_commit(rules.address, checkout.ask("rev-parse", "HEAD^{tree}"))
    record = Record(rules.address, upstream, upstream, upstream[:10], answers)
    files = render(checkout, replace(record, commit=commit), FIRST_VERSION) | {RECORD: (PLAIN, record.write().encode())}
    made = make_commit(checkout, files, answers, old.kebab, commit)
    # What git does not know stays as it is.
    checkout.ask("read-tree", "-m", "-u", "HEAD", made)
    checkout.ask("update-ref", "-m", f"make new NAME={answers.name}", "HEAD", made, commit)
    # What was built under a name that is gone: the library beside the package, and its place in .venv, which the next
    # make makes anew.
    folder, environment = project.root / "python" / old.snake, project.root / ".venv"
    if folder.is_dir() and not checkout.ask("ls-files", "--", str(folder)):
        shutil.rmtree(folder)
    if not environment.is_symlink():
        (environment / "setup.stamp").unlink(missing_ok=True)
    say_next(answers, None, len(files), f"{old.kebab} {record.label}")
