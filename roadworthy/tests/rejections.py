"""What PyPI rejects in a file, and in which words: small files with one thing wrong, for the gate and for the index."""

import io
import struct
import tarfile
import zipfile
from dataclasses import dataclass

from broken import record_of
from helpers import PROJECT
from loopback_samples import (
    INFO,
    METADATA,
    SDIST,
    TOP,
    WHEEL,
    good_wheel,
    make_sdist,
    make_wheel,
    sdist_files,
    wheel_files,
)

CORE = "See https://packaging.python.org/specifications/core-metadata for more information."
BAD = "Invalid distribution file."
ZIP = f"{BAD} ZIP archive not accepted:"
ARCHIVES = "See /archives for more information"
BROKEN = ".. raw:: html\n\n   <p>\n\n.. nosuch::\n"


@dataclass(frozen=True)
class Rejected:
    """A file that PyPI rejects: the gate's rule for it, and what PyPI answers."""

    rule: str
    answer: str
    file: str
    content: bytes


def with_metadata(text: str) -> bytes:
    """Return the good wheel with other metadata, its RECORD made anew."""
    files = {**wheel_files(), f"{INFO}/METADATA": text.encode()}
    return make_wheel({**files, f"{INFO}/RECORD": record_of(files, f"{INFO}/RECORD")})


def field(line: str, rule: str, words: str, more: str = CORE) -> Rejected:
    """Return the good wheel with a further field."""
    begin = line.partition(":")[0] + ":"
    kept = [one for one in METADATA.splitlines() if not one.startswith(begin) or begin == "License-File:"]
    return Rejected(rule, f"{words} {more}".rstrip(), WHEEL, with_metadata("\n".join([line, *kept, ""])))


def described(kind: str) -> bytes:
    """Return the good wheel with a description that does not render."""
    kept = [one for one in METADATA.split("\n\n")[0].splitlines() if not one.startswith("Description")]
    return with_metadata("\n".join([*([f"Description-Content-Type: {kind}"] if kind else []), *kept, "", BROKEN]))


def wheel_with(**files: bytes | None) -> bytes:
    """Return the good wheel with other files in .dist-info; a dot is written as two underscores."""
    present = {**wheel_files(), f"{INFO}/RECORD": record_of(wheel_files(), "")}
    for file, content in files.items():
        present.pop(path := f"{INFO}/{file.replace('__', '.')}", None)
        if content is not None:
            present[path] = content
    return make_wheel(present)


def renamed(file: str) -> bytes:
    """Return the good wheel, its .dist-info folder called as another name asks for."""
    info = "-".join(file.split("-")[:2]) + ".dist-info"
    files = {inside.replace(INFO, info): content for inside, content in wheel_files().items()}
    return make_wheel({**files, f"{info}/RECORD": record_of(files, f"{info}/RECORD")})


def tar() -> bytes:
    """Return a tar file that is not compressed."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("x"))
    return stream.getvalue()


def sparse() -> bytes:
    """Return the good sdist with a sparse member."""
    entry = tarfile.TarInfo(f"{TOP}/sparse")
    entry.size = 1
    told = {"major": "0", "minor": "1", "map": "0,1", "size": "1"}
    entry.pax_headers = {f"GNU.sparse.{key}": value for key, value in told.items()}
    return make_sdist(sdist_files(), (entry, b"x"))


def changed_end(offset: int, value: bytes) -> bytes:
    """Return the good wheel with other bytes in the record at its end (APPNOTE 4.3.16)."""
    content = bytearray(good_wheel())
    start = content.rindex(b"PK\5\6") + offset
    content[start : start + len(value)] = value
    return bytes(content)


def with_extra(extra: bytes) -> bytes:
    """Return the good wheel with a member that has further fields in its header (APPNOTE 4.5)."""
    stream = io.BytesIO(good_wheel())
    with zipfile.ZipFile(stream, "a") as archive:
        entry = zipfile.ZipInfo("x")
        entry.extra = extra
        archive.writestr(entry, b"hello")
    return stream.getvalue()


def framed(words: str, content: bytes) -> Rejected:
    """Return a wheel whose zip file is read differently by different programs."""
    return Rejected("zip-framing", f"{ZIP} {words}. {ARCHIVES}", WHEEL, content)


START = f"Start filename for '{PROJECT.name}' with '{PROJECT.import_name}'."
LINUX, NEWER = WHEEL.replace("any", "linux_x86_64"), WHEEL.replace(str(PROJECT.version), "0.2.0")
ZERO, STRANGER = WHEEL.replace(str(PROJECT.version), "zero"), WHEEL.replace(PROJECT.import_name, "other")
REJECTED = {
    # ---- the metadata
    "no name": field(
        "Name: -",
        "metadata-valid",
        "'-' is an invalid value for Name. Error: Start and end with a letter "
        "or numeral containing only ASCII numeric and '.', '_' and '-'.",
    ),
    "a long name": field(
        f"Name: {'-' * 61}",
        "metadata-valid",
        f"'{'-' * 30}...{'-' * 30}' is an invalid value for Name. "
        "Error: Start and end with a letter or numeral containing only ASCII numeric and '.', '_' and '-'.",
    ),
    "an empty name": field(
        "Name:", "metadata-valid", "'' is an invalid value for Name. Error: This field is required."
    ),
    "two summaries": field("Summary: one\nSummary: two", "metadata-valid", "'summary' has invalid data."),
    "two addresses of one label": field(
        "Project-URL: A, https://a.example\nProject-URL: A, https://b.example",
        "metadata-valid",
        "'project_urls' has invalid data.",
    ),
    "a licence": field("License-Expression: MITT", "metadata-valid", "'MITT' is invalid for 'license-expression'."),
    "a version": field("Version: zero", "metadata-valid", "'zero' is invalid for 'version'."),
    "no version of the metadata": field(
        "Metadata-Version:", "metadata-version", "None is not a valid metadata version."
    ),
    "a metadata version": field("Metadata-Version: 2.6", "metadata-version", "'2.6' is not a valid metadata version."),
    "a local version": field(
        "Version: 0.1.0+local",
        "no-local-version",
        "The use of local versions in '0.1.0+local' is not allowed.",
        "See https://packaging.python.org/en/latest/specifications/version-specifiers/"
        "#local-version-identifiers for more information.",
    ),
    "a summary": field(f"Summary: {'汉' * 513}", "summary-length", "'summary' field must be 512 characters or less."),
    "an e-mail address": field(
        "Author-email: nobody@nowhere",
        "email-addresses",
        "'nobody@nowhere' is not a valid email "
        "address: The part after the @-sign is not valid. It should have a period.",
    ),
    "a classifier": field("Classifier: Pyhton", "classifiers-known", "'Pyhton' is not a valid classifier."),
    "a classifier that has another name": field(
        "Classifier: Natural Language :: Ukranian",
        "classifiers-known",
        "The classifier 'Natural Language :: Ukranian' has been deprecated, use one of "
        "['Natural Language :: Ukrainian'] instead.",
    ),
    "a classifier that has gone": field(
        "Classifier: Topic :: Communications :: Chat :: AOL Instant Messenger",
        "classifiers-known",
        "The classifier 'Topic :: Communications :: Chat :: AOL Instant Messenger' has been deprecated.",
    ),
    "an address": field(
        "Project-URL: Home, ftp://example.com", "project-urls", "'ftp://example.com' is not a valid url."
    ),
    "a home page": field("Home-page: example", "project-urls", "'example' is not a valid url."),
    "an address without a label": field("Project-URL: , https://example.com", "project-urls", "Must have a label."),
    "a label without an address": field("Project-URL: Home,", "project-urls", "Must have a URL."),
    "a label": field(
        f"Project-URL: {'é' * 33}, https://example.com", "project-urls", f"'{'é' * 33}' must be 32 characters or less."
    ),
    "a dependency": field(
        "Requires-Dist: foo @ git+https://example.com/foo",
        "no-direct-dependency",
        "Can't have direct dependency: foo @ git+https://example.com/foo.",
    ),
    "an obsolete dependency": field(
        "Obsoletes-Dist: foo @ https://example.com",
        "no-direct-dependency",
        "Can't have direct dependency: 'foo @ https://example.com'.",
    ),
    "a dynamic field": field(
        "Dynamic: Dynamic", "dynamic-fields", "Dynamic field 'dynamic' is not a valid dynamic field."
    ),
    "a field that is never dynamic": field(
        "Dynamic: Name", "dynamic-fields", "'name' is not allowed as a dynamic field."
    ),
    "two licences": field(
        "License: MIT",
        "one-license-field",
        "License is deprecated when License-Expression is present. Only License-Expression should be present.",
    ),
    "a description": Rejected(
        "readme-renders",
        "The description failed to render for 'text/x-rst'. See /help/#description-content-type for more information.",
        WHEEL,
        described("text/x-rst"),
    ),
    "a description of no kind": Rejected(
        "readme-renders",
        "The description failed to render in the default format of "
        "reStructuredText. See /help/#description-content-type for more information.",
        WHEEL,
        described(""),
    ),
    # ---- the file's name
    "a control character": Rejected(
        "file-name",
        "Cannot upload a file with non-printable characters (ordinals 0-31) or "
        "the DEL character (ordinal 127) in the name.",
        f"\x01{WHEEL}",
        good_wheel(),
    ),
    "a backslash": Rejected(
        "file-name", "Cannot upload a file with '/' or '\\' in the name.", f"a\\{WHEEL}", good_wheel()
    ),
    "an extension": Rejected(
        "file-name",
        "Invalid file extension: Use .tar.gz, .whl or .zip extension. "
        "See https://www.python.org/dev/peps/pep-0527 and https://peps.python.org/pep-0715/ for more information",
        f"{SDIST}.asc",
        b"x",
    ),
    "an extension in capitals": Rejected(
        "file-name",
        "Invalid file extension: Extension .WHL is invalid for filetype "
        "sdist. See https://www.python.org/dev/peps/pep-0527 for more information.",
        WHEEL.replace("whl", "WHL"),
        b"x",
    ),
    "a wheel without tags": Rejected(
        "file-name", f"{BAD} Unable to parse name and version from wheel filename", f"{TOP}.whl", good_wheel()
    ),
    "a wheel of no version": Rejected(
        "file-name", f"Invalid wheel filename (invalid version): {ZERO.removesuffix('.whl')!r}", ZERO, renamed(ZERO)
    ),
    "an sdist without a version": Rejected(
        "file-name",
        f"Invalid source distribution filename: {PROJECT.import_name}.tar.gz",
        f"{PROJECT.import_name}.tar.gz",
        make_sdist(sdist_files()),
    ),
    "an sdist of another project": Rejected(
        "name-and-version-agree", START, SDIST.replace(PROJECT.import_name, "other"), make_sdist(sdist_files())
    ),
    "a wheel of another project": Rejected("name-and-version-agree", START, STRANGER, renamed(STRANGER)),
    "an sdist in capitals": Rejected(
        "normalised-name",
        f"Filename '{SDIST.capitalize()}' is invalid, should be '{SDIST}'.",
        SDIST.capitalize(),
        make_sdist(sdist_files()),
    ),
    "an sdist of another version": Rejected(
        "name-and-version-agree",
        f"Filename '{TOP}.1.tar.gz' is invalid, should be '{SDIST}'.",
        f"{TOP}.1.tar.gz",
        make_sdist(sdist_files()),
    ),
    "a system": Rejected(
        "platform-tag", f"Binary wheel '{LINUX}' has an unsupported platform tag 'linux_x86_64'.", LINUX, good_wheel()
    ),
    "a wheel in capitals": Rejected(
        "normalised-name",
        f"Filename '{WHEEL.capitalize()}' should contain the normalized "
        f"project name '{PROJECT.import_name}', not '{PROJECT.import_name.capitalize()}'.",
        WHEEL.capitalize(),
        renamed(WHEEL.capitalize()),
    ),
    "a wheel of another version": Rejected(
        "name-and-version-agree",
        f"Version in filename should be '{PROJECT.version}' not '0.2.0'.",
        NEWER,
        renamed(NEWER),
    ),
    # ---- the archive
    "two archives": Rejected(
        "readable-archive", f"{BAD} File is both a zip and a tar file", WHEEL, tar() + good_wheel()
    ),
    "no zip": Rejected("readable-archive", f"{BAD} File is not a zipfile", WHEEL, b"hello"),
    "no tar": Rejected("readable-archive", f"{BAD} File is not a tarfile", SDIST, b"hello"),
    "a tar that is not compressed": Rejected("readable-archive", f"{BAD} None", SDIST, tar()),
    "half an sdist": Rejected("readable-archive", f"{BAD} None", SDIST, make_sdist(sdist_files())[:10_000]),
    "a bomb": Rejected(
        "no-bomb",
        f"{BAD} File exceeds compression ratio of 50",
        WHEEL,
        good_wheel().replace(struct.pack("<L", len(METADATA.encode())), struct.pack("<L", (64 << 20) + 1)),
    ),
    "a compression": Rejected(
        "zip-compression",
        f"{BAD} File does not use a supported compression type",
        WHEEL,
        make_wheel(wheel_files(), zipfile.ZIP_BZIP2),
    ),
    "no WHEEL": Rejected("wheel-file", f"{BAD} WHEEL not found at {INFO}/WHEEL", WHEEL, wheel_with(WHEEL=None)),
    "a sparse member": Rejected(
        "no-sparse-members",
        f"{BAD} tar archive not accepted: Sparse members are not allowed. {ARCHIVES}",
        SDIST,
        sparse(),
    ),
    "two folders": Rejected(
        "one-top-folder",
        f"{BAD} Incorrect number of top-level directories in sdist",
        SDIST,
        make_sdist({**sdist_files(), "setup.py": b""}),
    ),
    "no PKG-INFO": Rejected(
        "metadata-present",
        f"{BAD} PKG-INFO not found at {TOP}/PKG-INFO",
        SDIST,
        make_sdist({f"{TOP}/LICENSE": b"MIT", f"{TOP}/x": b""}),
    ),
    "no licence file": field(
        "License-File: COPYING",
        "license-files-exist",
        f"License-File COPYING does not exist in distribution file {WHEEL} at {INFO}/licenses/COPYING",
        "",
    ),
    "no RECORD": Rejected(
        "record-complete",
        f"Wheel '{WHEEL}' does not contain the required RECORD file: {INFO}/RECORD",
        WHEEL,
        wheel_with(RECORD=None),
    ),
    "a RECORD that cannot be read": Rejected(
        "record-complete",
        f"Wheel '{WHEEL}' does not contain the required RECORD file: {INFO}/RECORD",
        WHEEL,
        wheel_with(RECORD=b"\xe9,,\n"),
    ),
    "a command": Rejected(
        "entry-points",
        f"Wheel '{WHEEL}' has invalid entry points defined in the entry_points.txt file",
        WHEEL,
        wheel_with(entry_points__txt=b"[console_scripts]\n../x = y:z\n"),
    ),
    "no METADATA": Rejected(
        "metadata-present",
        f"Wheel '{WHEEL}' does not contain the required METADATA file: {INFO}/METADATA",
        WHEEL,
        wheel_with(METADATA=None),
    ),
    # ---- the zip file
    "data behind a wheel": framed("Trailing data", good_wheel() + b"\0"),
    "a comment that is not there": framed("Trailing data", changed_end(20, struct.pack("<H", 5))),
    "a count of members": framed("Mismatched central directory records", changed_end(8, struct.pack("<HH", 1, 1))),
    "two counts of members": framed("Malformed zip file", changed_end(8, struct.pack("<H", 1))),
    "half an extra field": framed("Malformed zip file", with_extra(b"xx")),
    "an extra field twice": framed("Invalid duplicate extra in local file", with_extra(struct.pack("<HH", 1, 0) * 2)),
    "a name that is not Unicode": framed(
        "Filename not valid UTF-8", with_extra(struct.pack("<HH", 0x7075, 6) + b"\1abcd\xe9")
    ),
    "a control character in an archive": framed(
        "Invalid character in filename", make_wheel({**wheel_files(), f"{INFO}/RECORD": b"", "a\x1b.py": b""})
    ),
}
