"""The contract of an engine: token ids in, token ids and their log-probabilities out.

Invariants:

* `Completion.logprobs` are those of the distribution that was sampled from: temperature applied, and nothing cut
  off. Training refuses top-p, top-k and min-p (`SamplingParams.truncated`), whose log-probabilities are over a
  nucleus and bias the importance ratio.
* After `update_weights` returns, no key-value cache computed with older weights is used again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from assay.core.trajectory import FinishReason

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class SamplingParams:
    """How to sample. The defaults are the only honest ones for training."""

    max_tokens: int = 512
    temperature: float = 1.0
    """0 means greedy."""
    top_p: float = 1.0
    top_k: int = 0
    min_p: float = 0.0
    stop_token_ids: tuple[int, ...] = ()
    seed: int | None = None
    """With a seed the completion depends only on weights, prompt and seed, not on what else is in the batch."""
    top_logprobs: int = 0
    """How many of the most probable tokens to report at every position; 20 at most."""

    @property
    def truncated(self) -> bool:
        """Whether part of the distribution is cut off."""
        return self.top_p < 1.0 or self.top_k > 0 or self.min_p > 0.0


@dataclass(frozen=True, slots=True)
class Completion:
    """What an engine sampled. The stop token is the last of `token_ids` when `finish_reason` is `stop`."""

    token_ids: tuple[int, ...]
    logprobs: tuple[float, ...]
    finish_reason: FinishReason
    weight_version: int = 0
    """Version of the weights that sampled the last token."""
    top_logprobs: tuple[tuple[tuple[int, float], ...], ...] = ()
    """The most probable (token, log-probability) at every position, best first, where they were asked for."""
    weight_spans: tuple[tuple[int, int], ...] = ()
    """(version, tokens) of each stretch, in order, where the weights changed on the way; otherwise empty."""


@runtime_checkable
class Engine(Protocol):
    """An inference engine. All methods are called from one asyncio loop."""

    weight_version: int
    max_context: int
    """Longest sequence in tokens, prompt included."""

    async def generate(self, token_ids: Sequence[int], sampling: SamplingParams) -> Completion:
        """Sample a continuation. Raises `EngineFault` when the engine is gone."""
        ...

    async def update_weights(self, source: Iterable[tuple[str, "torch.Tensor"]] | None, version: int) -> None:
        """Take new weights (name, tensor); None when the engine shares the trainer's module. Drops stale caches."""
        ...

    async def sleep(self) -> None:
        """Free what memory can be freed while the trainer works."""
        ...

    async def wake(self) -> None:
        """Undo `sleep`."""
        ...

    async def close(self) -> None:
        """Stop. Idempotent."""
        ...
