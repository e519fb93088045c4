"""A three-way merge of a checkout's commit with what has changed between two trees, none of which is in its history.

Everything is worked out in git's objects, in a scratch repository that borrows those of the checkout. Then one git
command brings the working tree and the index to the result, so conflicts are those that every user of git knows.
Nothing here knows what the trees are.
"""

import json
import os
import re
import shlex
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from roadworthy.repository import Repository
from roadworthy.terminal import Problem, problem
from workshop.apart import run_apart
from workshop.copying.objects import Entries, commit_tree, list_tree, write_tree

# `git merge-tree --write-tree` came with this one.
OLDEST_GIT = (2, 38)
JOURNAL = "template-update"
# A merge is wanted to be the same everywhere: a file that was moved gets what changed in it, and what is new in a
# folder that was moved goes along. No hook and no monitor of the checkout has a part in it.
SETTINGS = (
    *("merge.renames=true", "merge.directoryRenames=true", "merge.renameLimit=0", "merge.renormalize=false"),
    *("core.fsmonitor=false", f"core.hooksPath={os.devnull}", "gc.auto=0", "maintenance.auto=false"),
    *("protocol.file.allow=always", "protocol.version=2", "fetch.writeCommitGraph=false", "transfer.fsckObjects=false"),
)
OPTIONS = tuple(part for setting in SETTINGS for part in ("-c", setting))
# The commits that a merge needs have nobody's name, and always the same time, so that the same merge has the same name.
NOBODY = {
    f"GIT_{role}_{key}": value
    for role in ("AUTHOR", "COMMITTER")
    for key, value in (("NAME", "template"), ("EMAIL", "template@localhost"), ("DATE", "1000000000 +0000"))
}
# What is left of a merge, or of something like it, that its user has not ended.
UNDER_WAY = ("MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD", "rebase-merge", "rebase-apply")
DELETED_HERE = {"CONFLICT (modify/delete)", "CONFLICT (rename/delete)"}
# Longer than any disk needs; what writes a working tree had better not be ended.
PATIENCE = 3600.0
SOLVE = "solve them, git add each, and git commit; to undo all of it: git reset --merge"


@dataclass(frozen=True)
class Source:
    """What a merge is worked out from."""

    repository: Repository  # the checkout
    scratch: Repository  # whose objects the merge is made of
    head: str  # the commit of the checkout
    subject: str  # one line that says what is merged


@dataclass(frozen=True)
class Merge:
    """A merge that has been worked out, and not been carried out."""

    source: Source
    base: Entries  # without what was left out; so is `new`
    new: Entries
    ours: str  # the checkout's files, on top of the base; `commit` brings the change, on top of it likewise
    commit: str
    tree: str  # the merged one; where there is a conflict, its files have markers
    # For each path with a conflict, the blob of each side that has it: 1 the base, 2 the checkout, 3 the new.
    stages: Mapping[str, Mapping[int, str]]
    told: Sequence[tuple[str, tuple[str, ...]]]  # each thing that git says: its kind, and the paths that it is about
    deleted: Sequence[str] = ()  # what changed in the template, and stays deleted in the checkout

    @property
    def conflicts(self) -> list[str]:
        """The paths that will have a conflict."""
        return sorted(self.stages)


def require_git(repository: Repository) -> None:
    """Make sure that git can merge without a working tree."""
    said = repository.ask("--version")
    found = re.search(r"(\d+)\.(\d+)", said)
    if not found or (int(found[1]), int(found[2])) < OLDEST_GIT:
        wanted = ".".join(map(str, OLDEST_GIT))
        raise problem(f"{said} is too old to merge without a working tree", f"install git {wanted} or newer")


def make_scratch(repository: Repository, folder: Path) -> Repository:
    """Make a bare repository that has all objects of another one by reference, and gets the new ones."""
    objects = git_path(repository, "objects").resolve()
    kind = repository.ask("rev-parse", "--show-object-format")
    repository.run("init", "--quiet", "--bare", "--template=", f"--object-format={kind}", folder, check=True)
    alternates = folder / "objects" / "info" / "alternates"
    alternates.parent.mkdir(parents=True, exist_ok=True)
    alternates.write_text(f"{objects}\n", encoding="utf-8", newline="\n")
    return Repository(folder)


def read_messages(text: str) -> list[tuple[str, tuple[str, ...]]]:
    """Return the kind and the paths of each message that `git merge-tree -z` prints."""
    words, found, at = text.lstrip("\0").split("\0"), [], 0
    while at < len(words) and words[at].isdigit():
        count = int(words[at])
        paths, kind = words[at + 1 : at + 1 + count], words[at + 1 + count]
        found.append((kind, tuple(paths)))
        at += count + 3
    return found


def find_origins(merge: Merge, path: str) -> set[str]:
    """Return where a path with a conflict was in the base: there, or where it may have been moved from."""
    blob = merge.stages[path].get(1)
    return {path} if path in merge.base else {name for name, entry in merge.base.items() if entry.blob == blob}


def find_deleted(merge: Merge, here: set[str]) -> list[str]:
    """Return the paths that the new tree has changed or moved, and that the checkout, with these paths, has deleted."""
    conflicts: dict[str, set[str]] = defaultdict(set)
    for kind, paths in merge.told:
        for path in paths:
            conflicts[path] |= {kind} if kind.startswith("CONFLICT") else set()
    return [
        path
        for path, sides in merge.stages.items()
        if sides.keys() == {1, 3}
        and conflicts[path] <= DELETED_HERE
        # What is there as something else, such as a link, is not gone.
        and here.isdisjoint(find_origins(merge, path))
    ]


def work_out(repository: Repository, scratch: Repository, base: str, new: str, subject: str) -> Merge:
    """Merge the checkout's commit with what changed between two trees of the scratch repository.

    A file that the checkout no longer has, under any name, stays away, whatever the new tree does with it. The subject
    is one line that says what is merged; it stands at the markers of a conflict.
    """
    head = repository.ask("rev-parse", "--verify", "HEAD^{commit}")
    here = set(list_tree(repository, head))
    source = Source(repository, scratch, head, subject)
    merge = merge_entries(source, list_tree(scratch, base), list_tree(scratch, new))
    while deleted := find_deleted(merge, here):
        kept = {path: entry for path, entry in merge.new.items() if path not in deleted}
        if len(kept) == len(merge.new):
            # Git found it elsewhere, in a folder that was moved: then it stays a conflict.
            break
        # Without its old place too, or git would take the next best new file for it.
        away = {origin for path in deleted for origin in find_origins(merge, path)} - here - kept.keys()
        base_kept = {path: entry for path, entry in merge.base.items() if path not in away}
        merge = replace(merge_entries(source, base_kept, kept), deleted=(*merge.deleted, *deleted))
    return merge


def merge_entries(source: Source, base: Entries, new: Entries) -> Merge:
    """Merge a commit with what changed between two sets of files, in the objects of the scratch repository."""
    scratch = source.scratch
    root = commit_tree(scratch, write_tree(scratch, base), f"before: {source.subject}\n", env=NOBODY)
    theirs = commit_tree(scratch, write_tree(scratch, new), f"{source.subject}\n", root, env=NOBODY)
    head = scratch.ask("rev-parse", f"{source.head}^{{tree}}")
    ours = commit_tree(scratch, head, "the checkout\n", root, env=NOBODY)
    # In the checkout, because its attributes say how its files are merged.
    env = {"GIT_OBJECT_DIRECTORY": str(scratch.folder / "objects")}
    command = (*OPTIONS, "merge-tree", "--write-tree", "-z", "--messages", ours, theirs)
    done = source.repository.run(*command, env=env)
    if done.returncode not in (0, 1):
        done.check_returncode()
    listed, _, messages = done.stdout.partition("\0\0")
    tree, *lines = listed.split("\0")
    stages: dict[str, dict[int, str]] = defaultdict(dict)
    for line in filter(None, lines):
        meta, path = line.split("\t", 1)
        _, blob, stage = meta.split(" ")
        stages[path][int(stage)] = blob
    return Merge(source, base, new, ours, theirs, tree, stages, read_messages(messages))


def settle(merge: Merge, wanted: Entries) -> Merge:
    """Return the merge with some files that it is not about, so that all is written at once; whatever is there goes."""
    current = list_tree(merge.source.scratch, merge.source.head)
    base = merge.base | {path: current[path] for path in wanted if path in current}
    return replace(merge_entries(merge.source, base, merge.new | wanted), deleted=merge.deleted)


def list_changes(merge: Merge) -> list[tuple[str, str]]:
    """Return what the merge changes in the checkout without a conflict: A, D, M, R or T, and the path."""
    command = ("diff-tree", "-r", "-z", "-M", "--name-status", merge.source.head, merge.tree)
    words = iter(merge.source.scratch.ask(*command).split("\0"))
    found = []
    for status in words:
        if status:
            path = next(words)
            if status.startswith("R"):
                path = f"{path} -> {next(words)}"
            found.append((status[0], path))
    return [(status, path) for status, path in found if path.rsplit(" -> ", 1)[-1] not in merge.stages]


def find_in_the_way(merge: Merge) -> list[Problem]:
    """Return a problem for each file that git does not track, and that the merge would replace.

    Git itself refuses that only where the file is not ignored.
    """
    repository = merge.source.repository
    tracked = set(list_tree(merge.source.scratch, merge.source.head))
    folds = repository.run("config", "--type=bool", "core.ignorecase").stdout.strip() == "true"
    known = {path.casefold() for path in tracked} if folds else tracked
    problems = {}
    for path in sorted(list_tree(merge.source.scratch, merge.tree).keys() - tracked):
        for name in (*map(str, reversed(PurePosixPath(path).parents[:-1])), path):
            there = repository.folder / name
            is_folder = name != path and there.is_dir() and not there.is_symlink()
            if os.path.lexists(there) and (name.casefold() if folds else name) not in known and not is_folder:
                what = f"{name} is not tracked by git, and the template now brings a file of that name"
                problems[name] = Problem(what, "move it away, or track and commit it; then run the same again")
    return list(problems.values())


def carry_out(merge: Merge) -> list[str]:
    """Bring the working tree and the index to the result, and return the paths that have a conflict now.

    Raises:
        ProblemsError: Git refuses, and nothing has changed; or it was ended, and there are traces.
    """
    repository = merge.source.repository
    fetch = ("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules")
    repository.run(*OPTIONS, *fetch, merge.source.scratch.folder, merge.commit, check=True)
    # Again: what is changed in this moment would be taken for git's work, if that ends half way.
    require_clean(repository)
    journal = git_path(repository, JOURNAL)
    # All of it or nothing.
    part = journal.with_suffix(".part")
    part.write_text(json.dumps({"head": merge.source.head, "new": list_new(merge)}), encoding="utf-8")
    part.replace(journal)
    # One command, in a group of its own: neither the end of this process nor Ctrl-C ends it half way.
    words = ("git", *OPTIONS, "-c", "advice.mergeConflict=false", "cherry-pick", "--no-commit", merge.commit)
    env = {**repository.environment(), **NOBODY}
    done = run_apart(*words, cwd=repository.folder, env=env, timeout=PATIENCE)
    conflicts = unmerged(repository)
    if done.returncode and not conflicts:
        said = " ".join(done.stdout.split())
        require_uninterrupted(repository, journal, f"; it says: {said}" if said else "")
        raise problem(f"git did not merge: {said}", "remove what it speaks of, and run the same again")
    journal.unlink()
    return conflicts


def list_new(merge: Merge) -> list[str]:
    """Return what will be where nothing was: what is new, or moved, or put beside what it is in conflict with."""
    repository = merge.source.repository
    before, after = (list_tree(merge.source.scratch, tree) for tree in (merge.source.head, merge.tree))
    # What is put beside is called after its side, and cherry-pick has other words for these than merge-tree.
    theirs = f"{repository.ask('rev-parse', '--short', merge.commit)} ({merge.source.subject})".replace("/", "_")
    sides = {f"~{merge.ours}": "~HEAD", f"~{merge.commit}": f"~{theirs}"}
    called = re.compile("|".join(sides))
    names = {called.sub(lambda found: sides[found[0]], path) for path in {*after, *merge.stages}}
    return sorted(names - before.keys())


def unmerged(repository: Repository) -> list[str]:
    """Return the paths that have a conflict in the index."""
    listed = repository.ask("ls-files", "--unmerged", "-z").split("\0")
    return sorted({line.split("\t", 1)[1] for line in listed if line})


def git_path(repository: Repository, name: str) -> Path:
    """Return the path of one of git's own files, such as the journal, which is there while files are written."""
    return repository.folder / repository.ask("rev-parse", "--git-path", name)


def require_clean(repository: Repository) -> None:
    """Make sure that nothing in the working tree or the index differs from the commit."""
    journal = git_path(repository, JOURNAL)
    if journal.exists():
        require_uninterrupted(repository, journal)
    if conflicts := unmerged(repository):
        raise problem(f"there are conflicts in {', '.join(conflicts)}", SOLVE)
    for name in UNDER_WAY:
        if git_path(repository, name).exists():
            raise problem(f"git is in the middle of something: there is a {name}", "end it: git status says how")
    command = (*OPTIONS, "status", "--porcelain", "-z", "--untracked-files=no")
    changed = [line[3:] for line in repository.ask(*command).split("\0") if line]
    if changed:
        listed = ", ".join(changed[:5]) + (f", and {len(changed) - 5} more" if changed[5:] else "")
        raise problem(f"the checkout has changes that are not committed: {listed}", "commit them, or git stash")


def require_uninterrupted(repository: Repository, journal: Path, said: str = "") -> None:
    """Make sure that a git which was ended while it wrote has left nothing behind; then its journal goes."""
    found = json.loads(journal.read_text(encoding="utf-8"))
    lock = git_path(repository, "index.lock")
    # The index is written last: whatever is staged, the working tree was finished before.
    untouched = repository.run("diff-index", "--cached", "--quiet", "HEAD").returncode == 0
    at_head = found.get("head") == repository.ask("rev-parse", "HEAD")
    half = untouched and at_head and repository.ask("status", "--porcelain", "--untracked-files=no")
    tracked = set(repository.ask("ls-files", "-z").split("\0"))
    strays = [
        path for path in found.get("new", ()) if path not in tracked and os.path.lexists(repository.folder / path)
    ]
    if not (lock.exists() or half or (untouched and at_head and strays)):
        journal.unlink()
        return
    steps = [f"remove {lock}"] if lock.exists() else []
    # What git ignores is not spared: nothing was there before.
    clean = ("git", "--literal-pathspecs", "clean", "--quiet", "--force", "-x", "--", *strays)
    steps += ["git reset --quiet --hard", *([shlex.join(clean)] if strays else [])]
    what = "an update was ended while git wrote its files; the commit is as it was, the files are between two"
    raise problem(f"{what}{said}", f"when no git runs here any more: {'; '.join(steps)}; and run the same again")
