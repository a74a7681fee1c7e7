"""Data parallelism by hand: every process takes a share of the samples, and gradients are summed.

Weights are global already (`assay.trainers.samples`), so gradients are summed and never averaged, and a step does not
depend on how many processes share it. All processes see the same samples and cut them the same way; a process
without a share still joins every collective.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from assay.core.trajectory import Sample
from assay.trainers.sharding import clip_gradients, is_sharded

BUCKET_ELEMENTS = 1 << 24
"""Gradients travel in buckets of about this many numbers: few messages, bounded extra memory."""


def shard(samples: Sequence[Sample], shares: int) -> list[list[int]]:
    """Deal samples, by index, into shares of nearly equal cost: the longest first, to the least loaded share."""
    loads = [(0, share) for share in range(shares)]
    dealt: list[list[int]] = [[] for _ in range(shares)]
    for number in sorted(range(len(samples)), key=lambda n: -len(samples[n])):
        load, share = heapq.heappop(loads)
        dealt[share].append(number)
        heapq.heappush(loads, (load + len(samples[number]), share))
    return dealt


class DataParallel:
    """The collectives of one process group of `torch.distributed`."""

    def __init__(self, group: dist.ProcessGroup | None = None) -> None:
        """Join `group`, or the default group. `torch.distributed` must be initialised."""
        self._group = group
        self.rank, self.size = dist.get_rank(group), dist.get_world_size(group)

    def share(self, samples: Sequence[Sample]) -> list[int]:
        """Return the indices of this process's share of the samples of a step."""
        return shard(samples, self.size)[self.rank]

    def sum_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Replace every gradient by its sum over the processes. A missing gradient counts as zeros.

        Shares of sharded parameters were summed in the backward pass already.
        """
        gradients: list[Tensor] = []
        for parameter in (p for p in parameters if not is_sharded(p)):
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
            gradients.append(parameter.grad)
        for bucket in _buckets(gradients):
            flat = torch.cat([g.reshape(-1) for g in bucket])
            dist.all_reduce(flat, group=self._group)
            for gradient, total in zip(bucket, torch.split(flat, [g.numel() for g in bucket]), strict=True):
                gradient.copy_(total.view_as(gradient))

    def passes(self, mine: int) -> int:
        """Return the largest number of passes that any process has to make; this one has `mine`."""
        counts: list[int] = self.gather(mine)
        return max(counts)

    def clip(self, parameters: Iterable[nn.Parameter], limit: float) -> float:
        """Clip the gradient as a whole and return its norm."""
        return clip_gradients(parameters, limit, self._group)

    def broadcast(self, value: Any) -> Any:
        """Return the value of the first process, in all of them."""
        values = [value]
        dist.broadcast_object_list(values, group=self._group, group_src=0)
        return values[0]

    def gather(self, value: Any) -> list[Any]:
        """Return the values of all processes, in the order of their ranks."""
        values: list[Any] = [None] * self.size
        dist.all_gather_object(values, value, group=self._group)
        return values


def _buckets(gradients: Sequence[Tensor]) -> Iterable[list[Tensor]]:
    bucket: list[Tensor] = []
    size = 0
    for gradient in gradients:
        if bucket and (size + gradient.numel() > BUCKET_ELEMENTS or gradient.dtype != bucket[0].dtype):
            yield bucket
            bucket, size = [], 0
        bucket.append(gradient)
        size += gradient.numel()
    if bucket:
        yield bucket
