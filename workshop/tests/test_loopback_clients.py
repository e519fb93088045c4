import sys
from dataclasses import replace

import pytest
from pypi_simple import ACCEPT_HTML_ONLY, ACCEPT_JSON_ONLY, PyPISimple

from helpers import PROJECT
from loopback_clients import Scene
from loopback_samples import CLAIMS, INFO, PUBLISHER, SDIST, TOKEN, WHEEL, good_wheel, make_wheel, wheel_files
from roadworthy.processes import find_uv
from roadworthy.sums import sha256
from workshop.loopback.attestations import attest
from workshop.loopback.refusals import REFUSALS


def test_uv_publishes_with_attestations_and_asks_in_its_order(scene: Scene) -> None:
    done = scene.uv(*attest(scene.samples, CLAIMS))
    assert done.returncode == 0, done.stderr
    paths = [
        request.path.rpartition("/")[0] if "idtoken" in request.path else request.path for request in scene.index.log
    ]
    begin, burnt = ["/_/oidc/audience", "/idtoken", "/_/oidc/mint-token"], paths[5:]
    assert paths[:5] == [*begin, "/legacy/", "/legacy/"]
    # From 0.13 on, uv gives the token back.
    assert burnt in ([], ["/_/oidc/burn-token"])
    stored = {file.name: file.content for file in scene.index.files.values()}
    assert stored == {path.name: path.read_bytes() for path in scene.samples}
    assert [len(file.attestations) for file in scene.index.files.values()] == [1, 1]
    assert len(scene.index.minted) == (not burnt)


def test_the_same_files_again_are_taken_and_change_nothing(scene: Scene) -> None:
    assert scene.uv().returncode == 0
    before = dict(scene.index.files)
    assert scene.uv().returncode == 0
    assert scene.index.files == before


def test_uv_tells_that_other_bytes_are_refused(scene: Scene) -> None:
    assert scene.uv().returncode == 0
    before = dict(scene.index.files)
    scene.samples[0].write_bytes(make_wheel({**wheel_files(), f"{INFO}/RECORD": b""}))
    done = scene.uv()
    assert done.returncode != 0
    assert f"400 File already exists ('{WHEEL}', with blake2_256 hash '" in done.stderr
    assert scene.index.files == before


def test_uv_tells_why_it_gets_no_token(scene: Scene) -> None:
    done = scene.uv(job_workflow_ref=CLAIMS["job_workflow_ref"].replace("CI.yml", "ci.yml"))
    assert done.returncode != 0
    assert REFUSALS["unknown-publisher"].words in done.stderr
    assert scene.index.files == {}


def test_uv_without_a_grant_finds_no_identity(scene: Scene) -> None:
    command = (find_uv(), "publish", "--trusted-publishing", "always", *scene.samples)
    done = scene.call(*command, GITHUB_ACTIONS="true", UV_PUBLISH_URL=scene.at.upload)
    assert done.returncode != 0
    assert "missing ACTIONS_ID_TOKEN_REQUEST_URL" in done.stderr
    assert scene.index.files == {}


def test_uv_publishes_with_a_token_also_without_tls(scene: Scene) -> None:
    command = (find_uv(), "publish", *scene.samples)
    done = scene.call(*command, UV_PUBLISH_URL=scene.at.plain, UV_PUBLISH_TOKEN=TOKEN)
    assert done.returncode == 0, done.stderr
    assert scene.index.files.keys() == {WHEEL, SDIST}


def test_twine_finds_nothing_wrong_with_the_samples(scene: Scene) -> None:
    done = scene.call(sys.executable, "-m", "twine", "check", "--strict", *scene.samples)
    assert done.returncode == 0, done.stdout


def test_twine_uploads_with_a_token(scene: Scene) -> None:
    done = scene.twine(TWINE_USERNAME="__token__", TWINE_PASSWORD=TOKEN)
    assert done.returncode == 0, done.stdout + done.stderr
    assert scene.index.files.keys() == {WHEEL, SDIST}
    assert [file.publisher for file in scene.index.files.values()] == [None, None]


def test_twine_publishes_as_a_trusted_publisher(scene: Scene) -> None:
    files = attest(scene.samples, CLAIMS)
    done = scene.twine("--attestations", *files, GITHUB_ACTIONS="true", **scene.provider.grant(CLAIMS))
    assert done.returncode == 0, done.stdout + done.stderr
    assert [file.publisher for file in scene.index.files.values()] == [PUBLISHER, PUBLISHER]
    assert [len(file.attestations) for file in scene.index.files.values()] == [1, 1]


def test_twine_tells_that_a_wheel_for_another_system_is_refused(scene: Scene) -> None:
    wheel = scene.samples[0]
    scene.samples[:] = [wheel.rename(wheel.with_name(WHEEL.replace("any", "linux_x86_64")))]
    done = scene.twine(TWINE_USERNAME="__token__", TWINE_PASSWORD=TOKEN)
    assert done.returncode == 1
    words = f"Binary wheel '{scene.samples[0].name}' has an unsupported platform tag 'linux_x86_64'."
    assert words in done.stdout + done.stderr
    assert scene.index.files == {}


@pytest.mark.parametrize("installer", ["pip", "uv"])
def test_what_was_published_can_be_installed(scene: Scene, installer: str) -> None:
    assert scene.uv().returncode == 0
    done = scene.install(installer)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (scene.folder / "target" / PROJECT.import_name / "__init__.py").exists()


@pytest.mark.parametrize("installer", ["pip", "uv"])
def test_what_was_changed_on_the_way_is_not_installed(scene: Scene, installer: str) -> None:
    assert scene.uv().returncode == 0
    scene.index.files[WHEEL] = replace(scene.index.files[WHEEL], content=good_wheel({"more.py": b""}))
    done = scene.install(installer)
    assert done.returncode != 0
    assert "hash" in (done.stdout + done.stderr).lower()


@pytest.mark.parametrize("accept", [ACCEPT_HTML_ONLY, ACCEPT_JSON_ONLY], ids=["HTML", "JSON"])
def test_a_reader_finds_hashes_and_provenance_of_each_file(scene: Scene, accept: str) -> None:
    assert scene.uv(*attest(scene.samples, CLAIMS)).returncode == 0
    with PyPISimple(scene.at.simple) as client:
        assert client.get_index_page(accept=accept).projects == [PROJECT.name]
        page = client.get_project_page(PROJECT.name, accept=accept)
        assert page.repository_version == "1.4"
        assert [package.filename for package in page.packages] == [WHEEL, SDIST]
        for package, path in zip(page.packages, scene.samples, strict=True):
            assert package.digests == {"sha256": sha256(path.read_bytes())}
            assert package.requires_python == ">=3.10"
            (bundle,) = client.get_provenance(package)["attestation_bundles"]
            assert bundle["publisher"]["workflow"] == "CI.yml"
            client.download_package(package, scene.folder / "again", verify=True)
            assert (scene.folder / "again").read_bytes() == path.read_bytes()
            if accept == ACCEPT_JSON_ONLY:
                assert package.size == path.stat().st_size
                assert package.upload_time == scene.index.files[path.name].uploaded
        assert client.get_package_metadata(page.packages[0]).startswith("Metadata-Version: 2.4")
