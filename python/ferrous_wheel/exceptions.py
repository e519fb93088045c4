"""What `ferrous_wheel` raises of its own: each a built-in exception too, so either name catches it."""


class Error(Exception):
    """The base of all exceptions of this package."""


class WordTooLongError(Error, ValueError):
    """A word has more code points than `MAX_WORD_LENGTH`."""


class InvalidWordError(Error, ValueError):
    """A `str` is no text: it holds a lone surrogate. Its `__cause__` is the `UnicodeEncodeError`."""


class OutOfRangeError(Error, ValueError):
    """A number is smaller than the argument allows."""


class WrongTypeError(Error, TypeError):
    """A value is of another type than the argument takes."""
