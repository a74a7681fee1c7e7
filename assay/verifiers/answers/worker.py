"""The killable tier: asks sympy in worker processes, and answers in bounded time also when they are busy.

A caller waits at most `patience` seconds, whatever the queue holds; a call that is abandoned is still killed at its own
limit of processor time. Processes start with the first question, which waits for them as well (`warm` starts them
earlier).
"""

from __future__ import annotations

import time
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from threading import Lock
from typing import Any

from assay.core.errors import VerifierFault
from assay.verifiers.answers.nodes import Node
from assay.verifiers.answers.symbolic import encode

WORKERS = 2
QUEUE = 4
"""Questions in hand beyond which a new one is refused at once."""
_WALL = 10.0
"""Wall limit of a question in units of its processor time, for one that waits without computing."""
_START_SECONDS = 15.0
_FUNCTION = "assay.verifiers.answers.symbolic:equal_encoded"


class Busy(VerifierFault):
    """No worker could take the question in time: nothing is known about the answer."""


class TooDear(VerifierFault):
    """The question used up its own processor time, whatever else the machine was doing."""


class SymbolicTier:
    """Questions to sympy under limits of time and memory. Thread-safe; processes are started lazily."""

    def __init__(self, *, patience: float = 0.3, cpu_seconds: float = 0.2, memory_mb: int = 512) -> None:
        """`cpu_seconds` is what a question may use; `patience` how long a caller waits, also for others' questions."""
        self.patience, self.cpu_seconds, self.memory_mb = patience, cpu_seconds, memory_mb
        self._lock = Lock()
        self._pool: Any = None
        self._threads: ThreadPoolExecutor | None = None
        self._first: Future[Any] | None = None
        self._in_hand = 0

    def equal(self, left: Node, right: Node) -> bool:
        """Return whether sympy finds two expressions equal.

        Raises:
            Busy: not decided in time, for want of a free worker.
            TooDear: the question used up its processor time.
            VerifierFault: the worker failed.
            ValueError: the expressions cannot be put to sympy.
        """
        arguments = encode(left), encode(right)
        try:
            self.warm().result(_START_SECONDS)
        except FutureTimeout:
            raise Busy(f"the workers have not started within {_START_SECONDS:g} s") from None
        deadline = time.monotonic() + self.patience
        with self._lock:
            if self._threads is None:
                raise VerifierFault("the workers are closed")
            if self._in_hand >= QUEUE:
                raise Busy("the workers are busy")
            self._in_hand += 1
            asked = self._threads.submit(self._pool.call, _FUNCTION, *arguments)
        asked.add_done_callback(self._done)
        from assay.verifiers.pool import WorkerExhausted, WorkerTimeout

        try:
            return bool(asked.result(max(0.0, deadline - time.monotonic())))
        except FutureTimeout:
            asked.cancel()
            raise Busy("the workers are busy") from None
        except WorkerExhausted as error:
            raise TooDear(str(error)) from None
        except WorkerTimeout as error:
            raise Busy(str(error)) from None

    def _done(self, _: Future[Any]) -> None:
        with self._lock:
            self._in_hand -= 1

    def warm(self) -> Future[Any]:
        """Start the workers if they are not running; the future is done when one is ready."""
        with self._lock:
            if self._first is None:
                from assay.verifiers.pool import WorkerPool

                self._pool = WorkerPool(
                    WORKERS, _WALL * self.cpu_seconds, self.memory_mb, preload=("sympy",), cpu_seconds=self.cpu_seconds
                )
                self._threads = ThreadPoolExecutor(WORKERS, thread_name_prefix="assay-sympy")
                one = ["num", "1", "1"]
                starts = [self._threads.submit(self._pool.call, _FUNCTION, one, one) for _ in range(WORKERS)]
                self._first = starts[0]
            return self._first

    def close(self) -> None:
        """End the processes. Idempotent; a later question starts them anew."""
        with self._lock:
            pool, threads = self._pool, self._threads
            self._pool = self._threads = self._first = None
        if pool is not None:
            pool.close()
        if threads is not None:
            threads.shutdown(wait=False, cancel_futures=True)
