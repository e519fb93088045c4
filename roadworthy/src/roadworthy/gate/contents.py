"""Rules about what is in a wheel or an sdist, the core metadata included."""

import csv
import hashlib
import io
import json
import logging
import os
import re
import shutil
import tempfile
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path

import tomli
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from roadworthy import processes
from roadworthy.gate.binary import module_suffixes
from roadworthy.gate.model import Artefact, Expectations, rule, wheel_fields, wheel_tags
from roadworthy.terminal import err

# Names and texts that mean a secret. The texts are prefixes that their issuers document for finding them, and decide of
# a .pem: most are certificates.
SECRET_NAMES = re.compile(
    r"(^|/)(\.env(\.(?!(dist|example|sample|template)$).*)?|\.pypirc|\.netrc|id_(rsa|dsa|ecdsa|ed25519)"
    r"|.*\.(p12|pfx|key|keystore))$"
)
SECRET_TEXTS = re.compile(
    rb"-----BEGIN [A-Z ]*PRIVATE KEY-----|\bpypi-AgE[A-Za-z0-9_-]{16}|\bgh[pousr]_[A-Za-z0-9]{36}"
    rb"|\bgithub_pat_[A-Za-z0-9_]{22}|\bAKIA[0-9A-Z]{16}\b|\bxox[abprs]-[A-Za-z0-9-]{10}"
)
# By their kind, and not by a folder: one called build that is committed is meant, and another one is no declared file.
BUILD_PRODUCTS = re.compile(r"(^|/)__pycache__/|\.(so|pyd|dll|dylib|pdb|o|a|lib|rlib|rmeta|pyc|whl|egg)$")
# Files of the .dist-info folder that RECORD must not list (PEP 427).
SIGNATURES = {"RECORD.jws", "RECORD.p7s"}
# Those of hashlib that are as good as SHA-256, and not of a length that somebody chooses.
GOOD_HASHES = {"sha256", "sha384", "sha512", "sha3_256", "sha3_384", "sha3_512", "blake2b", "blake2s"}
# Where crates are published; a lock names no source for what lies beside it.
PUBLISHED = ("registry+", "sparse+")
# Words of cargo's where it could not reach what it has to read.
UNREACHED = re.compile(r"failed to download|network error|offline mode")


@rule("both", needs_project=True)
def license_present(artefact: Artefact, _: Expectations) -> Iterator[str]:
    """Find metadata without a licence."""
    for name, key in (("License-Expression", "license_expression"), ("License-File", "license_files")):
        if artefact.metadata is not None and not artefact.fields.get(key):
            yield f"the metadata has no {name}"


@rule("both")
def twine_check(artefact: Artefact) -> Iterator[str]:
    """Find what `twine check --strict` finds."""
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
    """Find another Requires-Python than the project's, and floors that are not the same."""
    found = artefact.fields.get("requires_python")
    if artefact.metadata is None:
        return
    try:
        same = SpecifierSet(found or "") == SpecifierSet(project.requires_python)
    except ValueError:
        same = False
    if not same:
        yield f"Requires-Python is {found!r}, and pyproject.toml says {project.requires_python!r}"
    if project.abi3_feature != f"abi3-py{project.oldest_python.replace('.', '')}":
        yield f"Cargo.toml builds for {project.abi3_feature}, and requires-python begins at {project.oldest_python}"
    minors = re.findall(r":: Python :: (3\.\d+)$", "\n".join(artefact.fields.get("classifiers", [])), re.MULTILINE)
    oldest = min(minors, key=Version, default=project.oldest_python)
    if Version(oldest) < Version(project.oldest_python):
        yield f"the oldest classifier is {oldest}, and requires-python begins at {project.oldest_python}"


@rule("wheel")
def one_dist_info(artefact: Artefact) -> Iterator[str]:
    """Find no .dist-info folder, several, or one of another name."""
    tops = {name.partition("/")[0] for name in artefact.files}
    found = sorted(top for top in tops if top.endswith(".dist-info"))
    if found != [artefact.folder]:
        yield f"it holds {', '.join(found) or 'no .dist-info folder'}, not {artefact.folder}"


@rule("wheel")
def wheel_file(artefact: Artefact) -> Iterator[str]:
    """Find a WHEEL file that says something else than the wheel is; without one, PyPI tells it."""
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
    """Find what only RECORD or only the wheel has, or RECORD has twice; a RECORD that is none, PyPI tells."""
    signatures = {f"{artefact.folder}/{name}" for name in SIGNATURES}
    listed = set[str]()
    for line in record_lines(artefact):
        if len(line) != 3:  # noqa: PLR2004 - the name, the hash and the size
            yield f"RECORD has a line of {len(line)} parts: {','.join(line)[:80]!r}"
        elif line[0] in listed:
            yield f"RECORD lists {line[0]!r} twice"
        elif line[0] in signatures or line[0] not in artefact.files:
            yield f"RECORD lists {line[0]!r}, which {'must not be' if line[0] in signatures else 'is not there'}"
        else:
            listed.add(line[0])
    if artefact.read(f"{artefact.folder}/RECORD") is not None:
        yield from (f"RECORD does not list {name!r}" for name in sorted(artefact.files.keys() - listed - signatures))


@rule("wheel")
def record_hashes(artefact: Artefact) -> Iterator[str]:
    """Find files with another hash or size than in RECORD, or with none; the first line of each file counts."""
    judged = {f"{artefact.folder}/{name}" for name in SIGNATURES | {"RECORD"}}
    for line in record_lines(artefact):
        name, digest, size = (*line, "", "", "")[:3]
        member = artefact.files.get(name)
        if member is None or name in judged:
            continue
        judged.add(name)
        algorithm, _, text = digest.partition("=")
        if algorithm not in GOOD_HASHES:
            yield f"{name!r} has no hash of SHA-256 or better"
            continue
        found = artefact.digests[name] if algorithm == "sha256" else hashlib.new(algorithm)
        if algorithm != "sha256":
            for piece in artefact.pieces(member):
                found.update(piece)
        if text != urlsafe_b64encode(found.digest()).rstrip(b"=").decode():
            yield f"{name!r} is not the file that RECORD lists: another hash"
        elif size not in {"", str(member.size)}:
            yield f"{name!r} is not the file that RECORD lists: another size"


def record_lines(artefact: Artefact) -> Iterator[list[str]]:
    """Yield the rows of RECORD, as far as there are any that can be read."""
    content = artefact.read(f"{artefact.folder}/RECORD")
    try:
        # Not splitlines(): what it takes for the end of a line can stand in a file's name.
        yield from csv.reader(io.StringIO((content or b"").decode("utf-8"), newline=""), strict=True)
    except (UnicodeDecodeError, csv.Error):
        return


@rule("wheel", needs_project=True)
def package_files(artefact: Artefact, project: Expectations) -> Iterator[str]:
    """Find what is installed beside .dist-info and .data folders and was not declared, and the other way round."""
    own_folders = (".dist-info", ".data")
    present = {name for name in artefact.files if not name.partition("/")[0].endswith(own_folders)}
    yield from (f"{name} is missing" for name in project.wheel.lacking(present))
    strange = project.wheel.strange(present - set(native_module_names(artefact, project)))
    yield from (f"{name} is not in the source" for name in strange)


@rule("wheel", needs_project=True)
def native_module(artefact: Artefact, project: Expectations) -> Iterator[str]:
    """Find no native module, several, or one that an interpreter does not look for."""
    ours = native_module_names(artefact, project)
    if len(ours) != 1:
        yield f"there are {len(ours)} files of {project.native_module}: {', '.join(ours) or 'none'}"
    abis = {tag.abi for tag in artefact.tags}
    for name in ours:
        suffix = "." + name.split(".", 1)[1]
        if not all(suffix in (module_suffixes(tag) or {suffix}) for tag in artefact.tags):
            yield f"{name} is not how a module for {', '.join(sorted(abis))} is called"


def native_module_names(artefact: Artefact, project: Expectations) -> list[str]:
    """Return the wheel's files that are this project's native module, whatever their suffix."""
    stem = project.native_module.replace(".", "/")
    return [name for name in artefact.native if name.split(".", 1)[0] == stem]


@rule("wheel", needs_project=True)
def sbom_present(artefact: Artefact, _: Expectations) -> Iterator[str]:
    """Find a wheel without an SBOM."""
    if not any(name.startswith(f"{artefact.folder}/sboms/") for name in artefact.files):
        yield f"there is no file in {artefact.folder}/sboms"


@rule("sdist", needs_project=True)
def tracked_files(artefact: Artefact, project: Expectations) -> Iterator[str]:
    """Find what git tracks and is not there, and the other way round."""
    present = {name.removeprefix(f"{artefact.folder}/") for name in artefact.files}
    for name in project.sdist.lacking(present):
        yield f"{name} is declared, and not in the sdist"
    for name in project.sdist.strange(present - {"PKG-INFO"}):
        yield f"{name} is not tracked, or excluded in pyproject.toml"


@rule("sdist", needs_project=True)
def locked_crates(artefact: Artefact, _: Expectations) -> Iterator[str]:
    """Find no Cargo.lock, one that does not fit Cargo.toml, and crates that are neither published nor in the sdist."""
    content = artefact.read(f"{artefact.folder}/Cargo.lock")
    if content is None:
        yield "Cargo.lock is missing"
        return
    try:
        lock = tomli.loads(content.decode("utf-8"))
        crates = [*lock["package"], *lock.get("patch", {}).get("unused", [])]
        sources = {crate["name"]: crate["source"] for crate in crates if "source" in crate}
        foreign = {name: source for name, source in sources.items() if not source.startswith(PUBLISHED)}
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        yield f"Cargo.lock cannot be read: {error}"
        return
    yield from (f"the crate {name} is not published: {source}" for name, source in foreign.items())
    # To read a package's metadata cargo would fetch those.
    if not foreign:
        yield from ask_cargo(artefact)


def ask_cargo(artefact: Artefact) -> Iterator[str]:
    """Find why cargo would not build an sdist with its Cargo.lock as it is, or would build what is not in it.

    Where there is no cargo, or it cannot read a registry, that is told, and nothing is found.
    """
    not_judged = f"{artefact.path.name}: whether Cargo.lock fits Cargo.toml is not judged:"
    if not shutil.which("cargo"):
        err.print(f"{not_judged} cargo is not on PATH")
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary).resolve() / "sdist"
        for name, member in artefact.files.items():
            if not member.unsafe and name.startswith(f"{artefact.folder}/"):
                path = folder / name.removeprefix(f"{artefact.folder}/")
                path.parent.mkdir(parents=True, exist_ok=True)
                with path.open("wb") as file:
                    file.writelines(artefact.pieces(member))
        # What the machine has is enough where the sdist was built; only what it lacks is asked for.
        printed, reason = cargo_metadata(folder, "--offline")
        if UNREACHED.search(reason):
            printed, reason = cargo_metadata(folder)
        reason = reason.replace(f"{folder}{os.sep}", "").replace(str(folder), artefact.folder)
        if "because --locked was passed" in reason:
            yield "Cargo.lock does not fit Cargo.toml"
        elif UNREACHED.search(reason):
            err.print(f"{not_judged} {reason}")
        elif reason:
            yield f"cargo cannot read the package: {reason}"
        for package in json.loads(printed)["packages"] if not reason else ():
            if package["source"] is None and not Path(package["manifest_path"]).is_relative_to(folder):
                yield f"the crate {package['name']} lies outside the sdist: {package['manifest_path']}"


def cargo_metadata(folder: Path, *options: str) -> tuple[str, str]:
    """Return what `cargo metadata` prints, and why it fails, in one line; "" where it does not."""
    command = ("cargo", "metadata", "--locked", "--format-version=1", "--quiet", "--color=never", *options)
    done = processes.run(*command, cwd=folder, env=processes.tool_environment(os.environ), check=False)
    said = " ".join(done.stderr.split())[:400]
    return done.stdout, (said or "it says nothing") if done.returncode else ""


@rule("both", needs_project=True)
def no_secrets(artefact: Artefact, _: Expectations) -> Iterator[str]:
    """Find what looks like a secret, by its name or in its content."""
    for name, member in artefact.files.items():
        if SECRET_NAMES.search(name):
            yield f"{name} is called like a secret"
        elif any(SECRET_TEXTS.search(piece) for piece in artefact.pieces(member)):
            yield f"{name} holds what looks like a private key or a token"


@rule("sdist", needs_project=True)
def no_build_products(artefact: Artefact, _: Expectations) -> Iterator[str]:
    """Find what a build makes."""
    inside = {name: name.removeprefix(f"{artefact.folder}/") for name in artefact.files}
    yield from (f"{name} is a build product" for name, short in inside.items() if BUILD_PRODUCTS.search(short))


@rule("both", needs_project=True)
def no_builder_paths(artefact: Artefact, project: Expectations) -> Iterator[str]:
    """Find paths of this machine."""
    longest = max(map(len, project.builder_paths), default=0)
    for name, member in artefact.files.items():
        before = b""
        for piece in artefact.pieces(member):
            if found := next((path for path in project.builder_paths if path in before + piece), None):
                yield f"{name} holds the path {found.decode(errors='replace')}"
                break
            before = piece[-longest:]
