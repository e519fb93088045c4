"""The versions that can be released: in which order Python and cargo see them, and how a wheel reports them.

Cargo's own SemVer is asked by Cargo.lock, in which it sorts packages of the same name by their versions.
"""

import sys
from email.parser import BytesParser
from itertools import combinations
from pathlib import Path

import pytest
import tomli
from packaging.version import Version

from helpers import copy_checkout, run
from roadworthy.processes import venv_bin
from roadworthy.releasing.version import Release

STAGES = ("alpha", "beta", "rc")
NUMBERS = (1, 2, 9, 10, 11, 100)
CORES = ("0.1.0", "0.2.0", "0.10.0", "1.0.2", "1.0.10", "9.9.9")
VERSIONS = [f"{core}{pre}" for core in CORES for pre in ("", *(f"-{stage}{n}" for stage in STAGES for n in NUMBERS))]


def split(version: str) -> tuple[str, int]:
    """Split `0.3.0-alpha10` into `0.3.0-alpha` and 10."""
    stem = version.rstrip("0123456789")
    return stem, int(version.removeprefix(stem))


def write_package(folder: Path, name: str, version: str, dependencies: str = "") -> None:
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "lib.rs").touch()
    text = f'[package]\nname = "{name}"\nversion = "{version}"\nedition = "2021"\n\n[dependencies]\n{dependencies}'
    (folder / "Cargo.toml").write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
def cargos_order(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Return all versions, the smallest first, as cargo orders them; those before are in another order."""
    folder = tmp_path_factory.mktemp("order")
    for number, version in enumerate(reversed(VERSIONS)):
        write_package(folder / str(number), "same", version)
    each = (f'd{number} = {{ package = "same", path = "{number}" }}\n' for number in range(len(VERSIONS)))
    write_package(folder, "all", "1.0.0", "".join(each))
    done = run("cargo", "generate-lockfile", "--offline", cwd=folder)
    assert done.returncode == 0, done.stderr
    packages = tomli.loads((folder / "Cargo.lock").read_text(encoding="utf-8"))["package"]
    return [package["version"] for package in packages if package["name"] == "same"]


def test_all_of_them_can_be_released() -> None:
    assert [Release.parse(version).text for version in VERSIONS] == VERSIONS
    assert len({Release.parse(version).version for version in VERSIONS}) == len(VERSIONS) > 100


def test_python_and_cargo_disagree_only_where_cargo_compares_numbers_as_text(cargos_order: list[str]) -> None:
    assert sorted(cargos_order) == sorted(VERSIONS)
    pythons_order = sorted(VERSIONS, key=lambda version: Release.parse(version).version)
    cargo = {version: place for place, version in enumerate(cargos_order)}
    disagree = {(small, great) for small, great in combinations(pythons_order, 2) if cargo[small] > cargo[great]}
    # cargo reads `alpha10` as one word, and `alpha10` is before `alpha2` and `alpha9` in the alphabet.
    few_and_many_digits = {
        (f"{core}-{stage}{few}", f"{core}-{stage}{many}")
        for core in CORES
        for stage in STAGES
        for few, many in ((2, 10), (2, 11), (2, 100), (9, 10), (9, 11), (9, 100), (11, 100))
    }
    assert disagree == few_and_many_digits
    for small, great in disagree:
        (stem, few), (other_stem, many) = split(small), split(great)
        assert stem == other_stem
        assert len(str(few)) < len(str(many))


def test_a_final_version_is_greater_than_its_prereleases_for_both(cargos_order: list[str]) -> None:
    for core in CORES:
        family = [version for version in cargos_order if version.split("-")[0] == core]
        assert family[-1] == core == str(max(map(Version, family)))
        stages = [split(version)[0] for version in family[:-1]]
        assert list(dict.fromkeys(stages)) == [f"{core}-{stage}" for stage in STAGES]
        assert len(stages) == len(STAGES) * len(NUMBERS)


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the checkout in which versions are written one after the other."""
    return copy_checkout(tmp_path_factory.mktemp("metadata") / "checkout")


@pytest.mark.parametrize("wanted", ["0.4.0", "1.0.0-alpha10", "10.20.30-beta2", "2.0.0-rc1"])
def test_the_metadata_of_a_wheel_report_the_version_asked_for(package: Path, tmp_path: Path, wanted: str) -> None:
    for command in (
        (venv_bin("bump-my-version"), "bump", f"--new-version={wanted}"),
        ("cargo", "update", "--workspace", "--offline"),
    ):
        edited = run(*command, cwd=package)
        assert edited.returncode == 0, edited.stderr
    options = ("--locked", "--offline", f"--interpreter={sys.executable}", f"--metadata-directory={tmp_path}")
    written = run(venv_bin("maturin"), "pep517", "write-dist-info", *options, cwd=package)
    assert written.returncode == 0, written.stderr
    (folder,) = tmp_path.glob("*.dist-info")
    metadata = BytesParser().parsebytes((folder / "METADATA").read_bytes())
    assert Version(metadata["Version"]) == Version(wanted)
    assert Version(folder.name.removesuffix(".dist-info").split("-")[1]) == Version(wanted)
