"""Which files of a template a copy gets, and whose they are then: globs in template.toml.

The rules of a commit are those of its own template.toml, so that an older template is copied by older rules.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from roadworthy.project import require_repository
from roadworthy.repository import Repository
from roadworthy.tables import find, find_table, parse_toml
from roadworthy.terminal import problem
from workshop.copying.names import SPELLING, Names
from workshop.copying.objects import read_file

RECORD = "template.toml"
CLASSES = ("dropped", "seeded", "generated")
MERGED = "merged"


@dataclass(frozen=True)
class Sample:
    """Another package to begin with."""

    folder: str  # with a slash at the end; below it the files have the paths that they get
    without: list[str]  # what it takes the place of, as globs
    crates: list[str]  # those that only the template's own package needs

    def replaces(self, path: str) -> bool:
        """Say whether a file of the template's own package is not wanted beside it."""
        return any(fnmatchcase(path, glob) for glob in self.without)


@dataclass(frozen=True)
class Rules:
    """The rules of one commit of a template."""

    names: Names  # the template's own
    address: str  # where the template says that its repository is
    globs: Mapping[str, list[str]]  # for each class, the paths that are in it; `*` stands for anything, also folders
    packages: Mapping[str, Sample]  # that can be asked for, beside the template's own package

    @classmethod
    def read(cls, repository: Repository, commit: str) -> "Rules":
        """Return the rules of a commit."""
        texts = {name: read_file(repository, commit, name) for name in ("pyproject.toml", RECORD)}
        missing = [name for name, text in texts.items() if text is None]
        if missing:
            what = f"{commit[:10]} in {repository.folder} is no template: it has no {' and no '.join(missing)}"
            raise problem(what, "take a commit of the template that has it")
        project = find_table(parse_toml("pyproject.toml", texts["pyproject.toml"] or ""), "project")
        name = find(project, "name")
        if not isinstance(name, str) or not SPELLING.fullmatch(name):
            what = f"pyproject.toml has the name {name!r} in [project], which a copy cannot have exchanged everywhere"
            raise problem(what, "write it in small letters, digits and hyphens, as Cargo.toml does, and commit")
        if "-" not in name:
            what = f"{name} is a single word, which in these files may mean anything else, so it cannot be exchanged"
            raise problem(what, "copy the template that this project came from, and bring your files into the copy")
        rules: dict[str, Any] = parse_toml(RECORD, texts[RECORD] or "")["rules"]
        globs = {name: [str(glob) for glob in rules[name]] for name in CLASSES}
        packages = {name: Sample(**one) for name, one in rules["packages"].items()}
        return cls(Names(name), require_repository(project), globs, packages)

    @property
    def owner(self) -> str:
        """The owner in the template's address."""
        found = re.search(r"[/:]([^/:]+)/[^/]+$", self.address)
        return found[1] if found else ""

    def class_of(self, path: str) -> str:
        """Return `"dropped"`, `"seeded"`, `"generated"` or `"merged"` for a path, in any copy's spelling.

        Dropped is what only the template itself needs. Seeded is what a copy gets once, to make it its own. Generated
        is what a tool writes anew from the rest. Merged is everything else: an update brings what the template changed.
        """
        return next((name for name in CLASSES if any(fnmatchcase(path, glob) for glob in self.globs[name])), MERGED)
