# /// script
# requires-python = ">=3.10"
# dependencies = []
# ///
"""The door to the workshop: copies of the template, what brings them its improvements, and rehearsals of a release.

In the template the workshop is beside this file. In a copy the template is fetched into target/template/, at the commit
that template.toml records, or for an update at the newest release; what is there already is not asked for again. By
itself this file makes copies: uv run ADDRESS-OF-THIS-FILE new turbo-frob. It needs Python and git alone, so that it
works whatever an update has left behind.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

TEMPLATE = "https://github.com/rust-wheelwrights/ferrous-wheel"  # as in its pyproject.toml
# What each command needs of requirements/.
GROUPS = {"new": ("tools",), "update": ("tools",), "rehearse": ("tools", "build", "workshop")}
REFS = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*", "+HEAD:refs/template/HEAD")


def git(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    """Run git, and return how it ended."""
    return subprocess.run(["git", *words], cwd=folder, check=False, capture_output=True, encoding="utf-8")


def given(name: str, words: "list[str]") -> str:
    """Return what make, or the command line, gives under a name, or nothing."""
    by_make = os.environ.get(name, "") if name in os.environ.get("GIVEN", "").split() else ""
    return next((word.partition("=")[2] for word in words if word.startswith(f"--{name.lower()}=")), by_make)


def recorded(root: Path) -> "tuple[str, str]":
    """Return the address and the commit in a copy's template.toml, without a TOML parser, which 3.10 has not."""
    text = (root / "template.toml").read_text(encoding="utf-8")
    found = dict(re.findall(r"(?m)^\s*(address|commit)\s*=\s*[\"']([^\"'\n]+)[\"']", text))
    if not {"address", "commit"} <= found.keys():
        sys.exit("template.py: template.toml has no address and commit; bring it back: git log --patch template.toml")
    return found["address"], found["commit"]


def find(clone: Path, addresses: "list[str]", wanted: str) -> str:
    """Return a commit: the one that is wanted, or the newest release; fetched from the first address that has it."""
    said = git(clone, "init", "--quiet", "--template=").stderr
    if re.fullmatch("[0-9a-f]{40,64}", wanted) and not git(clone, "cat-file", "-e", f"{wanted}^{{commit}}").returncode:
        return wanted
    for address in addresses:
        fetched = git(clone, "fetch", "--quiet", "--force", "--update-head-ok", "--", address, *REFS)
        tags = git(clone, "tag", "--list", "--sort=-version:refname").stdout.split()
        releases = [tag for tag in tags if re.fullmatch(r"v\d+\.\d+\.\d+", tag)]
        name = wanted or (releases or ["refs/template/HEAD"])[0]
        found = git(clone, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}").stdout.strip()
        if found and not fetched.returncode:
            return found
        said = fetched.stderr or f"it has no {name}, but {', '.join(releases[:5]) or 'no release'}"
    what = f"the template cannot be had from {' or '.join(addresses)}: {' '.join(said.split())}"
    sys.exit(f"template.py: {what}; if it has moved: make template-update FROM=ADDRESS")


def become(command: "list[str]", environment: "dict[str, str]") -> int:
    """Run another program in this one's place, so that it gets the signals; Windows has no such thing."""
    if os.name != "nt":
        os.execve(command[0], command, environment)  # noqa: S606 - as it would be started
    return subprocess.run(command, env=environment, check=False).returncode


def start(folder: Path, words: "list[str]") -> int:
    """Start the workshop of a folder, with its own engine and what it has locked; it works on the current folder."""
    # What make was given here is not for the make that sets it up.
    environment = {name: value for name, value in os.environ.items() if name not in ("GIVEN", "MAKEFLAGS", "MFLAGS")}
    stamps = [f".venv/{group}.stamp" for group in GROUPS[words[0]]]
    if subprocess.run(["make", "--silent", "-C", folder, *stamps], env=environment, check=False).returncode:
        return 1
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join([str(folder), str(folder / "roadworthy" / "src")]))
    python = folder / ".venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    return become([str(python), "-m", "workshop", *words], environment)


def main(root: Path, words: "list[str]") -> int:
    """Find the workshop that a command asks for, and start it."""
    is_copy, is_template = (root / "template.toml").is_file(), (root / "workshop").is_dir()
    commands = list(GROUPS) if is_copy or is_template else ["new"]
    if not words or words[0] not in commands:
        sys.stderr.write(f"usage: template.py is called with one of: {', '.join(commands)}\n")
        return 2
    if is_template:
        return start(root, words)
    with tempfile.TemporaryDirectory(prefix="template-", ignore_cleanup_errors=True) as temporary:
        clone = root / "target" / "template" if is_copy else Path(temporary)
        clone.mkdir(parents=True, exist_ok=True)
        address, commit = recorded(root) if is_copy else (TEMPLATE, "")
        # Where this copy was made, if it was on this machine.
        beside = git(root, "config", "--get", "template.folder").stdout.strip() if is_copy else ""
        places = [each for each in (beside, address) if each]
        if words[0] == "update":
            # The newest is at the template's own address.
            commit, moved = given("TO", words), given("FROM", words)
            places = [moved] if moved else places[::-1]
        commit = find(clone, places, commit)
        done = git(clone, "checkout", "--quiet", "--force", "--detach", commit)
        if done.returncode:
            sys.exit(f"template.py: remove {clone}, and try again: {' '.join(done.stderr.split())}")
        # Of that version, which knows what it needs.
        command = [sys.executable, str(clone / "scripts" / "template.py"), *words]
        return become(command, dict(os.environ)) if is_copy else subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    try:
        sys.exit(main(Path(__file__).resolve().parents[1], sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
    except OSError as error:
        sys.exit(f"template.py: {error.filename}: {error.strerror}")
