"""The files of a release say the same, by what it means; and what is meant is declared."""

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from corpus import CORPUS, Release
from helpers import PROJECT, run
from loopback_samples import INFO, METADATA, SDIST, TOP, WHEEL, good_wheel, make_sdist, sdist_files
from roadworthy.gate.check import check, excuses, expect
from roadworthy.gate.model import Finding
from roadworthy.project import Project
from roadworthy.terminal import ProblemsError

HEAD, _, README = METADATA.partition("\n\n")
PYPROJECT = f"""\
[project]
name = "{PROJECT.name}"
version = "{PROJECT.version}"
description = "A sample"
license = "MIT"
requires-python = ">=3.10"
readme = "README.md"
[project.urls]
Repository = "https://github.com/somebody/ferrous-wheel"
"""
DEPENDENCIES = 'version = "0.1.0"\ndependencies = ["{}"]'
EXTRA = "[project.optional-dependencies]\n{}\n[project.urls]"
SELF = f"{PROJECT.name}[x]"
# Lines of PKG-INFO, and what is replaced in pyproject.toml: they mean the same.
SAME: dict[str, tuple[str, str, str]] = {
    "nothing more": ("", "", ""),
    "other blanks": ("Requires-Dist: a-b >= 1 , < 2", 'version = "0.1.0"', DEPENDENCIES.format("A_b<2,>=1")),
    "other quotes": (
        'Requires-Dist: a; python_version < "3.11"',
        'version = "0.1.0"',
        DEPENDENCIES.format("a ; python_version<'3.11'"),
    ),
    "another spelling of a version": (
        "Requires-Dist: a; python_full_version < '3.12'",
        'version = "0.1.0"',
        DEPENDENCIES.format("a; python_version <= '3.11'"),
    ),
    "brackets": (
        "Requires-Dist: a; (sys_platform == 'linux') and (python_version > '3.9')",
        'version = "0.1.0"',
        DEPENDENCIES.format("a; python_version > '3.9' and sys_platform == 'linux'"),
    ),
    "an extra": (
        "Provides-Extra: fast-er\nRequires-Dist: a; extra == 'fast-er'",
        "[project.urls]",
        EXTRA.format('Fast_er = ["a"]'),
    ),
    "people": (
        'Author: Bo\nAuthor-email: "Foo, Inc." <f@x.org>, =?utf-8?q?Zo=C3=AB?= <z@x.org>',
        "[project.urls]",
        'authors = [{name="Bo"}, {name="Foo, Inc.", email="f@x.org"}, {name="Zoë", email="z@x.org"}]\n[project.urls]',
    ),
    "people in two fields": (
        "Maintainer: Bo\nMaintainer-email: bo@example.com",
        "[project.urls]",
        'maintainers = [{ name = "Bo", email = "bo@example.com" }]\n[project.urls]',
    ),
    "people of Cargo.toml": ("Author: Bo", "", ""),
    "people that are left open": ("Author: Bo", "[project.urls]", 'dynamic = ["authors"]\n[project.urls]'),
    "a build backend in it": ("", "[project]", '[build-system]\nbackend-path = ["."]\n[project]'),
    "an extra for one system": (
        "Provides-Extra: x\nRequires-Dist: a[b]>1; sys_platform == 'linux' and extra == 'x'",
        "[project.urls]",
        EXTRA.format("x = [\"a[B] >1; sys_platform == 'linux'\"]"),
    ),
    "an extra without anything": ("Provides-Extra: x", "[project.urls]", EXTRA.format("x = []")),
    "an extra that names another": (
        f"Provides-Extra: x\nProvides-Extra: y\nRequires-Dist: a; extra=='x'\nRequires-Dist: {SELF}; extra=='y'",
        "[project.urls]",
        EXTRA.format(f'x = ["a"]\ny = ["{SELF}"]'),
    ),
    "an extra that names another, as hatchling writes it": (
        "Provides-Extra: x\nProvides-Extra: y\nRequires-Dist: a; extra == 'x'\nRequires-Dist: a; extra == 'y'",
        "[project.urls]",
        EXTRA.format(f'x = ["a"]\ny = ["{SELF}"]'),
    ),
    "classifiers that poetry-core knows": ("Classifier: Programming Language :: Python :: 3", "", ""),
    "keywords": ("Keywords: b,a", 'version = "0.1.0"', 'version = "0.1.0"\nkeywords = ["a", "b"]'),
    "no keywords": ("Keywords: ", 'version = "0.1.0"', 'version = "0.1.0"\nkeywords = []'),
    "a dynamic field": ("Requires-Dist: a", 'version = "0.1.0"', 'version = "0.1.0"\ndynamic = ["dependencies"]'),
    "a version that is spelled otherwise": ("", 'version = "0.1.0"', 'version = "v0.1.00"'),
    "a table for the README": ("", 'readme = "README.md"', 'readme = { file = "README.md" }'),
    "a table for the licence": ("", 'license = "MIT"', 'license = { text = "MIT" }'),
    "a name that is spelled otherwise": ("", f'name = "{PROJECT.name}"', 'name = "Ferrous.Wheel"'),
}
OTHER: dict[str, tuple[str, str, str]] = {
    "a requirement": ("Requires-Dist: a", "", ""),
    "another version of a requirement": ("Requires-Dist: a>1", 'version = "0.1.0"', DEPENDENCIES.format("a>=1")),
    "another marker": ("Requires-Dist: a", 'version = "0.1.0"', DEPENDENCIES.format("a; sys_platform == 'linux'")),
    "another Python": (
        "Requires-Dist: a; python_version < '3.12'",
        'version = "0.1.0"',
        DEPENDENCIES.format("a; python_version < '3.11'"),
    ),
    "a requirement that is lost": ("", 'version = "0.1.0"', DEPENDENCIES.format("a")),
    "an extra of another name": ("Provides-Extra: x", "[project.urls]", EXTRA.format("y = []")),
    "another extra for a requirement": (
        "Provides-Extra: x\nProvides-Extra: y\nRequires-Dist: a; extra == 'x'",
        "[project.urls]",
        EXTRA.format('x = []\ny = ["a"]'),
    ),
    "another summary": ("", "A sample", "An example"),
    "another floor": ("", ">=3.10", ">=3.11"),
    "another licence": ("", '"MIT"', '"ISC"'),
    "another address": ("", "somebody/", "nobody/"),
    "another label": ("", "Repository =", "Source ="),
    "another README": ("", 'readme = "README.md"', 'readme = "LICENSE"'),
    "a README that is not there": ("", "README.md", "README.rst"),
    "another kind of README": ("", '"README.md"', '{ file = "README.md", content-type = "text/plain" }'),
    "an author": ("Author: Eve", "[project.urls]", "authors = []\n[project.urls]"),
    "another address of an author": (
        "Author-email: Zoë <eve@example.com>",
        "[project.urls]",
        'authors = [{ name = "Zoë", email = "zoe@example.com" }]\n[project.urls]',
    ),
    "no TOML": ("", "[project]", "[project"),
    "what is no build requirement": ("", "[project]", '[build-system]\nrequires = ["x >> 1"]\n[project]'),
    "a build backend that is not there": ("", "[project]", '[build-system]\nbackend-path = ["x"]\n[project]'),
    "a build backend from elsewhere": (
        "",
        "[project]",
        '[build-system]\nbackend-path = ["../ferrous_wheel"]\n[project]',
    ),
}


def sdist(lines: str, old: str, new: str) -> bytes:
    """Return an sdist with further lines in PKG-INFO, and a changed pyproject.toml."""
    assert old in PYPROJECT
    metadata = "\n".join([HEAD, *filter(None, lines.split("\n")), "", README])
    made = {"PKG-INFO": metadata, "pyproject.toml": PYPROJECT.replace(old, new, 1), "README.md": README}
    return make_sdist({**sdist_files(), **{f"{TOP}/{name}": text.encode() for name, text in made.items()}})


@pytest.mark.parametrize("name", SAME)
def test_what_means_the_same_is_taken(tmp_path: Path, name: str) -> None:
    (tmp_path / SDIST).write_bytes(sdist(*SAME[name]))
    assert check([tmp_path], None) == []


@pytest.mark.parametrize("name", OTHER)
def test_what_means_something_else_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / SDIST).write_bytes(sdist(*OTHER[name]))
    assert {finding.rule for finding in check([tmp_path], None)} == {"declared-metadata"}


def told(
    folder: Path, lines: str, more: dict[str, bytes] | None = None, pyproject: tuple[str, str] = ("", "")
) -> list[str]:
    """Return what the gate says of a wheel with further lines, beside an sdist that lists some fields as dynamic."""
    metadata = "\n".join([HEAD, *filter(None, lines.split("\n")), "", README]).encode()
    (folder / WHEEL).write_bytes(good_wheel({f"{INFO}/METADATA": metadata, **(more or {})}))
    (folder / SDIST).write_bytes(sdist("Dynamic: Requires-Dist", *pyproject))
    findings = check([folder], None)
    assert {(each.file, each.rule) for each in findings} <= {(str(folder / WHEEL), "metadata-agrees")}
    return [each.what for each in findings]


def test_a_wheel_may_say_otherwise_what_its_sdist_lists_as_dynamic(tmp_path: Path) -> None:
    assert told(tmp_path, "Requires-Dist: a") == []
    assert told(tmp_path, "Keywords: a") == ["its keywords has 'a', and its sdist nothing"]


def test_entry_points_are_those_that_the_sdist_declares(tmp_path: Path) -> None:
    points = {f"{INFO}/entry_points.txt": b"[console_scripts]\nx-y = a.b : c\n[z.w]\nq=r\n"}
    declared = '[project.scripts]\nx-y = "a.b:c"\n[project.entry-points."z.w"]\nq = "r"\n[project.urls]'
    assert told(tmp_path, "", points, ("[project.urls]", declared)) == []
    assert told(tmp_path, "", points) == [
        "its entry-points has 'console_scripts: x-y=a.b:c, z.w: q=r', and its sdist nothing"
    ]
    assert told(tmp_path, "", points, ("[project.urls]", 'dynamic = ["scripts"]\n[project.urls]')) == []


@pytest.mark.parametrize(
    "text", ["[project", "[project]\ndependencies = 5", "[project]\nurls = 3\ndynamic = 1", "\xff"]
)
def test_a_pyproject_that_says_nonsense_ends_nothing(tmp_path: Path, text: str) -> None:
    files = {**sdist_files(), f"{TOP}/pyproject.toml": text.encode("latin-1")}
    (tmp_path / SDIST).write_bytes(make_sdist(files))
    assert {finding.rule for finding in check([tmp_path], None)} <= {"declared-metadata"}


READMES = {
    "[x](docs/x.md)": "leads to docs/x.md",
    "![x](x.png)": "leads to x.png",
    'text <img width="3" src="a/b.svg"> text': "leads to a/b.svg",
    "[x]: ./docs/x.md": "leads to ./docs/x.md",
    "> [!NOTE]": "is an alert",
    "```mermaid": "begins a block of mermaid",
}
FINE = [
    "[x](https://example.com) and [y](#z) and <mailto:a@b.example>",
    "`[x](docs/x.md)` and ``[x](y`z)``",
    "```text\n[x](docs/x.md)\n> [!NOTE]\n```",
    "<!--\n[x](docs/x.md)\n-->",
    "text\n\n    [x](docs/x.md)\n\n    [y](docs/y.md)",
    "[^1]: a note\n> a quotation [!]",
    "a[0](x y)",
]


def readme(folder: Path, text: str) -> list[Finding]:
    """Return what the gate says of an sdist with a README."""
    metadata = f"{HEAD}\n\n# A sample\n\n{text}\n"
    (folder / SDIST).write_bytes(make_sdist({**sdist_files(), f"{TOP}/PKG-INFO": metadata.encode()}))
    return check([folder], None)


@pytest.mark.parametrize("text", READMES)
def test_what_only_github_shows_is_a_warning_with_its_line(tmp_path: Path, text: str) -> None:
    (finding,) = readme(tmp_path, text)
    assert (finding.rule, finding.level) == ("readme-on-pypi", "warning")
    assert finding.what.startswith(f"line 3 of the README {READMES[text]}")


@pytest.mark.parametrize("text", FINE)
def test_what_pypi_shows_too_is_no_warning(tmp_path: Path, text: str) -> None:
    assert readme(tmp_path, text) == []


def test_what_is_indented_in_a_list_is_no_code(tmp_path: Path) -> None:
    (finding,) = readme(tmp_path, "- a\n\n    [x](docs/x.md)")
    assert finding.what.startswith("line 5 of the README leads to docs/x.md")


def test_links_in_restructured_text_are_judged_too(tmp_path: Path) -> None:
    text = "`x <docs/x.rst>`_\n\n.. image:: a.png\n\n.. _y: z.html\n\n`w <https://example.com>`_ ``[x](y)``"
    metadata = f"{HEAD}\n\n{text}\n".replace("text/markdown", "text/x-rst")
    (tmp_path / SDIST).write_bytes(make_sdist({**sdist_files(), f"{TOP}/PKG-INFO": metadata.encode()}))
    assert [each.what.split(",")[0] for each in check([tmp_path], None)] == [
        f"line {number} of the README leads to {target}"
        for number, target in ((1, "docs/x.rst"), (3, "a.png"), (5, "z.html"))
    ]


def test_a_readme_is_told_of_once_for_a_release_of_the_sdist_if_there_is_one(tmp_path: Path) -> None:
    readme(tmp_path, "[x](docs/x.md)")
    metadata = f"{HEAD}\n\n# A sample\n\n[x](docs/x.md)\n".encode()
    for name in (WHEEL, WHEEL.replace("py3", "py2.py3")):
        tags = b"".join(b"Tag: %s-none-any\n" % each.encode() for each in name.split("-")[2].split("."))
        head = b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\n"
        (tmp_path / name).write_bytes(good_wheel({f"{INFO}/METADATA": metadata, f"{INFO}/WHEEL": head + tags}))
    assert [Path(each.file).name for each in check([tmp_path], None)] == [SDIST]
    (tmp_path / SDIST).unlink()
    assert [(each.rule, Path(each.file).suffix) for each in check([tmp_path], None)] == [("readme-on-pypi", ".whl")]


def test_a_warning_stops_nothing_unless_it_is_asked_for(tmp_path: Path) -> None:
    readme(tmp_path, "[x](docs/x.md)")
    command = (sys.executable, "-m", "roadworthy", "check", tmp_path, "--foreign")
    taken, refused = run(*command), run(*command, "--strict")
    assert (taken.returncode, refused.returncode) == (0, 1)
    assert "warning: line 3 of the README leads to docs/x.md" in taken.stderr
    assert SDIST in taken.stdout


# ---- what is meant


@pytest.fixture
def broken(dist: Path, tmp_path: Path) -> Release:
    """A release with two findings of one rule, and one of another."""
    folder, good = tmp_path / "dist", tmp_path / "good"
    for each in (folder, good):
        each.mkdir()
        for path in dist.iterdir():
            if "t-" not in path.name:
                (each / path.name).write_bytes(path.read_bytes())
    (wheel,), (path,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    release = Release(folder, wheel, path)
    release.change_sdist(lambda files: files.update({f"{TOP}/a/b.p12": b"", f"{TOP}/a/bc.p12": b""}))
    CORPUS["no stub"][1](release)
    return release


def project_with(tmp_path: Path, *entries: object) -> Project:
    """Return a project whose pyproject.toml ignores something."""
    (tmp_path / "pyproject.toml").write_text(f"[tool.roadworthy]\nignore = {json.dumps(entries)}\n", encoding="utf-8")
    return Project(tmp_path)


IGNORED: dict[str, tuple[str, Callable[[str], bool]]] = {
    "a file": ("no-secrets: a/b.p12", lambda what: "a/b.p12" in what),
    "a folder": ("no-secrets: a/", lambda what: "/a/" in what),
    "a reason": ("no-secrets: they have expired", lambda _: True),
}


@pytest.mark.parametrize("name", IGNORED)
def test_what_is_meant_is_ignored_and_shown(
    broken: Release, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    entry, covered = IGNORED[name]
    found = expect(PROJECT, [])
    found = replace(found, excuses=excuses(project_with(tmp_path, entry, "no-bomb: b.p12")))
    findings = check([broken.folder], found)
    ignored = {each for each in findings if each.level == "ignored"}
    assert ignored == {each for each in findings if each.rule == "no-secrets" and covered(each.what)}
    assert {each.remedy for each in ignored} == {entry}
    assert any(each.rule == "package-files" and each.level == "error" for each in findings)
    assert 'note: "no-bomb: b.p12" in [tool.roadworthy] ignore is for nothing' in capsys.readouterr().err


@pytest.mark.parametrize(
    ("entry", "words"),
    [("no-secret: x", "rules like it: no-secrets"), ("no-secrets:", "no-secrets"), (5, "see: "), ("x", "see: ")],
)
def test_an_entry_of_no_rule_is_a_problem_with_the_nearest_names(tmp_path: Path, entry: object, words: str) -> None:
    with pytest.raises(ProblemsError) as refused:
        excuses(project_with(tmp_path, entry))
    (problem,) = refused.value.problems
    assert repr(entry) in problem.what
    assert words in problem.remedy


def test_a_release_whose_findings_are_all_meant_passes(broken: Release, tmp_path: Path) -> None:
    rules = ("no-secrets", "tracked-files", "package-files", "complete-set")
    found = replace(
        expect(PROJECT, []), excuses=excuses(project_with(tmp_path, *(f"{one}: on purpose" for one in rules)))
    )
    findings = check([broken.folder], found)
    assert {each.level for each in findings} == {"ignored"}
    assert {each.rule for each in findings} <= set(rules)
