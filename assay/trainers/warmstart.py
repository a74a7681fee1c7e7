"""The supervised warm start: imitate demonstrations until the model has skills that reinforcement can select.

Invariants: the batch of step s depends on the seed and s alone, and so does the learning rate, so a warm start goes
on at any step; every token that the agent would write counts the same.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from assay.core.seeding import derive_seed
from assay.core.trajectory import Sample
from assay.trainers.config import WarmstartConfig
from assay.trainers.demonstrations import Demonstration, Demonstrations
from assay.trainers.samples import assign_weights

RAMP = 20
"""Steps over which the learning rate rises from zero."""


def rate(step: int, steps: int) -> float:
    """Return the factor on the learning rate: a short ramp, then half a cosine down to zero at `steps`."""
    return min(1.0, (step + 1) / RAMP) * 0.5 * (1.0 + math.cos(math.pi * min(step, steps) / max(steps, 1)))


class Batches:
    """The batches of a warm start: new demonstrations at every step, or a limited number of them in epochs."""

    def __init__(self, source: Demonstrations, config: WarmstartConfig, *, seed: int) -> None:
        self._source, self._size, self._limit, self._seed = source, config.batch, config.demonstrations, seed
        self._known: dict[int, Demonstration] = {}

    async def batch(self, step: int) -> list[Sample]:
        """Return the weighted samples of step number `step`, from 0."""
        numbers = [self._number(place) for place in range(step * self._size, (step + 1) * self._size)]
        missing = [number for number in dict.fromkeys(numbers) if number not in self._known]
        shown = self._known | dict(zip(missing, await self._source.play(missing), strict=True))
        if self._limit is not None:
            self._known = shown
        return assign_weights([sample for number in numbers for sample in shown[number].samples])

    def _number(self, place: int) -> int:
        """Return which demonstration comes at this place: all of them once in a random order, then in another."""
        if self._limit is None:
            return place
        epoch, index = divmod(place, self._limit)
        return _order(self._limit, epoch, self._seed)[index]


@lru_cache(maxsize=2)
def _order(count: int, epoch: int, seed: int) -> list[int]:
    rng = np.random.Generator(np.random.PCG64(derive_seed("warmstart", seed, epoch)))
    order: list[int] = rng.permutation(count).tolist()
    return order
