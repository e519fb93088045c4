"""The few facts that a release rests on and that stand in several files: what is to be repaired where they disagree."""

import re
from collections.abc import Iterator
from pathlib import Path

from roadworthy.arguments import Parser
from roadworthy.project import Project
from roadworthy.pythons import Python
from roadworthy.releasing.files import check_versions, is_there
from roadworthy.tables import find
from roadworthy.terminal import Problem, ProblemsError, raise_problems

REMEDY = "take it out there, or let pyproject.toml allow it: requires-python; for 3.14t, free-threaded"


def check_abi(project: Project) -> Iterator[Problem]:
    """Wheels are built for the stable ABI of the oldest Python."""
    oldest, found = project.minors[0], project.crate.abi3_feature
    if found != f"abi3-py3{oldest}":
        remedy = f'write abi3 = ["pyo3/abi3-py3{oldest}"] there, or change requires-python in pyproject.toml'
        yield Problem(f"Cargo.toml has the feature {found}, and the oldest Python is 3.{oldest}", remedy)


def check_classifiers(project: Project) -> Iterator[Problem]:
    """No Python is promised that is not allowed; which ones are promised is the owner's business."""
    for text in find(project.pyproject, "project", "classifiers") or ():
        named = re.fullmatch(r"Programming Language :: Python :: 3\.(\d+)", str(text))
        if named and int(named[1]) not in project.minors:
            what = f'{project.declaration} has the classifier "{text}", and allows {project.requires_python}'
            yield Problem(what, REMEDY)


def check_rows(project: Project) -> Iterator[Problem]:
    """The workflow tests on the oldest Python, and does nothing with one that there is no wheel for."""
    path, oldest = project.workflow_path, project.oldest_python
    for job, key in {"test": "python", "verify": "pythons"}.items():
        rows = find(project.jobs, job, "strategy", "matrix", "include") or ()
        pythons = dict.fromkeys(" ".join(str(find(row, key) or "") for row in rows).split())
        if job == "test" and pythons and oldest not in pythons:
            remedy = f'write it there: {{ runner: ubuntu-24.04, python: "{oldest}" }}'
            yield Problem(f"{path} has no row for Python {oldest}, the oldest one, in the job test", remedy)
        for parts in filter(None, (re.match(r"3\.(\d+)(?:\.(\d+))?(t?)", each) for each in pythons)):
            # Of its newest patch release, which CI takes; what is tested needs no wheel.
            python = Python((3, int(parts[1]), int(parts[2] or 99)), job == "verify" and bool(parts[3]), Path())
            if not project.supports(python):
                yield Problem(f"{path} has Python {parts[0]} in the job {job}, and no wheel is made for it", REMEDY)


def check_rust(project: Project) -> Iterator[Problem]:
    """The row of the oldest Rust tests that one, and no file outranks it."""
    path, test = project.workflow_path, find(project.jobs, "test")
    rows = {str(rust) for row in find(test, "strategy", "matrix", "include") or () if (rust := find(row, "rust"))}
    if rows and project.rust_version and project.rust_version not in rows:
        what = f"{path} tests Rust {', '.join(sorted(rows))}, and Cargo.toml promises {project.rust_version}"
        yield Problem(what, "write the same into both")
    pinned = [name for name in ("rust-toolchain.toml", "rust-toolchain") if is_there(project.read, name)]
    if pinned and "rustup default" in str(test):
        what = f"{pinned[0]} outranks `rustup default` in the job test of {path}, so no row tests another Rust"
        yield Problem(what, "write `rustup override set` there")


def check(project: Project) -> Iterator[Problem]:
    """Find all facts that disagree; what cannot be read is a problem, too."""
    yield from check_versions(project.read)
    of_a_crate = () if project.package else (check_abi, check_rust)
    for part in (*of_a_crate, check_classifiers, check_rows):
        try:
            yield from part(project)
        except ProblemsError as error:
            yield from error.problems


def main(project: Project, words: list[str]) -> None:
    """End with exit code 1 if there is one."""
    Parser("check-facts", "Check that the facts which a release rests on agree.").read(words)
    raise_problems(dict.fromkeys(check(project)))
