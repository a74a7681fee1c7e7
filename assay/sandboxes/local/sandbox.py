"""LocalSandbox: untrusted programs on this machine at native speed, without Docker, as root or as anybody.

    with LocalSandbox() as sandbox:
        sandbox.run(Job(source="print(6 * 7)")).text

Processes: this one (trusted; holds the answers and compares) -> a zygote (executed; has imported what jobs import)
-> slots (one for each job at a time; pid 1 of their own namespaces) -> the job, a fork of its slot. See `agent`.

Invariants: the caller is never forked; every `run` returns exactly one result, also when zygote or slot are killed;
a job that was lost with its slot is tried again on a fresh one, and only if a trivial program runs where this one
was lost three times is it the program's fault. `close` leaves no process, mount, group or directory.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import sys
import tempfile
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace
from pathlib import Path
from typing import Any

from assay.core.errors import ConfigError
from assay.sandboxes.base import DEFAULT_LIMITS, IsolationReport, Job, JobResult, Limits, SandboxFault, Session, Tier
from assay.sandboxes.languages import toolchains
from assay.sandboxes.local import layout
from assay.sandboxes.local.execution import Execution
from assay.sandboxes.local.pool import SlotPool
from assay.sandboxes.local.session import LocalSession
from assay.sandboxes.local.slot import SlotLost

_ATTEMPTS = 3
BACKEND = "local"


class LocalSandbox:
    """Runs jobs in slots on this machine. Safe to share between threads.

    Args:
        slots: Jobs at one time; by default the CPUs that this process may use.
        preload: What jobs can import for nothing: `plain` (parts of the standard library), `numpy` or `sympy`.
        min_tier: The weakest isolation to accept. Lower it only for programs that are trusted.
        extra_trees: More directories that jobs may read, such as a toolchain's.
        strategies: Ways to isolate, the first that works is taken: `root`, `user`, `plain`.
    """

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
        if preload not in layout.PRELOADS:
            raise ConfigError(f"unknown preload set {preload!r}; known: {', '.join(layout.PRELOADS)}")
        if slots is not None and slots < 1:
            raise ConfigError(f"a sandbox needs at least one slot, not {slots}")
        self.slots = slots or len(os.sched_getaffinity(0))
        self._options: dict[str, Any] = {
            "modules": layout.preload(preload),
            "trees": tuple(layout.trees(tuple(extra_trees))),
            "strategies": tuple(strategies or (("root", "user", "plain") if os.getuid() == 0 else ("user", "plain"))),
            "slots": self.slots,
        }
        self.min_tier = Tier(min_tier)
        self._lock = threading.Lock()
        self._pool: SlotPool | None = None
        self._finalizer: Callable[[], object] = lambda: None
        self._owner = os.getpid()
        self._closed = False

    # -- the protocol -----------------------------------------------------------------------------------------

    def capabilities(self) -> IsolationReport:
        """Return what is enforced here. Starts a slot to find out; does not refuse a weak tier."""
        report = self._slots(check=False).report(BACKEND)
        return report if report.tier < self.min_tier else replace(report, languages=toolchains(self).available())

    def run(self, job: Job) -> JobResult:
        """Run one job. Raises `ConfigError` when the isolation is weaker than `min_tier`, nothing else."""
        try:
            pool = self._slots()
            return self._attempt(pool, job)
        except SandboxFault as fault:
            return JobResult("internal_error", backend=BACKEND, reason=str(fault))

    async def arun(self, job: Job) -> JobResult:
        """Run one job without blocking the event loop."""
        return await asyncio.to_thread(self.run, job)

    def run_many(self, jobs: Iterable[Job]) -> Iterator[tuple[int, JobResult]]:
        """Run jobs on all slots; yield (position, result) in the order of completion."""
        with ThreadPoolExecutor(self.slots, thread_name_prefix="assay-sandbox") as threads:
            positions = {threads.submit(self.run, job): i for i, job in enumerate(jobs)}
            try:
                for done in as_completed(positions):
                    yield positions[done], done.result()
            finally:
                for future in positions:
                    future.cancel()

    def session(self, limits: Limits = DEFAULT_LIMITS) -> Session:
        """Start an interpreter that keeps its state, in a slot of its own."""
        pool = self._slots()
        return LocalSession(pool, limits)

    def open(self, job: Job, mode: str) -> Execution:
        """Start a job that talks over a channel (`serve` or `test`, see `agent.interactive`), in a slot of its own."""
        pool = self._slots()
        slot = pool.extra()
        execution = Execution(slot, job, mode, channel=True)
        execution.on_close(slot.close)
        return execution

    def close(self) -> None:
        """End all processes. Idempotent."""
        with self._lock:
            self._closed = True
            self._pool = None
        self._finalizer()

    def __enter__(self) -> LocalSandbox:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    # -- inside -----------------------------------------------------------------------------------------------

    def _attempt(self, pool: SlotPool, job: Job) -> JobResult:
        lost: SandboxFault | None = None
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                result = self._once(pool, job)
            except SandboxFault as fault:
                lost = fault
                continue
            if not result.fault:
                return replace(result, tier=pool.tier, backend=BACKEND, attempts=attempt)
            lost = SandboxFault(result.reason)
        report: dict[str, Any] = {"tier": pool.tier, "backend": BACKEND, "attempts": _ATTEMPTS}
        if isinstance(lost, SlotLost) and self._sane(pool):
            return JobResult("broke_sandbox", reason=f"{lost}, {_ATTEMPTS} times; other programs run", **report)
        return JobResult("internal_error", reason=str(lost), **report)

    def _once(self, pool: SlotPool, job: Job) -> JobResult:
        with pool.borrow() as slot:
            return Execution(slot, job, "call" if job.call else "program").result()

    def _sane(self, pool: SlotPool) -> bool:
        with contextlib.suppress(SandboxFault):
            return self._once(pool, Job(source="pass")).ok
        return False

    def _slots(self, *, check: bool = True) -> SlotPool:
        with self._lock:
            if self._owner != os.getpid():  # a forked copy of the caller: slots and sockets belong to the original
                self._owner, self._pool = os.getpid(), None
            if self._closed:
                raise SandboxFault("the sandbox is closed")
            if self._pool is None:
                boxes = tempfile.mkdtemp(prefix="assay-boxes-")
                Path(boxes).chmod(0o711)
                self._pool = SlotPool(boxes=boxes, **self._options)
                self._finalizer = weakref.finalize(self, _cleanup, self._pool, boxes, os.getpid())
            pool = self._pool
        pool.probe()
        if check and pool.tier < self.min_tier:
            raise ConfigError(_too_weak(pool.report(BACKEND), self.min_tier))
        return pool


def _cleanup(pool: SlotPool, boxes: str, owner: int) -> None:
    if os.getpid() == owner:
        pool.close()
        shutil.rmtree(boxes, ignore_errors=True)


def _too_weak(report: IsolationReport, wanted: Tier) -> str:
    missing = "; ".join(report.missing(wanted)) or "nothing that this backend can add"
    return (
        f"the local sandbox reaches tier {report.tier.value} ({report.tier.name.lower()}) here, and min_tier is "
        f"{wanted.value} ({wanted.name.lower()}); missing: {missing}. "
        "Allow user namespaces (in Docker: --security-opt seccomp=unconfined), or accept less with min_tier="
        f"{report.tier.value}"
    )


_default: LocalSandbox | None = None
_default_lock = threading.Lock()


def default_sandbox() -> LocalSandbox:
    """Return the sandbox that verifiers and environments of this process share; started when first used."""
    global _default
    with _default_lock:
        if _default is None:
            _default = LocalSandbox()
        return _default
