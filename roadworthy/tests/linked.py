"""Small libraries of every system, linked by zig, and wheels to put them in."""

import struct
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

from packaging.tags import parse_tag

from broken import Files, record_of

FOLDER = tempfile.TemporaryDirectory(prefix="linked-")
MODULE = """
extern void *{function}(void *);
extern int puts(const char *);
static int definition[26];
__attribute__((visibility("{visibility}"))) void *{init}(void) {{ puts("x"); return {function}(definition); }}
"""
THREADS = '__attribute__((visibility("default"))) __thread int counter; int count(void) { return counter++; }\n'
WINDOWS = """
__declspec(dllimport) void *{function}(void *);
static int definition[26];
__declspec(dllexport) void *{init}(void) {{ return {function}(definition); }}
int DllMainCRTStartup(void *a, unsigned b, void *c) {{ return 1; }}
"""
GLIBC = ("libc.so.6", "GLIBC_2.17")


def zig(*arguments: str) -> None:
    """Run zig in the folder."""
    subprocess.run([sys.executable, "-m", "ziglang", *arguments], cwd=FOLDER.name, check=True, capture_output=True)


def write(name: str, text: str) -> str:
    """Write a file into the folder."""
    Path(FOLDER.name, name).write_text(text, encoding="utf-8")
    return name


@cache
def elf(  # noqa: PLR0913 - what may be unusual
    *flags: str,
    machine: str = "x86_64",
    needs: tuple[tuple[str, str], ...] = (GLIBC,),
    function: str = "PyModuleDef_Init",
    init: str = "PyInit__core",
    visibility: str = "default",
    more: str = "",
) -> bytes:
    """Return a module for Linux, which needs a function of each of some libraries, in some version, or in none."""
    link = ("cc", "-target", f"{machine}-linux-{'gnueabihf' * (machine == 'arm') or 'gnu'}", "-nostdlib", "-shared")
    calls, libraries = "", []
    for number, (library, version) in enumerate(needs):
        name = "puts" if number == 0 else f"f{number}"
        calls += f"int {name}(); int call{number}(void) {{ return {name}(); }}\n" if number else ""
        stub = write(f"stub{number}.c", f"int {name}() {{ return 0; }}\n")
        symbols = write("stub.map", f"{version} {{ global: *; }};\n")
        versioned = [f"-Wl,--version-script,{symbols}"] if version else []
        zig(*link, "-fPIC", "-s", f"-Wl,-soname,{library}", *versioned, stub, "-o", f"stub{number}.so")
        libraries.append(f"stub{number}.so")
    text = MODULE.format(function=function, init=init, visibility=visibility)
    write("module.c", (text if needs else text.replace('puts("x");', "")) + calls + more)
    zig(*link, "-fPIC", "-s", "-O1", "module.c", *libraries, *flags, "-o", "module.so")
    return Path(FOLDER.name, "module.so").read_bytes()


@cache
def macho(
    *flags: str,
    machine: str = "aarch64",
    system: str = "macos.11.0",
    needs: tuple[str, ...] = (),
    function: str = "PyModuleDef_Init",
    init: str = "PyInit__core",
) -> bytes:
    """Return a module for macOS, which needs libraries of some names."""
    link = ("cc", "-target", f"{machine}-{system}", "-nostdlib", "-shared", "-s", "-Wl,-headerpad,0x400")
    calls, libraries = "", []
    for number, library in enumerate(needs):
        calls += f"int f{number}(); int call{number}(void) {{ return f{number}(); }}\n"
        stub = write(f"stub{number}.c", f"int f{number}() {{ return 0; }}\n")
        zig(*link, f"-Wl,-install_name,{library}", stub, "-o", f"libstub{number}.dylib")
        libraries.append(f"libstub{number}.dylib")
    write("module.c", MODULE.format(function=function, init=init, visibility="default") + calls)
    zig(*link, "-O1", "module.c", "-undefined", "dynamic_lookup", *libraries, *flags, "-o", "module.dylib")
    return Path(FOLDER.name, "module.dylib").read_bytes()


@cache
def pe(*needs: str, machine: str = "x86_64", function: str = "PyModuleDef_Init", init: str = "PyInit__core") -> bytes:
    """Return a module for Windows, which needs a function of each of some libraries; of the first, one of Python's."""
    text, libraries = WINDOWS.format(function=function, init=init), []
    kind = {"x86_64": "i386:x86-64", "aarch64": "arm64", "x86": "i386"}[machine]
    for number, library in enumerate(needs):
        name = f"f{number}" if number else function
        text += f"__declspec(dllimport) int f{number}(void);\n" * bool(number)
        text += f"__declspec(dllexport) int call{number}(void) {{ return f{number}(); }}\n" * bool(number)
        zig(
            "dlltool", "-m", kind, "-l", f"i{number}.lib", "-d", write("i.def", f"LIBRARY {library}\nEXPORTS\n{name}\n")
        )
        libraries.append(f"i{number}.lib")
    write("module.c", text)
    link = ("cc", "-target", f"{machine}-windows-gnu", "-nostdlib", "-shared", "-s", "-O1", "-Wl,-e,DllMainCRTStartup")
    zig(*link, "module.c", *libraries, "-o", "module.dll")
    return Path(FOLDER.name, "module.dll").read_bytes()


def universal(*slices: bytes) -> bytes:
    """Return a Mach-O file for several processors (mach-o/fat.h)."""
    offset, header, body = 0x4000, struct.pack(">II", 0xCAFEBABE, len(slices)), b""
    for content in slices:
        processor = struct.unpack_from("<II", content, 4)
        header += struct.pack(">IIIII", *processor, offset + len(body), len(content), 14)
        body += content + b"\0" * (-len(content) % 0x4000)
    return header.ljust(offset, b"\0") + body


def put(content: bytes, offset: int, value: bytes) -> bytes:
    """Return it with bytes replaced at a place."""
    assert len(content) >= offset + len(value)
    return content[:offset] + value + content[offset + len(value) :]


def with_command(content: bytes, command: int, put_in_place: int = 0x7F, *more: int) -> bytes:
    """Return a Mach-O file for one processor with one kind of load command made another, or with other values in it."""
    count, at = struct.unpack_from("<I", content, 16)[0], 32
    for _ in range(count):
        found, size = struct.unpack_from("<II", content, at)
        if found == command:
            content = put(content, at, struct.pack(f"<II{len(more)}I", put_in_place, size, *more))
        at += size
    return content


def each_header(content: bytes, kind: int, change: Callable[[bytearray], object]) -> bytes:
    """Return a 64-bit ELF file with program headers of a kind changed: type, flags, offset and so on (elf(5))."""
    start, size, count = (
        struct.unpack_from(f"<{form}", content, at)[0] for form, at in (("Q", 32), ("H", 54), ("H", 56))
    )
    for at in range(start, start + size * count, size):
        if struct.unpack_from("<I", content, at)[0] == kind:
            header = bytearray(content[at : at + size])
            change(header)
            content = put(content, at, bytes(header))
    return content


def dynamic(content: bytes, old: int, new: int, value: int) -> bytes:
    """Return a 64-bit ELF file with one entry of its dynamic section made another."""
    found: list[int] = []
    each_header(content, 2, lambda header: found.extend(struct.unpack_from("<Q24xQ", header, 8)))
    for at in range(found[0], sum(found), 16):
        if struct.unpack_from("<Q", content, at)[0] == old:
            return put(content, at, struct.pack("<QQ", new, value))
    raise AssertionError(old)


def native_wheel(folder: Path, tags: str, files: Files) -> Path:
    """Write a wheel with these tags and files, and with nothing wrong but what is wrong with them."""
    info = "pkg-1.0.dist-info"
    metadata = "Metadata-Version: 2.1\nName: pkg\nVersion: 1.0\nDescription-Content-Type: text/markdown\n\nA text.\n"
    lines = ["Wheel-Version: 1.0", "Root-Is-Purelib: false", *sorted(f"Tag: {tag}" for tag in parse_tag(tags)), ""]
    files = {**files, f"{info}/METADATA": metadata.encode(), f"{info}/WHEEL": "\n".join(lines).encode()}
    path = folder / f"pkg-1.0-{tags}.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for file, content in {**files, f"{info}/RECORD": record_of(files, f"{info}/RECORD")}.items():
            archive.writestr(file, content)
    return path
