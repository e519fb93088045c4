"""`make template-update`: bring a copy what has changed in its template, as a merge of two renderings.

This is the workshop of the version that is updated to: scripts/template.py of the copy has fetched and started it.
"""

import os
import re
import signal
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from textwrap import indent

from roadworthy.project import PYPROJECT, Project
from roadworthy.releasing.files import sections
from roadworthy.repository import Repository, exclusive
from roadworthy.tables import find, parse_toml
from roadworthy.terminal import err, out, problem, raise_problems, step
from workshop.copying import merging, objects
from workshop.copying.creating import SETTING, label_of
from workshop.copying.generated import regenerate
from workshop.copying.record import Record
from workshop.copying.rules import RECORD
from workshop.copying.sides import ENGINE_FOLDER, Update, choose

SHOWN = 20


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
        # Where the next update removes it, if this one is killed.
        tempfile.tempdir = str(folder)
        if "CHECK" not in given:
            merging.require_clean(copy)
        new = find_new(template.checkout, old, given)
        if new != old:
            scratch = merging.make_scratch(copy, folder / "scratch.git")
            plan = Update(copy, template.checkout, scratch, old, new, read_version(copy))
            with step(f"merge what has changed from {old.label} to {new.label}"):
                merge = work_out(plan, keep_engine="ENGINE" not in given)
            show(plan, merge)
            require_writable(plan, merge, given)
        if not {"CHECK", "DRY_RUN"} & given.keys():
            if is_folder(given.get("FROM", "")):
                copy.ask("config", SETTING, os.path.realpath(given["FROM"]))
            if new != old:
                write(plan, merge, template)
        if new == old:
            out.print(f"nothing is new: this copy is at {old.label}")


def require_writable(plan: Update, merge: merging.Merge, given: Mapping[str, str]) -> None:
    """Make sure that what was worked out is to be written, and can be."""
    if "CHECK" in given:
        counts = f"{len(merging.list_changes(merge))} files change, {len(merge.conflicts)} have conflicts"
        what = f"the template is at {plan.new.label}, this copy at {plan.old.label}: {counts}"
        raise problem(what, "run: make template-update")
    raise_problems(merging.find_in_the_way(merge))


def write(plan: Update, merge: merging.Merge, template: Project) -> None:
    """Write what was worked out, and say what to do with it."""
    # Ctrl-C does nothing from here on: writing takes moments, and half of the files would be no use.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    again = os.path.relpath(template.root / "scripts" / "template.py", plan.copy.folder)
    python = "python" if os.name == "nt" else "python3"
    err.print(f"writing; if that is ended half way, this says how to go on: {python} {again} update")
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


def read_version(copy: Repository) -> str:
    """Return the version of a copy, as its last commit says."""
    version = find(parse_toml(PYPROJECT, objects.read_file(copy, "HEAD", PYPROJECT) or ""), "project", "version")
    if not isinstance(version, str):
        raise problem(f"the last commit has no version in its {PYPROJECT}", "write it there, and commit")
    return version


def is_folder(address: str) -> bool:
    """Say whether a template is in a folder of this machine, which is nobody else's business."""
    return bool(address) and os.path.isdir(address)  # noqa: PTH112 - an address is no path


def find_new(template: Repository, old: Record, given: Mapping[str, str]) -> Record:
    """Return what is recorded after the update; the old record, if there is nothing new."""
    commit, address = template.ask("rev-parse", "HEAD"), given.get("FROM", "")
    # A password that stands there is not for a file that everybody reads.
    address = old.address if not address or is_folder(address) else re.sub(r"^(https?://)[^/@]*@", r"\1", address)
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
    base, new = (objects.write_tree(plan.scratch, side) for side in choose(plan, keep_engine=keep_engine))
    merge = merging.work_out(plan.copy, plan.scratch, base, new, plan.title)
    plan.notes.extend(f"{path} stays away: the template changed it, and here it is no more" for path in merge.deleted)
    wanted = regenerate(plan, merge)
    return merging.settle(merge, wanted) if wanted else merge


def changelog(plan: Update) -> str:
    """Return what the template says of its changes: new sections of its changelog, or else its commits."""
    texts = (objects.read_file(plan.template, record.commit, "CHANGELOG.md") for record in (plan.old, plan.new))
    before, after = (sections(text or "") for text in texts)
    told = [section for version, section in after.items() if version not in before]
    span = f"{plan.old.commit}..{plan.new.commit}"
    return "\n".join(told) or plan.template.ask("log", f"--max-count={SHOWN}", "--format=- %s", span)


def show(plan: Update, merge: merging.Merge) -> None:
    """Print what the update is, on stdout; the engine in one line."""
    every = merging.list_changes(merge)
    changes = [f"{status}  {path}" for status, path in every if not path.startswith(ENGINE_FOLDER)]
    engine = len(every) - len(changes)
    lines = changes + ([f"M  {ENGINE_FOLDER} ({engine} files)"] if engine else [])
    parts = {
        plan.title: f"{plan.old.commit[:10]} to {plan.new.commit[:10]} of {plan.new.address}",
        "what the template says of it": changelog(plan),
        "changes": "\n".join(lines),
        "conflicts": "\n".join(merge.conflicts) or "none",
        **({"notes": "\n".join(plan.notes)} if plan.notes else {}),
    }
    for title, text in parts.items():
        # As it is: a console would turn tabs into spaces.
        out.write(f"{title}:\n{indent(text.rstrip(), '  ')}\n\n")


def say_next(plan: Update, conflicts: list[str]) -> None:
    """Say what there is, and what to do with it."""
    if conflicts:
        raise problem(f"both sides have changed the same in {', '.join(conflicts)}", merging.SOLVE)
    out.print(
        f"the files are those of {plan.new.label}, merged with yours, and not committed\n"
        "look at it:   git diff --cached; then make test, make lint\n"
        "keep it:      git commit; its message is prepared\n"
        "undo it:      git reset --merge"
    )
