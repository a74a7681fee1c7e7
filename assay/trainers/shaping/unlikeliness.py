"""Unlikeliness reward: among correct answers the rare ones earn more (arXiv 2506.02355).

Plain group-relative training sharpens what the policy already does, and pass@N at large N falls. This takes a little
from the answers that were likely anyway.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from assay.core.trajectory import Group, Trajectory
from assay.trainers.advantages.base import outcome_rewards
from assay.trainers.shaping.base import add_rewards


def unlikeliness(groups: Sequence[Group], *, beta: float = 0.25) -> list[Group]:
    """Multiply positive rewards by 1 - beta * rank / n, rank 0 being the least likely of the n scored members.

    Likelihood is the mean log-probability per sampled token. This is the form of the authors' code, in which the
    rarest answer keeps its whole reward. A group that is all correct then carries a signal, so groups must be filtered
    by their raw outcome before shaping, never after. Members without tokens are not ranked.
    """
    return [add_rewards(group, _bonus(group, beta), "unlikeliness") for group in groups]


def _bonus(group: Group, beta: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    rewards = outcome_rewards(group)
    likelihood = np.array([_mean_logprob(t) for t in group])
    ranked = np.flatnonzero(np.isfinite(rewards) & np.isfinite(likelihood))
    order = ranked[np.argsort(likelihood[ranked], kind="stable")]
    bonus = np.zeros(len(group))
    bonus[order] = -beta * np.arange(len(order)) / max(len(order), 1) * np.maximum(rewards[order], 0.0)
    return bonus


def _mean_logprob(trajectory: Trajectory) -> float:
    values = [x for step in trajectory.steps for x in step.turn.logprobs]
    return float(np.mean(values)) if values else np.nan
