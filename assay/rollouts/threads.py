"""Threads for calls that may wait or hang, usable from asyncio.

Why not `ThreadPoolExecutor`: one hung call takes one of its threads for ever, and the interpreter joins its threads at
exit, so that a hung environment would hang the process too. Here

* a caller that gives up (time limit or cancellation) leaves its thread behind, and another one may take its place;
* what the abandoned call was using is released by `late()` as soon as the call returns, exactly once;
* a time limit counts from the moment the call starts, not from when it was queued;
* threads are daemons: nothing here can keep the process alive.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import Callable
from typing import Any, TypeVar, cast

from assay.core.errors import ConfigError, Fault

T = TypeVar("T")


class StepTimeout(Fault):
    """A call did not come back in time."""


class _Job:
    """A call, and the futures through which its loop hears of it. `state` changes under the threads' lock only."""

    __slots__ = ("function", "late", "loop", "result", "started", "state")

    def __init__(self, function: Callable[[], Any], late: Callable[[], None] | None) -> None:
        self.function, self.late = function, late
        self.loop = asyncio.get_running_loop()
        self.result: asyncio.Future[Any] = self.loop.create_future()
        self.started: asyncio.Future[None] = self.loop.create_future()
        self.state = "queued"  # -> running -> done, or -> abandoned from either of the first two

    def tell(self, future: asyncio.Future[Any], value: Any, error: BaseException | None = None) -> None:
        """Settle a future from a thread. The loop may be gone: then nobody waits."""
        with contextlib.suppress(RuntimeError):
            self.loop.call_soon_threadsafe(_settle, future, value, error)


def _settle(future: asyncio.Future[Any], value: Any, error: BaseException | None) -> None:
    if future.done():
        return
    if isinstance(error, StopIteration):  # a future refuses it
        error = RuntimeError("StopIteration")
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(value)


class StepThreads:
    """At most `limit` threads at work, started when needed; abandoned ones do not count."""

    def __init__(self, limit: int) -> None:
        if limit < 1:
            raise ConfigError(f"step_threads must be at least 1, not {limit}")
        self._limit = limit
        self._changed = threading.Condition()
        self._queue: deque[_Job] = deque()
        self._threads = self._waiting = self._lost = 0
        self._closed = False

    async def call(
        self, function: Callable[[], T], *, timeout: float | None = None, late: Callable[[], None] | None = None
    ) -> T:
        """Run `function` in a thread and return what it returns.

        `StepTimeout` after `timeout` seconds. When the caller stops waiting, by time limit or cancellation, `late`
        is called once the function is no longer running: at once if it had not begun.
        """
        job = _Job(function, late)
        self._submit(job)
        try:
            if timeout is not None:
                await job.started
                await asyncio.wait((job.result,), timeout=timeout)
                if not job.result.done():
                    raise StepTimeout(f"no answer within {timeout:g} s")
            return cast(T, await job.result)
        except (StepTimeout, asyncio.CancelledError):
            self._abandon(job)
            raise

    def close(self, grace: float = 5.0) -> None:
        """Let the threads go, and wait up to `grace` seconds for abandoned calls, so that they can be cleaned up."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._lost == 0, timeout=grace)

    def _submit(self, job: _Job) -> None:
        with self._changed:
            self._closed = False
            self._queue.append(job)
            if self._waiting >= len(self._queue):
                self._changed.notify()
            elif self._threads < self._limit:
                self._threads += 1
                threading.Thread(target=self._work, name="assay-step", daemon=True).start()

    def _abandon(self, job: _Job) -> None:
        with self._changed:
            was, job.state = job.state, "abandoned"
            if was == "running":
                self._threads -= 1
                self._lost += 1
                if self._queue and self._threads < self._limit:
                    self._threads += 1
                    threading.Thread(target=self._work, name="assay-step", daemon=True).start()
        if was != "running" and job.late is not None:
            job.late()

    def _next(self) -> _Job | None:
        with self._changed:
            while True:
                while self._queue:
                    job = self._queue.popleft()
                    if job.state == "queued":
                        job.state = "running"
                        return job
                if self._closed:
                    self._threads -= 1
                    return None
                self._waiting += 1
                self._changed.wait()
                self._waiting -= 1

    def _work(self) -> None:
        while (job := self._next()) is not None:
            job.tell(job.started, None)
            value, error = None, None
            try:
                value = job.function()
            except BaseException as raised:  # noqa: BLE001 - carried to the loop and raised there
                error = raised
            with self._changed:
                abandoned = job.state == "abandoned"
                job.state = job.state if abandoned else "done"
            if not abandoned:
                job.tell(job.result, value, error)
                continue
            try:
                if job.late is not None:
                    job.late()
            finally:
                with self._changed:
                    self._lost -= 1
                    self._changed.notify_all()
            return
