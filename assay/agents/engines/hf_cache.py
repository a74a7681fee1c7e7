"""A key-value cache with one row for each sequence, for `HFEngine`. Imports torch; only `hf.py` imports it.

A sequence owns a row; the key of its token at position p lies in column p. Attention over adjacent rows reads a view
of them, over others a copy. The cache grows by doubling, in rows and in columns, up to what the engine asks for.

Invariants:

* Only columns up to a token's own position are visible to it (`mask`), so what an earlier owner left behind in a
  row can never be read. It must be finite, though (0 · NaN is NaN): buffers start as zeros, and `clear` drops them.
* The last column is a dustbin: the keys of left-padding go there, and no view contains it.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from transformers import Cache

_SKEW = 8
"""Rows a power of two apart fall into the same sets of a processor's cache: attention was half as fast."""


class SlotCache(Cache):  # the base class's layers are not used: every method that models call is overridden
    """Keys and values by (row, head, column), each layer a pair of tensors [rows, heads, columns, head size]."""

    def __init__(self, dtype: torch.dtype | None = None) -> None:
        self._dtype = dtype
        self._size = (8, 64 + _SKEW)
        self._layers: list[tuple[torch.Tensor, torch.Tensor]] = []
        self._length = 0
        self._rows = self._columns = torch.empty(0, dtype=torch.long)
        self._read: slice | torch.Tensor = slice(0)

    def reserve(self, rows: int, columns: int) -> None:
        """Make room for this many rows and columns, keeping what is there."""
        old_rows, old_columns = self._size
        size = (_grown(old_rows, rows), _grown(old_columns - _SKEW, columns + 1) + _SKEW)
        if size == self._size:
            return
        self._size = size
        self._layers = [(self._enlarged(keys), self._enlarged(values)) for keys, values in self._layers]

    def begin(self, slots: Sequence[int], positions: torch.Tensor, length: int) -> torch.Tensor:
        """Set up one forward pass over these rows, and return its positions without the padding.

        `positions` [rows, queries] are the tokens' positions, -1 for padding; `length` bounds them all.
        """
        first, last = min(slots), max(slots)
        rows = torch.tensor(slots, device=positions.device)
        adjacent = list(slots) == list(range(first, last + 1))
        self._read = slice(first, last + 1) if adjacent else rows
        self._rows, self._length = rows[:, None], length
        self._columns = torch.where(positions < 0, self._size[1] - 1, positions)
        return positions.clamp(min=0)

    def mask(self, positions: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
        """Return the additive mask [rows, 1, queries, length] that lets a token see itself and what is before it."""
        columns = torch.arange(self._length, device=positions.device)
        hidden = columns > positions[:, None, :, None]
        return torch.zeros(hidden.shape, dtype=dtype, device=positions.device).masked_fill_(
            hidden, torch.finfo(dtype).min
        )

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, layer_idx: int, *args: object, **kwargs: object
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Store new keys and values [rows, heads, queries, head size]; return all that the rows hold so far."""
        while len(self._layers) <= layer_idx:
            self._layers.append((self._new(key_states), self._new(value_states)))
        out = []
        for buffer, states in zip(self._layers[layer_idx], (key_states, value_states), strict=True):
            buffer[self._rows, :, self._columns] = states.transpose(1, 2).to(buffer.dtype)
            out.append(buffer[self._read, :, : self._length])
        return out[0], out[1]

    def copy_rows(self, copies: Sequence[tuple[int, int, int]]) -> None:
        """Copy rows (source, target, number of columns) all at once, so that a permutation is fine."""
        if not copies or not self._layers:
            return
        self.reserve(1 + max(target for _, target, _ in copies), 0)
        pairs = torch.tensor(copies, device=self._layers[0][0].device)
        length = int(pairs[:, 2].max())
        for layer in self._layers:
            for buffer in layer:
                heads = buffer.shape[1]
                # One index over rows and heads: with two dimensions to step over, copying is half as fast.
                flat = buffer.view(-1, *buffer.shape[2:])[:, :length]
                both = (pairs[:, :2, None] * heads + torch.arange(heads, device=pairs.device)).transpose(0, 1)
                sources, targets = both.reshape(2, -1)
                flat.index_copy_(0, targets, flat.index_select(0, sources))

    def clear(self) -> None:
        """Drop everything and free the memory."""
        self._layers = []

    def get_seq_length(self, layer_idx: int = 0) -> int:
        """Return the number of columns in use, for models that ask although they were given positions."""
        return self._length

    def _new(self, states: torch.Tensor) -> torch.Tensor:
        _, heads, _, head_size = states.shape
        rows, columns = self._size
        dtype = self._dtype or states.dtype
        return torch.zeros(rows, heads, columns, head_size, dtype=dtype, device=states.device)

    def _enlarged(self, old: torch.Tensor) -> torch.Tensor:
        new = self._new(old)
        new[: old.shape[0], :, : old.shape[2]] = old
        return new


def _grown(size: int, needed: int) -> int:
    while size < needed:
        size *= 2
    return size
