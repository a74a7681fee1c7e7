"""The critic of PPO: what reward is still to come, read from the state before each trainable token.

Two kinds. `shared` is one linear head on the policy's own trunk: almost free, and by default without a gradient into
the trunk (`stop_gradient`), so that learning values cannot disturb the policy. `separate` is a trunk of its own, a
copy of the policy as reinforcement learning begins; it costs a second forward and backward pass.

Invariant: the head starts at zero, so that before its first update every value is exactly 0.
"""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from assay.core.errors import ConfigError
from assay.trainers.algorithm_config import CriticConfig
from assay.trainers.attention import training_attention
from assay.trainers.logprobs import last_states
from assay.trainers.packing import MicroBatch


class Critic(nn.Module):
    """Values of the positions that predict trainable tokens."""

    def __init__(self, config: CriticConfig, policy: nn.Module) -> None:
        """Build the critic of `policy`, a causal language model of transformers or its peft wrapper."""
        super().__init__()
        core: Any = policy.get_base_model() if hasattr(policy, "get_base_model") else policy  # type: ignore[operator]
        self.config = config
        self.trunk: Any = copy.deepcopy(core.base_model) if config.kind == "separate" else None
        width = int(core.config.get_text_config().hidden_size)
        self.head = nn.Linear(width, 1, device=next(core.parameters()).device, dtype=torch.float32)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def values(self, batch: MicroBatch, states: Tensor, *, detach: bool = False) -> Tensor:
        """Return the float32 value of the state before each trainable token, shape [N].

        `states` [N, H] are the policy's hidden states there; a separate critic computes its own. `detach` keeps the
        gradient out of a shared trunk whatever the configuration says.
        """
        if self.trunk is not None:
            hidden = last_states(self.trunk, batch.input_ids, batch.position_ids, batch.rows)
            states = hidden.reshape(-1, hidden.shape[-1]).index_select(0, batch.predictors)
        elif detach or self.config.stop_gradient:
            states = states.detach()
        with torch.autocast(states.device.type, enabled=False):
            values: Tensor = self.head(states.float())
        return values.squeeze(-1)

    def trainable(self) -> list[nn.Parameter]:
        """Return the parameters that are trained, in a fixed order."""
        return [p for p in self.parameters() if p.requires_grad]

    @contextlib.contextmanager
    def attending(self, *, shared: bool, upcast: bool) -> Iterator[None]:
        """Inside the context, let a trunk of its own use the attention of training."""
        if self.trunk is None:
            yield
        else:
            with training_attention(self.trunk, shared=shared, upcast=upcast):
                yield

    def weights(self) -> dict[str, Tensor]:
        """Return what a checkpoint needs: the trained tensors by name."""
        return {name: p.detach() for name, p in self.named_parameters() if p.requires_grad}

    def load_weights(self, weights: Mapping[str, Tensor]) -> None:
        """Take back what `weights` returned. `ConfigError` when it was another critic's."""
        own = self.weights()
        if own.keys() != weights.keys() or any(own[name].shape != weights[name].shape for name in own):
            raise ConfigError("the checkpoint's critic is another one; resume with the configuration that wrote it")
        for name, tensor in own.items():
            tensor.copy_(weights[name])
