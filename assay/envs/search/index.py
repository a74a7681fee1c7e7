"""Passages and a BM25 index over them, in memory, in numpy.

The score of every (word, passage) pair is computed when the index is built (eager scoring, as in BM25S, arXiv
2407.03618), so a query only adds up a few sorted lists. Deterministic: equal scores are ranked by position. Safe to
share between threads, since a query changes nothing.
"""

from __future__ import annotations

import re
from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of text that can be found and cited."""

    id: str
    title: str
    text: str

    def render(self) -> str:
        """Return the passage as the agent sees it."""
        return f"[{self.id}] {self.title}: {self.text}"


class Index(Protocol):
    """What finds passages: the index below, or an adapter of a user's engine."""

    def search(self, query: str, k: int) -> list[Passage]:
        """Return at most `k` passages, the best first; none that has nothing to do with the query."""
        ...


class Bm25Index:
    """BM25 with Lucene's idf: sum over words of log(1 + (N - n + .5)/(n + .5)) * f / (f + k1 (1 - b + b len/avg))."""

    def __init__(self, passages: Sequence[Passage], *, k1: float = 1.2, b: float = 0.75) -> None:
        self.passages = tuple(passages)
        places: dict[str, array[int]] = {}
        counts: dict[str, array[int]] = {}
        lengths = np.zeros(len(self.passages))
        for i, passage in enumerate(self.passages):
            words = words_of(f"{passage.title} {passage.text}")
            lengths[i] = len(words)
            for word, count in Counter(words).items():
                places.setdefault(word, array("i")).append(i)
                counts.setdefault(word, array("i")).append(count)
        norms = k1 * (1 - b + b * lengths / max(lengths.mean(), 1.0)) if len(lengths) else lengths
        self._postings: dict[str, tuple[NDArray[np.int32], NDArray[np.float32]]] = {}
        for word, where in places.items():
            at = np.frombuffer(where, dtype=np.int32)
            frequency = np.frombuffer(counts[word], dtype=np.int32)
            idf = np.log1p((len(lengths) - len(at) + 0.5) / (len(at) + 0.5))
            self._postings[word] = at, (idf * frequency / (frequency + norms[at])).astype(np.float32)

    def search(self, query: str, k: int) -> list[Passage]:
        """Return at most `k` passages that share a word with the query."""
        scores = np.zeros(len(self.passages), dtype=np.float32)
        for word in set(words_of(query)) & self._postings.keys():
            at, score = self._postings[word]
            scores[at] += score
        best = np.arange(len(scores))
        if k < len(scores):
            # All that tie with the k-th best stay, so that position and not chance decides between them.
            best = np.flatnonzero(scores >= np.partition(scores, len(scores) - k)[len(scores) - k])
        ranked = best[np.argsort(-scores[best], kind="stable")][:k]
        return [self.passages[i] for i in ranked.tolist() if scores[i] > 0]


def words_of(text: str) -> list[str]:
    """Return the words of a text, without case."""
    return _WORD.findall(text.casefold())
