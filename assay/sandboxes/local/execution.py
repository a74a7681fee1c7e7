"""One job in one slot: descriptors out, bytes and a status back."""

from __future__ import annotations

import contextlib
import json
import marshal
import os
import socket
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from assay.sandboxes.base import Job, JobResult, SandboxFault
from assay.sandboxes.local import memfd
from assay.sandboxes.local.agent import codec, wire
from assay.sandboxes.local.agent.payload import payload
from assay.sandboxes.local.outcome import judge
from assay.sandboxes.local.slot import Slot

MAX_FRAME = 2 * codec.MAX_BYTES
_SEND_SECONDS = 30.0
"""For a job that does not read what it is sent."""
_THREAD_STACKS = 256 * 2**20
"""Address space beyond the memory limit where a control group counts memory: stacks are reserved, not used."""


class Execution:
    """A job under way. Call `result` once, or `close`."""

    def __init__(
        self,
        slot: Slot,
        job: Job,
        mode: str,
        *,
        channel: bool = False,
        done: Callable[[Slot, bool], None] = lambda slot, clean: None,
    ) -> None:
        """Start it. `done` is told, once, when the job is over, and whether the slot is ready for another."""
        self._slot, self._job, self._done = slot, job, done
        self._fds: dict[str, int] = {}
        self._channel: socket.socket | None = None
        try:
            self._start(mode, channel)
        except BaseException:
            self._release(clean=False)
            raise

    def _start(self, mode: str, channel: bool) -> None:
        job, limits = self._job, self._job.limits
        fds = self._fds
        fds["stdin"] = memfd.sealed("stdin", job.stdin)
        fds["stdout"], fds["stderr"] = memfd.empty("stdout"), memfd.empty("stderr")
        fds["payload"] = memfd.sealed("payload", _payload(job, mode))
        order = [fds["stdin"], fds["stdout"], fds["stderr"], fds["payload"]]
        # What a mode does not use it closes unseen, so any descriptor may stand there.
        order.append(fds.setdefault("result", memfd.empty("result")) if mode == "call" else fds["payload"])
        theirs: socket.socket | None = None
        if channel:
            self._channel, theirs = socket.socketpair()
        order.append(fds["payload"] if theirs is None else theirs.fileno())
        if job.fetch:
            fds["fetched"] = memfd.empty("fetched")
            order.append(fds["fetched"])
        counted = self._slot.spec.memory_counted
        if self._slot.group is not None:
            self._slot.group.limit(limits.memory_bytes, limits.processes)
        exact = limits.memory_bytes >= self._slot.spec.memory_fixed
        memory = limits.memory_bytes + (_THREAD_STACKS if counted and exact else 0)
        request = wire.Request(
            cpu=limits.cpu_seconds,
            wall=limits.wall,
            latest=limits.latest,
            # Runtimes other than CPython reserve far more than they use: only a control group can limit those.
            address_space=0 if job.argv and counted else self._slot.address_space + memory,
            file_size=max(limits.output_bytes, limits.disk_bytes),
            open_files=limits.open_files,
            processes=limits.processes + (_own_threads() if self._slot.shares_user else self._slot.spec.processes),
            stack=limits.stack_bytes,
            disk=limits.disk_bytes,
            output=limits.output_bytes,
        )
        self._slot.start(request, job.fetch, order)
        if theirs is not None:
            theirs.close()

    def result(self, **report: Any) -> JobResult:
        """Wait for the end; `report`: further fields of the result. Raises `SandboxFault` when the slot was lost."""
        clean = False
        try:
            result = self._result(report)
            clean = True
        finally:
            self._release(clean=clean)
        return result

    def _result(self, report: dict[str, Any]) -> JobResult:
        limits, cap = self._job.limits, self._job.limits.output_bytes
        reply = self._slot.finish(limits.latest)
        stdout, more_out = memfd.contents(self._fds["stdout"], cap)
        stderr, more_err = memfd.contents(self._fds["stderr"], cap)
        result, more_result = b"", False
        if "result" in self._fds:
            result, more_result = memfd.contents(self._fds["result"], codec.MAX_BYTES + 64)
        overflow = more_out or more_err or more_result
        events = (reply.out_of_memory, reply.out_of_processes)
        if reply.status and self._slot.group is not None:
            events = self._slot.group.events()
        outcome = judge(reply, limits, stderr, overflow=overflow, events=events)
        return JobResult(
            outcome.status,
            outcome.exit_code,
            outcome.signal,
            stdout,
            stderr,
            result,
            self._fetched(reply),
            truncated=overflow,
            cpu_seconds=reply.cpu,
            wall_seconds=reply.wall,
            peak_bytes=reply.peak,
            reason=outcome.reason,
            **report,
        )

    def _fetched(self, reply: wire.Reply) -> dict[str, bytes | None]:
        files: dict[str, bytes | None] = {}
        position = 0
        for name, size in zip(self._job.fetch, reply.fetched, strict=False):
            files[name] = None if size is None else os.pread(self._fds["fetched"], size, position)
            position += size or 0
        return files

    # -- the channel ------------------------------------------------------------------------------------------

    def send(self, message: dict[str, Any], fds: tuple[int, ...] = ()) -> None:
        """Send a frame. Raises `EOFError` when the job is gone."""
        assert self._channel is not None
        body = json.dumps(message).encode()
        self._channel.settimeout(_SEND_SECONDS)
        try:
            socket.send_fds(self._channel, [struct.pack("=I", len(body))], fds)
            self._channel.sendall(body)
        except OSError:
            raise EOFError("the job is gone") from None

    def receive(self, seconds: float) -> dict[str, Any]:
        """Return the next frame, an untrusted JSON object.

        Raises `TimeoutError` when none is there in time, `EOFError` when the job is gone or breaks the protocol.
        """
        deadline = time.monotonic() + seconds
        (size,) = struct.unpack("=I", self._exactly(4, deadline))
        if size > MAX_FRAME:
            raise EOFError("the job sent a frame that is too long")
        try:
            message = json.loads(self._exactly(size, deadline))
        except (ValueError, RecursionError):
            raise EOFError("the job sent no JSON") from None
        if not isinstance(message, dict):
            raise EOFError("the job sent no JSON object")
        return message

    def _exactly(self, size: int, deadline: float) -> bytes:
        assert self._channel is not None
        received = bytearray()
        while len(received) < size:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            self._channel.settimeout(left)
            try:
                piece = self._channel.recv(min(1 << 16, size - len(received)))
            except TimeoutError:
                raise
            except OSError:
                raise EOFError("the job is gone") from None
            if not piece:
                raise EOFError("the job is gone")
            received += piece
        return bytes(received)

    def interrupt(self) -> None:
        """Send SIGINT to the job."""
        self._slot.signal(wire.INTERRUPT)

    def close(self) -> None:
        """Kill the job if it still runs. Idempotent."""
        if not self._fds:
            return
        self._slot.signal(wire.KILL)
        clean = False
        try:
            self._slot.finish(0)
            clean = True
        except SandboxFault:
            pass  # its owner closes the slot
        finally:
            self._release(clean=clean)

    def _release(self, *, clean: bool) -> None:
        fds, self._fds = self._fds, {}
        for fd in fds.values():
            os.close(fd)
        if self._channel is not None:
            self._channel.close()
        self._done(self._slot, clean)


def _own_threads() -> int:
    """Return how many threads this user has: the kernel counts a job's together with them."""
    total = 0
    for status in Path("/proc").glob("[0-9]*/status"):
        with contextlib.suppress(OSError):
            fields = dict(line.split(":\t", 1) for line in status.read_text().splitlines() if ":\t" in line)
            if int(fields["Uid"].split()[0]) == os.getuid():
                total += int(fields["Threads"])
    return total


def _payload(job: Job, mode: str) -> bytes:
    return payload(
        mode=mode,
        source=job.source.encode("utf-8", "surrogatepass"),
        argv=job.argv,
        call="" if job.call is None else _call(job),
        files=job.files,
        env=job.env,
    )


def _call(job: Job) -> bytes | str:
    """Return the request: as `marshal` where that can carry the values, which is fast, otherwise as text of the codec.

    Raises `CodecError` for what neither can, and for what is too long. This side is trusted, so both are safe to read.
    """
    assert job.call is not None
    call = job.call
    request: dict[str, Any] = {"function": call.function, "args": list(call.args), "kwargs": dict(call.kwargs)}
    if call.more:
        request["more"] = [[list(args), dict(kwargs)] for args, kwargs in call.more]
    try:
        packed = marshal.dumps(request, 2)  # a version that knows no references: arguments share nothing
    except ValueError:
        return codec.encode(request)
    if len(packed) > codec.MAX_BYTES:
        raise codec.CodecError(f"the arguments are longer than {codec.MAX_BYTES} bytes")
    return packed
