"""Turn discount: later turns are nearer to the outcome, and earlier ones share it at a discount."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from assay.core.trajectory import Group
from assay.trainers.advantages.base import (
    Advantages,
    GroupAdvantages,
    discounted_returns,
    has_signal,
    outcome_rewards,
    standardise,
    step_rewards,
)


def turn_discount(groups: Sequence[Group], *, gamma: float = 0.9, ddof: int = 1, eps: float = 1e-6) -> Advantages:
    """Return G_t = r_t + gamma * G_{t+1}, as a z-score over all turns of the group's scored members.

    A group whose members all earned the same total gets zeros: its returns differ by position only.
    """
    return [_one_group(group, gamma, ddof, eps) for group in groups]


def _one_group(group: Group, gamma: float, ddof: int, eps: float) -> GroupAdvantages:
    totals = outcome_rewards(group)
    returns = [
        discounted_returns(step_rewards(t), gamma) if np.isfinite(total) else None
        for t, total in zip(group, totals, strict=True)
    ]
    flat = np.concatenate([r for r in returns if r is not None] or [np.zeros(0)])
    if not has_signal(totals) or not has_signal(flat):
        return [None if r is None else np.zeros_like(r) for r in returns]
    values = iter(standardise(flat, ddof=ddof, eps=eps))
    return [None if r is None else np.array([next(values) for _ in r]) for r in returns]
