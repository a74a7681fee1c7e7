"""Ending a job: every process of it killed, every one reaped, its CPU time added up.

Orphans that end while the job runs are reaped then, as by the first process of a machine. The rest is killed in one of
two ways, by what the slot has. Both leave no process behind, also none that called `setsid` and forked twice, since
orphans come back to the slot: it is a subreaper, or pid 1 of a namespace.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import resource

_ENDED = os.WEXITED | os.WNOHANG | os.WNOWAIT
_AT_A_TIME = 64


class Processes:
    """The processes of the current job."""

    def __init__(self, kill: Callable[[], None]) -> None:
        self.kill = kill
        """Send SIGKILL to all of them."""
        self._cpu, self._peak = 0.0, 0
        """Of those that have been reaped."""

    def ended(self, main: int) -> bool:
        """Return whether `main` has ended. If not, reap orphans, which would count against the limit of processes.

        Not more than some at a time: they may come as fast as they are reaped.
        """
        if os.waitid(os.P_PID, main, _ENDED):
            return True
        for _ in range(_AT_A_TIME):
            orphan = os.waitid(os.P_ALL, 0, _ENDED)
            if orphan is None or orphan.si_pid == main:
                break
            self._count(os.wait4(orphan.si_pid, 0)[2])
        return False

    def _count(self, usage: resource.struct_rusage) -> None:
        self._cpu += usage.ru_utime + usage.ru_stime
        self._peak = max(self._peak, usage.ru_maxrss * 1024)

    def end(self, main: int) -> tuple[int, float, int]:
        """Kill and reap all; return the wait status of `main`, the CPU seconds of all, the largest resident bytes.

        A job whose main process has ended and left no other, as most do, needs no killing: an orphan would be a child
        of this process by then.
        """
        status = 0
        while True:
            try:
                pid, how, usage = os.wait4(-1, os.WNOHANG)
                if pid == 0:  # a process that was forked while the signals went out, or one that is still dying
                    self.kill()
                    pid, how, usage = os.wait4(-1, 0)
            except ChildProcessError:
                break
            self._count(usage)
            if pid == main:
                status = how
        cpu, peak = self._cpu, self._peak
        self._cpu, self._peak = 0.0, 0
        return status, cpu, peak


def usage(main: int) -> tuple[float, float, int]:
    """Return the CPU seconds of the threads of a tree that still live, what the one that waited longest waited, and
    how many they are.

    Waiting is being ready to run while other work has the processors. Zeros where the kernel does not tell.
    """
    used, waited, threads, left = 0.0, 0.0, 0, [str(main)]
    while left:
        with contextlib.suppress(OSError):
            for task in Path("/proc", left.pop(), "task").iterdir():
                ran, stood, _ = (task / "schedstat").read_text().split()
                used, waited, threads = used + int(ran) / 1e9, max(waited, int(stood) / 1e9), threads + 1
                left += (task / "children").read_text().split()
    return used, waited, threads


def kill_namespace() -> None:
    """In a process namespace of one's own: kill all but this process and pid 1, in one step that no fork can outrun."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(-1, signal.SIGKILL)


def kill_descendants() -> None:
    """As a subreaper: kill the children; theirs become ours, and the next round finds them.

    Never gives up, since nobody else would go on. The dead are reaped only afterwards and count until then against
    the limit of processes, so that a tree that keeps forking runs out of them. Takes no process and next to no memory,
    which a job may have used up.
    """
    while True:
        children = Path("/proc/self/task", str(os.getpid()), "children").read_text().split()
        alive = [pid for pid in map(int, children) if not _is_dead(pid)]
        if not alive:
            return
        for pid in alive:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.0005)


def _is_dead(pid: int) -> bool:
    """Whether all threads of a child have ended; one whose first thread has ended looks like a zombie in /proc."""
    return os.waitid(os.P_PID, pid, _ENDED) is not None
