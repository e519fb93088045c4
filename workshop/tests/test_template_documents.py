"""What the documents say of this repository in numbers, counted. A copy has documents of its own."""

import re
from pathlib import Path

import test_faults_of_building
import test_faults_of_publishing
import test_faults_of_releasing
from ci_mutants import HARMLESS, MUTANTS
from copies import make_template
from helpers import PROJECT
from workshop.workflows.pipeline import MANUAL, PULL, TAG, Pipeline
from workshop.workflows.rules import RULES

CI = Pipeline.of(PROJECT)


def test_the_jobs_are_as_many_as_the_documentation_says() -> None:
    text = (PROJECT.root / "docs" / "performance.md").read_text(encoding="utf-8")
    table = text.split("<!-- jobs -->", 1)[1].split("<!-- /jobs -->", 1)[0]
    said = [int(row.split("|")[2]) for row in table.strip().splitlines()[2:]]
    happens = [(PULL, "false"), (PULL, "true"), (MANUAL, "true"), (TAG, "true")]
    runs = [CI.comes_to(event, code=code).values() for event, code in happens]
    assert said == [sum(len(result.rows) for result in results) for results in runs]


def test_the_documentation_says_how_many_rules_and_mistakes_there_are() -> None:
    text = (PROJECT.root / "docs" / "decisions.md").read_text(encoding="utf-8")
    assert f"{len(RULES)} rules say what must hold" in text
    assert f"{len(MUTANTS)} mistakes" in text
    assert f"{len(HARMLESS)} changes that are no mistake" in text


def test_both_readmes_lead_to_the_changelog() -> None:
    for name in ("README.md", "workshop/copying/sample/README.md"):
        assert re.search(r"\]\([^)\s]*CHANGELOG\.md\)", PROJECT.read(name)), name


def test_the_readme_says_how_many_faults_there_are() -> None:
    files = (test_faults_of_building, test_faults_of_publishing, test_faults_of_releasing)
    count = sum(len(file.FAULTS) for file in files)
    assert f"{count} ways" in (PROJECT.root / "README.md").read_text(encoding="utf-8")


def lines(path: str) -> int:
    return len(PROJECT.read(path).splitlines())


def is_about(said: str, count: int) -> bool:
    """Say whether a number in a document is still true enough: it is no change of its own with every few lines."""
    return abs(int(said.replace(",", "")) - count) <= count / 20


def test_the_readme_says_how_large_the_pages_are() -> None:
    text = PROJECT.read("README.md")
    pages = dict(re.findall(r"\| \[(scripts/\w+\.py)\]\(\S+/\1\) \| (\d+) \|", text))
    assert pages.keys() == {f"scripts/{path.name}" for path in PROJECT.root.glob("scripts/*.py")}
    assert [name for name, said in pages.items() if not is_about(said, lines(name))] == []
    together, make, workflow = re.search(  # type: ignore[union-attr]
        r"scripts/, (\d+) lines:.*\n\| Makefile and CI\.yml \| (\d+) and (\d+) lines;", text
    ).groups()
    assert is_about(together, sum(map(lines, pages)))
    assert is_about(make, lines("Makefile"))
    assert is_about(workflow, lines(PROJECT.workflow_path))


def test_the_documents_say_what_a_copy_costs(tmp_path: Path) -> None:
    copy = make_template(tmp_path).new("tin-can")
    files = copy.git("ls-files").splitlines()
    engine = [name for name in files if name.startswith("roadworthy/")]
    own = [name for name in files if name not in engine]
    written = [name for name in own if name != "Cargo.lock" and not re.fullmatch(r"requirements/.*\.txt", name)]
    size = sum(len(copy.read(name).splitlines()) for name in written)
    readme = re.search(
        rf"{len(files)} in a copy: {len(engine)} are the engine \(roadworthy/, ([\d,]+) lines of Python.*"
        rf" {len(own)} are yours, of ([\d,]+) lines without the locks",
        PROJECT.read("README.md"),
    )
    assert readme
    assert is_about(readme[1], sum(lines(name) for name in engine if name.endswith(".py")))
    assert is_about(readme[2], size)
    said = PROJECT.read("docs/copying.md")
    assert f"**{len(files)} files**, {len(engine)} of which are the engine in roadworthy/" in said
    copying = re.search(rf"the \*\*{len(own)}\*\* others, ([\d,]+) lines without the locks", said)
    assert copying
    assert is_about(copying[1], size)
