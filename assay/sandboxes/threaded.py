"""The parts of the protocol that follow from a `run` which may be called from several threads."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Self

from assay.core.errors import ConfigError
from assay.sandboxes.base import Job, JobResult


class ThreadedSandbox(ABC):
    """Runs jobs on `slots` threads."""

    def __init__(self, slots: int) -> None:
        if slots < 1:
            raise ConfigError(f"a sandbox needs at least one slot, not {slots}")
        self.slots = slots

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
