"""What a loss is: a pure function of tokens, not reduced.

A loss maps N tokens to N losses and diagnostics. It never averages: the updater multiplies by weights that were
computed once from global counts and takes a plain sum, so no micro-batch, packing or data-parallel split can change a
gradient. Tensors are float32, shape [N]; `old_logprobs` are those of the policy that sampled (the engine's).
Diagnostics are detached and per token; the updater averages them over the tokens of the whole batch, or takes the
maximum of those whose name ends in `_max`.
"""

from __future__ import annotations

from typing import Protocol, TypeAlias

import torch
from torch import Tensor

Diagnostics: TypeAlias = dict[str, Tensor]
LossResult: TypeAlias = tuple[Tensor, Diagnostics]

LOG_RATIO_LIMIT = 20.0
"""log-ratios are clamped to ± this before the exponential: e^20 is beyond any clip, and still finite."""


class LossFn(Protocol):
    """A loss with its options bound."""

    def __call__(
        self, logprobs: Tensor, old_logprobs: Tensor, advantages: Tensor, sequence_ids: Tensor | None = None, /
    ) -> LossResult:
        """Return the loss of each token, shape [N], and diagnostics.

        `sequence_ids` says which sequence each token belongs to, 0-based; losses on whole sequences need it.
        """
        ...


def log_ratio(logprobs: Tensor, old_logprobs: Tensor) -> Tensor:
    """Return log(pi / mu), clamped so that its exponential is finite."""
    return (logprobs - old_logprobs).clamp(-LOG_RATIO_LIMIT, LOG_RATIO_LIMIT)


@torch.no_grad()
def ratio_diagnostics(log_ratio: Tensor) -> Diagnostics:
    """Return what shows that trainer and engine disagree, before any clip or mask hides it.

    `mismatch_kl` is the k3 estimate of KL(mu || pi) from tokens sampled by mu: exp(d) - 1 - d with d = log(pi / mu),
    never negative (Schulman, "Approximating KL divergence", 2020).
    """
    ratio = log_ratio.exp()
    return {"mismatch_kl": ratio - 1 - log_ratio, "ratio": ratio, "ratio_max": ratio}


def sequence_mean(values: Tensor, sequence_ids: Tensor | None) -> Tensor:
    """Return, for each token, the mean of `values` over the tokens of its sequence, shape [N], differentiable."""
    if sequence_ids is None:
        raise ValueError("this loss compares whole sequences and needs sequence_ids")
    count = int(sequence_ids.max()) + 1 if sequence_ids.numel() else 0
    sums = values.new_zeros(count).index_add(0, sequence_ids, values)
    sizes = values.new_zeros(count).index_add(0, sequence_ids, torch.ones_like(values))
    return (sums / sizes.clamp(min=1))[sequence_ids]
