"""One request to an ASGI application, in process: no server, no socket, no event loop.

The applications of this package answer without waiting for anything, so one step of their coroutine is the whole
answer. One that does wait cannot be served this way and is a fault. So is one that raises.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from assay.core.errors import Fault

App = Callable[
    [
        MutableMapping[str, Any],
        Callable[[], Awaitable[MutableMapping[str, Any]]],
        Callable[[MutableMapping[str, Any]], Awaitable[None]],
    ],
    Awaitable[None],
]
"""An ASGI application."""
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Response:
    """What the application answered."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str:
        """Return the first header of this (lower case) name, or an empty string."""
        return next((value for key, value in self.headers if key == name), "")


def request(app: App, method: str, path: str, query: str = "", body: bytes = b"", host: str = "site") -> Response:
    """Return the answer to one request. `path` is percent-encoded, as in an address."""
    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(path),
        "raw_path": path.encode("ascii", "replace"),
        "query_string": query.encode("ascii", "replace"),
        "root_path": "",
        "headers": [(b"host", host.encode()), *([(b"content-type", FORM.encode())] if body else [])],
        "server": (host, 80),
        "client": ("127.0.0.1", 0),
    }
    status, headers, chunks = 500, [], []

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        nonlocal status, headers
        if message["type"] == "http.response.start":
            status, headers = message["status"], list(message.get("headers", ()))
        elif message["type"] == "http.response.body":
            chunks.append(message.get("body", b""))

    answering = app(scope, receive, send).__await__()
    try:
        next(answering)
    except StopIteration:
        pairs = ((key.decode("latin-1").lower(), value.decode("latin-1")) for key, value in headers)
        return Response(status, tuple(pairs), b"".join(chunks))
    raise Fault(f"the site waits for something while it answers {method} {path}; a site must answer at once")
