# /// script
# requires-python = ">=3.10"
# dependencies = []
# ///
"""The door to the workshop: copies of the template, what brings them its improvements, and rehearsals of a release.

In the template the workshop is beside this file. A copy fetches it into target/template/, at the commit it was made of
or, for an update, at the newest release. By itself this file makes copies: uv run ADDRESS-OF-THIS-FILE new turbo-frob
"""

import os
import re
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

TEMPLATE = "https://github.com/rust-wheelwrights/ferrous-wheel"  # as in its pyproject.toml
COMMANDS = ("new", "update", "rehearse")
FETCH = ("fetch", "--quiet", "--force", "--prune", "--update-head-ok", "--no-auto-maintenance", "--")
REFS = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*", "+HEAD:refs/template/HEAD")
# Neither another repository, in whose hook this runs, nor a hook of the user's has a part in it.
OWN = ("git", "-c", f"core.hooksPath={os.devnull}", "--git-dir=.git", "--work-tree=.")


def git(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    """Run git on a folder's own repository, and return how it ended."""
    return subprocess.run([*OWN, *words], cwd=folder, check=False, capture_output=True, encoding="utf-8")


def commit_of(clone: Path, name: str) -> str:
    """Return the commit that has a name, or nothing."""
    return git(clone, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}").stdout.strip()


def recorded(record: Path) -> "tuple[str, str]":
    """Return address and commit, the first of each, in a copy's template.toml; Python 3.10 has no TOML parser."""
    text = record.read_text(encoding="utf-8", errors="replace") if record.is_file() else ""
    found = dict(re.findall(r"(?m)^\s*[\"']?(address|commit)[\"']?\s*=\s*[\"']([^\"'\n]+)[\"']", text)[::-1])
    if len(found) == 1 or not found:
        sys.exit("template.py: template.toml has no address and commit; bring it back: git log --patch template.toml")
    return found["address"], found["commit"]


def find(clone: Path, places: "list[str]", wanted: str, known: str) -> str:
    """Return the commit that is wanted, or the newest release, from the first place that also has the known one."""
    for place in places:
        fetched = git(clone, *FETCH, place, *REFS)
        tags = git(clone, "tag", "--list", "--sort=-version:refname").stdout.split()
        releases = [tag for tag in tags if re.fullmatch(r"v\d+\.\d+\.\d+", tag)]
        name = wanted or (releases or ["refs/template/HEAD"])[0]
        missing = [each for each in dict.fromkeys((name, known)) if each and not commit_of(clone, each)]
        if not missing and not fetched.returncode:
            return commit_of(clone, name)
        said = fetched.stderr or f"it has no {' and no '.join(missing)}, but {', '.join(releases[:5]) or 'no release'}"
    shown = " or ".join(re.sub("//[^/@]*@", "//", each) for each in places)  # without a password
    said = f"the template cannot be had from {shown}: {' '.join(said.split())}"
    sys.exit(f"template.py: {said}; if it has moved: make template-update FROM=ADDRESS")


def fetch(root: Path, clone: Path, words: "list[str]", address: str, commit: str) -> None:
    """Check out the version of the template that a command is for."""
    given, wanted = {name: os.environ.get(name, "") for name in os.environ.get("GIVEN", "").split()}, commit
    given.update((name.upper(), value) for name, value in re.findall(r"(?m)^--(to|from)[=\n](.*)", "\n".join(words)))
    # A copy that was made on this machine knows where; the newest is at the template's own address.
    places = [git(root, "config", "--get", "template.folder").stdout.strip(), address] if commit else [address]
    if words[0] == "update":
        moved, wanted = given.get("FROM", ""), given.get("TO", "")
        places = [str(root / moved) if (root / moved).is_dir() else moved] if moved else places[::-1]
    git(clone, "init", "--quiet", "--template=")
    for lock in (clone / ".git").rglob("*.lock"):  # A git that was ended has left it.
        lock.unlink()
    fixed = wanted if re.fullmatch("[0-9a-f]{40,64}", wanted) else f"refs/tags/{wanted}"
    there = commit_of(clone, fixed) if wanted and address in places and commit_of(clone, commit) else ""
    found = there or find(clone, list(filter(None, places)), wanted, commit)
    done = git(clone, "checkout", "--quiet", "--force", "--detach", found)
    if done.returncode:
        sys.exit(f"template.py: remove {clone}, and try again: {' '.join(done.stderr.split())}")


def main(root: Path, words: "list[str]") -> int:
    """Find the workshop that a command asks for, and start it."""
    for name in git(root, "rev-parse", "--local-env-vars").stdout.split():
        os.environ.pop(name, None)
    if not words or words[0] not in COMMANDS:
        with suppress(AttributeError, OSError):  # Nobody reads it.
            sys.stderr.write(f"usage: template.py is called with one of: {', '.join(COMMANDS)}\n")
        return 2
    record, home, start = root / "template.toml", root, Path("workshop", "start.py")
    if words[0] == "new" and not record.is_file():
        with tempfile.TemporaryDirectory(prefix="template-") as folder:
            fetch(root, Path(folder), words, TEMPLATE, "")
            return subprocess.run([sys.executable, Path(folder, start), *words], check=False).returncode
    if not (root / start).is_file():
        (home := root / "target" / "template").mkdir(parents=True, exist_ok=True)
        fetch(root, home, words, *recorded(record))
    command = [sys.executable, str(home / start), *words]
    if os.name != "nt":
        os.execv(command[0], command)  # noqa: S606 - in this one's place, so that it gets the signals
    return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    try:
        sys.exit(main(Path(__file__).resolve().parents[1], sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
    except OSError as error:
        sys.exit(f"template.py: {error.filename}: {error.strerror}; put that right, and try again")
