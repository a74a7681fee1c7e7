"""One score from the scores of the steps.

`min` is the default: a solution is as good as its worst step, and padding with easy steps changes nothing. Models
trained on Monte-Carlo labels (the chance to finish right from here) are read by `last`. Scores are in [0, 1].
[.9, .8, .5] gives min .5, last .5, mean .7333, product .36, geometric mean .7114, mean logit .7675.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Literal

from assay.core.errors import ConfigError

Aggregator = Literal["min", "last", "mean", "product", "max", "geometric_mean", "mean_logit"]

_EPSILON = 1e-6


def _mean(scores: Sequence[float]) -> float:
    return math.fsum(scores) / len(scores)


def _logit(score: float) -> float:
    clipped = min(max(score, _EPSILON), 1 - _EPSILON)
    return math.log(clipped / (1 - clipped))


AGGREGATORS: dict[str, Callable[[Sequence[float]], float]] = {
    "min": min,
    "last": lambda scores: scores[-1],
    "mean": _mean,
    "product": math.prod,
    "max": max,
    "geometric_mean": lambda scores: math.prod(scores) ** (1 / len(scores)),
    "mean_logit": lambda scores: 1 / (1 + math.exp(-_mean([_logit(score) for score in scores]))),
}


def check_aggregator(name: str) -> str:
    """Return the name, or raise a `ConfigError` that lists the known ones."""
    if name not in AGGREGATORS:
        raise ConfigError(f"unknown aggregator {name!r}; use one of {', '.join(AGGREGATORS)}")
    return name


def aggregate_steps(scores: Sequence[float], how: Aggregator | str = "min") -> float:
    """Combine step scores. ValueError when there are none, or one is outside [0, 1]."""
    if not scores:
        raise ValueError("no steps to aggregate")
    for score in scores:
        if isinstance(score, bool) or not (math.isfinite(score) and 0 <= score <= 1):
            raise ValueError(f"a step score must be in [0, 1], not {score!r}")
    return float(AGGREGATORS[check_aggregator(how)](scores))
