"""The index on two ports of this machine: over TLS for uploads, and without for readers."""

import os
import socket
import ssl
import struct
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import trustme
from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from workshop.loopback.application import Application
from workshop.loopback.identity import IdentityProvider
from workshop.loopback.index import Outage, PackageIndex, Request

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

HOST = "127.0.0.1"


@dataclass(frozen=True)
class Addresses:
    """Where the index is."""

    upload: str  # takes uploads, over TLS
    simple: str  # serves, without TLS
    plain: str  # takes uploads too, without TLS
    authority: Path  # the certificate of who vouches for the index, in PEM, for SSL_CERT_FILE


def cut(connection: socket.socket) -> None:
    """End a connection as a crash would: with a reset."""
    now = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, now)
    # Closing it is not enough: what reads from it keeps it open.
    socket.close(connection.detach())


class Handler(WSGIRequestHandler):
    """Answers one request, or lets happen to it what an outage does."""

    server: "Server"
    outage: Outage | None = None

    def run_wsgi(self) -> None:
        """Answer, or wait, or cut the connection."""
        index, path = self.server.index, self.path.partition("?")[0]
        with index.lock:
            meeting = (outage for outage in index.outages if outage.meets(self.command, path, index.now()))
            self.outage = next(meeting, None)
        if self.outage is not None:
            self.server.closing.wait(self.outage.wait)
            if self.outage.drop_after is not None:
                self.rfile.read(self.outage.drop_after)
                index.log.append(Request(self.command, path, 0))
                cut(self.connection)
                # Nothing is read any more: under TLS it would be read from whoever got the number of the socket.
                self.close_connection = True
                return
        super().run_wsgi()

    def make_environ(self) -> "WSGIEnvironment":
        """Tell the application what status it has to answer with, if it has to."""
        return {**super().make_environ(), "loopback.status": self.outage.status if self.outage else 0}

    def log(self, *_: Any) -> None:  # noqa: ANN401 - anything
        """Say nothing."""


class Server(ThreadedWSGIServer):
    """A server that can be closed at any time: no thread of it is left."""

    # So that closing waits for them.
    daemon_threads = False

    def __init__(self, application: Application, context: ssl.SSLContext | None) -> None:
        """Listen on a free port, over TLS if there is a context for it."""
        super().__init__(HOST, 0, application, Handler)
        self.ssl_context = context
        self.index = application.index
        self.closing = threading.Event()
        self.connections: set[socket.socket] = set()

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accept a connection; who is slow to shake hands over TLS keeps only its own thread waiting."""
        connection, address = super().get_request()
        if self.ssl_context is not None:
            connection = self.ssl_context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        self.connections.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:  # noqa: ANN401 - as it is declared
        """Close a connection."""
        self.connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, *_: Any) -> None:  # noqa: ANN401 - anything
        """Say nothing: the other side has gone."""

    def log(self, *_: Any) -> None:  # noqa: ANN401 - anything
        """Say nothing."""

    @contextmanager
    def running(self) -> Iterator[int]:
        """Serve in a thread until the end of the block, and yield the port."""
        # A daemon: whoever is interrupted while it starts must not wait for it at the end.
        thread = threading.Thread(target=lambda: self.serve_forever(poll_interval=0.01), daemon=True)
        try:
            thread.start()
            yield self.port
        finally:
            self.closing.set()
            if serving := thread.is_alive():
                self.shutdown()
            for connection in tuple(self.connections):
                # It may have just been closed. Who waits for an answer still gets it, so TLS must not be ended.
                with suppress(OSError):
                    socket.socket.shutdown(connection, socket.SHUT_RD)
            # Waits for the threads of all connections too.
            if serving:
                thread.join()


@contextmanager
def serve(
    index: PackageIndex, provider: IdentityProvider, folder: Path, hosts: Sequence[str] = ()
) -> Iterator[Addresses]:
    """Serve an index, and GitHub's identity provider beside it, until the end of the block.

    Args:
        index: What is served.
        provider: Who tells the index who somebody is; its address is set.
        folder: Where the authority's certificate is written to.
        hosts: Names that the index's certificate is for, beside localhost and 127.0.0.1.
    """
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost", HOST, *hosts).configure_cert(context)
    certificate = folder / "authority.pem"
    authority.cert_pem.write_to_path(str(certificate))
    application = Application(index, provider)
    with Server(application, context).running() as secure, Server(application, None).running() as plain:
        tls, bare = f"https://localhost:{secure}", f"http://{HOST}:{plain}"
        provider.address = f"{tls}/idtoken"
        yield Addresses(f"{tls}/legacy/", f"{bare}/simple/", f"{bare}/legacy/", certificate)
