"""Refused on the command line, before anything else is read."""

import re
import sys
from pathlib import Path

import pytest
import release

from helpers import run
from releases import Place, copy_place, environment, fingerprint, make_place
from roadworthy.releasing.version import Release

WRITE = "write X.Y.Z, X.Y.Z-alphaN, X.Y.Z-betaN or X.Y.Z-rcN"
SEE = "; it takes VERSION, --dry-run, --yes, --remote, --branch, --via, --package\n"

# The kind of mistake, and a version with it.
VERSIONS = {
    "empty": "",
    "a dot": ".",
    "one number": "3",
    "two numbers": "0.3",
    "four numbers": "0.3.0.1",
    "nothing before the first dot": ".3.0",
    "nothing between the dots": "0..3",
    "nothing after the last dot": "0.3.",
    "a dot at the end": "0.3.0.",
    "a v in front": "v0.3.0",
    "a capital V in front": "V0.3.0",
    "the name of the package in front": "wheel-0.3.0",
    "the ref of the tag": "refs/tags/v0.3.0",
    "an operator in front": "==0.3.0",
    "a caret in front": "^0.3.0",
    "zero in front of the first number": "00.3.0",
    "zero in front of the second number": "0.03.0",
    "zero in front of the third number": "0.3.00",
    "zero in front of the stage's number": "0.3.0-rc01",
    "PEP 440 alpha": "0.3.0a1",
    "PEP 440 beta": "0.3.0b1",
    "PEP 440 release candidate": "0.3.0rc1",
    "PEP 440 development release": "0.3.0.dev1",
    "PEP 440 post-release": "0.3.0.post1",
    "PEP 440 implicit post-release": "0.3.0-1",
    "PEP 440 epoch": "1!0.3.0",
    "PEP 440 local version": "0.3.0+local.1",
    "PEP 440 c for a release candidate": "0.3.0-c1",
    "SemVer dot before the stage's number": "0.3.0-alpha.1",
    "SemVer stage without a number": "0.3.0-alpha",
    "SemVer stage of number zero": "0.3.0-alpha0",
    "SemVer stage of another name": "0.3.0-pre1",
    "SemVer stage of any name": "0.3.0-nightly.1",
    "SemVer build": "0.3.0-rc1+build.5",
    "Maven snapshot": "0.3.0-SNAPSHOT",
    "two stages": "0.3.0-alpha1-rc1",
    "a dash at the end": "0.3.0-",
    "two dashes": "0.3.0--rc1",
    "no dash": "0.3.0rc1-",
    "a dot for the dash": "0.3.0.rc1",
    "an underscore for the dash": "0.3.0_rc1",
    "a space for the dash": "0.3.0 rc1",
    "capital stage": "0.3.0-RC1",
    "capital first letter of the stage": "0.3.0-Alpha1",
    "comma for a dot": "0,3,0",
    "Arabic-Indic digit": "0.٣.0",
    "fullwidth digit": "0.\uff13.0",
    "superscript digit": "0.3².0",
    "fullwidth full stop": "0\uff0e3\uff0e0",
    "one dot leader": "0\u20243\u20240",
    "en dash": "0.3.0\u2013rc1",
    "non-breaking hyphen": "0.3.0\u2011rc1",
    "minus sign": "0.3.0\u2212rc1",
    "Cyrillic letter in the stage": "0.3.0-r\u04411",
    "letter o for a zero": "0.3.o",
    "space in front": " 0.3.0",
    "space behind": "0.3.0 ",
    "space inside": "0. 3.0",
    "line feed behind": "0.3.0\n",
    "carriage return behind": "0.3.0\r",
    "tab behind": "0.3.0\t",
    "line separator behind": "0.3.0\u2028",
    "no-break space behind": "0.3.0\u00a0",
    "zero width space inside": "0.3\u200b.0",
    "byte order mark in front": "\ufeff0.3.0",
    "right-to-left override": "\u202e0.3.0",
    "combining mark": "0.3.0\u0301",
    "escape sequence": "\x1b[31m0.3.0",
    "a byte that is no UTF-8": "0.3.0\udcff",
    "command substitution": "$(id)0.3.0",
    "back quotes": "`id`0.3.0",
    "variable": "$VERSION",
    "next command": "0.3.0;id",
    "pipe": "0.3.0|id",
    "background": "0.3.0&",
    "redirection": "0.3.0>out",
    "single quotes": "'0.3.0'",
    "double quotes": '"0.3.0"',
    "any characters": "0.3.*",
    "any of some characters": "0.[3-4].0",
    "home folder": "~",
    "backslash": "0.3.0\\",
    "comment": "0.3.0#1",
    "assignment": "VERSION=0.3.0",
    "an option": "--yes",
    "a short option": "-h",
    "two dashes alone": "--",
    "an option with a value": "--dry-run=1",
    "path": "./0.3.0",
    "parent folder": "../0.3.0",
    "address": "https://localhost/0.3.0",
    "two versions": "0.3.0 0.4.0",
    "ten digits": "0.3.1234567890",
    "ten digits of the stage": "0.3.0-rc1234567890",
    "five thousand digits": f"0.3.{'9' * 5000}",
    "negative": "-1.3.0",
    "positive": "+0.3.0",
    "exponent": "0.3.1e3",
    "hexadecimal": "0.0x3.0",
    "digits in groups": "0.1_000.0",
    "parentheses": "(0.3.0)",
    "markup": "[red]0.3.0[/red]",
    "format": "{0}.3.0",
    "percent": "0.3.0%n",
    "the word latest": "latest",
    "the word patch": "patch",
    "maintenance line": "0.3.x",
    "date": "2030-03-17",
    "commit": "37c518064b",
    "nothing": "None",
}

# The kind of mistake, the arguments, and what the one line that comes back says of it.
ARGUMENTS = {
    "no version": ([], "the following arguments are required: VERSION"),
    "no version after the options": (["--yes"], "the following arguments are required: VERSION"),
    "two versions": (["0.3.0", "0.4.0"], "unrecognized arguments: 0.4.0"),
    "version twice": (["0.3.0", "--version=0.4.0"], "VERSION is given twice"),
    "unknown option": (["0.3.0", "--force"], "unrecognized arguments: --force"),
    "unknown short option": (["0.3.0", "-y"], "unrecognized arguments: -y"),
    "abbreviated switch": (["0.3.0", "--dry"], "unrecognized arguments: --dry"),
    "abbreviated option with a value": (["0.3.0", "--rem=fork"], "unrecognized arguments: --rem=fork"),
    "option in capitals": (["0.3.0", "--YES"], "unrecognized arguments: --YES"),
    "option with an underscore": (["0.3.0", "--dry_run"], "unrecognized arguments: --dry_run"),
    "unknown option of two lines": (["0.3.0", "--a\nb"], "unrecognized arguments: --a"),
    "dry run of zero": (["0.3.0", "--dry-run=0"], "argument --dry-run: '0' is not 1"),
    "dry run of true": (["0.3.0", "--dry-run=true"], "argument --dry-run: 'true' is not 1"),
    "dry run of nothing": (["0.3.0", "--dry-run="], "argument --dry-run: '' is not 1"),
    "yes of no": (["0.3.0", "--yes=no"], "argument --yes: 'no' is not 1"),
    "yes of yes": (["0.3.0", "--yes", "yes"], "unrecognized arguments: yes"),
    "yes of nothing": (["0.3.0", "--yes="], "argument --yes: '' is not 1"),
    "unknown way": (["0.3.0", "--via=merge"], "argument --via: invalid choice: 'merge'"),
    "way of nothing": (["0.3.0", "--via="], "argument --via: invalid choice: ''"),
    "way in capitals": (["0.3.0", "--via=PR"], "argument --via: invalid choice: 'PR'"),
    "option without its value": (["0.3.0", "--remote"], "argument --remote: expected one argument"),
    "remote of nothing": (["0.3.0", "--remote="], "'' is no name of a remote"),
    "remote like an option": (["0.3.0", "--remote=--mirror"], "'--mirror' is no name of a remote"),
    "remote like a short option": (["0.3.0", "--remote=-f"], "'-f' is no name of a remote"),
    "address for a remote": (["0.3.0", "--remote=https://localhost/a.git"], "is no name of a remote"),
    "ssh address for a remote": (["0.3.0", "--remote=git@localhost:a.git"], "is no name of a remote"),
    "helper's address for a remote": (["0.3.0", "--remote=ext::sh -c id"], "is no name of a remote"),
    "folder for a remote": (["0.3.0", "--remote=/srv/a.git"], "'/srv/a.git' is no name of a remote"),
    "this folder for a remote": (["0.3.0", "--remote=."], "'.' is no name of a remote"),
    "parent folder for a remote": (["0.3.0", "--remote=../remote.git"], "'../remote.git' is no name of a remote"),
    "remote with a space": (["0.3.0", "--remote=my fork"], "'my fork' is no name of a remote"),
    "remote with a line feed": (["0.3.0", "--remote=origin\n"], r"'origin\n' is no name of a remote"),
    "branch of nothing": (["0.3.0", "--branch="], "'' is no name of a branch"),
    "branch like an option": (["0.3.0", "--branch=--all"], "'--all' is no name of a branch"),
    "branch with a space": (["0.3.0", "--branch=my work"], "'my work' is no name of a branch"),
    "branch of two dots": (["0.3.0", "--branch=a..b"], "'a..b' is no name of a branch"),
    "branch with a star": (["0.3.0", "--branch=*"], "'*' is no name of a branch"),
    "branch with a colon": (["0.3.0", "--branch=main:other"], "'main:other' is no name of a branch"),
    "branch with a plus": (["0.3.0", "--branch=+main"], "'+main' is no name of a branch"),
    "branch with a caret": (["0.3.0", "--branch=main^"], "'main^' is no name of a branch"),
    "branch of the reflog": (["0.3.0", "--branch=main@{1}"], "'main@{1}' is no name of a branch"),
    "branch with an empty part": (["0.3.0", "--branch=a//b"], "'a//b' is no name of a branch"),
    "branch ending in a slash": (["0.3.0", "--branch=main/"], "'main/' is no name of a branch"),
    "branch ending in a dot": (["0.3.0", "--branch=main."], "'main.' is no name of a branch"),
    "branch like a lock file": (["0.3.0", "--branch=main.lock"], "'main.lock' is no name of a branch"),
    "branch as a full ref": (["0.3.0", "--branch=refs/heads/main"], "'refs/heads/main' is no name of a branch"),
    "branch called HEAD": (["0.3.0", "--branch=HEAD"], "'HEAD' is no name of a branch"),
    "branch as a commit's parent": (["0.3.0", "--branch=main~1"], "'main~1' is no name of a branch"),
}

# The kind of mistake, what `make release` gets, and a pattern of what it says.
MADE = {
    "no version": ([], "the following arguments are required: VERSION"),
    "version of nothing": (["VERSION="], "'' is no version of a release"),
    "v in front": (["VERSION=v0.2.0"], "'v0.2.0' is no version of a release"),
    "option for a version": (["VERSION=--yes"], "'--yes' is no version of a release"),
    "command for a version": (["VERSION=$$(touch made)`touch made`"], "is no version of a release"),
    "dry run of zero": (["VERSION=0.2.0", "DRY_RUN=0"], "argument (--dry-run|DRY_RUN): '0' is not 1"),
    "yes of nothing": (["VERSION=0.2.0", "YES="], "argument (--yes|YES): '' is not 1"),
    "way of merge": (["VERSION=0.2.0", "VIA=merge"], "argument (--via|VIA): invalid choice: 'merge'"),
    "remote like an option": (["VERSION=0.2.0", "REMOTE=--all"], "'--all' is no name of a remote"),
    "unknown variable": (["VERSION=0.2.0", "FORCE=1"], "make release takes no (variable )?FORCE; it takes "),
    "mistyped version": (["VERISON=0.2.0"], "make release takes no (variable )?VERISON; it takes "),
    "mistyped dry run": (["VERSION=0.2.0", "DRYRUN=1"], "make release takes no (variable )?DRYRUN; it takes "),
    "lower-case dry run": (["VERSION=0.2.0", "dry_run=1"], "make release takes no (variable )?dry_run; it takes "),
    "lower-case version": (["version=0.2.0"], "make release takes no (variable )?version; it takes "),
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Return a place in which nothing may change."""
    return make_place(tmp_path_factory.mktemp("place"))


def refuse(arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    """Have a command line refused by the program's own reading of it; return the line that says why."""
    monkeypatch.setattr(sys, "argv", ["release.py", *arguments])
    with pytest.raises(SystemExit) as ended:
        release.main()
    said = capsys.readouterr()
    assert ended.value.code == 2
    assert said.out == ""
    assert said.err.startswith("usage: ")
    assert said.err.endswith(SEE)
    assert len(said.err.splitlines()) == 1
    assert said.err.removesuffix("\n").isprintable()
    return said.err


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in VERSIONS.items()])
def test_a_version_in_another_spelling_is_refused(
    text: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ValueError, match=re.escape(WRITE)):
        Release.parse(text)
    # As make passes it on: after the options have ended.
    line = refuse(["--yes=1", "--", text], monkeypatch, capsys)
    assert line.startswith(f"usage: {repr(text)[:40]}")
    assert WRITE in line
    assert len(line) < 400


@pytest.mark.parametrize(("arguments", "says"), [pytest.param(*row, id=name) for name, row in ARGUMENTS.items()])
def test_a_wrong_command_line_is_refused(
    arguments: list[str], says: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert says in refuse(arguments, monkeypatch, capsys)


@pytest.mark.parametrize("given", ["--dry=1", "--remote=..", "--branch=a..b", "--yes=0", "--via=merge"])
def test_the_program_ends_with_one_line_and_touches_nothing(place: Place, given: str, tmp_path: Path) -> None:
    copy = copy_place(place, tmp_path / "copy")
    before = fingerprint(copy.checkout), copy.refs()
    refused = copy.release("0.2.0", given)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.startswith("usage: ")
    assert len(refused.stderr.splitlines()) == 1
    assert (fingerprint(copy.checkout), copy.refs()) == before
    assert not (copy.checkout / "target").exists()


@pytest.mark.parametrize(("given", "says"), [pytest.param(*row, id=name) for name, row in MADE.items()])
def test_make_release_refuses_what_it_does_not_know(place: Place, given: list[str], says: str) -> None:
    before = fingerprint(place.checkout), place.refs()
    refused = run("make", "release", *given, cwd=place.checkout)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert re.search(says, refused.stderr)
    assert "Traceback" not in refused.stderr
    assert not (place.checkout / "made").exists()
    assert (fingerprint(place.checkout), place.refs()) == before


def test_a_yes_that_merely_stands_in_the_environment_confirms_nothing(place: Place, tmp_path: Path) -> None:
    copy = copy_place(place, tmp_path / "copy")
    before = fingerprint(copy.checkout), copy.refs()
    refused = run("make", "release", "VERSION=0.2.0", cwd=copy.checkout, **environment(), YES="1", DRY_RUN="1")
    assert refused.returncode == 2
    assert "problem: there is no terminal to ask at before the push\n  add YES=1, or DRY_RUN=1\n" in refused.stderr
    assert (fingerprint(copy.checkout), copy.refs()) == before
