"""Verifier-dominant combination: a rule decides, a model's score orders members within right and within wrong.

Source: Qwen2.5-Math (arXiv 2409.12122): r = sigmoid(alpha r_m) + (r_v - 1) with alpha 0.5.
(r_m, r_v) = (2, 1), (-2, 1), (2, 0), (-2, 0) give 0.7311, 0.2689, -0.2689, -0.7311.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from assay.core.errors import ConfigError
from assay.core.trajectory import Group, Trajectory
from assay.trainers.advantages.base import FloatArray, outcome_rewards
from assay.trainers.shaping.base import add_rewards, correct
from assay.verifiers.dominant import dominant_score


def verifier_dominant(groups: Sequence[Group], *, part: str, alpha: float = 0.5) -> list[Group]:
    """Replace the rewards by the combination of the raw outcome with `part`, the part that holds the model's score.

    Members without that part keep their reward.
    """
    if not alpha > 0:
        raise ConfigError(f"shaper 'verifier_dominant': alpha must be positive, not {alpha!r}")
    return [add_rewards(group, _bonus(group, part, alpha), "verifier_dominant") for group in groups]


def _bonus(group: Group, part: str, alpha: float) -> FloatArray:
    combined = [
        np.nan if (score := _score(t, part)) is None else dominant_score(score, right, alpha)
        for t, right in zip(group, correct(group).tolist(), strict=True)
    ]
    return np.array(combined, np.float64) - outcome_rewards(group)


def _score(trajectory: Trajectory, part: str) -> float | None:
    return next((v for step in reversed(trajectory.steps) if (v := step.parts.get(part)) is not None), None)
