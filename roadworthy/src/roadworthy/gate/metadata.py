"""Rules about the core metadata."""

import io
import logging
import re
from collections.abc import Iterator
from contextlib import redirect_stdout

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from roadworthy.gate.model import Artefact, Expectations, documented, rule


@rule("both", needs_project=True)
def license_present(artefact: Artefact, project: Expectations) -> Iterator[str]:
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
def twine_check(artefact: Artefact) -> Iterator[str]:
    """`twine check --strict` takes the file: the description is there, says of what kind it is, and renders.

    Why: the project's page would be empty or plain text; both publishing guides ask for this check.
    Source: twine, "`long_description` missing.", "Invalid distribution metadata: unrecognized or malformed field '…'".
    Remedy: correct the README, or readme in pyproject.toml, and build anew
    """
    from twine.commands import check  # noqa: PLC0415 - takes as long to load as all the rest
    from twine.exceptions import TwineException  # noqa: PLC0415

    told: list[str] = []

    def keep(record: logging.LogRecord) -> bool:
        told.append(record.getMessage())
        return False

    check.logger.addFilter(keep)
    try:
        with redirect_stdout(io.StringIO()):
            check.check([str(artefact.path)], strict=True)
    except TwineException as error:
        told.append(str(error))
    finally:
        check.logger.removeFilter(keep)
    yield from (f"twine: {' '.join(text.split())}" for text in told)


@rule("both", needs_project=True)
def requires_python(artefact: Artefact, project: Expectations) -> Iterator[str]:
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


# What PyPI rejects; pypi.py finds it.
PYPI = documented(
    __name__,
    """
    metadata-present (both):
        The core metadata is where installers look: NAME-VERSION.dist-info/METADATA, NAME-VERSION/PKG-INFO.
    Why: without it nobody can install the file.
    Source: PyPI, "PKG-INFO not found at …"; PEP 427, PEP 643.
    Remedy: build it anew: make build

    metadata-valid (both):
        Every field of the metadata is known and valid, licence expression (SPDX) and requirements included.
    Why: PyPI reads the metadata strictly, pip and twine do not.
    Source: packaging.metadata, which PyPI uses, "'MITT' is invalid for 'license-expression'".
    Remedy: repair the field in pyproject.toml, and build anew

    metadata-version (both): The metadata's version is one that PyPI supports.
    Why: a newer build backend writes a newer one than the index or the uploader knows.
    Source: PyPI, "'9.9' is not a valid metadata version".
    Remedy: pin maturin to a version whose metadata PyPI takes

    name-and-version-agree (both): Name and version are the same in the metadata and in the file name.
    Why: a renamed file installs something else than it says.
    Source: PyPI, "Version in filename should be …", "Start filename for … with …".
    Remedy: never rename a file; build it anew: make build

    no-local-version (both): The version has no local part (`+…`).
    Why: Cargo's build metadata becomes one, and maturin builds it without a word.
    Source: PyPI, "The use of local versions in '0.3.0+build5' is not allowed".
    Remedy: take the part behind + out of the version, and build anew

    classifiers-known (both): Every classifier is in PyPI's list, is not deprecated, and does not forbid the upload.
    Why: `twine check --strict` passes a classifier with a typo, and PyPI refuses it.
    Source: PyPI, "'X' is not a valid classifier.", "The classifier … has been deprecated, use one of … instead."
    Remedy: correct it in pyproject.toml; the list is that of the package trove-classifiers

    license-files-exist (both): Every licence file that the metadata names is in the archive.
    Why: PyPI refuses the file, and pip does not notice.
    Source: PyPI, "License-File LICENSE does not exist in distribution file … at …"; PEP 639.
    Remedy: see license-files in pyproject.toml, and that git tracks the file

    one-license-field (both): License and License-Expression are not both there.
    Why: old and new form mixed.
    Source: PyPI, "License is deprecated when License-Expression is present".
    Remedy: use license = "…" and license-files in pyproject.toml, and no table

    no-direct-dependency (both):
        No dependency is an address, also not in the old fields, which hold nothing but requirements.
    Why: PyPI refuses the file, and twine does not notice.
    Source: PyPI, "Can't have direct dependency: foo @ git+https://…", "'foo >' is invalid".
    Remedy: depend on a released version

    readme-renders (both): The description is of a known kind, and reStructuredText renders.
    Why: PyPI refuses the file, or shows plain text.
    Source: PyPI, "The description failed to render for 'text/x-rst'."
    Remedy: correct the README, or write it in Markdown

    summary-length (both): The summary has at most 512 characters.
    Why: PyPI refuses the file, and twine does not notice.
    Source: PyPI, "'summary' field must be 512 characters or less".
    Remedy: shorten description in pyproject.toml

    project-urls (both): Every address has a label of at most 32 characters, and is one.
    Why: PyPI refuses the file, and twine does not notice.
    Source: PyPI, "'…' must be 32 characters or less", "'…' is not a valid url", "Must have a label".
    Remedy: correct [project.urls] in pyproject.toml

    email-addresses (both):
        The e-mail address of the authors is one, and that of the maintainers, where no more than one is given.
    Why: PyPI refuses the file, and twine does not notice.
    Source: PyPI, "'…' is not a valid email address".
    Remedy: correct authors or maintainers in pyproject.toml

    dynamic-fields (both): Only fields that may be dynamic are said to be.
    Why: PyPI refuses the file.
    Source: PyPI, "Dynamic field '…' is not a valid dynamic field"; PEP 643.
    Remedy: build it anew with the pinned maturin: make build
    """,
)
