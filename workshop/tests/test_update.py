"""A copy is updated from its template by the real command: what comes, what stays, what is refused."""

import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from releases import fingerprint
from versioned import NAME, Versioned, left_behind, make_template
from workshop.copying.locks import merge_locks


@dataclass(frozen=True)
class Pair:
    """A template and a copy of its first release."""

    template: Versioned
    copy: Versioned


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a template and a copy of it, which every test has for itself."""
    folder = tmp_path_factory.mktemp("ground")
    make_template(folder / "template").copy(folder / "copy")
    return folder


@pytest.fixture
def pair(ground: Path, tmp_path: Path) -> Pair:
    return another(ground, tmp_path)


def another(ground: Path, folder: Path) -> Pair:
    """Return a template and its copy in another folder; the copy knows where its template is now."""
    for name in ("template", "copy"):
        shutil.copytree(ground / name, folder / name, symlinks=True)
    template, copy = Versioned(folder / "template"), Versioned(folder / "copy")
    template.git("remote", "set-url", "origin", template.folder)
    copy.replace("template.toml", str(ground), str(folder))
    copy.commit("The template has moved")
    return Pair(template, copy)


def improve(template: Versioned) -> None:
    """Change a file of each kind, and release that."""
    template.replace("Makefile", "line 3\n", "line three\n")
    template.replace("scripts/tool.py", "print(", "print(0, ")
    template.write("docs/new.md", f"New in {template.folder.name}.\n")
    (template.folder / "docs" / "guide.md").rename(template.folder / "docs" / "manual.md")
    template.replace("README.md", "line 3\n", "line three\n")
    template.replace("src/lib.rs", "42", "43")
    template.release("1.1.0", "- Lines are called three.")


def state(project: Versioned) -> dict[str, str]:
    """Return all of a checkout but what git has for itself alone, or ignores."""
    ignored = (".git/objects/", "target/")
    return {name: value for name, value in fingerprint(project.folder).items() if not name.startswith(ignored)}


# ---- what comes -----------------------------------------------------------------------------------------------------


def test_an_untouched_copy_becomes_a_fresh_copy_byte_for_byte(pair: Pair, tmp_path: Path) -> None:
    improve(pair.template)
    pair.template.replace("Cargo.toml", "[dependencies]\n", '[dependencies]\nextra = { path = "crates/extra" }\n')
    pair.template.write("crates/extra/Cargo.toml", '[package]\nname = "extra"\nversion = "0.3.0"\nedition = "2024"\n')
    pair.template.write("crates/extra/src/lib.rs", "")
    lock = pair.template.read("Cargo.lock")
    own = lock.rstrip() + '\ndependencies = [\n "extra",\n]\n'
    pair.template.write(
        "Cargo.lock", own.replace("[[package]]", '[[package]]\nname = "extra"\nversion = "0.3.0"\n\n[[package]]')
    )
    pair.template.release("1.2.0")
    done = pair.copy.update()
    assert done.returncode == 0, done.stderr
    fresh = pair.template.copy(tmp_path / "fresh")
    assert pair.copy.files() == fresh.files()
    assert '"extra"' in pair.copy.read("Cargo.lock")
    assert pair.copy.git("diff", "--cached", "--name-only") != ""


def test_after_the_update_nothing_is_new(pair: Pair) -> None:
    improve(pair.template)
    assert pair.copy.update().returncode == 0
    assert pair.copy.git("log", "-1", "--format=%s") == "The template has moved", "it has committed"
    pair.copy.git("commit", "--quiet", "--no-edit")
    assert pair.copy.git("log", "-1", "--format=%s") == "Update the template from v1.0.0 to v1.1.0"
    before = state(pair.copy)
    again = pair.copy.update()
    assert (again.returncode, again.stdout) == (0, "nothing is new: this copy is at v1.1.0\n")
    assert pair.copy.update("--check").returncode == 0
    assert state(pair.copy) == before
    assert left_behind(pair.copy) == []


def test_by_steps_is_at_once(pair: Pair, ground: Path, tmp_path: Path) -> None:
    improve(pair.template)
    pair.template.replace("Makefile", "line 17\n", "line seventeen\n")
    pair.template.release("1.2.0")
    other = another(ground, tmp_path / "other").copy
    other.replace("template.toml", str(tmp_path / "other" / "template"), str(pair.template.folder))
    for copy in (pair.copy, other):
        copy.replace("Makefile", "line 10\n", "my line\n")
        copy.write("README.md", "Mine.\n")
        copy.commit("Mine")
    for to in ("v1.1.0", "v1.2.0"):
        assert pair.copy.update(f"--to={to}").returncode == 0
        pair.copy.git("commit", "--quiet", "--no-edit")
    assert other.update().returncode == 0
    assert other.files() == pair.copy.files()
    assert "my line" in other.read("Makefile")


def test_what_is_the_users_stays(pair: Pair) -> None:
    mine = {
        **{name: f"my {name}\n" for name in ("README.md", "local.mk", ".github/workflows/mine.yml", "docs/mine.md")},
        "src/lib.rs": "// mine\n",
        "scripts/mine.py": "import   mine\n",
    }
    for name, text in mine.items():
        pair.copy.write(name, text)
    pair.copy.replace("Makefile", "line 17\n", "my line\n")
    pair.copy.replace("pyproject.toml", 'version = "0.1.0"', 'version = "0.4.0"')
    pair.copy.replace("docs/guide.md", "line 7\n", "my line 7\n")
    pair.copy.commit()
    improve(pair.template)
    done = pair.copy.update()
    assert done.returncode == 0, done.stderr
    assert {name: pair.copy.read(name) for name in mine} == mine
    makefile = pair.copy.read("Makefile")
    assert "line three" in makefile
    assert "my line" in makefile
    assert 'version = "0.4.0"' in pair.copy.read("pyproject.toml")
    assert "my line 7" in pair.copy.read("docs/manual.md"), "what was changed here has not moved with the file"


def test_a_sample_that_was_changed_anywhere_is_no_longer_the_templates(pair: Pair) -> None:
    pair.copy.write("README.md", "Mine.\n")
    pair.copy.commit()
    improve(pair.template)
    assert pair.copy.update().returncode == 0
    assert "42" in pair.copy.read("src/lib.rs")


def test_a_file_that_was_deleted_stays_away_and_this_is_said(pair: Pair) -> None:
    pair.copy.git("rm", "--quiet", "Makefile", "docs/guide.md")
    pair.copy.commit()
    improve(pair.template)
    done = pair.copy.update()
    assert done.returncode == 0, done.stderr
    assert "Makefile stays away: the template changed it, and here it is no more" in done.stdout
    assert not (pair.copy.folder / "Makefile").exists()
    assert sorted(path.name for path in (pair.copy.folder / "docs").iterdir()) == ["new.md"]


def test_what_both_sides_changed_is_formatted_where_it_was(pair: Pair) -> None:
    for name in ("scripts/tool.py", "scripts/odd.py"):
        pair.template.write(name, "".join(f"print({number})\n" for number in range(20)))
    pair.template.release("1.1.0")
    assert pair.copy.update().returncode == 0
    pair.copy.write("scripts/tool.py", "import sys\n\n" + pair.copy.read("scripts/tool.py"))
    pair.copy.write("scripts/odd.py", "x  = 1\n" + pair.copy.read("scripts/odd.py"))
    pair.copy.commit()
    for name in ("scripts/tool.py", "scripts/odd.py"):
        pair.template.write(name, pair.template.read(name) + "print( 20 )\n")
    pair.template.release("1.2.0")
    done = pair.copy.update()
    assert done.returncode == 0, done.stderr
    assert pair.copy.read("scripts/tool.py").endswith("print(20)\n")
    assert pair.copy.read("scripts/odd.py").startswith("x  = 1\n"), "the copy's own way was not kept"


def test_the_template_says_what_has_changed(pair: Pair) -> None:
    improve(pair.template)
    pair.template.release("1.2.0", "- Even more.")
    done = pair.copy.update()
    told = done.stdout[: done.stdout.index("changes:")]
    assert "## 1.1.0 (2030-03-17)\n\n  - Lines are called three." in told
    assert "- Even more." in told
    assert "The first release" not in told


def test_without_a_section_its_commits_are_told(pair: Pair) -> None:
    pair.template.write("docs/new.md", "new\n")
    pair.template.commit("Explain the new")
    done = pair.copy.update("--to=main")
    assert done.returncode == 0, done.stderr
    assert "what the template says of it:\n  - Explain the new\n" in done.stdout
    assert re.search(r'label = "v1\.0\.0-1-g[0-9a-f]+"', pair.copy.read("template.toml"))


def test_the_record_of_the_new_version_is_whole(pair: Pair) -> None:
    improve(pair.template)
    commit = pair.template.git("rev-parse", "HEAD")
    assert pair.copy.update().returncode == 0
    record = pair.copy.read("template.toml")
    assert f'commit = "{commit}"\nlabel = "v1.1.0"\n' in record
    assert f'name = "{NAME}"' in record
    pair.copy.commit()
    assert pair.copy.update().returncode == 0, "the next update does not know the record"


# ---- rules and engines of different versions ------------------------------------------------------------------------


def seed(template: Versioned, glob: str) -> None:
    template.replace("template.toml", "seeded = [\n", f'seeded = [\n  "{glob}",\n')


def test_what_becomes_the_copys_own_is_not_taken_away(pair: Pair) -> None:
    pair.copy.replace("docs/guide.md", "line 3\n", "mine\n")
    before = pair.copy.read("docs/guide.md")
    pair.copy.commit()
    seed(pair.template, "docs/*")
    pair.template.replace("docs/guide.md", "line 17\n", "theirs\n")
    pair.template.release("1.1.0")
    assert pair.copy.update().returncode == 0
    assert pair.copy.read("docs/guide.md") == before


def test_what_is_no_longer_the_copys_own_is_merged(pair: Pair) -> None:
    pair.copy.replace("README.md", "line 3\n", "mine\n")
    pair.copy.commit()
    pair.template.replace("template.toml", '  "README.md",\n', "")
    pair.template.replace("README.md", "line 17\n", "theirs\n")
    pair.template.release("1.1.0")
    done = pair.copy.update()
    assert done.returncode == 0, done.stderr
    assert "mine" in pair.copy.read("README.md")
    assert "theirs" in pair.copy.read("README.md")


@pytest.mark.parametrize("with_its_rule", [False, True])
def test_a_sample_that_the_template_gives_up_stays_with_who_uses_it(pair: Pair, *, with_its_rule: bool) -> None:
    pair.copy.write("README.md", "Mine.\n")
    pair.copy.commit()
    pair.template.git("rm", "--quiet", "README.md", "src/lib.rs")
    if with_its_rule:
        pair.template.replace("template.toml", '  "README.md",\n', "")
    pair.template.write("src/other.rs", "")
    pair.template.release("1.1.0")
    assert pair.copy.update().returncode == 0
    assert pair.copy.read("README.md") == "Mine.\n"
    assert sorted(path.name for path in (pair.copy.folder / "src").iterdir()) == ["lib.rs"]


def test_the_engine_of_the_new_version_does_it(pair: Pair) -> None:
    engine = pair.template.read("workshop/copying/engine.py")
    pair.template.write("workshop/copying/engine.py", engine + '\nprint("the engine of 1.1.0")\n')
    pair.template.release("1.1.0")
    assert "the engine of 1.1.0\n" in pair.copy.update().stdout


def test_an_engine_that_needs_what_is_not_here_says_so_in_one_line(pair: Pair) -> None:
    engine = pair.template.read("workshop/copying/engine.py")
    pair.template.write("workshop/copying/engine.py", "import unheard_of\n" + engine)
    pair.template.release("1.1.0")
    refused = pair.copy.update()
    assert refused.returncode == 1
    assert "does not start: ModuleNotFoundError: No module named 'unheard_of'" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_an_engine_whose_libraries_are_not_here_gets_them(pair: Pair, tmp_path: Path) -> None:
    wheel = tmp_path / "unheard_of-1-py3-none-any.whl"
    make_wheel(wheel, {"unheard_of.py": 'print("heard of")\n'})
    pair.template.write("requirements/tools.txt", f"unheard-of @ {wheel.as_uri()}\n")
    engine = pair.template.read("workshop/copying/engine.py")
    pair.template.write("workshop/copying/engine.py", "import unheard_of  # noqa: F401\n" + engine)
    pair.template.release("1.1.0")
    done = pair.copy.update(UV_OFFLINE="1")
    assert done.returncode == 0, done.stderr
    assert "heard of\n" in done.stdout


def make_wheel(path: Path, files: dict[str, str]) -> None:
    """Write the smallest wheel."""
    import zipfile  # noqa: PLC0415 - only here

    name, version = path.name.split("-")[:2]
    info = f"{name}-{version}.dist-info"
    whole = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    with zipfile.ZipFile(path, "w") as archive:
        for file, text in whole.items():
            archive.writestr(file, text)
        archive.writestr(f"{info}/RECORD", "".join(f"{file},,\n" for file in [*whole, f"{info}/RECORD"]))


# ---- conflicts ------------------------------------------------------------------------------------------------------


def disagree(pair: Pair) -> None:
    pair.copy.replace("Makefile", "line 3\n", "my line\n")
    pair.copy.commit("Mine")
    improve(pair.template)


def test_a_conflict_is_told_with_what_to_do(pair: Pair) -> None:
    disagree(pair)
    done = pair.copy.update()
    assert done.returncode == 1
    assert (
        "problem: both sides have changed the same in Makefile\n  solve them, git add each, and git commit;"
        in done.stderr
    )
    assert "git reset --merge" in done.stderr
    title = r"Update the template from v1\.0\.0 to v1\.1\.0"
    marked = rf"<<<<<<< HEAD\nmy line\n=======\nline three\n>>>>>>> [0-9a-f]{{7}} \({title}\)\n"
    assert re.search(marked, pair.copy.read("Makefile"))
    status = dict(line.split()[::-1] for line in pair.copy.git("status", "--porcelain", "--no-renames").splitlines())
    assert status["Makefile"] == "UU"
    assert status["docs/new.md"] == "A"


def test_a_conflict_is_solved_as_any_other(pair: Pair) -> None:
    disagree(pair)
    assert pair.copy.update().returncode == 1
    again = pair.copy.update()
    assert "problem: the checkout has changes that are not committed" in again.stderr
    pair.copy.replace("Makefile", "<<<<<<< HEAD\nmy line\n=======\nline three\n", "both\n")
    pair.copy.write("Makefile", re.sub(r">>>>>>> .*\n", "", pair.copy.read("Makefile")))
    pair.copy.git("add", "Makefile")
    pair.copy.git("commit", "--quiet", "--no-edit")
    assert pair.copy.update().stdout == "nothing is new: this copy is at v1.1.0\n"


def test_a_conflict_is_undone_and_done_again(pair: Pair) -> None:
    disagree(pair)
    before = {name: value for name, value in state(pair.copy).items() if not name.startswith(".git/")}
    first = pair.copy.update()
    assert first.returncode == 1
    pair.copy.git("reset", "--merge")
    assert {name: value for name, value in state(pair.copy).items() if not name.startswith(".git/")} == before
    again = pair.copy.update()
    assert again.stdout == first.stdout


def test_a_conflict_in_the_manifest_leaves_the_lock_and_says_so(pair: Pair) -> None:
    for project, edition in ((pair.copy, "2021"), (pair.template, "2018")):
        project.replace("Cargo.toml", 'edition = "2024"', f'edition = "{edition}"')
        project.commit()
    pair.template.release("1.1.0")
    lock = pair.copy.read("Cargo.lock")
    done = pair.copy.update()
    assert done.returncode == 1
    assert "Cargo.lock is as it was: when Cargo.toml has no conflict any more, run: cargo update" in done.stdout
    assert pair.copy.read("Cargo.lock") == lock


# ---- only looking ---------------------------------------------------------------------------------------------------


def test_check_says_what_is_new_and_changes_nothing(pair: Pair) -> None:
    improve(pair.template)
    pair.copy.write("mine.txt", "not committed\n")
    before = fingerprint(pair.copy.folder)
    done = pair.copy.update("--check", GITHUB_ACTIONS="true")
    assert done.returncode == 1
    assert "problem: the template is at v1.1.0, this copy at v1.0.0: 7 files change, 0 have conflicts" in done.stderr
    assert "::error::the template is at v1.1.0" in done.stdout
    assert "- Lines are called three." in done.stdout
    assert fingerprint(pair.copy.folder) == before
    assert left_behind(pair.copy) == []


def test_a_dry_run_prints_what_the_update_prints_and_changes_nothing(pair: Pair) -> None:
    disagree(pair)
    before = fingerprint(pair.copy.folder)
    dry = pair.copy.update("--dry-run=1")
    assert dry.returncode == 0, dry.stderr
    assert "conflicts:\n  Makefile\n" in dry.stdout
    assert fingerprint(pair.copy.folder) == before
    assert pair.copy.update().stdout == dry.stdout


# ---- what is chosen -------------------------------------------------------------------------------------------------


def test_the_newest_release_is_taken_and_no_prerelease(pair: Pair) -> None:
    for version in ("1.9.0", "1.10.0", "2.0.0-rc1"):
        pair.template.release(version)
    pair.template.git("tag", "vacation")
    assert pair.copy.update("--check").stderr.count("the template is at v1.10.0") == 1


def test_without_a_release_the_default_branch_is_taken(pair: Pair) -> None:
    pair.template.git("tag", "--delete", "v1.0.0")
    assert pair.copy.update().stdout == "nothing is new: this copy is at v1.0.0\n"
    pair.template.write("docs/new.md", "new\n")
    commit = pair.template.commit("New")
    assert pair.copy.update().returncode == 0
    assert f'commit = "{commit}"' in pair.copy.read("template.toml")


def test_a_copy_of_something_newer_than_the_newest_release_has_nothing_new(pair: Pair, tmp_path: Path) -> None:
    pair.template.commit("Newer")
    copy = pair.template.copy(tmp_path / "newer")
    assert copy.update().stdout.startswith("nothing is new: this copy is at v1.0.0-1-g")


def test_a_branch_and_a_commit_can_be_asked_for(pair: Pair) -> None:
    pair.template.git("switch", "--quiet", "--create", "topic")
    pair.template.write("docs/topic.md", "topic\n")
    commit = pair.template.commit("Topic")
    for to in ("topic", commit):
        assert "A  docs/topic.md" in pair.copy.update("--dry-run", "--to", to).stdout


def test_a_copy_of_a_copy_is_updated_from_its_parent(pair: Pair, tmp_path: Path) -> None:
    pair.copy.git("remote", "add", "origin", pair.copy.folder)
    pair.copy.write("CHANGELOG.md", pair.copy.read("CHANGELOG.md"))
    pair.copy.release("0.1.0")
    child = pair.copy.copy(tmp_path / "child", "mega-frob")
    improve(pair.template)
    assert pair.copy.update().returncode == 0
    pair.copy.replace("Makefile", "line 17\n", "line of turbo-frob\n")
    pair.copy.release("0.2.0", "- From the parent.")
    done = child.update()
    assert done.returncode == 0, done.stderr
    assert "- From the parent." in done.stdout
    assert "line of mega-frob" in child.read("Makefile")
    assert "line three" in child.read("Makefile")
    assert f'address = "{pair.copy.folder}"' in child.read("template.toml")
    fresh = pair.copy.copy(tmp_path / "fresh", "mega-frob")
    assert child.files() == fresh.files()


# ---- what is refused ------------------------------------------------------------------------------------------------


def dirty(pair: Pair) -> None:
    pair.copy.replace("Makefile", "line 3\n", "mine\n")


def staged(pair: Pair) -> None:
    pair.copy.replace("Makefile", "line 3\n", "mine\n")
    pair.copy.git("add", "--all")


def no_record(pair: Pair) -> None:
    pair.copy.git("rm", "--quiet", "template.toml")
    pair.copy.commit()


def no_copy(pair: Pair) -> None:
    pair.copy.write("template.toml", pair.template.read("template.toml"))
    pair.copy.commit()


def edited_record(pair: Pair) -> None:
    improve(pair.template)
    pair.copy.write(
        "template.toml", re.sub(r'commit = "\w+"', f'commit = "{"0" * 40}"', pair.copy.read("template.toml"))
    )
    pair.copy.commit()


def broken_record(pair: Pair) -> None:
    pair.copy.write("template.toml", "<<<<<<< HEAD\n" + pair.copy.read("template.toml"))
    pair.copy.commit()


def unreachable(pair: Pair) -> None:
    pair.template.folder.rename(pair.template.folder.with_name("gone"))


def another_history(pair: Pair) -> None:
    shutil.rmtree(pair.template.folder / ".git")
    pair.template.git("init", "--quiet", "--initial-branch=main")
    pair.template.configure()
    pair.template.commit("Start anew")


def under_way(pair: Pair) -> None:
    (pair.copy.folder / ".git" / "MERGE_HEAD").write_text(pair.copy.git("rev-parse", "HEAD") + "\n", encoding="utf-8")


def in_the_way(pair: Pair) -> None:
    improve(pair.template)
    pair.copy.write("docs/new.md", "mine\n")


def no_engine(pair: Pair) -> None:
    pair.template.git("rm", "--quiet", "scripts/template.py")
    pair.template.release("1.1.0")


def no_template(pair: Pair) -> None:
    pair.template.git("rm", "--quiet", "template.toml")
    pair.template.release("1.1.0")


def no_version(pair: Pair) -> None:
    improve(pair.template)
    pair.copy.replace("pyproject.toml", 'version = "0.1.0"\n', "")
    pair.copy.commit()


def called_otherwise(pair: Pair) -> None:
    improve(pair.template)
    pair.copy.replace("pyproject.toml", f'name = "{NAME}"\nversion', 'name = "mine"\nversion')
    pair.copy.commit()


def nothing_wrong(_: Pair) -> None:
    """Leave all as it is."""


REFUSED = {
    "dirty": (dirty, (), "the checkout has changes that are not committed: Makefile"),
    "staged": (staged, (), "the checkout has changes that are not committed: Makefile"),
    "no record": (no_record, (), "the last commit has no template.toml"),
    "no copy": (no_copy, (), "template.toml has no table [copy]: this is no copy, but a template"),
    "edited record": (edited_record, (), "the table [copy] in template.toml is not what was written there"),
    "broken record": (broken_record, (), "template.toml is no TOML"),
    "unreachable": (unreachable, (), "cannot be reached: "),
    "another history": (another_history, (), "from which this copy was made"),
    "under way": (under_way, (), "git is in the middle of something: there is a MERGE_HEAD"),
    "in the way": (
        in_the_way,
        (),
        "docs/new.md is not tracked by git, and the template now brings a file of that name",
    ),
    "no engine": (no_engine, (), "has no scripts/template.py, so it cannot update"),
    "no template": (no_template, (), "is no template: it has no template.toml"),
    "no version": (no_version, (), "the last commit has no name and version in its pyproject.toml"),
    "called otherwise": (called_otherwise, (), f"pyproject.toml calls this project 'mine', and template.toml '{NAME}'"),
    "unknown ref": (nothing_wrong, ("--to=v9.9.9",), "has no tag or branch 'v9.9.9'"),
    "unknown commit": (nothing_wrong, (f"--to={'1' * 40}",), f"does not give {'1' * 40}"),
    "a ref that is an option": (
        nothing_wrong,
        ("--to=--upload-pack=false",),
        "has no tag or branch '--upload-pack=false'",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused_with_one_problem_and_a_remedy_and_nothing_changes(pair: Pair, name: str) -> None:
    break_it, arguments, what = REFUSED[name]
    break_it(pair)
    before = state(pair.copy)
    refused = pair.copy.update(*arguments)
    assert refused.returncode == 1, refused.stdout + refused.stderr
    assert "Traceback" not in refused.stderr
    problems = [line for line in refused.stderr.splitlines() if line.startswith("problem: ")]
    assert len(problems) == 1, refused.stderr
    assert what in problems[0]
    assert refused.stderr.splitlines()[-1].startswith("  "), "no remedy"
    assert state(pair.copy) == before
    assert left_behind(pair.copy) == []


def test_an_older_version_is_refused(pair: Pair) -> None:
    improve(pair.template)
    assert pair.copy.update().returncode == 0
    pair.copy.commit()
    refused = pair.copy.update("--to=v1.0.0")
    assert refused.returncode == 1
    assert "problem: v1.0.0 of the template is older than v1.1.0" in refused.stderr


@pytest.mark.parametrize("arguments", [["--chekc"], ["--check", "--dry-run"], ["--check=2"], ["extra"]])
def test_a_mistyped_command_is_an_error_of_usage(pair: Pair, arguments: list[str]) -> None:
    refused = pair.copy.update(*arguments)
    assert refused.returncode == 2
    assert "Traceback" not in refused.stderr


def test_a_git_that_is_too_old_is_refused(pair: Pair, tmp_path: Path) -> None:
    old = tmp_path / "bin" / "git"
    old.parent.mkdir()
    real = shutil.which("git")
    old.write_text(
        f'#!/bin/sh\n[ "$1" = --version ] && exec echo git version 2.37.9\nexec {real} "$@"\n', encoding="utf-8"
    )
    old.chmod(0o755)
    refused = pair.copy.update(PATH=f"{old.parent}{os.pathsep}{os.environ['PATH']}")
    assert refused.returncode == 1
    assert "git version 2.37.9 is too old" in refused.stderr
    assert "install git 2.38 or newer" in refused.stderr


# ---- the lock of the crates -----------------------------------------------------------------------------------------


def crates(**versions: str) -> str:
    blocks = [f'[[package]]\nname = "{name}"\nversion = "{version}"\n' for name, version in versions.items()]
    return "version = 4\n\n" + "\n".join(blocks)


def test_each_crate_is_locked_as_who_changed_it_has_it() -> None:
    base = crates(a="1.0.0", b="1.0.0", c="1.0.0", d="1.0.0")
    new = crates(a="1.1.0", b="1.0.0", c="1.1.0", e="1.0.0")
    ours = crates(a="1.0.0", b="1.2.0", c="1.2.0", d="1.0.0", mine="1.0.0")
    merged = merge_locks(base, new, ours)
    found = re.findall(r'name = "(\w+)"\nversion = "([\d.]+)"', merged)
    assert found == [("a", "1.1.0"), ("b", "1.2.0"), ("c", "1.2.0"), ("e", "1.0.0"), ("mine", "1.0.0")]


def test_a_lock_that_nobody_changed_is_the_templates() -> None:
    base, new = crates(a="1.0.0", b="1.0.0"), crates(a="1.1.0", c="1.0.0")
    assert merge_locks(base, new, base) == new
    assert merge_locks(base, base, new) == new
