from dataclasses import replace

import pytest
import requests
from pypi_attestations import AttestationType

from helpers import PROJECT
from loopback_samples import CLAIMS, PUBLISHER, REPOSITORY, TOKEN, WHEEL, Attempt, form_of, good_wheel
from workshop.loopback.attestations import sign
from workshop.loopback.identity import github_claims
from workshop.loopback.index import TrustedPublisher

NOT_FOUND = "valid token, but no corresponding publisher (Publisher with matching claims was not found)"


def workflow_ref(repository: str, workflow: str) -> str:
    return f"{repository}/.github/workflows/{workflow}@{CLAIMS['ref']}"


@pytest.mark.parametrize(
    "claims",
    [
        {"environment": "testpypi"},
        {"environment": None},
        {"repository_owner_id": "1"},
        {"job_workflow_ref": workflow_ref(REPOSITORY, "ci.yml")},
        {"job_workflow_ref": workflow_ref(REPOSITORY, "release.yml")},
        {"repository": REPOSITORY.upper(), "job_workflow_ref": workflow_ref(REPOSITORY.upper(), "CI.yml")},
        {"repository": "somebody/fork", "job_workflow_ref": workflow_ref("somebody/fork", "CI.yml")},
    ],
    ids=["environment", "no environment", "owner", "case", "file", "repository's case", "repository"],
)
def test_a_publisher_is_found_by_exactly_what_was_registered(one: Attempt, claims: dict[str, str | None]) -> None:
    answer = one.mint(**claims)
    assert answer.status_code == 422
    assert answer.json()["message"] == "Token request failed"
    assert answer.json()["errors"] == [{"code": "invalid-publisher", "description": NOT_FOUND}]


@pytest.mark.parametrize(
    "claims",
    [
        {"environment": "PyPI"},
        {"event_name": "workflow_dispatch"},
        {"ref": "", "job_workflow_ref": f"{REPOSITORY}/.github/workflows/CI.yml@{CLAIMS['sha']}"},
    ],
    ids=["the environment's case", "the event", "a commit instead of a ref"],
)
def test_a_publisher_is_found_whatever_else_is_claimed(one: Attempt, claims: dict[str, str | None]) -> None:
    answer = one.mint(**claims)
    assert answer.ok
    assert answer.json()["success"] is True


def test_a_publisher_of_any_environment_comes_after_that_of_the_environment(one: Attempt) -> None:
    one.index.publishers.insert(0, replace(PUBLISHER, environment="", project="other"))
    assert one.mint().ok
    assert one.mint(environment="else").ok
    assert [token.project for token in one.index.minted.values()] == [PROJECT.name, "other"]


def test_an_identity_holds_for_half_a_minute_after_its_time(one: Attempt) -> None:
    late, too_late = replace(one.provider, lifetime=-20), replace(one.provider, lifetime=-31)
    assert one.exchange(late.issue(CLAIMS, "pypi")).ok
    (error,) = one.exchange(too_late.issue(CLAIMS, "pypi")).json()["errors"]
    assert error == {"code": "invalid-token", "description": "malformed or invalid token"}


def test_an_identity_for_another_index_is_refused(one: Attempt) -> None:
    (error,) = one.exchange(one.provider.issue(CLAIMS, "testpypi")).json()["errors"]
    assert error["code"] == "invalid-token"


def test_the_older_address_mints_too(one: Attempt) -> None:
    identity = one.provider.issue(CLAIMS, "pypi")
    assert one.post("/_/oidc/github/mint-token", json={"token": identity}).ok


@pytest.mark.parametrize("authorization", ["", "bearer", "bearer another", "basic {secret}"])
def test_only_the_job_is_told_who_it_is(one: Attempt, authorization: str) -> None:
    grant = one.provider.grant(CLAIMS)
    other = one.provider.grant(CLAIMS)
    address, secret = grant["ACTIONS_ID_TOKEN_REQUEST_URL"], grant["ACTIONS_ID_TOKEN_REQUEST_TOKEN"]
    assert secret != other["ACTIONS_ID_TOKEN_REQUEST_TOKEN"]

    def ask(header: str) -> requests.Response:
        headers = {"Authorization": header} if header else {}
        return requests.get(f"{address}&audience=pypi", headers=headers, verify=str(one.at.authority), timeout=30)

    assert ask(authorization.format(secret=secret)).status_code == 401
    assert ask(f"bearer {other['ACTIONS_ID_TOKEN_REQUEST_TOKEN']}").status_code == 401
    answer = ask(f"bearer {secret}")
    assert answer.status_code == 200
    assert one.exchange(answer.json()["value"]).ok


def test_github_claims_an_environment_only_for_a_job_in_one() -> None:
    facts = {"repository": REPOSITORY, "workflow": "CI.yml", "ref": "refs/heads/main", "sha": "b" * 40}
    claims = github_claims(**facts, event_name="workflow_dispatch", environment="")
    assert "environment" not in claims
    assert (claims["sub"], claims["ref_type"]) == (f"repo:{REPOSITORY}:ref:refs/heads/main", "branch")
    assert (CLAIMS["sub"], CLAIMS["ref_type"]) == (f"repo:{REPOSITORY}:environment:pypi", "tag")


def test_a_minted_token_is_good_for_a_quarter_of_an_hour_and_until_it_is_burnt(one: Attempt) -> None:
    one.index.now = lambda: 1_000_000.0
    one.trust()
    assert one.mint().json()["expires"] == 1_000_900
    one.index.now = lambda: 1_000_899.0
    assert one.wheel().ok
    one.index.now = lambda: 1_000_900.0
    assert one.wheel().reason == "Invalid API Token: token is expired"
    assert one.authorization
    assert one.post("/_/oidc/burn-token", json={"token": one.authorization[1]}).ok
    assert one.wheel().status_code == 403


def test_a_token_may_also_be_shown_without_a_user_name(one: Attempt) -> None:
    content = good_wheel()
    upload = {"data": form_of(WHEEL, content), "files": {"content": (WHEEL, content)}}
    assert one.post("/legacy/", **upload, headers={"Authorization": "Bearer another"}).status_code == 403
    assert one.post("/legacy/", **upload, headers={"Authorization": f"Bearer {TOKEN}"}).ok


def test_a_pending_publisher_creates_the_project_once(one: Attempt) -> None:
    pending = replace(PUBLISHER, pending=True)
    one.index.publishers, one.index.projects = [pending], set()
    one.trust()
    assert (one.index.publishers, one.index.projects) == ([PUBLISHER], {PROJECT.name})
    assert one.wheel().ok
    assert one.mint().ok


def test_a_stale_pending_publisher_hides_the_real_one_once(one: Attempt) -> None:
    one.index.publishers.append(TrustedPublisher(REPOSITORY, "CI.yml", "pypi", PROJECT.name, pending=True))
    assert one.mint().json()["errors"][0]["code"] == "invalid-pending-publisher"
    assert one.mint().ok


OTHER = workflow_ref(REPOSITORY, "release.yml")
CORRUPT = sign(WHEEL, good_wheel(), CLAIMS).model_dump_json().replace('"signature":"M', '"signature":"N')


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            sign(WHEEL, good_wheel(), {**CLAIMS, "workflow_ref": OTHER}).model_dump_json(),
            f"does not match expected Trusted Publisher (CI.yml @ {REPOSITORY})",
        ),
        (
            sign(WHEEL, good_wheel(), {**CLAIMS, "repository": "somebody/fork"}).model_dump_json(),
            "Certificate's OIDCSourceRepositoryURI does not match",
        ),
        (sign(WHEEL, b"", CLAIMS).model_dump_json(), "subject does not match distribution digest"),
        (
            sign(WHEEL.replace("py3", "py2"), good_wheel(), CLAIMS).model_dump_json(),
            "subject does not match distribution name",
        ),
        (sign("hello", good_wheel(), CLAIMS).model_dump_json(), "Invalid sdist filename"),
        (
            sign(WHEEL, good_wheel(), CLAIMS, "https://example.com/attestation").model_dump_json(),
            "unknown attestation type: https://example.com/attestation",
        ),
        (CORRUPT, "DSSE: invalid signature"),
    ],
    ids=["workflow", "repository", "content", "file", "no file", "kind", "signature"],
)
def test_an_attestation_must_be_of_this_file_and_this_publisher(one: Attempt, text: str, words: str) -> None:
    one.trust()
    answer = one.wheel(attestations=f"[{text}]")
    assert answer.status_code == 400
    assert answer.reason.startswith("Invalid attestations supplied during upload: Could not verify")
    assert words in answer.reason


def test_two_attestations_of_different_kinds_are_taken(one: Attempt) -> None:
    one.trust()
    texts = [sign(WHEEL, good_wheel(), CLAIMS, kind.value).model_dump_json() for kind in AttestationType]
    assert one.wheel(attestations=f"[{','.join(texts)}]").ok
    assert len(one.index.files[WHEEL].attestations) == 2
