import torch

from assay.trainers.attention import training_attention
from assay.trainers.logprobs import LanguageModel
from assay.trainers.packing import micro_batches
from tests.trainers.builders import random_samples, tiny_model


def logprobs(model, layout, enabled):
    lm = LanguageModel(model)
    with (
        torch.no_grad(),
        training_attention(model, shared=layout == "shared", upcast=enabled),
        torch.autocast("cpu", torch.bfloat16),
    ):
        return torch.cat([lm.logprobs(batch)[0] for batch in micro_batches(random_samples(8), 80, layout)])


def exact(model, layout):
    lm = LanguageModel(model)
    with torch.no_grad():
        return torch.cat([lm.logprobs(batch)[0] for batch in micro_batches(random_samples(8), 80, layout)])


def test_it_is_the_same_attention_padded_and_packed():
    for layout in ("padded", "packed"):
        model = tiny_model()
        for enabled in (True, False):
            error = logprobs(model, layout, enabled) - exact(model, layout)
            assert error.abs().mean() < 0.05


def test_the_model_is_left_as_it_was():
    model = tiny_model()
    with training_attention(model, shared=False, upcast=True):
        assert model.config._attn_implementation == "assay_sdpa"
    assert model.config._attn_implementation == "sdpa"


def test_another_choice_of_attention_is_respected():
    model = tiny_model()
    model.set_attn_implementation("eager")
    with training_attention(model, shared=False, upcast=True):
        assert model.config._attn_implementation == "eager"
