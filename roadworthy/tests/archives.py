"""Small wheels and sdists whose archive has one thing wrong, or one thing that is unusual and right."""

import bz2
import gzip
import hashlib
import io
import lzma
import os
import stat
import struct
import tarfile
import warnings
import zipfile
import zlib
from base64 import urlsafe_b64encode
from collections.abc import Callable
from functools import partial

from broken import Files, record_of
from loopback_samples import INFO, METADATA, SDIST, TOP, WHEEL, good_wheel, make_sdist, sdist_files, wheel_files
from roadworthy.gate.model import SITE_PACKAGES

Make = Callable[[], bytes]
# By name: the rules that refuse it, or None, the file's name, and what makes its content.
ARCHIVES: dict[str, tuple[str | None, str, Make]] = {}
RECORD = f"{INFO}/RECORD"
PACKAGE = WHEEL.split("-", maxsplit=1)[0]
# A path of as many characters as Windows has below a usual site-packages.
KEY = b"-----BEGIN " + b"PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA0123456789abcdef\n-----END PRIVATE KEY-----\n"
TOKEN = b"0123456789abcdefghijklmnopqrstuvwxyz"
POINTS = f"{INFO}/entry_points.txt"
ROOM = 259 - len(SITE_PACKAGES)


def add(rule: str | None, name: str, file: str, make: Make) -> None:
    """Register a file."""
    assert name not in ARCHIVES
    ARCHIVES[name] = (rule, file, make)


def wheel(rule: str | None, name: str, make: Make) -> None:
    """Register a wheel."""
    add(rule, f"wheel: {name}", WHEEL, make)


def sdist(rule: str | None, name: str, make: Make) -> None:
    """Register an sdist."""
    add(rule, f"sdist: {name}", SDIST, make)


# ---- how they are made


def entries(more: Files | None = None) -> Files:
    """Return what is in the good wheel, perhaps with more files, RECORD last."""
    files = {**wheel_files(), **(more or {})}
    return {**files, RECORD: record_of(files, RECORD)}


def zipped(files: Files, change: Callable[[zipfile.ZipInfo], object] = lambda _: None, comment: bytes = b"") -> bytes:
    """Return a zip file of these, each entry changed before it is written."""
    stream = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        warnings.simplefilter("ignore")
        for name, content in files.items():
            entry = zipfile.ZipInfo(name)
            entry.compress_type = zipfile.ZIP_DEFLATED
            change(entry)
            archive.writestr(entry, content)
        archive.comment = comment
    return stream.getvalue()


def named(*names: str) -> Make:
    """Return what makes the good wheel with more files."""
    return lambda: good_wheel(dict.fromkeys(names, b"x"))


def packed(*names: str) -> Make:
    """Return what makes the good sdist with more files."""
    return lambda: make_sdist({**sdist_files(), **{f"{TOP}/{name}": b"x" for name in names}})


def extra(content: bytes, name: str = f"{PACKAGE}/x.py") -> Make:
    """Return what makes the good wheel with a member that has a further field (APPNOTE 4.5), in both its headers."""

    def change(entry: zipfile.ZipInfo) -> None:
        entry.extra = content if entry.filename == name else b""

    return lambda: zipped(entries({name: b"x"}), change)


def unicode_path(name: bytes, of: bytes = f"{PACKAGE}/x.py".encode()) -> bytes:
    """Return the field that names a member in UTF-8 (APPNOTE 4.6.9)."""
    return struct.pack("<HHBL", 0x7075, 5 + len(name), 1, zlib.crc32(of)) + name


def patched(signature: bytes, offset: int, value: bytes, nth: int = 0) -> Make:
    """Return what makes the good wheel with other bytes behind the nth record of a kind."""

    def make() -> bytes:
        content = bytearray(good_wheel())
        place = -1
        for _ in range(nth + 1):
            place = content.index(signature, place + 1)
        content[place + offset : place + offset + len(value)] = value
        return bytes(content)

    return make


def attributes(mode: int, name: str = f"{PACKAGE}/x", system: int = 3) -> Make:
    """Return what makes the good wheel with a member of a mode."""

    def change(entry: zipfile.ZipInfo) -> None:
        if entry.filename == name:
            entry.create_system, entry.external_attr = system, mode << 16

    return lambda: zipped(entries({name: b"x"}), change)


def by_hand(data: bytes, size: int, content: bytes, method: int = 8, name: str = f"{PACKAGE}/x.py") -> Make:
    """Return what makes the good wheel with a member whose data is given, and said to be this content."""

    def make() -> bytes:
        files = entries({name: content})
        base = io.BytesIO(zipped({each: text for each, text in files.items() if each != name}))
        with zipfile.ZipFile(base) as archive:
            end = archive.start_dir
            central = base.getvalue()[end:-22]
            count = len(archive.infolist())
        head = struct.pack(
            "<HHHHHLLLHH", 20, 0, method, 0, 33, zlib.crc32(content), len(data), size, len(name.encode()), 0
        )
        local = b"PK\3\4" + head + name.encode() + data
        central += b"PK\1\2" + struct.pack("<H", 20) + head + struct.pack("<HHHLL", 0, 0, 0, 0, end) + name.encode()
        tail = struct.pack("<4sHHHHLLH", b"PK\5\6", 0, 0, count + 1, count + 1, len(central), end + len(local), 0)
        return base.getvalue()[:end] + local + central + tail

    return make


def deflated(content: bytes) -> bytes:
    """Return content as deflate packs it."""
    stream = zlib.compressobj(9, zlib.DEFLATED, -15)
    return stream.compress(content) + stream.flush()


def zip64(change: Callable[[bytearray], object] = lambda _: None) -> Make:
    """Return what makes the good wheel with the end of Zip64 too (APPNOTE 4.3.14), changed."""

    def make() -> bytes:
        content = good_wheel()
        start = len(content) - 22
        _, _, _, on_disk, count, size, offset, _ = struct.unpack("<4sHHHHLLH", content[start:])
        end = bytearray(struct.pack("<4sQHHLLQQQQ", b"PK\6\6", 44, 45, 45, 0, 0, on_disk, count, size, offset))
        end += struct.pack("<4sLQL", b"PK\6\7", 0, start, 1) + content[start:]
        change(end)
        return content[:start] + bytes(end)

    return make


def put(offset: int, value: bytes) -> Callable[[bytearray], object]:
    """Return what puts bytes in a place."""

    def change(content: bytearray) -> None:
        content[offset : offset + len(value)] = value

    return change


def recorded(change: Callable[[bytes], bytes], more: Files | None = None) -> Make:
    """Return what makes the good wheel with a changed RECORD."""

    def make() -> bytes:
        files = entries(more)
        return zipped({**files, RECORD: change(files[RECORD])})

    return make


def hashed(algorithm: str, *, right: bool = True) -> Make:
    """Return what makes the good wheel with other hashes in RECORD."""

    def make() -> bytes:
        files, lines = entries(), []
        for name, content in files.items():
            digest = urlsafe_b64encode(hashlib.new(algorithm, content if right else b"").digest()).rstrip(b"=").decode()
            lines.append(f"{name},{algorithm}={digest},{len(content)}\n" if name != RECORD else f"{name},,\n")
        return zipped({**files, RECORD: "".join(lines).encode()})

    return make


def with_entry_points(text: str, encoding: str = "utf-8") -> Make:
    """Return what makes the good wheel with entry points."""
    return lambda: good_wheel({f"{INFO}/entry_points.txt": text.encode(encoding)})


def with_metadata(more: bytes, behind: bytes = b"") -> Make:
    """Return what makes the good wheel with more lines at the head of METADATA, and at its end."""
    return lambda: good_wheel({f"{INFO}/METADATA": more + METADATA.encode() + behind})


def with_kind(kind: str) -> Make:
    """Return what makes the good wheel with another kind of description."""
    return lambda: good_wheel({f"{INFO}/METADATA": METADATA.replace("text/markdown", kind).encode()})


def block(name: str, content: bytes = b"", kind: bytes = tarfile.REGTYPE, **fields: int) -> bytes:
    """Return a member of a tar file with its header."""
    entry = tarfile.TarInfo(name)
    entry.size, entry.type = len(content), kind
    for field, value in fields.items():
        setattr(entry, field, value)
    return entry.tobuf(tarfile.GNU_FORMAT) + content + bytes(-len(content) % 512)


def record(key: str, value: str) -> bytes:
    """Return a record of a pax header, which begins with its own length."""
    rest = f" {key}={value}\n".encode()
    return next(text + rest for n in range(len(rest), len(rest) + 9) if len((text := str(n).encode()) + rest) == n)


def blocks(*more: bytes, files: Files | None = None) -> bytes:
    """Return the tar file of the good sdist and of these, without its end."""
    return b"".join([*(block(name, content) for name, content in (files or sdist_files()).items()), *more])


def tarred(*more: bytes) -> Make:
    """Return what makes the good sdist with more blocks in the tar file."""
    return lambda: gzip.compress(blocks(*more) + bytes(1024))


def membered(name: str, kind: bytes = tarfile.REGTYPE, **fields: int | str) -> Make:
    """Return what makes the good sdist with a further member."""

    def make() -> bytes:
        entry = tarfile.TarInfo(f"{TOP}/{name}")
        entry.type = kind
        for field, value in fields.items():
            setattr(entry, field, value)
        return make_sdist(sdist_files(), (entry, b""))

    return make


def linked(*links: tuple[str, str]) -> Callable[..., bytes]:
    """Return what makes the good sdist with links, and more behind them."""

    def make(*more: bytes) -> bytes:
        entries = [tarfile.TarInfo(f"{TOP}/{name}") for name, _ in links]
        for entry, (_, target) in zip(entries, links, strict=True):
            entry.type, entry.linkname = tarfile.SYMTYPE, target
        return gzip.compress(blocks(*(entry.tobuf(tarfile.GNU_FORMAT) for entry in entries), *more) + bytes(1024))

    return make


def pax(*records: bytes, kind: bytes = tarfile.XHDTYPE) -> bytes:
    """Return a pax header."""
    return block("pax", b"".join(records), kind)


def negative(header: bytes) -> bytes:
    """Return a header whose size is -1 as GNU tar writes large numbers."""
    entry = bytearray(header[:512])
    entry[124:136] = b"\xff" * 12
    entry[148:156] = b" " * 8
    entry[148:156] = b"%06o\0 " % sum(entry)
    return bytes(entry)


def without(name: str) -> Make:
    """Return what makes the good sdist without a file."""
    return lambda: make_sdist({file: content for file, content in sdist_files().items() if file != f"{TOP}/{name}"})


def overlapping() -> bytes:
    """Return the good wheel with a line of the directory that leads to another member."""
    content = bytearray(good_wheel({f"{PACKAGE}/a.py": b"x", f"{PACKAGE}/b.py": b"x"}))
    one, other = (content.rindex(f"{PACKAGE}/{name}.py".encode()) - 46 + 42 for name in "ab")
    content[other : other + 4] = content[one : one + 4]
    return bytes(content)


def good_sdist() -> bytes:
    """Return the good sdist."""
    return make_sdist(sdist_files())


def padded(text: bytes) -> bytes:
    """Return RECORD with hashes as base64 pads them."""
    return (
        b"\n".join(
            b",".join([*parts[:1], parts[1] and parts[1] + b"=", *parts[2:]])
            for line in text.splitlines()
            if (parts := line.split(b","))
        )
        + b"\n"
    )


def hidden_member() -> bytes:
    """Return the good wheel with a member that only who reads one after the other finds."""
    hidden = zipped({"evil.py": b"x"})
    local, content = hidden[: hidden.index(b"PK\1\2")], good_wheel()
    start = content.index(b"PK\1\2")
    end = bytearray(content[start:])
    end[-6:-2] = struct.pack("<L", start + len(local))
    return content[:start] + local + bytes(end)


def zipped_twice() -> bytes:
    """Return the good wheel with a file twice."""
    stream = io.BytesIO(good_wheel())
    with warnings.catch_warnings(), zipfile.ZipFile(stream, "a") as archive:
        warnings.simplefilter("ignore")
        archive.writestr(f"{PACKAGE}/__init__.py", b"x")
    return stream.getvalue()


def flagged(flag: int) -> bytes:
    """Return the good wheel with a flag on its first member, in both its headers."""
    content = bytearray(good_wheel())
    for signature, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        place = content.index(signature) + offset
        content[place : place + 2] = struct.pack("<H", struct.unpack_from("<H", content, place)[0] | flag)
    return bytes(content)


def zip64_member() -> bytes:
    """Return the good wheel with a member whose sizes are in a Zip64 field, as writers of streams do it."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries().items():
            with archive.open(zipfile.ZipInfo(name), "w", force_zip64=True) as member:
                member.write(content)
    return stream.getvalue()


def named_gzip() -> bytes:
    """Return the good sdist, its gzip file with a name and a comment (RFC 1952)."""
    content = good_sdist()
    start = 10 + (content.index(b"\0", 10) + 1 - 10 if content[3] & 8 else 0)
    return content[:3] + b"\x18" + content[4:10] + b"name\0comment\0" + content[start:]


def flushed() -> bytes:
    """Return the good sdist, each of its parts flushed."""
    stream = zlib.compressobj(9, zlib.DEFLATED, 31)
    content = blocks() + bytes(1024)
    parts = [
        stream.compress(content[n : n + 999]) + stream.flush(zlib.Z_FULL_FLUSH) for n in range(0, len(content), 999)
    ]
    return b"".join(parts) + stream.flush()


# ---- what is in it
INSIDE: dict[str, tuple[str | None, Files]] = {
    "a private key": ("no-secrets", {"x/id": KEY}),
    "a private key in JSON": ("no-secrets", {"x.json": b'{"key": "' + KEY.replace(b"\n", b"\\n") + b'"}'}),
    "a private key in a program": ("no-secrets", {"x.py": b'K = (\n    "' + KEY.replace(b"\n", b'\\n"\n    "')}),
    "a token between two pieces": ("no-secrets", {"x": b" " * ((1 << 20) - 9) + b"npm_" + TOKEN}),
    "a token of PyPI": ("no-secrets", {"x.cfg": b"password = pypi-AgE" + TOKEN}),
    "passwords of git": ("no-secrets", {".git-credentials": b""}),
    "what programs are told": ("no-secrets", {"x/.env": b"PASSWORD=x"}),
    "bytecode": ("no-build-products", {"x/__pycache__/y.cpython-312.pyc": b""}),
    "what git keeps": ("no-build-products", {"x/.git/HEAD": b"ref: refs/heads/main"}),
    "what an editor leaves": ("no-build-products", {"x/y.py.swp": b""}),
    "what npm puts into a folder": ("no-build-products", {"x/node_modules/y/index.js": b""}),
    "a key of OpenAI": ("no-secrets", {"x.py": b"sk-proj-" + TOKEN * 2}),
    "a key in a token's hardware": ("no-secrets", {"x/id_ed25519_sk": b""}),
    "what macOS packs beside a file": ("no-build-products", {"x/._y.py": b""}),
    "what macOS packs beside a folder": ("no-build-products", {"__MACOSX/y.py": b""}),
    "where a link leads": ("no-placeholders", {"x/LICENSE": b"../LICENSE"}),
    "a text that begins like a link": (None, {"x.txt": b"../ is the folder above\n"}),
    "what macOS leaves in a folder": ("no-build-products", {"x/.DS_Store": b""}),
    "the first line of a key": (
        None,
        {"x.py": KEY[:28].join((b'BEGIN = b"', b'"\nEND = b"-----END PRIVATE KEY-----"'))},
    ),
    "a key in a document": (None, {"x.md": KEY[:28] + b"...\n-----END PRIVATE KEY-----"}),
    "tokens in a document": (None, {"x.md": b"ghp_" + b"x" * 36 + b" AKIAIOSFODNN7EXAMPLE my_npm_" + TOKEN}),
    "what is called a key": (None, {"x/messages.key": b"a=b", "x.pem": b"-----BEGIN CERTIFICATE-----\n" + TOKEN}),
}
for what, (rule, files) in INSIDE.items():
    wheel(rule, what, partial(good_wheel, files))
    sdist(rule, what, partial(make_sdist, {**sdist_files(), **{f"{TOP}/{each}": files[each] for each in files}}))
# ---- zip: what PyPI refuses
wheel("zip-framing", "a byte before it", lambda: b"\0" + good_wheel())
wheel("zip-framing", "a byte between members", lambda: good_wheel().replace(b"PK\3\4", b"\0PK\3\4", 1))
wheel("zip-framing", "a member that the directory does not list", hidden_member)
wheel("readable-archive", "members that overlap", overlapping)
wheel("zip-framing", "a mark of parts before it", lambda: b"PK\7\x08" + good_wheel())
wheel("zip-framing", "a data descriptor's flag", patched(b"PK\3\4", 6, b"\x08"))
wheel("zip-framing", "another packed size in a member's own header", patched(b"PK\3\4", 18, b"\1\0\0\0"))
wheel("zip-framing", "another full size in a member's own header", patched(b"PK\3\4", 22, b"\1\0\0\0"))
wheel("zip-framing", "a comment in the directory", lambda: zipped(entries(), lambda e: setattr(e, "comment", b"x")))
wheel("zip-framing", "more members at the end than there are", patched(b"PK\5\6", 8, b"\x09\0\x09\0"))
wheel("zip-framing", "members on another disk", patched(b"PK\5\6", 8, b"\x01\0"))
wheel("zip-framing", "a comment that is longer than the file", patched(b"PK\5\6", 20, b"\1\0"))
wheel("zip-framing", "an end of Zip64 with another count", zip64(put(32, b"\7")))
wheel("zip-framing", "an end of Zip64 with two counts", zip64(put(24, b"\7")))
wheel("zip-framing", "an end of Zip64 that is longer", zip64(put(4, b"\x30")))
wheel("readable-archive", "an end of Zip64 with another place of the directory", zip64(put(48, b"\7")))
wheel("readable-archive", "an end of Zip64 without what leads to it", zip64(lambda end: end.__delitem__(slice(56, 76))))
wheel("zip-framing", "Zip64 sizes of a wrong length", extra(struct.pack("<HH", 1, 4) + b"abcd"))
wheel("zip-framing", "one Zip64 size of what is packed", extra(struct.pack("<HHQ", 1, 8, 1)))
wheel("zip-framing", "half a further field", extra(b"ab"))
wheel("readable-archive", "a further field that is cut", extra(struct.pack("<HH", 0x7777, 9) + b"ab"))
wheel("zip-framing", "a Zip64 field twice", extra(struct.pack("<HH", 1, 0) * 2))
wheel("zip-framing", "a Unicode name twice", extra(unicode_path(f"{PACKAGE}/x.py".encode()) * 2))
wheel("zip-framing", "a Unicode name that is no UTF-8", extra(unicode_path(b"\xff")))
wheel("zip-framing", "a Unicode name with a control character", extra(unicode_path(b"a\x1b.py")))
wheel("zip-framing safe-members", "a name with a control character", named(f"{PACKAGE}/a\x07.py"))
wheel("zip-framing safe-members", "a name with DEL", named(f"{PACKAGE}/a\x7f.py"))
wheel("unique-members record-hashes zip-framing", "a name twice", zipped_twice)
wheel("zip-compression", "bzip2", lambda: zipped(entries(), lambda e: setattr(e, "compress_type", zipfile.ZIP_BZIP2)))
wheel("zip-compression", "LZMA", lambda: zipped(entries(), lambda e: setattr(e, "compress_type", zipfile.ZIP_LZMA)))
wheel("readable-archive", "tar and zip in one", lambda: blocks() + bytes(1024) + good_wheel())
wheel("readable-archive wheel-file", "no member", lambda: zipped({}))
wheel("readable-archive", "cut in the directory", lambda: good_wheel()[:-60])
wheel("readable-archive", "a gzip file", lambda: gzip.compress(b""))
wheel("readable-archive", "half a gzip file", lambda: gzip.compress(os.urandom(900))[:200])
# ---- zip: what uv refuses, or what is read in two ways
wheel("zip-framing", "another checksum in a member's own header", patched(b"PK\3\4", 14, b"\1\2\3\4"))
wheel("zip-framing", "another flag in a member's own header", patched(b"PK\3\4", 7, b"\x08"))
wheel("zip-framing", "another method in a member's own header", patched(b"PK\3\4", 8, b"\0"))
wheel("zip-framing", "a Unicode name that is another", extra(unicode_path(f"{PACKAGE}/y.py".encode())))
wheel("zip-framing", "a Unicode name of another name", extra(unicode_path(f"{PACKAGE}/x.py".encode(), b"y")))
wheel("zip-framing", "a folder with content", lambda: zipped(entries({f"{PACKAGE}/d/": b"x"})))
wheel("zip-framing", "a comment with a zip file's signature", lambda: zipped(entries(), comment=b"see PK\3\4"))
wheel("zip-framing", "an end on another disk", patched(b"PK\5\6", 4, b"\1\0"))
wheel("zip-framing", "a directory on another disk", patched(b"PK\5\6", 6, b"\1\0"))
wheel("zip-framing", "a member on another disk", patched(b"PK\1\2", 34, b"\1\0"))
wheel("zip-framing", "bytes behind a member's packed data", by_hand(deflated(b"x") + b"more", 1, b"x"))
wheel("zip-framing", "two streams in a member", by_hand(deflated(b"x") * 2, 1, b"x"))
wheel("zip-framing", "more in a member than is said", by_hand(deflated(b"x" * 10), 1, b"x"))
wheel("zip-framing", "a stored member with more than is said", by_hand(b"x" * 10, 1, b"x", 0))
wheel("readable-archive", "less in a member than is said", by_hand(deflated(b"x"), 10, b"x"))
wheel("readable-archive", "packed data that is cut", by_hand(deflated(os.urandom(99))[:50], 99, b"x" * 99))
wheel("readable-archive", "packed data that is none", by_hand(b"\xff" * 9, 1, b"x"))
wheel("readable-archive", "another checksum", by_hand(deflated(b"y"), 1, b"x"))
wheel(
    "readable-archive zip-framing",
    "another name in a member's own header",
    lambda: good_wheel().replace(b"__init__", b"__exit__", 1),
)
wheel("zip-compression", "an encrypted member", lambda: flagged(0x0001))
wheel("zip-compression", "a strongly encrypted member", lambda: flagged(0x0040))
wheel("zip-compression", "a patch for a member", lambda: flagged(0x0020))
wheel("zip-compression", "a masked header", lambda: flagged(0x2000))
wheel(
    "no-bomb",
    "a METADATA of more than 512 KiB",
    lambda: good_wheel({f"{INFO}/METADATA": os.urandom(3 << 17).hex().encode()}),
)
wheel(
    "no-bomb",
    "entry points of more than 512 KiB",
    lambda: good_wheel({f"{INFO}/entry_points.txt": os.urandom(3 << 17).hex().encode()}),
)
wheel("no-bomb", "6,000 fields", with_metadata(b"".join(b"X-%d:\n" % n for n in range(6_000))))
wheel(
    "no-bomb",
    "a description of 21,000 lines",
    with_metadata(b"", b"x\n" * 21_000),
)
wheel("no-bomb", "a member that says it has 3 GiB", by_hand(deflated(b"x"), 3 << 30, b"x"))
# ---- names that not every system can hold
for rule, name, makers in (
    ("safe-members", "a device of Windows", ("aux.py",)),
    ("safe-members", "a device of Windows in capitals", ("CON",)),
    ("safe-members", "a device of Windows as a folder", ("nul.d/x.py",)),
    ("safe-members", "a device of Windows with a blank", ("prn .txt",)),
    ("safe-members", "a port of Windows", ("com1.tar.gz",)),
    ("safe-members", "a port of Windows with another digit", ("LPT².txt",)),
    ("safe-members", "a console of Windows", ("conin$",)),
    ("safe-members", "a colon", ("a:b.py",)),
    ("safe-members", "a star", ("a*.py",)),
    ("safe-members", "a question mark", ("a?.py",)),
    ("safe-members", "an angle bracket", ("<a>.py",)),
    ("safe-members", "a quotation mark", ('a"b.py',)),
    ("safe-members", "a bar", ("a|b.py",)),
    ("safe-members", "a dot at the end", ("a.",)),
    ("safe-members", "a blank at the end", ("a ",)),
    ("safe-members", "a blank at the end of a folder", ("a /x.py",)),
    ("safe-members", "a part of 256 bytes", ("é" * 128,)),
    ("safe-members", "three folders of 90 characters", (f"{'a' * 90}/{'b' * 90}/{'c' * 90}/x.py",)),
    ("safe-members", "a backslash", ("a\\b.py",)),
    ("safe-members", "a zero-width blank", ("a\u200b.py",)),
    ("safe-members", "what turns the line around", ("a\u202eyp.exe",)),
    ("safe-members", "the end of a line of old mainframes", ("a\x85b",)),
    ("safe-members", "a blank that does not break", ("a\xa0b",)),
    ("safe-members", "a way out", ("../../x",)),
    ("safe-members", "a dot in front", ("./x",)),
    ("safe-members", "an empty part", ("a//x",)),
    ("safe-members", "a part that is a dot", ("a/./x",)),
    ("unique-members", "other case", ("a.py", "A.py")),
    ("unique-members", "other case that is not ASCII", ("ä.py", "Ä.py")),
    ("unique-members", "composed otherwise", ("\u00e9.py", "e\u0301.py")),
    ("unique-members", "composed otherwise and in other case", ("\u00c9.py", "e\u0301.py")),
    ("unique-members", "a folder in other case", ("a/x.py", "A/y.py")),
    ("unique-members", "a folder in other case, further down", ("a/b/x.py", "a/b-c.py", "a/B/d/y.py")),
    ("unique-members", "a file and a folder", ("a", "a/b.py")),
    ("unique-members", "a file and a folder, and what is sorted between them", ("a", "a-b", "a/b.py")),
    ("unique-members", "a file and a folder in other case", ("A", "a/b.py")),
):
    wheel(rule, f"a name with {name}", named(*(f"{PACKAGE}/{each}" for each in makers)))
    if "way out" not in name:
        sdist(rule, f"a name with {name}", packed(*makers))
wheel("safe-members", "an empty name", by_hand(deflated(b"x"), 1, b"x", name=""))
wheel("safe-members", "a path one character too long", named("x" * (ROOM + 1)))
sdist("safe-members", "a path one character too long", packed("x" * (ROOM - len(TOP))))
wheel("safe-members", "a link", attributes(stat.S_IFLNK | 0o777))
wheel("safe-members", "a device", attributes(stat.S_IFCHR | 0o644))
wheel("safe-members", "a pipe", attributes(stat.S_IFIFO | 0o644))
wheel("safe-members", "setuid", attributes(stat.S_IFREG | 0o4755))
wheel("safe-members", "setgid", attributes(stat.S_IFREG | 0o2755))
# ---- RECORD, entry points, metadata
wheel("record-complete", "a file twice in RECORD", recorded(lambda text: text + text.splitlines(keepends=True)[0]))
wheel("record-complete", "a line of RECORD without a size", recorded(lambda text: text.replace(b",,", b",")))
wheel("record-complete", "an empty line in RECORD", recorded(lambda text: text + b"\n\n"))
wheel("record-complete", "a quotation mark that is left open in RECORD", recorded(lambda text: text + b'"\n'))
wheel("record-complete", "a RECORD in UTF-16", recorded(lambda text: text.decode().encode("utf-16")))
wheel(
    "record-complete", "a RECORD with an endless field", recorded(lambda text: text + b'"' + b"a" * 200_000 + b'",,\n')
)
wheel(
    "record-complete",
    "a signature of RECORD in RECORD",
    recorded(lambda t: t + f"{INFO}/RECORD.jws,,\n".encode(), {f"{INFO}/RECORD.jws": b"x"}),
)
wheel(
    "record-complete",
    "a RECORD.jws elsewhere that is not listed",
    recorded(
        lambda t: b"".join(line for line in t.splitlines(keepends=True) if b"jws" not in line),
        {f"{PACKAGE}/RECORD.jws": b"x"},
    ),
)
wheel("record-hashes", "hashes of MD5", hashed("md5"))
wheel("record-hashes", "hashes of SHA-1", hashed("sha1"))
wheel("record-hashes", "hashes of SHA-224", hashed("sha224"))
wheel("record-hashes", "wrong hashes of SHA-512", hashed("sha512", right=False))
wheel("record-hashes", "wrong hashes of SHA-384", hashed("sha384", right=False))
wheel("record-hashes", "wrong hashes of BLAKE2", hashed("blake2b", right=False))
wheel("record-hashes", "hashes that are padded", recorded(padded))
wheel("record-hashes", "another size in RECORD", recorded(lambda text: text.replace(b",3\n", b",4\n")))
wheel("entry-points", "entry points without a section", with_entry_points("a = b:c\n"))
wheel("entry-points", "a section twice in the entry points", with_entry_points("[x]\n[x]\n"))
wheel("entry-points", "a command twice", with_entry_points("[console_scripts]\na = b:c\na = b:d\n"))
wheel("entry-points", "a command with a slash", with_entry_points("[gui_scripts]\na/b = b:c\n"))
wheel("entry-points", "a command with a blank", with_entry_points("[console_scripts]\na b = b:c\n"))
wheel("entry-points", "a command after a colon", with_entry_points("[console_scripts]\na: b:c\n"))
wheel("entry-points", "a command with many blanks", with_entry_points(f"[console_scripts]\na{' ' * 99_999}b = b:c\n"))
for text in ("{}:1main", "{}:a..b", "{}:class", "{}:main.", ".{}:main", "{}:a.1b", "{}.import:main"):
    wheel(
        "entry-points", f"a command for {text}", with_entry_points(f"[console_scripts]\na = {text.format(PACKAGE)}\n")
    )
wheel("entry-points", "a command in two cases", with_entry_points("[console_scripts]\na = b:c\nA = b:c\n"))
wheel(
    "entry-points",
    "a command with a window and without",
    with_entry_points("[console_scripts]\na = b:c\n[gui_scripts]\na = b:c\n"),
)
wheel(
    "entry-points",
    "a command that is a script too",
    lambda: good_wheel(
        {POINTS: b"[console_scripts]\na = b:c\n", f"{INFO.removesuffix('.dist-info')}.data/scripts/a": b""}
    ),
)
wheel("entry-points", "a command that is a device of Windows", with_entry_points("[console_scripts]\naux = b:c\n"))
wheel("entry-points", "a command called as a Python with a window", with_entry_points("[gui_scripts]\npythonw = b:c\n"))
wheel("entry-points", "a plugin that is not there", with_entry_points(f"[pytest11]\na = {PACKAGE}.b\n"))
wheel(
    None,
    "a plugin in a folder that others share",
    lambda: good_wheel({POINTS: b"[x]\na = shared.b:c\n", "shared/d/__init__.py": b""}),
)
wheel("no-build-products", "the folder of the tests", named("tests/test_x.py"))
wheel(
    "one-dist-info",
    "nothing but metadata",
    lambda: zipped(
        {name: each for name, each in entries().items() if name.startswith(f"{INFO}/") and name != RECORD}
        | {RECORD: record_of({n: e for n, e in entries().items() if n.startswith(f"{INFO}/") and n != RECORD}, RECORD)}
    ),
)
wheel(
    "metadata-consistent",
    "the first patch release alone",
    lambda: good_wheel({f"{INFO}/METADATA": METADATA.replace(">=3.10", "==3.12").encode()}),
)
wheel(
    None,
    "a plugin that is a folder",
    lambda: good_wheel({POINTS: f"[pkg_config]\na = {PACKAGE}.b\n".encode(), f"{PACKAGE}/b/a.pc": b"x"}),
)
wheel(
    "entry-points",
    "a function that is in a folder",
    lambda: good_wheel({POINTS: f"[x]\na = {PACKAGE}.b:c\n".encode(), f"{PACKAGE}/b/a.pc": b"x"}),
)
wheel(None, "a plugin that is another's, and what is no plugin", with_entry_points("[x]\na = b.c\nd = any text\n"))
wheel(
    "metadata-consistent", "an extra of its own that is not there", with_metadata(b"Requires-Dist: ferrous.wheel[x]\n")
)
wheel(
    None,
    "an extra of its own",
    with_metadata(b"Provides-Extra: x-y\nRequires-Dist: ferrous.wheel[X_y]; extra == 'x.y'\n"),
)
wheel("metadata-consistent", "a requirement that nothing fits", with_metadata(b"Requires-Dist: x>2,<1\n"))
wheel("entry-points", "entry points in Latin-1", with_entry_points("[é]\na = b:c\n", "latin-1"))
wheel("metadata-valid metadata-version", "a byte order mark before METADATA", with_metadata(b"\xef\xbb\xbf"))
wheel("metadata-valid metadata-version", "an empty line before METADATA", with_metadata(b"\n"))
wheel("metadata-valid", "a description in Latin-1", with_kind("text/markdown; charset=latin-1"))
wheel("metadata-valid", "Markdown of an unknown flavour", with_kind("text/markdown; variant=Pandoc"))
wheel("metadata-valid", "a METADATA in Latin-1", with_metadata(b"Author: \xe9\n"))
sdist(
    "name-and-version-agree",
    "another name in PKG-INFO",
    lambda: make_sdist({**sdist_files(), f"{TOP}/PKG-INFO": METADATA.replace("Name: ", "Name: x").encode()}),
)
sdist(
    "name-and-version-agree",
    "another version in PKG-INFO",
    lambda: make_sdist({**sdist_files(), f"{TOP}/PKG-INFO": METADATA.replace("Version: 0", "Version: 1").encode()}),
)
add(
    "file-name",
    "a wheel's name of 250 bytes",
    WHEEL.replace("-py3-", f"-1{'x' * (250 - len(WHEEL) - 2)}-py3-"),
    good_wheel,
)
for text in ("<img src=docs/x.png>", '<IMG SRC="x.png">', "[x](docs/a_(b).md)", "[x](<docs/a b.md>)", "[x](a.md (b))"):
    wheel("readme-on-pypi", f"a README with {text}", with_metadata(b"", f"\n{text}\n".encode()))
for text in ("[x](https://a.b/c_(d))", "<img src=https://a.b/x.png>", "[x](<https://a.b/c d>)", "[x](#y (z))"):
    wheel(None, f"a README with {text}", with_metadata(b"", f"\n{text}\n".encode()))
MANY = b"".join(b"!=1.%d," % n for n in range(30_000))
wheel(None, "a requirement with many versions", with_metadata(b"Requires-Dist: x " + MANY[:-1] + b"\n"))
OWN = "".join(f"x{n} = ['ferrous-wheel[x{n + 1}]', 'ferrous-wheel[x{n + 1}]']\n" for n in range(99))
for what, project, field in (
    ("extras that name the next one twice", f"name = 'ferrous-wheel'\n[project.optional-dependencies]\n{OWN}", ""),
    ("an author in an unknown encoding", "authors = [{name = 'x'}]\n", "Author: =?nosuch?q?x?=\n"),
    ("an author in half an encoding", "authors = [{name = 'x'}]\n", "Author: =?utf-8?b?a?=\n"),
):
    project_files = {"pyproject.toml": f"[project]\n{project}".encode(), "PKG-INFO": (field + METADATA).encode()}
    declaring = {f"{TOP}/{name}": content for name, content in project_files.items()}
    sdist("declared-metadata", what, partial(make_sdist, {**sdist_files(), **declaring}))
# ---- gzip
sdist("readable-archive", "a byte behind the gzip file", lambda: good_sdist() + b"x")
sdist("readable-archive", "zeros behind the gzip file", lambda: good_sdist() + bytes(512))
sdist("readable-archive", "a second gzip file", lambda: good_sdist() + gzip.compress(b""))
sdist("readable-archive", "a wrong checksum of gzip", lambda: good_sdist()[:-8] + b"abcd" + good_sdist()[-4:])
sdist("readable-archive", "a wrong length of gzip", lambda: good_sdist()[:-4] + b"abcd")
sdist("readable-archive", "a gzip file without its end", lambda: good_sdist()[:-8])
sdist("readable-archive", "a gzip file that is cut", lambda: good_sdist()[:9_000])
sdist("readable-archive", "bzip2", lambda: bz2.compress(blocks() + bytes(1024)))
sdist("readable-archive", "xz", lambda: lzma.compress(blocks() + bytes(1024)))
sdist("readable-archive", "no gzip at all", lambda: blocks() + bytes(1024))
sdist("readable-archive", "nothing in the gzip file", lambda: gzip.compress(b""))
sdist("readable-archive one-top-folder", "zeros in the gzip file", lambda: gzip.compress(bytes(10_240)))
sdist("readable-archive", "text in the gzip file", lambda: gzip.compress(b"hello" * 1_000))
# ---- tar
sdist("readable-archive", "a tar file that is cut", lambda: gzip.compress(blocks()[:-9_000]))
sdist("readable-archive", "a member that says it has 2 GiB", tarred(block(f"{TOP}/x", size=2 << 30)))
sdist("readable-archive", "a header of a wrong checksum", tarred(b"x" * 512 + block(f"{TOP}/x")))
sdist("no-bomb", "a name of 1,100 characters", packed("ab/" * 360 + "x"))
sdist("no-bomb", "a tar file of 70 MB", tarred(block(f"{TOP}/x", bytes(70 << 20))))
sdist("no-bomb", "a pax header of 1 MB", tarred(pax(record("comment", "x" * 1_000_000)) + block(f"{TOP}/x")))
sdist(
    "no-bomb",
    "a global pax header of 1 MB",
    lambda: gzip.compress(pax(record("comment", "x" * 1_000_000), kind=tarfile.XGLTYPE) + blocks() + bytes(1024)),
)
sdist(
    "no-bomb", "a long name of 1 MB", tarred(block("L", b"x" * 1_000_000, tarfile.GNUTYPE_LONGNAME) + block(f"{TOP}/x"))
)
sdist("no-bomb", "a pax header of digits", tarred(pax(b"1" * 9_999) + block(f"{TOP}/x")))
sdist(
    "no-bomb",
    "many pax headers",
    tarred(*(pax(record("comment", "x" * 60_000)) + block(f"{TOP}/{n}") for n in range(250))),
)
sdist(
    "no-sparse-members",
    "sparse as pax has it",
    tarred(pax(record("GNU.sparse.major", "1"), record("GNU.sparse.minor", "0")) + block(f"{TOP}/x")),
)
sdist("no-sparse-members", "sparse as GNU tar has it", tarred(block(f"{TOP}/x", kind=tarfile.GNUTYPE_SPARSE)))
sdist(
    "no-sparse-members",
    "sparse, the first member",
    lambda: gzip.compress(block(f"{TOP}/x", kind=tarfile.GNUTYPE_SPARSE) + blocks() + bytes(1024)),
)
sdist(
    "no-links safe-members",
    "a link that goes back from another link",
    linked(("a/b/c/d", "../.."), ("a/b/c/e", "d/../../x")),
)
sdist("no-links unique-members", "a link below a link", linked(("a/b/l", "../../s"), ("a/b/l/m", "../x"), ("s/x", "y")))
sdist("no-links unique-members", "a file below a link", lambda: linked(("l", "s"))(block(f"{TOP}/l/x")))
sdist("no-links", "a link, and one further up", linked(("a/l", "./b"), ("a/c/l", "../../LICENSE")))
sdist("no-links", "a link", membered("x", tarfile.SYMTYPE, linkname="LICENSE"))
sdist("no-links", "a hard link", membered("x", tarfile.LNKTYPE, linkname=f"{TOP}/LICENSE"))
sdist("no-links safe-members", "a hard link to nothing", membered("x", tarfile.LNKTYPE, linkname=f"{TOP}/LICENCE"))
sdist("readable-archive", "something behind its end", lambda: gzip.compress(blocks() + bytes(1024) + b"hello"))
sdist("readable-archive", "a second tar file far behind", lambda: gzip.compress(blocks() + bytes(9_999) + blocks()))
sdist("safe-members", "a pipe", membered("x", tarfile.FIFOTYPE))
sdist("safe-members", "a device", membered("x", tarfile.BLKTYPE))
sdist("safe-members", "setuid", membered("x", mode=0o4755))
sdist("safe-members", "a name that is no UTF-8", tarred(block(f"{TOP}/\udce9")))
sdist("safe-members", "a link that leads out", membered("x", tarfile.SYMTYPE, linkname="../../x"))
sdist("safe-members", "a hard link that leads out", membered("x", tarfile.LNKTYPE, linkname="/etc/passwd"))
sdist("safe-members", "a member of no kind", tarred(block(f"{TOP}/x", kind=b"Z")))
sdist("readable-archive", "a size that the pax header alone has", tarred(pax(record("size", "1")) + block(f"{TOP}/x")))
sdist("readable-archive", "a size below zero", tarred(negative(block(f"{TOP}/x"))))

sdist("declared-metadata", "nothing to build it with", without("pyproject.toml"))
sdist("unique-members", "a name twice", tarred(block(f"{TOP}/LICENSE", b"other")))
sdist("one-top-folder", "a file beside the folder", tarred(block("setup.py")))
sdist("one-top-folder safe-members", "a name that begins with a slash", tarred(block("/x")))
sdist(
    "no-bomb",
    "a PKG-INFO of more than 512 KiB",
    lambda: make_sdist({**sdist_files(), f"{TOP}/PKG-INFO": os.urandom(3 << 17).hex().encode()}),
)
# ---- unusual, and right
wheel(None, "stored members", lambda: zipped(entries(), lambda entry: setattr(entry, "compress_type", 0)))
wheel(
    None,
    "folders",
    lambda: zipped(
        entries({f"{PACKAGE}/d/": b""} | {f"{PACKAGE}/d/x.py": b"x"})
        | {RECORD: record_of(dict(entries({f"{PACKAGE}/d/x.py": b"x"}).items()), RECORD)}
    ),
)
wheel(None, "a comment at its end", lambda: zipped(entries(), comment=b"made by hand"))
wheel(None, "an end of Zip64", zip64())
wheel(None, "an end of Zip64 that the other leaves to it", zip64(put(76 + 8, b"\xff" * 12)))
wheel(None, "a Unicode name that is the same", extra(unicode_path(f"{PACKAGE}/x.py".encode())))
wheel(None, "times as Info-ZIP has them, twice", extra(struct.pack("<HHBL", 0x5455, 5, 1, 0) * 2))
wheel(None, "Zip64 sizes of a small member", zip64_member)
wheel(None, "made on Windows", attributes(stat.S_IFLNK, system=0))
wheel(None, "an executable", attributes(stat.S_IFREG | 0o755))
wheel(None, "a name with joined pictures", named(f"{PACKAGE}/\U0001f635\u200d\U0001f4ab.bin"))
wheel(None, "a name in Chinese", named(f"{PACKAGE}/数据.py"))
wheel(None, "a name with blanks and signs", named(f"{PACKAGE}/a b+c=d@e;f'g(h)[i]{{j}}~!#$%&;.py"))
wheel(
    None,
    "a name that begins like a device",
    named(f"{PACKAGE}/console.py", f"{PACKAGE}/auxiliary/nul_.txt", f"{PACKAGE}/com10.py"),
)
wheel(None, "a hidden file", named(f"{PACKAGE}/.hidden", f"{PACKAGE}/..data"))
wheel(None, "a path that just fits", named("x" * ROOM))
wheel(None, "a part of 255 bytes in a deep emoji", named(f"{PACKAGE}/{'🦀' * 40}.py"))
wheel(None, "the same name in two folders", named(f"{PACKAGE}/a/x.py", f"{PACKAGE}/b/x.py", f"{PACKAGE}/a/X"))
wheel(None, "a file named as the beginning of a folder", named(f"{PACKAGE}/ab", f"{PACKAGE}/a/b.py", f"{PACKAGE}/a.b"))
wheel(None, "hashes of SHA-512", hashed("sha512"))
wheel(None, "hashes of SHA-384", hashed("sha384"))
wheel(None, "hashes of SHA3", hashed("sha3_256"))
wheel(
    None,
    "no sizes in RECORD",
    recorded(lambda text: b"".join(line.rpartition(b",")[0] + b",\n" for line in text.splitlines())),
)
wheel(None, "a RECORD with carriage returns", recorded(lambda text: text.replace(b"\n", b"\r\n")))
wheel(
    None,
    "a signature of RECORD",
    recorded(
        lambda t: b"".join(line for line in t.splitlines(keepends=True) if b"jws" not in line),
        {f"{INFO}/RECORD.jws": b"x"},
    ),
)
wheel(
    None,
    "a name with a comma in RECORD",
    recorded(lambda text: text.replace(b"x,y.txt", b'"x,y.txt"'), {"x,y.txt": b"x"}),
)
wheel(
    None,
    "entry points with comments and colons",
    with_entry_points("# x\n[a.b]\nc:d = e:f\n[console_scripts]\nG-h.i_j = k:l [m]\n"),
)
wheel(None, "empty entry points", with_entry_points(""))
wheel(None, "members of zeros", lambda: good_wheel({f"{PACKAGE}/{n}": bytes((5 << 20) + 99 * n) for n in range(9)}))
wheel(None, "a member of 5 MB", lambda: good_wheel({f"{PACKAGE}/x": os.urandom(5_000_000)}))
sdist(
    None,
    "pax headers",
    lambda: make_sdist({**sdist_files(), f"{TOP}/{'a' * 90}/{'b' * 60}.txt": b"x", f"{TOP}/ü": b""}),
)
sdist(
    None,
    "long names of GNU tar",
    lambda: gzip.compress(blocks(block(f"{TOP}/{'a' * 90}/{'b' * 60}.txt", b"x")) + bytes(1024)),
)
sdist(
    None,
    "a global header, as git archive writes it",
    lambda: gzip.compress(pax(record("comment", "a" * 40), kind=tarfile.XGLTYPE) + blocks() + bytes(1024)),
)
sdist(
    None, "folders", tarred(block(f"{TOP}", kind=tarfile.DIRTYPE, mode=0o2755), block(f"{TOP}/d", kind=tarfile.DIRTYPE))
)
sdist(None, "an old member's kind", tarred(block(f"{TOP}/x", kind=tarfile.AREGTYPE)))
sdist(None, "a contiguous file", tarred(block(f"{TOP}/x", kind=tarfile.CONTTYPE)))
sdist(None, "no zeros at its end", lambda: gzip.compress(blocks()))
sdist(None, "many zeros at its end", lambda: gzip.compress(blocks() + bytes(100_000)))
sdist(None, "a name and a comment in the gzip file", named_gzip)
sdist(None, "members without rights", tarred(block(f"{TOP}/x", mode=0), block(f"{TOP}/y", mode=0o600)))
sdist(None, "a large number of an owner", tarred(block(f"{TOP}/x", uid=2**40, gid=2**40)))
sdist(None, "times with fractions", tarred(pax(record("mtime", "1700000000.123456789")) + block(f"{TOP}/x")))
sdist(None, "sizes in pax headers too", tarred(pax(record("size", "3")) + block(f"{TOP}/x", b"abc")))
sdist(None, "flushed in between", flushed)
