"""What the tests of the workshop share with those of the engine."""

import os
import signal
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# The tests import their own helpers, and the workshop, by their names.
sys.path[:0] = [str(ROOT / folder) for folder in (".", "roadworthy/tests", "workshop/tests", "scripts")]
# What nohup, or a shell in the background, has told to be ignored, every program that a test starts would ignore too.
for name in ("SIGHUP", "SIGINT"):
    if getattr(signal, name, None) and signal.getsignal(getattr(signal, name)) is signal.SIG_IGN:
        signal.signal(getattr(signal, name), signal.SIG_DFL)

from fixtures import checkout, dist, one, place, provider, rehearsed, scene, sdist, template, wheel  # noqa: E402

__all__ = ["checkout", "dist", "one", "place", "provider", "rehearsed", "scene", "sdist", "template", "wheel"]

# The files that take the longest, half a minute and more. They are begun first, so that no process is left alone with
# one of them at the end.
LONGEST = (
    "test_first_year",
    "test_release",
    "test_verify_users",
    "test_verify_install",
    "test_shapes",
    "test_release_kill",
    "test_update",
    "test_build",
    "test_release_golden",
    "test_release_environment",
    "test_faults_of_publishing",
    "test_check_dist",
    "test_release_contents",
    "test_setup",
    "test_release_refusals",
    "test_pypi",
    "test_copies",
    "test_update_kill",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes the longest; within a file the order stays."""
    rank = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: rank.get(item.path.stem, len(rank)))


def pytest_xdist_auto_num_workers() -> int:
    """Run one process more than there are processors: many tests wait for a disk, a server, a program that ends."""
    return (os.cpu_count() or 1) + 1
