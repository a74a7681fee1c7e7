"""REINFORCE++ with a group baseline: centred in the group, scaled over the batch (arXiv 2501.03262)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from assay.core.trajectory import Group
from assay.trainers.advantages.base import Advantages, has_signal, outcome_rewards, per_trajectory
from assay.trainers.advantages.reinforce_pp import whiten_tokens


def reinforce_pp_baseline(groups: Sequence[Group], *, eps: float = 1e-8) -> Advantages:
    """Return R_i - mean_g, whitened over all trainable tokens of the groups that carry a signal.

    Groups without signal stay out of the whitening and at exact zero. Whitened with the rest they would get minus the
    batch's mean, which is not zero when lengths differ: a gradient from tasks that taught nothing.
    """
    centred = per_trajectory(groups, lambda rewards: rewards - rewards.mean())
    informative = [n for n, group in enumerate(groups) if has_signal(outcome_rewards(group))]
    whitened = whiten_tokens([groups[n] for n in informative], [centred[n] for n in informative], eps=eps)
    for n, members in zip(informative, whitened, strict=True):
        centred[n] = [None if a is None else np.asarray(a, np.float64) for a in members]
    return centred
