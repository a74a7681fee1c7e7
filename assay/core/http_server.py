"""What our small HTTP servers share: an address, a thread that listens, and answers in JSON.

The standard library's threading server is enough for them: a thread waits for each connection while something else,
an engine or a sandbox, does the work.
"""

from __future__ import annotations

import contextlib
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from assay.core.errors import ConfigError


class JsonHandler(BaseHTTPRequestHandler):
    """Answers in JSON; connections stay open between requests. `self.server.owner` is the `BackgroundServer`."""

    protocol_version = "HTTP/1.1"

    def send_json(self, status: int, body: dict[str, Any]) -> None:
        """Send an answer."""
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: a library does not write to the terminal."""


class BackgroundServer:
    """Listens in a thread of its own until it is closed. A context manager."""

    def __init__(self, host: str, port: int, handler: type[JsonHandler], *, name: str) -> None:
        """Bind the address and start to answer; port 0 takes a free one. `ConfigError` when it cannot be had."""
        try:
            self._http = _HttpServer((host, port), handler)
        except OSError as error:
            raise ConfigError(f"cannot listen on {host}:{port}: {error.strerror}") from error
        self._http.owner = self
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), name=name, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """The base URL for clients."""
        host, port = self._http.server_address[:2]
        return f"http://{host!s}:{port}"

    def join(self) -> None:
        """Wait until another thread closes the server."""
        self._thread.join()

    def close(self) -> None:
        """Stop listening. Idempotent."""
        self._http.shutdown()
        self._http.server_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def serve_until_interrupted(server: BackgroundServer, greeting: str) -> None:
    """Say where the server is, and serve until Ctrl-C."""
    with server:
        sys.stdout.write(f"{greeting}\n")
        sys.stdout.flush()
        with contextlib.suppress(KeyboardInterrupt):
            server.join()


class _HttpServer(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 1024
    owner: Any

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a client that hung up; anything else is a fault that somebody should see."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)
