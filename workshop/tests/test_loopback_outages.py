import socket
import threading
import time
from concurrent import futures
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from pypi_simple import ACCEPT_JSON_ONLY, NoSuchProjectError, PyPISimple

from helpers import PROJECT
from loopback_clients import Scene
from loopback_samples import PUBLISHER, SDIST, WHEEL, Attempt, make_sdist, sdist_files
from workshop.loopback.identity import IdentityProvider
from workshop.loopback.index import Outage, PackageIndex
from workshop.loopback.server import serve


def statuses(scene: Scene, path: str) -> list[int]:
    return [request.status for request in scene.index.log if request.path.startswith(path)]


@pytest.mark.parametrize("status", [502, 503, 429])
def test_uv_gives_up_when_an_upload_is_answered_with_an_error_and_publishes_the_rest_when_run_again(
    scene: Scene, status: int
) -> None:
    scene.index.outages.append(Outage("POST", "/legacy/", status=status, times=1))
    done = scene.uv()
    assert done.returncode != 0
    assert f"status code {status}" in done.stderr
    assert scene.index.files == {}
    assert scene.uv().returncode == 0
    assert statuses(scene, "/legacy/") == [status, 200, 200]
    assert scene.index.files.keys() == {WHEEL, SDIST}


def test_uv_asks_again_for_a_token(scene: Scene) -> None:
    scene.index.outages.append(Outage("POST", "/_/oidc/mint-token", status=503, times=1))
    done = scene.uv()
    assert done.returncode == 0, done.stderr
    assert statuses(scene, "/_/oidc/mint-token") == [503, 200]


def test_uv_tries_again_when_the_connection_is_cut_in_the_middle_of_a_file(scene: Scene) -> None:
    scene.index.outages.append(Outage("POST", "/legacy/", times=1, drop_after=300))
    done = scene.uv()
    assert done.returncode == 0, done.stderr
    assert statuses(scene, "/legacy/") == [0, 200, 200]
    assert scene.index.files.keys() == {WHEEL, SDIST}


def test_a_connection_is_cut_with_a_reset_and_nothing_is_stored(one: Attempt) -> None:
    one.index.outages.append(Outage("POST", "/legacy/", drop_after=300))
    with socket.create_connection(("127.0.0.1", urlsplit(one.at.plain).port or 0)) as connection:
        connection.sendall(b"POST /legacy/ HTTP/1.1\r\nContent-Length: 1000\r\n\r\n" + bytes(299))
        connection.settimeout(0.2)
        with pytest.raises(TimeoutError):
            connection.recv(1)
        connection.settimeout(30)
        connection.sendall(b"x")
        with pytest.raises(ConnectionResetError):
            connection.recv(1)
    assert one.index.files == {}
    assert [request.status for request in one.index.log] == [0]


def test_who_asks_too_often_is_told_when_to_ask_again(one: Attempt) -> None:
    one.index.outages.append(Outage("POST", "/legacy/", status=429, times=2))
    answers = [one.wheel() for _ in range(3)]
    assert [answer.status_code for answer in answers] == [429, 429, 200]
    assert answers[0].headers["Retry-After"] == "1"


def test_an_outage_ends_some_seconds_after_it_began() -> None:
    outage = Outage("GET", "/simple/", status=503, seconds=60)
    met = [outage.meets("GET", "/simple/ferrous-wheel/", now) for now in (1000.0, 1060.0, 1061.0)]
    assert met == [True, True, False]
    other = Outage("GET", "/simple/", status=503)
    assert not other.meets("POST", "/simple/", 1000.0)
    assert not other.meets("GET", "/legacy/", 1000.0)


def test_a_file_is_not_on_the_first_pages_after_its_upload(one: Attempt) -> None:
    one.index.late = 2
    assert one.wheel().ok
    with PyPISimple(one.at.simple) as client:
        for _ in range(2):
            with pytest.raises(NoSuchProjectError):
                client.get_project_page(PROJECT.name)
        assert [file.filename for file in client.get_project_page(PROJECT.name).packages] == [WHEEL]
        newer = SDIST.replace("0.1.0", "0.2.0")
        assert one.send(newer, make_sdist(sdist_files()), version="0.2.0").ok
        pages = [client.get_project_page(PROJECT.name, accept=ACCEPT_JSON_ONLY) for _ in range(3)]
    assert [[file.filename for file in page.packages] for page in pages] == [[WHEEL], [WHEEL], [WHEEL, newer]]
    assert [page.versions for page in pages] == [["0.1.0"], ["0.1.0"], ["0.1.0", "0.2.0"]]


def test_a_mistake_of_the_index_is_kept(provider: IdentityProvider, tmp_path: Path) -> None:
    index = PackageIndex(PROJECT.name, PUBLISHER)
    with serve(index, provider, tmp_path) as addresses:
        index.files = None  # type: ignore[assignment]
        answer = requests.get(f"{addresses.simple}{PROJECT.name}/", timeout=30)
    assert answer.status_code == 500
    assert [type(error) for error in index.errors] == [AttributeError]


def test_closing_answers_who_waits_and_leaves_who_says_nothing(provider: IdentityProvider, tmp_path: Path) -> None:
    outage = Outage("GET", "/simple/", wait=3600)
    index = PackageIndex(PROJECT.name, PUBLISHER, outages=[outage])
    before = set(threading.enumerate())
    with futures.ThreadPoolExecutor(1) as pool, ExitStack() as silent:
        with serve(index, provider, tmp_path) as addresses:
            for address in (addresses.upload, addresses.simple):
                port = urlsplit(address).port or 0
                silent.enter_context(socket.create_connection(("127.0.0.1", port)))
            answer = pool.submit(requests.get, addresses.simple, timeout=30)
            while not outage.met:
                time.sleep(0.01)
            with pytest.raises(futures.TimeoutError):
                answer.result(timeout=0.2)
        assert answer.result().status_code == 200
    assert set(threading.enumerate()) == before
