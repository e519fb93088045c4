"""Rules about what is in a wheel or an sdist, the core metadata included."""

import csv
import hashlib
import io
import json
import re
import shutil
import tempfile
from base64 import urlsafe_b64encode
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from keyword import iskeyword
from pathlib import Path
from subprocess import CalledProcessError
from typing import Any

from packaging.metadata import RawMetadata, parse_email
from twine.exceptions import TwineException
from twine.package import PackageFile

from roadworthy.declared import COMMANDS, METADATA_FILES
from roadworthy.gate.binary import module_suffixes
from roadworthy.gate.model import POINTERS, Artefact, Expectations, rule, unfit, wheel_tags
from roadworthy.gate.native import PROGRAMS
from roadworthy.gate.pypi import judge_release, read_entry_points, why_not_rendered
from roadworthy.gate.pypi_archives import judge_archive
from roadworthy.project import Project
from roadworthy.sums import sha256
from roadworthy.terminal import ProblemsError, err

# Names that mean a secret; what is in it decides of a .pem or a .key: most are certificates, or no keys at all.
SECRET_NAMES = re.compile(
    r"(^|/)(\.env(\.(?!(dist|example|sample|template)$).*)?|\.pypirc|[._]netrc|id_(rsa|dsa|ecdsa|ed25519)(_sk)?"
    r"|\.git-credentials|\.htpasswd|\.pgpass|\.(cargo|aws)/credentials(\.toml)?|.*\.(p12|pfx|jks|keystore|kdbx|ppk))$"
)
# By their kind, and not by a folder: one called build that is committed is meant, and another one is no declared file.
BUILD_PRODUCTS = re.compile(r"\.(so(\.[\d.]+)?|pyd|dll|dylib|pdb|o|a|lib|rlib|rmeta|pyc|whl|egg)$")
# What Python, version control, tools and systems leave in a folder, in wheels too.
LEFTOVERS = re.compile(
    r"(^|/)((__pycache__|__MACOSX|node_modules|\.(git|hg|svn|bzr|tox|nox|idea|ipynb_checkpoints|\w+_cache))/"
    r"|(\.DS_Store|\._.+|[Tt]humbs\.db|[Dd]esktop\.ini|pyvenv\.cfg|\.coverage|[^/]+(\.rej|\.swp|~))$)"
)
# Folders of a checkout that many projects have: in a wheel, each takes the place of another's (check-wheel-contents).
OF_CHECKOUTS = {"src", "test", "tests", "doc", "docs", "example", "examples", "setup.py", "conftest.py"}
LONGEST_POINTER = 1024  # as the specification of Git LFS has it
LINK_TEXT = re.compile(rb"(\.\./)+[\w./-]+")  # which git writes in the place of a link on Windows
LONGEST_LINE = 5_000  # of a README; what is longer is not looked at
# The marks of a conflict, in their order (git-merge; of jj, the second is another one).
CONFLICT_MARKS = [re.compile(mark, re.MULTILINE) for mark in (rb"^<{7} \S", rb"^(={7}\r?$|[%+]{7} )", rb"^>{7} \S")]
# What leads somewhere in Markdown, in the HTML in it, and in reStructuredText; and what is code there.
TARGET, TITLE = r"(?:<([^<>]+)>|((?:[^\s<>()]|\([^\s<>()]*\))+))", r"(?:\s+[\"'(][^)]*\)?)?"
PATTERNS = (rf"\]\(\s*{TARGET}{TITLE}\s*\)", r"^ {0,3}\[[^\]^]+\]:\s*<?([^\s<>]+)")
LINKS = re.compile("|".join((*PATTERNS, r"(?i:<[^<>]+\s(?:src|href|srcset|poster)\s*=\s*[\"']?([^\s\"'<>]+))")))
RST_LINKS = re.compile(r"`[^`<]*<([^>`]+)>`__?(?!\w)|^\s*\.\. (?:image|figure|_[^:]+):+ +(\S+)()")
CODE, RST_CODE = re.compile(r"(?<!`)(`+)(?!`).+?(?<!`)\1(?!`)"), re.compile("``[^`]+``")
# Where installers put what is in a .data folder (sysconfig's schemes), and what is there already.
INTO_LIB = re.compile(r"^[^/]+\.data/(pure|plat)lib/")
SCHEMES = ("purelib", "platlib", "headers", "scripts", "data")
OF_ENVIRONMENTS = re.compile(
    r"pyvenv\.cfg|(bin|Scripts)/(pythonw?|pip)[\d.]*(\.exe)?|(bin|Scripts)/(de)?activate(\.\w+)?|lib(64)?/python3.*|Lib/.*",
    re.IGNORECASE,
)
REFERENCE = re.compile(r"({0}) *(: *{0})? *(\[.*\])?".format(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*"))  # as it is specified
SIGNATURES = {"RECORD.jws", "RECORD.p7s"}  # which RECORD must not list (PEP 427)
# Those of hashlib that are as good as SHA-256, and not of a length that somebody chooses.
GOOD_HASHES = {"sha256", "sha384", "sha512", "sha3_256", "sha3_384", "sha3_512", "blake2b", "blake2s"}
# In a lock, a crate from elsewhere than a registry; what lies beside it has no source.
UNPUBLISHED = re.compile(r'^name = "(.+)"\nversion = .+\nsource = "((?!registry\+|sparse\+).+)"', re.MULTILINE)
# Words of cargo's where it could not reach what it has to read.
UNREACHED = re.compile(r"failed to download|network error|offline mode")


@rule("both", needs_project=True)
def license_present(artefact: Artefact, _: Expectations) -> Iterator[str]:
    """Find metadata without a licence."""
    for name, key in (("License-Expression", "license_expression"), ("License-File", "license_files")):
        if artefact.metadata is not None and not artefact.fields.get(key):
            yield f"the metadata has no {name}"


@rule("both", level="warning")
def twine_check(artefact: Artefact) -> Iterator[str]:
    """Find what `twine check --strict` finds: twine/commands/check.py, _check_file, without what it always loads."""
    try:
        fields = PackageFile.from_filename(str(artefact.path), None).metadata_dictionary()
    except (TwineException, ValueError) as error:
        # Why PyPI does not take it, other rules tell.
        if not any((*judge_archive(artefact), *judge_release(artefact))):
            yield f"twine: {' '.join(str(error).split())}"
        return
    text, kind = fields.get("description", ""), fields.get("description_content_type")
    if kind is None:
        yield "twine: `long_description_content_type` missing. defaulting to `text/x-rst`."
    if text.rstrip() in {"", "UNKNOWN"}:
        yield "twine: `long_description` missing."
    elif (why := why_not_rendered(text, kind)) is not None:
        yield f"twine: the description has syntax errors, and does not render: {' '.join(why.split())}"


@rule("page", level="warning")
def readme_on_pypi(fields: RawMetadata) -> Iterator[str]:
    """Find what a README has that only GitHub shows, outside of code."""
    rst = "markdown" not in fields.get("description_content_type", "text/x-rst")
    text, inside, before, listed = fields.get("description", ""), "", "", False
    text = re.sub(r"<!--.*?(-->|\Z)", lambda found: "\n" * found[0].count("\n"), text, flags=re.DOTALL)
    for number, line in enumerate(text.split("\n"), start=1):
        # What is indented behind an empty line is code, but for what belongs to an entry of a list.
        code = not (rst or listed or before.strip()) and bool(re.match(r" {4}|\t", line))
        before = "" if code else line
        listed = bool(re.match(r" *([-*+]|\d+[.)])\s", line)) if re.match(r" {0,3}\S", line) else listed
        if not rst and (fence := re.match(r"\s*(`{3,}|~{3,})\s*(\w*)", line)):
            if not inside and fence[2] in {"mermaid", "geojson", "topojson", "stl", "math"}:
                yield f"line {number} of the README begins a block of {fence[2]}, which PyPI shows as code"
            inside = "" if inside and fence[1].startswith(inside) else inside or fence[1]
        elif not inside and not code:
            text = (RST_CODE if rst else CODE).sub("", line[:LONGEST_LINE])
            for found in (RST_LINKS if rst else LINKS).findall(text):
                if not re.match(r"#|//|[A-Za-z][A-Za-z0-9+.-]*:", target := next(filter(None, found))):
                    yield f"line {number} of the README leads to {target}, which is not on PyPI"
            if not rst and re.match(r"\s*>\s*\[!\w+\]", line):
                yield f"line {number} of the README is an alert, which PyPI shows as a quotation: {line.strip()}"


@rule("wheel")
def one_dist_info(artefact: Artefact) -> Iterator[str]:
    """Find no .dist-info folder, several, or one of another name."""
    tops = (INTO_LIB.sub("", name).partition("/")[0] for name in artefact.files)
    found = sorted({top for top in tops if top.endswith((".dist-info", ".egg-info"))})
    if found != [artefact.folder]:
        yield f"it holds {', '.join(found) or 'no .dist-info folder'}, not {artefact.folder}"
    elif all(name.startswith(f"{found[0]}/") for name in artefact.files) and not artefact.fields.get("requires_dist"):
        yield "nothing is in it but its metadata, and nothing is required"


@rule("wheel")
def wheel_file(artefact: Artefact) -> Iterator[str]:
    """Find a WHEEL file that says something else than the wheel is; without one, PyPI tells it."""
    if (content := artefact.read(f"{artefact.folder}/WHEEL")) is None:
        return
    fields = parse_email(content)[1]  # by their names in lower case: none of them is one of the core metadata
    version, pure, build = (", ".join(fields.get(name, [])) for name in ("wheel-version", "root-is-purelib", "build"))
    if not re.fullmatch(r"1\.\d+", version):
        yield f"Wheel-Version is {version!r}, not 1.x"
    if build not in {"", artefact.path.name.split("-")[2]}:
        yield f"Build is {build!r}, and the file name says another"
    if (tags := wheel_tags(content)) != artefact.tags:
        yield f"WHEEL says {', '.join(sorted(map(str, tags))) or 'no tags'}, and the file name says others"
    # Elsewhere both are one folder; on Linux, purelib is for any processor.
    linux = [each for each in artefact.libraries if each.kind == "ELF" and "android_" not in artefact.path.name]
    elf = [library.file for library in linux if PROGRAMS not in library.file]
    if pure.lower() not in {"true", "false"}:
        yield f"Root-Is-Purelib is {pure!r}, neither true nor false"
    elif elf and (pure.lower() == "true" or any(".data/purelib/" in file for file in elf)):
        yield f"there is a native library in purelib, such as {elf[0]}"


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
        elif line[0] in signatures or line[0] not in artefact.names:
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
        same = text == urlsafe_b64encode(found.digest()).rstrip(b"=").decode()
        if not same or size not in {"", str(member.size)}:
            yield f"{name!r} is not the file that RECORD lists: another {'size' if same else 'hash'}"


def record_lines(artefact: Artefact) -> Iterator[list[str]]:
    """Yield the rows of RECORD, as far as there are any that can be read."""
    content = artefact.read(f"{artefact.folder}/RECORD") or b""
    with suppress(UnicodeDecodeError, csv.Error):
        # Not splitlines(): what it takes for the end of a line can stand in a file's name.
        yield from csv.reader(io.StringIO(content.decode("utf-8"), newline=""))


@rule("wheel")
def data_folder(artefact: Artefact) -> Iterator[str]:
    """Find what would be installed outside the package and take the place of something, or is run at every start."""
    folder = f"{artefact.folder.removesuffix('.dist-info')}.data"
    for name in artefact.files:
        top, scheme, inside = (*name.split("/", 2), "", "")[:3]
        if not top.lower().endswith(".data"):
            continue
        if top != folder or scheme not in SCHEMES or not inside:
            yield f"{name} is in none of the folders that installers know: {folder}/{'|'.join(SCHEMES)}"
        elif scheme.endswith("lib") and ({inside, f"{folder}/purelib/{inside}"} - {name}) & artefact.files.keys():
            yield f"{name} would be installed in the place of another file of this wheel"
        elif inside.endswith(".pth") or (scheme.endswith("lib") and re.match(r"(site|user)customize\b", inside)):
            yield f"{name} would be run whenever Python starts"
        elif OF_ENVIRONMENTS.fullmatch(inside if scheme == "data" else f"bin/{inside}" if scheme == "scripts" else ""):
            yield f"{name} would be installed in the place of what belongs to Python, to pip or to the environment"


@rule("wheel")
def entry_points(artefact: Artefact) -> Iterator[str]:
    """Find commands that installers cannot make, or that take the place of others, and what leads nowhere."""
    installed = {INTO_LIB.sub("", name).split(".")[0] for name in artefact.files}
    modules = installed | {name.removesuffix("/__init__") for name in installed}
    groups = read_entry_points(artefact) or {}
    commands = [name for group in COMMANDS.values() for name in groups.get(group, ())]
    scripts = (name.partition(".data/scripts/")[2] for name in artefact.files)
    made = Counter(name.lower() for name in (*commands, *scripts))
    for name in commands:
        if OF_ENVIRONMENTS.fullmatch(f"bin/{name}") and not artefact.path.name.startswith("pip-"):
            yield f"the command {name} would take the place of what belongs to Python, to pip or to the environment"
        if reason := unfit(name):
            yield f"the command {name} {reason}"
        if made[name.lower()] > 1:
            yield f"the command {name} is there twice, also as a script, or in another case"
    for group, name, text in ((group, *each) for group, table in groups.items() for each in table.items()):
        found, is_command = REFERENCE.fullmatch(text), group in COMMANDS.values()
        place = found[1].replace(".", "/") if found else ""
        # A folder can be imported too (PEP 420), and has nothing in it that could be called.
        known = place in modules or (found and not found[2] and any(each.startswith(f"{place}/") for each in installed))
        if is_command and not (found and found[2] and not any(map(iskeyword, re.findall(r"\w+", found[1] + found[2])))):
            yield f"the command {name} is {text!r}, and not MODULE:FUNCTION"
        # What others share, such as a package without __init__.py, may be elsewhere.
        elif found and place.partition("/")[0] in modules and not known:
            what = "the command" if is_command else f"the entry point {group}:"
            yield f"{what} {name} leads to {found[1]}, which is not in the wheel"


@rule("wheel", needs_project=True)
def package_files(artefact: Artefact, project: Expectations) -> Iterator[str]:
    """Find what is installed and was not declared, and the other way round."""
    folder, own = f"{project.data_folder}/", f"{artefact.folder.removesuffix('.dist-info')}.data/"
    data = {own + name.removeprefix(folder) for name in project.sdist.files if name.startswith(folder)}
    beside = {name for name in artefact.files if name.partition("/")[0].endswith(".data")}
    present = {name for name in artefact.files if not name.partition("/")[0].endswith((".dist-info", ".data"))}
    strange = project.wheel.strange(present - set(native_module_names(artefact, project))) + sorted(beside - data)
    about = [name.partition("/") for name in artefact.files if name.startswith(f"{artefact.folder}/")]
    strange += ["".join(parts) for parts in about if not METADATA_FILES.fullmatch(parts[2])]
    yield from (f"{name} is missing" for name in project.wheel.lacking(present) + sorted(data - beside))
    # What tools leave behind, another rule tells.
    yield from (f"{name} is not in the source" for name in strange if not LEFTOVERS.search(name))


def source_of(name: str, artefact: Artefact, project: Expectations) -> str:
    """Return the path in the checkout of what has a name in an artefact; "" for what a build makes."""
    top, _, rest = name.partition("/")
    if not artefact.is_wheel:
        # What uv's backend writes anew lies beside it as it was.
        anew = project.package and f"{name}.orig" in artefact.files
        was = ".orig" if project.package and name.removesuffix(".orig") in artefact.files else ""
        return "" if anew else name.removeprefix(f"{artefact.top}/").removesuffix(was)
    if top.endswith(".dist-info"):
        return rest.removeprefix("licenses/") if rest.startswith("licenses/") else ""
    return f"{project.data_folder}/{rest}" if top.endswith(".data") else f"{project.source}/{name}".removeprefix("./")


@rule("both", needs_project=True)
def same_contents(artefact: Artefact, project: Expectations) -> Iterator[str]:
    """Find what is another file than the checkout's."""
    for name in artefact.files:
        source = source_of(name, artefact, project)
        path, known = project.folder / source, source in project.sdist.known
        if known and not (path.is_file() and sha256(path.read_bytes()) == artefact.digests[name].hexdigest()):
            yield f"{name} is not, byte for byte, the checkout's {source}"
        elif name.startswith(f"{artefact.folder}/licenses/") and not known:
            yield f"{name} is no file of the checkout"


@rule("both", needs_project=True)
def same_modes(artefact: Artefact, project: Expectations) -> Iterator[str]:
    """Find what can be run where the commit's cannot, or the other way round."""
    # On Windows no file says whether it can be run.
    told = not any(tag.platform.startswith("win") for tag in artefact.tags)
    for name, member in artefact.files.items() if told else ():
        source, runs = source_of(name, artefact, project), bool(member.mode & 0o100)
        if source in project.sdist.known and member.mode and runs != (source in project.sdist.executable):
            yield f"{name} {'can be run' if runs else 'cannot be run'}, unlike the commit's {source}"


@rule("wheel", needs_crate=True)
def native_module(artefact: Artefact, project: Expectations) -> Iterator[str]:
    """Find no native module, several, or one that an interpreter does not look for."""
    ours = native_module_names(artefact, project)
    if len(ours) != 1:
        yield f"there are {len(ours)} files of {project.native_module}: {', '.join(ours) or 'none'}"
    for name in ours:
        suffix = "." + name.split(".", 1)[1]
        if not all(suffix in (module_suffixes(tag) or {suffix}) for tag in artefact.tags):
            yield f"{name} is not how a module for {', '.join(sorted({tag.abi for tag in artefact.tags}))} is called"


def native_module_names(artefact: Artefact, project: Expectations) -> list[str]:
    """Return the wheel's files that are this project's native module, whatever their suffix."""
    stem = project.native_module.replace(".", "/")
    return [name for name in artefact.native if name.split(".", 1)[0] == stem]


@rule("wheel", needs_crate=True)
def sbom_present(artefact: Artefact, project: Expectations) -> Iterator[str]:
    """Find a wheel without an SBOM, or with one that the build would not make; the time in it is that of a commit."""
    name = f"{artefact.folder}/sboms/{project.file_stem}.cdx.json"
    if (content := artefact.read(name)) is None:
        yield f"{name} is missing"
        return
    platforms = {tag.platform for tag in artefact.tags}
    try:
        found = json.loads(content)
        found["metadata"].pop("timestamp", None)
        crates = found["components"]
        for triple in (key for key, tags in project.platform_tags.items() if platforms == set(tags.split("."))):
            expected = expect_sbom(project.root, triple)
            wanted = expected["components"]
            others = {each["name"] for each in (*crates, *wanted) if (each in crates) != (each in wanted)}
            if found != expected:
                yield f"{name} is not what the build makes of Cargo.lock: {', '.join(sorted(others)) or 'no crate'}"
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        yield f"{name} is no CycloneDX: {type(error).__name__}: {error}"
    except (CalledProcessError, ProblemsError):
        err.print(f"{artefact.path.name}: the SBOM is not judged: there is no cargo that can read the crates")


@cache
def expect_sbom(root: Path, triple: str) -> Any:  # noqa: ANN401 - as JSON has it
    """Return the SBOM that a build makes for a target, but for its time."""
    from roadworthy.building.steps import make_sbom  # noqa: PLC0415 - only where there is a wheel of ours

    expected = json.loads(make_sbom(root, triple, 0))
    del expected["metadata"]["timestamp"]
    return expected


@rule("sdist", needs_project=True)
def tracked_files(artefact: Artefact, project: Expectations) -> Iterator[str]:
    """Find what git tracks and is not there, and the other way round."""
    names = (member.name for member in artefact.members if member.kind != "folder")
    present = {name.removeprefix(f"{artefact.top or artefact.folder}/") for name in names}
    present -= {f"{name}.orig" for name in present if project.package}
    for name in project.sdist.lacking(present):
        yield f"{name} is declared, and not in the sdist"
    for name in project.sdist.strange(present - {"PKG-INFO"}):
        yield f"{name} is not tracked, or excluded in pyproject.toml"


@rule("sdist", needs_crate=True)
def locked_crates(artefact: Artefact, _: Expectations) -> Iterator[str]:
    """Find no Cargo.lock, one that does not fit Cargo.toml, and crates that are neither published nor in the sdist."""
    if (content := artefact.read(f"{artefact.top or artefact.folder}/Cargo.lock")) is None:
        yield "Cargo.lock is missing"
        return
    crates = UNPUBLISHED.findall(content.decode(errors="replace"))
    yield from (f"the crate {name} is not published: {source}" for name, source in crates)
    # To read a package's metadata cargo would fetch those; and what is not safe to unpack, another rule tells.
    if not crates and not any(member.unsafe for member in artefact.members):
        yield from ask_cargo(artefact)


def ask_cargo(artefact: Artefact) -> Iterator[str]:
    """Find why cargo would not build an sdist with its lock, or what is not in it; what is not judged is told."""
    from roadworthy.building.toolchain import fetch_crates  # noqa: PLC0415
    from roadworthy.gate.archives import unpack  # noqa: PLC0415 - what builds, only where there is a crate of ours

    not_judged = f"{artefact.path.name}: whether Cargo.lock fits Cargo.toml is not judged:"
    if not shutil.which("cargo"):
        err.print(f"{not_judged} cargo is not on PATH")
        return
    with tempfile.TemporaryDirectory() as temporary:
        try:
            folder = unpack(artefact.path, Path(temporary).resolve() / "sdist")
        except ProblemsError:
            return  # other rules tell why
        try:
            packages = json.loads(fetch_crates(Project(folder)))["packages"]
        except ProblemsError as error:
            reason = error.problems[0].what.replace(temporary, "").replace(f"/sdist/{artefact.folder}", artefact.folder)
            if UNREACHED.search(reason):
                err.print(f"{not_judged} {reason}")
            else:
                yield reason
            return
        for package in packages:
            if package["source"] is None and not Path(package["manifest_path"]).is_relative_to(folder):
                yield f"the crate {package['name']} lies outside the sdist: {package['manifest_path']}"


@rule("both")
def no_placeholders(artefact: Artefact) -> Iterator[str]:
    """Find what stands for a file, and what a merge has left."""
    for name in sorted(artefact.suspicious):
        content, place = artefact.read(name) or b"", 0
        if (content.startswith(POINTERS) or LINK_TEXT.fullmatch(content)) and len(content) < LONGEST_POINTER:
            yield f"{name} is a pointer of Git LFS or git-annex, or where a link leads, and not the file"
        for mark in CONFLICT_MARKS:  # one after the other, so that it takes no longer than reading
            if (found := mark.search(content, place)) is None:
                break
            place = found.end()
        else:
            yield f"{name} has marks of a conflict, the last in line {content.count(10, 0, place) + 1}"


@rule("both", level="warning")
def no_secrets(artefact: Artefact) -> Iterator[str]:
    """Find what looks like a secret, by its name or in its content."""
    for name in artefact.files:
        if SECRET_NAMES.search(name):
            yield f"{name} is called like a secret"
        elif name in artefact.secretive:
            yield f"{name} holds what looks like a private key or a token"


@rule("both", level="warning")
def no_build_products(artefact: Artefact) -> Iterator[str]:
    """Find what a build makes, and what tools leave behind."""
    for name in artefact.files:
        if LEFTOVERS.search(name) or (BUILD_PRODUCTS.search(name) and not artefact.is_wheel):
            yield f"{name} is a build product"
    tops = {name.partition("/")[0] for name in artefact.files if artefact.is_wheel}
    yield from (f"{top} would be installed beside everybody's modules" for top in sorted(tops & OF_CHECKOUTS))


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
