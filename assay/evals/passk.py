"""pass@k, pass^k and majority vote for each task, with what the unscored samples could change.

A task that has fewer than k *scored* samples, because some have no verdict, says nothing about pass@k and is left out
of the estimate; the bounds put it back, with every unscored sample wrong, or right. A task that was *played* fewer
than k times is a mistake of the caller and refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from assay.core.errors import ConfigError
from assay.core.stats import pass_at_k, pass_hat_k
from assay.evals.outcomes import FloatArray, Outcomes, Vote

Estimator = Callable[[ArrayLike, ArrayLike, int], FloatArray]


@dataclass(frozen=True, slots=True)
class TaskValues:
    """A statistic for each of T tasks: `values` and `counts` are [T], count 0 where the task says nothing."""

    values: FloatArray
    counts: FloatArray
    worst: float | None
    """Mean over all tasks if every unscored sample were wrong."""
    best: float | None


def check_ks(outcomes: Outcomes, ks: Iterable[int]) -> list[int]:
    """Return 1 and the given ks, sorted. `ConfigError` when a task was played fewer than k times."""
    wanted = sorted({1, *ks})
    if wanted[0] < 1:
        raise ConfigError(f"pass@{wanted[0]}: k must be at least 1")
    fewest = int(outcomes.total.argmin())
    if outcomes.total[fewest] < wanted[-1]:
        raise ConfigError(
            f"pass@{wanted[-1]} needs at least {wanted[-1]} samples of every task; task {outcomes.task_ids[fewest]!r} "
            f"has {int(outcomes.total[fewest])}: take more samples or a smaller k"
        )
    return wanted


def pass_values(outcomes: Outcomes, k: int, estimator: Estimator = pass_at_k) -> TaskValues:
    """Return pass@k (or, with `pass_hat_k`, pass^k) of each task."""
    enough = outcomes.known >= k
    values = np.zeros(len(outcomes))
    values[enough] = estimator(outcomes.known[enough], outcomes.correct[enough], k)
    unknown = outcomes.total - outcomes.known
    worst = estimator(outcomes.total, outcomes.correct, k).mean()
    best = estimator(outcomes.total, outcomes.correct + unknown, k).mean()
    return TaskValues(values, enough.astype(np.float64), float(worst), float(best))


def all_right_values(outcomes: Outcomes, k: int) -> TaskValues:
    """Return pass^k of each task: the chance that k samples are all right."""
    return pass_values(outcomes, k, pass_hat_k)


def majority_values(outcomes: Outcomes) -> TaskValues | None:
    """Return whether the majority answer of each task is right; None when no verdict says what the answer was.

    A task with known outcomes but no answer at all has no majority that could be right: 0.
    """
    if not any(outcomes.votes):
        return None
    unknown = outcomes.total - outcomes.known
    rows = [
        _majority(vote, int(missing), known > 0)
        for vote, missing, known in zip(outcomes.votes, unknown, outcomes.known, strict=True)
    ]
    values, counts, worst, best = (np.array(column, np.float64) for column in zip(*rows, strict=True))
    return TaskValues(values, counts, float(worst.mean()), float(best.mean()))


def _majority(vote: Vote | None, unknown: int, judged: bool) -> tuple[bool, bool, bool, bool]:
    """Return value, count, worst and best case of one task."""
    correct, right, wrong = (vote.correct, vote.right, vote.wrong) if vote is not None else (False, 0, 0)
    worst = correct and (unknown == 0 or right - wrong > unknown)
    best = correct or (unknown > 0 and wrong - right <= unknown)
    return correct, judged, worst, best


def reward_values(outcomes: Outcomes) -> TaskValues:
    """Return the mean reward of each task. It has no bounds: nobody knows what an unscored sample could have earned."""
    has = outcomes.scored > 0
    values = np.divide(outcomes.reward, outcomes.scored, out=np.zeros(len(outcomes)), where=has)
    return TaskValues(values, has.astype(np.float64), None, None)
