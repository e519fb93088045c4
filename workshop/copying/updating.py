"""`make template-update`: find what the template has to offer, and let the newest engine bring it.

This file knows the record, the template's address and its refs. Everything else, from the rules to the merge, is done
by the version of the template that is asked for: its own scripts/template.py is started with `update --engine`. That
call is a promise to every copy that was ever made; engine.py describes it.
"""

import logging
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from roadworthy import processes as commands
from roadworthy.exclusive import exclusive
from roadworthy.processes import find_uv
from roadworthy.project import Project
from roadworthy.releasing.state import FAMILIES
from roadworthy.releasing.version import Release
from roadworthy.repository import Repository
from roadworthy.terminal import out, problem, step
from workshop.copying import engine, merging
from workshop.copying.record import Record
from workshop.copying.rules import RECORD

SCRIPT = "scripts/template.py"
# Where what the script of another version imports is locked.
LOCKS = ("setup", "tools", "lint")
# What of the copy's own configuration decides how its template is reached.
OF_NO_USE = ("author", "commit", "gpg", "push", "tag", "user")
REACHING = tuple(family for family in FAMILIES if not family.startswith(OF_NO_USE))
FIXED = (("core.hooksPath", os.devnull), ("gc.auto", "0"), ("core.autocrlf", "false"), ("advice.detachedHead", "false"))
COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
TAGS = "+refs/tags/*:refs/tags/*"
# How many releases are named to who asks for one that there is not.
NAMED = 5


def update(project: Project, given: Mapping[str, str]) -> None:
    """Bring this copy what its template has learned, or say what that would be; `given` is the command line."""
    mode = engine.CHECK if "CHECK" in given else engine.DRY_RUN if "DRY_RUN" in given else engine.MERGE
    copy = project.checkout
    copy.require_checkout()
    merging.require_git(copy)
    record = engine.read_record(copy)
    with exclusive(project.root, "template-update") as folder:
        if mode != engine.CHECK:
            merging.require_clean(copy)
        with step(f"look at the template at {record.address}"):
            template = make_template(copy, folder / "template.git")
            commit = find_commit(template, copy, record, given.get("TO"))
        if commit is None:
            out.print(f"nothing is new: this copy is at {record.label}")
        else:
            hand_over(project, template, commit, mode)


def make_template(copy: Repository, folder: Path) -> Repository:
    """Make the empty repository that the template is fetched into; it is reached as the copy reaches others."""
    merging.make_bare(copy, folder)
    local = copy.ask("config", "--local", "--includes", "--list", "-z").split("\0")
    pairs = [(key, value) for key, _, value in (one.partition("\n") for one in local) if key.startswith(REACHING)]
    return Repository(folder, (*pairs, *FIXED))


def find_commit(template: Repository, copy: Repository, record: Record, wanted: str | None) -> str | None:
    """Fetch the template, and return the commit to update to; None if the copy is there already."""
    # A folder that is named from the copy's own.
    beside, address = copy.folder / record.address, record.address
    if "://" not in address and beside.is_dir():
        address = str(beside.resolve())
    refs = list_refs(template, address)
    ref = choose(refs, wanted, record.address)
    if said := fetch(template, address, ref):
        raise problem(f"the template at {record.address} does not give {ref}: {said}", "take a tag or a branch of it")
    commit = template.ask("rev-parse", "--verify", "FETCH_HEAD^{commit}")
    is_there = template.run("cat-file", "-e", f"{record.commit}^{{commit}}").returncode == 0
    if not is_there and (said := fetch(template, address, record.commit)):
        what = f"the template at {record.address} does not give {record.commit}, from which this copy was made: {said}"
        raise problem(what, f"if it has moved, write its new address into {RECORD}, and commit")
    if commit == record.commit:
        return None
    if template.run("merge-base", "--is-ancestor", commit, record.commit).returncode == 0:
        if wanted is None:
            return None
        what = f"{wanted} of the template is older than {record.label}, to which this copy was updated"
        raise problem(what, "take a newer one; to go back, git revert the commit of the update")
    return commit


def list_refs(template: Repository, address: str) -> dict[str, str]:
    """Return the refs of a repository that is elsewhere."""
    asked = template.run("ls-remote", "--", address)
    if said := why_failed(asked):
        remedy = f"try: git ls-remote {shlex.quote(address)}; if the template has moved, write its address into"
        raise problem(f"the template at {address} cannot be reached: {said}", f"{remedy} {RECORD}")
    return {name: commit for commit, name in (line.split("\t") for line in asked.stdout.splitlines())}


def choose(refs: dict[str, str], wanted: str | None, address: str) -> str:
    """Return the ref, or the commit, to update to; by default the newest release, or else the default branch."""
    releases = sorted(find_releases(refs), key=lambda release: release.version)
    if wanted is None:
        found = f"refs/tags/{releases[-1].tag}" if releases else "HEAD"
        if found not in refs:
            raise problem(f"the template at {address} has no release and no branch", "name a commit of it: TO=")
        return found
    for name in (f"refs/tags/{wanted}", f"refs/heads/{wanted}"):
        if name in refs:
            return name
    if COMMIT.fullmatch(wanted):
        return wanted
    known = ", ".join(release.tag for release in releases[-NAMED:]) or "a branch of it"
    raise problem(f"the template at {address} has no tag or branch {wanted!r}", f"take {known}, or a commit in full")


def find_releases(refs: dict[str, str]) -> Iterator[Release]:
    """Yield the releases that have a tag, without those that only prepare one."""
    for name in refs:
        with suppress(ValueError):
            release = Release.parse(name.removeprefix("refs/tags/v"))
            if not release.is_prerelease:
                yield release


def fetch(template: Repository, address: str, ref: str) -> str:
    """Fetch a ref or a commit, with all before it, and the tags; return why not, or ""."""
    done = template.run("fetch", "--quiet", "--no-auto-maintenance", "--no-tags", "--", address, ref, TAGS)
    return why_failed(done)


def why_failed(done: "subprocess.CompletedProcess[str]") -> str:
    """Return the last line of what a program says that has failed, or "" for one that has not."""
    return (done.stderr.strip().splitlines() or ["it does not say why"])[-1] if done.returncode else ""


def hand_over(project: Project, template: Repository, commit: str, mode: str) -> None:
    """Let the version of the template that is updated to do the update, and end as it ends."""
    new = template.folder.with_name("new")
    template.run("worktree", "add", "--quiet", "--detach", new, commit, check=True)
    if not (new / SCRIPT).exists():
        raise problem(f"{commit[:10]} of the template has no {SCRIPT}, so it cannot update", "take another ref: TO=")
    environment = {**commands.tool_environment(os.environ), "VIRTUAL_ENV": sys.prefix}
    how = [] if mode == engine.MERGE else [f"--{mode}"]
    call = map(str, (new / SCRIPT, "update", "--engine", project.root, template.folder, commit, *how))
    words = [*find_python(new, environment), *call]
    logging.getLogger("commands").debug("%s", shlex.join(words))
    # It speaks for itself, so its output is not caught.
    ended = subprocess.run(words, cwd=project.root, env=environment, check=False)
    if ended.returncode:
        sys.exit(ended.returncode)


def find_python(new: Path, environment: dict[str, str]) -> list[str]:
    """Return the command of a Python that the new version's script starts with: this one, or one with its libraries."""
    here = [sys.executable]
    if not (said := why_not(here, new, environment)):
        return here
    # On top of this environment: what it has already is not fetched.
    libraries = [f"--with-requirements={new / 'requirements' / group}.txt" for group in LOCKS]
    layered = [str(find_uv()), "run", "--quiet", "--no-project", f"--python={sys.executable}", *libraries, "python"]
    if not why_not(layered, new, environment):
        return layered
    what = f"the new version's {SCRIPT} does not start: {said}"
    raise problem(what, "run the same again where the index of packages can be reached")


def why_not(python: list[str], new: Path, environment: dict[str, str]) -> str:
    """Return why the new version's script does not start with a Python, or ""."""
    tried = commands.run(*python, new / SCRIPT, "update", "--engine", "--help", cwd=new, env=environment, check=False)
    return why_failed(tried)
