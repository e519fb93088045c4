"""Run a package's tests with pytest, and write down what becomes of each, as it happens, each in a JSON array.

What they prove is judged where none of their code runs. Standard library and pytest only.
usage: python -I run_tests.py FILE PACKAGE FOLDER PYTEST-ARGUMENT...
"""

import json
import os
import sys
from collections.abc import Generator
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any

import pytest


class Recorder:
    """A plugin of pytest that tells of each test that it is there, and how each of its phases ended.

    It also is a finder of modules, which finds none, and tells of a package in its folder that is another's stand-in.
    """

    def __init__(self, file: str, package: Path, folder: Path) -> None:
        """Open the file before any of the tests is loaded."""
        self.raised, self.package, self.folder = False, package, folder
        self.stream = Path(file).open("a", encoding="utf-8")  # noqa: SIM115 - open as long as pytest runs

    def tell(self, *fact: object) -> None:
        """Write a line that the end of this process cannot take back."""
        self.stream.write(json.dumps(fact) + "\n")
        self.stream.flush()

    def find_spec(self, name: str, *_: object) -> None:
        """Tell of a package that is not the installed one, for it proves nothing of that."""
        found = PathFinder.find_spec(name) if name == self.package.name else None
        # A namespace has no file of its own.
        for origin in filter(None, (found.origin, *(found.submodule_search_locations or ()))) if found else ():
            path = Path(origin).resolve()
            if path.is_relative_to(self.folder) and not path.is_relative_to(self.package):
                self.tell("not installed", origin)

    def pytest_configure(self, config: Any) -> None:  # noqa: ANN401 - with the options of other plugins
        """Have no other processes run the tests (pytest-xdist), which tell nothing here."""
        config.option.dist, config.option.tx = "no", []

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


def main(file: str, package: str, folder: str, *arguments: str) -> int:
    """Run them where an sdist is unpacked, tell that pytest has come back, and return its exit code."""
    recorder = Recorder(file, Path(package).resolve(), Path(folder).resolve())
    sys.meta_path.insert(0, recorder)
    os.chdir(folder)
    # A test may start a command of the package's.
    os.environ["PATH"] = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)))
    sys.argv = ["pytest", *arguments]
    code: Any = pytest.main([*arguments], plugins=[recorder])
    recorder.tell("ended", "pytest", str(int(code)))
    return int(code)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
