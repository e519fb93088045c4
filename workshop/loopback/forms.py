"""The form of an upload: what only a form can say, and the core metadata in it."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

# PyPI reads the form by these tables of packaging's too, so that a field is as often there, and a list, as they say.
from packaging.metadata import _LIST_FIELDS, _STRING_FIELDS, RawMetadata

from roadworthy.gate.pypi import EXTENSIONS, judge_project
from roadworthy.gate.pypi_metadata import FORM_FIELDS, is_nothing
from workshop.loopback.refusals import refused, reject

# All values of each field, in their order.
Form = Mapping[str, list[str]]

DIGEST = re.compile(r"[A-F0-9]{64}", re.IGNORECASE)
RAW_NAMES = {field: raw for raw, field in FORM_FIELDS.items()}


def sanitize(fields: Form) -> dict[str, list[str]]:
    """Return the form without what is nothing, and without zero bytes.

    The source is PyPI's: warehouse/forklift/decorators.py, sanitize.
    """
    return {
        name: [value.replace("\0", "\\x00") for value in values]
        for name, values in fields.items()
        if not is_nothing(values)
    }


def first(form: Form, name: str) -> str:
    """Return the first value of a field, or ""."""
    return form.get(name, [""])[0]


def check_fields(form: Form) -> None:
    """Check what is in the form beside the metadata.

    The source is PyPI's: warehouse/forklift/forms.py, UploadForm.

    Raises:
        RefusedError: Something is missing or wrong.
    """
    reject(judge_project(first(form, "name")))
    for refusal in wrong_fields(form):
        raise refused(refusal)


def wrong_fields(form: Form) -> Iterator[str]:
    """Yield what is refused of the form, in the order in which PyPI tells it: by the fields' names, then the whole."""
    kind, python = first(form, "filetype"), first(form, "pyversion")
    digests = [first(form, f"{name}_digest") for name in ("blake2_256", "sha256", "md5")]
    if digests[0] and not DIGEST.fullmatch(digests[0]):
        yield "bad-blake2"
    if kind not in EXTENSIONS:
        yield "file-type" if kind else "no-file-type"
    if digests[1] and not DIGEST.fullmatch(digests[1]):
        yield "bad-sha256"
    if kind != "sdist" and not python:
        yield "no-python-version"
    if kind == "sdist" and python not in {"", "source"}:
        yield "python-version"
    if not any(digests):
        yield "no-digest"


def read_raw(form: Form) -> tuple[RawMetadata, list[str]]:
    """Return the form's fields of metadata as packaging wants them, and the names of those that cannot be read.

    The source is PyPI's: warehouse/forklift/metadata.py, parse_form_metadata.
    """
    raw: dict[str, Any] = {}
    unparsed = []
    for field, values in form.items():
        name = RAW_NAMES.get(field)
        if name is None:
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
    return cast(RawMetadata, raw), unparsed
