"""What samples begin with in common, computed once: the row of a `shared` pass (`packing.py`).

The samples of a group have their prompt in common, and often the beginning of what was sampled. A causal model's state
of a token depends on the tokens up to it and on nothing else, so one is enough for all samples that begin alike, and
the gradients of all of them meet in it. Only attention has to see whole samples: `Rows` tells it where they are.

Invariant: samples stand in the order of their tokens, as words in a dictionary. So none before it has more in common
with a sample than the one just before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from assay.core.trajectory import Sample

ATTENTION_TOKENS = 4
"""Tokens of attention's rows in a pass, for each one of the budget: they have queries, keys and values only."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Where the samples of a shared pass are in its row of L tokens: what its attention has to know."""

    blocks: tuple[Tensor, ...]
    """Each [B, S] int64: a sample a row, the places of its tokens in their order, 0 where padded on the right."""
    owners: Tensor
    """[L] int64: for each token, one place in the blocks laid end to end that is its own."""

    def to(self, device: torch.device | str) -> Rows:
        """Return the same on `device`."""
        blocks = tuple(block.to(device, non_blocking=True) for block in self.blocks)
        return Rows(blocks, self.owners.to(device, non_blocking=True))


def in_order(samples: Sequence[Sample]) -> list[int]:
    """Return the samples' indices in the order of their tokens."""
    keys = [sample.token_ids.astype(">i8").tobytes() for sample in samples]  # compare as the numbers do
    return sorted(range(len(samples)), key=keys.__getitem__)


def common_prefixes(ordered: Sequence[Sample]) -> list[int]:
    """Return how many first tokens each of these samples, in the order of their tokens, shares with the one before."""
    common = [0] * min(1, len(ordered))
    for before, sample in pairwise(ordered):
        length = min(len(before), len(sample))
        differs = before.token_ids[:length] != sample.token_ids[:length]
        common.append(int(differs.argmax()) if differs.any() else length)
    return common


def distinct_tokens(samples: Sequence[Sample]) -> int:
    """Return how many tokens a model must compute at least: those that samples begin with in common count once."""
    ordered = [samples[number] for number in in_order(samples)]
    return sum(map(len, ordered)) - sum(common_prefixes(ordered))


def neighbours(samples: Sequence[Sample], budget: int) -> list[list[int]]:
    """Return runs of the samples in order, each within the budget in tokens of the row and in tokens of attention."""
    order = in_order(samples)
    plan: list[list[int]] = []
    computed = attended = 0
    for number, shared in zip(order, common_prefixes([samples[n] for n in order]), strict=True):
        length = len(samples[number])
        attended += length
        computed += length - shared
        if not plan or computed > budget or attended > ATTENTION_TOKENS * budget:
            plan.append([])
            computed = attended = length
        plan[-1].append(number)
    return plan


def shared_places(ordered: Sequence[Sample]) -> list[NDArray[np.int64]]:
    """Return where in the row each token of each sample is. The row's tokens come in the order of their first use."""
    places: list[NDArray[np.int64]] = []
    used = 0
    for sample, shared in zip(ordered, common_prefixes(ordered), strict=True):
        new = np.arange(used, used + len(sample) - shared)
        places.append(np.concatenate([places[-1][:shared], new]) if shared else new)
        used += len(new)
    return places


def attention_rows(places: Sequence[NDArray[np.int64]], plan: Sequence[Sequence[int]]) -> Rows:
    """Return the rows of samples at these places; `plan` says which of them share a block."""
    owners = np.zeros(1 + max(int(place[-1]) for place in places), np.int64)
    blocks: list[Tensor] = []
    offset = 0
    for members in plan:
        block = np.zeros((len(members), max(len(places[number]) for number in members)), np.int64)
        for row, number in enumerate(members):
            size = len(places[number])
            block[row, :size] = places[number]
            owners[places[number]] = offset + row * block.shape[1] + np.arange(size)
        offset += block.size
        blocks.append(torch.from_numpy(block))
    return Rows(tuple(blocks), torch.from_numpy(owners))
