"""The closest words to a mistyped one.

A distance is a number of edits: insertions, deletions, substitutions, and swaps of two neighbouring letters, the
fewest that turn one word into the other without editing any part twice (the *optimal string alignment* distance).
A letter is a Unicode code point: an accent written as a combining mark is one of its own. Nothing is normalised,
and case counts.
"""

from collections.abc import Iterable
from typing import Final, final

__all__ = ["BUILD_PROFILE", "MAX_WORD_LENGTH", "Match", "Vocabulary", "closest", "distance"]

MAX_WORD_LENGTH: Final[int]
"""The most code points that a word may have: 10,000. Two words of that length are compared within 100 ms.

>>> MAX_WORD_LENGTH
10000
"""

BUILD_PROFILE: Final[str]
"""`"release"` or `"debug"`: what this extension module was built as."""

@final
class Match:
    """A word and its distance from the one that was looked up.

    Equal to, and hashed like, another match of the same word and distance; can be pickled and matched by position.

    >>> Match("wheel", 1)
    Match(word='wheel', distance=1)
    >>> Match("wheel", 1).word
    'wheel'
    """

    __match_args__ = ("word", "distance")

    def __new__(cls, word: str, distance: int) -> Match: ...
    def __getnewargs__(self) -> tuple[str, int]: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    @property
    def word(self) -> str:
        """The word, as it was given among the candidates."""

    @property
    def distance(self) -> int:
        """Edits between the two words, 0 or more."""

@final
class Vocabulary:
    """Words to look up the closest of, again and again.

    Each word is held once, in the order of first arrival. A vocabulary never changes, so any number of threads may
    use it at the same time.

    >>> commands = Vocabulary(["commit", "config", "clone", "commit"])
    >>> len(commands)
    3
    >>> "clone" in commands
    True
    >>> commands
    <Vocabulary of 3: 'commit', 'config', 'clone'>

    Args:
        words: Any iterable of `str`, but not one `str`.

    Raises:
        WordTooLongError: A word has more than `MAX_WORD_LENGTH` code points.
        InvalidWordError: A word holds a lone surrogate.
        WrongTypeError: `words` is a single `str` or cannot be iterated over, or one of its items is no `str`.
    """

    def __new__(cls, words: Iterable[str]) -> Vocabulary: ...
    def closest(self, word: str, *, limit: int = 3, max_distance: int | None = None) -> list[Match]:
        """Return the closest words to `word`.

        The same as `closest()`, but the words are read only once.

        >>> Vocabulary(["commit", "config", "clone"]).closest("comit", limit=1)
        [Match(word='commit', distance=1)]
        """

    def __len__(self) -> int: ...
    def __contains__(self, word: object, /) -> bool: ...

def distance(a: str, b: str) -> int:
    """Return the number of edits between two words.

    Other threads run meanwhile.

    >>> distance("wheel", "wehel")
    1
    >>> distance("wheel", "steel")
    2

    Raises:
        WordTooLongError: A word has more than `MAX_WORD_LENGTH` code points.
        InvalidWordError: A word holds a lone surrogate.
        WrongTypeError: `a` or `b` is no `str`.
    """

def closest(
    word: str,
    candidates: Iterable[str],
    *,
    limit: int = 3,
    max_distance: int | None = None,
) -> list[Match]:
    """Return the closest of the candidates to a word.

    The nearest come first; of equally near ones, those that came first among the candidates. A candidate that is
    there twice is returned once. Other threads run while the words are compared, and Ctrl-C is answered.

    >>> closest("pyhton", ["ruby", "python", "perl"])
    [Match(word='python', distance=1), Match(word='perl', distance=5), Match(word='ruby', distance=6)]
    >>> closest("pyhton", ["ruby", "python", "perl"], max_distance=2)
    [Match(word='python', distance=1)]

    Args:
        word: What was typed.
        candidates: Any iterable of `str`, but not one `str`.
        limit: The most matches to return, 1 or more. Default 3.
        max_distance: The most edits a match may be away, 0 or more. Default `None`: any number.

    Raises:
        WordTooLongError: A word has more than `MAX_WORD_LENGTH` code points.
        InvalidWordError: A word holds a lone surrogate.
        OutOfRangeError: `limit` is below 1 or `max_distance` below 0.
        WrongTypeError: `word` or a candidate is no `str`, `candidates` is a single `str` or cannot be iterated over,
            or a number is no `int`.
    """
