import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from ferrous_wheel import MAX_WORD_LENGTH, Vocabulary, _core, closest, distance

# A debug build compares about thirty times as slowly as the one that ships.
WORDS = 30 if _core.BUILD_PROFILE == "release" else 4
# Without common beginnings or ends, so that the comparison is all the work it can be.
LONG = ["".join(chr(97 + (i * step) % 7) for i in range(MAX_WORD_LENGTH)) for step in range(1, WORDS + 1)]


WORD = "x" + "yz" * (MAX_WORD_LENGTH // 2 - 1)


def ticks_during(work: Callable[[], object]) -> int:
    """Return how often this thread came to run while another one did the work."""
    worker = threading.Thread(target=work)
    worker.start()  # may itself wait until the work is done
    ticks = 0
    while worker.is_alive():
        time.sleep(0.0001)
        ticks += 1
    return ticks


@pytest.mark.parametrize(
    "work",
    [
        lambda: distance(WORD, LONG[0]),
        lambda: closest(WORD, LONG, limit=100),
        lambda: Vocabulary(LONG).closest(WORD, limit=100),
    ],
    ids=["distance()", "closest()", "Vocabulary.closest()"],
)
def test_other_threads_run_meanwhile(work: Callable[[], object]) -> None:
    """If the interpreter were held, this thread would run once or twice, before and after, each time."""
    assert any(ticks_during(work) >= 4 for _ in range(50))  # on a busy machine, not each time


def test_many_threads_use_one_vocabulary() -> None:
    vocabulary = Vocabulary(f"word{number}" for number in range(2_000))
    queries = [f"wrod{number}" for number in range(0, 2_000, 50)]
    expected = [vocabulary.closest(query) for query in queries]
    with ThreadPoolExecutor(8) as pool:
        for _ in range(5):
            assert list(pool.map(vocabulary.closest, queries)) == expected


def test_importing_leaves_a_free_threaded_interpreter_free() -> None:
    """Asked of a fresh interpreter, where nothing else can have switched the GIL on."""
    code = """import sys, sysconfig, ferrous_wheel
gil = getattr(sys, "_is_gil_enabled", lambda: True)()
sys.exit(gil == bool(sysconfig.get_config_var("Py_GIL_DISABLED")))"""
    # Not what it prints: others may print too, such as a library that is preloaded.
    child = subprocess.run([sys.executable, "-W", "error", "-c", code], check=False)
    assert child.returncode == 0


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C cannot be sent to a single process on Windows")
@pytest.mark.parametrize(
    "work",
    [
        "f.closest('a', itertools.repeat('word', 20_000_000))",
        "while True: v.closest('x' * 9_500, limit=10_000)",
    ],
    ids=["reading an iterable", "comparing"],
)
def test_ctrl_c_ends_the_work(work: str) -> None:
    # A shell starts a background job with Ctrl-C ignored, and the child would inherit that.
    code = f"""import itertools, signal, ferrous_wheel as f
signal.signal(signal.SIGINT, signal.default_int_handler)
v = f.Vocabulary(str(i) + "y" * 9_000 for i in range(500))
print("ready", flush=True)
{work}"""
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as child:
        try:
            assert child.stdout is not None
            assert child.stdout.readline() == "ready\n"
            time.sleep(0.2)
            child.send_signal(signal.SIGINT)
            sent = time.perf_counter()
            _, stderr = child.communicate(timeout=30)
        finally:
            child.kill()
    assert stderr.rstrip().endswith("KeyboardInterrupt")
    assert time.perf_counter() - sent < (1 if _core.BUILD_PROFILE == "release" else 20)
