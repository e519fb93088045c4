"""The form of an upload: its fields, and the core metadata in them, before the file is looked at."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

from email_validator import EmailNotValidError, validate_email

# PyPI reads the form by these tables of packaging's too, so that a field is as often there, and a list, as they say.
from packaging.metadata import (
    _LIST_FIELDS,
    _RAW_TO_EMAIL_MAPPING,
    _STRING_FIELDS,
    ExceptionGroup,
    InvalidMetadata,
    Metadata,
    RawMetadata,
)
from packaging.requirements import InvalidRequirement, Requirement
from trove_classifiers import classifiers as known_classifiers
from trove_classifiers import deprecated_classifiers

from roadworthy.gate.metadata import (
    LONGEST_LABEL,
    LONGEST_SUMMARY,
    METADATA_VERSIONS,
    NEVER_DYNAMIC,
    is_url,
    only_address,
)
from workshop.loopback.refusals import RefusedError, refused

# All values of each field, in their order.
Form = Mapping[str, list[str]]

NAME = re.compile(r"([A-Z0-9]|[A-Z0-9][A-Z0-9._-]*[A-Z0-9])\Z", re.IGNORECASE | re.ASCII)
DIGEST = re.compile(r"[A-F0-9]{64}", re.IGNORECASE)
EXTENSIONS = {"sdist": {".zip", ".tar.gz"}, "bdist_wheel": {".whl"}}
LONGEST_SHOWN = 60
# PyPI's source, warehouse/forklift/metadata.py, parse_form_metadata: what a field of the form is called in packaging.
RAW_NAMES = {
    {
        "platforms": "platform",
        "supported_platforms": "supported_platform",
        "license_files": "license_file",
        "import_names": "import_name",
        "import_namespaces": "import_namespace",
    }.get(raw, raw): raw
    for raw in _RAW_TO_EMAIL_MAPPING
}
# Of several errors PyPI tells one: of these fields first, then by the field's name.
MOST_IMPORTANT = ("metadata-version", "name", "version")
Errors = Iterator[tuple[str, RefusedError]]


def sanitize(fields: Form) -> dict[str, list[str]]:
    """Return the form without what old tools put in the place of nothing.

    The source is PyPI's: warehouse/forklift/decorators.py, sanitize.
    """
    return {
        name: [value.replace("\0", "\\x00") for value in values]
        for name, values in fields.items()
        if values[0].strip() != "UNKNOWN"
    }


def first(form: Form, name: str) -> str:
    """Return the first value of a field, or ""."""
    return form.get(name, [""])[0]


def raise_worst(errors: Errors) -> None:
    """Raise the error that PyPI would tell, if there is any: each comes with its field.

    Raises:
        RefusedError: There is one.
    """
    by_field: dict[str, RefusedError] = {}
    for field, error in errors:
        by_field.setdefault(field, error)
    for field in (*MOST_IMPORTANT, *sorted(by_field)):
        if field in by_field:
            raise by_field[field]


def check_fields(form: Form) -> None:
    """Check what is in the form beside the metadata.

    The source is PyPI's: warehouse/forklift/forms.py, UploadForm.

    Raises:
        RefusedError: Something is missing or wrong.
    """
    raise_worst(field_errors(form))
    kind, python = first(form, "filetype"), first(form, "pyversion")
    if kind != "sdist" and not python:
        raise refused("no-python-version")
    if kind == "sdist" and python not in {"", "source"}:
        raise refused("python-version")
    if not any(first(form, f"{name}_digest") for name in ("md5", "sha256", "blake2_256")):
        raise refused("no-digest")


def field_errors(form: Form) -> Errors:
    """Yield each field whose own value is wrong, with what PyPI says of it."""
    name = first(form, "name")
    if not name:
        yield "name", refused("no-name")
    elif not NAME.match(name):
        yield "name", refused("bad-name", value=name if len(name) <= LONGEST_SHOWN else f"{name[:30]}...{name[-30:]}")
    if not first(form, "filetype"):
        yield "filetype", refused("no-file-type")
    elif first(form, "filetype") not in EXTENSIONS:
        yield "filetype", refused("file-type")
    for field, error in (("sha256_digest", "bad-sha256"), ("blake2_256_digest", "bad-blake2")):
        if first(form, field) and not DIGEST.fullmatch(first(form, field)):
            yield field, refused(error)


def read_metadata(form: Form) -> Metadata:
    """Return the core metadata in the form.

    The source is PyPI's: warehouse/forklift/legacy.py, file_upload, and warehouse/forklift/metadata.py, parse.

    Raises:
        RefusedError: packaging, or PyPI on top of it, does not take a field.
    """
    raw, unparsed = read_raw(form)
    raise_worst((field, refused("unparsed", field=field)) for field in unparsed)
    try:
        metadata = Metadata.from_raw(cast(RawMetadata, raw))
    except ExceptionGroup as group:
        invalid = [error for error in group.exceptions if isinstance(error, InvalidMetadata)]
        raise_worst((error.field, refused("metadata", reason=str(error).removesuffix("."))) for error in invalid)
        raise
    raise_worst(metadata_errors(metadata))
    return metadata


def read_raw(form: Form) -> tuple[dict[str, Any], list[str]]:
    """Return the form's fields of metadata as packaging wants them, and the names of those that cannot be read."""
    raw: dict[str, Any] = {}
    unparsed = []
    for field, values in form.items():
        name = RAW_NAMES.get(field)
        if name is None or values == [""]:
            continue
        if name in _LIST_FIELDS:
            raw[name] = values
        elif name == "project_urls":
            pairs = [[part.strip() for part in value.partition(",")] for value in values]
            raw[name] = {label: url for label, _, url in pairs}
            if len(raw[name]) != len(pairs):
                unparsed.append(field)
        elif len(values) > 1:
            unparsed.append(field)
        elif name in _STRING_FIELDS:
            raw[name] = values[0]
        elif name == "keywords":
            raw[name] = [word.strip() for word in values[0].split(",")]
        else:
            unparsed.append(field)
    return raw, unparsed


def metadata_errors(metadata: Metadata) -> Errors:
    """Yield each field that PyPI does not take although packaging does, with what PyPI says of it.

    The source is PyPI's: warehouse/forklift/metadata.py, _validate_metadata.
    """
    if metadata.metadata_version not in METADATA_VERSIONS:
        yield "metadata-version", refused("metadata-version", value=metadata.metadata_version)
    if metadata.version.local:
        yield "version", refused("local-version", version=metadata.version)
    if len(metadata.summary or "") > LONGEST_SUMMARY:
        yield "summary", refused("summary")
    if metadata.license and metadata.license_expression:
        yield "license", refused("two-licences")
    for value in metadata.dynamic or []:
        if value in NEVER_DYNAMIC:
            yield "dynamic", refused("dynamic", value=value)
    yield from email_errors(metadata)
    yield from classifier_errors(metadata)
    yield from url_errors(metadata)
    yield from dependency_errors(metadata)


def email_errors(metadata: Metadata) -> Errors:
    """Yield each e-mail address that is none."""
    for field, text in (("author-email", metadata.author_email), ("maintainer-email", metadata.maintainer_email)):
        address = only_address(text or "")
        try:
            if address:
                validate_email(address, check_deliverability=False)
        except EmailNotValidError as error:
            yield field, refused("email", address=address, reason=str(error).removesuffix("."))


def classifier_errors(metadata: Metadata) -> Errors:
    """Yield each classifier that is unknown or deprecated."""
    for classifier in sorted(metadata.classifiers or []):
        others = deprecated_classifiers.get(classifier)
        if others:
            yield "classifier", refused("replaced-classifier", value=classifier, others=others)
        elif others is not None:
            yield "classifier", refused("deprecated-classifier", value=classifier)
        elif classifier not in known_classifiers:
            yield "classifier", refused("classifier", value=classifier)


def url_errors(metadata: Metadata) -> Errors:
    """Yield each address that is none, or has a label that is none."""
    for field, url in (("home-page", metadata.home_page), ("download-url", metadata.download_url)):
        if url is not None and not is_url(url):
            yield field, refused("url", value=url)
    for label, url in (metadata.project_urls or {}).items():
        error = project_url_error(label, url)
        if error is not None:
            yield "project-url", error


def project_url_error(label: str, url: str) -> RefusedError | None:
    """Return what is wrong with a project's address."""
    if not label:
        return refused("no-label")
    if len(label) > LONGEST_LABEL:
        return refused("long-label", value=label)
    if not url:
        return refused("no-url")
    return None if is_url(url) else refused("url", value=url)


def dependency_errors(metadata: Metadata) -> Errors:
    """Yield each dependency that is an address, or is none."""
    for requirement in metadata.requires_dist or []:
        if requirement.url is not None:
            yield "requires-dist", refused("direct-dependency", value=requirement)
    for field, texts in (("provides-dist", metadata.provides_dist), ("obsoletes-dist", metadata.obsoletes_dist)):
        for text in texts or []:
            try:
                if Requirement(text).url is not None:
                    yield field, refused("direct-dependency", value=repr(text))
            except InvalidRequirement as error:
                yield field, refused("metadata", reason=f"{text!r} is invalid: {error}")
