import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from transformers import (
    CohereConfig,
    CohereForCausalLM,
    Gemma2Config,
    Gemma2ForCausalLM,
    GPT2Config,
    GPT2LMHeadModel,
    GraniteConfig,
    GraniteForCausalLM,
)

from assay.core.errors import ConfigError
from assay.trainers.logprobs import LanguageModel, token_logprobs
from assay.trainers.scoring import sample_logprobs
from tests.trainers.builders import random_samples, tiny_model


def reference(hidden, weight, bias, targets, temperature):
    logits = (hidden @ weight.t() + (0 if bias is None else bias)) / temperature
    logp = logits.log_softmax(-1)
    return logp.gather(-1, targets[:, None])[:, 0], -(logp.exp() * logp).sum(-1)


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("chunk", [1 << 24, 200, 7])
@pytest.mark.parametrize("temperature", [1.0, 0.6])
def test_chunks_equal_full_logits_and_their_gradients(bias, chunk, temperature):
    torch.manual_seed(0)
    hidden, weight = torch.randn(37, 16, requires_grad=True), torch.randn(53, 16, requires_grad=True)
    shift = torch.randn(53, requires_grad=True) if bias else None
    targets = torch.randint(0, 53, (37,))
    coefficients = torch.randn(2, 37)
    leaves = [hidden, weight, *([shift] if bias else [])]
    results = []
    for chunked in (False, True):
        if chunked:
            logp, entropy = token_logprobs(
                hidden,
                lambda h: torch.nn.functional.linear(h, weight, shift),
                targets,
                temperature=temperature,
                vocab_size=53,
                chunk_elements=chunk,
                entropy_gradient=True,
            )
        else:
            logp, entropy = reference(hidden, weight, shift, targets, temperature)
        gradients = torch.autograd.grad((coefficients[0] * logp + coefficients[1] * entropy).sum(), leaves)
        results.append([logp, entropy, *gradients])
    for expected, got in zip(*results, strict=True):
        assert torch.allclose(got, expected, atol=1e-5, rtol=1e-5)


def test_without_entropy_gradient_the_entropy_is_a_constant():
    hidden = torch.randn(5, 8, requires_grad=True)
    _, entropy = token_logprobs(hidden, torch.nn.Linear(8, 11), torch.arange(5), vocab_size=11)
    assert not entropy.requires_grad


def test_full_logits_are_never_alive():
    """Peak memory follows the chunk: no tensor that the graph keeps is as large as the logits."""
    hidden, head = torch.randn(512, 8, requires_grad=True), torch.nn.Linear(8, 1000)
    sizes = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: (sizes.append(t.numel()), t)[1], lambda t: t):
        token_logprobs(hidden, head, torch.zeros(512, dtype=torch.long), vocab_size=1000, chunk_elements=16_000)
    assert max(sizes) < 512 * 1000 / 10


PEAK = """
import resource, sys, torch
from assay.trainers.logprobs import token_logprobs
torch.set_num_threads(1)
weight, hidden = torch.randn(40_000, 16, requires_grad=True), torch.randn(int(sys.argv[1]), 16, requires_grad=True)
targets = torch.zeros(len(hidden), dtype=torch.long)
logp, _ = token_logprobs(hidden, lambda h: h @ weight.t(), targets, vocab_size=40_000, chunk_elements=1 << 22)
logp.sum().backward()
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


@pytest.mark.slow
def test_peak_memory_follows_the_chunk_and_not_the_batch():
    exact = {**os.environ, "MALLOC_MMAP_THRESHOLD_": "1000000"}  # else glibc keeps freed blocks, and the peak wanders
    peaks = [int(subprocess.check_output([sys.executable, "-c", PEAK, str(n)], env=exact)) for n in (300, 1500)]
    one_copy_of_the_logits = (1500 - 300) * 40_000 * 4 / 2**20
    assert peaks[1] - peaks[0] < one_copy_of_the_logits / 3


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("temperature", [1.0, 0.7])
def test_models_agree_with_their_own_logits(tied, bias, temperature):
    model, samples = tiny_model(tied=tied, bias=bias), random_samples(5)
    got = sample_logprobs(model, samples, temperature=temperature, token_budget=50)
    for sample, logprobs in zip(samples, got, strict=True):
        ids = torch.as_tensor(sample.token_ids)
        where = np.flatnonzero(sample.loss_mask)
        with torch.no_grad():
            expected = (model(ids[None]).logits[0] / temperature).log_softmax(-1)[where - 1, ids[where]]
        assert torch.allclose(logprobs, expected, atol=1e-5)


def test_tied_weights_get_the_gradient_of_both_uses():
    model, samples = tiny_model(tied=True), random_samples(3)
    ids = torch.as_tensor(samples[0].token_ids)[None]
    model(ids).logits.log_softmax(-1)[0, :-1].gather(-1, ids[0, 1:, None]).sum().backward()
    expected = model.lm_head.weight.grad.clone()
    model.zero_grad()
    lm = LanguageModel(model)
    logp, _ = token_logprobs(lm.hidden(ids)[0, :-1], lm.head, ids[0, 1:], vocab_size=lm.vocab_size, chunk_elements=60)
    logp.sum().backward()
    assert torch.allclose(model.get_input_embeddings().weight.grad, expected, atol=1e-4)


def test_other_architectures(vocab=151):
    gemma = Gemma2Config(
        vocab_size=vocab,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=4,
        head_dim=8,
        final_logit_softcapping=2.0,
        sliding_window=8,
    )
    gpt2 = GPT2Config(vocab_size=vocab, n_embd=32, n_layer=2, n_head=4, n_positions=64)
    sizes = {"vocab_size": vocab, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 1}
    granite = GraniteConfig(**sizes, num_attention_heads=4, initializer_range=0.3, logits_scaling=8.0)
    cohere = CohereConfig(**sizes, num_attention_heads=4, initializer_range=0.3, logit_scale=0.25)
    kinds = (Gemma2ForCausalLM(gemma), GPT2LMHeadModel(gpt2), GraniteForCausalLM(granite), CohereForCausalLM(cohere))
    for model in kinds:
        model.eval()
        sample = random_samples(1)[0]
        ids = torch.as_tensor(sample.token_ids)
        where = np.flatnonzero(sample.loss_mask)
        with torch.no_grad():
            expected = model(ids[None]).logits[0].log_softmax(-1)[where - 1, ids[where]]
        assert torch.allclose(sample_logprobs(model, [sample])[0], expected, atol=1e-5)


def test_a_head_that_does_more_is_refused():
    model = tiny_model()
    model.config.final_logit_softcapping = 1.0  # which a Qwen2 does not have
    with pytest.raises(ConfigError, match="logits"):
        LanguageModel(model)


def test_a_model_without_a_head_is_refused():
    with pytest.raises(ConfigError, match="causal"):
        LanguageModel(tiny_model().model)


def test_low_rank_adapters_on_trunk_and_head():
    peft = pytest.importorskip("peft")
    model = tiny_model(tied=False)
    adapted = peft.get_peft_model(
        model, peft.LoraConfig(r=4, target_modules=["q_proj", "lm_head"], init_lora_weights=False)
    ).eval()
    sample = random_samples(1)[0]
    ids = torch.as_tensor(sample.token_ids)
    where = np.flatnonzero(sample.loss_mask)
    with torch.no_grad():
        expected = adapted(ids[None]).logits[0].log_softmax(-1)[where - 1, ids[where]]
        with adapted.disable_adapter():
            base = adapted(ids[None]).logits[0].log_softmax(-1)[where - 1, ids[where]]
    got = sample_logprobs(adapted, [sample])[0]
    assert torch.allclose(got, expected, atol=1e-5)
    assert not torch.allclose(got, base, atol=1e-2)
