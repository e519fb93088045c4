"""Rules about what one release says of itself: its files say the same, and what pyproject.toml declares."""

import posixpath
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from email.header import decode_header, make_header
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

from packaging.licenses import canonicalize_license_expression
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from roadworthy.declared import entry_points
from roadworthy.gate.archives import MOST_FIELDS
from roadworthy.gate.model import Artefact, rule
from roadworthy.gate.pypi import read_entry_points
from roadworthy.tables import find, find_table

Told = dict[str, Any]  # what is said, by the names of packaging's fields, and which entry points there are
# Where [project] says what is in a field as it stands (PEP 621).
DECLARED = {field: field for field in ("name", "version", "keywords", "classifiers")}
DECLARED |= {"summary": "description", "requires_python": "requires-python", "project_urls": "urls"}
DECLARED |= {"requires_dist": "dependencies", "provides_extra": "optional-dependencies"}
PEOPLE = {"authors": "author", "maintainers": "maintainer"}  # which are in two fields, and spelled in several ways
KINDS = {".md": "text/markdown", ".rst": "text/x-rst"}  # what a README is by its name (PEP 621)
# From this version of the metadata on, an sdist lists what a wheel that is built from it may say otherwise (PEP 643).
# One later, names of extras are unique, normalised (PEP 685).
FIRST_BINDING, FIRST_UNIQUE = Version("2.2"), Version("2.3")
PYTHONS = (*(f"3.{minor}" for minor in reversed(range(40))), "2.7")  # what most allow comes first
MOST_SPECIFIERS = 50  # that are compared, each with each, in one requirement
# What is of one file and not of the release.
OWN = {"metadata_version", "dynamic", "license_files", "platforms", "supported_platforms"}


def requirement(text: str) -> str:
    """Return what a requirement means: the parts of its marker may stand in any order, and in more brackets."""
    found = Requirement(text)
    marker = re.split(r"\s+and\s+|\s+or\s+|[()]", str(found.marker or ""))
    parts = (canonicalize_name(found.name), sorted(map(canonicalize_name, found.extras)), str(found.specifier))
    return str((*parts, found.url, sorted({condition(each) for each in map(str.strip, marker) if each})))


@cache
def condition(text: str) -> str:
    """Return what a part of a marker means: of one for versions of Python, which of them it is true for."""
    if not text.startswith(("python_version", "python_full_version")):
        return text
    every = [{"python_version": f"3.{minor}", "python_full_version": f"3.{minor}.0"} for minor in range(40)]
    return str([Marker(text).evaluate(each) for each in every])


FORMS: dict[str, Callable[[str], str]] = {
    "name": canonicalize_name,
    "version": lambda text: str(Version(text)),
    "requires_python": lambda text: str(SpecifierSet(text)),
    "license_expression": canonicalize_license_expression,
    "requires_dist": requirement,
    "provides_extra": canonicalize_name,
    # Of a label only letters and digits count (PEP 753); of the kind of description, what is not the default (PEP 566).
    "project_urls": lambda text: re.sub(r"^[^,]*", lambda label: re.sub(r"\W|_", "", label[0]).lower(), text),
    "description_content_type": lambda text: re.sub(r"; *(charset=utf-8|variant=gfm)", "", text.lower()),
}


def texts(value: Any) -> list[str]:  # noqa: ANN401 - a text, or a list or table of them
    """Return what stands in a field, one by one."""
    if isinstance(value, dict):
        return [f"{label}, {address}" for label, address in value.items()]
    # A field that is there and empty says nothing: maturin writes `keywords = []` so.
    return list(filter(None, map(str, value if isinstance(value, (list, set)) else [value or ""])))


def parts(field: str, value: Any) -> dict[str, str]:  # noqa: ANN401 - as above
    """Return what stands in a field, each by what it means: blanks, order and spelling may differ."""
    form: Callable[[str], str] = FORMS.get(field, lambda text: " ".join(text.split()))
    found = {}
    for text in texts(value):
        try:
            found[form(text)] = text
        except ValueError:
            found[text] = text
    return found


def differences(found: Told, expected: Told, fields: set[str], source: str) -> Iterator[str]:
    """Find those of some fields that do not mean the same."""
    for field in sorted(fields):
        one, two = (parts(field, told.get(field)) for told in (found, expected))
        if one.keys() != two.keys():
            sides = [", ".join(x[key] for key in sorted(x.keys() - y.keys())) for x, y in ((one, two), (two, one))]
            same = next((place for place, (x, y) in enumerate(zip(*sides, strict=False)) if x != y), 0)
            shown = [repr(side[max(0, same - 20) :][:200]) if side else "nothing" for side in sides]
            yield f"its {field.replace('_', '-')} has {shown[0]}, and {source} {shown[1]}"


def people(fields: Iterable[object]) -> list[str]:
    """Return the names and addresses in some fields, one by one: where commas and quotes stand, tools do not agree."""
    decoded = (str(make_header(decode_header(str(field or "")))) for field in fields)
    return [text.strip() for field in decoded for text in re.split(r'[,<>"\\]', field) if text.strip()]


def tell(artefact: Artefact) -> Told:
    """Return what an artefact says in its metadata, and which entry points it has or, an sdist, declares."""
    found: Told = {**artefact.fields}
    points = {"entry-points": read_entry_points(artefact) or {}}
    table = points if artefact.is_wheel else find_table(artefact.pyproject, "project")
    if not table or {"scripts", "gui-scripts", "entry-points"} & set(texts(table.get("dynamic"))):
        found["dynamic"] = [*found.get("dynamic", ()), "entry-points"]
    return {**found, "entry_points": {f"{group}: {name}={value}" for group, name, value in entry_points(table)}}


@rule("sdist")
def declared_metadata(artefact: Artefact) -> Iterator[str]:
    """Find what PKG-INFO says otherwise than the pyproject.toml beside it, and why nobody could build it."""
    if artefact.top and not {f"{artefact.top}/{name}" for name in ("pyproject.toml", "setup.py")} & artefact.names:
        yield "there is neither pyproject.toml nor setup.py, so nobody can build it"
    # What keeps everybody from calling the build backend (PEP 517, PEP 518).
    system = find_table(artefact.pyproject, "build-system")
    for text in texts(system.get("requires")):
        try:
            Requirement(text)
        except ValueError:
            yield f"[build-system] requires {text!r}, which is no requirement"
    for folder in texts(system.get("backend-path")):
        place = f"{posixpath.normpath(f'{artefact.top}/{folder}')}/"
        if not any(name.startswith(place) and place.startswith(f"{artefact.top}/") for name in artefact.files):
            yield f"[build-system] has the backend-path {folder!r}, which is not in it"
    if (table := find_table(artefact.pyproject, "project")) and artefact.metadata is not None:
        page: Told = {}
        if isinstance(readme := find(table, "readme", "file") or find(table, "readme"), str):
            if (content := artefact.read(f"{artefact.top}/{readme}")) is None:
                yield f"pyproject.toml takes the README from {readme}, which is not in it"
            else:
                kind = find(table, "readme", "content-type") or KINDS.get(Path(readme).suffix.lower())
                page = {"description": content.decode(errors="replace"), "description_content_type": kind}
        known = {key: value for key, value in page.items() if value}
        yield from deviations(table, {**artefact.fields}, "pyproject.toml", known)


def deviations(table: dict[str, Any], told: Told, source: str, more: Told) -> Iterator[str]:
    """Find what metadata says otherwise than a table [project] and `more`, of what that does not leave open."""
    declared: Told = {field: table.get(key) for field, key in DECLARED.items()}
    extras, dynamic = find_table(table, "optional-dependencies"), texts(table.get("dynamic"))
    declared["provides_extra"] = list(extras)
    # Of an extra that names another of the project's own, hatchling writes what that requires, others the name.
    shown = extras if len(extras) <= MOST_FIELDS else {}  # nor has metadata more fields
    fields = (islice(conditional(shown, own), MOST_FIELDS + 1) for own in ("", str(table.get("name"))))
    ways = [[*texts(table.get("dependencies")), *each] for each in fields]
    same = (way for way in ways if not {*differences(told, {"requires_dist": way}, {"requires_dist"}, "")})
    declared["requires_dist"] = next(same, ways[0])
    if isinstance(table.get("license"), str) and "license_expression" in told:
        declared["license_expression"] = table["license"]
    for whose, field in PEOPLE.items():
        # Where none are listed, maturin takes those in Cargo.toml; poetry-core leaves out all but the first.
        if isinstance(listed := table.get(whose), list):
            known = people(find(each, part) for each in listed for part in ("name", "email"))
            strange = {*people([told.get(field), told.get(f"{field}_email")])}.difference(known)
            declared[whose], told = [], {**told, whose: strange}
    kept = {field for field in declared if DECLARED.get(field, field) not in dynamic}
    # Where there are none, poetry-core takes those of its own table, and adds what it knows.
    kept -= {field for field in ("classifiers", "keywords") if not table.get(field)}
    if "optional-dependencies" in dynamic:
        kept.discard("requires_dist")
    yield from differences(told, declared | more, kept | more.keys(), source)


def of_project(table: dict[str, Any], told: Told) -> Iterator[str]:
    """Find what a file says otherwise than the project of its name; of another version, no more than that."""
    if canonicalize_name(str(table.get("name"))) == canonicalize_name(str(told.get("name"))):
        found = list(deviations(table, told, "this project's pyproject.toml", {}))
        yield from [what for what in found if what.startswith("its version ")] or found


def conditional(extras: dict[str, Any], own: str = "") -> Iterator[str]:
    """Yield what extras require, each with the extra in its marker; for what they name of `own`, what that does."""
    known: dict[str, list[tuple[Requirement, str]]] = {canonicalize_name(extra): [] for extra in extras}
    for extra, listed in extras.items():
        for found in map(Requirement, texts(listed)):
            known[canonicalize_name(extra)].append((found, f"({found.marker}) and " if found.marker else ""))
            found.marker = None
    for extra in known:
        reached, seen = [extra], {extra}
        for found, marker in (each for one in reached for each in known.get(one, ())):
            if own and found.extras and canonicalize_name(found.name) == canonicalize_name(own):
                reached += sorted(new := {*map(canonicalize_name, found.extras)} - seen)
                seen |= new
            else:
                yield f"{found} ; {marker}extra == '{extra}'"


@rule("both")
def metadata_consistent(artefact: Artefact) -> Iterator[str]:
    """Find extras that are there twice, or named and not there, and what no Python or no version fits."""
    extras = Counter(map(canonicalize_name, artefact.fields.get("provides_extra", ())))
    if Version(artefact.fields.get("metadata_version", "1.0")) >= FIRST_UNIQUE:
        yield from (f"the extra {extra} is there {count} times" for extra, count in extras.items() if count > 1)
    named = set[str]()
    for text in artefact.fields.get("requires_dist", ()):
        named.update(re.findall(r"extra *== *['\"]([^'\"]+)", text))
        with suppress(ValueError):
            found = Requirement(text)
            own = canonicalize_name(found.name) == canonicalize_name(artefact.fields.get("name", ""))
            named.update(found.extras if own else ())
            if len(found.specifier) <= MOST_SPECIFIERS and found.specifier.is_unsatisfiable():
                yield f"no version of {found.name} is {found.specifier}"
    for extra in sorted({*map(canonicalize_name, named)} - extras.keys()):
        yield f"a requirement is for the extra {extra}, which there is not"
    with suppress(ValueError):
        wanted = SpecifierSet(artefact.fields.get("requires_python", ""))
        if not any(wanted.contains(f"{minor}.{patch}") for minor in PYTHONS for patch in range(40)):
            yield f"no Python is {wanted}"
        # What is meant is 3.12.* or <3.13, and not 3.12.0 alone.
        for minor in (each for each in PYTHONS if wanted.contains(f"{each}.0")):
            if not any(wanted.contains(f"{minor}.{patch}") for patch in range(1, 40)):
                yield f"of Python {minor} no patch release but the first is {wanted}"


@rule("release")
def metadata_agrees(sdist: Told, wheel: Told) -> Iterator[str]:
    """Find what a wheel says otherwise than its sdist, which has not listed it as dynamic."""
    if "metadata_version" in wheel and Version(sdist.get("metadata_version", "1.0")) >= FIRST_BINDING:
        free = OWN | {each.lower().replace("-", "_") for each in sdist.get("dynamic", ())}
        yield from differences(wheel, sdist, (wheel.keys() | sdist.keys()) - free, "its sdist")
