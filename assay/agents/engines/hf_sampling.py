"""Sampling a batch of next tokens, each row with a random stream of its own. Imports torch; only `hf.py` imports it.

The t-th token of a request is drawn by inverting the cumulative distribution at one uniform number that is a hash
of (seed of the request, t). So it depends on the request's own distribution and seed, on nothing else in the batch,
and costs one number per row instead of one per entry of the vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from assay.agents.engines.base import SamplingParams

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def uniforms(seeds: NDArray[np.uint64], counters: NDArray[np.uint64]) -> NDArray[np.float64]:
    """Return one number in (0, 1) for each (seed, counter), by the SplitMix64 generator (Steele et al., 2014).

    The seed is mixed first: streams of neighbouring seeds would otherwise be shifts of one another.
    """
    with np.errstate(over="ignore"):
        bits = _mix(_mix(seeds + _GOLDEN) + (counters + np.uint64(1)) * _GOLDEN)
    return ((bits >> np.uint64(16)).astype(np.float64) + 0.5) * 2.0**-48


def _mix(z: NDArray[np.uint64]) -> NDArray[np.uint64]:
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def sample(
    logits: torch.Tensor, settings: Sequence[SamplingParams], draws: NDArray[np.float64]
) -> tuple[list[int], list[float]]:
    """Draw one token for each row of `logits` [rows, vocabulary]; return tokens and their log-probabilities.

    Log-probabilities are in float32, of the distribution that was sampled from: after temperature and, for rows
    that ask for it, after truncation. Greedy rows (temperature 0) report those of temperature 1, since the
    distribution they sample from has none to tell. A row whose logits are not finite gets a log-probability of NaN.
    """
    logprobs = _distribution(logits, settings)
    temperatures = [s.temperature for s in settings]
    cumulative = logprobs.double().exp().cumsum(-1)
    points = torch.as_tensor(draws, device=logits.device)[:, None] * cumulative[:, -1:]
    # `right=True` skips tokens of probability zero; the clamp only matters for rows of NaN.
    tokens = torch.searchsorted(cumulative, points, right=True).clamp_(max=logits.shape[-1] - 1)
    if any(t <= 0.0 for t in temperatures):
        greedy = torch.tensor([[t <= 0.0] for t in temperatures], device=logits.device)
        tokens = torch.where(greedy, logprobs.argmax(-1, keepdim=True), tokens)
    chosen = logprobs.gather(-1, tokens)
    return tokens[:, 0].tolist(), chosen[:, 0].tolist()


def most_probable(logits: torch.Tensor, settings: Sequence[SamplingParams]) -> list[tuple[tuple[int, float], ...]]:
    """Return, for each row, the `top_logprobs` best tokens of the distribution that `sample` draws from."""
    count = min(max(s.top_logprobs for s in settings), logits.shape[-1])
    best = _distribution(logits, settings).topk(count)
    rows = zip(settings, best.indices.tolist(), best.values.tolist(), strict=True)
    return [tuple(zip(ids, values, strict=True))[: s.top_logprobs] for s, ids, values in rows]


def _distribution(logits: torch.Tensor, settings: Sequence[SamplingParams]) -> torch.Tensor:
    """Return the log-probabilities that each row is sampled from, temperature 1 for greedy ones."""
    logits = logits.float()
    temperatures = [s.temperature for s in settings]
    if any(t != 1.0 for t in temperatures):
        scale = torch.tensor([[t if t > 0.0 else 1.0] for t in temperatures], device=logits.device)
        logits = logits / scale
    logprobs = logits.log_softmax(-1)
    for row, setting in enumerate(settings):
        if setting.truncated and setting.temperature > 0.0:
            logprobs[row] = _truncate(logprobs[row], setting)
    return logprobs


def _truncate(logprobs: torch.Tensor, setting: SamplingParams) -> torch.Tensor:
    """Cut one row [vocabulary] by top-k, then min-p, then top-p, and renormalise what is left."""
    keep = torch.ones_like(logprobs, dtype=torch.bool)
    if setting.top_k > 0:
        keep &= logprobs >= logprobs.topk(min(setting.top_k, logprobs.shape[-1])).values[-1]
    if setting.min_p > 0.0:
        keep &= logprobs >= logprobs.max() + float(np.log(setting.min_p))
    if setting.top_p < 1.0:
        kept = logprobs.masked_fill(~keep, -torch.inf).softmax(-1)
        ordered, order = kept.sort(descending=True)
        # A token stays while the mass before it is short of top_p, so the most probable one always stays.
        keep[order] &= (ordered.cumsum(-1) - ordered) < setting.top_p
    return logprobs.masked_fill(~keep, -torch.inf).log_softmax(-1)
