"""How findings are told: to people, to GitHub's runner, and to programs."""

import json
from dataclasses import asdict
from importlib.metadata import version
from itertools import groupby
from pathlib import Path
from typing import Any
from urllib.parse import quote

from roadworthy.gate.agreement import texts
from roadworthy.gate.check import RULES, check, expect, gather, labels
from roadworthy.gate.model import Finding
from roadworthy.gate.rules import entries
from roadworthy.project import PYPROJECT, Project
from roadworthy.sums import sha256
from roadworthy.tables import find, find_table
from roadworthy.terminal import annotate, err, out, printable, summarise

# By what they are called in SARIF: those that stop something, those that may, and what is meant.
LEVELS = {"error": "error", "warning": "warning", "note": "note", "ignored": "note"}
WITHOUT = "what it declares, for that does not stand in [project]"
SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def expected_by(project: Project, given: dict[str, Any]) -> Project | None:
    """Return what files are compared with; of what is no copy of the template, say what is not judged, and why."""
    if "FOREIGN" in given:
        return None
    if project.is_copy or {"ALL", "HOST"} & given.keys():
        from roadworthy.building.toolchain import host_triple  # noqa: PLC0415 - only in a copy

        triples = [host_triple(project)] if "HOST" in given and "ALL" not in given else list(project.platform_tags)
        return expect(project, triples)
    if not (project.root / PYPROJECT).exists():
        return None
    table = find_table(project.pyproject, "project")
    backend = find(project.pyproject, "build-system", "build-backend") or "setuptools"
    dynamic = f"what is dynamic: {', '.join(texts(table.get('dynamic'))) or 'nothing'}" if table else WITHOUT
    said = f"a project of {backend}, and no copy of the template; not judged is which files a release has"
    err.print(f"note: this is {said}, whether they hold what is committed, and {dynamic}")
    return project


def report(project: Project, paths: list[Path], given: dict[str, Any]) -> bool:
    """Check what is given, tell what was found, and say whether all is well."""
    findings = check(paths, expected_by(project, given), given.get("AGAINST"))
    chosen = given.get("SELECT", entries().keys()) - given.get("IGNORE", set())
    findings = [each for each in findings if each.rule in chosen]
    failing = [each for each in findings if each.level in ({"error", "warning"} if "STRICT" in given else {"error"})]
    if "JSON" in given:
        out.write(json.dumps(list(map(asdict, findings)), indent=2) + "\n")
    elif "SARIF" in given:
        out.write(json.dumps(sarif(findings, paths, project.root), indent=2) + "\n")
    else:
        report_bad(findings, failing)
        if not failing:
            report_good(paths)
    return not failing


def report_good(paths: list[Path]) -> None:
    """Print the table of what has passed."""
    rows = [("file", "bytes", "floor", "sha256")]
    artefacts = gather(paths)
    for artefact, label in zip(artefacts, labels(artefacts), strict=True):
        floors = sorted({f"{tag.interpreter}-{tag.abi}" for tag in artefact.tags})
        content = artefact.path.read_bytes()
        rows.append((label, f"{len(content):,}", " ".join(floors), sha256(content)))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        out.print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)))


def report_bad(findings: list[Finding], failing: list[Finding]) -> None:
    """Print what was found, grouped by file; what fails under GitHub Actions as annotations and in the summary too."""
    for file, found in groupby(findings, lambda finding: finding.file):
        err.print(file, style="bold")
        for each in found:
            said = "" if each.level == "error" else f"{each.level}: "
            err.print(f"  {said}{each.what} [{each.rule}]\n    {each.remedy}")
    annotate((f"{each.file}: {each.what}", each.rule) for each in failing)
    rows = [(each.file, each.rule, each.what, each.remedy) for each in failing]
    summarise("Not to be sent", ["file", "rule", "problem", "remedy"], rows) if rows else None


def sarif(findings: list[Finding], paths: list[Path], root: Path) -> dict[str, Any]:
    """Return findings as GitHub's code scanning takes them: SARIF 2.1.0, with all rules and what rules.md says of each.

    A place is a file by its path from `root`, and its first line: what was built has none, and GitHub asks for one.
    """
    artefacts = gather(paths)
    places = {f"{path.name}/": path for path in paths}
    places |= {printable(label): each.path for each, label in zip(artefacts, labels(artefacts), strict=True)}
    rules = [
        {
            "id": name,
            "shortDescription": {"text": entry.what},
            "help": {"text": entry.text, "markdown": entry.text},
            "defaultConfiguration": {"level": RULES[name].level if name in RULES else "error"},
        }
        for name, entry in entries().items()
    ]
    driver = {"name": "roadworthy", "version": version("roadworthy"), "rules": rules}
    results = [result(each, places.get(each.file, Path(each.file)), root) for each in findings]
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [{"tool": {"driver": driver}, "results": results}]}


def result(finding: Finding, path: Path, root: Path) -> dict[str, Any]:
    """Return a finding as a result of SARIF."""
    path = path.absolute()
    uri = quote(path.relative_to(root).as_posix()) if path.is_relative_to(root) else path.as_uri()
    said = {
        "ruleId": finding.rule,
        "level": LEVELS[finding.level],
        "message": {"text": f"{finding.what}; {finding.remedy}"},
        "locations": [{"physicalLocation": {"artifactLocation": {"uri": uri}, "region": {"startLine": 1}}}],
        # Without it GitHub takes the same finding in the next run for another one: it has no source to compute it from.
        "partialFingerprints": {"primaryLocationLineHash": sha256(f"{finding.rule}: {finding.what}".encode())},
    }
    if finding.level == "ignored":
        said["suppressions"] = [{"kind": "external", "justification": finding.remedy}]
    return said
