"""Tiny random process reward models of every architecture, and the scores that a direct forward pass gives."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (extra: train)")
transformers = pytest.importorskip("transformers", reason="transformers is not installed (extra: train)")

from tests.agents.tokenizers import CHATML, SPECIAL  # noqa: E402

SEPARATOR = "<extra_0>"
TAG, TAG_ENTRY = "ки", "ÐºÐ¸"
SIZES = {
    "hidden_size": 128,  # vLLM's kernels want heads of at least 32
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 1024,
    "initializer_range": 0.15,
    "bos_token_id": None,
    "eos_token_id": 1,
}


def make_tokenizer(*, bos: bool = False) -> Any:
    """Bytes, one merged word, and a special token that separates steps. (Qwen2's tokenizer is one of bytes, too.)"""
    from tokenizers import AddedToken, Tokenizer, decoders, pre_tokenizers
    from tokenizers.models import BPE

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    merges = [("Ð", "º"), ("Ð", "¸"), ("Ðº", "Ð¸")]  # the bytes of к, и, and the two together
    entries = [*SPECIAL, SEPARATOR, *alphabet, *(first + second for first, second in merges)]
    backend = Tokenizer(BPE(vocab={token: i for i, token in enumerate(entries)}, merges=merges))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    backend.add_special_tokens([AddedToken(token, special=True) for token in [*SPECIAL, SEPARATOR]])
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=backend,
        pad_token="<pad>",
        eos_token="<eos>",
        unk_token="<unk>",
        bos_token="<eos>" if bos else None,
        extra_special_tokens=[*SPECIAL[3:], SEPARATOR],
        chat_template=CHATML,
        clean_up_tokenization_spaces=False,
    )


def build(name: str, directory: Path) -> tuple[Any, Any]:
    """Write a checkpoint directory for a format; return its tokenizer and a function from ids to all outputs."""
    tokenizer = make_tokenizer(bos=name == "skywork-o1")
    torch.manual_seed(0)
    sizes = {**SIZES, "vocab_size": len(tokenizer)}
    if name in ("math-shepherd", "rlhflow"):
        if name == "math-shepherd":
            config = transformers.MistralConfig(**sizes, head_dim=32, sliding_window=None)
            model = transformers.MistralForCausalLM(config).eval()
        else:
            model = transformers.LlamaForCausalLM(transformers.LlamaConfig(**sizes)).eval()
        model.save_pretrained(directory)

        def outputs(ids: Sequence[int]) -> Any:
            return model(torch.tensor([list(ids)])).logits[0]

    elif name == "trl":
        config = transformers.Qwen2Config(**sizes, num_labels=2)
        labelling = transformers.Qwen2ForTokenClassification(config).eval()
        torch.nn.init.normal_(labelling.score.bias, std=1.0)
        labelling.save_pretrained(directory)

        def outputs(ids: Sequence[int]) -> Any:
            return labelling(torch.tensor([list(ids)])).logits[0]

    else:
        trunk, head, prefix, architecture = _with_own_head(name, transformers.Qwen2Config(**sizes))
        trunk.config.architectures = [architecture]
        # As the released checkpoints do, it names code of its own, which is not there and must not be asked for.
        trunk.config.auto_map = {
            "AutoConfig": "configuration_rm.Qwen2RMConfig",
            "AutoModel": f"modeling_rm.{architecture}",
        }
        trunk.config.save_pretrained(directory)
        weights = {f"model.{key}": value for key, value in trunk.state_dict().items()}
        weights |= {prefix + key: value for key, value in head.state_dict().items()}
        _write(weights, directory)

        def outputs(ids: Sequence[int]) -> Any:
            return head(trunk(torch.tensor([list(ids)])).last_hidden_state[0])

    tokenizer.save_pretrained(directory)
    return tokenizer, torch.no_grad()(outputs)


def _with_own_head(name: str, config: Any) -> tuple[Any, Any, str, str]:
    width = config.hidden_size
    trunk = transformers.Qwen2Model(config).eval()
    if name == "skywork-o1":
        return trunk, torch.nn.Linear(width, 1), "v_head.summary.", "Qwen2ForPrmModel"
    head = torch.nn.Sequential(torch.nn.Linear(width, width), torch.nn.ReLU(), torch.nn.Linear(width, 2))
    return trunk, head, "score.", "Qwen2ForProcessRewardModel"


def _write(weights: dict[str, Any], directory: Path) -> None:
    from safetensors.torch import save_file

    save_file(
        {key: value.detach().clone().contiguous() for key, value in weights.items()}, directory / "model.safetensors"
    )
