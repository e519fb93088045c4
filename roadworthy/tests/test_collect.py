"""Putting together what several machines have built, into the dist/ of another checkout."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from helpers import copy_checkout, run
from pipeline_steps import Told, run_step
from releases import Place
from roadworthy.sums import read_sums, write_sums

REMEDY = "run the jobs that built them again, all of them; publish nothing of this run"
OTHER = "x86_64-pc-windows-msvc"
Built = dict[str, Path]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Return a checkout whose dist/ holds something old."""
    place = Place(tmp_path_factory.mktemp("collect"))
    copy_checkout(place.checkout)
    return place


@pytest.fixture(autouse=True)
def old(place: Place) -> None:
    """Put something old into dist/."""
    shutil.rmtree(place.checkout / "dist", ignore_errors=True)
    place.write("dist/old.whl", "old")
    place.write("SHA256SUMS", "old")
    place.write("target/dist/built-from", "old")


@pytest.fixture
def built(dist: Path, tmp_path: Path) -> Built:
    """Return the folders of three machines: of the sdist, of this machine's wheels, and of others."""
    folders = {name: tmp_path / "built" / f"built-{name}" for name in ("sdist", "here", OTHER)}
    for folder in folders.values():
        (folder / "dist").mkdir(parents=True)
    (sdist,) = dist.glob("*.tar.gz")
    shutil.copy(sdist, folders["sdist"] / "dist")
    for wheel in dist.glob("*.whl"):
        shutil.copy(wheel, folders["here"] / "dist")
        other = folders[OTHER] / "dist" / f"{wheel.name.rsplit('-', 1)[0]}-win_amd64.whl"
        other.write_bytes(wheel.read_bytes() + b"other")
    for name, folder in folders.items():
        sign(folder, None if name == "sdist" else sdist)
    return folders


def sign(folder: Path, sdist: Path | None) -> None:
    """Write the SHA256SUMS of a machine, in which the sdist stands as well, though it is not in the artefact."""
    if sdist:
        shutil.copy(sdist, folder / "dist")
    write_sums(folder / "SHA256SUMS", folder / "dist")
    if sdist:
        (folder / "dist" / sdist.name).unlink()


def wheel_of(folder: Path) -> Path:
    """Return one of a machine's wheels."""
    return min((folder / "dist").glob("*.whl"))


def relist(folder: Path, change: Callable[[dict[str, str]], object]) -> None:
    """Change what a machine's SHA256SUMS says."""
    sums = read_sums(folder / "SHA256SUMS")
    change(sums)
    lines = [f"{digest}  dist/{name}\n" for name, digest in sums.items()]
    (folder / "SHA256SUMS").write_text("".join(lines), encoding="utf-8")


def collect(place: Place, folder: Path) -> Told:
    return run_step(place, "collect", "--", folder)


def test_what_fits_together_is_one_set_with_its_hashes(place: Place, built: Built) -> None:
    told = collect(place, built["sdist"].parent)
    assert told.code == 0, told.err
    expected = {path.name: path.read_bytes() for folder in built.values() for path in (folder / "dist").iterdir()}
    found = {path.name: path.read_bytes() for path in (place.checkout / "dist").iterdir()}
    assert found == expected
    assert len(found) == 7
    checked = run("sha256sum", "--check", "--strict", "SHA256SUMS", cwd=place.checkout)
    assert checked.returncode == 0, checked.stderr
    assert len(checked.stdout.splitlines()) == 7
    # What an earlier build of this checkout left is no longer what is in dist/.
    assert list((place.checkout / "target" / "dist").iterdir()) == []


def change_a_byte(built: Built) -> list[str]:
    wheel = wheel_of(built["here"])
    wheel.write_bytes(wheel.read_bytes()[:-1] + b"!")
    return [f"{wheel} has the SHA-256 "]


def change_two_machines(built: Built) -> list[str]:
    wheels = [wheel_of(built["here"]), wheel_of(built[OTHER])]
    for wheel in wheels:
        wheel.write_bytes(b"")
    return [f"{wheel} has the SHA-256 " for wheel in wheels]


def lose_the_hashes(built: Built) -> list[str]:
    (built["here"] / "SHA256SUMS").unlink()
    return [f"{built['here'] / 'SHA256SUMS'} cannot be read: "]


def spoil_the_hashes(built: Built) -> list[str]:
    (built["here"] / "SHA256SUMS").write_text("hello\n", encoding="utf-8")
    return [f"{built['here'] / 'SHA256SUMS'} is no SHA256SUMS: "]


def lose_the_files(built: Built) -> list[str]:
    shutil.rmtree(built["here"] / "dist")
    return [f"{built['here']} has no dist/"]


def build_a_name_twice(built: Built) -> list[str]:
    wheel = wheel_of(built["here"])
    shutil.copy(wheel, built[OTHER] / "dist")
    relist(built[OTHER], lambda sums: sums.update(read_sums(built["here"] / "SHA256SUMS")))
    return [f"{wheel.name} was built by built-here, built-{OTHER}: one would replace the other"]


def build_from_another_sdist(built: Built) -> list[str]:
    (sdist,) = (built["sdist"] / "dist").iterdir()
    relist(built[OTHER], lambda sums: sums.update({sdist.name: "0" * 64}))
    return [f"{sdist.name} has 2 different SHA-256 in the SHA256SUMS"]


def lose_a_wheel(built: Built) -> list[str]:
    wheel = wheel_of(built[OTHER])
    wheel.unlink()
    return [f"{wheel.name} stands in a SHA256SUMS, and no machine has it"]


def lose_the_sdists_machine(built: Built) -> list[str]:
    (sdist,) = (built["sdist"] / "dist").iterdir()
    shutil.rmtree(built["sdist"])
    return [f"{sdist.name} stands in a SHA256SUMS, and no machine has it"]


def add_a_file(built: Built) -> list[str]:
    extra = built["here"] / "dist" / "extra.txt"
    extra.touch()
    return [f"{extra} has the SHA-256 "]


def add_a_wheel(built: Built) -> list[str]:
    extra = built["here"] / "dist" / "ferrous_wheel-0.1.0-cp310-abi3-win_arm64.whl"
    extra.touch()
    return [f"{extra} has the SHA-256 "]


def add_a_name_of_another_system(built: Built) -> list[str]:
    extra = built["here"] / "dist" / "..\\..\\ferrous_wheel-0.1.0.tar.gz"
    extra.touch()
    return [f"{extra} has the SHA-256 "]


def list_a_name_twice(built: Built) -> list[str]:
    sums = built["here"] / "SHA256SUMS"
    lines = sums.read_text(encoding="utf-8").splitlines(keepends=True)
    sums.write_text("".join([*lines, lines[0].replace("  dist/", "  other/")]), encoding="utf-8")
    name = lines[0].split("/", 1)[1].strip()
    return [f"{sums} is no SHA256SUMS: {name!r} is there twice"]


def list_what_leads_out(built: Built) -> list[str]:
    sums = built["here"] / "SHA256SUMS"
    sums.write_text(f"{'0' * 64}  dist/..\n", encoding="utf-8")
    return [f"{sums} is no SHA256SUMS: '..' is neither a wheel nor an sdist"]


def add_a_folder(built: Built) -> list[str]:
    extra = built["here"] / "dist" / "more"
    extra.mkdir()
    return [f"{extra} is no plain file"]


def add_a_link(built: Built) -> list[str]:
    wheel = wheel_of(built["here"])
    wheel.rename(built["here"] / wheel.name)
    wheel.symlink_to(built["here"] / wheel.name)
    return [f"{wheel} is no plain file"]


def have_no_folders(built: Built) -> list[str]:
    folder = built["sdist"].parent
    for each in built.values():
        shutil.rmtree(each)
    (folder / "SHA256SUMS").touch()
    return [f"there are no folders in {folder}"]


def have_nothing(built: Built) -> list[str]:
    shutil.rmtree(built["sdist"].parent)
    return [f"there are no folders in {built['sdist'].parent}"]


BROKEN = {
    break_it.__name__.replace("_", " "): break_it
    for break_it in (
        change_a_byte,
        change_two_machines,
        lose_the_hashes,
        spoil_the_hashes,
        lose_the_files,
        build_a_name_twice,
        build_from_another_sdist,
        lose_a_wheel,
        lose_the_sdists_machine,
        add_a_file,
        add_a_wheel,
        add_a_name_of_another_system,
        list_a_name_twice,
        list_what_leads_out,
        add_a_folder,
        add_a_link,
        have_no_folders,
        have_nothing,
    )
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_does_not_fit_together_is_refused_and_dist_is_as_it_was(place: Place, built: Built, name: str) -> None:
    texts = BROKEN[name](built)
    told = collect(place, built["sdist"].parent)
    assert told.code == 1
    problems = [line.removeprefix("problem: ") for line in told.err.splitlines() if line.startswith("problem: ")]
    assert len(problems) == len(told.annotations) == len(texts), told.err
    assert all(problem.startswith(text) for problem, text in zip(problems, sorted(texts), strict=True)), problems
    assert {path.name: path.read_text(encoding="utf-8") for path in (place.checkout / "dist").iterdir()} == {
        "old.whl": "old"
    }
    assert place.read("SHA256SUMS") == "old"
    assert place.read("target/dist/built-from") == "old"


def test_without_a_folder_it_is_asked_for(place: Place) -> None:
    refused = run("make", "collect", cwd=place.checkout)
    assert refused.returncode == 2
    assert "usage: make collect needs FROM; it takes FROM\n" in refused.stderr
    assert place.read("dist/old.whl") == "old"
