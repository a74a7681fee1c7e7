"""The client's side of a slot: start it by the first strategy that works, hand it jobs, replace it when it is lost."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from assay.sandboxes.base import SandboxFault
from assay.sandboxes.local.agent import wire
from assay.sandboxes.local.cgroups import SlotGroup
from assay.sandboxes.local.zygote import ZygoteLink, close_in_forks

_START_SECONDS = 30.0
_GRACE_SECONDS = 15.0
"""How long after its job's deadline a slot may take to kill, reap and clean before it counts as lost."""
_END_SECONDS = 2.0
"""How long a slot that was killed may take to be gone, and what runs in it."""


class SlotLost(SandboxFault):
    """The slot died or does not answer."""


@dataclass(frozen=True, slots=True)
class SlotSpec:
    """How to make a slot."""

    strategy: str
    trees: tuple[str, ...] = ()
    boxes: str = ""
    drop_uid: bool = False
    disk: int = 64 * 2**20
    memory_counted: bool = False
    """Whether a control group counts the memory of the whole tree, so that address space need not stand for it."""
    memory_fixed: int = 0
    """What the group grants to every job, where it is not set for each: smaller limits rest on address space."""
    processes: int = 0
    """Of the agent's own that are counted with the job's."""

    def request(self, uid: int) -> dict[str, Any]:
        """Return what to tell the zygote. `uid`: the first of two user ids that are the slot's alone."""
        return {**asdict(self), "uid_base": uid}


class Slot:
    """A running slot. Used by one thread at a time."""

    def __init__(
        self,
        zygote: ZygoteLink,
        spec: SlotSpec,
        uid: int = 0,
        *,
        group: SlotGroup | None = None,
        jobs: int = sys.maxsize,
        on_close: Callable[[], None] = lambda: None,
    ) -> None:
        """Start it; raises `SandboxFault` with the step that failed. After `jobs` jobs it is `spent`."""
        self.group, self.spec, self.address_space = group, spec, zygote.address_space
        self._left, self._on_close = jobs, on_close
        self._pidfd = -1
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._control.settimeout(_START_SECONDS)
        close_in_forks(self._control)
        try:
            with theirs:
                first = zygote.fork(spec.request(uid), theirs)
            if self.group is not None:
                self.group.join(first)
            self._control.send(b"go")
            self.mechanisms: dict[str, str] = self._await_ready()
        except (OSError, ValueError, SandboxFault) as error:
            self.close()
            raise SandboxFault(str(error)) from None
        except BaseException:
            self.close()
            raise

    def _await_ready(self) -> dict[str, str]:
        """Wait for two messages, in whatever order they come: the slot's process, and that it is ready."""
        ready: dict[str, str] | None = None
        while ready is None or self._pidfd < 0:
            packet, fds, _, _ = socket.recv_fds(self._control, wire.MAX_PACKET, 1)
            if not packet:
                raise SlotLost("the slot is gone")
            if fds:
                self._pidfd = fds[0]
                continue
            message = json.loads(packet)
            if "failed" in message:
                raise SandboxFault(message["failed"])
            ready = message["ready"]
        return ready

    @property
    def spent(self) -> bool:
        """Whether it has run as many jobs as it should."""
        return self._left <= 0

    @property
    def shares_user(self) -> bool:
        """Whether the processes of jobs are counted with the caller's own."""
        return self.mechanisms["namespaces"] != "active" and not self.mechanisms["identity"]

    def start(self, request: wire.Request, fetch: tuple[str, ...], fds: Sequence[int]) -> None:
        """Send a job. `fds`: stdin, stdout, stderr, payload, result, channel, and where fetched files go."""
        self._left -= 1
        try:
            socket.send_fds(self._control, [request.pack(fetch)], fds)
        except OSError as error:
            raise SlotLost(f"the slot is gone: {error.strerror}") from None

    def finish(self, latest: float) -> wire.Reply:
        """Wait for the job's end, which comes within `latest` seconds, and return the slot's account of it."""
        self._control.settimeout(latest + _GRACE_SECONDS)
        packet = self._packet()
        try:
            return wire.unpack_reply(packet)
        except ValueError as error:
            said = packet[:500].decode("utf-8", "replace")
            raise SlotLost(f"the slot sent no reply ({error}): {said}") from None

    def signal(self, operation: bytes) -> None:
        """Send `wire.INTERRUPT` or `wire.KILL` to the job that runs."""
        with contextlib.suppress(OSError):
            self._control.send(operation)

    def _packet(self) -> bytes:
        try:
            packet = self._control.recv(wire.MAX_PACKET)
        except TimeoutError:
            raise SlotLost("the slot does not answer") from None
        except OSError as error:
            raise SlotLost(f"the slot is gone: {error.strerror}") from None
        if not packet:
            raise SlotLost("the slot is gone")
        return packet

    def _await_end(self) -> None:
        """Wait until nobody has the other end any more: neither the slot nor who kills what it left."""
        deadline = time.monotonic() + _END_SECONDS
        with contextlib.suppress(OSError):
            while (left := deadline - time.monotonic()) > 0:
                self._control.settimeout(left)
                if not self._control.recv(wire.MAX_PACKET):
                    return

    def close(self) -> None:
        """Kill the slot and, with it, everything that runs in it. Idempotent."""
        with contextlib.suppress(OSError):
            self._control.shutdown(socket.SHUT_WR)
        if self._pidfd >= 0:
            with contextlib.suppress(OSError):
                signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)
            poll = select.poll()
            poll.register(self._pidfd, select.POLLIN)
            poll.poll(_END_SECONDS * 1000)
            os.close(self._pidfd)
            self._pidfd = -1
        self._await_end()
        self._control.close()
        if self.group is not None:
            self.group.remove()
            self.group = None
        done, self._on_close = self._on_close, lambda: None
        done()
