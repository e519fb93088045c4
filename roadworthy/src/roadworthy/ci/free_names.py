"""Before anything is sent: does an index serve anything else of this version?

A file name can be used once, so a file that somebody else has put there would end publishing half-way.
"""

from typing import TYPE_CHECKING

from roadworthy.ci.served import ask, parse_version, read_arguments
from roadworthy.project import Project
from roadworthy.terminal import Problem, ProblemsError, out

if TYPE_CHECKING:
    from pypi_simple import DistributionPackage


def main(project: Project, words: list[str]) -> None:
    """Ask, and print how many of the names are there, with the same bytes.

    Raises:
        ProblemsError: One is there with other bytes, or the index does not answer.
    """
    about = "Check, before anything is sent, that the index has no other file of this version."
    given = read_arguments("check-names", about, words)
    from roadworthy.index import BusyError, Index, NotThereYetError  # noqa: PLC0415 - not for a refusal of the words
    from roadworthy.releasing.yank import next_version  # noqa: PLC0415
    from roadworthy.sums import read_sums  # noqa: PLC0415

    version = parse_version(given["VERSION"])
    sums, index = read_sums(given.get("SUMS", project.sums)), Index.named(given.get("INDEX", "pypi"))

    def served() -> "list[DistributionPackage]":
        try:
            return index.files(project.name, version)
        except BusyError:
            raise
        except NotThereYetError:
            return []

    files = ask(index, served, None)
    others = [file.filename for file in files if file.digests.get("sha256") != sums.get(file.filename, "")]
    if others:
        remedy = f"nothing was sent; who put it there? Release {next_version(given['VERSION'])}"
        what = "the index has {} already, with other bytes than were built, or none were"
        raise ProblemsError(Problem(what.format(name), remedy) for name in others)
    out.print(f"{index.url} serves {len(files)} files of {version}, and no other ones than were built")
