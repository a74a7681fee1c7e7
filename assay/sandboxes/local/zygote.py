"""The client's side of a zygote: start it, ask it for slots."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from assay.sandboxes.base import SandboxFault
from assay.sandboxes.local import layout, memfd

AGENT = Path(__file__).parent / "agent"
_BOOT = (
    "import sys; sys.path.insert(0, {path!r}); import site; site.main(); "
    "from agent.zygote import main; sys.path.remove({path!r}); main()"
)
_START_SECONDS = 60.0
_controls: weakref.WeakSet[socket.socket] = weakref.WeakSet()


def close_in_forks(control: socket.socket) -> None:
    """Keep forks of this process from holding a socket, by whose end zygotes and slots learn of this process's."""
    _controls.add(control)


def _close_all() -> None:
    for control in list(_controls):
        control.close()


os.register_at_fork(after_in_child=_close_all)


def boot_options(agent: Path) -> list[str]:
    """Return the options by which an interpreter becomes a zygote; its control socket and modules follow."""
    return ["-s", "-S", "-B", "-P", "-X", "utf8", "-c", _BOOT.format(path=str(agent.parent))]


class ZygoteLink:
    """The client's end of a zygote's control socket."""

    def __init__(self, control: socket.socket) -> None:
        """Wait for the zygote to be ready. Raises `SandboxFault` when it is not."""
        self._lock = threading.Lock()
        self._control = control
        close_in_forks(control)
        control.settimeout(_START_SECONDS)
        self.address_space = int(self._receive()["address_space"])

    def fork(self, spec: dict[str, Any], control: socket.socket) -> int:
        """Fork a process that becomes a slot on `control`; return its process id, as the zygote sees it."""
        with self._lock:
            try:
                socket.send_fds(self._control, [json.dumps(spec).encode()], [control.fileno()])
            except OSError as error:
                raise SandboxFault(f"the zygote is gone: {error}") from None
            return int(self._receive()["pid"])

    def _receive(self) -> dict[str, Any]:
        try:
            data = self._control.recv(1 << 16)
        except OSError as error:
            raise SandboxFault(f"the zygote does not answer: {error}") from None
        if not data:
            raise SandboxFault("the zygote is gone")
        answer: dict[str, Any] = json.loads(data)
        return answer

    def close(self) -> None:
        """Hang up, upon which the zygote ends."""
        self._control.close()


class Zygote(ZygoteLink):
    """A process that forks slots. Executed with a small environment; holds nothing of the caller's."""

    def __init__(self, modules: Sequence[str]) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        errors = memfd.empty("zygote-errors")
        command = [sys.executable, *boot_options(AGENT), str(theirs.fileno()), ",".join(layout.ENVIRONMENT), *modules]
        with theirs:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                pass_fds=[theirs.fileno()],
                env=layout.environment(),
                cwd="/",
                start_new_session=True,  # Ctrl-C is for the caller, who then closes us
            )
        try:
            super().__init__(ours)
        except SandboxFault:
            text = memfd.contents(errors, 2000)[0].decode("utf-8", "replace").strip()
            self.close()
            raise SandboxFault(f"the zygote did not start: {(text.splitlines() or ['no message'])[-1]}") from None
        finally:
            os.close(errors)

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process.poll() is None

    def close(self) -> None:
        """End the process."""
        super().close()
        try:
            self._process.wait(2)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
