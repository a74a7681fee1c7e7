"""From what the slot saw to a status.

The order matters: faults of ours come before everything; limits before the way in which the process ended, since a
program that ran into a limit may end in any way it likes.
"""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass

from assay.sandboxes.base import Limits, Status
from assay.sandboxes.local.agent.wire import Reply


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a job ended, in the terms of `JobResult`."""

    status: Status
    exit_code: int | None
    signal: int | None
    reason: str


def judge(reply: Reply, limits: Limits, stderr: bytes, *, overflow: bool, events: tuple[bool, bool]) -> Outcome:
    """Return the outcome. `events`: whether the memory group killed, and whether the process group refused."""
    wait_status = reply.status
    code = os.waitstatus_to_exitcode(wait_status)
    exit_code, number = (code, None) if code >= 0 else (None, -code)

    def outcome(status: Status, reason: str) -> Outcome:
        return Outcome(status, exit_code, number, reason)

    if reply.setup:
        return outcome("internal_error", f"confinement failed: {reply.setup}")
    if reply.killed:
        return outcome("wall_limit", f"killed after {reply.wall:.2f} s, the limit is {limits.wall:g} s")
    if number == signal.SIGXCPU or reply.cpu > limits.cpu_seconds:
        return outcome("cpu_limit", f"used {reply.cpu:.2f} s of CPU time, the limit is {limits.cpu_seconds:g} s")
    if overflow or number == signal.SIGXFSZ:
        return outcome("output_limit", f"wrote more than {limits.output_bytes} bytes")
    if code == 0:
        return outcome("ok", "")
    out_of_memory, out_of_processes = events
    if out_of_memory or stderr.rstrip().endswith(b"MemoryError"):
        return outcome("memory_limit", f"needed more than {limits.memory_bytes} bytes")
    if out_of_processes:
        return outcome("pids_limit", f"wanted more than {limits.processes} processes")
    if number is not None:
        return outcome("signal", f"ended by {_name(number)}")
    return outcome("nonzero", f"exit code {code}")


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
