"""Paired comparison of two evaluations on the same tasks.

Invariants:

* Only the same tasks can be compared: other ids, or other prompts under the same ids, are refused.
* A task that one side has no outcome for is left out of the pairs, and counted.
* Differences are b - a: positive when the second run is better.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from assay.core.errors import ConfigError
from assay.core.stats import mcnemar, newcombe_paired, paired_difference
from assay.core.trajectory import Trajectory
from assay.evals.outcomes import Outcomes, collect_outcomes
from assay.evals.rundir import EvalRun

Answer = Literal["majority", "first"]
"""Which one answer of a task stands for a run: that of the majority, or of the first sample."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class PairedDifference(_Frozen):
    """b - a with its interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:+.3f} [{self.low:+.3f}, {self.high:+.3f}]"


class Flip(_Frozen):
    """A task that one run gets right and the other does not."""

    task_id: str
    a: float
    """Share of right answers in run a."""
    b: float
    b_right: bool
    """Whether it is the second run that is right."""


class Comparison(_Frozen):
    """Two runs, task by task."""

    tasks: int
    """Tasks compared."""
    dropped: int
    """Tasks left out, since a run has no outcome for them."""
    a: float
    """pass@1 of each run over the tasks compared."""
    b: float
    difference: PairedDifference
    """Of pass@1, by paired bootstrap over tasks."""
    answer: Answer
    answers: PairedDifference
    """Of the share of right answers, one answer a task (Newcombe's interval for pairs)."""
    p_value: float
    """McNemar's exact test on those answers."""
    wins: int
    """Tasks with a higher share of right answers in b."""
    losses: int
    ties: int
    flips: tuple[Flip, ...]
    """Tasks whose answer is right in one run only, by id."""


def compare(
    a: Iterable[Trajectory],
    b: Iterable[Trajectory],
    *,
    answer: Answer | None = None,
    level: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> Comparison:
    """Compare two evaluations of the same tasks.

    `answer=None` compares majority answers when both runs name answers, and first samples otherwise. Raises
    `ConfigError` when the tasks are not the same, or no task has an outcome on both sides.
    """
    first, second = collect_outcomes(a), collect_outcomes(b)
    _check_same_tasks(first, second)
    both = (first.known > 0) & (second.known > 0)
    if not both.any():
        raise ConfigError("no task has an outcome in both runs; there is nothing to compare")
    rate_a, rate_b = (side.correct[both] / side.known[both] for side in (first, second))
    difference = paired_difference(rate_a, rate_b, level=level, resamples=resamples, seed=seed)
    if answer is None:
        answer = "majority" if any(first.votes) and any(second.votes) else "first"
    pairs = list(_answers(first, second, answer))
    if not pairs:
        raise ConfigError(f"no task has an answer ({answer}) with an outcome in both runs")
    cells = Counter((right_a, right_b) for _, right_a, right_b in pairs)
    only_a, only_b = cells[True, False], cells[False, True]
    rates = dict(zip(np.array(first.task_ids)[both], zip(rate_a, rate_b, strict=True), strict=True))
    return Comparison(
        tasks=int(both.sum()),
        dropped=int((~both).sum()),
        a=float(rate_a.mean()),
        b=float(rate_b.mean()),
        difference=_shown(difference),
        answer=answer,
        answers=_shown(newcombe_paired(cells[True, True], only_a, only_b, cells[False, False], level)),
        p_value=mcnemar(only_a, only_b),
        wins=int((rate_b > rate_a).sum()),
        losses=int((rate_b < rate_a).sum()),
        ties=int((rate_b == rate_a).sum()),
        flips=tuple(
            Flip(task_id=task_id, a=rates[task_id][0], b=rates[task_id][1], b_right=y)
            for task_id, x, y in pairs
            if x != y
        ),
    )


def compare_runs(
    a: str | Path, b: str | Path, *, answer: Answer | None = None, level: float = 0.95, seed: int = 0
) -> Comparison:
    """Compare two run directories. `ConfigError` also when they are of different environments."""
    first, second = EvalRun(a), EvalRun(b)
    env_a, env_b = first.read_config().get("env"), second.read_config().get("env")
    if env_a != env_b:
        raise ConfigError(f"{a} is an evaluation on {env_a}, {b} on {env_b}; only the same tasks can be compared")
    return compare(first.read(), second.read(), answer=answer, level=level, seed=seed)


def _shown(difference: tuple[float, float, float]) -> PairedDifference:
    value, low, high = difference
    return PairedDifference(value=value, low=low, high=high)


def _answers(a: Outcomes, b: Outcomes, answer: Answer) -> Iterator[tuple[str, bool, bool]]:
    """Yield `(task id, a is right, b is right)` of the tasks where both are known."""
    for index, task_id in enumerate(a.task_ids):
        right_a, right_b = (_answer(side, index, answer) for side in (a, b))
        if right_a is not None and right_b is not None:
            yield task_id, right_a, right_b


def _answer(side: Outcomes, index: int, answer: Answer) -> bool | None:
    if answer == "first":
        return side.first[index]
    vote = side.votes[index]
    if vote is not None:
        return vote.correct
    return False if side.known[index] else None  # judged, but it never gave an answer


def _check_same_tasks(a: Outcomes, b: Outcomes) -> None:
    only_a, only_b = sorted({*a.task_ids} - {*b.task_ids}), sorted({*b.task_ids} - {*a.task_ids})
    if only_a or only_b:
        example = f"{only_a[0]!r} only the first" if only_a else f"{only_b[0]!r} only the second"
        raise ConfigError(
            f"the runs are of different tasks ({len(only_a)} only in the first, {len(only_b)} only in the second; "
            f"{example} has): evaluate both on the same ones"
        )
    for task_id, first, second in zip(a.task_ids, a.samples, b.samples, strict=True):
        prompts_a, prompts_b = ({row.prompt for row in rows if row.prompt is not None} for rows in (first, second))
        if prompts_a and prompts_b and prompts_a.isdisjoint(prompts_b):
            raise ConfigError(f"task {task_id!r} has another prompt in each run: the tasks are not the same")
