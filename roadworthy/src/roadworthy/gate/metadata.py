"""Rules about the core metadata: PyPI's, on top of those of the standard."""

import io
import re
from collections.abc import Iterator
from email.utils import getaddresses

from packaging.metadata import ExceptionGroup, InvalidMetadata, Metadata
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version
from rfc3986 import exceptions, uri_reference, validators  # type: ignore[import-untyped]
from trove_classifiers import classifiers as known_classifiers
from trove_classifiers import deprecated_classifiers

from roadworthy.gate.model import Artefact, Project, rule

# What PyPI takes, of what packaging knows.
METADATA_VERSIONS = {"1.0", "1.1", "1.2", "2.1", "2.2", "2.3", "2.4", "2.5"}
LONGEST_SUMMARY = 512
LONGEST_LABEL = 32
# What may be dynamic, as PyPI lists it (PEP 643, PEP 639, PEP 794): everything but these.
NEVER_DYNAMIC = {"name", "version", "metadata-version", "dynamic"}


@rule("both")
def metadata_present(artefact: Artefact) -> Iterator[str]:
    """The core metadata is where installers look: NAME-VERSION.dist-info/METADATA, NAME-VERSION/PKG-INFO.

    Why: without it nobody can install the file.
    Source: PyPI, "PKG-INFO not found at …"; PEP 427, PEP 643.
    Remedy: build it anew: make build
    """
    if artefact.metadata is None:
        yield f"there is no {artefact.metadata_name}"


@rule("both")
def metadata_valid(artefact: Artefact) -> Iterator[str]:
    """Every field of the metadata is known and valid, licence expression (SPDX) and requirements included.

    Why: PyPI reads the metadata strictly, pip and twine do not.
    Source: packaging.metadata, which PyPI uses, "'MITT' is invalid for 'license-expression'".
    Remedy: repair the field in pyproject.toml, and build anew
    """
    if artefact.metadata is None:
        return
    try:
        Metadata.from_email(artefact.metadata, validate=True)
    except ExceptionGroup as group:
        for error in group.exceptions:
            # Tools wrote this field long before it was one, and PyPI takes those files.
            if not (
                isinstance(error, InvalidMetadata) and error.field == "license-file" and "introduced in" in str(error)
            ):
                yield str(error)
    except (InvalidMetadata, UnicodeDecodeError, ValueError) as error:
        yield str(error)


@rule("both")
def metadata_version(artefact: Artefact) -> Iterator[str]:
    """The metadata's version is one that PyPI supports.

    Why: a newer build backend writes a newer one than the index or the uploader knows.
    Source: PyPI, "'9.9' is not a valid metadata version".
    Remedy: pin maturin to a version whose metadata PyPI takes
    """
    found = artefact.fields.get("metadata_version")
    if artefact.metadata is not None and found not in METADATA_VERSIONS:
        yield f"{found!r} is not a valid metadata version"


@rule("both")
def name_and_version_agree(artefact: Artefact) -> Iterator[str]:
    """Name and version are the same in the metadata and in the file name.

    Why: a renamed file installs something else than it says.
    Source: PyPI, "Version in filename should be …", "Start filename for … with …".
    Remedy: never rename a file; build it anew: make build
    """
    if artefact.parsed is None or artefact.metadata is None:
        return
    name, version, _ = artefact.parsed
    found = artefact.fields.get("name", "")
    if canonicalize_name(found) != name:
        yield f"the metadata's name is {found!r}, the file's is {name!r}"
    text = artefact.fields.get("version", "")
    try:
        same = Version(text) == version
    except InvalidVersion:
        same = False
    if not same:
        yield f"the metadata's version is {text!r}, the file's is {str(version)!r}"


@rule("both")
def no_local_version(artefact: Artefact) -> Iterator[str]:
    """The version has no local part (`+…`).

    Why: Cargo's build metadata becomes one, and maturin builds it without a word.
    Source: PyPI, "The use of local versions in '0.3.0+build5' is not allowed".
    Remedy: take the part behind + out of the version, and build anew
    """
    if artefact.parsed is not None and artefact.parsed[1].local:
        yield f"the version {artefact.parsed[1]} has a local part"


@rule("both")
def classifiers_known(artefact: Artefact) -> Iterator[str]:
    """Every classifier is in PyPI's list, is not deprecated, and does not forbid the upload.

    Why: `twine check --strict` passes a classifier with a typo, and PyPI refuses it.
    Source: PyPI, "'X' is not a valid classifier.", "The classifier … has been deprecated, use one of … instead."
    Remedy: correct it in pyproject.toml; the list is that of the package trove-classifiers
    """
    for classifier in artefact.fields.get("classifiers", []):
        if classifier in deprecated_classifiers:
            yield f"{classifier!r} is deprecated; instead: {deprecated_classifiers[classifier]}"
        elif classifier not in known_classifiers:
            yield f"{classifier!r} is no classifier"


@rule("both")
def license_files_exist(artefact: Artefact) -> Iterator[str]:
    """Every licence file that the metadata names is in the archive.

    Why: PyPI refuses the file, and pip does not notice.
    Source: PyPI, "License-File LICENSE does not exist in distribution file … at …"; PEP 639.
    Remedy: see license-files in pyproject.toml, and that git tracks the file
    """
    folder = f"{artefact.folder}/licenses" if artefact.is_wheel else artefact.folder
    # Before metadata 2.4 the field was written by tools, without the file being promised at that place.
    if artefact.fields.get("metadata_version", "") < "2.4":
        return
    for name in artefact.fields.get("license_files", []):
        if f"{folder}/{name}" not in artefact.files:
            yield f"{folder}/{name} is not there"


@rule("both", needs_project=True)
def license_present(artefact: Artefact, project: Project) -> Iterator[str]:
    """There is a licence expression and at least one licence file.

    Why: a glob that matches nothing leaves the licence out, and no tool says so.
    Source: seen with maturin 1.16: an empty match is no error; PEP 639.
    Remedy: set license and license-files in pyproject.toml
    """
    del project
    for name, key in (("License-Expression", "license_expression"), ("License-File", "license_files")):
        if artefact.metadata is not None and not artefact.fields.get(key):
            yield f"the metadata has no {name}"


@rule("both")
def one_license_field(artefact: Artefact) -> Iterator[str]:
    """License and License-Expression are not both there.

    Why: old and new form mixed.
    Source: PyPI, "License is deprecated when License-Expression is present".
    Remedy: use license = "…" and license-files in pyproject.toml, and no table
    """
    if artefact.fields.get("license") and artefact.fields.get("license_expression"):
        yield "License and License-Expression are both there"


@rule("both")
def no_direct_dependency(artefact: Artefact) -> Iterator[str]:
    """No dependency is an address, also not in the old fields, which hold nothing but requirements.

    Why: PyPI refuses the file, and twine does not notice.
    Source: PyPI, "Can't have direct dependency: foo @ git+https://…", "'foo >' is invalid".
    Remedy: depend on a released version
    """
    found = artefact.fields
    texts = {
        "Requires-Dist": found.get("requires_dist", []),
        "Provides-Dist": found.get("provides_dist", []),
        "Obsoletes-Dist": found.get("obsoletes_dist", []),
    }
    for name, values in texts.items():
        for text in values:
            try:
                if Requirement(text).url is not None:
                    yield f"{name}: {text}"
            except InvalidRequirement as error:
                # Of the first, metadata-valid says so.
                if name != "Requires-Dist":
                    yield f"{name}: {text!r} is invalid: {error}"


@rule("both")
def readme_renders(artefact: Artefact) -> Iterator[str]:
    """The description is of a known kind, and reStructuredText renders.

    Why: PyPI refuses the file, or shows plain text.
    Source: PyPI, "The description failed to render for 'text/x-rst'."
    Remedy: correct the README, or write it in Markdown
    """
    kind = (artefact.fields.get("description_content_type") or "text/x-rst").split(";")[0].strip().lower()
    text = artefact.fields.get("description", "")
    if kind != "text/x-rst" or not text.strip() or text.strip() == "UNKNOWN":
        return
    from readme_renderer import rst  # noqa: PLC0415 - docutils takes longer to load than all the rest

    stream = io.StringIO()
    if rst.render(text, stream=stream) is None:
        lines = stream.getvalue().strip().splitlines()
        yield f"the description failed to render: {lines[0] if lines else 'reStructuredText'}"


@rule("both", needs_project=True)
def readme_present(artefact: Artefact, project: Project) -> Iterator[str]:
    """There is a description, and it says of what kind it is.

    Why: the project's page is empty, and `twine check` only warns.
    Source: twine, "`long_description` missing" (a warning).
    Remedy: set readme in pyproject.toml
    """
    del project
    if artefact.metadata is not None and not artefact.fields.get("description", "").strip():
        yield "the metadata has no description"
    elif artefact.metadata is not None and not artefact.fields.get("description_content_type"):
        yield "the metadata does not say of what kind the description is"


@rule("both")
def summary_length(artefact: Artefact) -> Iterator[str]:
    """The summary has at most 512 characters.

    Why: PyPI refuses the file, and twine does not notice.
    Source: PyPI, "'summary' field must be 512 characters or less".
    Remedy: shorten description in pyproject.toml
    """
    length = len(artefact.fields.get("summary", ""))
    if length > LONGEST_SUMMARY:
        yield f"the summary has {length} characters"


@rule("both")
def project_urls(artefact: Artefact) -> Iterator[str]:
    """Every address has a label of at most 32 characters, and is one.

    Why: PyPI refuses the file, and twine does not notice.
    Source: PyPI, "'…' must be 32 characters or less", "'…' is not a valid url", "Must have a label".
    Remedy: correct [project.urls] in pyproject.toml
    """
    for label, url in artefact.fields.get("project_urls", {}).items():
        if not label:
            yield f"{url!r} has no label"
        elif len(label) > LONGEST_LABEL:
            yield f"the label {label!r} has {len(label)} characters"
        elif not is_url(url):
            yield f"{url!r} is not a valid url"
    for name, key in (("Home-page", "home_page"), ("Download-URL", "download_url")):
        url = str(artefact.fields.get(key) or "")
        if url and url != "UNKNOWN" and not is_url(url):
            yield f"{name}: {url!r} is not a valid url"


def is_url(text: str) -> bool:
    """Say whether PyPI takes a text for an address.

    The source is PyPI's: warehouse/utils/http.py, is_valid_uri.
    """
    validator = validators.Validator().allow_schemes("http", "https").require_presence_of("scheme")
    validator.check_validity_of("scheme", "host", "port", "path", "query")
    try:
        validator.validate(uri_reference(text).normalize())
    except exceptions.ValidationError:
        return False
    return True


@rule("both")
def email_addresses(artefact: Artefact) -> Iterator[str]:
    """The e-mail address of the authors is one, and that of the maintainers, where no more than one is given.

    Why: PyPI refuses the file, and twine does not notice.
    Source: PyPI, "'…' is not a valid email address".
    Remedy: correct authors or maintainers in pyproject.toml
    """
    from email_validator import EmailNotValidError, validate_email  # noqa: PLC0415 - only where there is an address

    for name, key in (("Author-email", "author_email"), ("Maintainer-email", "maintainer_email")):
        address = only_address(str(artefact.fields.get(key) or ""))
        try:
            if address:
                validate_email(address, check_deliverability=False)
        except EmailNotValidError as error:
            yield f"{name}: {address!r} is not a valid email address: {error}"


def only_address(text: str) -> str:
    """Return the address in a text that holds one, else "".

    As parseaddr does it in PyPI's Python (3.14), but not yet in 3.10: a comma in a name makes two.
    """
    addresses = getaddresses([text])
    return addresses[0][1] if len(addresses) == 1 else ""


@rule("both")
def dynamic_fields(artefact: Artefact) -> Iterator[str]:
    """Only fields that may be dynamic are said to be.

    Why: PyPI refuses the file.
    Source: PyPI, "Dynamic field '…' is not a valid dynamic field"; PEP 643.
    Remedy: build it anew with the pinned maturin: make build
    """
    for name in artefact.fields.get("dynamic", []):
        if name.lower() in NEVER_DYNAMIC:
            yield f"{name!r} is not a valid dynamic field"


@rule("both", needs_project=True)
def requires_python(artefact: Artefact, project: Project) -> Iterator[str]:
    """Requires-Python is what pyproject.toml says, and its floor is that of the stable ABI and of the classifiers.

    Why: pip takes a wheel whose floor is too low, and the import fails.
    Source: seen: abi3audit and check-wheel-contents accept two different floors.
    Remedy: set requires-python, the abi3-pyXY feature in Cargo.toml and the classifiers to one floor
    """
    found = artefact.fields.get("requires_python")
    if artefact.metadata is None:
        return
    try:
        same = SpecifierSet(found or "") == SpecifierSet(project.requires_python)
    except ValueError:
        same = False
    if not same:
        yield f"Requires-Python is {found!r}, and pyproject.toml says {project.requires_python!r}"
    digits = project.oldest_python.replace(".", "")
    if project.abi3_feature != f"abi3-py{digits}":
        yield f"Cargo.toml builds for {project.abi3_feature}, and requires-python begins at {project.oldest_python}"
    minors = re.findall(r":: Python :: (3\.\d+)$", "\n".join(artefact.fields.get("classifiers", [])), re.MULTILINE)
    oldest = min(minors, key=Version, default=project.oldest_python)
    if oldest != project.oldest_python:
        yield f"the oldest classifier is {oldest}, and requires-python begins at {project.oldest_python}"
