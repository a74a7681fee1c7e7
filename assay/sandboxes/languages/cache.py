"""What has been built, by a hash of everything that went into it.

Invariants: entries live in this process's memory, where no program can reach them; an entry's key covers source,
commands and toolchain version, so that whatever a hostile source makes of its compiler is handed to nobody else.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import Generic, TypeVar

V = TypeVar("V")


def build_key(*parts: str | Sequence[str]) -> str:
    """Return the hash of the parts; no two different lists of parts share one."""
    digest = hashlib.sha256()
    for part in parts:
        for text in (part,) if isinstance(part, str) else (str(len(part)), *part):
            data = text.encode("utf-8", "surrogatepass")
            digest.update(len(data).to_bytes(8, "little") + data)
    return digest.hexdigest()


class BuildCache(Generic[V]):
    """The most recently used values, bounded by their size in bytes. Safe to share between threads."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._entries: OrderedDict[str, tuple[V, int]] = OrderedDict()
        self._bytes = 0

    def get(self, key: str) -> V | None:
        """Return the value, or None."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                return None
            self._entries.move_to_end(key)
            return entry[0]

    def put(self, key: str, value: V, size: int) -> None:
        """Keep a value, unless one is there or it is larger than the whole cache; drop the oldest for it."""
        with self._lock:
            if key in self._entries or size > self._max_bytes:
                return
            self._entries[key] = (value, size)
            self._bytes += size
            while self._bytes > self._max_bytes:
                self._bytes -= self._entries.popitem(last=False)[1][1]

    def __len__(self) -> int:
        return len(self._entries)
