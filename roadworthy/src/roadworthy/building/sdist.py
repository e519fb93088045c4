"""The sdist: what git tracks, less what pyproject.toml excludes, and nothing else."""

import shutil
import tarfile
from pathlib import Path

from roadworthy.building.toolchain import build_environment, run_maturin, run_uv
from roadworthy.gate.model import Artefact, UnreadableError
from roadworthy.project import Project
from roadworthy.sums import compare_sums, read_sums
from roadworthy.terminal import Problem, problem, raise_problems


def build_sdist(project: Project, folder: Path) -> Path:
    """Build the sdist into `folder`."""
    if project.package:
        run_uv(project, "--sdist", project.folder, folder)
    else:
        run_maturin(["sdist", f"--out={folder}"], project.root, build_environment(project))
    return folder / project.sdist_name()


def take_sdist(project: Project, built: Path, folder: Path) -> Path:
    """Copy the sdist that another machine built into `folder`; `built` holds its dist/ and SHA256SUMS.

    ProblemsError where it is not there, or not as its SHA256SUMS says.
    """
    sdist = built / project.dist.name / project.sdist_name()
    if not sdist.is_file():
        raise problem(f"{sdist} is missing", "FROM= is a folder with the dist/ and SHA256SUMS that `make sdist` writes")
    sums = built / project.sums.name
    raise_problems(compare_sums([sdist], read_sums(sums), sums))
    return Path(shutil.copy(sdist, folder))


def unpack(sdist: Path, folder: Path) -> Path:
    """Unpack an sdist below `folder` and return the one folder in it.

    ProblemsError where it is damaged, a bomb, or holds anything but files and folders that stay inside. The files are
    as old as this moment, not as the commit: cargo compares times, and would take what it compiled of a newer commit
    for up to date.
    """
    try:
        with Artefact(sdist) as artefact:
            unsafe = (f"{member.name!r} {member.unsafe}" for member in artefact.members if member.unsafe)
            raise_problems(Problem(f"{sdist} cannot be unpacked: {each}", "run: make build") for each in unsafe)
            for member in artefact.members:
                path = folder / member.name
                (path if member.kind == "folder" else path.parent).mkdir(parents=True, exist_ok=True)
                if member.kind == "file":
                    # Without its owner and mode: not every Python has a filter of tarfile's.
                    with path.open("xb") as stream:
                        stream.writelines(artefact.pieces(member))
                    path.chmod(0o755 if member.mode & 0o100 else 0o644)
        (content,) = folder.iterdir()
    except (OSError, EOFError, tarfile.TarError, ValueError, UnreadableError) as error:
        raise problem(f"{sdist} cannot be unpacked: {error}", "run: make build") from error
    return content
