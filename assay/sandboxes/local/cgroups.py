"""A control group for each slot: memory and number of processes of the whole tree, where the caller may make groups.

Both layouts work: version 1 (a directory under the memory and one under the pids controller) and version 2 (one
directory). The slot joins once, its jobs inherit. Directory names hold the caller's process id, by which groups that
a killed caller left behind are found and removed.

A group also says, from outside and whatever became of the slot, which processes are its own: removing it kills them.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import time
from pathlib import Path

_PREFIX = "assay-"
_numbers = itertools.count()
_PATIENCE = 1.0
"""Seconds that the last process may take to leave its group."""
_SLACK = 16 * 2**20
"""For the slot's own pages."""
AGENT_PROCESSES = 2
"""The slot and its parent."""


class Hierarchy:
    """Where groups are made."""

    def __init__(self, memory: Path, pids: Path, version: int) -> None:
        self.memory, self.pids, self.version = memory, pids, version

    def reap(self) -> None:
        """Remove the groups of callers that are gone."""
        for parent in {self.memory, self.pids}:
            for leftover in parent.glob(f"{_PREFIX}*"):
                owner = leftover.name.removeprefix(_PREFIX).partition("-")[0]
                if owner.isdigit() and not Path("/proc", owner).exists():
                    _remove(leftover)


def find() -> Hierarchy:
    """Return the hierarchy to use. Raises `OSError` that says what is missing."""
    own = dict(_own_groups())
    mounts = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
    version1 = {
        controller: _below(Path(fields[1]), own.get(controller, "/"))
        for fields in mounts
        if fields[2] == "cgroup"
        for controller in ("memory", "pids")
        if controller in fields[3].split(",")
    }
    if {"memory", "pids"} <= set(version1):
        return _writable(Hierarchy(version1["memory"], version1["pids"], 1))
    for fields in mounts:
        if fields[2] == "cgroup2":
            group = _below(Path(fields[1]), own.get("", "/"))
            if {"memory", "pids"} <= set((group / "cgroup.controllers").read_text().split()):
                return _writable(Hierarchy(group, group, 2))
    raise OSError("no memory and pids controllers")


def _own_groups() -> list[tuple[str, str]]:
    lines = [line.split(":", 2) for line in Path("/proc/self/cgroup").read_text().splitlines()]
    return [(name, path) for _, names, path in lines for name in names.split(",")]


def _below(mount: Path, path: str) -> Path:
    inside = mount / path.lstrip("/")
    return inside if inside.is_dir() else mount


def _writable(hierarchy: Hierarchy) -> Hierarchy:
    """Prove that groups can be made, and for version 2 that they get the controllers."""
    hierarchy.reap()
    if hierarchy.version == 2:
        (hierarchy.memory / "cgroup.subtree_control").write_text("+memory +pids")
    SlotGroup(hierarchy).remove()
    return hierarchy


class SlotGroup:
    """The group of one slot."""

    def __init__(self, hierarchy: Hierarchy) -> None:
        full = f"{_PREFIX}{os.getpid()}-{next(_numbers)}"
        self._version = hierarchy.version
        self._memory, self._pids = hierarchy.memory / full, hierarchy.pids / full
        for path in {self._memory, self._pids}:
            path.mkdir()
        self._limits = (0, 0)
        self._seen = (0, 0)
        with contextlib.suppress(OSError):  # without swap there is nothing to forbid
            name = "memory.swappiness" if self._version == 1 else "memory.swap.max"
            (self._memory / name).write_text("0")

    def join(self, pid: int) -> None:
        """Put a process, and all that it will start, into the group."""
        for path in {self._memory, self._pids}:
            (path / "cgroup.procs").write_text(str(pid))

    def limit(self, memory: int, processes: int) -> None:
        """Set the limits; writes only what changes."""
        if self._limits == (memory, processes):
            return
        name = "memory.limit_in_bytes" if self._version == 1 else "memory.max"
        (self._memory / name).write_text(str(memory + _SLACK))
        (self._pids / "pids.max").write_text(str(processes + AGENT_PROCESSES))
        self._limits = (memory, processes)

    def events(self) -> tuple[bool, bool]:
        """Return whether, since the last call, the memory limit killed, and whether the process limit refused."""
        name = "memory.oom_control" if self._version == 1 else "memory.events"
        now = (_counter(self._memory / name, "oom_kill"), _counter(self._pids / "pids.events", "max"))
        before, self._seen = self._seen, now
        return now[0] > before[0], now[1] > before[1]

    def remove(self) -> None:
        """Kill what is still in the group and remove it."""
        for path in (self._pids, self._memory):  # the first forbids new processes, so that killing comes to an end
            _remove(path)


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):  # another user's, or without the controller that counts processes
        (path / "pids.max").write_text("0")
    deadline = time.monotonic() + _PATIENCE
    while path.exists():
        try:
            path.rmdir()
        except OSError:
            if time.monotonic() > deadline:
                return  # found and removed when the next sandbox starts
            with contextlib.suppress(OSError):
                for pid in map(int, (path / "cgroup.procs").read_text().split()):
                    if pid:  # 0 stands for one that this process may not see, and would mean this process's own group
                        os.kill(pid, signal.SIGKILL)
            time.sleep(0.002)


def _counter(path: Path, key: str) -> int:
    with contextlib.suppress(OSError):
        for line in path.read_text().splitlines():
            name, _, value = line.partition(" ")
            if name == key:
                return int(value)
    return 0
