"""What the tests of a package prove: run for real, and judged by more than their exit code."""

import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from helpers import PROJECT
from roadworthy.pythons import Python
from roadworthy.terminal import ProblemsError
from roadworthy.verifying.environment import Environment
from roadworthy.verifying.proofs import compare_tests

THIS = Python(sys.version_info[:3], free_threaded=False, path=Path(sys.executable).resolve())
GOOD = "def test_one() -> None: pass\ndef test_two() -> None: pass\n"
BAD = "def test_one() -> None: assert 1 == 2\ndef test_two() -> None: pass\n"
FAILED = "the package's tests failed"
NONE = "none of the package's tests was collected"
UNFINISHED = "none of the package's tests was run to its end"
WRAPPER = (
    "import pytest\n@pytest.hookimpl(wrapper=True{})\ndef pytest_runtest_makereport(item, call):\n    report = yield\n"
)


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """Return an environment that has what tests need."""
    environment = Environment(PROJECT, THIS, tmp_path_factory.mktemp("environment"))
    environment.create_for_tests()
    environment.fetch("there is no pytest-xdist", "pytest-xdist")
    return environment


def write_tests(folder: Path, files: Mapping[str, str]) -> Path:
    """Write what an sdist has beside its package: tests/test_it.py, if nothing else is given."""
    for name, text in {"pyproject.toml": "", "tests/test_it.py": GOOD, **files}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def configured(options: str) -> dict[str, str]:
    return {"pyproject.toml": f"[tool.pytest.ini_options]\naddopts = {options!r}\n"}


PROVE_NOTHING = {
    "a failing test": ({"tests/test_it.py": BAD}, FAILED),
    "an error before a test": (
        {"tests/test_it.py": "import pytest\n@pytest.fixture\ndef x(): 1 / 0\ndef test_x(x): pass\n"},
        FAILED,
    ),
    "an error after a test": (
        {"tests/test_it.py": "import pytest\n@pytest.fixture\ndef x():\n    yield\n    1 / 0\ndef test_x(x): pass\n"},
        FAILED,
    ),
    "a file that cannot be imported": ({"tests/test_other.py": "import no_such_module\n"}, FAILED),
    "no test": ({"tests/test_it.py": ""}, NONE),
    "a conftest that takes all tests out": (
        {"tests/conftest.py": "def pytest_collection_modifyitems(items): items.clear()\n"},
        NONE,
    ),
    "a conftest that ignores every file": ({"tests/conftest.py": "collect_ignore_glob = ['*']\n"}, NONE),
    "an option that chooses none": (configured("-k nothing"), NONE),
    "an option that only collects": (configured("--collect-only"), "ended early: 2 of 2 have no outcome"),
    "an option that only says what there is": (configured("--fixtures"), "2 of 2 have no outcome"),
    "an option that only prepares": (configured("--setup-only"), UNFINISHED),
    "an option that ends at the first failure": ({"tests/test_it.py": BAD, **configured("-x")}, FAILED),
    "all skipped": (
        {"tests/test_it.py": f"import pytest\npytestmark = pytest.mark.skip('not today')\n{GOOD}"},
        UNFINISHED,
    ),
    "every file skipped": ({"tests/test_it.py": "import pytest\npytest.skip('no', allow_module_level=True)\n"}, NONE),
    "all expected to fail": (
        {"tests/test_it.py": f"import pytest\npytestmark = pytest.mark.xfail\n{BAD.splitlines()[0]}\n"},
        UNFINISHED,
    ),
    "a conftest that says that all is well": (
        {
            "tests/test_it.py": BAD,
            "tests/conftest.py": "def pytest_sessionfinish(session): session.exitstatus = 0\n",
        },
        FAILED,
    ),
    "a conftest that exits well at the end": (
        {"tests/test_it.py": BAD, "tests/conftest.py": "import os\ndef pytest_unconfigure(): os._exit(0)\n"},
        FAILED,
    ),
    "a conftest that makes failures pass": (
        {
            "tests/test_it.py": BAD,
            "tests/conftest.py": WRAPPER.format("") + "    report.outcome = 'passed'\n    return report\n",
        },
        FAILED,
    ),
    "a conftest that makes them pass last of all": (
        {
            "tests/test_it.py": BAD,
            "tests/conftest.py": WRAPPER.format(", tryfirst=True")
            + "    report.outcome = 'passed'\n    return report\n",
        },
        FAILED,
    ),
    "a conftest that takes away what a test raises": (
        {
            "tests/test_it.py": BAD,
            "tests/conftest.py": "import pytest\n@pytest.hookimpl(wrapper=True)\ndef pytest_runtest_call(item):\n"
            "    try: return (yield)\n    except BaseException: return None\n",
        },
        FAILED,
    ),
    "a test that only says what it should assert": ({"tests/test_it.py": "def test_one(): return 1 == 2\n"}, FAILED),
    "a failure in a thread": (
        {
            "tests/test_it.py": "import threading\ndef fail(): assert False\ndef test_one():\n"
            "    thread = threading.Thread(target=fail)\n    thread.start()\n    thread.join()\n",
            **configured("-W ignore"),
        },
        FAILED,
    ),
    "a conftest that runs no test": (
        {"tests/conftest.py": "def pytest_runtest_protocol(item): return True\n"},
        "the package's tests ended early: 2 of 2 have no outcome",
    ),
    "an exit in a test": (
        {"tests/test_it.py": "import os\ndef test_one(): os._exit(0)\ndef test_two(): pass\n"},
        "the package's tests ended early: 2 of 2 have no outcome",
    ),
    "an exit after a test": (
        {"tests/test_it.py": f"{GOOD}\nimport os\ndef test_three(): pass\ndef teardown_module(): os._exit(0)\n"},
        "the package's tests ended early: 1 of 3 have no outcome",
    ),
    "an exit while tests are looked for": (
        {"tests/test_it.py": "import os\nos._exit(0)\n"},
        NONE,
    ),
    "a pytest.exit in a test": (
        {"tests/test_it.py": "import pytest\ndef test_one(): pytest.exit('enough', 0)\ndef test_two(): pass\n"},
        "the package's tests ended early: 2 of 2 have no outcome",
    ),
    "a session that is told to stop": (
        {"tests/test_it.py": "def test_one(request): request.session.shouldstop = 'x'\ndef test_two(): pass\n"},
        "the package's tests ended early: 1 of 2 have no outcome",
    ),
    "an interpreter that dies": (
        {"tests/test_it.py": "import os\ndef test_one(): os.abort()\n"},
        "the package's tests ended early: 1 of 1 have no outcome",
    ),
    "an interpreter that dies when all is done": (
        {"tests/test_it.py": f"{GOOD}\nimport atexit, os\natexit.register(os.abort)\n"},
        "the package's tests passed, and pytest ended with an error",
    ),
    "an error of pytest's own when all is done": (
        {"tests/conftest.py": "def pytest_sessionfinish(session): session.exitstatus = 3\n"},
        "the package's tests passed, and pytest ended with an error",
    ),
    "an option that pytest does not know": (
        configured("--no-such-option"),
        "pytest cannot use the settings of the package's tests",
    ),
    "a file of settings that only collects": (
        {"pytest.ini": "[pytest]\naddopts = --collect-only\n"},
        "2 of 2 have no outcome",
    ),
    "another package in the installed one's place": (
        {
            "pyproject.toml": "[tool.pytest.ini_options]\npythonpath = 'stand-in'\n",
            f"stand-in/{PROJECT.import_name}/__init__.py": "",
            "tests/test_it.py": f"import {PROJECT.import_name}\n{GOOD}",
        },
        "the package's tests import another one of its name from the sdist, and not what is installed",
    ),
    "a test that changes what is installed": (
        {"tests/test_it.py": f"import pathlib, pytest\n{GOOD}\npathlib.Path(pytest.__file__).with_name('x').touch()\n"},
        "the package's tests change pytest/x, where packages are installed",
    ),
    "a summary that is printed": (
        {"tests/test_it.py": "", "tests/conftest.py": "print('2 passed in 0.01s')\n"},
        NONE,
    ),
}
PROVE_SOMETHING = {
    "tests": ({}, "2 passed"),
    "some skipped": (
        {"tests/test_other.py": "import pytest\ndef test_x(): pytest.skip('no')\n"},
        "2 passed, 1 skipped",
    ),
    "some expected to fail": (
        {"tests/test_other.py": "import pytest\n@pytest.mark.xfail\ndef test_x(): assert False\n"},
        "2 passed, 1 skipped",
    ),
    "an unexpected success": (
        {"tests/test_other.py": "import pytest\n@pytest.mark.xfail\ndef test_x(): pass\n"},
        "3 passed",
    ),
    "some left out": (configured("-k one"), "1 passed, 1 left out"),
    "a file that needs what is not there": (
        {"tests/test_other.py": "import pytest\npytest.importorskip('no_such_module')\n"},
        "2 passed, 1 left out",
    ),
    "classes of unittest": (
        {
            "tests/test_other.py": "import unittest\nclass Test(unittest.TestCase):\n    def test_x(self): pass\n"
            "    @unittest.expectedFailure\n    def test_y(self): self.fail()\n"
        },
        "3 passed, 1 skipped",
    ),
    "subtests": (
        {"tests/test_other.py": "def test_x(subtests):\n    for i in 'ab':\n        with subtests.test(i=i): pass\n"},
        "3 passed",
    ),
    "parameters": (
        {"tests/test_other.py": "import pytest\n@pytest.mark.parametrize('x', ['é', ':', '\\n'])\ndef test(x): pass\n"},
        "5 passed",
    ),
    "what is printed, and closed": (
        {"tests/test_other.py": "import os\ndef test_x():\n    print('1 failed')\n    os.write(1, b'\\xff')\n"},
        "3 passed",
    ),
    "more processes, and what failed first": (configured("-n 2 --failed-first"), "2 passed"),
    "a file of settings of their own": (
        {"setup.cfg": "[tool:pytest]\ntestpaths = check\n", "check/test_one.py": "def test_it(): pass\n"},
        "1 passed",
    ),
    "a table of settings without options": (
        {"pyproject.toml": "[tool.pytest]\ntestpaths = ['check']\n", "check/test_one.py": "def test_it(): pass\n"},
        "1 passed",
    ),
    "tests in the package, which is on the path": (
        {
            "pyproject.toml": "[tool.pytest.ini_options]\npythonpath = 'python'\n"
            f"testpaths = 'python/{PROJECT.import_name}'\n",
            f"python/{PROJECT.import_name}/__init__.py": "",
            f"python/{PROJECT.import_name}/tests/__init__.py": "",
            f"python/{PROJECT.import_name}/tests/test_one.py": f"from {PROJECT.import_name} import tests\n{GOOD}",
        },
        "2 passed",
    ),
    "what needs the folder and the commands": (
        {
            "tests/words.txt": "x",
            "tests/test_other.py": "import shutil, sys\n"
            "def test_data(): assert open('tests/words.txt').read() == 'x'\n"
            "def test_command(): assert shutil.which('pytest').startswith(sys.prefix)\n",
        },
        "4 passed",
    ),
    "doctests": (
        {"tests/test_other.py": '"""\n>>> 1\n1\n"""\n', **configured("--doctest-modules")},
        "3 passed",
    ),
}


@pytest.mark.parametrize("case", PROVE_NOTHING)
def test_tests_that_prove_nothing_are_told_as_what_they_are(
    environment: Environment, tmp_path: Path, case: str
) -> None:
    files, expected = PROVE_NOTHING[case]
    with pytest.raises(ProblemsError) as failed:
        environment.run_tests(write_tests(tmp_path / "source", files))
    assert expected in failed.value.problems[0].what


@pytest.mark.parametrize("case", PROVE_SOMETHING)
def test_ordinary_tests_pass(environment: Environment, tmp_path: Path, case: str) -> None:
    files, expected = PROVE_SOMETHING[case]
    assert environment.run_tests(write_tests(tmp_path / "source", files)).rsplit(" in ", 1)[0] == expected


def test_a_step_that_hangs_is_ended(tmp_path: Path) -> None:
    environment = Environment(PROJECT, THIS, tmp_path, limit=1)
    with pytest.raises(ProblemsError, match="it hangs") as failed:
        environment.run("it hangs", sys.executable, "-c", "print('so far', flush=True); import time; time.sleep(60)")
    assert failed.value.problems[0].said == "so far\nno answer within 1 s"


def test_a_subtest_that_fails_is_a_failure(environment: Environment, tmp_path: Path) -> None:
    text = "def test_x(subtests):\n    with subtests.test(): assert False\n"
    with pytest.raises(ProblemsError, match=FAILED):
        environment.run_tests(write_tests(tmp_path / "source", {"tests/test_it.py": text}))


def test_what_is_missing_or_skipped_in_one_job_is_said() -> None:
    jobs = {
        "CPython 3.10": {"a": "passed", "b": "passed", "d": "skipped"},
        "CPython 3.12": {"a": "passed", "b": "skipped", "d": "skipped"},
        "sdist": {"a": "passed"},
    }
    assert list(compare_tests(jobs)) == [
        "run to their end nowhere: 1 tests: d",
        "CPython 3.12: not run to their end, as elsewhere: 1 tests: b",
        "sdist: not run to their end, as elsewhere: 1 tests: b",
    ]
    assert list(compare_tests({"one": {"a": "passed"}, "two": {"a": "passed"}})) == []
    many = {f"t{number}": "passed" for number in range(7)}
    assert next(compare_tests({"one": many, "two": {}})).endswith("7 tests: t0, t1, t2, t3, t4 and 2 more")
