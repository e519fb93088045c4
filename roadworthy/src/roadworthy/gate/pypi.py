"""What PyPI rejects of a file: the one place that says so, in its order and with its words.

It is ported from PyPI's source, which is called warehouse: what is asked of an upload is warehouse/forklift/legacy.py,
file_upload; the archive is pypi_archives.py, the metadata pypi_metadata.py. The gate tells all of it, and the
rehearsal's index the first. What PyPI asks of the project, the uploader and other files is not here.
"""

import configparser
import csv
import io
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache

from packaging.metadata import Metadata
from packaging.utils import canonicalize_name, parse_sdist_filename, parse_wheel_filename
from packaging.version import Version

from roadworthy.declared import COMMANDS
from roadworthy.gate import pypi_metadata
from roadworthy.gate.model import Artefact, Rejection
from roadworthy.gate.pypi_archives import judge_wheel_name

EXTENSIONS = {"sdist": {".zip", ".tar.gz"}, "bdist_wheel": {".whl"}}
# warehouse/utils/project.py, PROJECT_NAME_RE.
NAME = re.compile(r"([A-Z0-9]|[A-Z0-9][A-Z0-9._-]*[A-Z0-9])\Z", re.IGNORECASE | re.ASCII)
LONGEST_SHOWN = 60
MIB = 1 << 20
LARGEST_FILE = 100 * MIB  # warehouse/constants.py, MAX_FILESIZE: for one file, unless a project asked for more
UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]")
ENTRY_POINT = re.compile(r"[\w.-]+")  # warehouse/utils/wheel.py, _ENTRY_POINT_NAME_RE
# So many of them would each be looked at once for each that follows; a name with two in it is as bad.
SPACES = re.compile(r"(?<=\S)[ \t]{9,}")
# A file PyPI stores beside a wheel, its metadata, has this added to the wheel's name, and both are files.
LONGEST_NAME = 255 - len(".metadata")
# As _valid_platform_tag accepts them: a list, and patterns for what has a version in it.
PLATFORMS = re.compile(
    r"""any|win32|win_(amd64|arm64|ia64)
    |manylinux(1|2010)_(x86_64|i686)
    |manylinux2014_(x86_64|i686|aarch64|armv7l|ppc64|ppc64le|s390x)
    |linux_armv[67]l
    |manylinux_\d+_\d+_(x86_64|i686|aarch64|armv7l|ppc64|ppc64le|s390x|riscv64)
    |musllinux_\d+_\d+_(x86_64|i686|aarch64|armv7l|ppc64le|s390x|riscv64)
    |macosx_(10_\d+|(11|12|13|14|15|26)_0)_(ppc|ppc64|i386|x86_64|arm64|intel|fat|fat3|fat64|universal|universal2)
    |ios_\d+_\d+_(arm64|x86_64)_(iphoneos|iphonesimulator).*
    |android_\d+_(armeabi_v7a|arm64_v8a|x86|x86_64)
    |pyemscripten_\d+_\d+_wasm32.*""",
    re.VERBOSE | re.ASCII,
)


def judge_project(name: str) -> Iterator[Rejection]:
    """Find what is wrong with a project's name; the source is warehouse/forklift/forms.py, UploadForm."""
    if NAME.match(name):
        return
    characters = "Start and end with a letter or numeral containing only ASCII numeric and '.', '_' and '-'."
    reason = characters if name else "This field is required."
    shown = f"{name[:30]}...{name[-30:]}" if len(name) > LONGEST_SHOWN else name
    words = f"{shown!r} is an invalid value for Name. Error: {reason}"
    yield Rejection(pypi_metadata.VALID, words, pypi_metadata.SPECIFICATION)


def judge_description(metadata: Metadata) -> Iterator[Rejection]:
    """Find out whether the description renders. Of the kinds that PyPI knows, only reStructuredText can fail to."""
    text = pypi_metadata.valid(metadata, "description")
    kind = pypi_metadata.valid(metadata, "description_content_type")
    if text and why_not_rendered(text, kind) is not None:
        which = f"for '{kind}'" if kind else "in the default format of reStructuredText"
        more = "See /help/#description-content-type for more information."
        yield Rejection("readme-renders", f"The description failed to render {which}.", more)


@lru_cache(maxsize=8)  # all files of a release have the same
def why_not_rendered(text: str, kind: str | None) -> str | None:
    """Return why a description of some content type does not render, in twine's words; None where it does."""
    if (kind or "text/x-rst").split(";")[0].strip().lower() != "text/x-rst":
        return None
    from readme_renderer import rst  # noqa: PLC0415 - docutils takes longer to load than all the rest
    from twine.commands.check import _WarningStream  # noqa: PLC0415 - loads it too

    stream = _WarningStream()
    return str(stream) if rst.render(text, stream=stream) is None else None


def judge_file_name(name: str, kind: str) -> Iterator[Rejection]:
    """Find what is wrong with the characters and the end of a file's name; the source is _validate_filename."""
    if UNPRINTABLE.search(name):
        characters = "non-printable characters (ordinals 0-31) or the DEL character (ordinal 127)"
        yield Rejection("file-name", f"Cannot upload a file with {characters} in the name.")
    if "/" in name or "\\" in name:
        yield Rejection("file-name", "Cannot upload a file with '/' or '\\' in the name.")
    found = re.match(r".+?(\.(tar\.gz|zip|whl))$", name, re.IGNORECASE)
    see = "See https://www.python.org/dev/peps/pep-0527"
    if found is None:
        more = f"{see} and https://peps.python.org/pep-0715/ for more information"
        yield Rejection("file-name", "Invalid file extension: Use .tar.gz, .whl or .zip extension.", more)
    elif found[1] not in EXTENSIONS[kind]:
        words = f"Invalid file extension: Extension {found[1]} is invalid for filetype {kind}."
        yield Rejection("file-name", words, f"{see} for more information.")


def judge_size(project: str, size: int, limit: int = LARGEST_FILE) -> Iterator[Rejection]:
    """Find out whether a file is too large for a project."""
    if size > limit:
        see = "See /project-management/storage-limits#requesting-a-file-size-limit-increase for more information."
        yield Rejection("file-size", f"File too large. Limit for project {project!r} is {limit // MIB} MB.", see)


def judge_parsed_name(name: str) -> Iterator[Rejection]:
    """Find out whether the name of a file is one of a wheel or of an sdist, and for which systems."""
    is_wheel, platforms = name.endswith(".whl"), set[str]()
    try:
        if is_wheel:
            platforms = {tag.platform for tag in parse_wheel_filename(name)[3]}
        else:
            parse_sdist_filename(name)
    except ValueError as error:
        yield Rejection("file-name", str(error) if is_wheel else f"Invalid source distribution filename: {name}")
    for platform in sorted(platforms):
        if not PLATFORMS.fullmatch(platform):
            yield Rejection("platform-tag", f"Binary wheel '{name}' has an unsupported platform tag '{platform}'.")


def judge_agreement(file: str, name: str, version: Version) -> Iterator[Rejection]:
    """Find out whether a file is called after the name and version in its metadata, normalised (PEP 427, PEP 625)."""
    project = canonicalize_name(name)
    start = project.replace("-", "_")
    is_wheel = file.endswith(".whl")
    found, found_version = parse_wheel_filename(file)[:2] if is_wheel else parse_sdist_filename(file)
    if not is_wheel and version.is_postrelease and found != project and file.count("-") > 1:
        # There may be a hyphen in the version.
        found = canonicalize_name(file.rpartition("-")[0].rpartition("-")[0])
    spelled, expected = file.split("-", 1)[0], f"{start}-{version}.tar.gz"
    if found != project:
        yield Rejection("name-and-version-agree", f"Start filename for {name!r} with {start!r}.")
    elif is_wheel and spelled != start:
        words = f"Filename {file!r} should contain the normalized project name {start!r}, not {spelled!r}."
        yield Rejection("normalised-name", words)
    elif not is_wheel and file != expected:
        rule = "normalised-name" if found_version == version else "name-and-version-agree"
        yield Rejection(rule, f"Filename {file!r} is invalid, should be {expected!r}.")
    if is_wheel and found_version != version:
        words = f"Version in filename should be {str(version)!r} not {str(found_version)!r}."
        yield Rejection("name-and-version-agree", words)


def judge_contents(artefact: Artefact, licence_files: list[str]) -> Iterator[Rejection]:
    """Find what is missing in an archive, or cannot be read."""
    file, info = artefact.path.name, artefact.folder
    for licence in licence_files:
        place = f"{info}/licenses/{licence}" if artefact.is_wheel else f"{artefact.top}/{licence}"
        if place not in artefact.names:
            words = f"License-File {licence} does not exist in distribution file {file} at {place}"
            yield Rejection("license-files-exist", words)
    if not artefact.is_wheel:
        return
    required = f"Wheel '{file}' does not contain the required"
    if (record := artefact.read(f"{info}/RECORD")) is None or not is_record(record):
        yield Rejection("record-complete", f"{required} RECORD file: {info}/RECORD")
    # No command may be a path.
    groups = read_entry_points(artefact)
    commands = [name for group in COMMANDS.values() for name in (groups or {}).get(group, ())]
    if groups is None or not all(map(ENTRY_POINT.fullmatch, commands)):
        yield Rejection("entry-points", f"Wheel '{file}' has invalid entry points defined in the entry_points.txt file")
    if artefact.metadata is None:
        yield Rejection("metadata-present", f"{required} METADATA file: {artefact.metadata_name}")
    elif len(os.fsencode(file)) > LONGEST_NAME:
        yield Rejection("file-name", f"Filename is too long: '{file}'")


def is_record(content: bytes) -> bool:
    """Say whether PyPI can read a RECORD; an empty line is an error: _validate_record in warehouse/utils/wheel.py."""
    with suppress(UnicodeDecodeError, csv.Error):
        pieces = io.StringIO(content.decode(), newline="\n")
        return all(csv.reader(line for piece in pieces for line in piece.splitlines()))
    return False


def read_entry_points(artefact: Artefact) -> dict[str, dict[str, str]] | None:
    """Return the entry points in a wheel by their groups; None where they cannot be read."""
    parser = configparser.ConfigParser(delimiters=("=",))
    # A name is taken as it is written.
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    with suppress(UnicodeDecodeError, configparser.Error):
        parser.read_string(SPACES.sub(" ", (artefact.read(f"{artefact.folder}/entry_points.txt") or b"").decode()))
        return {name: dict(parser.items(name, raw=True)) for name in parser.sections()}
    return None


def judge_name(artefact: Artefact) -> Iterator[Rejection]:
    """Find what is wrong with the name and the size of a file; the rehearsal's index asks in PyPI's own order."""
    name = artefact.path.name
    yield from judge_file_name(name, "bdist_wheel" if artefact.is_wheel else "sdist")
    yield from judge_wheel_name(name) if artefact.is_wheel else ()
    yield from judge_parsed_name(name)
    yield from judge_size(artefact.parsed[0] if artefact.parsed else name, artefact.path.stat().st_size)


def judge_release(artefact: Artefact) -> Iterator[Rejection]:
    """Find what is wrong with the metadata, the description, and what the name and the metadata promise."""
    raw, unparsed = pypi_metadata.read(artefact.metadata or b"")
    metadata = Metadata.from_raw(raw, validate=False)
    if artefact.metadata is not None:
        yield from judge_project(raw.get("name", ""))
        yield from pypi_metadata.judge(raw, unparsed)
        yield from judge_description(metadata)
    name, version = pypi_metadata.valid(metadata, "name"), pypi_metadata.valid(metadata, "version")
    if artefact.parsed is not None:
        # Where the metadata does not say it, the file's name has at least to agree with itself.
        yield from judge_agreement(artefact.path.name, name or artefact.parsed[0], version or artefact.parsed[1])
    yield from judge_contents(artefact, pypi_metadata.valid(metadata, "license_files") or [])
