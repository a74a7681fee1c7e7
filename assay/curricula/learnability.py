"""Learnability p(1 - p): most weight where success is most uncertain.

Source: Rutherford et al., "No Regrets: Investigating and Improving Regret Approximations for Curriculum Discovery"
(NeurIPS 2024). p(1 - p) is the variance of the outcome, and with it the size of a group-relative gradient.

An arm of many tasks may succeed half of the time because half of its tasks are always solved: nothing to learn there.
So the variance is taken *within* the episodes of one task, by its unbiased estimate c(n - c) / (n(n - 1)) for c correct
of n. Single episodes, which have no variance of their own, are paired with the arm's next one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from assay.curricula.base import FloatArray, WeightedPolicy
from assay.curricula.rates import SuccessRates

PRIOR = 0.25
"""An arm that was never played counts as most learnable, with the weight of one group."""


class Learnability(WeightedPolicy):
    """Chooses arms in proportion to the variance of their outcomes."""

    name = "learnability"

    def __init__(self, arms: int, *, seed: int = 0, memory: int = 32, explore: float = 0.1) -> None:
        """`memory` counts groups here, since a group gives one estimate; rates remember 8 episodes for each."""
        super().__init__(arms, seed=seed, memory=8 * memory, explore=explore)
        self.variances = SuccessRates(arms, memory=memory)
        self._single: list[int | None] = [None] * arms

    def observe(self, arm: int, correct: int, total: int) -> None:
        """Update the arm's rate and variance."""
        super().observe(arm, correct, total)
        if total == 1:
            first = self._single[arm]
            self._single[arm] = correct if first is None else None
            if first is None:
                return
            correct, total = correct + first, 2
        if total > 1:
            self.variances.add(arm, learnability(correct, total), 1)

    def weights(self) -> FloatArray:
        """Return the mean variance of each arm."""
        weights: FloatArray = (self.variances.correct + PRIOR) / (self.variances.total + 1)
        return weights

    def state_dict(self) -> dict[str, Any]:
        """Return everything that changes, as JSON."""
        return {**super().state_dict(), "variances": self.variances.state_dict(), "single": list(self._single)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Put back what `state_dict` returned."""
        super().load_state_dict(state)
        self.variances.load_state_dict(state["variances"])
        self._single = list(state["single"])


def learnability(correct: int, total: int) -> float:
    """Return the unbiased estimate of p(1 - p) from `correct` of `total` > 1 episodes of one task."""
    return float(np.float64(correct) * (total - correct) / (total * (total - 1)))
