"""Attention of the update: over samples that share a row, and fast in bfloat16 on a CPU.

In a `shared` pass (`prefixes.py`) the model sees one row that holds every token once. Attention gathers the rows of the
samples from it, attends causally in each, and gives each token the result of one row that contains it; in the others
it would be the same.

torch's fused attention on a CPU has a bfloat16 backward pass several times slower than its float32 one (380 ms against
82 ms of a 1.3 s step on one core). Casting queries, keys and values up costs almost nothing and is more precise.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from assay.trainers.prefixes import Rows

PLAIN, SHARED = "assay_sdpa", "assay_shared"


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


def shared_attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    rows: Rows | None = None,
    **options: Any,
) -> tuple[Tensor, None]:
    """Attend within each of `rows`; `query` [1, heads, L, size], `key` and `value` alike. Returns [1, L, heads, size].

    Without rows it is plain causal attention.
    """
    if rows is None:
        return attention(module, query, key, value, attention_mask, **options)
    parts = []
    for block in rows.blocks:
        queries, keys, values = (_gathered(states, block) for states in (query, key, value))
        out, _ = attention(module, queries, keys, values, None, **options)
        parts.append(out.flatten(0, 1))
    return torch.cat(parts).index_select(0, rows.owners).unsqueeze(0), None


def _gathered(states: Tensor, block: Tensor) -> Tensor:
    """Return [samples, heads, longest, size] from [1, heads, L, size].

    An embedding's backward pass sums in float32 what meets in a token, also where the states are bfloat16.
    """
    flat = F.embedding(block, states[0].transpose(0, 1).flatten(1))
    return flat.view(*block.shape, states.shape[1], states.shape[3]).transpose(1, 2)


def can_share(core: Any) -> bool:
    """Whether a causal language model's attention can be replaced, and lets a token see all that is before it."""
    config = core.config.get_text_config()
    kinds = {*(getattr(config, "layer_types", None) or ())} - {"full_attention"}
    return config._attn_implementation == "sdpa" and not kinds and getattr(config, "sliding_window", None) is None


@contextlib.contextmanager
def training_attention(model: nn.Module, *, shared: bool, upcast: bool) -> Iterator[None]:
    """Inside the context, let a model that attends with `sdpa` attend as above.

    Scoped, since an engine may share the module and expects to find it as it was; around the backward pass too, where
    activations may be computed again. Any other choice of attention is left alone.
    """
    from transformers import AttentionInterface
    from transformers.masking_utils import AttentionMaskInterface, sdpa_mask

    core: Any = model.get_base_model() if hasattr(model, "get_base_model") else model  # type: ignore[operator]
    before = getattr(core.config, "_attn_implementation", None)
    if before != "sdpa" or not (shared or upcast):
        yield
        return
    AttentionInterface.register(PLAIN, attention)
    AttentionMaskInterface.register(PLAIN, sdpa_mask)
    AttentionInterface.register(SHARED, shared_attention)  # and no mask: that of the whole row would be L x L
    core.config._attn_implementation = SHARED if shared else PLAIN
    try:
        yield
    finally:
        core.config._attn_implementation = before
