"""Packages that are not the sample: made as people make them, by a copy and a few edits, and committed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.container import Container
from tomlkit.items import Table

from copies import make_template
from helpers import PROJECT, run
from releases import IDENTITY, Place
from workshop.rehearsing.scratch import share_environment


@dataclass(frozen=True)
class Package:
    """What a package has beside what every copy has; nothing is asked for that is not given.

    `Package(dependencies=["typing-extensions>=4.12"]).make(folder)` returns the place with its checkout.

    Attributes:
        name: What it is called, in the spelling of `make new`.
        metadata: Keys of [project], such as requires-python or description; None takes one out.
        dependencies: What it needs of other Python packages.
        extras: The same by the name of an extra.
        scripts: What each command calls.
        crates: What it needs of other crates, by name: a version, or a table.
        target_crates: The same by target, such as `cfg(unix)`.
        features: Cargo's features; `default` is one of them.
        files: The texts of files by their paths from the root, such as `python/tin_can/words.txt`; what is there
            is replaced.
    """

    name: str = "tin-can"
    metadata: Mapping[str, Any] = field(default_factory=dict)
    dependencies: Sequence[str] = ()
    extras: Mapping[str, Sequence[str]] = field(default_factory=dict)
    scripts: Mapping[str, str] = field(default_factory=dict)
    crates: Mapping[str, Any] = field(default_factory=dict)
    target_crates: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    features: Mapping[str, Sequence[str]] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)

    @property
    def pyproject(self) -> dict[str, Any]:
        """What is edited in pyproject.toml."""
        given = {"dependencies": self.dependencies, "optional-dependencies": self.extras, "scripts": self.scripts}
        return {"project": {**{key: value for key, value in given.items() if value}, **self.metadata}}

    @property
    def cargo(self) -> dict[str, Any]:
        """What is edited in Cargo.toml."""
        targets = {target: {"dependencies": crates} for target, crates in self.target_crates.items()}
        given = {"dependencies": self.crates, "features": self.features, "target": targets}
        return {key: value for key, value in given.items() if value}

    def make(self, folder: Path, *, remote: bool = False) -> Place:
        """Make it in a folder that is new, and commit it.

        Args:
            folder: Gets the checkout, and what it is made from.
            remote: Whether there is a bare repository beside it, to which it is pushed, as its origin.
        """
        folder.mkdir(parents=True)
        place = Place(folder)
        make_template(folder).new(self.name).folder.rename(place.checkout)
        for file, edits in {"pyproject.toml": self.pyproject, "Cargo.toml": self.cargo}.items():
            document = tomlkit.parse(place.read(file))
            edit_table(document, edits)
            place.write(file, tomlkit.dumps(document))
        for path, text in self.files.items():
            place.write(path, text)
        locked = run("cargo", "update", "--workspace", "--quiet", cwd=place.checkout)
        assert locked.returncode == 0, locked.stderr
        share_environment(PROJECT.root / ".venv", place.checkout)
        for key, value in IDENTITY.items():
            place.git("config", key, value)
        place.commit("Make it one's own", push=False)
        if remote:
            add_remote(place)
        return place


def edit_table(table: Container | Table, edits: Mapping[str, Any]) -> None:
    """Write values into TOML, table by table, so that all else stays as it is; None takes a key out."""
    for key, value in edits.items():
        there = table.get(key)
        if value is None:
            table.remove(key)
        elif isinstance(value, Mapping) and isinstance(there, Container | Table):
            edit_table(there, value)
        else:
            table[key] = value


def add_remote(place: Place) -> None:
    """Give a place the remote that releases are pushed to."""
    place.git("init", "--quiet", "--bare", "--initial-branch=main", place.remote)
    place.git("remote", "add", "origin", place.remote)
    place.git("push", "--quiet", "--set-upstream", "origin", "main")
