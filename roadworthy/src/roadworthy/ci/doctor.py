"""What PyPI and GitHub have to be told once, with this project's own values; and what is missing on this machine.

The values are read from where they stand: pyproject.toml, CI.yml, the remote. Nothing is changed anywhere.
"""

import json
import platform
import shlex
import shutil
from collections.abc import Callable

from roadworthy.arguments import Parser
from roadworthy.project import Project, require_repository
from roadworthy.tables import find
from roadworthy.terminal import Problem, ProblemsError, err, out, problem, raise_problems

# What everything needs; and what else is needed, for what.
REQUIRED = ("git", "make")
OPTIONAL = {
    "gh": "a look at GitHub before a release, and the commands below",
    "go": "actionlint in make lint",
    "docker": "make verify in containers: the oldest glibc, and musl",
}
TAG_PATTERN = "v*"


def required_check(project: Project) -> str:
    """Return the name of the check that branch protection asks for."""
    if "passed" not in project.jobs:
        what = f"{project.workflow_path} has no job passed, which branch protection asks for"
        raise problem(what, "put the template's back")
    # Without a name of its own, a job has that of its key.
    return str(find(project.jobs, "passed", "name") or "passed")


def publisher(project: Project, environment: str) -> dict[str, str]:
    """Return what an index is told about the trusted publisher, in the order of its form."""
    from roadworthy.releasing.github import Forge  # noqa: PLC0415 - not for a refusal of the command line

    forge = Forge.of(project, require_repository(find(project.pyproject, "project")))
    if forge is None:
        raise problem("pyproject.toml has no Repository on GitHub", "set it in [project.urls]")
    where = {"PyPI project name": project.name, "Owner": forge.owner, "Repository name": forge.name}
    return {**where, "Workflow name": project.workflow_file, "Environment name": environment}


def set_up_commands(project: Project) -> dict[str, list[str]]:
    """Return the gh commands that set GitHub up, by what they are for."""
    from roadworthy.index import upload_address  # noqa: PLC0415 - as above

    pypi, test = (project.environments[name] for name in ("pypi", "testpypi"))
    told = publisher(project, pypi)
    repository = f"repos/{told['Owner']}/{told['Repository name']}"

    def api(method: str, path: str, *words: str, body: object = None) -> str:
        given = () if body is None else (f"--input=- <<< {shlex.quote(json.dumps(body))}",)
        return " ".join([f"gh api --method={method} {repository}/{path}", *words, *given])

    def ruleset(name: str, target: str, ref: str, *rules: object) -> str:
        names = {"ref_name": {"include": [ref], "exclude": []}}
        body = {"name": name, "target": target, "enforcement": "active", "conditions": names, "rules": rules}
        return api("POST", "rulesets", body=body)

    # The reviewer is whoever runs it; so this body is no fixed text.
    reviewed = (
        "-F 'reviewers[][type]=User' -F \"reviewers[][id]=$(gh api user --jq .id)\"",
        "-F 'deployment_branch_policy[protected_branches]=false'",
        "-F 'deployment_branch_policy[custom_branch_policies]=true'",
    )
    contexts = [{"context": required_check(project)}]
    check = {"required_status_checks": contexts, "strict_required_status_checks_policy": True}
    passed = {"type": "required_status_checks", "parameters": check}
    return {
        f"The environment {pypi}: a person approves, and only tags get in. Made by its first use, it is bare": [
            api("PUT", f"environments/{pypi}", *reviewed),
            api("POST", f"environments/{pypi}/deployment-branch-policies", body={"name": TAG_PATTERN, "type": "tag"}),
        ],
        f"The environment {test}, and where it publishes to": [
            api("PUT", f"environments/{test}"),
            f"gh variable set PUBLISH_URL --env {test} --body {upload_address('testpypi')}",
        ],
        "Tags of releases are never moved and never deleted": [
            ruleset("releases", "tag", f"refs/tags/{TAG_PATTERN}", {"type": "update"}, {"type": "deletion"})
        ],
        "The default branch takes what CI has passed": [ruleset("default branch", "branch", "~DEFAULT_BRANCH", passed)],
        "What workflows may do where they do not say: read": [
            api("PUT", "actions/permissions/workflow", body={"default_workflow_permissions": "read"})
        ],
    }


def say_taken(project: Project, name: str) -> str:
    """Say whether an index knows the project."""
    from roadworthy.index import Index, NotThereYetError  # noqa: PLC0415 - as above

    try:
        known = Index.named(name).knows(project.name)
    except (NotThereYetError, OSError, ValueError) as error:
        return f"whether the name is free could not be asked ({type(error).__name__})"
    if known:
        return "The project is there: add the publisher to it, under Manage, Publishing; or, if it is not yours, rename"
    return f"The name is free. A pending publisher does not reserve it; soon run: {first_upload(project, name)}"


def first_upload(project: Project, name: str) -> str:
    """Return the command that sends an index something of the project for the first time."""
    if name == "testpypi":
        return f"gh workflow run {project.workflow_file} --field testpypi=true"
    from roadworthy.releasing.files import standing  # noqa: PLC0415 - as above
    from roadworthy.releasing.version import next_version  # noqa: PLC0415 - as above

    # The first version may be any; a later one comes after it.
    released = project.checkout.run("tag", "--list", TAG_PATTERN).stdout
    version = next_version(standing(project.read)) if released else "0.1.0-alpha1"
    return f"make release VERSION={version}"


def find_missing(project: Project) -> list[Problem]:
    """Return what is missing for everything; say what is missing for something."""
    from roadworthy.building import toolchain  # noqa: PLC0415 - not for a refusal of the command line

    problems = [Problem(f"{tool} is not on PATH", "install it") for tool in REQUIRED if not shutil.which(tool)]
    try:
        rust = toolchain.require_rust(project)
        err.print(f"Rust {rust}, Python {platform.python_version()}, maturin {toolchain.maturin_version(project)}")
    except ProblemsError as error:
        problems += error.problems
    for tool, purpose in OPTIONAL.items():
        if not shutil.which(tool):
            err.print(f"{tool} is not on PATH; it is for: {purpose}")
    return problems


def main(project: Project, words: list[str], taken: Callable[[Project, str], str] = say_taken) -> None:
    """Print everything, and end with what is missing; `taken` asks an index, by its name, for the project."""
    Parser("doctor", "Say what has to be set up once, and what is missing here.").read(words)
    for name, environment in project.environments.items():
        out.print(f"The trusted publisher on {name} (Account, Publishing, Add a new pending publisher):", style="bold")
        for field, value in publisher(project, environment).items():
            out.print(f"  {field:20} {value}")
        out.print(f"  {taken(project, name)}\n")
    for title, lines in set_up_commands(project).items():
        out.print(f"{title}:", style="bold")
        # As they are: to be copied.
        out.write("".join(f"  {line}\n" for line in lines) + "\n")
    raise_problems(find_missing(project))
