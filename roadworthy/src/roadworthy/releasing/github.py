"""What only GitHub knows, asked through `gh` where it is there and signed in; and the addresses of its pages."""

import json
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from roadworthy import processes as commands
from roadworthy.project import HERE
from roadworthy.repository import environment
from roadworthy.terminal import Problem

ENVIRONMENT = HERE.environments["pypi"]
# git@host:owner/repo, and ssh://, https:// and git:// with or without a user and a port; .git may end it.
ADDRESS = re.compile(
    r"(?:(?:https?|ssh|git)://(?:[^@/\s]+@)?(?P<host>[^:/\s]+)(?::\d+)?/|(?:[^@/\s]+@)(?P<scp>[^:/\s]+):/?)"
    r"(?P<owner>[^/\s]+)/(?P<name>[^/\s]+?)(?:\.git)?/?"
)
LIMIT = 20


@dataclass(frozen=True)
class Forge:
    """A repository on GitHub, or on a GitHub Enterprise server."""

    host: str
    owner: str
    name: str

    @classmethod
    def of(cls, address: str) -> "Forge | None":
        """Return the repository that a remote's address names, or None where it is no such address."""
        found = ADDRESS.fullmatch(address)
        if not found:
            return None
        # ssh over the https port has a host name of its own.
        host = (found["host"] or found["scp"]).removeprefix("ssh.")
        return None if host in {"localhost", "127.0.0.1"} else cls(host, found["owner"], found["name"])

    @property
    def page(self) -> str:
        """The address of its page."""
        return f"https://{self.host}/{self.owner}/{self.name}"

    def runs(self, ref: str) -> str:
        """Return the page of the workflow runs for a branch or a tag."""
        return f"{self.page}/actions/workflows/{HERE.workflow_file}?query=branch%3A{ref.replace('/', '%2F')}"

    def compare(self, base: str, head: str) -> str:
        """Return the page on which a pull request is opened."""
        return f"{self.page}/compare/{base}...{head}?expand=1"

    def ask(self, *arguments: str) -> "tuple[int, Any, str]":
        """Return the exit code of a gh command, the JSON that it printed, and its complaint."""
        env = {**environment(), "GH_HOST": self.host, "GH_PROMPT_DISABLED": "1", "NO_COLOR": "1"}
        done = commands.run("gh", *arguments, cwd=HERE.root, env=env, check=False, timeout=LIMIT)
        try:
            answer = json.loads(done.stdout)
        except ValueError:
            answer = None
        return done.returncode, answer, " ".join(done.stderr.split())


def check_forge(forge: Forge | None, commit: str, branch: str, *, via_pr: bool) -> tuple[list[Problem], list[str]]:
    """Ask GitHub what a release would meet there; return the problems, and what was not checked and why."""
    unchecked = f"CI's last run of this commit, the environment {ENVIRONMENT}, the rules of {branch}"
    if forge is None:
        return [], [f"not checked: {unchecked} (the remote is not on GitHub)"]
    if not shutil.which("gh"):
        return [], [f"not checked: {unchecked} (gh is not installed)"]
    if forge.ask("auth", "status", f"--hostname={forge.host}")[0]:
        return [], [f"not checked: {unchecked} (gh is not signed in; run: gh auth login --hostname {forge.host})"]
    problems: list[Problem] = []
    notes: list[str] = []
    with ThreadPoolExecutor() as pool:
        asked = [
            pool.submit(check_last_run, forge, commit),
            pool.submit(check_environment, forge),
            pool.submit(check_rules, forge, branch, via_pr=via_pr),
        ]
        for each in asked:
            found = each.result()
            if isinstance(found, str):
                notes.append(found)
            else:
                problems += found
    return problems, notes


def check_last_run(forge: Forge, commit: str) -> list[Problem] | str:
    """Find whether CI's last run of the commit was green."""
    code, runs, complaint = forge.ask(
        *("run", "list", f"--repo={forge.host}/{forge.owner}/{forge.name}", f"--workflow={HERE.workflow_file}"),
        *(f"--commit={commit}", "--limit=1", "--json=status,conclusion,url"),
    )
    if code or not isinstance(runs, list):
        return f"not checked: CI's last run of this commit ({complaint or 'gh gave no answer'})"
    if not runs:
        return [
            Problem(
                f"CI has not run on {commit[:10]}", f"push it and wait for {HERE.workflow_file}: {forge.page}/actions"
            )
        ]
    last = runs[0]
    if last["status"] != "completed":
        return [Problem(f"CI still runs on {commit[:10]}", f"wait for it: {last['url']}")]
    if last["conclusion"] != "success":
        what = f"CI's last run on {commit[:10]} ended with {last['conclusion']}"
        return [Problem(what, f"repair what it says, or run it again: {last['url']}")]
    return []


def check_environment(forge: Forge) -> list[Problem] | str:
    """Find whether the environment is there that the publish job runs in."""
    code, _, complaint = forge.ask("api", f"repos/{forge.owner}/{forge.name}/environments/{ENVIRONMENT}")
    if code and "404" in complaint:
        create = f"gh api --method PUT repos/{forge.owner}/{forge.name}/environments/{ENVIRONMENT}"
        return [Problem(f"the environment {ENVIRONMENT} is missing on GitHub", f"run: {create}; and add reviewers")]
    return f"not checked: the environment {ENVIRONMENT} ({complaint or 'gh gave no answer'})" if code else []


def check_rules(forge: Forge, branch: str, *, via_pr: bool) -> list[Problem] | str:
    """Find whether the branch takes a push without a pull request."""
    code, rules, complaint = forge.ask("api", f"repos/{forge.owner}/{forge.name}/rules/branches/{branch}")
    if code or not isinstance(rules, list):
        return f"not checked: the rules of {branch} ({complaint or 'gh gave no answer'})"
    kinds = {rule.get("type") for rule in rules}
    if not via_pr and kinds & {"pull_request", "required_status_checks", "merge_queue"}:
        return [Problem(f"{branch} takes changes by pull request only", "release by one: add VIA=pr")]
    return []
