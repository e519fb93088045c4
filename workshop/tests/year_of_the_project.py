"""What owners change around the package: Pythons, platforms, licences, the repository, their own rules."""

from year import Change

CHANGES: tuple[Change, ...] = ()
