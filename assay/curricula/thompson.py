"""Thompson sampling (Thompson 1933) over arms; a pull pays when its group has both right and wrong members."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from assay.curricula.base import RatedPolicy
from assay.curricula.rates import SuccessRates


class Thompson(RatedPolicy):
    """Draws each arm's chance of a mixed group from its Beta posterior (prior 1, 1) and plays the best draw.

    Groups that all succeed or all fail give a group-relative learner nothing. What groups did fades (about the last
    `memory` of an arm count), because the arms change as the policy learns.
    """

    name = "thompson"

    def __init__(self, arms: int, *, seed: int = 0, memory: int = 32) -> None:
        """`memory` counts groups."""
        super().__init__(arms, seed=seed, memory=8 * memory)
        self.mixed = SuccessRates(arms, memory=memory)

    def observe(self, arm: int, correct: int, total: int) -> None:
        """Update the arm's posterior. A group of one cannot be mixed and only moves the rate."""
        super().observe(arm, correct, total)
        if total > 1:
            self.mixed.add(arm, int(0 < correct < total), 1)

    def pick(self, rng: np.random.Generator) -> int:
        """Return the arm with the largest draw."""
        return int(np.argmax(rng.beta(1 + self.mixed.correct, 1 + self.mixed.total - self.mixed.correct)))

    def metrics(self) -> dict[str, float]:
        """Return rates and the posterior means."""
        means = self.mixed.smoothed()
        return {**super().metrics(), **{f"mixed/{arm}": float(mean) for arm, mean in enumerate(means)}}

    def state_dict(self) -> dict[str, Any]:
        """Return everything that changes, as JSON."""
        return {**super().state_dict(), "mixed": self.mixed.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Put back what `state_dict` returned."""
        super().load_state_dict(state)
        self.mixed.load_state_dict(state["mixed"])
