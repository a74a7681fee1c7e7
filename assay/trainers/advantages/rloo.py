"""RLOO: the reward minus the mean of the *other* members (arXiv 2402.14740)."""

from __future__ import annotations

from collections.abc import Sequence

from assay.core.trajectory import Group
from assay.trainers.advantages.base import Advantages, per_trajectory


def rloo(groups: Sequence[Group]) -> Advantages:
    """Return A_i = R_i - mean of the rewards of the others, which is n / (n - 1) * (R_i - mean_g): unbiased."""
    return per_trajectory(groups, lambda rewards: (rewards - rewards.mean()) * (len(rewards) / (len(rewards) - 1)))
