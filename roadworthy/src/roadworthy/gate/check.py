"""Would PyPI take these artefacts, and should they be sent? Every problem of every file, in one run.

The rules are in scripts/gate/, and docs/checks.md lists them with their reasons.
"""

import json
import os
import sys
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from roadworthy.arguments import Parser
from roadworthy.building.toolchain import host_triple
from roadworthy.gate import archives, binary, contents, metadata, names  # noqa: F401 - importing registers the rules
from roadworthy.gate.model import RULES, Artefact, Finding, Project, Rule, UnreadableError
from roadworthy.project import HERE
from roadworthy.project import Project as Here
from roadworthy.runner import summarise
from roadworthy.terminal import annotate, err, out, printable, problem
from roadworthy.verifying.artefacts import sha256

# Without these, what is in the file cannot be judged, so the other rules are left out for it.
FIRST = ("plain-file", "file-name", "file-size")
BEFORE_READING = ("no-bomb",)


def this_project(triples: list[str]) -> Project:
    """Return what this project expects of the artefacts for some targets, from its own files."""
    expected = [HERE.sdist_name()]
    expected += [HERE.wheel_name(python, triple) for triple in triples for python in HERE.python_tags]
    homes = {HERE.root, Path.home(), Path(os.environ.get("CARGO_HOME", Path.home()))}
    return Project(
        name=canonicalize_name(HERE.name),
        native_module=HERE.native_module,
        version=HERE.version,
        oldest_python=HERE.oldest_python,
        requires_python=str(HERE.requires_python),
        abi3_feature=HERE.crate.abi3_feature,
        first_abi3t=HERE.crate.first_abi3t or "none",
        expected=tuple(expected),
        tracked=frozenset(HERE.checkout.ask("ls-files", "-z").rstrip("\0").split("\0")),
        builder_paths=tuple(sorted(os.fsencode(f"{path}/") for path in homes if path != Path("/"))),
    )


def apply(rule: Rule, subject: Any, file: str, facts: Project | None) -> list[Finding]:  # noqa: ANN401 - one artefact or all
    """Return what one rule finds; what cannot be read is a finding of `readable-archive`."""
    arguments = (subject, facts) if rule.needs_project else (subject,)
    try:
        return [Finding(file, rule.name, what) for what in rule.check(*arguments)]
    except UnreadableError as error:
        return [Finding(file, "readable-archive", str(error))]
    except OSError as error:
        return [Finding(file, "readable-archive", f"cannot be read: {error.strerror}")]
    except ValueError as error:
        # A text that no rule foresaw, such as a version or a tag that a library cannot parse.
        return [Finding(file, rule.name, f"cannot be judged: {error}")]


def check_artefact(path: Path, facts: Project | None) -> list[Finding]:
    """Return what is wrong with one file."""
    artefact = Artefact(path)
    kinds = {"both", "wheel" if artefact.is_wheel else "sdist"}
    rules = [rule for rule in RULES.values() if rule.applies_to in kinds and (facts or not rule.needs_project)]
    findings: list[Finding] = []
    for group in (FIRST, BEFORE_READING, ("readable-archive",)):
        for name in group:
            findings += apply(RULES[name], artefact, path.name, facts)
        if findings:
            return findings
    for rule in rules:
        if rule.name not in {*FIRST, *BEFORE_READING, "readable-archive"}:
            findings += apply(rule, artefact, path.name, facts)
    return list(dict.fromkeys(findings))


def check_folder(folder: Path, facts: Project | None) -> list[Finding]:
    """Return what is wrong with a folder of artefacts, and with each of them.

    Raises:
        ProblemsError: It is no folder, or there is nothing in it.
    """
    if not folder.is_dir():
        raise problem(f"{folder} is no folder", "run: make build")
    artefacts = names.list_folder(folder)
    if not artefacts:
        raise problem(f"{folder} is empty", "run: make build")
    paths = [artefact.path for artefact in artefacts]
    findings = []
    for rule in RULES.values():
        # Others' artefacts are a collection, and no release.
        if rule.applies_to == "folder" and facts:
            findings += apply(rule, artefacts, f"{folder.name}/", facts)
    workers = min(len(paths), os.cpu_count() or 1)
    with ProcessPoolExecutor(workers) as pool:
        for found in pool.map(
            check_artefact, paths, [facts] * len(paths), chunksize=max(1, len(paths) // workers // 8)
        ):
            findings += found
    return findings


def report_good(folder: Path) -> None:
    """Print the table of what has passed."""
    from rich.table import Table  # noqa: PLC0415 - only where there is a table

    table = Table("file", "bytes", "floor", "sha256", box=None, pad_edge=False)
    for artefact in names.list_folder(folder):
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


def read_arguments(words: list[str]) -> dict[str, Any]:
    """Read the command line."""
    parser = Parser("check-dist", "Check artefacts as PyPI would, and as this project should.")
    parser.take("DIST", "the folder; default: dist/", first=True, type=Path)
    parser.switch("HOST", "expect what this machine builds, not all platforms")
    parser.switch("ALL", "expect all platforms (the default)")
    parser.switch("FOREIGN", "artefacts of other projects: nothing is expected of them")
    given = parser.switch("JSON", "print the findings as JSON on stdout").read(words)
    if len(given.keys() & {"HOST", "ALL", "FOREIGN"}) > 1:
        parser.error("HOST, ALL and FOREIGN exclude each other")
    return given


def main(project: "Here", words: list[str]) -> None:
    """Check, report, and end with exit code 1 if there is anything wrong."""
    given = read_arguments(words)
    triples = [host_triple()] if "HOST" in given else list(HERE.platform_tags)
    facts = None if "FOREIGN" in given else this_project(triples)
    dist = given.get("DIST", project.dist)
    findings = check_folder(dist, facts)
    if "JSON" in given:
        rows = [{"file": f.file, "rule": f.rule, "what": f.what, "remedy": f.remedy} for f in findings]
        json.dump(rows, sys.stdout, indent=2)
        print()
    if findings and "JSON" not in given:
        report_bad(findings)
    elif not findings and "JSON" not in given:
        report_good(dist)
    sys.exit(1 if findings else 0)
