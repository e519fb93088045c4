"""Which engine a release works with: that of the commit for its proof, and a wheel where there is no folder of it."""

import re
import shutil
import sys
import sysconfig
from pathlib import Path

import pytest

from helpers import run
from releases import GATE, PROJECT, Place, environment
from roadworthy.processes import find_uv, venv_bin

SAYS_WHERE = """\
import sys

import roadworthy


def main(*_: object) -> None:
    sys.exit(f"{__file__} of {roadworthy.__file__} refuses")


if __name__ == "__main__":
    main()
"""


# Begun with the engine of the checkout, as the Makefile does, or with the one that .venv has.
@pytest.mark.parametrize(
    ("name", "engine"),
    [("scripts/build.py", None), (GATE, None), (GATE, "roadworthy/src"), ("scripts/verify_install.py", None)],
)
def test_what_is_proven_is_proven_by_the_pages_and_the_engine_of_the_commit(
    place: Place, name: str, engine: str | None
) -> None:
    place.write(name, SAYS_WHERE)
    place.commit()
    refs = place.refs()
    refused = place.release("0.2.0", "--yes", PYTHONPATH=engine and str(place.checkout / engine))
    assert refused.returncode == 1, refused.stdout
    assert "problem: the release's commit fails at: " in refused.stderr
    found = re.search(
        rf"(/\S+)/clone/{name} of (/\S+)/clone/roadworthy/src/roadworthy/__init__.py refuses", refused.stderr
    )
    assert found, refused.stderr
    assert found[1] == found[2]
    assert place.refs() == refs


def environment_with_a_wheel(folder: Path) -> Path:
    """Make an environment with the tools of .venv, and the engine's wheel in place of its folder; return its Python."""
    uv, made = find_uv(), folder / "environment"
    python = made / venv_bin("python").relative_to(sys.prefix)
    for command in (
        ("build", "--wheel", "--offline", f"--out-dir={folder}", PROJECT.root / "roadworthy"),
        ("venv", f"--python={sys.executable}", made),
        (
            "pip",
            "install",
            "--offline",
            "--no-index",
            "--no-deps",
            f"--python={python}",
            f"--find-links={folder}",
            "roadworthy",
        ),
    ):
        done = run(uv, *command, "--quiet", cwd=folder)
        assert done.returncode == 0, done.stderr
    # What is in that folder is found, and no editable installation: only a .pth of the first one is read.
    (site,) = made.rglob("site-packages")
    (site / "tools.pth").write_text(f"{sysconfig.get_path('purelib')}\n", encoding="utf-8")
    for tool in venv_bin("python").parent.iterdir():
        if not (python.parent / tool.name).exists():
            (python.parent / tool.name).symlink_to(tool)
    return python


def test_with_its_wheel_in_place_of_its_folder_the_same_release_is_planned(place: Place, tmp_path: Path) -> None:
    planned = place.release("0.2.0", "--dry-run")
    assert planned.returncode == 0, planned.stderr
    shutil.rmtree(place.checkout / "roadworthy")
    place.commit("Take the engine's wheel")
    python = environment_with_a_wheel(tmp_path)
    command = (python, "scripts/release.py", "0.2.0", "--dry-run")
    again = run(*command, cwd=place.checkout, **environment())
    assert again.returncode == 0, again.stderr
    where = run(python, "-c", "import roadworthy; print(roadworthy.__file__)", cwd=place.checkout).stdout
    assert Path(where).is_relative_to(tmp_path)
    ids = re.compile(r"\b[0-9a-f]{10}\b")
    assert ids.sub("", again.stdout) == ids.sub("", planned.stdout)
    assert ids.findall(again.stdout) != ids.findall(planned.stdout)
