"""A crate with C code in it, by zig, as docs/publishing.md says."""

import sys
from pathlib import Path

import pytest

from helpers import PROJECT, copy_checkout, run, share_compiled
from roadworthy.building.toolchain import host_triple

MARK = b"compiled from C"
BUILD_RS = 'fn main() {\n    cc::Build::new().file("src/mark.c").compile("mark");\n}\n'
MARK_C = 'const char *c_mark(void) { return "compiled from C"; }\n'
USE = """
unsafe extern "C" {
    fn c_mark() -> *const std::ffi::c_char;
}
#[used]
static MARK: unsafe extern "C" fn() -> *const std::ffi::c_char = c_mark;
"""

pytestmark = pytest.mark.skipif("-linux-gnu" not in host_triple(PROJECT), reason="the recipe is for Linux's glibc")


@pytest.fixture(scope="module")
def crate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the checkout whose crate has a C file, which its build script compiles."""
    folder = copy_checkout(tmp_path_factory.mktemp("c") / "checkout")
    (folder / "build.rs").write_text(BUILD_RS, encoding="utf-8")
    (folder / "src" / "mark.c").write_text(MARK_C, encoding="utf-8")
    for name, more in {"Cargo.toml": '\n[build-dependencies]\ncc = "1"\n', "src/lib.rs": USE}.items():
        (folder / name).write_text((folder / name).read_text(encoding="utf-8") + more, encoding="utf-8")
    locked = run("cargo", "metadata", "--format-version=1", "--quiet", cwd=folder)
    assert locked.returncode == 0, locked.stderr
    identity = ("-c", "user.name=Test", "-c", "user.email=test@localhost", "-c", "commit.gpgsign=false")
    run("git", "add", "--all", cwd=folder)
    done = run("git", *identity, "commit", "--quiet", "--message=C", cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.usefixtures("dist")
def test_zig_compiles_c_for_the_oldest_glibc(crate: Path) -> None:
    share_compiled(crate)
    done = run(sys.executable, "scripts/build.py", cwd=crate)
    assert done.returncode == 0, done.stderr
    checked = run(sys.executable, "-m", "roadworthy", "check", "--host", cwd=crate)
    assert checked.returncode == 0, checked.stderr
    for wheel in (crate / "dist").glob("*.whl"):
        unpacked = run(sys.executable, "-m", "zipfile", "--extract", wheel, crate / "target" / wheel.name, cwd=crate)
        assert unpacked.returncode == 0
        (native,) = (crate / "target" / wheel.name / PROJECT.import_name).glob("*.so")
        assert MARK in native.read_bytes()
    assert all("manylinux2014" in path.name for path in (crate / "dist").glob("*.whl"))
