"""Log-probabilities and entropy of the trainable tokens, without ever holding the logits of a whole batch.

With a vocabulary of 150,000 the logits of 8,000 tokens take 5 GB in float32, and their gradient as much again. So
only the positions that predict a trainable token reach the output head, and they do so in chunks that are computed
again in the backward pass. Memory is bounded by the chunk, not by the batch: with that vocabulary 500 positions peak at
438 MiB and 2,000 at 447, where whole logits take 866 MiB for 500 and 1,725 for 1,000.

Invariants: the head runs in float32 whatever the autocast (rounding logits to bfloat16 biases both entropy and the
importance ratio); the temperature divides the logits, as it does in the engine that sampled.
"""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from assay.core.errors import ConfigError
from assay.trainers.attention import can_share, training_attention
from assay.trainers.packing import Layout, MicroBatch
from assay.trainers.prefixes import Rows

Head: TypeAlias = Callable[[Tensor], Tensor]
"""Maps hidden states [N, H] to float32 logits [N, V]."""

CHUNK_ELEMENTS = 1 << 24
"""Logits held at a time: 64 MiB in float32."""

SCALES = ("logit_scale", "logits_scaling", "lm_head_multiplier")
"""Settings by which an architecture multiplies its logits, or divides them (Granite)."""

TOLERANCE = 0.02
"""Largest relative difference of two ways to compute the same, in any precision; a mistake makes one of about 1."""


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
        config = core.config.get_text_config()
        self._softcap: float | None = getattr(config, "final_logit_softcapping", None)
        scales = [float(scale) for name in SCALES if (scale := getattr(config, name, None))]
        with torch.no_grad(), _evaluating(core):
            self._scale = self._fitting_scale([1.0, *scales, *(1 / scale for scale in scales)])
            self.shares = can_share(core) and self._shares_exactly()
            """Whether it can take samples that share a row."""

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        weight: Tensor = self._output.weight
        return weight.device

    def layout(self, asked: Layout) -> Layout:
        """Return the layout that this model can take for the one that was asked for."""
        return "padded" if asked == "shared" and not self.shares else asked

    def autocast(self, dtype: torch.dtype | None) -> torch.autocast:
        """Return a context of forward passes in `dtype`; None leaves them in the precision of the weights.

        Cast weights are not kept: a pass needs each once, and where layers are shared out or computed again they would
        be a second copy of the whole model.
        """
        return torch.autocast(self.device.type, dtype, enabled=dtype is not None, cache_enabled=False)

    def hidden(self, input_ids: Tensor, position_ids: Tensor | None = None, rows: Rows | None = None) -> Tensor:
        """Return the last hidden states [B, T, H] of rows in any of the layouts."""
        return last_states(self._trunk, input_ids, position_ids, rows)

    def head(self, hidden: Tensor) -> Tensor:
        """Return float32 logits [N, V] of hidden states [N, H]."""
        with torch.autocast(hidden.device.type, enabled=False):
            if type(self._output) is nn.Linear:
                bias = self._output.bias
                logits = F.linear(hidden.float(), self._output.weight.float(), None if bias is None else bias.float())
            else:  # an adapter on the head, say: its forward is more than its weight
                logits = self._output(hidden.to(self._output.weight.dtype)).float()
        if self._scale != 1.0:
            logits = logits * self._scale
        if self._softcap is not None:
            logits = self._softcap * torch.tanh(logits / self._softcap)
        return logits

    def states(self, batch: MicroBatch) -> Tensor:
        """Return the last hidden states [N, H] of the positions that predict a batch's trainable tokens."""
        hidden = self.hidden(batch.input_ids, batch.position_ids, batch.rows)
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

    def _fitting_scale(self, scales: Sequence[float]) -> float:
        """Return the scale that makes our head's logits the model's own; refuse a model that does more to them."""
        ids = torch.arange(4, device=self.device).remainder(self.vocab_size).unsqueeze(0)
        theirs = self._core(input_ids=ids, use_cache=False).logits[0].float()
        hidden = self.hidden(ids)[0]

        def error(scale: float) -> float:
            self._scale = scale
            return float((self.head(hidden) - theirs).abs().max() / theirs.abs().max().clamp(min=1e-6))

        best = min(scales, key=error)
        if not error(best) < TOLERANCE:
            raise ConfigError(
                f"{type(self._core).__name__} does more to its logits than its output head "
                f"(relative difference {error(best):.2g}); it cannot be trained"
            )
        return best

    def _shares_exactly(self) -> bool:
        """Whether two samples that share a row have the states that they have alone: some models do more in between."""
        if not any(p.kind is p.VAR_KEYWORD for p in inspect.signature(self._trunk.forward).parameters.values()):
            return False
        device, places = self.device, torch.tensor([[0, 1, 2, 3], [0, 1, 4, 5]])
        ids = torch.arange(1, 7, device=device).remainder(self.vocab_size)
        rows = Rows((places,), torch.tensor([0, 1, 2, 3, 6, 7])).to(device)
        with training_attention(self.model, shared=True, upcast=False):
            row = self.hidden(ids[None], torch.tensor([[0, 1, 2, 3, 2, 3]], device=device), rows)[0]
        apart = self.hidden(ids[places.to(device)])
        return bool((row[places.to(device)] - apart).abs().max() < TOLERANCE * apart.abs().max())


def last_states(trunk: Any, input_ids: Tensor, position_ids: Tensor | None = None, rows: Rows | None = None) -> Tensor:
    """Return the last hidden states [B, T, H] that a transformers model without a head gives in any of the layouts.

    Packed samples stay apart only with no attention mask, reset positions and no cache.
    """
    sharing = {} if rows is None else {"rows": rows}  # transformers hands it on to the attention function
    out = trunk(input_ids=input_ids, attention_mask=None, position_ids=position_ids, use_cache=False, **sharing)
    states: Tensor = out.last_hidden_state
    return states


@contextlib.contextmanager
def _evaluating(module: nn.Module) -> Iterator[None]:
    training = [part for part in module.modules() if part.training]
    module.eval()
    try:
        yield
    finally:
        for part in training:
            part.training = True
