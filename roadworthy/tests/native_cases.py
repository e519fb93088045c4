"""Libraries of all systems, each with one thing unusual: what the gate refuses, by which rule, and what it takes."""

import struct
from collections.abc import Callable
from functools import partial

from broken import Files
from linked import (
    GLIBC,
    THREADS,
    dynamic,
    each_header,
    elf,
    macho,
    pe,
    put,
    universal,
    with_command,
)

Make = Callable[[], "bytes | Files"]
LINUX, MUSL, MAC, WIN = "manylinux_2_17_x86_64", "musllinux_1_2_x86_64", "macosx_11_0_arm64", "win_amd64"
UNIVERSAL = "macosx_10_12_universal2"
INTEL_MAC = "cp310-abi3-macosx_10_12_x86_64"
GNU = "x86_64-linux-gnu"
LC_CODE_SIGNATURE, LC_BUILD_VERSION, LC_LOAD_DYLIB, LC_LOAD_WEAK_DYLIB = 0x1D, 0x32, 0xC, 0x80000018
DT_FLAGS_1 = 0x6FFFFFFB
PT_DYNAMIC, PT_NOTE, PT_GNU_EH_FRAME, PT_GNU_STACK, PT_NOTHING = 2, 4, 0x6474E550, 0x6474E551, 0x6FFFFFFF
INTEL = partial(macho, machine="x86_64", system="macos.10.12")
ZLIB = (GLIBC, ("libz.so.1", ""))
SSL = (GLIBC, ("libssl.so.3", ""))
# A library that is no module.
PLAIN = partial(elf, init="work", function="work2")


CALLING = "void *more(void) { return PyModuleDef_Init(definition); }\n"
PLAIN_DLL = partial(pe, "KERNEL32.dll", init="work", function="GetVersion")


def needing_processor(content: bytes, levels: int) -> bytes:
    """Return an ELF file with a note of the processors that it needs (psABI: GNU_PROPERTY_X86_ISA_1_NEEDED)."""
    note = struct.pack("<III4sIII4x", 4, 16, 5, b"GNU\0", 0xC0008002, 4, levels)
    place = struct.pack("<IIQQQQQQ", PT_NOTE, 4, len(content), 0, 0, len(note), len(note), 8)
    return each_header(content, PT_GNU_EH_FRAME, lambda header: header.__setitem__(slice(None), place)) + note


def needing(library: str, version: str = "") -> Make:
    return partial(elf, needs=(GLIBC, (library, version)))


def both(arm: bytes, intel: bytes) -> bytes:
    return universal(intel, arm)


def soft(machine: str) -> bytes:
    """Return a module that does without a unit for floating point (elf/elf.h: EF_ARM_ABI_FLOAT_SOFT)."""
    return put(elf(machine=machine), 36, struct.pack("<I", 0x05000200))


def subtype(make: Callable[[], bytes], number: int, machine: str) -> bytes:
    """Return a Mach-O module for one kind of a processor (mach/machine.h)."""
    del machine
    return put(make(), 8, struct.pack("<I", number))


# name: (the rule that refuses it or None, the tags, the file in the wheel, what it is)
NAMES: dict[str, tuple[str | None, str, str, Make]] = {
    f"{file} for {tags}": ("module-name" if refused else None, tags, f"pkg/{file}", make)
    for refused, tags, file, make in (
        (0, f"cp310-abi3-{LINUX}", "_core.abi3.so", elf),
        (0, f"cp310-abi3-{LINUX}", "_core.so", elf),
        (0, f"cp312-cp312-{LINUX}", f"_core.cpython-312-{GNU}.so", elf),
        (0, f"cp312-cp312-{LINUX}", "_core.abi3.so", elf),
        (0, f"cp314-cp314t-{LINUX}", f"_core.cpython-314t-{GNU}.so", elf),
        (0, f"cp315-abi3.abi3t-{LINUX}", "_core.abi3t.so", elf),
        (0, f"cp315-abi3.abi3t-{LINUX}", f"_core.abi3t-{GNU}.so", elf),
        (0, f"cp315-abi3-{LINUX}", f"_core.abi3-{GNU}.so", elf),
        (0, f"py3-none-{LINUX}", f"_core.cpython-312-{GNU}.so", elf),
        (0, f"pp311-pypy311_pp73-{LINUX}", "_core.pypy311-pp73-x86_64-linux-gnu.so", elf),
        (0, f"cp310-abi3-{LINUX}", "_core.v1/data.abi3.so", partial(elf, init="PyInit_data")),
        (0, f"cp310-abi3-{WIN}", "_core.pyd", partial(pe, "python3.dll")),
        (0, f"cp312-cp312-{WIN}", "_core.cp312-win_amd64.pyd", partial(pe, "python312.dll")),
        (0, f"cp312-cp312-{WIN}", "_core.pyd", partial(pe, "python3.dll")),
        (0, f"cp314-cp314t-{WIN}", "_core.cp314t-win_amd64.pyd", partial(pe, "python314t.dll")),
        (0, f"cp312-cp312-{MAC}", "_core.cpython-312-darwin.so", macho),
        (0, f"cp315-cp315t-{MAC}", "_core.abi3t-darwin.so", macho),
        (0, f"cp315-cp315-{MAC}", "_core.abi3-darwin.so", macho),
        (0, f"cp37-cp37m-{WIN}", "_core.cp37-win_amd64.pyd", partial(pe, "python37.dll")),
        (0, f"cp310-abi3-{LINUX}", "__init__.abi3.so", partial(elf, init="PyInit_pkg")),
        (1, f"cp314-cp314t-{MAC}", "_core.abi3t-darwin.so", macho),
        (1, "py3-none-any", f"_core.cpython-312-{GNU}.so", elf),
        (1, "py3-none-any", "_core.pyd", partial(pe, "python312.dll")),
        (1, f"cp310-abi3-{LINUX}", "_core.pyd", elf),
        (1, f"cp312-cp312-{LINUX}", "_core.cpython-312-aarch64-linux-gnu.so", elf),
        (1, f"cp314-cp314t-{LINUX}", "_core.abi3.so", elf),
        (1, f"cp313-cp313t-{LINUX}", "_core.abi3.so", elf),
        (1, f"cp312-cp312-{LINUX}", f"_core.cpython-311-{GNU}.so", elf),
        (1, f"cp314-cp314t-{LINUX}", f"_core.cpython-314-{GNU}.so", elf),
        (1, f"cp314-cp314-{LINUX}", f"_core.cpython-314t-{GNU}.so", elf),
        (1, f"cp312-cp312-{LINUX}", f"_core.cpython-312d-{GNU}.so", elf),
        (1, f"cp310-abi3-{LINUX}", "_core.abi3t.so", elf),
        (1, f"cp310-abi3-{LINUX}", f"_core.abi3-{GNU}.so", elf),
        (1, f"cp310-abi3-{LINUX}", f"_core.cpython-310-{GNU}.so", elf),
        (1, f"cp310-abi3-{LINUX}", "_core.abi4.so", elf),
        (1, f"cp310-abi3-{LINUX}", "_core.so.1", elf),
        (1, f"cp315-abi3.abi3t-{LINUX}", "_core.abi3.so", elf),
        (1, f"cp315-abi3t-{LINUX}", "_core.abi3.so", elf),
        (1, f"cp312-cp312-{LINUX}", "_core.cpython-312-darwin.so", elf),
        (1, f"cp312-cp312-{LINUX}", "_core.cpython-312-x86_64-linux-musl.so", elf),
        (1, f"cp312-cp312-{LINUX}", "_core.cpython-312.so", elf),
        (1, f"cp312-cp312-{MAC}", f"_core.cpython-312-{GNU}.so", macho),
        (1, f"cp310-abi3-{MAC}", "_core.abi3.dylib", macho),
        (1, f"cp312-cp312-{WIN}", "_core.cp311-win_amd64.pyd", partial(pe, "python312.dll")),
        (1, f"cp312-cp312-{WIN}", "_core.cp312-win32.pyd", partial(pe, "python312.dll")),
        (1, f"cp314-cp314-{WIN}", "_core.cp314t-win_amd64.pyd", partial(pe, "python314.dll")),
        (1, f"cp310-abi3-{WIN}", "_core.cp310-win_amd64.pyd", partial(pe, "python3.dll")),
        (1, f"cp310-abi3-{WIN}", "_core.abi3.so", partial(pe, "python3.dll")),
        (1, f"cp310-abi3-{WIN}", "_core.dll", partial(pe, "python3.dll")),
    )
}
NO_LIBC = partial(elf, needs=())
MACHINES: dict[str, tuple[str | None, str, str, Make]] = {
    f"{file} for {tags} of {make.keywords.get('machine', 'x86_64')}": (rule, tags, f"pkg/{file}", make)
    for rule, tags, file, make in (
        (None, f"cp312-cp312-{MUSL}", "_core.cpython-312-x86_64-linux-musl.so", NO_LIBC),
        (None, f"cp310-cp310-{MUSL}", f"_core.cpython-310-{GNU}.so", NO_LIBC),
        (None, "cp312-cp312-manylinux_2_17_i686", "_core.cpython-312-i386-linux-gnu.so", partial(elf, machine="x86")),
        (
            None,
            "cp312-cp312-manylinux_2_17_armv7l",
            "_core.cpython-312-arm-linux-gnueabihf.so",
            partial(elf, machine="arm"),
        ),
        (
            None,
            "cp312-cp312-manylinux_2_17_s390x",
            "_core.cpython-312-s390x-linux-gnu.so",
            partial(elf, machine="s390x"),
        ),
        (None, "cp310-abi3-manylinux_2_17_aarch64", "_core.abi3.so", partial(elf, machine="aarch64")),
        (None, "cp310-abi3-win_arm64", "_core.pyd", partial(pe, "python3.dll", machine="aarch64")),
        ("module-name", f"cp312-cp312-{MUSL}", f"_core.cpython-312-{GNU}.so", NO_LIBC),
        ("module-name", f"cp310-cp310-{MUSL}", "_core.cpython-310-x86_64-linux-musl.so", NO_LIBC),
        (
            "module-name",
            "cp312-cp312-manylinux_2_17_i686",
            "_core.cpython-312-i686-linux-gnu.so",
            partial(elf, machine="x86"),
        ),
        (
            "module-name",
            "cp312-cp312-manylinux_2_17_armv7l",
            "_core.cpython-312-arm-linux-gnueabi.so",
            partial(elf, machine="arm"),
        ),
        ("library-machine", f"cp310-abi3-{LINUX}", "_core.abi3.so", partial(elf, machine="aarch64")),
        ("library-machine", f"cp310-abi3-{LINUX}", "_core.abi3.so", partial(elf, machine="x86")),
        ("library-machine", "cp310-abi3-manylinux_2_17_armv7l", "_core.abi3.so", partial(soft, machine="arm")),
        ("library-machine", f"cp310-abi3-{MAC}", "_core.abi3.so", partial(subtype, macho, 2, machine="arm64e")),
        ("library-machine", INTEL_MAC, "_core.abi3.so", partial(subtype, INTEL, 8, machine="x86_64h")),
        ("library-machine", f"cp310-abi3-{LINUX}", "_core.abi3.so", partial(elf, machine="s390x")),
        ("library-machine", "cp310-abi3-manylinux_2_17_aarch64", "_core.abi3.so", partial(elf, machine="arm")),
        ("library-machine", f"cp310-abi3-{MAC}", "_core.abi3.so", INTEL),
        ("library-machine", f"cp310-abi3-{UNIVERSAL}", "_core.abi3.so", INTEL),
        ("library-machine", f"cp310-abi3-{WIN}", "_core.pyd", partial(pe, "python3.dll", machine="aarch64")),
        ("library-machine", "cp310-abi3-win_arm64", "_core.pyd", partial(pe, "python3.dll")),
    )
}


def bundled(path: str, **keywords: object) -> Files:
    """Return a module with a library of its own, which it finds by RPATH."""
    needs = (GLIBC, ("libown.so.1", "OWN_1"))
    return {
        "pkg/_core.abi3.so": elf(f"-Wl,-rpath,{path}", needs=needs),
        "pkg.libs/libown.so.1": PLAIN(**keywords),
    }


# What is in the file of the stable ABI, which is called as it should be; or all files.
LINUX_CASES: dict[str, tuple[str | None, Make]] = {
    "it is text": ("library-readable", lambda: b"hello"),
    "it is empty": ("library-readable", lambda: b""),
    "it is a static library": ("library-readable", lambda: b"!<arch>\n" + b" " * 99),
    "it is for macOS": ("library-readable", macho),
    "it is for Windows": ("library-readable", lambda: pe("python3.dll")),
    "its end is cut off": ("library-readable", lambda: elf()[:-100]),
    "half of it is cut off": ("library-readable", lambda: elf()[:1400]),
    "all is cut off but its header": ("library-readable", lambda: elf()[:64]),
    "its header is cut": ("library-readable", lambda: elf()[:40]),
    "its sections lie beyond its end": ("library-readable", lambda: put(elf(), 40, struct.pack("<Q", 1 << 20))),
    "its segments lie beyond its end": (
        "library-readable",
        lambda: each_header(elf(), 1, lambda header: header.__setitem__(slice(32, 40), struct.pack("<Q", 1 << 20))),
    ),
    "it is for FreeBSD": ("library-readable", lambda: put(elf(), 7, b"\x09")),
    "it is for Solaris": ("library-readable", lambda: put(elf(), 7, b"\x06")),
    "it is of a newer version of ELF": ("library-readable", lambda: put(elf(), 6, b"\2")),
    "it is of another ABI": ("library-readable", lambda: put(elf(), 8, b"\x09")),
    "it may not be opened": ("library-loadable", lambda: dynamic(elf("-Wl,-z,now"), DT_FLAGS_1, DT_FLAGS_1, 0x41)),
    "it needs a newer processor": ("library-loadable", lambda: needing_processor(elf(), 4)),
    "it needs any processor": (None, lambda: needing_processor(elf(), 1)),
    "it is made for a Python for debugging": ("stable-abi", lambda: elf(function="_Py_RefTotal")),
    "it has a module beside it that is none": (
        None,
        lambda: {"pkg/_core.abi3.so": elf(), "pkg/_own.abi3.so": PLAIN()},
    ),
    "it has another system's beside it": (None, lambda: {"pkg/_core.abi3.so": elf(), "pkg/own.dll": PLAIN_DLL()}),
    "it has another processor's beside it": (
        None,
        lambda: {"pkg/_core.abi3.so": elf(), "pkg/libown.so": PLAIN(machine="aarch64")},
    ),
    "it says that it is for Linux": (None, lambda: put(elf(), 7, b"\x03")),
    "it is a program": ("library-readable", lambda: put(elf(), 16, b"\x02")),
    "what is zeros in memory begins behind its end": (None, lambda: zeros_behind(elf())),
    "it is an object file": ("library-readable", lambda: put(elf(), 16, b"\x01")),
    "it cannot be linked with": (
        "library-readable",
        lambda: each_header(
            elf(), PT_DYNAMIC, lambda header: header.__setitem__(slice(4), struct.pack("<I", PT_NOTHING))
        ),
    ),
    "it has no sections": (None, lambda: put(put(elf(), 40, bytes(8)), 58, bytes(6))),
    "it has another init function": ("init-function", lambda: elf(init="PyInit__cord")),
    "its init function is hidden": ("init-function", lambda: elf(visibility="hidden", more=CALLING)),
    "it has another kind of init function": (None, lambda: elf(init="PyModExport__core")),
    "it uses an internal function": ("stable-abi", lambda: elf(function="_PyObject_CallMethodId")),
    "it uses a function of no limited API": ("stable-abi", lambda: elf(function="PyCode_New")),
    "it uses a function of 3.11": ("stable-abi", lambda: elf(function="PyBuffer_Release")),
    "it uses a function of 3.10": (None, lambda: elf(function="PyUnicode_AsUTF8AndSize")),
    "it needs a newer glibc": ("glibc-floor", lambda: elf(needs=(("libc.so.6", "GLIBC_2.34"),))),
    "it needs the next glibc": ("glibc-floor", lambda: elf(needs=(("libc.so.6", "GLIBC_2.18"),))),
    "it needs relative relocations": ("glibc-floor", lambda: elf(needs=(("libc.so.6", "GLIBC_ABI_DT_RELR"),))),
    "it needs what glibc keeps to itself": ("glibc-floor", lambda: elf(needs=(("libc.so.6", "GLIBC_PRIVATE"),))),
    "it needs another C++": ("glibc-floor", needing("libstdc++.so.6", "GLIBCXX_3.4.30")),
    "it needs another ABI of C++": ("glibc-floor", needing("libstdc++.so.6", "CXXABI_1.3.13")),
    "it needs another gcc": ("glibc-floor", needing("libgcc_s.so.1", "GCC_12.0.0")),
    "it needs another zlib": ("glibc-floor", needing("libz.so.1", "ZLIB_1.2.9")),
    "it needs another libatomic": ("glibc-floor", needing("libatomic.so.1", "LIBATOMIC_1.2")),
    "it needs the C++ of the tag": (None, needing("libstdc++.so.6", "GLIBCXX_3.4.19")),
    "it needs the zlib of the tag": (None, needing("libz.so.1", "ZLIB_1.2.0")),
    "it needs musl": ("glibc-floor", lambda: elf(needs=(("libc.musl-x86_64.so.1", ""),))),
    "it needs OpenSSL": ("needed-libraries", lambda: elf(needs=SSL)),
    "it needs libffi": ("needed-libraries", needing("libffi.so.8", "LIBFFI_BASE_8.0")),
    "it needs OpenMP": ("needed-libraries", needing("libgomp.so.1", "GOMP_4.0")),
    "it needs a newer one of the system's": ("needed-libraries", needing("libmvec.so.1")),
    "it needs a library by its path": ("needed-libraries", needing("/opt/lib/libown.so.1")),
    "it needs a library that is there": (None, lambda: bundled("$ORIGIN/../pkg.libs")),
    "it needs a library that is there, in braces": (None, lambda: bundled("${ORIGIN}/../pkg.libs")),
    "it needs a library that is elsewhere": ("needed-libraries", lambda: bundled("$ORIGIN/pkg.libs")),
    "it needs a library of another name": (
        "needed-libraries",
        lambda: {
            name.replace("own.so.1", "own.so.2"): content for name, content in bundled("$ORIGIN/../pkg.libs").items()
        },
    ),
    "it looks in the builder's folder": ("needed-libraries", lambda: elf("-Wl,-rpath,/home/builder/lib", needs=ZLIB)),
    "it looks in the folder that is current": ("needed-libraries", lambda: elf("-Wl,-rpath,lib", needs=ZLIB)),
    "it looks outside of all packages": ("needed-libraries", lambda: elf("-Wl,-rpath,$ORIGIN/../../lib", needs=ZLIB)),
    "it looks in the builder's folder for nothing": (None, lambda: elf("-Wl,-rpath,/home/builder/lib")),
    "it looks in another package": (None, lambda: elf("-Wl,-rpath,$ORIGIN/../other/lib")),
    "it asks for an executable stack": ("library-loadable", lambda: executable(elf())),
    "it does not say that its stack is none": (
        "library-loadable",
        lambda: each_header(
            elf(), PT_GNU_STACK, lambda header: header.__setitem__(slice(4), struct.pack("<I", PT_NOTHING))
        ),
    ),
    # DT_SYMENT is for those who do not know how large a symbol is.
    "its code is changed (TEXTREL)": ("library-loadable", lambda: dynamic(elf(), 11, 22, 0)),
    "its code is changed (FLAGS)": ("library-loadable", lambda: dynamic(elf(), 11, 30, 4)),
    "it has static storage for threads": ("library-loadable", lambda: elf("-ftls-model=initial-exec", more=THREADS)),
    "it has storage for threads": (None, lambda: elf("-ftls-model=local-dynamic", more=THREADS)),
    "a library of its own has static storage for threads": (
        None,
        lambda: (
            bundled("$ORIGIN/../pkg.libs", more=THREADS)
            | {"pkg.libs/libown.so.1": PLAIN("-ftls-model=initial-exec", more=THREADS)}
        ),
    ),
    "a library of its own asks for an executable stack": (
        "library-loadable",
        lambda: {**bundled("$ORIGIN/../pkg.libs"), "pkg.libs/libown.so.1": executable(PLAIN())},
    ),
    "a library of its own needs OpenSSL": (
        "needed-libraries",
        lambda: {**bundled("$ORIGIN/../pkg.libs"), "pkg.libs/libown.so.1": PLAIN(needs=SSL)},
    ),
    "a library of its own is another processor's": (
        "library-machine",
        lambda: bundled("$ORIGIN/../pkg.libs", machine="x86"),
    ),
    "its own C++ is newer": (
        None,
        lambda: {
            "pkg/_core.abi3.so": elf("-Wl,-rpath,$ORIGIN", needs=(GLIBC, ("libstdc++-1.so.6", "GLIBCXX_3.4.30"))),
            "pkg/libstdc++-1.so.6": PLAIN(),
        },
    ),
    "it is linked with Python": ("no-libpython", needing("libpython3.10.so.1.0")),
    "it is linked with any Python": ("no-libpython", needing("libpython3.so")),
    "there is a stale one beside it": (
        "module-name",
        lambda: {"pkg/_core.abi3.so": elf(), f"pkg/_core.cpython-312-{GNU}.so": elf()},
    ),
    "it is in platlib": (None, lambda: {"pkg-1.0.data/platlib/pkg/_core.abi3.so": elf()}),
}
MAC_CASES: dict[str, tuple[str | None, Make]] = {
    "it is as it should be": (None, macho),
    "its end is cut off": ("library-readable", lambda: macho()[:-100]),
    "half of it is cut off": ("library-readable", lambda: macho()[:20_000]),
    "all is cut off but its header": ("library-readable", lambda: macho()[:64]),
    "it is for Linux": ("library-readable", lambda: elf(machine="aarch64")),
    "it is a program": ("library-readable", lambda: put(macho(), 12, b"\x02")),
    "it is an object file": ("library-readable", lambda: put(macho(), 12, b"\x01")),
    "its symbols lie beside it": (
        None,
        lambda: {
            "pkg/_core.abi3.so": macho(),
            "pkg/_core.abi3.so.dSYM/Contents/Resources/DWARF/_core.abi3.so": put(macho(), 12, b"\x0a"),
        },
    ),
    "it is a bundle": (None, lambda: put(macho(), 12, b"\x08")),
    "it is for iOS": ("library-readable", lambda: with_command(macho(), LC_BUILD_VERSION, LC_BUILD_VERSION, 2)),
    "it is for the simulator": (
        "library-readable",
        lambda: with_command(macho(), LC_BUILD_VERSION, LC_BUILD_VERSION, 7),
    ),
    "it is for Catalyst": ("library-readable", lambda: with_command(macho(), LC_BUILD_VERSION, LC_BUILD_VERSION, 6)),
    "it is not signed": ("library-loadable", lambda: with_command(macho(), LC_CODE_SIGNATURE)),
    "it needs a newer macOS": ("macos-floor", lambda: macho(system="macos.14.0")),
    "it does not say which macOS": ("macos-floor", lambda: with_command(macho(), LC_BUILD_VERSION)),
    "it has another init function": ("init-function", lambda: macho(init="PyInit__cord")),
    "it uses an internal function": ("stable-abi", lambda: macho(function="_PyObject_CallMethodId")),
    "it uses a function of 3.11": ("stable-abi", lambda: macho(function="PyBuffer_Release")),
    "it needs what Homebrew has": ("needed-libraries", lambda: macho(needs=("/opt/homebrew/lib/libssl.3.dylib",))),
    "it needs what is in /usr/local": ("needed-libraries", lambda: macho(needs=("/usr/local/lib/libown.dylib",))),
    "it needs what lies beside the program": (
        "needed-libraries",
        lambda: macho(needs=("@executable_path/libown.dylib",)),
    ),
    "it needs what nobody has": ("needed-libraries", lambda: macho(needs=("@loader_path/libown.dylib",))),
    "it needs what it does not look for": (
        "needed-libraries",
        lambda: {
            "pkg/_core.abi3.so": macho(needs=("@rpath/libown.dylib",)),
            "pkg/libown.dylib": macho(init="work", function="work2"),
        },
    ),
    "it looks where Homebrew is": (
        "needed-libraries",
        lambda: {
            "pkg/_core.abi3.so": macho(
                "-Wl,-rpath,@loader_path", "-Wl,-rpath,/opt/homebrew/lib", needs=("@rpath/libown.dylib",)
            ),
            "pkg/libown.dylib": macho(init="work", function="work2"),
        },
    ),
    "it finds its own beside it": (
        None,
        lambda: {
            "pkg/_core.abi3.so": macho(needs=("@loader_path/.dylibs/libown.dylib",)),
            "pkg/.dylibs/libown.dylib": macho(init="work", function="work2"),
        },
    ),
    "it finds its own by RPATH": (
        None,
        lambda: {
            "pkg/_core.abi3.so": macho("-Wl,-rpath,@loader_path/../lib", needs=("@rpath/libown.dylib",)),
            "lib/libown.dylib": macho(init="work", function="work2"),
        },
    ),
    "it does without what it needs weakly": (
        None,
        lambda: with_command(macho(needs=("/opt/homebrew/lib/libssl.3.dylib",)), LC_LOAD_DYLIB, LC_LOAD_WEAK_DYLIB),
    ),
    "it looks for nothing where it could": (None, lambda: macho("-Wl,-rpath,/opt/homebrew/lib")),
    "it needs what the system has": (None, lambda: macho(needs=("/usr/lib/libz.1.dylib",))),
    "it is linked with a framework of Python": (
        "no-libpython",
        lambda: macho(needs=("/Library/Frameworks/Python.framework/Versions/3.10/Python",)),
    ),
    "it is linked with Python": ("no-libpython", lambda: macho(needs=("@rpath/libpython3.10.dylib",))),
}
UNIVERSAL_CASES: dict[str, tuple[str | None, Make]] = {
    "both are as they should be": (None, lambda: both(macho(), INTEL())),
    "one is cut": ("library-readable", lambda: both(macho(), INTEL())[:-40_000]),
    "one is a program": ("library-readable", lambda: both(macho(), put(INTEL(), 12, b"\x02"))),
    "one has no init function": ("init-function", lambda: both(macho(init="PyInit__cord"), INTEL())),
    "the other has no init function": ("init-function", lambda: both(macho(), INTEL(init="PyInit__cord"))),
    "one needs a newer macOS": ("macos-floor", lambda: both(macho(), INTEL(system="macos.10.15"))),
    "the other needs a newer macOS": ("macos-floor", lambda: both(macho(system="macos.12.0"), INTEL())),
    "one does not say which macOS": ("macos-floor", lambda: both(with_command(macho(), LC_BUILD_VERSION), INTEL())),
    "one is not signed": ("library-loadable", lambda: both(with_command(macho(), LC_CODE_SIGNATURE), INTEL())),
    "one needs what Homebrew has": (
        "needed-libraries",
        lambda: both(macho(), INTEL(needs=("/usr/local/opt/libssl.3.dylib",))),
    ),
    "one uses a function of 3.11": ("stable-abi", lambda: both(macho(function="PyBuffer_Release"), INTEL())),
}
WINDOWS_CASES: dict[str, tuple[str | None, Make]] = {
    "it draws": (None, lambda: pe("python3.dll", "gdiplus.dll")),
    "its end is cut off": ("library-readable", lambda: pe("python3.dll")[:-100]),
    "all is cut off but its header": ("library-readable", lambda: pe("python3.dll")[:64]),
    "it is a program": ("library-readable", lambda: no_dll(pe("python3.dll"))),
    "it is for Linux": ("library-readable", elf),
    "it has another init function": ("init-function", lambda: pe("python3.dll", init="PyInit__cord")),
    "it uses an internal function": ("stable-abi", lambda: pe("python3.dll", function="_PyObject_CallMethodId")),
    "it uses a function of 3.11": ("stable-abi", lambda: pe("python3.dll", function="PyBuffer_Release")),
    "it is linked with one Python": ("no-libpython", lambda: pe("python310.dll")),
    "it is linked with one without a lock": ("no-libpython", lambda: pe("python3t.dll")),
    "it is linked with one for debugging": ("no-libpython", lambda: pe("python3_d.dll")),
    "it is linked with one of MSYS2": ("no-libpython", lambda: pe("libpython3.10.dll")),
    "it needs OpenSSL": ("needed-libraries", lambda: pe("python3.dll", "libssl-3-x64.dll")),
    "it needs the library of C++": ("needed-libraries", lambda: pe("python3.dll", "msvcp140.dll")),
    "it needs a library for debugging": ("needed-libraries", lambda: pe("python3.dll", "vcruntime140d.dll")),
    "it needs the library of gcc": ("needed-libraries", lambda: pe("python3.dll", "libgcc_s_seh-1.dll")),
    "it needs what Windows has": (None, lambda: pe("python3.dll", "KERNEL32.dll", "api-ms-win-core-synch-l1-2-0.dll")),
    "it needs what Python has": (None, lambda: pe("python3.dll", "vcruntime140.dll", "VCRUNTIME140_1.dll")),
    "it needs a library that is there": (
        None,
        lambda: {
            "pkg/_core.pyd": pe("python3.dll", "Own-1.dll"),
            "pkg.libs/own-1.dll": pe("KERNEL32.dll", init="work", function="GetVersion"),
        },
    ),
}
PYTHONS: dict[str, tuple[str | None, str, str, Make]] = {
    f"{library} for {tags}": (
        "no-libpython" if refused else None,
        f"{tags}-{WIN}",
        "pkg/_core.pyd",
        partial(pe, library),
    )
    for refused, tags, library in (
        (0, "cp315-abi3.abi3t", "python3t.dll"),
        (0, "cp315-abi3", "python3.dll"),
        (0, "cp315-cp315t", "python3t.dll"),
        (0, "py3-none", "python312.dll"),
        (1, "cp312-cp312", "python311.dll"),
        (1, "cp312-cp312", "python312_d.dll"),
        (1, "cp313-cp313", "python313t.dll"),
        (1, "cp313-cp313t", "python313.dll"),
        (1, "cp314-cp314t", "python3.dll"),
        (1, "cp315-abi3.abi3t", "python3.dll"),
        (1, "cp315-abi3t", "python315t.dll"),
        (1, "cp310-abi3", "python312.dll"),
    )
}
OTHERS: dict[str, tuple[str | None, str, str, Make]] = {
    "glibc in a musllinux wheel": ("glibc-floor", f"cp310-abi3-{MUSL}", "pkg/_core.abi3.so", elf),
    "zlib in a musllinux wheel": (
        None,
        f"cp310-abi3-{MUSL}",
        "pkg/_core.abi3.so",
        lambda: elf(needs=(("libz.so.1", ""),)),
    ),
    "musl in a musllinux wheel": (
        None,
        f"cp310-abi3-{MUSL}",
        "pkg/_core.abi3.so",
        lambda: elf(needs=(("libc.so", ""),)),
    ),
    "C++ in a musllinux wheel": (
        "needed-libraries",
        f"cp310-abi3-{MUSL}",
        "pkg/_core.abi3.so",
        lambda: elf(needs=(("libstdc++.so.6", ""),)),
    ),
    "expat in the oldest wheel": (
        "needed-libraries",
        "cp310-abi3-manylinux1_x86_64",
        "pkg/_core.abi3.so",
        lambda: elf(needs=(("libexpat.so.1", ""),)),
    ),
    "relative relocations in a newer wheel": (
        None,
        "cp310-abi3-manylinux_2_36_x86_64",
        "pkg/_core.abi3.so",
        lambda: elf(needs=(("libc.so.6", "GLIBC_ABI_DT_RELR"),)),
    ),
    "the newer of two tags": (
        "glibc-floor",
        "cp310-abi3-manylinux_2_17_x86_64.manylinux_2_28_x86_64",
        "pkg/_core.abi3.so",
        lambda: elf(needs=(("libc.so.6", "GLIBC_2.28"),)),
    ),
    "the C library of an old Python": (
        None,
        "cp34-cp34m-win32",
        "pkg/_core.pyd",
        partial(pe, "python34.dll", "msvcr100.dll", machine="x86"),
    ),
    "the C library of an older Python": (
        "needed-libraries",
        f"cp312-cp312-{WIN}",
        "pkg/_core.pyd",
        partial(pe, "python312.dll", "msvcr100.dll"),
    ),
    "a library for ctypes in purelib": ("wheel-file", f"py3-none-{LINUX}", "pkg-1.0.data/purelib/libown.so", PLAIN),
    "a library for ctypes on Android": (
        None,
        "py3-none-android_26_x86_64",
        "pkg-1.0.data/purelib/libown.so",
        PLAIN,
    ),
    "a library for ctypes": (None, f"py3-none-{LINUX}", "pkg/libown.so", PLAIN),
}
SCRIPT = "pkg-1.0.data/scripts/frob"
PROGRAMS: dict[str, tuple[str | None, str, str, Make]] = {
    f"a program in a wheel for {tags}: {name}": (rule, f"py3-none-{tags}", SCRIPT, make)
    for name, rule, tags, make in (
        ("for that", None, LINUX, lambda: put(elf(), 16, b"\x02")),
        ("that needs what scripts are not asked for", None, LINUX, needing("libssl.so.3")),
        ("for another processor", "library-machine", LINUX, partial(elf, machine="aarch64")),
        ("for a newer glibc", "glibc-floor", LINUX, partial(elf, needs=(("libc.so.6", "GLIBC_2.33"),))),
        ("for glibc", "glibc-floor", MUSL, elf),
        ("for another system", "library-readable", LINUX, macho),
        ("that is cut", "library-readable", LINUX, lambda: elf()[:-100]),
        ("for that Mac", None, MAC, lambda: put(macho(), 12, b"\x02")),
        ("for a newer Mac", "macos-floor", MAC, lambda: put(macho(system="macos.13.0"), 12, b"\x02")),
        ("for that Windows", None, WIN, lambda: no_dll(pe("KERNEL32.dll"))),
        ("for another Windows", "library-machine", WIN, lambda: no_dll(pe("KERNEL32.dll", machine="aarch64"))),
        ("of more than 8 MiB", None, LINUX, lambda: put(elf(), 16, b"\x02") + bytes(9 << 20)),
        ("that is a script", None, LINUX, lambda: b"#!python\n"),
    )
}
CASES = {
    **NAMES,
    **PROGRAMS,
    **MACHINES,
    **PYTHONS,
    **OTHERS,
    **{
        f"{what}: {name}": (rule, f"cp310-abi3-{platform}", file, make)
        for what, platform, file, cases in (
            ("Linux", LINUX, "pkg/_core.abi3.so", LINUX_CASES),
            ("macOS", MAC, "pkg/_core.abi3.so", MAC_CASES),
            ("universal2", UNIVERSAL, "pkg/_core.abi3.so", UNIVERSAL_CASES),
            ("Windows", WIN, "pkg/_core.pyd", WINDOWS_CASES),
        )
        for name, (rule, make) in cases.items()
    },
}


def zeros_behind(content: bytes) -> bytes:
    """Return a 64-bit ELF file whose sections without content (SHT_NOBITS) begin behind it, as Go's linker has it."""
    (start,), (size, count) = struct.unpack_from("<Q", content, 40), struct.unpack_from("<HH", content, 58)
    places = [at for at in range(start, start + size * count, size) if content[at + 4] == 8]
    assert places
    for at in places:
        content = put(content, at + 24, struct.pack("<Q", len(content) + 1))
    return content


def executable(content: bytes) -> bytes:
    """Return an ELF file that asks for an executable stack."""
    return each_header(content, PT_GNU_STACK, lambda header: header.__setitem__(4, 7))


def no_dll(content: bytes) -> bytes:
    """Return a PE file that says it is a program."""
    (start,) = struct.unpack_from("<I", content, 0x3C)
    (flags,) = struct.unpack_from("<H", content, start + 22)
    return put(content, start + 22, struct.pack("<H", flags & ~0x2000))
