"""Stages: arms in order, the next one when the present one is mastered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from assay.core.errors import ConfigError
from assay.curricula.base import RatedPolicy
from assay.curricula.gates import SuccessGate


class Staged(RatedPolicy):
    """Plays the arms in their order, and earlier ones again with probability `review`, against forgetting.

    A stage ends when its gate opens: `threshold` of at least `minimum` recent episodes correct. There is no way back.
    """

    name = "staged"

    def __init__(
        self,
        arms: int,
        *,
        seed: int = 0,
        threshold: float = 0.8,
        minimum: int = 64,
        review: float = 0.1,
        memory: int = 256,
    ) -> None:
        super().__init__(arms, seed=seed, memory=memory)
        if not 0 <= review < 1:
            raise ConfigError(f"curriculum {self.name!r}: review is a share below 1, not {review!r}")
        if minimum > memory:
            raise ConfigError(f"curriculum {self.name!r}: minimum ({minimum}) cannot exceed memory ({memory})")
        self.gate, self.review = SuccessGate(threshold, minimum), review
        self.stage = 0

    def observe(self, arm: int, correct: int, total: int) -> None:
        """Update the arm's rate, and go on to the next stage if the present one is done."""
        super().observe(arm, correct, total)
        done = self.gate.open(self.rates.correct[self.stage], self.rates.total[self.stage])
        if arm == self.stage and done and self.stage < self.arms - 1:
            self.stage += 1

    def pick(self, rng: np.random.Generator) -> int:
        """Return the stage's arm, or one before it."""
        if self.stage and rng.random() < self.review:
            return int(rng.integers(self.stage))
        return self.stage

    def metrics(self) -> dict[str, float]:
        """Return rates and the stage."""
        return {**super().metrics(), "stage": float(self.stage)}

    def state_dict(self) -> dict[str, Any]:
        """Return everything that changes, as JSON."""
        return {**super().state_dict(), "stage": self.stage}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Put back what `state_dict` returned."""
        super().load_state_dict(state)
        self.stage = int(state["stage"])
