"""A copy of this very project, made from one release, becomes a copy of the next one, with nothing small in between."""

from pathlib import Path

import pytest

from copies import PROJECT
from helpers import copy_checkout
from roadworthy.releasing.version import version_of_tag
from versioned import Versioned
from workshop.rehearsing.scratch import share_environment

MOVED = ("roadworthy/src/roadworthy/building/steps.py", "roadworthy/src/roadworthy/building/source.py")


def released(project: Versioned) -> list[str]:
    """Return the tags of releases, the newest last."""
    found = {tag: version_of_tag(tag) for tag in project.git("tag", "--list", "v[0-9]*").split()}
    return [tag for _, tag in sorted((version, tag) for tag, version in found.items() if version)]


def check_update_from_the_release_before(project: Versioned, folder: Path) -> None:
    """Make a copy of the newest release that is not the commit at hand, update it, and compare it with a fresh one."""
    head = project.git("rev-parse", "HEAD")
    before = [tag for tag in released(project) if project.git("rev-parse", f"{tag}^{{commit}}") != head][-1]
    # To which the public address leads.
    now = clone(project, folder / "template", head)
    copy = clone(project, folder / "before", before).copy(folder / "copy")
    done = copy.update(f"--to={head}")
    assert done.returncode == 0, done.stdout + done.stderr
    fresh = now.copy(folder / "fresh")
    assert copy.files() == fresh.files()
    assert f'commit = "{head}"' in copy.read("template.toml")


def clone(project: Versioned, folder: Path, commit: str) -> Versioned:
    """Clone a template that has the environment of these tests."""
    project.git("clone", "--quiet", "--no-checkout", project.folder, folder)
    place = Versioned(folder)
    place.git("checkout", "--quiet", "--detach", commit)
    share_environment(PROJECT.root / ".venv", folder)
    return place


def test_a_copy_of_the_release_before_is_updated_to_this_commit(tmp_path: Path) -> None:
    here = Versioned(PROJECT.root, tmp_path)  # nothing is written beside the checkout
    if here.git("rev-parse", "--is-shallow-repository") == "true":
        pytest.skip("this is a shallow clone: the release before is not in it; git fetch --unshallow --tags brings it")
    if len(tags := released(here)) < 2:
        pytest.skip(
            f"this project has {len(tags)} releases; from the second on, a copy of the one before is updated here"
        )
    check_update_from_the_release_before(here, tmp_path)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Versioned:
    """Make a repository of all files as they are, released twice, with changes of every kind between."""
    project = Versioned(copy_checkout(tmp_path_factory.mktemp("project") / "project"))
    project.configure()
    project.git("branch", "--move", "--force", "main")
    project.git("tag", "--annotate", "--message=Release", "v9.0.0")
    project.replace("Makefile", "MAKEFLAGS += --no-builtin-rules\n", "MAKEFLAGS += --no-builtin-rules --silent\n")
    project.replace(".github/workflows/CI.yml", "jobs:\n", "# The jobs.\njobs:\n")
    project.replace("workshop/copying/sample/src/lib.rs", "use ", "// New.\nuse ")
    project.git("mv", *MOVED)
    project.git("rm", "--quiet", "changelog.d/README.md")
    project.write("scripts/more.py", "# More of ferrous-wheel.\n")
    project.git("update-index", "--chmod=+x", "roadworthy/src/roadworthy/ci/change.py")
    (project.folder / "roadworthy/src/roadworthy/ci/change.py").chmod(0o755)
    project.release("9.1.0")
    return project


def test_it_is_compared_as_soon_as_there_are_two_releases(project: Versioned, tmp_path: Path) -> None:
    assert released(project) == ["v9.0.0", "v9.1.0"]
    check_update_from_the_release_before(project, tmp_path)


def test_a_copy_with_work_of_its_own_keeps_it(project: Versioned, tmp_path: Path) -> None:
    project.git("clone", "--quiet", project.folder, tmp_path / "template")
    copy = clone(project, tmp_path / "before", "v9.0.0").copy(tmp_path / "copy")
    own = {
        "README.md": "Mine.\n",
        "src/lib.rs": "// Mine.\n",
        ".github/workflows/own.yml": "on: push\n",
        "local.mk": "own:\n",
    }
    for name, text in own.items():
        copy.write(name, text)
    copy.git("rm", "--quiet", "-r", "docs")
    copy.git("mv", "scripts/verify_install.py", "scripts/proof.py")
    copy.commit()
    done = copy.update()
    assert done.returncode == 0, done.stdout + done.stderr
    assert {name: copy.read(name) for name in own} == own
    changed = dict(line.split(maxsplit=1)[::-1] for line in copy.git("diff", "--cached", "--name-status").splitlines())
    assert changed.pop("\t".join(MOVED)) == "R100"
    assert changed == {
        ".github/workflows/CI.yml": "M",
        "Makefile": "M",
        "changelog.d/README.md": "D",
        "roadworthy/src/roadworthy/ci/change.py": "M",
        "scripts/more.py": "A",
        "template.toml": "M",
    }
