"""`make template-update`: bring a copy what has changed in its template, as a merge of two renderings.

This is the workshop of the version that is updated to: scripts/template.py of the copy has fetched and started it.
"""

import signal
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from textwrap import indent
from urllib.parse import urlsplit

from roadworthy.exclusive import exclusive
from roadworthy.project import Project
from roadworthy.releasing.files import CHANGELOG, sections
from roadworthy.repository import Repository
from roadworthy.tables import find, parse_toml
from roadworthy.terminal import ProblemsError, err, out, problem, step
from workshop.copying import merging, objects
from workshop.copying.creating import FOLDER, label_of
from workshop.copying.locks import CRATES, PINS, relock, relock_tools
from workshop.copying.objects import Entries, Entry
from workshop.copying.record import Record
from workshop.copying.rendering import LOCK, MANIFEST, render
from workshop.copying.rules import MERGED, RECORD, SEEDED, Rules

PROJECT = "pyproject.toml"
SHOWN = 20


@dataclass(frozen=True)
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

    @cached_property
    def rendered(self) -> dict[str, Entries]:
        """By commit of the template, what a copy of it has; see `at`."""
        return {}

    def at(self, commit: str) -> Entries:
        """Return what a copy of a commit has, under this one's name and version."""
        if commit not in self.rendered:
            files = render(self.template, replace(self.new, commit=commit), self.version)
            tree = objects.write_files(self.scratch, files)
            self.rendered[commit] = objects.list_tree(self.scratch, tree)
        return self.rendered[commit]

    @cached_property
    def rules(self) -> dict[str, Rules]:
        """By commit, the rules of each version that matters; see `versions`."""
        return {each: Rules.read(self.template, each) for each in (*self.versions[0], *self.versions[1])}

    @cached_property
    def versions(self) -> tuple[list[str], list[str]]:
        """The versions from the copy's sample to the one it has, and those after it to the new one, the oldest first.

        They are those at which somebody may stop who updates by steps: the releases between those that are recorded.
        """
        old, new = self.old.commit, self.new.commit
        return [self.old.sample, *self.releases(self.old.sample, old), old], [*self.releases(old, new), new]

    def releases(self, start: str, end: str) -> list[str]:
        """Return the commits of the releases that come after a commit and before another one."""
        command = ("log", "--topo-order", "--reverse", "--format=%H %D", "--decorate=full", f"{start}..{end}")
        lines = [line.split(" ", 1) for line in self.template.ask(*command).splitlines()]
        return [commit for commit, refs in lines if commit != end and "refs/tags/v" in refs]

    def last_merged(self, path: str, commits: list[str]) -> str | None:
        """Return the last of some versions, the oldest first, in which a path is merged, or merged away."""
        found, was = None, ""
        for each in commits:
            name = self.rules[each].class_of(path)
            if name == SEEDED and was == MERGED and path not in self.at(each):
                name = MERGED
            if name == MERGED:
                found = each
            was = name
        return found


@dataclass(frozen=True)
class Sides:
    """What the copy once got, and what it is to get: only the paths that the update is about."""

    base: Entries
    new: Entries


def update(project: Project, template: Project, given: Mapping[str, str]) -> None:
    """Bring the copy in a folder to the version of its template that is checked out in another one.

    `given` is the command line: TO, if the version was asked for; FROM, the template's new address; ENGINE=theirs, to
    replace an engine that was edited; CHECK and DRY_RUN, to change nothing.

    Raises:
        ProblemsError: It cannot be done, and nothing has changed; or it is done, and there are conflicts; or there is
            something new, and CHECK asked for no more.
    """
    copy = project.checkout
    copy.require_checkout()
    merging.require_git(copy)
    old = read_record(copy)
    with exclusive(project.root, "template-update") as folder:
        if "CHECK" not in given:
            merging.require_clean(copy)
        new = find_new(copy, template.checkout, old, given)
        if new == old:
            out.print(f"nothing is new: this copy is at {old.label}")
            return
        scratch = merging.make_scratch(copy, folder / "scratch.git")
        plan = Update(copy, template.checkout, scratch, old, new, read_version(copy, old))
        with step(f"merge what has changed from {old.label} to {new.label}"):
            merge = work_out(plan, keep_engine="ENGINE" not in given and "CHECK" not in given)
        show(plan, merge)
        finish(plan, merge, given)


def finish(plan: Update, merge: merging.Merge, given: Mapping[str, str]) -> None:
    """Write what was worked out, unless only asked what that is."""
    if "CHECK" in given:
        counts = f"{len(merging.list_changes(merge))} files change, {len(merge.conflicts)} have conflicts"
        what = f"the template is at {plan.new.label}, this copy at {plan.old.label}: {counts}"
        raise problem(what, "run: make template-update")
    if problems := merging.find_in_the_way(merge):
        raise ProblemsError(problems)
    if "DRY_RUN" in given:
        return
    # Ctrl-C does nothing from here on: writing takes moments, and half of the files would be no use.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    again = Path("target", "template", "scripts", "template.py")
    err.print(f"writing; if that is ended half way, this says how to go on: python3 {again} update")
    say_next(plan, merging.carry_out(merge))


def read_record(copy: Repository) -> Record:
    """Return where a copy came from, as its last commit says."""
    text = objects.read_file(copy, "HEAD", RECORD)
    if text is None:
        what = f"the last commit has no {RECORD}, which says where this copy came from"
        back = f"git log -- {RECORD} names the commit that removed it; git checkout COMMIT~ -- {RECORD}"
        raise problem(what, f"bring it back: {back}")
    record = Record.read(text)
    if record is None:
        what = f"{RECORD} does not say where this copy came from: it is a template, or a copy of an older one"
        raise problem(what, "make a copy: make new NAME=…; of an older one, bring your package into it")
    return record


def read_version(copy: Repository, record: Record) -> str:
    """Return the version of a copy, as its last commit says."""
    table = parse_toml(PROJECT, objects.read_file(copy, "HEAD", PROJECT) or "")
    name, version = (find(table, "project", key) for key in ("name", "version"))
    if not isinstance(version, str):
        raise problem(f"the last commit has no version in its {PROJECT}", "write it there, and commit")
    if name != record.answers.name:
        what = f"{PROJECT} calls this project {name!r}, and {RECORD} {record.answers.name!r}"
        raise problem(what, "write the old name there again, and commit: a copy keeps its name")
    return version


def find_new(copy: Repository, template: Repository, old: Record, given: Mapping[str, str]) -> Record:
    """Return what is recorded after the update; the old record, if there is nothing new."""
    commit, address = template.ask("rev-parse", "HEAD"), old.address
    if moved := given.get("FROM"):
        if (copy.folder / moved).is_dir():
            copy.ask("config", FOLDER, (copy.folder / moved).resolve())
        else:
            # A password that stands there is not for a file that everybody reads.
            parts = urlsplit(moved)
            hidden = parts.scheme in {"http", "https"} and "@" in parts.netloc
            address = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl() if hidden else moved
    for known in (old.commit, old.sample):
        if template.run("cat-file", "-e", f"{known}^{{commit}}").returncode:
            what = f"the template does not have the commit {known}, from which this copy was made"
            raise problem(what, "if it has moved: make template-update FROM=ADDRESS")
    if template.run("merge-base", "--is-ancestor", commit, old.commit).returncode == 0:
        if commit != old.commit and "TO" in given:
            what = f"{given['TO']} of the template is older than {old.label}, to which this copy was updated"
            raise problem(what, "take a newer one; to go back, git revert the commit of the update")
        return replace(old, address=address)
    return replace(old, address=address, commit=commit, label=label_of(template, commit))


def work_out(plan: Update, *, keep_engine: bool) -> merging.Merge:
    """Return the merge with all that tools add to it."""
    sides, scratch = choose_sides(plan, keep_engine=keep_engine), plan.scratch
    base, new = (objects.write_tree(scratch, side) for side in (sides.base, sides.new))
    merge = merging.work_out(plan.copy, scratch, base, new, plan.title)
    plan.notes.extend(f"{path} stays away: the template changed it, and here it is no more" for path in merge.deleted)
    wanted = regenerate(plan, merge)
    return merging.settle(merge, wanted) if wanted else merge


def choose_sides(plan: Update, *, keep_engine: bool) -> Sides:
    """Find out which files the update is about, and what the copy has had of each.

    What is merged comes from the last version on the way that has it merged, and the copy has it from the last version
    before that: whoever updates by steps and whoever does it at once gets the same.
    """
    before, after = plan.versions
    base, new = sample_sides(plan, before)
    for path in {path for each in (plan.old.commit, *after) for path in plan.at(each)} - {RECORD}:
        to = plan.last_merged(path, [plan.old.commit, *after])
        if to in after:
            since = plan.last_merged(path, before) or plan.old.sample
            for side, commit in ((base, since), (new, to)):
                if path in plan.at(commit):
                    side[path] = plan.at(commit)[path]
    old_engine, new_engine = engine_sides(plan, keep=keep_engine)
    record = replace(plan.new, sample=plan.new.commit) if new.keys() & seeded(plan, plan.new.commit) else plan.new
    written = keep(plan.scratch, {RECORD: record.write().encode()}, plan.at(plan.new.commit))
    return Sides({**base, **old_engine, RECORD: plan.head[RECORD]}, {**new, **new_engine, **written})


def seeded(plan: Update, commit: str) -> set[str]:
    """Return the paths that a copy of a commit gets once."""
    return {path for path in plan.at(commit) if path != RECORD and plan.rules[commit].class_of(path) == SEEDED}


def sample_sides(plan: Update, before: list[str]) -> tuple[Entries, Entries]:
    """Return the sample as the copy has it, and the new one, if its owner has changed none of it."""
    had = plan.at(plan.old.sample)
    own = {path for path in seeded(plan, plan.old.sample) if not plan.last_merged(path, before)}
    if any(plan.head.get(path) != had[path] for path in own):
        return {}, {}
    wanted = plan.at(plan.new.commit)
    return {path: had[path] for path in own}, {path: wanted[path] for path in seeded(plan, plan.new.commit)}


def engine_sides(plan: Update, *, keep: bool) -> tuple[Entries, Entries]:
    """Return the engine of the copy, whatever it is, and the new one, which takes its place as a whole.

    Raises:
        ProblemsError: It is not what the copy got, and is to be kept.
    """
    sides = [
        {path: entry for path, entry in plan.at(commit).items() if plan.rules[commit].class_of(path) == "engine"}
        for commit in (plan.old.commit, plan.new.commit)
    ]
    folders = {path.split("/", 1)[0] + "/" for side in sides for path in side}
    here = {path: entry for path, entry in plan.head.items() if path.startswith(tuple(folders))}
    if not here:
        plan.notes.append("roadworthy/ stays away: what is installed in its place is yours to update")
        return {}, {}
    edited = sorted(path for path in {*here, *sides[0]} if here.get(path) != sides[0].get(path))
    if edited and keep:
        what = f"{', '.join(edited[:5])}{' …' if edited[5:] else ''} in roadworthy/ is not as the template made it"
        why = "it is replaced as a whole: bring the change to the template, and put the folder back"
        raise problem(what, f"{why}: git checkout COMMIT -- roadworthy; or let it go: ENGINE=theirs")
    plan.notes.extend(f"{path}: your change goes, because ENGINE=theirs" for path in edited)
    return here, sides[1]


def generated(plan: Update) -> Iterator[tuple[str, Entry | None, Entry, Entry | None]]:
    """Yield each path that tools write, with what the copy got, what a new one gets, and what this one has."""
    base, rules = plan.at(plan.old.commit), plan.rules[plan.new.commit]
    for path, entry in plan.at(plan.new.commit).items():
        if rules.class_of(path) == "generated":
            yield path, base.get(path), entry, plan.head.get(path)


def regenerate(plan: Update, merge: merging.Merge) -> Entries:
    """Return what tools make of the rest: as the template has it, if the copy had it so; never a conflict."""
    wanted: Entries = {}
    merged: dict[str, str] = {}
    for path, base, new, ours in generated(plan):
        if ours == base and path != LOCK:
            wanted[path] = new
        elif ours is None or base is None or (base == new and path != LOCK):
            continue
        else:
            blobs = objects.read_blobs(plan.scratch, (base.blob, new.blob, ours.blob))
            three = (blobs[each.blob].decode() for each in (base, new, ours))
            merged[path] = (CRATES if path == LOCK else PINS).merge(*three)
    like = {path: plan.head[path] for path in merged}
    tree = objects.list_tree(plan.scratch, merge.tree)
    if not merged:
        return wanted
    known = objects.read_blobs(plan.scratch, (each.blob for each in wanted.values()))
    texts = {path: known[each.blob] for path, each in wanted.items()}
    texts |= {path: text.encode() for path, text in merged.items()}
    folder = plan.scratch.folder.with_name("merged")
    objects.export({**objects.read_texts(plan.scratch, merge.tree), **texts}, folder)
    if LOCK in merged:
        moved = tree.get(MANIFEST) != plan.head.get(MANIFEST)
        merged[LOCK] = lock_crates(plan, merge, folder, merged[LOCK], moved=moved)
    if merged.keys() - {LOCK}:
        merged |= lock_tools(plan, merge, folder, {*merged, *wanted} - {LOCK})
    return wanted | keep(plan.scratch, {path: text.encode() for path, text in merged.items()}, {**wanted, **like})


def lock_crates(plan: Update, merge: merging.Merge, folder: Path, text: str, *, moved: bool) -> str:
    """Return Cargo.lock as the merged manifest in a folder needs it."""
    ours = objects.read_file(plan.copy, "HEAD", LOCK) or ""
    repeat = "run: cargo update --workspace"
    if MANIFEST in merge.stages:
        plan.notes.append(f"{LOCK} is as it was: when {MANIFEST} has no conflict any more, {repeat}")
        return ours
    if text == ours and not moved:
        return ours
    relocked = relock(folder, text)
    if relocked is None:
        plan.notes.append(f"{LOCK} is as it was, because cargo could not write it: {repeat}")
    return relocked or ours


def lock_tools(plan: Update, merge: merging.Merge, folder: Path, paths: set[str]) -> dict[str, str]:
    """Return the locks of tools as `make lock` writes them for what was merged in a folder; pins that fit stay."""
    names = ", ".join(sorted(paths))
    if any(path in merge.stages for path in (PROJECT, "Makefile", "requirements/tools.mk")):
        plan.notes.append(f"{names}: the pins of both sides; when nothing has a conflict any more, run: make lock")
    elif said := relock_tools(folder):
        plan.notes.append(f"{names}: the pins of both sides, not resolved ({said}); run: make lock")
    return {path: (folder / path).read_text(encoding="utf-8") for path in paths}


def keep(scratch: Repository, texts: Mapping[str, bytes], like: Entries) -> Entries:
    """Return entries for some contents, with the modes of others."""
    blobs = objects.write_blobs(scratch, list(texts.values()))
    return {path: replace(like[path], blob=blob) for path, blob in zip(texts, blobs, strict=True)}


def changelog(plan: Update) -> str:
    """Return what the template says of its changes: new sections of its changelog, or else its commits."""
    texts = (objects.read_file(plan.template, record.commit, CHANGELOG) for record in (plan.old, plan.new))
    before, after = (sections(text or "") for text in texts)
    told = [section for version, section in after.items() if version not in before]
    span = f"{plan.old.commit}..{plan.new.commit}"
    return "\n".join(told) or plan.template.ask("log", f"--max-count={SHOWN}", "--format=- %s", span)


def show(plan: Update, merge: merging.Merge) -> None:
    """Print what the update is, on stdout; the engine in one line."""
    changes = [(status, path) for status, path in merging.list_changes(merge) if not path.startswith("roadworthy/")]
    engine = len(merging.list_changes(merge)) - len(changes)
    lines = [f"{status}  {path}" for status, path in changes] + ([f"M  roadworthy/ ({engine} files)"] if engine else [])
    parts = {
        plan.title: f"{plan.old.commit[:10]} to {plan.new.commit[:10]} of {plan.new.address}",
        "what the template says of it": changelog(plan),
        "changes": "\n".join(lines),
        "conflicts": "\n".join(merge.conflicts) or "none",
        **({"notes": "\n".join(plan.notes)} if plan.notes else {}),
    }
    for title, text in parts.items():
        # As it is: a console would turn tabs into spaces.
        print(f"{title}:\n{indent(text.rstrip(), '  ')}\n", flush=True)


def say_next(plan: Update, conflicts: list[str]) -> None:
    """Say what there is, and what to do with it."""
    if conflicts:
        remedy = "solve them, git add each, and git commit; to undo all of it: git reset --merge"
        raise problem(f"both sides have changed the same in {', '.join(conflicts)}", remedy)
    out.print(
        f"the files are those of {plan.new.label}, merged with yours, and not committed\n"
        "look at it:   git diff --cached; then make test, make lint\n"
        "keep it:      git commit; its message is prepared\n"
        "undo it:      git reset --merge"
    )
