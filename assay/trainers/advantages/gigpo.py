"""GiGPO: episode advantages plus step advantages among turns that saw the same state (arXiv 2505.10978)."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from assay.core.trajectory import Group, Trajectory
from assay.trainers.advantages.base import (
    Advantages,
    FloatArray,
    GroupAdvantages,
    discounted_returns,
    member_advantages,
    outcome_rewards,
    spread,
    standardise,
    step_rewards,
)


def gigpo(
    groups: Sequence[Group], *, gamma: float = 0.95, step_weight: float = 1.0, ddof: int = 1, eps: float = 1e-6
) -> Advantages:
    """Return z_g(R_i) + step_weight * z_s(G_t), s being all turns of the group that answered the same observation.

    G_t is the return of turn t, discounted by `gamma` per turn. A state that only one turn saw adds nothing. States
    are told apart by the messages that the environment sent, so its observations should describe the state.
    """
    normalise = partial(standardise, ddof=ddof, eps=eps)
    out: Advantages = []
    for group in groups:
        rewards = outcome_rewards(group)
        members = spread(group, member_advantages(rewards, normalise))
        anchors: defaultdict[str, list[tuple[int, int, float]]] = defaultdict(list)
        for i, trajectory in enumerate(group):
            if members[i] is not None:
                returns = discounted_returns(step_rewards(trajectory), gamma)
                for t, (state, value) in enumerate(zip(_states(trajectory), returns, strict=True)):
                    anchors[state].append((i, t, value))
        if sum(member is not None for member in members) > 1:
            _add_steps(members, list(anchors.values()), normalise, step_weight)
        out.append(members)
    return out


def _add_steps(
    members: GroupAdvantages,
    anchors: Sequence[Sequence[tuple[int, int, float]]],
    normalise: Callable[[FloatArray], FloatArray],
    weight: float,
) -> None:
    for anchor in anchors:
        values = member_advantages(np.array([value for *_, value in anchor]), normalise)
        for (i, t, _), value in zip(anchor, values, strict=True):
            member = members[i]
            if member is not None:
                member[t] += weight * value


def _states(trajectory: Trajectory) -> list[str]:
    """Return, for each turn, what the environment had said just before it."""
    observations = [trajectory.opening, *(step.observation for step in trajectory.steps[:-1])]
    return [json.dumps(messages, sort_keys=True) for messages in observations[: len(trajectory.steps)]]
