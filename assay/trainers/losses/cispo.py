"""CISPO: the importance weight is clipped, never the token's gradient (MiniMax-M1, arXiv 2506.13585)."""

from __future__ import annotations

from torch import Tensor

from assay.trainers.losses.base import LossResult, log_ratio, ratio_diagnostics


def cispo(
    logprobs: Tensor,
    old_logprobs: Tensor,
    advantages: Tensor,
    sequence_ids: Tensor | None = None,
    *,
    ratio_min: float = 0.0,
    ratio_max: float = 5.0,
) -> LossResult:
    """Return -sg[clip(r, ratio_min, ratio_max)] A log pi, sg meaning that no gradient flows through it.

    PPO's clip silences rare tokens that turn a line of reasoning; here every token keeps its gradient.
    """
    d = log_ratio(logprobs, old_logprobs).detach()
    ratio = d.exp()
    weight = ratio.clamp(ratio_min, ratio_max)
    return -weight * advantages * logprobs, {"clip_fraction": (weight != ratio).float(), **ratio_diagnostics(d)}
