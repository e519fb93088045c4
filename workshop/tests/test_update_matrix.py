"""What comes out of every pair of a user's change and a template's change to the same file, and to others.

All scenarios are folders of one checkout, so that one merge answers for them; no content occurs in two of them.
"""

import os
import random
import re
import shutil
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import pytest

from copies import PROJECT
from helpers import run
from releases import environment, fingerprint
from roadworthy.repository import Repository
from roadworthy.repository import environment as git_environment
from roadworthy.terminal import ProblemsError
from updates import LINK, PLAIN, SCENARIOS, Scenario, State, expected
from workshop.copying import merging
from workshop.copying.objects import Entry, Files, list_tree, read_blobs, write_blobs, write_files

TITLE = "Update the template from v1.0.0 to v2.0.0"


def make_checkout(folder: Path, files: Files) -> Repository:
    """Make a checkout with one commit, whatever this machine's configuration says."""
    folder.mkdir(parents=True)
    repository = Repository(folder, (("user.name", "Test"), ("user.email", "test@localhost")))
    repository.ask("init", "--quiet", "--initial-branch=main")
    repository.ask("config", "core.autocrlf", "false")
    commit(repository, files)
    return repository


def commit(repository: Repository, files: Files) -> None:
    """Commit these files and no others, and check them out."""
    tree = write_files(repository, files)
    parents = ["-p", "HEAD"] if repository.run("rev-parse", "--verify", "HEAD").returncode == 0 else []
    made = repository.run("commit-tree", *parents, "-m", "Change", tree, env=merging.NOBODY, check=True).stdout
    repository.ask("reset", "--quiet", "--hard", made.strip())


def merge(repository: Repository, folder: Path, base: Files, new: Files) -> merging.Merge:
    """Work out the merge of a checkout with what has changed between two sets of files."""
    scratch = merging.make_scratch(repository, folder)
    trees = [write_files(scratch, files) for files in (base, new)]
    return merging.work_out(repository, scratch, trees[0], trees[1], TITLE)


def gather(states: dict[Scenario, State]) -> Files:
    """Return the files of all scenarios, by their paths."""
    return {f"{each.folder}/{name}": entry for each, state in states.items() for name, entry in state.items()}


def text(*lines: str) -> tuple[str, bytes]:
    return PLAIN, "".join(f"{line}\n" for line in lines).encode()


LINES = [f"line {number}" for number in range(30)]


@dataclass(frozen=True)
class Merged:
    """All scenarios, after one merge.

    Attributes:
        checkout: Where it happened.
        before: What was in its folder before, git's own files as well.
        after: What was there after it.
        plan: What was worked out.
        conflicts: The paths that have a conflict.
        stages: For each scenario the folder's files in the index: what is merged, and each side of the conflicts.
    """

    checkout: Repository
    before: dict[str, str]
    after: dict[str, str]
    plan: merging.Merge
    conflicts: list[str]
    stages: dict[Scenario, dict[int, State]]

    def letter(self, scenario: Scenario) -> str:
        said = any(path.startswith(f"{scenario.folder}/") for path in self.plan.deleted)
        return ("C" if self.conflicts_of(scenario) else "") + ("s" if said else "") or "."

    def conflicts_of(self, scenario: Scenario) -> list[str]:
        return [path for path in self.conflicts if path.startswith(f"{scenario.folder}/")]

    def side(self, scenario: Scenario, stage: int) -> State:
        """Return the folder as one side has it, with what is merged."""
        return self.stages[scenario][0] | self.stages[scenario][stage]


def read_stages(checkout: Repository) -> dict[Scenario, dict[int, State]]:
    """Return what the index holds."""
    found: dict[Scenario, dict[int, State]] = {each: defaultdict(dict) for each in SCENARIOS}
    folders = {each.folder: each for each in SCENARIOS}
    lines = [line for line in checkout.ask("ls-files", "--stage", "-z").split("\0") if line]
    blobs = read_blobs(checkout, [line.split()[1] for line in lines])
    for line in lines:
        meta, path = line.split("\t", 1)
        mode, blob, stage = meta.split()
        folder, name = path.rsplit("/", 1)
        # Two kinds of thing that want the same name: git adds whose it is.
        found[folders[folder]][int(stage)][name.partition("~")[0]] = (mode, blobs[blob])
    return found


@pytest.fixture(scope="module")
def merged(tmp_path_factory: pytest.TempPathFactory) -> Merged:
    folder = tmp_path_factory.mktemp("matrix")
    checkout = make_checkout(folder / "checkout", gather({each: each.after("user") for each in SCENARIOS}))
    before = fingerprint(checkout.folder)
    base, new = ({each: each.base for each in SCENARIOS}, {each: each.after("template") for each in SCENARIOS})
    plan = merge(checkout, folder / "scratch", gather(base), gather(new))
    assert fingerprint(checkout.folder) == before, "working it out has changed the checkout"
    conflicts = merging.carry_out(plan)
    return Merged(checkout, before, fingerprint(checkout.folder), plan, conflicts, read_stages(checkout))


def test_conflicts_are_exactly_where_they_are_expected(merged: Merged) -> None:
    wrong = {each.folder: merged.letter(each) for each, letter in expected().items() if merged.letter(each) != letter}
    assert wrong == {}
    assert len(SCENARIOS) == 14 * 14 + 8 * 8


def test_nothing_of_the_users_is_lost(merged: Merged) -> None:
    assert [
        each.folder for each in SCENARIOS if not all(fact(merged.side(each, 2)) for fact in each.facts("user"))
    ] == []


def test_nothing_of_the_templates_is_dropped_without_a_word(merged: Merged) -> None:
    silent = [each for each in SCENARIOS if merged.letter(each) != "s"]
    assert [
        each.folder for each in silent if not all(fact(merged.side(each, 3)) for fact in each.facts("template"))
    ] == []


def test_what_only_one_side_changed_is_as_that_side_has_it(merged: Merged) -> None:
    for each in SCENARIOS:
        side = {"user": "template", "template": "user"}
        for still, other in side.items():
            if each.action(still) == "nothing":
                assert merged.stages[each][0] == each.after(other), each.folder


def test_the_working_tree_has_what_is_merged_and_markers_that_name_the_versions(merged: Merged) -> None:
    clean = [each for each in SCENARIOS if not merged.conflicts_of(each)]
    for each in clean:
        for name, (mode, content) in merged.stages[each][0].items():
            path = merged.checkout.folder / each.folder / name
            assert (bytes(path.readlink()) if mode == LINK else path.read_bytes()) == content, path
    marked = (merged.checkout.folder / Scenario("text", "edit", "edit").folder / "file.txt").read_text(encoding="utf-8")
    assert "<<<<<<< HEAD\n3 by user of" in marked
    assert f">>>>>>> {merged.plan.commit[:7]} ({TITLE})\n" in marked


def test_git_shows_the_conflicts_and_is_in_the_middle_of_nothing(merged: Merged) -> None:
    status = merged.checkout.ask("status", "--porcelain", "-z").split("\0")
    assert (
        sorted(line[3:] for line in status if line[:2] in {"UU", "AA", "DU", "UD", "AU", "UA", "DD"})
        == merged.conflicts
    )
    assert [name for name in merging.UNDER_WAY if (merged.checkout.folder / ".git" / name).exists()] == []
    assert merged.checkout.ask("for-each-ref").split("\t")[1:] == ["refs/heads/main"]
    prepared = (merged.checkout.folder / ".git" / "MERGE_MSG").read_text(encoding="utf-8")
    assert prepared.startswith(f"{TITLE}\n")


def test_one_command_undoes_it(merged: Merged) -> None:
    merged.checkout.ask("reset", "--merge")
    after = fingerprint(merged.checkout.folder)
    changed = {name for name in {**merged.before, **after} if merged.before.get(name) != after.get(name)}
    # What has come is in no branch, and git's own collection of garbage takes it away.
    assert {name for name in changed if not name.startswith(".git/objects/")} <= {
        ".git/index",
        ".git/ORIG_HEAD",
        ".git/logs/HEAD",
    }
    assert merged.checkout.ask("status", "--porcelain", "--ignored") == ""


# ---- more than one file ---------------------------------------------------------------------------------------------


def test_what_is_new_in_a_folder_that_was_moved_goes_along(tmp_path: Path) -> None:
    base = {f"docs/{name}.md": text(name, *LINES) for name in "abc"}
    checkout = make_checkout(
        tmp_path / "checkout", {path.replace("docs", "manual"): file for path, file in base.items()}
    )
    new = {**base, "docs/d.md": text("d"), "docs/a.md": text("a", *LINES, "more")}
    plan = merge(checkout, tmp_path / "scratch", base, new)
    assert merging.carry_out(plan) == []
    assert checkout.ask("ls-files").splitlines() == [f"manual/{name}.md" for name in "abcd"]
    assert checkout.ask("show", ":manual/a.md").endswith("more")


def test_what_the_user_moved_and_edited_gets_what_the_template_edits(tmp_path: Path) -> None:
    base = {"src/lib.rs": text(*LINES)}
    moved = {"crates/core/src/lib.rs": text("mine", *LINES)}
    checkout = make_checkout(tmp_path / "checkout", moved)
    assert merging.carry_out(merge(checkout, tmp_path / "scratch", base, {"src/lib.rs": text(*LINES, "theirs")})) == []
    assert checkout.ask("show", ":crates/core/src/lib.rs").split("\n") == ["mine", *LINES, "theirs"]


def test_a_deleted_file_stays_deleted_when_another_one_looks_like_it(tmp_path: Path) -> None:
    same = text(*LINES)
    base = {"a.txt": same, "b.txt": same, "rest": text("rest")}
    checkout = make_checkout(tmp_path / "checkout", {"rest": text("rest")})
    new = {"a.txt": text(*LINES, "more"), "b.txt": same, "rest": text("rest"), "new.txt": text(*LINES, "new")}
    plan = merge(checkout, tmp_path / "scratch", base, new)
    assert list(plan.deleted) == ["a.txt"]
    assert merging.carry_out(plan) == []
    assert checkout.ask("ls-files").split() == ["new.txt", "rest"]


def test_a_deleted_file_stays_deleted_when_another_one_is_the_same(tmp_path: Path) -> None:
    empty = (PLAIN, b"")
    checkout = make_checkout(tmp_path / "checkout", {"a/__init__.py": empty})
    base = {"a/__init__.py": empty, "b/__init__.py": empty}
    plan = merge(checkout, tmp_path / "scratch", base, {**base, "b/__init__.py": text("more")})
    assert (list(plan.deleted), plan.conflicts) == (["b/__init__.py"], [])
    assert merging.carry_out(plan) == []
    assert checkout.ask("ls-files") == "a/__init__.py"


@pytest.mark.parametrize("place", ["new.txt", "new/file.txt"])
@pytest.mark.parametrize("ignored", [False, True])
def test_a_file_that_git_does_not_track_is_never_replaced(tmp_path: Path, place: str, *, ignored: bool) -> None:
    base = {"a.txt": text("a"), ".gitignore": text(*(["new*"] if ignored else []))}
    checkout = make_checkout(tmp_path / "checkout", base)
    # In the way of a folder it is as much in the way.
    mine = checkout.folder / place.split("/", maxsplit=1)[0]
    mine.write_text("mine", encoding="utf-8")
    plan = merge(checkout, tmp_path / "scratch", base, {**base, place: text("theirs")})
    (problem,) = merging.find_in_the_way(plan)
    assert problem.what == f"{mine.name} is not tracked by git, and the template now brings a file of that name"
    assert mine.read_text(encoding="utf-8") == "mine"


def test_a_folder_that_git_does_not_track_is_in_nobodys_way(tmp_path: Path) -> None:
    base = {"a.txt": text("a")}
    checkout = make_checkout(tmp_path / "checkout", base)
    (checkout.folder / "new").mkdir()
    (checkout.folder / "new" / "mine.txt").write_text("mine", encoding="utf-8")
    plan = merge(checkout, tmp_path / "scratch", base, {**base, "new/theirs.txt": text("theirs")})
    assert merging.find_in_the_way(plan) == []
    assert merging.carry_out(plan) == []
    assert sorted(path.name for path in (checkout.folder / "new").iterdir()) == ["mine.txt", "theirs.txt"]


def test_a_file_that_changes_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    base = {"a.txt": text(*LINES), "b.txt": text(*LINES, "b")}
    checkout = make_checkout(tmp_path / "checkout", base)
    plan = merge(checkout, tmp_path / "scratch", base, {name: text(*LINES, "new") for name in base})
    (checkout.folder / "b.txt").write_text("changed meanwhile", encoding="utf-8")
    before = fingerprint(checkout.folder)
    with pytest.raises(ProblemsError, match=r"changes that are not committed: b\.txt"):
        merging.carry_out(plan)
    after = fingerprint(checkout.folder)
    assert {name for name in after if before.get(name) != after[name]} <= {n for n in after if "/objects/" in n}
    assert not merging.git_path(checkout, merging.JOURNAL).exists()


def test_the_users_own_way_to_merge_a_file_counts(tmp_path: Path) -> None:
    base = {"list.txt": text("one"), ".gitattributes": text("*.txt merge=union")}
    checkout = make_checkout(tmp_path / "checkout", {**base, "list.txt": text("one", "mine")})
    plan = merge(checkout, tmp_path / "scratch", base, {**base, "list.txt": text("one", "theirs")})
    assert plan.conflicts == []
    assert merging.carry_out(plan) == []
    assert checkout.ask("show", ":list.txt").split() == ["one", "mine", "theirs"]


def test_it_merges_in_a_worktree_and_in_a_shallow_clone(tmp_path: Path) -> None:
    base = {"a.txt": text(*LINES)}
    checkout = make_checkout(tmp_path / "checkout", base)
    commit(checkout, {"a.txt": text("mine", *LINES)})
    checkout.ask("worktree", "add", "--quiet", tmp_path / "worktree", "--detach")
    checkout.ask("clone", "--quiet", "--depth=1", f"file://{checkout.folder}", tmp_path / "shallow")
    for name in ("worktree", "shallow"):
        there = Repository(tmp_path / name, checkout.settings)
        merging.require_clean(there)
        plan = merge(there, tmp_path / f"scratch-{name}", base, {"a.txt": text(*LINES, "theirs")})
        assert merging.carry_out(plan) == []
        assert there.ask("show", ":a.txt").split("\n") == ["mine", *LINES, "theirs"]


# ---- versions one after the other -----------------------------------------------------------------------------------


def test_two_updates_are_one_update(tmp_path: Path) -> None:
    """For each pair of kinds of change that has no conflict: v1 to v3 is v1 to v2 to v3."""
    quiet = [each for each, letter in expected().items() if letter == "."]
    first = gather({each: each.base for each in quiet})
    third = gather({each: each.after("template") for each in quiet})
    # The version between has half of the changes, and a few lines that the third one takes back.
    second = gather({each: each.after("template") if number % 2 else each.base for number, each in enumerate(quiet)})
    second["notes.txt"] = text("for a while")
    own = gather({each: each.after("user") for each in quiet})
    at_once = make_checkout(tmp_path / "at-once", own)
    assert merging.carry_out(merge(at_once, tmp_path / "scratch", first, third)) == []
    by_steps = make_checkout(tmp_path / "by-steps", own)
    for number, (base, new) in enumerate(((first, second), (second, third))):
        assert merging.carry_out(merge(by_steps, tmp_path / f"scratch-{number}", base, new)) == []
        by_steps.ask("commit", "--quiet", "--no-verify", "-m", "Update")
    assert by_steps.ask("write-tree") == at_once.ask("write-tree")


def test_an_untouched_copy_becomes_the_new_version(tmp_path: Path) -> None:
    base, new = ({each: each.base for each in SCENARIOS}, {each: each.after("template") for each in SCENARIOS})
    checkout = make_checkout(tmp_path / "checkout", gather(base))
    assert merging.carry_out(merge(checkout, tmp_path / "scratch", gather(base), gather(new))) == []
    fresh = make_checkout(tmp_path / "fresh", gather(new))
    assert checkout.ask("write-tree") == fresh.ask("write-tree")
    assert contents(checkout.folder) == contents(fresh.folder)


def contents(folder: Path) -> dict[str, str]:
    return {name: value for name, value in fingerprint(folder).items() if not name.startswith(".git/")}


def test_what_is_settled_is_written_with_the_merge(tmp_path: Path) -> None:
    base = {"a.txt": text(*LINES), "lock": text("1")}
    checkout = make_checkout(tmp_path / "checkout", {"a.txt": text("mine", *LINES), "lock": text("mine")})
    plan = merge(checkout, tmp_path / "scratch", {"a.txt": base["a.txt"]}, {"a.txt": text(*LINES, "theirs")})
    wanted = {"lock": text("2"), "a.txt": text("MINE", *LINES, "theirs"), "new": text("new")}
    blobs = write_blobs(plan.source.scratch, [content for _, content in wanted.values()])
    entries = {path: Entry(PLAIN, blob) for path, blob in zip(wanted, blobs, strict=True)}
    assert merging.carry_out(merging.settle(plan, entries)) == []
    assert list_tree(checkout, checkout.ask("write-tree")) == entries


# ---- a git that is ended --------------------------------------------------------------------------------------------


def test_a_git_that_is_killed_while_it_writes_is_noticed_and_what_it_wrote_can_be_undone(tmp_path: Path) -> None:
    """A filter of the checkout kills git at the third file: no test could do it at a better moment."""
    base = {f"f{number}.txt": text(str(number), *LINES) for number in range(5)}
    checkout = make_checkout(tmp_path / "checkout", base)
    new = {name: (mode, content + b"new\n") for name, (mode, content) in base.items()}
    plan = merge(checkout, tmp_path / "scratch", base, {**new, "added.txt": text("added")})
    killer = tmp_path / "killer"
    killer.write_text('#!/bin/sh\ncase "$1" in f2.txt) kill -9 $PPID;; esac\nexec cat\n', encoding="utf-8")
    killer.chmod(0o755)
    checkout.ask("config", "filter.killer.smudge", f"exec {killer} %f")
    attributes = checkout.folder / ".git" / "info" / "attributes"
    attributes.parent.mkdir(exist_ok=True)
    attributes.write_text("*.txt filter=killer\n", encoding="utf-8")
    before = contents(checkout.folder)
    with pytest.raises(ProblemsError, match="an update was ended while git wrote its files"):
        merging.carry_out(plan)
    attributes.unlink()
    assert contents(checkout.folder) != before, "git was not killed half way"
    follow(checkout)
    assert contents(checkout.folder) == before
    merging.require_clean(checkout)
    assert merging.carry_out(plan) == []


def follow(checkout: Repository) -> None:
    """Do what is printed after a git that was ended, to the letter."""
    with pytest.raises(ProblemsError, match="an update was ended while git wrote its files") as raised:
        merging.require_clean(checkout)
    (problem,) = raised.value.problems
    steps = problem.remedy.removeprefix("when no git runs here any more: ").removesuffix("; and run the same again")
    for step in steps.split("; "):
        if step.startswith("remove "):
            (checkout.folder / step.removeprefix("remove ")).unlink()
        else:
            assert run("sh", "-c", step, cwd=checkout.folder, **environment()).returncode == 0


def test_a_git_that_is_killed_at_any_moment_can_be_undone_by_what_is_printed(tmp_path: Path) -> None:
    """Everything that there is to write: what is new, moved, and put beside what it is in conflict with."""
    base, new = ({each: each.base for each in SCENARIOS}, {each: each.after("template") for each in SCENARIOS})
    checkout = make_checkout(tmp_path / "checkout", gather({each: each.after("user") for each in SCENARIOS}))
    plan = merge(checkout, tmp_path / "scratch", gather(base), gather(new))
    before, moments = contents(checkout.folder), []
    killer = tmp_path / "bin" / "git"
    killer.parent.mkdir()
    git = shutil.which("git")
    killer.write_text(
        f'#!/bin/sh\ncase "$*" in *cherry-pick*) {git} "$@" & sleep "$DELAY"; kill -9 $!; kill -9 $$;; esac\n'
        f'exec {git} "$@"\n',
        encoding="utf-8",
    )
    killer.chmod(0o755)
    chance = random.Random(7)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{killer.parent}{os.pathsep}{os.environ['PATH']}")
        for _ in range(12):
            patch.setenv("DELAY", f"{chance.uniform(0.01, 0.3):.3f}")
            git_environment.cache_clear()
            try:
                merging.carry_out(plan)
            except ProblemsError:
                moments.append(contents(checkout.folder) != before)
            if merging.git_path(checkout, merging.JOURNAL).exists():
                follow(checkout)
            checkout.ask("reset", "--quiet", "--merge")
            assert contents(checkout.folder) == before
            merging.require_clean(checkout)
    git_environment.cache_clear()
    assert any(moments), "git was never killed while it wrote"
    assert merging.carry_out(plan) != []


def test_the_journal_has_every_file_that_is_where_nothing_was(merged: Merged) -> None:
    """Also what git puts beside a conflict, which it calls after the side that it is of."""
    appeared = {path for path in merged.after if path not in merged.before and not path.startswith(".git/")}
    assert {path for path in appeared if "~" in path}, "nothing is beside a conflict"
    assert appeared <= set(merging.list_new(merged.plan))


# ---- the document ---------------------------------------------------------------------------------------------------


def test_the_document_compares_what_is_locked_and_says_of_this_what_is_tested_here() -> None:
    document = (PROJECT.root / "docs" / "copying.md").read_text(encoding="utf-8")
    table = document.partition("<!-- updating: generated by make update-table -->")[2].partition("<!-- /updating -->")[
        0
    ]
    head, _, *rows = [line.strip("| ").split(" | ") for line in table.splitlines() if line.startswith("|")]
    locked = (PROJECT.root / "benchmarks" / "updating.txt").read_text(encoding="utf-8")
    versions = dict(re.findall(r"^(\w+)==(\S+)", locked, re.MULTILINE))
    assert head == ["make template-update", *(f"{tool} {versions[tool]}" for tool in ("copier", "cruft"))]
    counts = [int(row[1]) for row in rows]
    assert counts == [len(SCENARIOS), 0, 0, 0, 0]
    assert {sum(int(row[column]) for row in rows) for column in (1, 2, 3)} == {len(SCENARIOS)}
