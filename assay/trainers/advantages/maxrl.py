"""MaxRL: the centred reward over the group's mean, an estimate of the gradient of log success rate.

Published as "Maximum Likelihood Reinforcement Learning". Tasks that are hardly ever solved weigh most: a gradient of
log p is the gradient of p divided by p.
"""

from __future__ import annotations

from collections.abc import Sequence

from assay.core.trajectory import Group
from assay.trainers.advantages.base import Advantages, FloatArray, per_trajectory


def maxrl(groups: Sequence[Group]) -> Advantages:
    """Return A_i = (R_i - mean_g) / mean_g, zeros where the mean is not positive. Meant for rewards in [0, 1]."""

    def estimate(rewards: FloatArray) -> FloatArray:
        mean = rewards.mean()
        return (rewards - mean) / mean if mean > 0 else rewards * 0.0

    return per_trajectory(groups, estimate)
