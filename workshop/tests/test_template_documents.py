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


def test_the_readme_says_how_large_the_pages_are() -> None:
    text = PROJECT.read("README.md")
    pages = {path: int(count) for path, count in re.findall(r"\| \[(scripts/\w+\.py)\]\(\S+/\1\) \| (\d+) \|", text)}
    assert pages == {
        f"scripts/{path.name}": lines(f"scripts/{path.name}") for path in PROJECT.root.glob("scripts/*.py")
    }
    assert f"| five pages | scripts/, {round(sum(pages.values()), -1)} lines:" in text
    assert f"| Makefile and CI.yml | {lines('Makefile')} and {lines(PROJECT.workflow_path)} lines;" in text


def test_the_readme_says_what_a_copy_costs(tmp_path: Path) -> None:
    copy = make_template(tmp_path).new("tin-can")
    files = copy.git("ls-files").splitlines()
    engine = [name for name in files if name.startswith("roadworthy/")]
    count = round(sum(lines(name) for name in engine if name.endswith(".py")), -2)
    own = [name for name in files if name not in engine]
    written = [name for name in own if name != "Cargo.lock" and not re.fullmatch(r"requirements/.*\.txt", name)]
    size = round(sum(len(copy.read(name).splitlines()) for name in written), -2)
    said = PROJECT.read("README.md")
    assert f"{len(files)} in a copy: {len(engine)} are the engine (roadworthy/, {count:,} lines of Python" in said
    assert f"{len(own)} are yours, of {size:,} lines without the locks" in said
    said = PROJECT.read("docs/copying.md")
    assert f"**{len(files)} files**, {len(engine)} of which are the engine in roadworthy/" in said
    assert f"the **{len(own)}** others, {size:,} lines without the locks" in said
