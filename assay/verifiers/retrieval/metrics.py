"""Rank metrics over identifiers. Repeats in a ranking are dropped first: an item counts where it first appears."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence


def unique(ranking: Sequence[str]) -> list[str]:
    """Drop repeats, keeping the first of each."""
    return list(dict.fromkeys(ranking))


def ndcg(ranking: Sequence[str], relevance: Mapping[str, float] | Collection[str], k: int | None = None) -> float:
    """Return the normalised discounted cumulative gain at k, in [0, 1].

    Gain 2^rel − 1, discount log2(rank + 1), ideal over all relevant items: [x, a, b] for {a, b} gives 0.6934.
    Without repeats counted twice it never exceeds 1.
    """
    grades = dict(relevance) if isinstance(relevance, Mapping) else dict.fromkeys(relevance, 1.0)
    ideal = _dcg(sorted(grades.values(), reverse=True)[:k])
    return _dcg([grades.get(item, 0.0) for item in unique(ranking)[:k]]) / ideal if ideal else 0.0


def _dcg(grades: Sequence[float]) -> float:
    return math.fsum((2**grade - 1) / math.log2(rank + 1) for rank, grade in enumerate(grades, 1))


def reciprocal_rank(ranking: Sequence[str], relevant: Collection[str]) -> float:
    """Return 1 / rank of the first relevant item, 0 when there is none."""
    return next((1 / rank for rank, item in enumerate(unique(ranking), 1) if item in relevant), 0.0)


def precision_recall_f1(found: Collection[str], relevant: Collection[str]) -> tuple[float, float, float]:
    """Return precision, recall and F1 of two sets; 0 where a ratio is undefined."""
    hits = len(set(found) & set(relevant))
    precision = hits / len(set(found)) if found else 0.0
    recall = hits / len(set(relevant)) if relevant else 0.0
    return precision, recall, 2 * precision * recall / (precision + recall) if hits else 0.0


def pair_agreement(ranking: Sequence[str], gold: Sequence[str]) -> float:
    """Return the share of gold pairs that the ranking has in the same order; a pair with a missing item is wrong.

    For complete rankings this is (Kendall's tau + 1) / 2.
    """
    place = {item: i for i, item in enumerate(unique(ranking))}
    order = unique(gold)
    pairs = [(a, b) for i, a in enumerate(order) for b in order[i + 1 :]]
    kept = sum(a in place and b in place and place[a] < place[b] for a, b in pairs)
    return kept / len(pairs) if pairs else float(unique(ranking) == order)
