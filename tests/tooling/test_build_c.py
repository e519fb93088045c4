"""A crate with C code in it, by zig and in a container: the recipe of docs/publishing.md, carried out in a copy."""

import os
import platform
import re
import sys
from pathlib import Path

import pytest

import project
from helpers import copy_checkout, run
from pythons import search_path
from toolchain import host_triple

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
# Takes the place of docker: the command runs on this machine, with what the container would have, and nothing else.
DOCKER = """#!{python}
import os, sys
words = sys.argv[1:]
if words[0] == "info":
    sys.exit()
options = [word for word in words[1:] if word.startswith("--")]
given = dict(word.removeprefix("--").split("=", 1) for word in options if "=" in word and not word.startswith("--env="))
env = dict(word.removeprefix("--env=").split("=", 1) for word in options if word.startswith("--env="))
rest = words[words.index("an/image:1") + 1 :]
kept = {{"PATH": {path!r}, "RUSTUP_HOME": {rustup!r}}}
os.chdir(given.get("workdir", "/"))
os.execvpe(given["entrypoint"], [given["entrypoint"], *rest], {{**kept, **env}})
"""

pytestmark = pytest.mark.skipif("-linux-gnu" not in host_triple(), reason="the recipe is for Linux's glibc")


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
    commit(folder)
    return folder


def commit(folder: Path) -> None:
    identity = ("-c", "user.name=Test", "-c", "user.email=test@localhost", "-c", "commit.gpgsign=false")
    run("git", "add", "--all", cwd=folder)
    done = run("git", *identity, "commit", "--quiet", "--message=C", cwd=folder)
    assert done.returncode == 0, done.stderr


def build(folder: Path, **variables: str) -> None:
    done = run(sys.executable, "scripts/build.py", cwd=folder, **variables)
    assert done.returncode == 0, done.stderr
    checked = run(sys.executable, "scripts/check_dist.py", "--host", cwd=folder)
    assert checked.returncode == 0, checked.stderr
    for wheel in (folder / "dist").glob("*.whl"):
        unpacked = run(sys.executable, "-m", "zipfile", "--extract", wheel, folder / "target" / wheel.name, cwd=folder)
        assert unpacked.returncode == 0
        (native,) = (folder / "target" / wheel.name / project.import_name()).glob("*.so")
        assert MARK in native.read_bytes()


def test_zig_compiles_c_for_the_oldest_glibc(crate: Path) -> None:
    build(crate)
    assert all("manylinux2014" in path.name for path in (crate / "dist").glob("*.whl"))


def test_a_row_is_switched_to_a_container_by_two_lines(crate: Path, tmp_path: Path) -> None:
    """What is built there is built without zig, so its tag is that of the image's glibc: here, this machine's."""
    workflow = crate / ".github" / "workflows" / project.WORKFLOW
    tag = f"manylinux_{platform.libc_ver()[1].replace('.', '_')}_{platform.machine()}"
    row = re.compile(rf"(          - target: {host_triple()}\n            runner: .*\n)            tag: .*\n")
    text = workflow.read_text(encoding="utf-8")
    assert len(row.findall(text)) == 1
    edited = row.sub(rf"\1            tag: {tag}\n            container: an/image:1\n", text)
    workflow.write_text(edited, encoding="utf-8")
    commit(crate)
    cargo = Path(os.environ.get("CARGO_HOME", Path.home() / ".cargo"))
    home = crate / "target" / "dist" / "container"
    home.mkdir(parents=True, exist_ok=True)
    if (cargo / "config.toml").exists():
        # Where this machine gets its crates from.
        (home / "config.toml").write_bytes((cargo / "config.toml").read_bytes())
    venv = str(Path(sys.executable).parent)
    docker = tmp_path / "docker"
    inside = os.pathsep.join([venv, str(cargo / "bin"), search_path()])
    rustup = os.environ.get("RUSTUP_HOME", str(Path.home() / ".rustup"))
    docker.write_text(DOCKER.format(python=sys.executable, path=inside, rustup=rustup), encoding="utf-8")
    docker.chmod(0o755)
    build(crate, PATH=os.pathsep.join([str(tmp_path), os.environ["PATH"]]))
    assert {path.name.rsplit("-", 1)[1] for path in (crate / "dist").glob("*.whl")} == {f"{tag}.whl"}
