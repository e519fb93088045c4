"""Updates by steps and at once come to the same, for files whose class changes on the way: a property of random ones.

A template is made of as many files as there are histories, each with a class and a content of its own in every version.
"""

import random
from collections.abc import Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

from roadworthy.repository import Repository
from test_update_matrix import make_checkout
from workshop.copying import merging, objects, updating
from workshop.copying.creating import label_of
from workshop.copying.objects import PLAIN, Files, write_files
from workshop.copying.record import Answers, Record
from workshop.copying.rendering import render
from workshop.copying.sides import Update

ANSWERS = Answers("turbo-frob", "Ada", "", "acme", "Frobs.", "MIT", "2030")
ADDRESS = "https://github.com/rust-wheelwrights/ferrous-wheel"
SAMPLE = "sample/"
PROJECT = f"""\
[project]
name = "ferrous-wheel"
version = "0.1.0"
description = "."
license = "MIT"
authors = []
keywords = []

[project.urls]
Repository = "{ADDRESS}"
"""
CRATE = '[package]\nname = "ferrous-wheel"\nversion = "0.1.0"\n'
MANIFESTS = {"pyproject.toml": PROJECT.encode(), "Cargo.toml": CRATE.encode()}
# What a file is in one version: merged, seeded, there in no copy although there is a rule for it, or without one.
CLASSES = "msra"
# What has been lost once, or can be: a word for each version.
NAMED = ("msm", "sms", "mms", "mmr", "mma", "mam", "msam", "smas", "masm", "sasm", "mssm", "rmsa", "asms", "mras")
LETTERS = count()


def content(path: str, edits: Sequence[int]) -> bytes:
    """Return a text that is like no other one, in which the template has edited some lines."""
    return "".join(f"{number} of {path}{' edited' * edits.count(number)}\n" for number in range(30)).encode()


def make_template(folder: Path, histories: dict[str, str], chance: random.Random) -> tuple[Repository, list[str]]:
    """Make a template with a file for each history, and return it with the commits of its releases."""
    versions = max(map(len, histories.values()))
    files: list[Files] = []
    edits: dict[str, list[int]] = {path: [] for path in histories}
    for version in range(versions):
        classes = {path: history.ljust(versions, history[-1])[version] for path, history in histories.items()}
        for path in histories:
            edits[path] += [chance.randrange(1, 25)] if chance.random() < 0.6 else []
        kept = [path for path, name in classes.items() if name in "mr"] + [*MANIFESTS]
        rules = f'merged = {kept}\ngenerated = []\nengine = []\nsample = "{SAMPLE}"\n'
        there = {path: name for path, name in classes.items() if name in "ms"}
        texts = {(SAMPLE * (name == "s")) + path: content(path, edits[path]) for path, name in there.items()}
        licence = {"workshop/copying/licences/MIT.txt": b"MIT\n\nCopyright (c) 2000 Nobody\n"}
        whole = {**texts, **licence, **MANIFESTS, "template.toml": rules.encode()}
        files.append({path: (PLAIN, text) for path, text in whole.items()})
    template = make_checkout(folder, files[0])
    commits: list[str] = []
    for number, each in enumerate(files):
        tree = write_files(template, each)
        parents = ["-p", commits[-1]] if commits else []
        commits.append(
            template.run("commit-tree", *parents, "-m", "x", tree, env=merging.NOBODY, check=True).stdout.strip()
        )
        template.ask("tag", f"v{number + 1}.0.0", commits[-1])
    template.ask("update-ref", "refs/heads/main", commits[-1])
    return template, commits


def make_copy(folder: Path, template: Repository, commit: str) -> Repository:
    """Make a fresh copy of a version."""
    record = Record(ADDRESS, commit, commit, label_of(template, commit), ANSWERS)
    return make_checkout(folder, render(template, record, "0.1.0"))


def bring(copy: Repository, template: Repository, commit: str) -> bool:
    """Update a copy, and commit that; say whether there was no conflict."""
    old = updating.read_record(copy)
    new = replace(old, commit=commit, label=label_of(template, commit))
    scratch = merging.make_scratch(copy, copy.folder.with_name(f"{copy.folder.name}-scratch-{next(LETTERS)}"))
    plan = Update(copy, template, scratch, old, new, updating.read_version(copy))
    if merging.carry_out(updating.work_out(plan, keep_engine=True)):
        return False
    copy.ask("commit", "--quiet", "--allow-empty", "--no-verify", "-m", "Update")
    return True


def edit(copy: Repository, path: str) -> None:
    """Change a line that no template changes."""
    file = copy.folder / path
    file.write_text(file.read_text(encoding="utf-8").replace("27 of", "27, mine, of"), encoding="utf-8")
    copy.ask("commit", "--quiet", "--all", "--no-verify", "-m", "Mine")


def compare(folder: Path, template: Repository, commits: list[str], edited: str | None, *, start: int = 0) -> bool:
    """Update two copies, by steps and at once, and compare them; say whether there was nothing to compare."""
    copies = {name: make_copy(folder / name, template, commits[start]) for name in ("steps", "once")}
    for copy in copies.values():
        if edited:
            edit(copy, edited)
    ways = {"steps": commits[start + 1 :], "once": commits[-1:]}
    if not all(bring(copies[name], template, commit) for name, way in ways.items() for commit in way):
        return True
    trees = {name: objects.list_tree(copy, "HEAD") for name, copy in copies.items()}
    differ = {
        path for tree in trees.values() for path in tree if len({str(each.get(path)) for each in trees.values()}) > 1
    }
    assert not differ, f"with {edited} edited, these are not the same: {sorted(differ)}"
    if edited is None:
        fresh = make_copy(folder / "fresh", template, commits[-1])
        assert trees["once"] == objects.list_tree(fresh, "HEAD")
    elif edited in trees["once"]:
        assert "27, mine, of" in copies["once"].ask("show", f"HEAD:{edited}"), "the owner's line is gone"
    return False


def histories(chance: random.Random) -> dict[str, str]:
    """Return some histories, the named ones and others, by the path of the file."""
    words = [*NAMED, *("".join(chance.choice(CLASSES) for _ in range(4)) for _ in range(10))]
    return {f"files/{number}-{word}.txt": word for number, word in enumerate(words)}


@pytest.mark.parametrize("seed", range(4))
def test_an_untouched_copy_becomes_a_fresh_one_by_steps_and_at_once(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    template, commits = make_template(tmp_path / "template", histories(chance), chance)
    for start in range(3):
        assert not compare(tmp_path / str(start), template, commits, None, start=start)


@pytest.mark.parametrize("seed", range(2))
def test_with_one_line_of_the_owners_by_steps_and_at_once_come_to_the_same(tmp_path: Path, seed: int) -> None:
    chance = random.Random(100 + seed)
    words = histories(chance)
    template, commits = make_template(tmp_path / "template", words, chance)
    there = [path for path, word in words.items() if word[0] in "ms"]
    skipped = [path for path in there if compare(tmp_path / str(next(LETTERS)), template, commits, path)]
    # Where the template takes a file away, and perhaps brings it again, an edit of it is a conflict.
    assert {path for path in skipped if not set("ra") & set(words[path])} == set()
    assert len(skipped) < len(there) / 2


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        ("msm", "edited by all"),
        ("smm", "edited by all"),
        ("mms", "edited by all"),
        ("sss", "left"),
        ("mss", "one step"),
    ],
)
def test_what_the_copy_has_had_of_a_file_is_what_was_merged_into_it_last(
    tmp_path: Path, history: str, expected: str
) -> None:
    """The change of every version arrives, as long as the template keeps the file, or its owner has left it alone."""
    texts = [
        b"".join(b"%d%s\n" % (n, b" edited" if n in edits else b"") for n in range(30)) for edits in ((), (5,), (5, 15))
    ]
    template = make_checkout(tmp_path / "template", {})
    commits: list[str] = []
    for version, (name, text) in enumerate(zip(history, texts, strict=True), start=1):
        kept = [*MANIFESTS, *(["a.txt"] if name == "m" else [])]
        rules = f'merged = {kept}\ngenerated = []\nengine = []\nsample = "{SAMPLE}"\n'
        whole = {
            (SAMPLE * (name == "s")) + "a.txt": text,
            "workshop/copying/licences/MIT.txt": b"MIT\n",
            **MANIFESTS,
            "template.toml": rules.encode(),
        }
        tree = write_files(template, {path: (PLAIN, each) for path, each in whole.items()})
        parents = ["-p", commits[-1]] if commits else []
        commits.append(
            template.run("commit-tree", *parents, "-m", "x", tree, env=merging.NOBODY, check=True).stdout.strip()
        )
        template.ask("tag", f"v{version}.0.0", commits[-1])
    for name, way in {"steps": commits[1:], "once": commits[2:]}.items():
        copy = make_copy(tmp_path / name, template, commits[0])
        file = copy.folder / "a.txt"
        file.write_text(file.read_text(encoding="utf-8").replace("27\n", "mine\n"), encoding="utf-8")
        copy.ask("commit", "--quiet", "--all", "--no-verify", "-m", "Mine")
        assert all(bring(copy, template, commit) for commit in way)
        found = file.read_text(encoding="utf-8")
        assert "mine\n" in found
        arrived = {"edited by all": 2, "one step": 1, "left": 0}[expected]
        assert found.count("edited") == arrived, name
