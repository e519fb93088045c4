"""Does a pull request that changes what users get bring a news fragment, and are all fragments fit for a release?

The pull request of a release brings none: it turns the waiting ones into a section. A change that no user can notice
says so in one of its commit messages, on a line of its own at the end: `Changelog: none`.
"""

from collections.abc import Iterator

from roadworthy.arguments import Parser
from roadworthy.project import Project
from roadworthy.releasing import files
from roadworthy.releasing.state import commit_reader
from roadworthy.releasing.version import Release
from roadworthy.repository import Repository
from roadworthy.terminal import Problem, out, problem, raise_problems


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


def main(project: Project, words: list[str]) -> None:
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
