"""What PyPI and GitHub have to be told once, in this project's own values, and what is missing there and here."""

import shutil
import sys
from collections.abc import Callable, Iterator

from roadworthy.arguments import Parser
from roadworthy.building import toolchain
from roadworthy.index import BusyError, Index, NotThereYetError, upload_address
from roadworthy.project import Project, require_repository
from roadworthy.releasing.github import Forge, UnansweredError, why_unasked
from roadworthy.releasing.version import stem
from roadworthy.tables import find
from roadworthy.terminal import Problem, ProblemsError, err, out, problem, raise_problems

REQUIRED = ("git", "make")
OPTIONAL = {
    "gh": "setting GitHub up, and a look at it before a release",
    "go": "actionlint in make lint",
    "docker": "make verify in containers: the oldest glibc, and musl",
}


def forge_of(project: Project) -> Forge:
    """Return the repository that pyproject.toml names."""
    address = require_repository(find(project.pyproject, "project"), project.declaration)
    if (forge := Forge.of(project, address)) is None:
        raise problem(f"{project.declaration} has no Repository on GitHub", "set it in [project.urls]")
    return forge


def publisher(project: Project, environment: str) -> dict[str, str]:
    """Return what an index is told about the trusted publisher, in the order of its form."""
    forge = forge_of(project)
    where = {"PyPI project name": project.name, "Owner": forge.owner, "Repository name": forge.name}
    return {**where, "Workflow name": project.workflow_file, "Environment name": environment}


def say_taken(project: Project, name: str) -> str:
    """Say whether an index knows the project."""
    try:
        Index.named(name).page(project.name)
    except (BusyError, OSError, ValueError) as error:
        return f"could not be asked ({type(error).__name__})"
    except NotThereYetError:
        return "is free: have it soon"
    return "is taken: add the publisher, or, if it is not yours, rename"


def look_at_github(project: Project, forge: Forge) -> Iterator[tuple[str, str]]:
    """Yield each thing that GitHub is told, and whether it has that, where `gh` can ask."""
    if (job := find(project.jobs, "passed")) is None:
        what = f"{project.workflow_path} has no job passed, which branch protection asks for"
        raise problem(what, "put the template's back")
    paths = {f"Environment {name}": f"environments/{name}" for name in project.environments.values()}
    variable = f"environments/{project.environments['testpypi']}/variables/PUBLISH_URL"
    paths |= {
        f"PUBLISH_URL {upload_address('testpypi')}": variable,
        f"Ruleset of tags {stem(project.package)}v*": "rulesets?targets=tag",
    }
    # Without a name of its own, a job has that of its key.
    paths |= {f"Ruleset of branches, check {find(job, 'name') or 'passed'}": "rulesets?targets=branch"}
    unasked = why_unasked(forge)
    for what, path in paths.items():
        try:
            yield what, unasked or ("is there" if forge.ask("api", f"{forge.api}/{path}") else "is missing")
        except UnansweredError as error:
            yield what, "is missing" if "404" in str(error) else str(error)


def find_missing(project: Project) -> Iterator[Problem]:
    """Find what is missing here for everything; say what is missing for something."""
    yield from (Problem(f"{tool} is not on PATH", "install it") for tool in REQUIRED if not shutil.which(tool))
    for tool in (tool for tool in OPTIONAL if not shutil.which(tool)):
        err.print(f"{tool} is not on PATH; it is for: {OPTIONAL[tool]}")
    if project.package:
        return
    try:
        rust = toolchain.require_rust(project)
        err.print(f"Rust {rust}, Python {sys.version.split()[0]}, maturin {toolchain.maturin_version(project)}")
    except ProblemsError as error:
        yield from error.problems


def main(project: Project, words: list[str], taken: Callable[[Project, str], str] = say_taken) -> None:
    """Print everything, and end with what is missing; `taken` asks an index, by its name, for the project."""
    Parser("doctor", "Say what has to be set up once, and what is missing here.").read(words)
    from rich.table import Table  # noqa: PLC0415 - only where there is a table

    told = [publisher(project, environment) for environment in project.environments.values()]
    table = Table("Trusted publisher", *project.environments, box=None, pad_edge=False)
    for field in told[0]:
        table.add_row(field, *(each[field] for each in told))
    table.add_row("The name", *(taken(project, name) for name in project.environments))
    for row in look_at_github(project, forge_of(project)):
        table.add_row(*row)
    out.print(table)
    out.print("how it is set: docs/publishing.md")
    raise_problems(find_missing(project))
