"""The first letter of each word.

>>> from ferrous_wheel import initials
>>> initials("did you mean")
'dym'
"""

from importlib.metadata import version

from ferrous_wheel._core import initials

__all__ = ["initials"]

__version__ = version("ferrous-wheel")
