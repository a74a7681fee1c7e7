"""Outcome plus process: the episode's z-score and each step's z-score among all steps of the group.

The two-level advantage of online process reward learning (arXiv 2509.19199), for any process score.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from assay.core.trajectory import Group
from assay.trainers.advantages.base import Advantages, member_advantages, outcome_rewards, spread, standardise
from assay.trainers.advantages.parts import require_part, step_parts


def step_process(
    groups: Sequence[Group], *, part: str, step_weight: float = 1.0, ddof: int = 1, eps: float = 1e-6
) -> Advantages:
    """Return z_g(R_i) + step_weight * z(r_it), the second over all turns of all scored members of the group.

    `part` names the process score of a turn; a turn without one gets the episode's advantage alone.
    """
    require_part(groups, part)
    normalise = partial(standardise, ddof=ddof, eps=eps)
    out: Advantages = []
    for group in groups:
        members = spread(group, member_advantages(outcome_rewards(group), normalise))
        scored = [i for i, member in enumerate(members) if member is not None]
        if len(scored) > 1:
            scores = [step_parts(group.trajectories[i], part) for i in scored]
            steps = member_advantages(np.concatenate(scores), normalise)
            ends = np.cumsum([len(s) for s in scores])[:-1]
            for i, values in zip(scored, np.split(np.nan_to_num(steps), ends), strict=True):
                member = members[i]
                if member is not None:
                    member += step_weight * values
        out.append(members)
    return out
