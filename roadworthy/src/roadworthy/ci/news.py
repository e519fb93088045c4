"""Does a pull request that changes what users get bring a news fragment, and are all fragments fit for a release?

The pull request of a release brings none: it turns the waiting ones into a section. A change that no user can notice
says so in one of its commit messages, on a line of its own at the end: `Changelog: none`.
"""

import argparse
from collections.abc import Iterator

from roadworthy.project import HERE
from roadworthy.releasing import files
from roadworthy.releasing.state import commit_reader
from roadworthy.releasing.version import Release
from roadworthy.terminal import Problem, ProblemsError, out, problem

# What is in a wheel.
SHIPPED = ("python/", "src/")


def find_base(name: str) -> str:
    """Return the commit at which this branch left `name`.

    Raises:
        ProblemsError: There is no such branch, or nothing in common with it.
    """
    found = HERE.checkout.run("merge-base", "--end-of-options", name, "HEAD")
    if found.returncode:
        remedy = "fetch it with its history (git fetch --unshallow; actions/checkout: fetch-depth: 0), or set BASE="
        raise problem(f"there is no commit that {name} and this branch have in common", remedy)
    return found.stdout.strip()


def is_release(base: str) -> str | None:
    """Return the version if this branch brings its release: the version in all files, and its section."""
    head, before = commit_reader(HERE.checkout, "HEAD"), commit_reader(HERE.checkout, base)
    version = files.versions(head)["pyproject.toml"]
    try:
        release = Release.parse(version)
    except ValueError:
        return None
    return version if files.has_release(head, release) and not files.has_release(before, release) else None


def find_problems(base: str, name: str) -> Iterator[Problem]:
    """Find what is wrong with the news of the commits since `base`."""
    read = files.reader(HERE.root)
    types = files.fragment_types(read)
    directory = files.table(read)["directory"]
    tracked = set(HERE.checkout.ask("ls-files", "-z", directory).split("\0"))
    for path in files.list_fragments(HERE.root, read):
        yield from files.check_fragment(path, types)
        if f"{directory}/{path.name}" not in tracked:
            yield Problem(f"{directory}/{path.name} is not tracked by git", f"run: git add {directory}/{path.name}")
    diff = ("diff", "--name-only", "--no-renames", "--no-ext-diff", "-z", f"{base}..HEAD")
    changed = HERE.checkout.ask(*diff).rstrip("\0").split("\0")
    written = HERE.checkout.ask(*diff[:2], "--diff-filter=AM", *diff[2:], "--", directory).rstrip("\0")
    shipped = [path for path in changed if path.startswith(SHIPPED)]
    trailers = HERE.checkout.ask("log", "--format=%(trailers:key=Changelog,valueonly)", f"{base}..HEAD").lower().split()
    if shipped and not written and "none" not in trailers:
        yield Problem(
            f"since {name} this branch changes what users get ({', '.join(shipped[:3])}), and tells them nothing",
            f"write {directory}/<issue>.<type>.md or {directory}/+<word>.<type>.md ({directory}/README.md says how); "
            "or, where no user can notice, end a commit message with the line: Changelog: none",
        )


def main() -> None:
    """Check, and end with every problem."""
    parser = argparse.ArgumentParser(description="Check that a change for users brings a news fragment.")
    parser.add_argument("--base", default="origin/HEAD", help="the branch it will be merged into; default: origin's")
    name = parser.parse_args().base
    HERE.checkout.require_checkout()
    base = find_base(name)
    if version := is_release(base):
        out.print(f"this is the release of {version}: its news are in CHANGELOG.md")
    elif problems := list(find_problems(base, name)):
        raise ProblemsError(problems)
