"""Who may publish: what PyPI is told of a trusted publisher, and how it is found again by the claims of a token."""

import re
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass

from workshop.loopback.refusals import refused

# An owner's number, which a repository that is transferred does not take along. GitHub's real ones do not matter.
OWNER_ID = "5555"
# PyPI's source, warehouse/oidc/models/github.py, GitHubPublisherMixin: without one of these a token is refused.
REQUIRED = (
    "repository",
    "repository_owner",
    "repository_owner_id",
    "job_workflow_ref",
    "jti",
    "event_name",
    "ref",
    "sha",
)


@dataclass(frozen=True)
class TrustedPublisher:
    """What is registered as a project's publisher.

    Attributes:
        repository: `owner/name` on GitHub.
        workflow: The file in .github/workflows, such as `CI.yml`.
        environment: The environment of the job that publishes, in any case; "" for any or none.
        project: The project that it may upload to.
        owner_id: The owner's number on GitHub.
        pending: The project does not exist yet, and is made by the first token.
    """

    repository: str
    workflow: str
    environment: str
    project: str
    owner_id: str = OWNER_ID
    pending: bool = False


def find(publishers: Sequence[TrustedPublisher], claims: Mapping[str, str], used: Container[str]) -> TrustedPublisher:
    """Return the publisher that a token's claims are of.

    The source is PyPI's: warehouse/oidc/services.py, find_publisher.

    Args:
        publishers: Those to choose from.
        claims: What the token says; its signature has been verified.
        used: The `jti` of all tokens that have been exchanged.

    Raises:
        RefusedError: There is none, or a claim is missing or contradicts it, or the token has been used.
    """
    for claim in sorted(REQUIRED):
        if claims.get(claim) is None:
            raise refused("missing-claim", claim=claim)
    publisher = look_up(publishers, claims)
    verify(publisher, claims, used)
    return publisher


def look_up(publishers: Sequence[TrustedPublisher], claims: Mapping[str, str]) -> TrustedPublisher:
    """Return the publisher with exactly this repository, owner and workflow file; one with the environment first.

    The source is PyPI's: warehouse/oidc/models/github.py, lookup_by_claims. Only the environment is in any case.

    Raises:
        RefusedError: There is none.
    """
    file = re.search(r"[^/]+\.(yml|yaml)(?=@)", claims["job_workflow_ref"])
    if file is None:
        raise refused("no-workflow-file")
    wanted = (claims["repository"], claims["repository_owner_id"], file[0])
    same = [one for one in publishers if (one.repository, one.owner_id, one.workflow) == wanted]
    environment = (claims.get("environment") or "").lower()
    for choice in (environment, ""):
        for publisher in same:
            if publisher.environment.lower() == choice:
                return publisher
    raise refused("unknown-publisher")


def verify(publisher: TrustedPublisher, claims: Mapping[str, str], used: Container[str]) -> None:
    """Check the claims that the publisher was not found by.

    The source is PyPI's: warehouse/oidc/models/_core.py, verify_claims. Its checks of the repository, the owner's
    number and the environment are left out: they are weaker than those by which the publisher was found.

    Raises:
        RefusedError: One is wrong.
    """
    if claims["repository_owner"] != publisher.repository.split("/", maxsplit=1)[0]:
        raise refused("failed-claim", claim="repository_owner")
    commits = [commit for commit in (claims["ref"], claims["sha"]) if commit]
    if not commits:
        raise refused("no-ref")
    expected = sorted(f"{publisher.repository}/.github/workflows/{publisher.workflow}@{one}" for one in commits)
    if claims["job_workflow_ref"] not in expected:
        raise refused("other-workflow-ref", expected=expected, got=claims["job_workflow_ref"])
    if claims["jti"] in used:
        raise refused("reused-token")
    if claims["event_name"] == "pull_request_target":
        raise refused("pull-request-target")
