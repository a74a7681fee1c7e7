"""A server for `POST /run_code` in front of any sandbox, so that other trainers can use it by URL.

    assay sandbox serve --port 8080

Invariants: what cannot be done is refused with a 4xx and one clear line (an unknown language, limits beyond those of
the server, a body that is no request); what a program did wrong is a `Failed` answer; only what the sandbox did wrong
is a `SandboxError`. Beyond this machine the server listens only with a token.
"""

from __future__ import annotations

import hmac
import ipaddress
import threading
from dataclasses import asdict, replace
from typing import Any

from pydantic import ValidationError

from assay.core.errors import AssayError, ConfigError
from assay.core.http_server import BackgroundServer, JsonHandler, serve_until_interrupted
from assay.sandboxes.base import Job, Limits, Sandbox, SandboxFault
from assay.sandboxes.languages import COMPILE_LIMITS, toolchains
from assay.sandboxes.remote import wire
from assay.sandboxes.remote.client import CAPABILITIES

MOST = Limits(
    cpu_seconds=120,
    wall_seconds=600,
    memory_bytes=4 * 2**30,
    processes=256,
    output_bytes=16 * 2**20,
    disk_bytes=2**30,
    open_files=4096,
    stack_bytes=2**30,
)
"""What a job may ask for, unless the server is told otherwise."""
_MAX_BODY = 64 * 2**20
_MAX_WAITING = 1024


class SandboxServer(BackgroundServer):
    """Serves one sandbox until it is closed; the sandbox stays its owner's. A context manager."""

    def __init__(
        self, sandbox: Sandbox, *, host: str = "127.0.0.1", port: int = 0, token: str = "", most: Limits = MOST
    ) -> None:
        """Bind the address and start to answer in the background; port 0 takes a free one.

        Raises `ConfigError` when the address cannot be had, or reaches beyond this machine without a token.
        """
        if not token and not _loopback(host):
            raise ConfigError(f"listening on {host} lets others run programs here: set a token")
        self.sandbox, self.token, self.most = sandbox, token, most
        self.waiting = threading.BoundedSemaphore(_MAX_WAITING)
        super().__init__(host, port, _Handler, name="assay-sandbox-server")

    def answer(self, body: bytes) -> dict[str, Any]:
        """Return the answer to a request. Raises `ConfigError` or `ValidationError` for one that is refused."""
        request = wire.RunRequest.model_validate_json(body)
        job = request.job()
        for name, most in asdict(self.most).items():
            asked = job.limits.wall if name == "wall_seconds" else getattr(job.limits, name)
            if asked > most:
                raise ConfigError(f"{name}={asked:g} is beyond what this server grants ({most:g})")
        try:
            return self._run(request, job).model_dump()
        except SandboxFault as fault:
            return wire.RunResponse(status="SandboxError", message=str(fault)).model_dump()

    def _run(self, request: wire.RunRequest, job: Job) -> wire.RunResponse:
        if request.language == "python" or request.argv:
            return wire.response(self.sandbox.run(job))
        seconds = min(request.compile_timeout, self.most.cpu_seconds)
        limits = replace(COMPILE_LIMITS, cpu_seconds=seconds)
        build = toolchains(self.sandbox).build(request.language, request.code, limits=limits)
        if not build.ok:
            assert build.result is not None
            return wire.not_compiled(build.result)
        built = build.job(stdin=job.stdin, files=job.files, limits=job.limits)
        return wire.response(self.sandbox.run(replace(built, fetch=job.fetch, env=job.env)), build.result)


def serve(sandbox: Sandbox, host: str, port: int, token: str) -> None:
    """Serve until interrupted (Ctrl-C)."""
    server = SandboxServer(sandbox, host=host, port=port, token=token)
    serve_until_interrupted(server, f"serving a sandbox at {server.url}{wire.RUN_CODE}")


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class _Handler(JsonHandler):
    @property
    def _owner(self) -> SandboxServer:
        return self.server.owner  # type: ignore[attr-defined,no-any-return]

    def do_GET(self) -> None:
        """Answer a GET request."""
        if not self._allowed():
            return
        if self.path != CAPABILITIES:
            self.send_json(404, {"detail": f"there is no GET {self.path}; this server knows POST {wire.RUN_CODE}"})
            return
        try:
            report = self._owner.sandbox.capabilities()
        except SandboxFault as fault:
            self.send_json(500, {"detail": str(fault)})
        else:
            self.send_json(200, {**asdict(report), "tier": int(report.tier)})

    def do_POST(self) -> None:
        """Answer a POST request."""
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > _MAX_BODY:
            self.close_connection = True
            self.send_json(413, {"detail": f"a body of at most {_MAX_BODY} bytes, with Content-Length, is needed"})
            return
        body = self.rfile.read(int(length))
        if not self._allowed():
            return
        if self.path != wire.RUN_CODE:
            self.send_json(404, {"detail": f"there is no POST {self.path}; this server knows {wire.RUN_CODE}"})
            return
        if not self._owner.waiting.acquire(blocking=False):
            self.send_json(429, {"detail": "too many requests are waiting"})
            return
        try:
            self.send_json(200, self._owner.answer(body))
        except ValidationError as error:
            first = error.errors()[0]
            self.send_json(422, {"detail": f"{'.'.join(map(str, first['loc']))}: {first['msg']}"})
        except AssayError as error:
            self.send_json(400, {"detail": str(error)})
        finally:
            self._owner.waiting.release()

    def _allowed(self) -> bool:
        wanted = f"Bearer {self._owner.token}".encode()
        given = self.headers.get("Authorization", "").encode("latin-1", "replace")
        if self._owner.token and not hmac.compare_digest(given, wanted):
            self.send_json(401, {"detail": "the token is missing or wrong"})
            return False
        return True
