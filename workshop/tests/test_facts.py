"""Facts that stand in two places, compared; and what no committed file may hold."""

import re
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from difflib import SequenceMatcher
from itertools import pairwise
from urllib.parse import urlsplit

import pytest
import tomli
import yaml
from packaging.utils import canonicalize_name
from packaging.version import Version
from twine import utils as twine

import platforms
from helpers import PROJECT
from roadworthy.index import Index
from roadworthy.processes import venv_bin
from roadworthy.project import require_repository
from roadworthy.releasing.files import check_facts
from roadworthy.tables import find
from workshop.copying.edits import LICENCES

PYPROJECT = PROJECT.pyproject
CARGO = PROJECT.manifest
CLASSIFIERS = find(PYPROJECT, "project", "classifiers") or []
# They have a table of platforms.
DOCUMENTS = ("README.md", "docs/publishing.md")


def tracked() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=PROJECT.root, check=True, capture_output=True, text=True
    ).stdout
    return [name for name in listed.split("\0") if name]


def texts() -> dict[str, str]:
    return {
        name: (PROJECT.root / name).read_text(encoding="utf-8") for name in tracked() if (PROJECT.root / name).is_file()
    }


def test_what_a_release_rests_on_is_the_same_everywhere() -> None:
    assert list(check_facts(PROJECT)) == []


def test_the_name_is_the_same_everywhere() -> None:
    crate = CARGO["package"]["name"]
    names = {crate, PROJECT.name, PYPROJECT["tool"]["towncrier"]["name"]}
    assert len(set(map(canonicalize_name, names))) == 1
    library = find(CARGO, "lib", "name") or crate.replace("-", "_")
    assert PROJECT.native_module.rsplit(".", 1)[-1] == library
    assert (PROJECT.root / "python" / PROJECT.import_name / "__init__.py").is_file()


def test_the_repository_is_the_same_everywhere() -> None:
    address = require_repository(PYPROJECT["project"])
    assert PYPROJECT["tool"]["towncrier"]["issue_format"] == f"[#{{issue}}]({address}/issues/{{issue}})"


def test_the_licence_has_the_text_of_its_name_and_the_author() -> None:
    text = (PROJECT.root / "LICENSE").read_text(encoding="utf-8")
    known = PROJECT.root / LICENCES / f"{find(PYPROJECT, 'project', 'license')}.txt"
    line = re.compile(r"(?m)^Copyright \(c\) [\d, -]+ (.+)$")
    if known.is_file():
        assert line.sub("", text) == re.sub(r"(?m)^Copyright \(c\) YEAR AUTHOR$", "", known.read_text(encoding="utf-8"))
    authors = {author.get("name") for author in find(PYPROJECT, "project", "authors") or []}
    assert not authors or {match[1] for match in line.finditer(text)} <= authors


def test_every_python_from_the_oldest_one_on_is_classified() -> None:
    oldest = PROJECT.oldest_python
    minors = sorted(Version(text.rsplit(" ", 1)[1]) for text in CLASSIFIERS if re.search(r":: 3\.\d+$", text))
    assert PYPROJECT["tool"]["mypy"]["python_version"] == oldest
    assert str(minors[0]) == oldest
    assert all(after.minor == before.minor + 1 for before, after in pairwise(minors))


def test_free_threaded_wheels_are_classified() -> None:
    built = [python.removesuffix("t") for python in PROJECT.python_tags if python.endswith("t")]
    assert not CLASSIFIERS or bool(built) == any(":: Free Threading ::" in text for text in CLASSIFIERS)
    assert not CLASSIFIERS or all(f"Programming Language :: Python :: {minor}" in CLASSIFIERS for minor in built)


def test_maturin_is_pinned_once() -> None:
    (required,) = [each for each in PYPROJECT["build-system"]["requires"] if each.startswith("maturin")]
    assert required in PYPROJECT["dependency-groups"]["setup"]
    assert f"\n{required} " in (PROJECT.root / "requirements" / "setup.txt").read_text(encoding="utf-8")


def pins(group: str) -> list[tuple[str, str]]:
    locked = (PROJECT.root / "requirements" / f"{group}.txt").read_text(encoding="utf-8")
    return re.findall(r"^([a-z0-9-]+)==(\S+)", locked, re.MULTILINE)


def test_every_tool_has_one_version_whatever_installs_it_and_on_every_python() -> None:
    """So lint says the same everywhere, and no group that is installed on top changes what is there."""
    versions = defaultdict(set)
    for group in PYPROJECT["dependency-groups"]:
        assert pins(group), group
        for name, version in pins(group):
            versions[name].add(version)
    # What has no wheel for the newest Python in its last version for the oldest.
    bounded = {"regress", "rpds-py"}
    assert {name for name, found in versions.items() if len(found) > 1} == bounded


def test_the_crate_is_not_published_and_ships_no_probe() -> None:
    assert CARGO["package"]["publish"] is False
    assert "panic-probe" not in PROJECT.crate.everything_on(PROJECT.crate.asked_features)


def test_the_lock_of_the_crates_is_complete() -> None:
    done = subprocess.run(
        ["cargo", "metadata", "--locked", "--format-version=1", "--quiet"],
        cwd=PROJECT.root,
        check=False,
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr.decode()


def test_no_crate_comes_from_anywhere_but_the_registry() -> None:
    others = [
        crate["name"]
        for crate in PROJECT.locked_crates
        if crate["name"] != CARGO["package"]["name"] and not crate.get("source", "").startswith("registry+")
    ]
    assert others == []


def test_a_panic_unwinds() -> None:
    assert find(CARGO, "profile", "release", "panic") in {"unwind", None}


def test_the_changelog_has_its_marker_once_and_the_readme_leads_to_it() -> None:
    marker = PYPROJECT["tool"]["towncrier"]["start_string"]
    assert (PROJECT.root / "CHANGELOG.md").read_text(encoding="utf-8").count(marker) == 1
    assert "/CHANGELOG.md)" in (PROJECT.root / "README.md").read_text(encoding="utf-8")


def test_ci_runs_what_the_readme_says() -> None:
    script = (PROJECT.root / ".ci" / "run").read_text(encoding="utf-8")
    assert all(f"make {target}" in script for target in ("test", "test-tooling", "lint"))


def test_no_committed_file_holds_the_host_name_of_an_index() -> None:
    """A tool is asked for it by the tool's own name for it, so that a mirror is as good."""
    upload = (twine.DEFAULT_REPOSITORY, twine.TEST_REPOSITORY)
    simple = (Index.named(name).url for name in ("pypi", "testpypi"))
    hosts = {urlsplit(address).hostname for address in (*upload, *simple)}
    registry = "static." + "crates.io", "index." + "crates.io"
    found = {(name, host) for name, text in texts().items() for host in (*hosts, *registry) if host and host in text}
    assert found == set()


def test_no_committed_file_holds_a_path_of_this_checkout() -> None:
    assert [name for name, text in texts().items() if f"{PROJECT.root}/" in text] == []


def test_every_toml_file_can_be_read() -> None:
    for name, text in texts().items():
        if name.endswith(".toml"):
            tomli.loads(text)


def test_hooks_call_make_targets_that_exist() -> None:
    configuration = yaml.safe_load((PROJECT.root / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    targets = (PROJECT.root / "Makefile").read_text(encoding="utf-8")
    entries = [hook["entry"].split() for repository in configuration["repos"] for hook in repository["hooks"]]
    assert all(entry[0] == "make" and f"\n.PHONY: {entry[1]}  ##" in targets for entry in entries)
    checked = subprocess.run(
        [venv_bin("pre-commit"), "validate-config"], cwd=PROJECT.root, check=False, capture_output=True
    )
    assert checked.returncode == 0, checked.stderr


def find_stale(name: str, text: str) -> Iterator[str]:
    """Say which lines of a document's table are not what CI.yml says, and how they should read."""
    tags = PROJECT.python_tags.values()
    built, verified = PROJECT.matrix("wheels", "target", "tag", "runner"), PROJECT.matrix("verify", "wheels", "runner")
    below = f"Each has {len(tags)} wheels: {', '.join(f'`{tag}`' for tag in tags)}."
    there, wanted = platforms.table_in(text), [*platforms.rows_of(built, verified), below]
    if not there:
        yield f"{name} has no table of platforms, which begins with: {platforms.HEAD}"
        return
    for kind, old, end, new, last in SequenceMatcher(None, there, wanted).get_opcodes():
        if kind != "equal":
            has, should = " ".join(there[old:end]) or "nothing", " ".join(wanted[new:last]) or "nothing"
            yield f"in the table of platforms in {name} stands: {has}\nas CI.yml says, there should stand: {should}"


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_table_of_platforms_is_what_ci_says(name: str) -> None:
    stale = list(find_stale(name, (PROJECT.root / name).read_text(encoding="utf-8")))
    assert not stale, "\n".join(stale)


def test_a_table_of_platforms_that_is_not_what_ci_says_is_told_how_it_should_read() -> None:
    name = DOCUMENTS[0]
    text = (PROJECT.root / name).read_text(encoding="utf-8")
    first, *_, below = platforms.table_in(text)
    for line, written in ((first, "| Plan 9 | mips | a cupboard | nowhere |"), (first, ""), (below, "Each has one.")):
        (said,) = find_stale(name, text.replace(f"{line}\n", f"{written}\n" if written else "", 1))
        assert said.splitlines()[0].endswith(f": {written or 'nothing'}")
        assert said.splitlines()[1].endswith(f": {line}")
    (said,) = find_stale(name, text.replace(f"{first}\n", f"{first}\n{first}\n", 1))
    assert said.endswith(f"stands: {first}\nas CI.yml says, there should stand: nothing")
    (said,) = find_stale(name, "")
    assert said.startswith(f"{name} has no table of platforms")


def test_links_between_documents_lead_somewhere() -> None:
    for name, text in texts().items():
        # What a copy begins with lies elsewhere there.
        if name.endswith(".md") and not name.startswith("workshop/copying/sample/"):
            links = re.findall(r"\]\((?!https?://|#)([^)#]+)", text)
            assert [link for link in links if not (PROJECT.root / name).parent.joinpath(link).exists()] == [], name
