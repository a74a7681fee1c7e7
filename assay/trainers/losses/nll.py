"""Negative log-likelihood: supervised fine-tuning on demonstrations."""

from __future__ import annotations

from torch import Tensor

from assay.trainers.losses.base import LossResult


def nll(logprobs: Tensor, old_logprobs: Tensor, advantages: Tensor, sequence_ids: Tensor | None = None) -> LossResult:
    """Return -log pi of each token. Neither the sampling policy nor advantages matter."""
    return -logprobs, {}
