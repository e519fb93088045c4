"""How each refusal of the index is provoked: by name, a function that uploads or asks, and returns the answer."""

import io
import tarfile
import time
import zipfile
from collections.abc import Callable
from dataclasses import replace

import requests

from broken import record_of
from loopback_samples import (
    CLAIMS,
    INFO,
    PUBLISHER,
    SDIST,
    TOP,
    WHEEL,
    Attempt,
    good_wheel,
    make_sdist,
    make_wheel,
    sdist_files,
    wheel_files,
)
from roadworthy.project import HERE
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
    one.index.projects = {f"{HERE.name[0]}-{HERE.name[1:]}"}
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
add("no-name", lambda one: one.wheel(name=None))
add("bad-name", lambda one: one.wheel(name="no name"))
add("no-file-type", lambda one: one.wheel(filetype=None))
add("file-type", lambda one: one.wheel(filetype="bdist_egg"))
add("bad-sha256", lambda one: one.wheel(sha256_digest="abc"))
add("bad-blake2", lambda one: one.wheel(blake2_256_digest="abc"))
add("no-python-version", lambda one: one.wheel(pyversion=None))
add("python-version", lambda one: one.sdist(pyversion="py3"))
add("no-digest", lambda one: one.wheel(sha256_digest=None))
add("unparsed", lambda one: one.wheel(summary=["one", "two"]))
add("metadata", lambda one: one.wheel(license_expression="MITT"))
add("metadata-version", lambda one: one.wheel(metadata_version="2.6"))
add("local-version", lambda one: one.wheel(version="0.1.0+local"))
add("summary", lambda one: one.wheel(summary="x" * 513))
add("email", lambda one: one.wheel(author_email="nobody@nowhere"))
add("classifier", lambda one: one.wheel(classifiers=["Programming Language :: Pyhton"]))
add("replaced-classifier", lambda one: one.wheel(classifiers=["Natural Language :: Ukranian"]))
add(
    "deprecated-classifier",
    lambda one: one.wheel(classifiers=["Topic :: Communications :: Chat :: AOL Instant Messenger"]),
)
add("url", lambda one: one.wheel(project_urls=["Home, ftp://example.com"]))
add("no-label", lambda one: one.wheel(project_urls=[", https://example.com"]))
add("no-url", lambda one: one.wheel(project_urls=["Home,"]))
add("long-label", lambda one: one.wheel(project_urls=[f"{'x' * 33}, https://example.com"]))
add("direct-dependency", lambda one: one.wheel(requires_dist=["foo @ git+https://example.com/foo"]))
add("dynamic", lambda one: one.wheel(dynamic=["Dynamic"]))
add("two-licences", lambda one: one.wheel(license="MIT"))
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
BROKEN = ".. raw:: html\n\n   <p>\n\n.. nosuch::\n"
add("description", lambda one: one.wheel(description=BROKEN, description_content_type="text/x-rst"))
add("default-description", lambda one: one.wheel(description=BROKEN, description_content_type=None))

# ---- the file, by its name and its digests
add("control-character", lambda one: one.send("other\x01.whl", good_wheel()))
add("separator", lambda one: one.send(f"dist/{WHEEL}", good_wheel()))
add("unknown-extension", lambda one: one.send(WHEEL + ".asc", good_wheel(), filetype="bdist_wheel"))
add("extension", lambda one: one.wheel(filetype="sdist", pyversion="source"))
add("digest", lambda one: one.wheel(sha256_digest="a" * 64))


@provokes("content-type")
def _(one: Attempt) -> requests.Response:
    one.content_type = "image/png"
    return one.wheel()


@provokes("file-too-large")
def _(one: Attempt) -> requests.Response:
    one.index.file_limit = len(good_wheel()) - 1
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


# ---- the archive
def wheel_with(one: Attempt, **files: bytes | None) -> requests.Response:
    """Upload a wheel with other files in .dist-info, RECORD included; a dot is written as two underscores."""
    present = {**wheel_files(), f"{INFO}/RECORD": record_of(wheel_files(), "")}
    for name, content in files.items():
        present.pop(path := f"{INFO}/{name.replace('__', '.')}", None)
        if content is not None:
            present[path] = content
    return one.send(WHEEL, make_wheel(present))


def tar() -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("x"))
    return stream.getvalue()


add("two-archives", lambda one: one.send(WHEEL, tar() + good_wheel()))
add("no-zip", lambda one: one.send(WHEEL, b"hello"))
add("bomb", lambda one: one.send(WHEEL, make_wheel({"zeros": bytes((64 << 20) + 1)})))
add("compression", lambda one: one.send(WHEEL, make_wheel(wheel_files(), zipfile.ZIP_BZIP2)))
add("unnamed-wheel", lambda one: one.send("ferrous_wheel-0.1.0.whl", good_wheel()))
add("no-wheel", lambda one: wheel_with(one, WHEEL=None))
add("framing", lambda one: one.send(WHEEL, good_wheel() + b"\0"))
add("no-tar", lambda one: one.send(SDIST, b"hello"))
add("damaged", lambda one: one.send(SDIST, make_sdist(sdist_files())[:10_000]))
add("top-level", lambda one: one.send(SDIST, make_sdist({**sdist_files(), "setup.py": b""})))
add("no-pkg-info", lambda one: one.send(SDIST, make_sdist({f"{TOP}/LICENSE": b"MIT", f"{TOP}/x": b""})))
add("no-record", lambda one: wheel_with(one, RECORD=None))
add("entry-points", lambda one: wheel_with(one, entry_points__txt=b"[console_scripts]\n../x = y:z\n"))
add("no-metadata", lambda one: wheel_with(one, METADATA=None))
add("licence-file", lambda one: one.wheel(license_file=["COPYING"]))


@provokes("sparse")
def _(one: Attempt) -> requests.Response:
    entry = tarfile.TarInfo(f"{TOP}/sparse")
    entry.size = 1
    sparse = {"major": "0", "minor": "1", "map": "0,1", "size": "1"}
    entry.pax_headers = {f"GNU.sparse.{key}": value for key, value in sparse.items()}
    return one.send(SDIST, make_sdist(sdist_files(), (entry, b"x")))


# ---- the file's name and the metadata
def renamed(name: str) -> bytes:
    """Return a wheel whose .dist-info folder fits another name."""
    info = "-".join(name.split("-")[:2]) + ".dist-info"
    return make_wheel({file.replace(INFO, info): content for file, content in wheel_files().items()})


def under(one: Attempt, name: str) -> requests.Response:
    return one.send(name, renamed(name))


add("sdist-name", lambda one: one.send("ferrous_wheel.tar.gz", make_sdist(sdist_files())))
add("start", lambda one: one.send("other-0.1.0.tar.gz", make_sdist(sdist_files())))
add("sdist-spelling", lambda one: one.send(SDIST.capitalize(), make_sdist(sdist_files())))
add("wheel-name", lambda one: under(one, "ferrous_wheel-zero-py3-none-any.whl"))
add("platform", lambda one: under(one, WHEEL.replace("any", "linux_x86_64")))
add("wheel-spelling", lambda one: under(one, WHEEL.capitalize()))
add("wheel-version", lambda one: under(one, WHEEL.replace("0.1.0", "0.2.0")))


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
