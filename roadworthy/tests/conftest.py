"""What the tests of the engine share; those of the workshop share it too."""

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


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the scores that tests have recorded, wherever they ran."""
    reports = [report for each in terminalreporter.stats.values() for report in each]
    scores = {value for report in reports for name, value in getattr(report, "user_properties", []) if name == "score"}
    for score in sorted(scores):
        terminalreporter.write_line(str(score))
