"""What is refused where a token is asked for or shown: rows of the table in refusals.py."""

# Source, status and code, then name, condition and words of each.
Rows = list[tuple[str, int, str, list[tuple[str, str, str]]]]

NO_PUBLISHER = "valid token, but no corresponding publisher"

TOKENS: Rows = [
    (
        "warehouse/oidc/views.py, mint_token_from_oidc",
        422,
        "invalid-payload",
        [
            ("mint-payload", "what is posted is no JSON object with a token", "{reason}"),
            ("malformed-jwt", "the token is no JWT", "malformed JWT"),
            ("unknown-issuer", "another identity provider made the token", "unknown trusted publishing issuer"),
        ],
    ),
    (
        "warehouse/oidc/services.py, verify_jwt_signature",
        422,
        "invalid-token",
        [
            (
                "invalid-token",
                "the token is expired, is for another audience, or is signed by another key",
                "malformed or invalid token",
            ),
        ],
    ),
    (
        "warehouse/oidc/models/_core.py, check_existing_jti",
        422,
        "invalid-reuse-token",
        [
            ("reused-token", "the token has been exchanged before", "invalid token: already used"),
        ],
    ),
    (
        "warehouse/oidc/views.py, mint_token",
        422,
        "invalid-pending-publisher",
        [
            (
                "stale-pending-publisher",
                "a pending publisher is for a project that exists",
                "valid token, but project already exists",
            ),
        ],
    ),
    (
        "warehouse/packaging/services.py, create_project",
        422,
        "invalid-payload",
        [
            (
                "similar-name",
                "a pending publisher's project is called almost like another one",
                (
                    "The name {project!r} is too similar to an existing project. "
                    "See /help/#project-name for more information."
                ),
            ),
        ],
    ),
    (
        "warehouse/oidc/models/github.py, lookup_by_claims",
        422,
        "invalid-publisher",
        [
            (
                "no-workflow-file",
                "job_workflow_ref names no workflow file",
                f"{NO_PUBLISHER} (Could not job extract workflow filename from OIDC claims)",
            ),
            (
                "unknown-publisher",
                "repository, owner's id, workflow file or environment are those of no publisher",
                f"{NO_PUBLISHER} (Publisher with matching claims was not found)",
            ),
        ],
    ),
    (
        "warehouse/oidc/models/_core.py, check_claims_existence and verify_claims",
        422,
        "invalid-publisher",
        [
            (
                "missing-claim",
                "the token lacks a claim that must be there",
                f"{NO_PUBLISHER} (Missing claim {{claim!r}})",
            ),
            (
                "failed-claim",
                "a claim contradicts the publisher that the others have found",
                f"{NO_PUBLISHER} (Check failed for required claim {{claim!r}})",
            ),
        ],
    ),
    (
        "warehouse/oidc/models/github.py, _check_job_workflow_ref and _check_event_name",
        422,
        "invalid-publisher",
        [
            ("no-ref", "ref and sha are both empty", f"{NO_PUBLISHER} (The ref and sha claims are empty)"),
            (
                "other-workflow-ref",
                "job_workflow_ref is at another commit or in another repository: a reusable workflow",
                (
                    f"{NO_PUBLISHER} (The job_workflow_ref claim does not match, expecting one of {{expected!r}}, "
                    "got {got!r})"
                ),
            ),
            (
                "pull-request-target",
                "the workflow was started by pull_request_target",
                f"{NO_PUBLISHER} (Publishing from a workflow invoked via 'pull_request_target' is not supported.)",
            ),
        ],
    ),
    (
        "warehouse/forklift/decorators.py, sanitize and ensure_uploads_allowed",
        403,
        "",
        [
            (
                "no-identity",
                "there is no token, or one that is unknown or burnt",
                "Invalid or non-existent authentication information. See /help/#invalid-auth for more information.",
            ),
        ],
    ),
    (
        "warehouse/accounts/security_policy.py, BasicAuthSecurityPolicy",
        403,
        "",
        [
            (
                "password",
                "a user name and a password instead of a token",
                (
                    "Username/Password authentication is no longer supported. Migrate to API Tokens "
                    "or Trusted Publishers instead. See /help/#apitoken and /help/#trusted-publishers"
                ),
            ),
        ],
    ),
    (
        "warehouse/macaroons/caveats/__init__.py, Expiration, ProjectName and OIDCPublisher",
        403,
        "",
        [
            ("expired", "a minted token is older than 15 minutes", "Invalid API Token: token is expired"),
            (
                "minted-for-another",
                "a minted token is for another project that exists",
                "Invalid API Token: OIDC scoped token is not valid for project {project!r}",
            ),
            (
                "token-for-another",
                "a user's token is for another project",
                "Invalid API Token: project-scoped token is not valid for project: {project!r}",
            ),
        ],
    ),
    (
        "warehouse/packaging/models.py, Project.__acl__; warehouse/forklift/legacy.py, file_upload",
        403,
        "",
        [
            (
                "archived",
                "the project is archived, and the token is a minted one",
                (
                    "The given token isn't allowed to upload to project '{project}'. "
                    "See /help/#project-name for more information."
                ),
            ),
            (
                "archived-user",
                "the project is archived, and the token is a user's",
                (
                    "The user '{user}' isn't allowed to upload to project '{project}'. "
                    "See /help/#project-name for more information."
                ),
            ),
        ],
    ),
    (
        "warehouse/csrf.py, require_method_view",
        405,
        "",
        [
            ("no-action", "the form does not say that a file is to be uploaded", "Method Not Allowed"),
        ],
    ),
    (
        "warehouse/forklift/legacy.py, submit",
        410,
        "",
        [
            (
                "registration",
                "a project is to be registered, as twine register did",
                "Project pre-registration is no longer required or supported, upload your files instead.",
            ),
        ],
    ),
]
