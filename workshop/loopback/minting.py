"""Tokens for uploads: how an identity becomes one, how one is burnt, and whose one is."""

import base64
import binascii
import re
import secrets
from dataclasses import replace
from typing import Any

import jwt
from packaging.utils import canonicalize_name
from pydantic import BaseModel, StrictStr, ValidationError

from workshop.loopback.identity import ISSUER, IdentityProvider
from workshop.loopback.index import PackageIndex, Token
from workshop.loopback.publishers import TrustedPublisher, find
from workshop.loopback.refusals import RefusedError, refused

# PyPI's source, warehouse/oidc/views.py, mint_token.
LIFETIME = 900


class Payload(BaseModel):
    """What is posted where a token is minted or burnt."""

    token: StrictStr


def mint(index: PackageIndex, provider: IdentityProvider, body: bytes) -> dict[str, Any]:
    """Exchange an identity for a token, and return PyPI's answer: success, token, and when it expires.

    The source is PyPI's: warehouse/oidc/views.py, mint_token_from_oidc and mint_token.

    Args:
        index: Which index it is for.
        provider: Whose identities are trusted.
        body: What was posted: a JSON object with the identity as its `token`.

    Raises:
        RefusedError: It is no identity, or none of a publisher.
    """
    try:
        identity = Payload.model_validate_json(body).token
    except ValidationError as error:
        raise refused("mint-payload", reason=error) from error
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
        publisher = find([one for one in index.publishers if not one.pending], claims, index.used)
        index.used.add(claims["jti"])
        return new_token(index, publisher)


def create_pending(index: PackageIndex, claims: dict[str, Any]) -> None:
    """If the claims are of a pending publisher, create its project, and make it a publisher like others.

    Raises:
        RefusedError: The project exists, or is called almost like another one.
    """
    try:
        pending = find([one for one in index.publishers if one.pending], claims, index.used)
    except RefusedError as error:
        if error.code != "invalid-publisher":
            raise
        return
    name = canonicalize_name(pending.project)
    if name in index.projects:
        index.publishers.remove(pending)
        raise refused("stale-pending-publisher")
    if any(lookalike(name) == lookalike(other) for other in index.projects):
        raise refused("similar-name", project=pending.project)
    index.projects.add(name)
    index.publishers[index.publishers.index(pending)] = replace(pending, pending=False)


def lookalike(name: str) -> str:
    """Return what is equal for names that look alike.

    The source is PyPI's: warehouse/migrations/versions/d18d443f89f0_ultranormalize_name_function.py.
    """
    return re.sub("o", "0", re.sub("[li]", "1", re.sub("[._-]", "", name.lower())))


def new_token(index: PackageIndex, publisher: TrustedPublisher) -> dict[str, Any]:
    """Make a token for a publisher's project, and return PyPI's answer."""
    text = f"pypi-{secrets.token_urlsafe(48)}"
    expires = int(index.now()) + LIFETIME
    index.minted[text] = Token(canonicalize_name(publisher.project), expires, publisher)
    return {"success": True, "token": text, "expires": expires}


def burn(index: PackageIndex, body: bytes) -> None:
    """Forget a minted token, as uv asks for after its uploads. PyPI's source has no such page yet.

    Raises:
        RefusedError: What is posted is no JSON object with a token.
    """
    try:
        text = Payload.model_validate_json(body).token
    except ValidationError as error:
        raise refused("mint-payload", reason=error) from error
    index.minted.pop(text, None)


def identify(index: PackageIndex, authorization: str) -> Token:
    """Return the token that a request shows in its header.

    The source is PyPI's: warehouse/macaroons/security_policy.py and warehouse/accounts/security_policy.py.

    Raises:
        RefusedError: It shows none, an unknown one, or a password.
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
    """Check that a token may upload to a project.

    The source is PyPI's: warehouse/forklift/legacy.py, file_upload, and warehouse/macaroons/caveats/__init__.py.

    Raises:
        RefusedError: It may not, or the project does not exist and the token may not create it.
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
