"""What an update compares: of each file, what the copy has had of its template, and what it is to get.

By steps and at once come to the same, because an update at once goes from release to release as well.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, cached_property

from roadworthy.releasing.version import version_of_tag
from roadworthy.repository import Repository
from roadworthy.terminal import problem
from workshop.copying import objects
from workshop.copying.objects import PLAIN, Entries, Entry
from workshop.copying.record import Record
from workshop.copying.rendering import render
from workshop.copying.rules import RECORD, SEEDED, Rules

ENGINE, GENERATED = "engine", "generated"
# Where the engine is.
ENGINE_FOLDER = "roadworthy/"


@dataclass(frozen=True, eq=False)
class Update:
    """What an update is about: the copy, its template, and two commits of that."""

    copy: Repository
    template: Repository
    scratch: Repository  # gets what is made on the way
    old: Record  # where the copy came from
    new: Record  # the same after the update; the sample that it names is the old one
    version: str  # of the copy
    notes: list[str] = field(default_factory=list)  # what is to be said of it

    @property
    def title(self) -> str:
        """One line for the log, and for the markers of a conflict."""
        return f"Update the template from {self.old.label} to {self.new.label}"

    @cached_property
    def head(self) -> Entries:
        """What the copy's last commit has."""
        return objects.list_tree(self.copy, "HEAD")

    @cache  # noqa: B019 - a process has one
    def at(self, commit: str) -> Entries:
        """Return what a copy of a commit has, under this one's name and version, without its record."""
        files = render(self.template, replace(self.new, commit=commit), self.version)
        del files[RECORD]
        return objects.list_tree(self.scratch, objects.write_files(self.scratch, files))

    @cache  # noqa: B019 - as above
    def rules(self, commit: str) -> Rules:
        """Return the rules of a commit."""
        return Rules.read(self.template, commit)

    def seeded(self, commit: str) -> frozenset[str]:
        """Return the paths that a copy of a commit gets once."""
        return frozenset(path for path in self.at(commit) if self.rules(commit).class_of(path) == SEEDED)

    def releases(self, start: str, end: str) -> list[str]:
        """Return the commits after a commit and before another one at which somebody may stop: those of releases."""
        names = "--format=%(refname:strip=2) %(objectname) %(*objectname)"
        tags = (line.split() for line in self.template.ask("for-each-ref", names, "refs/tags").splitlines())
        released = {commit for tag, *commits in tags if version_of_tag(tag) for commit in commits}
        between = self.template.ask("rev-list", "--topo-order", "--reverse", f"{start}..{end}").split()
        return [commit for commit in between if commit in released and commit != end]

    @cached_property
    def had(self) -> "Stage":
        """What the copy has of its template."""
        stage = arrive(self, self.old.sample)
        for commit in (*self.releases(self.old.sample, self.old.commit), self.old.commit):
            stage = follow(self, stage, commit)
        return stage

    @cached_property
    def gets(self) -> "Stage":
        """What it is to have; the sample goes along up to the first version at which its owner has changed it."""
        stage = self.had
        for commit in (*self.releases(self.old.commit, self.new.commit), self.new.commit):
            untouched = all(self.head.get(path) == self.file(self.had, path) for path in stage.given)
            stage = arrive(self, commit, stage.has) if untouched else follow(self, stage, commit)
        return stage

    def file(self, stage: "Stage", path: str) -> Entry | None:
        """Return a file as a stage has it."""
        return self.at(stage.has[path]).get(path) if path in stage.has else None

    def class_of(self, path: str) -> str:
        """Return the class of a path: where the template has it last."""
        last = self.gets.has[path]
        commit = last if path in self.at(last) else self.had.has.get(path, last)
        return self.rules(commit).class_of(path)

    @cached_property
    def changes(self) -> dict[str, tuple[Entry | None, Entry | None]]:
        """By path, what the copy has had of each file that the update is about, and what it is to get."""
        before = self.had.has
        moved = (path for path, commit in self.gets.has.items() if before.get(path) != commit)
        return {path: (self.file(self.had, path), self.file(self.gets, path)) for path in moved}


@dataclass(frozen=True)
class Stage:
    """What a copy has of its template at one version on the way."""

    has: Mapping[str, str]  # by path, the commit whose file it has; one that lacks it has taken it away
    sample: str  # the commit whose sample it has
    given: frozenset[str]  # what it got once, and no version has kept since
    kept: frozenset[str]  # what the template has kept to this version: merged, generated, or the engine


def arrive(update: Update, commit: str, has: Iterable[str] = ()) -> Stage:
    """Return what a copy of a commit has, which may have had something else before."""
    here, given = update.at(commit), update.seeded(commit)
    return Stage(dict.fromkeys({*has, *here}, commit), commit, given, frozenset(here) - given)


def follow(update: Update, stage: Stage, commit: str) -> Stage:
    """Return what a copy has after an update to a version, if it keeps the sample that it has.

    What the template kept, and has no more, goes; what it has, and no longer keeps, stays as it is.
    """
    here = update.at(commit).keys()
    kept = frozenset(here - update.seeded(commit)) | (stage.kept - here)
    return Stage({**stage.has, **dict.fromkeys(kept, commit)}, stage.sample, stage.given - kept, kept)


def choose(update: Update, *, keep_engine: bool) -> tuple[Entries, Entries]:
    """Return both sides of the merge: what the copy has had, and what it gets; only what the update is about."""
    base, new = engine_sides(update, keep=keep_engine)
    for path, (had, gets) in update.changes.items():
        name = update.class_of(path)
        # What tools write is written by tools, or it goes as it came.
        if name == GENERATED and (gets or update.head.get(path) != had):
            continue
        if name != ENGINE:
            base |= {path: had} if had else {}
            new |= {path: gets} if gets else {}
    record = replace(update.new, sample=update.gets.sample).write().encode()
    (blob,) = objects.write_blobs(update.scratch, [record])
    return base | {RECORD: update.head[RECORD]}, new | {RECORD: Entry(PLAIN, blob)}


def engine_sides(update: Update, *, keep: bool) -> tuple[Entries, Entries]:
    """Return the engine of the copy, whatever it is, and the new one, which takes its place as a whole.

    Raises:
        ProblemsError: It is not what the copy got, and is to be kept.
    """
    had, new = (
        {path: entry for path, entry in update.at(commit).items() if update.rules(commit).class_of(path) == ENGINE}
        for commit in (update.old.commit, update.new.commit)
    )
    here = {path: entry for path, entry in update.head.items() if path.startswith(ENGINE_FOLDER)}
    if had == new and keep:
        return {}, {}
    if had and not here:
        update.notes.append(f"{ENGINE_FOLDER} stays away: what is installed in its place is yours to update")
        return {}, {}
    edited = sorted(path for path in {*here, *had} if here.get(path) != had.get(path))
    if edited and keep:
        what = f"{ENGINE_FOLDER} is replaced as a whole, and is not as the template made it: {', '.join(edited)}"
        made = update.copy.ask("log", "--max-count=1", "--format=%h", "--", RECORD)
        back = f"git checkout --no-overlay {made} -- {ENGINE_FOLDER}, and commit; or let that go: ENGINE=theirs"
        raise problem(what, f"bring the change to the template, and put it back here: {back}")
    update.notes.extend(f"{path}: your change goes, because ENGINE=theirs" for path in edited)
    return here, new
