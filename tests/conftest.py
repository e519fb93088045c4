import platform
import sys
from importlib.metadata import version

from ferrous_wheel import _core


def pytest_report_header() -> list[str]:
    """Say what is being tested, so that a log explains itself."""
    gil = getattr(sys, "_is_gil_enabled", lambda: True)()
    return [
        f"ferrous-wheel {version('ferrous-wheel')}: {_core.__file__} ({_core.BUILD_PROFILE} build)",
        f"{platform.python_implementation()} {platform.python_version()}, GIL {'on' if gil else 'off'}, "
        f"{platform.platform()}",
    ]
