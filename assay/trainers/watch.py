"""Watch the verifier in the course of training: a second one judges a sample of the rollouts (`audits.monitor`).

Invariants: what is watched changes no reward and no weight; which rollouts are checked is a hash of the step and their
ids; the state travels with the checkpoint, so a resumed run raises the same alarm at the same step.

The second verifier sees the final text and the transcript. What an environment keeps to itself (its state, artifacts)
is gone by then: a verifier that needs those has no verdict here, and the check counts as undecided.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from assay.audits.adapters import resolve
from assay.audits.case import accepts, default_threshold
from assay.audits.monitor import Monitor
from assay.core.task import Task
from assay.core.trajectory import Group, Trajectory
from assay.core.verdict import Verdict
from assay.trainers.config import MonitorConfig
from assay.verifiers.base import Evidence, run_verifier

CONCURRENCY = 16
"""Checks in flight: enough to hide the latency of a judge behind HTTP."""


class Watch:
    """A second verifier, and what it found so far."""

    def __init__(self, config: MonitorConfig, *, seed: int) -> None:
        self.verifier = resolve(config.verifier, config.options).build()
        low_high = self.verifier.score_range
        self._threshold = default_threshold(low_high) if config.threshold is None else config.threshold
        self.monitor = Monitor(
            fraction=config.fraction,
            rejected_fraction=config.rejected_fraction,
            baseline=config.baseline,
            warmup=config.warmup,
            alpha=config.alpha,
            seed=seed,
        )

    async def observe(self, step: int, groups: Sequence[Group], tasks: Mapping[str, Task]) -> bool:
        """Check the sampled rollouts of a step against `tasks` by id; return whether the alarm went on with it."""
        before = self.monitor.alarmed
        members = [t for group in groups for t in group if t.correct is not None]
        chosen = [t for t in members if self.monitor.wants(step, t.id, bool(t.correct))]
        slots = asyncio.Semaphore(CONCURRENCY)

        async def judge(trajectory: Trajectory) -> Verdict:
            async with slots:
                task = tasks[trajectory.task_id]
                return await asyncio.to_thread(run_verifier, self.verifier, task, Evidence.of(trajectory))

        verdicts = await asyncio.gather(*map(judge, chosen))
        for trajectory, verdict in zip(chosen, verdicts, strict=True):
            self.monitor.observe(step, trajectory.correct, accepts(verdict, self._threshold))
        return self.monitor.alarmed and not before

    def alert(self) -> str:
        """Return what to tell when the alarm has gone on."""
        total, interval = self.monitor.total, self.monitor.interval()
        return (
            f"the verifier drifts: at step {self.monitor.alarm_step} {self.verifier.label} rejects more of the "
            f"rewarded rollouts than the baseline of {self.monitor.baseline:.1%} ({total.refuted} of {total.accepted} "
            f"in the run so far, {interval.low:.1%} to {interval.high:.1%}); read some before trusting the reward"
        )

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint needs."""
        return self.monitor.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take a state back; an empty one, of a run that was not watched, leaves it new."""
        if state:
            self.monitor.load_state_dict(dict(state))

    def close(self) -> None:
        """Close the second verifier."""
        self.verifier.close()
