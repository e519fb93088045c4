"""What changes from one release to the next, and what is lost: told by `compare`, and by `check --against` an index."""

import io
import json
import re
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from archives import ARCHIVES
from broken import Files, make_wheel
from helpers import PROJECT, run
from linked import GLIBC, elf
from pipeline_index import PackageIndex, running
from roadworthy.gate.binary import systems
from roadworthy.gate.check import check, excuse
from roadworthy.gate.compare import LOST, Release, Update, changes, look_inside, pair, since_published
from roadworthy.gate.model import Artefact
from roadworthy.index import Index
from roadworthy.terminal import ProblemsError

LINUX, MUSL = "manylinux_2_17_x86_64", "musllinux_1_2_x86_64"
MODULE: Files = {"pkg/__init__.py": b""}
PAGE = PROJECT.root / "roadworthy" / "README.md"
COMPARE = (sys.executable, "-m", "roadworthy", "compare")


def make_sdist(folder: Path, name: str, version: str, files: Files, *fields: str) -> Path:
    """Write an sdist into `folder`."""
    top = f"{name}-{version}"
    metadata = "\n".join(["Metadata-Version: 2.2", f"Name: {name}", f"Version: {version}", *fields, ""])
    path = folder / f"{top}.tar.gz"
    folder.mkdir(exist_ok=True)
    with tarfile.open(path, "w:gz") as archive:
        for file, content in {"PKG-INFO": metadata.encode(), **files}.items():
            member = tarfile.TarInfo(f"{top}/{file}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def release(folder: Path, version: str, *tags: str, files: Files = MODULE, fields: tuple[str, ...] = ()) -> Path:
    """Write wheels with these tags into a folder, and an sdist where one of them is "sdist"."""
    for each in tags:
        make = make_sdist if each == "sdist" else partial(make_wheel, tags=each)
        make(folder, "pkg", version, files, *fields)
    return folder


def lost(old: Path, new: Path) -> list[str]:
    """Return what is lost from one folder to another."""
    update = Update.read(Release.of_paths(old.iterdir(), ""), Release.of_paths(new.iterdir(), ""))
    return [change.what for change in changes(update) if change.group == LOST]


PLATFORMS = {
    "a libc": (["cp310-abi3-" + LINUX, "cp310-abi3-" + MUSL], ["cp310-abi3-" + LINUX], "wheel for musllinux x86_64"),
    "a processor": (
        ["cp310-abi3-macosx_10_12_universal2"],
        ["cp310-abi3-macosx_11_0_arm64"],
        "wheel for macosx x86_64",
    ),
    "a system": (["py3-none-any"], ["cp310-abi3-win_amd64"], "wheel for every system"),
    "the sdist": (["sdist", "py3-none-any"], ["py3-none-any"], "sdist"),
}


@pytest.mark.parametrize("case", PLATFORMS)
def test_a_platform_that_is_lost_is_told(tmp_path: Path, case: str) -> None:
    before, now, what = PLATFORMS[case]
    found = lost(release(tmp_path / "old", "1.0", *before), release(tmp_path / "new", "1.1", *now))
    assert found == [f"there is no {what} any more [lost-platform]"]


PYTHONS = {
    "one of several": (["cp39-cp39", "cp310-cp310"], ["cp310-cp310"], "cp39-cp39"),
    "the first of the stable ABI": (["cp39-abi3"], ["cp310-abi3"], "cp39-abi3"),
    "all that follow": (["cp39-abi3"], ["cp39-cp39", "cp310-cp310"], "cp39-abi3"),
    "free-threaded": (["cp314-cp314", "cp314-cp314t"], ["cp314-cp314"], "cp314-cp314t"),
    "PyPy": (["cp39-abi3", "pp310-pypy310_pp73"], ["cp39-abi3"], "pp310-pypy310_pp73"),
}


@pytest.mark.parametrize("case", PYTHONS)
def test_a_python_that_is_lost_is_told(tmp_path: Path, case: str) -> None:
    before, now, what = PYTHONS[case]
    sides = ([f"{each}-{LINUX}" for each in side] for side in (before, now))
    old, new = (release(tmp_path / v, v, *tags) for v, tags in zip(("1.0", "1.1"), sides, strict=True))
    assert lost(old, new) == [f"there is no wheel for {what} any more on manylinux x86_64 [lost-python]"]


def test_a_python_that_is_not_allowed_any_more_is_told_once(tmp_path: Path) -> None:
    tags = [f"cp3{minor}-cp3{minor}-{LINUX}" for minor in (8, 9, 10)]
    old = release(tmp_path / "old", "1.0", *tags, fields=("Requires-Python: >=3.8",))
    new = release(tmp_path / "new", "1.1", *tags[1:], fields=("Requires-Python: >=3.9",))
    assert lost(old, new) == ["Requires-Python does not allow 3.8 any more [lost-python]"]


FLOORS = {
    "glibc": (LINUX, "manylinux_2_28_x86_64", "manylinux x86_64 needs glibc 2.28, and needed 2.17"),
    "an old name": ("manylinux1_i686", "manylinux2014_i686", "manylinux i686 needs glibc 2.17, and needed 2.5"),
    "musl": ("musllinux_1_1_aarch64", "musllinux_1_2_aarch64", "musllinux aarch64 needs musl 1.2, and needed 1.1"),
    "macOS": ("macosx_10_9_x86_64", "macosx_11_0_x86_64", "macosx x86_64 needs macOS 11.0, and needed 10.9"),
    "Android": (
        "android_21_arm64_v8a",
        "android_24_arm64_v8a",
        "android arm64_v8a needs Android's API 24.0, and needed 21.0",
    ),
}


@pytest.mark.parametrize("case", FLOORS)
def test_a_newer_system_that_is_needed_is_told(tmp_path: Path, case: str) -> None:
    before, now, what = FLOORS[case]
    old = release(tmp_path / "old", "1.0", f"cp310-abi3-{before}")
    assert lost(old, release(tmp_path / "new", "1.1", f"cp310-abi3-{now}")) == [
        f"{what}, with cp310-abi3 [raised-floor]"
    ]


NOTHING = {
    "the stable ABI takes the place of several": ([f"cp3{n}-cp3{n}-{LINUX}" for n in (9, 10)], [f"cp39-abi3-{LINUX}"]),
    "one for all takes the place of all": ([f"cp39-abi3-{LINUX}", "cp39-abi3-win32"], ["py3-none-any"]),
    "universal2 takes the place of two": (
        ["cp39-abi3-macosx_10_12_x86_64", "cp39-abi3-macosx_11_0_arm64"],
        ["cp39-abi3-macosx_10_12_universal2"],
    ),
    "arm64 alone needed macOS 11 already": (
        ["cp39-abi3-macosx_10_12_universal2"],
        ["cp39-abi3-macosx_10_12_x86_64", "cp39-abi3-macosx_11_0_arm64"],
    ),
    "another spelling": ([f"cp39-none-{LINUX}"], ["cp39-cp39-manylinux2014_x86_64"]),
    "one for an older system is still there": (
        [f"cp39-abi3-{LINUX}"],
        [f"cp39-abi3-{LINUX}", "cp39-abi3-manylinux_2_28_x86_64"],
    ),
    "Python 2": (["py2.py3-none-any"], ["py3-none-any"]),
}


@pytest.mark.parametrize("case", NOTHING)
def test_what_takes_the_place_of_another_is_no_loss(tmp_path: Path, case: str) -> None:
    before, now = NOTHING[case]
    assert lost(release(tmp_path / "old", "1.0", *before), release(tmp_path / "new", "1.1", *now)) == []


INTERFACE: dict[str, tuple[Files, tuple[str, ...], str]] = {
    "a package": ({"other/__init__.py": b""}, (), "package or module other"),
    "a module": ({"_other.cpython-310-x86_64-linux-gnu.so": b""}, (), "package or module _other"),
    "py.typed": ({"pkg/py.typed": b""}, (), "pkg/py.typed"),
    "a command": (
        {"pkg-1.0.dist-info/entry_points.txt": b"[console_scripts]\nfrob = pkg:main\n"},
        (),
        "entry point console_scripts: frob",
    ),
    "an extra": ({}, ("Provides-Extra: fast.er",), "extra fast-er"),
}


@pytest.mark.parametrize("case", INTERFACE)
def test_what_others_use_by_its_name_and_is_lost_is_told(tmp_path: Path, case: str) -> None:
    files, fields, what = INTERFACE[case]
    old = release(tmp_path / "old", "1.0", "py3-none-any", files={**MODULE, **files}, fields=fields)
    found = lost(old, release(tmp_path / "new", "1.1", "py3-none-any"))
    assert found == [f"there is no {what} any more [lost-interface]"]
    kept = {name.replace("1.0", "1.1"): content for name, content in files.items()}
    again = release(tmp_path / "again", "1.1", "py3-none-any", files={**MODULE, **kept}, fields=fields)
    assert lost(old, again) == []


def test_where_files_are_in_an_sdist_is_nobodys_interface(tmp_path: Path) -> None:
    old = make_sdist(tmp_path / "old", "pkg", "1.0", {"setup.py": b"", "pkg/py.typed": b""}).parent
    new = make_sdist(tmp_path / "new", "pkg", "1.1", {"src/pkg/py.typed": b""}).parent
    assert lost(old, new) == []


def test_a_file_that_is_much_larger_is_told(tmp_path: Path) -> None:
    old = release(tmp_path / "old", "1.0", "py3-none-any", files={"pkg.py": b"x"})
    size = next(old.iterdir()).stat().st_size
    assert lost(old, release(tmp_path / "same", "1.1", "py3-none-any", files={"pkg.py": b"x" * 8 * size})) == []
    (found,) = lost(old, release(tmp_path / "new", "1.1", "py3-none-any", files={"pkg.py": b"x" * 10 * size}))
    assert found.startswith("pkg-1.1-py3-none-any.whl has ")
    assert found.endswith("11 times those of pkg-1.0-py3-none-any.whl [larger-file]")


def test_files_are_paired_by_what_they_are_for() -> None:
    old = [
        "pkg-1-cp39-abi3-win32.whl",
        f"pkg-1-cp39-cp39-{LINUX}.whl",
        f"pkg-1-cp310-cp310-{LINUX}.whl",
        "pkg-1.tar.gz",
    ]
    new = ["pkg-2-cp310-abi3-win32.whl", f"pkg-2-cp310-cp310-{LINUX}.whl", "pkg-2.tar.gz", "pkg-2-py3-none-any.whl"]
    assert pair(old, new) == {new[0]: old[0], new[1]: old[2], new[2]: old[3]}
    # For the same system, where there is none for the same Python too; and at last any wheel for any.
    assert pair(old, [f"pkg-2-cp39-abi3-{LINUX}.whl"]) == {f"pkg-2-cp39-abi3-{LINUX}.whl": old[2]}
    assert pair(old[:1], new[3:]) == {new[3]: old[0]}
    assert pair(old[:1], new[2:3]) == {}


def test_a_platform_without_a_version_is_a_system_of_its_own() -> None:
    assert systems("pyemscripten_2025_0_wasm32") == {"pyemscripten_2025_0_wasm32": (0, 0)}
    assert systems("win_amd64") == {"win_amd64": (0, 0)}


REPORT = """\
pkg 1.0 (files: 1, bytes: {}) → pkg 1.1 (files: 1, bytes: {})
looked into: one file for each system, 1 of 1
lost:
  Requires-Python does not allow 3.8 any more [lost-python]
metadata:
  keywords: - old
  summary: + What it is
  requires-dist: Frob-Lib (>=1.0) → frob-lib>=2
  requires-python: >=3.8 → >=3.9
native modules:
  pkg/_core.so needs: + libssl.so.3
files:
  pkg/gone.py: - 3 bytes
  pkg/new.py: + 4 bytes
  pkg.dist-info/sboms/pkg.json: 1 bytes → 2 bytes
  pkg/_core.so: {} bytes → {} bytes
"""


def test_everything_that_differs_is_told_the_most_serious_first(tmp_path: Path) -> None:
    tags = f"cp39-abi3-{LINUX}"
    one, two = elf(), elf(needs=(GLIBC, ("libssl.so.3", "")))
    fields = ("Requires-Dist: Same>=1,<2 ; (python_version<'3.9')", "Keywords: old", "Requires-Dist: Frob-Lib (>=1.0)")
    files = {"pkg/_core.abi3.so": one, "pkg/gone.py": b"old", "pkg.libs/libfoo-0123abcd.so.1": one}
    files |= {"pkg-1.0.dist-info/sboms/pkg.json": b"1", "pkg/table-1.0.csv": b"", "pkg.libs/.load-order-pkg-1.0": b""}
    old = make_wheel(tmp_path, "pkg", "1.0", files, "Requires-Python: >=3.8", *fields, tags=tags)
    fields = (
        "Requires-Dist: same <2, >=1; python_version < '3.9'",
        "Summary: What it is",
        "Requires-Dist: frob-lib>=2",
    )
    files = {
        "pkg/_core.cpython-39-x86_64-linux-gnu.so": two,
        "pkg/new.py": b"new2",
        "pkg.libs/libfoo-4567abcd.so.1": one,
    }
    files |= {"pkg-1.1.dist-info/sboms/pkg.json": b"22", "pkg/table-1.0.csv": b"", "pkg.libs/.load-order-pkg-1.1": b""}
    new = make_wheel(tmp_path, "pkg", "1.1", files, "Requires-Python: >=3.9", *fields, tags=tags)
    done = run(*COMPARE, old, new, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    sizes = [old.stat().st_size, new.stat().st_size, len(one), len(two)]
    assert done.stdout == REPORT.format(*(f"{size:,}" for size in sizes))
    (change,) = (
        each
        for each in json.loads(run(*COMPARE, old, new, "--json", cwd=tmp_path).stdout)
        if each["new"] == ["4 bytes"]
    )
    assert change == {"group": "files", "what": "pkg/new.py", "old": [], "new": ["4 bytes"], "file": new.name}
    assert run(*COMPARE, old, old, cwd=tmp_path).stdout.endswith("\nnothing differs\n")
    # The page shows it; another linker makes other sizes.
    command = f"$ roadworthy compare {old.name} {new.name}\n{done.stdout}"
    shown, page = (re.sub(r"[\d,]+(?<!,) bytes|bytes: [\d,]+", "", each) for each in (command, PAGE.read_text("utf-8")))
    assert shown in page


def test_what_several_files_have_is_told_once_and_of_much_the_first(tmp_path: Path) -> None:
    names = {f"pkg/m{number:02}.py": b"" for number in range(30)}
    tags = ["sdist", f"cp39-abi3-{LINUX}", "cp39-abi3-win32"]
    old = release(tmp_path / "old", "1.0", *tags, files=names, fields=(f"Summary: {'a' * 200}",))
    new = release(tmp_path / "new", "1.1", *tags, files={"only/in.py": b""})
    make_sdist(new, "pkg", "1.1", {})
    said = run(*COMPARE, old, new, cwd=tmp_path).stdout
    assert "  summary: - 200 characters\n" in said
    assert re.search(r"^artefacts:\n  pkg-1\.1-cp39-abi3-\w+\.whl: 5,\d+ bytes → \d+ bytes$", said, re.MULTILINE)
    assert said.count("pkg/m07.py: - 0 bytes\n") == 1
    assert "pkg/m08.py" not in said
    assert "  and 22 more\n" in said
    assert "  only/in.py: + 0 bytes [cp39-abi3-win32 and 1 more]\n" in said


# ---- what cannot be compared


def test_what_cannot_be_compared_is_said_in_one_line(tmp_path: Path) -> None:
    wheel = next(release(tmp_path / "whole", "1.0", "py3-none-any").iterdir())
    sdist = make_sdist(tmp_path, "pkg", "1.0", {})
    done = run(*COMPARE, wheel, sdist, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"usage: a wheel and an sdist are not compared: {wheel.name}, {sdist.name};")
    done = run(*COMPARE, wheel, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "usage: the following arguments are required: NEW; it takes OLD, NEW, --index, --json\n"


REFUSED: dict[str, tuple[dict[str, bytes], str]] = {
    "nothing": ({}, "new is no artefact, nor a folder with some"),
    "no artefact": ({"README.md": b"text"}, "new is no artefact, nor a folder with some"),
    "two versions": (
        {"pkg-1.0-py3-none-any.whl": b"", "pkg-1.1.tar.gz": b""},
        "new has files of pkg 1.0, pkg 1.1",
    ),
    "text": ({"pkg-1.1-py3-none-any.whl": b"text"}, "pkg-1.1-py3-none-any.whl cannot be compared: BadZipFile: "),
    "an end of nothing": ({"pkg-1.1-py3-none-any.whl": b"PK\5\6" + b"\xff" * 18}, "pkg-1.1-py3-none-any.whl: "),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_read_is_a_problem_and_no_traceback(tmp_path: Path, case: str) -> None:
    files, what = REFUSED[case]
    release(tmp_path / "old", "1.0", "py3-none-any")
    (tmp_path / "new").mkdir()
    for name, content in files.items():
        (tmp_path / "new" / name).write_bytes(content)
    done = run(*COMPARE, "old", "new", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"problem: {what}")
    assert len(done.stderr.splitlines()) == 2


def test_no_broken_archive_is_a_traceback(tmp_path: Path) -> None:
    problems = 0
    for name, (_, file, make) in ARCHIVES.items():
        (tmp_path / file).write_bytes(make())
        try:
            assert look_inside(tmp_path / file), name
        except ProblemsError as error:
            problems += str(error).startswith(f"{file}")
    assert 50 < problems < len(ARCHIVES) // 2


def test_what_unpacks_to_too_much_is_not_read(tmp_path: Path) -> None:
    wheel = next(release(tmp_path / "old", "1.0", "py3-none-any").iterdir())
    bomb = tmp_path / "pkg-1.1-py3-none-any.whl"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("pkg.py", bytes(65 << 20))
    with pytest.raises(ProblemsError, match="it unpacks to 68,157,440 bytes"):
        Update.read(Release.of_paths([wheel], ""), Release.of_paths([bomb], ""))


def test_a_foreign_text_is_shown_as_one_line(tmp_path: Path) -> None:
    old = release(tmp_path / "old", "1.0", "py3-none-any")
    strange = {"pkg/\x1b[2J.py": b"", "pkg/a\n::set-output.py": b"", "a\n::b/__init__.py": b""}
    new = release(tmp_path / "new", "1.1", "py3-none-any", files={**MODULE, **strange})
    said = run(*COMPARE, new, old, cwd=tmp_path).stdout
    assert "\x1b" not in said
    assert not [line for line in said.splitlines() if line.startswith("::")]
    assert r"there is no package or module a\n::b any more" in said


# ---- an index


STEM = PROJECT.import_name


def build(tmp_path: Path, version: str, *tags: str, fields: tuple[str, ...] = ()) -> dict[str, bytes]:
    """Return wheels of this project, those before 0.3 with types."""
    files = {f"{STEM}/__init__.py": b"", **({f"{STEM}/py.typed": b""} if version < "0.3" else {})}
    described = ("Description-Content-Type: text/markdown", "", "A text.")
    paths = [make_wheel(tmp_path / version, STEM, version, files, *fields, *described, tags=each) for each in tags]
    return {path.name: path.read_bytes() for path in paths}


@pytest.fixture
def served(tmp_path: Path) -> Iterator[PackageIndex]:
    """Return an index with releases of this project, of which 0.2.0 is the one to compare with."""
    tags = (f"cp310-abi3-{LINUX}", f"cp310-abi3-{MUSL}", "cp310-abi3-win_amd64")
    files = build(tmp_path, "0.1.0", "cp38-abi3-win32") | build(tmp_path, "0.2.0", *tags)
    others = [build(tmp_path, version, "cp38-abi3-win32") for version in ("0.2.1", "0.3.0rc1", "0.4.0")]
    index = PackageIndex({**files, f"{STEM}-0.2.0.win32.exe": b""})
    index.files |= {name: content for each in others for name, content in each.items()}
    index.yanked, index.sends = {*others[0]}, True
    with running(index):
        yield index


def test_files_are_compared_with_the_newest_release_that_is_older_and_not_yanked(
    served: PackageIndex, tmp_path: Path
) -> None:
    build(
        tmp_path,
        "0.3.0",
        f"cp310-abi3-{LINUX}",
        f"cp310-abi3-{MUSL}",
        fields=("Requires-Dist: frob>1", "Requires-Dist: other ; extra == 'more'", "Provides-Extra: more"),
    )
    found = check([tmp_path / "0.3.0"], against=served.simple)
    name = PROJECT.name
    assert {each.file for each in found} == {f"{name} 0.3.0, after {name} 0.2.0"}
    assert [(each.level, each.rule, each.what) for each in found] == [
        ("warning", "lost-platform", "there is no wheel for win_amd64 any more"),
        ("warning", "lost-interface", f"there is no {STEM}/py.typed any more"),
        ("note", "new-dependency", "it needs frob, and did not"),
    ]
    # One pair of wheels is enough.
    (downloaded,) = [path.rpartition("/")[2] for path in served.asked if "/files/" in path]
    assert downloaded.startswith(f"{STEM}-0.2.0-cp310-abi3-")


def test_a_pre_release_is_compared_with_pre_releases_too(served: PackageIndex, tmp_path: Path) -> None:
    build(tmp_path, "0.3.0rc2", "cp38-abi3-win32")
    build(tmp_path, "0.3.1", "cp38-abi3-win32")
    for version, before in {"0.3.0rc2": "0.3.0rc1", "0.3.1": "0.2.0"}.items():
        found = check([tmp_path / version], against=served.simple)
        assert {each.file.rpartition(" ")[2] for each in found if each.rule == "lost-platform"} <= {before}
        downloaded = [path for path in served.asked if "/files/" in path]
        assert f"-{before}-" in downloaded[-1]


def test_a_loss_fails_only_where_a_warning_does(served: PackageIndex, tmp_path: Path) -> None:
    build(tmp_path, "0.3.0", f"cp310-abi3-{LINUX}", f"cp310-abi3-{MUSL}")
    command = (sys.executable, "-m", "roadworthy", "check", tmp_path / "0.3.0", "--foreign")
    done = run(*command, f"--against={served.simple}")
    said = "  warning: there is no wheel for win_amd64 any more [lost-platform]\n"
    assert (done.returncode, said in done.stderr) == (0, True)
    assert run(*command, f"--against={served.simple}", "--strict").returncode == 1


def test_what_is_not_published_yet_is_compared_with_nothing_and_that_is_said(
    served: PackageIndex, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    build(tmp_path, "0.0.9", f"cp310-abi3-{LINUX}")
    assert check([tmp_path / "0.0.9"], against=served.simple) == []
    nothing = f"{served.simple} has no release of {PROJECT.name} before 0.0.9, so nothing is compared with one\n"
    assert capsys.readouterr().err == nothing
    other = next(release(tmp_path / "other", "1.0", "py3-none-any").iterdir())
    assert [*since_published([Artefact(other)], Index(served.simple))] == []
    assert capsys.readouterr().err == nothing.replace(f"{PROJECT.name} before 0.0.9", "pkg before 1.0")


@pytest.mark.parametrize(
    "words", [("check", "FOLDER", "--foreign", "--against"), ("compare", "FOLDER", "pkg==1.0", "--index")]
)
def test_an_index_that_does_not_answer_is_a_problem(tmp_path: Path, words: tuple[str, ...]) -> None:
    folder = release(tmp_path / "dist", "1.1", "py3-none-any")
    given = [str(folder) if word == "FOLDER" else word for word in words]
    done = run(sys.executable, "-m", "roadworthy", *given[:-1], f"{given[-1]}=http://127.0.0.1:9/")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("problem: http://127.0.0.1:9/ does not answer as an index: ")
    assert len(done.stderr.splitlines()) == 2


def test_a_loss_that_is_meant_is_ignored_and_an_entry_for_it_is_not_for_nothing(
    served: PackageIndex, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    build(tmp_path, "0.3.0", f"cp310-abi3-{LINUX}", f"cp310-abi3-{MUSL}")
    found = check([tmp_path / "0.3.0"], against=served.simple)
    meant = (("lost-platform", "win_amd64"), ("lost-interface", "other"), ("no-bomb", "x/y"))
    levels = {each.rule: each.level for each in excuse(found, meant) if each.rule.startswith("lost")}
    assert levels == {"lost-platform": "ignored", "lost-interface": "warning"}
    assert [line for line in capsys.readouterr().err.splitlines() if line.startswith("note")] == [
        'note: "no-bomb: x/y" in [tool.roadworthy] ignore is for nothing that was found here'
    ]


def test_releases_are_compared_by_their_names(served: PackageIndex, tmp_path: Path) -> None:
    where = f"--index={served.simple}"
    done = run(*COMPARE, f"{PROJECT.name}==0.1.0", f"{PROJECT.name}==0.2", where, cwd=tmp_path)
    assert done.returncode == 0
    assert done.stdout.startswith(f"{PROJECT.name} 0.1.0 (files: 1, bytes: ")
    assert "  there is no wheel for win32 any more [lost-platform]\n" in done.stdout
    done = run(*COMPARE, f"{PROJECT.name}==0.1.0", f"{PROJECT.name}==9", where, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"problem: {served.simple} has no {PROJECT.name} 9\n")


def test_a_name_that_an_index_tells_is_no_path(served: PackageIndex, tmp_path: Path) -> None:
    hostile = f"{STEM}-0.2.0-1/../../../x-cp310-abi3-win32.whl"
    served.files[hostile] = b""
    done = run(*COMPARE, f"{PROJECT.name}==0.1.0", f"{PROJECT.name}==0.2", f"--index={served.simple}", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(
        f"problem: {served.simple} serves {hostile!r}, which is no name of a wheel or an sdist"
    )
