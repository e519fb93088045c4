"""A release that is killed after any program that it ran: nothing is half done, and the same command finishes it."""

from pathlib import Path

import pytest

from release_points import Ground, make_ground, release, require_whole, try_points
from releases import fingerprint


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Ground:
    return make_ground(tmp_path_factory.mktemp("ground"))


def kill_and_release_again(ground: Ground, point: int, artefacts: Path | None = None) -> None:
    """Kill a release after a step; nothing has changed or all is done, and the same command ends it."""
    place = ground.copy(f"{'real-' if artefacts else ''}kill-{point}")
    before, refs = fingerprint(place.checkout), place.refs()
    killed = release(place, artefacts or ground.folder / "artefacts", "kill", point)
    assert killed.returncode == -9, f"it ended by itself: {killed.returncode} {killed.stderr}"
    if not ground.is_complete(place):
        assert place.refs() == refs
        assert fingerprint(place.checkout) == before
    again = release(place, artefacts or ground.folder / "artefacts")
    assert again.returncode == 0, again.stderr
    require_whole(ground, place)


def test_a_release_that_is_killed_after_any_step_is_finished_by_the_same_command(ground: Ground) -> None:
    try_points(ground, kill_and_release_again, list(range(1, len(ground.steps) + 1)))


@pytest.mark.parametrize("words", ["scripts/build.py", "scripts/verify_install.py", "git push --atomic --porcelain"])
def test_a_release_that_is_killed_around_its_proof_builds_really_and_is_finished(ground: Ground, words: str) -> None:
    point = ground.point_after(words)
    kill_and_release_again(ground, point, ground.folder / f"artefacts-{point}")
