"""Making the release's commit and tag in the throw-away clone, and the plan that says what they are."""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from roadworthy import processes as commands
from roadworthy.building.toolchain import GROUPS, host_triple
from roadworthy.processes import venv_bin
from roadworthy.project import HERE
from roadworthy.releasing import files
from roadworthy.releasing.state import Situation, commit_reader
from roadworthy.releasing.version import Release
from roadworthy.repository import Repository
from roadworthy.terminal import Problem, ProblemsError, problem, step

BUMPED = "1 1"


@dataclass(frozen=True)
class Plan:
    """What a release is: computed before anything is pushed, and pushed as it is.

    `refs` maps each ref of the remote to the object that it will be: nothing else is written there.
    """

    release: Release
    remote: str
    branch: str
    parent: str
    commit: str
    tag: str
    message: str
    annotation: str
    diff: str
    section: str
    refs: dict[str, str]
    built_here: tuple[str, ...]
    built_by_ci: tuple[str, ...]


def commit_moment(clone: Repository) -> str:
    """Return the time that git would write into a commit now: seconds since 1970, and the offset from UTC."""
    return " ".join(clone.ask("var", "GIT_COMMITTER_IDENT").split()[-2:])


def tool(clone: Repository, name: str, *arguments: str) -> None:
    """Run one of the tools of .venv in the clone.

    Raises:
        ProblemsError: It failed; its message is shown.
    """
    env = commands.tool_environment(clone.environment())
    done = commands.run(venv_bin(name), *arguments, cwd=clone.folder, env=env, check=False)
    if done.returncode:
        # Without the frame that is drawn around it.
        said = " ".join(re.sub(r"[\u2500-\u257f]+", " ", commands.tail(done, 10)).split())
        raise problem(f"{name} failed: {said}", "nothing was changed; repair what it names")


def edit(clone: Repository, release: Release, moment: str) -> None:
    """Bump the version, lock it, and write the changelog's section."""
    if files.versions(files.reader(clone.folder))["pyproject.toml"] != release.text:
        tool(clone, "bump-my-version", "bump", f"--new-version={release.text}", "--no-commit", "--no-tag")
        env = commands.tool_environment(clone.environment())
        commands.run("cargo", "update", "--workspace", "--offline", "--quiet", cwd=clone.folder, env=env)
    day = datetime.fromtimestamp(int(moment.split(maxsplit=1)[0]), timezone.utc).date().isoformat()
    # A pre-release leaves the fragments to the final release, which consumes them.
    fragments = "--keep" if release.is_prerelease else "--yes"
    tool(clone, "towncrier", "build", f"--version={release.text}", f"--date={day}", fragments)


def expected_changes(clone: Repository, release: Release) -> dict[str, str]:
    """Map each file that the release may change to the lines it may add and take away."""
    read = commit_reader(clone, "HEAD")
    expected = {}
    if files.versions(read)["pyproject.toml"] != release.text:
        expected = dict.fromkeys(files.VERSION_FILES, BUMPED)
        for name in files.bumped_too(read):
            expected[name] = count_edits(read(name), files.reader(clone.folder)(name))
    if not release.is_prerelease:
        directory = files.table(read)["directory"]
        kept = set(files.table(read)["ignore"])
        tracked = clone.ask("ls-files", "-z", "--full-name", "--with-tree=HEAD", directory).rstrip("\0").split("\0")
        for name in tracked:
            if Path(name).name not in kept:
                expected[name] = f"0 {count_lines(read(name))}"
    section = files.section_of(files.reader(clone.folder)(files.CHANGELOG), release.version)
    if section is not None:
        before, after = (count_lines(text(files.CHANGELOG)) for text in (read, files.reader(clone.folder)))
        expected[files.CHANGELOG] = f"{after - before} 0"
    return expected


def count_edits(before: str, after: str) -> str:
    """Return how many lines were added and removed, as git counts them, if some were edited and all others kept."""
    edited = sum(one != other for one, other in zip(before.splitlines(), after.splitlines(), strict=False))
    return f"{edited} {edited}"


def count_lines(text: str) -> int:
    """Count lines as git does: each ends with a line feed, but perhaps the last."""
    return text.count("\n") + (text != "" and not text.endswith("\n"))


def check_edits(clone: Repository, release: Release) -> Iterator[Problem]:
    """Compare what the tools wrote with what was asked for: the versions, the section, the lines that changed."""
    read = files.reader(clone.folder)
    remedy = "nothing was pushed; compare [tool.bumpversion] and [tool.towncrier] in pyproject.toml with the template"
    for file, version in files.versions(read).items():
        if version != release.text:
            yield Problem(f"{file} says {version} after the edits, and not {release.text}", remedy)
    section = files.section_of(read(files.CHANGELOG), release.version)
    if section is None or len(section.splitlines()) < 2:  # noqa: PLR2004 - a heading alone tells nothing
        yield Problem(f"{files.CHANGELOG} has no section for {release.text} after the edits", remedy)
    counted = clone.ask("diff", "--cached", "--numstat", "--no-renames", "--no-ext-diff", "--no-textconv", "-z")
    rows = (row.split("\t") for row in counted.rstrip("\0").split("\0"))
    changed = {name: f"{added} {removed}" for added, removed, name in rows}
    expected = expected_changes(clone, release)
    for name in sorted({*changed, *expected}):
        if changed.get(name) != expected.get(name):
            found, wanted = changed.get(name, "0 0"), expected.get(name, "0 0")
            yield Problem(f"{name} changed by {found} lines (added, removed), and not by {wanted}", remedy)


def commit(clone: Repository, release: Release, moment: str) -> str:
    """Commit what the tools wrote, after a comparison with what they were to write; return the commit.

    Raises:
        ProblemsError: They wrote something else.
    """
    clone.run("add", "--all", "--", ".", check=True)
    if problems := list(check_edits(clone, release)):
        raise ProblemsError(problems)
    dates = {"GIT_AUTHOR_DATE": f"@{moment}", "GIT_COMMITTER_DATE": f"@{moment}"}
    message = ("--no-verify", "--cleanup=whitespace", f"--message={message_of(release)}")
    clone.run("commit", "--quiet", *message, check=True, env=dates)
    return clone.ask("rev-parse", "HEAD")


def message_of(release: Release) -> str:
    """Return the subject of the release's commit."""
    return f"Release {release.text}"


def make_tag(clone: Repository, release: Release, annotation: str, moment: str) -> str:
    """Make the annotated tag for the commit that is checked out, signed if git is configured so; return its object."""
    # Verbatim: a heading of the section is no comment.
    message = ("--annotate", "--cleanup=verbatim", f"--message={annotation}\n")
    dates = {"GIT_COMMITTER_DATE": f"@{moment}"}
    clone.run("tag", *message, release.tag, "HEAD", check=True, env=dates)
    return clone.ask("rev-parse", f"refs/tags/{release.tag}")


def expected_artefacts(release: Release) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the names of what this machine builds of the release, and of what CI builds."""
    names = {
        triple: tuple(HERE.wheel_name(python, triple, release.version) for python in HERE.python_tags)
        for triple in HERE.platform_tags
    }
    sdist = (HERE.sdist_name(release.version),)
    everything = sdist + tuple(wheel for wheels in names.values() for wheel in wheels)
    return sdist + names.get(host_triple(HERE), ()), everything


def prepare(situation: Situation) -> Plan:
    """Make the commit and the tag in the clone, or find the commit that a pull request brought, and return the plan.

    Raises:
        ProblemsError: A tool wrote something else than it was to write.
    """
    clone, request = situation.clone, situation.request
    release, parent = request.release, situation.checkout.head
    moment = commit_moment(clone)
    clone.run("checkout", "--quiet", "--detach", "--force", situation.merged or parent, check=True)
    if situation.merged:
        parent = made = situation.merged
    else:
        edit(clone, release, moment)
        made = commit(clone, release, moment)
    section = files.section_of(files.reader(clone.folder)(files.CHANGELOG), release.version) or ""
    annotation = f"{HERE.name} {release.text}\n\n{section.split(chr(10), 1)[1].strip()}"
    pulls = request.via_pr and not situation.merged
    tag = "" if pulls else make_tag(clone, release, annotation, moment)
    refs = {} if situation.merged else {f"refs/heads/{release.branch if pulls else situation.branch}": made}
    if tag:
        refs[f"refs/tags/{release.tag}"] = tag
    here, everywhere = expected_artefacts(release)
    diff = ("diff", "--no-color", "--no-ext-diff", "--no-textconv", "--no-renames", "--unified=1", parent, made)
    return Plan(
        release=release,
        remote=situation.remote.name,
        branch=situation.branch,
        parent=parent,
        commit=made,
        tag=tag,
        message=clone.ask("log", "-1", "--format=%s", made),
        annotation=annotation,
        diff=clone.ask(*diff),
        section=section,
        refs=refs,
        built_here=here,
        built_by_ci=everywhere,
    )


def prove(situation: Situation) -> None:
    """Build, check and verify the artefacts of the commit in the clone, with the commit's own scripts.

    Raises:
        ProblemsError: One of them failed.
    """
    clone, folder = situation.clone, situation.clone.folder.parent / "tmp"
    folder.mkdir(exist_ok=True)
    # Temporary files go where the next release finds them, should this one be killed.
    env = {**commands.tool_environment(clone.environment()), **dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(folder))}
    # The engine of that commit, and not the one that .venv has from the checkout.
    env["PYTHONPATH"] = str(clone.folder / "roadworthy" / "src")
    python = environment_for(clone, env)
    for title, *command in (
        ("build the sdist and this machine's wheels", "scripts/build.py"),
        ("check them as PyPI would", "-m", "roadworthy", "check", "--host"),
        ("install and test them in clean environments", "scripts/verify_install.py"),
    ):
        with step(title):
            done = commands.run(python, *command, cwd=clone.folder, env=env, check=False)
        if done.returncode:
            remedy = "nothing was pushed; repair it, commit, push, and release again"
            raise problem(f"the release's commit fails at: {title}", remedy, commands.tail(done))


def environment_for(clone: Repository, env: dict[str, str]) -> str:
    """Return the Python of an environment with the commit's own tools: this one, unless it locks others."""
    locks = [f"requirements/{group}.txt" for group in GROUPS]
    if all((clone.folder / lock).read_bytes() == (HERE.root / lock).read_bytes() for lock in locks):
        return sys.executable
    commands.run(sys.executable, "scripts/bootstrap.py", *GROUPS, cwd=clone.folder, env=env)
    return str(clone.folder / ".venv" / venv_bin("python").relative_to(sys.prefix))
