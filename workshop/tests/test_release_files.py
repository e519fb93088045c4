"""Every mistake in the project's files, and in its news fragments, for which a release is refused."""

import os

import pytest

from helpers import run
from refusals import (
    Case,
    Cases,
    append,
    check_refused,
    commit,
    git,
    remove,
    replace,
    variables,
    write,
    write_bytes,
)
from releases import PROJECT, Place, set_version
from roadworthy.releasing.checks import check_published
from roadworthy.releasing.state import Checkout, Committed, Remote, State
from roadworthy.releasing.version import Release, Request
from roadworthy.repository import Repository
from roadworthy.terminal import ProblemsError

FILES = Cases()
SAME = "write the same one into pyproject.toml and Cargo.toml, then run: cargo update --workspace"
NAME = 'name = "ferrous-wheel"\n'
OLD, NEW = f'{NAME}version = "0.1.0"', f'{NAME}version = "0.1.1"'
STALE = ("Cargo.lock does not fit Cargo.toml", "run: cargo update --workspace; and commit Cargo.lock")
FILES.add(
    "version of pyproject.toml differs",
    "the versions disagree (pyproject.toml: 0.1.1, Cargo.toml: 0.1.0, Cargo.lock: 0.1.0)",
    SAME,
    replace("pyproject.toml", OLD, NEW),
    commit,
)
FILES.add(
    "version of Cargo.toml differs",
    "Cargo.toml: 0.1.1, Cargo.lock: 0.1.0",
    SAME,
    replace("Cargo.toml", OLD, NEW),
    commit,
    also=(STALE,),
)
FILES.add(
    "version of Cargo.lock differs",
    "Cargo.toml: 0.1.0, Cargo.lock: 0.1.1",
    SAME,
    replace("Cargo.lock", OLD, NEW),
    commit,
    also=(STALE,),
)
FILES.add(
    "version in pyproject.toml is dynamic",
    "the versions disagree (pyproject.toml: none",
    SAME,
    replace("pyproject.toml", OLD, f'{NAME}dynamic = ["version"]'),
    commit,
)
FILES.add(
    "version missing in Cargo.toml",
    "Cargo.toml: none",
    SAME,
    replace("Cargo.toml", OLD, NAME),
    commit,
    also=(STALE,),
)
FILES.add(
    "version in the files is no version of a release",
    "pyproject.toml: '0.1.0-dev' is no version of a release",
    "write it so into pyproject.toml, Cargo.toml, Cargo.lock",
    lambda place: set_version(place, "0.1.0-dev"),
    commit,
)
FILES.add(
    "dependency that is not locked",
    *STALE,
    replace("Cargo.toml", "[dependencies]", '[dependencies]\nlibc = "0.1"'),
    commit,
)
FILES.add(
    "package that is not locked",
    "Cargo.lock: none",
    SAME,
    replace("Cargo.lock", 'name = "ferrous-wheel"', 'name = "steel-wheel"'),
    commit,
    also=(STALE,),
)
FILES.add(
    "crates that are not on this machine, and cannot be fetched",
    "cargo cannot read the package: error:",
    "let cargo reach its registry",
    lambda place: (place.folder / "cargo").mkdir(),
    variables(CARGO_HOME="PLACE/cargo", CARGO_NET_OFFLINE="true"),
)

PUBLISHED = "depend on a version of it that is published"


def local_crate(place: Place) -> None:
    """Put another crate beside the repository."""
    place.write("../other/Cargo.toml", '[package]\nname = "other"\nversion = "1.0.0"\nedition = "2024"\n')
    place.write("../other/src/lib.rs", "")


def lock(place: Place) -> None:
    """Let Cargo.lock fit Cargo.toml, and push everything."""
    locked = run("cargo", "update", "--workspace", "--offline", "--quiet", cwd=place.checkout)
    assert locked.returncode == 0, locked.stderr
    place.commit()


for kind, title in (
    ("dependencies", "path dependency"),
    ("build-dependencies", "path dependency of the build"),
    ("dev-dependencies", "path dependency of the tests"),
    ("target.'cfg(unix)'.dependencies", "path dependency of one system"),
):
    FILES.add(
        title,
        "Cargo.toml: other comes from a path, ../other",
        PUBLISHED,
        local_crate,
        append("Cargo.toml", f'\n[{kind}.other]\npath = "../other"\n'),
        lock,
    )
FILES.add(
    "path dependency of the workspace",
    "Cargo.toml: other comes from a path, ../other",
    PUBLISHED,
    local_crate,
    append(
        "Cargo.toml", '\n[dependencies.other]\nworkspace = true\n[workspace.dependencies.other]\npath = "../other"\n'
    ),
    lock,
)
FILES.add(
    "git dependency",
    "Cargo.toml: other comes from a git, https://localhost/other.git",
    PUBLISHED,
    append("Cargo.toml", '\n[dependencies.other]\ngit = "https://localhost/other.git"\n'),
    commit,
    variables(CARGO_NET_RETRY="0"),
    also=(("cargo cannot read the package: error:", "repair what it names"),),
)
FILES.add(
    "patched dependency",
    "Cargo.toml: libc comes from a path, ../other",
    PUBLISHED,
    local_crate,
    replace("../other/Cargo.toml", 'name = "other"\nversion = "1.0.0"', 'name = "libc"\nversion = "0.2.9999"'),
    append("Cargo.toml", '\n[patch.crates-io.libc]\npath = "../other"\n'),
    commit,
    also=(("Cargo.lock does not fit Cargo.toml", "cargo update"),),
)
for name in ("pyproject.toml", "Cargo.toml", "Cargo.lock"):
    FILES.add(
        f"{name} cannot be parsed",
        f"{name} is no TOML: ",
        "repair it, and commit",
        append(name, "\n[broken\n"),
        commit,
    )
    FILES.add(f"{name} is missing", f"{name} is missing", "put it back, and commit", remove(name), commit)
FILES.add(
    "pyproject.toml is not UTF-8",
    "pyproject.toml is not UTF-8",
    "save it as UTF-8",
    write_bytes(b"pyproject.toml", b"\xff\xfe"),
    commit,
)
FILES.add(
    "no table of towncrier",
    "pyproject.toml has no [tool.towncrier]",
    "compare it with the template",
    replace("pyproject.toml", "[tool.towncrier", "[tool.other"),
    commit,
)
FILES.add(
    "Cargo.toml is a workspace without a package",
    "Cargo.toml has no [package]",
    "compare it with the template",
    write("Cargo.toml", "[workspace]\n"),
    commit,
)
FILES.add(
    "dependencies are no table",
    "cargo cannot read the package: ",
    "repair what it names, and commit",
    replace("Cargo.toml", "[package]\n", "build-dependencies = 1\n[package]\n"),
    commit,
)
MARKER = "<!-- news fragments are written below this line -->"
FILES.add(
    "CHANGELOG.md is missing", "CHANGELOG.md is missing", "put it back, and commit", remove("CHANGELOG.md"), commit
)
FILES.add(
    "no marker",
    f"CHANGELOG.md has its marker 0 times, not once: {MARKER}",
    "let it stand once",
    replace("CHANGELOG.md", MARKER, ""),
    commit,
)
FILES.add(
    "marker twice",
    f"CHANGELOG.md has its marker 2 times, not once: {MARKER}",
    "let it stand once",
    append("CHANGELOG.md", f"\n{MARKER}\n"),
    commit,
)
for title, heading, asked in (
    ("section is there", "## 0.2.0 (2030-03-17)", "0.2.0"),
    ("section is there in another style", "## [v0.2] - 2030-03-17", "0.2.0"),
    ("section is there in another spelling", "## 0.2.0a1 (2030-03-17)", "0.2.0-alpha1"),
):
    FILES.add(
        title,
        f"CHANGELOG.md already has a section for {asked}",
        f"release the next version, or take out the section of {asked}",
        append("CHANGELOG.md", f"\n{heading}\n\n- Something.\n"),
        commit,
        arguments=(asked, "--yes"),
    )
FILES.add(
    "three mistakes at once",
    "there are files that git neither tracks nor ignores: notes.txt",
    "commit them, remove them, or name them in .gitignore",
    append("CHANGELOG.md", f"\n{MARKER}\n"),
    remove("changelog.d/+first.added.md"),
    commit,
    write("notes.txt"),
    also=(("CHANGELOG.md has its marker 2 times", "let it stand once"), ("no news fragment waits", "write one")),
)

# ---- news fragments -----------------------------------------------------------------------------------------------

FRAGMENTS = Cases()
CALL_IT = "call it <issue>.<type>.md or +<word>.<type>.md, with a type of: added, changed, deprecated, removed, fixed"
TEXT = b"Something is new.\n"
# The kind of mistake, and the name of a fragment with it.
for title, name in {
    "no issue and no word": ".added.md",
    "orphan without a word": "+.added.md",
    "issue zero": "0.added.md",
    "zero in front of the issue": "007.added.md",
    "negative issue": "-7.added.md",
    "issue with a number sign": "#7.added.md",
    "issue of another alphabet's digits": "\u0667.added.md",
    "a word without a plus": "word.added.md",
    "word of another alphabet": "+gr\u00f6\u00dfe.added.md",
    "two issues": "7,8.added.md",
    "no type": "7.md",
    "no suffix": "7.added",
    "other suffix": "7.added.txt",
    "suffix of reStructuredText": "7.added.rst",
    "backup of an editor": "7.added.md~",
    "copy of a fragment": "7.added.md.bak",
    "copy of a file manager": "7.added (1).md",
    "second fragment of an issue": "7.added.1.md",
    "issue and type swapped": "added.7.md",
    "capital type": "7.Added.md",
    "capital suffix": "7.added.MD",
    "space in the name": "7 .added.md",
    "option for a name": "--help.added.md",
    "hidden file": ".7.added.md.swp",
    "file of a system": ".DS_Store",
    "readme in lower case": "readme.md",
    "line feed in the name": "7.added.md\n",
}.items():
    where = f"changelog.d/{name}".replace("\n", r"\n")
    FRAGMENTS.add(
        title,
        f"{where} is no name of a news fragment",
        f"{CALL_IT}, security; or remove it",
        write_bytes(os.fsencode(f"changelog.d/{name}"), TEXT),
        commit,
    )
FRAGMENTS.add(
    "name that is no UTF-8",
    r"changelog.d/7.\udce9.md has a name that no sdist can hold",
    "rename it",
    write_bytes(b"changelog.d/7.\xe9.md", TEXT),
    commit,
    also=((r"changelog.d/7.\udce9.md is no name of a news fragment", CALL_IT),),
)
FRAGMENTS.add(
    "unknown type",
    "changelog.d/7.feature.md is of an unknown type, feature",
    CALL_IT,
    write("changelog.d/7.feature.md"),
    commit,
)
WRITE_ONE = "write one and commit it; changelog.d/README.md says how"
NONE = "no news fragment waits in changelog.d/, so there is nothing to release"
FRAGMENTS.add("none, only the readme", NONE, WRITE_ONE, remove("changelog.d/+first.added.md"), commit)
FRAGMENTS.add("not even the folder", NONE, WRITE_ONE, remove("changelog.d"), commit)
FRAGMENTS.add(
    "another folder is configured",
    "no news fragment waits in news/",
    "news/README.md says how",
    replace("pyproject.toml", 'directory = "changelog.d"', 'directory = "news"'),
    commit,
)
FRAGMENTS.add(
    "empty", "changelog.d/7.added.md is empty", "write one sentence", write("changelog.d/7.added.md", ""), commit
)
FRAGMENTS.add(
    "only white space",
    "changelog.d/7.added.md is empty",
    "write one sentence for the person who uses the package, or remove it",
    write("changelog.d/7.added.md", " \n\t\n"),
    commit,
)
PLAIN = "write plain sentences: the section has its headings"
for title, text in {
    "heading": "## 9.9.9 (2030-01-01)\n\nNew.\n",
    "heading further below": "New.\n\n   # Details\n",
    "comment": "New. <!-- not yet -->\n",
    "the changelog's marker": "New.\n\n<!-- news fragments are written below this line -->\n",
}.items():
    what = "changelog.d/7.added.md holds a heading or a comment"
    FRAGMENTS.add(title, what, PLAIN, write("changelog.d/7.added.md", text), commit)
FRAGMENTS.add(
    "text that is not UTF-8",
    "changelog.d/7.added.md is not UTF-8",
    "save it as UTF-8",
    write_bytes(b"changelog.d/7.added.md", b"Caf\xe9.\n"),
    commit,
)
ADD = "run: git add --force changelog.d/7.added.md; and commit"
UNTRACKED = "changelog.d/7.added.md is not tracked by git"
FRAGMENTS.add("untracked", UNTRACKED, ADD, write("changelog.d/7.added.md"))
FRAGMENTS.add(
    "untracked and ignored", UNTRACKED, ADD, append(".gitignore", "7.*\n"), commit, write("changelog.d/7.added.md")
)
FRAGMENTS.add(
    "untracked and ignored by this clone only",
    UNTRACKED,
    ADD,
    append(".git/info/exclude", "*.md\n"),
    write("changelog.d/7.added.md"),
)
FRAGMENTS.add(
    "untracked, and no name",
    "changelog.d/notes.txt is no name of a news fragment",
    "or remove it",
    write("changelog.d/notes.txt"),
)
FRAGMENTS.add(
    "staged and not committed",
    "there are changes that are not committed: changelog.d/7.added.md",
    "commit them, or run: git stash",
    write("changelog.d/7.added.md"),
    git("add", "--all"),
    also=((UNTRACKED, ADD),),
)
NO_FILE = "write a file with one sentence, or remove it"
FRAGMENTS.add(
    "folder with fragments",
    "changelog.d/next is no name of a news fragment",
    CALL_IT,
    write("changelog.d/next/7.added.md"),
    commit,
    also=(("changelog.d/next is no plain file", NO_FILE),),
)
FRAGMENTS.add(
    "folder that is called like a fragment",
    "changelog.d/7.added.md is no plain file",
    NO_FILE,
    write("changelog.d/7.added.md/text"),
    commit,
)
FRAGMENTS.add(
    "symlink to a fragment",
    "changelog.d/7.added.md is no plain file",
    NO_FILE,
    lambda place: (place.checkout / "changelog.d" / "7.added.md").symlink_to("+first.added.md"),
    commit,
)
FRAGMENTS.add(
    "symlink to nowhere",
    "changelog.d/7.added.md is no plain file",
    NO_FILE,
    lambda place: (place.checkout / "changelog.d" / "7.added.md").symlink_to("nowhere.md"),
    commit,
)
FRAGMENTS.add(
    "two mistakes in two fragments",
    "changelog.d/7.feature.md is of an unknown type, feature",
    CALL_IT,
    write("changelog.d/7.feature.md"),
    write("changelog.d/8.fixed.md", ""),
    commit,
    also=(("changelog.d/8.fixed.md is empty", "write one sentence"),),
)
FRAGMENTS.add(
    "two mistakes in one fragment",
    "changelog.d/7.feature.md is of an unknown type, feature",
    CALL_IT,
    write("changelog.d/7.feature.md", ""),
    commit,
    also=(("changelog.d/7.feature.md is empty", "write one sentence"),),
)


@pytest.mark.parametrize("case", [*FILES.params, *FRAGMENTS.params])
def test_a_release_is_refused_and_leaves_everything_as_it_was(place: Place, case: Case) -> None:
    check_refused(place, case)


def test_a_project_without_a_name_is_not_looked_for() -> None:
    request, nowhere, checkout = Request(Release("0.2.0")), Repository(PROJECT.root), Checkout("", "main", (), (), {})
    project = Committed(PROJECT.root, reader=lambda _: "[project]\n")
    state = State(project, request, nowhere, {}, checkout, Remote("origin"))
    with pytest.raises(ProblemsError, match=r"pyproject.toml has no name in \[project\]"):
        list(check_published(state))
