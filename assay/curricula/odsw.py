"""Online difficulty soft weights: a cosine over the success rate, flat on the side that the stage is about.

Source: VL-Cogito (arXiv 2507.22607), with c(p) = cos(pi (p - 1/2)):

    easy     0 at p = 0;    c up to 1/2, then 1
    medium   0 at p = 0;    c
    hard     0.25 at p = 0; 1 up to 1/2, then c

p = 0, 1/4, 1/2, 3/4, 1 give easy 0, 0.7071, 1, 1, 1; medium 0, 0.7071, 1, 0.7071, 0; hard 0.25, 1, 1, 0.7071, 0.
The paper multiplies advantages by the weight; here it is how often an arm is played.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np

from assay.core.errors import UnknownNameError
from assay.curricula.base import FloatArray, WeightedPolicy

Stage = Literal["easy", "medium", "hard"]
HOPELESS_WEIGHT = 0.25
"""Weight in the stage `hard` of what never succeeds."""


class OnlineDifficulty(WeightedPolicy):
    """Chooses arms in proportion to the weight of their rate; an arm that was never played counts as 1/2."""

    name = "odsw"

    def __init__(
        self, arms: int, *, seed: int = 0, stage: Stage = "medium", memory: int = 256, explore: float = 0.1
    ) -> None:
        super().__init__(arms, seed=seed, memory=memory, explore=explore)
        if stage not in get_args(Stage):
            raise UnknownNameError("stage of curriculum 'odsw'", stage, get_args(Stage))
        self.stage: Stage = stage

    def weights(self) -> FloatArray:
        """Return the weight of each arm's rate."""
        return difficulty_weights(np.nan_to_num(self.rates.known(), nan=0.5), self.stage)


def difficulty_weights(rates: FloatArray, stage: Stage) -> FloatArray:
    """Return the weights of success rates in [0, 1], same shape."""
    cosine = np.maximum(np.cos(np.pi * (rates - 0.5)), 0.0)
    if stage == "hard":
        return np.where(rates == 0, HOPELESS_WEIGHT, np.where(rates <= 0.5, 1.0, cosine))
    upper = 1.0 if stage == "easy" else cosine
    return np.where(rates == 0, 0.0, np.where(rates > 0.5, upper, cosine))
