"""What is refused of an uploaded file: rows of the table in refusals.py."""

from workshop.loopback.refused_tokens import Rows

ATTESTATIONS = "Invalid attestations supplied during upload:"
BAD = "Invalid distribution file."

FILES: Rows = [
    (
        "warehouse/forklift/legacy.py, file_upload",
        400,
        "",
        [
            (
                "unknown-project",
                "a minted token, and no project of that name",
                (
                    "Non-user identities cannot create new projects. This was probably caused by successfully using a "
                    "pending publisher but specifying the project name incorrectly (either in the publisher or in your "
                    "project's metadata). Please ensure that both match. See: /trusted-publishers/troubleshooting/"
                ),
            ),
            (
                "description",
                "the description does not render as what it says it is",
                (
                    "The description failed to render for '{kind}'. "
                    "See /help/#description-content-type for more information."
                ),
            ),
            (
                "default-description",
                "the description does not say what it is, and does not render",
                (
                    "The description failed to render in the default format of reStructuredText. "
                    "See /help/#description-content-type for more information."
                ),
            ),
            ("content-type", "the file has no content type, or that of an image", BAD),
            (
                "file-too-large",
                "the file is larger than the project's limit",
                (
                    "File too large. Limit for project {project!r} is {limit} MB. "
                    "See /project-management/storage-limits#requesting-a-file-size-limit-increase for more information."
                ),
            ),
            (
                "project-too-large",
                "the project's files are larger than its limit",
                (
                    "Project size too large. Limit for project {project!r} total size is {limit} GB. "
                    "See /project-management/storage-limits#requesting-a-project-size-limit-increase"
                ),
            ),
            (
                "digest",
                "the file has another digest than the form says",
                "The digest supplied does not match a digest calculated from the uploaded file.",
            ),
            (
                "exists",
                "another file of that name is there, or the same under another name",
                (
                    "File already exists ({file!r}, with blake2_256 hash {digest!r}). "
                    "See /help/#file-name-reuse for more information."
                ),
            ),
            (
                "deleted",
                "a file of that name was there once",
                (
                    "This filename was previously used by a file that has since been deleted. Use a different version. "
                    "See /help/#file-name-reuse for more information."
                ),
            ),
            (
                "closed-release",
                "the release is older than 14 days",
                "Uploading new files to releases older than 14 days is not allowed.",
            ),
            ("second-sdist", "the release has an sdist", "Only one sdist may be uploaded per release."),
            ("sdist-name", "the file is called as no sdist is", "Invalid source distribution filename: {file}"),
            (
                "start",
                "the file is called after another project",
                "Start filename for {project!r} with {start!r}.",
            ),
            (
                "sdist-spelling",
                "an sdist's name is not normalised, or of another version",
                "Filename {file!r} is invalid, should be {expected!r}.",
            ),
            (
                "licence-file",
                "a licence file is not in the archive",
                "License-File {licence} does not exist in distribution file {file} at {place}",
            ),
            ("wheel-name", "the file is called as no wheel is", "{reason}"),
            (
                "wheel-spelling",
                "a wheel's name is not normalised",
                "Filename {file!r} should contain the normalized project name {expected!r}, not {found!r}.",
            ),
            (
                "wheel-version",
                "a wheel's name says another version than its metadata",
                "Version in filename should be {expected!r} not {found!r}.",
            ),
            (
                "no-record",
                "a wheel has no RECORD",
                "Wheel '{file}' does not contain the required RECORD file: {place}",
            ),
            (
                "entry-points",
                "a wheel's entry points cannot be read",
                "Wheel '{file}' has invalid entry points defined in the entry_points.txt file",
            ),
            (
                "no-metadata",
                "a wheel has no METADATA",
                "Wheel '{file}' does not contain the required METADATA file: {place}",
            ),
        ],
    ),
    (
        "gate: platform-tag; warehouse/forklift/legacy.py, _valid_platform_tag",
        400,
        "",
        [
            (
                "platform",
                "a wheel is for a system that PyPI does not know",
                "Binary wheel '{file}' has an unsupported platform tag '{platform}'.",
            ),
        ],
    ),
    (
        "warehouse/forklift/legacy.py, _validate_filename",
        400,
        "",
        [
            (
                "control-character",
                "a control character in the file's name",
                (
                    "Cannot upload a file with non-printable characters (ordinals 0-31) or the DEL character "
                    "(ordinal 127) in the name."
                ),
            ),
            ("separator", "a path in the file's name", "Cannot upload a file with '/' or '\\' in the name."),
            (
                "extension",
                "the name ends as one of another kind does",
                (
                    "Invalid file extension: Extension {extension} is invalid for filetype {kind}. "
                    "See https://www.python.org/dev/peps/pep-0527 for more information."
                ),
            ),
            (
                "unknown-extension",
                "the name ends as none does",
                (
                    "Invalid file extension: Use .tar.gz, .whl or .zip extension. "
                    "See https://www.python.org/dev/peps/pep-0527 and "
                    "https://peps.python.org/pep-0715/ for more information"
                ),
            ),
        ],
    ),
    (
        "warehouse/forklift/legacy.py, _is_valid_dist_file",
        400,
        "",
        [
            ("two-archives", "the file is a zip and a tar file", f"{BAD} File is both a zip and a tar file"),
            ("no-zip", "a wheel is no zip file", f"{BAD} File is not a zipfile"),
            ("bomb", "a wheel unpacks to 50 times its size", f"{BAD} File exceeds compression ratio of 50"),
            ("compression", "a wheel is not deflated", f"{BAD} File does not use a supported compression type"),
            (
                "unnamed-wheel",
                "a wheel is called neither after a project nor after a version",
                f"{BAD} Unable to parse name and version from wheel filename",
            ),
            ("no-wheel", "a wheel has no WHEEL", f"{BAD} WHEEL not found at {{place}}"),
            ("no-tar", "an sdist is no tar file", f"{BAD} File is not a tarfile"),
            ("damaged", "an archive cannot be read to its end", f"{BAD} None"),
            (
                "sparse",
                "a member of an sdist is sparse",
                f"{BAD} tar archive not accepted: Sparse members are not allowed. See /archives for more information",
            ),
            (
                "top-level",
                "an sdist is not in one folder",
                f"{BAD} Incorrect number of top-level directories in sdist",
            ),
            ("no-pkg-info", "an sdist has no PKG-INFO", f"{BAD} PKG-INFO not found at {{place}}"),
        ],
    ),
    (
        "gate: zip-framing; warehouse/utils/zipfiles.py, _validate_zipfile",
        400,
        "",
        [
            (
                "framing",
                "a wheel's directory and its members differ, or there is something between or after them",
                f"{BAD} ZIP archive not accepted: {{reason}}. See /archives for more information",
            ),
        ],
    ),
    (
        "warehouse/attestations/services.py, parse_attestations",
        400,
        "",
        [
            (
                "untrusted-attestations",
                "attestations with a token that no publisher has",
                f"{ATTESTATIONS} Attestations are only supported when using Trusted Publishing",
            ),
            (
                "malformed-attestations",
                "they are not as PEP 740 says",
                f"{ATTESTATIONS} Malformed attestations: {{reason}}",
            ),
            (
                "no-attestations",
                "there are none in the list",
                f"{ATTESTATIONS} Malformed attestations: an empty attestation set is not permitted",
            ),
            (
                "many-attestations",
                "there are more than there are kinds",
                f"{ATTESTATIONS} A maximum of {{limit}} attestations per file are supported",
            ),
            (
                "unverified-attestation",
                "it is of another publisher, workflow, file or content, or its signature is wrong",
                (
                    f"{ATTESTATIONS} Could not verify the uploaded artifact using the included attestation: "
                    "Verification failed: {reason}"
                ),
            ),
            (
                "twin-attestations",
                "two are of one kind",
                (
                    f"{ATTESTATIONS} Multiple attestations for the same file with the same predicate type ({{kind}}) "
                    "are not supported"
                ),
            ),
        ],
    ),
]
