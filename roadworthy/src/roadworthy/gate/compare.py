"""What changes from one release of a project to the next: rules about what is lost, and `roadworthy compare`."""

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import chain, groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from packaging.specifiers import SpecifierSet
from packaging.tags import compatible_tags, cpython_tags
from packaging.utils import canonicalize_name, is_normalized_name
from packaging.version import Version

from roadworthy.gate.agreement import parts, tell
from roadworthy.gate.archives import no_bomb
from roadworthy.gate.binary import EVERY, FLOORS, STABLE, systems
from roadworthy.gate.model import UNREADABLE, Artefact, UnreadableError, rule
from roadworthy.index import Index, NotThereYetError, check_names
from roadworthy.releasing.version import parse_version
from roadworthy.terminal import Problem, err, listed, out, printable, problem, raise_problems

if TYPE_CHECKING:
    from pypi_simple import DistributionPackage

LARGEST_DOWNLOAD = 1 << 30  # bytes of one release
MUCH_LARGER = 10  # times: no file grows by that, unless something is in it by mistake
MOST, LONGEST = 8, 120  # lines of a kind that are shown, and characters of a text
# What builds add to names: auditwheel, delocate and delvewheel a hash, a compiler the Python that a module is for.
ADDED = re.compile(r"-[0-9a-f]{8,64}(?=\.)|\.(abi3t?|cpython-|cp3|pypy3)[\w-]*(?=\.(so|pyd)$)")
# What is another in every release, and files that are compared by what they mean.
ALWAYS = {"version", "dynamic"}
COMPARED = (".dist-info/RECORD", ".dist-info/WHEEL", "/METADATA", "/PKG-INFO", "/entry_points.txt")
SEE = "see what `roadworthy check` says of it"
# What there is to compare, the most serious first.
GROUPS = LOST, METADATA, NATIVE, ARTEFACTS, FILES = "lost", "metadata", "native modules", "artefacts", "files"
# What is said under a label, by what it means; that of a group; for each interpreter and ABI a system's version.
Labelled: TypeAlias = dict[str, dict[str, str]]
Inside: TypeAlias = dict[str, Labelled]
Floors: TypeAlias = dict[tuple[str, str], tuple[int, int]]


def look_inside(path: Path) -> Inside:
    """Return what is in an artefact, its names without what builds add; ProblemsError where it cannot be read."""
    try:
        with Artefact(path) as artefact:
            raise_problems(Problem(f"{path.name}: {what}", SEE) for what in no_bomb.check(artefact))
            version = rf"-{re.escape(path.name.split('-')[1])}(?=\.(dist-info|data)/|$)"
            added = version if artefact.is_wheel else rf"^{re.escape(artefact.top)}/?"
            names = {name: ADDED.sub("", re.sub(added, "", name)) for name in artefact.files}
            native: dict[str, Iterable[str]] = {}
            for library in artefact.libraries if artefact.is_wheel else ():
                name = str(library).replace(library.file, names[library.file])
                native[f"{name} exports"] = (each for each in library.exports if each.startswith(("Py", "_Py")))
                native[f"{name} needs"] = (ADDED.sub("", each) for each in library.needed)
                macos = ["macOS {}.{}".format(*library.macos)] if library.macos else []
                native[f"{name} needs at least"] = [*newest(version for _, version in library.versions), *macos]
            told = {field: parts(field, value) for field, value in tell(artefact).items() if field not in ALWAYS}
            digests = {name: each.hexdigest() for name, each in artefact.digests.items() if not name.endswith(COMPARED)}
            return {
                METADATA: {field.replace("_", "-"): said for field, said in told.items()},
                NATIVE: {label: {text: text for text in texts} for label, texts in native.items()},
                FILES: {names[n]: {digest: f"{artefact.files[n].size:,} bytes"} for n, digest in digests.items()},
            }
    except (UnreadableError, *UNREADABLE) as error:
        raise problem(f"{path.name} cannot be compared: {error}", SEE) from error


def newest(versions: Iterable[str]) -> Iterator[str]:
    """Yield of symbols' versions the newest of each family, such as GLIBC_2.17."""
    for _, family in groupby(sorted(versions), lambda text: text.rpartition("_")[0]):
        yield max(family, key=lambda text: [*map(int, re.findall(r"\d+", text))])


@dataclass(frozen=True)
class Release:
    """The files of one version: their names, their sizes in bytes (0 where nobody says it), and where some are put."""

    name: str
    sizes: dict[str, int]
    fetch: Callable[[Iterable[str]], dict[str, Path]]

    @classmethod
    def of_paths(cls, paths: Iterable[Path], where: str) -> "Release":
        """Return what lies here; ProblemsError where that is not the artefacts of one version, and of one project."""
        found = {path.name: path for path in sorted(paths) if path.is_file() and Artefact(path).parsed}
        names = sorted({"{} {}".format(*parsed) for path in found.values() if (parsed := Artefact(path).parsed)})
        if len(names) != 1:
            what = f"has files of {listed(names)}" if names else "is no artefact, nor a folder with some"
            raise problem(f"{where} {what}", "give a wheel, an sdist, a folder of those of a version, or NAME==VERSION")
        return cls(names[0], {name: path.stat().st_size for name, path in found.items()}, lambda _: found)

    @classmethod
    def of_index(cls, index: Index, name: str, files: "Iterable[DistributionPackage]", folder: Path) -> "Release":
        """Return what an index serves as a release; what is fetched is put into the folder."""
        # Other kinds of files are nothing that installers take any more.
        served = {file.filename: file for file in files if file.filename.endswith((".whl", ".tar.gz", ".zip"))}
        check_names([*served], str(index))

        def fetch(names: Iterable[str]) -> dict[str, Path]:
            folder.mkdir(exist_ok=True)
            index.fetch([served[each] for each in names], folder, LARGEST_DOWNLOAD)
            return {each: folder / each for each in names}

        return cls(name, {each: file.size or 0 for each, file in served.items()}, fetch)

    @cached_property
    def reach(self) -> dict[str, Floors]:
        """The systems with a wheel, and for each interpreter and ABI the oldest version of the system."""
        found: dict[str, Floors] = defaultdict(dict)
        for tag in chain.from_iterable(Artefact(Path(name)).tags for name in self.sizes):
            for system, floor in systems(tag.platform).items():
                python = tag.interpreter, tag.abi
                found[system][python] = min(floor, found[system].get(python, floor))
        return found


@cache
def taken(interpreter: str, abi: str) -> set[tuple[str, str]]:
    """Return which interpreters and ABIs in a tag the oldest Python for this one takes, as packaging says it."""
    found = re.fullmatch(r"[a-z]+3(\d+)", interpreter)
    version = (3, int(found[1])) if found else (3,)
    # One for the stable ABI is for all that follow: only another such one can take its place.
    abis = {"abi3": [], "abi3t": [f"{interpreter}t"], "none": [interpreter]}.get(abi, [abi])
    own = cpython_tags(version, abis, ["any"]) if interpreter.startswith("cp") else ()
    tags = {(tag.interpreter, tag.abi) for tag in (*own, *compatible_tags(version, None, ["any"]))}
    return tags | {(interpreter, abi)}


@cache
def purposes(name: str) -> tuple[object, object, object, bool]:
    """Return what a file is for: tags; systems and Pythons, whatever versions of them; systems; if it is a wheel."""
    tags = Artefact(Path(name)).tags
    found = frozenset(system for tag in tags for system in systems(tag.platform))
    kinds = frozenset(tag.abi if tag.abi in STABLE else tag.interpreter + "t" * tag.abi.endswith("t") for tag in tags)
    return tags, (found, kinds), found, bool(tags)


def pair(old: Iterable[str], new: Iterable[str]) -> dict[str, str]:
    """Return for new files the old ones that were for the same; where there is none, for nearly the same, or any."""
    found: dict[str, str] = {}
    for level in range(4):
        left = {purposes(name)[level]: name for name in sorted(old, reverse=True)}
        for taken in found:
            left.pop(purposes(taken)[level], None)
        for name in sorted(new):
            if name not in found and (other := left.pop(purposes(name)[level], None)):
                found[name] = other
    return found


class Update(NamedTuple):
    """Two releases, the old file for each new one, and what is in some of them: in one for each system."""

    old: Release
    new: Release
    pairs: dict[str, str]
    inside: dict[str, tuple[Inside, Inside]]

    @classmethod
    def read(cls, old: Release, new: Release, most: int | None = None) -> "Update":
        """Pair the files of two releases, and look into some pairs: wheels first, small ones first."""
        pairs = pair(old.sizes, new.sizes)
        of_each = {purposes(name)[2]: name for name in sorted(pairs, reverse=True)}.values()
        chosen = sorted(of_each, key=lambda name: (not purposes(name)[3], old.sizes[pairs[name]]))[:most]
        before, now = old.fetch([pairs[name] for name in chosen]), new.fetch(chosen)
        return cls(old, new, pairs, {n: (look_inside(before[pairs[n]]), look_inside(now[n])) for n in chosen})

    def lost(self, names: Callable[[Inside], Iterable[str]], kind: str = "", old: int = 0) -> list[str]:
        """Return which names only the old files of a kind, such as .whl, have; with 1, only the new ones."""
        sides = (each for name, each in self.inside.items() if name.endswith(kind))
        return sorted({name for each in sides for name in {*names(each[old])} - {*names(each[1 - old])}})


def published(index: Index, project: str) -> "dict[Version, list[DistributionPackage]]":
    """Return the files of each release on an index; ProblemsError where it cannot be asked."""
    with suppress(NotThereYetError), index.answering():
        return index.releases(project)
    return {}


def since_published(artefacts: Iterable[Artefact], index: Index) -> Iterator[Update]:
    """Yield what changes with these files since the newest release before theirs, of each project among them.

    What is yanked is none, nor, for what is no pre-release itself, a pre-release.
    """
    found = sorted((*artefact.parsed[:2], artefact.path) for artefact in artefacts if artefact.parsed)
    for (project, version), group in groupby(found, key=lambda each: each[:2]):
        releases = published(index, project)
        older = [each for each, files in releases.items() if each < version and not all(one.is_yanked for one in files)]
        if not (final := [each for each in older if version.is_prerelease or not each.is_prerelease]):
            err.print(f"{index} has no release of {project} before {version}, so nothing is compared with one")
            continue
        with TemporaryDirectory() as folder:
            old = Release.of_index(index, f"{project} {max(final)}", releases[max(final)], Path(folder))
            yield Update.read(old, Release.of_paths((path for _, _, path in group), project), most=1)


@rule("update", level="warning")
def lost_platform(update: Update) -> Iterator[str]:
    """Find systems that had a wheel, and an sdist, which is for all others."""
    gone = () if EVERY in update.new.reach else update.old.reach.keys() - update.new.reach.keys()
    yield from (f"there is no wheel for {system} any more" for system in sorted(gone))
    if False in {purposes(each)[3] for each in update.old.sizes} - {purposes(each)[3] for each in update.new.sizes}:
        yield "there is no sdist any more"


def allowed(inside: Inside) -> Iterator[str]:
    """Yield the minor versions of Python 3 that Requires-Python allows."""
    with suppress(ValueError):
        requires = SpecifierSet(next(iter(inside[METADATA].get("requires-python", ())), ""))
        yield from (f"3.{minor}" for minor in range(40) if requires.contains(f"3.{minor}.99"))


@rule("update", level="warning")
def lost_python(update: Update) -> Iterator[str]:
    """Find Pythons that were allowed, and those that had a wheel on a system that still has some."""
    if gone := sorted(update.lost(allowed), key=Version):
        yield f"Requires-Python does not allow {listed(gone)} any more"
    forbidden = {f"{kind}{each.replace('.', '')}" for kind in ("cp", "pp", "py") for each in gone}
    lost = defaultdict(list)
    for system, before in sorted(update.old.reach.items()):
        now = {*update.new.reach.get(system, ()), *update.new.reach.get(EVERY, ())}
        # One that is not allowed is told already, and a system without any wheel too.
        asked = [each for each in sorted(before) if now and each[0] not in forbidden]
        lost[listed(["-".join(each) for each in asked if not taken(*each) & now])].append(system)
    yield from (f"there is no wheel for {each} any more on {', '.join(on)}" for each, on in lost.items() if each)


@rule("update", level="warning")
def raised_floor(update: Update) -> Iterator[str]:
    """Find systems of which a newer version is needed than was."""
    for system in sorted(update.old.reach.keys() & update.new.reach.keys()):
        raised, new = defaultdict(list), update.new.reach[system]
        for python, floor in update.old.reach[system].items():
            floors = [new[each] for each in taken(*python) & new.keys()]
            if floors and min(floors) > floor:
                raised[min(floors), floor].append("-".join(python))
        for (now, before), pythons in raised.items():
            versions = "{} {}.{}, and needed {}.{}".format(FLOORS[system.split()[0]], *now, *before)
            yield f"{system} needs {versions}, with {listed(sorted(pythons))}"


def interface(wheel: Inside) -> Iterator[str]:
    """Yield what others use of a wheel by its name."""
    for name in wheel[FILES]:
        top, *below = name.split("/")
        if name.endswith("/py.typed"):
            yield name
        elif name.endswith((".py", ".pyi", ".so", ".pyd")) and not (below and "." in top):
            yield f"package or module {top.split('.')[0]}"
    yield from (f"entry point {text.partition('=')[0]}" for text in wheel[METADATA]["entry-points"])
    yield from (f"extra {text}" for text in wheel[METADATA].get("provides-extra", ()))


@rule("update", level="warning")
def lost_interface(update: Update) -> Iterator[str]:
    """Find packages, modules, a py.typed, entry points and extras that were there."""
    yield from (f"there is no {what} any more" for what in update.lost(interface, ".whl"))


@rule("update", level="warning")
def larger_file(update: Update) -> Iterator[str]:
    """Find what has become much larger."""
    for name, other in update.pairs.items():
        old, new = update.old.sizes[other], update.new.sizes[name]
        if new > MUCH_LARGER * old > 0:
            yield f"{name} has {new:,} bytes, {new / old:.0f} times those of {other}"


def needed(inside: Inside) -> Iterator[str]:
    """Yield the names of what is installed with an artefact, whatever extras are asked for."""
    for text in inside[METADATA].get("requires-dist", {}).values():
        project, _, marker = text.partition(";")
        if "extra" not in marker and (name := re.match(r"[\w.-]+", project)):
            yield canonicalize_name(name[0])


@rule("update", level="note")
def new_dependency(update: Update) -> Iterator[str]:
    """Find projects that are installed with this one, and were not."""
    yield from (f"it needs {name}, and did not" for name in update.lost(needed, old=1))


class Change(NamedTuple):
    """What differs, and of which group it is: what only the old release has, what only the new one, in which file."""

    group: str
    what: str
    old: list[str]
    new: list[str]
    file: str = ""

    def __str__(self) -> str:
        sides = ([text if len(text) <= LONGEST else f"{len(text):,} characters" for text in side] for side in self[2:4])
        old, new = map(listed, sides)
        if len(self.old) == len(self.new) == 1:
            return f"{self.what}: {old} → {new}"
        return self.what + ": " * bool(old or new) + "  ".join(filter(None, (old and f"- {old}", new and f"+ {new}")))


def differences(group: str, old: Labelled, new: Labelled, file: str = "") -> Iterator[Change]:
    """Find what is said under a label on one side alone, by what it means."""
    # What is said of a native module that is in one of them alone is only that it is there.
    for label in sorted(old.keys() & new.keys() if group == NATIVE else old.keys() | new.keys()):
        one, two = old.get(label, {}), new.get(label, {})
        gone, come = (sorted(x[key] for key in x.keys() - y.keys()) for x, y in ((one, two), (two, one)))
        if gone or come:
            yield Change(group, label, gone, come, file)


def changes(update: Update) -> Iterator[Change]:
    """Find all that differs between two releases."""
    for each in (lost_platform, lost_python, raised_floor, lost_interface, larger_file):
        yield from (Change(LOST, f"{what} [{each.name}]", [], []) for what in each.check(update))
    for file, (old, new) in update.inside.items():
        for group in old:
            yield from differences(group, old[group], new[group], file)
    for name in sorted(update.old.sizes.keys() - {*update.pairs.values()}):
        yield Change(ARTEFACTS, name, [f"{update.old.sizes[name]:,} bytes"], [])
    for name, size in update.new.sizes.items():
        was = update.old.sizes.get(update.pairs.get(name, ""))
        if was is None or abs(size - was) > was / 10:  # what is little more or less is in the sums of all
            yield Change(ARTEFACTS, name, [] if was is None else [f"{was:,} bytes"], [f"{size:,} bytes"])


def report(update: Update, found: list[Change]) -> None:
    """Print the changes by their groups, each once for all files that have it, and of many the first."""
    sides = (f"{each.name} (files: {len(each.sizes)}, bytes: {sum(each.sizes.values()):,})" for each in update[:2])
    lines = [" → ".join(sides), f"looked into: one file for each system, {len(update.inside)} of {len(update.pairs)}"]
    # Of each group what is gone, what is new, what has changed.
    groups: dict[tuple[int, bool, bool], dict[str, list[Change]]] = defaultdict(lambda: defaultdict(list))
    for change in found:
        # The size of a file is another one in each artefact.
        line = change.what if change.group == FILES else str(change)
        groups[GROUPS.index(change.group), bool(change.new), bool(change.old)][line].append(change)
    for (number, *_), same in sorted(groups.items()):
        lines += [heading] if (heading := f"{GROUPS[number]}:") not in lines else []
        for first, *others in [*same.values()][:MOST]:
            few = first.file and len(others) + 1 < len(update.inside)
            where = first.file.removesuffix(".whl").split("-", 2)[-1] + (f" and {len(others)} more" if others else "")
            lines.append(f"  {first}" + (f" [{where}]" if few else ""))
        lines += [f"  and {len(same) - MOST} more"] if len(same) > MOST else []
    out.print("\n".join(map(printable, lines if found else [*lines, "nothing differs"])))


def find_release(text: str, index_name: str, folder: Path) -> Release:
    """Return what a text names: an artefact, a folder of those of one version, or NAME==VERSION on an index."""
    name, _, number = text.partition("==")
    if not (number and is_normalized_name(project := canonicalize_name(name.strip()))):
        return Release.of_paths(path.iterdir() if (path := Path(text)).is_dir() else [path], text)
    index, version = Index.named(index_name), parse_version(number)
    if version not in (releases := published(index, project)):
        raise problem(f"{index} has no {project} {number}", "is it spelled as it was published? give INDEX for another")
    return Release.of_index(index, f"{project} {version}", releases[version], folder)


def compare(given: dict[str, Any]) -> None:
    """Compare what is given, and print what differs."""
    with TemporaryDirectory() as folder:
        index = given.get("INDEX", "pypi")
        old, new = (find_release(given[name], index, Path(folder, name)) for name in ("OLD", "NEW"))
        update = Update.read(old, new)
    found = list(changes(update))
    if "JSON" in given:
        out.write(json.dumps([each._asdict() for each in found], indent=2) + "\n")
    else:
        report(update, found)
