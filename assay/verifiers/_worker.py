"""The process behind `pool.WorkerPool`: a supervisor that forks one killable worker. Run as a script, stdlib only.

The supervisor is a clean, single-threaded process. It imports what a call needs *before* the clock starts, hands the
call to its worker, and kills the worker when the wall limit is over; the next worker is a fork of the warm
supervisor.

Frames on all pipes: 4 bytes of length (network order), then JSON. JSON and not pickle, because a check that hostile
input took over must not be able to run code in the trainer. Requests: first `{"path", "preload", "memory_mb",
"parent"}`, then `{"function", "args", "wall_seconds", "cpu_seconds"}`. Replies: one of `{"value"}`, `{"error"}`,
`{"timeout"}`, `{"exhausted"}`, `{"crash"}`.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import json
import math
import os
import resource
import select
import signal
import struct
import sys
import time
from typing import Any

MAX_FRAME = 64 * 2**20
"""Longest message in bytes; a longer one counts as a crash."""
_TICK_MS = 1000
_PR_SET_PDEATHSIG = 1
_EXHAUSTED = "killed by SIGPROF"
_OUT_OF_MEMORY = 77
"""Exit status of a worker that met its memory limit."""


class ParentGone(BaseException):
    """Nobody is left to serve. Not an `Exception`, so that no import in progress can swallow it."""


def write_frame(fd: int, message: bytes) -> None:
    """Write one frame, whole."""
    data = memoryview(struct.pack("!I", len(message)) + message)
    while data:
        data = data[os.write(fd, data) :]


def read_exactly(fd: int, size: int) -> bytes:
    """Read `size` bytes; EOFError when the other side is gone."""
    chunks = bytearray()
    while len(chunks) < size:
        chunk = os.read(fd, min(size - len(chunks), 2**16))
        if not chunk:
            raise EOFError
        chunks += chunk
    return bytes(chunks)


def read_frame(fd: int) -> bytes:
    """Read one frame; EOFError when the other side is gone or sends no frame."""
    (size,) = struct.unpack("!I", read_exactly(fd, 4))
    if size > MAX_FRAME:
        raise EOFError
    return read_exactly(fd, size)


class Supervisor:
    """Serves one call after the other through a worker that can be killed at any time."""

    def __init__(self, requests: int, replies: int) -> None:
        self.requests, self.replies = requests, replies
        settings = json.loads(read_frame(requests))
        sys.path[:] = settings["path"]
        self.parent: int = settings["parent"]
        self.memory_bytes = int(settings["memory_mb"] * 2**20)
        self.preload: list[str] = settings["preload"]
        self.worker = 0
        self.to_worker = self.from_worker = -1

    def run(self) -> None:
        """Serve until the parent is gone."""
        try:
            while True:
                self._wait(self.requests, None)
                request = read_frame(self.requests)
                write_frame(self.replies, self._serve(request))
        except (EOFError, BrokenPipeError, ParentGone):
            pass
        finally:
            self._kill()

    def _serve(self, request: bytes) -> bytes:
        call = json.loads(request)
        modules = [*self.preload, call["function"].partition(":")[0]]
        try:
            new = [m for m in modules if m not in sys.modules]
            for module in new:
                importlib.import_module(module)
        except Exception as error:  # noqa: BLE001 - whatever an import raises is the answer to this call
            return _reply(error=f"cannot import {module!r}: {type(error).__name__}: {error}")
        if new:
            self._kill()
        if not self.worker:
            self._fork()
        deadline = time.monotonic() + call["wall_seconds"]
        try:
            write_frame(self.to_worker, request)
            if not self._wait(self.from_worker, deadline):
                self._kill()
                return _reply(timeout=call["wall_seconds"])
            return read_frame(self.from_worker)
        except (EOFError, BrokenPipeError):
            how = self._kill()
            if how == _EXHAUSTED:
                return _reply(exhausted=call["cpu_seconds"])
            if how == f"exited with {_OUT_OF_MEMORY}":
                return _reply(error="MemoryError: the memory limit was reached")
            return _reply(crash=how)

    def _wait(self, fd: int, deadline: float | None) -> bool:
        """Wait until `fd` is readable; False at the deadline, ParentGone when the parent died."""
        poll = select.poll()
        poll.register(fd, select.POLLIN)
        if fd != self.requests:
            poll.register(self.requests, 0)  # reports a hang-up only
        while True:
            left = math.inf if deadline is None else (deadline - time.monotonic()) * 1000
            if left <= 0:
                return False
            ready = dict(poll.poll(min(left, _TICK_MS)))
            if ready.get(fd, 0) & select.POLLIN:
                return True
            if self.requests in ready or os.getppid() != self.parent:
                raise ParentGone
            if fd in ready:
                return True  # hang-up of the worker: reading reports the end of file

    def _fork(self) -> None:
        gc.collect()
        gc.freeze()  # keeps the pages that workers share from being copied by the collector
        theirs_in, self.to_worker = os.pipe()
        self.from_worker, theirs_out = os.pipe()
        supervisor = os.getpid()
        self.worker = os.fork()
        if self.worker:
            os.close(theirs_in)
            os.close(theirs_out)
            return
        status = 1
        try:
            for fd in (self.requests, self.replies, self.to_worker, self.from_worker):
                os.close(fd)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            os.setsid()
            _die_with(supervisor)
            _limit_memory(self.memory_bytes)
            status = work(theirs_in, theirs_out)
        finally:
            os._exit(status)

    def _kill(self) -> str:
        """Kill and reap the worker; return how it ended."""
        if not self.worker:
            return "not running"
        for fd in (self.to_worker, self.from_worker):
            os.close(fd)
        for kill in (os.killpg, os.kill):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                kill(self.worker, signal.SIGKILL)
        _, status = os.waitpid(self.worker, 0)
        self.worker = 0
        code = os.waitstatus_to_exitcode(status)
        return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exited with {code}"


def work(requests: int, replies: int) -> int:
    """Answer calls until the pipe closes or memory runs out; return the exit status."""
    with contextlib.suppress(EOFError, BrokenPipeError):
        while True:
            call = json.loads(read_frame(requests))
            _limit_cpu(call["wall_seconds"])
            if call.get("cpu_seconds") is not None:  # the kernel ends the process when its own time is used up
                signal.setitimer(signal.ITIMER_PROF, call["cpu_seconds"])
            try:
                reply = _reply(value=_resolve(call["function"])(*call["args"]))
            except MemoryError:
                return _OUT_OF_MEMORY  # what is left of this process is not to be relied on
            except BaseException as error:  # noqa: BLE001 - even SystemExit must come back as a failed call
                reply = _reply(error=f"{type(error).__name__}: {str(error)[:2000]}")
            signal.setitimer(signal.ITIMER_PROF, 0)
            write_frame(replies, reply)
    return 0


def _resolve(path: str) -> Any:
    module, _, attribute = path.partition(":")
    found: Any = sys.modules[module]
    for part in attribute.split("."):
        found = getattr(found, part)
    return found


def _reply(**content: Any) -> bytes:
    return json.dumps(content).encode()


def _die_with(supervisor: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != supervisor:
        os._exit(1)


def _limit_memory(extra_bytes: int) -> None:
    """Let the worker add `extra_bytes` to the address space that it was forked with."""
    with contextlib.suppress(OSError, ValueError):  # systems without the limit or without /proc
        with open("/proc/self/statm") as file:
            used = int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
        resource.setrlimit(resource.RLIMIT_AS, (used + extra_bytes,) * 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _limit_cpu(wall_seconds: float) -> None:
    """Second line of defence: should the supervisor be stopped, the kernel ends the worker."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    soft = math.ceil(usage.ru_utime + usage.ru_stime + wall_seconds) + 1
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))


def _leave(signum: int, frame: object) -> None:
    raise ParentGone


def main() -> None:
    """Take the pipes off standard input and output, so that a stray print cannot speak for us."""
    requests, replies = os.dup(0), os.dup(1)
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    signal.signal(signal.SIGTERM, _leave)
    with contextlib.suppress(EOFError, ParentGone):
        Supervisor(requests, replies).run()


if __name__ == "__main__":
    main()
