import copy
import pickle

import pytest

from ferrous_wheel import Match, Vocabulary


def test_a_vocabulary_holds_each_word_once() -> None:
    assert len(Vocabulary(["b", "a", "b"])) == 2
    assert len(Vocabulary([])) == 0


def test_a_vocabulary_knows_its_words() -> None:
    words = Vocabulary(["wheel", "语"])
    assert "wheel" in words
    assert "语" in words
    assert "whee" not in words


@pytest.mark.parametrize("value", [1, None, b"wheel", "\ud800", "x" * 20_000], ids=repr)
def test_what_is_no_word_is_not_in_a_vocabulary(value: object) -> None:
    assert value not in Vocabulary(["wheel"])


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ([], "<Vocabulary of 0>"),
        (["it's", "語"], "<Vocabulary of 2: \"it's\", '語'>"),
        (["a", "b", "c", "d"], "<Vocabulary of 4: 'a', 'b', 'c', …>"),
    ],
)
def test_a_vocabulary_shows_its_size_and_first_words(words: list[str], text: str) -> None:
    assert repr(Vocabulary(words)) == text


def test_matches_are_values() -> None:
    assert Match("a", 1) == Match("a", 1)
    assert Match("a", 1) != Match("a", 2)
    assert Match("a", 1) != ("a", 1)
    assert len({Match("a", 1), Match("a", 1), Match("b", 1)}) == 2
    assert repr(Match("it's", 2)) == 'Match(word="it\'s", distance=2)'


def test_a_match_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        Match("a", 1).word = "b"  # type: ignore[misc]


def test_a_match_can_be_copied_and_pickled() -> None:
    match = Match("語", 3)
    assert copy.deepcopy(match) == match
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        assert pickle.loads(pickle.dumps(match, protocol)) == match  # noqa: S301


def test_a_match_can_be_matched() -> None:
    match Match("a", 1):
        case Match(word, distance):
            assert (word, distance) == ("a", 1)
