import pytest
import requests
from pypi_attestations import Provenance

from helpers import PROJECT
from loopback_samples import CLAIMS, METADATA, SDIST, WHEEL, Attempt, good_wheel, make_wheel, wheel_files
from roadworthy.sums import sha256
from workshop.loopback.attestations import sign

HTML, HTML_V1, JSON_V1 = "text/html", "application/vnd.pypi.simple.v1+html", "application/vnd.pypi.simple.v1+json"


def get(one: Attempt, path: str, accept: str | None = JSON_V1, status: int = 200) -> requests.Response:
    address = one.at.simple.replace("/simple/", path)
    answer = requests.get(address, headers={"Accept": accept}, timeout=30, allow_redirects=False)
    assert answer.status_code == status
    return answer


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        (None, HTML),
        ("*/*", HTML),
        (JSON_V1, JSON_V1),
        (HTML_V1, HTML_V1),
        (f"{JSON_V1}, {HTML_V1};q=0.2, text/html;q=0.01", JSON_V1),
        (f"{HTML};q=0.3, {JSON_V1};q=0.2", HTML),
        ("text/*", HTML),
        ("image/png", HTML),
    ],
)
@pytest.mark.parametrize("path", ["/simple/", f"/simple/{PROJECT.name}/"])
def test_a_page_is_of_the_kind_that_the_client_likes_best(
    one: Attempt, path: str, accept: str | None, kind: str
) -> None:
    answer = get(one, path, accept)
    assert answer.headers["Content-Type"].split(";")[0] == kind
    assert answer.headers["Vary"] == "Accept"


def test_the_page_of_a_project_says_all_about_its_files(one: Attempt) -> None:
    one.index.now = lambda: 1_000_000.5
    assert one.wheel().ok
    assert one.sdist().ok
    page = get(one, f"/simple/{PROJECT.name}/").json()
    assert page["meta"]["api-version"] == "1.4"
    assert (page["name"], page["versions"]) == (PROJECT.name, [str(PROJECT.version)])
    wheel, sdist = page["files"]
    assert wheel == {
        "filename": WHEEL,
        "url": one.at.simple.replace("/simple/", f"/files/{WHEEL}"),
        "hashes": {"sha256": sha256(good_wheel())},
        "requires-python": ">=3.10",
        "size": len(good_wheel()),
        "upload-time": "1970-01-12T13:46:40.500000Z",
        "yanked": False,
        "data-dist-info-metadata": {"sha256": sha256(METADATA.encode())},
        "core-metadata": {"sha256": sha256(METADATA.encode())},
        "provenance": None,
    }
    assert (sdist["filename"], sdist["core-metadata"]) == (SDIST, False)


def test_the_page_in_html_says_the_same(one: Attempt) -> None:
    assert one.wheel().ok
    page = get(one, f"/simple/{PROJECT.name}/", HTML).text
    assert '<meta name="pypi:repository-version" content="1.4">' in page
    assert f'/files/{WHEEL}#sha256={sha256(good_wheel())}" data-requires-python="&gt;=3.10"' in page
    assert f'data-core-metadata="sha256={sha256(METADATA.encode())}"' in page


def test_versions_are_in_their_order(one: Attempt) -> None:
    for number in ("0.10.0", "0.9.0", "0.11.0rc1"):
        files = {file.replace("0.1.0", number): content for file, content in wheel_files().items()}
        files[f"{WHEEL.split('-py3', maxsplit=1)[0]}.dist-info/RECORD".replace("0.1.0", number)] = b""
        assert one.send(WHEEL.replace("0.1.0", number), make_wheel(files), version=number).ok
    assert get(one, f"/simple/{PROJECT.name}/").json()["versions"] == ["0.9.0", "0.10.0", "0.11.0rc1"]


def test_a_project_is_found_under_its_normalised_name(one: Attempt) -> None:
    assert one.wheel().ok
    answer = get(one, f"/simple/{PROJECT.name.upper()}/", status=301)
    assert answer.headers["Location"].endswith(f"/simple/{PROJECT.name}/")


@pytest.mark.parametrize(
    "path",
    [
        "/simple/other/",
        "/files/other.whl",
        f"/files/{SDIST}.metadata",
        f"/integrity/other/0.1.0/{WHEEL}/provenance",
        f"/integrity/{PROJECT.name}/0.1.0/{WHEEL}/provenance",
    ],
)
def test_what_is_not_there_is_not_found(one: Attempt, path: str) -> None:
    assert one.wheel().ok
    assert one.sdist().ok
    get(one, path, "*/*", status=404)


def test_a_project_that_a_pending_publisher_has_made_has_an_empty_page(one: Attempt) -> None:
    assert get(one, f"/simple/{PROJECT.name}/").json()["files"] == []


def test_provenance_is_that_of_the_upload(one: Attempt) -> None:
    one.trust()
    attestation = sign(WHEEL, good_wheel(), CLAIMS)
    assert one.wheel(attestations=f"[{attestation.model_dump_json()}]").ok
    (file,) = get(one, f"/simple/{PROJECT.name}/").json()["files"]
    path = file["provenance"].removeprefix(one.at.simple.removesuffix("/simple/"))
    answer = get(one, path, "application/vnd.pypi.integrity.v1+json")
    assert answer.headers["Content-Type"] == "application/vnd.pypi.integrity.v1+json"
    (bundle,) = Provenance.model_validate_json(answer.text).attestation_bundles
    assert bundle.attestations == [attestation]
    get(one, path, "text/html", status=406)


def test_metadata_is_served_beside_a_wheel(one: Attempt) -> None:
    assert one.wheel().ok
    assert get(one, f"/files/{WHEEL}.metadata", "*/*").text == METADATA
    assert get(one, f"/files/{WHEEL}", "*/*").content == good_wheel()


def test_an_upload_without_the_last_slash_is_led_to_where_it_should_go(one: Attempt) -> None:
    answer = one.post("/legacy", allow_redirects=False)
    assert (answer.status_code, answer.headers["Location"]) == (308, one.at.upload)
