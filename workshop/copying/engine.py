"""What brings a copy the changes of its template; it is always the one of the version that is updated to.

Every older version starts it as `python scripts/template.py update --engine COPY TEMPLATE COMMIT [--check|--dry-run]`
in a checkout of that version, and this stays so. COPY is the folder of the copy; TEMPLATE is a bare repository with the
template's history, in a folder in which more may be put, and which the caller removes; COMMIT is what to update to.
What else is needed is read from the copy. It prints for people, and ends with 0, or with 1 for problems and conflicts,
and with --check for news.
"""

import argparse
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from textwrap import indent
from typing import Any

import tomli

from roadworthy.releasing.files import CHANGELOG, sections
from roadworthy.repository import Repository
from roadworthy.terminal import ProblemsError, out, problem, step
from workshop.copying import merging, objects
from workshop.copying.creating import label_of
from workshop.copying.formatting import format_files
from workshop.copying.locks import merge_locks, relock
from workshop.copying.objects import Entries, Entry
from workshop.copying.record import Record, table_of, with_table
from workshop.copying.rendering import attach, render
from workshop.copying.rules import MERGED, RECORD, Rules

LOCK, MANIFEST, PROJECT = "Cargo.lock", "Cargo.toml", "pyproject.toml"
FORMATTED = (".py", ".pyi", ".rs")
SHOWN = 20
# What is wanted: the merge itself, or only to know what it would be.
MERGE, CHECK, DRY_RUN = "merge", "check", "dry-run"


def read_call(words: list[str]) -> Callable[[], None]:
    """Return what an older version asks for, by the words after `--engine`."""
    parser = argparse.ArgumentParser(prog="template.py update --engine")
    for name in ("copy", "template"):
        parser.add_argument(name, type=lambda folder: Repository(Path(folder)))
    parser.add_argument("commit")
    modes = parser.add_mutually_exclusive_group()
    for mode in (CHECK, DRY_RUN):
        modes.add_argument(f"--{mode}", dest="mode", action="store_const", const=mode, default=MERGE)
    return partial(run, **vars(parser.parse_args(words)))


@dataclass(frozen=True)
class Update:
    """What an update is about: the copy, its template, and two commits of that."""

    copy: Repository
    template: Repository
    scratch: Repository  # gets what is made on the way
    old: Record  # where the copy came from
    new: Record  # the same after the update
    notes: list[str] = field(default_factory=list)  # what is to be said of it

    @property
    def title(self) -> str:
        """One line for the log, and for the markers of a conflict."""
        return f"Update the template from {self.old.label} to {self.new.label}"

    @cached_property
    def head(self) -> Entries:
        """What the copy's last commit has."""
        return objects.list_tree(self.copy, "HEAD")


@dataclass(frozen=True)
class Sides:
    """Both versions of the template under the copy's name: what it once got, and what a new copy would get."""

    base: Entries
    new: Entries
    merged: set[str]  # the paths that the update is about
    generated: set[str]  # those that a tool writes


def read_record(copy: Repository) -> Record:
    """Return where a copy came from, as its last commit says."""
    text = objects.read_file(copy, "HEAD", RECORD)
    if text is None:
        what = f"the last commit has no {RECORD}, which says where this copy came from"
        back = f"git log -- {RECORD} names the commit that removed it; git checkout COMMIT~ -- {RECORD}"
        raise problem(what, f"bring it back: {back}")
    try:
        record = Record.read(text)
    except tomli.TOMLDecodeError as error:
        remedy = f"repair it, and commit; git log --patch -- {RECORD} shows its edits"
        raise problem(f"{RECORD} is no TOML: {error}", remedy) from None
    if record is None:
        raise problem(f"{RECORD} has no table [copy]: this is no copy, but a template", "make a copy: make new NAME=…")
    return record


def read_version(update: Update) -> str:
    """Return the version of a copy, as its last commit says."""
    try:
        project: dict[str, Any] = tomli.loads(objects.read_file(update.copy, "HEAD", PROJECT) or "")["project"]
        name, version = str(project["name"]), str(project["version"])
    except (tomli.TOMLDecodeError, LookupError) as error:
        what = f"the last commit has no name and version in its {PROJECT}: {error}"
        raise problem(what, "write them there, and commit") from None
    if name != update.old.answers.name:
        what = f"{PROJECT} calls this project {name!r}, and {RECORD} {update.old.answers.name!r}"
        raise problem(what, "write the old name there again, and commit: a copy keeps its name")
    return version


def render_sides(update: Update) -> Sides:
    """Render both versions, and find out whose each file is: the rules are those of the version that has it last.

    What a copy gets once is its own from its first change of any such file on. Until then it is the template's sample,
    and goes along as a whole.
    """
    version, records = read_version(update), (update.old, update.new)
    before, after = (render(update.template, record.commit, record.answers, version) for record in records)
    # The base gets the record as the copy has it, to the letter, so that it counts as unchanged.
    mode, rules = before[RECORD]
    table = table_of(objects.read_file(update.copy, "HEAD", RECORD) or "")
    before |= {RECORD: (mode, with_table(rules.decode(), table).encode())}
    sides = (before, attach(after, update.new))
    base, new = (objects.list_tree(update.scratch, objects.write_files(update.scratch, files)) for files in sides)
    old_rules, new_rules = (Rules.read(update.template, record.commit) for record in records)
    classes = {path: (new_rules if path in new else old_rules).class_of(path) for path in {**base, **new}}
    wanted = {MERGED}
    if all(update.head.get(path) == entry for path, entry in base.items() if classes[path] == "seeded"):
        wanted.add("seeded")
    merged = {path for path, name in classes.items() if name in wanted}
    return Sides(base, new, merged, {path for path, name in classes.items() if name == "generated"})


def regenerate(update: Update, sides: Sides, merge: merging.Merge) -> Entries:
    """Return what tools make of the rest: as the template has it, if the copy had it so; the lock by cargo."""
    wanted: Entries = {}
    for path in sorted(sides.generated & sides.new.keys()):
        base, new, ours = sides.base.get(path), sides.new[path], update.head.get(path)
        if (ours == base and path != LOCK) or (ours is None and base is None):
            wanted[path] = new
        elif ours is None or base is None:
            continue
        elif path == LOCK:
            wanted |= lock(update, merge, (base, new, ours))
        elif base != new:
            update.notes.append(f"{path} is not only the template's any more: write it anew with the tool that made it")
    return wanted


def lock(update: Update, merge: merging.Merge, sides: tuple[Entry, Entry, Entry]) -> Entries:
    """Return Cargo.lock as the merged manifest needs it, if it is another one then."""
    repeat = "run: cargo update --workspace"
    if MANIFEST in merge.stages:
        update.notes.append(f"{LOCK} is as it was: when {MANIFEST} has no conflict any more, {repeat}")
        return {}
    blobs = objects.read_blobs(update.scratch, (side.blob for side in sides))
    base, new, ours = (blobs[side.blob].decode() for side in sides)
    text = merge_locks(base, new, ours)
    if text != ours or objects.list_tree(update.scratch, merge.tree).get(MANIFEST) != update.head.get(MANIFEST):
        folder = update.scratch.folder.with_name("merged")
        objects.export(objects.read_texts(update.scratch, merge.tree), folder)
        relocked = relock(folder, text)
        if relocked is None:
            update.notes.append(f"{LOCK} is as it was, because cargo could not write it: {repeat}")
        text = relocked or ours
    return {} if text == ours else keep(update.scratch, {LOCK: text.encode()}, {LOCK: sides[2]})


def format_merged(update: Update, merge: merging.Merge) -> Entries:
    """Return what was merged from both sides as the formatters have it, where the copy's own file was formatted too."""
    changed = {path for status, path in merging.list_changes(merge) if status == "M" and path.endswith(FORMATTED)}
    if not changed or PROJECT in merge.stages:
        return {}
    try:
        unformatted = format_files(objects.read_texts(update.scratch, merge.source.head), changed)
        formatted = format_files(objects.read_texts(update.scratch, merge.tree), changed - unformatted.keys())
    except ProblemsError as error:
        update.notes.append(f"nothing was formatted: {error.problems[0].what}")
        return {}
    return keep(update.scratch, formatted, objects.list_tree(update.scratch, merge.tree))


def keep(scratch: Repository, texts: Mapping[str, bytes], like: Entries) -> Entries:
    """Return entries for some contents, with the modes of others."""
    blobs = objects.write_blobs(scratch, list(texts.values()))
    return {path: replace(like[path], blob=blob) for path, blob in zip(texts, blobs, strict=True)}


def work_out(update: Update) -> merging.Merge:
    """Return the merge with all that tools add to it."""
    sides, scratch = render_sides(update), update.scratch
    base, new = (
        objects.write_tree(scratch, {path: entry for path, entry in side.items() if path in sides.merged})
        for side in (sides.base, sides.new)
    )
    merge = merging.work_out(update.copy, scratch, base, new, update.title)
    update.notes.extend(f"{path} stays away: the template changed it, and here it is no more" for path in merge.deleted)
    wanted = regenerate(update, sides, merge) | format_merged(update, merge)
    return merging.settle(merge, wanted) if wanted else merge


def changelog(update: Update) -> str:
    """Return what the template says of its changes: new sections of its changelog, or else its commits."""
    texts = (objects.read_file(update.template, record.commit, CHANGELOG) for record in (update.old, update.new))
    before, after = (sections(text or "") for text in texts)
    told = [section for version, section in after.items() if version not in before]
    span = f"{update.old.commit}..{update.new.commit}"
    return "\n".join(told) or update.template.ask("log", f"--max-count={SHOWN}", "--format=- %s", span)


def show(update: Update, merge: merging.Merge) -> None:
    """Print what the update is, on stdout."""
    parts = {
        update.title: f"{update.old.commit[:10]} to {update.new.commit[:10]} of {update.new.address}",
        "what the template says of it": changelog(update),
        "changes": "\n".join(f"{status}  {path}" for status, path in merging.list_changes(merge)),
        "conflicts": "\n".join(merge.conflicts) or "none",
        **({"notes": "\n".join(update.notes)} if update.notes else {}),
    }
    for title, text in parts.items():
        # As it is: a console would turn tabs into spaces.
        print(f"{title}:\n{indent(text.rstrip(), '  ')}\n", flush=True)


def run(copy: Repository, template: Repository, commit: str, mode: str) -> None:
    """Update a copy to a commit of its template; the caller has seen to it that it is a newer one.

    Ends in a problem if it cannot be done, and nothing has changed; or it is done, and there are conflicts; or, only
    asked whether there is anything new, if there is.
    """
    merging.require_git(copy)
    old = read_record(copy)
    if mode != CHECK:
        merging.require_clean(copy)
    new = replace(old, commit=commit, label=label_of(template, commit))
    scratch = merging.make_scratch(copy, template.folder.with_name("scratch"))
    update = Update(copy, template, scratch, old, new)
    with step(f"merge what has changed from {old.label} to {new.label}"):
        merge = work_out(update)
    show(update, merge)
    if mode == CHECK:
        counts = f"{len(merging.list_changes(merge))} files change, {len(merge.conflicts)} have conflicts"
        what = f"the template is at {new.label}, this copy at {old.label}: {counts}"
        raise problem(what, "run: make template-update")
    if problems := merging.find_in_the_way(merge):
        raise ProblemsError(problems)
    if mode == MERGE:
        # Ctrl-C does nothing from here on: writing takes moments, and half of the files would be no use.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        say_next(update, merging.carry_out(merge))


def say_next(update: Update, conflicts: list[str]) -> None:
    """Say what there is, and what to do with it."""
    if conflicts:
        remedy = "solve them, git add each, and git commit; to undo all of it: git reset --merge"
        raise problem(f"both sides have changed the same in {', '.join(conflicts)}", remedy)
    out.print(
        f"the files are those of {update.new.label}, merged with yours, and not committed\n"
        "look at it:   git diff --cached; then make test, make lint\n"
        "keep it:      git commit; its message is prepared\n"
        "undo it:      git reset --merge"
    )
