"""What owners change of the package itself: README, dependencies, the crate, files of every kind, tests."""

from year import Change

README = """\
# tin-can

Cans.
"""

CHANGES: tuple[Change, ...] = (
    Change("nothing", targets=("test", "lint", "build", "check-dist", "verify PYTHON=", "template-update"), often=True),
    Change("a README of three lines", files={"README.md": README}, often=True),
)
