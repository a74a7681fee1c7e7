from __future__ import annotations

import shutil
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from assay.core.errors import ConfigError
from assay.trainers.config import LoraConfig, ModelConfig
from assay.trainers.policy import load_policy, read_policy
from assay.trainers.tokenizer import character_tokenizer

VOCABULARY = "0123456789+-*=;#?"
TINY = ModelConfig(vocabulary=VOCABULARY, hidden=32, layers=2, heads=2, feed_forward=48, max_positions=64)


def logits(model: torch.nn.Module, ids: list[int]) -> torch.Tensor:
    with torch.no_grad():
        out: torch.Tensor = model(torch.tensor([ids])).logits
    return out


def test_tokenizer_round_trip_and_prefix_preservation() -> None:
    tokenizer = character_tokenizer(VOCABULARY)
    assert tokenizer.decode(tokenizer.encode("3+7*4-2=")) == "3+7*4-2="
    assert len(tokenizer.encode("3+7*4-2=")) == 8
    messages = [
        {"role": "user", "content": "3+4="},
        {"role": "assistant", "content": "?3+4;"},
        {"role": "tool", "content": "7"},
        {"role": "assistant", "content": "#7;"},
    ]
    streams = [tokenizer.apply_chat_template(messages[:n], tokenize=True, return_dict=False) for n in range(1, 5)]
    for shorter, longer in pairwise(streams):
        assert longer[: len(shorter)] == shorter
    assert streams[1][-1] == tokenizer.eos_token_id


def test_tokenizer_refuses_bad_vocabularies() -> None:
    with pytest.raises(ConfigError, match="more than once"):
        character_tokenizer("aba")
    with pytest.raises(ConfigError, match="list the characters"):
        character_tokenizer("")


def test_building_is_a_function_of_the_seed() -> None:
    first, again, other = load_policy(TINY, 1), load_policy(TINY, 1), load_policy(TINY, 2)
    assert torch.equal(logits(first.model, [3, 4]), logits(again.model, [3, 4]))
    assert not torch.equal(logits(first.model, [3, 4]), logits(other.model, [3, 4]))


@pytest.mark.parametrize("architecture", ["qwen2", "qwen3", "llama"])
def test_a_saved_policy_is_an_ordinary_checkpoint(tmp_path: Path, architecture: str) -> None:
    policy = load_policy(TINY.model_copy(update={"architecture": architecture}))
    policy.save(tmp_path)
    model = AutoModelForCausalLM.from_pretrained(tmp_path)
    tokenizer = AutoTokenizer.from_pretrained(tmp_path)
    ids = tokenizer.encode("3+7=")
    assert torch.equal(logits(model, ids), logits(policy.model, ids))
    again = read_policy(tmp_path)
    assert torch.equal(logits(again.model, ids), logits(policy.model, ids))
    assert again.tokenizer.chat_template == policy.tokenizer.chat_template


def test_adapters_train_alone_and_merge_on_export(tmp_path: Path) -> None:
    load_policy(TINY).save(tmp_path / "base")
    policy = load_policy(ModelConfig(path=str(tmp_path / "base"), lora=LoraConfig(rank=4)))
    assert policy.adapted
    assert sum(p.numel() for p in policy.trainable()) < sum(p.numel() for p in policy.model.parameters()) / 2
    torch.manual_seed(0)
    for parameter in policy.trainable():
        torch.nn.init.normal_(parameter, std=0.1)
    before = {n: p.clone() for n, p in policy.model.named_parameters()}
    policy.export(tmp_path / "merged")
    policy.save(tmp_path / "adapter")
    assert all(torch.equal(before[n], p) for n, p in policy.model.named_parameters())
    wanted = logits(policy.model, [3, 4, 5])
    assert (wanted - logits(read_policy(tmp_path / "base").model, [3, 4, 5])).abs().max() > 1e-2
    for directory in ("merged", "adapter"):
        again = read_policy(tmp_path / directory)
        assert torch.allclose(logits(again.model, [3, 4, 5]), wanted, atol=1e-5)
        assert not again.adapted and len(again.trainable()) == len(list(again.model.parameters()))
    plain = read_policy(tmp_path / "base").model
    plain.load_state_dict(dict(policy.weights()))
    assert torch.allclose(logits(plain, [3, 4, 5]), wanted, atol=1e-5)


def break_tokenizer(directory: Path) -> None:
    (directory / "tokenizer.json").unlink()


def break_template(directory: Path) -> None:
    (directory / "chat_template.jinja").unlink()


def break_weights(directory: Path) -> None:
    (directory / "model.safetensors").write_bytes(b"not weights")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (shutil.rmtree, "no such directory"),
        (lambda d: (d / "config.json").unlink(), "no config.json"),
        (break_tokenizer, "no tokenizer"),
        (break_template, "no chat template"),
        (break_weights, "cannot be loaded"),
    ],
)
def test_a_directory_that_cannot_be_used_says_why(tmp_path: Path, damage: object, message: str) -> None:
    directory = tmp_path / "model"
    load_policy(TINY).save(directory)
    damage(directory)  # type: ignore[operator]
    with pytest.raises(ConfigError, match=message) as caught:
        load_policy(ModelConfig(path=str(directory)))
    assert "\n" not in str(caught.value)
    assert str(directory) in str(caught.value)


def test_as_many_threads_are_used_as_the_configuration_says() -> None:
    before = torch.get_num_threads()
    try:
        load_policy(TINY.model_copy(update={"threads": before + 1}))
        assert torch.get_num_threads() == before + 1
        load_policy(TINY)
        assert torch.get_num_threads() == before + 1
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"architecture": "qwen99"}, "qwen99"),
        ({"hidden": 33}, "not divisible"),
        ({"heads": 4, "kv_heads": 3}, "not divisible"),
        ({"device": "toaster"}, "no device"),
    ],
)
def test_impossible_sizes_are_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_policy(TINY.model_copy(update=change))
