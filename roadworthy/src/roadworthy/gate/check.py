"""Would PyPI take these artefacts, and should they be sent? Every problem of every file, in one run (rules.md)."""

import os
import re
import warnings
from collections.abc import Callable, Iterable
from contextlib import suppress
from itertools import islice, repeat
from pathlib import Path
from typing import Any

from roadworthy.declared import sdist_contents, wheel_contents
from roadworthy.gate import agreement, archives, binary, compare, contents, pypi
from roadworthy.gate.agreement import Told
from roadworthy.gate.model import UNREADABLE, Artefact, Expectations, Finding, Rejection, Rule, UnreadableError
from roadworthy.gate.pypi_archives import judge_archive, judge_container
from roadworthy.gate.rules import entries, nearest
from roadworthy.index import Index
from roadworthy.project import Project
from roadworthy.tables import find_table
from roadworthy.terminal import Problem, err, printable, problem, raise_problems

# Those that are functions; of the others in rules.md PyPI's rejections say by themselves what is wrong.
MODULES = (archives, agreement, contents, binary, compare)
RULES = {rule.name: rule for module in MODULES for rule in vars(module).values() if isinstance(rule, Rule)}
WORTH_PROCESSES = 8  # from so many files on, loading the libraries in further ones takes less time than it saves
# Nothing is read before it is known that it can be: a bomb is not unpacked, and what is no archive has no contents.
Stages = tuple[tuple[Callable[[Artefact], Iterable[Rejection]], tuple[str, ...]], ...]
READING: Stages = (
    (lambda _: (), ("plain-file",)),
    (pypi.judge_name, ("file-name",)),
    (judge_container, ()),
    (lambda _: (), ("no-bomb",)),
    (judge_archive, ("readable-archive",)),
)
READ = {name for _, rules in READING for name in rules}
# What is asked of a file, one after the other: what PyPI rejects, and then these rules.
STAGES: Stages = (*READING, (pypi.judge_release, tuple(name for name in RULES if name not in READ)))
# The pyproject.toml here is asked what that in an sdist is asked.
OF_PROJECT = RULES["declared-metadata"]._replace(check=agreement.of_project)
MOST_FINDINGS = 100  # of one rule in one file; the rest is not even looked for
# Of a copy's own artefacts errors: both publishing guides ask that `twine check --strict` has nothing to say.
STRICT = {"twine-check", "no-secrets", "no-build-products"}
# After a finding of these, what is in the file cannot be judged.
LAST = {"plain-file", "file-name", "no-bomb", "readable-archive", "no-sparse-members"}


def collect(file: str, default: str, found: Iterable[tuple[str, str]]) -> list[Finding]:
    """Look for the findings of a file, given as a rule's name and what is wrong; what cannot be judged is `default`."""
    told: list[tuple[str, str]] = []
    try:
        told.extend(islice(found, MOST_FINDINGS))  # what comes before an exception is kept
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


def judge(path: Path, project: Expectations | None, stages: Stages = STAGES) -> tuple[list[Finding], Told | None]:
    """Return what is wrong with one file, and what it says of itself, if that can be known."""
    findings, told = list[Finding](), None
    with Artefact(path) as artefact, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what newer Pythons warn of in an archive, the rules tell
        kinds = {"both", "wheel" if artefact.is_wheel else "sdist"}
        for ask, rules in stages:
            findings += collect(str(path), "metadata-valid", ((one.rule, one.words) for one in ask(artefact)))
            for rule in map(RULES.__getitem__, rules):
                left_out = project and project.package and rule.needs_crate
                if rule.applies_to in kinds and not left_out and (project or not rule.needs_project):
                    findings += apply(rule, str(path), artefact, *([project] if rule.needs_project else ()))
            if any(finding.rule in LAST for finding in findings):
                break
        else:
            with suppress(UnreadableError):
                told = agreement.tell(artefact)
    return list(dict.fromkeys(findings)), told


def check(paths: Iterable[Path], project: Project | None = None, against: str | None = None) -> list[Finding]:
    """Return what is wrong with some files, and folders of them: with each by itself, and with all together.

    Without a `project` they are judged as anybody's. All that Expectations (`expect`) say is compared, to the byte; of
    any other project, what [project] in its pyproject.toml declares, with the files of its name. A folder with nothing
    in it is a ProblemsError, and so is a pyproject.toml that cannot be read, or an index: `against` is one that has the
    release before, by twine's names or its address; what users of that lose is found too.
    """
    paths, whole = list(paths), project if isinstance(project, Expectations) else None
    artefacts = gather(paths, whole)
    findings = list[Finding]()
    for folder in filter(Path.is_dir, paths if whole else ()):
        findings += apply(RULES["complete-set"], f"{folder}/", gather([folder], whole), whole)
    judged = list(zip(artefacts, judge_all([each.path for each in artefacts], whole), strict=True))
    sdists = {each.parsed[:2]: told for each, (_, told) in judged if told and each.parsed and not each.is_wheel}
    # A release has one page on PyPI, which is in all its files: it is told of the sdist, if there is one.
    wheels_first = sorted((each for each, (_, told) in judged if told), key=lambda each: not each.is_wheel)
    pages = {*{each.parsed and each.parsed[:2]: each.path for each in wheels_first}.values()}
    table = find_table(project.pyproject, "project") if project and not whole else {}
    for each, (found, told) in judged:
        findings += found
        if told and each.path in pages:
            findings += apply(RULES["readme-on-pypi"], str(each.path), told)
        if told and each.is_wheel and each.parsed and (sdist := sdists.get(each.parsed[:2])):
            findings += apply(RULES["metadata-agrees"], str(each.path), sdist, told)
        if told and table:
            findings += apply(OF_PROJECT, str(each.path), table, told)
    for update in compare.since_published(artefacts, Index.named(against)) if against is not None else ():
        for rule in (rule for rule in RULES.values() if rule.applies_to == "update"):
            findings += apply(rule, f"{update.new.name}, after {update.old.name}", update)
    if whole:
        findings = [each._replace(level="error") if each.rule in STRICT else each for each in findings]
    else:
        # How a copy is built, others are not.
        findings = [each._replace(remedy=each.remedy.partition(": make ")[0]) for each in findings]
    return excuse(findings, whole.excuses if whole else excuses(project)) if project else findings


def gather(paths: Iterable[Path], whole: Expectations | None = None) -> list[Artefact]:
    """Return the artefacts that are given, and those in folders that are; ProblemsError where there is none in one."""
    found = list[Path]()
    for path in paths:
        inside = sorted(path.iterdir()) if path.is_dir() else [path]
        # Uploaders are given dist/*, without the .gitignore of `uv build`; and twine tells these suffixes apart.
        inside = [one for one in inside if whole or (one.name[0] != "." and one.suffix not in {".asc", ".attestation"})]
        if not inside:
            raise problem(f"{path} is empty", "run: make build" if whole else "build into it, or name another folder")
        found += inside
    return [Artefact(path) for path in dict.fromkeys(found)]


def judge_all(paths: list[Path], project: Expectations | None) -> Iterable[tuple[list[Finding], Told | None]]:
    """Judge each, in several processes where there are many."""
    if len(paths) < WORTH_PROCESSES:
        yield from (judge(path, project) for path in paths)
        return
    from concurrent.futures import ProcessPoolExecutor  # noqa: PLC0415 - not for a few

    with ProcessPoolExecutor() as pool:
        yield from pool.map(judge, paths, repeat(project), chunksize=2)


def excuse(findings: list[Finding], meant: tuple[tuple[str, str], ...]) -> list[Finding]:
    """Return the findings, those that pyproject.toml has an entry for as ignored; what no finding needs is said."""
    for rule, text in meant:
        # A path has to stand there as a whole, or a folder's with a slash behind it; a reason has blanks in it.
        path = re.compile(rf"(?<![\w.-]){re.escape(text)}" + ("" if text.endswith("/") else r"(?![\w/.-])"))
        chosen = (each for each in findings if each.rule == rule and (" " in text or path.search(each.what)))
        ignored = {each: each._replace(level="ignored", remedy=f"{rule}: {text}") for each in chosen}
        findings = [ignored.get(each, each) for each in findings]
        # What is lost depends on what is published, and is not always asked.
        if not ignored and (rule not in RULES or RULES[rule].applies_to != "update"):
            err.print(f'note: "{rule}: {text}" in [tool.roadworthy] ignore is for nothing that was found here')
    return findings


def excuses(project: Project) -> tuple[tuple[str, str], ...]:
    """Return rule, and path or reason, of each entry of [tool.roadworthy] ignore; ProblemsError where one has none."""
    given, found, problems = project.settings.get("ignore", []), [], []
    for entry in given if isinstance(given, list) else [given]:
        name, _, text = (each.strip() for each in str(entry).partition(":"))
        found.append((name, text))
        if name not in entries() or not text:
            what = f"pyproject.toml has {entry!r} in [tool.roadworthy] ignore, which is no rule with a path or a reason"
            problems.append(Problem(what, f'write "RULE: path/in/it", or a reason of some words; {nearest(name)}'))
    raise_problems(problems)
    return tuple(found)


def expect(project: Project, triples: list[str]) -> Expectations:
    """Return what a project expects of its artefacts for some targets, from its own files."""
    wheels = [project.wheel_name(python, triple) for triple in triples for python in project.python_tags]
    names = (project.sdist_name(), *wheels)
    sdist = sdist_contents(project)
    wheel = wheel_contents(project, project.folder, sdist.files)
    homes = {project.root, Path.home(), Path(os.environ.get("CARGO_HOME", Path.home()))}
    paths = tuple(sorted(os.fsencode(f"{path}/") for path in homes if path != Path("/")))
    meant = excuses(project)
    return Expectations(
        project.root, project.package, expected=names, sdist=sdist, wheel=wheel, builder_paths=paths, excuses=meant
    )
