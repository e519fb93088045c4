"""The archive that is uploaded: whether it is one, and holds what its name and its metadata say."""

import configparser
import posixpath
import re
import tarfile
import zipfile
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from packaging.metadata import Metadata

from roadworthy.gate.archives import zip_framing
from roadworthy.gate.model import Artefact, UnreadableError
from workshop.loopback.refusals import refused

UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]")


def validate(path: Path) -> None:
    """Check that a file is what PyPI takes for a distribution.

    The source is PyPI's: warehouse/forklift/legacy.py, _is_valid_dist_file. Its search for malware is left out, and
    an sdist that is a zip file is not looked into: its name is refused a moment later.

    Raises:
        RefusedError: It is not.
    """
    is_zip, is_tar = zipfile.is_zipfile(path), tarfile.is_tarfile(path)
    if is_zip and is_tar:
        raise refused("two-archives")
    if path.suffix in {".whl", ".zip"} and not is_zip:
        raise refused("no-zip")
    if path.suffix == ".gz" and not is_tar:
        raise refused("no-tar")
    if path.suffix == ".zip":
        return
    artefact = Artefact(path)
    try:
        with closing(artefact.archive):
            if artefact.is_wheel:
                validate_wheel(artefact)
            else:
                validate_sdist(artefact)
    except UnreadableError as error:
        raise refused("damaged") from error


def validate_wheel(artefact: Artefact) -> None:
    """Check a wheel's zip file.

    Raises:
        RefusedError: PyPI does not take it.
    """
    if artefact.is_bomb(artefact.members):
        raise refused("bomb")
    methods = {member.entry.compress_type for member in artefact.members if isinstance(member.entry, zipfile.ZipInfo)}
    if methods - {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise refused("compression")
    if artefact.path.name.count("-") < 2:  # noqa: PLR2004 - NAME-VERSION-TAGS
        raise refused("unnamed-wheel")
    if artefact.read(f"{artefact.folder}/WHEEL") is None:
        raise refused("no-wheel", place=f"{artefact.folder}/WHEEL")
    reason = next(framing(artefact), None)
    if reason is not None:
        raise refused("framing", reason=reason)


def framing(artefact: Artefact) -> Iterator[str]:
    """Yield what makes one program read another content in a zip file than another program.

    The source is PyPI's: warehouse/utils/zipfiles.py, _validate_zipfile. Where the words are not PyPI's, they are
    those of the gate's rule zip-framing, which stands for it.
    """
    names = [member.entry.orig_filename for member in artefact.members if isinstance(member.entry, zipfile.ZipInfo)]
    if any(UNPRINTABLE.search(name) for name in names):
        yield "Invalid character in filename"
    if max(Counter(names).values(), default=1) > 1:
        yield "Duplicate filename in local headers"
    yield from zip_framing(artefact)


def validate_sdist(artefact: Artefact) -> None:
    """Check an sdist's tar file.

    Raises:
        RefusedError: PyPI does not take it.
    """
    top = top_folder(artefact)
    if any(isinstance(member.entry, tarfile.TarInfo) and member.entry.issparse() for member in artefact.members):
        raise refused("sparse")
    if top in {".", "/", ""}:
        raise refused("top-level")
    if not has_member(artefact, f"{top}/PKG-INFO"):
        raise refused("no-pkg-info", place=f"{top}/PKG-INFO")


def top_folder(artefact: Artefact) -> str:
    """Return the folder in which everything in an sdist is, or ""."""
    names = [member.name for member in artefact.members]
    try:
        return posixpath.commonpath(names) if names else ""
    except ValueError:
        # Some are absolute, others are not.
        return ""


def has_member(artefact: Artefact, name: str) -> bool:
    """Say whether there is anything of that name in an archive."""
    return any(member.name == name for member in artefact.members)


def read_contents(path: Path, metadata: Metadata) -> bytes | None:
    """Check that an archive holds what it must, and return a wheel's METADATA; None for an sdist.

    The source is PyPI's: warehouse/forklift/legacy.py, file_upload.

    Args:
        path: The file, which `validate` has taken.
        metadata: What the upload's form said of it.

    Raises:
        RefusedError: Something is missing in it.
    """
    artefact = Artefact(path)
    with closing(artefact.archive):
        folder = f"{artefact.folder}/licenses" if artefact.is_wheel else top_folder(artefact)
        for licence in metadata.license_files or []:
            if not has_member(artefact, f"{folder}/{licence}"):
                raise refused("licence-file", licence=licence, file=path.name, place=f"{folder}/{licence}")
        if not artefact.is_wheel:
            return None
        record = artefact.read(f"{artefact.folder}/RECORD")
        if record is None:
            raise refused("no-record", file=path.name, place=f"{artefact.folder}/RECORD")
        if not good_entry_points(artefact.read(f"{artefact.folder}/entry_points.txt") or b""):
            raise refused("entry-points", file=path.name)
        if artefact.metadata is None:
            raise refused("no-metadata", file=path.name, place=artefact.metadata_name)
        return artefact.metadata


def good_entry_points(content: bytes) -> bool:
    """Say whether the entry points of a wheel can be read, and its commands have names that are no paths.

    The source is PyPI's: warehouse/utils/wheel.py, _validate_entrypoints.
    """
    parser = configparser.ConfigParser(delimiters=("=",))
    # A name is taken as it is written.
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    try:
        parser.read_string(content.decode())
    except (UnicodeDecodeError, configparser.Error):
        return False
    sections = [parser[name] for name in ("console_scripts", "gui_scripts") if name in parser]
    return all(re.fullmatch(r"[\w.-]+", name) for section in sections for name in section)
