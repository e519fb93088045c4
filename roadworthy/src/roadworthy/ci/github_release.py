"""Release on GitHub what PyPI serves: a draft with every file first, and public last.

An immutable release takes no more files once it is public, and its tag is used up. So what is public is only compared,
and a draft of an earlier attempt is thrown away and made anew.
"""

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from roadworthy import processes as commands
from roadworthy.arguments import Parser
from roadworthy.project import Project
from roadworthy.terminal import ProblemsError, out, problem

if TYPE_CHECKING:
    from roadworthy.releasing.version import Release


def gh(project: Project, *arguments: object, check: bool = True) -> "subprocess.CompletedProcess[str]":
    """Run gh, which asks nobody anything, and return how it ended.

    Raises:
        ProblemsError: There is none.
        CalledProcessError: It failed, and `check` is set.
    """
    if not shutil.which("gh"):
        raise problem("gh is not on PATH", "install it, and run: gh auth login")
    return commands.run("gh", *arguments, cwd=project.root, env={**os.environ, "GH_PROMPT_DISABLED": "1"}, check=check)


def is_latest(project: Project, release: "Release") -> bool:
    """Say whether it is the greatest final version of all tags."""
    from roadworthy.releasing.version import version_of_tag  # noqa: PLC0415 - not for a refusal of the command line

    versions = [version_of_tag(tag) for tag in project.checkout.ask("tag", "--list", "v*").split("\n")]
    finals = [version for version in versions if version and not version.is_prerelease]
    return not release.is_prerelease and all(version <= release.version for version in finals)


def list_files(project: Project, built: Path) -> list[Path]:
    """Return all that is released: the artefacts, and their SHA256SUMS.

    Raises:
        ProblemsError: They are not what SHA256SUMS says.
    """
    from roadworthy.sums import compare_sums, read_sums  # noqa: PLC0415 - not for a refusal

    sums = read_sums(built / project.sums.name)
    if not (built / project.dist.name).is_dir():
        raise problem(f"{built} has no {project.dist.name}/", "FROM= is the artefact `release` of the tag's run")
    artefacts = sorted((built / project.dist.name).iterdir())
    problems = compare_sums(artefacts, sums, built / project.sums.name)
    if problems or len(artefacts) != len(sums):
        remedy = f"{built} holds {len(artefacts)} files, and its SHA256SUMS names {len(sums)}"
        raise ProblemsError(problems) if problems else problem("the set is not complete", remedy)
    return [*artefacts, built / project.sums.name]


def read_existing(project: Project, release: "Release") -> dict[str, Any] | None:
    """Return what GitHub has under the tag, or None.

    Raises:
        ProblemsError: It does not answer. A second draft could come beside what it has.
    """
    asked = gh(project, "release", "view", release.tag, "--json=isDraft,assets,url", check=False)
    reason = " ".join(asked.stderr.split())
    if asked.returncode and reason and "release not found" not in reason:
        raise problem(f"gh cannot say whether {release.tag} is released: {reason}", "once it can, run this again")
    found: dict[str, Any] | None = None if asked.returncode else json.loads(asked.stdout)
    return found


def check_public(existing: dict[str, Any], paths: list[Path]) -> None:
    """Make sure that a public release has the same files.

    Raises:
        ProblemsError: It has others, and that cannot be changed.
    """
    from roadworthy.sums import sha256  # noqa: PLC0415 - not for a refusal of the command line

    there = {asset["name"]: asset.get("digest") for asset in existing["assets"]}
    here = {path.name: f"sha256:{sha256(path.read_bytes())}" for path in paths}
    if there != here:
        what = f"{existing['url']} is public already, with other files than these"
        raise problem(what, "compare its files with SHA256SUMS; PyPI's are right. It is not changed")


def publish(project: Project, release: "Release", paths: list[Path]) -> None:
    """Make the draft with all files, and then make it public."""
    from roadworthy.releasing import files  # noqa: PLC0415 - not for a refusal of the command line

    section = files.section_of(files.reader(project.root)(files.CHANGELOG), release.version)
    if section is None:
        raise problem(f"{files.CHANGELOG} has no section for {release.text}", "check out the tag")
    kind = [
        f"--prerelease={str(release.is_prerelease).lower()}",
        f"--latest={str(is_latest(project, release)).lower()}",
    ]
    with tempfile.TemporaryDirectory() as folder:
        notes = Path(folder) / "notes.md"
        # The heading is the release's title.
        notes.write_text(section.split("\n", 1)[1].strip() + "\n", encoding="utf-8")
        create = ("--draft", "--verify-tag", f"--title={release.text}", f"--notes-file={notes}", kind[0])
        gh(project, "release", "create", release.tag, *create, *paths)
    gh(project, "release", "edit", release.tag, "--draft=false", *kind)


def main(project: Project, words: list[str]) -> None:
    """Release, or find that it is released."""
    parser = Parser("github-release", "Release on GitHub what is published.")
    parser.take("FROM", "the folder of dist/ and SHA256SUMS; default: this one", first=True, type=Path)
    built = parser.read(words).get("FROM", project.root)
    from roadworthy.releasing import files  # noqa: PLC0415 - not for a refusal of the command line
    from roadworthy.releasing.version import Release  # noqa: PLC0415

    try:
        release = Release.parse(files.standing(files.reader(project.root)))
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
