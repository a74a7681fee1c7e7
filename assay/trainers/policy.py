"""The policy: a causal language model with its tokenizer, from a checkpoint directory or built from a config.

Invariants:

* What `save` writes is an ordinary Hugging Face directory (or a peft adapter directory beside its base): anything
  that reads those reads a policy.
* The weights that are trained are float32; `bfloat16` is a matter of autocast. Building is a function of the seed.
* A directory that cannot be used says which file it lacks, before anything large is read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from assay.agents.checkpoint import pick_device, read_model, read_tokenizer, use_threads
from assay.core.errors import ConfigError
from assay.core.seeding import derive_seed
from assay.trainers.config import LoraConfig, ModelConfig
from assay.trainers.sharding import whole
from assay.trainers.tokenizer import character_tokenizer

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


@dataclass
class Policy:
    """A model and its tokenizer."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        device: torch.device = next(self.model.parameters()).device
        return device

    @property
    def adapted(self) -> bool:
        """Whether only a low-rank adapter is trained."""
        return hasattr(self.model, "peft_config")

    def trainable(self) -> list[torch.nn.Parameter]:
        """Return the parameters that are trained, in a fixed order."""
        return [p for p in self.model.parameters() if p.requires_grad]

    def weights(self) -> Iterator[tuple[str, torch.Tensor]]:
        """Yield names and tensors of the plain model, what an engine loads: adapters added in, nothing changed here.

        The sum is made anew each time. Merging in place and unmerging again would round the frozen base a little
        at every step. Where processes share the weights, all must go through them together.
        """
        if not self.adapted:
            for name, tensor in self.model.state_dict().items():
                yield name, whole(tensor)
            return
        base: Any = self.model.get_base_model()  # type: ignore[operator]
        for name, tensor in base.state_dict().items():
            if "lora_" in name:
                continue
            owner, wrapped, kind = name.partition(".base_layer.")
            if wrapped and kind == "weight":
                (adapter,) = self.model.active_adapters
                tensor = tensor + base.get_submodule(owner).get_delta_weight(adapter).detach()
            yield name.replace(".base_layer", ""), whole(tensor)

    def saved(self) -> Iterator[tuple[str, torch.Tensor]]:
        """Yield names and tensors of what `save` writes: the adapter alone, when only that is trained.

        Where processes share the weights, all must go through them together.
        """
        if not self.adapted:
            yield from self.weights()
            return
        for name, tensor in self.model.state_dict().items():
            if "lora_" in name:
                yield name, whole(tensor)

    def save(self, directory: str | Path) -> None:
        """Write the model (the adapter alone, when only that is trained) and the tokenizer."""
        _write(self.model, directory, state_dict=dict(self.saved()))
        self.tokenizer.save_pretrained(directory)

    def export(self, directory: str | Path) -> None:
        """Write a plain checkpoint directory, adapters merged into the weights."""
        if not self.adapted:
            self.save(directory)
            return
        base: Any = self.model.get_base_model()  # type: ignore[operator]
        _write(base, directory, state_dict=dict(self.weights()))
        self.tokenizer.save_pretrained(directory)


def _write(model: Any, directory: str | Path, **options: Any) -> None:
    from transformers.utils import logging

    logging.disable_progress_bar()  # progress belongs to the command line
    model.save_pretrained(directory, safe_serialization=True, **options)


def autocast_dtype(config: ModelConfig) -> torch.dtype | None:
    """Return the precision of forward passes; None is that of the weights."""
    return torch.bfloat16 if config.autocast == "bfloat16" else None


def load_policy(config: ModelConfig, seed: int = 0) -> Policy:
    """Load or build the policy of a config on its device, in float32 and in evaluation mode.

    Raises `ConfigError` for a directory that is no usable checkpoint or sizes that no model can have.
    """
    use_threads(config.threads)
    torch.manual_seed(derive_seed(seed, "model"))
    policy = read_policy(config.path) if config.path is not None else build_policy(config)
    if config.lora is not None:
        policy.model = _with_adapter(policy.model, config.lora)
    policy.model.to(pick_device(config.device))
    policy.model.eval()  # dropout would make the trainer's log-probabilities differ from the engine's
    return policy


def build_policy(config: ModelConfig) -> Policy:
    """Build a small model of the given architecture and sizes, with random weights, and its character tokenizer."""
    from transformers import CONFIG_MAPPING, AutoConfig, AutoModelForCausalLM

    if config.architecture not in CONFIG_MAPPING:
        raise ConfigError(f"model.architecture: transformers knows no {config.architecture!r}; try qwen2 or llama")
    if config.hidden % config.heads:
        raise ConfigError(f"model.hidden: {config.hidden} is not divisible by model.heads ({config.heads})")
    if config.heads % (config.kv_heads or config.heads):
        raise ConfigError(f"model.heads: {config.heads} is not divisible by model.kv_heads ({config.kv_heads})")
    tokenizer = character_tokenizer(config.vocabulary)
    sizes = AutoConfig.for_model(
        config.architecture,
        vocab_size=len(tokenizer),
        hidden_size=config.hidden,
        intermediate_size=config.feed_forward,
        num_hidden_layers=config.layers,
        num_attention_heads=config.heads,
        num_key_value_heads=config.kv_heads or config.heads,
        head_dim=config.hidden // config.heads,
        max_position_embeddings=config.max_positions,
        tie_word_embeddings=True,
        initializer_range=config.hidden**-0.5,  # transformers' 0.02 suits widths of thousands; small models lag by far
        use_cache=True,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    try:
        model = AutoModelForCausalLM.from_config(sizes, dtype=torch.float32, attn_implementation="sdpa")
    except ValueError as error:
        raise ConfigError(f"model.architecture: {config.architecture!r} cannot be built: {error}") from error
    except RuntimeError as error:
        if "allocate" not in str(error):
            raise
        raise ConfigError("model: sizes such as hidden and layers make a model that does not fit in memory") from None
    return Policy(model, tokenizer)


def read_policy(path: str | Path) -> Policy:
    """Read a Hugging Face checkpoint directory, or an adapter directory, which becomes part of the base that it names.

    In float32, and all of it can be trained.
    """
    tokenizer = read_tokenizer(path)  # first: it is small, and says what the directory lacks
    if (Path(path) / "config.json").is_file():
        return Policy(read_model(path), tokenizer)
    from peft import PeftConfig, PeftModel

    base = PeftConfig.from_pretrained(path).base_model_name_or_path
    if not base:
        raise ConfigError(f"model {path}: adapter_config.json names no base; merge the adapter into its model first")
    model: Any = PeftModel.from_pretrained(read_model(base), path)  # type: ignore[arg-type]
    return Policy(model.merge_and_unload().requires_grad_(True), tokenizer)


def _with_adapter(model: PreTrainedModel, options: LoraConfig) -> Any:
    try:
        from peft import LoraConfig as PeftLora
        from peft import get_peft_model
    except ImportError:
        raise ConfigError("model.lora needs peft: pip install 'assay-rl[train]'") from None
    return get_peft_model(
        model,
        PeftLora(
            r=options.rank,
            lora_alpha=options.alpha,
            target_modules="all-linear",
            task_type="CAUSAL_LM",
        ),
    )
