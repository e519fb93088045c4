"""Would PyPI take these artefacts, and should they be sent? Every problem of every file, in one run (rules.md)."""

import json
import os
import re
import warnings
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import asdict, replace
from difflib import get_close_matches
from itertools import groupby, islice
from pathlib import Path
from typing import Any

from roadworthy.building.toolchain import host_triple
from roadworthy.declared import sdist_contents, wheel_contents
from roadworthy.gate import agreement, archives, binary, compare, contents, pypi
from roadworthy.gate.agreement import Told
from roadworthy.gate.model import UNREADABLE, Artefact, Expectations, Finding, Rejection, Rule, UnreadableError
from roadworthy.gate.pypi_archives import judge_archive, judge_container
from roadworthy.gate.rules import entries
from roadworthy.index import Index
from roadworthy.project import Project
from roadworthy.sums import sha256
from roadworthy.terminal import Problem, annotate, err, out, printable, problem, raise_problems, summarise

# Those that are functions; of the others in rules.md PyPI's rejections say by themselves what is wrong.
RULES = {
    rule.name: rule
    for module in (archives, agreement, contents, binary, compare)
    for rule in vars(module).values()
    if isinstance(rule, Rule)
}
# From so many files on, loading the libraries in further processes takes less time than it saves.
WORTH_PROCESSES = 8
# Nothing is read before it is known that it can be: a bomb is not unpacked, and what is no archive has no contents.
Stages = tuple[tuple[Callable[[Artefact], Iterable[Rejection]], tuple[str, ...]], ...]
READING: Stages = (
    (lambda _: (), ("plain-file",)),
    (pypi.judge_name, ("file-name", "file-size")),
    (judge_container, ()),
    (lambda _: (), ("no-bomb",)),
    (judge_archive, ("readable-archive",)),
)
READ = {name for _, rules in READING for name in rules}
# What is asked of a file, one after the other: what PyPI rejects, and then these rules.
STAGES: Stages = (*READING, (pypi.judge_release, tuple(name for name in RULES if name not in READ)))
MOST_FINDINGS = 100  # of one rule in one file; the rest is not even looked for
# After a finding of these, what is in the file cannot be judged.
LAST = {"plain-file", "file-name", "no-bomb", "readable-archive", "no-sparse-members"}


def collect(file: str, default: str, found: Iterable[tuple[str, str]]) -> list[Finding]:
    """Look for the findings of a file, given as a rule's name and what is wrong; what cannot be judged is `default`."""
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
    level = {name: RULES[name].level if name in RULES else "error" for name, _ in told}
    return [Finding(printable(file), name, printable(what), entries()[name].remedy, level[name]) for name, what in told]


def apply(rule: Rule, file: str, *subject: Any) -> list[Finding]:  # noqa: ANN401 - one artefact, or all, and a project
    """Return what one rule finds by itself."""
    return collect(file, rule.name, ((rule.name, what) for what in rule.check(*subject)))


def check_artefact(path: Path, project: Expectations | None, stages: Stages = STAGES) -> list[Finding]:
    """Return what is wrong with one file."""
    return judge(path, project, stages)[0]


def judge(path: Path, project: Expectations | None, stages: Stages = STAGES) -> tuple[list[Finding], Told | None]:
    """Return what is wrong with one file, and what it says of itself, if that can be known."""
    findings: list[Finding] = []
    told: Told | None = None
    with Artefact(path) as artefact, warnings.catch_warnings():
        # What newer Pythons warn of in an archive, the rules tell.
        warnings.simplefilter("ignore")
        kinds = {"both", "wheel" if artefact.is_wheel else "sdist"}
        for ask, rules in stages:
            findings += collect(path.name, "metadata-valid", ((one.rule, one.words) for one in ask(artefact)))
            for rule in map(RULES.__getitem__, rules):
                if rule.applies_to in kinds and (project or not rule.needs_project):
                    findings += apply(rule, path.name, artefact, *([project] if rule.needs_project else ()))
            if any(finding.rule in LAST for finding in findings):
                break
        else:
            with suppress(UnreadableError):
                told = agreement.tell(artefact)
    return list(dict.fromkeys(findings)), told


def check_folder(folder: Path, project: Expectations | None, against: str | None = None) -> list[Finding]:
    """Return what is wrong with a folder, and with each file in it; without a project they are a collection.

    With an index to compare `against`, also what is lost since the newest release there.

    Raises:
        ProblemsError: It is no folder, or there is nothing in it.
    """
    artefacts = [Artefact(path) for path in sorted(folder.iterdir())] if folder.is_dir() else []
    if not artefacts:
        raise problem(f"{folder} is {'empty' if folder.is_dir() else 'no folder'}", "run: make build")
    findings = apply(RULES["complete-set"], f"{folder.name}/", artefacts, project) if project else []
    judged = [(each, *result) for each, result in zip(artefacts, judge_all(artefacts, project), strict=True)]
    findings += [finding for _, found, _ in judged for finding in found]
    sdists = {each.parsed[:2]: told for each, _, told in judged if told and each.parsed and not each.is_wheel}
    for wheel, _, told in judged:
        if told and wheel.is_wheel and wheel.parsed and (sdist := sdists.get(wheel.parsed[:2])):
            findings += apply(RULES["metadata-agrees"], wheel.path.name, sdist, told)
    for update in compare.since_published(artefacts, Index.named(against)) if against else ():
        for rule in (rule for rule in RULES.values() if rule.applies_to == "update"):
            findings += apply(rule, f"{update.new.name}, after {update.old.name}", update)
    return excuse(findings, project) if project else findings


def judge_all(artefacts: list[Artefact], project: Expectations | None) -> Iterable[tuple[list[Finding], Told | None]]:
    """Judge each, in several processes where there are many."""
    paths = [artefact.path for artefact in artefacts]
    if len(paths) < WORTH_PROCESSES:
        yield from (judge(path, project) for path in paths)
        return
    workers = os.cpu_count() or 1
    with ProcessPoolExecutor(workers) as pool:
        yield from pool.map(judge, paths, [project] * len(paths), chunksize=max(1, len(paths) // workers // 8))


def excuse(findings: list[Finding], project: Expectations) -> list[Finding]:
    """Return the findings, those that pyproject.toml has an entry for as ignored; what no finding needs is said."""
    for rule, text in project.excuses:
        chosen = (each for each in findings if each.rule == rule and covers(text, each.what))
        ignored = {each: replace(each, level="ignored", remedy=f"{rule}: {text}") for each in chosen}
        findings = [ignored.get(each, each) for each in findings]
        # What is lost depends on what is published, and is not always asked.
        if not ignored and (rule not in RULES or RULES[rule].applies_to != "update"):
            err.print(f'note: "{rule}: {text}" in [tool.roadworthy] ignore is for nothing that was found here')
    return findings


def covers(text: str, what: str) -> bool:
    """Say whether an entry is for what was found: a path has to stand there, or a folder's with a slash behind it."""
    after = "" if text.endswith("/") else r"(?![\w/.-])"
    return " " in text or re.search(rf"(?<![\w.-]){re.escape(text)}{after}", what) is not None


def excuses(project: Project) -> tuple[tuple[str, str], ...]:
    """Return the rule of each entry of [tool.roadworthy] ignore, and its path or reason.

    Raises:
        ProblemsError: One is of no rule, or says nothing.
    """
    given, found, problems = project.settings.get("ignore", []), [], []
    for entry in given if isinstance(given, list) else [given]:
        name, _, text = (each.strip() for each in str(entry).partition(":"))
        found.append((name, text))
        if name not in entries() or not text:
            near = ", ".join(get_close_matches(name, entries())) or "see: python -m roadworthy rules"
            what = f"pyproject.toml has {entry!r} in [tool.roadworthy] ignore, which is no rule with a path or a reason"
            problems.append(Problem(what, f'write "RULE: path/in/it", or a reason of some words; the rule: {near}'))
    raise_problems(problems)
    return tuple(found)


def expect(project: Project, triples: list[str]) -> Expectations:
    """Return what a project expects of its artefacts for some targets, from its own files."""
    wheels = [project.wheel_name(python, triple) for triple in triples for python in project.python_tags]
    sdist = sdist_contents(project)
    homes = {project.root, Path.home(), Path(os.environ.get("CARGO_HOME", Path.home()))}
    return Expectations(
        root=project.root,
        expected=(project.sdist_name(), *wheels),
        sdist=sdist,
        wheel=wheel_contents(project, project.root, sdist.files),
        builder_paths=tuple(sorted(os.fsencode(f"{path}/") for path in homes if path != Path("/"))),
        excuses=excuses(project),
    )


def report_good(folder: Path) -> None:
    """Print the table of what has passed."""
    from rich.table import Table  # noqa: PLC0415 - only where there is a table

    table = Table("file", "bytes", "floor", "sha256", box=None, pad_edge=False)
    for path in sorted(folder.iterdir()):
        floors = sorted({f"{tag.interpreter}-{tag.abi}" for tag in Artefact(path).tags})
        content = path.read_bytes()
        table.add_row(path.name, f"{len(content):,}", " ".join(floors), sha256(content))
    out.print(table)


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


def check(project: Project, given: dict[str, Any]) -> bool:
    """Check what is given, report, and say whether all is well."""
    folder = given.get("FOLDER", project.dist)
    triples = [host_triple(project)] if "HOST" in given and "ALL" not in given else list(project.platform_tags)
    findings = check_folder(folder, None if "FOREIGN" in given else expect(project, triples), given.get("AGAINST"))
    fatal = {"error", "warning"} if "STRICT" in given else {"error"}
    failing = [finding for finding in findings if finding.level in fatal]
    if "JSON" in given:
        out.write(json.dumps(list(map(asdict, findings)), indent=2) + "\n")
        return not failing
    report_bad(findings, failing)
    if not failing:
        report_good(folder)
    return not failing
