"""What PyPI and GitHub have to be told once, with this project's own values; and what is missing on this machine.

The values are read from where they stand: pyproject.toml, CI.yml, the remote. Nothing is changed anywhere.
"""

import argparse
import platform
import shlex
import shutil

import project
import toolchain
from console import Problem, ProblemsError, err, out, run_main
from index import Index, NotThereYetError, upload_address
from releasing.github import Forge

# What each is needed for; the first ones for everything.
REQUIRED = {"git": "everything", "make": "everything"}
OPTIONAL = {
    "gh": "a look at GitHub before a release, and the commands below",
    "node": "the tests of CI.yml",
    "npm": "the tests of CI.yml",
    "go": "actionlint in make lint",
    "docker": "make verify in containers: the oldest glibc, and musl",
}
TAG_PATTERN = "v*"


def required_check() -> str:
    """Return the name of the check that branch protection asks for."""
    return str(project.workflow()["passed"]["name"])


def publisher(environment: str) -> dict[str, str]:
    """Return what an index is told about the trusted publisher, in the order of its form."""
    forge = Forge.of(project.load_toml("pyproject.toml")["project"]["urls"]["Repository"])
    if forge is None:
        raise ProblemsError([Problem("pyproject.toml has no Repository on GitHub", "set it in [project.urls]")])
    return {
        "PyPI project name": project.name(),
        "Owner": forge.owner,
        "Repository name": forge.name,
        "Workflow name": project.WORKFLOW,
        "Environment name": environment,
    }


def gh_api(method: str, path: str, *fields: str) -> str:
    """Return a gh command for this repository; fields are strings with a `-f` in front of them, and JSON with `-F`."""
    values = publisher("")
    repository = f"repos/{values['Owner']}/{values['Repository name']}"
    words = ["gh", "api", f"--method={method}", f"{repository}/{path}"]
    return " ".join([*map(shlex.quote, words), *(f"{field[:2]} {shlex.quote(field[3:])}" for field in fields)])


def set_up_commands() -> dict[str, list[str]]:
    """Return the gh commands that set GitHub up, by what they are for."""
    pypi, test = (f"environments/{project.ENVIRONMENTS[name]}" for name in ("pypi", "testpypi"))
    policies = ("protected_branches]=false", "custom_branch_policies]=true")
    only_named = [f"-F deployment_branch_policy[{policy}" for policy in policies]
    conditions = (f"-f conditions[ref_name][include][]=refs/tags/{TAG_PATTERN}", "-F conditions[ref_name][exclude][]")
    rules = ("-f rules[][type]=update", "-f rules[][type]=deletion")
    checks = ("-F required_status_checks[strict]=true", f"-f required_status_checks[contexts][]={required_check()}")
    nothing_else = ("-F enforce_admins=false", "-F required_pull_request_reviews=null", "-F restrictions=null")
    reviewer = " -F 'reviewers[][type]=User' -F \"reviewers[][id]=$(gh api user --jq .id)\""
    return {
        f"The {pypi}: a person approves, and only tags of releases get in. Made by its first use, it is bare": [
            gh_api("PUT", pypi, *only_named) + reviewer,
            gh_api("POST", f"{pypi}/deployment-branch-policies", f"-f name={TAG_PATTERN}", "-f type=tag"),
        ],
        f"The {test}, and where it publishes to": [
            gh_api("PUT", test),
            f"gh variable set PUBLISH_URL --env {project.ENVIRONMENTS['testpypi']} --body {upload_address('testpypi')}",
        ],
        "Tags of releases are never moved and never deleted": [
            gh_api(
                "POST", "rulesets", "-f name=releases", "-f target=tag", "-f enforcement=active", *conditions, *rules
            ),
        ],
        "The default branch takes what CI has passed": [
            gh_api("PUT", "branches/main/protection", *checks, *nothing_else),
        ],
        "What workflows may do where they do not say: read": [
            gh_api("PUT", "actions/permissions/workflow", "-f default_workflow_permissions=read"),
        ],
    }


def print_publishers() -> None:
    """Print the forms of both indexes."""
    for name, environment in project.ENVIRONMENTS.items():
        out.print(f"The trusted publisher on {name} (Account, Publishing, Add a new pending publisher):", style="bold")
        for field, value in publisher(environment).items():
            out.print(f"  {field:20} {value}")
        out.print(f"  {say_taken(name)}")
        out.print()


def say_taken(name: str) -> str:
    """Say whether an index knows the project."""
    try:
        with_page = Index.named(name).knows(project.name())
    except (NotThereYetError, OSError) as error:
        return f"whether the name is free could not be asked ({type(error).__name__})"
    if with_page:
        return "The project is there: add the publisher to it, under Manage, Publishing; or, if it is not yours, rename"
    return "The name is free. A pending publisher does not reserve it: release 0.1.0-alpha1 soon"


def find_missing() -> list[Problem]:
    """Return what is missing for everything; say what is missing for something."""
    problems = [Problem(f"{tool} is not on PATH", "install it") for tool in REQUIRED if not shutil.which(tool)]
    try:
        rust = toolchain.require_rust()
        err.print(f"Rust {rust}, Python {platform.python_version()}, maturin {toolchain.maturin_version()}")
    except ProblemsError as error:
        problems += error.problems
    for tool, purpose in OPTIONAL.items():
        if not shutil.which(tool):
            err.print(f"{tool} is not on PATH; it is for: {purpose}")
    return problems


def main() -> None:
    """Print everything, and end with what is missing."""
    argparse.ArgumentParser(description="Say what has to be set up once, and what is missing here.").parse_args()
    print_publishers()
    for title, lines in set_up_commands().items():
        out.print(f"{title}:", style="bold")
        for line in lines:
            # As it is: to be copied.
            print(f"  {line}")
        out.print()
    if problems := find_missing():
        raise ProblemsError(problems)


if __name__ == "__main__":
    run_main(main)
