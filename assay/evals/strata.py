"""Which tasks belong to which tag and to which difficulty, as masks over the tasks."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from assay.evals.outcomes import FloatArray, Outcomes

BINS = 5
"""Bins of about equal size, for difficulties that take more than `MAX_LEVELS` different values."""
MAX_LEVELS = 12


def by_tag(outcomes: Outcomes) -> dict[str, FloatArray]:
    """Return a mask [T] of 0 and 1 for each tag, by name. A task may have several tags."""
    masks: dict[str, FloatArray] = {}
    for index, group in enumerate(outcomes.samples):
        for tag in group[0].tags:
            masks.setdefault(tag, np.zeros(len(outcomes)))[index] = 1.0
    return dict(sorted(masks.items()))


def by_difficulty(outcomes: Outcomes) -> dict[str, FloatArray]:
    """Return a mask [T] for each difficulty, easiest first; for a continuous difficulty one for each of five bins."""
    values = np.array([np.nan if (d := group[0].difficulty) is None else d for group in outcomes.samples])
    levels = np.unique(values[np.isfinite(values)])
    if len(levels) <= MAX_LEVELS:
        return {f"{level:g}": (values == level).astype(np.float64) for level in levels}
    edges = np.unique(np.quantile(values[np.isfinite(values)], np.linspace(0, 1, BINS + 1)))
    # Every bin holds its lower edge; the last one its upper edge too.
    bins = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, len(edges) - 2)
    bins[np.isnan(values)] = -1
    return {
        f"{low:.3g} to {high:.3g}": (bins == number).astype(np.float64)
        for number, (low, high) in enumerate(pairwise(edges))
    }
