"""An error rate with everything that an honest report needs: counts, three intervals, and bounds.

Three intervals because they answer three questions: Wilson (the one to read), Clopper-Pearson (never too narrow, for
gates), and one that allows for clusters, since rows of one problem share its difficulties. `Rate.interval` is the last
where there are clusters and Wilson where every row stands alone.

Cases without a verdict are not in the rate. `bounds` says what it would be if all of them were errors or none.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

from assay.core.stats import Interval, bootstrap_interval, bounds_with_unscored, clopper_pearson, wilson


@dataclass(frozen=True, slots=True)
class Rate:
    """`events` of `n` cases with a verdict."""

    events: int
    n: int
    unscored: int
    """Cases of the same kind without a verdict."""
    clusters: int
    interval: Interval
    """The interval to report: `clustered` where cases share clusters, else `wilson`."""
    wilson: Interval
    exact: Interval
    """Clopper-Pearson."""
    clustered: Interval
    bootstrap: Interval | None
    """Percentile bootstrap over clusters; None with fewer than 10 clusters or without any event."""
    bounds: Interval

    @property
    def value(self) -> float | None:
        """The rate; None when no case has a verdict."""
        return self.events / self.n if self.n else None

    def to_json(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "events": self.events,
            "n": self.n,
            "unscored": self.unscored,
            "clusters": self.clusters,
            "rate": self.value,
            "interval": list(self.interval),
            "wilson": list(self.wilson),
            "clopper_pearson": list(self.exact),
            "clustered": list(self.clustered),
            "bootstrap": None if self.bootstrap is None else list(self.bootstrap),
            "bounds": list(self.bounds),
        }


def rate(
    events: Sequence[bool], clusters: Sequence[str], *, unscored: int = 0, level: float = 0.95, seed: int = 0
) -> Rate:
    """Estimate a rate from one flag and one cluster name for each case that has a verdict."""
    k, n = sum(events), len(events)
    names = len(set(clusters))
    clustered = cluster_wilson(events, clusters, level)
    return Rate(
        events=k,
        n=n,
        unscored=unscored,
        clusters=names,
        interval=clustered if names < n else wilson(k, n, level),
        wilson=wilson(k, n, level),
        exact=clopper_pearson(k, n, level),
        clustered=clustered,
        bootstrap=(
            bootstrap_interval([float(e) for e in events], clusters=clusters, level=level, seed=seed)
            if names >= 10 and 0 < k < n
            else None
        ),
        bounds=bounds_with_unscored(k, n, n + unscored),
    )


def cluster_wilson(events: Sequence[bool], clusters: Sequence[str], level: float = 0.95) -> Interval:
    """Return the Wilson interval at the effective sample size (Dean & Pagano 2015; Korn & Graubard 1998).

    The variance of the rate is that of a ratio over clusters, `m/(m-1) Σ (k_c - p n_c)² / n²` for m clusters; the
    effective size is `p(1-p)/variance`, times `(z/t)²` with t of m - 1 degrees of freedom. It is at most n. Without
    any event, or with nothing else, the variance says nothing, and the number of clusters is the effective size.
    """
    n, k = len(events), sum(events)
    if n == 0:
        return Interval(0.0, 1.0)
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for event, cluster in zip(events, clusters, strict=True):
        counts[cluster][0] += event
        counts[cluster][1] += 1
    m = len(counts)
    if m == n:
        return wilson(k, n, level)
    p = k / n
    if k in (0, n) or m < 2:
        return wilson(p * m, m, level)
    variance = m / (m - 1) * sum((hits - p * size) ** 2 for hits, size in counts.values()) / n**2
    effective = min(float(n), p * (1 - p) / variance) if variance > 0 else float(m)
    effective *= _z_over_t(level, m - 1) ** 2
    return wilson(p * effective, effective, level)


def _z_over_t(level: float, df: int) -> float:
    """Return the ratio of the normal to the Student quantile: Cornish-Fisher to 1/df² (Abramowitz & Stegun 26.7.5)."""
    z = NormalDist().inv_cdf((1 + level) / 2)
    t = z + (z**3 + z) / (4 * df) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * df**2)
    return z / t
