import base64
import re
import runpy
import shutil
import socketserver
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest
import tomli
from filelock import FileLock

from broken import Files, make_wheel, repack_sdist, repack_wheel
from helpers import PROJECT, copy_checkout, run, rustup_home
from roadworthy.index import Index
from roadworthy.processes import find_uv
from roadworthy.pythons import Python
from roadworthy.sums import sha256, write_sums
from roadworthy.terminal import Problem, ProblemsError
from roadworthy.verifying.artefacts import Artefacts, Source
from roadworthy.verifying.environment import Environment, cache_folder, own_variables, without_network
from roadworthy.verifying.jobs import Job, published_source, run_jobs

INIT, NATIVE = f"{PROJECT.import_name}/__init__.py", f"{PROJECT.import_name}/_core.abi3.so"
THIS = Python(sys.version_info[:3], free_threaded=False, path=Path(sys.executable).resolve())
SCRIPT = PROJECT.root / "scripts" / "verify_install.py"
# The page's ways of installing, and what it proves.
PAGE = SimpleNamespace(**runpy.run_path(str(SCRIPT)))


@pytest.fixture
def wheelhouse(tmp_path: Path, sdist: Path) -> Path:
    """Return a folder with the good sdist; each test adds its wheel."""
    folder = tmp_path / "wheelhouse"
    folder.mkdir()
    shutil.copy(sdist, folder)
    return folder


def built(folder: Path, wheelhouse: Path) -> Path:
    """Make a folder as a build leaves it, with the artefacts of another one."""
    shutil.copytree(wheelhouse, folder / "dist")
    write_sums(folder / "SHA256SUMS", folder / "dist")
    return folder


def verify(folder: Path, steps: Callable[[Environment, Source], str] = PAGE.wheel) -> Job:
    """Do one of verify's jobs, on the Python of these tests, with what is in a folder."""
    source = Source(PROJECT, Artefacts.read(PROJECT, folder, PROJECT.version, None, folder.parent / "sdist"))
    return Job(THIS, "wheel", steps, source).run(folder.parent / "job")


def sdist_job(environment: Environment, source: Source) -> str:
    """Do as the page does; what the crates of an sdist become is compiled once for all tests."""
    shared = PROJECT.target / "test-sdist"
    shared.mkdir(exist_ok=True)
    (environment.folder / "cargo").symlink_to(shared)
    with FileLock(f"{shared}.lock"):
        return str(PAGE.sdist(environment, source))


def said(job: Job) -> str:
    return "\n".join(one.what for one in job.problems)


# What a user's home can say to the tools.
HOME = {
    "uv/uv.toml": "no-binary = true\nno-build = true\n",
    "pip/pip.conf": "[global]\nno-binary = :all:\ntarget = /\n",
    "config.toml": "[build]\nrustflags = ['--no-such-flag']\nrustc-wrapper = 'no-such-program'\n",
    ".pydistutils.cfg": "[install]\nprefix = /\n",
}


def test_a_good_release_is_verified_on_this_python(dist: Path, tmp_path: Path) -> None:
    there = tmp_path / "built"
    where = (f"--from={built(there, dist)}", "--python", THIS.path)
    done = run(sys.executable, SCRIPT, *where)
    assert done.returncode == 0, done.stderr
    rows = [line.split() for line in done.stdout.splitlines()[1:]]
    assert [row[0] for row in rows] == [str(THIS)] * 4
    by_pip = [" ".join(row[1:-2]) for row in rows if row[-2] == "installed"]
    assert by_pip == ["wheel, by its own pip", "wheel, by the newest pip"]
    assert sum("passed" in row for row in rows) == 2


def test_a_missing_native_module_is_found_although_the_checkout_has_one(wheelhouse: Path, wheel: Path) -> None:
    assert list((PROJECT.root / "python").rglob("_core.*.so"))
    repack_wheel(wheel, wheelhouse, lambda files: files.pop(NATIVE))
    job = verify(wheelhouse)
    assert "the installation holds 0 files of the native module" in said(job)
    assert "ModuleNotFoundError: No module named 'ferrous_wheel._core'" in said(job)


def test_a_wheel_for_another_platform_is_not_replaced_by_a_build_of_the_sdist(wheelhouse: Path, wheel: Path) -> None:
    name = f"{wheel.name.rsplit('-', 1)[0]}-manylinux_2_99_x86_64.whl"

    def retag(files: Files) -> None:
        (file,) = (file for file in files if file.endswith("/WHEEL"))
        files[file] = files[file].split(b"Tag:")[0] + b"Tag: cp310-abi3-manylinux_2_99_x86_64\n"

    repack_wheel(wheel, wheelhouse, retag, name)
    by_uv = verify(wheelhouse)
    assert said(by_uv) == f"none of the wheels can be installed here: {name}"
    shutil.rmtree(wheelhouse.parent / "job")
    shutil.rmtree(wheelhouse.parent / "sdist")
    by_pip = verify(wheelhouse, partial(PAGE.wheel_with_pip, own=False))
    assert said(by_pip) == f"pip can install none of the wheels: {name}"
    assert "No matching distribution found" in by_pip.problems[0].said


def test_another_version_in_the_folder_is_refused(wheelhouse: Path, wheel: Path) -> None:
    shutil.copy(wheel, wheelhouse)
    shutil.copy(wheel, wheelhouse / wheel.name.replace(str(PROJECT.version), "9.9.9"))
    with pytest.raises(ProblemsError, match=r"9\.9\.9, and ferrous-wheel .* is to be verified"):
        verify(wheelhouse)


def test_a_wheel_whose_metadata_says_another_version_is_refused(wheelhouse: Path, wheel: Path) -> None:
    def change(files: Files) -> None:
        for file in [file for file in files if ".dist-info/" in file]:
            content = files.pop(file).replace(b"\nVersion: ", b"\nVersion: 9.")
            files[file] = content

    repack_wheel(wheel, wheelhouse, change)
    assert verify(wheelhouse).problems


@pytest.mark.parametrize(
    "stale", ["ferrous_wheel/old.py", "ferrous_wheel/_old.cpython-310-x86_64-linux-gnu.so", "other.py"]
)
def test_a_stale_file_in_the_wheel_is_named(wheelhouse: Path, wheel: Path, stale: str) -> None:
    repack_wheel(wheel, wheelhouse, lambda files: files.update({stale: b""}))
    assert said(verify(wheelhouse)) == f"the installation holds {stale}, which is not in the source"


def test_a_second_native_module_is_not_taken_for_the_first(wheelhouse: Path, wheel: Path) -> None:
    stale = "ferrous_wheel/_core.cpython-39-x86_64-linux-gnu.so"
    repack_wheel(wheel, wheelhouse, lambda files: files.update({stale: b""}))
    assert "holds 2 files of the native module" in said(verify(wheelhouse))


def test_a_missing_file_is_named(wheelhouse: Path, wheel: Path) -> None:
    repack_wheel(wheel, wheelhouse, lambda files: files.pop("ferrous_wheel/py.typed"))
    assert said(verify(wheelhouse)) == "the installation lacks ferrous_wheel/py.typed"


def test_a_module_that_raises_at_import_is_told_with_what_it_raises(wheelhouse: Path, wheel: Path) -> None:
    say_first("raise SystemExit('not today')", wheel, wheelhouse)
    assert said(verify(wheelhouse)) == "import ferrous_wheel fails: SystemExit: not today"


def change_source(folder: Path, change: Callable[[Files], object]) -> None:
    """Change the sdist in a folder; the names are those inside its one folder."""
    (path,) = folder.glob("*.tar.gz")
    top = path.name.removesuffix(".tar.gz")

    def within(files: Files) -> None:
        inside = {name.removeprefix(f"{top}/"): content for name, content in files.items()}
        change(inside)
        files.clear()
        files.update({f"{top}/{name}": content for name, content in inside.items()})

    repack_sdist(path, folder, within)


def say_first(code: str, wheel: Path, folder: Path) -> None:
    """Put a copy of a wheel into a folder whose package does something before anything else, as its sdist's does."""

    def change(files: Files) -> None:
        (file,) = (name for name in (INIT, f"python/{INIT}") if name in files)
        files[file] = f"{code}\n".encode() + files[file]

    repack_wheel(wheel, folder, change)
    change_source(folder, change)


@pytest.mark.parametrize(
    "code",
    [
        "print('banner'); print('{\"version\": \"9.9.9\"}')",
        "import os; os.write(1, b'\\xff\\0'); os.write(2, b'object \\'x.so\\' from LD_PRELOAD cannot be preloaded')",
        "import atexit; atexit.register(print, '1 passed in 0.00s')",
    ],
    ids=["print", "bytes", "at exit"],
)
def test_what_a_package_prints_is_read_by_nobody(wheelhouse: Path, wheel: Path, code: str) -> None:
    say_first(code, wheel, wheelhouse)
    # They read the package's docstring, which is no longer the first thing in it, and wait for a first line.
    change_source(wheelhouse, lambda files: [files.pop(f"tests/{name}.py") for name in ("test_docs", "test_threads")])
    job = verify(wheelhouse)
    assert said(job) == ""
    assert re.fullmatch(r"\d\d+ passed in \d+\.\d\ds", job.result)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("import sys; print('banner'); sys.stdout.close(); sys.stderr.close()", ""),
        ("import os; os.close(1); os.close(2)", ""),
        ("import sys; sys.stdout = sys.stderr = None", ""),
        ("import os; os._exit(0)", "import ferrous_wheel fails: it ended the interpreter"),
        ("import os; os.abort()", "import ferrous_wheel fails: it ended the interpreter"),
    ],
    ids=["close", "close the files", "none", "exit", "abort"],
)
def test_what_a_package_does_to_its_interpreter_is_one_line_at_most(
    wheelhouse: Path, wheel: Path, code: str, expected: str
) -> None:
    say_first(code, wheel, wheelhouse)
    job = verify(wheelhouse, partial(PAGE.wheel_with_pip, own=False))
    assert said(job) == expected
    assert job.result == ("" if expected else "installed")


def test_tests_that_leave_no_report_are_a_failure(wheelhouse: Path, wheel: Path) -> None:
    say_first("import os, sys\nif 'pytest' in sys.modules:\n    os._exit(0)", wheel, wheelhouse)
    job = verify(wheelhouse)
    assert said(job) == "none of the package's tests was collected"


# ---- what the package requires --------------------------------------------------------------------------------------

REQUIRES = [
    "Requires-Dist: Frob.Dep[more]<2,>=1; python_version >= '3.8'",
    "Requires-Dist: no-such-package-1; python_version < '3'",
    "Requires-Dist: other-dep<2; extra == 'dev'",
    "Provides-Extra: dev",
]
USES = b"\nimport frob_dep, other_dep\n"


@pytest.fixture
def ordinary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder in which this machine's uv looks as well, with two packages."""
    folder = tmp_path / "ordinary"
    more = ("Provides-Extra: more", "Requires-Dist: other-dep; extra == 'more'")
    # One shares the package's folder, as a plugin or a namespace does.
    make_wheel(folder, "frob_dep", "1.5", {"frob_dep.py": b"", f"{PROJECT.import_name}/plugin.py": b""}, *more)
    make_wheel(folder, "other_dep", "1.0", {"other_dep/__init__.py": b"", "sitecustomize.py": b""})
    monkeypatch.setenv("UV_FIND_LINKS", str(folder))
    return folder


def require(wheel: Path, folder: Path, *fields: str, uses: bytes = USES) -> None:
    """Put a copy of a wheel into a folder that requires something, and imports it, as its sdist says."""
    lines = "".join(f"{field}\n" for field in fields).encode()

    def change(files: Files) -> None:
        (metadata,) = (file for file in files if file == "PKG-INFO" or file.endswith("/METADATA"))
        files[metadata] = lines + files[metadata]
        (file,) = (name for name in (INIT, f"python/{INIT}") if name in files)
        files[file] += uses

    repack_wheel(wheel, folder, change)
    change_source(folder, change)


@pytest.mark.parametrize(
    "steps",
    [
        PAGE.wheel,
        partial(PAGE.wheel_with_pip, own=True),
        partial(PAGE.wheel_with_pip, own=False),
    ],
    ids=["uv", "its own pip", "the newest pip"],
)
@pytest.mark.usefixtures("ordinary")
def test_what_a_wheel_requires_is_installed_from_elsewhere(
    wheelhouse: Path, wheel: Path, steps: Callable[[Environment, Source], str]
) -> None:
    require(wheel, wheelhouse, *REQUIRES)
    job = verify(wheelhouse, steps)
    assert job.problems == []
    (site,) = (wheelhouse.parent / "job" / "env").glob("lib/python*/site-packages")
    assert (site / "frob_dep.py").exists()


@pytest.mark.usefixtures("ordinary")
def test_what_an_sdist_requires_is_installed_from_elsewhere(wheelhouse: Path, wheel: Path) -> None:
    shutil.copy(wheel, wheelhouse)

    def change(files: Files) -> None:
        line = b"[project]\ndependencies = ['frob-dep[more]>=1']\n"
        files["pyproject.toml"] = files["pyproject.toml"].replace(b"[project]\n", line, 1)
        files["PKG-INFO"] = b"Requires-Dist: frob-dep[more]>=1\n" + files["PKG-INFO"]
        files[f"python/{INIT}"] += USES

    change_source(wheelhouse, change)
    job = verify(wheelhouse, sdist_job)
    assert job.problems == []
    assert "passed" in job.result


@pytest.mark.usefixtures("ordinary")
def test_what_a_published_wheel_requires_need_not_be_on_its_index(
    wheelhouse: Path, wheel: Path, tmp_path: Path
) -> None:
    require(wheel, wheelhouse, *REQUIRES)
    with served(FakeIndex(tmp_path / "index"), wheelhouse) as url:
        source = published_source(PROJECT, PROJECT.version, Index(url), None, tmp_path)
        job = Job(THIS, "wheel", PAGE.wheel, source).run(tmp_path / "job")
    assert said(job) == ""


def test_a_requirement_that_cannot_be_installed_is_named(
    wheelhouse: Path, wheel: Path, sdist: Path, ordinary: Path
) -> None:
    require(wheel, wheelhouse, *REQUIRES, "Requires-Dist: other-dep==7")
    assert said(verify(wheelhouse)) == f"{wheel.name} requires other-dep==7, which cannot be installed"
    make_wheel(ordinary, "third_dep", "1.0", {}, "Requires-Dist: other-dep<1")
    make_wheel(ordinary, "other_dep", "0.5", {})
    require(wheel, wheelhouse, "Requires-Dist: third-dep", "Requires-Dist: other-dep>=1")
    for folder in ("job", "sdist"):
        shutil.rmtree(wheelhouse.parent / folder)
    shutil.copy(sdist, wheelhouse)
    expected = f"{wheel.name} requires what cannot be installed together: third-dep, other-dep>=1"
    assert said(verify(wheelhouse)) == expected


@pytest.mark.usefixtures("ordinary")
def test_a_dependency_that_replaces_a_file_of_the_package_is_found(
    wheelhouse: Path, wheel: Path, ordinary: Path
) -> None:
    make_wheel(ordinary, "rude_dep", "1.0", {"ferrous_wheel/py.typed": b"rude"})
    require(wheel, wheelhouse, "Requires-Dist: rude-dep", uses=b"")
    assert f"ferrous_wheel/py.typed: installed is not what {wheel.name} holds" in said(verify(wheelhouse))


def test_a_native_module_that_cannot_be_loaded_is_told(wheelhouse: Path, wheel: Path) -> None:
    repack_wheel(wheel, wheelhouse, lambda files: files.update({NATIVE: b"not a library"}))
    assert said(verify(wheelhouse)).startswith("import ferrous_wheel fails: ImportError: ")


def test_a_debug_build_is_refused(wheelhouse: Path, wheel: Path) -> None:
    (developed,) = (PROJECT.root / "python").rglob("_core.abi3.so")
    repack_wheel(wheel, wheelhouse, lambda files: files.update({NATIVE: developed.read_bytes()}))
    assert said(verify(wheelhouse)) == "the native module is a debug build, not a release build"


def test_a_failing_test_of_the_package_is_a_failure(tmp_path: Path, wheel: Path, sdist: Path) -> None:
    folder = tmp_path / "wheelhouse"
    folder.mkdir()
    shutil.copy(wheel, folder)
    test = f"{sdist.name.removesuffix('.tar.gz')}/tests/test_values.py"
    repack_sdist(sdist, folder, lambda files: files.update({test: b"def test_x() -> None:\n    assert 1 == 2\n"}))
    job = verify(folder)
    assert said(job) == "the package's tests failed"
    assert "assert 1 == 2" in job.problems[0].said


def test_what_is_wrong_in_several_environments_is_said_once(tmp_path: Path, dist: Path) -> None:
    def fail(environment: Environment, _: Source) -> str:
        found = [Problem("it lacks a leg", "give it one")]
        found += [Problem("it limps", "rest")] if environment.folder.name == "1" else []
        raise ProblemsError(found)

    source = Source(PROJECT, Artefacts.read(PROJECT, dist, PROJECT.version, None, tmp_path / "sdist"))
    planned = [Job(THIS, artefact, fail, source) for artefact in ("sdist", "wheel")]
    with pytest.raises(ProblemsError) as raised:
        run_jobs(planned, tmp_path)
    assert [one.what for one in raised.value.problems] == ["everywhere: it lacks a leg", f"{planned[1]}: it limps"]


def test_a_file_changed_after_the_build_is_found_by_its_hash(wheelhouse: Path, wheel: Path) -> None:
    repack_wheel(wheel, wheelhouse, lambda files: files.update({"ferrous_wheel/py.typed": b"#"}))
    there = built(wheelhouse.parent / "built", wheelhouse)
    shutil.copy(PROJECT.sums, there)
    refused = run(sys.executable, SCRIPT, f"--from={there}", "--python", THIS.path)
    assert refused.returncode == 1
    assert f"{wheel.name} has the SHA-256 " in refused.stderr
    assert "these are not the bytes that were built; do not use them" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_what_is_installed_must_be_what_the_wheel_holds(wheelhouse: Path, wheel: Path) -> None:
    def tamper(environment: Environment, source: Source) -> str:
        environment.create()
        environment.install_wheel(source)
        (installed,) = environment.folder.rglob("site-packages/ferrous_wheel/py.typed")
        installed.unlink()
        installed.write_text("changed", encoding="utf-8")
        PAGE.prove(environment, source)
        return "never"

    shutil.copy(wheel, wheelhouse)
    assert said(verify(wheelhouse, tamper)).startswith("ferrous_wheel/py.typed: installed is not what ")


@pytest.mark.usefixtures("dist")
def test_an_owners_own_proof_is_asked_as_all_others_are(tmp_path: Path) -> None:
    """It is written on the page, and nowhere else."""
    own = copy_checkout(tmp_path / "own")
    page, there = own / "scripts" / "verify_install.py", tmp_path / "built"
    proof = """\
def no_stub(installed: proofs.Installation) -> Iterator[proofs.Problem]:
    for file in sorted(installed.package):
        if file.endswith(".pyi"):
            yield proofs.Problem(f"there is {file}", "leave it out")


PROOFS = (
    no_stub,
"""
    text = page.read_text(encoding="utf-8")
    # Only what a pip installs: the other jobs would say the same, and take longer.
    text = text.replace('Job(with_gil[0], "sdist", sdist, source)', 'Job(with_gil[0], "wheel", wheel, source)')
    page.write_text(text.replace("PROOFS = (\n", proof), encoding="utf-8")
    refused = run(sys.executable, page, f"--from={built(there, PROJECT.dist)}", f"--python={THIS.path}", cwd=own)
    assert refused.returncode == 1
    assert f"everywhere: there is {PROJECT.import_name}/_core.pyi\n  leave it out\n" in refused.stderr


@pytest.mark.parametrize("steps", [PAGE.wheel, sdist_job], ids=["wheel", "sdist"])
def test_a_hostile_environment_changes_nothing(
    wheelhouse: Path,
    wheel: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    steps: Callable[[Environment, Source], str],
) -> None:
    # What is no folder of the user's alone stays where it is.
    kept = {"UV_CACHE_DIR": cache_folder(), "RUSTUP_HOME": rustup_home()}
    hostile, home = tmp_path / "hostile", tmp_path / "home"
    for file, text in HOME.items():
        (home / file).parent.mkdir(parents=True, exist_ok=True)
        (home / file).write_text(text, encoding="utf-8")
    (hostile / PROJECT.import_name).mkdir(parents=True)
    marker = tmp_path / "was-here"
    (hostile / "sitecustomize.py").write_text(f"open({str(marker)!r}, 'w')", encoding="utf-8")
    (hostile / PROJECT.import_name / "__init__.py").write_text("raise SystemExit('shadowed')", encoding="utf-8")
    for name, value in {
        "PYTHONPATH": str(hostile),
        "PYTHONSTARTUP": str(hostile / "sitecustomize.py"),
        "PYTHONHOME": str(hostile),
        "PIP_NO_BINARY": ":all:",
        "PIP_TARGET": str(hostile),
        "UV_NO_BINARY": "1",
        "UV_CONSTRAINT": str(hostile / "no-such-file"),
        "UV_FIND_LINKS": str(hostile),
        "PYTEST_ADDOPTS": "--collect-only",
        "PYTEST_PLUGINS": "no_such_plugin",
        "RUSTFLAGS": "--no-such-flag",
        "CARGO_ENCODED_RUSTFLAGS": "--no-such-flag",
        "CARGO_BUILD_TARGET": "no-such-target",
        "CARGO_PROFILE_RELEASE_LTO": "no-such-value",
        "RUSTC_WRAPPER": "no-such-program",
        "MATURIN_PEP517_ARGS": "--no-such-option",
        "PYO3_PYTHON": "no-such-python",
        "CC": "no-such-compiler",
        **{variable: str(home) for variable in ("HOME", "XDG_CONFIG_HOME", "CARGO_HOME")},
        **kept,
    }.items():
        monkeypatch.setenv(name, value)
    shutil.copy(wheel, wheelhouse)
    job = verify(wheelhouse, steps)
    assert said(job) == ""
    assert "passed" in job.result
    assert not marker.exists()


PRINTS = """\
import os
from pathlib import Path


def test_it() -> None:
    print(dict(os.environ), [each.read_bytes() for each in Path.home().rglob("*") if each.is_file()])
    raise AssertionError
"""
BUILD = """\
fn main() {
    panic!("{:?}", std::env::vars());
}
"""


ASKS = """\
fn main() {
    println!("cargo::rerun-if-env-changed=ANYTHING");
    assert!(std::net::TcpStream::connect("127.0.0.1:%s").is_err(), "there is a network");
}
"""


@pytest.mark.skipif(without_network()[1] != {}, reason="this system has no namespaces")
def test_the_build_of_an_sdist_has_no_network(wheelhouse: Path, wheel: Path) -> None:
    shutil.copy(wheel, wheelhouse)
    with socketserver.TCPServer(("127.0.0.1", 0), socketserver.BaseRequestHandler) as server:
        asks = ASKS % server.server_address[1]
        change_source(wheelhouse, lambda files: files.update({"build.rs": asks.encode()}))
        job = verify(wheelhouse, sdist_job)
    assert job.problems == []
    assert job.result.endswith("built in a namespace without network")


def test_where_no_namespace_is_to_be_had_proxies_lead_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in = tmp_path / "unshare"
    stand_in.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    stand_in.chmod(0o755)
    for path in (str(tmp_path), str(tmp_path / "none")):
        monkeypatch.setenv("PATH", path)
        before, variables, how = without_network.__wrapped__()
        assert (before, how) == ([], "with proxies to nowhere")
        assert set(variables.values()) == {"http://127.0.0.1:9"}


@pytest.mark.parametrize("what", ["tests", "build"])
def test_whoever_prints_its_environment_prints_no_token(
    wheelhouse: Path, wheel: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    for variable in ("GH_TOKEN", "UV_PUBLISH_TOKEN", "AWS_SECRET_ACCESS_KEY", "CARGO_REGISTRY_TOKEN", "ANYTHING"):
        monkeypatch.setenv(variable, "secret-word")
    monkeypatch.setenv("UV_INDEX_OURS_PASSWORD", "secret-word")
    monkeypatch.setenv("NO_PROXY", "https://somebody:secret-word@127.0.0.1")
    settings = wheelhouse.parent / "uv.toml"
    settings.write_text("extra-index-url = ['file:///secret-word']\nfind-links = []\nno-binary = true\n", "utf-8")
    monkeypatch.setenv("UV_CONFIG_FILE", str(settings))
    monkeypatch.setenv("UV_EXTRA_INDEX_URL", "")
    shutil.copy(wheel, wheelhouse)
    file, text = {"tests": ("tests/test_values.py", PRINTS), "build": ("build.rs", BUILD)}[what]
    change_source(wheelhouse, lambda files: files.update({file: text.encode()}))
    job = verify(wheelhouse, PAGE.wheel if what == "tests" else sdist_job)
    assert (
        said(job) == {"tests": "the package's tests failed", "build": "the sdist cannot be installed from source"}[what]
    )
    assert "PATH" in job.problems[0].said
    assert "secret" not in job.problems[0].said


def test_where_packages_come_from_is_taken_from_uv_s_own_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("UV_CONFIG_FILE", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    (tmp_path / "uv").mkdir()
    text = (
        'find-links = ["é"]\nno-binary = true\n[[index]]\nname = "x"\nurl = "https://127.0.0.1/"\ndefault = true\n'
        '[pip]\nindex-strategy = "first-index"\nno-deps = true\n'
    )
    (tmp_path / "uv" / "uv.toml").write_text(text, encoding="utf-8")
    given = own_variables(tmp_path / "home", fetches=True)
    assert tomli.loads(Path(given["UV_CONFIG_FILE"]).read_text(encoding="utf-8")) == {
        "index-strategy": "first-index",
        "find-links": ["é"],
        "index": [{"name": "x", "url": "https://127.0.0.1/", "default": True}],
    }
    asked = run(find_uv(), "pip", "list", "--python", sys.executable, cwd=tmp_path, **given)
    assert asked.returncode == 0, asked.stderr
    assert "UV_CONFIG_FILE" not in own_variables(tmp_path / "home")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 truncated", b"text"], ids=["empty", "truncated", "text"])
def test_a_file_that_is_no_wheel_is_a_failure_without_a_traceback(
    wheelhouse: Path, wheel: Path, content: bytes
) -> None:
    (wheelhouse / wheel.name).write_bytes(content)
    there = built(wheelhouse.parent / "built", wheelhouse)
    refused = run(sys.executable, SCRIPT, f"--from={there}", "--python", THIS.path)
    assert refused.returncode == 1
    assert "Traceback" not in refused.stderr


def test_what_is_not_built_is_built_by_that_checkouts_own_page_and_engine(tmp_path: Path) -> None:
    own = copy_checkout(tmp_path / "own")
    (own / "scripts" / "build.py").write_text("import roadworthy\nraise SystemExit(roadworthy.__file__)\n", "utf-8")
    refused = run(sys.executable, "scripts/verify_install.py", cwd=own, PYTHONPATH=str(PROJECT.root / "roadworthy/src"))
    assert refused.returncode == 1
    assert f"{own / 'roadworthy' / 'src' / 'roadworthy' / '__init__.py'}\n" in refused.stderr
    assert "problem: scripts/build.py could not build dist/\n" in refused.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--python", "3.99"], 1, "CPython 3.99 is not on this machine; install it, or choose one of: "),
        (["--python", "python3.12 -c"], 1, "is neither a version such as 3.12 or 3.14t nor a CPython's path"),
        (["--from=no-such-folder"], 1, "no-such-folder/dist is no folder"),
        (
            ["--wheels=sparc@an/image"],
            1,
            "no wheels are built for sparc\n  the targets are: x86_64-unknown-linux-gnu, ",
        ),
        (["--version=1.0", "--index=http://127.0.0.1:9/", "--wheels=sparc"], 1, "no wheels are built for sparc\n"),
        (["--version", "latest"], 1, "VERSION=latest is no version"),
        (["--version", "1.0", "--index", "example"], 1, "INDEX=example is no index"),
        (["--index", "testpypi"], 2, "INDEX needs VERSION"),
        (["--sums", "SHA256SUMS"], 2, "SUMS needs VERSION"),
        (["--version", "1.0", "--from=."], 2, "FROM and VERSION exclude each other"),
        (["--keep=2"], 2, "'2' is not 1, its only value"),
        (["dist"], 2, "unrecognized arguments: dist"),
        (["--pyton=3.12"], 2, "unrecognized arguments"),
    ],
)
def test_bad_input_gets_a_clear_line(arguments: list[str], code: int, words: str) -> None:
    refused = run(sys.executable, SCRIPT, *arguments)
    assert refused.returncode == code
    assert words in refused.stderr
    assert "Traceback" not in refused.stderr
    assert refused.stdout == ""


def test_no_python_at_all_is_an_error(tmp_path: Path) -> None:
    refused = run(
        sys.executable, SCRIPT, PATH=str(tmp_path), PYENV_ROOT=str(tmp_path), UV_PYTHON_INSTALL_DIR=str(tmp_path)
    )
    assert refused.returncode == 1
    assert "there is no CPython >=3.10 on this machine" in refused.stderr


@dataclass
class FakeIndex:
    """A simple index that answers the first `late` requests for a page with `code`, and may want a password."""

    folder: Path
    late: int = 0
    code: int = 404
    password: str = ""
    asked: list[str] = field(default_factory=list)

    def handler(self, *arguments: object) -> SimpleHTTPRequestHandler:
        """Return a handler for one request."""
        state = self

        class Handler(SimpleHTTPRequestHandler):
            def do_GET(self) -> None:
                state.asked.append(self.path)
                token = base64.b64encode(f"somebody:{state.password}".encode()).decode()
                if state.password and self.headers["Authorization"] != f"Basic {token}":
                    self.send_response(401)
                    self.send_header("WWW-Authenticate", 'Basic realm="x"')
                    self.end_headers()
                    return
                if self.path.startswith("/simple/") and state.late > 0:
                    state.late -= 1
                    self.send_error(state.code)
                else:
                    super().do_GET()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        return Handler(*arguments, directory=str(self.folder))  # type: ignore[arg-type]


@contextmanager
def served(fake: FakeIndex, dist: Path) -> Iterator[str]:
    """Serve the artefacts as a static simple index (PEP 503) on loopback."""
    page = fake.folder / "simple" / "ferrous-wheel"
    page.mkdir(parents=True)
    links = "".join(
        f'<a href="../../files/{path.name}#sha256={sha256(path.read_bytes())}">{path.name}</a>\n'
        for path in dist.iterdir()
    )
    (page / "index.html").write_text(f"<!DOCTYPE html><html><body>{links}</body></html>", encoding="utf-8")
    shutil.copytree(dist, fake.folder / "files")
    with ThreadingHTTPServer(("127.0.0.1", 0), fake.handler) as server:
        assert isinstance(server, socketserver.TCPServer)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/simple/"
        server.shutdown()


def test_a_release_on_an_index_is_waited_for_and_verified(
    dist: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fake = FakeIndex(tmp_path / "index", late=2)
    with served(fake, dist) as url:
        source = published_source(PROJECT, PROJECT.version, Index(url), PROJECT.sums, tmp_path)
        # What uv asks is late as well: another server may answer it.
        fake.late = 1
        job = Job(THIS, "wheel", PAGE.wheel, source).run(tmp_path / "job")
    assert said(job) == ""
    assert "passed" in job.result
    waited = capsys.readouterr().err
    assert waited.count("is not on http://127.0.0.1") == 2
    assert "cannot be installed yet; asking again in 1 s" in waited


def test_a_password_of_an_index_reaches_it_and_no_command_line(dist: Path, tmp_path: Path) -> None:
    """Whoever is on this machine may read command lines (ps)."""
    started: list[str] = []

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        if event == "subprocess.Popen":
            started.append(str(arguments[1]))

    sys.addaudithook(watch)
    fake = FakeIndex(tmp_path / "index", password="secret-word")  # noqa: S106 - of this test
    with served(fake, dist) as url:
        index = Index(url.replace("://", "://somebody:secret-word@"))
        source = published_source(PROJECT, PROJECT.version, index, PROJECT.sums, tmp_path)
        for number, by in enumerate(({}, {"with_pip": True, "own": False})):
            environment = Environment(PROJECT, THIS, tmp_path / str(number))
            environment.create()
            environment.install_wheel(source, **by)
            assert environment.read_installed("METADATA")
    assert any("--only-binary" in words for words in started)
    assert [words for words in started if "secret" in words] == []


def test_other_bytes_on_an_index_are_refused(dist: Path, wheel: Path, tmp_path: Path) -> None:
    fake = FakeIndex(tmp_path)
    other = tmp_path / "other"
    shutil.copytree(dist, other)
    repack_wheel(wheel, other, lambda _: None)
    with served(fake, other) as url:
        version = ("--version", PROJECT.version, "--sums", PROJECT.root / "SHA256SUMS")
        refused = run(
            *(sys.executable, SCRIPT, *version, "--python", THIS.path),
            GITHUB_STEP_SUMMARY=str(tmp_path / "summary"),
            UV_PUBLISH_URL=url.replace("/simple/", "/legacy/"),
        )
    assert refused.returncode == 1
    assert "### What to do\n" in (tmp_path / "summary").read_text(encoding="utf-8")
    assert "these are not the bytes that were built; do not use them" in refused.stderr


def test_a_file_that_is_not_what_the_index_says_is_refused(dist: Path, wheel: Path, tmp_path: Path) -> None:
    with served(FakeIndex(tmp_path), dist) as url:
        repack_wheel(wheel, tmp_path / "files", lambda _: None)
        refused = run(sys.executable, SCRIPT, "--version", PROJECT.version, "--index", url, "--python", THIS.path)
    assert refused.returncode == 1
    assert "does not answer as an index: " in refused.stderr
    assert "Traceback" not in refused.stderr


def test_an_index_that_fails_is_not_asked_again_and_again(dist: Path, tmp_path: Path) -> None:
    fake = FakeIndex(tmp_path, late=1_000, code=500)
    with served(fake, dist) as url:
        refused = run(sys.executable, SCRIPT, "--version", PROJECT.version, "--index", url, "--python", THIS.path)
    assert refused.returncode == 1
    assert "does not answer as an index" in refused.stderr
    assert "asking again" not in refused.stderr
