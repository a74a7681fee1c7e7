"""Dynamic length reward: wrong answers are drawn to the length that the group's correct ones have (DyLR).

Source: stage 3 of VL-Cogito (arXiv 2507.22607). With L* the mean length of the correct members, a wrong one of length L
gets -0.25 (1 + cos(pi L / L*)), and -0.5 from 2 L* on: L* = 200 and L = 0, 100, 200, 300, 400 give -0.5, -0.25, 0,
-0.25, -0.5. Where nobody is correct the target is a fixed length, nothing is taken above it up to a limit, and the
amounts are halved. The paper's repetition term is the wrapper `repetition`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from assay.core.errors import ConfigError
from assay.core.trajectory import Group
from assay.trainers.advantages.base import FloatArray
from assay.trainers.shaping.base import add_rewards, correct, lengths


def dylr(groups: Sequence[Group], *, target: int = 750, limit: int = 4096) -> list[Group]:
    """Add the length reward to wrong members; `target` and `limit`, in tokens, are for groups without a correct one."""
    if not 0 < target <= limit:
        raise ConfigError(f"shaper 'dylr': target must be in 1..limit ({limit}), not {target}")
    return [add_rewards(group, _bonus(group, target, limit), "dylr") for group in groups]


def cosine_length(size: FloatArray, target: float) -> FloatArray:
    """Return 0 at the target length, falling to -0.5 at 0 and at twice the target and beyond."""
    return -0.25 * (1 + np.cos(np.pi * np.minimum(size / target, 2.0)))


def _bonus(group: Group, target: int, limit: int) -> FloatArray:
    right, size = correct(group), lengths(group)
    if right.any() and size[right].mean() > 0:
        return np.where(right, 0.0, cosine_length(size, float(size[right].mean())))
    hopeless = 0.5 * np.where(size < target, cosine_length(size, target), np.where(size < limit, 0.0, -0.5))
    return np.where(right, 0.0, hopeless)
