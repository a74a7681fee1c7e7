"""Honest small statistics: intervals for rates, unbiased pass@k, bootstrap over tasks, paired comparisons.

Invariants:

* A rate never comes without its interval, and an interval never assumes that samples of one task are independent:
  the bootstrap resamples whole tasks (clusters).
* pass@k from fewer than k samples does not exist; asking for it is a `ConfigError`, not a plug-in guess.
* Everything random is seeded: the same input gives the same interval.

numpy only; the incomplete beta function that the exact intervals need is at the end of the file.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from assay.core.errors import ConfigError

FloatArray = NDArray[np.float64]

_CELLS = 4_000_000
"""Largest number of cells of a resampling matrix held at once (32 MB), so that memory stays flat in the tasks."""


class Interval(NamedTuple):
    """A closed interval."""

    low: float
    high: float


class Difference(NamedTuple):
    """An estimated difference with its interval."""

    estimate: float
    low: float
    high: float


# -- intervals for one rate ---------------------------------------------------------------------------------------


def wilson(successes: float, n: float, level: float = 0.95) -> Interval:
    """Return the Wilson score interval of a rate (Wilson 1927): the one to report.

    `(p + z²/2n ± z·sqrt(p(1-p)/n + z²/4n²)) / (1 + z²/n)`. With `n == 0` it is [0, 1]. Raises `ConfigError` for
    counts or levels that make no sense.

    >>> round(wilson(0, 50).high, 4)
    0.0713
    """
    _check_rate(successes, n, level)
    if n == 0:
        return Interval(0.0, 1.0)
    z, p = _z(level), successes / n
    centre, spread = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    # The ends are exactly 0 and 1 at the extremes; floating point would leave -1e-17.
    low = 0.0 if successes == 0 else (centre - spread) / scale
    high = 1.0 if successes == n else (centre + spread) / scale
    return Interval(low, high)


def clopper_pearson(successes: int, n: int, level: float = 0.95) -> Interval:
    """Return the exact interval of a rate (Clopper & Pearson 1934): never covers less than `level`; for gates.

    >>> [round(x, 4) for x in clopper_pearson(4, 20)]
    [0.0573, 0.4366]
    """
    _check_rate(successes, n, level)
    if n == 0:
        return Interval(0.0, 1.0)
    tail = (1 - level) / 2
    low = 0.0 if successes == 0 else beta_quantile(tail, successes, n - successes + 1)
    high = 1.0 if successes == n else beta_quantile(1 - tail, successes + 1, n - successes)
    return Interval(low, high)


def bounds_with_unscored(successes: float, scored: int, total: int) -> Interval:
    """Return what the rate would be if every unscored sample were wrong, and if every one were right.

    >>> bounds_with_unscored(6, 8, 10)
    Interval(low=0.6, high=0.8)
    """
    if not 0 <= successes <= scored <= total:
        raise ConfigError(f"counts must satisfy 0 <= successes <= scored <= total, not {successes}, {scored}, {total}")
    if total == 0:
        return Interval(0.0, 1.0)
    return Interval(successes / total, (successes + total - scored) / total)


# -- pass@k -------------------------------------------------------------------------------------------------------


def pass_at_k(n: ArrayLike, c: ArrayLike, k: int) -> FloatArray:
    """Return the unbiased estimate of pass@k for each task: `1 - C(n-c, k) / C(n, k)` (Chen et al. 2021).

    `n` samples of which `c` are correct, arrays of one shape or broadcastable. Raises `ConfigError` when any task
    has fewer than `k` samples.

    >>> float(pass_at_k(5, 2, 2))
    0.7
    """
    samples, correct = _check_counts(n, c, k, "pass@")
    wrong = samples - correct
    failing = np.ones(wrong.shape)
    for j in range(k):
        # The factor is 0 at j = wrong, so nothing after it can make the product negative.
        failing = failing * ((wrong - j) / (samples - j))
    return np.asarray(1.0 - failing, np.float64)


def pass_hat_k(n: ArrayLike, c: ArrayLike, k: int) -> FloatArray:
    """Return the unbiased estimate of pass^k, the chance that k samples are *all* right: `C(c, k) / C(n, k)`.

    Yao et al. 2024 (tau-bench). Arguments and errors as in `pass_at_k`.

    >>> round(float(pass_hat_k(5, 2, 2)), 6)
    0.1
    """
    samples, correct = _check_counts(n, c, k, "pass^")
    out = np.ones(correct.shape)
    for j in range(k):
        out = out * ((correct - j) / (samples - j))
    return np.asarray(out, np.float64)


# -- bootstrap over tasks -----------------------------------------------------------------------------------------


def bootstrap_interval(
    values: ArrayLike,
    *,
    clusters: Sequence[Any] | NDArray[Any] | None = None,
    level: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> Interval:
    """Return the percentile bootstrap interval of a mean, resampling whole clusters (Efron 1979; Field & Welsh 2007).

    `values` has one number for each sample, `clusters` names the task of each; without it every value is a cluster
    of its own (such as one pass@1 for each task). The statistic is the mean over all samples of the drawn clusters.
    """
    sums, counts = cluster_sums(values, clusters)
    low, high = bootstrap_means(sums[:, None], counts[:, None], level=level, resamples=resamples, seed=seed)
    return Interval(float(low[0]), float(high[0]))


def paired_difference(
    a: ArrayLike,
    b: ArrayLike,
    *,
    clusters: Sequence[Any] | NDArray[Any] | None = None,
    level: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> Difference:
    """Return mean(b - a) with its paired bootstrap interval: row i of both is the same task (or sample of a task)."""
    first, second = np.asarray(a, np.float64), np.asarray(b, np.float64)
    if first.shape != second.shape:
        raise ConfigError(f"a paired comparison needs as many values on both sides, not {first.size} and {second.size}")
    delta = second - first
    interval = bootstrap_interval(delta, clusters=clusters, level=level, resamples=resamples, seed=seed)
    return Difference(float(delta.mean()), *interval)


def cluster_sums(values: ArrayLike, clusters: Sequence[Any] | NDArray[Any] | None) -> tuple[FloatArray, FloatArray]:
    """Return the sum and the count of the values of each cluster, both of shape [clusters]."""
    flat = np.asarray(values, np.float64)
    if flat.ndim != 1 or not flat.size:
        raise ConfigError("a bootstrap needs a non-empty list of values")
    if clusters is None:
        return flat, np.ones_like(flat)
    if len(clusters) != flat.size:
        raise ConfigError(f"{flat.size} values but {len(clusters)} cluster names")
    _, index = np.unique(np.asarray(clusters), return_inverse=True)
    return np.bincount(index, weights=flat).astype(np.float64), np.bincount(index).astype(np.float64)


def bootstrap_means(
    sums: FloatArray, counts: FloatArray, *, level: float = 0.95, resamples: int = 2000, seed: int = 0
) -> tuple[FloatArray, FloatArray]:
    """Return low and high ends, each [M], for M ratio-of-sums statistics over the same T tasks in one pass.

    `sums` and `counts` are [T, M]; statistic m is `sum(sums[:, m]) / sum(counts[:, m])` over the drawn tasks. A task
    that has nothing to say about a statistic has count 0 there, so tables by tag need no resampling of their own.
    A statistic without any count has the interval (nan, nan).
    """
    _check_level(level)
    if resamples < 1:
        raise ConfigError(f"resamples must be at least 1, not {resamples}")
    draws = np.concatenate(
        [_ratios(weights @ sums, weights @ counts) for weights in _resampled(len(sums), resamples, seed)]
    )
    tail = (1 - level) / 2
    quantile = np.nanquantile if np.isnan(draws).any() else np.quantile
    empty = counts.sum(axis=0) == 0
    draws[:, empty] = 0.0  # nanquantile would warn about columns of nothing but nan
    low, high = quantile(draws, [tail, 1 - tail], axis=0)
    return np.where(empty, np.nan, low), np.where(empty, np.nan, high)


def _resampled(n: int, resamples: int, seed: int) -> Iterator[FloatArray]:
    """Yield blocks of resampling weights, [block, n]: how often each of n tasks was drawn with replacement."""
    rng = np.random.default_rng(seed)
    block = max(1, min(resamples, _CELLS // n))
    for start in range(0, resamples, block):
        rows = min(block, resamples - start)
        picks = rng.integers(n, size=(rows, n))
        picks += np.arange(rows)[:, None] * n
        yield np.bincount(picks.ravel(), minlength=rows * n).reshape(rows, n).astype(np.float64)


def _ratios(numerator: FloatArray, denominator: FloatArray) -> FloatArray:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(denominator > 0, numerator / denominator, np.nan)


# -- comparing two rates ------------------------------------------------------------------------------------------


def mcnemar(only_a: int, only_b: int) -> float:
    """Return the exact two-sided p-value of McNemar's test from the discordant pairs (McNemar 1947).

    `only_a` pairs are right in a alone, `only_b` in b alone; under the null each is a fair coin.

    >>> round(mcnemar(1, 7), 4)
    0.0703
    """
    if only_a < 0 or only_b < 0:
        raise ConfigError(f"counts are not negative: {only_a}, {only_b}")
    n, fewer = only_a + only_b, min(only_a, only_b)
    if n == 0:
        return 1.0
    # P(X <= m) of a Binomial(n, 1/2) is the incomplete beta I(n-m, m+1) at 1/2.
    return min(1.0, 2.0 * incomplete_beta(n - fewer, fewer + 1, 0.5))


def newcombe(successes_a: int, n_a: int, successes_b: int, n_b: int, level: float = 0.95) -> Difference:
    """Return rate_b - rate_a of two *independent* samples with the hybrid score interval (Newcombe 1998, method 10).

    >>> [round(x, 4) for x in newcombe(48, 80, 56, 70)]
    [0.2, 0.0524, 0.3339]
    """
    if n_a == 0 or n_b == 0:
        raise ConfigError("a difference of rates needs at least one sample on both sides")
    return _square_and_add(successes_b, n_b, successes_a, n_a, 0.0, level)


def newcombe_paired(both: int, only_a: int, only_b: int, neither: int, level: float = 0.95) -> Difference:
    """Return rate_b - rate_a over *pairs*, from the counts of the 2x2 table.

    The square-and-add interval with the correlation of the pairs, corrected for continuity (Newcombe 1998, paired
    differences, method 10). The example is the one of Fagerland, Lydersen & Laake 2014.

    >>> [round(x, 3) for x in newcombe_paired(1, 7, 1, 12)]
    [-0.286, -0.507, -0.026]
    """
    n = both + only_a + only_b + neither
    if min(both, only_a, only_b, neither) < 0 or n == 0:
        raise ConfigError("a paired comparison needs at least one pair, and counts that are not negative")
    a, b = both + only_a, both + only_b
    product = a * (n - a) * b * (n - b)
    covariance: float = both * neither - only_a * only_b
    if covariance > 0:
        covariance = max(covariance - n / 2, 0.0)
    correlation = 0.0 if product == 0 else covariance / math.sqrt(product)
    return _square_and_add(b, n, a, n, correlation, level)


def _square_and_add(k1: int, n1: int, k2: int, n2: int, correlation: float, level: float) -> Difference:
    p1, p2 = k1 / n1, k2 / n2
    (l1, u1), (l2, u2) = wilson(k1, n1, level), wilson(k2, n2, level)
    below = (p1 - l1) ** 2 - 2 * correlation * (p1 - l1) * (u2 - p2) + (u2 - p2) ** 2
    above = (u1 - p1) ** 2 - 2 * correlation * (u1 - p1) * (p2 - l2) + (p2 - l2) ** 2
    estimate = p1 - p2
    return Difference(estimate, estimate - math.sqrt(max(below, 0.0)), estimate + math.sqrt(max(above, 0.0)))


# -- the incomplete beta function ---------------------------------------------------------------------------------


def incomplete_beta(a: float, b: float, x: float) -> float:
    """Return the regularised incomplete beta function I_x(a, b), the CDF of Beta(a, b) at x.

    Continued fraction DLMF 8.17.22, evaluated by the modified Lentz method on the side where it converges fast.
    """
    if not (a > 0 and b > 0):
        raise ConfigError(f"the beta distribution needs positive parameters, not {a:g} and {b:g}")
    if x <= 0 or x >= 1:
        return 0.0 if x <= 0 else 1.0
    if x > (a + 1) / (a + b + 2):
        return 1.0 - incomplete_beta(b, a, 1.0 - x)
    log_front = a * math.log(x) + b * math.log1p(-x) + math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    tiny = 1e-300
    c, d = 1.0, 1.0 / _away_from_zero(1.0 - (a + b) * x / (a + 1), tiny)
    fraction = d
    for m in range(1, 10_000):
        for term in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1.0 / _away_from_zero(1.0 + term * d, tiny)
            c = _away_from_zero(1.0 + term / c, tiny)
            fraction *= c * d
        if abs(c * d - 1.0) < 1e-15:
            break
    return math.exp(log_front) * fraction / a


def beta_quantile(probability: float, a: float, b: float) -> float:
    """Return x with I_x(a, b) = probability, by bisection to the last bit that matters (absolute error < 1e-15)."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        if incomplete_beta(a, b, middle) < probability:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _away_from_zero(value: float, tiny: float) -> float:
    return value if abs(value) > tiny else tiny


# -- checks -------------------------------------------------------------------------------------------------------


def _z(level: float) -> float:
    return NormalDist().inv_cdf((1 + level) / 2)


def _check_level(level: float) -> None:
    if not 0 < level < 1:
        raise ConfigError(f"a confidence level lies between 0 and 1, not {level:g}")


def _check_rate(successes: float, n: float, level: float) -> None:
    _check_level(level)
    if not 0 <= successes <= n:
        raise ConfigError(f"{successes:g} successes of {n:g} samples is not a rate")


def _check_counts(n: ArrayLike, c: ArrayLike, k: int, name: str) -> tuple[FloatArray, FloatArray]:
    if k < 1:
        raise ConfigError(f"{name}{k}: k must be at least 1")
    samples, correct = np.broadcast_arrays(np.asarray(n, np.float64), np.asarray(c, np.float64))
    if samples.size and samples.min() < k:
        raise ConfigError(
            f"{name}{k} needs at least {k} samples of every task; one has {int(samples.min())}: "
            f"take more samples or a smaller k"
        )
    if (correct < 0).any() or (correct > samples).any():
        raise ConfigError(f"{name}{k}: the number of correct samples must lie between 0 and the number of samples")
    return samples, correct
