import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import ferrous_wheel
import pytest
from ferrous_wheel import MAX_WORD_LENGTH, Vocabulary, closest, distance

# Without common beginnings or ends, so that the comparison is all the work it can be.
LONG = ["".join(chr(97 + (i * step) % 7) for i in range(MAX_WORD_LENGTH)) for step in range(1, 40)]


@pytest.mark.parametrize(
    "work",
    [
        lambda: [distance("x" + "yz" * (MAX_WORD_LENGTH // 2 - 1), word) for word in LONG],
        lambda: closest("x" + "yz" * (MAX_WORD_LENGTH // 2 - 1), LONG, limit=100),
        lambda: Vocabulary(LONG).closest("x" + "yz" * (MAX_WORD_LENGTH // 2 - 1), limit=100),
    ],
    ids=["distance()", "closest()", "Vocabulary.closest()"],
)
def test_other_threads_run_meanwhile(work: Callable[[], object]) -> None:
    worker = threading.Thread(target=work)
    started = time.perf_counter()
    worker.start()
    longest_wait = 0.0
    while worker.is_alive():
        before = time.perf_counter()
        time.sleep(0.0001)
        longest_wait = max(longest_wait, time.perf_counter() - before)
    assert longest_wait < (time.perf_counter() - started) / 2


def test_many_threads_use_one_vocabulary() -> None:
    vocabulary = Vocabulary(f"word{number}" for number in range(2_000))
    queries = [f"wrod{number}" for number in range(0, 2_000, 50)]
    expected = [vocabulary.closest(query) for query in queries]
    with ThreadPoolExecutor(8) as pool:
        for _ in range(5):
            assert list(pool.map(vocabulary.closest, queries)) == expected


def test_importing_leaves_a_free_threaded_interpreter_free() -> None:
    """Asked of a fresh interpreter, where nothing else can have switched the GIL on."""
    code = "import sys, sysconfig, ferrous_wheel; print(bool(sysconfig.get_config_var('Py_GIL_DISABLED')), getattr(sys, '_is_gil_enabled', lambda: True)())"
    child = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    free_threaded, gil = child.stdout.split()
    assert (free_threaded, gil) in {("True", "False"), ("False", "True")}
    assert child.stderr == ""


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C cannot be sent to a single process on Windows")
@pytest.mark.parametrize(
    "endless",
    [
        "import itertools; f.closest('a', itertools.repeat('word'))",
        "v = f.Vocabulary(str(i) + 'y' * 9_000 for i in range(2_000)); print('go', flush=True)\n"
        "while True: v.closest('x' * 9_500, limit=10_000)",
    ],
    ids=["an endless iterable", "many comparisons"],
)
def test_ctrl_c_ends_the_work(endless: str) -> None:
    code = f"import ferrous_wheel as f; print('go', flush=True)\n{endless}"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        for _ in range(code.count("'go'")):
            child.stdout.readline()
        time.sleep(0.3)
        child.send_signal(signal.SIGINT)
        sent = time.perf_counter()
        _, stderr = child.communicate(timeout=60)
    assert stderr.rstrip().endswith("KeyboardInterrupt")
    # A debug build compares about thirty times as slowly as the one that ships.
    assert time.perf_counter() - sent < (1 if ferrous_wheel._core.BUILD_PROFILE == "release" else 20)
