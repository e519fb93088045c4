"""Which files an sdist and a wheel should hold: what git tracks, with [tool.maturin] include and exclude."""

import os
import posixpath
import re
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, NamedTuple

from roadworthy.project import PYPROJECT, SOURCE, Project
from roadworthy.repository import LINK, SUBMODULE
from roadworthy.tables import find, find_table
from roadworthy.terminal import Problem

# What a build writes into a wheel's .dist-info folder (PEP 427, PEP 639, PEP 770), by its path in that.
METADATA_FILES = re.compile(
    r"METADATA|WHEEL|RECORD(\.jws|\.p7s)?|entry_points\.txt|licenses/.+|sboms/[^/]+\.(json|xml|spdx)"
)
# By its table in [project], the group of entry points of which installers make commands.
COMMANDS = {"scripts": "console_scripts", "gui-scripts": "gui_scripts"}


class Contents(NamedTuple):
    """What an artefact should hold, by the names in it."""

    files: frozenset[str]
    included: tuple[str, ...] = ()  # patterns: what they fit may be generated, and in no commit
    optional: tuple[str, ...] = ()  # patterns of what a build makes, perhaps not on every system
    executable: frozenset[str] = frozenset()
    allowed: frozenset[str] = frozenset()  # what may be there as well, as a build backend chooses

    @property
    def known(self) -> frozenset[str]:
        """All files that may be there, which are those of the source."""
        return self.files | self.allowed

    def lacking(self, present: Iterable[str]) -> list[str]:
        """Return the files that are not there, and the patterns that nothing fits."""
        names = set(present)
        return sorted({*self.files - names, *(each for each in self.included if not any(fits(n, each) for n in names))})

    def strange(self, present: Iterable[str]) -> list[str]:
        """Return what is there, and nobody has declared."""
        allowed = (*self.included, *self.optional)
        return sorted(name for name in {*present} - self.known if not any(fits(name, each) for each in allowed))


def fits(name: str, pattern: str) -> bool:
    """Say whether a name in an artefact fits a pattern: `*` within a folder, `**` over any of them."""

    def rest_fits(parts: list[str], wanted: list[str]) -> bool:
        if not wanted or not parts:
            return not parts and set(wanted) <= {"**"}
        if wanted[0] == "**":
            return rest_fits(parts, wanted[1:]) or rest_fits(parts[1:], wanted)
        return fnmatchcase(parts[0], wanted[0]) and rest_fits(parts[1:], wanted[1:])

    # From the root, or from the Python source; a wheel has what is below that.
    short = name.removeprefix(f"{SOURCE}/")
    return any(rest_fits(each.split("/"), pattern.split("/")) for each in (short, f"{SOURCE}/{short}", name))


def list_files(project: Project, *options: str) -> list[str]:
    """Return what git lists of a package, from its folder."""
    return project.checkout.ask("-C", project.folder, "ls-files", "-z", *options).split("\0")[:-1]


def list_staged(project: Project) -> dict[str, str]:
    """Return what git tracks of a package, by its path from there: mode, object and stage."""
    return {name: about for about, _, name in (entry.partition("\t") for entry in list_files(project, "--stage"))}


def find_unpackable(project: Project) -> Iterator[Problem]:
    """Find what is to be in the sdist, and is no file that could be, or has a name that not every system takes."""
    packed, tracked = sdist_contents(project).files, set(project.checkout.ask("ls-files", "-z").split("\0"))
    for name, about in sorted(list_staged(project).items()):
        path, (mode, content, _) = project.path(name), about.split()
        # maturin reads all names as UTF-8, also of what it leaves out.
        if re.search(r"[\0-\x1f\x7f\udc80-\udcff]" if name in packed else r"[\udc80-\udcff]", name):
            yield Problem(f"{path} has a name that no sdist can hold", "rename it: git mv; and commit")
        elif name in packed and mode in (LINK, SUBMODULE):
            target = project.checkout.ask("cat-file", "blob", content) if mode == LINK else ""
            there = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
            if there not in tracked or mode == SUBMODULE:
                what = f"a link to {there}, which is no file that git tracks" if target else "a submodule"
                remedy = f'put the files there themselves, or leave it out: exclude = ["/{name}"] in [tool.maturin]'
                yield Problem(f"{path} is {what}, and nothing of that can be in an sdist", remedy)


def sdist_contents(project: Project) -> Contents:
    """Return what the sdist should hold beside PKG-INFO, which maturin adds.

    Without a crate, of what is not the package's modules, the build backend chooses among all that git tracks.
    """
    staged = list_staged(project)
    tracked = set(staged)
    # maturin matches them as git does ignore rules, and with files, not with folders: `/docs/**`.
    if options := [f"--exclude={pattern}" for pattern in patterns(project, "exclude", "sdist")]:
        tracked -= set(list_files(project, "--cached", "--ignored", *options))
    executable = frozenset(name for name, about in staged.items() if about.startswith("100755"))
    if project.package:
        modules = frozenset(name for name in tracked if name.startswith(modules_of(project)))
        return Contents(modules | {PYPROJECT}, executable=executable, allowed=frozenset(tracked))
    return Contents(frozenset(tracked), tuple(patterns(project, "include", "sdist")), executable=executable)


def wheel_contents(project: Project, source: Path, files: Iterable[str]) -> Contents:
    """Return what a wheel should hold beside its native module and .dist-info folder.

    It is built from `source`, a checkout or an unpacked sdist, in which there are these files.
    """
    if project.package:
        packed = {name for name in files if name.startswith(modules_of(project))}
        return Contents(frozenset(posixpath.relpath(name, project.source) for name in packed))
    packed = {name for name in files if name.startswith(f"{SOURCE}/")}
    if options := [f"--exclude={pattern}" for pattern in patterns(project, "exclude", "wheel")]:
        git = project.checkout.ask("rev-parse", "--absolute-git-dir")
        command = (f"--git-dir={git}", f"--work-tree={source}", "-C", source, "ls-files", "-z", "--others", "--ignored")
        # Without an index every file is one of the others.
        env = {"GIT_INDEX_FILE": os.path.join(git, "no-index")}  # noqa: PTH118 - it is not to be there
        found = project.checkout.run(*command, *options, "--", SOURCE, check=True, env=env)
        packed -= set(found.stdout.split("\0"))
    names = frozenset(name.removeprefix(f"{SOURCE}/") for name in packed)
    # Where maturin puts the libraries that the native module needs, and no system is sure to have.
    libraries = (f"{project.file_stem}.libs/*{suffix}" for suffix in (".so*", ".dll"))
    optional = (*libraries, *patterns(project, "include", "wheel", made=True))
    return Contents(names, tuple(patterns(project, "include", "wheel")), optional)


def modules_of(project: Project) -> tuple[str, str]:
    """Return with what the paths of its modules begin: a folder, or a file."""
    where = posixpath.normpath(posixpath.join(project.source, project.import_name))
    return f"{where}/", f"{where}.py"


def patterns(project: Project, key: str, kind: str, *, made: bool = False) -> Iterator[str]:
    """Yield the patterns of `include` or `exclude` for a kind of artefact: those of no format are for all.

    With `made`, those of what a build script makes in its own folder (`from`), as they are in a wheel.
    """
    for entry in find(project.pyproject, "tool", "maturin", key) or ():
        formats = find(entry, "format") or kind
        if kind in ([formats] if isinstance(formats, str) else formats) and made == bool(find(entry, "from")):
            pattern = str(find(entry, "path") or entry)
            yield f"{str(find(entry, 'to')).strip('/')}/{pattern}".lstrip("/") if made else pattern


def entry_points(table: dict[str, Any]) -> set[tuple[str, ...]]:
    """Return group, name and value of each entry point in a table [project]."""
    groups = find_table(table, "entry-points") | {COMMANDS[key]: table[key] for key in COMMANDS.keys() & table.keys()}
    found = [(group, name, text) for group in groups for name, text in find_table(groups, group).items()]
    return {(group, name, str(text).replace(" ", "")) for group, name, text in found}
