"""What the index refuses for what it has, whom it trusts, and what a form says: with which status and in which words.

All of them are PyPI's. What it rejects for the file itself is in gate/pypi.py. Where PyPI's words name an address of
its own, only the path of it is here.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from roadworthy.gate.model import Rejection

NO_PUBLISHER = "valid token, but no corresponding publisher"
ATTESTATIONS = "Invalid attestations supplied during upload:"

# By PyPI's source, the HTTP status, and PyPI's name of the error where a token is asked for ("" for an upload, whose
# words are all there is): the words of each refusal, a template of `str.format`.
TABLE: dict[tuple[str, int, str], dict[str, str]] = {
    ("warehouse/oidc/views.py, mint_token_from_oidc", 422, "invalid-payload"): {
        "mint-payload": "{reason}",
        "malformed-jwt": "malformed JWT",
        "unknown-issuer": "unknown trusted publishing issuer",
    },
    ("warehouse/oidc/services.py, verify_jwt_signature", 422, "invalid-token"): {
        "invalid-token": "malformed or invalid token"
    },
    ("warehouse/oidc/models/_core.py, check_existing_jti", 422, "invalid-reuse-token"): {
        "reused-token": "invalid token: already used"
    },
    ("warehouse/oidc/views.py, mint_token", 422, "invalid-pending-publisher"): {
        "stale-pending-publisher": "valid token, but project already exists"
    },
    ("warehouse/packaging/services.py, create_project", 422, "invalid-payload"): {
        "similar-name": "The name {project!r} is too similar to an existing project. "
        "See /help/#project-name for more information."
    },
    ("warehouse/oidc/models/github.py, lookup_by_claims", 422, "invalid-publisher"): {
        "no-workflow-file": f"{NO_PUBLISHER} (Could not job extract workflow filename from OIDC claims)",
        "unknown-publisher": f"{NO_PUBLISHER} (Publisher with matching claims was not found)",
    },
    ("warehouse/oidc/models/_core.py, check_claims_existence and verify_claims", 422, "invalid-publisher"): {
        "missing-claim": f"{NO_PUBLISHER} (Missing claim {{claim!r}})",
        "failed-claim": f"{NO_PUBLISHER} (Check failed for required claim {{claim!r}})",
    },
    ("warehouse/oidc/models/github.py, _check_job_workflow_ref and _check_event_name", 422, "invalid-publisher"): {
        "no-ref": f"{NO_PUBLISHER} (The ref and sha claims are empty)",
        "other-workflow-ref": f"{NO_PUBLISHER} (The job_workflow_ref claim does not match, expecting one of "
        "{expected!r}, got {got!r})",
        "pull-request-target": f"{NO_PUBLISHER} (Publishing from a workflow invoked via 'pull_request_target' is not "
        "supported.)",
    },
    ("warehouse/forklift/decorators.py, sanitize and ensure_uploads_allowed", 403, ""): {
        "no-identity": "Invalid or non-existent authentication information. "
        "See /help/#invalid-auth for more information."
    },
    ("warehouse/accounts/security_policy.py, BasicAuthSecurityPolicy", 403, ""): {
        "password": "Username/Password authentication is no longer supported. Migrate to API Tokens or Trusted "
        "Publishers instead. See /help/#apitoken and /help/#trusted-publishers"
    },
    ("warehouse/macaroons/caveats/__init__.py, Expiration, ProjectName and OIDCPublisher", 403, ""): {
        "expired": "Invalid API Token: token is expired",
        "minted-for-another": "Invalid API Token: OIDC scoped token is not valid for project {project!r}",
        "token-for-another": "Invalid API Token: project-scoped token is not valid for project: {project!r}",
    },
    ("warehouse/packaging/models.py, Project.__acl__; warehouse/forklift/legacy.py, file_upload", 403, ""): {
        "archived": "The given token isn't allowed to upload to project '{project}'. "
        "See /help/#project-name for more information.",
        "archived-user": "The user '{user}' isn't allowed to upload to project '{project}'. "
        "See /help/#project-name for more information.",
    },
    ("warehouse/csrf.py, require_method_view", 405, ""): {"no-action": "Method Not Allowed"},
    ("warehouse/forklift/legacy.py, submit", 410, ""): {
        "registration": "Project pre-registration is no longer required or supported, upload your files instead."
    },
    ("warehouse/forklift/decorators.py, sanitize", 400, ""): {"file-for-text": "{field}: Should not be a tuple."},
    ("warehouse/forklift/forms.py, UploadForm", 400, ""): {
        "no-file-type": "Invalid value for filetype. Error: This field is required.",
        "file-type": "Invalid value for filetype. Error: Use a known file type.",
        "bad-sha256": "Invalid value for sha256_digest. Error: Use a valid, hex-encoded, SHA256 message digest.",
        "bad-blake2": "Invalid value for blake2_256_digest. Error: Use a valid, hex-encoded, BLAKE2 message digest.",
        "no-python-version": "Invalid value for pyversion. Error: Python version is required for binary distribution "
        "uploads.",
        "python-version": "Invalid value for pyversion. Error: Use 'source' as Python version for an sdist.",
        "no-digest": "Error: Include at least one message digest.",
    },
    ("warehouse/forklift/legacy.py, file_upload", 400, ""): {
        "protocol-version": "Unknown protocol version.",
        "no-file": "Upload payload does not have a file.",
        "unknown-project": "Non-user identities cannot create new projects. This was probably caused by successfully "
        "using a pending publisher but specifying the project name incorrectly (either in the publisher or in your "
        "project's metadata). Please ensure that both match. See: /trusted-publishers/troubleshooting/",
        "content-type": "Invalid distribution file.",
        "project-too-large": "Project size too large. Limit for project {project!r} total size is {limit} GB. "
        "See /project-management/storage-limits#requesting-a-project-size-limit-increase",
        "digest": "The digest supplied does not match a digest calculated from the uploaded file.",
        "exists": "File already exists ({file!r}, with blake2_256 hash {digest!r}). "
        "See /help/#file-name-reuse for more information.",
        "deleted": "This filename was previously used by a file that has since been deleted. Use a different version. "
        "See /help/#file-name-reuse for more information.",
        "closed-release": "Uploading new files to releases older than 14 days is not allowed.",
        "second-sdist": "Only one sdist may be uploaded per release.",
    },
    ("warehouse/attestations/services.py, parse_attestations", 400, ""): {
        "untrusted-attestations": f"{ATTESTATIONS} Attestations are only supported when using Trusted Publishing",
        "malformed-attestations": f"{ATTESTATIONS} Malformed attestations: {{reason}}",
        "no-attestations": f"{ATTESTATIONS} Malformed attestations: an empty attestation set is not permitted",
        "many-attestations": f"{ATTESTATIONS} A maximum of {{limit}} attestations per file are supported",
        "unverified-attestation": f"{ATTESTATIONS} Could not verify the uploaded artifact using the included "
        "attestation: Verification failed: {reason}",
        "twin-attestations": f"{ATTESTATIONS} Multiple attestations for the same file with the same predicate type "
        "({kind}) are not supported",
    },
}


@dataclass(frozen=True)
class Refusal:
    """One thing that is refused: its name here, and what stands in the table."""

    name: str
    status: int
    code: str
    words: str
    source: str


REFUSALS = {
    name: Refusal(name, status, code, words, source)
    for (source, status, code), refusals in TABLE.items()
    for name, words in refusals.items()
}


class RefusedError(Exception):
    """A request is refused; `words` is what the client is told, on one line."""

    def __init__(self, status: int, words: str, code: str = "") -> None:
        """Keep what is answered."""
        self.status, self.code = status, code
        self.words = " ".join(words.splitlines())
        super().__init__(self.words)


def refused(name: str, **values: object) -> RefusedError:
    """Return the exception for an entry of the table, to be raised; `values` are what its words ask for."""
    refusal = REFUSALS[name]
    return RefusedError(refusal.status, refusal.words.format(**values), refusal.code)


def reject(rejections: Iterable[Rejection]) -> None:
    """Refuse an upload for the first thing that PyPI rejects in it, if there is any."""
    for rejection in rejections:
        raise RefusedError(400, f"{rejection.words} {rejection.more}".rstrip())
