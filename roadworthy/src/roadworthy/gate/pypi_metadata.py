"""What PyPI rejects of the core metadata, in its order and its words.

The source is PyPI's, warehouse/forklift/metadata.py, on top of packaging.metadata, and warehouse/forklift/legacy.py for
what an uploader is told. PyPI reads the metadata from the upload's form, and a form is made from the file.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from email.utils import getaddresses
from typing import Any, cast

# By this table of packaging's PyPI reads the form, too.
from packaging.metadata import (
    _EMAIL_TO_RAW_MAPPING,
    ExceptionGroup,
    InvalidMetadata,
    Metadata,
    RawMetadata,
    parse_email,
)
from packaging.requirements import InvalidRequirement, Requirement

from roadworthy.gate.model import Rejection

# What PyPI takes, of what packaging knows.
METADATA_VERSIONS = {"1.0", "1.1", "1.2", "2.1", "2.2", "2.3", "2.4", "2.5"}
OLD_METADATA_VERSIONS = METADATA_VERSIONS - {"2.4", "2.5"}  # which have no licence files
# What may be dynamic, as PyPI lists it (PEP 643, PEP 639, PEP 794): everything but these.
NEVER_DYNAMIC = {"name", "version", "metadata-version", "dynamic"}
LONGEST_SUMMARY, LONGEST_LABEL = 512, 32
SEE = "See https://packaging.python.org/{} for more information."
SPECIFICATION = SEE.format("specifications/core-metadata")
LOCAL_VERSIONS = SEE.format("en/latest/specifications/version-specifiers/#local-version-identifiers")
# What a field is called in the form: as in packaging, but for these. warehouse/forklift/metadata.py, _override.
SINGULAR = {"platforms", "supported_platforms", "license_files", "import_names", "import_namespaces"}
FORM_FIELDS = {raw: raw.removesuffix("s") if raw in SINGULAR else raw for raw in _EMAIL_TO_RAW_MAPPING.values()}
# What any reader of RFC 3986 takes: the one that PyPI uses takes longer to load than a wheel to be judged.
PLAIN_ADDRESS = re.compile(r"https?://([a-z0-9-]+\.)+[a-z][a-z0-9-]*(/[A-Za-z0-9._~/-]*)?")
# Of several errors PyPI tells one: of these fields first, then by the field's name; of one field, in their order.
MOST_IMPORTANT = {"metadata-version", "name", "version"}
VALID = "metadata-valid"  # under which rule the gate tells what packaging finds in a field; of these another
RULE_OF_FIELD = {"metadata-version": "metadata-version", "dynamic": "dynamic-fields"}
Errors = Iterator[tuple[str, str, str]]  # the rule of the gate, the field, and the words


def read(content: bytes) -> tuple[RawMetadata, list[str]]:
    """Return the core metadata in a file as PyPI gets it, and what the form calls the fields that cannot be read."""
    raw, unparsed = parse_email(content)
    if raw.get("metadata_version") in OLD_METADATA_VERSIONS:
        # Tools wrote this field long before it was one, and uploaders leave it out: twine/package.py.
        raw.pop("license_files", None)
    sent = {field: value for field, value in raw.items() if not is_nothing(value)}
    known = (_EMAIL_TO_RAW_MAPPING[field] for field in unparsed if field in _EMAIL_TO_RAW_MAPPING)
    return cast(RawMetadata, sent), [FORM_FIELDS[field] for field in known]


def is_nothing(value: object) -> bool:
    """Say whether a field is left out, as sanitize and parse_form_metadata in warehouse/forklift/ do it."""
    values = value if isinstance(value, list) else [value]
    return values == [""] or (bool(values) and isinstance(values[-1], str) and values[-1].strip() == "UNKNOWN")


def judge(raw: RawMetadata, unparsed: Iterable[str]) -> Iterator[Rejection]:
    """Find everything that is wrong with the fields, and with those that could not be read; PyPI tells the first."""
    unreadable = ((VALID, field, f"{field!r} has invalid data") for field in unparsed)
    for stage in (unreadable, packaging_errors(raw), pypi_errors(Metadata.from_raw(raw, validate=False))):
        for rule, _, words in sorted(stage, key=lambda error: (error[1] not in MOST_IMPORTANT, error[1])):
            text = " ".join(words.splitlines())
            more = LOCAL_VERSIONS if "use of local versions" in text else SPECIFICATION
            yield Rejection(rule, text if text.endswith(".") else f"{text}.", more)


def packaging_errors(raw: RawMetadata) -> Errors:
    """Find each field that packaging does not take: a licence expression, a requirement, a missing version."""
    try:
        Metadata.from_raw(raw)
    except ExceptionGroup as group:
        for error in group.exceptions:
            if not isinstance(error, InvalidMetadata):
                raise
            yield RULE_OF_FIELD.get(error.field, VALID), error.field, str(error)


def valid(metadata: Metadata, field: str) -> Any:  # noqa: ANN401 - each field has another type
    """Return the value of a field, or None if there is none that packaging takes."""
    try:
        return getattr(metadata, field)
    except InvalidMetadata:
        return None


def pypi_errors(metadata: Metadata) -> Errors:
    """Find each field that PyPI does not take although packaging does: _validate_metadata."""
    number, version = valid(metadata, "metadata_version"), valid(metadata, "version")
    if number is not None and number not in METADATA_VERSIONS:
        yield "metadata-version", "metadata-version", f"{number!r} is not a valid metadata version"
    if version is not None and version.local:
        yield "no-local-version", "version", f"The use of local versions in '{version}' is not allowed."
    if len(valid(metadata, "summary") or "") > LONGEST_SUMMARY:
        yield "summary-length", "summary", f"'summary' field must be {LONGEST_SUMMARY} characters or less."
    yield from email_errors(metadata)
    yield from classifier_errors(set(valid(metadata, "classifiers") or ()))
    yield from url_errors(metadata)
    yield from dependency_errors(metadata)
    for field in valid(metadata, "dynamic") or ():
        if field in NEVER_DYNAMIC:
            yield "dynamic-fields", "dynamic", f"Dynamic field {field!r} is not a valid dynamic field."
    if valid(metadata, "license") and valid(metadata, "license_expression"):
        words = "License is deprecated when License-Expression is present. "
        yield "one-license-field", "license", f"{words}Only License-Expression should be present."


def email_errors(metadata: Metadata) -> Errors:
    """Find each e-mail address that is none."""
    for name, field in (("author_email", "author-email"), ("maintainer_email", "maintainer-email")):
        # Only a text that holds one, as PyPI's Python (3.14) takes it, but not yet 3.10: a comma in a name makes two.
        addresses = getaddresses([valid(metadata, name) or ""])
        if len(addresses) != 1 or not (address := addresses[0][1]):
            continue
        from email_validator import EmailNotValidError, validate_email  # noqa: PLC0415 - only where there is an address

        try:
            validate_email(address, check_deliverability=False)
        except EmailNotValidError as error:
            yield "email-addresses", field, f"{address!r} is not a valid email address: {error}"


def classifier_errors(classifiers: set[str]) -> Errors:
    """Find each classifier that is unknown or deprecated."""
    from trove_classifiers import all_classifiers, deprecated_classifiers  # noqa: PLC0415 - two thousand of them

    for classifier in sorted(classifiers - set(all_classifiers)):
        yield "classifiers-known", "classifier", f"{classifier!r} is not a valid classifier."
    for classifier in sorted(classifiers & deprecated_classifiers.keys()):
        others = deprecated_classifiers[classifier]
        instead = f", use one of {others} instead." if others else "."
        yield "classifiers-known", "classifier", f"The classifier {classifier!r} has been deprecated{instead}"


def url_errors(metadata: Metadata) -> Errors:
    """Find each address that is none, or has a label that is none."""
    for name, field in (("home_page", "home-page"), ("download_url", "download-url")):
        url = valid(metadata, name)
        if url is not None and not is_valid_uri(url):
            yield "project-urls", field, f"{url!r} is not a valid url."
    urls: Mapping[str, str] = valid(metadata, "project_urls") or {}
    for label, url in urls.items():
        if not label:
            yield "project-urls", "project-url", "Must have a label"
        elif len(label) > LONGEST_LABEL:
            yield "project-urls", "project-url", f"{label!r} must be {LONGEST_LABEL} characters or less."
        elif not url:
            yield "project-urls", "project-url", "Must have a URL"
        elif not is_valid_uri(url):
            yield "project-urls", "project-url", f"{url!r} is not a valid url"


def is_valid_uri(text: str) -> bool:
    """Say whether PyPI takes a text for an address: warehouse/utils/http.py, is_valid_uri."""
    if PLAIN_ADDRESS.fullmatch(text):
        return True
    from rfc3986 import exceptions, uri_reference, validators  # type: ignore[import-untyped]  # noqa: PLC0415

    validator = validators.Validator().allow_schemes("http", "https").require_presence_of("scheme")
    validator.check_validity_of("scheme", "host", "port", "path", "query")
    try:
        validator.validate(uri_reference(text).normalize())
    except exceptions.ValidationError:
        return False
    return True


def dependency_errors(metadata: Metadata) -> Errors:
    """Find each dependency that is an address, or, in the old fields, which packaging leaves alone, is none."""
    for name, field in (("provides_dist", "provides-dist"), ("obsoletes_dist", "obsoletes-dist")):
        for text in valid(metadata, name) or ():
            try:
                if Requirement(text).url is not None:
                    yield "no-direct-dependency", field, f"Can't have direct dependency: {text!r}"
            except InvalidRequirement as error:
                yield "no-direct-dependency", field, f"{text!r} is invalid: {error}"
    for requirement in valid(metadata, "requires_dist") or ():
        if requirement.url is not None:
            yield "no-direct-dependency", "requires-dist", f"Can't have direct dependency: {requirement}"
