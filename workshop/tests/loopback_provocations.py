"""How each refusal of the index for what is not in a file is provoked: by name, a function that returns the answer."""

import time
from collections.abc import Callable
from dataclasses import replace

import requests

from helpers import PROJECT
from loopback_samples import (
    CLAIMS,
    PUBLISHER,
    SDIST,
    WHEEL,
    Attempt,
    good_wheel,
    make_sdist,
    make_wheel,
    sdist_files,
    wheel_files,
)
from workshop.loopback.attestations import sign
from workshop.loopback.identity import IdentityProvider

Provocation = Callable[[Attempt], requests.Response]
PROVOCATIONS: dict[str, Provocation] = {}


def provokes(name: str) -> Callable[[Provocation], Provocation]:
    """Register a function as what provokes a refusal."""

    def register(provocation: Provocation) -> Provocation:
        assert name not in PROVOCATIONS
        PROVOCATIONS[name] = provocation
        return provocation

    return register


def add(name: str, provocation: Provocation) -> None:
    """Register what fits on a line."""
    provokes(name)(provocation)


# ---- asking for a token
add("mint-payload", lambda one: one.post("/_/oidc/mint-token", data=b'{"tokn": "x"}'))
add("malformed-jwt", lambda one: one.exchange("hello"))
add("unknown-issuer", lambda one: one.mint(iss="https://gitlab.com"))
add("invalid-token", lambda one: one.exchange(IdentityProvider().issue(CLAIMS, "pypi")))
add("no-workflow-file", lambda one: one.mint(job_workflow_ref="somebody/ferrous-wheel/.github/workflows/CI@x"))
add("unknown-publisher", lambda one: one.mint(environment=None))
add("missing-claim", lambda one: one.mint(event_name=None))
add("failed-claim", lambda one: one.mint(repository_owner="else"))
add("no-ref", lambda one: one.mint(ref="", sha=""))
add("other-workflow-ref", lambda one: one.mint(ref="refs/heads/main"))
add("pull-request-target", lambda one: one.mint(event_name="pull_request_target"))


@provokes("reused-token")
def _(one: Attempt) -> requests.Response:
    identity = one.provider.issue(CLAIMS, "pypi")
    assert one.exchange(identity).ok
    return one.exchange(identity)


@provokes("stale-pending-publisher")
def _(one: Attempt) -> requests.Response:
    one.index.publishers.append(replace(PUBLISHER, pending=True))
    return one.mint()


@provokes("similar-name")
def _(one: Attempt) -> requests.Response:
    one.index.publishers[:] = [replace(PUBLISHER, pending=True)]
    one.index.projects = {f"{PROJECT.name[0]}-{PROJECT.name[1:]}"}
    return one.mint()


# ---- showing a token
def unknown(one: Attempt, *authorization: str) -> requests.Response:
    one.authorization = (authorization[0], authorization[1])
    return one.wheel()


add("no-identity", lambda one: unknown(one, "__token__", "pypi-unknown"))
add("password", lambda one: unknown(one, "somebody", "secret"))


@provokes("expired")
def _(one: Attempt) -> requests.Response:
    one.trust()
    one.index.now = lambda: time.time() + 900
    return one.wheel()


def of_another(one: Attempt, project: str) -> requests.Response:
    one.trust()
    one.index.projects.add("other")
    return one.wheel(name=project)


add("minted-for-another", lambda one: of_another(one, "other"))
add("unknown-project", lambda one: of_another(one, "unknown"))
add("token-for-another", lambda one: one.wheel(name="other"))


@provokes("archived")
def _(one: Attempt) -> requests.Response:
    one.trust()
    one.index.archived = True
    return one.wheel()


@provokes("archived-user")
def _(one: Attempt) -> requests.Response:
    one.index.archived = True
    return one.wheel()


# ---- the form
add("no-action", lambda one: one.wheel(**{":action": None}))
add("registration", lambda one: one.wheel(**{":action": "submit"}))
add(
    "file-for-text",
    lambda one: one.post(
        "/legacy/", data={":action": "file_upload"}, files={"name": ("x", b"")}, auth=one.authorization
    ),
)
add("protocol-version", lambda one: one.wheel(protocol_version="2"))
add("no-file-type", lambda one: one.wheel(filetype=None))
add("file-type", lambda one: one.wheel(filetype="bdist_egg"))
add("bad-sha256", lambda one: one.wheel(sha256_digest="abc"))
add("bad-blake2", lambda one: one.wheel(blake2_256_digest="abc"))
add("no-python-version", lambda one: one.wheel(pyversion=None))
add("python-version", lambda one: one.sdist(pyversion="py3"))
add("no-digest", lambda one: one.wheel(sha256_digest=None))
add(
    "no-file",
    lambda one: one.post(
        "/legacy/",
        data={":action": "file_upload", "filetype": "sdist", "sha256_digest": "a" * 64}
        | {"metadata_version": "2.4", "name": "ferrous-wheel", "version": "0.1.0"},
        files={"gpg_signature": ("x", b"")},
        auth=one.authorization,
    ),
)

# ---- the file, by its name and its digests
add("digest", lambda one: one.wheel(sha256_digest="a" * 64))


@provokes("content-type")
def _(one: Attempt) -> requests.Response:
    one.content_type = "image/png"
    return one.wheel()


@provokes("project-too-large")
def _(one: Attempt) -> requests.Response:
    assert one.sdist().ok
    one.index.project_limit = len(make_sdist(sdist_files())) + len(good_wheel()) - 1
    return one.wheel()


@provokes("exists")
def _(one: Attempt) -> requests.Response:
    assert one.wheel().ok
    return one.send(WHEEL, make_wheel({**wheel_files(), "other": b""}))


@provokes("deleted")
def _(one: Attempt) -> requests.Response:
    assert one.wheel().ok
    one.index.delete(WHEEL)
    return one.wheel()


@provokes("closed-release")
def _(one: Attempt) -> requests.Response:
    assert one.wheel().ok
    one.index.now = lambda: time.time() + 14 * 24 * 3600 + 1
    return one.sdist()


@provokes("second-sdist")
def _(one: Attempt) -> requests.Response:
    assert one.sdist().ok
    return one.send(SDIST.replace("0.1.0", "0.1"), make_sdist({**sdist_files(), "x": b""}))


# ---- attestations
def attested(one: Attempt, *texts: str) -> requests.Response:
    one.trust()
    return one.wheel(attestations=f"[{','.join(texts)}]")


def attestation(**claims: str) -> str:
    return sign(WHEEL, good_wheel(), {**CLAIMS, **claims}).model_dump_json()


OTHER_FILE = "somebody/ferrous-wheel/.github/workflows/release.yml@refs/tags/v0.1.0"
add("untrusted-attestations", lambda one: one.wheel(attestations=f"[{attestation()}]"))
add("malformed-attestations", lambda one: attested(one, '{"version": 1}'))
add("no-attestations", attested)
add("many-attestations", lambda one: attested(one, *[attestation()] * 3))
add("twin-attestations", lambda one: attested(one, *[attestation()] * 2))
add("unverified-attestation", lambda one: attested(one, attestation(workflow_ref=OTHER_FILE)))
