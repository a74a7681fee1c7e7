"""Difficulty-adaptive length: the target length of a task follows from how often it is solved (DAST).

Source: stage 1 of UI-R1-E (the released code of arXiv 2503.21620), for a group with success rate p, mean length of the
correct L_r and largest length L_max: L_b = p L_r + (1 - p) L_max and lambda = (L - L_b) / L_b. Correct members get
max(-0.5 lambda + 0.5, 0.1), wrong ones min(0.9 lambda - 0.1, -0.1). Rewards 3, 3, 2, 1 of lengths 40, 80, 100, 160, the
3s correct: L_b = 110 and totals 3.8182, 3.6364, 1.8182, 0.9.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from assay.core.trajectory import Group
from assay.trainers.advantages.base import FloatArray, outcome_rewards
from assay.trainers.shaping.base import add_rewards, correct, lengths


def dast(groups: Sequence[Group]) -> list[Group]:
    """Pay correct members for being short and take less from wrong ones that tried for long."""
    return [add_rewards(group, _bonus(group), "dast") for group in groups]


def _bonus(group: Group) -> FloatArray:
    scored = np.isfinite(outcome_rewards(group))
    right, size = correct(group), lengths(group)
    if not scored.any() or size[scored].max() == 0:
        return np.zeros(len(group))
    p = right[scored].mean()
    budget = (p * size[right].mean() if right.any() else 0.0) + (1 - p) * size[scored].max()
    excess = (size - budget) / max(budget, 1.0)
    bonus: FloatArray = np.where(right, np.maximum(0.5 - 0.5 * excess, 0.1), np.minimum(0.9 * excess - 0.1, -0.1))
    return bonus
