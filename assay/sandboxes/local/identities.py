"""User ids for the jobs of slots: ids of nobody else, and of one slot at a time.

Jobs of one id can kill each other, and the kernel counts their processes together. Where a slot gets two ids, the
second one is next to the first. Callers on one machine, also those in containers, start from different numbers.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path

_FIRST = 1_900_000_000
"""Above the ids that systems and containers give out."""
_CALLERS, _SLOTS = 500_000, 2048
_NEEDED = 1 << 0 | 1 << 1 | 1 << 3 | 1 << 5 | 1 << 6 | 1 << 7
"""The capabilities to change owners and ids, to remove files of any owner, and to kill any process."""
_taken: set[int] = set()
_lock = threading.Lock()


def take() -> int:
    """Return the first id of a slot; `give_back` it when the slot is gone."""
    with _lock:
        number = next(number for number in range(_SLOTS) if number not in _taken)
        _taken.add(number)
    return _base() + 2 * number


def give_back(uid: int) -> None:
    """Let another slot have it."""
    with _lock:
        _taken.discard((uid - _FIRST) // 2 % _SLOTS)


def own() -> range:
    """Return all the ids that this process may give out."""
    return range(_base(), _base() + 2 * _SLOTS)


def assignable() -> bool:
    """Whether this process can give such ids to others; in rootless containers, and without capabilities, it cannot."""
    if _NEEDED & ~_capabilities():
        return False
    first, last = own()[0], own()[-1]
    for name in ("uid_map", "gid_map"):
        spans = [tuple(map(int, line.split())) for line in Path("/proc/self", name).read_text().splitlines()]
        if not any(start <= first and last < start + length for start, _, length in spans):
            return False
    return True


def _capabilities() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1], 16) for line in lines if line.startswith("CapEff:"))


def _base() -> int:
    """Return the first id of this process: different for all of a process namespace, unlikely the same for others."""
    namespace = Path("/proc/self/ns/pid").stat().st_ino * 7919
    return _FIRST + (namespace + os.getpid()) % _CALLERS * 2 * _SLOTS
