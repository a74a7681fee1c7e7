"""Bm25Index: BM25 with Lucene's idf, by bm25s (arXiv 2407.03618), in numpy and without a service.

The score of every (word, passage) pair is computed when the index is built, so a query only adds up a few columns of a
sparse matrix, which can be memory-mapped. Deterministic: equal scores are ranked by position.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from assay.core.errors import ConfigError
from assay.envs.search.index import best, pick
from assay.envs.search.passages import Passage, words_of, words_of_passage


class Bm25Index:
    """Sum over the words of a query of log(1 + (N - n + .5)/(n + .5)) * f / (f + k1 (1 - b + b len/avg))."""

    def __init__(self, passages: Sequence[Passage], *, k1: float = 1.2, b: float = 0.75) -> None:
        self.passages = passages
        vocabulary: dict[str, int] = {}
        words = [
            array("i", [vocabulary.setdefault(word, len(vocabulary)) for word in words_of_passage(passage)])
            for passage in passages
        ]
        self._model = _bm25s().BM25(k1=k1, b=b, auto_compile=False)
        if vocabulary:
            self._model.index((words, vocabulary), create_empty_token=False, show_progress=False)
        self._vocabulary = vocabulary

    def search(self, query: str, k: int) -> list[Passage]:
        """Return at most `k` passages that share a word with the query."""
        known = [self._vocabulary[word] for word in dict.fromkeys(words_of(query)) if word in self._vocabulary]
        return pick(self.passages, best(self._model.get_scores_from_ids(known), k)) if known else []

    def save(self, directory: str | Path) -> None:
        """Write the index without its passages."""
        self._model.save(directory, show_progress=False)

    @classmethod
    def load(cls, directory: str | Path, passages: Sequence[Passage]) -> Bm25Index:
        """Map an index that `save` wrote into memory; processes that do so share it."""
        index = cls.__new__(cls)
        index.passages = passages
        index._model = _bm25s().BM25.load(directory, mmap=True, show_progress=False, auto_compile=False)
        index._vocabulary = index._model.vocab_dict
        return index


def _bm25s() -> Any:
    try:
        import bm25s
    except ImportError:
        raise ConfigError("searching needs bm25s: pip install 'assay-rl[search]'") from None
    return bm25s
