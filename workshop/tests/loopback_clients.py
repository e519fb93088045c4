"""Real clients of the index: uv, twine and pip, which trust it and know nothing else."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from twine.utils import DEFAULT_REPOSITORY

from helpers import PROJECT
from loopback_samples import CLAIMS, PUBLISHER, TOKEN, write_samples
from roadworthy.processes import find_uv
from roadworthy.sums import sha256
from workshop.loopback.identity import IdentityProvider
from workshop.loopback.index import PackageIndex
from workshop.loopback.server import Addresses, serve

# What twine does for its two public addresses alone: their host is led to this machine, and the rest is twine's.
TWINE = """
import sys
from urllib.parse import urlsplit

import urllib3.util.connection as connection
from twine.__main__ import main
from twine.utils import DEFAULT_REPOSITORY

port = int(sys.argv.pop(1))
connect = connection.create_connection


def lead(address, *arguments, **options):
    if address[0] == urlsplit(DEFAULT_REPOSITORY).hostname:
        address = ("127.0.0.1", port)
    return connect(address, *arguments, **options)


connection.create_connection = lead
sys.exit(main())
"""


Done = subprocess.CompletedProcess[str]


@dataclass
class Scene:
    """An index, who may publish there, and two samples to be published, in a folder."""

    index: PackageIndex
    provider: IdentityProvider
    at: Addresses
    folder: Path
    samples: list[Path]

    def call(self, *command: object, **variables: str) -> Done:
        """Run a client that trusts the index and knows nothing else."""
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "SSL_CERT_FILE": str(self.at.authority),
            "REQUESTS_CA_BUNDLE": str(self.at.authority),
            "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
            "COLUMNS": "500",
            "NO_COLOR": "1",
            "UV_NO_CACHE": "1",
            **variables,
        }
        return subprocess.run(
            [str(word) for word in command],
            cwd=self.folder,
            env=environment,
            check=False,
            capture_output=True,
            text=True,
            timeout=60,
        )

    def uv(self, *more: Path, **claims: str) -> Done:
        """Publish the samples, and more files, as the workflow does; `claims` are other ones."""
        variables = {"GITHUB_ACTIONS": "true", "UV_PUBLISH_URL": self.at.upload}
        grant = self.provider.grant({**CLAIMS, **claims})
        command = (find_uv(), "publish", "--trusted-publishing", "always", *self.samples, *more)
        return self.call(*command, **variables, **grant)

    def twine(self, *options: object, **variables: str) -> Done:
        """Upload the samples with twine as a person does, to the address that it uploads to if nothing is said."""
        port = urlsplit(self.at.upload).port
        command = (sys.executable, "-c", TWINE, port, "upload", "--non-interactive", "--disable-progress-bar")
        return self.call(*command, *options, *self.samples, **variables)

    def install(self, installer: str) -> Done:
        """Install the project from the index, by its hash, into a folder."""
        wanted = self.folder / "requirements.txt"
        digest = sha256(self.samples[0].read_bytes())
        wanted.write_text(f"{PROJECT.name}=={PROJECT.version} --hash=sha256:{digest}\n", encoding="utf-8")
        commands: dict[str, list[object]] = {
            "pip": [sys.executable, "-m", "pip", "install", "--no-cache-dir", "--disable-pip-version-check"],
            "uv": [find_uv(), "pip", "install", "--python", sys.executable],
        }
        options = ("--index-url", self.at.simple, "--require-hashes", "--no-deps", "--target", "target", "-r", wanted)
        return self.call(*commands[installer], *options)


@contextmanager
def open_scene(folder: Path, provider: IdentityProvider) -> Iterator[Scene]:
    """Serve an index with an owner's token, and put samples beside it."""
    index = PackageIndex(PROJECT.name, PUBLISHER, tokens={TOKEN})
    public = str(urlsplit(DEFAULT_REPOSITORY).hostname)
    with serve(index, provider, folder, [public]) as addresses:
        yield Scene(index, provider, addresses, folder, write_samples(folder / "dist"))
    assert index.errors == []
