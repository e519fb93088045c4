"""The checkout follows its release whatever is configured, and whoever is killed; what came of it is always said."""

import subprocess
import sys

import pytest

from helpers import environment_in
from refusals import script
from releases import Place, environment

SETTINGS = {
    "branch.main.mergeOptions": "--squash",
    "merge.ff": "false",
    "merge.autoStash": "true",
    "merge.verifySignatures": "true",
    "pull.rebase": "true",
    "fetch.prune": "true",
    "protocol.file.allow": "never",
    "submodule.recurse": "true",
    "core.splitIndex": "true",
    "index.threads": "4",
}


def require_followed(place: Place) -> None:
    refs, head = place.refs(), place.git("rev-parse", "HEAD")
    assert refs["refs/heads/main"] == refs["refs/tags/v0.2.0^{}"] == head == place.git("rev-parse", "refs/heads/main")
    assert place.git("rev-parse", "refs/tags/v0.2.0") == refs["refs/tags/v0.2.0"]
    assert place.git("status", "--porcelain") == ""
    assert place.read("pyproject.toml").count('version = "0.2.0"') == 1
    left = [path.name for path in (place.checkout / ".git").iterdir() if "lock" in path.name or "release" in path.name]
    assert left == []


def test_no_setting_keeps_the_checkout_from_following(place: Place) -> None:
    for name, value in SETTINGS.items():
        if name != "protocol.file.allow":
            place.git("config", name, value)
    hooks = place.folder / "hooks"
    for name in ("post-merge", "post-checkout", "reference-transaction", "post-index-change"):
        script(hooks / name, f"echo {name} >> '{place.folder}/trace'; exit 1")
    place.git("config", "core.hooksPath", hooks)
    done = place.release("0.2.0", "--yes")
    assert done.returncode == 0, done.stderr
    assert "note: the release is out" not in done.stderr
    # Before git is asked, which runs one of them.
    assert not (place.folder / "trace").exists()
    require_followed(place)


def kill_while_writing(place: Place, *whom: str) -> None:
    """Let git be killed once while it writes CHANGELOG.md into the checkout, with half of it written by hand."""
    flag, changelog = place.folder / "once", place.checkout / "CHANGELOG.md"
    flag.touch()
    up = 'git=$PPID; while [ "$(ps -o comm= -p $git)" != git ]; do git=$(ps -o ppid= -p $git | tr -d " "); done'
    half = f"{up}; release=$(ps -o ppid= -p $git); rm '{flag}'; head -c 40 > '{changelog}'; kill -9 {' '.join(whom)}"
    text = f"if [ -e '{flag}' ]; then {half}; fi; cat"
    script(place.folder / "smudge", text)
    place.git("config", "filter.deadly.smudge", place.folder / "smudge")
    place.git("config", "filter.deadly.clean", "cat")
    (place.checkout / ".git" / "info" / "attributes").write_text("CHANGELOG.md filter=deadly\n")


def test_where_git_alone_is_killed_the_files_are_written_again(place: Place) -> None:
    kill_while_writing(place, "$git")
    done = place.release("0.2.0", "--yes")
    assert not (place.folder / "once").exists(), "nobody was killed"
    assert done.returncode == 0, done.stderr
    assert "0.2.0 is released" in done.stdout
    assert "note: the release is out" not in done.stderr, done.stderr
    require_followed(place)


@pytest.mark.parametrize("lock_removed", [False, True])
def test_where_all_are_killed_the_same_command_finishes_it(place: Place, *, lock_removed: bool) -> None:
    kill_while_writing(place, "$release", "$git")
    killed = place.release("0.2.0", "--yes")
    assert not (place.folder / "once").exists(), "nobody was killed"
    assert killed.returncode != 0
    lock = place.checkout / ".git" / "index.lock"
    assert "run the same command again: it finishes it" in lock.read_text()
    if lock_removed:
        lock.unlink()
    again = place.release("0.2.0", "--yes")
    assert (again.returncode, "note:" in again.stderr) == (0, False), again.stderr
    require_followed(place)


def test_what_was_edited_after_a_kill_stays_and_is_named(place: Place) -> None:
    kill_while_writing(place, "$release", "$git")
    place.release("0.2.0", "--yes")
    place.write("CHANGELOG.md", "Mine.\n")
    again = place.release("0.2.0", "--yes")
    assert again.returncode == 0
    assert "left as it is: changed here: CHANGELOG.md\n  put that right, and run the same command again" in again.stderr
    assert place.read("CHANGELOG.md") == "Mine.\n"
    place.git("checkout", "--", "CHANGELOG.md")
    assert place.release("0.2.0", "--yes").returncode == 0
    require_followed(place)


def test_a_lock_of_somebody_else_is_named_and_kept(place: Place) -> None:
    place.write("scripts/build.py", f"open({str(place.checkout / '.git' / 'index.lock')!r}, 'w').close()\n")
    place.commit()
    done = place.release("0.2.0", "--yes")
    lock = place.checkout / ".git" / "index.lock"
    assert done.returncode == 0
    assert (
        f"{lock} is there: another git command runs, or was killed; if nothing runs any more, remove it" in done.stderr
    )
    lock.unlink()
    assert place.release("0.2.0", "--yes").returncode == 0
    require_followed(place)


def test_an_ignored_file_in_the_place_of_a_new_one_is_kept(place: Place) -> None:
    place.write(".gitignore", place.read(".gitignore") + "/notes.txt\n")
    place.commit()
    place.write("notes.txt", "Theirs.\n")
    place.git("add", "--force", "notes.txt")
    place.commit()
    assert place.release("0.2.0", "--yes").returncode == 0
    place.git("reset", "--quiet", "--hard", "HEAD^^")
    place.write("notes.txt", "Mine.\n")
    again = place.release("0.2.0", "--yes")
    assert "left as it is: changed here: notes.txt" in again.stderr
    assert place.read("notes.txt") == "Mine.\n"


def test_a_branch_and_a_tag_of_one_name_are_told_apart(place: Place) -> None:
    place.git("tag", "main", "HEAD")
    place.git("push", "--quiet", "origin", "refs/tags/main")
    place.git("commit", "--quiet", "--allow-empty", "--message=Later")
    place.git("push", "--quiet", "origin", "refs/heads/main")
    done = place.release("0.2.0", "--yes")
    assert done.returncode == 0, done.stderr
    assert "note: the release is out" not in done.stderr
    require_followed(place)


@pytest.mark.parametrize("how", [">&-", "| true", "> /dev/full", "2>&1 | true", "2>&- >&-", "<&-"])
def test_what_came_of_it_is_said_whatever_has_become_of_stdout(place: Place, how: str) -> None:
    said = place.folder / "said"
    command = f"set -o pipefail; exec 2>'{said}'; '{sys.executable}' scripts/release.py 0.2.0 --yes {how}"
    env = environment_in(place.checkout, environment())
    done = subprocess.run(
        ["bash", "-c", command], cwd=place.checkout, env=env, check=False, capture_output=True, text=True
    )
    text = done.stdout + said.read_text(encoding="utf-8")
    assert done.returncode == 0, text
    assert "Traceback" not in text
    if "2>" not in how:
        assert text.count("0.2.0 is released: v0.2.0 and main are on origin\n") == 1, text
    require_followed(place)
