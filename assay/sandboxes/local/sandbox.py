"""LocalSandbox: untrusted programs on this machine at native speed, without Docker, as root or as anybody.

    with LocalSandbox() as sandbox:
        sandbox.run(Job(source="print(6 * 7)")).text

Processes: this one (trusted; holds the answers and compares) -> a zygote (executed; has imported what jobs import)
-> slots (one for each job at a time, in namespaces of their own) -> the job, a fork of its slot. See `agent`.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterable

from assay.core.errors import ConfigError
from assay.sandboxes.base import Tier
from assay.sandboxes.local import layout
from assay.sandboxes.local.source import LocalSlots
from assay.sandboxes.slotted import SlotSandbox


class LocalSandbox(SlotSandbox):
    """Runs jobs in slots on this machine. Safe to share between threads.

    Args:
        slots: Jobs at one time; by default the CPUs that this process may use.
        preload: What jobs can import for nothing: `plain` (parts of the standard library), `numpy` or `sympy`.
        min_tier: The weakest isolation to accept. Lower it only for programs that are trusted.
        extra_trees: More directories that jobs may read, such as a toolchain's.
        strategies: Ways to isolate, the first that works is taken: `root`, `user`, `plain`.
    """

    backend = "local"
    advice = "Allow user namespaces (in Docker: --security-opt seccomp=unconfined)"

    def __init__(
        self,
        slots: int | None = None,
        *,
        preload: str = "plain",
        min_tier: Tier | int = Tier.NAMESPACES,
        extra_trees: Iterable[str] = (),
        strategies: Iterable[str] | None = None,
    ) -> None:
        if sys.platform != "linux":
            raise ConfigError(f"the local sandbox needs Linux, and this is {sys.platform}; run it in a Linux container")
        super().__init__(slots, min_tier)
        self._modules = layout.preload(preload)
        self._trees = tuple(layout.trees(tuple(extra_trees)))
        self._strategies = tuple(strategies or (("root", "user", "plain") if os.getuid() == 0 else ("user", "plain")))

    def _source(self) -> LocalSlots:
        return LocalSlots(modules=self._modules, trees=self._trees, strategies=self._strategies)


_default: LocalSandbox | None = None
_default_lock = threading.Lock()


def default_sandbox() -> LocalSandbox:
    """Return the sandbox that verifiers and environments of this process share; started when first used."""
    global _default
    with _default_lock:
        if _default is None:
            _default = LocalSandbox()
        return _default
