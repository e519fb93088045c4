"""A release that is killed after any program that it ran: nothing is half done, and the same command finishes it."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from release_points import VERSION, Ground, make_ground, release, require_whole, try_points
from releases import Place, fingerprint, make_place


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Ground:
    return make_ground(tmp_path_factory.mktemp("ground"))


def kill(ground: Ground, point: int, place: Place) -> Place:
    """Kill a release after a step; nothing has changed or all is done, and the same command ends it.

    The next one is killed over what this one has left, and gets further; the last one of all is not killed.
    """
    before, refs = fingerprint(place.checkout), place.refs()
    killed = release(place, "kill", point)
    assert killed.returncode == -9, f"it ended by itself: {killed.returncode} {killed.stderr}"
    if not ground.is_complete(place):
        assert place.refs() == refs
        assert fingerprint(place.checkout) == before
        if point < len(ground.steps) - 1:
            return place
    again = release(place)
    assert again.returncode == 0, again.stderr
    require_whole(ground, place)
    return ground.copy(f"kill-after-{point}")


def test_a_release_that_is_killed_after_any_step_is_finished_by_the_same_command(ground: Ground) -> None:
    try_points(ground, "kill", kill, list(range(1, len(ground.steps) + 1)))


def test_a_release_that_is_killed_again_and_again_around_its_proof_builds_really_and_is_finished(
    ground: Ground, dist: Path, tmp_path: Path
) -> None:
    # The crates that were compiled for this checkout's own dist/ need not be compiled once more.
    ours = shutil.ignore_patterns("built-from", "tmp*")
    shutil.copytree(dist.parent / "target" / "dist", tmp_path / "target" / "dist", ignore=ours)
    # What one of its pages has made of a commit is given back to the next release of the same commit.
    wrapper = Path(__file__).with_name("reused_proof.py").read_text(encoding="utf-8")
    place, kept = make_place(tmp_path / "place", wrapper), str(tmp_path / "artefacts")
    (place.folder / "tmp").mkdir()
    for words in ("scripts/build.py", "scripts/verify_install.py", "git push --atomic --porcelain"):
        killed = release(place, "kill", ground.point_after(words), REUSED_ARTEFACTS=kept)
        assert killed.returncode == -9, f"it ended by itself: {killed.returncode} {killed.stderr}"
    made = [path.name for path in (tmp_path / "artefacts").glob("*/*")]
    assert sorted(made) == ["build", "verify_install"]
    again = release(place, REUSED_ARTEFACTS=kept)
    assert again.returncode == 0, again.stderr
    refs = place.refs()
    require_whole(replace(ground, commit=refs["refs/heads/main"], tag=refs[f"refs/tags/v{VERSION}"]), place)
