"""What a release would find out too late is known before: yanked crates, files that cannot be shipped, half merges."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from refusals import Case, Cases, check_refused, commit, git, replace, write
from releases import Place
from roadworthy.project import Project
from roadworthy.releasing.checks import check_yanked
from roadworthy.releasing.files import check_facts
from roadworthy.terminal import Problem

KNOWN = Cases()
SUBMODULE = "6b5ff4cf5d5a3b8c5d6a3b8c5d6a3b8c5d6a3b8c"
WORKFLOW = ".github/workflows/CI.yml"
CONFLICT = "One.\n<<<<<<< HEAD\nTwo.\n=======\nThree.\n>>>>>>> topic\n"


def link(name: str, target: str) -> "Callable[[Place], None]":
    def step(place: Place) -> None:
        (place.checkout / name).parent.mkdir(parents=True, exist_ok=True)
        (place.checkout / name).symlink_to(target)

    return step


KNOWN.add(
    "a file that is half merged",
    "src/notes.txt has the markers of a conflict",
    "choose between the two sides, and commit",
    write("src/notes.txt", CONFLICT),
    write(".gitattributes", "* -diff binary\n"),
    commit,
)
KNOWN.add(
    "a submodule",
    "vendor is a submodule, and nothing of that can be in an sdist",
    'leave it out: exclude = ["/vendor"] in [tool.maturin]',
    git("update-index", "--add", "--cacheinfo", f"160000,{SUBMODULE},vendor"),
    lambda place: (place.checkout / "vendor").mkdir(),
    git("commit", "--quiet", "--message=A submodule"),
    git("push", "--quiet", "origin", "HEAD"),
)
KNOWN.add(
    "a link to a folder",
    "python/data is a link to src, which is no file that git tracks, and nothing of that can be in an sdist",
    'leave it out: exclude = ["/python/data"] in [tool.maturin]',
    link("python/data", "../src"),
    commit,
)
KNOWN.add(
    "names and links that no sdist can hold",
    "docs/caf\\udce9 has a name that no sdist can hold",
    "rename it",
    write("python/line\nfeed.txt", "It is read by nobody.\n"),
    write("docs/caf\udce9", "It is left out, and maturin reads its name all the same.\n"),
    link("python/nowhere", "../no/such/file"),
    link("python/root", ".."),
    link("python/secret", "/etc/hostname"),
    link("python/licence", "../LICENSE"),
    commit,
    also=(
        ("python/line\\nfeed.txt has a name that no sdist can hold", "rename it"),
        ("python/nowhere is a link to no/such/file, which is no file", "leave it out"),
        ("python/root is a link to ., which is no file", "leave it out"),
        ("python/secret is a link to /etc/hostname, which is no file", "leave it out"),
    ),
)
KNOWN.add(
    "a row of another Rust",
    f"{WORKFLOW} tests Rust 1.80, and Cargo.toml promises 1.85",
    "write the same into both",
    replace(WORKFLOW, 'rust: "1.85"', 'rust: "1.80"'),
    commit,
)
KNOWN.add(
    "a file that outranks the row of the oldest Rust",
    "rust-toolchain.toml outranks `rustup default` in the job test",
    "write `rustup override set` there",
    replace(WORKFLOW, "rustup override set", "rustup default"),
    write("rust-toolchain.toml", '[toolchain]\nchannel = "stable"\n'),
    commit,
)
KNOWN.add(
    "a file that is to hold the version, and does not",
    "bump-my-version failed",
    "nothing was changed; repair what it names",
    replace(
        "pyproject.toml", "[tool.towncrier]", '[[tool.bumpversion.files]]\nfilename = "LICENSE"\n\n[tool.towncrier]'
    ),
    commit,
)
KNOWN.add(
    "a fragment with what no terminal shows",
    "changelog.d/7.added.md holds the control character '\\x00'",
    "take it out",
    write("changelog.d/7.added.md", "Some\0thing.\n"),
    commit,
)


@pytest.mark.parametrize("case", KNOWN.params)
def test_a_release_is_refused_and_leaves_everything_as_it_was(place: Place, case: Case) -> None:
    check_refused(place, case)


def test_what_is_left_out_of_the_sdist_may_be_a_link_to_a_folder(place: Place) -> None:
    link("docs/source", "../src")(place)
    place.commit()
    done = place.release("0.2.0", "--dry-run")
    assert done.returncode == 0, done.stderr


def test_a_row_of_the_oldest_rust_goes_before_a_file_of_the_toolchain(place: Place) -> None:
    place.write("rust-toolchain.toml", '[toolchain]\nchannel = "stable"\n')
    assert list(check_facts(Project(place.checkout))) == []


def test_a_readme_that_is_the_template_s_is_named(place: Place) -> None:
    note = "note: README.md is as the template made it: does it tell what this package is?\n"
    assert note in place.release("0.2.0", "--dry-run").stderr
    place.write("README.md", "# Mine\n")
    place.commit()
    assert note not in place.release("0.2.0", "--dry-run").stderr


def test_what_a_copy_began_with_and_is_its_template_s_is_refused(place: Place) -> None:
    readme, changelog = place.read("README.md"), place.read("CHANGELOG.md")
    section, link = "## 0.0.9 (2026-01-01)", "See [how](https://127.0.0.1/ada/template/blob/main/docs/copying.md)."
    place.write("README.md", f"{readme}\n{link}\n")
    place.write("CHANGELOG.md", f"{changelog}\n{section}\n\n- It was another package.\n")
    place.write("template.toml", 'address = "https://127.0.0.1/ada/template"\n')
    place.git("add", "--all")
    place.git("reset", "--quiet", "--hard", place.git("commit-tree", "-m", "Begin", place.git("write-tree")))
    place.git("push", "--quiet", "--force", "origin", "main")
    refused = place.release("0.2.0", "--dry-run")
    assert refused.returncode == 1
    for name, line in {"README.md": link, "CHANGELOG.md": section}.items():
        assert f"problem: {name} still tells of the template that it is from: {line[:80]}\n" in refused.stderr
    # What its owner has written, and what was released here, stays.
    place.write("README.md", f"{readme}\nThanks: [how](https://127.0.0.1/ada/template/blob/main/README.md).\n")
    place.commit()
    place.git("tag", "v0.0.9")
    place.git("push", "--quiet", "origin", "v0.0.9")
    taken = place.release("0.2.0", "--dry-run")
    assert taken.returncode == 0, taken.stderr


def test_all_yanked_crates_are_named_by_the_registry_that_cargo_is_told_to_ask(tmp_path: Path) -> None:
    registry, lock = tmp_path / "registry", ""
    for name, version in (("one", "1.0.0"), ("two", "0.2.0"), ("three", "3.0.0"), ("three", "4.0.0")):
        index = registry / "index" / ("3" if len(name) == 3 else "th") / (name[0] if len(name) == 3 else "re") / name
        index.parent.mkdir(parents=True, exist_ok=True)
        known = {"name": name, "vers": version, "deps": [], "cksum": "0" * 64, "features": {}}
        with index.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(known | {"yanked": version in {"0.2.0", "3.0.0"}}) + "\n")
        lock += f'[[package]]\nname = "{name}"\nversion = "{version}"\nsource = "registry+here"\n'
    (tmp_path / "Cargo.lock").write_text(lock, encoding="utf-8")
    (tmp_path / ".cargo").mkdir()
    config = f'[source.crates-io]\nreplace-with = "here"\n[source.here]\nlocal-registry = "{registry}"\n'
    (tmp_path / ".cargo" / "config.toml").write_text(config, encoding="utf-8")
    found = [
        each.what if isinstance(each, Problem) else each for each in check_yanked(Project(tmp_path), tmp_path / "asks")
    ]
    assert sorted(found) == [f"Cargo.lock has {crate}, which is yanked" for crate in ("three 3.0.0", "two 0.2.0")]


def test_a_registry_that_does_not_answer_is_said(tmp_path: Path) -> None:
    lock = '[[package]]\nname = "serde"\nversion = "1.0.0"\nsource = "registry+there"\n'
    (tmp_path / "Cargo.lock").write_text(lock, encoding="utf-8")
    (tmp_path / ".cargo").mkdir()
    config = '[source.crates-io]\nreplace-with = "there"\n[source.there]\nregistry = "sparse+http://127.0.0.1:9/"\n'
    (tmp_path / ".cargo" / "config.toml").write_text(config, encoding="utf-8")
    (note,) = check_yanked(Project(tmp_path), tmp_path / "asks")
    assert isinstance(note, str)
    assert note.startswith("not checked: whether crates are yanked (")
    assert "127.0.0.1" in note
