"""GSPO: the ratio, and its clip, of a whole sequence (arXiv 2507.18071)."""

from __future__ import annotations

import torch
from torch import Tensor

from assay.trainers.losses.base import LossResult, log_ratio, ratio_diagnostics, sequence_mean


def gspo(
    logprobs: Tensor,
    old_logprobs: Tensor,
    advantages: Tensor,
    sequence_ids: Tensor | None = None,
    *,
    clip_low: float = 3e-4,
    clip_high: float = 4e-4,
) -> LossResult:
    """Return -min(s A, clip(s) A), s = exp(mean_t log r_t) over the sequence, the same for all of its tokens.

    Sequence ratios are geometric means and move little, hence the narrow clip. The value is that of the sequence; the
    gradient flows through each token's own log-probability, so that advantages may differ from turn to turn (the
    paper's GSPO-token, equal to GSPO when they do not). Pairs with the `sequence-mean` normalisation.
    """
    d = log_ratio(logprobs, old_logprobs)
    mean = sequence_mean(d, sequence_ids).detach()
    ratio = (mean + logprobs - logprobs.detach()).exp()
    plain = -ratio * advantages
    clipped = -ratio.clamp(1 - clip_low, 1 + clip_high) * advantages
    cut = (clipped > plain).float().detach()
    return torch.maximum(plain, clipped), {"clip_fraction": cut, **ratio_diagnostics(d.detach())}
