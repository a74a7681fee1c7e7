"""Power, performance, area: what a right design costs, against what the reference costs.

Without a cell library power is not known; Yosys gives cells, an estimate of CMOS transistors and the longest path in
cells. Ratios are reference over candidate, so that better is larger; a metric that is 0 on both sides is 1.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

METRICS = ("transistors", "levels")


def ratio(reference: float, candidate: float) -> float:
    """Return reference / candidate, with 0 / 0 = 1; one more unit on each side when only one is 0."""
    if reference == candidate:
        return 1.0
    if reference <= 0 or candidate <= 0:
        reference, candidate = reference + 1, candidate + 1
    return reference / candidate


def quality(reference: Mapping[str, float], candidate: Mapping[str, float], metrics: Sequence[str] = METRICS) -> float:
    """Return the geometric mean of min(1, reference / candidate) over the metrics: 1 for as good as the reference."""
    ratios = [min(1.0, ratio(reference[name], candidate[name])) for name in metrics]
    return math.prod(ratios) ** (1 / len(ratios))


def product(
    reference: Mapping[str, float],
    candidate: Mapping[str, float],
    metrics: Sequence[str] = METRICS,
    *,
    low: float = 0.1,
    high: float = 3.0,
) -> float:
    """Return the product of reference / candidate over the metrics, clipped: ChipSeek-R1's PPA term.

    clip((P_gold / P) (A_gold / A) (D_gold / D), 0.1, 3), arXiv 2507.04736.
    """
    return min(high, max(low, math.prod(ratio(reference[name], candidate[name]) for name in metrics)))
