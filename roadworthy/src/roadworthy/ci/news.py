"""Does a pull request that changes what users get bring a news fragment, and are all fragments fit for a release?

The pull request of a release brings none: it turns the waiting ones into a section. A change that no user can notice
says so in one of its commit messages, on a line of its own at the end: `Changelog: none`.
"""

from collections.abc import Iterator

from roadworthy.arguments import Parser
from roadworthy.project import Project
from roadworthy.repository import Repository
from roadworthy.terminal import Problem, ProblemsError, out, problem

# What is in a wheel.
SHIPPED = ("python/", "src/")


def find_base(checkout: Repository, name: str) -> str:
    """Return the commit at which this branch left `name`.

    Raises:
        ProblemsError: There is no such branch, or nothing in common with it.
    """
    found = checkout.run("merge-base", "--end-of-options", name, "HEAD")
    if found.returncode:
        remedy = "fetch it with its history (git fetch --unshallow; actions/checkout: fetch-depth: 0), or set BASE="
        raise problem(f"there is no commit that {name} and this branch have in common", remedy)
    return found.stdout.strip()


def is_release(checkout: Repository, base: str) -> str | None:
    """Return the version if this branch brings its release: the version in all files, and its section."""
    from roadworthy.releasing import files  # noqa: PLC0415 - not for a refusal of the command line
    from roadworthy.releasing.state import commit_reader  # noqa: PLC0415
    from roadworthy.releasing.version import Release  # noqa: PLC0415

    head, before = commit_reader(checkout, "HEAD"), commit_reader(checkout, base)
    version = files.versions(head)["pyproject.toml"]
    try:
        release = Release.parse(version)
    except ValueError:
        return None
    return version if files.has_release(head, release) and not files.has_release(before, release) else None


def find_problems(project: Project, base: str, name: str) -> Iterator[Problem]:
    """Find what is wrong with the news of the commits since `base`."""
    from roadworthy.releasing import files  # noqa: PLC0415 - not for a refusal of the command line

    read, ask = files.reader(project.root), project.checkout.ask
    types = files.fragment_types(read)
    directory = files.table(read)["directory"]
    tracked = set(ask("ls-files", "-z", directory).split("\0"))
    for path in files.list_fragments(project.root, read):
        yield from files.check_fragment(path, types)
        if f"{directory}/{path.name}" not in tracked:
            yield Problem(f"{directory}/{path.name} is not tracked by git", f"run: git add {directory}/{path.name}")
    diff = ("diff", "--name-only", "--no-renames", "--no-ext-diff", "-z", f"{base}..HEAD")
    changed = ask(*diff).rstrip("\0").split("\0")
    written = ask(*diff[:2], "--diff-filter=AM", *diff[2:], "--", directory).rstrip("\0")
    shipped = [path for path in changed if path.startswith(SHIPPED)]
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
    if version := is_release(project.checkout, base):
        out.print(f"this is the release of {version}: its news are in CHANGELOG.md")
    elif problems := list(find_problems(project, base, name)):
        raise ProblemsError(problems)
