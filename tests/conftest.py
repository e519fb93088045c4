import platform
import sys
from importlib.metadata import version

from ferrous_wheel import _core


def pytest_report_header() -> list[str]:
    """Say what is being tested, so that a log explains itself."""
    gil = "on" if getattr(sys, "_is_gil_enabled", lambda: True)() else "off"
    build = f"{_core.__file__} ({_core.BUILD_PROFILE} build)"
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return [f"ferrous-wheel {version('ferrous-wheel')}: {build}", f"{python}, GIL {gil}, {platform.platform()}"]
