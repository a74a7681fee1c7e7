"""Every arm as often as any other: the baseline that a curriculum has to beat."""

from __future__ import annotations

import numpy as np

from assay.curricula.base import RatedPolicy


class Uniform(RatedPolicy):
    """Chooses arms uniformly; success rates are kept for the metrics alone."""

    name = "uniform"

    def pick(self, rng: np.random.Generator) -> int:
        """Draw an arm."""
        return int(rng.integers(self.arms))
