"""Log-probabilities and entropy of the trainable tokens, without ever holding the logits of a whole batch.

With a vocabulary of 150,000 the logits of 8,000 tokens take 5 GB in float32, and their gradient as much again. So
only the positions that predict a trainable token reach the output head, and they do so in chunks that are computed
again in the backward pass. Memory is bounded by the chunk, not by the batch: with that vocabulary 500 positions peak at
438 MiB and 2,000 at 447, where whole logits take 866 MiB for 500 and 1,725 for 1,000.

Invariants: the head runs in float32 whatever the autocast (rounding logits to bfloat16 biases both entropy and the
importance ratio); the temperature divides the logits, as it does in the engine that sampled.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from assay.core.errors import ConfigError
from assay.trainers.packing import MicroBatch

Head: TypeAlias = Callable[[Tensor], Tensor]
"""Maps hidden states [N, H] to float32 logits [N, V]."""

CHUNK_ELEMENTS = 1 << 24
"""Logits held at a time: 64 MiB in float32."""


def token_logprobs(
    hidden: Tensor,
    head: Head,
    targets: Tensor,
    *,
    temperature: float = 1.0,
    vocab_size: int,
    chunk_elements: int = CHUNK_ELEMENTS,
    entropy_gradient: bool = False,
) -> tuple[Tensor, Tensor]:
    """Return log pi(target) and the entropy of each position in nats, both float32 of shape [N].

    `hidden` is [N, H], `targets` [N]. The entropy carries a gradient only with `entropy_gradient`, which costs time.
    """

    def piece(hidden: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        logits = head(hidden)
        if temperature != 1.0:
            logits = logits / temperature
        normaliser = logits.logsumexp(-1)
        chosen = logits.gather(-1, targets.unsqueeze(-1)).squeeze(-1)
        with torch.set_grad_enabled(entropy_gradient and torch.is_grad_enabled()):
            everything = logits - normaliser.unsqueeze(-1)
            entropy = -(everything.exp() * everything).sum(-1)
        return chosen - normaliser, entropy

    rows = max(1, chunk_elements // vocab_size)
    if len(targets) <= rows:
        return piece(hidden, targets)
    pieces = [
        checkpoint(piece, h, t, use_reentrant=False, preserve_rng_state=False)
        for h, t in zip(torch.split(hidden, rows), torch.split(targets, rows), strict=True)
    ]
    return torch.cat([p[0] for p in pieces]), torch.cat([p[1] for p in pieces])


class LanguageModel:
    """A causal language model of transformers (or its peft wrapper), split into its trunk and its output head."""

    def __init__(self, model: nn.Module) -> None:
        """Split the model. `ConfigError` when it is no causal language model, or its head does more than we know."""
        core: Any = model.get_base_model() if hasattr(model, "get_base_model") else model  # type: ignore[operator]
        output = core.get_output_embeddings() if hasattr(core, "get_output_embeddings") else None
        if output is None:
            raise ConfigError(f"{type(core).__name__} has no output head; training needs a causal language model")
        self.model = model
        self._core, self._trunk, self._output = core, core.base_model, output
        self.vocab_size = int(output.weight.shape[0])
        self._softcap: float | None = getattr(core.config.get_text_config(), "final_logit_softcapping", None)
        self._check_head()

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        weight: Tensor = self._output.weight
        return weight.device

    def hidden(self, input_ids: Tensor, position_ids: Tensor | None = None) -> Tensor:
        """Return the last hidden states [B, T, H] of rows that are padded on the right, or packed.

        Packed rows keep their samples apart only with no attention mask, reset positions and no cache.
        """
        out = self._trunk(input_ids=input_ids, attention_mask=None, position_ids=position_ids, use_cache=False)
        states: Tensor = out.last_hidden_state
        return states

    def head(self, hidden: Tensor) -> Tensor:
        """Return float32 logits [N, V] of hidden states [N, H]."""
        with torch.autocast(hidden.device.type, enabled=False):
            if type(self._output) is nn.Linear:
                bias = self._output.bias
                logits = F.linear(hidden.float(), self._output.weight.float(), None if bias is None else bias.float())
            else:  # an adapter on the head, say: its forward is more than its weight
                logits = self._output(hidden.to(self._output.weight.dtype)).float()
        if self._softcap is not None:
            logits = self._softcap * torch.tanh(logits / self._softcap)
        return logits

    def states(self, batch: MicroBatch) -> Tensor:
        """Return the last hidden states [N, H] of the positions that predict a batch's trainable tokens."""
        hidden = self.hidden(batch.input_ids, batch.position_ids)
        return hidden.reshape(-1, hidden.shape[-1]).index_select(0, batch.predictors)

    def logprobs(
        self,
        batch: MicroBatch,
        states: Tensor | None = None,
        *,
        temperature: float = 1.0,
        entropy_gradient: bool = False,
    ) -> tuple[Tensor, Tensor]:
        """Return log-probabilities and entropies of a batch's trainable tokens, [N] each.

        `states` are those of `states(batch)`, for who needs them for something else too.
        """
        return token_logprobs(
            self.states(batch) if states is None else states,
            self.head,
            batch.targets,
            temperature=temperature,
            vocab_size=self.vocab_size,
            entropy_gradient=entropy_gradient,
        )

    @torch.no_grad()
    def _check_head(self) -> None:
        """Refuse a model whose own logits are not our head's: some scale or shift them outside the head module."""
        ids = torch.arange(4, device=self.device).remainder(self.vocab_size).unsqueeze(0)
        training = [module for module in self._core.modules() if module.training]
        self._core.eval()
        theirs = self._core(input_ids=ids, use_cache=False).logits.float()
        ours = self.head(self.hidden(ids)[0]).unsqueeze(0)
        for module in training:
            module.training = True
        error = float((ours - theirs).abs().max() / theirs.abs().max().clamp(min=1e-6))
        if not error < 0.02:
            raise ConfigError(
                f"{type(self._core).__name__} does more to its logits than its output head "
                f"(relative difference {error:.2g}); it cannot be trained"
            )
