"""Run a package's tests with pytest, and write down what becomes of each, as it happens, each in a JSON array.

What they prove is judged where none of their code runs. Standard library and pytest only.
usage, in an empty folder: python -I run_tests.py FILE PYTEST-ARGUMENT...
"""

import json
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest


class Recorder:
    """A plugin of pytest that tells of each test that it is there, and how each of its phases ended."""

    def __init__(self, file: str) -> None:
        """Open the file before any of the tests is loaded."""
        self.raised = False
        self.stream = Path(file).open("a", encoding="utf-8")  # noqa: SIM115 - open as long as pytest runs

    def tell(self, *fact: object) -> None:
        """Write a line that the end of this process cannot take back."""
        self.stream.write(json.dumps(fact) + "\n")
        self.stream.flush()

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        """Tell of a test that was found, whether or not it is run."""
        self.tell("found", item.nodeid)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Tell which tests are to be run."""
        for item in session.items:
            self.tell("chosen", item.nodeid)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Tell of a file that could not be read, or wants to be skipped, as of a test."""
        if not report.passed:
            self.tell("call" if report.failed else "found", report.nodeid, report.outcome)

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_call(self) -> Generator[None, None, None]:
        """Note whether a test raises before any other plugin can take that away."""
        self.raised = False
        try:
            yield
        except BaseException:
            self.raised = True
            raise

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: "pytest.CallInfo[None]"
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Tell how a phase ended: what raised has not passed, whatever another plugin makes of it."""
        report = yield
        raised = (call.excinfo is not None or (self.raised and call.when == "call")) and report.outcome == "passed"
        self.tell(call.when, item.nodeid, "failed" if raised else report.outcome)
        return report


def main(file: str, *arguments: str) -> int:
    """Run them, tell that pytest has come back, and return its exit code."""
    recorder = Recorder(file)
    sys.argv = ["pytest", *arguments]
    code: Any = pytest.main([*arguments], plugins=[recorder])
    recorder.tell("ended", "pytest", str(int(code)))
    return int(code)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
