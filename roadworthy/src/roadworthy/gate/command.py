"""Would PyPI take these artefacts, and should they be sent? Every problem of every file, in one run.

The rules are in this package, and docs/checks.md lists them with their reasons.
"""

import json
import os
import sys
from collections import defaultdict
from pathlib import Path

from packaging.utils import canonicalize_name

from roadworthy.arguments import Parser
from roadworthy.building.sdist import declared_files
from roadworthy.building.toolchain import host_triple
from roadworthy.gate.check import check_folder
from roadworthy.gate.model import Expectations, Finding
from roadworthy.gate.names import list_folder
from roadworthy.project import Project
from roadworthy.sums import sha256
from roadworthy.terminal import annotate, err, out, printable, summarise


def expect(project: Project, triples: list[str]) -> Expectations:
    """Return what a project expects of its artefacts for some targets, from its own files."""
    expected = [project.sdist_name()]
    expected += [project.wheel_name(python, triple) for triple in triples for python in project.python_tags]
    homes = {project.root, Path.home(), Path(os.environ.get("CARGO_HOME", Path.home()))}
    return Expectations(
        name=canonicalize_name(project.name),
        native_module=project.native_module,
        version=project.version,
        oldest_python=project.oldest_python,
        requires_python=str(project.requires_python),
        abi3_feature=project.crate.abi3_feature,
        first_abi3t=project.crate.first_abi3t or "none",
        expected=tuple(expected),
        tracked=declared_files(project),
        builder_paths=tuple(sorted(os.fsencode(f"{path}/") for path in homes if path != Path("/"))),
    )


def report_good(folder: Path) -> None:
    """Print the table of what has passed."""
    from rich.table import Table  # noqa: PLC0415 - only where there is a table

    table = Table("file", "bytes", "floor", "sha256", box=None, pad_edge=False)
    for artefact in list_folder(folder):
        floors = sorted({f"{tag.interpreter}-{tag.abi}" for tag in artefact.tags})
        digest = sha256(artefact.path.read_bytes())
        table.add_row(artefact.path.name, f"{artefact.path.stat().st_size:,}", " ".join(floors), digest)
    out.print(table)


def report_bad(findings: list[Finding]) -> None:
    """Print the problems, grouped by file; under GitHub Actions as annotations and in the job's summary too."""
    by_file = defaultdict(list)
    for finding in findings:
        by_file[finding.file].append(finding)
    for file, found in by_file.items():
        err.print(file, style="bold")
        for finding in found:
            err.print(f"  {printable(finding.what)} [{finding.rule}]")
            err.print(f"    {finding.remedy}")
    annotate((f"{finding.file}: {finding.what}", finding.rule) for finding in findings)
    rows = [(f.file, f.rule, f.what, f.remedy) for f in findings]
    summarise("Not to be sent", ["file", "rule", "problem", "remedy"], rows)


def main(project: Project, words: list[str]) -> None:
    """Check, report, and end with exit code 1 if there is anything wrong."""
    parser = Parser("check-dist", "Check artefacts as PyPI would, and as this project should.")
    parser.take("FOLDER", "default: dist/", first=True, type=Path).switch("HOST", "expect what this machine builds")
    parser.switch("ALL", "expect all platforms (the default)")
    parser.switch("FOREIGN", "artefacts of other projects: nothing is expected of them")
    parser.switch("JSON", "print the findings as JSON on stdout")
    given = parser.read(words)
    folder = given.get("FOLDER", project.dist)
    triples = [host_triple(project)] if "HOST" in given and "ALL" not in given else list(project.platform_tags)
    findings = check_folder(folder, None if "FOREIGN" in given else expect(project, triples))
    if "JSON" in given:
        rows = [{"file": f.file, "rule": f.rule, "what": f.what, "remedy": f.remedy} for f in findings]
        json.dump(rows, sys.stdout, indent=2)
        print()
    elif findings:
        report_bad(findings)
    else:
        report_good(folder)
    sys.exit(1 if findings else 0)
