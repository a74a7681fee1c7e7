"""VectorIndex: dense retrieval with the user's encoder, by exact inner product over a memory-mapped matrix."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from assay.core.errors import ConfigError
from assay.envs.search.index import best, pick
from assay.envs.search.passages import Passage

Encoder = Callable[[list[str]], ArrayLike]
"""Texts -> one vector for each, [n, d]: any model, local or behind an API."""

_FILE = "vectors.npy"
_BATCH = 256


class VectorIndex:
    """Passages by the cosine between their vector and the query's; those at a right angle or beyond are not found."""

    def __init__(self, passages: Sequence[Passage], encode: Encoder, directory: str | Path | None = None) -> None:
        """`encode` gets `title: text` of the passages in batches; a `directory` keeps the vectors for `load`."""
        self.passages, self._encode = passages, encode
        self._vectors = np.zeros((0, 1), dtype=np.float32)
        for start in range(0, len(passages), _BATCH):
            batch = encode_texts(encode, [f"{p.title}: {p.text}" for p in passages[start : start + _BATCH]])
            if not start:
                self._vectors = _matrix((len(passages), batch.shape[1]), directory)
            elif batch.shape[1] != self._vectors.shape[1]:
                raise ConfigError("the encoder gives vectors of different lengths")
            self._vectors[start : start + len(batch)] = batch
        if isinstance(self._vectors, np.memmap):
            self._vectors.flush()

    def search(self, query: str, k: int) -> list[Passage]:
        """Return at most `k` passages."""
        vector = encode_texts(self._encode, [query])[0]
        if self.passages and len(vector) != self._vectors.shape[1]:
            raise ConfigError(f"the encoder gives {len(vector)} numbers, and the index has {self._vectors.shape[1]}")
        return pick(self.passages, best(self._vectors @ vector, k)) if self.passages else []

    @classmethod
    def load(cls, directory: str | Path, passages: Sequence[Passage], encode: Encoder) -> VectorIndex:
        """Map vectors that were kept in a directory into memory; the encoder must be the one that made them."""
        index = cls.__new__(cls)
        index.passages, index._encode = passages, encode
        index._vectors = np.load(Path(directory, _FILE), mmap_mode="r")
        return index


def _matrix(shape: tuple[int, int], directory: str | Path | None) -> NDArray[np.float32]:
    """Return an array to fill: in memory, or in the file that `load` maps."""
    if directory is None:
        return np.empty(shape, dtype=np.float32)
    return np.lib.format.open_memmap(Path(directory, _FILE), mode="w+", dtype=np.float32, shape=shape)


def encode_texts(encode: Encoder, texts: list[str]) -> NDArray[np.float32]:
    """Return vectors of length 1 [n, d]; a text that the encoder gives all zeros stays at zero."""
    vectors = np.asarray(encode(texts), dtype=np.float32)
    if vectors.ndim != 2 or len(vectors) != len(texts) or not np.isfinite(vectors).all():
        raise ConfigError(f"the encoder must return {len(texts)} finite vectors, not an array of {vectors.shape}")
    lengths = np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    unit: NDArray[np.float32] = (vectors / lengths).astype(np.float32)
    return unit
