"""What only GitHub knows, asked through `gh` where it is there and signed in; and releasing there what PyPI serves.

That is a draft with every file first, and public last: an immutable release takes no more files once it is public, and
its tag is used up. So what is public is only compared, and a draft of an earlier attempt is made anew.
"""

import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from roadworthy import processes as commands
from roadworthy.arguments import Parser
from roadworthy.project import Project
from roadworthy.releasing import files
from roadworthy.releasing.version import Release, stem, version_of_tag
from roadworthy.repository import environment
from roadworthy.sums import check_folder, read_sums, sha256
from roadworthy.terminal import Problem, out, problem, raise_problems

# What only looks at a project needs none of what a release reads.
if TYPE_CHECKING:
    from roadworthy.releasing.state import State

# git@host:owner/repo, and ssh://, https:// and git:// with or without a user and a port; .git may end it.
ADDRESS = re.compile(
    r"(?:(?:https?|ssh|git)://(?:[^@/\s]+@)?(?P<host>[^:/\s]+)(?::\d+)?/|(?:[^@/\s]+@)(?P<scp>[^:/\s]+):/?)"
    r"(?P<owner>[^/\s]+)/(?P<name>[^/\s]+?)(?:\.git)?/?"
)
# Seconds that gh may take for an answer.
LIMIT = 20


class UnansweredError(Exception):
    """GitHub did not answer a question; the message says why."""


def gh(
    project: Project, *arguments: object, host: str | None = None, check: bool = True, limit: float | None = None
) -> "subprocess.CompletedProcess[str]":
    """Run gh, which asks nobody anything, about a repository on a host (default: as gh finds it); return how it ended.

    After more than `limit` seconds (default: never) it is UnansweredError.
    """
    env = {**environment(), "GH_PROMPT_DISABLED": "1", "NO_COLOR": "1", **({"GH_HOST": host} if host else {})}
    done = commands.run("gh", *arguments, cwd=project.root, env=env, check=check, timeout=limit)
    if done.returncode == commands.SILENT:
        raise UnansweredError(f"gh does not answer within {limit} s")
    return done


def read_answer(done: "subprocess.CompletedProcess[str]") -> Any:  # noqa: ANN401 - whatever GitHub says
    """Return the JSON that a gh command has printed, or raise UnansweredError where it has printed none."""
    # None is no answer of GitHub's.
    with suppress(ValueError):
        if not done.returncode and (answer := json.loads(done.stdout)) is not None:
            return answer
    raise UnansweredError(" ".join(done.stderr.split()) or "gh gave no answer")


@dataclass(frozen=True)
class Forge:
    """A repository on GitHub, or on a GitHub Enterprise server; gh may take `limit` seconds for an answer."""

    project: Project
    host: str
    owner: str
    name: str
    limit: float

    @classmethod
    def of(cls, project: Project, address: str, limit: float = LIMIT) -> "Forge | None":
        """Return the repository that a remote's address names, or None where it is no such address."""
        found = ADDRESS.fullmatch(address)
        if not found:
            return None
        # ssh over the https port has a host name of its own.
        host = (found["host"] or found["scp"]).removeprefix("ssh.")
        return None if host in {"localhost", "127.0.0.1"} else cls(project, host, found["owner"], found["name"], limit)

    @property
    def page(self) -> str:
        """The address of its page."""
        return f"https://{self.host}/{self.owner}/{self.name}"

    @property
    def api(self) -> str:
        """The path of what GitHub's API says of it."""
        return f"repos/{self.owner}/{self.name}"

    def runs(self, ref: str) -> str:
        """Return the page of the workflow runs for a branch or a tag."""
        return f"{self.page}/actions/workflows/{self.project.workflow_file}?query=branch%3A{ref.replace('/', '%2F')}"

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run a gh command, or raise UnansweredError where it takes too long."""
        return gh(self.project, *arguments, host=self.host, check=False, limit=self.limit)

    def ask(self, *arguments: str) -> Any:  # noqa: ANN401 - whatever GitHub says
        """Return the JSON that a gh command prints, or raise UnansweredError where it prints none."""
        return read_answer(self.run(*arguments))


def check_github(state: "State", limit: float = LIMIT) -> Iterator[Problem | str]:
    """GitHub would take the release: CI is green, the environment is there, the branch takes a push."""
    forge = Forge.of(state.project, state.push_address, limit)
    questions = {
        "CI's last run of this commit": check_last_run,
        f"the environment {state.project.environments['pypi']}": check_environment,
        f"the rules of {state.branch or 'the branch'}": check_rules,
    }
    if forge is None or (reason := why_unasked(forge)):
        yield f"not checked: {', '.join(questions)} ({reason if forge else 'the remote is not on GitHub'})"
        return
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - not for a refusal of the command line

    with ThreadPoolExecutor() as pool:
        asked = {what: pool.submit(list, question(state, forge)) for what, question in questions.items()}
    for what, answer in asked.items():
        try:
            yield from answer.result()
        except UnansweredError as error:
            yield f"not checked: {what} ({error})"
        except (AttributeError, LookupError, TypeError) as error:
            yield f"not checked: {what} (gh's answer cannot be understood: {type(error).__name__}: {error})"


def why_unasked(forge: Forge) -> str:
    """Return why GitHub is not asked, if it is not."""
    if not shutil.which("gh"):
        return "gh is not installed"
    try:
        signed_out = forge.run("auth", "status", f"--hostname={forge.host}").returncode
    except UnansweredError as error:
        return str(error)
    return f"gh is not signed in; run: gh auth login --hostname {forge.host}" if signed_out else ""


def check_last_run(state: "State", forge: Forge) -> Iterator[Problem]:
    """CI's last run of the commit was green."""
    commit, workflow = state.checkout.head, state.project.workflow_file
    where = (f"--repo={forge.host}/{forge.owner}/{forge.name}", f"--workflow={workflow}", f"--commit={commit}")
    runs = forge.ask("run", "list", *where, "--limit=1", "--json=status,conclusion,url")
    if not runs:
        yield Problem(f"CI has not run on {commit[:10]}", f"push it and wait for {workflow}: {forge.page}/actions")
    elif runs[0]["status"] != "completed":
        yield Problem(f"CI still runs on {commit[:10]}", f"wait for it: {runs[0]['url']}")
    elif runs[0]["conclusion"] != "success":
        what = f"CI's last run on {commit[:10]} ended with {runs[0]['conclusion']}"
        yield Problem(what, f"repair what it says, or run it again: {runs[0]['url']}")


def check_environment(state: "State", forge: Forge) -> Iterator[Problem]:
    """The environment is there that the publish job runs in."""
    name = state.project.environments["pypi"]
    path = f"{forge.api}/environments/{name}"
    try:
        forge.ask("api", path)
    except UnansweredError as error:
        if "404" not in str(error):
            raise
        remedy = f"run: gh api --method PUT {path}; and add reviewers"
        yield Problem(f"the environment {name} is missing on GitHub", remedy)


def check_rules(state: "State", forge: Forge) -> Iterator[Problem]:
    """The branch takes a push without a pull request, unless there is one."""
    kinds = {rule.get("type") for rule in forge.ask("api", f"{forge.api}/rules/branches/{state.branch}")}
    if not state.request.via_pr and kinds & {"pull_request", "required_status_checks", "merge_queue"}:
        yield Problem(f"{state.branch} takes changes by pull request only", "release by one: add VIA=pr")


def list_files(project: Project, built: Path) -> list[Path]:
    """Return all that is released: the artefacts, which are what SHA256SUMS says, and that."""
    source, dist = built / project.sums.name, built / project.dist.name
    raise_problems(check_folder(dist, source))
    artefacts, sums = sorted(dist.iterdir()), read_sums(source)
    if len(artefacts) != len(sums):
        remedy = f"{built} holds {len(artefacts)} files, and its SHA256SUMS names {len(sums)}"
        raise problem("the set is not complete", remedy)
    return [*artefacts, source]


def read_existing(project: Project, release: Release) -> dict[str, Any] | None:
    """Return what GitHub has under the tag, or None. Unless it answers, a second draft could come beside it."""
    asked = gh(project, "release", "view", release.tag, "--json=isDraft,assets,url", check=False)
    if asked.returncode and "release not found" in asked.stderr:
        return None
    try:
        return dict(read_answer(asked))
    except (TypeError, ValueError, UnansweredError) as error:
        what = f"gh cannot say whether {release.tag} is released: {error}"
        raise problem(what, "once it can, run this again") from error


def check_public(existing: dict[str, Any], paths: list[Path]) -> None:
    """Make sure that a public release, which cannot be changed, has the same files."""
    there = {asset["name"]: asset.get("digest") for asset in existing["assets"]}
    if there != {path.name: f"sha256:{sha256(path.read_bytes())}" for path in paths}:
        what = f"{existing['url']} is public already, with other files than these"
        raise problem(what, "compare its files with SHA256SUMS; PyPI's are right. It is not changed")


def publish(project: Project, release: Release, paths: list[Path]) -> None:
    """Make the draft with all files, and then make it public."""
    section = files.section_of(project.read, release)
    if section is None:
        raise problem(f"{files.changelog(project.read)} has no section for {release.text}", "check out the tag")
    names = ("--format=%(refname:lstrip=2)", f"refs/tags/{stem(release.package)}v*")
    tags = project.checkout.ask("for-each-ref", *names).split("\n")
    versions = [version_of_tag(tag, release.package) for tag in tags]
    # The latest is the greatest final version of all tags.
    greater = [each for each in versions if each and not each.is_prerelease and each > release.version]
    # There is one latest release, the repository's own package's.
    latest = not (release.package or release.is_prerelease or greater)
    kind = (f"--prerelease={str(release.is_prerelease).lower()}", f"--latest={str(latest).lower()}")
    with tempfile.TemporaryDirectory() as folder:
        notes = Path(folder) / "notes.md"
        # The heading is the release's title.
        notes.write_text(section.split("\n", 1)[1].strip() + "\n", encoding="utf-8")
        create = ("--draft", "--verify-tag", f"--title={release.title}", f"--notes-file={notes}", kind[0])
        gh(project, "release", "create", release.tag, *create, *paths)
    gh(project, "release", "edit", release.tag, "--draft=false", *kind)


def github_release(project: Project, words: list[str]) -> None:
    """Release, or find that it is released."""
    parser = Parser("github-release", "Release on GitHub what is published.")
    parser.take("FROM", "the folder of dist/ and SHA256SUMS; default: this one", first=True, type=Path)
    built = parser.read(words).get("FROM", project.folder)
    try:
        release = Release.parse(files.standing(project.read), project.package)
    except ValueError as error:
        raise problem(str(error), "check out the tag") from error
    paths = list_files(project, built)
    existing = read_existing(project, release)
    if existing and not existing["isDraft"]:
        check_public(existing, paths)
        out.print(f"{release.tag} is released already: {existing['url']}")
        return
    if existing:
        gh(project, "release", "delete", release.tag, "--yes")
    publish(project, release, paths)
    out.print(f"{release.tag} is released, with {len(paths)} files")
