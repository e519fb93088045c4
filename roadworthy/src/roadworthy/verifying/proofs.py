"""What must hold of an installation, as the interpreter itself tells it. A proof is a function that yields problems.

What the package's tests prove is judged by what `run_tests.py` told of each: an exit code alone proves nothing.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from packaging.metadata import parse_email

from roadworthy.declared import COMMANDS, METADATA_FILES, wheel_contents
from roadworthy.gate.model import LIBRARY_NAME, Artefact
from roadworthy.project import Project
from roadworthy.releasing.version import version_of_tag
from roadworthy.sums import sha256
from roadworthy.tables import find
from roadworthy.terminal import Problem, listed, raise_problems
from roadworthy.verifying.artefacts import Artefacts

# What an installer adds to, or rewrites in, the .dist-info folder of what it installs; what is in .data goes elsewhere.
WRITTEN_BY_INSTALLERS = re.compile(
    r"[^/]+\.dist-info/(RECORD|INSTALLER|REQUESTED|(direct_url|uv_build|uv_cache)\.json)|[^/]+\.data/.*"
)
USAGE_ERROR = "4"  # pytest's exit code


@dataclass(frozen=True)
class Installation:
    """What is judged: a project that was installed from its artefacts."""

    project: Project
    artefacts: Artefacts
    folder: Path  # everything that is imported must lie in it
    facts: dict[str, Any]  # what `describe.py` tells of it
    from_source: bool = False  # it was built from the sdist, so that it is no file of a wheel
    extras: bool = False  # what its extras require is there as well

    @property
    def package(self) -> set[str]:
        """The files that are installed beside the .dist-info folder."""
        return {file for file in self.facts["files"] if not PurePosixPath(file).parts[0].endswith(".dist-info")}

    @property
    def native(self) -> set[str]:
        """Those of them that are the native module, whatever their suffix."""
        stem = self.project.native_module.replace(".", "/")
        return {file for file in self.package if LIBRARY_NAME.search(file) and file.split(".", 1)[0] == stem}

    @property
    def fields(self) -> dict[str, Any]:
        """The core metadata, by the names that packaging gives its fields."""
        return fields_of(self.facts["metadata"])

    @property
    def entry_points(self) -> set[tuple[str, ...]]:
        """Group, name and value of each."""
        return {(group, name, value.replace(" ", "")) for group, name, value in self.facts["entry_points"]}


def fields_of(metadata: bytes | str) -> dict[str, Any]:
    """Return core metadata by the names that packaging gives the fields; others by their own."""
    known, others = parse_email(metadata)
    return {**known, **others}


def require(proofs: Iterable[Callable[[Installation], Iterator[Problem]]], installed: Installation) -> None:
    """Make sure that everything holds, or raise ProblemsError."""
    raise_problems(one for proof in proofs for one in proof(installed))


def same_bytes_as_a_wheel(installed: Installation) -> Iterator[Problem]:
    """What is installed is, byte for byte, what is in one of the wheels."""
    if installed.from_source:
        return
    found, artefacts, tags = installed.facts["files"], installed.artefacts, installed.facts["wheel"]
    wheel = artefacts.installed_wheel(tags)
    if wheel is None:
        what = f"what is installed comes from none of the wheels in {artefacts.folder}: {tags.strip()!r}"
        yield Problem(what, "the WHEEL file's tags and the file name must agree; run: make build")
        return
    packed = {name: digest.hexdigest() for name, digest in Artefact(wheel).digests.items()}
    differing = sorted(file for file in packed.keys() | found.keys() if packed.get(file) != found.get(file))
    if named := ", ".join(file for file in differing if not WRITTEN_BY_INSTALLERS.fullmatch(file)):
        yield Problem(f"{named}: installed is not what {wheel.name} holds", "run: make build")
    for folder, _, name in (file.partition(".dist-info/") for file in sorted(packed)):
        if name and not METADATA_FILES.fullmatch(name):
            yield Problem(f"{wheel.name} holds {folder}.dist-info/{name}, which no build writes", "run: make build")


def same_version(installed: Installation) -> Iterator[Problem]:
    """The installed metadata says the version that was asked for; so does the package, where it says one."""
    found, says, wanted = installed.facts["version"], installed.facts.get("says_version"), installed.artefacts.version
    if version_of_tag(str(found)) != wanted:
        yield Problem(f"version {found} is installed, not {wanted}", "run: make build")
    if version_of_tag(str(says)) not in {wanted, None}:
        remedy = "take it from importlib.metadata, or name the file in [[tool.bumpversion.files]]"
        yield Problem(f"{installed.project.import_name}.__version__ is {says}, and {wanted} is installed", remedy)


def one_native_module(installed: Installation) -> Iterator[Problem]:
    """There is exactly one file of the native module, if there is one at all."""
    if len(installed.native) != 1 and installed.project.native_module:
        found = f"{len(installed.native)} files of the native module {installed.project.native_module}, not one"
        remedy = "compare module-name in pyproject.toml with the name of #[pymodule]; run: make build"
        yield Problem(f"the installation holds {found}", remedy)
    origin = installed.facts["modules"].get(installed.project.native_module)
    if origin and not any(Path(origin).as_posix().endswith(f"/{file}") for file in installed.native):
        what = f"{installed.project.native_module} is imported from {Path(origin).name}, and not the native module"
        yield Problem(what, "only one module can have that name: call the other one otherwise")


def same_files_as_the_source(installed: Installation) -> Iterator[Problem]:
    """The package and its licences (PEP 639) are, byte for byte, the sdist's files and what [tool.maturin] declares."""
    source = installed.artefacts.unpacked
    files = [path.relative_to(source).as_posix() for path in source.rglob("*") if path.is_file()]
    expected = wheel_contents(installed.project, source, files)
    present, found = installed.package - installed.native, installed.facts["files"]
    info = next((file.split("/")[0] for file in found if file.endswith(".dist-info/METADATA")), "")
    licences = {f"{info}/licenses/{name}": source / name for name in installed.fields.get("license_files", ())}
    modules = source / installed.project.source
    for file, path in {**{file: modules / file for file in sorted(present)}, **licences}.items():
        if file in found and path.is_file() and found[file] != sha256(path.read_bytes()):
            yield Problem(f"{file} is installed with another content than the sdist's", "run: make clean build")
    for file in [*expected.lacking(present), *sorted(licences.keys() - found.keys())]:
        yield Problem(f"the installation lacks {file}", "is it ignored by git, or excluded in pyproject.toml?")
    others = [file for file in found if file.startswith(f"{info}/licenses/") and file not in licences]
    for file in [*expected.strange(present), *sorted(others)]:
        what = f"the installation holds {file}, which is not in the source"
        yield Problem(what, "is it a stale file? run: make clean build")


def types_as_promised(installed: Installation) -> Iterator[Problem]:
    """Where the metadata says that the package is typed, it says so itself (PEP 561), and then it has types."""
    package = installed.project.import_name
    # In a namespace each package has its own; a stale one is told elsewhere.
    source = installed.artefacts.unpacked / installed.project.source
    marked = [*source.glob(f"{package}/**/py.typed"), *(file for file in installed.package if "/py.typed" in file)]
    if "Typing :: Typed" in installed.fields.get("classifiers", ()) and not marked:
        what = f"the metadata says Typing :: Typed, and {package}/ has no py.typed"
        yield Problem(what, "add that file, or take this out")
    if marked and installed.facts["untyped"]:
        what = f"{package} has a py.typed, and neither a stub nor an annotation"
        yield Problem(what, "write a stub (.pyi), or take py.typed out")


def same_metadata_as_the_source(installed: Installation) -> Iterator[Problem]:
    """The metadata is what the sdist's PKG-INFO says, and the entry points are those of its pyproject.toml."""
    remedy, artefacts = "run: make clean build", installed.artefacts
    found, told = installed.fields, fields_of((artefacts.unpacked / "PKG-INFO").read_bytes())
    # What a build may decide by itself is listed as dynamic; the form depends on who builds.
    left_out = {"metadata_version", "dynamic", *(each.lower().replace("-", "_") for each in told.get("dynamic", []))}
    for key in sorted((found.keys() | told.keys()) - left_out):
        if found.get(key) != told.get(key):
            yield Problem(f"the metadata's {key} is {found.get(key)!r}, and the sdist's is {told.get(key)!r}", remedy)
    for group, name, value in sorted(installed.entry_points ^ artefacts.entry_points()):
        where = "only installed" if (group, name, value) in installed.entry_points else "only in the sdist"
        yield Problem(f"the entry point {name} = {value} in {group} is {where}", remedy)


def nothing_elsewhere(installed: Installation) -> Iterator[Problem]:
    """Outside the folder of packages is only what is declared, and nothing in it runs in each start of Python."""
    source = installed.artefacts.unpacked / installed.project.source
    # maturin takes no other package along.
    declared = find(installed.artefacts.pyproject, "tool", "maturin", "python-packages") or ()
    own = "|".join(map(re.escape, (installed.project.import_name, installed.project.file_stem, *map(str, declared))))
    for file in sorted(installed.package):
        if re.fullmatch(r"(site|user)customize\.py|[^/]*\.pth", file):
            yield Problem(f"{file} came with the package and runs in every start of Python", "remove it")
        elif not re.match(rf"({own})[./]", file) and (source / file).is_file():
            remedy = "take it out, or name its package in python-packages in [tool.maturin]"
            yield Problem(f"{file} is installed beside the package, and nothing declares it", remedy)
    names = "|".join(re.escape(name) for group, name, _ in installed.entry_points if group in COMMANDS.values())
    script = re.compile(rf"(bin|Scripts)/({names})(-script)?(\.(exe|pyw?))?")
    declared = installed.artefacts.declared_data()
    for file in installed.facts["elsewhere"]:
        if not script.fullmatch(file) and not any(f"/{file}".endswith(f"/{each}") for each in declared):
            what = f"{file} is installed outside the folder of packages, and nothing declares it"
            yield Problem(what, "declare it in [project.scripts], or in [tool.maturin] data")


def everything_loads(installed: Installation) -> Iterator[Problem]:
    """Every promise is kept, but for what an extra brings, until all are there, or what another system's users have."""
    markers = [text.partition(";")[2] for text in installed.fields.get("requires_dist", ())]
    others = any(re.search("platform|os_name", each) for each in markers)
    pardoned = others or (installed.fields.get("provides_extra") and not installed.extras)
    for what, (reason, missing) in installed.facts["broken"].items():
        own = str(missing).split(".", 1)[0] == installed.project.import_name
        if missing is None or own or not pardoned:
            remedy = "repair it; declare what it needs in dependencies, or as an extra in optional-dependencies"
            where = ", although all extras are installed" if installed.extras else ""
            yield Problem(f"{what} fails{where}: {reason}", remedy)


def import_works(installed: Installation) -> Iterator[Problem]:
    """The import has worked, and not of a module that says of itself that it is a debug build."""
    facts = installed.facts
    if facts["import_error"]:
        remedy = "run the import by hand in an environment that is kept: KEEP=1"
        yield Problem(f"import {installed.project.import_name} fails: {facts['import_error']}", remedy)
    elif facts["build_profile"] not in {"release", None}:
        yield Problem(f"the native module is a {facts['build_profile']} build, not a release build", "run: make build")


def import_stays_inside(installed: Installation) -> Iterator[Problem]:
    """Everything was imported from the environment, and the package was left as it was."""
    for file in installed.facts["written"]:
        what = f"loading the package changes {file}, where packages are installed, which most users cannot write"
        yield Problem(what, "write into a folder of the user's")
    for module, origin in sorted(installed.facts["modules"].items()):
        if origin is not None and not Path(origin).resolve().is_relative_to(installed.folder):
            what = f"{module} was imported from {origin}, which is not in the environment"
            yield Problem(what, "something puts that folder on sys.path before the environment's")


def gil_left_alone(installed: Installation) -> Iterator[Problem]:
    """In a free-threaded Python the import leaves the GIL off, unless another package's module needs it."""
    facts = installed.facts
    told, ours = facts["gil_warnings"], rf"'{re.escape(installed.project.import_name)}['.]"
    by_another = told and not any(re.search(ours, text) for text in told)
    if facts["free_threaded"] and facts["gil_after"] and not by_another:
        what = "the import switched the GIL on in a free-threaded Python"
        yield Problem(what, "say gil_used = false in #[pymodule], and make it true")


def read_outcomes(report: Path) -> tuple[dict[str, str], str | None]:
    """Return by the test what became of it, and the code with which pytest came back; nothing without a report.

    It has passed, failed, was skipped or left out (by a conftest or an option), or has ended as nothing: "".
    """
    told: dict[str, dict[str, str]] = {}
    for line in report.read_text(encoding="utf-8", errors="replace").splitlines() if report.is_file() else ():
        try:
            kind, name, *outcome = json.loads(line)
            phases = told.setdefault(str(name), {})
            # A subtest is told as its test is, before it.
            phases[kind] = "failed" if phases.get(kind) == "failed" else "".join(outcome)
        except (TypeError, ValueError):
            break
    ended = told.pop("pytest", {}).get("ended")
    return {name: outcome_of(phases) for name, phases in told.items()}, ended


def outcome_of(phases: Mapping[str, str]) -> str:
    """Return what became of a test, by how each of its phases ended."""
    if "failed" in phases.values():
        return "failed"
    if "not installed" in phases:
        return "not installed"
    if "chosen" not in phases:
        return "left out"
    if "teardown" not in phases:
        return ""
    return "passed" if [*phases.values()].count("passed") == 3 else "skipped"  # noqa: PLR2004 - setup, call, teardown


def find_fault_of_tests(outcomes: Mapping[str, str], *, ended: str | None, exited_well: bool) -> str | None:
    """Say why the tests prove nothing; None if they prove something."""
    counts = Counter(outcomes.values())
    chosen = len(outcomes) - counts["left out"]
    of_all = f"{counts['']} of {chosen}"
    astray = "import another one of its name from the sdist, and not what is installed: see pythonpath, and conftest.py"
    needed = "the settings of the package's tests; requirements/test.txt locks what they may need"
    faults = {
        f"the package's tests {astray}": counts["not installed"],
        "the package's tests failed": counts["failed"],
        f"pytest cannot use {needed}": ended == USAGE_ERROR,
        "none of the package's tests was collected": not chosen and (ended or exited_well),
        f"the package's tests ended early: {of_all} have no outcome": counts[""] or not ended,
        "none of the package's tests was run to its end": not counts["passed"],
        "the package's tests passed, and pytest ended with an error": not exited_well,
    }
    return next((what for what, holds in faults.items() if holds), None)


def summarise_tests(outcomes: Mapping[str, str]) -> str:
    """Return how many passed, and how many did not."""
    counts = Counter(outcomes.values())
    return ", ".join(f"{counts[each]} {each}" for each in ("passed", "skipped", "left out") if counts[each])


def compare_tests(by_job: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    """Yield a line for the tests that no job has run to their end, and for each job's that another one has."""
    passed = {job: {name for name, end in outcomes.items() if end == "passed"} for job, outcomes in by_job.items()}
    elsewhere = {name for names in passed.values() for name in names}
    if nowhere := {name for outcomes in by_job.values() for name in outcomes} - elsewhere:
        yield f"run to their end nowhere: {len(nowhere)} tests: {listed(sorted(nowhere), most=5)}"
    for job, names in passed.items():
        if missing := elsewhere - names:
            yield f"{job}: not run to their end, as elsewhere: {len(missing)} tests: {listed(sorted(missing), most=5)}"
