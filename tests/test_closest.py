from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

import pytest

from ferrous_wheel import Match, Vocabulary, closest, distance

WORDS = ["wheel", "while", "whale", "heel", "steel", "reel", "wheel"]


class Closest(Protocol):
    """What the function and the method have in common."""

    def __call__(
        self, word: str, candidates: Iterable[str], *, limit: int = 3, max_distance: int | None = None
    ) -> list[Match]: ...


def by_vocabulary(
    word: str, candidates: Iterable[str], *, limit: int = 3, max_distance: int | None = None
) -> list[Match]:
    return Vocabulary(candidates).closest(word, limit=limit, max_distance=max_distance)


either_way = pytest.mark.parametrize("look_up", [closest, by_vocabulary], ids=["closest()", "Vocabulary.closest()"])


@either_way
def test_the_nearest_come_first_and_ties_in_the_order_of_the_candidates(look_up: Closest) -> None:
    assert look_up("whele", WORDS, limit=4) == [
        Match("wheel", 1),
        Match("while", 1),
        Match("whale", 1),
        Match("heel", 2),
    ]


@either_way
def test_three_matches_are_the_default(look_up: Closest) -> None:
    assert len(look_up("whele", WORDS)) == 3


@either_way
def test_a_candidate_that_is_there_twice_is_returned_once(look_up: Closest) -> None:
    found = [match.word for match in look_up("wheel", WORDS, limit=100)]
    assert sorted(found) == sorted(set(WORDS))


@either_way
def test_no_match_is_further_than_the_greatest_distance(look_up: Closest) -> None:
    assert look_up("wheel", WORDS, max_distance=0) == [Match("wheel", 0)]
    assert look_up("xyz", WORDS, max_distance=1) == []


@either_way
@pytest.mark.parametrize("number", [10**6, 2**64, 10**100])
def test_a_number_beyond_all_words_is_no_bound(look_up: Closest, number: int) -> None:
    assert look_up("wheel", WORDS, limit=number, max_distance=number) == look_up("wheel", WORDS, limit=7)


@either_way
def test_an_object_with_an_index_is_a_number(look_up: Closest) -> None:
    class One:
        def __index__(self) -> int:
            return 1

    assert look_up("wheel", WORDS, limit=One()) == [Match("wheel", 0)]  # type: ignore[arg-type]


@either_way
@pytest.mark.parametrize("container", [list, tuple, set, frozenset, iter, dict.fromkeys])
def test_candidates_are_any_iterable(look_up: Closest, container: Callable[[list[str]], Iterable[str]]) -> None:
    assert look_up("steal", container(WORDS), limit=1) == [Match("steel", 1)]


@either_way
def test_no_candidates_give_no_matches(look_up: Closest) -> None:
    assert look_up("wheel", []) == []


@either_way
def test_matches_are_those_of_a_full_sort(look_up: Closest) -> None:
    def spelled(number: int) -> Iterator[str]:
        while number:
            number, letter = divmod(number, 4)
            yield "abcd"[letter]

    candidates = ["".join(spelled(number)) for number in range(0, 100_000, 97)]
    expected = sorted(((distance("abacad", word), word) for word in candidates), key=lambda pair: pair[0])[:50]
    found = [(match.distance, match.word) for match in look_up("abacad", candidates, limit=50)]
    assert found == expected
