"""A folder of pages as a site, in which only the scripts that came with a page run.

Invariants: nothing outside of the folder is served, links included. Every page comes with a content security policy
that names its own scripts by their hashes, so what an agent types never runs, however carelessly a page inserts it.
"""

from __future__ import annotations

import base64
import hashlib
import mimetypes
import re
from collections.abc import Awaitable, Callable, MutableMapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from assay.envs.web.drivers.asgi import App

_SCRIPT = re.compile(rb"<script(?![^>]*\ssrc\s*=)[^>]*>(.*?)</script>", re.DOTALL | re.IGNORECASE)
_HANDLER = re.compile(rb"\son[a-z]+\s*=\s*(?:\"([^\"]*)\"|'([^']*)')", re.IGNORECASE)


def folder_app(root: Path) -> App:
    """Return an application that serves the files below `root`, and 404 for everything else."""
    root = root.resolve()

    async def app(
        scope: MutableMapping[str, Any],
        receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
        send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
    ) -> None:
        status, headers, body = _answer(root, scope["path"])
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return app


@lru_cache(maxsize=512)
def _answer(root: Path, path: str) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    try:
        file = (root / path.lstrip("/")).resolve()
        body = file.read_bytes() if file.is_relative_to(root) and file.is_file() else None
    except (OSError, ValueError):
        body = None
    if body is None:
        return 404, [], b"there is no such file"
    kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    headers = [(b"content-type", f"{kind}; charset=utf-8".encode() if kind.startswith("text/") else kind.encode())]
    if kind == "text/html":
        headers.append((b"content-security-policy", policy(body).encode()))
    return 200, headers, body


def policy(page: bytes) -> str:
    """Return the policy under which a page runs its own scripts and no others."""
    scripts = [match[1] for match in _SCRIPT.finditer(page)]
    handlers = [match[1] or match[2] or b"" for match in _HANDLER.finditer(_SCRIPT.sub(b"", page))]
    hashes = " ".join(dict.fromkeys(_hash(source) for source in [*scripts, *handlers]))
    unsafe = " 'unsafe-hashes'" if handlers else ""
    if b"jscolor" in page:  # this library evaluates its options, which stand in the page
        unsafe += " 'unsafe-eval'"
    return f"default-src 'self' data:; style-src 'self' 'unsafe-inline'; script-src 'self'{unsafe} {hashes}".rstrip()


def _hash(source: bytes) -> str:
    text = source.replace(b"\r\n", b"\n")  # the parser normalises line ends before it hashes
    return f"'sha256-{base64.b64encode(hashlib.sha256(text).digest()).decode()}'"
