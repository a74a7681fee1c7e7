"""Keeping near a reference policy: estimators of KL(pi || ref), and the one loss whose gradient is right.

With d = log pi - log ref (Schulman, "Approximating KL divergence", 2020): k1 = d is unbiased and noisy; k2 = d^2 / 2
is biased; k3 = exp(-d) - 1 + d is unbiased and never negative. As *losses* they behave differently: the gradient of
k1 has expectation zero, that of k3 is not the gradient of the KL. Multiplying by the differentiable importance ratio
pi / mu repairs both; on-policy, k2's plain gradient is right as well.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from assay.core.errors import ConfigError
from assay.trainers.losses.base import LOG_RATIO_LIMIT, log_ratio

Estimator = Literal["k1", "k2", "k3"]


def kl_estimate(logprobs: Tensor, reference_logprobs: Tensor, *, estimator: Estimator = "k3") -> Tensor:
    """Return the estimate of KL(pi || ref) at each token sampled from pi, shape [N]."""
    d = (logprobs - reference_logprobs).clamp(-LOG_RATIO_LIMIT, LOG_RATIO_LIMIT)
    if estimator == "k1":
        return d
    if estimator == "k2":
        return d.square() / 2
    if estimator == "k3":
        return torch.exp(-d) - 1 + d
    raise ConfigError(f"unknown KL estimator {estimator!r}; known: k1, k2, k3")


def kl_loss(
    logprobs: Tensor, reference_logprobs: Tensor, old_logprobs: Tensor, *, estimator: Estimator = "k3"
) -> Tensor:
    """Return pi / mu times the estimate, shape [N]: with k1 or k3 its gradient is an unbiased one of KL(pi || ref).

    The ratio carries a gradient; without it k3 would pull towards the reference with the wrong force even on-policy.
    """
    return log_ratio(logprobs, old_logprobs).exp() * kl_estimate(logprobs, reference_logprobs, estimator=estimator)
