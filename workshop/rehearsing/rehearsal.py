"""A rehearsal: the scratch copy, an index and a GitHub on this machine, and the steps from a version to its users."""

import json
import shlex
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from roadworthy.building.toolchain import host_triple
from roadworthy.ci import doctor
from roadworthy.processes import find_uv
from roadworthy.project import Project
from roadworthy.releasing.version import Release
from roadworthy.terminal import err, problem
from workshop.loopback import gh, server
from workshop.loopback.identity import IdentityProvider
from workshop.loopback.index import PackageIndex, TrustedPublisher
from workshop.rehearsing.machine import Machine, keep_rows
from workshop.rehearsing.runner import Ran, Run
from workshop.rehearsing.scratch import FRAGMENT, ScratchCopy, choose_version, has_fragment, make_copy
from workshop.workflows.jobs import Event

NOTES = "A rehearsal of this release.\n"


@dataclass
class Rehearsal:
    """What a rehearsal has: all of it below one folder, and on loopback."""

    project: Project
    scratch: ScratchCopy
    release: Release
    index: PackageIndex  # stands for PyPI
    provider: IdentityProvider  # stands for GitHub as the one who vouches for a job
    addresses: server.Addresses
    machine: Machine

    @property
    def repository(self) -> str:
        """The repository on GitHub, as `owner/name`."""
        return publisher_of(self.project).repository

    @property
    def github(self) -> Path:
        """What GitHub has, as its stand-in keeps it."""
        return self.scratch.tools / "github.json"

    def event(self, **others: Any) -> Event:  # noqa: ANN401 - whatever an event has
        """Return the push of the release's tag."""
        tag = self.release.tag
        about = {"ref": f"refs/tags/{tag}", "sha": self.scratch.tag_commit(tag), "repository": self.repository}
        return Event(name="push", **{**about, **others})

    def timed(self, job: str, *command: object) -> Ran:
        """Run a command in the scratch copy, and return how it went."""
        started = time.perf_counter()
        done = self.scratch.run(*command)
        line = shlex.join(map(str, command))
        return Ran(job, job, line, time.perf_counter() - started, done.returncode, done.stdout)

    def start_run(self, folder: Path, **others: Any) -> Run:  # noqa: ANN401 - whatever a run has
        """Return the run of CI.yml that the push of the tag starts."""
        event = others.pop("event", None) or self.event()
        self.write_github(tags=[event.ref_name])
        publishing = {"UV_PUBLISH_URL": self.addresses.upload, "SSL_CERT_FILE": str(self.addresses.authority)}
        others = {"workflow_file": self.project.workflow_file, **others}
        return Run(self.scratch, event, self.machine, folder, self.provider, publishing, **others)

    def write_github(self, **state: object) -> None:
        """Set what GitHub has."""
        before = json.loads(self.github.read_text(encoding="utf-8")) if self.github.exists() else gh.START
        self.github.write_text(json.dumps({**before, **state}), encoding="utf-8")

    def read_github(self) -> dict[str, Any]:
        """Return what GitHub has."""
        return dict(json.loads(self.github.read_text(encoding="utf-8")))


def publisher_of(project: Project) -> TrustedPublisher:
    """Return the trusted publisher that `make doctor` tells PyPI about."""
    told = doctor.publisher(project, project.environments["pypi"])
    return TrustedPublisher(
        repository=f"{told['Owner']}/{told['Repository name']}",
        workflow=told["Workflow name"],
        environment=told["Environment name"],
        project=project.name,
    )


@contextmanager
def on_loopback(project: Project, scratch: ScratchCopy, release: Release, machine: Machine) -> Iterator[Rehearsal]:
    """Start an index and an identity provider for a scratch copy, and end them."""
    index, provider = PackageIndex(project.name, publisher_of(project)), IdentityProvider()
    with server.serve(index, provider, scratch.folder) as addresses:
        # What is called PyPI by uv's own variable; only who has an identity to show goes there over TLS.
        scratch = replace(scratch, variables={"UV_PUBLISH_URL": addresses.plain})
        rehearsal = Rehearsal(project, scratch, release, index, provider, addresses, machine)
        write_tools(rehearsal)
        yield rehearsal
    if index.errors:
        raise index.errors[0]


def write_tools(rehearsal: Rehearsal) -> None:
    """Put into the first folder of PATH what takes GitHub's place, and the uv that is locked."""
    tools = rehearsal.scratch.tools
    rehearsal.github.unlink(missing_ok=True)
    rehearsal.write_github()
    command = [sys.executable, "-I", Path(gh.__file__), rehearsal.github]
    (tools / "gh").write_text(f'#!/bin/sh\nexec {shlex.join(map(str, command))} "$@"\n', encoding="utf-8")
    (tools / "gh").chmod(0o755)
    if not (tools / "uv").exists():
        (tools / "uv").symlink_to(find_uv())


def prepare_copy(project: Project, folder: Path, asked: Release | None) -> tuple[ScratchCopy, Release]:
    """Make the scratch copy, and one commit in it: what only this machine and this moment need.

    Raises:
        ProblemsError: The version is released; or nothing of CI.yml is for this machine; or a fact is missing.
    """
    project.require_facts()
    scratch = make_copy(project, folder)
    workflow = project.workflow_path
    rows = keep_rows(scratch.read(workflow), host_triple(project), project.workflow_file)
    changes: dict[str, str | None] = {workflow: rows}
    if not has_fragment(scratch, project.package):
        err.print("note: no news fragment waits, so the scratch copy gets one")
        changes[project.path(FRAGMENT)] = NOTES
    scratch.commit("Rehearse on this machine", changes)
    release = asked or choose_version(scratch, project.package)
    if scratch.tag_commit(release.tag):
        raise problem(f"{release.text} is released already: there is a tag {release.tag}", "rehearse the next version")
    return scratch, release
