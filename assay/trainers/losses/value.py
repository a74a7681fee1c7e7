"""The critic's loss, clipped as in PPO (arXiv 1707.06347, as implemented by the original authors)."""

from __future__ import annotations

import torch
from torch import Tensor

from assay.trainers.losses.base import LossResult


def value_clip(values: Tensor, old_values: Tensor, returns: Tensor, *, clip: float | None = 0.2) -> LossResult:
    """Return max((V - R)^2, (clip(V, V_old - clip, V_old + clip) - R)^2) / 2 for each token or step, shape [N].

    `clip=None` is the plain squared error.
    """
    error = (values - returns).square()
    if clip is None:
        return error / 2, {}
    clipped = (old_values + (values - old_values).clamp(-clip, clip) - returns).square()
    return torch.maximum(error, clipped) / 2, {"value_clip_fraction": (clipped > error).float().detach()}
