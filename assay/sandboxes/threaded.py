"""What every sandbox of ours is: the protocol, and what follows from a `run` that several threads may call."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Self

from assay.core.errors import ConfigError
from assay.sandboxes.base import DEFAULT_LIMITS, IsolationReport, Job, JobResult, Limits, Session


class ThreadedSandbox(ABC):
    """Runs jobs on `slots` threads."""

    def __init__(self, slots: int) -> None:
        if slots < 1:
            raise ConfigError(f"a sandbox needs at least one slot, not {slots}")
        self.slots = slots

    @abstractmethod
    def capabilities(self) -> IsolationReport:
        """Return what is enforced, found by trying; does not refuse a weak tier."""

    @abstractmethod
    def check(self) -> None:
        """Raise `ConfigError` when the isolation is weaker than `min_tier`. What `run` would raise, before any job."""

    @abstractmethod
    def session(self, limits: Limits = DEFAULT_LIMITS) -> Session:
        """Start an interpreter that keeps its state."""

    @abstractmethod
    def run(self, job: Job) -> JobResult:
        """Run one job and wait for it."""

    @abstractmethod
    def close(self) -> None:
        """End all processes. Idempotent."""

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

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()
