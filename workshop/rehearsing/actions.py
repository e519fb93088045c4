"""What takes the place of GitHub's actions: a checkout is a clone, an artefact a folder, and a tool this machine's."""

import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from workshop.loopback import attestations
from workshop.rehearsing.scratch import ScratchCopy, share_environment
from workshop.workflows.jobs import Step

# What this machine has by itself.
HAS = ("actions/setup-python", "astral-sh/setup-uv", "Swatinem/rust-cache")


class FailedActionError(Exception):
    """An action failed; the message is what it says."""


@dataclass(frozen=True)
class Job:
    """Where a row's steps run, and what they may ask for."""

    scratch: ScratchCopy
    workspace: Path  # the folder of the row
    artefacts: Path  # with a folder for each artefact of the run
    commit: str  # what is checked out
    claims: Mapping[str, str] | None  # what GitHub says of the job to who asks for its identity, if it may have one


def checkout(job: Job, _: Mapping[str, str]) -> None:
    """Clone the remote, and check the commit out."""
    scratch = job.scratch
    scratch.git("clone", "--quiet", scratch.remote, job.workspace, cwd=scratch.folder)
    scratch.git("checkout", "--quiet", "--detach", job.commit, cwd=job.workspace)
    share_environment(scratch.checkout / ".venv", job.workspace)


def upload(job: Job, inputs: Mapping[str, str]) -> None:
    """Keep files as an artefact, with their paths below what all of the patterns have in common."""
    patterns = inputs["path"].split()
    common = job.workspace / os.path.commonpath([pattern.split("*")[0] for pattern in patterns])
    found = [path for pattern in patterns for path in job.workspace.glob(pattern.rstrip("/"))]
    files = [file for path in found for file in (path, *path.rglob("*")) if file.is_file()]
    if not files:
        raise FailedActionError(f"No files were found with the provided path: {', '.join(patterns)}")
    artefact = job.artefacts / inputs["name"]
    if artefact.exists():
        raise FailedActionError(f"(409) Conflict: an artifact with this name already exists: {artefact.name}")
    for path in files:
        target = artefact / path.relative_to(common)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, target)


def download(job: Job, inputs: Mapping[str, str]) -> None:
    """Fetch one artefact into a folder, or those of a pattern, each into a folder of its own there."""
    to = job.workspace / inputs.get("path", ".")
    named = [job.artefacts / inputs["name"]] if "name" in inputs else sorted(job.artefacts.glob(inputs["pattern"]))
    if not named or not all(artefact.is_dir() for artefact in named):
        raise FailedActionError(f"Unable to find any artifacts for {inputs.get('name') or inputs['pattern']}")
    for artefact in named:
        shutil.copytree(artefact, to if "name" in inputs else to / artefact.name, dirs_exist_ok=True)


def attest(job: Job, inputs: Mapping[str, str]) -> None:
    """Write an attestation beside each file, signed by nobody whom the world trusts."""
    if job.claims is None:
        raise FailedActionError("the job is given no identity to sign with: is `id-token: write` missing?")
    attestations.attest(sorted(job.workspace.glob(inputs["paths"])), job.claims)


ACTIONS: dict[str, Callable[[Job, Mapping[str, str]], None]] = {
    "actions/checkout": checkout,
    "actions/upload-artifact": upload,
    "actions/download-artifact": download,
    "astral-sh/attest-action": attest,
}


def act(job: Job, step: Step) -> None:
    """Do what an action does; that it fails is a FailedActionError, and that nothing takes its place a ValueError."""
    action = step.uses.split("@")[0]
    if action in ACTIONS:
        ACTIONS[action](job, step.inputs)
    elif action not in HAS:
        raise ValueError(f"nothing takes the place of {action}; add it to ACTIONS, or to HAS")
