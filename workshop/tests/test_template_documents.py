"""What the documents say of this repository in numbers, counted. A copy has documents of its own."""

import test_faults_of_building
import test_faults_of_publishing
import test_faults_of_releasing
from ci_mutants import HARMLESS, MUTANTS
from helpers import PROJECT
from workshop.workflows.pipeline import MANUAL, PULL, TAG, Pipeline
from workshop.workflows.rules import RULES

CI = Pipeline.of(PROJECT)


def test_the_jobs_are_as_many_as_the_documentation_says() -> None:
    text = (PROJECT.root / "docs" / "performance.md").read_text(encoding="utf-8")
    table = text.split("<!-- jobs -->", 1)[1].split("<!-- /jobs -->", 1)[0]
    said = [int(row.split("|")[2]) for row in table.strip().splitlines()[2:]]
    happens = [(PULL, False), (PULL, True), (MANUAL, True), (TAG, True)]
    runs = [CI.comes_to(event, code=code).values() for event, code in happens]
    assert said == [sum(len(result.rows) for result in results) for results in runs]


def test_the_documentation_says_how_many_rules_and_mistakes_there_are() -> None:
    text = (PROJECT.root / "docs" / "decisions.md").read_text(encoding="utf-8")
    assert f"{len(RULES)} rules say what must hold" in text
    assert f"{len(MUTANTS)} mistakes" in text
    assert f"{len(HARMLESS)} changes that are no mistake" in text


def test_the_readme_says_how_many_faults_there_are() -> None:
    files = (test_faults_of_building, test_faults_of_publishing, test_faults_of_releasing)
    count = sum(len(file.FAULTS) for file in files)
    assert f"{count} ways" in (PROJECT.root / "README.md").read_text(encoding="utf-8")
