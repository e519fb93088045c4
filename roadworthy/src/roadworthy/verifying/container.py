"""A clean environment in a container: for the oldest glibc, and for musl, which no runner's own system has.

The commands are those of every other environment. Each is run by `docker run` in the image, with the folders that it
needs at the paths that they have here. The image brings the interpreters, on its PATH as `python3.10` or `python3.14t`,
as those of the manylinux project do.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath

from roadworthy.pythons import Python
from roadworthy.terminal import problem
from roadworthy.verifying.artefacts import Source
from roadworthy.verifying.environment import Environment

# What the interpreter is, by itself.
ASK = "import json, sys; print(json.dumps([*sys.version_info[:3], 't' in sys.abiflags]))"


@cache
def engine() -> str:
    """Return the program that runs containers.

    Raises:
        ProblemsError: There is none, or it does not answer.
    """
    found = shutil.which("docker")
    if found is None or subprocess.run([found, "info"], check=False, capture_output=True).returncode:
        what = "docker is not running" if found else "docker is not installed"
        raise problem(f"{what}, so nothing can be verified in a container", "start it, or leave out what has an @")
    return found


def docker_run(image: str, command: Iterable[object], folders: Iterable[Path], *options: str) -> list[str]:
    """Return the command that runs another one in a container which is removed afterwards."""
    mounts = [f"--volume={folder}:{folder}" for folder in dict.fromkeys(folders)]
    # Files that the user of this machine can remove.
    user = [f"--user={os.getuid()}:{os.getgid()}"] if hasattr(os, "getuid") else []
    # Alpine's and CentOS's own entry points set up compilers; nothing is compiled here.
    words = [str(word) for word in command]
    return [engine(), "run", "--rm", "--init", *user, *mounts, *options, f"--entrypoint={words[0]}", image, *words[1:]]


def find_in_image(image: str, name: str) -> Python:
    """Return the interpreter of a name, such as `3.14t`, in an image.

    Raises:
        ProblemsError: It is not there, or does not answer.
    """
    remedy = "leave it out of PYTHON, or name another image"
    # Without the modules of `site`, which may print what they like.
    command = docker_run(image, [f"python{name}", "-I", "-S", "-c", ASK], [])
    asked = subprocess.run(command, check=False, capture_output=True, text=True, errors="replace")
    if asked.returncode:
        last = (asked.stderr.strip().splitlines() or ["it says nothing"])[-1]
        raise problem(f"{image} has no python{name}: {last}", remedy)
    try:
        major, minor, patch, free_threaded = json.loads(asked.stdout)
        return Python((int(major), int(minor), int(patch)), bool(free_threaded), Path(f"python{name}"))
    except (TypeError, ValueError) as error:
        raise problem(f"python{name} in {image} does not say which it is: {asked.stdout[:80]!r}", remedy) from error


@dataclass(frozen=True)
class ContainerEnvironment(Environment):
    """An environment in containers of one image, made with the interpreter's own venv and pip."""

    image: str
    # What can be seen in the containers beside the environment's own folder.
    folders: tuple[Path, ...]

    def run(self, what: str, *command: object, environment: dict[str, str] | None = None) -> str:
        """Run a command in a container, in the empty folder, and return what it prints."""
        del environment  # nothing of this machine's reaches a container
        variables = {"HOME": self.folder, "PYTHONDONTWRITEBYTECODE": "1"}
        options = [f"--workdir={self.empty}", *(f"--env={name}={value}" for name, value in variables.items())]
        folders = (self.folder, self.project.root, *self.folders)
        return super().run(what, *docker_run(self.image, command, folders, *options))

    def create(self, *, with_pip: bool = True) -> None:
        """Make it with the interpreter's own venv module, and always with pip."""
        del with_pip
        super().create(with_pip=True)

    def install(self, what: str, *arguments: object, environment: dict[str, str] | None = None) -> None:
        """Run `pip install`: there is no uv in the image."""
        del environment
        self.pip(what, *arguments)

    def install_wheel(self, source: Source) -> None:
        """Install the wheel with pip as well."""
        self.install_wheel_with_pip(source)

    @property
    def executable(self) -> Path:
        """The environment's interpreter, as it is called in the container."""
        return Path(PurePosixPath(self.folder) / "env" / "bin" / "python")
