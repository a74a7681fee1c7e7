"""Pareto selection over several rewards: only members that nobody beats in everything keep theirs.

Source: Parrot (arXiv 2401.05675), reconstructed: of (1, 4), (2, 3), (3, 1), (2, 2), (0, 5) all but the fourth keep
theirs, which gets 0.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from assay.core.errors import ConfigError
from assay.core.trajectory import Group, Trajectory
from assay.trainers.advantages.base import FloatArray, outcome_rewards
from assay.trainers.shaping.base import add_rewards


def pareto_mask(groups: Sequence[Group], *, parts: Sequence[str]) -> list[Group]:
    """Set the reward of dominated members of each group to 0, by the named parts of the reward (summed over steps).

    Members that lack one of the parts are left alone and dominate nobody.
    """
    if isinstance(parts, str) or not parts:
        raise ConfigError(f"shaper 'pareto_mask': parts is a list of names of reward parts, not {parts!r}")
    return [add_rewards(group, _bonus(group, parts), "pareto_mask") for group in groups]


def dominated(points: FloatArray) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Return which rows of [n, k] are nowhere better and somewhere worse than another row; NaN rows take no part."""
    as_good = np.all(points[None] >= points[:, None], axis=2)
    better = np.any(points[None] > points[:, None], axis=2)
    return np.asarray(np.any(as_good & better, axis=1), np.bool_)


def _bonus(group: Group, parts: Sequence[str]) -> FloatArray:
    rewards = outcome_rewards(group)
    points = np.array([[_part(t, name) if t.scored else np.nan for name in parts] for t in group], np.float64)
    return np.where(dominated(points.reshape(len(group), len(parts))), -rewards, 0.0)


def _part(trajectory: Trajectory, name: str) -> float:
    known = [value for step in trajectory.steps if (value := step.parts.get(name)) is not None]
    return sum(known) if known else np.nan
