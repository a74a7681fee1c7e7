"""Dr. GRPO: the reward minus its group's mean, not divided by the std (arXiv 2503.20783)."""

from __future__ import annotations

from collections.abc import Sequence

from assay.core.trajectory import Group
from assay.trainers.advantages.base import Advantages, per_trajectory


def dr_grpo(groups: Sequence[Group]) -> Advantages:
    """Return A_i = R_i - mean_g: dividing by the std would give nearly solved and nearly hopeless tasks more weight.

    The paper pairs it with the `constant` normalisation of `assay.trainers.samples`.
    """
    return per_trajectory(groups, lambda rewards: rewards - rewards.mean())
