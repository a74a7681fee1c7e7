"""Killable worker processes for checks that may hang, crash or eat memory.

    pool = WorkerPool(workers=2, wall_seconds=1.0, memory_mb=512, preload=("sympy",))
    pool.call("my_package.symbolic:equal", "x+1", "1+x")     # True, or raises a VerifierFault
    pool.call_many("my_package.symbolic:equal", [("x", "x"), ("x", "y")])

Functions are named `module:function`, take and return JSON values (a tuple comes back as a list), and are imported in
the worker's process only. Invariants:

* The clock of a call starts in the worker's own process, after its imports, and not while the call queues here; at
  the limit the worker gets SIGKILL. A hung or crashed call never costs the next one anything but milliseconds.
* Workers come from a clean process started with `subprocess`, never from a fork of the caller (threads, CUDA).
* Calls may come from any thread; in asyncio use `await asyncio.to_thread(pool.call, ...)`.
* No process outlives the pool: not after `close()`, not at exit, not when the parent is killed with SIGKILL.

Needs a POSIX system; the memory limit needs Linux.
"""

from __future__ import annotations

import json
import os
import queue
import select
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any

from assay.core.errors import ConfigError, VerifierFault
from assay.verifiers._worker import read_frame, write_frame

_SCRIPT = Path(__file__).with_name("_worker.py")
_STARTUP_SECONDS = 60.0
"""How long imports may take before the whole process counts as lost."""
_GOODBYE_SECONDS = 2.0
_SINGLE_THREAD = {
    # Numeric libraries must not start threads in a process that forks; hash order must not decide a verdict.
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "PYTHONHASHSEED": "0",
}


class WorkerTimeout(VerifierFault):
    """The call was killed at its wall limit."""


class WorkerExhausted(WorkerTimeout):
    """The call used up its processor time, which does not depend on the load of the machine."""


class WorkerCrash(VerifierFault):
    """The worker's process died: a signal, an exit, or a broken message."""


class WorkerError(VerifierFault):
    """The function raised; the message is `Type: text`."""


class WorkerPool:
    """A fixed number of killable workers, started when first used."""

    def __init__(
        self,
        workers: int = 2,
        wall_seconds: float = 1.0,
        memory_mb: int = 512,
        *,
        preload: Sequence[str] = (),
        cpu_seconds: float | None = None,
    ) -> None:
        """`memory_mb` is what a call may add to the worker's address space; `preload` are modules imported early.

        `cpu_seconds` limits the processor time of a call, for verdicts that must not depend on the load.
        """
        if workers < 1 or wall_seconds <= 0 or memory_mb < 1 or (cpu_seconds is not None and cpu_seconds <= 0):
            raise ConfigError("a worker pool needs workers >= 1, seconds > 0 and memory_mb >= 1")
        self.cpu_seconds = cpu_seconds
        self.workers, self.wall_seconds, self.memory_mb = workers, wall_seconds, memory_mb
        self._preload = list(preload)
        self._lock = threading.Lock()
        self._closed = False
        self._populate()

    def call(self, function: str, *args: Any, wall_seconds: float | None = None) -> Any:
        """Run `module:function` on JSON arguments and return its JSON result.

        Raises:
            WorkerTimeout: the wall limit was over; `WorkerExhausted`, the limit of processor time.
            WorkerCrash: the worker died (out of memory in C code, segmentation fault, exit).
            WorkerError: the function raised, or it cannot be imported.
        """
        if ":" not in function:
            raise ConfigError(f"a worker function is named 'module:function', not {function!r}")
        limit = self.wall_seconds if wall_seconds is None else wall_seconds
        request = {"function": function, "args": list(args), "wall_seconds": limit, "cpu_seconds": self.cpu_seconds}
        try:
            message = json.dumps(request).encode()
        except (TypeError, ValueError, RecursionError) as error:
            raise WorkerError(f"arguments of {function} are not JSON: {error}") from None
        self._refresh_after_fork()
        worker = self._idle.get()
        try:
            return _unwrap(function, worker.ask(message, limit))
        finally:
            self._idle.put(worker)

    def call_many(
        self, function: str, calls: Iterable[Sequence[Any]], *, wall_seconds: float | None = None
    ) -> list[Any | VerifierFault]:
        """Run a batch over all workers; a failed call gives its `VerifierFault` in place of a result."""

        def one(args: Sequence[Any]) -> Any | VerifierFault:
            try:
                return self.call(function, *args, wall_seconds=wall_seconds)
            except VerifierFault as fault:
                return fault

        with ThreadPoolExecutor(self.workers, thread_name_prefix="assay-pool") as threads:
            return list(threads.map(one, calls))

    def close(self) -> None:
        """End all workers, also busy ones, whose calls then fail. Idempotent; the pool cannot be used afterwards."""
        self._closed = True
        self._finalizer()

    def __enter__(self) -> WorkerPool:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _populate(self) -> None:
        settings = {"preload": self._preload, "memory_mb": self.memory_mb}
        self._pid = os.getpid()
        members = [_Worker(settings) for _ in range(self.workers)]
        self._idle: queue.LifoQueue[_Worker] = queue.LifoQueue()
        for member in members:
            self._idle.put(member)
        self._finalizer = weakref.finalize(self, _close_all, members, self._pid)

    def _refresh_after_fork(self) -> None:
        """Start anew in a forked copy of the caller: the workers and their pipes belong to the original."""
        if self._closed:
            raise VerifierFault("the worker pool is closed")
        if self._pid != os.getpid():
            self._finalizer.detach()
            self._populate()


class _Worker:
    """One supervisor process and the pipes to it. Used by one thread at a time, except for `stop`."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None
        self._stopped = False
        self._lock = threading.Lock()
        self._busy = threading.RLock()
        """Held while the pipes are in use: nobody closes a descriptor that another thread reads."""

    def ask(self, message: bytes, wall_seconds: float) -> bytes:
        with self._busy:
            process = self._process
            if process is None or process.poll() is not None:
                process = self._start()
            try:
                write_frame(_fileno(process.stdin), message)
                self._await_reply(_fileno(process.stdout), wall_seconds + _STARTUP_SECONDS)
                return read_frame(_fileno(process.stdout))
            except BaseException as error:
                # Also for KeyboardInterrupt: a reply that nobody read would answer the next call.
                self._discard()
                if isinstance(error, (EOFError, OSError)):
                    raise WorkerCrash("the worker's process is gone") from None
                raise

    def _await_reply(self, fd: int, seconds: float) -> None:
        poll = select.poll()
        poll.register(fd, select.POLLIN)
        deadline = time.monotonic() + seconds
        while not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
            if time.monotonic() >= deadline:
                raise WorkerTimeout(f"the worker's process did not answer within {seconds:g} s")

    def _start(self) -> subprocess.Popen[bytes]:
        self._discard()
        with self._lock:
            if self._stopped:
                raise VerifierFault("the worker pool is closed")
            self._process = process = subprocess.Popen(
                [sys.executable, "-P", str(_SCRIPT)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                bufsize=0,
                env={**os.environ, **_SINGLE_THREAD},
                start_new_session=True,  # Ctrl-C is for the caller, who then closes us
            )
        settings = {**self._settings, "path": sys.path, "parent": os.getpid()}
        write_frame(_fileno(process.stdin), json.dumps(settings).encode())
        return process

    def _discard(self) -> None:
        """End the process. A thread that waits for its reply sees the end of the file."""
        with self._lock:
            process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(_GOODBYE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        with self._busy:
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()

    def stop(self) -> None:
        with self._lock:
            self._stopped = True
        self._discard()


def _fileno(pipe: IO[bytes] | None) -> int:
    assert pipe is not None
    return pipe.fileno()


def _close_all(workers: Sequence[_Worker], owner: int) -> None:
    if os.getpid() == owner:  # a forked copy of the caller must leave them alone
        for worker in workers:
            worker.stop()


def _unwrap(function: str, reply: bytes) -> Any:
    try:
        content = json.loads(reply)
    except ValueError:
        raise WorkerCrash(f"{function}: the worker sent no JSON") from None
    match content:
        case {"value": value}:
            return value
        case {"exhausted": seconds}:
            raise WorkerExhausted(f"{function}: used {seconds:g} s of processor time")
        case {"timeout": seconds}:
            raise WorkerTimeout(f"{function}: killed after {seconds:g} s")
        case {"crash": how}:
            raise WorkerCrash(f"{function}: the worker was {how}")
        case {"error": str(text)}:
            raise WorkerError(text)
    raise WorkerCrash(f"{function}: the worker sent a broken reply")
