"""Did you mean …? The closest words to a mistyped one.

>>> from ferrous_wheel import closest
>>> closest("whele", ["wheel", "while", "whale", "steel"], limit=2)
[Match(word='wheel', distance=1), Match(word='while', distance=1)]
"""

from importlib.metadata import version

from ferrous_wheel._core import MAX_WORD_LENGTH, Match, Vocabulary, closest, distance
from ferrous_wheel.exceptions import (
    Error,
    InvalidWordError,
    OutOfRangeError,
    WordTooLongError,
    WrongTypeError,
)

__all__ = [
    "MAX_WORD_LENGTH",
    "Error",
    "InvalidWordError",
    "Match",
    "OutOfRangeError",
    "Vocabulary",
    "WordTooLongError",
    "WrongTypeError",
    "closest",
    "distance",
]

__version__ = version("ferrous-wheel")
