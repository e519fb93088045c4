"""Whole releases against golden folders: the plan, what the remote then holds, and what is left in the checkout.

golden/<case>/in/ is the state before: CHANGELOG.md, the news fragments, and the version of the three files;
plan.txt is the plan, without what any other edit of the project changes; out/ is the state after. What is written by
hand are the fragments in in/; this writes all else anew, and compares what it releases as the tests do:

    .venv/bin/python workshop/tests/test_release_golden.py

Read the difference before you commit it.
"""

import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from releases import DAY, IDENTITY, PROJECT, Place, copy_place, fingerprint, make_place, set_version
from roadworthy.releasing.files import VERSION_FILES

GOLDEN = Path(__file__).parent / "golden"


@dataclass(frozen=True)
class Case:
    """A release: its folder in golden/, what is out before it, and how it is asked for."""

    name: str
    version: str
    after: str = ""
    branch: str = "main"
    starts_from: str = ""
    options: tuple[str, ...] = ()

    @property
    def tag(self) -> str:
        return f"v{self.version}"

    @property
    def base(self) -> str:
        """The case whose out/ is the state from which in/ differs by new fragments only."""
        return self.starts_from or self.after

    @property
    def command(self) -> tuple[str, ...]:
        return (self.version, *self.options)


CASES = (
    Case("first", "0.1.0"),
    Case("next", "0.2.0", after="first"),
    Case("patch", "0.2.1", after="next"),
    Case("maintenance", "0.1.1", after="next", branch="0.1.x", starts_from="first", options=("--branch=0.1.x",)),
    Case("chain/1-alpha1", "0.3.0-alpha1", after="next"),
    Case("chain/2-alpha2", "0.3.0-alpha2", after="chain/1-alpha1"),
    Case("chain/3-beta1", "0.3.0-beta1", after="chain/2-alpha2"),
    Case("chain/4-rc1", "0.3.0-rc1", after="chain/3-beta1"),
    Case("chain/5-final", "0.3.0", after="chain/4-rc1"),
    Case("pull-request/1-branch", "0.2.0", after="first", options=("--via=pr",)),
)
BY_NAME = {case.name: case for case in CASES}
PULL = BY_NAME["pull-request/1-branch"]
# Its plan is the only file: the merge has brought the rest.
TAG = "pull-request/2-tag"
# How a pull request gets into main, and the subject of the commit that it is there.
WAYS = {"merge": "Merge pull request #7", "squash": "Release 0.2.0 (#7)", "rebase": "Release 0.2.0"}


def golden(folder: str) -> dict[str, str]:
    """Map each file of a golden folder to its text."""
    files = (path for path in (GOLDEN / folder).rglob("*") if path.is_file())
    return {path.relative_to(GOLDEN / folder).as_posix(): path.read_text(encoding="utf-8") for path in files}


def is_fragment(name: str) -> bool:
    return re.fullmatch(r"changelog\.d/[^/]+\.[a-z]+\.md", name) is not None


def fragments(state: dict[str, str]) -> dict[str, str]:
    return {name: text for name, text in state.items() if is_fragment(name)}


class Places:
    """Places in which one case after the other has been released; each is made once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.made: dict[str, Place] = {}

    def released(self, name: str) -> Place:
        """Return a place in which a case has been released, not to be changed; without a name none has been."""
        if name not in self.made:
            folder = self.folder / f"after-{name.replace('/', '-')}"
            place = self.ready(BY_NAME[name], folder) if name else make_place(folder)
            if name:
                done = place.release(*BY_NAME[name].command, "--yes")
                assert done.returncode == 0, done.stderr
            self.made[name] = place
        return self.made[name]

    def ready(self, case: Case, folder: Path) -> Place:
        """Return a new place in which a case is to be released: in/ is on the remote."""
        place = copy_place(self.released(case.after), folder)
        if case.branch != "main":
            place.git("switch", "--quiet", "--create", case.branch, f"v{BY_NAME[case.base].version}")
            place.git("push", "--quiet", "--set-upstream", "origin", case.branch)
        state = golden(f"{case.name}/in")
        set_version(place, state.pop("version").strip())
        for path in (place.checkout / "changelog.d").iterdir():
            if is_fragment(f"changelog.d/{path.name}"):
                path.unlink()
        for name, text in state.items():
            place.write(name, text)
        place.commit("Prepare")
        return place


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Places:
    return Places(tmp_path_factory.mktemp("places"))


def state_of(place: Place, ref: str) -> dict[str, str]:
    """Return what a commit of the remote holds of a golden state."""
    names = place.git("ls-tree", "-r", "--name-only", ref, cwd=place.remote).splitlines()
    state = {name: place.shown(name, ref) for name in names if name == "CHANGELOG.md" or is_fragment(name)}
    found = {
        name: re.search(rf'name = "{PROJECT.name}"\nversion = "(.+)"', place.shown(name, ref)) for name in VERSION_FILES
    }
    versions = {match[1] if match else name for name, match in found.items()}
    return {**state, "version": "\n".join(sorted(versions)) + "\n"}


def normalised(plan: str) -> str:
    """Take out of a plan what an edit of something else, or another machine, would change."""
    head, changes, rest = re.split(r"(?s)(?<=\n)(changes:\n.*?\n)(?=\n\S)", plan)
    kept = re.findall(r"^(?:changes:|  (?:diff|\+|-|none).*)\n", changes, re.MULTILINE)
    here, built, ci = re.split(r"(?s)(?<=\n)(built and tested here.*?\n)(?=\n\S)", rest)
    # What the lists hold, and in which order, depends on CI.yml and on the name of the project.
    built, ci = (
        re.sub(r"^(?:  \S+(?:\.whl|\.tar\.gz)\n)+", "  <artefacts>\n", text, flags=re.MULTILINE) for text in (built, ci)
    )
    text = head + "".join(kept) + here + built + ci
    return re.sub(r"\b[0-9a-f]{10}\b", "<commit>", text).rstrip() + "\n"


def parts(plan: str) -> dict[str, str]:
    """Map the titles of a plan to what stands below each."""
    found = re.findall(r"^(\S.*):\n((?:(?:  .*)?\n)+)", plan, re.MULTILINE)
    return {title: re.sub(r"^  ", "", text, flags=re.MULTILINE).rstrip("\n") for title, text in found}


def everything(place: Place) -> set[tuple[str, str]]:
    """Return all that is in the checkout and all refs of the remote, to be compared."""
    return set(fingerprint(place.checkout).items()) | set(place.refs().items())


def dry_run(place: Place, case: Case) -> str:
    """Return the plan, after a comparison of everything that it must leave alone."""
    before = everything(place)
    dry = place.release(*case.command, "--dry-run")
    assert dry.returncode == 0, dry.stderr
    assert before ^ everything(place) == set()
    return dry.stdout


def real_run(place: Place, case: Case, plan: str) -> dict[str, str]:
    """Release as planned, and return the refs of the remote that this changed: those of the plan and no other."""
    before = place.refs()
    done = place.release(*case.command, "--yes")
    assert done.returncode == 0, done.stderr
    assert done.stdout[: len(plan)] == plan
    changed = {name: what for name, what in place.refs().items() if before.get(name) != what}
    changed = {name: what for name, what in changed.items() if name.startswith("refs/") and not name.endswith("^{}")}
    planned = parts(plan)["pushed to origin, all or nothing"]
    assert planned.splitlines() == [f"{name}  {what[:10]}" for name, what in changed.items()]
    return changed


def without_blanks(text: str) -> str:
    """Take away the blanks at the ends of lines, which a plan leaves out."""
    return re.sub(r"[ \t]+$", "", text, flags=re.MULTILINE)


def check_commit(place: Place, case: Case, plan: dict[str, str], commit: str, parent: str) -> None:
    """Compare the commit on the remote with what the plan says about it."""
    subject = place.git("log", "-1", "--format=%B", commit, cwd=place.remote).strip()
    title = f"release {case.version} of {case.branch} on origin"
    assert plan[title] == f"{subject} ({commit[:10]} on {parent[:10]})"
    assert place.git("rev-list", "--parents", "-1", commit, cwd=place.remote) == f"{commit} {parent}"
    diff = place.git("diff", "--unified=1", "--no-renames", parent, commit, cwd=place.remote)
    assert plan["changes"] == without_blanks(diff)


def check_tag(place: Place, case: Case, plan: dict[str, str], tag: str, commit: str) -> None:
    """Compare the tag on the remote with what the plan says about it."""
    header, annotation = place.git("cat-file", "tag", tag, cwd=place.remote).split("\n\n", 1)
    assert header.startswith(f"object {commit}\ntype commit\ntag {case.tag}\ntagger {IDENTITY['user.name']} ")
    assert plan[f"tag {case.tag}, annotated"] == without_blanks(annotation).rstrip()
    assert annotation.startswith(f"{PROJECT.name} {case.version}\n\n### ")


def check_section(place: Place, case: Case, plan: dict[str, str], commit: str) -> None:
    """Compare the changelog on the remote with the plan, with the fragments, and with what it was before."""
    before, after = golden(f"{case.name}/in"), state_of(place, commit)
    section = plan["changelog"]
    assert section.startswith(f"## {case.version} ({DAY})\n")
    marker = "<!-- news fragments are written below this line -->\n"
    head, earlier = before["CHANGELOG.md"].split(marker)
    assert without_blanks(after["CHANGELOG.md"]) == f"{head}{marker}\n{section}\n{earlier}"
    for text in fragments(before).values():
        assert section.count(text.splitlines()[0]) == 1
    assert after["version"] == f"{case.version}\n"


def check_checkout(place: Place, commit: str) -> None:
    """The checkout has nothing to commit and follows the release."""
    assert place.git("status", "--porcelain") == ""
    assert place.git("rev-parse", "HEAD") == commit
    assert (place.checkout / "changelog.d" / "README.md").is_file()


def play(places: Places, case: Case, folder: Path) -> dict[str, str]:
    """Release a case and compare everything; return what is to be in its golden folder beside in/."""
    place = places.ready(case, folder)
    parent = place.git("rev-parse", "HEAD")
    assert state_of(place, parent) == golden(f"{case.name}/in")
    text = dry_run(place, case)
    plan, left_alone = parts(text), fingerprint(place.checkout)
    pushed = real_run(place, case, text)
    branch, *tags = pushed
    commit = pushed[branch]
    check_commit(place, case, plan, commit, parent)
    check_section(place, case, plan, commit)
    if case.options == ("--via=pr",):
        assert branch == f"refs/heads/release/{case.tag}"
        assert tags == []
        assert fingerprint(place.checkout) == left_alone
    else:
        assert branch == f"refs/heads/{case.branch}"
        assert tags == [f"refs/tags/{case.tag}"]
        check_tag(place, case, plan, pushed[tags[0]], commit)
        check_checkout(place, commit)
    # Other cases may begin here.
    places.made.setdefault(case.name, place)
    return {"plan.txt": normalised(text), **{f"out/{name}": each for name, each in state_of(place, commit).items()}}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_release_is_what_its_plan_says_and_what_is_expected(places: Places, tmp_path: Path, case: Case) -> None:
    expected = {name: text for name, text in golden(case.name).items() if not name.startswith("in/")}
    played = play(places, case, tmp_path / "place")
    assert played.keys() == expected.keys()
    for name, text in expected.items():
        assert played[name] == text, name


@pytest.mark.parametrize("case", [case for case in CASES if case.base], ids=lambda case: case.name)
def test_each_case_begins_with_what_the_one_before_it_left(case: Case) -> None:
    left, now = golden(f"{case.base}/out"), golden(f"{case.name}/in")
    assert {name: now.get(name) for name in left} == left
    assert set(now) - set(left) == set(fragments(now)) - set(left)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_final_release_consumes_the_fragments_and_a_prerelease_keeps_them(case: Case) -> None:
    waiting, left = (fragments(golden(f"{case.name}/{state}")) for state in ("in", "out"))
    assert waiting
    assert left == (waiting if "-" in case.version else {})


def test_the_cases_hold_what_is_easily_got_wrong() -> None:
    waiting = fragments(golden("next/in"))
    assert {name.split(".")[-2] for name in waiting} == {
        "added",
        "changed",
        "deprecated",
        "removed",
        "fixed",
        "security",
    }
    assert len(set(waiting.values())) == len(waiting) - 1
    assert any("0.2.0" in text for text in waiting.values())
    assert golden("chain/2-alpha2/out").keys() == golden("chain/3-beta1/in").keys()


def merge(place: Place, way: str, *, busy: bool = False) -> str:
    """Merge the pull request on the remote, as a forge does it; return the commit that brought the version to main.

    Args:
        place: The place.
        way: Which button is pressed.
        busy: Whether main has moved on before, the branch is deleted afterwards, and main moves on again.
    """
    elsewhere, branch = Place(place.folder / "elsewhere"), f"release/{PULL.tag}"
    identity = (f"--config={key}={value}" for key, value in IDENTITY.items())
    place.git("clone", "--quiet", *identity, place.remote, elsewhere.checkout)
    if busy:
        elsewhere.fragment("+before.added.md")
    if way == "rebase":
        elsewhere.git("cherry-pick", "--ff", f"origin/{branch}")
    else:
        how = ("--no-ff", "--no-commit") if way == "merge" else ("--squash",)
        elsewhere.git("merge", "--quiet", *how, f"origin/{branch}")
        elsewhere.git("commit", "--quiet", f"--message={WAYS[way]}")
    brought = elsewhere.git("rev-parse", "HEAD")
    elsewhere.git("push", "--quiet", "origin", "main")
    if busy:
        elsewhere.git("push", "--quiet", "origin", "--delete", branch)
        elsewhere.fragment("+after.added.md")
    return brought


def play_tag(place: Place, way: str, *, busy: bool) -> str:
    """Merge a pull request, release what it brought, and compare everything; return the plan."""
    brought = merge(place, way, busy=busy)
    place.git("pull", "--quiet", "--ff-only")
    head = place.git("rev-parse", "HEAD")
    text = dry_run(place, PULL)
    plan = parts(text)
    title = f"{WAYS[way]} ({brought[:10]} on "
    assert plan[f"release {PULL.version} of main on origin"][: len(title)] == title
    pushed = real_run(place, PULL, text)
    assert list(pushed) == [f"refs/tags/{PULL.tag}"]
    check_tag(place, PULL, plan, pushed[f"refs/tags/{PULL.tag}"], brought)
    assert place.git("rev-parse", f"{PULL.tag}^{{}}") == brought
    check_checkout(place, head)
    return normalised(text.replace(title, f"<subject> ({brought[:10]} on "))


@pytest.mark.parametrize("busy", [False, True], ids=["quiet", "busy"])
@pytest.mark.parametrize("way", WAYS)
def test_after_the_merge_the_same_command_tags_the_commit_that_brought_the_version(
    places: Places, tmp_path: Path, way: str, busy: bool
) -> None:
    place = copy_place(places.released(PULL.name), tmp_path / "place")
    assert play_tag(place, way, busy=busy) == golden(TAG)["plan.txt"]
    merged = golden(PULL.name)
    expected = {name.removeprefix("out/"): text for name, text in merged.items() if name.startswith("out/")}
    came = {f"changelog.d/+{when}.added.md": "Something is new.\n" for when in ("before", "after") if busy}
    assert state_of(place, "main") == expected | came
    before = everything(place)
    again = place.release(*PULL.command, "--yes")
    assert again.returncode == 0, again.stderr
    assert again.stdout.startswith("0.2.0 is already released: v0.2.0 on origin is ")
    assert before ^ everything(place) == set()


@pytest.mark.parametrize("how", ["--yes", "--dry-run"])
def test_before_the_merge_the_same_command_says_that_it_waits(places: Places, how: str) -> None:
    place = places.released(PULL.name)
    before = everything(place)
    waiting = place.release(*PULL.command, how)
    assert waiting.returncode == 0, waiting.stderr
    assert waiting.stdout.startswith("release/v0.2.0 waits to be merged into main")
    assert before ^ everything(place) == set()


def test_after_the_merge_a_checkout_that_is_behind_is_told_to_pull(places: Places, tmp_path: Path) -> None:
    place = copy_place(places.released(PULL.name), tmp_path / "place")
    merge(place, "squash")
    before = everything(place)
    behind = place.release(*PULL.command, "--yes")
    assert "git pull" in behind.stdout + behind.stderr
    assert before ^ everything(place) == set()


def write(name: str, files: dict[str, str]) -> None:
    """Write files into a golden folder."""
    for file, text in files.items():
        path = GOLDEN / name / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")


def write_all(folder: Path) -> None:
    """Write the golden folders anew, from the fragments in their in/."""
    places = Places(folder)
    for case in CASES:
        if case.base:
            write(f"{case.name}/in", golden(f"{case.base}/out"))
        shutil.rmtree(GOLDEN / case.name / "out", ignore_errors=True)
        write(case.name, play(places, case, folder / case.name))
    place = copy_place(places.released(PULL.name), folder / "merged")
    write(TAG, {"plan.txt": play_tag(place, "rebase", busy=False)})


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        write_all(Path(temporary))
