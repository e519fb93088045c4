"""A remote that vanishes or refuses after any program that a release ran: nothing is half done, and it converges."""

import socket
from functools import partial
from threading import Event, Thread

import pytest

from refusals import script
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
    assert len(reach) >= 4, ground.steps
    try_points(ground, what, partial(break_the_remote, what=what), points)


def hasten(place: Place) -> None:
    """Let a release wait for its remote for a second, and not for minutes."""
    place.replace("roadworthy/src/roadworthy/releasing/state.py", "LIMIT = 120", "LIMIT = 1")
    place.commit()


def test_a_server_that_answers_half_and_then_nothing_is_waited_for_so_long(place: Place) -> None:
    hasten(place)
    ended = Event()
    with socket.create_server(("127.0.0.1", 0)) as server:
        place.git("remote", "set-url", "origin", f"git://127.0.0.1:{server.getsockname()[1]}/x.git")

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.sendall(b"00321111111111111111111111111111111111111111 HEAD")
                ended.wait()

        thread = Thread(target=answer, daemon=True)
        thread.start()
        done = place.release("0.2.0", "--yes")
        ended.set()
        thread.join(timeout=10)
    assert done.returncode == 1
    assert "problem: the remote origin cannot be read: no answer within 1 s\n" in done.stderr


@pytest.mark.parametrize("taken", [False, True])
def test_of_a_server_that_is_silent_during_the_push_is_said_what_was_sent(place: Place, *, taken: bool) -> None:
    hasten(place)
    name = "post-receive" if taken else "pre-receive"
    script(place.remote / "hooks" / name, "exec >&- 2>&-; sleep 7" if taken else "sleep 7; exit 1")
    done = place.release("0.2.0", "--yes")
    if taken:
        assert (done.returncode, "0.2.0 is released" in done.stdout) == (0, True), done.stderr
        return
    assert done.returncode == 1
    said = "origin does not answer (no answer within 5 s), so its state is not known; sent were: refs/heads/main"
    assert said in done.stderr
    (place.remote / "hooks" / name).unlink()
    again = place.release("0.2.0", "--yes")
    assert again.returncode == 0, again.stderr
