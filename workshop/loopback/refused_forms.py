"""What is refused of an upload's form, before its file is looked at: rows of the table in refusals.py."""

from workshop.loopback.refused_tokens import Rows

SPECIFICATION = "See https://packaging.python.org/specifications/core-metadata for more information."

FORMS: Rows = [
    (
        "warehouse/forklift/decorators.py, sanitize",
        400,
        "",
        [("file-for-text", "a field that is a text is sent as a file", "{field}: Should not be a tuple.")],
    ),
    (
        "warehouse/forklift/forms.py, UploadForm",
        400,
        "",
        [
            (
                "no-name",
                "the form has no name",
                f"'' is an invalid value for Name. Error: This field is required. {SPECIFICATION}",
            ),
            (
                "bad-name",
                "the name is none",
                (
                    "{value!r} is an invalid value for Name. Error: Start and end with a letter or numeral containing "
                    f"only ASCII numeric and '.', '_' and '-'. {SPECIFICATION}"
                ),
            ),
            (
                "no-file-type",
                "the form does not say what is sent",
                "Invalid value for filetype. Error: This field is required.",
            ),
            (
                "file-type",
                "it is neither sdist nor wheel",
                "Invalid value for filetype. Error: Use a known file type.",
            ),
            (
                "bad-sha256",
                "the SHA-256 is none",
                "Invalid value for sha256_digest. Error: Use a valid, hex-encoded, SHA256 message digest.",
            ),
            (
                "bad-blake2",
                "the BLAKE2 is none",
                "Invalid value for blake2_256_digest. Error: Use a valid, hex-encoded, BLAKE2 message digest.",
            ),
            (
                "no-python-version",
                "a wheel's form has no pyversion",
                "Invalid value for pyversion. Error: Python version is required for binary distribution uploads.",
            ),
            (
                "python-version",
                "an sdist's pyversion is not source",
                "Invalid value for pyversion. Error: Use 'source' as Python version for an sdist.",
            ),
            ("no-digest", "the form has no digest", "Error: Include at least one message digest."),
        ],
    ),
    (
        "warehouse/forklift/legacy.py, file_upload",
        400,
        "",
        [
            ("protocol-version", "the form's protocol is not 1", "Unknown protocol version."),
            (
                "metadata",
                "packaging.metadata refuses a field: a licence expression, a requirement, a missing version …",
                f"{{reason}}. {SPECIFICATION}",
            ),
            ("no-file", "the form has no file", "Upload payload does not have a file."),
        ],
    ),
    (
        "warehouse/forklift/metadata.py, parse_form_metadata and _validate_metadata",
        400,
        "",
        [
            ("unparsed", "a field is there twice, or cannot be read", f"{{field!r}} has invalid data. {SPECIFICATION}"),
            (
                "metadata-version",
                "packaging knows the metadata's version, and PyPI does not yet",
                f"{{value!r}} is not a valid metadata version. {SPECIFICATION}",
            ),
            (
                "local-version",
                "the version has a local part",
                (
                    "The use of local versions in '{version}' is not allowed. See https://packaging.python.org/en/latest/"
                    "specifications/version-specifiers/#local-version-identifiers for more information."
                ),
            ),
            ("summary", "the summary is too long", f"'summary' field must be 512 characters or less. {SPECIFICATION}"),
            (
                "email",
                "an e-mail address is none",
                f"{{address!r}} is not a valid email address: {{reason}}. {SPECIFICATION}",
            ),
            ("classifier", "a classifier is unknown", f"{{value!r}} is not a valid classifier. {SPECIFICATION}"),
            (
                "replaced-classifier",
                "a classifier is deprecated in favour of others",
                f"The classifier {{value!r}} has been deprecated, use one of {{others}} instead. {SPECIFICATION}",
            ),
            (
                "deprecated-classifier",
                "a classifier is deprecated",
                f"The classifier {{value!r}} has been deprecated. {SPECIFICATION}",
            ),
            ("url", "an address is none", f"{{value!r}} is not a valid url. {SPECIFICATION}"),
            ("no-label", "a project's address has no label", f"Must have a label. {SPECIFICATION}"),
            ("no-url", "a label has no address", f"Must have a URL. {SPECIFICATION}"),
            (
                "long-label",
                "a label is too long",
                f"{{value!r}} must be 32 characters or less. {SPECIFICATION}",
            ),
            (
                "direct-dependency",
                "a dependency is an address",
                f"Can't have direct dependency: {{value}}. {SPECIFICATION}",
            ),
            (
                "dynamic",
                "a field may not be dynamic",
                f"Dynamic field {{value!r}} is not a valid dynamic field. {SPECIFICATION}",
            ),
            (
                "two-licences",
                "both licence fields are there",
                (
                    "License is deprecated when License-Expression is present. "
                    f"Only License-Expression should be present. {SPECIFICATION}"
                ),
            ),
        ],
    ),
]
