"""PURE: process rewards combined by their minimum instead of their sum (arXiv 2504.15275).

Summed process rewards are hacked by writing more steps that score well. With the minimum only the worst step is
blamed, and nothing after it is paid.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from assay.core.errors import ConfigError
from assay.core.trajectory import Group
from assay.trainers.advantages.base import (
    Advantages,
    FloatArray,
    GroupAdvantages,
    discounted_returns,
    outcome_rewards,
    turn_tokens,
)
from assay.trainers.advantages.parts import require_part, step_parts


def pure(
    groups: Sequence[Group],
    *,
    part: str,
    form: Literal["min", "sum"] = "min",
    temperature: float = 0.1,
    outcome_weight: float = 1.0,
) -> Advantages:
    """Return process-reward returns over turns with a leave-one-out baseline, plus the centred outcome.

    `part` names the process score of each turn, best centred on zero. `min` reweights it to r* = softmax(-r / T) r,
    whose plain sum approaches the minimum as T falls; `sum` leaves it as it is. The baseline is the others' r* per
    token times the tokens of the step, so that neither more nor fewer steps are favoured. The verified outcome adds
    `outcome_weight` * (correct_i - mean of the others' correct) to every turn. A turn without a process score, or
    with an unknown outcome, adds nothing there.
    """
    if form not in ("min", "sum"):
        raise ConfigError(f"advantage 'pure': unknown form {form!r}; known: min, sum")
    require_part(groups, part)
    return [_one_group(group, part, temperature if form == "min" else None, outcome_weight) for group in groups]


def min_form(scores: FloatArray, temperature: float) -> FloatArray:
    """Return r* = softmax(-r / temperature) r over the steps that have a score; NaN becomes 0."""
    out = np.zeros_like(scores)
    known = ~np.isnan(scores)
    if known.any():
        r = scores[known]
        share = np.exp(-(r - r.min()) / temperature)
        out[known] = share / share.sum() * r
    return out


def _one_group(group: Group, part: str, temperature: float | None, outcome_weight: float) -> GroupAdvantages:
    scored = np.flatnonzero(np.isfinite(outcome_rewards(group)))
    members: GroupAdvantages = [None] * len(group)
    scores = {i: step_parts(group.trajectories[i], part) for i in scored.tolist()}
    tokens = {i: turn_tokens(group.trajectories[i]) for i in scores}
    correct = {i: group.trajectories[i].correct for i in scores}
    distinct = {(correct[i], scores[i].tobytes(), tokens[i].tobytes()) for i in scores}
    steps = {
        i: np.nan_to_num(values) if temperature is None else min_form(values, temperature)
        for i, values in scores.items()
    }
    for i in scores:
        others = [j for j in scores if j != i]
        if not others or len(distinct) == 1:
            members[i] = np.zeros(len(scores[i]))
            continue
        baseline = sum(steps[j].sum() for j in others) / max(sum(tokens[j].sum() for j in others), 1.0)
        advantage = discounted_returns(steps[i] - baseline * tokens[i], 1.0)
        members[i] = advantage + outcome_weight * _outcome(correct[i], [correct[j] for j in others])
    return members


def _outcome(own: bool | None, others: Sequence[bool | None]) -> float:
    known = [float(c) for c in others if c is not None]
    return 0.0 if own is None or not known else float(own) - sum(known) / len(known)
