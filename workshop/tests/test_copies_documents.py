"""The documents that a copy begins with: their links, on GitHub and on PyPI, and the values that they name."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers import PROJECT
from roadworthy.ci.doctor import publisher
from roadworthy.project import Project
from roadworthy.repository import Repository
from roadworthy.terminal import ProblemsError
from workshop.copying.objects import Files
from workshop.copying.record import Answers, Record
from workshop.copying.rendering import render
from workshop.copying.rules import Rules
from workshop.workflows.rules import require_rules

ANSWERS = Answers("tin-can", "Ada Lovelace", "", "acme", "It opens tins.", "MIT", "2026")


@pytest.fixture(scope="module")
def copy(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the files of a copy of this checkout."""
    source = Repository(checkout)
    commit = source.ask("rev-parse", "HEAD")
    record = Record(Rules.read(source, commit).address, commit, commit, "v9.9.9", ANSWERS)
    folder = tmp_path_factory.mktemp("documents")
    files: Files = render(source, record, "0.1.0")
    for path, (_, content) in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    return folder


def documents(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield the path and the text of each document that is the owner's."""
    for path in sorted(folder.rglob("*.md")):
        name = path.relative_to(folder).as_posix()
        if not name.startswith("roadworthy/"):
            yield name, path.read_text(encoding="utf-8")


def anchors(path: Path) -> set[str]:
    """Return what a link into a document can name, as GitHub makes it of headings."""
    headings = re.findall(r"(?m)^#+ (.+)$", path.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_link_of_a_copy_leads_to_a_file_and_a_heading_of_the_copy_or_of_the_template(copy: Path) -> None:
    address = Rules.read(PROJECT.checkout, "HEAD").address
    roots = {"https://github.com/acme/tin-can/blob/main/": copy, f"{address}/blob/HEAD/": PROJECT.root}
    found = set()
    for name, text in documents(copy):
        for link in re.findall(r"\]\(([^)]+)\)", text):
            where = next((start for start in roots if link.startswith(start)), "")
            path, _, heading = link.removeprefix(where).partition("#")
            if where or not re.match(r"https?:", link):
                file = (roots[where] / path) if where else (copy / name).parent / path if path else copy / name
                assert file.exists(), f"{name}: {link}"
                assert not heading or heading in anchors(file), f"{name}: {link}"
                found.add(where)
    assert found >= roots.keys()


def test_what_pypi_shows_has_no_link_that_is_dead_there(copy: Path) -> None:
    links = re.findall(r"\]\(([^)]+)\)", (copy / "README.md").read_text(encoding="utf-8"))
    assert [link for link in links if not link.startswith("https://")] == []


def test_a_mistake_that_keeps_rules_from_being_judged_is_told_once(copy: Path) -> None:
    workflow = copy / ".github" / "workflows" / "CI.yml"
    text = workflow.read_text(encoding="utf-8")
    workflow.write_text(text.replace("needs: [identify, collect]", "needs: [identify, colect]"), encoding="utf-8")
    with pytest.raises(ProblemsError) as refused:
        require_rules(Project(copy))
    told = [one.what for one in refused.value.problems if "colect" in one.what]
    workflow.write_text(text, encoding="utf-8")
    assert told
    assert len(told) == len(set(told))


def test_the_page_on_publishing_names_the_values_that_the_indexes_are_told(copy: Path) -> None:
    text = (copy / "docs" / "publishing.md").read_text(encoding="utf-8")
    told = [publisher(Project(copy), environment) for environment in ("pypi", "testpypi")]
    for field in told[0]:
        assert f"| {field} | `{told[0][field]}` | `{told[1][field]}` |\n" in text
    # Where a job's summary leads whoever has published a broken version.
    assert "\n### A broken version is out\n" in text


def test_a_copy_needs_no_page_on_publishing_to_be_rehearsed(copy: Path) -> None:
    require_rules(Project(copy))
    (copy / "docs" / "publishing.md").unlink()
    require_rules(Project(copy))
