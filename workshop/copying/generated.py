"""What tools write from the rest: an update has it written anew, so that there is never a conflict in it."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from workshop.copying import objects
from workshop.copying.locks import CRATES, PINS, relock, relock_tools
from workshop.copying.merging import Merge
from workshop.copying.objects import Entries, Entry
from workshop.copying.rendering import LOCK, MANIFEST
from workshop.copying.sides import GENERATED, Update

# What `make lock` goes by.
LOCKED_BY = {"pyproject.toml", "Makefile", "requirements/tools.mk"}
# Of one file: what the copy got, what a new one gets, and what this one has.
Sides = tuple[Entry | None, Entry | None, Entry | None]


def regenerate(update: Update, merge: Merge) -> Entries:
    """Return what tools make of the merge: as the template has it where the copy had it so, or else by the tool."""
    sides: dict[str, Sides] = {
        path: (base, new, update.head.get(path))
        for path, (base, new) in update.changes.items()
        if update.class_of(path) == GENERATED
    }
    for path, (base, new, ours) in sides.items():
        if base not in (new, ours) and None in (base, new, ours):
            stays = "stays as it is here" if ours else "stays away"
            update.notes.append(f"{path} {stays}: the template {'changed it' if new else 'has it no more'}")
    crates = sides.pop(LOCK, (None, None, None))
    return lock_crates(update, merge, *crates) | lock_tools(update, merge, sides)


def lock_crates(update: Update, merge: Merge, base: Entry | None, new: Entry | None, ours: Entry | None) -> Entries:
    """Return Cargo.lock as the merged manifest needs it, if it is another one then."""
    repeat = "run: cargo update --workspace"
    manifest = objects.list_tree(update.scratch, merge.tree).get(MANIFEST)
    if ours == base and manifest == update.at(update.new.commit).get(MANIFEST):
        return {LOCK: new} if new else {}
    if not base or not new or not ours or (base == new and manifest == update.head.get(MANIFEST)):
        return {}
    if MANIFEST in merge.stages:
        update.notes.append(f"{LOCK} is as it was: when {MANIFEST} has no conflict any more, {repeat}")
        return {}
    relocked = relock(export(update, merge, {}), CRATES.merge(*read(update, base, new, ours)))
    if relocked is None:
        update.notes.append(f"{LOCK} is as it was, because cargo could not write it: {repeat}")
    return keep(update, {LOCK: relocked} if relocked else {}, {LOCK: ours})


def lock_tools(update: Update, merge: Merge, sides: Mapping[str, Sides]) -> Entries:
    """Return the locks of the tools: where both sides have other ones, as `make lock` writes them; pins that fit stay.

    A lock depends on the others, so it is all of them that are locked anew.
    """
    fresh = {path: new for path, (base, new, ours) in sides.items() if new and ours == base}
    both = {path: (b, n, o) for path, (b, n, o) in sides.items() if b and n and o and o != b}
    if not both or all(base == new for base, new, _ in sides.values()):
        return fresh
    texts = {path: PINS.merge(*read(update, *three)) for path, three in both.items()}
    texts |= {path: read(update, new)[0] for path, new in fresh.items()}
    names = ", ".join(sorted(both))
    if LOCKED_BY & merge.stages.keys():
        update.notes.append(f"{names}: the pins of both sides; when nothing has a conflict any more, run: make lock")
    else:
        folder = export(update, merge, texts)
        if said := relock_tools(folder):
            update.notes.append(f"{names}: the pins of both sides, not resolved; run: make lock ({said})")
        else:
            texts = {path: (folder / path).read_text(encoding="utf-8") for path in texts}
    return keep(update, texts, {**fresh, **{path: ours for path, (_, _, ours) in both.items()}})


def read(update: Update, *entries: Entry) -> list[str]:
    """Return the texts of some entries."""
    blobs = objects.read_blobs(update.scratch, (each.blob for each in entries))
    return [blobs[each.blob].decode("utf-8", "replace") for each in entries]


def export(update: Update, merge: Merge, texts: Mapping[str, str]) -> Path:
    """Write the merge into a new folder, with the texts of some files, and return that."""
    made = update.scratch.folder.parent
    folder = made / f"merged-{len(list(made.iterdir()))}"
    changed = {path: text.encode() for path, text in texts.items()}
    objects.export(objects.read_texts(update.scratch, merge.tree) | changed, folder)
    return folder


def keep(update: Update, texts: Mapping[str, str], like: Entries) -> Entries:
    """Return entries for some texts, with the modes of others."""
    blobs = objects.write_blobs(update.scratch, [text.encode() for text in texts.values()])
    return {path: replace(like[path], blob=blob) for path, blob in zip(texts, blobs, strict=True)}
