"""What an advantage function is, and the few helpers that all of them share.

An advantage function reads a *batch* of groups, since some estimators normalise over the batch, and answers for each
member of each group with one float per turn, or None for a member without a verdict. Invariants, kept by every
function of this package:

* only scored members enter a statistic; a non-finite reward counts as no verdict;
* a group of one gets exact zeros, and so does a group whose scored members are equal in all that the estimator reads
  (REINFORCE++ without a group baseline compares over the batch instead: a *batch* without signal gets exact zeros);
* NaN and infinity never come out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from assay.core.trajectory import Group, Trajectory

FloatArray: TypeAlias = NDArray[np.float64]
GroupAdvantages: TypeAlias = list[FloatArray | None]
"""One array [n_turns] per member, None for a member without a verdict."""
Advantages: TypeAlias = list[GroupAdvantages]
"""One `GroupAdvantages` per group, in the order of the groups."""


class AdvantageFn(Protocol):
    """An advantage estimator with its options bound."""

    def __call__(self, groups: Sequence[Group], /) -> Advantages:
        """Return the advantages of every turn of every member."""
        ...


def outcome_rewards(group: Group) -> FloatArray:
    """Return the total reward of each member, NaN where there is no verdict (or the reward is not finite)."""
    values = np.array([np.nan if t.reward is None else t.reward for t in group], np.float64)
    values[~np.isfinite(values)] = np.nan
    return values


def step_rewards(trajectory: Trajectory) -> FloatArray:
    """Return the reward of each turn, shape [n_turns]."""
    return np.array([step.reward for step in trajectory.steps], np.float64)


def turn_tokens(trajectory: Trajectory) -> FloatArray:
    """Return the number of sampled tokens of each turn, shape [n_turns]."""
    return np.array([len(step.turn.output_ids) for step in trajectory.steps], np.float64)


def discounted_returns(rewards: FloatArray, gamma: float) -> FloatArray:
    """Return G_t = r_t + gamma * G_{t+1} over turns; observation tokens between turns cost no discount."""
    returns = np.zeros_like(rewards)
    running = 0.0
    for t in range(len(rewards) - 1, -1, -1):
        running = rewards[t] + gamma * running
        returns[t] = running
    return returns


def has_signal(values: FloatArray) -> bool:
    """Whether the values differ at all. Compared exactly: a rounded mean must not turn equality into a signal."""
    known = values[np.isfinite(values)]
    return known.size > 1 and bool(known.max() > known.min())


def per_trajectory(
    groups: Sequence[Group],
    estimate: Callable[[FloatArray], FloatArray],
    rewards: Callable[[Group], FloatArray] = outcome_rewards,
) -> Advantages:
    """Estimate one number for each scored member of a group with signal, and give it to all of its turns.

    `estimate` maps the rewards of the scored members, shape [n], to their advantages, shape [n].
    """
    return [spread(group, member_advantages(rewards(group), estimate)) for group in groups]


def member_advantages(values: FloatArray, estimate: Callable[[FloatArray], FloatArray]) -> FloatArray:
    """Return `estimate` of the finite values in their places, exact zeros without signal, NaN where unscored."""
    scored = np.isfinite(values)
    out = np.where(scored, 0.0, np.nan)
    if has_signal(values):
        out[scored] = estimate(values[scored])
    return out


def spread(group: Group, values: FloatArray) -> GroupAdvantages:
    """Give each member's value to all of its turns; NaN becomes None."""
    return [
        None if np.isnan(value) else np.full(len(trajectory.steps), value, np.float64)
        for trajectory, value in zip(group, values, strict=True)
    ]


def standardise(values: FloatArray, *, ddof: int, eps: float) -> FloatArray:
    """Return (x - mean) / (std + eps), the std with `ddof` degrees of freedom taken off."""
    centred: FloatArray = values - values.mean()
    scaled: FloatArray = centred / (values.std(ddof=ddof) + eps)
    return scaled
