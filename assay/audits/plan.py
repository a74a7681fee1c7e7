"""Which rollouts to label, and what the labels say about all of them.

Labels are dear, so they go where they teach most: rollouts are put into strata (verdict, disagreement among verifiers,
class), and `n_h` is made proportional to `N_h sqrt(p_h (1 - p_h))` (Neyman 1934). Every label then counts with the
inverse of its chance of being drawn (Horvitz & Thompson 1952), so the estimates are unbiased for all rollouts although
the sample is not like them. `draws` gives an order with replacement in which labelling may stop early: see
`sequential`.
"""

from __future__ import annotations

import math
import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from assay.core.errors import ConfigError, DataError
from assay.core.seeding import derive_seed
from assay.core.stats import Interval, wilson

_AGREED, _DISPUTED = 0.05, 0.5
"""Guess of how often a verdict is wrong where all verifiers agree, and where they do not."""


@dataclass(frozen=True, slots=True)
class Rollout:
    """A judged rollout that could be labelled."""

    id: str
    accepted: bool
    """The verdict of the verifier that is audited."""
    others: tuple[bool, ...] = ()
    """Verdicts of other verifiers on the same rollout."""
    cls: str = ""

    @property
    def stratum(self) -> str:
        """Verdict, whether anybody disagrees, and class."""
        disputed = any(other != self.accepted for other in self.others)
        verdict = f"{'accepted' if self.accepted else 'rejected'}, {'disputed' if disputed else 'agreed'}"
        return f"{verdict}, {self.cls}" if self.cls else verdict


@dataclass(frozen=True, slots=True)
class Stratum:
    """Rollouts of one kind, and how many of them to label."""

    name: str
    size: int
    labels: int
    guess: float
    """Guessed share of wrong verdicts."""

    @property
    def weight(self) -> float:
        """How many rollouts one label stands for."""
        return self.size / self.labels if self.labels else math.inf


@dataclass(frozen=True, slots=True)
class LabelPlan:
    """The rollouts to label, in an order in which every stratum comes up early."""

    strata: tuple[Stratum, ...]
    chosen: tuple[Rollout, ...]

    def to_json(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "strata": [{name: getattr(s, name) for name in s.__slots__} | {"weight": s.weight} for s in self.strata],
            "ids": [r.id for r in self.chosen],
        }


@dataclass(frozen=True, slots=True)
class WeightedRate:
    """A rate over all rollouts, estimated from labels of some."""

    rate: float | None
    interval: Interval
    labels: int
    """Labels that the denominator rests on."""
    design_effect: float | None
    """Variance against that of as many labels drawn at random; below 1 the plan was worth it."""

    def to_json(self) -> dict[str, Any]:
        """Return plain data."""
        return {name: getattr(self, name) for name in self.__slots__} | {"interval": list(self.interval)}


@dataclass(frozen=True, slots=True)
class LabelEstimate:
    """Error rates of the verifier on all rollouts."""

    fn: WeightedRate
    """Rejected among the right ones."""
    fp: WeightedRate
    """Accepted among the wrong ones."""
    pass_rate: WeightedRate
    """Right ones among all."""

    def to_json(self) -> dict[str, Any]:
        """Return plain data."""
        return {"fn": self.fn.to_json(), "fp": self.fp.to_json(), "pass_rate": self.pass_rate.to_json()}


def plan_labels(
    rollouts: Sequence[Rollout],
    budget: int,
    *,
    guesses: Mapping[str, float] | None = None,
    least: int = 5,
    seed: int = 0,
) -> LabelPlan:
    """Choose `budget` rollouts to label.

    Args:
        rollouts: all judged rollouts; ids must be unique.
        budget: number of labels.
        guesses: share of wrong verdicts by stratum name, from a pilot; .5 where verifiers disagree and .05 elsewhere.
        least: smallest number of labels in a stratum, so that none is taken on trust.
        seed: of the random choice.
    """
    groups = _groups(rollouts)
    if budget < least * len(groups) and budget < len(rollouts):
        raise ConfigError(
            f"{budget} labels are too few for {len(groups)} strata of at least {least}; "
            f"take {least * len(groups)} or more, or fewer classes"
        )
    guess = {name: _guess(name, guesses) for name in groups}
    allocation = neyman({n: len(g) for n, g in groups.items()}, guess, budget, least=least)
    rng = random.Random(derive_seed("label-plan", seed))
    chosen = {name: rng.sample(group, allocation[name]) for name, group in groups.items()}
    strata = tuple(Stratum(n, len(g), allocation[n], guess[n]) for n, g in sorted(groups.items()))
    # Spread each stratum evenly over the order.
    keyed = [((i + 0.5) / len(group), rollout) for group in chosen.values() for i, rollout in enumerate(group)]
    return LabelPlan(strata, tuple(r for _, r in sorted(keyed, key=lambda pair: (pair[0], pair[1].id))))


def neyman(sizes: Mapping[str, int], error: Mapping[str, float], budget: int, *, least: int = 0) -> dict[str, int]:
    """Return `n_h` proportional to `N_h sqrt(p_h (1 - p_h))`, whole, between `least` and `N_h`, summing to the budget.

    >>> neyman({"a": 900, "b": 100}, {"a": 0.1, "b": 0.5}, 64)
    {'a': 54, 'b': 10}
    """
    budget = min(budget, sum(sizes.values()))
    spread = {h: sizes[h] * math.sqrt(max(error[h] * (1 - error[h]), 1e-4)) for h in sizes}
    out = {h: min(sizes[h], least) for h in sizes}
    while (left := budget - sum(out.values())) > 0:
        open_strata = [h for h in sizes if out[h] < sizes[h]]
        total = sum(spread[h] for h in open_strata)
        # The stratum that is furthest below its share gets the next label.
        target = sum(out[h] for h in open_strata) + left
        neediest = max(open_strata, key=lambda h: (spread[h] / total * target - out[h], h))
        shortfall = spread[neediest] / total * target - out[neediest]
        out[neediest] += max(1, min(sizes[neediest] - out[neediest], left, int(shortfall / 2)))
    return out


def estimate(plan: LabelPlan, labels: Mapping[str, bool], *, level: float = 0.95) -> LabelEstimate:
    """Return the error rates over all rollouts from the labels of the planned ones.

    A plan that is labelled only in part counts each stratum by the labels that it has; a stratum without any is a
    `DataError`, since nothing is known about it.
    """
    by_id = {r.id: r for r in plan.chosen}
    unknown = sorted(set(labels) - set(by_id))
    if unknown:
        raise DataError(f"label of {unknown[0]!r}, which the plan did not choose")
    groups: dict[str, list[tuple[Rollout, bool]]] = defaultdict(list)
    for rollout_id, right in labels.items():
        groups[by_id[rollout_id].stratum].append((by_id[rollout_id], bool(right)))
    empty = [s.name for s in plan.strata if not groups[s.name]]
    if empty:
        raise DataError(f"no label in stratum {empty[0]!r}; label the plan in its order, or to its end")
    sizes = {s.name: s.size for s in plan.strata}
    return LabelEstimate(
        fn=_ratio(sizes, groups, lambda r, right: (right and not r.accepted, right), level),
        fp=_ratio(sizes, groups, lambda r, right: (r.accepted and not right, not right), level),
        pass_rate=_ratio(sizes, groups, lambda r, right: (right, True), level),
    )


def draws(plan: LabelPlan, rollouts: Sequence[Rollout], *, seed: int = 0) -> Iterator[tuple[Rollout, float]]:
    """Yield `(rollout, weight)` without end: drawn with replacement, strata in proportion to the plan.

    The mean of `weight * flag` is unbiased for the share of all rollouts that have the flag, and lies in
    [0, `largest_weight(plan)`]: feed it to a `SequentialRate` with that bound and stop at will.
    """
    groups = _groups(rollouts)
    rng = random.Random(derive_seed("label-draws", seed))
    weights = _draw_weights(plan)
    shares = [s.labels for s in plan.strata]
    while True:
        (stratum,) = rng.choices(plan.strata, shares)
        yield rng.choice(groups[stratum.name]), weights[stratum.name]


def largest_weight(plan: LabelPlan) -> float:
    """Return the largest weight that `draws` yields."""
    return max(_draw_weights(plan).values())


def _draw_weights(plan: LabelPlan) -> dict[str, float]:
    total, labels = sum(s.size for s in plan.strata), sum(s.labels for s in plan.strata)
    return {s.name: s.size / total * labels / s.labels for s in plan.strata if s.labels}


def _groups(rollouts: Sequence[Rollout]) -> dict[str, list[Rollout]]:
    if not rollouts:
        raise ConfigError("a label plan needs rollouts")
    if len({r.id for r in rollouts}) != len(rollouts):
        raise ConfigError("rollout ids must be unique")
    groups: dict[str, list[Rollout]] = defaultdict(list)
    for rollout in rollouts:
        groups[rollout.stratum].append(rollout)
    return dict(sorted(groups.items()))


def _guess(name: str, guesses: Mapping[str, float] | None) -> float:
    return (guesses or {}).get(name, _DISPUTED if "disputed" in name.split(", ")[1] else _AGREED)


def _ratio(
    sizes: Mapping[str, int],
    groups: Mapping[str, Sequence[tuple[Rollout, bool]]],
    flags: Callable[[Rollout, bool], tuple[bool, bool]],
    level: float,
) -> WeightedRate:
    """Estimate Y/X by Horvitz-Thompson totals, with the linearised variance and Wilson's interval at that variance."""
    top = bottom = 0.0
    pairs: dict[str, list[tuple[bool, bool]]] = {}
    for name, group in groups.items():
        pairs[name] = [flags(r, right) for r, right in group]
        weight = sizes[name] / len(group)
        top += weight * sum(y for y, _ in pairs[name])
        bottom += weight * sum(x for _, x in pairs[name])
    labels = sum(x for mine in pairs.values() for _, x in mine)
    if bottom == 0:
        return WeightedRate(None, Interval(0.0, 1.0), 0, None)
    p = top / bottom
    variance = sum(_stratum_variance(mine, sizes[name], p) for name, mine in pairs.items()) / bottom**2
    simple = p * (1 - p) / labels
    if variance <= 1e-9 * simple:  # rounding leaves a little
        # No error seen, or nothing else within a stratum: Kish's effective size of the weighted labels.
        weights = [sizes[n] / len(mine) for n, mine in pairs.items() for _, x in mine if x]
        effective = sum(weights) ** 2 / sum(w * w for w in weights)
        return WeightedRate(p, wilson(p * effective, effective, level), labels, None)
    effective = p * (1 - p) / variance
    return WeightedRate(p, wilson(p * effective, effective, level), labels, variance / simple)


def _stratum_variance(pairs: Sequence[tuple[bool, bool]], size: int, p: float) -> float:
    n = len(pairs)
    if n < 2 or n >= size:
        return 0.0 if n >= size else float(size) ** 2
    residuals = [y - p * x for y, x in pairs]
    mean = sum(residuals) / n
    return size**2 * (1 - n / size) / n * sum((z - mean) ** 2 for z in residuals) / (n - 1)
