"""`HFLogprobs`: how probable a causal language model finds the tokens of a given sequence, in this process."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from assay.agents.checkpoint import pick_device, read_model
from assay.core.errors import EngineFault


class HFLogprobs:
    """A frozen language model over a checkpoint directory. Calls may come from any thread, one at a time."""

    def __init__(self, path: str | Path, *, device: str = "auto") -> None:
        """Read the weights in float32."""
        self._device = pick_device(device)
        self._model: Any = read_model(path).to(self._device)
        config = self._model.config.get_text_config()
        self.max_context: int = config.max_position_embeddings
        self.vocabulary: int = config.vocab_size

    def read(self, token_ids: Sequence[int], start: int) -> list[float]:
        """Return log p of `token_ids[start:]`, each given what precedes it; `start` is at least 1.

        Raises `EngineFault` when the sequence is longer than the model's context.
        """
        if len(token_ids) > self.max_context:
            raise EngineFault(f"{len(token_ids)} tokens are more than the model's {self.max_context}")
        ids = torch.tensor([list(token_ids)], device=self._device)
        before = torch.arange(start - 1, len(token_ids) - 1, device=self._device)
        with torch.inference_mode():
            logits = self._model(input_ids=ids, use_cache=False, logits_to_keep=before).logits[0].float()
            logprobs = logits.log_softmax(-1).gather(-1, ids[0, start:, None])[:, 0]
        values: list[float] = logprobs.tolist()
        return values
