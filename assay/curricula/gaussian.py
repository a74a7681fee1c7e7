"""A bell curve over the success rate, highest at one half.

Source: the questioner's reward of SPELL (arXiv 2509.23863): exp(-(s - 0.5)^2 / (2 (0.5/3)^2)) for 0 < s < 1, and 0 at
both ends. s = 0.125, 0.25, 0.5 give 0.0796, 0.3247, 1.
"""

from __future__ import annotations

import numpy as np

from assay.core.errors import ConfigError
from assay.curricula.base import FloatArray, WeightedPolicy


class Gaussian(WeightedPolicy):
    """Chooses arms in proportion to the bell curve of their rate; an arm that was never played has the top weight."""

    name = "gaussian"

    def __init__(
        self,
        arms: int,
        *,
        seed: int = 0,
        centre: float = 0.5,
        width: float = 0.5 / 3,
        memory: int = 256,
        explore: float = 0.1,
    ) -> None:
        super().__init__(arms, seed=seed, memory=memory, explore=explore)
        if not 0 < centre < 1 or not width > 0:
            raise ConfigError(f"curriculum {self.name!r} needs a centre in (0, 1) and a positive width")
        self.centre, self.width = centre, width

    def weights(self) -> FloatArray:
        """Return the curve at each arm's rate."""
        return bell(np.nan_to_num(self.rates.known(), nan=self.centre), self.centre, self.width)


def bell(rates: FloatArray, centre: float = 0.5, width: float = 0.5 / 3) -> FloatArray:
    """Return exp(-(rate - centre)^2 / (2 width^2)) inside (0, 1), and 0 at 0 and 1."""
    curve: FloatArray = np.exp(-((rates - centre) ** 2) / (2 * width**2))
    return np.where((rates > 0) & (rates < 1), curve, 0.0)
