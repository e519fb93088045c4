"""What is wrong with a folder of artefacts: PyPI's rejections and the rules of the gate, asked together."""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import Any

from roadworthy.gate import archives, binary, contents, metadata, names, pypi
from roadworthy.gate.model import Artefact, Expectations, Finding, Rejection, Rule, UnreadableError, nothing
from roadworthy.gate.pypi_archives import judge_archive, judge_container
from roadworthy.terminal import problem


def list_rules(module: ModuleType) -> Iterator[Rule]:
    """Return the rules in a module, in its order."""
    for value in vars(module).values():
        yield from (one for one in (value if isinstance(value, tuple) else (value,)) if isinstance(one, Rule))


RULES = {rule.name: rule for module in (names, archives, metadata, contents, binary) for rule in list_rules(module)}
Judge = Callable[[Artefact], Iterator[Rejection]]
# From so many files on, loading the libraries in further processes takes less time than it saves.
WORTH_PROCESSES = 8
# Nothing is read before it is known that it can be: a bomb is not unpacked, and what is no archive has no contents.
READING: tuple[tuple[Judge, tuple[str, ...]], ...] = (
    (nothing, ("plain-file",)),
    (pypi.judge_name, ("file-name", "file-size")),
    (judge_container, ()),
    (nothing, ("no-bomb",)),
    (judge_archive, ("readable-archive",)),
)
READ = {name for _, rules in READING for name in rules}
# What is asked of a file, one after the other: what PyPI rejects, and then these rules.
STAGES = (*READING, (pypi.judge_release, tuple(name for name in RULES if name not in READ)))
# After a finding of these, what is in the file cannot be judged.
LAST = {"plain-file", "file-name", "no-bomb", "readable-archive"}


def collect(file: str, default: str, found: Iterable[tuple[str, str]]) -> list[Finding]:
    """Return findings, given as a rule's name and what is wrong; what cannot be read is one of `readable-archive`.

    Args:
        file: What is looked at.
        default: The rule under which it is told that something cannot be judged.
        found: The findings, which are looked for only now.
    """
    told: list[tuple[str, str]] = []
    try:
        # What comes before an exception is kept.
        told.extend(found)
    except UnreadableError as error:
        told.append(("readable-archive", str(error)))
    except OSError as error:
        told.append(("readable-archive", f"cannot be read: {error.strerror}"))
    except ValueError as error:
        # A text that no rule foresaw, such as a version or a tag that a library cannot parse.
        told.append((default, f"cannot be judged: {error}"))
    return [Finding(file, rule, what, RULES[rule].remedy) for rule, what in told]


def apply(rule: Rule, subject: Any, file: str, project: Expectations | None) -> list[Finding]:  # noqa: ANN401 - one artefact or all
    """Return what one rule finds by itself."""
    arguments = (subject, project) if rule.needs_project else (subject,)
    return collect(file, rule.name, ((rule.name, what) for what in rule.check(*arguments)))


def check_artefact(path: Path, project: Expectations | None) -> list[Finding]:
    """Return what is wrong with one file."""
    findings: list[Finding] = []
    with Artefact(path) as artefact:
        kinds = {"both", "wheel" if artefact.is_wheel else "sdist"}
        for judge, rules in STAGES:
            rejections = ((one.rule, one.words) for one in judge(artefact))
            findings += collect(path.name, "metadata-valid", rejections)
            for rule in map(RULES.__getitem__, rules):
                if rule.applies_to in kinds and (project or not rule.needs_project):
                    findings += apply(rule, artefact, path.name, project)
            if any(finding.rule in LAST for finding in findings):
                break
    return list(dict.fromkeys(findings))


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
    artefacts = names.list_folder(folder)
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
