"""The critic of PPO: what reward is still to come, read from the state before each trainable token.

Two kinds. `shared` is one linear head on the policy's own trunk: almost free, and by default without a gradient into
the trunk (`stop_gradient`), so that learning values cannot disturb the policy. `separate` is a trunk of its own, a
copy of the policy as reinforcement learning begins; it costs a second forward and backward pass. Of a policy that
trains an adapter it trains the copy of that.

Invariants:

* The head starts at zero, so that before its first update every value is exactly 0.
* Processes that share the policy's layers share those of a separate trunk in the same way; the head is whole in each.
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
from assay.trainers.sharding import share_like, whole


class Critic(nn.Module):
    """Values of the positions that predict trainable tokens."""

    def __init__(self, config: CriticConfig, policy: nn.Module) -> None:
        """Build the critic of `policy`, a causal language model of transformers or its peft wrapper."""
        super().__init__()
        core = _core(policy)
        self.config = config
        self.trunk: Any = copy.deepcopy(core.base_model) if config.kind == "separate" else None
        width = int(core.config.get_text_config().hidden_size)
        self.head = nn.Linear(width, 1, device=next(core.parameters()).device, dtype=torch.float32)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    @torch.no_grad()
    def start_from(self, policy: nn.Module) -> None:
        """Let a trunk of its own have the weights that the policy has now; both are shared out, or neither is."""
        if self.trunk is not None:
            for own, theirs in zip(self.trunk.parameters(), _core(policy).base_model.parameters(), strict=True):
                own.copy_(theirs)

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

    def weights(self) -> Iterator[tuple[str, Tensor]]:
        """Yield what a checkpoint needs: names and whole tensors of what is trained.

        Where processes share them, all must go through them together.
        """
        for name, parameter in self._named():
            yield name, whole(parameter.detach())

    @torch.no_grad()
    def load_weights(self, weights: Mapping[str, Tensor]) -> None:
        """Take back what `weights` gave. `ConfigError` when it was another critic's."""
        own = dict(self._named())
        if own.keys() != weights.keys() or any(own[name].shape != weights[name].shape for name in own):
            raise ConfigError("the checkpoint's critic is another one; resume with the configuration that wrote it")
        for name, parameter in own.items():
            parameter.copy_(share_like(weights[name], parameter))

    def _named(self) -> Iterator[tuple[str, nn.Parameter]]:
        return ((name, parameter) for name, parameter in self.named_parameters() if parameter.requires_grad)


def _core(policy: Any) -> Any:
    return policy.get_base_model() if hasattr(policy, "get_base_model") else policy
