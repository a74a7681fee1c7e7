"""The slots of one sandbox: started when needed, lent to one job at a time, replaced when lost.

A slot that raises is never used again. Slots for a long life (sessions, programs that are talked to) come on top of
the pool's number; when they end well they are kept for the next one.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from assay.sandboxes.base import IsolationReport, SandboxFault, Tier
from assay.sandboxes.local.slot import Slot


class SlotSource(Protocol):
    """Where slots come from. Used by one thread at a time."""

    mechanisms: dict[str, str]
    """Mechanism -> `active`, or why it is not; complete once a slot was started."""

    image: str
    """Digest of the image that slots run in; empty where there is none."""

    def start(self) -> Slot:
        """Start a slot; the first one decides how all are made. Raises `SandboxFault` with what failed."""
        ...

    def close(self) -> None:
        """End what slots come from. They are closed already. Idempotent."""
        ...


class SlotPool:
    """Slots and their source."""

    def __init__(self, source: SlotSource, slots: int) -> None:
        self.source, self._slots = source, slots
        self._free = threading.Semaphore(slots)
        self._lock = threading.Lock()
        self._idle: list[Slot] = []
        self._spare: list[Slot] = []
        self._all: set[Slot] = set()
        self._probed = self._closed = False
        self.tier = Tier.NONE

    def probe(self) -> None:
        """Start the first slot, and learn from it what is enforced."""
        with self._lock:
            if not self._probed:
                self._idle.append(self._start())
                self.tier = _tier(self.source.mechanisms)
                self._probed = True

    def report(self, backend: str) -> IsolationReport:
        """Return what is enforced."""
        return IsolationReport(backend, self.tier, dict(self.source.mechanisms), image=self.source.image)

    @contextmanager
    def borrow(self) -> Iterator[Slot]:
        """Lend a slot, waiting for one if all are busy."""
        with self._free:
            slot = self._take(self._idle)
            try:
                yield slot
            except BaseException:
                self._drop(slot)
                raise
            self._keep(slot, self._idle)

    def extra(self) -> Slot:
        """Lend a slot beyond the pool's number, for a long life; it comes back by `give_back`."""
        return self._take(self._spare)

    def give_back(self, slot: Slot, clean: bool) -> None:
        """Take back what `extra` lent; `clean` says whether the slot has told that its job is gone."""
        if clean:
            self._keep(slot, self._spare)
        else:
            self._drop(slot)

    def close(self) -> None:
        """Kill all slots, busy ones too, and their source."""
        with self._lock:
            self._closed = True
            slots = list(self._all)
            for group in (self._all, self._idle, self._spare):
                group.clear()
        for slot in slots:
            slot.close()
        self.source.close()

    def _take(self, group: list[Slot]) -> Slot:
        with self._lock:
            return group.pop() if group else self._start()

    def _keep(self, slot: Slot, group: list[Slot]) -> None:
        with self._lock:
            if not self._closed and not slot.spent and len(group) < self._slots:
                group.append(slot)
                return
        self._drop(slot)

    def _drop(self, slot: Slot) -> None:
        with self._lock:
            self._all.discard(slot)
        slot.close()

    def _start(self) -> Slot:
        if self._closed:
            raise SandboxFault("the sandbox is closed")
        slot = self.source.start()
        self._all.add(slot)
        return slot


def _tier(mechanisms: dict[str, str]) -> Tier:
    """Inside namespaces with a root of its own a job needs no Landlock to be kept from files; elsewhere it does."""
    active = {name for name, state in mechanisms.items() if state == "active"}
    if "rlimits" not in active:
        return Tier.NONE
    if "seccomp" not in active or not active & {"landlock", "namespaces"}:
        return Tier.LIMITS
    if "namespaces" not in active:
        return Tier.FILTERED
    return Tier.CGROUPS if "cgroups" in active else Tier.NAMESPACES
