"""What is in a folder of artefacts, and whether what an environment holds is that."""

import hashlib
import re
import shutil
import tarfile
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from packaging.metadata import parse_email
from packaging.requirements import InvalidRequirement, Requirement
from packaging.tags import Tag
from packaging.utils import BuildTag, canonicalize_name, parse_sdist_filename, parse_wheel_filename
from packaging.version import InvalidVersion, Version

from roadworthy.gate.model import Artefact, UnreadableError, wheel_tags
from roadworthy.project import HERE, same_wheel
from roadworthy.terminal import Problem, ProblemsError, problem

# What is no name of a folder, a drive or an option, and nothing that a terminal obeys, on any system.
PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+!-]*")
NATIVE_SUFFIXES = (".so", ".pyd", ".dylib", ".dll")
# What an installer adds to, or rewrites in, the .dist-info folder of what it installs.
WRITTEN_BY_INSTALLERS = {"RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_build.json", "uv_cache.json"}


def sha256(content: bytes) -> str:
    """Return a SHA-256 in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def parse_name(name: str) -> tuple[str, Version, BuildTag, frozenset[Tag]]:
    """Return what the name of a wheel or an sdist says, equal for all spellings of one.

    Whoever is told a name by somebody else asks this before it becomes a path: packaging takes a/../x for a build tag.

    Raises:
        ValueError: It is neither's name, or no plain name of a file on every system.
    """
    if not PLAIN_NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no plain name of a file")
    if name.endswith(".whl"):
        return parse_wheel_filename(name)
    return (*parse_sdist_filename(name), (), frozenset())


def is_artefact_name(name: str) -> bool:
    """Say whether this is the name of a wheel or an sdist, and of a plain file."""
    try:
        parse_name(name)
    except ValueError:
        return False
    return True


def read_sums(path: Path) -> dict[str, str]:
    """Map the file names of a SHA256SUMS to their hashes. Folders in front of the names do not count.

    Raises:
        ProblemsError: The file is not there, or a line is not as `sha256sum` writes it for an artefact, each once.
    """
    remedy = "give the file that `make build` wrote"
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise problem(f"{path} cannot be read: {error}", remedy) from error
    sums: dict[str, str] = {}
    for line in lines:
        if not re.fullmatch(r"[0-9a-f]{64} [ *].+", line):
            raise problem(f"{path} is no SHA256SUMS: {line!r} is not a line of sha256sum", remedy)
        file = PurePosixPath(line[66:]).name
        if file in sums or not is_artefact_name(file):
            reason = "is there twice" if file in sums else "is neither a wheel nor an sdist"
            raise problem(f"{path} is no SHA256SUMS: {file!r} {reason}", remedy)
        sums[file] = line[:64]
    return sums


def write_sums(path: Path, folder: Path) -> None:
    """Write the SHA256SUMS of the files in a folder beside it, as `sha256sum --check` reads it there."""
    lines = [f"{sha256(file.read_bytes())}  {folder.name}/{file.name}\n" for file in sorted(folder.iterdir())]
    path.write_text("".join(lines), encoding="utf-8", newline="\n")


@dataclass(frozen=True)
class Artefacts:
    """The files of one release in one folder, and the sdist's content."""

    folder: Path
    version: Version
    sdist: Path
    unpacked: Path
    wheels: dict[Path, frozenset[Tag]]

    @classmethod
    def read(cls, folder: Path, version: Version, sums: Path | None, unpacked: Path) -> "Artefacts":
        """Look at a folder, and unpack its sdist into the folder `unpacked`.

        Raises:
            ProblemsError: It holds anything but one sdist and wheels of this very version, or other bytes than
                SHA256SUMS says.
        """
        if not folder.is_dir():
            raise ProblemsError([Problem(f"{folder} is no folder", "run: make build")])
        folder = folder.resolve()
        problems = []
        sdists, wheels = [], {}
        for path in sorted(folder.iterdir()):
            try:
                found_name, found, _, tags = parse_name(path.name)
            except ValueError:
                problems.append(Problem(f"{path} is neither a wheel nor an sdist", "remove it, or run: make build"))
                continue
            if path.suffix != ".whl":
                sdists.append(path)
            else:
                wheels[path] = tags
                if not zipfile.is_zipfile(path):
                    problems.append(Problem(f"{path} is called a wheel and is no zip file", "run: make build"))
            if (found_name, found) != (canonicalize_name(HERE.name), version):
                what = f"{path} is {found_name} {found}, and {HERE.name} {version} is to be verified"
                problems.append(Problem(what, "remove it, or run: make build"))
        if len(sdists) != 1 or not wheels:
            what = f"{folder} holds {len(sdists)} sdists and {len(wheels)} wheels, not one sdist and its wheels"
            problems.append(Problem(what, "run: make build"))
        if sums is not None:
            problems += compare_sums([*sdists, *wheels], read_sums(sums), sums)
        if problems:
            raise ProblemsError(problems)
        return cls(folder, version, sdists[0], unpack(sdists[0], unpacked), wheels)

    def wheel_names(self) -> str:
        """Return the file names of the wheels as one text."""
        return ", ".join(path.name for path in self.wheels)

    def only(self, triple: str, folder: Path) -> "Artefacts":
        """Return the same with one target's wheels alone, which are copied into `folder`.

        Raises:
            ProblemsError: One of them is missing.
        """
        wanted = [HERE.wheel_name(python, triple, self.version) for python in HERE.python_tags]
        chosen = {path: tags for path, tags in self.wheels.items() if any(same_wheel(path.name, one) for one in wanted)}
        if len(chosen) != len(wanted):
            what = f"{self.folder} holds {len(chosen)} of the {len(wanted)} wheels for {triple}: {', '.join(wanted)}"
            raise problem(what, f"run: make build TARGET={triple}")
        folder.mkdir(parents=True)
        wheels = {Path(shutil.copy(path, folder)): tags for path, tags in chosen.items()}
        return replace(self, folder=folder, wheels=wheels)

    def installed_wheel(self, tags: frozenset[Tag]) -> Path | None:
        """Return the wheel that has exactly these tags."""
        return next((path for path, others in self.wheels.items() if others == tags), None)


def compare_sums(paths: list[Path], sums: dict[str, str], source: Path) -> list[Problem]:
    """Return a problem for each file whose bytes are not those of SHA256SUMS."""
    problems = []
    for path in paths:
        listed, found = sums.get(path.name), sha256(path.read_bytes())
        if listed != found:
            what = f"{path} has the SHA-256 {found}, and {source} says {listed or 'nothing of it'}"
            problems.append(Problem(what, "these are not the bytes that were built; do not use them"))
    return problems


def unpack(sdist: Path, folder: Path) -> Path:
    """Unpack an sdist below `folder` and return the one folder in it.

    Raises:
        ProblemsError: It is damaged, a bomb, or holds anything but files and folders that stay inside.
    """
    try:
        check_members(Artefact(sdist))
        with tarfile.open(sdist) as archive:
            # The filter takes away owners and modes; the first releases of 3.10 and 3.11 lack it.
            archive.extraction_filter = getattr(tarfile, "data_filter", None)
            archive.extractall(folder)
        (content,) = folder.iterdir()
    except (OSError, EOFError, tarfile.TarError, ValueError, UnreadableError) as error:
        raise ProblemsError([Problem(f"{sdist} cannot be unpacked: {error}", "run: make build")]) from error
    return content


def check_members(artefact: Artefact) -> None:
    """Make sure that an archive can be unpacked without harm.

    Raises:
        UnreadableError: It cannot, or it is damaged.
    """
    for member in artefact.members:
        if reason := member.unsafe:
            raise UnreadableError(f"{member.name!r} {reason}")
    if artefact.is_bomb(artefact.members):
        raise UnreadableError("it is too many times as large unpacked")


def wheel_files(wheel: Path) -> dict[str, str]:
    """Map the names in a wheel to their SHA-256."""
    try:
        return {name: digest.hexdigest() for name, digest in Artefact(wheel).digests.items()}
    except UnreadableError as error:
        raise problem(f"{wheel} cannot be read: {error}", "run: make build") from error


def read_requirements(metadata: bytes, source: str) -> list[str]:
    """Return what a distribution requires, in a form that no installer can take for an option, a file or an address.

    What is required for an extra is there too: its marker leaves it out.

    Args:
        metadata: The core metadata.
        source: The name of the file that it came with.

    Raises:
        ProblemsError: A requirement cannot be read, or is an address.
    """
    found = []
    for text in parse_email(metadata)[0].get("requires_dist", []):
        remedy = f"Requires-Dist of {source} must name released packages; repair dependencies in pyproject.toml"
        try:
            requirement = Requirement(text)
        except InvalidRequirement as error:
            raise problem(f"{source} requires {text!r}, which is no requirement", remedy) from error
        if requirement.url is not None:
            raise problem(f"{source} requires {text!r}, which is an address", remedy)
        # A name such as a.zip could be a file's.
        requirement.name = canonicalize_name(requirement.name)
        found.append(str(requirement))
    return found


def judge(facts: dict[str, Any], folder: Path, artefacts: Artefacts, *, from_source: bool = False) -> list[Problem]:
    """Return what is wrong with an installation.

    Args:
        facts: What `installed.py` tells.
        folder: Everything that was imported must lie in it.
        artefacts: What was to be installed.
        from_source: It was built from the sdist, so that it is no file of a wheel.
    """
    problems = [
        *judge_version(facts, artefacts.version),
        *judge_files(facts["files"], artefacts.unpacked),
        *judge_import(facts, folder),
    ]
    return problems if from_source else [*judge_wheel(facts, artefacts), *problems]


def judge_version(facts: dict[str, Any], version: Version) -> list[Problem]:
    """The installed metadata must say the version that was asked for."""
    try:
        same = Version(str(facts["version"])) == version
    except InvalidVersion:
        same = False
    return [] if same else [Problem(f"version {facts['version']} is installed, not {version}", "run: make build")]


def judge_wheel(facts: dict[str, Any], artefacts: Artefacts) -> list[Problem]:
    """What is installed must be, byte for byte, what is in one of the wheels."""
    wheel = artefacts.installed_wheel(wheel_tags(facts["wheel"]))
    if wheel is None:
        what = f"what is installed comes from none of the wheels in {artefacts.folder}: {facts['wheel'].strip()!r}"
        return [Problem(what, "the WHEEL file's tags and the file name must agree; run: make build")]
    packed = wheel_files(wheel)
    differing = [
        file
        for file in sorted(packed.keys() | facts["files"].keys())
        if PurePosixPath(file).name not in WRITTEN_BY_INSTALLERS
        and not PurePosixPath(file).parts[0].endswith(".data")  # goes elsewhere: scripts, headers
        and packed.get(file) != facts["files"].get(file)
    ]
    if differing:
        return [Problem(f"{', '.join(differing)}: installed is not what {wheel.name} holds", "run: make build")]
    return []


def judge_files(files: dict[str, str], unpacked: Path) -> list[Problem]:
    """The package must be what the sdist holds under python/, and exactly one native module beside it."""
    source = unpacked / "python"
    expected = {path.relative_to(source).as_posix() for path in source.rglob("*") if path.is_file()}
    native_stem = HERE.native_module.replace(".", "/")
    package = {file for file in files if not PurePosixPath(file).parts[0].endswith(".dist-info")}
    native = {file for file in package if file.endswith(NATIVE_SUFFIXES)}
    ours = {file for file in native if file.split(".", 1)[0] == native_stem}
    problems = []
    if len(ours) != 1:
        what = f"the installation holds {len(ours)} files of the native module {HERE.native_module}, not one"
        problems.append(
            Problem(what, "compare module-name in pyproject.toml with the name of #[pymodule]; run: make build")
        )
    problems += [
        Problem(f"the installation lacks {file}", "is it ignored by git, or excluded in pyproject.toml?")
        for file in sorted(expected - package)
    ]
    problems += [
        Problem(
            f"the installation holds {file}, which is not in the source", "is it a stale file? run: make clean build"
        )
        for file in sorted(package - expected - ours)
    ]
    return problems


def judge_import(facts: dict[str, Any], folder: Path) -> list[Problem]:
    """The import must have worked, with this environment's files, of a release build, and have left the GIL alone."""
    problems = []
    if facts["import_error"]:
        last = facts["import_error"].rstrip().rsplit("\n", 1)[-1]
        problems.append(
            Problem(
                f"import {HERE.import_name} fails: {last}",
                "run the import by hand in an environment that is kept: KEEP=1",
            )
        )
    elif facts["build_profile"] != "release":
        what = f"the native module is a {facts['build_profile']} build, not a release build"
        problems.append(Problem(what, "run: make build"))
    for module, origin in sorted(facts["modules"].items()):
        if origin is not None and not Path(origin).resolve().is_relative_to(folder):
            what = f"{module} was imported from {origin}, which is not in the environment"
            problems.append(Problem(what, "something puts that folder on sys.path before the environment's"))
    customized = facts["sitecustomize"]
    if customized is not None and Path(customized).name in facts["files"]:
        problems.append(Problem(f"{customized} came with the package and runs in every start of Python", "remove it"))
    if facts["free_threaded"] and (facts["gil_after"] or facts["gil_before"]) and not switched_by_another(facts):
        what = "the import switched the GIL on in a free-threaded Python"
        problems.append(Problem(what, "say gil_used = false in #[pymodule], and make it true"))
    return problems


def switched_by_another(facts: dict[str, Any]) -> bool:
    """Say whether a module of another package, a dependency's, is what the interpreter switched the GIL on for."""
    package = re.escape(HERE.native_module.split(".", maxsplit=1)[0])
    told = facts["gil_warnings"]
    return bool(told) and not any(re.search(rf"'{package}['.]", text) for text in told)
