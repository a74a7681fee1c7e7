"""REINFORCE with an importance ratio and no clip."""

from __future__ import annotations

from torch import Tensor

from assay.trainers.losses.base import LossResult, log_ratio, ratio_diagnostics


def importance_sampling(
    logprobs: Tensor, old_logprobs: Tensor, advantages: Tensor, sequence_ids: Tensor | None = None
) -> LossResult:
    """Return -r A: at r = 1 its gradient is REINFORCE's -A grad log pi; further away it is unbiased, and unbounded."""
    d = log_ratio(logprobs, old_logprobs)
    return -d.exp() * advantages, ratio_diagnostics(d.detach())
