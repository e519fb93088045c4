"""What brings a copy the changes of its template; it is always the one of the version that is updated to.

Every older version starts it as `python scripts/template.py update --engine COPY TEMPLATE COMMIT [--check|--dry-run]`
in a checkout of that version, and this stays so. COPY is the folder of the copy; TEMPLATE is a bare repository with the
template's history, in a folder in which more may be put, and which the caller removes; COMMIT is what to update to.
What else is needed is read from the copy. It prints for people, and ends with 0, or with 1 for problems and conflicts,
and with --check for news.
"""

import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

import tomli

from roadworthy.releasing.files import CHANGELOG, sections
from roadworthy.repository import Repository
from roadworthy.terminal import ProblemsError, out, problem, step
from workshop.copying import merging
from workshop.copying.creating import label_of
from workshop.copying.formatting import format_files
from workshop.copying.locks import merge_locks, relock, write_files
from workshop.copying.record import RULES as ABOVE_RULES
from workshop.copying.record import TABLE, Record
from workshop.copying.rendering import attach, render
from workshop.copying.rules import MERGED, RECORD, Rules
from workshop.copying.trees import LINK, SUBMODULE, Entry, list_tree, read_blobs, read_file, write_blobs, write_tree

LOCK, MANIFEST, PROJECT = "Cargo.lock", "Cargo.toml", "pyproject.toml"
FORMATTED = (".py", ".pyi", ".rs")
SHOWN = 20
Entries = dict[str, Entry]


class Mode(Enum):
    """What is wanted: the merge itself, or only to know what it would be."""

    MERGE = "merge"
    CHECK = "check"
    DRY_RUN = "dry-run"

    @property
    def options(self) -> list[str]:
        """The same on the command line."""
        return [] if self is Mode.MERGE else [f"--{self.value}"]


@dataclass(frozen=True)
class Update:
    """What an update is about: the copy, its template, and two commits of that.

    Attributes:
        copy: The checkout of the copy.
        template: A repository with the template's history.
        scratch: The repository that gets what is made on the way.
        old: Where the copy came from.
        new: The same after the update.
        render: Makes a tree of a commit under the copy's name.
    """

    copy: Repository
    template: Repository
    scratch: Repository
    old: Record
    new: Record
    render: Callable[..., str] = render

    @property
    def title(self) -> str:
        """One line for the log, and for the markers of a conflict."""
        return f"Update the template from {self.old.label} to {self.new.label}"

    def list_head(self) -> Entries:
        """Return what the copy's last commit has."""
        return by_name(list_tree(self.copy, "HEAD"))

    def list_rendered(self, record: Record, version: str) -> Entries:
        """Return all that a commit of the template is under the copy's name, in its present version."""
        return by_name(
            list_tree(self.scratch, self.render(self.template, record.commit, record.answers, version, self.scratch))
        )


@dataclass(frozen=True)
class Sides:
    """Both versions of the template under the copy's name, and which of their files are merged.

    Attributes:
        base: All that the copy once got.
        new: All that a new copy would get.
        merged: The paths that the update is about.
        generated: The paths that a tool writes.
    """

    base: Entries
    new: Entries
    merged: set[str]
    generated: set[str]

    def select(self, entries: Entries) -> list[Entry]:
        """Return what is merged of one side."""
        return [entry for path, entry in entries.items() if path in self.merged]


def by_name(entries: list[Entry]) -> Entries:
    """Return a tree's entries by their paths."""
    return {entry.name: entry for entry in entries}


def read_record(copy: Repository) -> Record:
    """Return where a copy came from, as its last commit says.

    Raises:
        ProblemsError: It does not say so, or not as it was written.
    """
    text = read_file(copy, "HEAD", RECORD)
    if text is None:
        remedy = (
            f"bring it back: git log -- {RECORD} names the commit that removed it; git checkout COMMIT~ -- {RECORD}"
        )
        raise problem(f"the last commit has no {RECORD}, which says where this copy came from", remedy)
    try:
        record = Record.read(text)
    except tomli.TOMLDecodeError as error:
        remedy = f"repair it, and commit; git log --patch -- {RECORD} shows its edits"
        raise problem(f"{RECORD} is no TOML: {error}", remedy) from None
    if record is None:
        raise problem(f"{RECORD} has no table [copy]: this is no copy, but a template", "make a copy: make new NAME=…")
    return record


def read_version(update: Update) -> str:
    """Return the version of a copy, as its last commit says.

    Raises:
        ProblemsError: It does not, or it is not called as its record says.
    """
    try:
        project: dict[str, Any] = tomli.loads(read_file(update.copy, "HEAD", PROJECT) or "")["project"]
        name, version = str(project["name"]), str(project["version"])
    except (tomli.TOMLDecodeError, LookupError) as error:
        what = f"the last commit has no name and version in its {PROJECT}: {error}"
        raise problem(what, "write them there, and commit") from None
    if name != update.old.answers.name:
        what = f"{PROJECT} calls this project {name!r}, and {RECORD} {update.old.answers.name!r}"
        raise problem(what, "write the old name there again, and commit: a copy keeps its name")
    return version


# ---- the sides ------------------------------------------------------------------------------------------------------


def render_sides(update: Update) -> Sides:
    """Render both versions, and find out whose each file is: the rules are those of the version that has it last.

    What a copy gets once is its own from its first change of any such file on. Until then it is the template's sample,
    and goes along as a whole.
    """
    version, head = read_version(update), update.list_head()
    base, new = update.list_rendered(update.old, version), update.list_rendered(update.new, version)
    before, after = (Rules.read(update.template, record.commit) for record in (update.old, update.new))
    classes = {path: (after if path in new else before).class_of(path) for path in {**base, **new}}
    wanted = {MERGED}
    if all(head.get(path) == entry for path, entry in base.items() if classes[path] == "seeded"):
        wanted.add("seeded")
    return Sides(
        attached(update, base, head),
        by_name(
            list_tree(update.scratch, attach(update.scratch, write_tree(update.scratch, new.values()), update.new))
        ),
        {path for path, name in classes.items() if name in wanted},
        {path for path, name in classes.items() if name == "generated"},
    )


def attached(update: Update, base: Entries, head: Entries) -> Entries:
    """Return the base with the record as the copy has it, to the letter, so that it counts as unchanged."""
    texts = read_blobs(update.scratch, (base[RECORD].blob, head[RECORD].blob))
    table = TABLE.search(texts[head[RECORD].blob].decode())
    rules = texts[base[RECORD].blob].decode()
    text = ABOVE_RULES.sub(lambda found: (table[0] if table else "") + found[0], rules, count=1)
    (blob,) = write_blobs(update.scratch, [text.encode()])
    return {**base, RECORD: replace(base[RECORD], blob=blob)}


# ---- what tools make of the merge -----------------------------------------------------------------------------------


@dataclass
class Finish:
    """Files that tools write anew, and what was not possible."""

    wanted: Entries = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def add(self, scratch: Repository, files: Mapping[str, bytes], like: Entries) -> None:
        """Keep contents for some files, whose modes are those of others."""
        blobs = write_blobs(scratch, list(files.values()))
        self.wanted |= {path: replace(like[path], blob=blob) for path, blob in zip(files, blobs, strict=True)}


def regenerate(update: Update, sides: Sides, merge: merging.Merge, finish: Finish) -> None:
    """Write what tools make of the rest: as the template has it, if the copy had it so; the lock by cargo."""
    head = update.list_head()
    for path in sorted(sides.generated & sides.new.keys()):
        base, new, ours = sides.base.get(path), sides.new[path], head.get(path)
        if ours is None and base is None:
            finish.wanted[path] = new
        elif ours is None or base is None:
            continue
        elif path == LOCK:
            lock(update, merge, (base, new, ours), finish)
        elif ours == base:
            finish.wanted[path] = new
        elif base != new:
            finish.notes.append(f"{path} is not only the template's any more: write it anew with the tool that made it")


def lock(update: Update, merge: merging.Merge, sides: tuple[Entry, Entry, Entry], finish: Finish) -> None:
    """Bring Cargo.lock to what the merged manifest needs."""
    repeat = "run: cargo update --workspace"
    if MANIFEST in merge.outcome.stages:
        finish.notes.append(f"{LOCK} is as it was: when {MANIFEST} has no conflict any more, {repeat}")
        return
    blobs = read_blobs(update.scratch, (side.blob for side in sides))
    base, new, ours = (blobs[side.blob].decode() for side in sides)
    entries = list_tree(update.scratch, merge.outcome.tree)
    merged, head = by_name(entries), update.list_head()
    text: str | None = merge_locks(base, new, ours)
    if text != ours or merged.get(MANIFEST) != head.get(MANIFEST):
        folder = update.scratch.folder.with_name("merged")
        write_files(update.scratch, entries, folder)
        text = relock(folder, text or "")
    if text is None:
        finish.notes.append(f"{LOCK} is as it was, because cargo could not write it: {repeat}")
    elif text != ours:
        finish.add(update.scratch, {LOCK: text.encode()}, {LOCK: sides[2]})


def format_merged(update: Update, merge: merging.Merge, finish: Finish) -> None:
    """Format what was merged from both sides, where the copy's own file was formatted too."""
    changed = {path for status, path in merging.list_changes(merge) if status == "M" and path.endswith(FORMATTED)}
    if not changed or PROJECT in merge.outcome.stages:
        return
    files = read_texts(update.scratch, merge.outcome.tree)
    try:
        unformatted = format_files(read_texts(update.scratch, merge.source.head), changed)
        formatted = format_files(files, changed - unformatted.keys())
    except ProblemsError as error:
        finish.notes.append(f"nothing was formatted: {error.problems[0].what}")
        return
    finish.add(update.scratch, formatted, by_name(list_tree(update.scratch, merge.outcome.tree)))


def read_texts(scratch: Repository, tree: str) -> dict[str, bytes]:
    """Return the contents of a tree's files."""
    plain = [entry for entry in list_tree(scratch, tree) if entry.mode not in (LINK, SUBMODULE)]
    blobs = read_blobs(scratch, (entry.blob for entry in plain))
    return {entry.name: blobs[entry.blob] for entry in plain}


# ---- the update -----------------------------------------------------------------------------------------------------


def work_out(update: Update) -> tuple[merging.Merge, list[str]]:
    """Return the merge with all that tools add to it, and notes for people."""
    sides = render_sides(update)
    base, new = (write_tree(update.scratch, sides.select(entries)) for entries in (sides.base, sides.new))
    merge = merging.work_out(update.copy, update.scratch, base, new, update.title)
    finish = Finish(
        notes=[f"{path} stays away: the template changed it, and here it is no more" for path in merge.deleted]
    )
    regenerate(update, sides, merge, finish)
    format_merged(update, merge, finish)
    return (merging.settle(merge, finish.wanted) if finish.wanted else merge), finish.notes


def changelog(update: Update) -> str:
    """Return what the template says of its changes: new sections of its changelog, or else its commits."""
    before, after = (
        sections(read_file(update.template, record.commit, CHANGELOG) or "") for record in (update.old, update.new)
    )
    told = [section for version, section in after.items() if version not in before]
    if told:
        return "\n".join(told)
    span = f"{update.old.commit}..{update.new.commit}"
    return update.template.ask("log", f"--max-count={SHOWN}", "--format=- %s", span)


def show(update: Update, merge: merging.Merge, notes: list[str]) -> None:
    """Print what the update is, on stdout."""
    parts = {
        update.title: f"{update.old.commit[:10]} to {update.new.commit[:10]} of {update.new.address}",
        "what the template says of it": changelog(update),
        "changes": "\n".join(f"{status}  {path}" for status, path in merging.list_changes(merge)),
        "conflicts": "\n".join(merge.conflicts) or "none",
        **({"notes": "\n".join(notes)} if notes else {}),
    }
    for title, text in parts.items():
        # As it is: a console would turn tabs into spaces.
        print(f"{title}:\n{indent(text.rstrip())}\n", flush=True)


def indent(text: str) -> str:
    """Return the text with two spaces before each line."""
    return "\n".join(f"  {line}".rstrip() for line in text.split("\n"))


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Let Ctrl-C wait until the files are written: it takes moments, and half of them would be no use."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def run(copy: Repository, template: Repository, commit: str, mode: Mode) -> None:
    """Update a copy to a commit of its template; the caller has seen to it that it is a newer one.

    Raises:
        ProblemsError: It cannot be done, and nothing has changed; or it is done, and there are conflicts. With
            `Mode.CHECK`: there is something new.
    """
    merging.require_git(copy)
    old = read_record(copy)
    if mode is not Mode.CHECK:
        merging.require_clean(copy)
    new = replace(old, commit=commit, label=label_of(template, commit))
    scratch = merging.make_scratch(copy, template.folder.with_name("scratch"))
    update = Update(copy, template, scratch, old, new)
    with step(f"merge what has changed from {old.label} to {new.label}"):
        merge, notes = work_out(update)
    show(update, merge, notes)
    if mode is Mode.CHECK:
        counts = f"{len(merging.list_changes(merge))} files change, {len(merge.conflicts)} have conflicts"
        what = f"the template is at {new.label}, this copy at {old.label}: {counts}"
        raise problem(what, "run: make template-update")
    if problems := merging.find_in_the_way(merge):
        raise ProblemsError(problems)
    if mode is Mode.MERGE:
        with uninterrupted():
            conflicts_now = merging.carry_out(merge)
        say_next(update, conflicts_now)


def say_next(update: Update, conflicts: list[str]) -> None:
    """Say what there is, and what to do with it.

    Raises:
        ProblemsError: There are conflicts.
    """
    undo = "to undo all of it: git reset --merge"
    if conflicts:
        remedy = f"solve them, git add each, and git commit; {undo}"
        raise problem(f"both sides have changed the same in {', '.join(conflicts)}", remedy)
    out.print(f"the files are those of {update.new.label}, merged with yours, and not committed")
    out.print("look at it:   git diff --cached; then make test, make lint")
    out.print("keep it:      git commit; its message is prepared")
    out.print("undo it:      git reset --merge")
