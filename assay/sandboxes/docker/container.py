"""One container: started, its zygote connected, removed.

The zygote calls us over a socket that is mounted into the container. As soon as it has, the socket is unlinked and
closed, so that no job can pretend to be one.
"""

from __future__ import annotations

import contextlib
import shutil
import socket
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from assay.sandboxes.base import SandboxFault
from assay.sandboxes.docker.engine import Engine
from assay.sandboxes.docker.hardening import BOX
from assay.sandboxes.local.zygote import ZygoteLink

_START_SECONDS = 60.0


class Container(ZygoteLink):
    """A running container, seen as the zygote in it."""

    def __init__(self, engine: Engine, options: Callable[[Path], dict[str, Any]], uid: int) -> None:
        """Start it. `options` is given the directory that holds what is mounted. Raises `SandboxFault`."""
        self._engine = engine
        self._state = Path(tempfile.mkdtemp(prefix="assay-docker-"))  # nobody else on this machine can look inside
        self._container: Any = None
        try:
            _write_accounts(self._state, uid)
            with contextlib.closing(_listen(self._state / "control")) as listener:
                self._container = engine.create(options(self._state))
                control = self._await_call(listener)
            (self._state / "control" / "socket").unlink()
            super().__init__(control)
        except BaseException:
            self.remove()
            raise

    def _await_call(self, listener: socket.socket) -> socket.socket:
        listener.settimeout(0.2)
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            with contextlib.suppress(TimeoutError):
                return listener.accept()[0]
            running, message = self._engine.state(self._container)
            if not running:
                raise SandboxFault(f"the container ended at once: {message}")
        raise SandboxFault("the container does not reach the socket that was mounted into it; is the engine elsewhere?")

    def remove(self) -> None:
        """Kill the container and remove what belongs to it. Idempotent."""
        if hasattr(self, "_control"):
            self.close()
        container, self._container = self._container, None
        if container is not None:
            self._engine.remove(container)
        shutil.rmtree(self._state, ignore_errors=True)


def _listen(directory: Path) -> socket.socket:
    directory.mkdir()
    directory.chmod(0o711)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(str(directory / "socket"))
    (directory / "socket").chmod(0o666)  # the container's user is none of ours; the parent directory is closed
    listener.listen(1)
    return listener


def _write_accounts(state: Path, uid: int) -> None:
    """Give the user a name, which programs ask for."""
    for name, text in (("passwd", f"user:x:{uid}:{uid}::{BOX}:/bin/sh\n"), ("group", f"user:x:{uid}:\n")):
        (state / name).write_text(text)
        (state / name).chmod(0o644)
