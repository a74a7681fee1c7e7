"""From groups and advantages to the samples that a loss sees, every token's weight included.

Invariant: weights come once, from global counts, so that the loss of a step is the plain sum over all tokens of
`weight * token_loss`. How those tokens are later cut into micro-batches, packed into rows or spread over processes
cannot change a gradient. A sequence is one trajectory, however many streams its forks have made of it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Literal

import numpy as np

from assay.core.errors import ConfigError
from assay.core.trajectory import Group, Sample, Trajectory, streams
from assay.trainers.advantages.base import Advantages, FloatArray

Normalization = Literal["token-mean", "sequence-mean", "constant"]
"""`token-mean`: 1 / trainable tokens of the batch (DAPO). `sequence-mean`: the mean over sequences of each one's token
mean (GRPO). `constant`: 1 / (sequences * max_tokens), blind to the lengths that were sampled (Dr. GRPO)."""


def build_samples(
    groups: Sequence[Group],
    advantages: Advantages,
    *,
    normalization: Normalization = "token-mean",
    max_tokens: int | None = None,
) -> list[Sample]:
    """Return the weighted samples of all members that have advantages, in the order of the groups.

    `advantages` is what an `AdvantageFn` answered for these groups. `max_tokens` is the largest number of tokens that
    a sequence may generate; only `constant` needs it.
    """
    samples: list[Sample] = []
    for group, members in zip(groups, advantages, strict=True):
        for trajectory, values in zip(group, members, strict=True):
            if values is not None:
                samples += trajectory_samples(trajectory, values)
    return assign_weights(samples, normalization, max_tokens=max_tokens)


def trajectory_samples(trajectory: Trajectory, advantages: FloatArray) -> list[Sample]:
    """Return the streams of one trajectory with the advantage of each turn, shape [n_turns], on its tokens."""
    if advantages.shape != (len(trajectory.steps),):
        raise ValueError(
            f"trajectory {trajectory.id!r}: {len(trajectory.steps)} turns, but advantages of shape {advantages.shape}"
        )
    if not np.isfinite(advantages).all():
        raise ValueError(f"trajectory {trajectory.id!r} has an advantage that is not finite")
    samples = streams(trajectory)
    for sample in samples:
        sample.advantages[sample.loss_mask] = advantages[sample.turn_index[sample.loss_mask]]
    return samples


def assign_weights(
    samples: Sequence[Sample], normalization: Normalization = "token-mean", *, max_tokens: int | None = None
) -> list[Sample]:
    """Set the weight of every trainable token in place, from the counts of the whole batch, and return the samples.

    Call it once on all samples of a step, of all processes, before anything splits them. Samples with the same
    `trajectory_id` are one sequence; an empty id stands for itself.
    """
    sequences: defaultdict[object, int] = defaultdict(int)
    keys = [sample.trajectory_id or number for number, sample in enumerate(samples)]
    for key, sample in zip(keys, samples, strict=True):
        sequences[key] += int(sample.loss_mask.sum())
    total = sum(sequences.values())
    if normalization == "constant" and (max_tokens is None or max_tokens < 1):
        raise ConfigError("normalization 'constant' needs max_tokens, the largest number of tokens of a sequence")
    for key, sample in zip(keys, samples, strict=True):
        if normalization == "token-mean":
            weight = 1 / total if total else 0.0
        elif normalization == "sequence-mean":
            weight = 1 / (len(sequences) * sequences[key]) if sequences[key] else 0.0
        elif normalization == "constant" and max_tokens is not None:
            weight = 1 / (len(sequences) * max_tokens)
        else:
            raise ConfigError(f"unknown normalization {normalization!r}; known: token-mean, sequence-mean, constant")
        sample.weights[:] = np.where(sample.loss_mask, np.float32(weight), np.float32(0))
    return list(samples)
