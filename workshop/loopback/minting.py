"""Tokens for uploads: which publisher an identity is of, how a token is made and burnt, and whose one is."""

import base64
import binascii
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import jwt
from packaging.utils import canonicalize_name
from pydantic import BaseModel, StrictStr, ValidationError

from workshop.loopback.identity import ISSUER, IdentityProvider
from workshop.loopback.index import PackageIndex, Token, TrustedPublisher
from workshop.loopback.refusals import RefusedError, refused

# PyPI's source, warehouse/oidc/views.py, mint_token.
LIFETIME = 900
# PyPI's source, warehouse/oidc/models/github.py, GitHubPublisherMixin: without one of these a token is refused.
CLAIMS = "event_name", "job_workflow_ref", "jti", "ref", "repository", "repository_owner", "repository_owner_id", "sha"


class Payload(BaseModel):
    """What is posted where a token is minted or burnt."""

    token: StrictStr


def read_token(body: bytes) -> str:
    """Return the token in what was posted: a JSON object with it."""
    try:
        return Payload.model_validate_json(body).token
    except ValidationError as error:
        raise refused("mint-payload", reason=error) from error


def mint(index: PackageIndex, provider: IdentityProvider, body: bytes) -> dict[str, Any]:
    """Exchange an identity that the provider vouches for for a token, and return PyPI's answer.

    The source is PyPI's: warehouse/oidc/views.py, mint_token_from_oidc and mint_token.
    """
    identity = read_token(body)
    try:
        issuer = jwt.decode(identity, options={"verify_signature": False})["iss"]
    except (jwt.PyJWTError, KeyError) as error:
        raise refused("malformed-jwt") from error
    if issuer != ISSUER:
        raise refused("unknown-issuer")
    claims = provider.verify(identity, index.audience)
    if claims is None:
        raise refused("invalid-token")
    with index.lock:
        create_pending(index, claims)
        publisher = find(index, claims, pending=False)
        index.used.add(claims["jti"])
        text, expires = f"pypi-{secrets.token_urlsafe(48)}", int(index.now()) + LIFETIME
        index.minted[text] = Token(canonicalize_name(publisher.project), expires, publisher)
    return {"success": True, "token": text, "expires": expires}


def create_pending(index: PackageIndex, claims: Mapping[str, str]) -> None:
    """If the claims are of a pending publisher, create its project, and make it a publisher like others."""
    try:
        pending = find(index, claims, pending=True)
    except RefusedError as error:
        if error.code != "invalid-publisher":
            raise
        return
    name = canonicalize_name(pending.project)
    if name in index.projects:
        index.publishers.remove(pending)
        raise refused("stale-pending-publisher")
    if lookalike(name) in map(lookalike, index.projects):
        raise refused("similar-name", project=pending.project)
    index.projects.add(name)
    index.publishers[index.publishers.index(pending)] = replace(pending, pending=False)


def lookalike(name: str) -> str:
    """Return what is equal for names that look alike.

    The source is PyPI's: warehouse/migrations/versions/d18d443f89f0_ultranormalize_name_function.py.
    """
    return re.sub("o", "0", re.sub("[li]", "1", re.sub("[._-]", "", name.lower())))


def find(index: PackageIndex, claims: Mapping[str, str], *, pending: bool) -> TrustedPublisher:
    """Return the publisher that a token's claims are of, and which they do not contradict.

    The source is PyPI's: warehouse/oidc/services.py, find_publisher.
    """
    for claim in CLAIMS:
        if claims.get(claim) is None:
            raise refused("missing-claim", claim=claim)
    publisher = look_up([one for one in index.publishers if one.pending == pending], claims)
    check_claims(index, publisher, claims)
    return publisher


def look_up(publishers: Sequence[TrustedPublisher], claims: Mapping[str, str]) -> TrustedPublisher:
    """Return the publisher with exactly this repository, owner and workflow file; one with the environment first.

    The source is PyPI's: warehouse/oidc/models/github.py, lookup_by_claims. Only the environment is in any case.
    """
    file = re.search(r"[^/]+\.(yml|yaml)(?=@)", claims["job_workflow_ref"])
    if file is None:
        raise refused("no-workflow-file")
    wanted = (claims["repository"], claims["repository_owner_id"], file[0])
    same = [one for one in publishers if (one.repository, one.owner_id, one.workflow) == wanted]
    for environment in ((claims.get("environment") or "").lower(), ""):
        for publisher in same:
            if publisher.environment.lower() == environment:
                return publisher
    raise refused("unknown-publisher")


def check_claims(index: PackageIndex, publisher: TrustedPublisher, claims: Mapping[str, str]) -> None:
    """Check the claims that the publisher was not found by.

    The source is PyPI's: warehouse/oidc/models/_core.py, verify_claims. Its checks of the repository, the owner's
    number and the environment are left out: they are weaker than those by which the publisher was found.
    """
    if claims["repository_owner"] != publisher.repository.split("/", maxsplit=1)[0]:
        raise refused("failed-claim", claim="repository_owner")
    commits = [commit for commit in (claims["ref"], claims["sha"]) if commit]
    if not commits:
        raise refused("no-ref")
    expected = sorted(f"{publisher.repository}/.github/workflows/{publisher.workflow}@{one}" for one in commits)
    if claims["job_workflow_ref"] not in expected:
        raise refused("other-workflow-ref", expected=expected, got=claims["job_workflow_ref"])
    if claims["jti"] in index.used:
        raise refused("reused-token")
    if claims["event_name"] == "pull_request_target":
        raise refused("pull-request-target")


def burn(index: PackageIndex, body: bytes) -> dict[str, Any]:
    """Forget a minted token, as uv asks for after its uploads. PyPI's source has no such page yet."""
    index.minted.pop(read_token(body), None)
    return {"success": True}


def identify(index: PackageIndex, authorization: str) -> Token:
    """Return the token that a request shows in its header: not an unknown one, nor a password.

    The source is PyPI's: warehouse/macaroons/security_policy.py and warehouse/accounts/security_policy.py.
    """
    scheme, _, shown = authorization.partition(" ")
    if scheme.lower() == "basic":
        try:
            user, _, shown = base64.b64decode(shown).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError) as error:
            raise refused("no-identity") from error
        if user != "__token__":
            raise refused("password")
    elif scheme.lower() not in {"token", "bearer"}:
        raise refused("no-identity")
    shown = shown.strip()
    if shown in index.tokens:
        return Token(canonicalize_name(index.project), float("inf"), None)
    if shown not in index.minted:
        raise refused("no-identity")
    return index.minted[shown]


def check_permission(index: PackageIndex, token: Token, name: str) -> None:
    """Check that a token may upload to a project; that of a publisher cannot create one.

    The source is PyPI's: warehouse/forklift/legacy.py, file_upload, and warehouse/macaroons/caveats/__init__.py.
    """
    project = canonicalize_name(name)
    if token.publisher is None:
        if project != token.project:
            raise refused("token-for-another", project=name)
        if index.archived:
            raise refused("archived-user", user="owner", project=name)
        return
    if project not in index.projects:
        raise refused("unknown-project")
    if project != token.project:
        raise refused("minted-for-another", project=name)
    if index.now() >= token.expires:
        raise refused("expired")
    if index.archived:
        raise refused("archived", project=name)
