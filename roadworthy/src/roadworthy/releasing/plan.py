"""Making the release's commit and tag in the staging clone, the plan that says what they are, and their proof."""

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from difflib import SequenceMatcher

from roadworthy import processes as commands
from roadworthy.building.toolchain import GROUPS, host_triple
from roadworthy.processes import venv_bin
from roadworthy.project import Project
from roadworthy.releasing import files
from roadworthy.releasing.state import State, commit_reader
from roadworthy.releasing.version import Release
from roadworthy.repository import Repository
from roadworthy.terminal import Problem, out, problem, raise_problems, step

# Writes the release of a state into its clone; the day is the one of its commit, such as 2030-03-17.
Writer = Callable[[State, str], None]
# By the file that may change: by how many lines, added and removed.
Lines = Mapping[str, tuple[int, int]]
# What GitHub takes for the text of a release, in characters.
LONGEST = 125_000
# Returns that, from the state and the reader of what was written.
Expectation = Callable[[State, files.Reader], Lines]


@dataclass(frozen=True)
class Plan:
    """What a release is: computed before anything is pushed, and pushed as it is."""

    refs: dict[str, str]  # what each ref of the remote will be: nothing else is written there
    parts: dict[str, str]  # all that is told about it before, by their titles

    def show(self) -> None:
        """Print everything that is going to happen, on stdout, without any colour: it may be compared."""
        for title, text in self.parts.items():
            lines = "\n".join(f"  {line}".rstrip() for line in text.rstrip().split("\n"))
            # As it is: a console would turn tabs into spaces, and `:rocket:` into a picture.
            out.write(f"{title}:\n{lines}\n\n")


def make_plan(state: State, write: Writer, expect: Expectation) -> Plan:
    """Make the commit and the tag in the clone, or find the commit that a pull request brought, and return the plan."""
    clone, release, parent = state.clone, state.release, state.checkout.head
    # What git would write into a commit now: seconds since 1970, and the offset from UTC.
    moment = " ".join(clone.ask("var", "GIT_COMMITTER_IDENT").split()[-2:])
    clone.run("checkout", "--quiet", "--detach", "--force", state.merged or parent, check=True)
    if state.merged:
        parent = made = state.merged
    else:
        changelog = state.folder / files.changelog(state.read)
        ends = b"\r\n" if b"\r\n" in changelog.read_bytes() else b"\n"
        write(state, datetime.fromtimestamp(int(moment.split()[0]), timezone.utc).date().isoformat())
        # towncrier writes line feeds, whatever there was.
        changelog.write_bytes(changelog.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", ends))
        made = commit(state, expect, moment)
    section = files.section_of(state.reader(made), release) or ""
    if len(section) > LONGEST:
        what = f"the section of {release.text} has {len(section):,} characters, and GitHub takes {LONGEST:,}"
        remedy = f"shorten the news fragments in {files.table(state.read)['directory']}/, and commit"
        raise problem(f"{what} for a release", remedy)
    annotation = f"{state.project.name} {release.text}\n\n{section.split(chr(10), 1)[1].strip()}"
    pulls = state.request.via_pr and not state.merged
    refs = {} if state.merged else {f"refs/heads/{release.branch if pulls else state.branch}": made}
    if not pulls:
        refs[f"refs/tags/{release.tag}"] = make_tag(clone, release, annotation, moment)
    diff = ("diff-tree", "-p", "--text", "--no-ext-diff", "--no-textconv", "--no-renames", "--unified=1", parent, made)
    subject, remote = clone.ask("log", "-1", "--format=%s", made), state.remote.name
    parts = {
        f"release {release.text} of {state.branch} on {remote}": f"{subject} ({made[:10]} on {parent[:10]})",
        "changelog": section,
        "changes": clone.ask(*diff) or "none: the commit is there already",
        f"tag {release.tag}, annotated": "none yet: it follows after the merge" if pulls else annotation,
        f"pushed to {remote}, all or nothing": "\n".join(f"{ref}  {what[:10]}" for ref, what in refs.items()),
        **expected_artefacts(state),
        "until the push": "nothing has happened: there is nothing to undo",
        "after the push": f"nothing is published; to give up: git push {remote} --delete {release.branch}"
        if pulls
        else "CI publishes; the tag is never moved. What PyPI has taken can be yanked, and never be replaced:\n"
        "a mistake is repaired by the next version",
    }
    return Plan(refs, parts)


def tool(state: State, name: str, *arguments: str) -> None:
    """Run a tool of .venv, or cargo, in the package's folder of the clone; where it fails, show its message."""
    env, program = commands.tool_environment(state.clone.environment()), name if name == "cargo" else venv_bin(name)
    done = commands.run(program, *arguments, cwd=state.folder, env=env, check=False)
    if done.returncode:
        # Without the frame that is drawn around it.
        said = " ".join(re.sub(r"[\u2500-\u257f]+", " ", commands.tail(done, 10)).split())
        raise problem(f"{name} failed: {said}", "nothing was changed; repair what it names")


def commit(state: State, expect: Expectation, moment: str) -> str:
    """Commit what was written, after a comparison with what was to be written; return the commit."""
    clone = state.clone
    clone.run("add", "--all", check=True)
    raise_problems(check_edits(state, expect))
    dates = {"GIT_AUTHOR_DATE": f"@{moment}", "GIT_COMMITTER_DATE": f"@{moment}"}
    message = ("--no-verify", "--cleanup=whitespace", f"--message=Release {state.release.title}")
    clone.run("commit", "--quiet", *message, check=True, env=dates)
    return clone.ask("rev-parse", "HEAD")


def check_edits(state: State, expect: Expectation) -> Iterator[Problem]:
    """Compare what was written with what was asked for: the versions, the section, the lines that changed."""
    clone, text = state.clone, state.release.text
    written = clone.ask("write-tree")
    path, everything = state.project.path, commit_reader(clone, written)
    read = state.project.below(everything)
    remedy = "nothing was pushed; compare [tool.bumpversion] and [tool.towncrier] in pyproject.toml with the template"
    for file, version in files.versions(read).items():
        if version != text:
            yield Problem(f"{file} says {version} after the edits, and not {text}", remedy)
    changelog, section = files.changelog(read), files.section_of(read, state.release)
    if section is None or len(section.splitlines()) < 2:  # noqa: PLR2004 - a heading alone tells nothing
        yield Problem(f"{changelog} has no section for {text} after the edits", remedy)
    differ = ("diff-tree", "-r", "-z", "--name-only", "--no-renames", "HEAD", written)
    expected = {path(name): lines for name, lines in expect(state, read).items()}
    for name in sorted({*clone.ask(*differ).split("\0")[:-1], *expected}):
        texts = (each(name) if files.is_there(each, name) else "" for each in (state.project.read_shared, everything))
        before, after = map(dense, texts) if name == path(changelog) else texts
        found, wanted = count_edits(before, after), expected.get(name, (0, 0))
        if found != wanted:
            counts = " and not by ".join(f"{added} {removed}" for added, removed in (found, wanted))
            yield Problem(f"{name} changed by {counts} lines (added, removed)", remedy)


def dense(text: str) -> str:
    """Return a text without its blank lines and margins: towncrier has its own around a section and its marker."""
    return "".join(f"{line.strip()}\n" for line in text.split("\n") if line.strip())


def count_edits(before: str, after: str) -> tuple[int, int]:
    """Return how many lines were added and removed."""
    old, new = before.split("\n"), after.split("\n")
    kept = sum(block.size for block in SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks())
    return len(new) - kept, len(old) - kept


def make_tag(clone: Repository, release: Release, annotation: str, moment: str) -> str:
    """Make the annotated tag for the commit that is checked out, signed if git is configured so; return its object."""
    # In a file, as it may be longer than a command line; verbatim, as a heading of the section is no comment.
    message = clone.folder.parent / "message"
    message.write_text(f"{annotation}\n", encoding="utf-8", newline="\n")
    words = ("--annotate", "--cleanup=verbatim", f"--file={message}")
    clone.run("tag", *words, release.tag, "HEAD", check=True, env={"GIT_COMMITTER_DATE": f"@{moment}"})
    return clone.ask("rev-parse", f"refs/tags/{release.tag}")


def expected_artefacts(state: State) -> dict[str, str]:
    """Return the names of what this machine builds of the release, and of what CI builds, one to a line."""
    project, version, host = state.project, state.release.version, host_triple(state.project)

    def files_for(triples: Iterable[str]) -> str:
        wheels = [project.wheel_name(python, each, version) for each in triples for python in project.python_tags]
        return "\n".join([project.sdist_name(version), *wheels])

    return {
        "built and tested here, before the push": files_for(each for each in project.platform_tags if each == host),
        f"built by {project.workflow_file}, after the push of the tag": files_for(project.platform_tags),
    }


def prover(state: State) -> Callable[..., None]:
    """Return what runs a Python program of the release's commit in the staging clone: `run(title, "page.py")`.

    It has the engine of that commit, and its tools: those that are here, unless the commit locks others. It raises
    ProblemsError where the program fails.
    """
    clone, folder = state.clone.folder, state.clone.folder.parent / "tmp"
    folder.mkdir(exist_ok=True)
    env = commands.tool_environment(state.clone.environment())
    # Temporary files go where the next release finds them, should this one be killed.
    env |= dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(folder))
    # .venv has the engine of the checkout.
    env["PYTHONPATH"] = str(Project(clone).engine)
    python, locks = sys.executable, [f"requirements/{group}.txt" for group in GROUPS]
    if any(Project(clone).read(lock) != state.project.read_shared(lock) for lock in locks):
        commands.run(python, "scripts/bootstrap.py", *GROUPS, cwd=clone, env=env)
        python = str(clone / ".venv" / venv_bin("python").relative_to(sys.prefix))

    def run(title: str, *command: str) -> None:
        with step(title):
            done = commands.run(python, *command, *state.project.options, cwd=clone, env=env, check=False)
        if done.returncode:
            remedy = "nothing was pushed; repair it, commit, push, and release again"
            raise problem(f"the release's commit fails at: {title}", remedy, commands.tail(done))

    return run
