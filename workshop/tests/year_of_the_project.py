"""What owners change around the package: Pythons, platforms, licences, the repository, their own rules."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import tomlkit

from helpers import PROJECT, run
from releases import Place, environment
from roadworthy.project import Project
from year import Change

WORKFLOW = PROJECT.workflow_path
BUILT = ("lint", "build", "check-dist")
PLAN = "release VERSION=0.1.0 DRY_RUN=1"
NEXT = "release VERSION=0.2.0 DRY_RUN=1"
UNPROVEN = Path(__file__).with_name("release_unproven.py")


def edit(name: str, *replacements: tuple[str, str]) -> Callable[[Place], None]:
    """Return what replaces patterns that are there in a file."""

    def step(place: Place) -> None:
        text = place.read(name)
        for pattern, new in replacements:
            text, count = re.subn(pattern, new, text, flags=re.MULTILINE)
            assert count, pattern
        place.write(name, text)

    return step


def project(**values: Any) -> dict[str, Any]:  # noqa: ANN401 - whatever TOML holds
    """Return an edit of the table [project], whose keys have dashes."""
    return {"project": {key.replace("_", "-"): value for key, value in values.items()}}


def classifiers(*without: str) -> list[str]:
    """Return the classifiers of a copy but for those that end so."""
    return [text for text in PROJECT.pyproject["project"]["classifiers"] if not text.endswith(without)]


# ---- Pythons and platforms ------------------------------------------------------------------------------------------


def raise_oldest(minor: int, *targets: str) -> Change:
    """Return the change that makes a newer Python the oldest one, as it is documented."""
    gone = [f"3.{each}" for each in range(PROJECT.minors[0], minor)]
    older = "|".join(map(re.escape, gone))
    return Change(
        f"the oldest Python is 3.{minor}",
        project={
            **project(requires_python=f">=3.{minor}", classifiers=classifiers(*(f":: {each}" for each in gone))),
            "tool": {"mypy": {"python_version": f"3.{minor}"}},
        },
        crate={"features": {"abi3": [f"pyo3/abi3-py3{minor}"]}},
        step=edit(
            WORKFLOW,
            (rf'^ +- {{ runner: ubuntu-24.04, python: "(?:{older})" }}\n', ""),
            (rf'python: "(?:{older})"', f'python: "3.{minor}"'),
            (rf"^( +)(?:{older})$", rf"\g<1>3.{minor}"),
        ),
        targets=targets,
    )


def row(first: str) -> str:
    """Return a pattern of a row of a matrix, by its first line."""
    return rf"^          - {re.escape(first)}\n(?:            .*\n)*"


def outgrow(place: Place) -> None:
    """Make .venv, and then ask for a newer Python than it has."""
    run("make", "setup", cwd=place.checkout).check_returncode()
    edit("pyproject.toml", (r'^requires-python = ">=3\.10"', 'requires-python = ">=3.14"'))(place)


PYTHONS = (
    raise_oldest(11, "test", *BUILT, "verify"),
    Change(
        "a Python of .venv that is too old",
        step=outgrow,
        targets=("test",),
        refused=("the package, which is for >=3.14, cannot be installed into .venv", "make setup PYTHON=3.14"),
    ),
    Change(
        "the oldest Python raised in one place alone",
        project=project(requires_python=">=3.11"),
        targets=("lint",),
        refused=(
            "Cargo.toml has the feature abi3-py310, and the oldest Python is 3.11",
            'write abi3 = ["pyo3/abi3-py311"] there, or change requires-python in pyproject.toml',
            'pyproject.toml has the classifier "Programming Language :: Python :: 3.10", and allows >=3.11',
            "CI.yml has Python 3.10 in the job test, and no wheel is made for it",
        ),
        often=True,
    ),
    Change(
        "the floor of the stable ABI raised alone",
        crate={"features": {"abi3": ["pyo3/abi3-py311"]}},
        targets=("lint",),
        refused=("Cargo.toml has the feature abi3-py311, and the oldest Python is 3.10", "or change requires-python"),
    ),
    Change("Python capped", project=project(requires_python=">=3.10,<4"), targets=("test", *BUILT, "verify")),
    Change("Python with a hole", project=project(requires_python=">=3.10,!=3.11.0"), targets=("test", *BUILT, PLAN)),
    Change(
        "no free-threaded wheels",
        project={"tool": {"roadworthy": {"free-threaded": []}}},
        crate={"features": {"abi3t": None}},
        step=edit(WORKFLOW, (r"^ +3\.1[45]t\n", "")),
        targets=("test", *BUILT),
    ),
    Change(
        "no free-threaded stable ABI",
        crate={"features": {"abi3t": None}},
        step=edit(WORKFLOW, (r"^ +3\.15t\n", "")),
        targets=("test", *BUILT),
    ),
    Change(
        "a wheel dropped that the workflow verifies",
        crate={"features": {"abi3t": None}},
        targets=("lint",),
        refused=("CI.yml has Python 3.15t in the job verify, and no wheel is made for it", "take it out there"),
    ),
)
ROW = """\
          - target: i686-unknown-linux-gnu
            runner: ubuntu-24.04
            tag: manylinux_2_17_i686.manylinux2014_i686
"""
PLATFORMS = (
    Change(
        "a platform dropped",
        step=edit(WORKFLOW, (row("target: aarch64-pc-windows-msvc"), ""), (row("runner: windows-11-arm"), "")),
        targets=("test", *BUILT, PLAN),
    ),
    Change(
        "a platform added",
        step=edit(WORKFLOW, (r"^(?=          - target: x86_64-unknown-linux-musl$)", ROW)),
        targets=("test", *BUILT, PLAN),
    ),
)

# ---- metadata -------------------------------------------------------------------------------------------------------


def rename_distribution(place: Place) -> None:
    """Call what is published otherwise than the repository: somebody has that name."""
    edit("pyproject.toml", (r'^name = "tin-can"$', 'name = "tin-cans"'))(place)
    edit("python/tin_can/__init__.py", (r'version\("tin-can"\)', 'version("tin-cans")'))(place)


APACHE, MIT = (PROJECT.read(f"workshop/copying/licences/{name}.txt") for name in ("Apache-2.0", "MIT"))
METADATA = (
    Change(
        "another licence",
        project=project(license="Apache-2.0"),
        files={"LICENSE": APACHE},
        targets=("test", *BUILT),
    ),
    Change(
        "two licences",
        project=project(license="MIT OR Apache-2.0", license_files=["LICENSE-*"]),
        files={"LICENSE-APACHE": APACHE, "LICENSE-MIT": MIT, "LICENSE": None},
        targets=("test", *BUILT, "verify"),
    ),
    Change(
        "metadata in Chinese",
        project=project(
            description="把每个单词的首字母连起来, 返回一个简短的缩写。" * 6,
            authors=[{"name": "洛芙莱斯", "email": "ada@bücher.de"}],
            license_files=["LICENSE", "许可证.txt"],
            keywords=["缩写", "首字母"],
        ),
        files={"许可证.txt": "随便用。\n"},
        targets=("test", *BUILT, "verify", PLAN),
    ),
    Change(
        "a description and keywords in pyproject.toml alone",
        project=project(description="Cans of tin, as “they” should be.", keywords=["can", "tin"]),
        targets=("test", *BUILT),
    ),
    Change("no classifiers", project=project(classifiers=None), targets=("test", *BUILT)),
    Change(
        "some classifiers taken out",
        project=project(classifiers=classifiers(":: 3.10", ":: 3.12", "Beta")),
        targets=BUILT,
    ),
    Change(
        "another name on the index",
        step=rename_distribution,
        targets=("test", "lint", "check-dist", "verify", PLAN, "template-update"),
    ),
    Change(
        "a repository that moved",
        step=edit("pyproject.toml", (r"github\.com/ada/tin-can", "github.com/lovelace/cans")),
        targets=("test", *BUILT, PLAN),
    ),
    Change(
        "a repository and its issues at GitLab",
        step=edit(
            "pyproject.toml",
            (r"github\.com/ada/tin-can/(blob|issues)", r"gitlab.com/ada/tin-can/-/\g<1>"),
            (r"github\.com/ada/tin-can", "gitlab.com/ada/tin-can"),
        ),
        targets=("test", *BUILT, PLAN),
    ),
)

# ---- files beside the package ---------------------------------------------------------------------------------------

CITATION = """\
cff-version: 1.2.0
title: tin-can
message: Cite it.
type: software
version: 0.1.0
authors:
  - alias: ada
"""
BUMPED = """
[[tool.bumpversion.files]]
filename = "CITATION.cff"
search = "version: {current_version}"
replace = "version: {new_version}"


[tool.towncrier]
"""
TOOLCHAIN = """\
[toolchain]
channel = "stable"
"""
OWN_WORKFLOW = """\
name: Greet
on: [issues]
jobs:
  greet:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - run: echo Hello $GITHUB_ACTOR
"""
OWN_TARGET = """\
.PHONY: greet  ## Say hello. [WHOM=you]
greet:
	@test "$$WHOM" = Ada
"""
CHECK = '''\
def no_friday(state: State) -> Iterator[Problem]:
    """The day is a good one."""
    if state.release.text == "0.1.0":
        yield Problem("nothing is released on a Friday", "wait for Monday")
'''
PROOF = '''\
def is_a_can(installation: proofs.Installation) -> Iterator[Problem]:
    """The package says what it is."""
    if "tin_can" not in str(installation.facts):
        yield Problem("it is no can", "call it one")
'''
LOCK = """\
version = 1
requires-python = ">=3.10"

[[package]]
name = "tin-can"
version = "0.1.0"
source = { editable = "." }
"""
WORKSPACE = {
    "workspace": {"members": ["crates/inner"], "lints": {"rust": {"missing_docs": "warn"}}},
    "dependencies": {"inner": {"path": "crates/inner"}},
}
INSIDE = """\
//! The inside.

/// What is in it.
pub const INSIDE: &str = "tin";
"""
FAILING = """
#[test]
fn it_is_full() {
    assert_eq!(INSIDE, "soup");
}
"""
MEMBER = """\
[package]
name = "inner"
version = "0.3.0"
edition = "2024"
publish = false

[lints]
workspace = true
"""
CHANGELOG = """\
# What is new in tin-can

All notable changes. The format follows [Keep a Changelog](https://keepachangelog.com/en/1.1.0/).

## How versions are counted

As SemVer says.

<!-- news fragments are written below this line -->

---

Before 2026 it was another program; its history is in the [archive](https://example.org/archive).
"""


def rename_changelog(place: Place) -> None:
    """Keep the changelog in HISTORY.md."""
    place.git("mv", "CHANGELOG.md", "HISTORY.md")
    edit("pyproject.toml", (r"\bCHANGELOG\.md", "HISTORY.md"))(place)


def rename_tests(place: Place) -> None:
    """Give the tests another folder, and say so where pytest, mypy and ruff read it."""
    place.git("mv", "tests", "checks")
    edits = (r'^testpaths = \["tests"\]', 'testpaths = ["checks"]'), (r'^  "tests",$', '  "checks",')
    edit("pyproject.toml", *edits, (r'"\*\*/tests/\*\*"', '"**/checks/**"'))(place)


FILES = (
    Change(
        "a version in a further file",
        files={"CITATION.cff": CITATION},
        step=edit("pyproject.toml", (r"\n\[tool\.towncrier\]\n", BUMPED)),
        targets=("lint", PLAN, NEXT),
        often=True,
    ),
    Change("a toolchain file", files={"rust-toolchain.toml": TOOLCHAIN}, targets=("test", *BUILT, "verify")),
    Change("a workflow of one's own", files={".github/workflows/greet.yml": OWN_WORKFLOW}, targets=("lint", PLAN)),
    Change("a target of one's own", files={"local.mk": OWN_TARGET}, targets=("help", "greet WHOM=Ada", *BUILT)),
    Change(
        "a check of one's own",
        step=edit(
            "scripts/release.py",
            (r"^from collections\.abc import Callable$", "from collections.abc import Callable, Iterator"),
            (r"^(from roadworthy\.terminal import) run_main, step$", r"\g<1> Problem, run_main, step"),
            (r"^(?=# Every reason not to release\.)", f"{CHECK}\n\n"),
            (r"^CHECKS = \(\n", r"\g<0>    no_friday,\n"),
        ),
        targets=("lint", NEXT, PLAN),
        refused=("nothing is released on a Friday", "wait for Monday"),
        often=True,
    ),
    Change(
        "a proof of one's own",
        step=edit(
            "scripts/verify_install.py",
            (r"^(from roadworthy\.terminal import) run_main$", r"\g<1> Problem, run_main"),
            (r"^(?=# What must hold of)", f"{PROOF}\n\n"),
            (r"^PROOFS = \(\n", r"\g<0>    is_a_can,\n"),
        ),
        targets=("lint", "verify"),
    ),
    Change(
        "a lock of uv's",
        files={"uv.lock": LOCK},
        step=edit(".gitignore", (r"^/uv\.lock\n", "")),
        targets=(*BUILT, PLAN, NEXT),
        after=lambda place: release(place, "0.2.0", changed={"uv.lock": 'name = "tin-can"\nversion = "0.2.0"\n'}),
    ),
    Change("no dependabot", files={".github/dependabot.yml": None}, targets=("lint",)),
    Change("no hooks of pre-commit", files={".pre-commit-config.yaml": None}, targets=BUILT),
    Change(
        "a workspace of crates",
        crate=WORKSPACE,
        files={"crates/inner/Cargo.toml": MEMBER, "crates/inner/src/lib.rs": INSIDE},
        targets=("test", *BUILT, PLAN, NEXT),
    ),
    Change("a changelog with more text around", files={"CHANGELOG.md": CHANGELOG}, targets=("test", *BUILT, PLAN)),
    Change(
        "a changelog of another name",
        step=rename_changelog,
        targets=("test", PLAN),
        after=lambda place: release(place, "0.2.0", changed={"HISTORY.md": "## 0.2.0"}),
    ),
    Change(
        "a failing test in another crate of the workspace",
        crate=WORKSPACE,
        files={"crates/inner/Cargo.toml": MEMBER, "crates/inner/src/lib.rs": INSIDE + FAILING},
        targets=("test",),
        refused=("it_is_full", "test result: FAILED"),
    ),
    Change(
        "a tool of the tests that is not locked",
        project={
            "dependency-groups": {"test": ["build", "pip", "pytest", "pytest-asyncio"]},
            "tool": {"pytest": {"ini_options": {"asyncio_mode": "auto"}}},
        },
        targets=("test",),
        refused=(
            "requirements/test.txt locks no pytest-asyncio, which pyproject.toml has in the group test; run: make lock",
            "Unknown config option: asyncio_mode",
        ),
    ),
    Change("tests in another folder", step=rename_tests, targets=("test", *BUILT, "verify")),
)

# ---- rules of one's own ---------------------------------------------------------------------------------------------

RULES = (
    Change(
        "lines of 88 characters and other rules",
        project={
            "tool": {
                "ruff": {
                    "line-length": 88,
                    "format": {"quote-style": "single"},
                    "lint": {"select": ["E", "F", "I", "UP", "B"], "ignore": None, "per-file-ignores": None},
                }
            }
        },
        step=lambda place: run(".venv/bin/ruff", "format", cwd=place.checkout).check_returncode(),
        targets=BUILT,
        after=lambda place: place.git("diff", "--exit-code", "HEAD~1", "--", "scripts", "roadworthy"),
        often=True,
    ),
    Change(
        "mypy as it comes",
        project={"tool": {"mypy": {"strict": False, "warn_unreachable": True, "enable_error_code": None}}},
        targets=("lint",),
    ),
    Change(
        "mypy with more rules",
        project={"tool": {"mypy": {"disallow_any_unimported": True, "warn_unreachable": True}}},
        targets=("lint",),
    ),
)

# ---- branches -------------------------------------------------------------------------------------------------------


def release(
    place: Place, version: str, *arguments: str, changed: dict[str, str] | None = None, tag: str | None = None
) -> None:
    """Release for real, but for the proofs, which are tested by themselves; some files hold a text then."""
    python, environment_here = place.checkout / ".venv" / "bin" / "python", environment()
    done = run(python, UNPROVEN, "never", "--yes", *arguments, "--", version, cwd=place.checkout, **environment_here)
    assert done.returncode == 0, done.stderr + done.stdout
    assert f"refs/tags/{tag or f'v{version}'}^{{}}" in place.refs()
    assert [name for name, text in (changed or {}).items() if text not in place.read(name)] == []


def begin_maintenance(place: Place) -> None:
    """Release twice, and keep the first line alive."""
    release(place, "0.1.0")
    place.fragment("+second.added.md")
    release(place, "0.2.0")
    place.git("switch", "--quiet", "--create", "0.1.x", "v0.1.0")
    place.write("changelog.d/+repair.fixed.md", "A hole is mended.\n")


def release_maintenance(place: Place) -> None:
    """Release on the older line, which moves alone."""
    main = place.refs()["refs/heads/main"]
    release(place, "0.1.1", "--branch=0.1.x", changed={"CHANGELOG.md": "A hole is mended."})
    refs = place.refs()
    assert refs["refs/heads/main"] == main
    assert refs["refs/heads/0.1.x"] == refs["refs/tags/v0.1.1^{}"]


def rename_branch(place: Place) -> None:
    """Call the default branch trunk, as a server does, and wherever it is named."""
    place.git("branch", "--move", "trunk")
    place.git("push", "--quiet", "--set-upstream", "origin", "trunk")
    place.git("symbolic-ref", "HEAD", "refs/heads/trunk", cwd=place.remote)
    place.git("push", "--quiet", "origin", "--delete", "main")
    edit(WORKFLOW, (r"^      - main$", "      - trunk"))(place)
    for name in ("pyproject.toml", "README.md"):
        edit(name, ("blob/main/", "blob/trunk/"))(place)


def release_trunk(place: Place) -> None:
    """Release from there."""
    release(place, "0.1.0")
    refs = place.refs()
    assert refs["refs/heads/trunk"] == refs["refs/tags/v0.1.0^{}"]


BRANCHES = (
    Change(
        "a maintenance branch",
        step=begin_maintenance,
        targets=("release VERSION=0.1.1 BRANCH=0.1.x DRY_RUN=1",),
        after=release_maintenance,
        often=True,
    ),
    Change(
        "a default branch that is not called main",
        step=rename_branch,
        targets=("test", "lint", PLAN),
        after=release_trunk,
    ),
)

# ---- another package ------------------------------------------------------------------------------------------------

SECOND, ITS_WORKFLOW = "plugins", ".github/workflows/plugins.yml"
ITS_PROJECT = """\
[build-system]
requires = ["uv_build>=0.12,<0.13"]
build-backend = "uv_build"

[project]
name = "tin-can-plugins"
version = "0.1.0"
description = "What goes with tin-can."
readme = "README.md"
requires-python = ">=3.10"
license = "MIT"
license-files = ["LICENSE"]
urls = {{ Repository = "https://github.com/ada/tin-can" }}
dependencies = ["packaging"]
classifiers = {classifiers}

[tool.uv.build-backend]
module-name = "tin_can_plugins"
source-include = ["tests/test_plugins.py"]

"""
ITS_FILES = {
    "README.md": "# tin-can-plugins\n\nWhat goes with tin-can.\n",
    "changelog.d/README.md": "One small file for each change.\n",
    "changelog.d/+first.added.md": "There are plugins.\n",
    "src/tin_can_plugins/__init__.py": '"""Plugins."""\n\nimport packaging\n\nNAME = packaging.__name__\n',
    "src/tin_can_plugins/py.typed": "",
    "tests/test_plugins.py": "import tin_can_plugins\n\n\ndef test_it() -> None:\n    assert tin_can_plugins.NAME\n",
}


def add_package(place: Place) -> None:
    """Do what docs/publishing.md says of a second package: the template's own one is what it is taken from."""
    theirs = Project(PROJECT.root, "roadworthy")
    tables = tomlkit.parse(theirs.read("pyproject.toml"))["tool"]
    kept = {key: tables[key] for key in ("roadworthy", "bumpversion", "towncrier")}
    text = tomlkit.dumps({"tool": kept}).replace('"roadworthy', f'"{SECOND}').replace("-roadworthy", f"-{SECOND}")
    listed = json.dumps(theirs.pyproject["project"]["classifiers"])
    files = {
        **ITS_FILES,
        "pyproject.toml": ITS_PROJECT.format(classifiers=listed) + text,
        "CHANGELOG.md": theirs.read("CHANGELOG.md"),
        "LICENSE": place.read("LICENSE"),
    }
    for name, content in files.items():
        place.write(f"{SECOND}/{name}", content)
    place.write(ITS_WORKFLOW, theirs.read_shared(theirs.workflow_path).replace("roadworthy", SECOND))
    place.write("local.mk", f"override WORKFLOWS += {ITS_WORKFLOW}\n")
    excluded = rf'\g<0>\n  "/{SECOND}/**",\n  "/local.mk",'
    edit("pyproject.toml", (r'^  "/roadworthy/\*\*",$', excluded))(place)


def release_both(place: Place) -> None:
    """Release each, by tags of its own: neither has a part in the other's version or changelog."""
    release(place, "0.1.0", "--package=plugins", tag="plugins-v0.1.0")
    place.fragment("+more.added.md")
    versions = {"plugins/pyproject.toml": 'version = "0.1.0"', "pyproject.toml": 'version = "0.2.0"'}
    release(place, "0.2.0", changed=versions)
    assert "plugins" not in place.read("CHANGELOG.md")
    assert "There are plugins." in place.read("plugins/CHANGELOG.md")


PACKAGES = (
    Change(
        "a second package",
        step=add_package,
        targets=(
            "test PACKAGE=plugins",
            "lint",
            "check-dist PACKAGE=plugins",
            "verify PACKAGE=plugins",
            "release PACKAGE=plugins VERSION=0.1.0 DRY_RUN=1",
        ),
        after=release_both,
        often=True,
    ),
)

# The last one makes .venv anew.
ANEW = raise_oldest(12, "setup PYTHON=3.12", "test", "lint")
CHANGES: tuple[Change, ...] = (*PYTHONS, *PLATFORMS, *METADATA, *FILES, *RULES, *BRANCHES, *PACKAGES, ANEW)
