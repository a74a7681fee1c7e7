"""Task evolution: new tasks of the kinds that an agent fails, as long as it sometimes succeeds.

Source: WebRL (arXiv 2411.02337) writes new tasks from failed ones and keeps those to which its critic gives a value in
[0.05, 0.75]. Here the generator writes them, so each has a verifier, and the measured success rate of its kind
(smoothed, (correct + 1) / (total + 2)) stands in for the critic. State is plain data: a run that is resumed evolves the
same tasks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from assay.core.errors import ConfigError
from assay.core.seeding import Split, derive_seed
from assay.core.task import Task
from assay.envs.procedural import task_source
from assay.envs.web.tasks import INFEASIBLE, WebGenerator
from assay.envs.web.web_task import ENV_ID

Kind = tuple[str, ...]
"""The sites of a task, joined by `+`, and its errands."""


class TaskEvolution:
    """Collects outcomes of `assay/WebTask-v0` tasks and proposes new ones.

    Args:
        level: Of the new tasks.
        split: Of the new tasks.
        low: Least success rate of a kind.
        high: Largest success rate of a kind.
        seed: Decides which tasks are proposed.
        instructions: Whether the new tasks explain themselves.
    """

    def __init__(
        self,
        *,
        level: int = 2,
        split: Split = "train",
        low: float = 0.05,
        high: float = 0.75,
        seed: int = 0,
        instructions: bool = False,
    ) -> None:
        if not 0 <= low < high <= 1:
            raise ConfigError(f"0 <= low < high <= 1 does not hold for {low!r}, {high!r}")
        self.level, self.split, self.low, self.high, self.seed = level, split, low, high, seed
        self.instructions = instructions
        self._outcomes: dict[Kind, list[int]] = {}
        self._proposed = 0

    def record(self, task: Task, correct: bool | None) -> None:
        """Note how an episode ended; one without a verdict tells nothing."""
        if correct is not None:
            counts = self._outcomes.setdefault(task.tags, [0, 0])
            counts[0] += bool(correct)
            counts[1] += 1

    def rates(self) -> dict[Kind, float]:
        """Return the smoothed success rate of every kind seen."""
        return {kind: (right + 1) / (total + 2) for kind, (right, total) in sorted(self._outcomes.items())}

    def propose(self, n: int) -> list[Task]:
        """Return n new tasks of kinds that fail and are not hopeless, the rarer solved the more; none without such."""
        rates = self.rates()
        failed = [kind for kind, (right, total) in sorted(self._outcomes.items()) if right < total]
        kinds = [kind for kind in failed if self.low <= rates[kind] <= self.high]
        if not kinds:
            return []
        weights = np.array([1.0 - rates[kind] for kind in kinds])
        tasks = []
        for _ in range(n):
            rng = np.random.default_rng(derive_seed("evolution", self.seed, self._proposed))
            places, *errands = kinds[int(rng.choice(len(kinds), p=weights / weights.sum()))]
            generator = WebGenerator(
                tuple(places.split("+")),
                self.level,
                tuple(sorted(set(errands) - {INFEASIBLE})),
                infeasible=float(INFEASIBLE in errands),
                instructions=self.instructions,
            )
            tasks.append(task_source(f"{ENV_ID}+{self.seed}", self.split, generator, WebGenerator())[self._proposed])
            self._proposed += 1
        return tasks

    def state_dict(self) -> dict[str, Any]:
        """Return the state, JSON-serialisable."""
        return {
            "outcomes": [[list(kind), *counts] for kind, counts in self._outcomes.items()],
            "proposed": self._proposed,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a state."""
        self._outcomes = {tuple(kind): [right, total] for kind, right, total in state["outcomes"]}
        self._proposed = int(state["proposed"])
