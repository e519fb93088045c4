"""A remote that vanishes or refuses after any program that a release ran: nothing is half done, and it converges."""

import pytest

from release_points import Ground, make_ground, release, require_whole, try_points
from releases import fingerprint


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Ground:
    return make_ground(tmp_path_factory.mktemp("ground"))


def break_the_remote(ground: Ground, point: int, what: str) -> None:
    """Let the remote vanish, or refuse, after a step; nothing has changed or all is done, and later it is finished."""
    place = ground.copy(f"{what}-{point}")
    before, refs = fingerprint(place.checkout), place.refs()
    done = release(place, ground.folder / "artefacts", what, point)
    assert "Traceback" not in done.stderr, done.stderr
    if what == "vanish":
        place.remote.with_suffix(".gone").rename(place.remote)
    else:
        (place.remote / "hooks" / "pre-receive").unlink()
    if ground.is_complete(place):
        # Whether this is told as an error depends on the moment: the answer of the remote may be what was lost.
        assert done.returncode == 0 or "its state is not known" in done.stderr, done.stderr
    else:
        assert done.returncode == 1
        assert "problem: " in done.stderr
        assert place.refs() == refs
        assert fingerprint(place.checkout) == before
        # The same state as at the beginning leads to the same release.
        return
    again = release(place, ground.folder / "artefacts")
    assert again.returncode == 0, again.stderr
    require_whole(ground, place)


@pytest.mark.parametrize("what", ["vanish", "refuse"])
def test_a_remote_that_vanishes_or_refuses_after_any_step_leaves_nothing_half_done(ground: Ground, what: str) -> None:
    points = list(range(1, len(ground.steps) + 1))
    try_points(ground, lambda ground, point: break_the_remote(ground, point, what), points)
