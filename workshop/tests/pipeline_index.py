"""A package index on loopback: what it serves is JSON (PEP 691)."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from helpers import PROJECT
from roadworthy.sums import sha256

JSON = "application/vnd.pypi.simple.v1+json"


@dataclass
class PackageIndex:
    """One project's files, and what has been asked."""

    files: dict[str, bytes] = field(default_factory=dict)
    # Files that the first so many requests do not see.
    late: dict[str, int] = field(default_factory=dict)
    unattested: set[str] = field(default_factory=set)
    content_type: str = JSON
    yanked: set[str] = field(default_factory=set)
    # Whether it sends files, whatever they are called.
    sends: bool = False
    asked: list[str] = field(default_factory=list)
    address: str = ""

    @property
    def simple(self) -> str:
        """Where it serves."""
        return f"{self.address}/simple/"

    @property
    def upload(self) -> str:
        """Where files would be sent to, were it PyPI."""
        return f"{self.address}/legacy/"

    def page(self) -> dict[str, Any]:
        """Return the project's page."""
        seen = len([path for path in self.asked if path.startswith("/simple/")])
        listed = [
            {
                "filename": file,
                "url": f"{self.address}/files/{file}",
                "hashes": {"sha256": sha256(content)},
                "size": len(content),
                "yanked": file in self.yanked,
                "provenance": None if file in self.unattested else f"{self.address}/provenance/{file}",
            }
            for file, content in self.files.items()
            if seen > self.late.get(file, 0)
        ]
        return {"meta": {"api-version": "1.3"}, "name": PROJECT.name, "versions": [], "files": listed}

    def handler(self, *arguments: Any) -> BaseHTTPRequestHandler:  # noqa: ANN401 - what a server passes on
        """Return a handler for one request."""
        index = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self, code: int, content_type: str, body: bytes) -> None:
                self.send_response(code)
                self.send_header("Content-Type", content_type)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self) -> None:
                index.asked.append(self.path)
                if index.sends and self.path.startswith("/files/"):
                    self.answer(200, "application/octet-stream", index.files[self.path.rpartition("/")[2]])
                    return
                if not self.path.startswith(f"/simple/{PROJECT.name}"):
                    self.answer(404, "text/plain", b"there is no such page")
                    return
                page = json.dumps(index.page()) if index.content_type == JSON else "hello"
                self.answer(200, index.content_type, page.encode())

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        return Handler(*arguments)


@contextmanager
def running(index: PackageIndex) -> Iterator[PackageIndex]:
    """Let the index answer on a free port of loopback, until the end of the block."""
    with ThreadingHTTPServer(("127.0.0.1", 0), index.handler) as server:
        server.daemon_threads = True
        index.address = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield index
        finally:
            server.shutdown()
            thread.join(timeout=10)
