"""Run the gate over good artefacts of other projects: what it refuses there is a true finding, or a bug of the gate.

usage: python benchmarks/foreign.py

benchmarks/foreign.txt lists them by file name and SHA-256. They are downloaded once into target/foreign.
"""

import sys
from collections import Counter, defaultdict
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
# The findings that were looked at one by one and are true, by rule: how many, and why. The artefacts are good enough
# for their users; most were published before the rule was one.
TRUE_FINDINGS = {
    "metadata-agrees": (24, "wheel and sdist are of two build systems, or of two versions of one (PEP 643)"),
    "module-name": (22, "modules of another Python lie in the wheel, and the tag's does not import them"),
    "readme-renders": (19, "PyPI's renderer says so, and twine too"),
    "no-libpython": (18, "a free-threaded wheel is linked with the Python that has a lock"),
    "needed-libraries": (13, "msvcp140.dll, which neither Windows has nor Python brings"),
    "normalised-name": (12, "PyPI takes no such file name any more (PEP 427, PEP 625)"),
    "declared-metadata": (
        10,
        "what [project] neither has nor lists as dynamic is taken from elsewhere (PEP 621); a README is left out",
    ),
    "metadata-version": (8, "PyPI takes no 2.0, which no PEP became"),
    "wheel-file": (6, "WHEEL lacks a tag of the file name, or has them behind its end; an ELF file is in purelib"),
    "macos-floor": (6, "the library or program asks for a newer macOS than the tag"),
    "metadata-valid": (4, "classifiers in metadata of version 1.0, which has none: packaging's words"),
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
    """Download, check, count what is refused by rule, and print what was not there before."""
    wanted = read_sums(LIST)
    download(wanted)
    for path in FOLDER.iterdir():
        if path.name not in wanted:
            path.unlink()
    findings = [finding for finding in check([FOLDER]) if finding.level == "error"]
    counted, alarms = Counter(finding.rule for finding in findings), 0
    for rule in sorted(TRUE_FINDINGS.keys() | counted.keys()):
        expected, reason = TRUE_FINDINGS.get(rule, (0, ""))
        found = [finding for finding in findings if finding.rule == rule]
        files = {Path(finding.file).name for finding in found}
        projects = set(map(project_of, files))
        out.print(f"{rule}: {len(found)} in {len(files)} files of {len(projects)} projects: {reason or 'new'}")
        if len(found) != expected:
            alarms += abs(len(found) - expected)
            err.print("\n".join(f"  {finding.file}: {finding.what}" for finding in found))
    out.print(f"{len(wanted)} artefacts of {len(set(map(project_of, wanted)))} projects, {len(findings)} findings")
    if alarms:
        raise problem(
            f"{alarms} findings more or less than in TRUE_FINDINGS",
            "is each true? then count it there with its reason; else mend the rule",
        )


if __name__ == "__main__":
    run_main(main)
