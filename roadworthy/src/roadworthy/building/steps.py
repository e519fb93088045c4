"""The steps of a build: the sdist, and the wheels of one target, each built from the unpacked sdist.

The sdist is what git tracks, less what pyproject.toml excludes. In each wheel is its bill of materials.
"""

import json
import os
import shutil
import sys
import sysconfig
import uuid
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from roadworthy import processes as commands
from roadworthy.building.toolchain import build_environment, build_folder, host_triple, run_maturin, run_uv, rustc
from roadworthy.gate.archives import unpack
from roadworthy.processes import find_uv
from roadworthy.project import Project, spelling
from roadworthy.pythons import PythonNotFoundError, find_pythons
from roadworthy.sums import compare_sums, read_sums
from roadworthy.tables import read_text
from roadworthy.terminal import err, problem, raise_problems

if TYPE_CHECKING:
    from cyclonedx.model.component import Component


def build_sdist(project: Project, folder: Path) -> Path:
    """Build the sdist into `folder`."""
    if project.package:
        run_uv(project, "--sdist", project.folder, folder)
    else:
        run_maturin(["sdist", f"--out={folder}"], project.root, build_environment(project))
    return folder / project.sdist_name()


def take_sdist(project: Project, built: Path, folder: Path) -> Path:
    """Copy the sdist that another machine built into `folder`; `built` holds its dist/ and SHA256SUMS.

    ProblemsError where it is not there, or not as its SHA256SUMS says.
    """
    sdist = built / project.dist.name / project.sdist_name()
    if not sdist.is_file():
        raise problem(f"{sdist} is missing", "FROM= is a folder with the dist/ and SHA256SUMS that `make sdist` writes")
    sums = built / project.sums.name
    raise_problems(compare_sums([sdist], read_sums(sums), sums))
    return Path(shutil.copy(sdist, folder))


def require_target(project: Project, triple: str) -> None:
    """Make sure that wheels for `triple` have a name, and that its standard library is there; else ProblemsError."""
    project.platform_tag(triple)
    if project.package:
        return
    machine, system = triple.split("-", 1)
    for part in ("x86_64", "aarch64") if machine == "universal2" else (machine,):
        rust_target = f"{part}-{system}"
        # With cargo's build-std the standard library is compiled too, so it need not be installed.
        installed = Path(rustc(project, "--print=target-libdir", f"--target={rust_target}")).is_dir()
        if not installed and "CARGO_UNSTABLE_BUILD_STD" not in os.environ:
            raise problem(f"Rust cannot build for {rust_target} yet", f"run: rustup target add {rust_target}")


def choose_interpreters(project: Project, triple: str, *, all_of_them: bool) -> dict[str, str]:
    """Map the Pythons to build for to what maturin is told: a version, or an executable where it needs one.

    A version is looked up in what maturin knows of every Python. A name such as python3.10 would be looked for on PATH
    first and run, and what answers there may be anything: a launcher that leads nowhere ends the build. One that is
    missing is left out, or, where `all_of_them` are asked for, a ProblemsError.
    """
    pythons = project.python_tags
    if project.package or "-linux-" in triple or triple != host_triple(project):
        return {python: python for python in pythons}
    if sysconfig.get_config_var("Py_GIL_DISABLED"):
        raise problem("this free-threaded Python cannot build for the stable ABI", "run: make setup PYTHON=3.12")
    chosen = {}
    for python in pythons:
        try:
            named = python.endswith("t")
            chosen[python] = str(find_pythons(find_uv(), [python])[0].path) if named else sys.executable
        except PythonNotFoundError as error:
            if all_of_them:
                raise problem(str(error), "install it before the build, so that its wheel is not missing") from error
            err.print(f"left out: the wheel for it, because {error}")
    return chosen


def build_wheels(project: Project, interpreters: dict[str, str], triple: str, sdist: Path, folder: Path) -> None:
    """Build wheels for the interpreters chosen into `folder`, of the sdist, which is unpacked beside it.

    It is done at the same time: each alone would often leave a processor idle.
    """
    source = unpack(sdist, folder.parent / "source")
    if project.package:
        run_uv(project, "--wheel", source, folder)
        return
    # Beside the unpacked sdist, under the name that it has in the wheels.
    sbom = source.parent / f"{project.file_stem}.cdx.json"
    sbom.write_text(make_sbom(source, triple, project.checkout.commit_time()), encoding="utf-8")
    common = ["build", "--release", "--locked", f"--target={triple}", f"--sbom-include={sbom}", f"--out={folder}"]
    common.append("--compatibility=pypi")
    if "-linux-" in triple:
        newest_tag = project.platform_tag(triple).rsplit(".", 1)[-1]
        common += ["--zig", f"--compatibility={newest_tag.removesuffix('_' + triple.split('-', 1)[0])}"]
    environment = build_environment(project, triple)
    with err.status("building the wheels …"), ThreadPoolExecutor(len(interpreters)) as pool:
        builds = []
        for python, command in interpreters.items():
            # One each: with a shared one, each would compile PyO3 anew for its Python, and the other's away.
            compiled = build_folder(project) / project.python_tags[python]
            own = [f"--interpreter={command}", f"--target-dir={compiled}", *choose_features(project, python)]
            builds.append(pool.submit(run_maturin, [*common, *own], source, environment))
        for each in builds:
            each.result()


def make_sbom(source: Path, triple: str, time: int) -> str:
    """Return the software bill of materials, in CycloneDX: the crates that are compiled in, as Cargo.lock locks them.

    The same commit gives the same bytes: no path, and neither a time (in seconds since 1970) nor a random number that
    is not derived from the content. Crates that the target does not use are left out.
    """
    from cyclonedx.model.bom import Bom  # noqa: PLC0415 - takes longer to load than all else
    from cyclonedx.output.json import JsonV1Dot5  # noqa: PLC0415

    command = ["cargo", "metadata", "--locked", "--format-version=1"]
    if not triple.startswith("universal2-"):
        command.append(f"--filter-platform={triple}")
    metadata = json.loads(commands.run(*command, cwd=source, env=os.environ).stdout)
    locked = {(crate["name"], crate["version"]): crate for crate in Project(source).locked_crates}
    components = {one["id"]: crate_component(one, locked[one["name"], one["version"]]) for one in metadata["packages"]}
    root = components[metadata["resolve"]["root"]]
    number = uuid.uuid5(uuid.NAMESPACE_URL, f"{root.purl}?target={triple}\n{read_text(source, 'Cargo.lock')}")
    bom = Bom(components=[each for each in components.values() if each is not root], serial_number=number)
    bom.metadata.component = root
    bom.metadata.timestamp = datetime.fromtimestamp(time, timezone.utc)
    for node in metadata["resolve"]["nodes"]:
        bom.register_dependency(components[node["id"]], [components[needed] for needed in node["dependencies"]])
    return JsonV1Dot5(bom).output_as_string(indent=2) + "\n"


def crate_component(package: dict[str, Any], locked: dict[str, Any]) -> "Component":
    """Describe one crate. Crates from a registry have a checksum, those in this repository have none."""
    from cyclonedx.model import HashAlgorithm, HashType  # noqa: PLC0415
    from cyclonedx.model.component import Component, ComponentType  # noqa: PLC0415
    from packageurl import PackageURL  # noqa: PLC0415

    name, version, checksum = package["name"], package["version"], locked.get("checksum")
    purl = PackageURL("cargo", None, name, version)
    return Component(
        type=ComponentType.LIBRARY,
        name=name,
        version=version,
        description=package["description"],
        bom_ref=str(purl),
        purl=purl,
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=checksum)] if checksum else [],
    )


def choose_features(project: Project, python: str) -> list[str]:
    """Return what maturin is told of Cargo's features, so that all wheels have the same but for the stable ABI.

    It has no free-threaded form at first, and then another one: its own features are left out one by one, with what
    turns them on, and all others named.
    """
    if not python.endswith("t"):
        return []
    crate = project.crate
    named = [*crate.features_without_abi3, *(["abi3t"] if python == f"{crate.first_abi3t}t" else [])]
    # Said even if it is empty: else maturin takes those of pyproject.toml.
    return ["--no-default-features", f"--features={','.join(named)}"]


def check_names(project: Project, folder: Path, triple: str, pythons: Iterable[str]) -> None:
    """Compare what was built with what was to be built; ProblemsError where a file has another name."""
    expected = [project.wheel_name(python, triple) for python in pythons]
    built = sorted(path.name for path in folder.iterdir() if path.name != project.sdist_name())
    if Counter(map(spelling, built)) != Counter(map(spelling, expected)):
        remedy = "compare the versions in Cargo.toml and pyproject.toml, and the tags in CI.yml's matrix"
        raise problem(f"the build made {', '.join(built)}, and not {', '.join(expected)}", remedy)
