"""REINFORCE++: returns of each turn, normalised over all trainable tokens of the batch (arXiv 2501.03262).

Without a group baseline a group of one is useful, so the comparison is over the batch: a *batch* without signal gives
exact zeros.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from assay.core.trajectory import Group
from assay.trainers.advantages.base import (
    Advantages,
    FloatArray,
    discounted_returns,
    has_signal,
    outcome_rewards,
    step_rewards,
    turn_tokens,
)


def reinforce_pp(groups: Sequence[Group], *, gamma: float = 1.0, eps: float = 1e-8) -> Advantages:
    """Return the discounted return of each turn, whitened over the batch with every trainable token counted once.

    The recursion runs over turns: whatever the environment says in between costs no discount.
    """
    returns: Advantages = []
    for group in groups:
        known = np.isfinite(outcome_rewards(group))
        returns.append(
            [discounted_returns(step_rewards(t), gamma) if k else None for t, k in zip(group, known, strict=True)]
        )
    return whiten_tokens(groups, returns, eps=eps)


def whiten_tokens(groups: Sequence[Group], values: Advantages, *, eps: float) -> Advantages:
    """Subtract the mean and divide by (std + eps) over tokens, each turn weighted by its number of sampled tokens.

    The variance has one degree of freedom taken off, as in the published implementations.
    """
    pairs = [
        (array, turn_tokens(trajectory))
        for group, members in zip(groups, values, strict=True)
        for trajectory, array in zip(group, members, strict=True)
        if array is not None
    ]
    flat = np.concatenate([array for array, _ in pairs]) if pairs else np.zeros(0)
    tokens = np.concatenate([counts for _, counts in pairs]) if pairs else np.zeros(0)
    total = tokens.sum()
    if total < 2 or not has_signal(flat[tokens > 0]):
        return [[None if array is None else np.zeros_like(array) for array in members] for members in values]
    mean = float((flat * tokens).sum() / total)
    std = float(np.sqrt(((flat - mean) ** 2 * tokens).sum() / (total - 1)))

    def whiten(array: FloatArray) -> FloatArray:
        return (array - mean) / (std + eps)

    return [[None if array is None else whiten(array) for array in members] for members in values]
