"""Length penalty for the best groups of a batch only (GRPO-λ, arXiv 2505.18086; two other methods share that name).

A length penalty for everybody makes accuracy collapse early, since short and wrong is easy. Here only the tasks that
the policy has mastered are made shorter.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from assay.core.errors import ConfigError
from assay.core.trajectory import Group
from assay.trainers.advantages.base import FloatArray
from assay.trainers.shaping.base import add_rewards, correct, lengths

STD_FLOOR = 1e-4


def top_lambda_length(groups: Sequence[Group], *, fraction: float = 0.2, alpha: float = 0.6) -> list[Group]:
    """Take alpha * sigmoid((L_i - mean) / std) from the correct members of the groups with the best success rates.

    Mean and population std are over the correct members of the group. At least one group, and `fraction` of those with
    a verdict rounded up, are shaped; wrong members are never paid for their length, and a group without a correct
    member is left alone. `alpha` is not stated in the paper; 0.6 is a published implementation's.
    """
    if not 0 < fraction <= 1:
        raise ConfigError(f"shaper 'top_lambda_length': fraction must be in (0, 1], not {fraction}")
    rates = {n: float(np.mean([t.correct is True for t in g.scored])) for n, g in enumerate(groups) if g.scored}
    best = sorted(rates, key=lambda n: -rates[n])[: math.ceil(len(rates) * fraction)]
    return [
        add_rewards(group, _penalty(group, alpha), "top_lambda_length") if n in best and rates[n] > 0 else group
        for n, group in enumerate(groups)
    ]


def _penalty(group: Group, alpha: float) -> FloatArray:
    right, size = correct(group), lengths(group)
    z = (size - size[right].mean()) / max(float(size[right].std()), STD_FLOOR)
    penalty: FloatArray = np.where(right, -alpha / (1 + np.exp(-np.clip(z, -50, 50))), 0.0)
    return penalty
