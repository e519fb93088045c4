"""Rules about the native modules in a wheel."""

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from packaging.version import Version

from roadworthy.gate.model import Artefact, Expectations, rule
from roadworthy.gate.native import Library

# The glibc that each older name stands for (PEP 513, 571, 599).
OLD_MANYLINUX = {"manylinux1": (2, 5), "manylinux2010": (2, 12), "manylinux2014": (2, 17)}
# Suffixes of files that an interpreter imports; other libraries are only loaded by those.
MODULE_SUFFIX = re.compile(r"(\.abi3t?|\.cpython-\d+t?)(-[a-z0-9_-]+)?\.so$|\.pyd$")
ANOTHER_PYTHON = re.compile(r"(^|/)(libpython|Python$)|^python3\d+t?(_d)?\.dll$|^python3_d\.dll$")


def platforms(artefact: Artefact) -> set[str]:
    """Return the platforms in a wheel's tags."""
    return {tag.platform for tag in artefact.tags}


def modules(artefact: Artefact) -> dict[str, Library]:
    """Return the libraries that an interpreter imports."""
    return {name: library for name, library in artefact.libraries.items() if MODULE_SUFFIX.search(name)}


@rule("wheel")
def library_readable(artefact: Artefact) -> Iterator[str]:
    """Every native module is a whole shared library of the platform's kind: ELF, PE or Mach-O.

    Why: a wheel of one platform with another's library in it installs, and cannot be imported.
    Source: PyO3/maturin#2160; the loader, "invalid ELF header", "not a valid Win32 application".
    Remedy: build it anew, on or for that platform: make build TARGET=…
    """
    for name, reason in artefact.damaged_libraries.items():
        yield f"{name} is no shared library: {reason}"
    kinds = {"win": "PE", "macosx": "Mach-O", "manylinux": "ELF", "musllinux": "ELF", "linux": "ELF"}
    for name, library in artefact.libraries.items():
        for platform in platforms(artefact):
            expected = next((kind for prefix, kind in kinds.items() if platform.startswith(prefix)), library.kind)
            if library.kind != expected:
                yield f"{name} is {library.kind}, and the wheel is for {platform}"
                break


@rule("wheel")
def library_machine(artefact: Artefact) -> Iterator[str]:
    """Every native module is for the processor in the tag, a universal2 one for both.

    Why: cross builds and images with two architectures mix them up.
    Source: PyO3/maturin#2160, PyO3/maturin-action#346.
    Remedy: build it anew for that target: make build TARGET=…
    """
    for name, library in artefact.libraries.items():
        for platform in sorted(platforms(artefact)):
            needed = {"x86_64", "arm64"} if platform.endswith("_universal2") else {machine_of(platform)}
            if None not in needed and not needed & library.machines:
                yield f"{name} is for {', '.join(sorted(library.machines))}, and the wheel for {platform}"
            elif platform.endswith("_universal2") and not needed <= library.machines:
                yield f"{name} is for {', '.join(sorted(library.machines))} alone, and the wheel for {platform}"


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
    """Every extension module exports the function that its name asks for.

    Why: maturin only warns, and the import fails, typically after a rename.
    Source: the interpreter, "dynamic module does not define module export function (PyInit__native)"; PEP 489, PEP 793.
    Remedy: let #[pymodule], [lib] name and module-name in pyproject.toml end in the same word
    """
    for name, library in modules(artefact).items():
        word = PurePosixPath(name).name.split(".", 1)[0]
        if word.isascii() and not {f"PyInit_{word}", f"PyModExport_{word}"} & library.exports:
            others = sorted(export for export in library.exports if export.startswith(("PyInit_", "PyModExport_")))
            yield f"{name} does not export PyInit_{word}{' but ' if others else ''}{', '.join(others)}"


@rule("wheel")
def stable_abi(artefact: Artefact) -> Iterator[str]:
    """A module of the stable ABI uses nothing else, and nothing newer than the Python in its tag.

    Why: it installs on the older Python, and fails there at import, or later.
    Source: abi3info, the data of abi3audit; the interpreter's "undefined symbol".
    Remedy: raise the abi3-pyXY feature and requires-python, or do without the function
    """
    floors = {
        tag.interpreter for tag in artefact.tags if tag.abi in {"abi3", "abi3t"} and tag.interpreter.startswith("cp3")
    }
    if not floors:
        return
    from abi3info import DATAS, FUNCTIONS  # noqa: PLC0415 - a table of the whole ABI
    from abi3info.models import Symbol  # noqa: PLC0415

    floor = Version(f"3.{max(int(text[3:]) for text in floors)}")
    for name, library in modules(artefact).items():
        if ".cpython-" in name:
            continue
        for text in sorted(library.imports):
            known = FUNCTIONS.get(Symbol(text)) or DATAS.get(Symbol(text))
            if known is None and text.startswith(("Py", "_Py")):
                yield f"{name} uses {text}, which is not in the stable ABI"
            elif known is not None and Version(str(known.added)) > floor:
                yield f"{name} uses {text}, which came with Python {known.added}, and is tagged for {floor}"


@rule("wheel", needs_project=True)
def abi_floor(artefact: Artefact, project: Expectations) -> Iterator[str]:
    """The floor in an abi3 wheel's tag is the oldest Python that is supported, of an abi3t wheel the first that has it.

    Why: another interpreter, or another feature, silently gives another floor.
    Source: PyO3/maturin#2772, databendlabs/bendsql#749.
    Remedy: set the abi3-pyXY feature in Cargo.toml to the floor of requires-python
    """
    threaded = any(tag.abi == "abi3t" for tag in artefact.tags)
    oldest = project.first_abi3t if threaded else project.oldest_python
    found = {tag.interpreter for tag in artefact.tags if tag.abi in {"abi3", "abi3t"}}
    if found - {f"cp{oldest.replace('.', '')}"}:
        yield f"it is for {', '.join(sorted(found))}, and the oldest Python for it is {oldest}"


@rule("wheel")
def glibc_floor(artefact: Artefact) -> Iterator[str]:
    """A manylinux wheel needs no newer glibc than its tag says, and a musllinux one needs none.

    Why: it installs on the older system, and cannot be loaded there.
    Source: PEP 600, PEP 656; the loader's "version `GLIBC_2.33' not found".
    Remedy: build with zig for the tag: make build
    """
    floors = [
        OLD_MANYLINUX.get(found[1]) or (int(found[2]), int(found[3]))
        for platform in platforms(artefact)
        if (found := re.match(r"(manylinux(?:_(\d+)_(\d+)|\d+))_", platform))
    ]
    musl = any(platform.startswith("musllinux_") for platform in platforms(artefact))
    for name, library in artefact.libraries.items():
        newest = max((glibc(text) for text in library.versions if text.startswith("GLIBC_2.")), default=(0, 0))
        if floors and newest > min(floors):
            yield f"{name} needs glibc {newest[0]}.{newest[1]}, and the tag says {min(floors)[0]}.{min(floors)[1]}"
        if musl and (newest > (0, 0) or "libc.so.6" in library.needed):
            yield f"{name} needs glibc, and the tag says musl"
        if floors and any(
            needed.startswith(("libc.so", "libc.musl")) and needed != "libc.so.6" for needed in library.needed
        ):
            yield f"{name} needs musl, and the tag says glibc"


def glibc(text: str) -> tuple[int, int]:
    """Return the version in a symbol version such as `GLIBC_2.17`."""
    major, minor, *_ = (*text.removeprefix("GLIBC_").split("."), "0")
    return int(major), int(minor)


@rule("wheel")
def macos_floor(artefact: Artefact) -> Iterator[str]:
    """A macOS wheel runs on the macOS in its tag.

    Why: the tag understates what the library was compiled for, and the older Mac cannot load it.
    Source: justrach/turboAPI#221; the minimum version in the load commands of the library.
    Remedy: fix MACOSX_DEPLOYMENT_TARGET, and build anew
    """
    for platform in platforms(artefact):
        found = re.match(r"macosx_(\d+)_(\d+)_(\w+)", platform)
        for name, library in artefact.libraries.items() if found else ():
            for machine, floor in library.macos.items():
                # Apple's processors came with macOS 11, whatever a universal2 wheel says of the other half.
                oldest = (11, 0) if machine == "arm64" else (0, 0)
                if (
                    found
                    and found[3] in {machine, "universal2"}
                    and floor > max((int(found[1]), int(found[2])), oldest)
                ):
                    yield f"{name} needs macOS {floor[0]}.{floor[1]} on {machine}, and the tag says {platform}"


@rule("wheel")
def no_libpython(artefact: Artefact) -> Iterator[str]:
    """No extension module is linked with a library of one Python; on Windows, one of the stable ABI with python3.dll.

    Why: most Pythons do not bring libpython, and a module of the stable ABI must run on all.
    Source: maturin, "Your library links libpython"; PyO3/maturin#2526.
    Remedy: leave PYO3_BUILD_EXTENSION_MODULE to maturin, and build anew: make build
    """
    stable = any(tag.abi in {"abi3", "abi3t"} for tag in artefact.tags)
    for name, library in modules(artefact).items():
        for needed in sorted(library.needed):
            if ANOTHER_PYTHON.search(needed) and (stable or library.kind != "PE"):
                yield f"{name} is linked with {needed}"


@rule("wheel", needs_project=True)
def release_build(artefact: Artefact, project: Expectations) -> Iterator[str]:
    """The native module is a release build, without debugging symbols.

    Why: a debug build is ten times as large and as slow, and maturin does not warn.
    Source: seen with maturin 1.16: `maturin build` without --release says nothing.
    Remedy: build with: make build
    """
    del project
    for name, library in artefact.libraries.items():
        if not library.stripped:
            yield f"{name} has debugging symbols"
        # What the standard library says where debug assertions are compiled in, and only there.
        if b"unsafe precondition(s) violated" in (artefact.read(name) or b""):
            yield f"{name} is a debug build"
