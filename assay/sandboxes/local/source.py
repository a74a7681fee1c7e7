"""Slots on this machine: forks of a zygote, isolated by the first strategy that works.

The first slot decides the strategy and whether control groups work, by trying; all later ones are made the same way.
Directories are locked while they are used, so that those of a process that was killed are removed by the next one.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from assay.sandboxes.base import SandboxFault
from assay.sandboxes.local import cgroups, identities, layout
from assay.sandboxes.local.agent.boxes import remove_tree
from assay.sandboxes.local.slot import Slot, SlotSpec
from assay.sandboxes.local.zygote import Zygote

_SAME_USER = "jobs run under the caller's user id, without capabilities"
_PREFIX = "assay-boxes-"
_NEW_SECONDS = 60.0
"""A directory that is younger may not be locked yet."""


def remove_leftovers() -> None:
    """Remove the directories of processes that were killed: those that nobody holds a lock on."""
    for path in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):  # another user's, or gone in the meantime
            lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                found = os.fstat(lock)
                if found.st_uid == os.geteuid() and time.time() - found.st_mtime > _NEW_SECONDS:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    remove_tree(str(path))
            finally:
                os.close(lock)


class LocalSlots:
    """Starts slots, and the zygote again when it was killed."""

    image = ""

    def __init__(self, *, modules: Sequence[str], trees: tuple[str, ...], strategies: Sequence[str]) -> None:
        self.mechanisms: dict[str, str] = {}
        self._modules, self._trees, self._strategies = modules, trees, strategies
        remove_leftovers()
        self._boxes = Path(tempfile.mkdtemp(prefix=_PREFIX))
        self._lock = os.open(self._boxes, os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        self._boxes.chmod(0o711)
        self._zygote: Zygote | None = None
        self._spec: SlotSpec | None = None
        self._hierarchy: cgroups.Hierarchy | None = None

    def start(self) -> Slot:
        """Start a slot."""
        return self._first() if self._spec is None else self._start(self._spec)

    def close(self) -> None:
        """End the zygote and remove the directories."""
        if self._zygote is not None:
            self._zygote.close()
        with contextlib.suppress(OSError):
            remove_tree(str(self._boxes))
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def _first(self) -> Slot:
        why: dict[str, str] = {}
        groups = self._find_groups()
        for strategy in self._strategies:
            spec = self._describe(strategy)
            try:
                slot = self._start(spec)
            except SandboxFault as fault:
                why[strategy] = str(fault)
                continue
            self._spec = spec
            self.mechanisms = {**slot.mechanisms, "cgroups": groups}
            self.mechanisms["identity"] = "active" if slot.mechanisms["identity"] else _SAME_USER
            if slot.mechanisms["namespaces"] != "active":
                self.mechanisms["namespaces"] = "; ".join(why.values()) or "not tried"
            return slot
        raise SandboxFault("no slot could be started: " + "; ".join(f"{k}: {v}" for k, v in why.items()))

    def _start(self, spec: SlotSpec) -> Slot:
        if self._zygote is None or not self._zygote.alive:
            if self._zygote is not None:
                self._zygote.close()
            self._zygote = Zygote(self._modules)
        group = None if self._hierarchy is None else cgroups.SlotGroup(self._hierarchy)
        uid = identities.take()
        return Slot(self._zygote, spec, uid, group=group, on_close=lambda: identities.give_back(uid))

    def _describe(self, strategy: str) -> SlotSpec:
        reachable = all(layout.open_to_others(path) for path in {sys.prefix, sys.base_prefix} if Path(path).is_dir())
        others = reachable and identities.assignable()
        counted = self._hierarchy is not None
        beside = cgroups.AGENT_PROCESSES if strategy == "user" else 0  # of the same user id in the same namespace
        return SlotSpec(strategy, self._trees, str(self._boxes), others, memory_counted=counted, processes=beside)

    def _find_groups(self) -> str:
        try:
            self._hierarchy = cgroups.find()
        except OSError as error:
            return str(error)
        return "active"
