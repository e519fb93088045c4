"""What the worst files take: each stays below PyPI's limit of size, and is judged in a process of its own.

usage: python benchmarks/bounds.py [WORD]

Prints a table of memory (the most that was resident) and time, and fails where one takes more than 300 MB or 60 s.
WORD: only the cases whose name has it in it.
"""

import gzip
import io
import multiprocessing
import random
import re
import resource
import struct
import sys
import tarfile
import tempfile
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

from report import PROJECT
from roadworthy.gate.check import check, expect
from roadworthy.gate.model import LARGEST_TEXT
from roadworthy.terminal import out, problem, run_main

MIB = 1 << 20
# A little less than PyPI's limit, so that the rest of the archive fits too.
LARGEST = 98 * MIB
MOST_MEMORY, LONGEST = 300, 60
WHEEL, SDIST = "bounds-1-py3-none-any.whl", "bounds-1.tar.gz"
INFO, TOP = "bounds-1.dist-info", "bounds-1"
METADATA = b"Metadata-Version: 2.1\nName: bounds\nVersion: 1\nDescription-Content-Type: text/x-rst\n"
CASES: dict[str, tuple[str, Callable[[Path], object]]] = {}
Writer = Callable[[Path], object]


def case(name: str, file: str) -> Callable[[Writer], Writer]:
    """Register what writes a file."""

    def register(write: Writer) -> Writer:
        CASES[name] = (file, write)
        return write

    return register


def write_wheel(path: Path, *added: tuple[str, bytes], metadata: bytes = METADATA, info: bool = True) -> None:
    """Write a wheel with further members; with the same name twice, the further one is the second."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        if info:
            archive.writestr(f"{INFO}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            archive.writestr(f"{INFO}/METADATA", metadata)
            if all(name != f"{INFO}/RECORD" for name, _ in added):
                archive.writestr(f"{INFO}/RECORD", b"")
        for name, content in added:
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)


def write_sdist(path: Path, blocks: Iterator[bytes], *, level: int = 1) -> None:
    """Write an sdist of PKG-INFO and of these blocks, which need not be the content of members."""
    with gzip.open(path, "wb", compresslevel=level) as stream:
        stream.write(block(f"{TOP}/PKG-INFO", METADATA))
        for each in blocks:
            stream.write(each)
        stream.write(bytes(1024))


def block(name: str, content: bytes = b"", kind: bytes = tarfile.REGTYPE, size: int | None = None) -> bytes:
    """Return a member of a tar file, its header saying another size perhaps."""
    entry = tarfile.TarInfo(name)
    entry.size, entry.type = len(content) if size is None else size, kind
    return entry.tobuf(tarfile.USTAR_FORMAT) + content + bytes(-len(content) % 512)


def pax(content: bytes, kind: bytes = tarfile.XHDTYPE) -> bytes:
    """Return a header of pax."""
    return block("pax", content, kind)


def record(key: str, value: str) -> bytes:
    """Return a record of a header of pax, which begins with its own length."""
    rest = f" {key}={value}\n".encode()
    length = len(rest) + len(str(len(rest)))
    length = len(rest) + len(str(length))
    return str(length).encode() + rest


# ---- wheels
@case("a wheel of 1 GiB of zeros in 100 MB of noise", WHEEL)
def _(path: Path) -> None:
    noise = random.Random(1).randbytes(20 * MIB)
    write_wheel(path, ("noise", noise), *((f"z{n}", bytes(100 * MIB)) for n in range(9)))


@case("a wheel of 98 MB of noise", WHEEL)
def _(path: Path) -> None:
    write_wheel(path, ("noise", random.Random(1).randbytes(LARGEST)))


@case("a wheel of 65,000 members", WHEEL)
def _(path: Path) -> None:
    write_wheel(path, *((f"bounds/{n:05}/a{n}.py", b"x") for n in range(65_000)))


@case("a wheel of 500,000 members", WHEEL)
def _(path: Path) -> None:
    write_wheel(path, *((f"{n}", b"") for n in range(500_000)))


@case("a directory of 12 MiB without names", WHEEL)
def _(path: Path) -> None:
    central = struct.pack("<4s24xHH14x", b"PK\1\2", 0, 0)
    number = (12 << 20) // len(central)
    path.write_bytes(central * number + struct.pack("<4s4xHHLL2x", b"PK\5\6", 1, 1, len(central) * number, 0))


@case("a directory of 98 MB", WHEEL)
def _(path: Path) -> None:
    central = struct.pack("<4s24xHH14x", b"PK\1\2", 0, 0)
    number = LARGEST // len(central)
    path.write_bytes(central * number + struct.pack("<4s4xHHLL2x", b"PK\5\6", 1, 1, len(central) * number, 0))


@case("one name of 60,000 folders, 150 times", WHEEL)
def _(path: Path) -> None:
    write_wheel(path, *((f"{n}/" + "ab/" * 20_000 + "x", b"") for n in range(150)))


@case("further fields of 65,000 bytes in each header", WHEEL)
def _(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(150):
            entry = zipfile.ZipInfo(f"f{number}")
            entry.extra = struct.pack("<HH", 0x7777, 0) * 16_000
            archive.writestr(entry, b"")


@case("members that share their data", WHEEL)
def _(path: Path) -> None:
    stream = zlib.compressobj(9, zlib.DEFLATED, -15)
    data = stream.compress(bytes(50 * MIB)) + stream.flush()
    local, central = b"", b""
    for number in range(1_000):
        name = f"{number:05}".encode()
        head = struct.pack("<HHHHHLLLHH", 20, 0, 8, 0, 33, 0, len(data), 50 * MIB, len(name), 0)
        central += b"PK\1\2" + struct.pack("<H", 20) + head + struct.pack("<HHHLL", 0, 0, 0, 0, 0) + name
        local = local or b"PK\3\4" + head + name + data
    end = struct.pack("<4sHHHHLLH", b"PK\5\6", 0, 0, 1_000, 1_000, len(central), len(local), 0)
    path.write_bytes(local + central + end)


@case("a RECORD of 8 MiB of empty lines", WHEEL)
def _(path: Path) -> None:
    write_wheel(path, (f"{INFO}/RECORD", b"\n" * (8 * MIB)))


@case("a RECORD of 8 MiB of short names", WHEEL)
def _(path: Path) -> None:
    write_wheel(path, (f"{INFO}/RECORD", b"".join(b"%x,,\n" % n for n in range(900_000))[: 8 * MIB]))


@case("a RECORD of 8 MiB that lists one file", WHEEL)
def _(path: Path) -> None:
    write_wheel(path, ("a", b"x"), (f"{INFO}/RECORD", b"a,sha512=x,\n" * (8 * MIB // 12)))


@case("a RECORD of 8 MiB that lists one large file", WHEEL)
def _(path: Path) -> None:
    write_wheel(
        path, ("noise", random.Random(1).randbytes(20 * MIB)), ("a", bytes(900 * MIB)),
        (f"{INFO}/RECORD", b"a,sha512=x,\n" * (8 * MIB // 12)),
    )  # fmt: skip


@case("a RECORD of 1 GiB", WHEEL)
def _(path: Path) -> None:
    write_wheel(path, ("noise", random.Random(1).randbytes(20 * MIB)), (f"{INFO}/RECORD", b"a,,\n" * (250 * MIB)))


@case("a METADATA of 1 GiB", WHEEL)
def _(path: Path) -> None:
    noise = random.Random(1).randbytes(20 * MIB)
    write_wheel(path, ("noise", noise), metadata=METADATA + b"Keywords: x\n" * (80 * MIB))


@case("a METADATA of 512 KiB of unknown fields", WHEEL)
def _(path: Path) -> None:
    write_wheel(path, metadata=(METADATA + b"".join(b"x%x:\n" % n for n in range(90_000)))[: MIB // 2])


@case("a METADATA of 512 KiB of one field", WHEEL)
def _(path: Path) -> None:
    write_wheel(path, metadata=METADATA + b"a:\n" * (MIB // 2 // 3 - 100))


@case("a METADATA of 512 KiB of requirements", WHEEL)
def _(path: Path) -> None:
    write_wheel(path, metadata=METADATA + b"Requires-Dist: a\n" * (MIB // 2 // 17 - 10))


@case("a METADATA of 512 KiB of licence files", WHEEL)
def _(path: Path) -> None:
    write_wheel(
        path, metadata=b"Metadata-Version: 2.4\n" + METADATA[22:] + b"License-File: a\n" * (MIB // 2 // 16 - 10)
    )


@case("a METADATA of 4,900 unknown fields", WHEEL)
def _(path: Path) -> None:
    write_wheel(path, metadata=METADATA + b"".join(b"x%x:\n" % n for n in range(4_900)))


@case("a description of 19,800 lines, each an item", WHEEL)
def _(path: Path) -> None:
    write_wheel(path, metadata=METADATA + b"\n" + b"* a\n\n" * 9_900)


@case("a description of 512 KiB of stars", WHEEL)
def _(path: Path) -> None:
    write_wheel(path, metadata=METADATA + b"\n" + b"*a " * (MIB // 2 // 3 - 40))


@case("a description of 512 KiB, nested", WHEEL)
def _(path: Path) -> None:
    text = b"".join(b" " * n + b"- a\n\n" for n in range(950))
    write_wheel(path, metadata=METADATA + b"\n" + text)


@case("entry points of 512 KiB of blanks", WHEEL)
def _(path: Path) -> None:
    write_wheel(path, (f"{INFO}/entry_points.txt", b"[console_scripts]\na" + b" " * (MIB // 2 - 100) + b"b"))


@case("entry points of 512 KiB, few blanks at a time", WHEEL)
def _(path: Path) -> None:
    write_wheel(path, (f"{INFO}/entry_points.txt", b"[console_scripts]\n" + b"a        " * (50_000) + b"b"))


@case("entry points of 512 KiB of sections", WHEEL)
def _(path: Path) -> None:
    text = b"".join(b"[%x]\na=b\n" % n for n in range(38_000))
    write_wheel(path, (f"{INFO}/entry_points.txt", text))


@case("a library of 160 MiB", WHEEL)
def _(path: Path) -> None:
    write_wheel(
        path, ("noise", random.Random(1).randbytes(20 * MIB)), ("bounds/a.abi3.so", b"\x7fELF" + bytes(160 * MIB - 4))
    )


@case("a library of 900 MiB", WHEEL)
def _(path: Path) -> None:
    write_wheel(
        path, ("noise", random.Random(1).randbytes(20 * MIB)), ("bounds/a.abi3.so", b"\x7fELF" + bytes(900 * MIB - 4))
    )


def elf(symbols: int, *, begin: bytes = b"") -> bytes:
    """Return an ELF file with as many symbols, each with a name of its own, and a table of hashes."""
    size = len(begin) + 8
    names = b"\0" + b"".join(begin + b"%07x\0" % n for n in range(symbols))
    table = bytes(24) + b"".join(struct.pack("<LBBHQQ", 1 + size * n, 0x12, 0, 1, 0, 0) for n in range(symbols))
    hashes = struct.pack("<LL", 1, symbols + 1) + bytes(4 * (symbols + 2))
    start, places = 64 + 2 * 56, []
    for part in (table, names, hashes):
        places.append(start)
        start += len(part)
    # DT_SYMTAB, DT_STRTAB, DT_HASH, DT_STRSZ, DT_NULL
    tags = zip((6, 5, 4, 10, 0), (*places, len(names), 0), strict=True)
    dynamic = b"".join(struct.pack("<QQ", *tag) for tag in tags)
    head = b"\x7fELF\2\1\1" + bytes(9) + struct.pack("<HHLQQQLHHHHHH", 3, 62, 1, 0, 64, 0, 0, 64, 56, 2, 64, 0, 0)
    head += struct.pack("<LLQQQQQQ", 1, 4, 0, 0, 0, start + len(dynamic), start + len(dynamic), 1)
    head += struct.pack("<LLQQQQQQ", 2, 4, start, start, start, len(dynamic), len(dynamic), 8)
    return head + table + names + hashes + dynamic


@case("a .data folder of as many files as are read", WHEEL)
def _(path: Path) -> None:
    write_wheel(path, *((f"bounds-1.data/purelib/{n}.py", b"") for n in range(65_000)))


@case("a library of 3 million symbols of Python's", WHEEL)
def _(path: Path) -> None:
    write_wheel(path, ("bounds/a.abi3.so", elf(3_000_000, begin=b"Py")))


@case("a library of 4 million symbols", WHEEL)
def _(path: Path) -> None:
    write_wheel(path, ("bounds/a.abi3.so", elf(4_000_000)))


# ---- sdists
@case("an sdist of 1 GiB of zeros", SDIST)
def _(path: Path) -> None:
    def blocks() -> Iterator[bytes]:
        yield block(f"{TOP}/noise", random.Random(1).randbytes(20 * MIB))
        for number in range(98):
            yield block(f"{TOP}/{number}", bytes(10 * MIB))

    write_sdist(path, blocks())


@case("an sdist that unpacks to 10 GB", SDIST)
def _(path: Path) -> None:
    stream = zlib.compressobj(9, zlib.DEFLATED, 31)
    zeros = bytes(10 * MIB)
    with path.open("wb") as file:
        file.write(stream.compress(block(f"{TOP}/x", b"", size=7 << 30)))
        for _ in range(1_000):
            file.write(stream.compress(zeros))


@case("a pax header of 2 GiB", SDIST)
def _(path: Path) -> None:
    def blocks() -> Iterator[bytes]:
        yield block("pax", kind=tarfile.XHDTYPE, size=2 << 30)
        for _ in range(204):
            yield bytes(10 * MIB)

    write_sdist(path, blocks(), level=9)


@case("a pax header of 60 MiB at the beginning", SDIST)
def _(path: Path) -> None:
    with gzip.open(path, "wb", compresslevel=9) as stream:
        stream.write(block("pax", bytes(60 * MIB), tarfile.XHDTYPE))


@case("pax headers of 60,000 bytes", SDIST)
def _(path: Path) -> None:
    write_sdist(path, (pax(record("comment", "x" * 60_000)) + block(f"{TOP}/{n}") for n in range(2_000)))


@case("a global header of 60,000 bytes, 60,000 members", SDIST)
def _(path: Path) -> None:
    def blocks() -> Iterator[bytes]:
        yield pax(b"".join(record(f"k{n}", "") for n in range(6_000)), tarfile.XGLTYPE)
        for number in range(60_000):
            yield pax(record("path", f"{TOP}/{number}")) + block("x")

    write_sdist(path, blocks())


@case("a header of digits", SDIST)
def _(path: Path) -> None:
    write_sdist(path, iter([pax(b"1" * 60_000) + block(f"{TOP}/x")] * 100))


@case("long names, one in the other", SDIST)
def _(path: Path) -> None:
    write_sdist(path, iter([block("L", b"x" * 100, tarfile.GNUTYPE_LONGNAME)] * 100_000))


@case("an sdist of 65,000 members", SDIST)
def _(path: Path) -> None:
    write_sdist(path, (block(f"{TOP}/bounds/{n:05}/a{n}.py", b"x") for n in range(65_000)))


@case("an sdist of 65,000 members with pax headers", SDIST)
def _(path: Path) -> None:
    write_sdist(path, (pax(record("path", f"{TOP}/bounds/{n:05}/a{n}.py")) + block("x") for n in range(65_000)))


@case("an sdist of 65,000 names, twice in another order", SDIST)
def _(path: Path) -> None:
    numbers = [*range(32_000), *range(31_999, -1, -1)]
    write_sdist(path, (block(f"{TOP}/bounds/{n:05}/a{n}.py", b"x") for n in numbers))


@case("an sdist of 1,000,000 members", SDIST)
def _(path: Path) -> None:
    write_sdist(path, (block(f"{TOP}/{n}") for n in range(1_000_000)))


@case("deep paths of 60,000 bytes", SDIST)
def _(path: Path) -> None:
    write_sdist(path, (pax(record("path", f"{TOP}/{n}/" + "ab/" * 19_900)) + block("x") for n in range(195)))


@case("a sparse map of 900 MiB", SDIST)
def _(path: Path) -> None:
    told = {"major": "1", "minor": "0", "name": f"{TOP}/x", "realsize": "1"}
    head = pax(b"".join(record(f"GNU.sparse.{key}", value) for key, value in told.items()))

    def blocks() -> Iterator[bytes]:
        yield block("noise", random.Random(1).randbytes(20 * MIB))
        yield head + block("x", size=900 * MIB)[:512] + b"99999999999\n"
        for _ in range(89):
            yield b"1\n" * (5 * MIB)

    write_sdist(path, blocks())


@case("a gzip header of 98 MB", SDIST)
def _(path: Path) -> None:
    stream = io.BytesIO()
    with gzip.GzipFile(fileobj=stream, mode="wb") as file:
        file.write(block(f"{TOP}/PKG-INFO", METADATA) + bytes(1024))
    content = stream.getvalue()
    path.write_bytes(content[:3] + b"\x08" + content[4:10] + b"x" * LARGEST + b"\0" + content[10:])


@case("four million gzip files in one", SDIST)
def _(path: Path) -> None:
    path.write_bytes(gzip.compress(b"") * 4_000_000)


def conflicts(path: Path, line: bytes) -> None:
    """Write an sdist of files as large as are read whole, all of one line."""
    write_sdist(path, (block(f"{TOP}/{n}", line * (LARGEST_TEXT // len(line))) for n in range(100)))


@case("files of marks of conflicts that nothing ends", SDIST)
def _(path: Path) -> None:
    conflicts(path, b"<<<<<<< x\n")


@case("files of marks of conflicts that end too often", SDIST)
def _(path: Path) -> None:
    conflicts(path, b"<<<<<<< x\n=======\n>>>>>>> x\n")


def written(path: Path, readme: bytes = b"", pyproject: bytes = b"") -> None:
    """Write an sdist with a README, as the metadata has it, and a pyproject.toml."""
    files = {"PKG-INFO": METADATA.replace(b"x-rst", b"markdown") + b"\n" + readme, "pyproject.toml": pyproject}
    write_sdist(path, (block(f"{TOP}/{name}", content) for name, content in files.items()))


@case("a README of runs of signs for code", SDIST)
def _(path: Path) -> None:
    written(path, b" ".join(b"`" * n for n in range(1, 1000)))


@case("a README of brackets", SDIST)
def _(path: Path) -> None:
    written(path, b"[" * 500_000)


@case("a README of things that begin like tags", SDIST)
def _(path: Path) -> None:
    written(path, b"<a " * 160_000)


@case("a README of links that do not end", SDIST)
def _(path: Path) -> None:
    written(path, b"](a " * 120_000)


@case("a README of single quotes of code", SDIST)
def _(path: Path) -> None:
    written(path, b"` `` " * 100_000)


@case("a README of comments that do not end", SDIST)
def _(path: Path) -> None:
    written(path, b"<!--" * 120_000)


@case("a pyproject.toml with a hundred thousand dependencies", SDIST)
def _(path: Path) -> None:
    texts = ", ".join(f"\"a{n} ; python_version < '3.{n}'\"" for n in range(100_000))
    written(path, b"", f"[project]\nname = 'x'\ndependencies = [{texts}]\n".encode())


@case("a pyproject.toml of brackets", SDIST)
def _(path: Path) -> None:
    written(path, b"", b"a = " + b"[" * 1_000_000)


def judge(path: Path, connection: "multiprocessing.connection.Connection") -> None:
    """Judge a file, and say what it took: called in a process of its own."""
    resource.setrlimit(resource.RLIMIT_CPU, (2 * LONGEST, 2 * LONGEST))
    facts = expect(PROJECT, [])
    started = time.process_time()
    findings = check([path], facts)
    seconds = time.process_time() - started
    # Not getrusage, which remembers the process that this one came from.
    (peak,) = re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="utf-8"))
    rules = sorted({finding.rule for finding in findings})
    connection.send((int(peak) / 1024, seconds, len(findings), rules))


def main() -> None:
    """Write each case, judge it, and print what it took."""
    word = sys.argv[1] if len(sys.argv) > 1 else ""
    bad = []
    context = multiprocessing.get_context("spawn")
    out.print("| file | size | memory | time | refused by |\n| --- | --- | --- | --- | --- |")
    for name, (file, write) in CASES.items():
        if word not in name:
            continue
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / file
            write(path)
            receiving, sending = context.Pipe(duplex=False)
            process = context.Process(target=judge, args=(path, sending))
            process.start()
            sending.close()
            try:
                peak, seconds, count, rules = receiving.recv()
            except EOFError:
                peak, seconds, count, rules = 0, 2 * LONGEST, 0, ["none: it did not end"]
            process.join()
            told = ", ".join(rules[:3]) + (" …" if len(rules) > 3 else "")  # noqa: PLR2004
            size = path.stat().st_size / MIB
            out.print(f"| {name} | {size:.1f} MiB | {peak:.0f} MB | {seconds:.1f} s | {told} ({count}) |")
            if peak > MOST_MEMORY or seconds > LONGEST:
                bad.append(name)
    if bad:
        raise problem(f"more than {MOST_MEMORY} MB or {LONGEST} s: {', '.join(bad)}", "bound it")


if __name__ == "__main__":
    run_main(main)
