"""Write the version of a run of CI into the files. Only a manual run's is another than the one that stands there.

It is written into the runner's checkout and nowhere else. No commit is made, and `make release` refuses such a version.
"""

import os
import re

from roadworthy import processes as commands
from roadworthy.arguments import Parser
from roadworthy.processes import venv_bin
from roadworthy.project import Project
from roadworthy.terminal import problem

DEVELOPMENT = re.compile(r"(?P<base>[0-9.]+)-dev[1-9][0-9]{0,8}")


def require_version(text: str, current: str) -> None:
    """Make sure that a version may be written: the one that stands there, or a development version.

    Raises:
        ProblemsError: It is another one.
    """
    from roadworthy.releasing.version import Release  # noqa: PLC0415 - not for a refusal of the command line

    found = DEVELOPMENT.fullmatch(text)
    try:
        Release.parse(found["base"] if found else current)
    except ValueError:
        found = None
    if text != current and not found:
        remedy = "VERSION is X.Y.Z-devN; for a release, run: make release"
        raise problem(f"{text!r} is neither this version, {current}, nor a development version", remedy)


def main(project: Project, words: list[str]) -> None:
    """Write the version into all three files, unless it stands there."""
    parser = Parser("stamp", "Write a development version into the files.")
    wanted = parser.take("VERSION", "such as 0.2.2-dev7", first=True, required=True).read(words)["VERSION"]
    from roadworthy.releasing import files  # noqa: PLC0415 - not for a refusal of the command line

    read = files.reader(project.root)
    current = files.standing(read)
    require_version(wanted, current)
    if wanted == current:
        return
    env = commands.tool_environment(os.environ)
    bump = ("bump", f"--new-version={wanted}", "--no-commit", "--no-tag")
    commands.run(venv_bin("bump-my-version"), *bump, cwd=project.root, env=env)
    lock = ("cargo", "update", "--workspace", "--quiet")
    if commands.run(*lock, "--offline", cwd=project.root, env=env, check=False).returncode:
        # A fresh machine knows none of the locked crates yet.
        commands.run(*lock, cwd=project.root, env=env)
    if set(files.versions(read).values()) != {wanted}:
        raise problem(f"the files do not say {wanted} after the edits", "compare [tool.bumpversion] with the template")
