"""What is this run of CI about, and does a change for users bring its news?

`identify` is the first job of CI.yml: is the tag a release's, and does anything but documents change? What it finds is
handed to the other jobs as outputs: `version`, under which the artefacts are built, and `code`, which is "false" where
only documents change. On a laptop it says the same of what is checked out. The other jobs stamp that version into the
files, in the runner's checkout and nowhere else. Only a manual run's is another than the one that stands there. No
commit is made, and `make release` refuses such a version.

`check-news` is for pull requests. That of a release brings no news: it turns the waiting fragments into a section. A
change that no user can notice says so in one of its commit messages, on a line of its own: `Changelog: none`.
"""

import os
import re
from collections.abc import Iterator

from roadworthy import processes as commands
from roadworthy.arguments import Parser
from roadworthy.processes import venv_bin
from roadworthy.project import Project
from roadworthy.releasing import files
from roadworthy.releasing.state import commit_reader
from roadworthy.releasing.version import NUMBER, Release, stem
from roadworthy.repository import Repository
from roadworthy.terminal import Problem, out, problem, raise_problems, set_outputs, summarise

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


def identify(project: Project, words: list[str]) -> None:
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


def find_base(checkout: Repository, name: str) -> str:
    """Return the commit at which this branch left `name`."""
    if checkout.run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}").returncode:
        remedy = "run: git fetch origin; and: git remote set-head origin --auto; or name the branch with BASE="
        raise problem(f"there is no {name} here to compare this branch with", remedy)
    found = checkout.run("merge-base", "--end-of-options", name, "HEAD")
    if found.returncode:
        remedy = "fetch it with its history (git fetch --unshallow; actions/checkout: fetch-depth: 0), or set BASE="
        raise problem(f"there is no commit that {name} and this branch have in common", remedy)
    return found.stdout.strip()


def is_release(project: Project, base: str) -> str | None:
    """Return the version if this branch brings its release: the version in all files, and its section."""
    head, before = (project.below(commit_reader(project.checkout, each)) for each in ("HEAD", base))
    try:
        release = Release.parse(files.versions(head)["pyproject.toml"])
    except ValueError:
        return None
    return release.text if files.has_release(head, release) and not files.has_release(before, release) else None


def find_problems(project: Project, base: str, name: str) -> Iterator[Problem]:
    """Find what is wrong with the news of the commits since `base`."""
    ask, directory = project.checkout.ask, files.table(project.read)["directory"]
    tracked = ask("-C", project.folder, "ls-files", "-z", directory).split("\0")[:-1]
    yield from files.check_fragments(project.folder, tracked, project.read)
    directory = project.path(directory)
    diff = ("diff", "--name-only", "--no-renames", "--no-ext-diff", "-z")
    changed = ask(*diff, f"{base}..HEAD").rstrip("\0").split("\0")
    written = ask(*diff, "--diff-filter=AM", f"{base}..HEAD", "--", directory).rstrip("\0")
    # What is in a wheel: the modules, and the crate.
    folders = tuple(project.path(f"{name}/") for name in dict.fromkeys((project.source, "src")))
    shipped = [path for path in changed if path.startswith(folders)]
    trailers = ask("log", "--format=%(trailers:key=Changelog,valueonly)", f"{base}..HEAD").lower().split()
    if shipped and not written and "none" not in trailers:
        yield Problem(
            f"since {name} this branch changes what users get ({', '.join(shipped[:3])}), and tells them nothing",
            f"write {directory}/<issue>.<type>.md or {directory}/+<word>.<type>.md ({directory}/README.md says how); "
            "or, where no user can notice, end a commit message with the line: Changelog: none",
        )


def check_news(project: Project, words: list[str]) -> None:
    """Check, and end with every problem."""
    parser = Parser("check-news", "Check that a change for users brings a news fragment.")
    parser.take("BASE", "the branch it will be merged into; default: origin's", first=True)
    name = parser.read(words).get("BASE", "origin/HEAD")
    project.checkout.require_checkout()
    base = find_base(project.checkout, name)
    if version := is_release(project, base):
        out.print(f"this is the release of {version}: its news are in {files.changelog(project.read)}")
    else:
        raise_problems(find_problems(project, base, name))
