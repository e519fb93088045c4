"""Every reason not to release, found before anything is changed: one function each; the page says which are asked.

A check takes the state and yields problems; a plain text that it yields is a note of what could not be checked.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib import metadata
from pathlib import Path

from roadworthy import processes as commands
from roadworthy.building.toolchain import GROUPS, fetch_crates, read_lock, require_rust
from roadworthy.crate import MANIFEST, find_unpublished
from roadworthy.declared import find_unpackable
from roadworthy.index import BusyError, Index, NotThereYetError
from roadworthy.project import Project
from roadworthy.releasing import files
from roadworthy.releasing.push import PUSH
from roadworthy.releasing.state import LIMIT, State, push_addresses
from roadworthy.releasing.version import next_version, stem, version_of_tag
from roadworthy.terminal import Problem, ProblemsError, err, listed, raise_problems

Check = Callable[[State], Iterator[Problem | str]]

# The first git that takes configuration from the environment.
OLDEST_GIT = (2, 31)
# Seconds that signing may take where nobody is there to type a passphrase, and that cargo's registry may.
SIGNING_LIMIT = REGISTRY_LIMIT = 30


def check_branch(state: State) -> Iterator[Problem]:
    """The checkout is on the branch that is released from."""
    current, wanted = state.checkout.branch, state.branch
    if state.project.checkout.ask("rev-parse", "--is-shallow-repository") == "true":
        yield Problem("this clone is shallow: earlier releases cannot be seen", "run: git fetch --unshallow --tags")
    if not wanted and state.remote.refs:
        yield Problem(f"{state.remote.name} does not say which branch is its default", "name it with BRANCH=")
    if current is None:
        yield Problem("no branch is checked out (detached HEAD)", f"run: git switch {wanted or '<branch>'}")
    elif wanted and current != wanted:
        remedy = f"run: git switch {wanted}; or, for a maintenance line, add BRANCH={current}"
        yield Problem(f"{current} is checked out, and {wanted} is released from", remedy)
    default, version = state.remote.default_branch, state.release
    if default and wanted != default:
        if version.of_line(wanted) is None:
            what = f"{wanted} is neither the default branch, {default}, nor named like a maintenance line"
            yield Problem(what, f"name the branch after its line, such as {stem(version.package)}0.1.x")
        elif not version.of_line(wanted):
            remedy = f"release it from {default}, or another"
            yield Problem(f"{version.text} is no version of the line {wanted}", remedy)


def check_tree(state: State) -> Iterator[Problem]:
    """Nothing differs from the commit, and no other git command is half way."""
    # Fragments that are not tracked are told with all else about fragments.
    fragments = files.table(state.read)["directory"]
    if changed := state.checkout.changed:
        yield Problem(f"there are changes that are not committed: {listed(changed)}", "commit them, or run: git stash")
    if untracked := [name for name in state.checkout.untracked if not name.startswith(f"{fragments}/")]:
        remedy = "commit them, remove them, or name them in .gitignore"
        yield Problem(f"there are files that git neither tracks nor ignores: {listed(untracked)}", remedy)
    folder = Path(state.project.checkout.ask("rev-parse", "--absolute-git-dir"))
    begun = {"MERGE_HEAD": "merge", "CHERRY_PICK_HEAD": "cherry-pick", "REVERT_HEAD": "revert", "BISECT_LOG": "bisect"}
    begun |= {"rebase-merge": "rebase", "rebase-apply": "rebase"}
    signs = {name: f"a {command} is half way" for name, command in begun.items()}
    for name, what in {"index.lock": "another git command runs, or was killed", **signs}.items():
        if (folder / name).exists():
            yield Problem(f"{what}: {name} is there", f"end it; if nothing runs any more, remove {folder / name}")


def check_remote(state: State) -> Iterator[Problem]:
    """There is one remote, it answers, and its branch is the commit that is checked out."""
    remote = state.remote
    addresses = push_addresses(state.project.root, state.settings, remote.name)
    if len(addresses) > 1:
        what = f"{remote.name} pushes to {len(addresses)} addresses, so a push could half happen"
        yield Problem(what, "leave one of them: git config --edit; or name another remote with REMOTE=")
    if not addresses:
        known = state.project.checkout.ask("remote").splitlines()
        there = f"here are: {', '.join(known)}" if known else "there is none at all"
        yield Problem(f"there is no remote {remote.name}; {there}", "name one with REMOTE=, or run: git remote add")
    elif remote.unreachable:
        works = f"see that this works: git ls-remote {remote.name}"
        yield Problem(f"the remote {remote.name} cannot be read: {remote.unreachable}", works)
    elif not remote.refs:
        yield Problem(f"the remote {remote.name} is empty", f"run: git push --set-upstream {remote.name} HEAD")
    elif state.branch:
        yield from compare_heads(state)


def compare_heads(state: State) -> Iterator[Problem]:
    """The branch is on the remote what it is here."""
    git, head, there, remote = state.project.checkout, state.checkout.head, state.remote_head, state.remote.name
    name, push = f"{state.branch} on {remote}", f"run: git push {remote} {state.branch}"
    if there is None:
        yield Problem(f"there is no {name}", push)
    elif there in state.ancestors:
        if there != head:
            count = git.ask("rev-list", "--count", f"{there}..{head}")
            what = f"the checkout is {count} commits ahead of {name}"
            yield Problem(what, f"{push}; a release is of what others can see")
    else:
        # The remote's commits are perhaps not here, so what is here is compared with what was fetched last.
        own = git.ask("rev-list", "--count", "HEAD", "--not", f"--remotes={remote}")
        if own == "0" or git.run("merge-base", "--is-ancestor", head, there).returncode == 0:
            yield Problem(f"the checkout is behind {name}", "run: git pull --ff-only")
        else:
            yield Problem(f"the checkout and {name} have diverged", "run: git pull --rebase; and push")


def check_tags(state: State) -> Iterator[Problem]:
    """The tag is free here and there, in every spelling, and no earlier attempt is left."""
    release, remote, local = state.release, state.remote, state.checkout.refs
    there, here = remote.tags, {ref.removeprefix("refs/tags/") for ref in local if ref.startswith("refs/tags/")}
    if release.tag in here and release.tag not in there and not remote.unreachable:
        what = f"the tag {release.tag} is here and not on {remote.name}: a leftover of an earlier attempt"
        yield Problem(what, f"run: git tag --delete {release.tag}")
    for name in sorted({*there, *here} - {release.tag}):
        if version_of_tag(name, release.package) == release.version:
            where = remote.name if name in there else "here"
            yield Problem(f"the tag {name} ({where}) is the same version as {release.text}", "release the next version")
    new = (f"refs/tags/{release.tag}", *([f"refs/heads/{release.branch}"] if state.request.via_pr else []))
    for ref in sorted({*(each.removesuffix("^{}") for each in remote.refs), *(f"refs/tags/{name}" for name in here)}):
        for own in (each for each in new if each.startswith(f"{ref}/") or ref.startswith(f"{each}/")):
            what = f"beside {ref} there can be no {own}: git would need a file and a folder of one name"
            yield Problem(what, f"rename or delete {ref}, here and on {remote.name}")
    if f"refs/heads/{release.branch}" in local:
        what = f"the branch {release.branch} is here: a leftover of an earlier attempt"
        yield Problem(what, f"look at it, then run: git branch --delete --force {release.branch}")
    if f"refs/heads/{release.branch}" in remote.refs and not state.request.via_pr:
        remedy = f"add VIA=pr to finish it, or run: git push {remote.name} --delete {release.branch}"
        yield Problem(f"{release.branch} is on {remote.name}: a release by pull request is under way", remedy)


def check_order(state: State) -> Iterator[Problem]:
    """The version is greater than every one released on this line, and not below the one in the files.

    Where nothing is released at all, what stands in the files is no promise: the first version may be any one.
    """
    release, tags = state.release, state.remote.tags
    versions = {name: version for name in tags if (version := version_of_tag(name, release.package))}
    here = [(version, name) for name, version in versions.items() if tags[name] in state.ancestors]
    newest, name = max(here, default=(None, ""))
    if newest is not None and release.version < newest:
        what = f"{release.text} is not greater than what is released on this line: {name}"
        yield Problem(what, f"choose a version after {newest}")
    standing = files.versions(state.read)["pyproject.toml"]
    in_files = version_of_tag(standing)
    if versions and in_files is not None and release.version < in_files and (newest is None or newest < in_files):
        what = f"{release.text} is below the version in the files, {standing}"
        yield Problem(what, f"choose {standing} or a later one")


def check_files(state: State) -> Iterator[Problem | str]:
    """Versions, dependencies, changelog and fragments of the commit are fit for a release."""
    yield from check_contents(state)
    yield from files.check_facts(state.project)
    if files.has_crate(state.read):
        yield from find_unpublished(files.part(state.read, MANIFEST))
    if state.merged:
        return
    yield from files.check_changelog(state.read, state.release, via_pr=state.request.via_pr)
    if not files.list_fragments(state.project.folder, state.fragments, state.read):
        folder = files.table(state.read)["directory"]
        what = f"no news fragment waits in {folder}/, so there is nothing to release"
        yield Problem(what, f"write one and commit it; {folder}/README.md says how")
    yield from files.check_fragments(state.project.folder, state.fragments, state.read)


def check_contents(state: State) -> Iterator[Problem | str]:
    """No file is left half merged, each can be shipped, and what tells of the package is the owner's."""
    markers = [word for pattern in ("^<{7} ", "^={7}$", "^>{7} ") for word in ("-e", pattern)]
    found = state.clone.run("grep", "-l", "-z", "-E", "--text", "--full-name", "--all-match", *markers, "HEAD").stdout
    for name in found.replace("HEAD:", "").split("\0")[:-1]:
        yield Problem(f"{name} has the markers of a conflict", "choose between the two sides, and commit")
    yield from find_unpackable(state.project)
    read = state.project.read_shared
    if not state.project.package and files.is_there(read, "template.toml"):
        yield from check_beginning(state, files.part(read, "template.toml").get("address"))


def check_beginning(state: State, template: str | None) -> Iterator[Problem | str]:
    """Nothing that a copy began with still tells of its template, by an address in it or versions of its own."""
    first = state.clone.ask("rev-list", "--max-parents=0", "HEAD").split()[-1]
    released = {version_of_tag(ref.split("/")[-1]) for ref in (*state.remote.tags, *state.checkout.refs)}
    changelog = files.changelog(state.read)
    for name in (name for name in ("README.md", changelog) if files.is_there(state.read, name)):
        began, now = state.clone.run("show", f"{first}:{name}").stdout, state.read(name)
        versions = {text.splitlines()[0]: version_of_tag(name) for name, text in files.sections(began).items()}
        for line in (line for line in now.splitlines() if line in began.splitlines()):
            foreign = name == changelog and line in versions and versions[line] not in released
            if foreign or (template and f"{template}/" in line):
                remedy = "take out what is not about your package, and commit"
                yield Problem(f"{name} still tells of the template that it is from: {line[:80]}", remedy)
                break
        else:
            if began == now and name == "README.md":
                yield f"{name} is as the template made it: does it tell what this package is?"


def check_lock(state: State) -> Iterator[Problem | str]:
    """Cargo.lock fits Cargo.toml; its crates are on this machine, or are fetched, and none of them is yanked."""
    files.versions(state.read)  # A file that cannot be read is named by this, once.
    if not files.has_crate(state.read):
        return
    require_rust(state.project)  # What check_tools says of it is not said in cargo's words, too.
    fetch_crates(state.project)
    yield from check_yanked(state.project, state.clone.folder.parent / "yanked")


def check_yanked(project: Project, folder: Path) -> Iterator[Problem | str]:
    """No locked crate is yanked: cargo refuses to lock one anew, for a crate in `folder` that needs exactly those."""
    crates = [(each["name"], each["version"]) for each in project.locked_crates if "registry" in each.get("source", "")]
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "lib.rs").touch()
    manifest, env = folder / MANIFEST, {**commands.tool_environment(os.environ), "CARGO_NET_RETRY": "0"}
    while True:
        lines = ["[package]", 'name = "asks"', 'version = "0.0.0"', 'edition = "2021"', "[dependencies]"]
        for number, (name, version) in enumerate(crates):
            lines.append(f'c{number} = {{ package = "{name}", version = "={version}", default-features = false }}')
        manifest.write_text("\n".join(lines), encoding="utf-8")
        ask = ("cargo", "generate-lockfile", f"--manifest-path={manifest}")
        asked = commands.run(*ask, cwd=project.root, env=env, check=False, timeout=REGISTRY_LIMIT)
        yanked = re.search(r'requirement `([^ ]+) = "=(.+)"`\s+version .+ is yanked', asked.stderr)
        if not yanked or yanked.groups() not in crates:
            break
        crates.remove((yanked[1], yanked[2]))
        what = f"Cargo.lock has {yanked[1]} {yanked[2]}, which is yanked"
        yield Problem(what, f"run: cargo update {yanked[1]}; and commit")
    if asked.returncode:
        yield f"not checked: whether crates are yanked ({' '.join(asked.stderr.split())[-200:]})"


def check_tools(state: State) -> Iterator[Problem]:
    """The tools are those that are locked, and those of the machine are new enough."""
    wrong = []
    for wanted in (each for group in GROUPS for each in read_lock(state.project, group)):
        # The first one is what is imported.
        installed = next((each.version for each in metadata.distributions(name=wanted.name)), None)
        fits = installed and wanted.specifier.contains(installed, prereleases=True)
        if not fits and (wanted.marker is None or wanted.marker.evaluate()):
            wrong.append(f"{wanted} ({installed or 'none'} is installed)")
    if wrong:
        yield Problem(f"tools are not those of requirements/: {listed(wrong)}", "remove .venv, then run: make setup")
    found = state.project.checkout.ask("version").split()[2]
    if tuple(map(int, re.findall(r"\d+", found)[:2])) < OLDEST_GIT:
        yield Problem(f"git {found} is too old", f"install git {'.'.join(map(str, OLDEST_GIT))} or newer")
    if files.has_crate(state.read):
        files.part(state.read, "Cargo.toml", "package")  # Names the file where it cannot be read.
        require_rust(state.project)


def check_disk(_: State, needed: int = 1_000_000_000) -> Iterator[Problem]:
    """There is room for the build: so many bytes, default: 1 GB, of which one from nothing needs a quarter."""
    folder = tempfile.gettempdir()
    free = shutil.disk_usage(folder).free
    if free < needed:
        what = f"{folder} has {free / 1e9:.1f} GB free, and a build needs {needed / 1e9:.0f} GB"
        yield Problem(what, "make room, or set TMPDIR to a folder with more")


def check_identity(state: State) -> Iterator[Problem]:
    """Git knows who commits, and can sign if it is to."""
    clone = state.clone
    asked = [clone.run("-c", "user.useConfigOnly=true", "var", f"GIT_{who}_IDENT") for who in ("AUTHOR", "COMMITTER")]
    if any(each.returncode for each in asked):
        remedy = "run: git config user.name <name>; and: git config user.email <address>"
        yield Problem("git does not know who you are, so it cannot commit", remedy)
        return
    limit, message = None if sys.stdin.isatty() else SIGNING_LIMIT, ("-m", "signing works")
    for what, switches, *command in (
        ("commits", ("commit.gpgsign",), "commit-tree", "-S", *message, "HEAD^{tree}"),
        ("tags", ("tag.gpgsign", "tag.forcesignannotated"), "tag", "-s", *message, "signing-works", "HEAD"),
    ):
        signs = any(clone.run("config", "--type=bool", name).stdout.strip() == "true" for name in switches)
        if signs and (tried := clone.run(*command, timeout=limit)).returncode:
            remedy = "repair user.signingKey, gpg.format and the key's agent, or turn it off: git config --list"
            reason = " ".join(tried.stderr.split())[:300]
            yield Problem(f"{what} are to be signed, and that does not work: {reason}", remedy)


def check_push(state: State) -> Iterator[Problem]:
    """The server would take a push, as far as it shows that to a dry one: rights, and `--atomic`."""
    remote, tag = state.remote, state.release.tag
    if remote.unreachable or not remote.refs or tag in remote.tags or state.remote_head != state.checkout.head:
        return
    refs = (f"HEAD:refs/heads/{state.branch}", f"HEAD:refs/tags/{tag}")
    tried = state.clone.run("push", "--dry-run", *PUSH, remote.name, *refs, timeout=LIMIT)
    if tried.returncode:
        reason = " ".join(f"{tried.stderr} {tried.stdout}".split())
        remedy = f"see: git push --dry-run --atomic {remote.name} HEAD; or ask who runs the server"
        yield Problem(f"{remote.name} would refuse the push: {reason[:400]}", remedy)


def check_published(state: State) -> Iterator[Problem | str]:
    """Nobody has published the version; a file name can be used once, whatever became of it."""
    import requests  # noqa: PLC0415 - longer to import than all other checks take, which go on meanwhile

    text, index = state.release.text, Index.named("pypi")
    try:
        served = index.files(state.project.name, state.release.version)
    except (BusyError, requests.RequestException, ValueError) as error:
        reason = error if isinstance(error, BusyError) else f"{index} cannot be asked: {type(error).__name__}"
        yield f"not checked: whether {text} is published ({reason})"
    except NotThereYetError:
        return
    else:
        what = f"{text} is published already, without a tag here: {', '.join(file.filename for file in served)}"
        yield Problem(what, f"its names cannot be used again; release {next_version(text)}")


def check_terminal(state: State) -> Iterator[Problem]:
    """Somebody is there to confirm the push, or has done so."""
    if not (state.request.yes or state.request.dry_run or sys.stdin.isatty()):
        yield Problem("there is no terminal to ask at before the push", "add YES=1, or DRY_RUN=1")


def check_hooks(state: State) -> Iterator[str]:
    """No hook of this checkout runs for a release, which says so."""
    folder = state.project.root / state.project.checkout.ask("rev-parse", "--git-path", "hooks")
    hooks = sorted(path.name for path in folder.glob("*") if path.suffix != ".sample") if folder.is_dir() else []
    if hooks:
        yield f"hooks that do not run for a release: {', '.join(hooks)}"


def require(state: State, checks: Sequence[Check]) -> None:
    """Ask every check, all at the same time, show what could not be checked, and raise ProblemsError with the rest."""
    _ = state.ancestors  # Two checks need it, and only one has to ask.
    with ThreadPoolExecutor(len(checks)) as pool:
        found = [each for of_one in pool.map(partial(ask, state), checks) for each in of_one]
    for note in (each for each in found if isinstance(each, str)):
        err.print(f"note: {note}")
    # A file that cannot be read is found by several checks.
    raise_problems(dict.fromkeys(each for each in found if isinstance(each, Problem)))


def ask(state: State, check: Check) -> list[Problem | str]:
    """Return what a check finds; what it cannot read is a problem too."""
    found, failed = list[Problem | str](), ""
    try:
        # What was found before the rest cannot be judged stays found.
        found.extend(check(state))
    except ProblemsError as error:
        found += error.problems
    except subprocess.CalledProcessError as error:
        failed = f"{shlex.join(error.cmd)}: {' '.join(str(error.stderr).split())}"
    except (AttributeError, OSError, LookupError, TypeError, ValueError) as error:
        failed = f"{type(error).__name__}: {error}"
    if failed:
        found.append(Problem(f"this could not be judged: {check.__doc__} {failed}", "repair the file that it names"))
    return found
