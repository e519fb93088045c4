"""The release command with what people's machines and servers bring along: configuration, hooks, signing, races."""

import os
import pty
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.version import Version

from helpers import run
from release_points import DRIVER
from releases import MOMENT, PROJECT, Place, environment, fingerprint
from roadworthy.building.toolchain import host_triple
from roadworthy.releasing.github import Forge
from roadworthy.repository import Repository


def require_released(place: Place, version: str = "0.2.0") -> None:
    """Make sure that the remote and the checkout both stand at the release."""
    refs = place.refs()
    assert refs["refs/heads/main"] == refs[f"refs/tags/v{version}^{{}}"] == place.git("rev-parse", "HEAD")
    assert place.git("status", "--porcelain") == ""


def test_the_plan_names_every_artefact(place: Place) -> None:
    done = place.release("0.2.0", "--dry-run")
    assert done.returncode == 0, done.stderr
    lists = re.findall(r"\n(?:built|built and tested) (?:here|by).*:\n((?:  \S+\n)+)", done.stdout)
    version, platforms = Version("0.2.0"), PROJECT.platform_tags
    names = [PROJECT.wheel_name(python, target, version) for target in platforms for python in PROJECT.python_tags]
    here = [name for name in names if name.endswith(f"-{platforms[host_triple(PROJECT)]}.whl")]
    sdist = PROJECT.sdist_name(version)
    assert [sorted(text.split()) for text in lists] == [sorted([sdist, *here]), sorted([sdist, *names])]


def test_the_release_is_one_commit_and_one_annotated_tag_and_the_checkout_follows(place: Place) -> None:
    parent = place.git("rev-parse", "HEAD")
    done = place.release("0.2.0", "--yes")
    assert done.returncode == 0, done.stderr
    require_released(place)
    assert place.git("rev-parse", "HEAD^") == parent
    assert place.git("log", "-1", "--format=%s%n%an <%ae>") == "Release 0.2.0\nTest <test@localhost>"
    assert place.git("cat-file", "-t", "v0.2.0") == "tag"
    assert place.git("rev-list", "--count", f"{parent}..HEAD") == "1"
    assert set(place.refs()) == {"HEAD", "refs/heads/main", "refs/tags/v0.2.0", "refs/tags/v0.2.0^{}"}


def test_the_first_version_may_be_below_the_one_in_the_files_and_the_next_comes_after_it(place: Place) -> None:
    """So the name can be had by 0.1.0-alpha1, as `make doctor` advises, where the files say 0.1.0."""
    assert place.release("0.1.0-alpha1", "--yes").returncode == 0
    require_released(place, "0.1.0-alpha1")
    assert place.git("diff", "--name-only", "HEAD^").split() == [
        *("CHANGELOG.md", "Cargo.lock", "Cargo.toml", "pyproject.toml")
    ]
    refused = place.release("0.0.9", "--yes")
    assert "0.0.9 is not greater than what is released on this line: v0.1.0-alpha1" in refused.stderr
    assert place.release("0.1.0", "--yes").returncode == 0
    require_released(place, "0.1.0")
    assert place.git("ls-files", "changelog.d/*.added.md") == ""
    assert re.findall(r"(?m)^## (\S+)", place.read("CHANGELOG.md")) == ["0.1.0", "0.1.0-alpha1"]


def test_the_same_command_again_says_that_it_is_released_even_without_a_terminal(place: Place) -> None:
    place.release("0.2.0", "--yes")
    before = fingerprint(place.checkout)
    again = place.release("0.2.0")
    assert (again.returncode, again.stderr.count("problem")) == (0, 0)
    assert "0.2.0 is already released" in again.stdout
    assert {name for name, what in fingerprint(place.checkout).items() if before.get(name) != what} == set()


def test_a_checkout_that_missed_its_own_release_is_brought_forward(place: Place) -> None:
    place.release("0.2.0", "--yes")
    place.git("reset", "--quiet", "--hard", "HEAD^")
    place.git("tag", "--delete", "v0.2.0")
    assert "already released" in place.release("0.2.0", "--yes").stdout
    require_released(place)
    assert place.git("tag") == "v0.2.0"


def test_a_dry_run_of_a_version_that_is_out_moves_nothing(place: Place) -> None:
    place.release("0.2.0", "--yes")
    place.git("reset", "--quiet", "--hard", "HEAD^")
    before = fingerprint(place.checkout)
    assert "already released" in place.release("0.2.0", "--dry-run").stdout
    assert fingerprint(place.checkout) == before


def test_no_scratch_folder_is_left(place: Place) -> None:
    (place.folder / "tmp").mkdir()
    for arguments in (["0.2.0", "--dry-run"], ["0.0.1", "--yes"], ["0.2.0", "--yes"]):
        place.release(*arguments, TMPDIR=str(place.folder / "tmp"))
        assert list((place.folder / "tmp").iterdir()) == []


# ---- configuration -------------------------------------------------------------------------------------------------


def ssh_key(folder: Path) -> Path:
    """Make a key to sign with."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / "key")], check=True)
    return folder / "key"


@pytest.mark.skipif(not shutil.which("ssh-keygen"), reason="there is no ssh-keygen to sign with")
def test_identity_and_signing_of_this_repository_alone_reach_the_pushed_commit_and_tag(place: Place) -> None:
    key = ssh_key(place.folder)
    for name, value in {
        "user.name": "Only Here",
        "user.email": "here@localhost",
        "gpg.format": "ssh",
        "user.signingKey": f"{key}.pub",
        "commit.gpgSign": "true",
        "tag.gpgSign": "true",
    }.items():
        place.git("config", name, value)
    assert place.release("0.2.0", "--yes").returncode == 0
    require_released(place)
    allowed = place.folder / "allowed"
    allowed.write_text(f"here@localhost {(place.folder / 'key.pub').read_text()}", encoding="utf-8")
    place.git("config", "gpg.ssh.allowedSignersFile", allowed)
    place.git("verify-commit", "HEAD")
    place.git("verify-tag", "v0.2.0")
    assert place.git("log", "-1", "--format=%an %ae %cn") == "Only Here here@localhost Only Here"
    # What git is asked of a commit is not mixed with what it says of the signature.
    place.git("config", "log.showSignature", "true")
    assert Repository(place.checkout).commit_time() == int(MOMENT.split()[0])


def test_an_identity_that_the_user_keeps_for_some_folders_only_is_used(place: Place) -> None:
    for name in ("user.name", "user.email"):
        place.git("config", "--unset", name)
    work = place.folder / "work.inc"
    work.write_text("[user]\nname = At Work\nemail = work@localhost\n", encoding="utf-8")
    config = place.folder / "gitconfig"
    condition = f'[user]\nname = At Home\nemail = home@localhost\n[includeIf "gitdir:{place.folder}/"]\npath = {work}\n'
    config.write_text(condition, encoding="utf-8")
    assert place.release("0.2.0", "--yes", GIT_CONFIG_GLOBAL=str(config)).returncode == 0
    assert place.git("log", "-1", "--format=%an %ae") == "At Work work@localhost"


def set_url(place: Place, url: str, **more: str) -> None:
    place.git("remote", "set-url", "origin", url)
    for name, value in more.items():
        place.git("config", name.replace("__", "."), value)


def test_a_remote_that_is_a_relative_path_is_found(place: Place) -> None:
    set_url(place, "../remote.git")
    assert place.release("0.2.0", "--yes").returncode == 0
    require_released(place)


@pytest.mark.parametrize("rule", ["insteadOf", "pushInsteadOf"])
def test_an_address_is_rewritten_once_as_this_repository_says(place: Place, rule: str) -> None:
    set_url(place, "short:remote.git" if rule == "insteadOf" else str(place.remote))
    other = place.folder / "other.git"
    shutil.copytree(place.remote, other)
    if rule == "insteadOf":
        place.git("config", f"url.{place.folder}/.insteadOf", "short:")
    else:
        place.git("config", f"url.{other}.pushInsteadOf", str(place.remote))
    done = place.release("0.2.0", "--yes")
    if rule == "insteadOf":
        assert done.returncode == 0, done.stderr
        require_released(place)
    else:
        # Reading and pushing reach two places, so what was pushed is not seen: told, and not taken for done.
        assert done.returncode == 1
        assert "went through, and reading from origin does not show it" in done.stderr


def test_a_push_address_of_its_own_is_where_the_release_is_looked_for_and_sent(place: Place) -> None:
    other = place.folder / "fork.git"
    shutil.copytree(place.remote, other)
    set_url(place, str(place.remote))
    place.git("config", "remote.origin.pushUrl", str(other))
    before = place.refs()
    place.release("0.2.0", "--yes")
    assert place.refs() == before
    assert "refs/tags/v0.2.0" in place.git("ls-remote", other)


def test_another_remote_than_origin_is_used_when_it_is_named(place: Place) -> None:
    place.git("remote", "rename", "origin", "upstream")
    assert place.release("0.2.0", "--yes", "--remote=upstream").returncode == 0
    require_released(place)


@pytest.mark.parametrize("setting", ["push.followTags", "remote.origin.mirror", "push.autoSetupRemote"])
def test_nothing_but_the_two_refs_is_pushed_whatever_pushing_is_configured_to_do(place: Place, setting: str) -> None:
    place.git("tag", "--annotate", "--message=stray", "stray")
    place.git("branch", "stray-branch")
    place.git("config", setting, "true")
    assert place.release("0.2.0", "--yes").returncode == 0
    assert set(place.refs()) == {"HEAD", "refs/heads/main", "refs/tags/v0.2.0", "refs/tags/v0.2.0^{}"}


HOOKS = (
    *("pre-commit", "prepare-commit-msg", "commit-msg", "post-commit", "pre-push", "post-checkout", "post-merge"),
    *("reference-transaction", "post-index-change", "pre-merge-commit"),
)


@pytest.mark.parametrize("where", ["repository", "global"])
def test_no_hook_of_this_machine_runs_and_those_of_the_checkout_are_named(place: Place, where: str) -> None:
    hooks = place.checkout / ".git" / "hooks" if where == "repository" else place.folder / "hooks"
    hooks.mkdir(exist_ok=True)
    ran = place.folder / "ran"
    for hook in HOOKS:
        (hooks / hook).write_text(f"#!/bin/sh\necho {hook} >> '{ran}'\necho more >> README.md\n", encoding="utf-8")
        (hooks / hook).chmod(0o755)
    # The server, which is on this machine here, has hooks of its own.
    place.git("config", "core.hooksPath", place.remote / "hooks", cwd=place.remote)
    config = place.folder / "gitconfig"
    config.write_text(f"[core]\nhooksPath = {hooks}\n" if where == "global" else "", encoding="utf-8")
    done = place.release("0.2.0", "--yes", GIT_CONFIG_GLOBAL=str(config))
    assert done.returncode == 0, done.stderr
    assert not ran.exists(), ran.read_text()
    assert "hooks that do not run for a release: commit-msg, post-checkout" in done.stderr
    require_released(place)


def test_a_linked_worktree_releases_like_any_checkout(place: Place) -> None:
    place.git("switch", "--quiet", "--create", "elsewhere")
    linked = Place(place.folder / "linked")
    linked.folder.mkdir()
    place.git("worktree", "add", "--quiet", linked.checkout, "main")
    assert linked.release("0.2.0", "--yes").returncode == 0
    assert linked.git("rev-parse", "HEAD") == place.refs()["refs/heads/main"]


# ---- servers and other people ----------------------------------------------------------------------------------------


def add_hook(place: Place, name: str, body: str) -> None:
    hook = place.remote / "hooks" / name
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    hook.chmod(0o755)


@pytest.mark.parametrize(
    ("hook", "body", "remedy"),
    [
        ("pre-receive", "echo 'closed today' >&2; exit 1", "ask who runs the server"),
        ("update", 'case "$1" in refs/heads/*) echo "GH006: Protected branch" >&2; exit 1;; esac', "VIA=pr"),
        ("update", 'case "$1" in refs/tags/*) echo "no tags" >&2; exit 1;; esac', "ask who runs the server"),
    ],
    ids=["everything", "the branch", "the tag"],
)
def test_a_server_that_refuses_one_of_the_two_gets_neither(place: Place, hook: str, body: str, remedy: str) -> None:
    before, refs = fingerprint(place.checkout), place.refs()
    add_hook(place, hook, body)
    done = place.release("0.2.0", "--yes")
    assert done.returncode == 1
    assert "refused the push" in done.stderr
    assert remedy in done.stderr
    assert (fingerprint(place.checkout), place.refs()) == (before, refs)


def test_a_connection_that_breaks_after_the_server_has_taken_all_is_no_failure(place: Place) -> None:
    breaks = place.folder / "receive-pack"
    breaks.write_text('#!/bin/sh\ngit-receive-pack "$@"\nexit 1\n', encoding="utf-8")
    breaks.chmod(0o755)
    place.git("config", "remote.origin.receivepack", breaks)
    done = place.release("0.2.0", "--yes")
    assert done.returncode == 0, done.stderr
    require_released(place)


@pytest.fixture
def daemon(place: Place) -> Iterator[str]:
    """Serve the place's remote by git's own protocol on loopback, and return its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ("--export-all", "--reuseaddr", "--enable=receive-pack", "--listen=127.0.0.1", f"--port={port}")
    command = ["git", "daemon", *options, f"--base-path={place.folder}", str(place.folder)]
    server = subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True)
    url = f"git://127.0.0.1:{port}/remote.git"
    try:
        while run("git", "ls-remote", url).returncode:
            assert server.poll() is None
            time.sleep(0.05)
        yield url
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait()


@pytest.mark.parametrize("hook", ["pre-receive", "post-receive", None])
def test_a_server_that_drops_the_connection_has_taken_all_or_nothing(
    place: Place, daemon: str, hook: str | None
) -> None:
    set_url(place, daemon)
    place.git("fetch", "--quiet", "origin")
    if hook:
        add_hook(place, hook, "kill -KILL $PPID")
    before, refs = fingerprint(place.checkout), place.refs()
    done = place.release("0.2.0", "--yes")
    if hook == "pre-receive":
        assert done.returncode == 1
        assert "refused the push, so nothing changed there" in done.stderr
        assert (fingerprint(place.checkout), place.refs()) == (before, refs)
        (place.remote / "hooks" / hook).unlink()
        done = place.release("0.2.0", "--yes")
    assert done.returncode == 0, done.stderr
    require_released(place)


def test_of_two_people_who_release_at_the_same_moment_one_wins_and_the_other_is_told(place: Place) -> None:
    other = Place(place.folder / "other")
    other.folder.mkdir()
    shutil.copytree(place.checkout, other.checkout, symlinks=True)
    # Its commit shall be another one.
    place.git("config", "user.name", "Somebody Else", cwd=other.checkout)
    # Holds the first push back until the second one has come.
    add_hook(place, "pre-receive", f"touch '{place.folder}/'$$.pushing\nsleep 2")
    env = {name: value for name, value in {**os.environ, **environment()}.items() if value is not None}
    command = [sys.executable, "scripts/release.py", "0.2.0", "--yes"]
    both = [
        subprocess.Popen(command, cwd=each.checkout, env=env, stdout=-1, stderr=-1, stdin=subprocess.DEVNULL, text=True)
        for each in (place, other)
    ]
    said = [process.communicate(timeout=120) for process in both]
    assert sorted(process.returncode for process in both) == [0, 1], said
    (loser,) = [index for index, process in enumerate(both) if process.returncode]
    assert "meanwhile" in said[loser][1]
    assert len(list(place.folder.glob("*.pushing"))) >= 1
    winner = (place, other)[1 - loser]
    assert place.refs()["refs/heads/main"] == winner.git("rev-parse", "HEAD")
    again = (place, other)[loser].release("0.2.0", "--yes")
    assert "already released" in again.stdout, again.stderr


def test_a_checkout_that_cannot_follow_is_a_note_because_the_release_is_out(place: Place) -> None:
    # While the release runs, somebody edits a file that it changes.
    place.write("scripts/build.py", f"open({str(place.checkout / 'CHANGELOG.md')!r}, 'a').write('mine')\n")
    place.commit()
    done = place.release("0.2.0", "--yes")
    assert done.returncode == 0
    assert "the release is out, but this checkout was left as it is" in done.stderr
    assert place.read("CHANGELOG.md").endswith("mine")
    assert "refs/tags/v0.2.0" in place.refs()


def test_artefacts_that_fail_their_proof_stop_the_release(place: Place) -> None:
    place.write("scripts/verify_install.py", "raise SystemExit('CPython 3.10: no wheel fits')\n")
    place.commit()
    before, refs = fingerprint(place.checkout), place.refs()
    done = place.release("0.2.0", "--yes")
    assert done.returncode == 1
    assert "CPython 3.10: no wheel fits" in done.stderr
    assert (fingerprint(place.checkout), place.refs()) == (before, refs)


@pytest.mark.parametrize(
    ("tool", "text"),
    [
        ("replace = '\\g<1>{new_version}'", "replace = '\\g<1>9.9.9'"),
        ("replace = '\\g<1>{new_version}'", "replace = '\\g<1>{new_version}\"\\n# \"'"),
        ('start_string = "<!-- news fragments are written below this line -->\\n"', 'start_string = "# Changelog\\n"'),
    ],
    ids=["another version", "one line more", "another place"],
)
def test_an_edit_that_is_not_what_it_should_be_is_not_committed(place: Place, tool: str, text: str) -> None:
    place.replace("pyproject.toml", tool, text)
    place.commit()
    before, refs = fingerprint(place.checkout), place.refs()
    done = place.release("0.2.0", "--yes")
    if "start_string" in tool:
        assert done.returncode == 0, "a marker of one's own choice is fine"
        return
    assert done.returncode == 1
    assert "after the edits" in done.stderr or "changed by" in done.stderr
    assert (fingerprint(place.checkout), place.refs()) == (before, refs)


def test_a_merged_commit_that_locks_other_tools_is_proved_with_its_own(place: Place) -> None:
    assert place.release("0.2.0", "--yes", "--via=pr").returncode == 0
    place.git("fetch", "--quiet", "origin", "release/v0.2.0")
    place.git("merge", "--quiet", "--ff-only", "FETCH_HEAD")
    place.git("push", "--quiet", "origin", "main")
    place.write("requirements/tools.txt", place.read("requirements/tools.txt") + "# later\n")
    seen = "import sys\nraise SystemExit(f'proved by {sys.prefix}')\n"
    place.write("scripts/build.py", seen)
    place.commit("Move on")
    # The commit that brought the version still has the script that does nothing, and the other lock.
    log = place.folder / "steps"
    driver = (sys.executable, DRIVER, "count", 0, place.remote, log)
    done = run(*driver, "0.2.0", "--yes", "--via=pr", cwd=place.checkout, **environment())
    assert done.returncode == 0, done.stderr
    steps = log.read_text(encoding="utf-8")
    assert "scripts/bootstrap.py" in steps
    assert "/clone/.venv/bin/python scripts/build.py" in steps
    assert place.refs()["refs/tags/v0.2.0^{}"] == place.git("rev-parse", "HEAD^")


# ---- the terminal ----------------------------------------------------------------------------------------------------


def on_a_terminal(place: Place, answer: str, *, hang_up: bool = False, interrupts: int = 0) -> tuple[int, str]:
    """Release on a pseudo-terminal, and answer the question; or close it, or press Ctrl-C, when it is asked."""
    env = {name: value for name, value in {**os.environ, **environment(), "TERM": "xterm"}.items() if value is not None}
    child, terminal = pty.fork()
    if child == 0:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        os.chdir(place.checkout)
        os.execve(sys.executable, [sys.executable, "scripts/release.py", "0.2.0"], env)  # noqa: S606 - a fixed command
    said, deadline, again = "", time.monotonic() + 60, 0.0
    while time.monotonic() < deadline:
        ready, _, _ = select.select([terminal], [], [], 1)
        if ready:
            try:
                said += os.read(terminal, 65536).decode(errors="replace")
            except OSError:
                break
        if "[y/n]" in said and time.monotonic() > again:
            # What Python is told in the moment before it begins to read, it does not notice: one presses again.
            again = time.monotonic() + 5 if interrupts else deadline
            if hang_up:
                os.close(terminal)
                break
            for _ in range(interrupts):
                os.kill(child, signal.SIGINT)
            if not interrupts:
                os.write(terminal, f"{answer}\n".encode())
    else:
        os.kill(child, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), said


@pytest.mark.parametrize("answer", ["n", ""])
def test_without_a_clear_yes_nothing_is_pushed(place: Place, answer: str) -> None:
    before, refs = fingerprint(place.checkout), place.refs()
    code, said = on_a_terminal(place, answer)
    assert code == 1
    assert "nothing was pushed" in said
    assert (fingerprint(place.checkout), place.refs()) == (before, refs)


def test_a_yes_pushes_and_the_steps_are_shown_with_their_times(place: Place) -> None:
    code, said = on_a_terminal(place, "y")
    assert code == 0, said
    assert " s  look at the checkout and at the remote" in said
    require_released(place)


@pytest.mark.parametrize("how", [{"hang_up": True}, {"interrupts": 1}, {"interrupts": 2}], ids=str)
def test_a_closed_terminal_or_an_interrupt_leaves_everything_as_it_was(place: Place, how: dict[str, int]) -> None:
    before, refs = fingerprint(place.checkout), place.refs()
    code, said = on_a_terminal(place, "", **how)  # type: ignore[arg-type]
    assert code in ({-signal.SIGHUP, 1} if "hang_up" in how else {130, -signal.SIGINT})
    assert "Traceback" not in said
    assert (fingerprint(place.checkout), place.refs()) == (before, refs)
    assert place.release("0.2.0", "--yes").returncode == 0
    require_released(place)


# ---- what follows ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "page"),
    [
        ("git@github.com:owner/widget.git", "https://github.com/owner/widget"),
        ("https://github.com/owner/widget", "https://github.com/owner/widget"),
        ("https://token@github.com/owner/widget.git/", "https://github.com/owner/widget"),
        ("ssh://git@github.com/owner/git", "https://github.com/owner/git"),
        ("ssh://git@ssh.github.com:443/owner/my.git.git", "https://github.com/owner/my.git"),
        ("git@github.example.com:team/widget", "https://github.example.com/team/widget"),
        ("https://github.example.com:8443/team/widget.git", "https://github.example.com/team/widget"),
    ],
)
def test_the_page_of_a_repository_follows_from_any_form_of_its_address(address: str, page: str) -> None:
    forge = Forge.of(PROJECT, address)
    assert forge is not None
    assert forge.page == page
    assert forge.runs("v0.2.0") == f"{page}/actions/workflows/CI.yml?query=branch%3Av0.2.0"


@pytest.mark.parametrize("address", ["/srv/git/widget.git", "../widget.git", "file:///srv/widget.git", "C:/widget", ""])
def test_an_address_that_is_not_on_a_web_server_has_no_page(address: str) -> None:
    assert Forge.of(PROJECT, address) is None


def test_afterwards_it_says_how_to_watch_to_verify_and_what_to_do_if_ci_fails(place: Place) -> None:
    said = place.release("0.2.0", "--yes").stdout
    for words in ("gh run watch", "make verify VERSION=0.2.0", "gh run rerun --failed"):
        assert words in said


def test_the_real_checkout_of_this_project_is_never_what_the_tests_release() -> None:
    assert "v0.2.0" not in run("git", "tag", cwd=PROJECT.root).stdout.split()
