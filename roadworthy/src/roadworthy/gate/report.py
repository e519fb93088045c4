"""How findings are told: to people, to GitHub's runner, and to programs."""

import json
from importlib.metadata import version
from itertools import groupby
from pathlib import Path
from typing import Any
from urllib.parse import quote

from roadworthy.gate.agreement import texts
from roadworthy.gate.check import check, expect, gather
from roadworthy.gate.model import Finding
from roadworthy.gate.rules import entries
from roadworthy.project import PYPROJECT, Project
from roadworthy.sums import sha256
from roadworthy.tables import find, find_table
from roadworthy.terminal import annotate, err, out, summarise

FIRST = {"region": {"startLine": 1}}  # what was built has no lines, and GitHub asks for one


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
    dynamic = ", ".join(texts(table.get("dynamic"))) if table else "all that it declares, without [project]"
    what = "which files a release has, whether they hold what is committed"
    what += dynamic and f", what is dynamic: {dynamic}"
    err.print(f"note: this is a project of {backend}, and no copy of the template; not judged is {what}")
    return project


def report(project: Project, paths: list[Path], given: dict[str, Any]) -> bool:
    """Check what is given, tell what was found, and say whether all is well."""
    chosen = given.get("SELECT", entries().keys()) - given.get("IGNORE", set())
    findings = [each for each in check(paths, expected_by(project, given), given.get("AGAINST")) if each.rule in chosen]
    failing = [each for each in findings if each.level in ({"error", "warning"} if "STRICT" in given else {"error"})]
    if {"JSON", "SARIF"} & given.keys():
        told = sarif(findings) if "SARIF" in given else [each._asdict() for each in findings]
        out.write(json.dumps(told, indent=2) + "\n")
        return not failing
    report_bad(findings, failing)
    if failing:
        return False
    out.print(f"{'sha256':64}  {'bytes':>11}  file, and the oldest Python")
    for artefact in gather(paths):
        content = artefact.path.read_bytes()
        floors = sorted({f"{tag.interpreter}-{tag.abi}" for tag in artefact.tags})
        out.print(f"{sha256(content)}  {len(content):11,}  {artefact.path}", *floors)
    return True


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


def sarif(findings: list[Finding]) -> dict[str, Any]:
    """Return findings as GitHub's code scanning takes them: SARIF 2.1.0, with what rules.md says of each rule."""
    rules = [
        {"id": name, "shortDescription": {"text": entry.what}, "help": {"text": entry.text, "markdown": entry.text}}
        for name, entry in entries().items()
    ]
    results = [
        {
            "ruleId": each.rule,
            "level": "note" if each.level == "ignored" else each.level,
            "message": {"text": f"{each.what}\n{each.remedy}"},
            "locations": [{"physicalLocation": {"artifactLocation": {"uri": quote(each.file)}, **FIRST}}],
            # GitHub computes it from the source, of which there is none, and tells one finding from another by it.
            "partialFingerprints": {"primaryLocationLineHash": sha256(f"{each.rule}: {each.what}".encode())},
            "suppressions": [{"kind": "external"}] * (each.level == "ignored"),
        }
        for each in findings
    ]
    driver = {"name": "roadworthy", "version": version("roadworthy"), "rules": rules}
    return {"version": "2.1.0", "runs": [{"tool": {"driver": driver}, "results": results}]}
