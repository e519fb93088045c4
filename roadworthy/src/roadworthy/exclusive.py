"""Work that only one process at a time does in a checkout, in a folder that is thrown away."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from roadworthy.terminal import problem


@contextmanager
def exclusive(root: Path, name: str) -> Iterator[Path]:
    """Keep others out of the same work in a checkout, or raise ProblemsError; provide a new folder outside of it.

    `name` is what the work is called, to people and below target/, which git ignores. The folder is removed afterwards;
    that of a process which is killed, the next one removes.
    """
    import tempfile  # noqa: PLC0415 - a refused command line does without

    from filelock import FileLock, Timeout  # noqa: PLC0415 - as above

    state, prefix = root / "target" / name, f"{name}-"
    lock, note = FileLock(state / "lock", blocking=False), state / "scratch"
    try:
        state.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout as error:
        raise problem(f"another {name} is running in this checkout", "wait until it has ended, or end it") from error
    except OSError as error:
        remedy = "make it a folder of yours, or remove it"
        raise problem(f"{state} cannot be written: {error.strerror}", remedy) from error
    try:
        if note.exists() and (left := Path(note.read_text(encoding="utf-8"))).name.startswith(prefix):
            shutil.rmtree(left, ignore_errors=True)
        folder = Path(tempfile.mkdtemp(prefix=prefix)).resolve()
        note.write_text(str(folder), encoding="utf-8")
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            note.unlink(missing_ok=True)
    finally:
        lock.release()
