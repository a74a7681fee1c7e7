"""PPO's clipped surrogate (arXiv 1707.06347, eq. 7), with DAPO's clip-higher and the dual clip."""

from __future__ import annotations

import torch
from torch import Tensor

from assay.trainers.losses.base import LossResult, log_ratio, ratio_diagnostics


def ppo_clip(
    logprobs: Tensor,
    old_logprobs: Tensor,
    advantages: Tensor,
    sequence_ids: Tensor | None = None,
    *,
    clip_low: float = 0.2,
    clip_high: float = 0.28,
    dual_clip: float | None = None,
) -> LossResult:
    """Return -min(r A, clip(r, 1 - clip_low, 1 + clip_high) A) for each token, r = pi / mu.

    `clip_high > clip_low` leaves room for rare tokens to grow (DAPO, arXiv 2503.14476). With `dual_clip` c > 1 the loss
    of a token with a negative advantage is at most -c A (arXiv 1912.09729), which bounds the push on tokens that the
    policy has since made much likelier; the usual value is 3.
    """
    d = log_ratio(logprobs, old_logprobs)
    ratio = d.exp()
    plain = -ratio * advantages
    clipped = -ratio.clamp(1 - clip_low, 1 + clip_high) * advantages
    loss = torch.maximum(plain, clipped)
    cut = clipped > plain
    if dual_clip is not None:
        bound = -dual_clip * advantages
        capped = (advantages < 0) & (loss > bound)
        loss = torch.where(capped, bound, loss)
        cut = cut | capped
    return loss, {"clip_fraction": cut.float().detach(), **ratio_diagnostics(d.detach())}
