from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

import ferrous_wheel
from ferrous_wheel import (
    MAX_WORD_LENGTH,
    Error,
    InvalidWordError,
    OutOfRangeError,
    Vocabulary,
    WordTooLongError,
    WrongTypeError,
    closest,
    distance,
)

# The same, for calls that a type checker would refuse.
untyped: Any = ferrous_wheel
LONG = "é" * (MAX_WORD_LENGTH + 1)


@pytest.mark.parametrize(
    ("exception", "builtin"),
    [
        (InvalidWordError, ValueError),
        (OutOfRangeError, ValueError),
        (WordTooLongError, ValueError),
        (WrongTypeError, TypeError),
    ],
)
def test_each_exception_is_the_packages_own_and_a_built_in(
    exception: type[Exception], builtin: type[Exception]
) -> None:
    assert issubclass(exception, Error)
    assert issubclass(exception, builtin)


def test_no_exception_is_left_untested() -> None:
    exceptions = {
        value for value in vars(ferrous_wheel).values() if isinstance(value, type) and issubclass(value, Error)
    }
    assert exceptions == {Error, InvalidWordError, OutOfRangeError, WordTooLongError, WrongTypeError}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: distance(LONG, "a"), "a is too long: 10001 code points are more than the 10000 that a word may have"),
        (lambda: distance("a", LONG), "b is too long: "),
        (lambda: closest(LONG, []), "word is too long: "),
        (lambda: closest("a", ["a", LONG]), r"candidates\[1\] is too long: "),
        (lambda: Vocabulary([LONG]), r"words\[0\] is too long: "),
        (lambda: Vocabulary([]).closest(LONG), "word is too long: "),
    ],
)
def test_a_word_that_is_too_long_is_named(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(WordTooLongError, match=rf"^{message}"):
        call()


@pytest.mark.parametrize(
    ("call", "argument"),
    [
        (lambda: distance("\ud800", "a"), "a"),
        (lambda: distance("a", "\udfff"), "b"),
        (lambda: closest("a\ud800b", []), "word"),
        (lambda: closest("a", ["a", "\ud800"]), r"candidates\[1\]"),
        (lambda: Vocabulary(["\ud800"]), r"words\[0\]"),
        (lambda: Vocabulary([]).closest("\ud800"), "word"),
    ],
)
def test_a_lone_surrogate_is_refused_and_the_cause_is_kept(call: Callable[[], Any], argument: str) -> None:
    with pytest.raises(InvalidWordError, match=rf"^{argument} holds a lone surrogate") as caught:
        call()
    assert isinstance(caught.value.__cause__, UnicodeEncodeError)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: untyped.distance(1, "a"), "a must be str, not int"),
        (lambda: untyped.distance("a", b"a"), "b must be str, not bytes"),
        (lambda: untyped.closest(None, []), "word must be str, not NoneType"),
        (lambda: untyped.closest("a", ["a", 1]), r"candidates\[1\] must be str, not int"),
        (lambda: untyped.closest("a", "abc"), "candidates must be an iterable of str, not str"),
        (lambda: untyped.closest("a", 5), "candidates must be an iterable of str, not int"),
        (lambda: untyped.closest("a", [], limit="3"), "limit must be int, not str"),
        (lambda: untyped.closest("a", [], limit=None), "limit must be int, not NoneType"),
        (lambda: untyped.closest("a", [], max_distance=1.5), "max_distance must be int, not float"),
        (lambda: untyped.Vocabulary("abc"), "words must be an iterable of str, not str"),
        (lambda: untyped.Vocabulary([None]), r"words\[0\] must be str, not NoneType"),
        (lambda: untyped.Vocabulary([]).closest(b"a"), "word must be str, not bytes"),
    ],
)
def test_a_value_of_another_type_is_named(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(WrongTypeError, match=rf"^{message}\b"):
        call()


@pytest.mark.parametrize("number", [0, -1, -(10**100)])
def test_fewer_than_one_match_cannot_be_asked_for(number: int) -> None:
    with pytest.raises(OutOfRangeError, match=r"^limit must be 1 or greater\b"):
        closest("a", [], limit=number)


@pytest.mark.parametrize("number", [-1, -(10**100)])
def test_a_distance_below_zero_cannot_be_asked_for(number: int) -> None:
    with pytest.raises(OutOfRangeError, match=r"^max_distance must be 0 or greater\b"):
        closest("a", [], max_distance=number)


class Boom(BaseException):
    """What no code but these tests raises."""


class BadIterator:
    def __iter__(self) -> Iterator[str]:
        yield "fine"
        raise Boom


class BadIter:
    def __iter__(self) -> Iterator[str]:
        raise Boom


class NotIter:
    def __iter__(self) -> int:
        return 1


class BadLength(list[str]):
    def __len__(self) -> int:
        raise Boom


@pytest.mark.parametrize("read", [lambda words: closest("a", words), Vocabulary])
@pytest.mark.parametrize("words", [BadIterator(), BadIter()])
def test_what_an_iterable_raises_arrives_as_it_is(read: Callable[[Iterable[str]], Any], words: Iterable[str]) -> None:
    with pytest.raises(Boom):
        read(words)


def test_an_object_that_only_pretends_to_be_iterable_is_refused_and_the_cause_is_kept() -> None:
    with pytest.raises(WrongTypeError, match=r"^words must be an iterable of str, not NotIter$") as caught:
        untyped.Vocabulary(NotIter())
    assert isinstance(caught.value.__cause__, TypeError)


def test_a_length_that_raises_is_not_asked_for() -> None:
    assert len(Vocabulary(BadLength(["a", "b"])).closest("a")) == 2


def test_what_an_index_raises_arrives_as_it_is() -> None:
    class BadIndex:
        def __index__(self) -> int:
            raise Boom

    with pytest.raises(Boom):
        untyped.closest("a", [], limit=BadIndex())


def test_a_hostile_class_cannot_cause_a_panic() -> None:
    class Meta(type):
        @property
        def __name__(cls) -> str:  # type: ignore[override]
            raise Boom

    class Hostile(metaclass=Meta):
        def __str__(self) -> str:
            raise Boom

        __repr__ = __str__

    with pytest.raises((Boom, WrongTypeError)):
        untyped.distance(Hostile(), "a")
