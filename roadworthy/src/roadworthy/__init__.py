"""The engine of a Python package with a Rust core: how it is built, checked, verified and released.

For everybody: `roadworthy.gate.check.check`, `roadworthy.gate.model.Finding` and `roadworthy.project.Project`.
"""

import errno
import os
import sys


def deliver(name: str, text: str) -> OSError | None:
    """Write a text to `sys.stdout` or `sys.stderr`, by that name; return why it does not arrive, if so."""
    stream = getattr(sys, name)
    if stream is None:
        return OSError(errno.EBADF, "it is closed")
    try:
        stream.write(text)
        stream.flush()
    except OSError as error:
        # What is still kept back goes nowhere, when the process ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        return error
    return None
