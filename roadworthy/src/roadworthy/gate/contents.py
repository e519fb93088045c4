"""Rules about what is in a wheel or an sdist."""

import csv
import io
import re
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from pathlib import PurePosixPath

import tomli

from roadworthy.gate.crates import PUBLISHED, ask_cargo
from roadworthy.gate.model import Artefact, Expectations, documented, rule, wheel_fields, wheel_tags

# Names and texts that mean a secret. The texts are prefixes that their issuers document for finding them.
SECRET_NAMES = re.compile(
    r"(^|/)(\.env(\..*)?|\.pypirc|\.netrc|id_(rsa|dsa|ecdsa|ed25519)|.*\.(pem|p12|pfx|key|keystore))$"
)
SECRET_TEXTS = re.compile(
    rb"-----BEGIN [A-Z ]*PRIVATE KEY-----|\bpypi-AgE[A-Za-z0-9_-]{16}|\bgh[pousr]_[A-Za-z0-9]{36}"
    rb"|\bgithub_pat_[A-Za-z0-9_]{22}|\bAKIA[0-9A-Z]{16}\b|\bxox[abprs]-[A-Za-z0-9-]{10}"
)
BUILD_PRODUCTS = re.compile(
    r"(^|/)(target|__pycache__|\.venv|dist|build)/|\.(so|pyd|dll|dylib|pdb|o|a|lib|rlib|rmeta|pyc|whl|egg)$"
)
# Files of the .dist-info folder that RECORD must not list (PEP 427).
SIGNATURES = {"RECORD.jws", "RECORD.p7s"}


@rule("wheel")
def one_dist_info(artefact: Artefact) -> Iterator[str]:
    """There is one .dist-info folder, called as the file name says.

    Why: installers refuse a wheel with none or two.
    Source: PEP 427; pip, "multiple .dist-info directories found"; PyPI, "WHEEL not found at …".
    Remedy: build it anew: make build
    """
    tops = {PurePosixPath(name).parts[0] for name in artefact.files}
    found = sorted(top for top in tops if top.endswith(".dist-info"))
    if found != [artefact.folder]:
        yield f"it holds {', '.join(found) or 'no .dist-info folder'}, not {artefact.folder}"


@rule("wheel")
def wheel_file(artefact: Artefact) -> Iterator[str]:
    """The WHEEL file is there, of version 1.x, and says the same tags as the file name.

    Why: installers choose by the file name, and refuse or misplace by WHEEL.
    Source: PEP 427, PEP 491; PyPI, "WHEEL not found at …".
    Remedy: never rename a wheel; build it anew: make build
    """
    content = artefact.read(f"{artefact.folder}/WHEEL")
    if content is None:
        return
    fields = wheel_fields(content)
    version, pure = ((*fields.get(name, []), "")[0] for name in ("wheel-version", "root-is-purelib"))
    if not version.startswith("1."):
        yield f"Wheel-Version is {version!r}, not 1.x"
    tags = wheel_tags(content)
    if tags != artefact.tags:
        yield f"WHEEL says {', '.join(sorted(map(str, tags))) or 'no tags'}, and the file name says others"
    if pure.lower() == "true" and artefact.native:
        yield "Root-Is-Purelib is true, and there is a native module"


@rule("wheel")
def record_complete(artefact: Artefact) -> Iterator[str]:
    """RECORD is there, and lists every file in the wheel and no other.

    Why: a wheel that was changed after it was built.
    Source: PyPI, "Wheel … does not contain the required RECORD file", "Record is missing …", "Wheel is missing …".
    Remedy: do not repack wheels; build it anew: make build
    """
    lines = record_lines(artefact)
    if lines is None:
        return
    listed = {line[0] for line in lines if line}
    present = {name for name in artefact.files if PurePosixPath(name).name not in SIGNATURES}
    for name in sorted(present - listed):
        yield f"RECORD does not list {name!r}"
    for name in sorted(listed - present):
        yield f"RECORD lists {name!r}, which is not there"


@rule("wheel")
def record_hashes(artefact: Artefact) -> Iterator[str]:
    """The hashes and sizes in RECORD are those of the files; all have one, but RECORD itself.

    Why: a file was replaced after the build; pip does not look.
    Source: PEP 427.
    Remedy: do not repack wheels; build it anew: make build
    """
    for line in record_lines(artefact) or []:
        name, digest, size = (*line, "", "", "")[:3]
        member = artefact.files.get(name)
        if member is None or name == f"{artefact.folder}/RECORD" or PurePosixPath(name).name in SIGNATURES:
            continue
        if not digest.startswith("sha256="):
            if not digest.startswith(("sha384=", "sha512=")):
                yield f"{name!r} has no hash of SHA-256 or better"
            continue
        found = urlsafe_b64encode(artefact.digests[name].digest()).rstrip(b"=").decode()
        if digest != f"sha256={found}":
            yield f"{name!r} is not the file that RECORD lists: another hash"
        elif size not in {"", str(member.size)}:
            yield f"{name!r} is not the file that RECORD lists: another size"


def record_lines(artefact: Artefact) -> list[list[str]] | None:
    """Return the rows of RECORD, or None if there is none that can be read."""
    content = artefact.read(f"{artefact.folder}/RECORD")
    try:
        # Not splitlines(): what it takes for the end of a line can stand in a file's name.
        text = io.StringIO((content or b"").decode("utf-8"), newline="")
        return None if content is None else list(csv.reader(text, strict=True))
    except (UnicodeDecodeError, csv.Error):
        return None


@rule("wheel", needs_project=True)
def package_files(artefact: Artefact, project: Expectations) -> Iterator[str]:
    """The wheel holds every tracked file under python/, the native module, and nothing else.

    Why: stale libraries are packed, and stubs that an ignore rule matches are left out.
    Source: PyO3/maturin#911, PyO3/maturin#885.
    Remedy: see .gitignore and [tool.maturin] exclude; remove stale files, and build anew: make build
    """
    expected = {name.removeprefix("python/") for name in project.tracked if name.startswith("python/")}
    present = set(artefact.package_files)
    for name in sorted(expected - present):
        yield f"{name} is missing"
    for name in sorted(present - expected - set(native_module_names(artefact, project))):
        yield f"{name} is not in the source"


@rule("wheel", needs_project=True)
def native_module(artefact: Artefact, project: Expectations) -> Iterator[str]:
    """There is exactly one native module, under the name and the suffix that its tag asks for.

    Why: with another suffix the interpreter does not find it.
    Source: PyO3/maturin#1559; PEP 3149, PEP 803.
    Remedy: compare module-name in pyproject.toml with #[pymodule] in src/lib.rs; build anew: make build
    """
    ours = native_module_names(artefact, project)
    if len(ours) != 1:
        yield f"there are {len(ours)} files of {project.native_module}: {', '.join(ours) or 'none'}"
    abis = {tag.abi for tag in artefact.tags}
    for name in ours:
        suffix = "." + name.split(".", 1)[1]
        if not any(suffix_fits(suffix, abi) for abi in abis):
            yield f"{name} is not how a module for {', '.join(sorted(abis))} is called"


def suffix_fits(suffix: str, abi: str) -> bool:
    """Say whether an interpreter of that ABI looks for that suffix (PEP 3149, PEP 803)."""
    if abi in {"abi3", "abi3t"}:
        # Every Python that knows abi3t also looks for the name of the platform in it.
        platform = "(-[a-z0-9_-]+)?" if abi == "abi3t" else ""
        return re.fullmatch(rf"\.{abi}{platform}\.so|\.pyd", suffix) is not None
    version = abi.removeprefix("cp")
    return re.fullmatch(rf"\.cpython-{version}(-[a-z0-9_-]+)?\.so|\.cp{version}-win[a-z0-9_]+\.pyd", suffix) is not None


def native_module_names(artefact: Artefact, project: Expectations) -> list[str]:
    """Return the wheel's files that are this project's native module, whatever their suffix."""
    stem = project.native_module.replace(".", "/")
    return [name for name in artefact.native if name.split(".", 1)[0] == stem]


@rule("wheel", needs_project=True)
def sbom_present(artefact: Artefact, project: Expectations) -> Iterator[str]:
    """There is an SBOM in .dist-info/sboms.

    Why: maturin's own is switched off because it holds a path; without ours there is none.
    Source: PEP 770.
    Remedy: build with: make build
    """
    del project
    if not any(name.startswith(f"{artefact.folder}/sboms/") for name in artefact.files):
        yield f"there is no file in {artefact.folder}/sboms"


@rule("sdist", needs_project=True)
def tracked_files(artefact: Artefact, project: Expectations) -> Iterator[str]:
    """The sdist holds what git tracks, with [tool.maturin] include and exclude, and PKG-INFO, and nothing else.

    Why: untracked files are published, or what the build needs is left out.
    Source: seen with maturin 1.16: the default sdist generator packs every file that git does not ignore.
    Remedy: keep sdist-generator = "git" in pyproject.toml; commit, and build anew: make build
    """
    present = {name.removeprefix(f"{artefact.folder}/") for name in artefact.files}
    for name in sorted(project.tracked - present):
        yield f"{name} is tracked, not excluded, and not in the sdist"
    for name in sorted(present - project.tracked - {"PKG-INFO"}):
        yield f"{name} is not tracked, or excluded in pyproject.toml"


@rule("sdist", needs_project=True)
def locked_crates(artefact: Artefact, project: Expectations) -> Iterator[str]:
    """Cargo.lock is there and fits Cargo.toml, as cargo says, and every crate is published, or in the sdist.

    Why: distributions build with --locked, and fail; a path leads out of the sdist.
    Source: PyO3/maturin#2609; cargo, "cannot update the lock file … because --locked was passed".
    Remedy: run: cargo update --workspace; commit Cargo.lock, and build anew
    """
    del project
    content = artefact.read(f"{artefact.folder}/Cargo.lock")
    if content is None:
        yield "Cargo.lock is missing"
        return
    try:
        lock = tomli.loads(content.decode("utf-8"))
        crates = [*lock["package"], *lock.get("patch", {}).get("unused", [])]
        foreign = {crate["name"]: crate["source"] for crate in crates if "source" in crate}
        foreign = {name: source for name, source in foreign.items() if not source.startswith(PUBLISHED)}
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        yield f"Cargo.lock cannot be read: {error}"
        return
    yield from (f"the crate {name} is not published: {source}" for name, source in foreign.items())
    # To read a package's metadata cargo would fetch those.
    if not foreign:
        yield from ask_cargo(artefact)


@rule("both", needs_project=True)
def no_secrets(artefact: Artefact, project: Expectations) -> Iterator[str]:
    """No file is called like a secret, or holds a private key or a token.

    Why: whatever lies in the checkout can end in an sdist, and what is published stays published.
    Source: seen with maturin 1.16: an untracked .env was packed.
    Remedy: take the file out of the commit, and renew the secret: it must be taken for known
    """
    del project
    for name, member in artefact.files.items():
        if SECRET_NAMES.search(name):
            yield f"{name} is called like a secret"
        elif any(SECRET_TEXTS.search(piece) for piece in artefact.pieces(member)):
            yield f"{name} holds what looks like a private key or a token"


@rule("sdist", needs_project=True)
def no_build_products(artefact: Artefact, project: Expectations) -> Iterator[str]:
    """The sdist holds no build products: no libraries, no bytecode, no wheels.

    Why: they are of one machine, and stale on the next.
    Source: seen with maturin 1.16: libraries and wheels in the checkout were packed.
    Remedy: take them out of the commit, and name them in .gitignore
    """
    del project
    for name in artefact.files:
        if BUILD_PRODUCTS.search(name.removeprefix(f"{artefact.folder}/")):
            yield f"{name} is a build product"


@rule("both", needs_project=True)
def no_builder_paths(artefact: Artefact, project: Expectations) -> Iterator[str]:
    """No file holds a path of the machine on which it was built.

    Why: it tells who built it where, and two builds differ.
    Source: seen with maturin 1.16: its SBOM holds the folder three times.
    Remedy: build with: make build, which maps paths away
    """
    longest = max(map(len, project.builder_paths), default=0)
    for name, member in artefact.files.items():
        before = b""
        for piece in artefact.pieces(member):
            if found := next((path for path in project.builder_paths if path in before + piece), None):
                yield f"{name} holds the path {found.decode(errors='replace')}"
                break
            before = piece[-longest:]


# What PyPI rejects; pypi.py finds it.
PYPI = documented(
    __name__,
    """
    entry-points (wheel): The entry points can be read, and no command has a path for a name.
    Why: an installer writes a file of that name, wherever it leads.
    Source: PyPI, "Wheel … has invalid entry points defined in the entry_points.txt file".
    Remedy: correct [project.scripts], [project.gui-scripts] and [project.entry-points] in pyproject.toml
    """,
)
