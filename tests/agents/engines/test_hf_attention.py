"""Decode attention is sdpa's, for any grouping of heads."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (extra: train)")
pytest.importorskip("transformers", reason="transformers is not installed (extra: train)")

from assay.agents.engines.hf_attention import NAME, decode_attention, decoding  # noqa: E402
from tests.agents.engines.conformance import tiny_model  # noqa: E402


@pytest.mark.parametrize(("heads", "key_heads"), [(4, 4), (4, 2), (6, 1)])
@pytest.mark.parametrize("queries", [1, 3])
@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-6), ("bfloat16", 2e-2)])
def test_it_is_scaled_dot_product_attention(
    heads: int, key_heads: int, queries: int, dtype: str, tolerance: float
) -> None:
    kind = getattr(torch, dtype)
    generator = torch.Generator().manual_seed(0)

    def normal(*shape: int) -> Any:
        return torch.randn(*shape, generator=generator).to(kind)

    query, key, value = normal(5, heads, queries, 8), normal(5, key_heads, 9, 8), normal(5, key_heads, 9, 8)
    hidden = torch.arange(9)[None, None, None] > torch.randint(0, 9, (5, 1, queries, 1), generator=generator)
    mask = torch.zeros(5, 1, queries, 9, dtype=kind).masked_fill_(hidden, torch.finfo(kind).min)
    module = SimpleNamespace(num_key_value_groups=heads // key_heads, is_causal=True)
    out, _ = decode_attention(module, query, key, value, mask, scaling=0.3)
    repeated = [x.float().repeat_interleave(heads // key_heads, 1) for x in (key, value)]
    expected = torch.nn.functional.scaled_dot_product_attention(
        query.float(), *repeated, attn_mask=~hidden, scale=0.3
    ).transpose(1, 2)
    assert out.shape == expected.shape
    assert (out.float() - expected).abs().max() < tolerance


def test_the_model_is_left_as_it_was() -> None:
    model = tiny_model()
    assert model.config._attn_implementation == "sdpa"
    with pytest.raises(RuntimeError), decoding(model):
        assert model.config._attn_implementation == NAME
        raise RuntimeError
    assert model.config._attn_implementation == "sdpa"
    model.config._attn_implementation = "eager"
    with decoding(model):
        assert model.config._attn_implementation == "eager"
