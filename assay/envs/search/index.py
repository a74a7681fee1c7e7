"""What finds passages: one protocol for indexes in this process, on the disk, and on a server."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from assay.envs.search.passages import Passage


class Index(Protocol):
    """`Bm25Index`, `TantivyIndex`, `VectorIndex`, `OpenSearchIndex`, `QdrantIndex`, or a user's own.

    Safe to share between threads; the same query finds the same passages in the same order.
    """

    def search(self, query: str, k: int) -> list[Passage]:
        """Return at most `k` passages, the best first; none that has nothing to do with the query."""
        ...


def best(scores: NDArray[np.float32], k: int) -> list[int]:
    """Return the places of the `k` largest scores above 0, the largest first; equal ones by place."""
    places = np.arange(len(scores))
    if k < len(scores):
        # All that tie with the k-th best stay, so that position and not chance decides between them.
        places = np.flatnonzero(scores >= np.partition(scores, len(scores) - k)[len(scores) - k])
    ranked = places[np.argsort(-scores[places], kind="stable")][:k]
    return [place for place in ranked.tolist() if scores[place] > 0]


def pick(passages: Sequence[Passage], places: Sequence[int]) -> list[Passage]:
    """Return the passages at these places."""
    return [passages[place] for place in places]
