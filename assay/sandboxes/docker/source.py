"""Slots in containers: one container for each slot."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from assay.sandboxes.base import Limits
from assay.sandboxes.docker.container import Container
from assay.sandboxes.docker.engine import Engine
from assay.sandboxes.docker.hardening import BOX, OVERHEAD_PROCESSES
from assay.sandboxes.local.slot import Slot, SlotSpec

_UID_BASE = 2_000_000_000
_UIDS_OF_A_PROCESS = 100


class ContainerSlots:
    """Starts containers, each with a slot."""

    def __init__(
        self,
        engine: Engine,
        image: str,
        options: Callable[[Path, int], dict[str, Any]],
        limits: Limits,
        jobs: int,
    ) -> None:
        """`options`: of a container, from its directory and its user id. `jobs`: after which it is replaced."""
        self.image, self.mechanisms = image, dict[str, str]()
        self._engine, self._options, self._jobs = engine, options, jobs
        self._spec = SlotSpec(
            "container",
            boxes=BOX,
            disk=limits.disk_bytes,
            memory_counted=True,
            memory_fixed=limits.memory_bytes,
            processes=OVERHEAD_PROCESSES,
        )
        self._numbers = itertools.count()

    def start(self) -> Slot:
        """Start a container and its slot."""
        uid = _UID_BASE + os.getpid() % 10**6 * _UIDS_OF_A_PROCESS + next(self._numbers) % _UIDS_OF_A_PROCESS
        container = Container(self._engine, lambda state: self._options(state, uid), uid)
        slot = Slot(container, self._spec, jobs=self._jobs, on_close=container.remove)
        self.mechanisms = {
            **slot.mechanisms,
            "identity": "active",
            "cgroups": self._engine.control_groups(),
        }
        return slot

    def close(self) -> None:
        """Close the connection to the engine."""
        self._engine.close()
