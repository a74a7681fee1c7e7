"""What the sandboxes have in common that run jobs in slots, on this machine or in containers.

Invariants: the caller is never forked; every `run` returns exactly one result, also when a slot, or what it came from,
is killed; a job that was lost with its slot is tried again on a fresh one, and only if a trivial program runs where
this one was lost three times is it the program's fault. `close` leaves no process, mount, group or directory.
"""

from __future__ import annotations

import contextlib
import os
import threading
import weakref
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar

from assay.core.errors import ConfigError
from assay.sandboxes.base import DEFAULT_LIMITS, IsolationReport, Job, JobResult, Limits, SandboxFault, Session, Tier
from assay.sandboxes.languages import toolchains
from assay.sandboxes.local.execution import Execution
from assay.sandboxes.local.pool import SlotPool, SlotSource
from assay.sandboxes.local.session import LocalSession
from assay.sandboxes.local.slot import SlotLost
from assay.sandboxes.threaded import ThreadedSandbox

_ATTEMPTS = 3


class SlotSandbox(ThreadedSandbox):
    """Runs jobs in slots. Safe to share between threads."""

    backend: ClassVar[str]
    advice: ClassVar[str]
    """How to get a stronger isolation, for the message that refuses a weak one."""
    most: Limits | None = None
    """The most that a job may ask for, where slots cannot grant everything."""

    def __init__(self, slots: int | None, min_tier: Tier | int) -> None:
        super().__init__(len(os.sched_getaffinity(0)) if slots is None else slots)
        self.min_tier = Tier(min_tier)
        self._lock = threading.Lock()
        self._pool: SlotPool | None = None
        self._finalizer: Callable[[], object] = lambda: None
        self._owner = os.getpid()
        self._closed = False

    @abstractmethod
    def _source(self) -> SlotSource:
        """Return where slots come from. Called when first used, and again in a forked copy of the caller."""

    def _admit(self, limits: Limits) -> None:
        for name in ("memory_bytes", "processes", "disk_bytes") if self.most is not None else ():
            wanted, most = getattr(limits, name), getattr(self.most, name)
            if wanted > most:
                raise ConfigError(
                    f"a job asks for {name}={wanted}, and the {self.backend} sandbox was made for at most {most}; "
                    f"make it with limits=Limits({name}={wanted})"
                )

    # -- the protocol -----------------------------------------------------------------------------------------

    def capabilities(self) -> IsolationReport:
        """Return what is enforced here, found by trying; does not refuse a weak tier."""
        report = self._slots(check=False).report(self.backend)
        return report if report.tier < self.min_tier else replace(report, languages=toolchains(self).available())

    def check(self) -> None:
        """Raise `ConfigError` when the isolation is weaker than `min_tier`. What `run` would raise, before any job."""
        self._slots()

    def run(self, job: Job) -> JobResult:
        """Run one job. Raises `ConfigError` when the isolation is weaker than `min_tier`, nothing else."""
        self._admit(job.limits)
        try:
            pool = self._slots()
            return self._attempt(pool, job)
        except SandboxFault as fault:
            return JobResult("internal_error", backend=self.backend, reason=str(fault))

    def session(self, limits: Limits = DEFAULT_LIMITS) -> Session:
        """Start an interpreter that keeps its state, in a slot of its own."""
        self._admit(limits)
        return LocalSession(self._slots(), limits)

    def open(self, job: Job, mode: str) -> Execution:
        """Start a job that talks over a channel (`serve` or `test`, see `agent.interactive`), in a slot of its own."""
        self._admit(job.limits)
        pool = self._slots()
        return Execution(pool.extra(), job, mode, channel=True, done=pool.give_back)

    def close(self) -> None:
        """End all processes. Idempotent."""
        with self._lock:
            self._closed = True
            self._pool = None
        self._finalizer()

    # -- inside -----------------------------------------------------------------------------------------------

    def _attempt(self, pool: SlotPool, job: Job) -> JobResult:
        lost: SandboxFault | None = None
        report: dict[str, Any] = {"tier": pool.tier, "backend": self.backend, "image": pool.source.image}
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                result = self._once(pool, job, attempts=attempt, **report)
            except SandboxFault as fault:
                lost = fault
                continue
            if not result.fault:
                return result
            lost = SandboxFault(result.reason)
        report["attempts"] = _ATTEMPTS
        if isinstance(lost, SlotLost) and self._sane(pool):
            return JobResult("broke_sandbox", reason=f"{lost}, {_ATTEMPTS} times; other programs run", **report)
        return JobResult("internal_error", reason=str(lost), **report)

    def _once(self, pool: SlotPool, job: Job, **report: Any) -> JobResult:
        with pool.borrow() as slot:
            return Execution(slot, job, "call" if job.call else "program").result(**report)

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
                self._pool = SlotPool(self._source(), self.slots)
                self._finalizer = weakref.finalize(self, _cleanup, self._pool, os.getpid())
            pool = self._pool
        pool.probe()
        if check and pool.tier < self.min_tier:
            raise ConfigError(self._too_weak(pool.report(self.backend)))
        return pool

    def _too_weak(self, report: IsolationReport) -> str:
        wanted = self.min_tier
        missing = "; ".join(report.missing(wanted)) or "nothing that this backend can add"
        return (
            f"the {self.backend} sandbox reaches tier {report.tier.value} ({report.tier.name.lower()}) here, and "
            f"min_tier is {wanted.value} ({wanted.name.lower()}); missing: {missing}. {self.advice}, or accept less "
            f"with min_tier={report.tier.value}"
        )


def _cleanup(pool: SlotPool, owner: int) -> None:
    if os.getpid() == owner:
        pool.close()
