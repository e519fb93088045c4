"""What can be released, told from what cannot: versions, and names of branches and remotes."""

import re
import string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.configuration import set_hypothesis_home_dir

from releases import PROJECT
from roadworthy.releasing.state import Checkout, Remote, State
from roadworthy.releasing.version import NUMBER, UNNAMED, Release, Request
from roadworthy.repository import Repository

# In the root it would be in pytest's way.
set_hypothesis_home_dir(PROJECT.target / "hypothesis")

NUMBERS = st.integers(0, 999_999_999).map(str)
STAGES = st.builds("-{}{}".format, st.sampled_from(["alpha", "beta", "rc"]), st.integers(1, 999_999_999))
SPELLED = st.builds("{}.{}.{}{}".format, NUMBERS, NUMBERS, NUMBERS, st.just("") | STAGES)
PIECES = ("alpha", "beta", "rc", "-rc1", "v", "\u00a0", "\u200b", "٣", "\uff0e", "\u2013")
NEAR = st.sampled_from([*string.printable, *PIECES])


@st.composite
def nearly_spelled(draw: st.DrawFn) -> str:
    """A version with something put in, taken out, or both."""
    text = draw(SPELLED)
    start = draw(st.integers(0, len(text)))
    end = draw(st.integers(start, min(start + 2, len(text))))
    return text[:start] + draw(st.just("") | NEAR) + text[end:]


def is_number(text: str, least: int) -> bool:
    """Say, without a pattern, whether a number is in its only spelling."""
    return text.isascii() and text.isdigit() and str(int(text)) == text and least <= int(text) <= 999_999_999


def is_spelled(text: str) -> bool:
    """Say, without a pattern, whether a version is in its only spelling."""
    numbers, dash, stage = text.partition("-")
    number = next((stage.removeprefix(word) for word in ("alpha", "beta", "rc") if stage.startswith(word)), "")
    three = [is_number(each, 0) for each in numbers.split(".")]
    return three == [True] * 3 and (not dash or is_number(number, 1))


@given(st.text() | st.text("0123456789.-alphbetrcv ") | nearly_spelled())
@example("0.3.0\n")
def test_every_other_text_is_refused(text: str) -> None:
    if is_spelled(text):
        assert Release.parse(text).text == text
    else:
        with pytest.raises(ValueError, match="is no version of a release"):
            Release.parse(text)


@given(st.from_regex(re.compile(rf"{NUMBER}\.{NUMBER}\.{NUMBER}(-(alpha|beta|rc)[1-9][0-9]{{0,8}})?"), fullmatch=True))
def test_every_text_of_the_grammar_is_read(text: str) -> None:
    assert is_spelled(text)
    assert Release.parse(text).text == text


@given(SPELLED)
def test_a_version_has_no_second_spelling(text: str) -> None:
    version = Release.parse(text).version
    words = {"a": "alpha", "b": "beta", "rc": "rc"}
    stage = f"-{words[version.pre[0]]}{version.pre[1]}" if version.pre else ""
    assert ".".join(map(str, version.release)) + stage == text
    assert Release.parse(text).is_prerelease == bool(stage)


@given(SPELLED, SPELLED)
def test_versions_are_ordered_as_semver_orders_them(one: str, other: str) -> None:
    def key(text: str) -> tuple[list[int], str, int]:
        numbers, _, stage = text.partition("-")
        word = stage.rstrip(string.digits)
        # No stage comes after every stage.
        return [int(number) for number in numbers.split(".")], word or "~", int(stage.removeprefix(word) or 0)

    assert (Release.parse(one).version < Release.parse(other).version) == (key(one) < key(other))


@pytest.mark.parametrize(
    "name", ["main", "0.1.x", "my-fork", "a/b", "refsome/more", "HEADS", "größe", "a#1", "a=b", "9%", "a@b"]
)
def test_names_that_branches_and_remotes_have_are_taken(name: str) -> None:
    assert not UNNAMED.search(name)


@pytest.mark.parametrize(("head", "there"), [("a", "b"), ("b", "a"), ("a", "a")])
def test_only_an_up_to_date_checkout_can_tell_that_a_pull_request_waits(head: str, there: str) -> None:
    request, nowhere = Request(Release("0.2.0"), via_pr=True), Repository(PROJECT.root)
    # A copy, because two equal texts need not be one object.
    refs = {"refs/heads/release/v0.2.0": "c", "refs/heads/main": f"x{there}"}
    checkout, remote = Checkout(f"x{head}", "main", (), (), {}), Remote("origin", refs, "main")
    state = State(PROJECT, request, nowhere, {}, checkout, remote)
    assert state.is_waiting == (head == there)


def test_a_package_s_name_stands_as_it_is_in_all_that_its_release_is_called() -> None:
    release = Release("0.1.0-rc1", "my-plugins")
    assert (release.title, release.tag) == ("my-plugins 0.1.0-rc1", "my-plugins-v0.1.0-rc1")
    assert release.command("verify") == "make verify PACKAGE=my-plugins VERSION=0.1.0-rc1"
    assert (Release("0.1.0").title, Release("0.1.0").command()) == ("0.1.0", "make release VERSION=0.1.0")
