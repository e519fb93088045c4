"""GitHub's identity provider: it tells whoever has a job's secret who that job is, in a signed token."""

import secrets
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from workshop.loopback.index import OWNER_ID

ISSUER = "https://token.actions.githubusercontent.com"
# PyPI's source, warehouse/oidc/services.py: seconds that two clocks may differ.
LEEWAY = 30


def github_claims(  # noqa: PLR0913 - all have to be said, and each by its name
    *, repository: str, workflow: str, ref: str, sha: str, event_name: str, environment: str
) -> dict[str, str]:
    """Return what GitHub says of a job, as its page "OpenID Connect reference" lists it.

    Args:
        repository: `owner/name`.
        workflow: The file in .github/workflows.
        ref: In full: `refs/tags/v0.1.0`.
        sha: The commit, in 40 hexadecimal digits.
        event_name: What started the workflow: `push`, `workflow_dispatch` …
        environment: The job's; "" for none.
    """
    workflow_ref = f"{repository}/.github/workflows/{workflow}@{ref}"
    subject = f"environment:{environment}" if environment else f"ref:{ref}"
    claims = {
        "sub": f"repo:{repository}:{subject}",
        "repository": repository,
        "repository_id": "7777",
        "repository_owner": repository.split("/", maxsplit=1)[0],
        "repository_owner_id": OWNER_ID,
        "repository_visibility": "public",
        "workflow": workflow,
        "workflow_ref": workflow_ref,
        "workflow_sha": sha,
        "job_workflow_ref": workflow_ref,
        "job_workflow_sha": sha,
        "ref": ref,
        "ref_type": "tag" if ref.startswith("refs/tags/") else "branch",
        "ref_protected": "false",
        "head_ref": "",
        "base_ref": "",
        "sha": sha,
        "event_name": event_name,
        "run_id": "1000",
        "run_number": "1",
        "run_attempt": "1",
        "runner_environment": "github-hosted",
        "actor": "somebody",
        "actor_id": "9999",
    }
    return {**claims, "environment": environment} if environment else claims


@dataclass
class IdentityProvider:
    """The identity provider, with a key of its own."""

    lifetime: float = 300  # of a token, in seconds; below -30 it makes tokens that have expired
    address: str = ""  # where jobs ask for tokens; the server sets it
    _key: rsa.RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(65537, 2048), repr=False)
    _key_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    _jobs: dict[str, tuple[str, dict[str, str]]] = field(default_factory=dict, repr=False)

    def grant(self, claims: Mapping[str, str]) -> dict[str, str]:
        """Let a job ask for tokens with these claims, as `permissions: id-token: write` does.

        What is returned are variables of its environment: the address to ask at, and the job's secret.
        """
        job, secret = str(uuid.uuid4()), secrets.token_urlsafe(32)
        self._jobs[job] = (secret, dict(claims))
        return {
            "ACTIONS_ID_TOKEN_REQUEST_URL": f"{self.address}/{job}?api-version=2.0",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": secret,
        }

    def answer(self, job: str, authorization: str, audience: str) -> str | None:
        """Return a token for a job, or None if it does not show its secret; without an audience, for its owner."""
        secret, claims = self._jobs.get(job, ("", {}))
        scheme, _, shown = authorization.partition(" ")
        if not secret or scheme.lower() != "bearer" or not secrets.compare_digest(shown, secret):
            return None
        return self.issue(claims, audience or f"https://github.com/{claims['repository_owner']}")

    def issue(self, claims: Mapping[str, str], audience: str) -> str:
        """Return a signed token (a JWT) with these claims, those of its lifetime, and an identifier of its own."""
        now = int(time.time())
        lasting = {"iss": ISSUER, "aud": audience, "iat": now, "nbf": now - 300, "exp": int(now + self.lifetime)}
        content = {"jti": str(uuid.uuid4()), **lasting, **claims}
        return jwt.encode(content, self._key, algorithm="RS256", headers={"kid": self._key_id})

    def verify(self, token: str, audience: str) -> dict[str, Any] | None:
        """Return a token's claims, or None if it is none of these, is expired, or is for another audience.

        The source is PyPI's: warehouse/oidc/services.py, verify_jwt_signature.
        """
        try:
            if jwt.get_unverified_header(token).get("kid") != self._key_id:
                return None
            claims: dict[str, Any] = jwt.decode(
                token,
                key=self._key.public_key(),
                algorithms=["RS256"],
                options={"require": ["iss", "iat", "exp", "aud"], "strict_aud": True},
                issuer=ISSUER,
                audience=audience,
                leeway=LEEWAY,
            )
        except jwt.PyJWTError:
            return None
        return claims
