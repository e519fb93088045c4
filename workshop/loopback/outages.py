"""Injected outages of the index: answers that come late, are errors, or never come."""

import os
import socket
import struct
from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass
class Outage:
    """What happens to some requests.

    Attributes:
        method: Of the requests.
        path: How their paths begin.
        status: They are answered with it: 502, 503 …, and 429 with `Retry-After: 1`; 0 for what they ask for.
        times: It happens to the first so many of them; None for all.
        seconds: It happens to those that come within so many seconds after the first; None for all.
        wait: The answer comes so many seconds later.
        drop_after: The connection is cut after so many bytes of the body; None for not at all.
        met: When requests of this method and path came, in seconds of the index's clock.
    """

    method: str
    path: str
    status: int = 0
    times: int | None = None
    seconds: float | None = None
    wait: float = 0.0
    drop_after: int | None = None
    met: list[float] = field(default_factory=list, repr=False)

    def meets(self, method: str, path: str, now: float) -> bool:
        """Say whether it happens to this request, and count it."""
        if method != self.method or not path.startswith(self.path):
            return False
        self.met.append(now)
        few = self.times is None or len(self.met) <= self.times
        return few and (self.seconds is None or now - self.met[0] <= self.seconds)


def find_outage(outages: Iterable[Outage], method: str, path: str, now: float) -> Outage | None:
    """Return the first outage that happens to a request.

    Args:
        outages: Which there are.
        method: The request's.
        path: The request's, without its query.
        now: In seconds, by any clock.
    """
    return next((outage for outage in outages if outage.meets(method, path, now)), None)


def cut(connection: socket.socket) -> None:
    """End a connection as a crash would: with a reset."""
    now = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, now)
    # Closing it is not enough: what reads from it keeps it open.
    socket.close(connection.detach())
