"""A release that is killed after any program that it ran: nothing is half done, and the same command finishes it."""

from pathlib import Path

import pytest

from release_points import Ground, make_ground, release, require_whole, try_points
from releases import Place, fingerprint


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory, dist: Path) -> Ground:
    return make_ground(tmp_path_factory, dist)


def kill(ground: Ground, point: int, place: Place) -> Place:
    """Kill a release after a step; nothing has changed or all is done, and the same command ends it.

    The next one is killed over what this one has left, and gets further; the last one of all is not killed.
    """
    before, refs = fingerprint(place.checkout), place.refs()
    killed = release(place, ground.artefacts, "kill", point)
    assert killed.returncode == -9, f"it ended by itself: {killed.returncode} {killed.stderr}"
    if not ground.is_complete(place):
        assert place.refs() == refs
        assert fingerprint(place.checkout) == before
        if point < len(ground.steps) - 1:
            return place
    finish(ground, place, ground.artefacts)
    return ground.copy(f"kill-after-{point}")


def finish(ground: Ground, place: Place, artefacts: Path) -> None:
    """Release once more, to the end."""
    again = release(place, artefacts)
    assert again.returncode == 0, again.stderr
    require_whole(ground, place)


def test_a_release_that_is_killed_after_any_step_is_finished_by_the_same_command(ground: Ground) -> None:
    try_points(ground, "kill", kill, list(range(1, len(ground.steps) + 1)))


def test_a_release_that_is_killed_again_and_again_around_its_proof_builds_really_and_is_finished(
    ground: Ground,
) -> None:
    place, artefacts = ground.copy("really"), ground.artefacts.with_name("really")
    for words in ("scripts/build.py", "scripts/verify_install.py", "git push --atomic --porcelain"):
        killed = release(place, artefacts, "kill", ground.point_after(words))
        assert killed.returncode == -9, f"it ended by itself: {killed.returncode} {killed.stderr}"
    finish(ground, place, artefacts)
