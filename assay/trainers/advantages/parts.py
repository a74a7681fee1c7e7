"""Reading named reward parts, for the estimators that treat components or process scores apart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from assay.core.errors import ConfigError
from assay.core.trajectory import Group, Trajectory
from assay.trainers.advantages.base import FloatArray


def step_parts(trajectory: Trajectory, part: str) -> FloatArray:
    """Return the raw part of each turn, shape [n_turns], NaN where the step has none or it has no verdict."""
    values = [step.parts.get(part) for step in trajectory.steps]
    out = np.array([np.nan if v is None else v for v in values], np.float64)
    out[~np.isfinite(out)] = np.nan
    return out


def total_parts(group: Group, part: str) -> FloatArray:
    """Return each member's sum of a part over its turns, shape [n]; NaN for a member without a verdict on it."""
    totals = []
    for trajectory in group:
        values = step_parts(trajectory, part)
        known = values[~np.isnan(values)]
        totals.append(known.sum() if trajectory.scored and known.size else np.nan)
    return np.array(totals, np.float64)


def require_part(groups: Sequence[Group], part: str) -> None:
    """Raise `ConfigError` when scored trajectories exist but none of their steps has the part."""
    seen = {name for group in groups for t in group.scored for step in t.steps for name in step.parts}
    if part not in seen and any(group.scored for group in groups):
        raise ConfigError(f"no step has the reward part {part!r}; parts seen: {', '.join(sorted(seen)) or 'none'}")
