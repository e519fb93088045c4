"""Run the gate over good artefacts of other projects: what it refuses there is a true finding, or a bug of the gate.

usage: python benchmarks/foreign.py

benchmarks/foreign.txt lists them by file name and SHA-256. They are downloaded once into target/foreign.
"""

import sys
from collections import defaultdict
from pathlib import Path

from pypi_simple import PyPISimple

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from roadworthy.gate.check import check_folder  # noqa: E402
from roadworthy.gate.model import Artefact  # noqa: E402
from roadworthy.index import Index  # noqa: E402
from roadworthy.sums import compare_sums, read_sums  # noqa: E402
from roadworthy.terminal import ProblemsError, err, out, problem, run_main  # noqa: E402

LIST = ROOT / "benchmarks" / "foreign.txt"
FOLDER = ROOT / "target" / "foreign"
# Findings that were looked at and are true, each with its reason. The artefacts are good enough for their users.
TRUE_FINDINGS: dict[tuple[str, str], str] = {
    (file, "twine-check"): "it does not say of what kind its description is; twine check --strict fails for it too"
    for file in (
        "lxml-6.1.3-cp312-cp312-manylinux2014_aarch64.manylinux_2_17_aarch64.whl",
        "lxml-6.1.3.tar.gz",
        "pyyaml-6.0.3-cp312-cp312-win_amd64.whl",
        "pyyaml-6.0.3.tar.gz",
    )
}


def download(wanted: dict[str, str]) -> None:
    """Download what is not there yet, and compare every file with its hash."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    missing = {name: digest for name, digest in wanted.items() if not (FOLDER / name).exists()}
    by_project = defaultdict(list)
    for name in missing:
        parsed = Artefact(Path(name)).parsed
        by_project[parsed[0] if parsed else name].append(name)
    with PyPISimple(Index.named("pypi").url) as client:
        for project, names in by_project.items():
            packages = {package.filename: package for package in client.get_project_page(project).packages}
            for name in names:
                err.print(f"downloading {name}")
                client.download_package(packages[name], FOLDER / name)
    if others := compare_sums([FOLDER / name for name in wanted], wanted, LIST):
        raise ProblemsError(others)


def main() -> None:
    """Download, check, and print what is refused."""
    wanted = read_sums(LIST)
    download(wanted)
    for path in FOLDER.iterdir():
        if path.name not in wanted:
            path.unlink()
    findings = check_folder(FOLDER, None)
    known = [finding for finding in findings if (finding.file, finding.rule) in TRUE_FINDINGS]
    for finding in known:
        out.print(f"true: {finding.file}: {finding.what} [{finding.rule}]")
    alarms = [finding for finding in findings if finding not in known]
    for finding in alarms:
        err.print(f"{finding.file}: {finding.what} [{finding.rule}]")
    out.print(f"{len(wanted)} artefacts, {len(known)} true findings, {len(alarms)} to be looked at")
    if alarms:
        raise problem(
            f"{len(alarms)} findings are not in TRUE_FINDINGS",
            "is each true? then list it with its reason; else mend the rule",
        )


if __name__ == "__main__":
    run_main(main)
