"""Release on GitHub what PyPI serves: a draft with every file first, and public last.

An immutable release takes no more files once it is public, and its tag is used up. So what is public is only compared,
and a draft of an earlier attempt is thrown away and made anew.
"""

import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from roadworthy import processes as commands
from roadworthy.arguments import Parser
from roadworthy.ci.collect import check_folder
from roadworthy.project import Project
from roadworthy.releasing import files
from roadworthy.releasing.github import UnansweredError, read_answer
from roadworthy.releasing.version import Release, stem, version_of_tag
from roadworthy.sums import read_sums, sha256
from roadworthy.terminal import out, problem, raise_problems


def gh(project: Project, *arguments: object, check: bool = True) -> "subprocess.CompletedProcess[str]":
    """Run gh, which asks nobody anything, and return how it ended."""
    return commands.run("gh", *arguments, cwd=project.root, env={**os.environ, "GH_PROMPT_DISABLED": "1"}, check=check)


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


def main(project: Project, words: list[str]) -> None:
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
