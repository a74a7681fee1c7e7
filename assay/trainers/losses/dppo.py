"""DPPO: tokens are masked by how far their *probability* has moved, not by its ratio."""

from __future__ import annotations

from torch import Tensor

from assay.trainers.losses.base import LossResult, log_ratio, ratio_diagnostics


def dppo(
    logprobs: Tensor,
    old_logprobs: Tensor,
    advantages: Tensor,
    sequence_ids: Tensor | None = None,
    *,
    delta: float = 0.2,
    kl_coef: float = 1e-3,
) -> LossResult:
    """Return -A r on kept tokens plus kl_coef * (log r)^2 on all.

    A token is dropped when its advantage would push it further: A > 0 and pi - mu > delta, or A < 0 and
    pi - mu < -delta. A ratio clip is tight on rare tokens and loose on common ones; the absolute difference bounds the
    total variation between the policies. The squared term holds trainer and engine together.
    """
    d = log_ratio(logprobs, old_logprobs)
    moved = (logprobs.exp() - old_logprobs.exp()).detach()
    dropped = ((advantages > 0) & (moved > delta)) | ((advantages < 0) & (moved < -delta))
    loss = -d.exp() * advantages * (~dropped) + kl_coef * d.square()
    return loss, {"clip_fraction": dropped.float(), **ratio_diagnostics(d.detach())}
