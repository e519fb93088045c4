"""Rules about the native modules in a wheel."""

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from packaging.version import Version

from roadworthy.gate.model import Artefact, Expectations, rule
from roadworthy.gate.native import Library

# What a platform's libraries are.
KINDS = {"win": "PE", "macosx": "Mach-O", "manylinux": "ELF", "musllinux": "ELF", "linux": "ELF"}
# The glibc that each older name stands for (PEP 513, 571, 599).
OLD_MANYLINUX = {"manylinux1": (2, 5), "manylinux2010": (2, 12), "manylinux2014": (2, 17)}
STABLE = {"abi3", "abi3t"}
# Suffixes of files that an interpreter imports; other libraries are only loaded by those.
MODULE_SUFFIX = re.compile(r"(\.abi3t?|\.cpython-\d+t?)(-[a-z0-9_-]+)?\.so$|\.pyd$")
ANOTHER_PYTHON = re.compile(r"(^|/)(libpython|Python$)|^python3\d+t?(_d)?\.dll$|^python3_d\.dll$")


def platforms(artefact: Artefact) -> list[str]:
    """Return the platforms in a wheel's tags."""
    return sorted({tag.platform for tag in artefact.tags})


def whole(artefact: Artefact) -> dict[str, Library]:
    """Return the libraries without the damaged ones."""
    return {name: library for name, library in artefact.libraries.items() if not library.damage}


def modules(artefact: Artefact) -> dict[str, Library]:
    """Return the libraries that an interpreter imports."""
    return {name: library for name, library in whole(artefact).items() if MODULE_SUFFIX.search(name)}


@rule("wheel")
def library_readable(artefact: Artefact) -> Iterator[str]:
    """Find libraries that are damaged, or another platform's."""
    for name, library in artefact.libraries.items():
        if library.damage:
            yield f"{name} is no shared library: {library.damage}"
            continue
        for platform in platforms(artefact):
            expected = next((kind for prefix, kind in KINDS.items() if platform.startswith(prefix)), library.kind)
            if library.kind != expected:
                yield f"{name} is {library.kind}, and the wheel is for {platform}"
                break


@rule("wheel")
def library_machine(artefact: Artefact) -> Iterator[str]:
    """Find libraries for another processor, and universal2 ones that lack one."""
    for name, library in whole(artefact).items():
        for platform in platforms(artefact):
            universal = platform.endswith("_universal2")
            needed = {"x86_64", "arm64"} if universal else {machine_of(platform)}
            found = ", ".join(sorted(library.machines))
            if None not in needed and not needed & library.machines:
                yield f"{name} is for {found}, and the wheel for {platform}"
            elif universal and not needed <= library.machines:
                yield f"{name} is for {found} alone, and the wheel for {platform}"


def machine_of(platform: str) -> str | None:
    """Return the processor in a platform tag, as `Library.machines` names it; None if it has none."""
    if platform == "win32":
        return platform
    found = re.fullmatch(r"(?:win|macosx_\d+_\d+|(?:many|musl)linux(?:_\d+_\d+|\d+)|linux)_(.+)", platform)
    if found is None or found[1] in {"universal", "intel", "fat", "fat3", "fat64", "ppc64"}:
        return None
    return "armv7l" if found[1] == "armv6l" else found[1]


@rule("wheel")
def init_function(artefact: Artefact) -> Iterator[str]:
    """Find modules that cannot be imported under their name."""
    for name, library in modules(artefact).items():
        word = PurePosixPath(name).name.split(".", 1)[0]
        if word.isascii() and not {f"PyInit_{word}", f"PyModExport_{word}"} & library.exports:
            others = sorted(export for export in library.exports if export.startswith(("PyInit_", "PyModExport_")))
            yield f"{name} does not export PyInit_{word}{' but ' if others else ''}{', '.join(others)}"


@rule("wheel")
def stable_abi(artefact: Artefact) -> Iterator[str]:
    """Find what a module of the stable ABI must not use, and what the Python in its tag has not yet."""
    minors = {
        int(tag.interpreter[3:]) for tag in artefact.tags if tag.abi in STABLE and tag.interpreter.startswith("cp3")
    }
    if not minors:
        return
    from abi3info import DATAS, FUNCTIONS  # noqa: PLC0415 - a table of the whole ABI
    from abi3info.models import Symbol  # noqa: PLC0415

    floor = Version(f"3.{max(minors)}")
    for name, library in modules(artefact).items():
        for text in sorted(library.imports) if ".cpython-" not in name else ():
            known = FUNCTIONS.get(Symbol(text)) or DATAS.get(Symbol(text))
            if known is None and text.startswith(("Py", "_Py")):
                yield f"{name} uses {text}, which is not in the stable ABI"
            elif known is not None and Version(str(known.added)) > floor:
                yield f"{name} uses {text}, which came with Python {known.added}, and is tagged for {floor}"


@rule("wheel", needs_project=True)
def abi_floor(artefact: Artefact, project: Expectations) -> Iterator[str]:
    """Find another floor in the tag of an abi3 or abi3t wheel."""
    threaded = any(tag.abi == "abi3t" for tag in artefact.tags)
    oldest = project.first_abi3t if threaded else project.oldest_python
    found = {tag.interpreter for tag in artefact.tags if tag.abi in STABLE}
    if found - {f"cp{oldest.replace('.', '')}"}:
        yield f"it is for {', '.join(sorted(found))}, and the oldest Python for it is {oldest}"


@rule("wheel")
def glibc_floor(artefact: Artefact) -> Iterator[str]:
    """Find libraries that need a newer glibc than the tag says, or another libc."""
    names = [re.match(r"(manylinux(?:_(\d+)_(\d+)|1|2010|2014))_", platform) for platform in platforms(artefact)]
    floor = min((OLD_MANYLINUX.get(name[1]) or (int(name[2]), int(name[3])) for name in names if name), default=None)
    musl = any(platform.startswith("musllinux_") for platform in platforms(artefact))
    for name, library in whole(artefact).items():
        versions = [text.removeprefix("GLIBC_") for text in library.versions if text.startswith("GLIBC_2.")]
        major, minor = max((tuple(map(int, text.split(".")))[:2] for text in versions), default=(0, 0))
        if floor and (major, minor) > floor:
            yield f"{name} needs glibc {major}.{minor}, and the tag says {floor[0]}.{floor[1]}"
        if musl and (versions or "libc.so.6" in library.needed):
            yield f"{name} needs glibc, and the tag says musl"
        others = {needed for needed in library.needed if needed.startswith(("libc.so", "libc.musl"))} - {"libc.so.6"}
        if floor and others:
            yield f"{name} needs musl, and the tag says glibc"


@rule("wheel")
def macos_floor(artefact: Artefact) -> Iterator[str]:
    """Find libraries that need a newer macOS than the tag says."""
    for platform in platforms(artefact):
        found = re.match(r"macosx_(\d+)_(\d+)_(\w+)", platform)
        if not found:
            continue
        for name, library in whole(artefact).items():
            for machine, floor in library.macos.items():
                # Apple's processors came with macOS 11, whatever a universal2 wheel says of the other half.
                oldest = max((int(found[1]), int(found[2])), (11, 0) if machine == "arm64" else (0, 0))
                if found[3] in {machine, "universal2"} and floor > oldest:
                    yield f"{name} needs macOS {floor[0]}.{floor[1]} on {machine}, and the tag says {platform}"


@rule("wheel")
def no_libpython(artefact: Artefact) -> Iterator[str]:
    """Find modules that are linked with one Python; on Windows, each is, but those of the stable ABI."""
    stable = any(tag.abi in STABLE for tag in artefact.tags)
    for name, library in modules(artefact).items():
        for needed in sorted(library.needed):
            if ANOTHER_PYTHON.search(needed) and (stable or library.kind != "PE"):
                yield f"{name} is linked with {needed}"


@rule("wheel", needs_project=True)
def release_build(artefact: Artefact, _: Expectations) -> Iterator[str]:
    """Find debugging symbols and debug assertions."""
    for name, library in whole(artefact).items():
        if not library.stripped:
            yield f"{name} has debugging symbols"
        # What the standard library says where debug assertions are compiled in, and only there.
        if b"unsafe precondition(s) violated" in (artefact.read(name) or b""):
            yield f"{name} is a debug build"
