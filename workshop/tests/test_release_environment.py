"""What the environment and git's configuration may say, and what a release does not listen to: these refuse nothing."""

import shutil
from pathlib import Path

import pytest

from helpers import run
from refusals import Case, Step, check_refused, git, script, seen, variables
from releases import Place, copy_place, environment, fingerprint, make_place

DIRTY = ("there are files that git neither tracks nor ignores: notes.txt", "commit them, remove them, or name them")
# A program that writes a file where it may be seen.
SPY = "PLACE/elsewhere/spy"

# The name of a variable, or of several, and what it says.
VARIABLES: dict[str, dict[str, str]] = {
    "GIT_DIR": {"GIT_DIR": "PLACE/elsewhere/.git"},
    "GIT_WORK_TREE": {"GIT_WORK_TREE": "PLACE/elsewhere"},
    "GIT_DIR and GIT_WORK_TREE": {"GIT_DIR": "PLACE/elsewhere/.git", "GIT_WORK_TREE": "PLACE/elsewhere"},
    "GIT_INDEX_FILE": {"GIT_INDEX_FILE": "PLACE/elsewhere/.git/index"},
    "GIT_OBJECT_DIRECTORY": {"GIT_OBJECT_DIRECTORY": "PLACE/elsewhere/.git/objects"},
    "GIT_ALTERNATE_OBJECT_DIRECTORIES": {"GIT_ALTERNATE_OBJECT_DIRECTORIES": "PLACE/nowhere"},
    "GIT_COMMON_DIR": {"GIT_COMMON_DIR": "PLACE/elsewhere/.git"},
    "GIT_NAMESPACE": {"GIT_NAMESPACE": "other"},
    "GIT_CONFIG_COUNT": {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "core.fsmonitor",
        "GIT_CONFIG_VALUE_0": SPY,
    },
    "GIT_CONFIG_PARAMETERS": {"GIT_CONFIG_PARAMETERS": "'core.bare'='true'"},
    "GIT_TEMPLATE_DIR": {"GIT_TEMPLATE_DIR": "PLACE/elsewhere/template"},
    "GIT_EXTERNAL_DIFF": {"GIT_EXTERNAL_DIFF": SPY},
    "GIT_DIFF_OPTS": {"GIT_DIFF_OPTS": "--unified=9"},
    "GIT_EDITOR": {"GIT_EDITOR": SPY, "EDITOR": SPY, "VISUAL": SPY},
    "GIT_PAGER": {"GIT_PAGER": SPY, "PAGER": SPY},
    "GIT_DEFAULT_HASH": {"GIT_DEFAULT_HASH": "sha256"},
    "GIT_ICASE_PATHSPECS": {"GIT_ICASE_PATHSPECS": "1"},
    "GIT_LITERAL_PATHSPECS": {"GIT_LITERAL_PATHSPECS": "1"},
    "TZ": {"TZ": "Pacific/Kiritimati"},
    "LC_ALL": {"LC_ALL": "C", "LANGUAGE": "de"},
    "SOURCE_DATE_EPOCH": {"SOURCE_DATE_EPOCH": "1"},
    "CARGO_TARGET_DIR": {"CARGO_TARGET_DIR": "PLACE/elsewhere/target"},
    "PYTHONHASHSEED": {"PYTHONHASHSEED": "7"},
    "PYTHONOPTIMIZE": {"PYTHONOPTIMIZE": "2"},
    "BUMPVERSION_TAG": {"BUMPVERSION_TAG": "true", "BUMPVERSION_COMMIT": "true"},
    "COLUMNS": {"COLUMNS": "20", "LINES": "5"},
    "NO_COLOR": {"NO_COLOR": "1"},
}

# The name of a setting of the repository, and what it says.
SETTINGS: dict[str, str] = {
    "core.hooksPath": "PLACE/elsewhere/template/hooks",
    "core.fsmonitor": SPY,
    "core.attributesFile": "PLACE/elsewhere/attributes",
    "core.excludesFile": "PLACE/elsewhere/excludes",
    "core.autocrlf": "true",
    "core.eol": "crlf",
    "core.editor": SPY,
    "core.pager": SPY,
    "core.commentChar": "S",
    "core.quotePath": "false",
    "color.ui": "always",
    "commit.template": "PLACE/elsewhere/excludes",
    "commit.cleanup": "verbatim",
    "commit.verbose": "true",
    "diff.external": SPY,
    "diff.noprefix": "true",
    "diff.mnemonicPrefix": "true",
    "diff.context": "9",
    "gc.auto": "1",
    "i18n.commitEncoding": "ISO-8859-1",
    "init.templateDir": "PLACE/elsewhere/template",
    "log.showSignature": "true",
    "push.default": "nothing",
    "push.followTags": "true",
    "remote.origin.mirror": "true",
    "remote.origin.push": "refs/heads/*:refs/heads/*",
    "remote.origin.tagOpt": "--tags",
    "remote.pushDefault": "nowhere",
    "status.relativePaths": "true",
    "status.short": "true",
    "status.showUntrackedFiles": "no",
    "submodule.recurse": "true",
    "tag.sort": "-version:refname",
}


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Return a place in which 0.2.0 could be released, and beside it another repository with programs that spy."""
    place = make_place(tmp_path_factory.mktemp("template"))
    other = place.folder / "elsewhere"
    place.git("clone", "--quiet", place.remote, other)
    write_spies(other)
    return place


def write_spies(folder: Path) -> None:
    """Write programs and files that would leave a trace."""
    trace = 'echo "$0 $*" >> "$(dirname "$0")/trace"'
    script(folder / "spy", trace)
    for name in ("pre-commit", "commit-msg", "post-commit", "post-checkout", "pre-push", "reference-transaction"):
        script(folder / "template" / "hooks" / name, f"{trace}; exit 1")
    (folder / "attributes").write_text("* text eol=crlf\n*.toml binary\n", encoding="utf-8")
    (folder / "excludes").write_text("*\n", encoding="utf-8")


@pytest.fixture
def place(template: Place, tmp_path: Path) -> Place:
    """Return a place of its own."""
    place = copy_place(template, tmp_path / "place")
    place.write("notes.txt", "Mine.\n")
    return place


def check_without_effect(place: Place, step: Step) -> None:
    """See a release refused for what it is refused for anyway, and nothing written where the step leads to."""
    before = fingerprint(place.folder / "elsewhere")
    check_refused(place, Case((step,), (DIRTY,)))
    assert fingerprint(place.folder / "elsewhere") == before


@pytest.mark.parametrize("values", [pytest.param(values, id=name) for name, values in VARIABLES.items()])
def test_a_variable_leads_nowhere_else(place: Place, values: dict[str, str]) -> None:
    check_without_effect(place, variables(**values))


# What core.excludesFile excludes is no untracked file: it has a test of its own.
@pytest.mark.parametrize(("name", "value"), [pair for pair in SETTINGS.items() if pair[0] != "core.excludesFile"])
def test_a_setting_leads_nowhere_else(place: Place, name: str, value: str) -> None:
    check_without_effect(place, git("config", name, value))


def plan(place: Place, **given: str | None) -> str:
    """Return what a dry run prints."""
    planned = place.release("0.2.0", "--dry-run", **given)
    assert planned.returncode == 0, planned.stderr
    return planned.stdout


def test_no_variable_and_no_setting_changes_the_plan(place: Place) -> None:
    (place.checkout / "notes.txt").unlink()
    before, elsewhere, plain = seen(place), fingerprint(place.folder / "elsewhere"), plan(place)
    everything = {name: value for values in VARIABLES.values() for name, value in values.items()}
    given = variables(**everything)(place)
    assert isinstance(given, dict)
    assert plan(place, **given) == plain
    assert seen(place) == before
    for name, value in SETTINGS.items():
        git("config", name, value)(place)
    configured = seen(place)
    assert plan(place) == plain
    # The staging clone has the user's own configuration too.
    for name, value in {**SETTINGS, "core.ignoreStat": "true", "color.diff": "always", "color.grep": "always"}.items():
        git("config", "--file=PLACE/gitconfig", name, value)(place)
    assert plan(place, GIT_CONFIG_GLOBAL=str(place.folder / "gitconfig")) == plain
    assert seen(place) == configured
    assert fingerprint(place.folder / "elsewhere") == elsewhere


def test_colours_that_are_forced_are_not_in_the_plan(place: Place) -> None:
    (place.checkout / "notes.txt").unlink()
    assert plan(place, FORCE_COLOR="1") == plan(place)


def test_what_the_user_excludes_is_neither_refused_nor_released(place: Place) -> None:
    git("config", "core.excludesFile", "PLACE/elsewhere/excludes")(place)
    assert "notes.txt" not in plan(place)


def test_make_release_imports_nothing_from_elsewhere(place: Place) -> None:
    other = place.folder / "elsewhere"
    (other / "rich.py").write_text("raise SystemExit('not this one')\n", encoding="utf-8")
    shutil.copy(other / "rich.py", other / "releasing.py")
    before = seen(place), fingerprint(other)
    refused = run(
        *("make", "release", "VERSION=0.2.0", "YES=1"),
        cwd=place.checkout,
        **{**environment(), "PYTHONPATH": str(other)},
    )
    assert refused.returncode == 2
    assert f"problem: {DIRTY[0]}\n" in refused.stderr
    assert "not this one" not in refused.stderr
    assert (seen(place), fingerprint(other)) == before
