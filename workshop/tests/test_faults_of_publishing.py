"""What goes wrong at the index: who is trusted, what is there already, the network; and after it is published."""

import gzip
import time
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from helpers import PROJECT
from rehearsal_faults import COMPLETE, NOBODY, Base, Fault, Scene, require_stated
from roadworthy.processes import find_uv
from workshop.loopback.index import Outage
from workshop.rehearsing.runner import FOLDER, Run

LEGACY, MINT, SIMPLE = "/legacy/", "/_/oidc/mint-token", "/simple/"
TOKEN = "pypi-rehearsal"  # noqa: S105 - of an index that ends with its fault
INVALID = '"invalid-publisher", "description": "valid token, but no corresponding publisher'
# Sends the first file, and dies as a power cut ends it.
DYING = """\
#!/bin/sh
"{uv}" "$1" "$2" "$3" "$4" "$5"
kill -9 $$
"""


def set_publisher(scene: Scene, **others: Any) -> None:  # noqa: ANN401 - any of its attributes
    """Tell the index something else about the trusted publisher."""
    (publisher,) = scene.rehearsal.index.publishers
    scene.rehearsal.index.publishers[:] = [replace(publisher, **others)]


def until_again(scene: Scene, *outages: Outage) -> None:
    """Have outages during the first attempt to publish, and run the failed job again when they are over."""
    index = scene.rehearsal.index
    index.outages.extend(outages)
    # uv asks again by itself, and waits longer each time; once is enough to see that it does not help.
    run = scene.publish(before={"uv publish": "export UV_HTTP_RETRIES=1"})
    index.outages.clear()
    if run.failed:
        scene.go(run, again=True)


def spoil(change: Callable[[Path], object]) -> Callable[[Run], object]:
    """Return what changes the wheel of the stable ABI in the artefact that is published."""
    return lambda run: change(next((run.artefacts / "release" / PROJECT.dist.name).glob("*-abi3-*.whl")))


# ---- whom PyPI trusts -----------------------------------------------------------------------------------------------


def environment_renamed(scene: Scene) -> None:
    """The publishing job runs in another environment than PyPI was told."""
    scene.edit(PROJECT.workflow_path, "    environment: pypi\n", "    environment: production\n")
    scene.publish()


def workflow_renamed(scene: Scene) -> None:
    """The workflow's file has another name than PyPI was told."""
    rename_workflow(scene, "publish.yml")


def workflow_in_other_case(scene: Scene) -> None:
    """The workflow's file has the same name in other letters."""
    rename_workflow(scene, PROJECT.workflow_file.lower())


def rename_workflow(scene: Scene, name: str) -> None:
    """Rename the workflow in the commit that is tagged, and publish."""
    text = scene.place.read(PROJECT.workflow_path)
    commit = scene.place.commit("Rename the workflow", {PROJECT.workflow_path: None, f"{FOLDER}/{name}": text})
    scene.place.git("push", "--quiet", "--force", "origin", f"{commit}:refs/tags/{scene.tag}")
    scene.publish(workflow_file=name)


def repository_transferred(scene: Scene) -> None:
    """The repository has moved to another owner, and PyPI was not told."""
    name = scene.rehearsal.repository.split("/")[1]
    scene.publish(event=scene.rehearsal.event(repository=f"somebody-else/{name}"))


def identity_not_allowed(scene: Scene) -> None:
    """The publishing job lacks the permission to ask for its identity."""
    scene.edit(
        PROJECT.workflow_path,
        "    environment: pypi\n    permissions:\n      id-token: write",
        "    environment: pypi\n    permissions:\n      contents: read",
    )
    scene.publish()


def identity_expired(scene: Scene) -> None:
    """The identity has expired when it comes to the index."""
    scene.rehearsal.provider.lifetime = -60
    scene.publish()


def token_of_another_project(scene: Scene) -> None:
    """The publisher is registered for another project."""
    set_publisher(scene, project="another-project")
    scene.rehearsal.index.projects.add("another-project")
    scene.publish()


def pending_publisher_misspelt(scene: Scene) -> None:
    """The pending publisher of a first release names the project otherwise than its metadata."""
    set_publisher(scene, project=f"{scene.rehearsal.index.project}s", pending=True)
    scene.rehearsal.index.projects.clear()
    scene.publish()


# ---- what is sent, and what is there --------------------------------------------------------------------------------


def wheel_replaced_after_the_gate(scene: Scene) -> None:
    """A wheel is replaced between the gate and the publishing job."""
    scene.publish(spoil=spoil(lambda wheel: wheel.write_bytes(b"another wheel")))


def release_deleted(scene: Scene) -> None:
    """The version was published before, and deleted."""
    scene.rehearsal.index.deleted.update(scene.base.sums)
    scene.publish()


def other_bytes_there(scene: Scene) -> None:
    """One file of the version comes onto the index by hand, with other bytes, after the tag was pushed."""
    send_other_sdist(scene)
    run = scene.start("make collect", without=("make verify",))
    scene.go(run)


def version_published_by_hand(scene: Scene) -> None:
    """The version was published by hand, and never tagged."""
    send_other_sdist(scene)
    scene.release()


def send_other_sdist(scene: Scene) -> None:
    """Put an sdist of the release with other bytes on the index."""
    sdist = scene.base.artefacts / "release" / PROJECT.dist.name / scene.file(".tar.gz")
    other = scene.folder / sdist.name
    other.write_bytes(gzip.compress(gzip.decompress(sdist.read_bytes()), compresslevel=1))
    send(scene, other)


def send(scene: Scene, *paths: Path) -> str:
    """Send files to the index with a token, as its owner can; return what uv said."""
    scene.rehearsal.index.tokens.add(TOKEN)
    where = (f"--publish-url={scene.rehearsal.addresses.plain}", f"--token={TOKEN}")
    sent = scene.place.run(find_uv(), "publish", "--trusted-publishing=never", *where, *paths)
    if sent.returncode:
        raise RuntimeError(sent.stdout)
    return sent.stdout


def everything_there(scene: Scene) -> None:
    """All files are there already, as they are: the job runs a second time."""
    scene.publish()
    scene.publish()


# ---- the network ----------------------------------------------------------------------------------------------------


def upload_cut_off(scene: Scene) -> None:
    """The connection breaks in the middle of an upload, again and again; the job is run again."""
    until_again(scene, Outage("POST", LEGACY, drop_after=1000))


def upload_killed(scene: Scene) -> None:
    """The machine dies after the first file; the job is run again."""
    uv = scene.place.tools / "uv"
    uv.unlink()
    uv.write_text(DYING.format(uv=find_uv()), encoding="utf-8")
    uv.chmod(0o755)
    run = scene.publish()
    uv.unlink()
    uv.symlink_to(find_uv())
    scene.go(run, again=True)


def index_down(scene: Scene) -> None:
    """The index takes no uploads; the job is run again."""
    until_again(scene, Outage("POST", LEGACY, status=503))


def no_token_to_be_had(scene: Scene) -> None:
    """The index makes no tokens; the job is run again."""
    until_again(scene, Outage("POST", MINT, status=502))


def too_many_requests(scene: Scene) -> None:
    """The index asks for fewer uploads; the job is run again."""
    until_again(scene, Outage("POST", LEGACY, status=429))


def token_expires_midway(scene: Scene) -> None:
    """The token expires after the first file; the job is run again."""
    index = scene.rehearsal.index
    index.now = lambda: time.time() + (1000 if index.files else 0)
    run = scene.publish()
    index.now = time.time
    scene.go(run, again=True)


# ---- after it is published ------------------------------------------------------------------------------------------


def index_late(scene: Scene) -> None:
    """The index does not show the files for two requests, as a cache does."""
    scene.rehearsal.index.late = 2
    scene.publish()


def index_unreadable(scene: Scene) -> None:
    """The index answers 503 to readers for two requests."""
    scene.rehearsal.index.outages.append(Outage("GET", SIMPLE, status=503, times=2))
    scene.publish()


def stranger_on_the_index(scene: Scene) -> None:
    """The index serves a file of the version that was never built; the job's summary says what to do."""
    wheel = next((scene.base.artefacts / "release" / PROJECT.dist.name).glob("*-abi3-*.whl"))
    # The same with a build number, so that installers prefer it.
    stranger = scene.folder / wheel.name.replace("-cp", "-1-cp", 1)
    with zipfile.ZipFile(wheel) as old, zipfile.ZipFile(stranger, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as new:
        for entry in old.infolist():
            new.writestr(entry.filename, old.read(entry))
    send(scene, stranger)
    run = scene.publish()
    scene.tell(run.summary.read_text(encoding="utf-8"))


def github_down(scene: Scene) -> None:
    """GitHub fails in the middle of the release's files; the job is run again."""
    scene.rehearsal.write_github(dies="release create")
    run = scene.publish()
    scene.go(run, again=True)
    released = scene.rehearsal.read_github()["releases"].values()
    for one in released:
        if not one["isDraft"]:
            scene.tell(f"GitHub: {one['tagName']} is public, with {len(one['assets'])} files")


def ci_cannot_publish(scene: Scene) -> None:
    """GitHub is down: the artefacts that CI has saved are published by hand, with a token."""
    scene.tell(send(scene, *sorted((scene.base.artefacts / "release" / PROJECT.dist.name).iterdir())))


FAULTS = (
    Fault(environment_renamed, "uv publish", INVALID),
    Fault(workflow_renamed, "uv publish", INVALID),
    Fault(workflow_in_other_case, "uv publish", INVALID),
    Fault(repository_transferred, "uv publish", INVALID),
    Fault(identity_not_allowed, "astral-sh/attest-action", "is `id-token: write` missing"),
    Fault(identity_expired, "uv publish", '"invalid-token", "description": "malformed or invalid token"'),
    Fault(token_of_another_project, "uv publish", "OIDC scoped token is not valid for project"),
    Fault(pending_publisher_misspelt, "uv publish", "Non-user identities cannot create new projects"),
    Fault(wheel_replaced_after_the_gate, "sha256sum", "FAILED"),
    Fault(release_deleted, "uv publish", "This filename was previously used by a file that has since been deleted"),
    Fault(other_bytes_there, "make check-names", "already, with other bytes than were built"),
    Fault(version_published_by_hand, "make release", "is published already, without a tag here", start="before"),
    Fault(everything_there, NOBODY, "serves exactly the", ends=COMPLETE),
    Fault(upload_cut_off, "uv publish", "serves exactly the", ends=COMPLETE),
    Fault(upload_killed, "uv publish", "serves exactly the", ends=COMPLETE),
    Fault(index_down, "uv publish", "503", ends=COMPLETE),
    Fault(no_token_to_be_had, "uv publish", "502", ends=COMPLETE),
    Fault(too_many_requests, "uv publish", "429", ends=COMPLETE),
    Fault(
        token_expires_midway, "uv publish", "Invalid or non-existent authentication information|expired", ends=COMPLETE
    ),
    Fault(index_late, NOBODY, "asking again in", ends=COMPLETE),
    Fault(index_unreadable, NOBODY, "asking again in", ends=COMPLETE),
    Fault(
        stranger_on_the_index, "make check-index", r"it is the release \| yank .* on PyPI", ends=COMPLETE, green=False
    ),
    Fault(github_down, "make github-release", "GitHub: .* is public", ends=COMPLETE),
    Fault(ci_cannot_publish, NOBODY, r"Uploading .*\.tar\.gz", ends=COMPLETE),
)


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_it_ends_as_stated(fault: Fault, rehearsed: Base, tmp_path: Path) -> None:
    require_stated(fault, rehearsed, tmp_path / "place")
