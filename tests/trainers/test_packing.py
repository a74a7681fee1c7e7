import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.core.errors import ConfigError, DataError
from assay.trainers.attention import training_attention
from assay.trainers.logprobs import LanguageModel
from assay.trainers.packing import micro_batches
from tests.trainers.builders import grouped_samples, random_samples, tiny_model

LAYOUTS = st.sampled_from(["shared", "padded", "packed"])


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 30), st.integers(1, 200), LAYOUTS, st.integers(0, 9), st.booleans())
def test_every_sample_travels_once_within_the_budget(count, budget, layout, seed, grouped):
    samples = grouped_samples(count, 1 + seed, seed) if grouped else random_samples(count, seed)
    count = len(samples)
    batches = micro_batches(samples, budget, layout)
    assert sorted(i for b in batches for i in b.samples) == list(range(count))
    for batch in batches:
        assert batch.input_ids.numel() <= budget or len(batch.samples) == 1
        chosen = [samples[i] for i in batch.samples]
        for name in ("advantages", "weights", "logprobs", "token_ids"):
            expected = np.concatenate([getattr(s, name)[s.loss_mask] for s in chosen])
            column = {"logprobs": "old_logprobs", "token_ids": "targets"}.get(name, name)
            assert np.array_equal(getattr(batch, column).numpy(), expected)
        if layout != "shared":
            assert torch.equal(batch.input_ids.reshape(-1)[batch.predictors + 1], batch.targets)
        assert batch.sequence_ids.tolist() == [k for k, s in enumerate(chosen) for _ in range(int(s.loss_mask.sum()))]


@pytest.mark.parametrize("layout", ["shared", "padded", "packed"])
@pytest.mark.parametrize("attention", ["sdpa", "eager"])
def test_no_sample_sees_another_or_the_padding(layout, attention):
    model, samples = tiny_model(), [*random_samples(9), *grouped_samples()]
    model.set_attn_implementation(attention)
    lm = LanguageModel(model)
    for batch in micro_batches(samples, 120, lm.layout(layout)):
        with torch.no_grad(), training_attention(model, shared=lm.shares and layout == "shared", upcast=False):
            together, _ = lm.logprobs(batch)
            alone = []
            for i in batch.samples:
                ids = torch.as_tensor(samples[i].token_ids)
                logp = model(ids[None]).logits[0].log_softmax(-1)
                where = np.flatnonzero(samples[i].loss_mask)
                alone.append(logp[where - 1, ids[where]])
        assert torch.allclose(together, torch.cat(alone), atol=1e-5)


def test_packing_is_dense():
    samples = random_samples(60)
    total = sum(map(len, samples))
    assert len(micro_batches(samples, 64, "packed")) <= -(-total // 64) + 1


def test_padding_is_small_for_similar_lengths():
    batches = micro_batches(random_samples(60), 128, "padded")
    assert sum(b.input_ids.numel() for b in batches) < 1.15 * sum(len(s) for s in random_samples(60))


def test_samples_without_a_trainable_token_are_left_out():
    samples = random_samples(2)
    samples[0].loss_mask[:] = False
    assert [b.samples for b in micro_batches(samples, 100)] == [(1,)]
    assert micro_batches(samples[:1], 100) == []


def test_an_unpredictable_token_is_refused():
    samples = random_samples(1)
    samples[0].loss_mask[0] = True
    with pytest.raises(DataError, match="first token"):
        micro_batches(samples, 100)


def test_bad_settings():
    with pytest.raises(ConfigError, match="token_budget"):
        micro_batches(random_samples(1), 0)
    with pytest.raises(ConfigError, match="layout"):
        micro_batches(random_samples(1), 10, "ragged")
