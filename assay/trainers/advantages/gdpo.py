"""GDPO: several named rewards, each normalised in its group before they are added (arXiv 2601.05242).

Added first and normalised afterwards, different combinations of rewards collapse to one advantage, and the component
with the largest spread decides alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np

from assay.core.trajectory import Group
from assay.trainers.advantages.base import (
    Advantages,
    FloatArray,
    has_signal,
    member_advantages,
    outcome_rewards,
    spread,
    standardise,
)
from assay.trainers.advantages.parts import require_part, total_parts


def gdpo(groups: Sequence[Group], *, weights: Mapping[str, float], ddof: int = 1, eps: float = 1e-6) -> Advantages:
    """Return sum_k w_k z_g(part k), divided by its std over the batch; `weights` maps reward parts to w_k.

    A member without a verdict on one part leaves that part's statistics and gets 0 for it. Group z-scores have mean
    zero, so the batch step subtracts nothing; groups without signal stay out of its std and at exact zero.
    """
    for part in weights:
        require_part(groups, part)
    combined = [_combine(group, weights, ddof, eps) for group in groups]
    informative = [values[np.isfinite(values)] for values in combined if has_signal(values)]
    scale = np.concatenate(informative).std(ddof=ddof) + eps if informative else 1.0
    return [spread(group, values / scale) for group, values in zip(groups, combined, strict=True)]


def _combine(group: Group, weights: Mapping[str, float], ddof: int, eps: float) -> FloatArray:
    total = np.where(np.isfinite(outcome_rewards(group)), 0.0, np.nan)
    for part, weight in weights.items():
        values = member_advantages(total_parts(group, part), partial(standardise, ddof=ddof, eps=eps))
        total += weight * np.where(np.isnan(values), 0.0, values)
    return total
