"""What is in a folder of artefacts: the files of one release, and the content of its sdist."""

import re
import shutil
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.metadata import parse_email
from packaging.requirements import InvalidRequirement, Requirement
from packaging.tags import Tag
from packaging.utils import canonicalize_name
from packaging.version import Version

from roadworthy.declared import entry_points
from roadworthy.gate.archives import unpack
from roadworthy.gate.check import READING, judge
from roadworthy.gate.model import wheel_tags
from roadworthy.project import PYPROJECT, Project, spelling
from roadworthy.sums import compare_sums, parse_name, read_sums
from roadworthy.tables import find, find_table, parse_toml, read_text
from roadworthy.terminal import Problem, problem, raise_problems

if TYPE_CHECKING:
    from roadworthy.index import Index

# Where pytest looks for its settings, in its order, and the table in which they are, if there has to be one.
SETTINGS = {
    **dict.fromkeys(("pytest.toml", ".pytest.toml", "pytest.ini", ".pytest.ini"), ""),
    PYPROJECT: "[tool.pytest",
    "tox.ini": "[pytest]",
    "setup.cfg": "[tool:pytest]",
}


@dataclass(frozen=True)
class Artefacts:
    """The files of one release in one folder, and the sdist's content."""

    folder: Path
    version: Version
    sdist: Path
    unpacked: Path
    wheels: dict[Path, frozenset[Tag]]

    @classmethod
    def read(cls, project: Project, folder: Path, version: Version, sums: Path | None, unpacked: Path) -> "Artefacts":
        """Look at a folder, and unpack its sdist into the folder `unpacked`.

        ProblemsError where it holds anything but one sdist and wheels of this version, or other bytes than SHA256SUMS.
        """
        if not folder.is_dir():
            raise problem(f"{folder} is no folder", "give another one with FROM=, or run: make build")
        folder, remedy, problems = folder.resolve(), "remove it, or run: make build", []
        sdists, wheels = [], {}
        for path in sorted(folder.iterdir()):
            try:
                name, found, _, tags = parse_name(path.name)
            except ValueError:
                problems.append(Problem(f"{path} is neither a wheel nor an sdist", remedy))
                continue
            if path.suffix == ".whl":
                wheels[path] = tags
            else:
                sdists.append(path)
            if (name, found) != (canonicalize_name(project.name), version):
                what = f"{path} is {name} {found}, and {project.name} {version} is to be verified"
                problems.append(Problem(what, remedy))
        for path in (*sdists, *wheels):
            # Before anything is installed: can it be unpacked everywhere, to the same files, inside?
            rules = ("zip-framing", "unique-members", "safe-members", "one-top-folder")
            found_in_it, _ = judge(path, None, (*READING, (lambda _: (), rules)))
            problems += [Problem(f"{path}: {one.what} [{one.rule}]", one.remedy) for one in found_in_it]
        if len(sdists) != 1 or not wheels:
            what = f"{folder} holds {len(sdists)} sdists and {len(wheels)} wheels, not one sdist and its wheels"
            problems.append(Problem(what, "run: make build"))
        if sums is not None:
            problems += compare_sums([*sdists, *wheels], read_sums(sums), sums)
        raise_problems(problems)
        return cls(folder, version, sdists[0], unpack(sdists[0], unpacked), wheels)

    def installed_wheel(self, content: bytes | str) -> Path | None:
        """Return the wheel whose tags are exactly those in a WHEEL file."""
        return next((path for path, tags in self.wheels.items() if tags == wheel_tags(content)), None)

    @cached_property
    def pyproject(self) -> dict[str, Any]:
        """The content of the sdist's pyproject.toml."""
        return parse_toml("the sdist's pyproject.toml", read_text(self.unpacked, "pyproject.toml"))

    def build_requirements(self) -> list[str]:
        """Return what the build of the sdist requires, as its pyproject.toml has to say."""
        try:
            return [str(Requirement(text)) for text in self.pyproject["build-system"]["requires"]]
        except (LookupError, TypeError, ValueError) as error:
            what = f"the sdist's pyproject.toml does not say what its build requires: {error}"
            raise problem(what, "repair requires in [build-system]") from error

    def entry_points(self) -> set[tuple[str, ...]]:
        """Return group, name and value of each that the sdist's pyproject.toml declares."""
        return entry_points(find_table(self.pyproject, "project"))

    def declared_data(self) -> set[str]:
        """Return what [tool.maturin] data declares beside the package, each relative to where it is installed."""
        folder = find(self.pyproject, "tool", "maturin", "data")
        root = self.unpacked / str(folder)
        found = root.glob("*/**/*") if isinstance(folder, str) else ()
        return {path.relative_to(root).as_posix().split("/", 1)[1] for path in found if path.is_file()}


@dataclass(frozen=True)
class Source:
    """Where the package comes from: a folder of artefacts, or the index that serves them."""

    project: Project
    artefacts: Artefacts
    index: "Index | None" = None
    target: str = ""  # the one whose wheels are offered; "" for all of them, of which an installer chooses
    image: str = ""  # in whose containers they are installed; "" for this machine

    @property
    def arguments(self) -> list[str]:
        """What pip and uv are told so that nothing but this source is used, and only wheels."""
        where = [] if self.index else ["--no-index", "--find-links", str(self.artefacts.folder)]
        return [*where, "--only-binary", ":all:", "--no-deps", f"{self.project.name}=={self.artefacts.version}"]

    @property
    def variables(self) -> dict[str, str]:
        """What they are told in their environment, for an address may hold a password."""
        return {name: self.index.url for name in ("UV_DEFAULT_INDEX", "PIP_INDEX_URL") if self.index}

    def choose(self, wheels: str, folder: Path) -> "Source":
        """Return the source with one target's wheels alone, in a folder below `folder`; of an index, what it is.

        `wheels` is `target`, or `target@image` for containers.
        """
        target, _, image = wheels.partition("@")
        if self.index:
            return replace(self, target=target if image else "", image=image)
        project, here = self.project, self.artefacts
        wanted = [project.wheel_name(python, target, here.version) for python in project.python_tags]
        spelled = set(map(spelling, wanted))
        chosen = {path: tags for path, tags in here.wheels.items() if spelling(path.name) in spelled}
        if len(chosen) != len(wanted):
            what = f"{here.folder} holds {len(chosen)} of the {len(wanted)} wheels for {target}: {', '.join(wanted)}"
            raise problem(what, f"run: make build TARGET={target}")
        offered = folder / f"{target}-{re.sub(r'[^A-Za-z0-9.-]+', '-', image) or 'here'}"
        offered.mkdir(parents=True)
        copies = {Path(shutil.copy(path, offered)): tags for path, tags in chosen.items()}
        return replace(self, artefacts=replace(here, folder=offered, wheels=copies), target=target, image=image)


def pytest_settings(source: Path) -> tuple[str, list[str]]:
    """Return the file of an sdist in which pytest finds its settings, and where its tests are; nothing if that says it.

    It is the first such file there, as in pytest's locate_config, which would go on above that folder.
    """
    texts = {name: read_text(source, name) for name in SETTINGS if (source / name).is_file()}
    chosen = next((name for name, text in texts.items() if SETTINGS[name] in text), PYPROJECT)
    if chosen != PYPROJECT:
        return chosen, [] if "testpaths" in texts[chosen] else ["tests"]
    table = find(parse_toml("the sdist's pyproject.toml", texts.get(chosen, "")), "tool", "pytest")
    found = find(table, "ini_options", "testpaths") or find(table, "testpaths") or ["tests"]
    return chosen, found.split() if isinstance(found, str) else list(map(str, found))


def read_requirements(metadata: bytes, source: str) -> list[str]:
    """Return what a distribution requires, in a form that no installer can take for an option, a file or an address.

    What is required for an extra is there too: its marker leaves it out. `source` is the file that the metadata is of.
    """
    found = []
    remedy = f"Requires-Dist of {source} must name released packages; repair dependencies in pyproject.toml"
    for text in parse_email(metadata)[0].get("requires_dist", []):
        try:
            requirement = Requirement(text)
        except InvalidRequirement as error:
            raise problem(f"{source} requires {text!r}, which is no requirement", remedy) from error
        if requirement.url is not None:
            raise problem(f"{source} requires {text!r}, which is an address", remedy)
        # A name such as a.zip could be a file's.
        requirement.name = canonicalize_name(requirement.name)
        found.append(str(requirement))
    return found
