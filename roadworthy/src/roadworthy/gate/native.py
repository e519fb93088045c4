"""What a shared library says of itself: ELF, PE and Mach-O in one form. The parsing is done by libraries."""

import io
from dataclasses import dataclass, field
from typing import Any

# Names in the files' headers, as wheel tags call them.
ELF_MACHINES = {
    "EM_X86_64": "x86_64",
    "EM_386": "i686",
    "EM_AARCH64": "aarch64",
    "EM_ARM": "armv7l",
    "EM_PPC64": "ppc64le",
    "EM_S390": "s390x",
    "EM_RISCV": "riscv64",
    "EM_LOONGARCH": "loongarch64",
}
PE_MACHINES = {0x14C: "win32", 0x8664: "amd64", 0xAA64: "arm64"}


@dataclass
class Library:
    """A shared library. `macos` is the oldest macOS it runs on, for each architecture in it.

    With `damage` it is none, or not whole: that says why, and there is nothing else.
    """

    kind: str = ""  # ELF, PE or Mach-O
    machines: set[str] = field(default_factory=set)
    imports: set[str] = field(default_factory=set)
    exports: set[str] = field(default_factory=set)
    needed: set[str] = field(default_factory=set)
    versions: set[str] = field(default_factory=set)
    macos: dict[str, tuple[int, int]] = field(default_factory=dict)
    stripped: bool = True
    damage: str = ""


def read_library(content: bytes) -> Library:
    """Read a shared library."""
    macho = (b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe", b"\xca\xfe\xba\xbe", b"\xca\xfe\xba\xbf")
    readers = {(b"\x7fELF",): read_elf, (b"MZ",): read_pe, macho: read_macho}
    reader = next((reader for magics, reader in readers.items() if content.startswith(magics)), None)
    try:
        return reader(content) if reader else Library(damage="neither ELF nor PE nor Mach-O")
    except Exception as error:  # noqa: BLE001 - the parsers raise whatever the damage leads to
        return Library(damage=f"{type(error).__name__}: {error}")


def read_elf(content: bytes) -> Library:
    """Read an ELF file with pyelftools: only what the dynamic linker would look at."""
    from elftools.elf.elffile import ELFFile  # noqa: PLC0415 - each format's parser only where there is one of it

    elf: Any = ELFFile(io.BytesIO(content))
    library = Library("ELF", {ELF_MACHINES.get(elf["e_machine"], str(elf["e_machine"]))})
    dynamic = elf.get_section_by_name(".dynamic")
    if dynamic is not None:
        library.needed = {tag.needed for tag in dynamic.iter_tags("DT_NEEDED")}
    symbols = elf.get_section_by_name(".dynsym")
    for symbol in symbols.iter_symbols() if symbols is not None else ():
        if symbol.name and symbol["st_info"]["bind"] in {"STB_GLOBAL", "STB_WEAK"}:
            (library.imports if symbol["st_shndx"] == "SHN_UNDEF" else library.exports).add(symbol.name)
    needs = elf.get_section_by_name(".gnu.version_r")
    for file, auxiliaries in needs.iter_versions() if needs is not None else ():
        # The compiler's own library names versions like glibc's, and comes with musl too.
        if not file.name.startswith("libgcc_s"):
            library.versions.update(auxiliary.name for auxiliary in auxiliaries)
    library.stripped = not any(elf.get_section_by_name(name) for name in (".symtab", ".debug_info"))
    return library


def read_pe(content: bytes) -> Library:
    """Read a PE file with pefile: imports, exports and the machine."""
    import pefile  # noqa: PLC0415

    pe = pefile.PE(data=content, fast_load=True)
    pe.parse_data_directories(
        [pefile.DIRECTORY_ENTRY[f"IMAGE_DIRECTORY_ENTRY_{name}"] for name in ("IMPORT", "EXPORT")]
    )
    machine = pe.FILE_HEADER.Machine
    library = Library("PE", {PE_MACHINES.get(machine, hex(machine))})
    for entry in getattr(pe, "DIRECTORY_ENTRY_IMPORT", []):
        library.needed.add(entry.dll.decode().lower())
        library.imports.update(symbol.name.decode() for symbol in entry.imports if symbol.name)
    exports = getattr(pe, "DIRECTORY_ENTRY_EXPORT", None)
    library.exports = {symbol.name.decode() for symbol in exports.symbols if symbol.name} if exports else set()
    library.stripped = not any(section.Name.startswith(b".debug") for section in pe.sections)
    return library


def read_macho(content: bytes) -> Library:
    """Read a Mach-O file with macholib, each architecture in it."""
    from macholib import mach_o  # noqa: PLC0415
    from macholib.MachO import MachO  # noqa: PLC0415

    # Its constructor opens a file; what it does then is all that is needed here.
    macho = MachO.__new__(MachO)
    macho.graphident, macho.filename, macho.loader_path = None, "", ""
    macho.fat, macho.headers, macho.allow_unknown_load_commands = None, [], True
    macho.load(io.BytesIO(content))
    library = Library("Mach-O")
    for header in macho.headers:
        machine = mach_o.CPU_TYPE_NAMES.get(header.header.cputype, hex(header.header.cputype)).lower()
        library.machines.add(machine)
        library.needed.update(name for _, _, name in header.walkRelocatables())
        for command, details, _ in header.commands:
            if command.cmd in {mach_o.LC_BUILD_VERSION, mach_o.LC_VERSION_MIN_MACOSX}:
                oldest = details.minos if command.cmd == mach_o.LC_BUILD_VERSION else details.version
                library.macos[machine] = (oldest >> 16, oldest >> 8 & 0xFF)
        read_macho_symbols(macho, header, content, library)
    return library


def read_macho_symbols(macho: Any, header: Any, content: bytes, library: Library) -> None:  # noqa: ANN401 - untyped
    """Add the external symbols of one architecture; their names begin with an underscore that is not theirs."""
    from macholib import mach_o  # noqa: PLC0415
    from macholib.SymbolTable import SymbolTable  # noqa: PLC0415

    table = SymbolTable(macho, header=header, openfile=lambda *_: io.BytesIO(content))
    for symbol, name in table.nlists:
        text = name.decode("utf-8", "replace").removeprefix("_") if name else ""
        if symbol.n_type & mach_o.N_STAB:
            library.stripped = False
        elif symbol.n_type & mach_o.N_EXT and text:
            (library.imports if symbol.n_type & mach_o.N_TYPE == mach_o.N_UNDF else library.exports).add(text)
