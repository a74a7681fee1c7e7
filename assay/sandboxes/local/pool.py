"""The slots of one sandbox: started when needed, lent to one job at a time, replaced when lost.

The first slot decides the strategy and whether control groups work, by trying; all later ones are made the same way.
A slot that raises is never used again.
"""

from __future__ import annotations

import itertools
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from assay.sandboxes.base import IsolationReport, SandboxFault, Tier
from assay.sandboxes.local import cgroups, layout
from assay.sandboxes.local.slot import Slot, SlotSpec
from assay.sandboxes.local.zygote import Zygote

_DISK = 64 * 2**20
_SAME_USER = "jobs run under the caller's user id, without capabilities"


class SlotPool:
    """Slots and the zygote they come from."""

    def __init__(
        self, *, modules: Sequence[str], trees: tuple[str, ...], strategies: Sequence[str], slots: int, boxes: str
    ) -> None:
        self._modules, self._trees, self._strategies, self._boxes = modules, trees, strategies, boxes
        self._free = threading.Semaphore(slots)
        self._lock = threading.Lock()
        self._numbers = itertools.count()
        self._zygote: Zygote | None = None
        self._idle: list[Slot] = []
        self._all: set[Slot] = set()
        self._spec: SlotSpec | None = None
        self._hierarchy: cgroups.Hierarchy | None = None
        self._mechanisms: dict[str, str] = {}
        self._closed = False
        self.tier = Tier.NONE

    def probe(self) -> None:
        """Start the first slot, by the first strategy that works."""
        with self._lock:
            if self._spec is not None:
                return
            why: dict[str, str] = {}
            groups = self._find_groups()
            for strategy in self._strategies:
                try:
                    slot = self._start(self._describe(strategy))
                except SandboxFault as fault:
                    why[strategy] = str(fault)
                    continue
                self._spec = self._describe(strategy)
                self._mechanisms = {**slot.mechanisms, "cgroups": groups}
                self._mechanisms["identity"] = "active" if slot.mechanisms["identity"] else _SAME_USER
                if slot.mechanisms["namespaces"] != "active":
                    self._mechanisms["namespaces"] = "; ".join(why.values()) or "not tried"
                self.tier = _tier(self._mechanisms)
                self._idle.append(slot)
                return
            raise SandboxFault("no slot could be started: " + "; ".join(f"{k}: {v}" for k, v in why.items()))

    def report(self, backend: str) -> IsolationReport:
        """Return what is enforced."""
        return IsolationReport(backend, self.tier, dict(self._mechanisms))

    @contextmanager
    def borrow(self) -> Iterator[Slot]:
        """Lend a slot, waiting for one if all are busy."""
        with self._free:
            slot = self._take()
            try:
                yield slot
            except BaseException:
                self._drop(slot)
                raise
            with self._lock:
                if not self._closed:
                    self._idle.append(slot)

    def extra(self) -> Slot:
        """Start a slot beyond the pool, for a long life; the borrower closes it."""
        with self._lock:
            assert self._spec is not None
            return self._start(self._spec)

    def close(self) -> None:
        """Kill all slots, busy ones too, and the zygote."""
        with self._lock:
            self._closed = True
            slots, zygote = list(self._all), self._zygote
            self._all.clear()
            self._idle.clear()
            self._zygote = None
        for slot in slots:
            slot.close()
        if zygote is not None:
            zygote.close()

    def _take(self) -> Slot:
        with self._lock:
            if self._idle:
                return self._idle.pop()
            assert self._spec is not None
            return self._start(self._spec)

    def _drop(self, slot: Slot) -> None:
        with self._lock:
            self._all.discard(slot)
        slot.close()

    def _start(self, spec: SlotSpec) -> Slot:
        if self._closed:
            raise SandboxFault("the sandbox is closed")
        if self._zygote is None or not self._zygote.alive:
            if self._zygote is not None:
                self._zygote.close()
            self._zygote = Zygote(self._modules)
        slot = Slot(self._zygote, spec, next(self._numbers), self._hierarchy)
        self._all.add(slot)
        return slot

    def _describe(self, strategy: str) -> SlotSpec:
        reachable = all(layout.open_to_others(path) for path in {sys.prefix, sys.base_prefix} if Path(path).is_dir())
        return SlotSpec(strategy, self._trees, self._boxes, reachable, _DISK)

    def _find_groups(self) -> str:
        try:
            self._hierarchy = cgroups.find()
        except OSError as error:
            return str(error)
        return "active"


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
