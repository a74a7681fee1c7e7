"""A band of difficulty: only arms that are neither hopeless nor mastered.

Source of the bounds: WebRL (arXiv 2411.02337) keeps generated tasks to which its critic gives a value in [0.05, 0.75].
Here the measured success rate stands in for the critic.
"""

from __future__ import annotations

import numpy as np

from assay.core.errors import ConfigError
from assay.curricula.base import FloatArray, WeightedPolicy


class Band(WeightedPolicy):
    """Chooses uniformly among the arms whose rate lies in [low, high], or the arms nearest to it when none does.

    Rates are smoothed, (correct + 1) / (total + 2), so that a few episodes throw no arm out; an arm that was never
    played has 0.5.
    """

    name = "band"

    def __init__(
        self,
        arms: int,
        *,
        seed: int = 0,
        low: float = 0.05,
        high: float = 0.75,
        memory: int = 256,
        explore: float = 0.1,
    ) -> None:
        super().__init__(arms, seed=seed, memory=memory, explore=explore)
        if not 0 <= low < high <= 1:
            raise ConfigError(f"curriculum {self.name!r}: 0 <= low < high <= 1 does not hold for {low!r}, {high!r}")
        self.low, self.high = low, high

    def weights(self) -> FloatArray:
        """Return 1 for the arms in the band, else for the nearest ones, and 0 for the others."""
        rates = self.rates.smoothed()
        distance = np.maximum(np.maximum(self.low - rates, rates - self.high), 0.0)
        weights: FloatArray = (distance == distance.min()).astype(np.float64)
        return weights
