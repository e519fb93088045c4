"""Rules about the native modules in a wheel."""

import json
import posixpath
import re
from collections.abc import Iterator
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any

from packaging.tags import Tag
from packaging.version import Version

from roadworthy.gate.model import Artefact, Expectations, rule
from roadworthy.gate.native import PROGRAMS, Library

# Other systems' own libraries, as benchmarks/platform_libraries.py writes them.
KNOWN: Any = json.loads(Path(__file__).with_name("platform_libraries.json").read_text(encoding="utf-8"))
# What a platform's libraries are.
KINDS = {"win": "PE", "macosx": "Mach-O", "manylinux": "ELF", "musllinux": "ELF", "linux": "ELF"}
KINDS |= {"android": "ELF", "pyemscripten": "WebAssembly"}
# The glibc that each older name stands for (PEP 513, 571, 599).
OLD_MANYLINUX = {"1": (2, 5), "2010": (2, 12), "2014": (2, 17)}
STABLE = {"abi3", "abi3t"}
# The platforms whose tags name the oldest version of something, and of what.
FLOORS = {"manylinux": "glibc", "musllinux": "musl", "macosx": "macOS", "ios": "iOS", "android": "Android's API"}
VERSIONED = re.compile(rf"({'|'.join(FLOORS)})(?:_(\d+)(?:_(\d+))?|(1|2010|2014))_(\w+)")
EVERY = "every system"  # of a wheel that is for no particular one
OWN_SUFFIXES = {"dll": {"PE"}, "pyd": {"PE"}, "dylib": {"Mach-O"}}
# Suffixes of files that an interpreter imports; other libraries are only loaded by those.
MODULE_SUFFIX = re.compile(r"(\.abi3t?|\.cpython-\d+[a-z]*)(-[a-z0-9_-]+)?\.so$|\.pyd$")
ANOTHER_PYTHON = re.compile(r"(^|/)(libpython|Python3?(T|$))|^python3\d*t?(_d)?\.dll$")
# Names of processors in the suffixes of modules, where they are others than in tags (CPython's configure.ac).
TRIPLET_MACHINES = {"i686": "i386", "armv7l": "arm", "armv6l": "arm", "ppc64le": "powerpc64le", "ppc64": "powerpc64"}
# From these on, musl is in the suffixes, and the platform in those of the stable ABI too.
FIRST_MUSL, FIRST_ABI3_TRIPLET = 11, 15
# What a system or a Python brings, beside what is in the lists: dynamic linkers and C libraries, which another rule
# judges, as auditwheel's policy leaves them out; what delvewheel ignores, or does not see (WinSxS); what delocate does.
SYSTEM = re.compile(
    r"ld-linux.*|ld64\.so\.[12]|ld-musl-.*|libc\.so.*|libc\.musl-.*|/usr/lib/.*|/System/.*"
    r"|api-.*|ext-ms-.*|combase\.dll|vcruntime140(_1)?\.dll|libpypy.*-c\.dll|python-native\.dll|gdiplus\.dll"
)
# What a Python has loaded before it imports anything is looked for nowhere.
LOADED = re.compile(r"ld-.*|lib(c|m|dl|rt|util|pthread)\.(so|musl-).*")
OF_DEBUGGING = {"Py_REF_DEBUG", "Py_TRACE_REFS"}
# The C library that older Pythons bring on Windows.
BROUGHT = {"cp27": "msvcr90.dll", "cp33": "msvcr100.dll", "cp34": "msvcr100.dll"}
FAMILIES = {"GLIBC", "GLIBCXX", "CXXABI", "GCC", "ZLIB", "LIBATOMIC"}  # of symbols' versions that auditwheel compares


def platforms(artefact: Artefact) -> list[str]:
    """Return the platforms in a wheel's tags."""
    return sorted({tag.platform for tag in artefact.tags})


def fits(artefact: Artefact, library: Library) -> bool:
    """Say whether a library is of the kind that a wheel's platform loads."""
    kinds = {kind for name in platforms(artefact) for prefix, kind in KINDS.items() if name.startswith(prefix)}
    return not kinds or library.kind in kinds


def whole(artefact: Artefact) -> list[Library]:
    """Return the libraries without the damaged ones, and without those of another system."""
    return [library for library in artefact.libraries if not library.damage and fits(artefact, library)]


def modules(artefact: Artefact) -> list[Library]:
    """Return the libraries that an interpreter imports; not those that only are called so, and know no Python."""
    native = [each for each in whole(artefact) if each.kind != "WebAssembly"]
    called = (each for each in native if MODULE_SUFFIX.search(each.file) or init_names(each) & each.exports)
    return [each for each in called if each.imports | each.exports]


def init_names(library: Library) -> set[str]:
    """Return the functions one of which an interpreter calls to import a module of that name (PEP 489, PEP 793)."""
    folder, file = posixpath.split(library.file)
    word = file.split(".", 1)[0]
    word = posixpath.basename(folder) if word == "__init__" else word
    return {f"PyInit_{word}", f"PyModExport_{word}"}


def minor_of(tag: Tag) -> int | None:
    """Return the Python 3.x of a tag; None if it is for no one CPython."""
    found = re.fullmatch(r"cp3(\d+)", tag.interpreter)
    return int(found[1]) if found and tag.abi != "none" else None


def module_suffixes(tag: Tag) -> set[str] | None:
    """Return how a module for a tag ends, or None (CPython's Python/dynload_shlib.c and _win.c, PEP 3149, PEP 803)."""
    minor = minor_of(tag)
    linux = re.fullmatch(r"(many|musl)?linux(?:_\d+_\d+|\d+)?_(.+)", tag.platform)
    if minor is None or not (linux or tag.platform.startswith(("win", "macosx"))):
        return None
    if tag.platform.startswith("win"):
        return {".pyd"} if tag.abi in STABLE else {".pyd", f".{tag.abi.rstrip('m')}-{tag.platform}.pyd"}
    triplet = "darwin"
    if linux:
        libc = "musl" if linux[1] == "musl" and minor >= FIRST_MUSL else "gnu"
        triplet = f"{TRIPLET_MACHINES.get(linux[2], linux[2])}-linux-{libc}{'eabihf' * linux[2].startswith('armv')}"
    if tag.abi not in STABLE:
        return {f".cpython-{tag.abi.removeprefix('cp')}-{triplet}.so"}
    # A Python with a lock takes both, from the first that knows them.
    abis = ("abi3", "abi3t") if tag.abi == "abi3" and minor >= FIRST_ABI3_TRIPLET else (tag.abi,)
    found = {f".{abi}.so" for abi in abis}
    return found | ({f".{abi}-{triplet}.so" for abi in abis} if minor >= FIRST_ABI3_TRIPLET else set())


@rule("wheel")
def module_name(artefact: Artefact) -> Iterator[str]:
    """Find modules under a name that a Python in the tag does not import."""
    taken = {tag: suffixes for tag in artefact.tags if (suffixes := module_suffixes(tag)) is not None}
    for tag, suffixes in taken.items():
        # Each imports its stable ABI too; those without a lock look for it up to 3.14, and cannot run it.
        if not tag.platform.startswith("win"):
            threaded = tag.abi.rstrip("d").endswith("t")
            stable = module_suffixes(Tag(tag.interpreter, "abi3t" if threaded else "abi3", tag.platform)) or set()
            suffixes.update(stable if not threaded or (minor_of(tag) or 0) >= FIRST_ABI3_TRIPLET else (), {".so"})
    for library in modules(artefact) if taken and len(taken) == len(artefact.tags) else ():
        suffix = "." + posixpath.basename(library.file).partition(".")[2]
        lacking = sorted(str(tag) for tag in taken if suffix not in taken[tag])
        # A wheel for several versions holds a module for each; one of the stable ABI is for all of them.
        if len(lacking) == len(taken) or (lacking and all(tag.abi in STABLE for tag in taken)):
            yield f"{library} is not what {', '.join(lacking)} imports"
    if platforms(artefact) == ["any"]:
        yield from (f"{library} is for one platform, and the wheel for any" for library in modules(artefact))


@rule("wheel")
def library_readable(artefact: Artefact) -> Iterator[str]:
    """Find libraries that are damaged, or another platform's."""
    for library in artefact.libraries:
        # What is called as another system's are, nothing here loads: some wheels are made of one folder for all.
        others = library.kind in OWN_SUFFIXES.get(library.file.rpartition(".")[2], ())
        if library.damage:
            yield f"{library} is no shared library: {library.damage}"
        elif not fits(artefact, library) and (not others or MODULE_SUFFIX.search(library.file)):
            yield f"{library} is {library.kind}, and the wheel is for {', '.join(platforms(artefact))}"


@rule("wheel")
def library_machine(artefact: Artefact) -> Iterator[str]:
    """Find libraries for another processor, and universal2 ones that lack one."""
    present = {file: {each.machine for each in found} for file, found in groupby(whole(artefact), attrgetter("file"))}
    loaded = {posixpath.basename(each) for library in whole(artefact) for each in library.needed}
    loaded.update(posixpath.basename(module.file) for module in modules(artefact))
    for platform in platforms(artefact):
        needed = machines_of(platform)
        # Of those that nothing loads by itself, a wheel may bring one for each processor.
        some = any(needed <= machines for machines in present.values())
        for file, machines in present.items():
            if not needed <= machines and (posixpath.basename(file) in loaded or not some):
                found = ", ".join(sorted(machines)) + " alone" * bool(needed & machines)
                yield f"{file} is for {found}, and the wheel for {platform}"


def machines_of(platform: str) -> set[str]:
    """Return the processors in a platform tag, as `Library.machine` names them; none where that is not known."""
    if platform == "win32":
        return {platform}
    found = re.fullmatch(r"(?:win|macosx_\d+_\d+|(?:many|musl)linux(?:_\d+_\d+|\d+)|linux)_(.+)", platform)
    machines = {"universal2": {"x86_64", "arm64"}, "armv6l": {"armv7l"}}
    return machines.get(found[1], {found[1]} - {"universal", "intel", "fat", "fat3", "fat64"}) if found else set()


@rule("wheel")
def library_loadable(artefact: Artefact) -> Iterator[str]:
    """Find what a loader refuses, or what its system forbids it."""
    yield from (f"{library} {fault}" for library in whole(artefact) for fault in library.faults)
    # Room for that is kept for libraries that few programs load late, such as OpenMP's.
    late = (library for library in modules(artefact) if library.static_tls)
    yield from (f"{library} needs thread-local storage from the start (STATIC_TLS)" for library in late)


@rule("wheel")
def needed_libraries(artefact: Artefact) -> Iterator[str]:
    """Find needed libraries that neither the system in the tag has nor the wheel, and places outside to look in."""
    floor = glibc_of(artefact)
    listed = {name for name, first in KNOWN["linux"]["libraries"].items() if floor and (2, first) <= floor}
    listed.update(filter(None, (BROUGHT.get(tag.interpreter) for tag in artefact.tags)))
    listed.update(KNOWN["musl"] if any(each.startswith("musllinux_") for each in platforms(artefact)) else ())
    names = {posixpath.basename(name).lower() for name in artefact.files}
    # What one library has loaded, another finds too.
    places = {place for library in whole(artefact) for path in library.search if (place := resolve(path, library))}
    for library in whole(artefact):
        needs = sorted(library.needed)
        system = listed.union(KNOWN["windows"].get(library.machine, ()) if library.kind == "PE" else ())
        # Where a program looks depends on where installers put it.
        judged = PROGRAMS not in library.file and (listed or library.kind != "ELF")
        for needed in needs if judged else ():
            candidates = {posixpath.normpath(posixpath.join(place, needed.removeprefix("@rpath/"))) for place in places}
            candidates.update(filter(None, (resolve(needed, library),)))
            inside = needed in names if library.kind == "PE" else candidates & artefact.files.keys()
            if not (inside or needed in system or SYSTEM.fullmatch(needed) or ANOTHER_PYTHON.search(needed)):
                where = ", and no path leads to it in the wheel" if posixpath.basename(needed).lower() in names else ""
                yield f"{library} needs {needed}, which the system in the tag does not have{where}"
        # Not all libraries are looked for, and where none is, many a folder of the builder's is left.
        looks = any("@rpath/" in each if library.kind == "Mach-O" else not LOADED.fullmatch(each) for each in needs)
        for path in sorted(library.search) if looks and PROGRAMS not in library.file else ():
            if resolve(path, library) is None and not SYSTEM.fullmatch(f"{path}/"):
                yield f"{library} looks for libraries in {path}, outside the wheel"


def resolve(path: str, library: Library) -> str | None:
    """Return the place in a wheel that a path in a library means; None if it is outside."""
    found = re.fullmatch(r"(?:\$ORIGIN|\$\{ORIGIN\}|@loader_path)/*(.*)", path)
    place = posixpath.normpath(posixpath.join(posixpath.dirname(library.file), found[1] if found else "/"))
    return None if place.startswith(("..", "/")) else place


@rule("wheel")
def init_function(artefact: Artefact) -> Iterator[str]:
    """Find modules that cannot be imported under their name."""
    for library in modules(artefact):
        wanted = init_names(library)
        if not wanted & library.exports and all(name.isascii() for name in wanted):
            others = sorted(export for export in library.exports if export.startswith(("PyInit_", "PyModExport_")))
            yield f"{library} does not export {min(wanted)}{' but ' if others else ''}{', '.join(others)}"


@rule("wheel")
def stable_abi(artefact: Artefact) -> Iterator[str]:
    """Find what a module of the stable ABI must not use, and what the Python in its tag has not yet."""
    interpreters = {tag.interpreter for tag in artefact.tags if tag.abi in STABLE}
    minors = {int(each[3:]) for each in interpreters if each.startswith("cp3")}
    if not minors:
        return
    from abi3info import DATAS, FUNCTIONS  # noqa: PLC0415 - a table of the whole ABI
    from abi3info.models import Symbol  # noqa: PLC0415

    floor = Version(f"3.{max(minors)}")
    for library in modules(artefact):
        for text in sorted(library.imports) if ".cpython-" not in library.file else ():
            known = FUNCTIONS.get(Symbol(text)) or DATAS.get(Symbol(text))
            if known is None and text.startswith(("Py", "_Py")):
                yield f"{library} uses {text}, which is not in the stable ABI"
            elif known is not None and known.ifdef and known.ifdef.name in OF_DEBUGGING:
                yield f"{library} uses {text}, which only a Python for debugging has"
            elif known is not None and Version(str(known.added)) > floor:
                yield f"{library} uses {text}, which came with Python {known.added}, and is tagged for {floor}"


@rule("wheel", needs_crate=True)
def abi_floor(artefact: Artefact, project: Expectations) -> Iterator[str]:
    """Find another floor in the tag of an abi3 or abi3t wheel."""
    threaded = any(tag.abi == "abi3t" for tag in artefact.tags)
    oldest = project.crate.first_abi3t or "none" if threaded else project.oldest_python
    found = {tag.interpreter for tag in artefact.tags if tag.abi in STABLE}
    if found - {f"cp{oldest.replace('.', '')}"}:
        yield f"it is for {', '.join(sorted(found))}, and the oldest Python for it is {oldest}"


def systems(platform: str) -> dict[str, tuple[int, int]]:
    """Return what a tag's platform is for: systems with their processors, each with its oldest version."""
    if (found := VERSIONED.fullmatch(platform)) is None:
        return {EVERY if platform == "any" else platform: (0, 0)}
    floor = OLD_MANYLINUX.get(found[4]) or (int(found[2]), int(found[3] or 0))
    # Apple's processors came with macOS 11, whatever a universal2 wheel says of the other half.
    first = {("macosx", "arm64"): (11, 0)}
    machines = machines_of(platform) or {found[5]}
    return {f"{found[1]} {machine}": max(floor, first.get((found[1], machine), floor)) for machine in machines}


def glibc_of(artefact: Artefact) -> tuple[int, int] | None:
    """Return the oldest glibc in a wheel's tags; None for no manylinux."""
    found = (each for platform in platforms(artefact) for each in systems(platform).items())
    return min((floor for system, floor in found if system.startswith("manylinux ")), default=None)


@rule("wheel")
def glibc_floor(artefact: Artefact) -> Iterator[str]:
    """Find libraries that need newer versions of symbols than the tag says, or another libc."""
    floor = glibc_of(artefact)
    musl = any(platform.startswith("musllinux_") for platform in platforms(artefact))
    inside = {posixpath.basename(name) for name in artefact.files}
    for library in whole(artefact):
        told = {version for file, version in library.versions if file not in inside and not file.startswith("ld")}
        first = KNOWN["linux"]["versions"].get(library.machine, {})
        numbers = [re.fullmatch(r"GLIBC_(\d+)\.(\d+)[\d.]*", version) for version in told]
        major, minor = max(((int(number[1]), int(number[2])) for number in numbers if number), default=(0, 0))
        if floor and (major, minor) > floor:
            yield f"{library} needs glibc {major}.{minor}, and the tag says {floor[0]}.{floor[1]}"
        others = {version for version in told if version.partition("_")[0] in FAMILIES}
        for version in sorted(others - {number[0] for number in numbers if number}):
            if floor and first and (2, first.get(version, 99)) > floor:
                yield f"{library} needs {version}, which not every system with glibc {floor[0]}.{floor[1]} has"
        # The compiler's own library names versions like glibc's, and comes with musl too.
        of_glibc = {file for file, version in library.versions if version.startswith("GLIBC_")}
        if musl and ("libc.so.6" in library.needed or {file for file in of_glibc if not file.startswith("libgcc_s")}):
            yield f"{library} needs glibc, and the tag says musl"
        if floor and {name for name in library.needed if name.startswith(("libc.so", "libc.musl"))} - {"libc.so.6"}:
            yield f"{library} needs musl, and the tag says glibc"


@rule("wheel")
def macos_floor(artefact: Artefact) -> Iterator[str]:
    """Find libraries that need a newer macOS than the tag says, or do not say which they need."""
    for platform in platforms(artefact):
        for library in whole(artefact) if platform.startswith("macosx_") else ():
            oldest = systems(platform).get(f"macosx {library.machine}") if library.kind == "Mach-O" else None
            if oldest and library.macos is None:
                yield f"{library} does not say which macOS it needs"
            elif oldest and library.macos and library.macos > oldest:
                needed = "{}.{}".format(*library.macos)
                yield f"{library} needs macOS {needed} on {library.machine}, and the tag says {platform}"


def python_dlls(tag: Tag) -> set[str]:
    """Return the libraries that a module for a tag may be linked with on Windows (PEP 803; PyO3 does the same)."""
    minor, threaded, debug = minor_of(tag) or 0, tag.abi.rstrip("d").endswith("t"), tag.abi.endswith("d")
    shared = set() if threaded and minor < FIRST_ABI3_TRIPLET else {"python3t.dll"} if threaded else {"python3.dll"}
    if tag.abi == "abi3" and minor >= FIRST_ABI3_TRIPLET:
        shared.add("python3t.dll")
    own = set() if tag.abi in STABLE else {f"python{tag.abi.removeprefix('cp').rstrip('dm')}.dll"}
    return {name.replace(".", "_d.") for name in shared | own} if debug else shared | own


@rule("wheel")
def no_libpython(artefact: Artefact) -> Iterator[str]:
    """Find modules that are linked with one Python; on Windows, with another than the tag's."""
    cpython = [tag for tag in artefact.tags if minor_of(tag) is not None]
    allowed = set.intersection(*map(python_dlls, cpython)) if cpython else set()
    # There, a module has to be linked with it (PEP 730, PEP 738).
    within = any(name.startswith(("ios_", "android_")) for name in platforms(artefact))
    for library in modules(artefact) if not within else ():
        for needed in sorted(library.needed):
            if ANOTHER_PYTHON.search(needed) and (library.kind != "PE" or (cpython and needed not in allowed)):
                wanted = f", and not with {' or '.join(sorted(allowed))}" if library.kind == "PE" else ""
                yield f"{library} is linked with {needed}{wanted}"


@rule("wheel", needs_project=True)
def release_build(artefact: Artefact, _: Expectations) -> Iterator[str]:
    """Find debugging symbols and debug assertions."""
    for library in whole(artefact):
        if not library.stripped:
            yield f"{library} has debugging symbols"
        # What the standard library says where debug assertions are compiled in, and only there.
        if b"unsafe precondition(s) violated" in (artefact.read(library.file) or b""):
            yield f"{library} is a debug build"
