"""What goes wrong when a release is made, and with its tag."""

import shutil
from pathlib import Path

import pytest

from helpers import PROJECT
from rehearsal_faults import COMPLETE, NOBODY, Base, Fault, Scene, job_of, require_stated
from roadworthy.sums import write_sums
from workshop.rehearsing.runner import Run
from workshop.rehearsing.scratch import BRANCH, ScratchCopy, share_environment

# Refuses one ref as a branch's protection does, and would take the others.
PROTECTED = f"""\
#!/bin/sh
test "$1" != refs/heads/{BRANCH} || {{ echo "protected branch hook declined"; exit 1; }}
"""


def finish(scene: Scene) -> None:
    """Publish what was released, which is the very commit of the rehearsal, so its artefacts are there."""
    if scene.place.tag_commit(scene.tag) == scene.base.after.tag_commit(scene.tag):
        scene.publish()


def push_tag(scene: Scene, tag: str, commit: str = "HEAD") -> None:
    """Push a tag that is made by hand."""
    scene.place.git("tag", "--annotate", "--force", f"--message={tag}", tag, commit)
    scene.place.git("push", "--quiet", "--force", "origin", f"refs/tags/{tag}")


def run_for(scene: Scene, tag: str) -> None:
    """Let CI run for a tag from its first job on."""
    event = scene.rehearsal.event(ref=f"refs/tags/{tag}", sha=scene.place.tag_commit(tag))
    run = scene.rehearsal.start_run(scene.folder / "run", event=event)
    scene.go(run)
    if not run.results:
        scene.tell(f"{PROJECT.workflow_file} is not started by the tag {tag}")


def uncommitted_change(scene: Scene) -> None:
    """A file of the checkout is changed and in no commit."""
    with (scene.place.checkout / "README.md").open("a", encoding="utf-8") as stream:
        stream.write("Not committed.\n")
    scene.release()


def nothing_to_say(scene: Scene) -> None:
    """No news fragment waits, so the changelog would have an empty section."""
    folder = scene.place.checkout / "changelog.d"
    scene.place.commit("Forget the news", {f"changelog.d/{path.name}": None for path in folder.glob("*.*.md")})
    scene.release()


def remote_ahead(scene: Scene) -> None:
    """Somebody has pushed since the last pull."""
    scene.place.commit("Somebody else's work", {"tests/afterthought.txt": "New.\n"})
    scene.place.git("reset", "--quiet", "--hard", "HEAD~1")
    scene.release()


def lower_version(scene: Scene) -> None:
    """A version is asked for that is lower than the one in the files, of a package that is released."""
    push_tag(scene, "v0.0.0")
    scene.release(version="0.0.1")


def tag_there_already(scene: Scene) -> None:
    """Somebody has made the tag by hand, on a commit that is no release."""
    push_tag(scene, scene.tag)
    scene.place.git("tag", "--delete", scene.tag)
    scene.release()


def branch_protected(scene: Scene) -> None:
    """The remote takes the tag, and no push to the branch."""
    hook = scene.place.remote / "hooks" / "update"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(PROTECTED, encoding="utf-8")
    hook.chmod(0o755)
    scene.release()
    finish(scene)


def killed_before_the_push(scene: Scene) -> None:
    """The power goes before the push; the same command is given again."""
    scene.release(what="before-push")
    scene.release()
    finish(scene)


def killed_after_the_push(scene: Scene) -> None:
    """The power goes right after the push; the same command is given again."""
    scene.release(what="after-push")
    scene.release()
    finish(scene)


def two_releases_in_one_checkout(scene: Scene) -> None:
    """A second release is started in the checkout while the first one runs."""
    scene.release(what=f"overtaken:{scene.place.checkout}")
    finish(scene)


def two_releases_at_once(scene: Scene) -> None:
    """Two maintainers release the same version, and one pushes while the other one builds."""
    other = ScratchCopy(scene.folder / "other", scene.place.moment + 60)
    other.folder.mkdir()
    shutil.copy(scene.place.folder / "gitconfig", other.folder)
    other.git("clone", "--quiet", scene.place.remote, other.checkout, cwd=other.folder)
    share_environment(scene.place.checkout / ".venv", other.checkout)
    later = {name: value for name, value in other.environment().items() if name.startswith("GIT_COMMITTER")}
    scene.release(what=f"overtaken:{scene.place.checkout}", cwd=other.checkout, **later)
    finish(scene)


def tag_without_a_release(scene: Scene) -> None:
    """A tag is pushed by hand, without the version in the files."""
    push_tag(scene, scene.tag)
    run_for(scene, scene.tag)


def tag_of_no_release(scene: Scene) -> None:
    """A tag is pushed that is no version of a release."""
    push_tag(scene, "v2026.11")
    run_for(scene, "v2026.11")


def tag_on_no_branch(scene: Scene) -> None:
    """The tag is moved to a commit that is on no branch, before CI has started."""
    scene.place.commit("Never reviewed", {"tests/afterthought.txt": "New.\n"}, push=False)
    push_tag(scene, scene.tag)
    run_for(scene, scene.tag)


def tag_moved(scene: Scene) -> None:
    """The tag is moved after the version was published, and CI runs for it again: the sdist has other bytes then."""
    scene.publish()
    scene.place.commit("Afterthought", {"tests/afterthought.txt": "New.\n"})
    push_tag(scene, scene.tag)
    run = scene.rehearsal.start_run(scene.folder / "again")
    run.go(until=job_of(run, "make sdist"))
    (sdist,) = (run.artefacts / "built-sdist" / "dist").iterdir()

    def replace_sdist(publishing: Run) -> None:
        release = publishing.artefacts / "release"
        shutil.copy(sdist, release / PROJECT.dist.name)
        write_sums(release / PROJECT.sums.name, release / PROJECT.dist.name)

    scene.publish(spoil=replace_sdist)


FAULTS = (
    Fault(uncommitted_change, "make release", "there are changes that are not committed", start="before"),
    Fault(nothing_to_say, "make release", "no news fragment waits", start="before"),
    Fault(remote_ahead, "make release", "the checkout is behind", start="before"),
    Fault(lower_version, "make release", "is below the version in the files", start="before"),
    Fault(tag_there_already, "make release", "is on origin, and is no release", start="before"),
    Fault(branch_protected, "make release", "refused the push, so nothing changed there", start="before"),
    Fault(killed_before_the_push, "make release", "is released: v", ends=COMPLETE, start="before"),
    Fault(killed_after_the_push, "make release", "is already released: v", ends=COMPLETE, start="before"),
    Fault(
        two_releases_in_one_checkout,
        NOBODY,
        "another release is running in this checkout",
        ends=COMPLETE,
        start="before",
    ),
    Fault(two_releases_at_once, "make release", "origin refused the push", ends=COMPLETE, start="before"),
    Fault(tag_without_a_release, "make identify", "and pyproject.toml says", start="before"),
    Fault(tag_of_no_release, NOBODY, "is not started by the tag", start="before"),
    Fault(tag_on_no_branch, "make identify", "is not on main, nor on its maintenance line"),
    Fault(tag_moved, "uv publish", "File already exists", ends=COMPLETE, green=False),
)


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_it_ends_as_stated(fault: Fault, rehearsed: Base, tmp_path: Path) -> None:
    require_stated(fault, rehearsed, tmp_path / "place")
