"""Attention that trains fast in bfloat16 on a CPU.

torch's fused attention on a CPU has a bfloat16 backward pass several times slower than its float32 one (380 ms against
82 ms of a 1.3 s step on one core). Casting queries, keys and values up costs almost nothing and is more precise.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

NAME = "assay_sdpa"


def attention(
    module: nn.Module, query: Tensor, key: Tensor, value: Tensor, attention_mask: Tensor | None, **options: Any
) -> tuple[Tensor, None]:
    """Do what transformers' `sdpa` does, in float32 on a CPU. Under autocast it would go back to bfloat16 by itself."""
    from transformers.integrations.sdpa_attention import sdpa_attention_forward

    if query.device.type != "cpu":
        out, _ = sdpa_attention_forward(module, query, key, value, attention_mask, **options)
        return out, None
    if attention_mask is not None and attention_mask.is_floating_point():
        attention_mask = attention_mask.float()
    with torch.autocast("cpu", enabled=False):
        out, _ = sdpa_attention_forward(module, query.float(), key.float(), value.float(), attention_mask, **options)
    return out.to(query.dtype), None


@contextlib.contextmanager
def fast_attention(model: nn.Module, enabled: bool = True) -> Iterator[None]:
    """Inside the context, let a model that attends with `sdpa` on a CPU attend with `attention`.

    Scoped, since an engine may share the module and expects to find it as it was. Any other choice is left alone.
    """
    from transformers import AttentionInterface
    from transformers.masking_utils import AttentionMaskInterface, sdpa_mask

    core: Any = model.get_base_model() if hasattr(model, "get_base_model") else model  # type: ignore[operator]
    before = getattr(core.config, "_attn_implementation", None)
    if not enabled or before != "sdpa":
        yield
        return
    AttentionInterface.register(NAME, attention)
    AttentionMaskInterface.register(NAME, sdpa_mask)
    core.config._attn_implementation = NAME
    try:
        yield
    finally:
        core.config._attn_implementation = before
