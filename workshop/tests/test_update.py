"""A copy is updated from its template by the real command: what comes, what stays, what is refused."""

import os
import re
import shutil
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from helpers import run
from releases import fingerprint
from versioned import ADDRESS, NAME, SAMPLE, Versioned, lead, left_behind, make_template
from workshop.copying.locks import CRATES


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
    """Return a template and its copy in another folder, which knows the template's public address alone."""
    for name in ("template", "copy"):
        shutil.copytree(ground / name, folder / name, symlinks=True)
    template, copy = Versioned(folder / "template"), Versioned(folder / "copy")
    copy.git("config", "--unset", "template.folder")
    return Pair(template, copy)


def improve(template: Versioned) -> None:
    """Change a file of each kind, and release that."""
    template.replace("Makefile", "line 3\n", "line three\n")
    template.replace("scripts/tool.py", "print(", "print(0, ")
    template.write("docs/new.md", f"New in {template.folder.name}.\n")
    (template.folder / "docs" / "guide.md").rename(template.folder / "docs" / "manual.md")
    template.replace(f"{SAMPLE}/README.md", "line 3\n", "line three\n")
    template.replace(f"{SAMPLE}/src/lib.rs", "42", "43")
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
    assert pair.copy.git("rev-list", "--count", "HEAD") == "1", "it has committed"
    pair.copy.git("commit", "--quiet", "--no-edit")
    assert pair.copy.git("log", "-1", "--format=%s") == "Update the template from v1.0.0 to v1.1.0"
    before = state(pair.copy)
    again = pair.copy.update()
    assert (again.returncode, again.stdout) == (0, "nothing is new: this copy is at v1.1.0\n")
    assert pair.copy.update("--check").returncode == 0
    assert state(pair.copy) == before
    assert left_behind(pair.copy) == []


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


def test_a_copy_without_a_lock_stays_without_one(pair: Pair) -> None:
    pair.copy.git("rm", "--quiet", "Cargo.lock")
    pair.copy.commit()
    improve(pair.template)
    done = pair.copy.update()
    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr
    assert "line three" in pair.copy.read("Makefile")
    assert not (pair.copy.folder / "Cargo.lock").exists()


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
    assert f'commit = "{commit}"\nsample = "{commit}"\nlabel = "v1.1.0"\n' in record
    assert f'name = "{NAME}"' in record
    pair.copy.commit()
    assert pair.copy.update().returncode == 0, "the next update does not know the record"


def test_the_workshop_of_the_new_version_does_it(pair: Pair) -> None:
    code = pair.template.read("workshop/copying/updating.py")
    pair.template.write("workshop/copying/updating.py", code + '\nprint("the workshop of 1.1.0")\n')
    pair.template.release("1.1.0")
    assert "the workshop of 1.1.0\n" in pair.copy.update().stdout


# ---- whose a file is ------------------------------------------------------------------------------------------------


def give(template: Versioned) -> None:
    """Let the guide be given once from now on, instead of being merged."""
    template.replace("template.toml", '  "docs/*",\n', "")
    (template.folder / SAMPLE / "docs").mkdir()
    template.git("mv", "docs/guide.md", f"{SAMPLE}/docs/guide.md")


def test_what_becomes_the_copys_own_is_not_taken_away(pair: Pair) -> None:
    pair.copy.replace("docs/guide.md", "line 3\n", "mine\n")
    pair.copy.write("README.md", "Mine.\n")
    before = pair.copy.read("docs/guide.md")
    pair.copy.commit()
    give(pair.template)
    pair.template.replace(f"{SAMPLE}/docs/guide.md", "line 17\n", "theirs\n")
    pair.template.release("1.1.0")
    assert pair.copy.update().returncode == 0
    assert pair.copy.read("docs/guide.md") == before


def test_what_is_no_longer_the_copys_own_is_merged(pair: Pair) -> None:
    pair.copy.replace("README.md", "line 3\n", "mine\n")
    pair.copy.commit()
    pair.template.replace("template.toml", "merged = [\n", 'merged = [\n  "README.md",\n')
    pair.template.replace(f"{SAMPLE}/README.md", "line 17\n", "theirs\n")
    pair.template.release("1.1.0")
    done = pair.copy.update()
    assert done.returncode == 0, done.stderr
    assert "mine" in pair.copy.read("README.md")
    assert "theirs" in pair.copy.read("README.md")


def test_a_sample_that_the_template_gives_up_stays_with_who_uses_it(pair: Pair) -> None:
    pair.copy.write("README.md", "Mine.\n")
    pair.copy.commit()
    pair.template.git("rm", "--quiet", f"{SAMPLE}/README.md", f"{SAMPLE}/src/lib.rs")
    pair.template.write(f"{SAMPLE}/src/other.rs", "")
    pair.template.release("1.1.0")
    assert pair.copy.update().returncode == 0
    assert pair.copy.read("README.md") == "Mine.\n"
    assert sorted(path.name for path in (pair.copy.folder / "src").iterdir()) == ["lib.rs"]


# ---- the engine -----------------------------------------------------------------------------------------------------

GATE, NEWS = "roadworthy/src/roadworthy/gate/command.py", "roadworthy/src/roadworthy/ci/change.py"


def improve_engine(template: Versioned) -> None:
    template.write(GATE, template.read(GATE) + "# New.\n")
    template.git("mv", NEWS, "roadworthy/src/roadworthy/ci/olds.py")
    template.release("1.1.0")


def edited_engine(copy: Versioned) -> None:
    copy.write(GATE, "# Mine.\n" + copy.read(GATE))


def added_engine(copy: Versioned) -> None:
    copy.write("roadworthy/mine.py", "# Mine.\n")


def partly_deleted_engine(copy: Versioned) -> None:
    copy.git("rm", "--quiet", GATE, NEWS)


@pytest.mark.parametrize(
    ("change", "names"),
    [(edited_engine, [GATE]), (added_engine, ["roadworthy/mine.py"]), (partly_deleted_engine, [NEWS, GATE])],
)
def test_an_engine_that_was_changed_is_not_replaced_but_named_and_theirs_on_demand(
    pair: Pair, change: Callable[[Versioned], None], names: list[str]
) -> None:
    change(pair.copy)
    pair.copy.commit("Mine")
    improve_engine(pair.template)
    before = state(pair.copy)
    refused = pair.copy.update()
    assert refused.returncode == 1
    problem = f"problem: roadworthy/ is replaced as a whole, and is not as the template made it: {', '.join(names)}\n"
    assert problem in refused.stderr
    assert state(pair.copy) == before
    done = pair.copy.update("--engine=theirs")
    assert done.returncode == 0, done.stderr
    assert [name for name in names if f"{name}: your change goes, because ENGINE=theirs" not in done.stdout] == []
    assert engine_of(pair.copy) == engine_of(pair.template)
    # The other way out, as it was printed.
    pair.copy.git("reset", "--quiet", "--hard")
    back = re.search(r"put it back here: git (checkout .*), and commit;", refused.stderr)
    assert back, refused.stderr
    pair.copy.git(*back[1].split())
    pair.copy.commit("Put it back")
    done = pair.copy.update()
    assert done.returncode == 0, done.stderr
    assert engine_of(pair.copy) == engine_of(pair.template)


def engine_of(project: Versioned) -> dict[str, str]:
    return {name: entry for name, entry in project.files().items() if name.startswith("roadworthy/")}


def test_an_engine_that_is_gone_as_a_whole_stays_away_and_this_is_said(pair: Pair) -> None:
    pair.copy.git("rm", "--quiet", "-r", "roadworthy")
    pair.copy.commit()
    improve_engine(pair.template)
    done = pair.copy.update()
    assert done.returncode == 0, done.stderr
    assert "roadworthy/ stays away: what is installed in its place is yours to update" in done.stdout
    assert engine_of(pair.copy) == {}


def test_an_engine_that_the_template_has_not_changed_is_nobodys_business(pair: Pair) -> None:
    edited_engine(pair.copy)
    pair.copy.commit()
    improve(pair.template)
    assert pair.copy.update().returncode == 0
    assert pair.copy.read(GATE).startswith("# Mine.")


# ---- what tools write -----------------------------------------------------------------------------------------------


def make_wheel(folder: Path, name: str, version: str) -> None:
    """Write the smallest wheel."""
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as archive:
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", "")


@pytest.fixture
def wheels(ground: Path) -> Path:
    """Return the folder from which `make lock` of a template and its copies locks, with some wheels."""
    for name in ("tin", "pan", "cup"):
        for version in ("1.0", "1.1", "1.2"):
            make_wheel(ground / "wheels", name, version)
    return ground / "wheels"


@pytest.mark.usefixtures("wheels")
@pytest.mark.parametrize("by_make", [False, True])
def test_pins_of_both_sides_are_locked_as_make_lock_does(pair: Pair, *, by_make: bool) -> None:
    pair.copy.write("requirements/lint.txt", "tin==1.2\n")
    pair.copy.write("requirements/build.txt", "pan==1.1\n")
    pair.copy.commit("Bump")
    pair.template.write("requirements/lint.txt", "tin==1.1\n")
    pair.template.replace("pyproject.toml", 'build = ["pan"]', 'build = ["pan>=1.2"]')
    pair.template.write("requirements/build.txt", "pan==1.2\n")
    pair.template.release("1.1.0")
    if by_make:
        pair.copy.write("local.mk", f"template-update:\n\t{sys.executable} scripts/template.py update\n")
        pair.copy.commit("A target")
        done = run("make", "--silent", "template-update", "TO=v1.1.0", cwd=pair.copy.folder, **pair.copy.variables())
    else:
        done = pair.copy.update()
    assert done.returncode == 0, done.stderr
    assert "notes:" not in done.stdout
    assert pair.copy.read("requirements/lint.txt") == "tin==1.2\n", "a pin that still fits has not stayed"
    assert pair.copy.read("requirements/build.txt") == "pan==1.2\n", "a pin that fits no more has stayed"


@pytest.mark.usefixtures("wheels")
def test_a_tool_of_ones_own_is_locked_with_the_templates(pair: Pair) -> None:
    pair.copy.replace("pyproject.toml", 'lint = ["tin"]', 'lint = ["tin", "cup>=1.1"]')
    pair.copy.write("requirements/lint.txt", "cup==1.1\ntin==1.0\n")
    pair.copy.commit("Add a cup")
    pair.template.replace("pyproject.toml", 'build = ["pan"]', 'build = ["pan>=1.2"]')
    pair.template.write("requirements/lint.txt", "tin==1.1\n")
    pair.template.write("requirements/build.txt", "pan==1.2\n")
    pair.template.release("1.1.0")
    done = pair.copy.update()
    assert done.returncode == 0, done.stderr
    assert pair.copy.read("requirements/lint.txt") == "cup==1.1\ntin==1.1\n"
    assert pair.copy.read("requirements/build.txt") == "pan==1.2\n"
    before = pair.copy.files()
    (pair.copy.folder / ".venv").symlink_to(sys.prefix)
    again = run("make", "--silent", "lock", cwd=pair.copy.folder, **pair.copy.variables())
    assert again.returncode == 0, again.stderr
    (pair.copy.folder / ".venv").unlink()
    assert pair.copy.files() == before


def test_where_nothing_can_be_locked_there_are_the_pins_of_both_sides(pair: Pair, ground: Path) -> None:
    for wheel in (ground / "wheels").iterdir():
        wheel.unlink()
    pair.copy.write("requirements/lint.txt", "cup==1.0\ntin==1.2\n")
    pair.copy.commit("Bump")
    pair.template.write("requirements/lint.txt", "tin==1.1\nzip==1.0\n")
    pair.template.release("1.1.0")
    done = pair.copy.update()
    assert done.returncode == 0, done.stderr
    assert "requirements/lint.txt: the pins of both sides, not resolved; run: make lock (" in done.stdout
    assert pair.copy.read("requirements/lint.txt") == "cup==1.0\ntin==1.2\nzip==1.0\n"


def test_where_the_groups_have_a_conflict_the_pins_wait_for_make_lock(pair: Pair) -> None:
    for project, tool in ((pair.copy, "cup"), (pair.template, "pan")):
        project.replace("pyproject.toml", 'lint = ["tin"]', f'lint = ["tin", "{tool}"]')
        project.write("requirements/lint.txt", f"{tool}==1.0\ntin==1.0\n")
        project.commit()
    pair.template.release("1.1.0")
    done = pair.copy.update()
    assert "problem: both sides have changed the same in pyproject.toml\n" in done.stderr
    said = "requirements/lint.txt: the pins of both sides; when nothing has a conflict any more, run: make lock"
    assert said in done.stdout
    assert pair.copy.read("requirements/lint.txt") == "cup==1.0\npan==1.0\ntin==1.0\n"


def test_a_lock_that_one_side_has_alone_is_left_as_it_is(pair: Pair) -> None:
    pair.copy.git("rm", "--quiet", "requirements/build.txt")
    pair.copy.write("requirements/docs.txt", "mine==1.0\n")
    pair.copy.commit()
    pair.template.write("requirements/build.txt", "pan==1.1\n")
    pair.template.write("requirements/docs.txt", "theirs==1.0\n")
    pair.template.git("rm", "--quiet", "requirements/lint.txt")
    pair.template.release("1.1.0")
    done = pair.copy.update()
    assert done.returncode == 0, done.stderr
    assert "requirements/build.txt stays away: the template changed it" in done.stdout
    assert "requirements/docs.txt stays as it is here: the template changed it" in done.stdout
    listed = pair.copy.git("ls-files", "requirements").split()
    assert [name.partition("/")[2] for name in listed] == ["docs.txt", "setup.txt", "tools.txt"]
    assert pair.copy.read("requirements/docs.txt") == "mine==1.0\n"


def test_a_crate_of_ones_own_stays_locked_beside_the_templates(pair: Pair) -> None:
    for project, crate in ((pair.copy, "mine"), (pair.template, "theirs")):
        # Next to each other they would be a conflict of the manifest.
        place = "[dependencies]\n" if crate == "mine" else 'edition = "2024"\n'
        table = "" if crate == "mine" else "\n[build-dependencies]\n"
        project.replace("Cargo.toml", place, f'{place}{table}{crate} = {{ path = "crates/{crate}" }}\n')
        project.write(
            f"crates/{crate}/Cargo.toml", f'[package]\nname = "{crate}"\nversion = "0.3.0"\nedition = "2024"\n'
        )
        project.write(f"crates/{crate}/src/lib.rs", "")
        project.write("src/lib.rs", project.read("src/lib.rs") if crate == "mine" else "")
        assert run("cargo", "update", "--workspace", "--offline", cwd=project.folder).returncode == 0
        project.commit()
    pair.template.release("1.1.0")
    done = pair.copy.update()
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.findall(r'name = "(.+)"', pair.copy.read("Cargo.lock")) == ["mine", "theirs", NAME]


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
    marked = rf"<<<<<<< HEAD\n# my line\n=======\n# line three\n>>>>>>> [0-9a-f]{{7}} \({title}\)\n"
    assert re.search(marked, pair.copy.read("Makefile"))
    status = dict(line.split()[::-1] for line in pair.copy.git("status", "--porcelain", "--no-renames").splitlines())
    assert status["Makefile"] == "UU"
    assert status["docs/new.md"] == "A"


def test_a_conflict_is_solved_as_any_other(pair: Pair) -> None:
    disagree(pair)
    assert pair.copy.update().returncode == 1
    again = pair.copy.update()
    assert "problem: there are conflicts in Makefile\n  solve them" in again.stderr
    pair.copy.replace("Makefile", "<<<<<<< HEAD\n# my line\n=======\n# line three\n", "# both\n")
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


@pytest.mark.parametrize("file", ["Makefile", "pyproject.toml", "scripts/template.py", "requirements/tools.mk"])
def test_a_conflict_in_what_the_command_itself_needs_has_a_way_out_that_is_printed(pair: Pair, file: str) -> None:
    pair.template.replace("template.toml", "merged = [\n", 'merged = [\n  "requirements/tools.mk",\n')
    for project, text in ((pair.copy, "mine"), (pair.template, "theirs")):
        old = project.read(file) if (project.folder / file).exists() else ""
        project.write(file, f"# {text}\n{old}")
        project.commit()
    pair.template.release("1.1.0")
    before = pair.copy.files()
    done = pair.copy.update()
    assert f"problem: both sides have changed the same in {file}\n" in done.stderr
    assert "<<<<<<< HEAD" in pair.copy.read(file)
    if file != "scripts/template.py":
        again = pair.copy.update()
        assert f"problem: there are conflicts in {file}\n  solve them, git add each" in again.stderr
        assert "git reset --merge" in again.stderr
    pair.copy.git("reset", "--merge")
    assert pair.copy.files() == before
    # Committed as it is, the markers are named, and what is written there is left to its owner.
    assert pair.copy.update().returncode == 1
    pair.copy.commit("With markers")
    if file != "scripts/template.py":
        assert "nothing is new" in pair.copy.update().stdout


def test_a_record_that_was_merged_by_hand_is_still_a_record(pair: Pair) -> None:
    """What the record says counts, not how that is written."""
    lines = pair.copy.read("template.toml").splitlines()
    head, answers = lines[2 : lines.index("[answers]") - 1], lines[lines.index("[answers]") :]
    text = "\r\n".join(["# Ours.", *reversed(head), "", *answers]).replace('"', "'") + "  # the year\r\n"
    pair.copy.write("template.toml", text)
    pair.copy.commit()
    improve(pair.template)
    done = pair.copy.update()
    assert done.returncode == 0, done.stderr
    assert 'label = "v1.1.0"\n' in pair.copy.read("template.toml")


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


# ---- a template that has moved ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("news", [False, True])
def test_a_new_address_is_recorded_without_a_password(pair: Pair, *, news: bool) -> None:
    if news:
        improve(pair.template)
    # It is asked with the password, which the address leads from.
    lead(pair.copy.home / "gitconfig", pair.template.folder, "https://me:secret@example.org/moved")
    before = state(pair.copy)
    for only in ("--check", "--dry-run"):
        pair.copy.update("--from=https://me:secret@example.org/moved", only)
        assert state(pair.copy) == before
    done = pair.copy.update("--from=https://me:secret@example.org/moved")
    assert done.returncode == 0, done.stderr
    assert "secret" not in done.stdout + done.stderr
    assert pair.copy.git("diff", "--cached", "--name-only").split().count("template.toml") == 1
    assert 'address = "https://example.org/moved"\n' in pair.copy.read("template.toml")
    pair.copy.commit()
    lead(pair.copy.home / "gitconfig", pair.template.folder, "https://example.org/moved")
    assert "nothing is new" in pair.copy.update().stdout


@pytest.mark.parametrize("news", [False, True])
def test_a_folder_is_remembered_for_this_machine_alone(pair: Pair, *, news: bool) -> None:
    if news:
        improve(pair.template)
    lead(pair.copy.home / "gitconfig", pair.copy.home / "nowhere")
    before = state(pair.copy)
    for only in ("--check", "--dry-run"):
        pair.copy.update("--from=../template", only)
        assert state(pair.copy) == before
    done = pair.copy.update("--from=../template")
    assert done.returncode == 0, done.stderr
    assert pair.copy.git("config", "--local", "template.folder") == str(pair.template.folder)
    assert f'address = "{ADDRESS}"\n' in pair.copy.read("template.toml")
    pair.copy.commit()
    assert "nothing is new" in pair.copy.update().stdout


# ---- what is refused ------------------------------------------------------------------------------------------------


def dirty(pair: Pair) -> None:
    pair.copy.replace("Makefile", "line 3\n", "mine\n")


def staged(pair: Pair) -> None:
    pair.copy.replace("Makefile", "line 3\n", "mine\n")
    pair.copy.git("add", "--all")


def no_record(pair: Pair) -> None:
    pair.copy.git("rm", "--quiet", "--cached", "template.toml")
    pair.copy.git("commit", "--quiet", "--message=Remove it")


def no_copy(pair: Pair) -> None:
    record = re.findall(r"(?:address|commit) = .*\n", pair.copy.read("template.toml"))
    pair.copy.write("template.toml", "".join(record) + pair.template.read("template.toml"))
    pair.copy.commit()


def edited_record(pair: Pair) -> None:
    improve(pair.template)
    pair.copy.replace("template.toml", f'"{NAME}"', '"other-name"')
    pair.copy.commit()


def number_in_record(pair: Pair) -> None:
    pair.copy.replace("template.toml", 'label = "v1.0.0"', "label = 7")
    pair.copy.commit()


def incomplete_record(pair: Pair) -> None:
    pair.copy.replace("template.toml", 'label = "v1.0.0"\n', "")
    pair.copy.commit()


def record_without_answers(pair: Pair) -> None:
    pair.copy.write("template.toml", pair.copy.read("template.toml").partition("[answers]")[0])
    pair.copy.commit()


def broken_record(pair: Pair) -> None:
    pair.copy.write("template.toml", "<<<<<<< HEAD\n" + pair.copy.read("template.toml"))
    pair.copy.commit()


def under_way(pair: Pair) -> None:
    (pair.copy.folder / ".git" / "MERGE_HEAD").write_text(pair.copy.git("rev-parse", "HEAD") + "\n", encoding="utf-8")


def in_the_way(pair: Pair) -> None:
    improve(pair.template)
    pair.copy.write("docs/new.md", "mine\n")


def no_template(pair: Pair) -> None:
    pair.template.git("rm", "--quiet", "template.toml")
    pair.template.release("1.1.0")


def no_version(pair: Pair) -> None:
    improve(pair.template)
    pair.copy.replace("pyproject.toml", 'version = "0.1.0"\n', "")
    pair.copy.commit()


REFUSED = {
    "dirty": (dirty, (), "the checkout has changes that are not committed: Makefile"),
    "staged": (staged, (), "the checkout has changes that are not committed: Makefile"),
    "no record": (no_record, (), "the last commit has no template.toml"),
    "no copy": (no_copy, (), "template.toml does not say where this copy came from"),
    "edited record": (edited_record, (), "template.toml is not what was written there"),
    "a number in the record": (number_in_record, (), "template.toml is not what was written there"),
    "incomplete record": (incomplete_record, (), "template.toml is incomplete: it has no 'label'"),
    "record without answers": (record_without_answers, (), "template.toml is incomplete: it has no 'name'"),
    "broken record": (broken_record, (), "template.toml is no TOML"),
    "under way": (under_way, (), "git is in the middle of something: there is a MERGE_HEAD"),
    "in the way": (
        in_the_way,
        (),
        "docs/new.md is not tracked by git, and the template now brings a file of that name",
    ),
    "no template": (no_template, (), "is no template: it has no template.toml"),
    "no version": (no_version, (), "the last commit has no version in its pyproject.toml"),
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
    merged = CRATES.merge(base, new, ours)
    found = re.findall(r'name = "(\w+)"\nversion = "([\d.]+)"', merged)
    assert found == [("a", "1.1.0"), ("b", "1.2.0"), ("c", "1.2.0"), ("e", "1.0.0"), ("mine", "1.0.0")]


def test_a_lock_that_nobody_changed_is_the_templates() -> None:
    base, new = crates(a="1.0.0", b="1.0.0"), crates(a="1.1.0", c="1.0.0")
    assert CRATES.merge(base, new, base) == new
    assert CRATES.merge(base, base, new) == new
