"""The staging clone: throw-away, and what a release is made and proven in."""

import os
from collections import defaultdict
from pathlib import Path

from roadworthy.project import Project
from roadworthy.repository import Repository

# What of the checkout's configuration decides who commits, how it is signed, and how the remote is reached.
FAMILIES = (
    *("author.", "commit.gpgsign", "committer.", "credential.", "gpg.", "http.", "https.", "protocol.", "push.gpgsign"),
    *("push.pushoption", "ssh.", "tag.forcesignannotated", "tag.gpgsign", "url.", "user.", "core.gitproxy"),
    *("core.sshcommand", "core.askpass"),
)
REMOTE_KEYS = ("proxy", "proxyauthmethod", "receivepack", "uploadpack")


def read_settings(repository: Repository) -> dict[str, list[str]]:
    """Return every setting that is in force there, with its values in their order; names are in lower case."""
    settings: dict[str, list[str]] = defaultdict(list)
    for entry in repository.ask("config", "--list", "--includes", "-z").split("\0"):
        # A setting without a value is true.
        name, equals, value = entry.partition("\n")
        if name:
            settings[name].append(value if equals else "true")
    return settings


def push_addresses(root: Path, settings: dict[str, list[str]], remote: str) -> list[str]:
    """Return the addresses that a push to the remote goes to, as they are written in the configuration."""
    addresses = settings.get(f"remote.{remote}.pushurl") or settings.get(f"remote.{remote}.url", [])
    # A path is relative to the checkout, and would mean another folder in the clone.
    paths = {each for each in addresses if "://" not in each and not Path(each).is_absolute()}
    return [str((root / each).resolve()) if each in paths and (root / each).is_dir() else each for each in addresses]


def clone_settings(
    root: Path, settings: dict[str, list[str]], remote: str, plain: dict[str, list[str]]
) -> dict[str, list[str]]:
    """Return what the clone has to be told so that it commits, signs and pushes as the checkout does.

    Args:
        root: The checkout.
        settings: What is in force in the checkout: of the system, the user and the repository, in this order.
        remote: The name of the remote.
        plain: What is in force in the clone by itself: the same without the repository's own, and without what
            the user's configuration includes for the checkout's folder only.
    """
    wanted = {name: values for name, values in settings.items() if name.startswith(FAMILIES)}
    for key in REMOTE_KEYS:
        wanted[f"remote.{remote}.{key}"] = settings.get(f"remote.{remote}.{key}", [])
    addresses = push_addresses(root, settings, remote)
    # Also for reading: what counts is the place that is pushed to. As a push address only where there is one:
    # `pushInsteadOf` is for remotes without.
    wanted[f"remote.{remote}.url"] = addresses[:1]
    if f"remote.{remote}.pushurl" in settings:
        wanted[f"remote.{remote}.pushurl"] = addresses[:1]
    for name, values in wanted.items():
        # A value that is said twice may act twice, as a header does that is sent.
        known = plain.get(name, [])
        wanted[name] = values[len(known) :] if values[: len(known)] == known else values
    return wanted


def make_clone(project: Project, folder: Path, remote: str, settings: dict[str, list[str]]) -> Repository:
    """Clone the checkout's commit into `folder`/clone: its files, its objects by reference, none of its hooks."""
    empty = folder / "no-hooks"
    empty.mkdir()
    # No configuration may change these.
    fixed = (
        ("core.hooksPath", str(empty)),
        ("core.fsmonitor", "false"),
        ("core.attributesFile", os.devnull),
        ("core.excludesFile", os.devnull),
        ("gc.auto", "0"),
        ("maintenance.auto", "false"),
    )
    # The exception is for this one local clone; the checkout's own rule is copied for the push.
    allow = ("-c", "protocol.file.allow=always", "-c", f"core.hooksPath={empty}", "-c", "init.defaultRefFormat=files")
    target = folder / "clone"
    # The name of its own remote is one that nobody can ask for.
    command = ("clone", "--quiet", "--shared", "--no-tags", "--no-checkout", "--template=", "--origin=@checkout")
    project.checkout.run(*allow, *command, project.root, target, check=True)
    wanted = clone_settings(project.root, settings, remote, read_settings(Repository(target, fixed)))
    return Repository(target, (*fixed, *((name, value) for name, values in wanted.items() for value in values)))
