"""EvalSummary: what an evaluation found, with intervals; and `summarise`, which makes one of trajectories.

Invariants:

* Every rate has an interval by bootstrap over tasks, and bounds for the samples that have no verdict. Where all tasks
  agree, the bootstrap sees no spread and would claim certainty: there it is the Wilson interval over tasks.
* The same trajectories give the same summary, whatever order they come in.
* No torch, and fast enough to be called in a training loop: all intervals share one set of resamples.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict
from pydantic_core import from_json

from assay.core.errors import DataError, SchemaError
from assay.core.stats import bootstrap_means, wilson
from assay.core.trajectory import Trajectory
from assay.evals.outcomes import FloatArray, Outcomes, Row, collect_outcomes
from assay.evals.passk import (
    TaskValues,
    all_right_values,
    check_ks,
    majority_values,
    pass_values,
    reward_values,
)
from assay.evals.strata import by_difficulty, by_tag

SUMMARY_VERSION = 1
MOST_REASONS = 5


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class Estimate(_Frozen):
    """A mean over tasks."""

    value: float | None
    """None when no task says anything."""
    low: float | None = None
    """Ends of the confidence interval."""
    high: float | None = None
    worst: float | None = None
    """The value if every unscored sample were wrong; equal to `best` when all are scored."""
    best: float | None = None
    tasks: int = 0
    """Tasks that the value rests on."""

    def __str__(self) -> str:
        if self.value is None:
            return "unknown"
        interval = f" [{self.low:.3f}, {self.high:.3f}]" if self.low is not None and self.high is not None else ""
        return f"{self.value:.3f}{interval}"


class Distribution(_Frozen):
    """A quantity over episodes."""

    mean: float
    median: float
    p90: float
    max: float


class Stratum(_Frozen):
    """The tasks of one tag or difficulty."""

    tasks: int
    episodes: int
    unscored: int
    pass_at_1: Estimate
    reward: float | None


class EvalSummary(_Frozen):
    """The result of an evaluation."""

    tasks: int
    episodes: int
    scored: int
    unscored: int
    """Episodes without a verdict, or whose verdict does not say whether the answer is correct."""
    samples_per_task: int
    """The smallest number of episodes of any task."""
    pass_at: dict[int, Estimate]
    """pass@k by k; 1 is always there."""
    pass_all: dict[int, Estimate]
    """pass^k by k: the chance that k samples are all right."""
    majority: Estimate | None
    """Majority vote over the extracted answers; None when verdicts name no answers."""
    reward: Estimate
    parts: dict[str, float]
    """Mean of each named component of the reward, summed over an episode's steps, where it has a verdict."""
    truncated: float
    """Share of episodes that hit a limit."""
    failed: int
    """Episodes that a fault ended."""
    tokens: Distribution
    """Sampled tokens in an episode."""
    turns: Distribution
    seconds: Distribution
    by_tag: dict[str, Stratum]
    by_difficulty: dict[str, Stratum]
    verdicts: dict[str, int]
    """Episodes by the status of their verdict; `none` where there is no verdict at all."""
    unscored_reasons: dict[str, int]
    """The most frequent reasons for missing verdicts."""
    level: float = 0.95
    """Confidence level of all intervals."""
    schema_version: int = SUMMARY_VERSION

    @property
    def pass_at_1(self) -> Estimate:
        """Mean accuracy."""
        return self.pass_at[1]

    def to_json(self) -> str:
        """Return the summary as indented JSON."""
        return self.model_dump_json(indent=2)

    @staticmethod
    def read(path: str | Path) -> EvalSummary:
        """Read a summary file. `DataError` when it is none, `SchemaError` when a newer assay wrote it."""
        try:
            row = from_json(Path(path).read_bytes())
        except OSError as error:
            raise DataError(f"cannot be read: {error.strerror}", path=str(path)) from None
        except ValueError as error:
            raise DataError(f"not JSON: {error}", path=str(path)) from None
        version = row.get("schema_version") if isinstance(row, dict) else None
        if not isinstance(version, int):
            raise DataError("not a summary of an evaluation", path=str(path))
        if version > SUMMARY_VERSION:
            raise SchemaError(f"{path}: schema {version}, this assay reads up to {SUMMARY_VERSION}; upgrade assay-rl")
        return EvalSummary.model_validate(row)


def summarise(
    trajectories: Iterable[Trajectory],
    ks: Sequence[int] = (1,),
    *,
    level: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> EvalSummary:
    """Return the summary of finished episodes, any number of samples for each task.

    Raises `ConfigError` when a task has fewer than k samples for one of `ks`, `DataError` without trajectories.
    """
    outcomes = collect_outcomes(trajectories)
    wanted = check_ks(outcomes, ks)
    table = _Table(outcomes, level)
    for k in wanted:
        table.add(f"pass@{k}", pass_values(outcomes, k))
        table.add(f"pass^{k}", all_right_values(outcomes, k))
    table.add("reward", reward_values(outcomes))
    majority = majority_values(outcomes)
    if majority is not None:
        table.add("majority", majority)
    strata = {"tag": by_tag(outcomes), "difficulty": by_difficulty(outcomes)}
    for kind, masks in strata.items():
        for name, mask in masks.items():
            table.add(f"{kind}:{name}", _within(outcomes, mask))
    estimates = table.estimates(resamples, seed)
    rows = [row for group in outcomes.samples for row in group]
    return EvalSummary(
        tasks=len(outcomes),
        episodes=len(rows),
        scored=int(outcomes.known.sum()),
        unscored=int((outcomes.total - outcomes.known).sum()),
        samples_per_task=int(outcomes.total.min()),
        pass_at={k: estimates[f"pass@{k}"] for k in wanted},
        pass_all={k: estimates[f"pass^{k}"] for k in wanted},
        majority=estimates.get("majority"),
        reward=estimates["reward"],
        parts=_mean_parts(rows),
        truncated=sum(row.status == "truncated" for row in rows) / len(rows),
        failed=sum(row.status == "failed" for row in rows),
        tokens=_distribution([row.tokens for row in rows]),
        turns=_distribution([row.turns for row in rows]),
        seconds=_distribution([row.seconds for row in rows]),
        by_tag=_strata(outcomes, strata["tag"], "tag", estimates),
        by_difficulty=_strata(outcomes, strata["difficulty"], "difficulty", estimates),
        verdicts=dict(sorted(Counter(row.verdict for row in rows).items())),
        unscored_reasons=dict(Counter(row.reason for row in rows if row.correct is None).most_common(MOST_REASONS)),
        level=level,
    )


class _Table:
    """Statistics over the same tasks, whose intervals come from one set of resamples."""

    def __init__(self, outcomes: Outcomes, level: float) -> None:
        self._outcomes, self._level = outcomes, level
        self._columns: dict[str, TaskValues] = {}

    def add(self, name: str, column: TaskValues) -> None:
        self._columns[name] = column

    def estimates(self, resamples: int, seed: int) -> dict[str, Estimate]:
        sums = np.stack([c.values * c.counts for c in self._columns.values()], axis=1)
        counts = np.stack([c.counts for c in self._columns.values()], axis=1)
        lows, highs = bootstrap_means(sums, counts, level=self._level, resamples=resamples, seed=seed)
        return {
            name: self._estimate(column, float(low), float(high), is_rate=name != "reward")
            for (name, column), low, high in zip(self._columns.items(), lows, highs, strict=True)
        }

    def _estimate(self, column: TaskValues, low: float, high: float, *, is_rate: bool) -> Estimate:
        tasks = int(column.counts.sum())
        if tasks == 0:
            return Estimate(value=None, worst=column.worst, best=column.best)
        value = float((column.values * column.counts).sum() / tasks)
        spread = np.ptp(column.values[column.counts > 0])
        if spread == 0 and is_rate:
            low, high = wilson(value * tasks, tasks, self._level)
        elif tasks == 1:
            return Estimate(value=value, tasks=tasks)
        return Estimate(value=value, low=low, high=high, worst=column.worst, best=column.best, tasks=tasks)


def _within(outcomes: Outcomes, mask: FloatArray) -> TaskValues:
    """Return pass@1 of the tasks in a stratum."""
    known = outcomes.known * mask
    rate = np.divide(outcomes.correct, outcomes.known, out=np.zeros(len(outcomes)), where=outcomes.known > 0)
    tasks = mask.sum()
    unknown = (outcomes.total - outcomes.known) / outcomes.total
    worst = float((outcomes.correct / outcomes.total * mask).sum() / tasks)
    best = worst + float((unknown * mask).sum() / tasks)
    return TaskValues(rate, (known > 0).astype(np.float64), worst, best)


def _strata(
    outcomes: Outcomes, masks: dict[str, FloatArray], kind: str, estimates: dict[str, Estimate]
) -> dict[str, Stratum]:
    found = {}
    for name, mask in masks.items():
        scored = float((outcomes.scored * mask).sum())
        found[name] = Stratum(
            tasks=int(mask.sum()),
            episodes=int((outcomes.total * mask).sum()),
            unscored=int(((outcomes.total - outcomes.known) * mask).sum()),
            pass_at_1=estimates[f"{kind}:{name}"],
            reward=float((outcomes.reward * mask).sum()) / scored if scored else None,
        )
    return found


def _distribution(values: Sequence[float]) -> Distribution:
    array = np.asarray(values, np.float64)
    median, p90 = np.quantile(array, [0.5, 0.9])
    return Distribution(mean=float(array.mean()), median=float(median), p90=float(p90), max=float(array.max()))


def _mean_parts(rows: Sequence[Row]) -> dict[str, float]:
    """Return the mean of each part over the episodes that have it."""
    values: dict[str, list[float]] = {}
    for row in rows:
        for name, value in row.parts.items():
            values.setdefault(name, []).append(value)
    return {name: sum(values[name]) / len(values[name]) for name in sorted(values)}
