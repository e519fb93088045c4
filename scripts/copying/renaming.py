"""`make rename`: another name for a copy, in all that is committed, also in its own work. Undone by git."""

import argparse
import re
import shutil
from dataclasses import replace

from console import out, problem
from copying.asking import OWNER
from copying.edits import edit_lock
from copying.names import Names, check, check_taken
from copying.record import Answers, Record
from copying.rendering import Files, Renamer, formatted, read_files, write_files
from copying.rules import RECORD, Rules
from git import CHECKOUT, git, require_checkout
from project import ROOT


def require_clean() -> None:
    """Make sure that nothing is lost or mixed up.

    Raises:
        ProblemsError: There are changes that are not committed.
    """
    changes = git("status", "--porcelain").splitlines()
    if changes:
        shown = ", ".join(line[3:] for line in changes[:3])
        what = f"there are {len(changes)} changes that are not committed: {shown}"
        raise problem(what, "commit them, or put them aside: git stash --include-untracked")


def settle(treeish: str) -> None:
    """Bring what is checked out, and what is staged, to a tree; what git does not know stays as it is."""
    git("read-tree", "-m", "-u", "HEAD", treeish)


def tidy_up(old: Names) -> None:
    """Remove what was built under a name that is gone: the library beside the package, and its place in .venv."""
    folder = ROOT / "python" / old.snake
    if folder.is_dir() and not git("ls-files", "--", str(folder)):
        shutil.rmtree(folder)
    if not (ROOT / ".venv").is_symlink():
        # The next make makes it anew.
        (ROOT / ".venv" / "setup.stamp").unlink(missing_ok=True)


def rename_files(files: Files, rules: Rules, answers: Answers) -> Files:
    """Return all files under another name and owner, formatted, with the lock in its order."""
    renamed, changed = Renamer(rules, answers).files(files)
    mode, lock = renamed["Cargo.lock"]
    version = re.search(rb'(?m)^name = "%s"\nversion = "(.+)"$' % answers.name.encode(), lock)
    edited = edit_lock(lock.decode(), answers, version[1].decode() if version else "")
    return formatted({**renamed, "Cargo.lock": (mode, edited.encode())}, changed)


def rename(arguments: argparse.Namespace) -> None:
    """Rename this copy, and leave the result staged.

    Raises:
        ProblemsError: It is no copy, has changes, or cannot be called so; nothing has been changed.
    """
    require_checkout()
    rules = Rules.read(CHECKOUT, "HEAD")
    files = read_files(CHECKOUT, "HEAD")
    text = files[RECORD][1].decode()
    record = Record.read(text)
    if record is None:
        raise problem("this is no copy, but the template itself", "make a copy: make new NAME=…")
    require_clean()
    answers = replace(record.answers, owner=arguments.owner or rules.owner, name=arguments.name or rules.names.kebab)
    if not OWNER.fullmatch(answers.owner):
        raise problem(f"GitHub has no owner {answers.owner!r}", "give OWNER=, the name of the account or organisation")
    old, new = rules.names, check(answers.name)
    check_taken(new, old, {path: content for path, (_, content) in files.items()})
    if (new.kebab, answers.owner) == (old.kebab, rules.owner):
        raise problem(f"{answers.owner}/{new.kebab} is what it is called already", "give another NAME= or OWNER=")
    renamed = rename_files(files, rules, answers)
    # Where it came from is called what it was.
    renamed[RECORD] = (files[RECORD][0], replace(record, answers=answers).write(text).encode())
    settle(write_files(CHECKOUT, renamed))
    tidy_up(old)
    count = len(git("diff", "--cached", "--name-only").splitlines())
    out.print(f"{old.kebab} is {new.kebab} now, in {count} files; nothing is committed")
    out.print("look at it:  git diff --cached --find-renames")
    out.print("test it:     make test lint")
    out.print("keep it:     git commit")
    out.print("undo it:     git reset --hard")
