"""What a shared library says of itself: ELF, PE and Mach-O in one form. The parsing is done by libraries."""

import io
import struct
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

# The headers of ELF files, as wheel tags call the processor: the machine, the bits, and whether the low byte is first.
ELF_MACHINES = {
    ("EM_X86_64", 64, True): "x86_64",
    ("EM_386", 32, True): "i686",
    ("EM_AARCH64", 64, True): "aarch64",
    ("EM_ARM", 32, True): "armv7l",
    ("EM_PPC64", 64, True): "ppc64le",
    ("EM_PPC64", 64, False): "ppc64",
    ("EM_S390", 64, False): "s390x",
    ("EM_RISCV", 64, True): "riscv64",
    ("EM_LOONGARCH", 64, True): "loongarch64",
}
DF_TEXTREL, DF_STATIC_TLS, DF_1_NOOPEN = 0x4, 0x10, 0x40
EF_ARM_ABI_FLOAT_SOFT = 0x200
PF_X = 1
PE_MACHINES = {0x14C: "win32", 0x8664: "amd64", 0xAA64: "arm64"}
# Of mach/machine.h: processors that not every Mac of that kind has, or that Apple keeps for its own programs.
SUBTYPES = {("x86_64", 8): "h", ("arm64", 2): "e"}
MACOS, PLATFORMS = 1, {2: "iOS", 6: "Mac Catalyst", 7: "the iOS simulator"}  # of LC_BUILD_VERSION (mach-o/loader.h)
PROGRAMS = ".data/scripts/"  # what is there is started and not loaded, and may be a script
# What nobody reaches, so that a file made for it does not keep us for long.
LONGEST_NAME, MOST_VERSIONS, MOST_SYMBOLS = 1 << 16, 1000, 50_000


class UnfitError(Exception):
    """A file is not what a loader takes for a shared library; the message says why."""


@dataclass
class Library:
    """A shared library; of a file for several processors, one of them."""

    file: str
    kind: str = ""  # ELF, PE or Mach-O
    machine: str = ""
    several: bool = False
    imports: set[str] = field(default_factory=set)  # of Python's
    exports: set[str] = field(default_factory=set)  # of Python's
    needed: set[str] = field(default_factory=set)
    versions: set[tuple[str, str]] = field(default_factory=set)  # of symbols, each with the library that has it
    search: set[str] = field(default_factory=set)
    macos: tuple[int, int] | None = None
    static_tls: bool = False
    faults: list[str] = field(default_factory=list)  # what a loader refuses that can read it
    stripped: bool = True
    damage: str = ""  # why it is none, or not whole; then there is nothing else

    def __str__(self) -> str:
        """Return what it is called in a message."""
        return f"{self.file} ({self.machine})" if self.several else self.file


def read_libraries(file: str, content: bytes) -> list[Library]:
    """Read a shared library or a program, for each processor that it is for; a script is none."""
    macho = (b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe", b"\xca\xfe\xba\xbe", b"\xca\xfe\xba\xbf")
    readers = {(b"\x7fELF",): read_elf, (b"MZ",): read_pe, macho: read_macho}
    if content.startswith(b"\0asm"):
        return [Library(file, "WebAssembly", "wasm32")]
    reader = next((reader for magics, reader in readers.items() if content.startswith(magics)), None)
    if reader is None and PROGRAMS in file:
        return []
    try:
        return reader(file, content) if reader else [Library(file, damage="neither ELF nor PE nor Mach-O")]
    except Exception as error:  # noqa: BLE001 - the parsers raise whatever the damage leads to
        kind = "" if isinstance(error, UnfitError) else f"{type(error).__name__}: "
        return [Library(file, damage=f"{kind}{error}")]


def require_whole(content: bytes, ends: Iterable[int]) -> None:
    """Raise UnfitError if parts of a file end beyond it."""
    end = max(ends, default=0)
    if end > len(content):
        raise UnfitError(f"it is cut: it has {len(content):,} bytes, and its headers tell of {end:,}")


def text_at(content: bytes, offset: int) -> str:
    """Return a string that ends with a zero byte; one that is longer than any name is an error."""
    return content[offset : content.index(b"\0", offset, offset + LONGEST_NAME)].decode("utf-8", "replace")


def keep(symbols: set[str], content: bytes, place: int) -> None:
    """Add a symbol's name, if it is one of Python's: there may be millions of others, which nobody judges."""
    if content.startswith((b"Py", b"_Py"), place):
        symbols.add(text_at(content, place))
        if len(symbols) > MOST_SYMBOLS:
            raise UnfitError(f"it has more than {MOST_SYMBOLS:,} symbols of Python's")


def read_elf(file: str, content: bytes) -> list[Library]:
    """Read an ELF file with pyelftools: by its segments, as the dynamic linker does, and not by its sections."""
    from elftools.elf.elffile import ELFFile  # noqa: PLC0415 - each format's parser only where there is one of it

    order, wide = "<" if content[5] == 1 else ">", content[4] == 2  # noqa: PLR2004 - ELFDATA2LSB, ELFCLASS64
    layout = struct.unpack_from(f"{order}{'32xQQ6xHHHH' if wide else '28xII6xHHHH'}", content)
    require_whole(content, (layout[0] + layout[2] * layout[3], layout[1] + layout[4] * layout[5]))
    elf: Any = ELFFile(io.BytesIO(content))
    segments = {segment["p_type"]: segment for segment in elf.iter_segments()}
    sections = {each.name: each for each in elf.iter_sections()}
    ends = (each["sh_offset"] + each["sh_size"] for each in sections.values() if each["sh_type"] != "SHT_NOBITS")
    require_whole(content, (*ends, *(each["p_offset"] + each["p_filesz"] for each in elf.iter_segments())))
    system, version = elf["e_ident"]["EI_OSABI"], (elf["e_ident"]["EI_VERSION"], elf["e_ident"]["EI_ABIVERSION"])
    # glibc, elf/dl-load.c, open_verify: "ELF file OS ABI invalid", "ELF file version ident does not match current one",
    # "ELF file ABI version invalid", "only ET_DYN and ET_EXEC can be loaded".
    if system not in {"ELFOSABI_SYSV", "ELFOSABI_LINUX"} or version != ("EV_CURRENT", 0):
        raise UnfitError(f"it is for another system: {system}, {version}")
    if PROGRAMS not in file and (elf["e_type"] != "ET_DYN" or "PT_DYNAMIC" not in segments):
        raise UnfitError(f"nothing can be linked with it: {elf['e_type']}")
    machine = ELF_MACHINES.get((elf["e_machine"], elf.elfclass, elf.little_endian), f"{elf['e_machine']}, another kind")
    if machine == "armv7l" and elf["e_flags"] & EF_ARM_ABI_FLOAT_SOFT:
        machine = "armv7l without a unit for floating point"
    library = Library(file, "ELF", machine, stripped=not {".symtab", ".debug_info"} & sections.keys())
    stack = segments.get("PT_GNU_STACK")
    # Where nothing is said, the dynamic linkers of these take the stack for an executable one.
    if stack["p_flags"] & PF_X if stack else machine in {"x86_64", "i686"}:
        library.faults.append("asks for an executable stack")
    notes = (note for segment in elf.iter_segments("PT_NOTE") for note in segment.iter_notes())
    for properties in (note["n_desc"] for note in notes if note["n_type"] == "NT_GNU_PROPERTY_TYPE_0"):
        needed = [each["pr_data"] for each in properties if each["pr_type"] == "GNU_PROPERTY_X86_ISA_1_NEEDED"]
        # glibc, sysdeps/x86/dl-prop.h: "CPU ISA level is lower than required".
        library.faults += [f"needs a newer processor: x86-64-v{bits.bit_length()}" for bits in needed if bits > 1]
    if "PT_DYNAMIC" in segments:
        read_elf_dynamic(segments["PT_DYNAMIC"], content, f"{order}{'IBBHQQ' if wide else 'IIIBBH'}", library)
    if PROGRAMS in file:
        library.faults.clear()  # a system refuses them in what is loaded into a program that runs
    return [library]


def read_elf_dynamic(dynamic: Any, content: bytes, layout: str, library: Library) -> None:  # noqa: ANN401 - untyped
    """Add what the dynamic linker looks at, given the layout of a symbol."""
    names = dynamic.get_table_offset("DT_STRTAB")[1]
    values: dict[str, int] = {}
    for tag in dynamic.iter_tags():
        values[tag.entry.d_tag] = tag.entry.d_val
        if tag.entry.d_tag == "DT_NEEDED":
            library.needed.add(tag.needed)
        elif tag.entry.d_tag in {"DT_RPATH", "DT_RUNPATH"}:
            library.search.update(filter(None, text_at(content, names + tag.entry.d_val).split(":")))
    if "DT_TEXTREL" in values or values.get("DT_FLAGS", 0) & DF_TEXTREL:
        library.faults.append("has code that is changed when it is loaded (TEXTREL)")
    if values.get("DT_FLAGS_1", 0) & DF_1_NOOPEN:
        library.faults.append("may not be opened by a program that runs (NODLOPEN)")
    library.static_tls = bool(values.get("DT_FLAGS", 0) & DF_STATIC_TLS)
    start = dynamic.get_table_offset("DT_SYMTAB")[1]
    count = count_symbols(dynamic, content, layout[0], wide=layout.endswith("Q"), s390x=library.machine == "s390x")
    for symbol in struct.iter_unpack(layout, memoryview(content)[start : start + struct.calcsize(layout) * count]):
        info, section = (symbol[1], symbol[3]) if layout.endswith("Q") else (symbol[3], symbol[5])
        if symbol[0] and info >> 4 in {1, 2}:  # global, weak
            keep(library.exports if section else library.imports, content, names + symbol[0])
    offset = dynamic.get_table_offset("DT_VERNEED")[1] or 0
    # Elf_Verneed and Elf_Vernaux are the same on all.
    for _ in range(min(values.get("DT_VERNEEDNUM", 0), MOST_VERSIONS)):
        _, count, name, part, following = struct.unpack_from(f"{layout[0]}HHIII", content, offset)
        part += offset
        for _ in range(min(count, MOST_VERSIONS)):
            version, step = struct.unpack_from(f"{layout[0]}8xII", content, part)
            library.versions.add((text_at(content, names + name), text_at(content, names + version)))
            part += step
        offset += following


def count_symbols(dynamic: Any, content: bytes, order: str, *, wide: bool, s390x: bool) -> int:  # noqa: ANN401 - untyped
    """Return how many symbols there are; pyelftools would read the tables that say so into lists of their numbers."""
    table, old = (dynamic.get_table_offset(tag)[1] for tag in ("DT_GNU_HASH", "DT_HASH"))
    if table is None:
        # The words of the old table have 64 bits on s390x alone.
        return int(struct.unpack_from(f"{order}{'8xQ' if s390x else '4xI'}", content, old)[0]) if old else 0
    buckets, first, bloom = struct.unpack_from(f"{order}III", content, table)
    start = table + 16 + bloom * (8 if wide else 4)
    chains = start + 4 * buckets
    last: int = max((word for (word,) in struct.iter_unpack(f"{order}I", memoryview(content)[start:chains])), default=0)
    while last >= first and not struct.unpack_from(f"{order}I", content, chains + 4 * (last - first))[0] & 1:
        last += 1
    return max(last + 1, int(first))


def read_pe(file: str, content: bytes) -> list[Library]:
    """Read a PE file with pefile: imports, exports and the machine."""
    import pefile  # noqa: PLC0415

    pe = pefile.PE(data=content, fast_load=True)
    require_whole(content, (section.PointerToRawData + section.SizeOfRawData for section in pe.sections))
    if not pe.is_dll() and PROGRAMS not in file:
        raise UnfitError("it is a program, and no DLL")
    directories = ("IMPORT", "EXPORT", "DELAY_IMPORT")
    pe.parse_data_directories([pefile.DIRECTORY_ENTRY[f"IMAGE_DIRECTORY_ENTRY_{name}"] for name in directories])
    machine = pe.FILE_HEADER.Machine
    library = Library(file, "PE", PE_MACHINES.get(machine, hex(machine)))
    for entry in (*getattr(pe, "DIRECTORY_ENTRY_IMPORT", []), *getattr(pe, "DIRECTORY_ENTRY_DELAY_IMPORT", [])):
        library.needed.add(entry.dll.decode().lower())
        library.imports.update(symbol.name.decode() for symbol in entry.imports if symbol.name)
    if exports := getattr(pe, "DIRECTORY_ENTRY_EXPORT", None):
        library.exports.update(symbol.name.decode() for symbol in exports.symbols if symbol.name)
    library.stripped = not any(section.Name.startswith(b".debug") for section in pe.sections)
    return [library]


def read_macho(file: str, content: bytes) -> list[Library]:
    """Read a Mach-O file with macholib, each architecture in it."""
    from macholib.MachO import MachO  # noqa: PLC0415

    macho = MachO.__new__(MachO)  # its constructor opens a file; what it does then is all that is needed here
    macho.graphident, macho.filename, macho.loader_path = None, "", ""
    macho.fat, macho.headers, macho.allow_unknown_load_commands = None, [], True
    macho.load(io.BytesIO(content))
    require_whole(content, (header.offset + header.size for header in macho.headers))
    several = len(macho.headers) > 1
    return [read_macho_header(Library(file, "Mach-O", several=several), each, content) for each in macho.headers]


def read_macho_header(library: Library, header: Any, content: bytes) -> Library:  # noqa: ANN401 - untyped
    """Add what one architecture says of itself."""
    from macholib import mach_o  # noqa: PLC0415

    kinds = {mach_o.MH_DYLIB, mach_o.MH_BUNDLE, *([mach_o.MH_EXECUTE] if PROGRAMS in library.file else ())}
    if header.header.filetype not in kinds:
        raise UnfitError(f"it is neither a dylib nor a bundle: {header.filetype}")
    library.machine = mach_o.CPU_TYPE_NAMES.get(header.header.cputype, hex(header.header.cputype)).lower()
    library.machine += SUBTYPES.get((library.machine, header.header.cpusubtype & 0xFFFFFF), "")
    content = content[header.offset : header.offset + header.size]
    platforms, signed = set(), False
    for load, details, rest in header.commands:
        if load.cmd in {mach_o.LC_SEGMENT, mach_o.LC_SEGMENT_64}:
            require_whole(content, (details.fileoff + details.filesize,))
        elif load.cmd in {mach_o.LC_BUILD_VERSION, mach_o.LC_VERSION_MIN_MACOSX}:
            built = load.cmd == mach_o.LC_BUILD_VERSION
            platforms.add(details.platform if built else MACOS)
            oldest = details.minos if built else details.version
            library.macos = (oldest >> 16, oldest >> 8 & 0xFF)
        elif load.cmd == mach_o.LC_RPATH:
            library.search.add(rest.split(b"\0", 1)[0].decode("utf-8", "replace"))
        elif load.cmd == mach_o.LC_CODE_SIGNATURE:
            signed = True
            require_whole(content, (details.dataoff + details.datasize,))
    if platforms and MACOS not in platforms:
        library.kind = f"Mach-O for {' and '.join(PLATFORMS.get(each, str(each)) for each in platforms)}"
    elif library.machine == "arm64" and not signed:
        library.faults.append("is not signed, and Apple's processors run nothing unsigned")
    # One that is only loaded weakly need not be there.
    loaded = ((header.commands[index][0].cmd, name) for index, _, name in header.walkRelocatables())
    library.needed = {name for command, name in loaded if command != mach_o.LC_LOAD_WEAK_DYLIB}
    read_macho_symbols(header, content, library)
    return library


def read_macho_symbols(header: Any, content: bytes, library: Library) -> None:  # noqa: ANN401 - untyped
    """Add the external symbols of one architecture; their names begin with an underscore that is not theirs."""
    from macholib import mach_o  # noqa: PLC0415

    table = header.getSymbolTableCommand()
    layout = f"{header.endian}{'IBBHQ' if header.MH_MAGIC in {mach_o.MH_MAGIC_64, mach_o.MH_CIGAM_64} else 'IBBHI'}"
    symbols = memoryview(content)[table.symoff : table.symoff + struct.calcsize(layout) * table.nsyms] if table else b""
    for name, kind, _, _, _ in struct.iter_unpack(layout, symbols):
        if kind & mach_o.N_STAB:
            library.stripped = False
        elif kind & mach_o.N_EXT and name:
            undefined = kind & mach_o.N_TYPE == mach_o.N_UNDF
            keep(library.imports if undefined else library.exports, content, table.stroff + name + 1)
