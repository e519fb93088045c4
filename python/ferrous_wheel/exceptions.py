"""What this package raises of its own: each a built-in exception too, so either name catches it."""


class Error(Exception):
    """The base of all exceptions of this package.

    >>> try:
    ...     distance(1, 2)
    ... except Error as error:
    ...     print(error)
    a must be str, not int
    """


class WordTooLongError(Error, ValueError):
    """A word has more code points than `MAX_WORD_LENGTH`.

    >>> distance("a", "b" * 10_001)
    Traceback (most recent call last):
        ...
    ferrous_wheel.exceptions.WordTooLongError: b is too long: ...
    """


class InvalidWordError(Error, ValueError):
    """A `str` is no text: it holds a lone surrogate. Its `__cause__` is the `UnicodeEncodeError`.

    >>> distance("a", chr(0xD800))
    Traceback (most recent call last):
        ...
    ferrous_wheel.exceptions.InvalidWordError: b holds a lone surrogate, ...
    """


class OutOfRangeError(Error, ValueError):
    """A number is smaller than the argument allows.

    >>> try:
    ...     closest("a", ["b"], limit=0)
    ... except OutOfRangeError as error:
    ...     error.args
    ('limit must be 1 or greater',)
    """


class WrongTypeError(Error, TypeError):
    """A value is of another type than the argument takes.

    >>> closest("a", "abc")
    Traceback (most recent call last):
        ...
    ferrous_wheel.exceptions.WrongTypeError: candidates must be an iterable of str, not str
    """
