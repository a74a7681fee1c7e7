"""Truncated importance sampling: correcting for an engine whose probabilities differ from the trainer's.

For three policies: the engine's mu that sampled, the trainer's own old policy that the clip compares with, and the
one being trained. With two policies the loss itself compares with mu, and nothing is left to correct.
"""

from __future__ import annotations

from typing import Literal

from torch import Tensor

from assay.core.errors import ConfigError
from assay.trainers.losses.base import log_ratio, sequence_mean


def tis_weights(
    old_logprobs: Tensor,
    engine_logprobs: Tensor,
    sequence_ids: Tensor | None = None,
    *,
    level: Literal["token", "sequence"] = "token",
    upper: float = 2.0,
    lower: float = 0.0,
    outside: Literal["truncate", "mask"] = "truncate",
) -> Tensor:
    """Return detached weights [N] that multiply a per-token loss: old / mu, bounded.

    `sequence` takes the geometric mean over a sequence: a plain product grows with length, and would drop every long
    answer over a mismatch of one per cent a token. `truncate` clamps into [lower, upper]; `mask` gives 0 outside.
    """
    d = log_ratio(old_logprobs, engine_logprobs).detach()
    if level == "sequence":
        d = sequence_mean(d, sequence_ids)
    elif level != "token":
        raise ConfigError(f"unknown importance level {level!r}; known: token, sequence")
    weights = d.exp()
    if outside == "truncate":
        return weights.clamp(lower, upper)
    if outside == "mask":
        return weights * ((weights >= lower) & (weights <= upper))
    raise ConfigError(f"unknown treatment {outside!r} of weights outside the bounds; known: truncate, mask")
