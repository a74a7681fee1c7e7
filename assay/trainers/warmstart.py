"""The supervised warm start: imitate demonstrations until the model has skills that reinforcement can select.

Invariants: the batch of step s depends on the seed and s alone, and so does the learning rate, so a warm start goes
on at any step; every token that the agent would write counts the same.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from assay.core.seeding import derive_seed
from assay.core.trajectory import Sample
from assay.trainers.demonstrations import Demonstration
from assay.trainers.samples import assign_weights

RAMP = 20
"""Steps over which the learning rate rises from zero."""


def rate(step: int, steps: int) -> float:
    """Return the factor on the learning rate: a short ramp, then half a cosine down to zero at `steps`."""
    return min(1.0, (step + 1) / RAMP) * 0.5 * (1.0 + math.cos(math.pi * min(step, steps) / max(steps, 1)))


def batch(demonstrations: Sequence[Demonstration], size: int, step: int, seed: int) -> list[Sample]:
    """Return the weighted samples of a step: all demonstrations once in a random order, then all in another one."""
    count = len(demonstrations)
    samples: list[Sample] = []
    for number in range(step * size, (step + 1) * size):
        epoch, place = divmod(number, count)
        samples += demonstrations[_order(count, epoch, seed)[place]].samples
    return assign_weights(samples)


@lru_cache(maxsize=2)
def _order(count: int, epoch: int, seed: int) -> list[int]:
    rng = np.random.Generator(np.random.PCG64(derive_seed("warmstart", seed, epoch)))
    order: list[int] = rng.permutation(count).tolist()
    return order
