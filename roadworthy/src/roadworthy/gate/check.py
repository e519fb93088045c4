"""Would PyPI take these artefacts, and should they be sent? Every problem of every file, in one run.

PyPI's rejections and the rules of the gate are asked together. rules.md lists them with their reasons.
"""

import json
import os
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, astuple
from itertools import groupby, islice
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from roadworthy.building.toolchain import host_triple
from roadworthy.declared import sdist_contents, wheel_contents
from roadworthy.gate import archives, binary, contents, pypi
from roadworthy.gate.model import UNREADABLE, Artefact, Expectations, Finding, Rejection, Rule, UnreadableError
from roadworthy.gate.pypi_archives import judge_archive, judge_container
from roadworthy.gate.rules import entries
from roadworthy.project import Project
from roadworthy.sums import sha256
from roadworthy.terminal import annotate, err, out, printable, problem, summarise

# Those that are functions; of the others in rules.md PyPI's rejections say by themselves what is wrong.
RULES = {
    rule.name: rule
    for module in (archives, contents, binary)
    for rule in vars(module).values()
    if isinstance(rule, Rule)
}
Judge = Callable[[Artefact], Iterable[Rejection]]
# From so many files on, loading the libraries in further processes takes less time than it saves.
WORTH_PROCESSES = 8
# Nothing is read before it is known that it can be: a bomb is not unpacked, and what is no archive has no contents.
Stages = tuple[tuple[Judge, tuple[str, ...]], ...]
READING: Stages = (
    (lambda _: (), ("plain-file",)),
    (pypi.judge_name, ("file-name", "file-size")),
    (judge_container, ()),
    (lambda _: (), ("no-bomb",)),
    (judge_archive, ("readable-archive",)),
)
READ = {name for _, rules in READING for name in rules}
# What is asked of a file, one after the other: what PyPI rejects, and then these rules.
STAGES = (*READING, (pypi.judge_release, tuple(name for name in RULES if name not in READ)))
# So many findings of one rule in one file are told; the rest is not even looked for.
MOST_FINDINGS = 100
# After a finding of these, what is in the file cannot be judged.
LAST = {"plain-file", "file-name", "no-bomb", "readable-archive", "no-sparse-members"}


def collect(file: str, default: str, found: Iterable[tuple[str, str]]) -> list[Finding]:
    """Return the findings of a file, which are looked for only now, each given as a rule's name and what is wrong.

    What cannot be read is one of `readable-archive`; what cannot be judged, of the default.
    """
    told: list[tuple[str, str]] = []
    try:
        # What comes before an exception is kept.
        told.extend(islice(found, MOST_FINDINGS))
        if len(told) == MOST_FINDINGS:
            told.append((told[-1][0], "and more of this"))
    except UnreadableError as error:
        told.append((error.rule, str(error)))
    except OSError as error:
        told.append(("readable-archive", f"cannot be read: {error.strerror}"))
    except UNREADABLE as error:
        # What no rule foresaw, such as a version or a tag that a library cannot parse.
        told.append((default, f"cannot be judged: {error}"))
    # The one place where foreign text, such as a name in an archive, is made fit for every sink.
    return [Finding(printable(file), rule, printable(what), entries()[rule].remedy) for rule, what in told]


def apply(rule: Rule, subject: Any, file: str, project: Expectations | None) -> list[Finding]:  # noqa: ANN401 - one artefact or all
    """Return what one rule finds by itself."""
    arguments = (subject, project) if rule.needs_project else (subject,)
    return collect(file, rule.name, ((rule.name, what) for what in rule.check(*arguments)))


def check_artefact(path: Path, project: Expectations | None, stages: Stages = STAGES) -> list[Finding]:
    """Return what is wrong with one file."""
    findings: list[Finding] = []
    with Artefact(path) as artefact:
        kinds = {"both", "wheel" if artefact.is_wheel else "sdist"}
        for judge, rules in stages:
            findings += collect(path.name, "metadata-valid", ((one.rule, one.words) for one in judge(artefact)))
            for rule in map(RULES.__getitem__, rules):
                if rule.applies_to in kinds and (project or not rule.needs_project):
                    findings += apply(rule, artefact, path.name, project)
            if any(finding.rule in LAST for finding in findings):
                break
    return list(dict.fromkeys(findings))


def list_folder(folder: Path) -> list[Artefact]:
    """Return everything that lies in a folder as an artefact, hidden files too."""
    return [Artefact(path) for path in sorted(folder.iterdir())]


def check_folder(folder: Path, project: Expectations | None) -> list[Finding]:
    """Return what is wrong with a folder of artefacts, and with each of them.

    Args:
        folder: Where they are.
        project: What is expected of them; None for others' artefacts, which are a collection and no release.

    Raises:
        ProblemsError: It is no folder, or there is nothing in it.
    """
    if not folder.is_dir():
        raise problem(f"{folder} is no folder", "run: make build")
    artefacts = list_folder(folder)
    if not artefacts:
        raise problem(f"{folder} is empty", "run: make build")
    paths = [artefact.path for artefact in artefacts]
    findings: list[Finding] = []
    for rule in RULES.values():
        if rule.applies_to == "folder" and project:
            findings += apply(rule, artefacts, f"{folder.name}/", project)
    if len(paths) < WORTH_PROCESSES:
        return findings + [finding for path in paths for finding in check_artefact(path, project)]
    workers = os.cpu_count() or 1
    with ProcessPoolExecutor(workers) as pool:
        found = pool.map(check_artefact, paths, [project] * len(paths), chunksize=max(1, len(paths) // workers // 8))
        return findings + [finding for each in found for finding in each]


def expect(project: Project, triples: list[str]) -> Expectations:
    """Return what a project expects of its artefacts for some targets, from its own files."""
    wheels = [project.wheel_name(python, triple) for triple in triples for python in project.python_tags]
    sdist = sdist_contents(project)
    homes = {project.root, Path.home(), Path(os.environ.get("CARGO_HOME", Path.home()))}
    return Expectations(
        name=canonicalize_name(project.name),
        native_module=project.native_module,
        version=project.version,
        oldest_python=project.oldest_python,
        requires_python=str(project.requires_python),
        abi3_feature=project.crate.abi3_feature,
        first_abi3t=project.crate.first_abi3t or "none",
        expected=(project.sdist_name(), *wheels),
        sdist=sdist,
        wheel=wheel_contents(project, project.root, sdist.files),
        builder_paths=tuple(sorted(os.fsencode(f"{path}/") for path in homes if path != Path("/"))),
    )


def report_good(folder: Path) -> None:
    """Print the table of what has passed."""
    from rich.table import Table  # noqa: PLC0415 - only where there is a table

    table = Table("file", "bytes", "floor", "sha256", box=None, pad_edge=False)
    for artefact in list_folder(folder):
        floors = sorted({f"{tag.interpreter}-{tag.abi}" for tag in artefact.tags})
        content = artefact.path.read_bytes()
        table.add_row(artefact.path.name, f"{len(content):,}", " ".join(floors), sha256(content))
    out.print(table)


def report_bad(findings: list[Finding]) -> None:
    """Print the problems, grouped by file; under GitHub Actions as annotations and in the job's summary too."""
    for file, found in groupby(findings, lambda finding: finding.file):
        err.print(file, style="bold")
        for finding in found:
            err.print(f"  {finding.what} [{finding.rule}]\n    {finding.remedy}")
    annotate((f"{finding.file}: {finding.what}", finding.rule) for finding in findings)
    summarise("Not to be sent", ["file", "rule", "problem", "remedy"], map(astuple, findings))


def check(project: Project, given: dict[str, Any]) -> bool:
    """Check what is given, report, and say whether all is well."""
    folder = given.get("FOLDER", project.dist)
    triples = [host_triple(project)] if "HOST" in given and "ALL" not in given else list(project.platform_tags)
    findings = check_folder(folder, None if "FOREIGN" in given else expect(project, triples))
    if "JSON" in given:
        json.dump(list(map(asdict, findings)), sys.stdout, indent=2)
        print()
    elif findings:
        report_bad(findings)
    else:
        report_good(folder)
    return not findings
