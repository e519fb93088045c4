"""What is this run of CI about? Is the tag a release's, and does anything but documents change?

The first job of CI.yml. What it finds goes to the other jobs as outputs: `version`, under which the artefacts are
built, and `code`, which is "false" where only documents change. On a laptop it says the same of what is checked out.

The other jobs stamp that version into the files, in the runner's checkout and nowhere else. Only a manual run's is
another than the one that stands there. No commit is made, and `make release` refuses such a version.
"""

import os
import re
from collections.abc import Iterator

from roadworthy import processes as commands
from roadworthy.arguments import Parser
from roadworthy.processes import venv_bin
from roadworthy.project import Project
from roadworthy.releasing import files
from roadworthy.releasing.version import NUMBER, Release, stem
from roadworthy.repository import Repository
from roadworthy.terminal import Problem, problem, raise_problems, set_outputs, summarise

# What no test but those of `make lint` and `make test` looks at, and no wheel but its description holds.
DOCUMENTS = re.compile(r"[^/]+\.md|docs/.+|changelog\.d/.+\.md|\.github/(?!workflows/|actions/).+\.(?:md|yml)")
DEVELOPMENT = re.compile(rf"{NUMBER}\.{NUMBER}\.{NUMBER}-dev[1-9][0-9]{{0,8}}")


def changes_code(checkout: Repository, base: str) -> bool:
    """Say whether anything but documents changes since a commit, or might."""
    diff = ("diff", "--name-only", "--no-renames", "--no-ext-diff", "-z", "--end-of-options", f"{base}..HEAD")
    listed = checkout.run(*diff)
    # The commit before a push with force is gone; before the first one of a branch, its name was nothing but zeros.
    return listed.returncode != 0 or not all(map(DOCUMENTS.fullmatch, listed.stdout.rstrip("\0").split("\0")))


def check_tag(project: Project, tag: str, default_branch: str) -> Iterator[Problem]:
    """Find what speaks against publishing a tag: it is to be the release that its commit is."""
    remedy = "it publishes nothing: leave it, or delete it where the tags' rules allow; `make release` makes good ones"
    try:
        release = Release.parse(tag.removeprefix(f"{stem(project.package)}v"), project.package)
    except ValueError as error:
        yield Problem(f"the tag {tag} is no release's: {error}", remedy)
        return
    for file, version in files.versions(project.read).items():
        if version != release.text:
            yield Problem(f"the tag is {tag}, and {file} says {version}", remedy)
    if files.section_of(project.read, release) is None:
        yield Problem(f"{files.changelog(project.read)} has no section for {release.text}", remedy)
    listed = project.checkout.ask("for-each-ref", "--format=%(refname:lstrip=3)", "--contains=HEAD", "refs/remotes/")
    branches = [branch for branch in listed.split("\n") if branch not in ("", "HEAD")]
    if not any(branch == default_branch or release.of_line(branch) for branch in branches):
        where = f"it is on {', '.join(branches)}" if branches else "it is on no branch"
        yield Problem(f"the commit of {tag} is not on {default_branch}, nor on its maintenance line: {where}", remedy)


def main(project: Project, words: list[str]) -> None:
    """Identify, and tell the runner, unless it is a tag that is not to be published."""
    Parser("identify", "Say what a run of CI is about.").read(words)
    project.checkout.require_checkout()
    # On a laptop it is as if a branch was pushed, and nothing is known of what was there before.
    given = os.environ.get
    event, ref = given("GITHUB_EVENT_NAME", "push"), given("GITHUB_REF", "refs/heads/main")
    # A manual run for a tag publishes none.
    tag = ref.removeprefix("refs/tags/") if event == "push" and ref.startswith("refs/tags/") else ""
    raise_problems(check_tag(project, tag, given("DEFAULT_BRANCH") or "main") if tag else ())
    release = Release(files.standing(project.read), project.package)
    if event == "workflow_dispatch":
        # A file name can be used once on TestPyPI too, so it holds the number of the run, which never comes again.
        version, number = release.version, given("GITHUB_RUN_NUMBER", "1")
        release = Release(f"{version.major}.{version.minor}.{version.micro + 1}-dev{number}")
    # What is checked out for a pull request is the merge of both sides.
    base = {"pull_request": "HEAD^1", "push": "" if tag else given("BEFORE", "")}.get(event, "")
    code = "true" if not base or changes_code(project.checkout, base) else "false"
    outputs = {"version": release.text, "code": code}
    set_outputs(outputs)
    kind = "pre-release" if release.is_prerelease else "final"
    about = {"event": f"{event} of {ref}", "commit": project.checkout.ask("rev-parse", "HEAD"), "kind": kind}
    summarise("What this run is about", ["what", "value"], {**about, **outputs}.items())


def stamp(project: Project, words: list[str]) -> None:
    """Write a development version into all three files; the version that stands there is left alone."""
    parser = Parser("stamp", "Write a development version into the files.")
    wanted = parser.take("VERSION", "such as 0.2.2-dev7", first=True, required=True).read(words)["VERSION"]
    current = files.standing(project.read)
    if wanted == current:
        return
    if not DEVELOPMENT.fullmatch(wanted):
        remedy = "VERSION is X.Y.Z-devN; for a release, run: make release"
        raise problem(f"{wanted!r} is neither this version, {current}, nor a development version", remedy)
    env = commands.tool_environment(os.environ)
    bump = ("bump", f"--new-version={wanted}", "--no-commit", "--no-tag")
    commands.run(venv_bin("bump-my-version"), *bump, cwd=project.folder, env=env)
    lock = ("cargo", "update", "--workspace", "--quiet")
    if files.has_crate(project.read):
        offline = commands.run(*lock, "--offline", cwd=project.root, env=env, check=False)
        if offline.returncode:
            # A fresh machine knows none of the locked crates yet.
            commands.run(*lock, cwd=project.root, env=env)
    if set(files.versions(project.read).values()) != {wanted}:
        raise problem(f"the files do not say {wanted} after the edits", "compare [tool.bumpversion] with the template")
