"""Work that only one process at a time does in a checkout, in a folder that is thrown away."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from roadworthy.terminal import problem


def read_note(note: Path) -> list[str]:
    """Return who works, and in which folder; it may be written, or removed, in this moment."""
    with suppress(OSError):
        return note.read_text(encoding="utf-8").splitlines() or ["just begun"]
    return ["just begun"]


@contextmanager
def exclusive(root: Path, name: str, below: Path | None = None) -> Iterator[Path]:
    """Keep others out of the same work in a checkout, or raise ProblemsError that names who does it; provide a folder.

    `name` is what the work is called, to people and below target/, which git ignores. The folder is new, in `below`,
    default: outside of the checkout. It is removed afterwards; that of a process which is killed, the next one removes.
    """
    from filelock import FileLock, Timeout  # noqa: PLC0415 - not for who looks at artefacts alone

    state, prefix = root / "target" / name, f"{name}-"
    lock, note = FileLock(state / "lock", blocking=False), state / "scratch"
    with ExitStack() as ends:
        try:
            state.mkdir(parents=True, exist_ok=True)
            ends.enter_context(lock)
        except Timeout as error:
            what = f"another {name} is running in this checkout ({read_note(note)[0]})"
            raise problem(what, "wait until it has ended, or end it") from error
        except OSError as error:
            remedy = "make it a folder of yours, or remove it"
            raise problem(f"{state} cannot be written: {error.strerror}", remedy) from error
        if (left := Path(read_note(note)[-1])).name.startswith(prefix):
            shutil.rmtree(left, ignore_errors=True)
        folder = Path(tempfile.mkdtemp(prefix=prefix, dir=below)).resolve()
        note.write_text(f"process {os.getpid()}\n{folder}", encoding="utf-8")
        ends.callback(note.unlink, missing_ok=True)
        ends.callback(shutil.rmtree, folder, ignore_errors=True)
        yield folder
