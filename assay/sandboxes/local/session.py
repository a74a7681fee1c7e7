"""A stateful interpreter in a slot of its own: cells run one after another in one namespace.

A cell that exceeds its limit is interrupted as by Ctrl-C, which keeps the variables; one that does not react is killed
with its session.
"""

from __future__ import annotations

import os
import threading
import time
from dataclasses import replace
from typing import Any, cast

from assay.sandboxes.base import CellResult, Job, Limits
from assay.sandboxes.local import memfd
from assay.sandboxes.local.execution import Execution
from assay.sandboxes.local.pool import SlotPool

_LIFETIME = 24 * 3600.0
_GRACE_SECONDS = 3.0
"""For the interpreter to notice the interrupt, also on a machine that is busy with other things."""
_LIFETIME_CPU = 3600.0


class LocalSession:
    """One interpreter. `limits.wall` is the limit of a cell; memory, processes and disk are those of the session."""

    def __init__(self, pool: SlotPool, limits: Limits) -> None:
        self._limits = limits
        self._lock = threading.Lock()
        whole = replace(limits, wall_seconds=_LIFETIME, cpu_seconds=_LIFETIME_CPU)
        self._execution: Execution | None = Execution(
            pool.extra(), Job(limits=whole), "session", channel=True, done=pool.give_back
        )

    def execute(self, code: str, *, seconds: float | None = None) -> CellResult:
        """Run one cell."""
        with self._lock:
            return self._execute(code, self._limits.wall if seconds is None else seconds)

    def _execute(self, code: str, seconds: float) -> CellResult:
        execution = self._execution
        if execution is None:
            return CellResult("dead", stderr="the session is over")
        started = time.monotonic()
        with _Output(self._limits.output_bytes) as output:
            try:
                execution.send({"code": code}, output.fds)
                reply = self._await(execution, seconds)
            except (EOFError, TimeoutError) as error:
                self._end()
                why = "the cell did not stop at its time limit" if isinstance(error, TimeoutError) else str(error)
                reply = {"status": "dead", "value": why}
            stdout, stderr, truncated = output.read()
        status, value = reply.get("status"), reply.get("value")
        if status not in ("ok", "error", "interrupted", "dead") or not isinstance(value, str):
            self._end()
            status, value = "dead", "the interpreter broke the protocol"
        if status == "dead":
            stderr, value = f"{stderr}{value}\n", ""
        value = value[: self._limits.output_bytes]
        return CellResult(cast("Any", status), stdout, stderr, value, truncated, time.monotonic() - started)

    def _await(self, execution: Execution, seconds: float) -> dict[str, object]:
        try:
            return execution.receive(seconds)
        except TimeoutError:
            execution.interrupt()
            reply = execution.receive(_GRACE_SECONDS)
            return {**reply, "status": "interrupted"}

    def _end(self) -> None:
        execution, self._execution = self._execution, None
        if execution is not None:
            execution.close()

    def close(self) -> None:
        """End the interpreter. Idempotent."""
        with self._lock:
            self._end()

    def __enter__(self) -> LocalSession:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


class _Output:
    """The anonymous files that one cell writes to."""

    def __init__(self, cap: int) -> None:
        self._cap = cap

    def __enter__(self) -> _Output:
        self.fds = (memfd.empty("stdout"), memfd.empty("stderr"))
        return self

    def read(self) -> tuple[str, str, bool]:
        (out, more_out), (err, more_err) = (memfd.contents(fd, self._cap) for fd in self.fds)
        return out.decode("utf-8", "replace"), err.decode("utf-8", "replace"), more_out or more_err

    def __exit__(self, *exc: object) -> None:
        for fd in self.fds:
            os.close(fd)
