"""The engine of a training run, and how it comes to the policy's weights.

Invariant: an engine shares the trainer's module only where rollouts and updates take turns. Everywhere else, with
rollouts that go on during an update or with vLLM, it has weights of its own, which change when they are handed over.
"""

from __future__ import annotations

import copy
import tempfile
from typing import Any

import torch

from assay.agents.engines.base import Engine
from assay.agents.engines.hf import HFEngine
from assay.core.errors import ConfigError
from assay.trainers.config import RolloutConfig
from assay.trainers.policy import Policy


def shares_weights(config: RolloutConfig, processes: int = 1) -> bool:
    """Whether the engine works on the trainer's own module, which several processes hold in shares."""
    return config.engine == "hf" and config.staleness == 0 and processes == 1


def open_engine(
    config: RolloutConfig, policy: Policy, dtype: torch.dtype | None, *, seed: int, processes: int = 1
) -> Engine:
    """Start the engine; `dtype` is the precision of its forward passes, None that of the weights.

    Raises `ConfigError` for an option that the engine does not have.
    """
    if config.engine == "vllm":
        return _vllm(config, policy, dtype, seed)
    model: Any = policy.model if shares_weights(config, processes) else _copy(policy)
    try:
        return HFEngine(model, **{"max_batch": config.concurrency, "dtype": dtype, **config.engine_options})
    except TypeError as error:
        raise ConfigError(f"rollout.engine_options: {error}") from None


def _vllm(config: RolloutConfig, policy: Policy, dtype: torch.dtype | None, seed: int) -> Engine:
    from assay.agents.engines.vllm import VLLMEngine

    with tempfile.TemporaryDirectory(prefix="assay-vllm-") as directory:  # read once, as it starts
        policy.export(directory)
        name = str(dtype or torch.float32).removeprefix("torch.")
        return VLLMEngine(directory, **{"dtype": name, "seed": seed % 2**31, **config.engine_options})


def _copy(policy: Policy) -> Any:
    """Return the plain model, adapters added in, with weights of its own."""
    model: Any = copy.deepcopy(policy.model)
    if policy.adapted:
        model = model.merge_and_unload()
    return model.requires_grad_(False)
