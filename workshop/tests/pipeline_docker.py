"""Takes the place of `docker`: a container is this machine, with nothing of its environment but a PATH.

It has no folders of its own, so instead of hiding a folder it refuses a command that names one which is not mounted.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

# What takes no value, and what takes one after a "=".
ALONE = {"--rm", "--init"}
WITH_VALUE = {"--user", "--volume", "--workdir", "--env", "--entrypoint"}


def fail(text: str, code: int = 125) -> NoReturn:
    """Complain as docker does, and end."""
    sys.stderr.write(f"docker: {text}\n")
    sys.exit(code)


def read_options(words: list[str]) -> tuple[dict[str, list[str]], list[str]]:
    """Return the options in front of the image, and the image with all behind it."""
    options: dict[str, list[str]] = {name: [] for name in WITH_VALUE}
    while words and words[0].startswith("-"):
        word, words = words[0], words[1:]
        name, has_value, value = word.partition("=")
        if has_value and name in WITH_VALUE:
            options[name].append(value)
        elif word not in ALONE:
            fail(f"unknown flag: {word}")
    return options, words


def mounted_folders(volumes: list[str]) -> list[Path]:
    """Return the folders that can be seen; docker would make one that is missing."""
    folders = []
    for volume in volumes:
        here, there = volume.split(":")
        if here != there or not Path(here).is_dir():
            fail(f"{volume} is not a folder of this machine at its own path")
        folders.append(Path(here))
    return folders


def run(words: list[str], path: str) -> int:
    """Do what `docker run` does, as far as it is needed."""
    options, (_, *arguments) = read_options(words)
    folders = mounted_folders(options["--volume"])
    (entrypoint,) = options["--entrypoint"]
    for word in [entrypoint, *options["--workdir"], *arguments]:
        named = Path(word)
        if named.is_absolute() and not any(named.is_relative_to(folder) for folder in folders):
            fail(f"{word} is in no folder that is mounted")
    program = shutil.which(entrypoint, path=path)
    if program is None:
        fail(f'exec: "{entrypoint}": executable file not found in $PATH', 127)
    # What has no value is taken from docker's own environment.
    pairs = [each.partition("=") for each in options["--env"]]
    variables = {name: value if has_value else os.environ[name] for name, has_value, value in pairs}
    where = (options["--workdir"] or ["/"])[-1]
    return subprocess.run([program, *arguments], cwd=where, env={"PATH": path, **variables}, check=False).returncode


def main() -> None:
    """Answer `info` and `run`, and write down each command."""
    settings = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    command, *words = sys.argv[2:]
    if not settings["running"]:
        fail("Cannot connect to the Docker daemon. Is the docker daemon running?", 1)
    if command == "info":
        return
    if command != "run":
        fail(f"unknown command: {command}", 1)
    with Path(settings["log"]).open("a", encoding="utf-8") as log:
        log.write(json.dumps(words) + os.linesep)
    sys.exit(run(words, settings["path"]))


if __name__ == "__main__":
    main()
