"""Attestations (PEP 740): made as in a workflow, but offline, and checked as PyPI does, as far as that goes offline.

Who signs here has no certificate of sigstore's authority, and nothing is in its public log. So a certificate is not
asked for its issuer, nor the log for the entry; all else is checked.
"""

import base64
import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pypi_attestations as pep740
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat import asn1
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID
from pydantic import TypeAdapter, ValidationError
from pypi_attestations import Attestation, AttestationType, ConversionError, GitHubPublisher
from sigstore.dsse import Statement
from sigstore.errors import Error as SigstoreError

from roadworthy.sums import parse_name, sha256
from workshop.loopback.identity import ISSUER
from workshop.loopback.index import TrustedPublisher
from workshop.loopback.refusals import refused

SUFFIX = ".publish.attestation"
PAYLOAD = "application/vnd.in-toto+json"
GITHUB = "https://github.com/"
# Which claims sigstore's authority writes into a certificate: the last number of the extension's name, and the value.
# Its page "oid-info" lists them.
EXTENSIONS = {
    9: "{GITHUB}{job_workflow_ref}",
    10: "{job_workflow_sha}",
    11: "{runner_environment}",
    12: "{GITHUB}{repository}",
    13: "{sha}",
    14: "{ref}",
    15: "{repository_id}",
    16: "{GITHUB}{repository_owner}",
    17: "{repository_owner_id}",
    18: "{GITHUB}{workflow_ref}",
    19: "{workflow_sha}",
    20: "{event_name}",
    21: "{GITHUB}{repository}/actions/runs/{run_id}/attempts/{run_attempt}",
    22: "{repository_visibility}",
}


def attest(paths: Iterable[Path], claims: Mapping[str, str]) -> list[Path]:
    """Write an attestation beside each distribution, as the action astral-sh/attest-action does, and return them.

    Args:
        paths: The distributions.
        claims: Who the job is, as `identity.github_claims` says.
    """
    attested = {path.with_name(path.name + SUFFIX): sign(path.name, path.read_bytes(), claims) for path in paths}
    for path, attestation in attested.items():
        path.write_text(attestation.model_dump_json(), encoding="utf-8")
    return list(attested)


def sign(
    name: str, content: bytes, claims: Mapping[str, str], kind: str = AttestationType.PYPI_PUBLISH_V1.value
) -> Attestation:
    """Return an attestation that a job has published a file, signed by a key that is thrown away."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = {"name": name, "digest": {"sha256": sha256(content)}}
    content_of = {"_type": "https://in-toto.io/Statement/v1", "subject": [subject], "predicateType": kind}
    statement = json.dumps({**content_of, "predicate": None}).encode()
    signature = key.sign(encoded(statement), ec.ECDSA(hashes.SHA256()))
    der = base64.b64encode(certificate(key, claims).public_bytes(serialization.Encoding.DER))
    material = pep740.VerificationMaterial(certificate=der, transparency_entries=[log_entry(statement)])
    envelope = pep740.Envelope(statement=base64.b64encode(statement), signature=base64.b64encode(signature))
    return Attestation(version=1, verification_material=material, envelope=envelope)


def encoded(statement: bytes) -> bytes:
    """Return the bytes that are signed for a statement: DSSE's "pre-authentication encoding"."""
    return b"DSSEv1 %d %s %d %s" % (len(PAYLOAD), PAYLOAD.encode(), len(statement), statement)


def certificate(key: ec.EllipticCurvePrivateKey, claims: Mapping[str, str]) -> x509.Certificate:
    """Return a certificate that says who the job is, as sigstore's authority would, but signed by itself."""
    values = {8: ISSUER, **{number: text.format(GITHUB=GITHUB, **claims) for number, text in EXTENSIONS.items()}}
    now, nobody = datetime.now(timezone.utc), x509.Name([])
    builder = (
        x509.CertificateBuilder(nobody, nobody, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=1))
        .not_valid_after(now + timedelta(minutes=10))
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False)
    )
    who = x509.UniformResourceIdentifier(f"{GITHUB}{claims['job_workflow_ref']}")
    builder = builder.add_extension(x509.SubjectAlternativeName([who]), critical=True)
    for number, value in values.items():
        name = x509.ObjectIdentifier(f"1.3.6.1.4.1.57264.1.{number}")
        builder = builder.add_extension(x509.UnrecognizedExtension(name, asn1.encode_der(value)), critical=False)
    return builder.sign(key, hashes.SHA256())


def log_entry(statement: bytes) -> pep740.TransparencyLogEntry:
    """Return what sigstore's public log would answer, in form; nothing was sent there."""
    nothing = base64.b64encode(bytes(32)).decode()
    proof = {"logIndex": "0", "rootHash": nothing, "treeSize": "1", "hashes": []}
    return pep740.TransparencyLogEntry(
        {
            "logIndex": "0",
            "logId": {"keyId": nothing},
            "kindVersion": {"kind": "dsse", "version": "0.0.1"},
            "integratedTime": "0",
            "inclusionPromise": {"signedEntryTimestamp": nothing},
            "inclusionProof": {**proof, "checkpoint": {"envelope": "none: this was made offline"}},
            "canonicalizedBody": base64.b64encode(statement).decode(),
        }
    )


def identity_of(publisher: TrustedPublisher) -> GitHubPublisher:
    """Return a publisher as attestations name it."""
    environment = publisher.environment.lower() or None
    return GitHubPublisher(repository=publisher.repository, workflow=publisher.workflow, environment=environment)


def check(text: str, publisher: TrustedPublisher | None, name: str, content: bytes) -> list[Attestation]:
    """Return the attestations that came with an upload, all of them of this very file, publisher and workflow.

    The source is PyPI's: warehouse/attestations/services.py, parse_attestations. The text is a list in JSON.
    """
    if publisher is None:
        raise refused("untrusted-attestations")
    try:
        attestations = TypeAdapter(list[Attestation]).validate_json(text)
    except ValidationError as error:
        raise refused("malformed-attestations", reason=error) from error
    if not attestations:
        raise refused("no-attestations")
    if len(attestations) > len(AttestationType):
        raise refused("many-attestations", limit=len(AttestationType))
    seen = set()
    for attestation in attestations:
        try:
            kind = verify(attestation, publisher, name, content)
        except (ConversionError, SigstoreError, ValueError) as error:
            raise refused("unverified-attestation", reason=error) from error
        if kind in seen:
            raise refused("twin-attestations", kind=kind)
        seen.add(kind)
    return attestations


def verify(attestation: Attestation, publisher: TrustedPublisher, name: str, content: bytes) -> str:
    """Return the kind of an attestation, after all has been checked that can be without a network.

    The source is pypi_attestations, Attestation.verify, and its words are those here.
    """
    bundle = attestation.to_bundle()
    # What Attestation.verify asks too. It has no other name, and the way there leads through sigstore's authority.
    identity_of(publisher)._as_policy().verify(bundle.signing_certificate)  # noqa: SLF001
    key, statement = bundle.signing_certificate.public_key(), attestation.envelope.statement
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise ValueError("DSSE: invalid signature")  # noqa: TRY004 - what is wrong is the attestation
    try:
        key.verify(attestation.envelope.signature, encoded(statement), ec.ECDSA(hashes.SHA256()))
    except InvalidSignature as error:
        raise ValueError("DSSE: invalid signature") from error
    Statement(statement)
    subjects = attestation.statement["subject"]
    if len(subjects) != 1:
        raise ValueError("too many subjects in statement (must be exactly one)")
    (subject,) = subjects
    if not subject.get("name"):
        raise ValueError("invalid subject: missing name")
    if parse_name(subject["name"]) != parse_name(name):
        raise ValueError(f"subject does not match distribution name: {subject['name']} != {name}")
    if subject["digest"].get("sha256") != sha256(content):
        raise ValueError("subject does not match distribution digest")
    kind = str(attestation.statement["predicateType"])
    if kind not in {one.value for one in AttestationType}:
        raise ValueError(f"unknown attestation type: {kind}")
    return kind


def provenance(publisher: TrustedPublisher, attestations: list[Attestation]) -> str:
    """Return what is served beside a file that came with attestations, in JSON.

    The source is PyPI's: warehouse/attestations/services.py, build_provenance.
    """
    bundle = pep740.AttestationBundle(publisher=identity_of(publisher), attestations=attestations)
    return pep740.Provenance(attestation_bundles=[bundle]).model_dump_json()
