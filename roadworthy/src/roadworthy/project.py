"""Facts about a project, read from the files in which they stand, when a fact is asked for.

A fact that is missing, or that the engine cannot work with, raises ProblemsError, which names its file; nobody else
looks into the tables.
"""

import posixpath
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from roadworthy.crate import MANIFEST, Crate
from roadworthy.repository import Repository
from roadworthy.tables import find, find_table, package_of, parse_toml, read_text
from roadworthy.terminal import problem

# Each fact loads what it is made of: a refusal of a command line needs none.
if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet
    from packaging.version import Version

    from roadworthy.pythons import Python

PYPROJECT = "pyproject.toml"
# The folder of the package with a crate: what is proven of a wheel is compared with it.
SOURCE = "python"
# Where the modules of a package without a crate may be, below its own folder.
SOURCES = ("src", "python", "lib", ".")
# No 3.x will ever be newer, as far as this is concerned.
NEWEST_MINOR = 99


def require_repository(table: Any, where: str = PYPROJECT) -> str:  # noqa: ANN401 - as it was parsed
    """Return the address of the repository in a file's table [project], or raise ProblemsError where there is none.

    It may have any label that indexes know (PEP 753).
    """
    urls = find_table(table, "urls")
    labels = {re.sub(r"[^a-z]", "", label.lower()): str(address) for label, address in urls.items()}
    for label in ("repository", "source", "sourcecode", "github"):
        if label in labels:
            return labels[label]
    remedy = 'write it there: Repository = "https://github.com/owner/name"'
    raise problem(f"{where} has no Repository in [project.urls]", remedy)


def spelling(name: str) -> object:
    """Return what is equal for all names of one wheel: its compressed tags may stand in any order (PEP 425)."""
    from packaging.utils import parse_wheel_filename  # noqa: PLC0415

    try:
        return parse_wheel_filename(name)
    except ValueError:
        return name


@dataclass(frozen=True)
class Project:
    """A Python package of the repository in the folder `root`, and all that is known of it.

    It is the one with a Rust core, whose pyproject.toml is there; or, in the folder `package` of the root, another one,
    of Python alone, with a pyproject.toml, changelog, workflow and tags of its own.
    """

    root: Path
    package: str = ""

    @property
    def folder(self) -> Path:
        """The folder of the package."""
        return self.root / self.package

    @property
    def is_copy(self) -> bool:
        """Whether it is a copy of the template, or that itself: either has a record of that name."""
        return (self.root / "template.toml").is_file()

    @property
    def dist(self) -> Path:
        """The folder of what is built."""
        return self.folder / "dist"

    @property
    def sums(self) -> Path:
        """The file with the hashes of what is built."""
        return self.folder / "SHA256SUMS"

    @property
    def target(self) -> Path:
        """Cargo's folder, in which the engine keeps what it may lose."""
        return self.root / "target" / self.package

    @property
    def engine(self) -> Path:
        """The engine beside its pages: they run with that one (PYTHONPATH), whatever the environment has."""
        return self.root / "roadworthy" / "src"

    @cached_property
    def checkout(self) -> Repository:
        """The repository as its user has it."""
        # A file system monitor is a program that the configuration names; to look once, it is not needed.
        return Repository(self.root, (("core.fsmonitor", "false"),))

    def path(self, name: str) -> str:
        """Return the path from the root of a file of the package."""
        return posixpath.normpath(posixpath.join(self.package, name))

    @property
    def declaration(self) -> str:
        """The path from the root of its pyproject.toml, as problems name it."""
        return self.path(PYPROJECT)

    def below(self, read: Callable[[str], str]) -> Callable[[str], str]:
        """Return what reads files by their paths from the package's folder, with what takes those from the root."""
        return lambda name: read(self.path(name))

    @property
    def options(self) -> list[str]:
        """What a page is given on its command line, to be about this package."""
        return [f"--package={self.package}"] if self.package else []

    def read(self, name: str) -> str:
        """Return the text of a file of the package, by its path from the package's folder."""
        return self.read_shared(self.path(name))

    def read_shared(self, name: str) -> str:
        """Return the text of a file of the repository, by its path from the root."""
        return read_text(self.root, name)

    @cached_property
    def pyproject(self) -> dict[str, Any]:
        """The content of pyproject.toml."""
        return parse_toml(self.declaration, self.read(PYPROJECT))

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """The content of Cargo.toml."""
        return parse_toml(MANIFEST, self.read(MANIFEST))

    @cached_property
    def locked_crates(self) -> list[dict[str, Any]]:
        """The entries of Cargo.lock."""
        return list(parse_toml("Cargo.lock", self.read("Cargo.lock")).get("package", []))

    def require_text(self, *keys: str, remedy: str) -> str:
        """Return a text that stands in pyproject.toml at a path of keys."""
        found = find(self.pyproject, *keys)
        if not isinstance(found, str) or not found.strip():
            raise problem(f"{self.declaration} has no {keys[-1]} in [{'.'.join(keys[:-1])}]", remedy)
        return found

    @cached_property
    def settings(self) -> dict[str, Any]:
        """The table [tool.roadworthy]: what has no other place."""
        return find_table(self.pyproject, "tool", "roadworthy")

    @property
    def workflow_file(self) -> str:
        """The name of the workflow that publishes; PyPI's trusted publisher is bound to it."""
        return str(self.settings.get("workflow", "CI.yml"))

    @property
    def workflow_path(self) -> str:
        """Its path from the root."""
        return f".github/workflows/{self.workflow_file}"

    @property
    def environments(self) -> dict[str, str]:
        """By the name of an index, the environment on GitHub that its trusted publisher is bound to."""
        return {"pypi": "pypi", "testpypi": "testpypi", **find_table(self.settings, "environments")}

    @cached_property
    def name(self) -> str:
        """The name of the distribution, as pyproject.toml spells it."""
        return self.require_text("project", "name", remedy='write it there: name = "turbo-frob"')

    @property
    def file_stem(self) -> str:
        """What stands for the distribution in the names of its files (PEP 427, PEP 625)."""
        from packaging.utils import canonicalize_name  # noqa: PLC0415

        return canonicalize_name(self.name).replace("-", "_")

    @cached_property
    def native_module(self) -> str:
        """The full name of the extension module, which is in a package of the folder `SOURCE`; "" without a crate.

        Anywhere else, what is in a wheel could not be compared with it.
        """
        if self.package:
            return ""
        example = f'write module-name = "{self.file_stem}._core" there, as #[pymodule] says'
        found = self.require_text("tool", "maturin", "module-name", remedy=example)
        if not re.fullmatch(r"\w+(\.\w+)+", found):
            raise problem(f"{self.declaration} has the module-name {found!r}, which is in no package", example)
        source = find(self.pyproject, "tool", "maturin", "python-source")
        if source is None or Path(str(source)) != Path(SOURCE):
            what = f"{self.declaration} has the python-source {source!r} in [tool.maturin]"
            raise problem(what, f'move the package below {SOURCE}/, and write python-source = "{SOURCE}"')
        return found

    @property
    def module(self) -> str:
        """What is imported first of an installation: the extension module, or without a crate the package."""
        return self.native_module or self.import_name

    @cached_property
    def import_name(self) -> str:
        """The name that is imported: without a crate as [project] says (PEP 794) or uv's backend, or as the package."""
        names = find(self.pyproject, "project", "import-names")
        names = names or [find(self.pyproject, "tool", "uv", "build-backend", "module-name")]
        return (self.native_module or str(names[0] or self.file_stem)).split(".", maxsplit=1)[0]

    @cached_property
    def source(self) -> str:
        """The folder of its modules, from the package's own."""
        if not self.package:
            return SOURCE
        names = (self.import_name, f"{self.import_name}.py")
        return next((each for each in SOURCES if any((self.folder / each / name).exists() for name in names)), ".")

    @cached_property
    def version(self) -> "Version":
        """The version in pyproject.toml."""
        from packaging.version import InvalidVersion, Version  # noqa: PLC0415

        remedy = f"write it there as {MANIFEST} has it, and not as dynamic: make release edits both"
        text = self.require_text("project", "version", remedy=remedy)
        try:
            return Version(text)
        except InvalidVersion as error:
            what = f"{self.declaration} has the version {text!r}, which is none"
            raise problem(what, "write X.Y.Z, such as 0.2.0") from error

    @cached_property
    def crate(self) -> Crate:
        """The crate that the package is built from."""
        return Crate(self.manifest, find_table(self.pyproject, "tool", "maturin"), self.minors[0])

    @property
    def rust_version(self) -> str | None:
        """The oldest Rust that builds it, as its crate promises itself or by its workspace; None without a promise."""
        found = package_of(self.manifest).get("rust-version")
        return found if isinstance(found, str) else None

    @cached_property
    def requires_python(self) -> "SpecifierSet":
        """Which versions of Python the package may be installed on."""
        from packaging.specifiers import InvalidSpecifier, SpecifierSet  # noqa: PLC0415

        remedy = 'write requires-python = ">=3.10" there, or your oldest'
        text = self.require_text("project", "requires-python", remedy=remedy)
        try:
            return SpecifierSet(text)
        except InvalidSpecifier as error:
            raise problem(f"{self.declaration} has the requires-python {text!r}, which is none", remedy) from error

    @cached_property
    def minors(self) -> tuple[int, ...]:
        """The minor versions of Python 3 of which at least one release is allowed.

        Within one of them only a patch release that is named, or the next to it, can be the first one to differ.
        """
        allowed = self.requires_python
        named = {int(number) for number in re.findall(r"\d+\.\d+\.(\d+)", str(allowed))}
        patches = sorted({0, *named, *(patch + 1 for patch in named), *(patch - 1 for patch in named if patch)})
        every = range(NEWEST_MINOR + 1)
        found = tuple(minor for minor in every if any(allowed.contains(f"3.{minor}.{patch}") for patch in patches))
        if not found:
            what = f"{self.declaration} allows no Python 3: requires-python is {allowed}"
            raise problem(what, "write the oldest: >=3.10")
        return found

    @property
    def oldest_python(self) -> str:
        """The oldest minor version that `requires-python` allows, such as `"3.10"`."""
        return f"3.{self.minors[0]}"

    @cached_property
    def python_tags(self) -> dict[str, str]:
        """By the name of the interpreter that each wheel is built for: the wheel's Python and ABI tags.

        There is none for a Python that `requires-python` does not allow. [tool.roadworthy] free-threaded names the
        CPythons that get a free-threaded wheel of their own: the stable ABI has no free-threaded form before 3.15.
        """
        if self.package:
            return {self.oldest_python: "py3-none"}
        oldest, abi3t = self.oldest_python, self.crate.first_abi3t
        tags = {oldest: f"cp{oldest.replace('.', '')}-abi3"}
        for minor in map(str, self.settings.get("free-threaded", ())):
            digits = minor.replace(".", "")
            if int(minor.removeprefix("3.")) in self.minors:
                tags[f"{minor}t"] = f"cp{digits}-cp{digits}t"
        if abi3t and self.minors[-1] >= int(abi3t.removeprefix("3.")):
            tags[f"{abi3t}t"] = f"cp{abi3t.replace('.', '')}-abi3.abi3t"
        return tags

    def supports(self, python: "Python") -> bool:
        """Say whether there should be a wheel for this interpreter."""
        if python.free_threaded and not self.package:
            abi3t = self.crate.first_abi3t
            if abi3t is None or python.version[1] < int(abi3t.removeprefix("3.")):
                return python.name in self.python_tags
        return self.requires_python.contains(".".join(map(str, python.version)))

    @cached_property
    def jobs(self) -> dict[str, Any]:
        """The jobs of the workflow as they stand there, with expressions as they are."""
        import yaml  # noqa: PLC0415 - `make test` does without what has a compiled library

        path, text = self.workflow_path, self.read_shared(self.workflow_path)
        try:
            # The loader in C, where PyYAML has it, is six times as fast.
            content = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            where = f" (at line {mark.line + 1})" if mark else ""
            said = getattr(error, "problem", error)
            raise problem(f"{path} is no YAML: {said}{where}", "repair it, and commit") from error
        jobs = find(content, "jobs")
        if not isinstance(jobs, dict):
            raise problem(f"{path} has no jobs", "compare it with the template's")
        return jobs

    def matrix(self, job: str, *needed: str) -> list[dict[str, str]]:
        """Return the rows of a job of the workflow, one by one under `include:`; each needs texts of these names."""
        path, rows = self.workflow_path, find(self.jobs, job, "strategy", "matrix", "include")
        if not isinstance(rows, list) or not rows:
            what = f"{path} has no rows at {job}.strategy.matrix.include"
            raise problem(what, "write each there, as the template does")
        for number, row in enumerate(rows, start=1):
            for key in needed:
                if not isinstance(find(row, key), str):
                    raise problem(f"{path} has no {key} in row {number} of the job {job}", f"write it there: {key}: …")
        return rows

    @cached_property
    def platform_tags(self) -> dict[str, str]:
        """By the target that is built for, the platform tag of its wheels, both as the workflow says.

        The tag names the oldest system: for Linux, glibc or musl as zig links; for macOS, the deployment target.
        """
        tags = {row["target"]: row["tag"] for row in self.matrix("wheels", "target", "tag")}
        for target, tag in tags.items():
            if not re.fullmatch(r"[a-z0-9_]+(\.[a-z0-9_]+)*", tag):
                what = f"{self.workflow_path} has the tag {tag!r} for {target}, which is none"
                raise problem(what, "write a platform tag of PEP 425")
        return tags

    def platform_tag(self, triple: str) -> str:
        """Return the platform tag of a target's wheels; none are built for another target."""
        if triple not in self.platform_tags:
            raise problem(f"no wheels are built for {triple}", f"the targets are: {', '.join(self.platform_tags)}")
        return self.platform_tags[triple]

    def require_facts(self) -> None:
        """Make sure, before a build, that all that it will be judged by can be read."""
        # In the order in which they are told.
        if self.package:
            _ = (self.version, self.python_tags, self.platform_tags)
        else:
            _ = (self.native_module, self.crate.features_without_abi3, self.python_tags, self.platform_tags)
            _ = self.crate.abi3_feature

    def sdist_name(self, of: "Version | None" = None) -> str:
        """Return the file name of the sdist of a version; default: this one."""
        return f"{self.file_stem}-{of or self.version}.tar.gz"

    def wheel_name(self, python: str, triple: str, of: "Version | None" = None) -> str:
        """Return the file name of the wheel for an interpreter of `python_tags` and a target of `platform_tags`."""
        return f"{self.file_stem}-{of or self.version}-{self.python_tags[python]}-{self.platform_tag(triple)}.whl"
