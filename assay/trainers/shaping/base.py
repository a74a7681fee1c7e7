"""What a shaper is: a function from groups to groups whose trajectories earn other rewards; most are pure.

Group and batch shapers work between rollouts and advantages, where all members of a group (and all groups of a batch)
are known; shaping that needs a single step belongs to the environment's wrappers. Invariants:

* verdicts stay as they are, so filters, curricula and pass@k go on reading the raw outcome;
* every raw part stays, and the last step gets one more, `shaping/<name>`, that holds what was added, so that
  `reward - sum of the shaping parts` is the raw reward again;
* a trajectory without a verdict is left alone and enters no statistic.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol, runtime_checkable

import numpy as np

from assay.core.trajectory import Group, Trajectory
from assay.trainers.advantages.base import FloatArray, outcome_rewards


class Shaper(Protocol):
    """A shaper with its options bound."""

    def __call__(self, groups: Sequence[Group], /) -> list[Group]:
        """Return the groups with shaped rewards, in the same order."""
        ...


@runtime_checkable
class StatefulShaper(Protocol):
    """A shaper that remembers earlier batches. It sees each batch once; its state, plain JSON, is in checkpoints."""

    def __call__(self, groups: Sequence[Group], /) -> list[Group]:
        """Return the groups with shaped rewards, in the same order."""
        ...

    def metrics(self) -> dict[str, float]:
        """Return numbers worth a curve."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint needs."""
        ...

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take back what `state_dict` returned."""
        ...


def add_rewards(group: Group, bonus: FloatArray, name: str) -> Group:
    """Return the group with `bonus`, shape [n], added to the members' last step rewards as part `shaping/<name>`.

    Members without a verdict, and members whose bonus is NaN, are left alone.
    """
    known = np.isfinite(outcome_rewards(group)) & np.isfinite(bonus)
    return replace(
        group,
        trajectories=tuple(
            _add(trajectory, float(extra), f"shaping/{name}") if shape else trajectory
            for trajectory, extra, shape in zip(group, bonus, known, strict=True)
        ),
    )


def lengths(group: Group) -> FloatArray:
    """Return the number of sampled tokens of each member, shape [n]."""
    return np.array([trajectory.output_tokens for trajectory in group], np.float64)


def correct(group: Group) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Return which members are known to be correct, shape [n]."""
    return np.array([trajectory.correct is True for trajectory in group], np.bool_)


def _add(trajectory: Trajectory, extra: float, part: str) -> Trajectory:
    if not trajectory.steps:
        return trajectory
    *before, last = trajectory.steps
    parts = {**last.parts, part: extra + (last.parts.get(part) or 0.0)}
    return replace(trajectory, steps=(*before, replace(last, reward=last.reward + extra, parts=parts)))
