"""What the tests of the workshop share with those of the engine."""

import signal
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# The tests import their own helpers, and the workshop, by their names.
sys.path[:0] = [str(ROOT / folder) for folder in (".", "roadworthy/tests", "workshop/tests", "scripts")]
# What nohup, or a shell in the background, has told to be ignored, every program that a test starts would ignore too.
for name in ("SIGHUP", "SIGINT"):
    if getattr(signal, name, None) and signal.getsignal(getattr(signal, name)) is signal.SIG_IGN:
        signal.signal(getattr(signal, name), signal.SIG_DFL)

from fixtures import checkout, dist, one, place, provider, rehearsed, scene, sdist, template, wheel  # noqa: E402

__all__ = ["checkout", "dist", "one", "place", "provider", "rehearsed", "scene", "sdist", "template", "wheel"]
