"""What is this run of CI about? Is the tag a release's, and does anything but documents change?

The first job of CI.yml. What it finds goes to the other jobs as outputs: `version`, under which the artefacts are
built, and `code`, which is "false" where only documents change. On a laptop it says the same of what is checked out.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from roadworthy.arguments import Parser
from roadworthy.project import Project
from roadworthy.repository import Repository
from roadworthy.runner import set_outputs, summarise
from roadworthy.terminal import Problem, ProblemsError

if TYPE_CHECKING:
    from roadworthy.releasing.version import Release

# What no test but those of `make lint` and `make test` looks at, and no wheel but its description holds.
DOCUMENTS = re.compile(r"[^/]+\.md|docs/.+|changelog\.d/.+\.md|\.github/(?!workflows/).+\.(?:md|yml)")
NO_COMMIT = "0" * 40


@dataclass(frozen=True)
class Run:
    """What GitHub says of a run; on a laptop, that a branch was pushed."""

    event: str
    ref: str
    number: str
    before: str
    default_branch: str

    @classmethod
    def read(cls) -> "Run":
        """Read the environment of a step, in which CI.yml adds `BEFORE` and `DEFAULT_BRANCH`."""
        given = os.environ.get
        return cls(
            event=given("GITHUB_EVENT_NAME", "push"),
            ref=given("GITHUB_REF", "refs/heads/main"),
            number=given("GITHUB_RUN_NUMBER", "1"),
            before=given("BEFORE", ""),
            default_branch=given("DEFAULT_BRANCH") or "main",
        )

    @property
    def tag(self) -> str | None:
        """The tag whose push started the run. A manual run for a tag is not one."""
        return (
            self.ref.removeprefix("refs/tags/") if self.event == "push" and self.ref.startswith("refs/tags/") else None
        )


def changed_files(checkout: Repository, run: Run) -> list[str] | None:
    """Return the paths that a push or a pull request changes; None where that cannot be told."""
    if run.event == "pull_request":
        # What is checked out is the merge of both sides.
        base = "HEAD^1"
    elif run.event == "push" and run.tag is None and run.before not in ("", NO_COMMIT):
        base = run.before
    else:
        return None
    diff = ("diff", "--name-only", "--no-renames", "--no-ext-diff", "-z", "--end-of-options", f"{base}..HEAD")
    listed = checkout.run(*diff)
    # The commit before a push with force is gone.
    return None if listed.returncode else listed.stdout.rstrip("\0").split("\0")


def changes_code(checkout: Repository, run: Run) -> bool:
    """Say whether anything but documents changes, or might."""
    changed = changed_files(checkout, run)
    return changed is None or not all(DOCUMENTS.fullmatch(path) for path in changed)


def version_of(run: Run, release: "Release") -> str:
    """Return the version of the run's artefacts: a manual run's is a development version of the next patch.

    A file name can be used once on TestPyPI too, so it holds the number of the run, which is never the same again.
    """
    if run.event != "workflow_dispatch":
        return release.text
    major, minor, patch = (*release.version.release, 0, 0)[:3]
    return f"{major}.{minor}.{patch + 1}-dev{run.number}"


def branches_with_head(checkout: Repository) -> list[str]:
    """Return the remote's branches that have the commit."""
    listed = checkout.ask("branch", "--remotes", "--format=%(refname:lstrip=3)", "--contains=HEAD")
    return [branch for branch in listed.split("\n") if branch not in ("", "HEAD")]


def check_tag(project: Project, tag: str, default_branch: str) -> Iterator[Problem]:
    """Find what speaks against publishing a tag: it is to be the release that its commit is."""
    from roadworthy.releasing import files  # noqa: PLC0415 - not for a refusal of the command line
    from roadworthy.releasing.version import Release, belongs_to  # noqa: PLC0415

    remedy = "it publishes nothing: leave it, or delete it where the tags' rules allow; `make release` makes good ones"
    try:
        release = Release.parse(tag.removeprefix("v"))
    except ValueError as error:
        yield Problem(f"the tag {tag} is no release's: {error}", remedy)
        return
    read = files.reader(project.root)
    for file, version in files.versions(read).items():
        if version != release.text:
            yield Problem(f"the tag is {tag}, and {file} says {version}", remedy)
    if files.section_of(read(files.CHANGELOG), release.version) is None:
        yield Problem(f"{files.CHANGELOG} has no section for {release.text}", remedy)
    branches = branches_with_head(project.checkout)
    if not any(branch == default_branch or belongs_to(branch, release.version) for branch in branches):
        where = f"it is on {', '.join(branches)}" if branches else "it is on no branch"
        yield Problem(f"the commit of {tag} is not on {default_branch}, nor on its maintenance line: {where}", remedy)


def identify(project: Project, run: Run) -> dict[str, str]:
    """Return the outputs.

    Raises:
        ProblemsError: The tag is not to be published.
    """
    from roadworthy.releasing import files  # noqa: PLC0415 - not for a refusal of the command line
    from roadworthy.releasing.version import Release  # noqa: PLC0415

    if run.tag and (problems := list(check_tag(project, run.tag, run.default_branch))):
        raise ProblemsError(problems)
    release = Release(files.standing(files.reader(project.root)))
    return {"version": version_of(run, release), "code": "true" if changes_code(project.checkout, run) else "false"}


def main(project: Project, words: list[str]) -> None:
    """Identify, and tell the runner."""
    Parser("identify", "Say what a run of CI is about.").read(words)
    from roadworthy.releasing.version import Release  # noqa: PLC0415 - not for a refusal of the command line

    project.checkout.require_checkout()
    run = Run.read()
    outputs = identify(project, run)
    set_outputs(outputs)
    kind = "pre-release" if Release(outputs["version"]).is_prerelease else "final"
    about = {"event": f"{run.event} of {run.ref}", "commit": project.checkout.ask("rev-parse", "HEAD"), "kind": kind}
    summarise("What this run is about", ["what", "value"], {**about, **outputs}.items())
