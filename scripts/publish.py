"""Publish by hand: the artefacts that a run of CI has saved, with a token, through the same gate.

For the day on which CI cannot: GitHub is down, or the trusted publisher is refused. What is sent is the artefact
`release` of the tag's run, whole and unchanged. uv compares each file with the index: the same bytes are not sent
again, so a release that is half there is completed, and other bytes of the same name end it.
"""

import argparse
import os
from pathlib import Path

import check_dist
import commands
import project
from artefacts import compare_sums, read_sums
from console import ProblemsError, err, out, problem, run_main
from index import simple_address, upload_address

FROM = "check out the release's tag, download the artefact `release` of its run, and give it with FROM="
TOKEN = "UV_PUBLISH_TOKEN"  # noqa: S105 - the name of the variable, as uv calls it


def read_release(built: Path) -> list[Path]:
    """Return the artefacts, which are the complete set of this checkout's version, unchanged, and pass the gate.

    Raises:
        ProblemsError: They are not.
    """
    folder, listed = built / project.DIST.name, built / project.SUMS.name
    sums = read_sums(listed)
    findings = check_dist.check_folder(folder, check_dist.this_project(list(project.platform_tags())))
    if findings:
        check_dist.report_bad(findings)
        raise problem(f"{folder} does not pass the gate; what is wrong stands above", FROM)
    artefacts = sorted(folder.iterdir())
    if problems := compare_sums(artefacts, sums, listed):
        raise ProblemsError(problems)
    return artefacts


def upload(artefacts: list[Path], index: str) -> None:
    """Send them with uv, which shows what it does.

    Raises:
        ProblemsError: There is no token, or the index refuses.
    """
    if not os.environ.get(TOKEN):
        remedy = f"make one for this project alone, put it into {TOKEN}, and delete it afterwards"
        raise problem(f"there is no token in {TOKEN}", remedy)
    where = upload_address(index)
    addresses = (f"--publish-url={where}", f"--check-url={simple_address(where)}")
    command = ("publish", "--trusted-publishing=never", "--no-attestations", *addresses, *artefacts)
    done = commands.run(project.find_uv(), *command, cwd=project.ROOT, env=os.environ, check=False)
    err.print(commands.tail(done))
    if done.returncode:
        remedy = "what it took stays; once the cause is removed, run the same command again"
        raise problem("the index did not take all of them", remedy)


def served_index(index: str) -> str:
    """Return what the index is called where it is read from: by its name, or its simple address."""
    return index if upload_address(index) != index else simple_address(index)


def main() -> None:
    """Check, send, and say what to do next."""
    parser = argparse.ArgumentParser(description="Publish artefacts that CI has saved, with a token.")
    parser.add_argument("built", metavar="FOLDER", help="the artefact `release`: dist/ and SHA256SUMS")
    parser.add_argument("--index", default="pypi", help="pypi (default), testpypi, or an upload address")
    arguments = parser.parse_args()
    if not arguments.built:
        # It would be taken for the folder in which this runs.
        raise problem("no folder is given", FROM)
    built = Path(arguments.built)
    artefacts = read_release(built)
    upload(artefacts, arguments.index)
    version = project.version()
    served = "" if arguments.index == "pypi" else f" INDEX={served_index(arguments.index)}"
    out.print(f"{len(artefacts)} files of {version} are there, without attestations")
    out.print(f"prove it:           make verify VERSION={version}{served} SUMS={built / project.SUMS.name}")
    if not served:
        out.print(f"release on GitHub:  make github-release FROM={built}")


if __name__ == "__main__":
    run_main(main)
