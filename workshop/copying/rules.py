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
from roadworthy.tables import find_table, parse_toml
from roadworthy.terminal import problem
from workshop.copying.names import SPELLING, Names
from workshop.copying.objects import Files, read_file

RECORD = "template.toml"
CLASSES = ("merged", "generated", "engine")
MERGED, SEEDED = "merged", "seeded"


@dataclass(frozen=True)
class Rules:
    """The rules of one commit of a template."""

    names: Names  # the template's own
    address: str  # where the template says that its repository is
    globs: Mapping[str, list[str]]  # for each class, the paths that are in it; `*` stands for anything, also folders
    sample: str  # the folder of what a copy begins with; a slash at its end

    @classmethod
    def read(cls, repository: Repository, commit: str) -> "Rules":
        """Return the rules of a commit.

        Raises:
            ProblemsError: It is no template.
        """
        texts = {name: read_file(repository, commit, name) for name in ("pyproject.toml", "Cargo.toml", RECORD)}
        found: dict[str, Any] = parse_toml(RECORD, texts[RECORD] or "")
        missing = [name for name, text in texts.items() if text is None]
        if missing or any(name not in found for name in (*CLASSES, "sample")):
            what = f"{commit[:10]} in {repository.folder} is no template"
            why = f"it has no {' and no '.join(missing)}" if missing else f"its {RECORD} has no rules for copies"
            raise problem(f"{what}: {why}", "take a commit of the template that has it")
        project = find_table(parse_toml("pyproject.toml", texts["pyproject.toml"] or ""), "project")
        name = str(project.get("name", ""))
        if not SPELLING.fullmatch(name):
            remedy = "write it in small letters, digits and hyphens, as Cargo.toml does, and commit"
            raise problem(f"pyproject.toml has the name {name!r} in [project], which a copy cannot exchange", remedy)
        globs = {name: [str(glob) for glob in found[name]] for name in CLASSES}
        return cls(Names(name), require_repository(project), globs, str(found["sample"]))

    @property
    def owner(self) -> str:
        """The owner in the template's address."""
        found = re.search(r"[/:]([^/:]+)/[^/]+$", self.address)
        return found[1] if found else ""

    def class_of(self, path: str) -> str:
        """Return `"merged"`, `"generated"`, `"engine"` or, of all else, `"seeded"` for a path of a copy.

        An update merges the first, has the second written by a tool, and replaces the third as one whole; what is
        seeded a copy gets once, to make it its own.
        """
        return next((name for name in CLASSES if any(fnmatchcase(path, glob) for glob in self.globs[name])), SEEDED)

    def select(self, files: Files) -> Files:
        """Return those of a template's files that a copy gets, by their paths there, in the template's spelling."""
        sample = {path.removeprefix(self.sample): file for path, file in files.items() if path.startswith(self.sample)}
        return {path: file for path, file in files.items() if self.class_of(path) != SEEDED} | sample
