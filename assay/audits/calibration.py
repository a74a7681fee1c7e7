"""Calibration of scores, for judges and process reward models: do they rank, and do they mean what they say?

AUROC (with ties at one half), average precision, ECE over bins of equal mass, the Brier score and a reliability table;
and the smallest threshold whose false-positive rate is shown to stay below a target. Scores are read as probabilities
of *correct* where they lie in [0, 1]; ECE and Brier exist for those only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from assay.audits.case import Trial
from assay.core.errors import ConfigError
from assay.core.stats import Interval, clopper_pearson, wilson

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Bin:
    """Scores of one bin of the reliability table."""

    low: float
    high: float
    n: int
    mean_score: float
    accuracy: float
    interval: Interval
    """Wilson interval of the accuracy."""

    def to_json(self) -> dict[str, Any]:
        """Return plain data."""
        return {name: getattr(self, name) for name in self.__slots__} | {"interval": list(self.interval)}


@dataclass(frozen=True, slots=True)
class Threshold:
    """A threshold, and what it does: a score at or above it counts as *correct*."""

    target: float
    """The false-positive rate that it keeps."""

    threshold: float
    fp_rate: float
    fp_upper: float
    """Upper end of the one-sided exact interval."""
    tp_rate: float

    def to_json(self) -> dict[str, Any]:
        """Return plain data."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Calibration:
    """How well scores rank and what they mean."""

    n: int
    positives: int
    auroc: float | None
    """P(score of a right answer > score of a wrong one), ties one half; None when one kind is missing."""
    auroc_interval: Interval | None
    average_precision: float | None
    ece: float | None
    brier: float | None
    bins: tuple[Bin, ...]
    threshold: Threshold | None = None
    """The smallest threshold that keeps the target rate of false positives; None when none is shown to."""

    def to_json(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "threshold": None if self.threshold is None else self.threshold.to_json(),
            "n": self.n,
            "positives": self.positives,
            "auroc": self.auroc,
            "auroc_interval": None if self.auroc_interval is None else list(self.auroc_interval),
            "average_precision": self.average_precision,
            "ece": self.ece,
            "brier": self.brier,
            "bins": [b.to_json() for b in self.bins],
        }


def calibrate(scores: ArrayLike, labels: ArrayLike, *, bins: int = 10, level: float = 0.95) -> Calibration:
    """Measure scores, shape [n], against labels (0/1 or bool), shape [n].

    The AUROC interval is that of Hanley & McNeil (1982) on the logit scale.
    """
    s, y = _checked(scores, labels)
    probabilities = bool(((s >= 0) & (s <= 1)).all())
    area = auroc(s, y)
    table = reliability(s, y, bins=bins, level=level) if probabilities else ()
    return Calibration(
        n=len(s),
        positives=int(y.sum()),
        auroc=area,
        auroc_interval=None if area is None else _auroc_interval(area, int(y.sum()), int((~y).sum()), level),
        average_precision=average_precision(s, y) if y.any() else None,
        ece=sum(b.n / len(s) * abs(b.mean_score - b.accuracy) for b in table) if probabilities else None,
        brier=float(((s - y) ** 2).mean()) if probabilities else None,
        bins=table,
    )


def calibrate_trials(
    trials: Sequence[Trial], *, bins: int = 10, level: float = 0.95, target_fp: float = 0.01
) -> Calibration | None:
    """Measure the scores of labelled trials; those without a verdict are left out.

    None for a verifier that only says yes or no (two different scores at most): its error rates say it all.
    """
    usable = [t for t in trials if t.case.correct is not None and t.verdict.score is not None]
    scores = np.array([t.verdict.score for t in usable], np.float64)
    if len(np.unique(scores)) <= 2:
        return None
    labels = [bool(t.case.correct) for t in usable]
    threshold = None if all(labels) else threshold_at_fp(scores, labels, target_fp, level=level)
    return replace(calibrate(scores, labels, bins=bins, level=level), threshold=threshold)


def auroc(scores: ArrayLike, labels: ArrayLike) -> float | None:
    """Return the area under the ROC curve as the Mann-Whitney statistic, from mid-ranks; None without both kinds.

    >>> auroc([0.9, 0.8, 0.3, 0.3], [1, 0, 1, 0])
    0.625
    """
    s, y = _checked(scores, labels)
    positives, negatives = int(y.sum()), int((~y).sum())
    if positives == 0 or negatives == 0:
        return None
    _, inverse, counts = np.unique(s, return_inverse=True, return_counts=True)
    mid_ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    return float((mid_ranks[y].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def average_precision(scores: ArrayLike, labels: ArrayLike) -> float:
    """Return the mean precision at each recall step; tied scores are one step, so order within ties is nothing."""
    s, y = _checked(scores, labels)
    order = np.argsort(-s, kind="stable")
    s, y = s[order], y[order]
    last = np.append(np.diff(s) != 0, True)
    hits = np.cumsum(y)[last]
    taken = np.flatnonzero(last) + 1
    gained = np.diff(hits, prepend=0)
    return float((hits / taken * gained).sum() / hits[-1])


def reliability(scores: ArrayLike, labels: ArrayLike, *, bins: int = 10, level: float = 0.95) -> tuple[Bin, ...]:
    """Return the reliability table over bins of (nearly) equal mass; equal scores never fall into two bins."""
    if bins < 1:
        raise ConfigError(f"at least one bin is needed, not {bins}")
    s, y = _checked(scores, labels)
    order = np.argsort(s, kind="stable")
    s, y = s[order], y[order]
    wanted = np.linspace(0, len(s), min(bins, len(s)) + 1).round().astype(int)[1:-1]
    # Move each cut to the start of the run of equal scores that it would split.
    cuts = np.unique(np.concatenate([[0], np.searchsorted(s, s[wanted], side="left"), [len(s)]]))
    table = []
    for start, end in pairwise(cuts):
        part, right = s[start:end], y[start:end]
        table.append(
            Bin(
                low=float(part[0]),
                high=float(part[-1]),
                n=len(part),
                mean_score=float(part.mean()),
                accuracy=float(right.mean()),
                interval=wilson(int(right.sum()), len(right), level),
            )
        )
    return tuple(table)


def threshold_at_fp(scores: ArrayLike, labels: ArrayLike, target: float, *, level: float = 0.95) -> Threshold | None:
    """Return the smallest threshold whose false-positive rate is at most `target` at the given confidence.

    The rate is bounded by a one-sided exact interval. Trying every score as a threshold costs no confidence: the count
    of accepted wrong answers grows as the threshold falls, so a threshold beyond the true boundary can only pass if
    the boundary itself would, which happens with probability `1 - level` at most. None when not even the largest score
    passes: `log(1-level)/log(1-target)` wrong answers are needed at the least.
    """
    if not 0 < target < 1:
        raise ConfigError(f"a target rate lies between 0 and 1, not {target:g}")
    s, y = _checked(scores, labels)
    negatives, positives = np.sort(s[~y]), s[y]
    best: Threshold | None = None
    for candidate in np.unique(s)[::-1]:
        accepted = len(negatives) - int(np.searchsorted(negatives, candidate, side="left"))
        upper = clopper_pearson(accepted, len(negatives), 2 * level - 1).high
        if upper > target:
            break
        best = Threshold(
            target=target,
            threshold=float(candidate),
            fp_rate=accepted / len(negatives),
            fp_upper=upper,
            tp_rate=float((positives >= candidate).mean()) if len(positives) else 0.0,
        )
    return best


def _auroc_interval(area: float, positives: int, negatives: int, level: float) -> Interval:
    q1, q2 = area / (2 - area), 2 * area**2 / (1 + area)
    variance = area * (1 - area) + (positives - 1) * (q1 - area**2) + (negatives - 1) * (q2 - area**2)
    error = float(np.sqrt(max(variance, 0.0) / (positives * negatives)))
    if area in (0.0, 1.0) or error == 0.0:
        # No spread to see: what a rate over the smaller class would say.
        n = min(positives, negatives)
        return wilson(area * n, n, level)
    z = NormalDist().inv_cdf((1 + level) / 2)
    centre, spread = float(np.log(area / (1 - area))), z * error / (area * (1 - area))
    return Interval(float(1 / (1 + np.exp(spread - centre))), float(1 / (1 + np.exp(-spread - centre))))


def _checked(scores: ArrayLike, labels: ArrayLike) -> tuple[Floats, Bools]:
    s, y = np.asarray(scores, np.float64), np.asarray(labels)
    if s.ndim != 1 or s.shape != y.shape or not s.size:
        raise ConfigError(f"scores and labels must be two lists of one length, not {s.shape} and {y.shape}")
    if not np.isfinite(s).all():
        raise ConfigError("a score is not finite")
    if not np.isin(y, (0, 1)).all():
        raise ConfigError("labels are 0 or 1")
    return s, y.astype(np.bool_)
