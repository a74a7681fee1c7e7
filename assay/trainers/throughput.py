"""Tokens a second, and model FLOP utilisation: how much of the hardware's arithmetic a run turns into learning.

A forward and backward pass costs about 6 FLOPs for each parameter and token (2 forward, 4 backward; Kaplan et al. 2020,
arXiv 2001.08361), and 4 where the parameter is frozen and only hands the gradient on; plus 12 * layers * width *
context for attention (Chowdhery et al. 2022, arXiv 2204.02311, appendix B, which also defines the utilisation).
Parameters of the embedding table do no arithmetic, those of a tied output head do: it is counted for the trainable
tokens only, since no other position reaches it here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from assay.core.trajectory import Sample
from assay.trainers.prefixes import distinct_tokens

PEAK_BF16 = {"H200": 989e12, "H100": 989e12, "A100": 312e12, "L40S": 362e12, "L4": 121e12, "4090": 165e12}
"""Dense bfloat16 FLOPs a second, as the makers state them, by a part of the device's name."""


def peak_flops(device: torch.device, count: int = 1) -> float | None:
    """Return the peak rate of `count` GPUs like a known one, None for anything else."""
    if device.type != "cuda":
        return None
    name = torch.cuda.get_device_name(device)
    return next((count * peak for part, peak in PEAK_BF16.items() if part in name), None)


def step_flops(model: Any, samples: Sequence[Sample]) -> float:
    """Return the FLOPs of a forward and backward pass over `samples`; what they begin with in common counts once."""
    core: Any = model.get_base_model() if hasattr(model, "get_base_model") else model
    config = core.config.get_text_config()
    table = core.get_input_embeddings().weight
    head = core.get_output_embeddings().weight
    body = sum(_flops(p) for p in core.parameters() if p is not table and p is not head)
    sizes = [len(sample) for sample in samples]
    tokens = distinct_tokens(samples)
    trained = sum(int(sample.loss_mask.sum()) for sample in samples)
    attention = 12 * config.num_hidden_layers * config.hidden_size * sum(size * size for size in sizes) / 2  # causal
    return float(body * tokens + _flops(head) * trained + attention)


def _flops(parameter: Tensor) -> int:
    """Return the FLOPs that a parameter costs for each token."""
    return (6 if parameter.requires_grad else 4) * parameter.numel()


def rates(tokens: int, flops: float, seconds: float, peak: float | None) -> dict[str, float]:
    """Return the tokens a second of an update and, where the peak is known, its model FLOP utilisation."""
    if seconds <= 0:
        return {}
    out = {"tokens_per_second/update": tokens / seconds, "tflops": flops / seconds / 1e12}
    return out if peak is None else {**out, "mfu": flops / seconds / peak}
