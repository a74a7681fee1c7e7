"""Generalised advantage estimation (arXiv 1506.02438) on steps, or on the sub-sequence of trainable tokens.

Observation tokens are not the policy's doing. A recursion over raw positions discounts across them and reads values
where none was learned, so it differs from the right answer whenever gamma or lambda is below 1. Both functions here
never see them. They need a critic's values, so the trainer calls them itself (`assay.trainers.credit`).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from assay.trainers.advantages.base import FloatArray


def gae(
    rewards: FloatArray, values: FloatArray, *, gamma: float = 1.0, lam: float = 1.0, bootstrap: float = 0.0
) -> tuple[FloatArray, FloatArray]:
    """Return (advantages, returns) of one episode, shape [n] each; element t is a step or a trainable token.

    delta_t = r_t + gamma V_{t+1} - V_t; A_t = delta_t + gamma lam A_{t+1}; return = A + V. `bootstrap` is the value
    after the last element: 0 when the task ended, the critic's estimate when a limit cut the episode.
    """
    if rewards.shape != values.shape:
        raise ValueError(f"rewards {rewards.shape} and values {values.shape} differ in shape")
    advantages = np.zeros(len(rewards), np.float64)
    following, running = bootstrap, 0.0
    for t in range(len(rewards) - 1, -1, -1):
        delta = rewards[t] + gamma * following - values[t]
        running = delta + gamma * lam * running
        advantages[t] = running
        following = float(values[t])
    return advantages, advantages + values


def token_gae(
    rewards: FloatArray,
    values: FloatArray,
    loss_mask: NDArray[np.bool_],
    *,
    gamma: float = 1.0,
    lam: float = 1.0,
    bootstrap: float = 0.0,
) -> tuple[FloatArray, FloatArray]:
    """Return (advantages, returns) over all T positions of a stream, zeros where `loss_mask` is False.

    A reward on an observation token is credited to the trainable token before it, the action that earned it; one
    before the first trainable token is nobody's doing and is dropped.
    """
    positions = np.flatnonzero(loss_mask)
    earned = np.zeros(len(positions), np.float64)
    owner = np.searchsorted(positions, np.arange(len(rewards)), side="right") - 1
    np.add.at(earned, owner[owner >= 0], rewards[owner >= 0])
    advantages, returns = np.zeros(len(rewards), np.float64), np.zeros(len(rewards), np.float64)
    advantages[positions], returns[positions] = gae(
        earned, values[positions], gamma=gamma, lam=lam, bootstrap=bootstrap
    )
    return advantages, returns
