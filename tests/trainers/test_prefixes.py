"""What samples have in common is computed once, and nothing else changes."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import Gemma2Config, Gemma2ForCausalLM, GPT2Config, GPT2LMHeadModel, MistralConfig, MistralForCausalLM

from assay.trainers.algorithm_config import CriticConfig
from assay.trainers.credit import ValueTargets
from assay.trainers.critic import Critic
from assay.trainers.logprobs import LanguageModel
from assay.trainers.losses import make_loss
from assay.trainers.packing import micro_batches
from assay.trainers.prefixes import ATTENTION_TOKENS, distinct_tokens
from assay.trainers.recompute import recompute_activations
from assay.trainers.samples import assign_weights
from assay.trainers.update import Updater
from tests.trainers.builders import VOCAB, grouped_samples, tiny_model

GPT2 = GPT2Config(vocab_size=VOCAB, n_embd=32, n_layer=2, n_head=4, n_positions=64)
SLIDING = {"vocab_size": VOCAB, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "sliding_window": 4}


def gradient(model, samples, **options):
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    Updater(model, optimizer, make_loss("ppo_clip"), **options).accumulate(samples)
    return torch.cat([p.grad.reshape(-1) for p in model.parameters()])


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 6), st.integers(1, 6), st.integers(1, 120), st.integers(0, 99))
def test_the_row_holds_each_beginning_once(groups, size, budget, seed):
    samples = grouped_samples(groups, size, seed)
    total = 0
    for batch in micro_batches(samples, budget, "shared"):
        chosen = [samples[n] for n in batch.samples]
        beginnings = {tuple(s.token_ids[: t + 1]) for s in chosen for t in range(len(s))}
        assert batch.input_ids.numel() == len(beginnings)
        rows = {
            tuple(batch.input_ids[0, row[: len(s)]].tolist()) for b in batch.rows.blocks for row in b for s in chosen
        }
        assert rows >= {tuple(s.token_ids.tolist()) for s in chosen}
        places = torch.cat([block.reshape(-1) for block in batch.rows.blocks])
        assert torch.equal(places[batch.rows.owners], torch.arange(batch.input_ids.numel()))
        assert len(chosen) == 1 or sum(map(len, chosen)) <= ATTENTION_TOKENS * budget
        total += batch.input_ids.numel()
    assert (
        total >= distinct_tokens(samples) == len({tuple(s.token_ids[: t + 1]) for s in samples for t in range(len(s))})
    )


@pytest.mark.parametrize("budget", [20, 2048])
@pytest.mark.parametrize("recompute", [False, True])
@pytest.mark.parametrize("make", [tiny_model, lambda: GPT2LMHeadModel(GPT2).eval()])
def test_the_gradient_is_that_of_samples_apart(make, recompute, budget):
    torch.manual_seed(0)
    samples, model = assign_weights(grouped_samples()), make()
    assert distinct_tokens(samples) < 0.7 * sum(map(len, samples))
    expected = gradient(copy.deepcopy(model), samples, layout="padded", token_budget=2048)
    assert expected.norm() > 1e-3
    assert LanguageModel(model).shares
    if recompute:
        recompute_activations(model)
    shared = gradient(model, samples, layout="shared", token_budget=budget)
    assert float((shared - expected).norm() / expected.norm()) < 1e-5
    assert torch.allclose(shared, expected, atol=1e-5)


def test_bfloat16_is_no_coarser_than_with_samples_apart():
    samples = assign_weights(grouped_samples(4, 16))
    exact = gradient(tiny_model(), samples, layout="padded")
    errors = [
        float((gradient(tiny_model(), samples, layout=layout, autocast_dtype=torch.bfloat16) - exact).norm())
        for layout in ("shared", "padded")
    ]
    assert errors[0] < 1.5 * errors[1]


@pytest.mark.parametrize("kind", ["shared", "separate"])
def test_a_critic_learns_the_same(kind):
    samples, seen = assign_weights(grouped_samples()), []
    counts = [int(s.loss_mask.sum()) for s in samples]
    for layout in ("padded", "shared"):
        model = tiny_model()
        critic = Critic(CriticConfig(kind=kind, stop_gradient=kind == "separate"), model)
        torch.nn.init.ones_(critic.head.weight)
        groups = [{"params": model.parameters()}, {"params": critic.trainable()}]
        updater = Updater(model, torch.optim.AdamW(groups), make_loss("ppo_clip"), layout=layout, critic=critic)
        columns = [[torch.full((n,), value) for n in counts] for value in (0.0, 0.7, 1 / sum(counts))]
        updater.accumulate(samples, targets=ValueTargets(*columns))
        parameters = [*model.parameters(), *critic.trainable()]
        seen.append(torch.cat([p.grad.reshape(-1) for p in parameters if p.grad is not None]))
    assert torch.allclose(*seen, atol=1e-5)


@pytest.mark.parametrize(
    "make",
    [
        lambda: MistralForCausalLM(MistralConfig(**SLIDING, num_attention_heads=4, num_key_value_heads=2)),
        lambda: Gemma2ForCausalLM(Gemma2Config(**SLIDING, num_attention_heads=4, num_key_value_heads=4, head_dim=8)),
        lambda: tiny_eager(),
    ],
)
def test_a_model_that_cannot_share_goes_on_with_padded_rows(make):
    torch.manual_seed(0)
    model, samples = make().eval(), assign_weights(grouped_samples())
    assert LanguageModel(model).layout("shared") == "padded"
    assert torch.equal(gradient(copy.deepcopy(model), samples, layout="padded"), gradient(model, samples))


def tiny_eager():
    model = tiny_model()
    model.set_attn_implementation("eager")
    return model


def test_samples_that_teach_nothing_have_no_backward_pass_and_change_no_gradient():
    samples = assign_weights(grouped_samples(4))
    for sample in samples[5:15]:
        sample.advantages[:] = 0
    model, passes = tiny_model(), []
    model.model.layers[0].register_full_backward_hook(lambda *_: passes.append(1))
    whole = gradient(model, samples, token_budget=30)
    taught = len(micro_batches([*samples[:5], *samples[15:]], 30))
    assert len(passes) == taught < len(micro_batches(samples, 30))
    apart = gradient(tiny_model(), samples, token_budget=10_000, layout="padded")
    assert torch.allclose(whole, apart, atol=1e-5)


def test_what_is_longer_comes_after_its_beginning():
    samples = grouped_samples(1, 2)
    samples[0].token_ids, samples[1].token_ids = np.array([5, 300, 1]), np.array([5, 300])
    for sample in samples:
        size = len(sample.token_ids)
        for name in ("loss_mask", "logprobs", "advantages", "weights"):
            setattr(sample, name, np.ones(size, getattr(sample, name).dtype))
        sample.loss_mask[0] = False
    (batch,) = micro_batches(samples, 100, "shared")
    assert batch.samples == (1, 0) and batch.input_ids.tolist() == [[5, 300, 1]]
    assert batch.predictors.tolist() == [0, 0, 1] and batch.position_ids.tolist() == [[0, 1, 2]]
