"""What the control group of a container counted, read from inside: whether memory ran out, or processes.

Both layouts are known: version 1 (one directory for each controller) and version 2 (one for all).
"""

from __future__ import annotations

_MEMORY = ("/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control")
_PROCESSES = ("/sys/fs/cgroup/pids.events", "/sys/fs/cgroup/pids/pids.events")


class Counters:
    """Tells what happened since it was asked last."""

    def __init__(self) -> None:
        self._seen = (0, 0)
        self.events()

    def events(self) -> tuple[bool, bool]:
        """Return whether the kernel killed for want of memory, and whether it refused a process."""
        now = (_read(_MEMORY, "oom_kill"), _read(_PROCESSES, "max"))
        before, self._seen = self._seen, now
        return now[0] > before[0], now[1] > before[1]


def no_events() -> tuple[bool, bool]:
    """Stand in where the client itself sees the control group."""
    return False, False


def _read(paths: tuple[str, ...], key: str) -> int:
    for path in paths:
        try:
            with open(path) as stream:
                for line in stream:
                    name, _, value = line.partition(" ")
                    if name == key:
                        return int(value)
        except OSError:
            continue
    return 0
