"""A release compares what is committed, and not what git prints of it: no attribute, line end or size stops it."""

import re
from collections.abc import Callable

import pytest

from releases import Place

MARKER = "<!-- news fragments are written below this line -->"


def attributes(*lines: str) -> Callable[[Place], None]:
    return lambda place: place.write(".gitattributes", place.read(".gitattributes") + "".join(f"{x}\n" for x in lines))


def windows(place: Place) -> None:
    attributes("CHANGELOG.md -text")(place)
    place.write("CHANGELOG.md", place.read("CHANGELOG.md").replace("\n", "\r\n"))


def fragment(text: str) -> Callable[[Place], None]:
    return lambda place: place.write("changelog.d/+more.added.md", text)


def much(place: Place) -> None:
    """Write less than GitHub takes, which counts characters, and more than Linux takes in one word, in bytes."""
    for number in range(1, 61):
        place.write(f"changelog.d/{number}.fixed.md", f"Repaired {number} {'é' * 1900}.\n")


def sparse(place: Place) -> None:
    place.commit()
    place.git("sparse-checkout", "set", "--cone", "scripts", "src", "python", "roadworthy")


CODE = "Configure it:\n\n```toml\n# comment\n## 9.9.9 (2001-01-01)\n[table]\n```\n"
CASES: dict[str, Callable[[Place], None]] = {
    "no diff": attributes("CHANGELOG.md -diff", "Cargo.lock -diff", "*.toml -diff"),
    "binary": attributes("CHANGELOG.md binary", "Cargo.lock binary"),
    "line ends of Windows in the commit": windows,
    "line ends of Windows in the checkout": attributes("CHANGELOG.md text eol=crlf", "Cargo.toml text eol=crlf"),
    "blank lines at the end": lambda place: place.write("CHANGELOG.md", place.read("CHANGELOG.md") + "\n\n\n \n"),
    "blank lines around the marker": lambda place: place.replace("CHANGELOG.md", MARKER, f"\n\n\n{MARKER}\n\n\n"),
    "no blank line around the marker": lambda place: place.write("CHANGELOG.md", f"# Changelog\n{MARKER}\n"),
    "margin before the marker": lambda place: place.replace("CHANGELOG.md", MARKER, f"  {MARKER}"),
    "code": fragment(f"{CODE}\nA comment begins with `<!--`.\n"),
    "carriage returns": fragment("One\r\nand two\rand three.\r\n"),
    "more than a command line takes": much,
    "sparse checkout": sparse,
}


@pytest.mark.parametrize("name", CASES)
def test_a_release_is_made_of(place: Place, name: str) -> None:
    CASES[name](place)
    place.commit()
    done = place.release("0.2.0", "--yes")
    assert done.returncode == 0, done.stderr
    assert "note: the release is out" not in done.stderr
    assert place.git("status", "--porcelain") == ""
    assert place.refs()["refs/tags/v0.2.0^{}"] == place.git("rev-parse", "HEAD")
    text = place.shown("CHANGELOG.md")
    assert re.findall(r"(?m)^## (\S+)", text) == ["0.2.0"]
    if name == "line ends of Windows in the commit":
        raw = (place.checkout / "CHANGELOG.md").read_bytes()
        assert raw.count(b"\n") == raw.count(b"\r\n") == text.count("\n")


def test_a_fragment_with_code_is_told_whole_and_its_link_is_outside_of_it(place: Place) -> None:
    place.write("changelog.d/42.added.md", CODE)
    place.commit()
    done = place.release("0.2.0", "--yes")
    assert done.returncode == 0, done.stderr
    tag = place.git("for-each-ref", "--format=%(contents)", "refs/tags/v0.2.0")
    assert "  ## 9.9.9 (2001-01-01)\n  [table]\n  ```\n" in tag
    assert re.search(r"```\n\n  \(\[#42\]\([^\n]*/42\)\)\n", tag), tag


def test_a_changelog_with_code_in_an_older_section_has_the_sections_that_it_has(place: Place) -> None:
    section = f"\n## 0.1.0 (2001-01-01)\n\n- {CODE.replace(chr(10), chr(10) + '  ')}\n"
    section += "\n    ## 9.9.9\n\n<!--\n## 9.9.9 (not yet)\n-->\n"
    place.write("CHANGELOG.md", place.read("CHANGELOG.md") + section.replace("9.9.9", "0.2.0"))
    place.commit()
    done = place.release("0.2.0", "--yes")
    assert done.returncode == 0, done.stderr


def test_a_text_that_github_does_not_take_is_known_before_the_tag(place: Place) -> None:
    for number in range(1, 130):
        place.write(f"changelog.d/{number}.fixed.md", f"Repaired {number} {'x' * 1000}.\n")
    place.commit()
    refs = place.refs()
    done = place.release("0.2.0", "--yes")
    assert done.returncode == 1
    assert re.search(r"problem: the section of 0.2.0 has 1\d\d,\d{3} characters, and GitHub takes 125,000", done.stderr)
    assert place.refs() == refs
