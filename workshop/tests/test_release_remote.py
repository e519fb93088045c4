"""A remote that vanishes or refuses after any program that a release ran: nothing is half done, and it converges."""

from functools import partial

import pytest

from release_points import Ground, make_ground, release, require_whole, try_points
from releases import Place, fingerprint


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Ground:
    return make_ground(tmp_path_factory.mktemp("ground"))


def break_the_remote(ground: Ground, point: int, place: Place, what: str) -> Place:
    """Let the remote vanish, or refuse, after a step; nothing has changed or all is done, and later it is finished."""
    before, refs = fingerprint(place.checkout), place.refs()
    done = release(place, what, point)
    assert "Traceback" not in done.stderr, done.stderr
    if what == "vanish":
        place.remote.with_suffix(".gone").rename(place.remote)
    else:
        (place.remote / "hooks" / "pre-receive").unlink()
    if not ground.is_complete(place):
        assert done.returncode == 1
        assert "problem: " in done.stderr
        assert place.refs() == refs
        assert fingerprint(place.checkout) == before
        # The same state as at the beginning leads to the same release.
        return place
    # Whether this is told as an error depends on the moment: the answer of the remote may be what was lost.
    assert done.returncode == 0 or "its state is not known" in done.stderr, done.stderr
    again = release(place)
    assert again.returncode == 0, again.stderr
    require_whole(ground, place)
    return ground.copy(f"{what}-after-{point}")


@pytest.mark.parametrize("what", ["vanish", "refuse"])
def test_a_remote_that_vanishes_or_refuses_at_any_time_leaves_nothing_half_done(ground: Ground, what: str) -> None:
    # Between two steps that reach the remote, it makes no difference when it goes.
    reach = [number for number, step in enumerate(ground.steps, start=1) if ground.reaches_the_remote(step)]
    points = sorted({1, len(ground.steps), *reach, *(number - 1 for number in reach)})
    assert len(reach) >= 5, ground.steps
    try_points(ground, what, partial(break_the_remote, what=what), points)
