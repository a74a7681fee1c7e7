"""How much memory a run will need, before it takes hours to find out.

What is counted: float32 weights, gradients and the two moments of AdamW for what is trained (16 bytes a parameter), 4
bytes for what is frozen, the copies of an engine with weights of its own, a reference or a separate critic, the
activations of one forward pass of `token_budget` tokens, and the chunk of logits. The engine's cache and the
allocator's slack are not, so the estimate is a lower bound: what does not fit by it will not fit.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from assay.core.errors import ConfigError
from assay.trainers.config import TrainConfig
from assay.trainers.engines import shares_weights
from assay.trainers.logprobs import CHUNK_ELEMENTS

GIB = 2**30
ACTIVATIONS = 34
"""Bytes that a layer keeps for its backward pass, for each token and unit of width, in 16-bit precision (Korthikanti et
al. 2022, arXiv 2205.05198, equation 1, without the attention matrix, which fused kernels do not keep)."""


@dataclass(frozen=True, slots=True)
class MemoryEstimate:
    """Bytes, by what they are for."""

    weights: int
    optimizer: int
    """Gradients and moments."""
    copies: int
    """Of an engine with weights of its own, a reference, a separate critic."""
    activations: int

    @property
    def total(self) -> int:
        """All of it."""
        return self.weights + self.optimizer + self.copies + self.activations

    def __str__(self) -> str:
        parts = {"weights": self.weights, "optimiser": self.optimizer, "copies": self.copies}
        shown = ", ".join(f"{name} {size / GIB:.2f}" for name, size in {**parts, "pass": self.activations}.items())
        return f"at least {self.total / GIB:.2f} GiB ({shown})"


def estimate(config: TrainConfig, model: Any, processes: int = 1) -> MemoryEstimate:
    """Return the estimate for training `model` as `config` says, of one of the processes that share its weights."""
    core: Any = model.get_base_model() if hasattr(model, "get_base_model") else model
    sizes = core.config.get_text_config()
    count = sum(p.numel() for p in model.parameters())
    trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
    algorithm, optim = config.algorithm, config.optim
    copies = int(not shares_weights(config.rollout, processes)) + int(algorithm.kl_coef > 0)
    separate = algorithm.critic is not None and algorithm.critic.kind == "separate"
    width = 2 if config.model.autocast == "bfloat16" else 4
    layers = 2 if optim.activation_checkpointing else sizes.num_hidden_layers
    held = layers * sizes.hidden_size * ACTIVATIONS * width // 2
    if optim.activation_checkpointing:
        held += sizes.num_hidden_layers * sizes.hidden_size * width
    return MemoryEstimate(
        weights=4 * count // processes,
        optimizer=12 * trained * (2 if separate else 1) // processes,
        copies=4 * count * copies + 4 * count * int(separate) // processes,
        activations=optim.token_budget * held + 3 * 4 * CHUNK_ELEMENTS,
    )


def available(device: torch.device) -> int | None:
    """Return the free bytes of a device, or of the machine; None where they cannot be read."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")), None)


def check_memory(config: TrainConfig, model: Any, device: torch.device, processes: int = 1) -> MemoryEstimate:
    """Return the estimate; `ConfigError` when it is beyond all that is free. `model` is on `device` already."""
    needed, free = estimate(config, model, processes), available(device)
    if free is not None and needed.total - needed.weights > free:
        raise ConfigError(
            f"this run needs {needed}, and {device.type} has {free / GIB:.2f} GiB free beside the weights; train an "
            "adapter (model.lora), lower optim.token_budget, or set optim.activation_checkpointing"
        )
    return needed
