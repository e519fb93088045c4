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

from roadworthy.gate.check import check  # noqa: E402
from roadworthy.gate.model import Artefact  # noqa: E402
from roadworthy.index import Index  # noqa: E402
from roadworthy.sums import compare_sums, read_sums  # noqa: E402
from roadworthy.terminal import ProblemsError, err, out, problem, run_main  # noqa: E402

LIST = ROOT / "benchmarks" / "foreign.txt"
FOLDER = ROOT / "target" / "foreign"
# Findings that were looked at one by one and are true, by project and rule, each with its reason. The artefacts are
# good enough for their users.
NO_KIND = "the metadata does not say of what kind the description is; twine check --strict fails for it too"
NO_DESCRIPTION = "there is no description; twine check --strict fails for it too"
TRUE_FINDINGS = {
    **{(name, "twine-check"): NO_KIND for name in ("bitarray", "lxml", "lz4", "pynacl", "pyyaml", "simplejson")},
    **{(name, "twine-check"): NO_DESCRIPTION for name in ("fastuuid", "kiwisolver", "protobuf")},
    (
        "protobuf",
        "metadata-agrees",
    ): "wheels and sdist are made by two build systems, and name other authors and addresses",
    ("protobuf", "macos-floor"): "the library asks for macOS 12.0, and the tag says 10.9",
}


def project_of(name: str) -> str:
    """Return the name of the project that a file is of."""
    parsed = Artefact(Path(name)).parsed
    return parsed[0] if parsed else name


def download(wanted: dict[str, str]) -> None:
    """Download what is not there yet, and compare every file with its hash."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    missing = {name: digest for name, digest in wanted.items() if not (FOLDER / name).exists()}
    by_project = defaultdict(list)
    for name in missing:
        by_project[project_of(name)].append(name)
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
    findings = check([FOLDER], None)
    findings = [finding for finding in findings if finding.level == "error"]
    known = [finding for finding in findings if (project_of(finding.file), finding.rule) in TRUE_FINDINGS]
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
