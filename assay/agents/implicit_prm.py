"""`ImplicitScorer`: two policies as a process reward model, by the ratio of their probabilities.

    name: prm
    aggregator: last
    scorer: {factory: "assay.agents.implicit_prm:ImplicitScorer", model: TRAINED, reference: BEFORE, beta: 0.05}

Both are checkpoint directories of causal language models with one tokenizer.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from assay.agents.checkpoint import read_tokenizer
from assay.agents.engines.hf_logprobs import HFLogprobs
from assay.core.errors import ConfigError
from assay.verifiers.process.formats.base import encode_own, encode_text, template_pieces
from assay.verifiers.process.implicit import implicit_step_rewards, prefix_probabilities

_PROBLEM, _ANSWER = "stand-in(problem)", "stand-in(answer)"


class ImplicitScorer:
    """A `Scorer`: after each step, the probability of a right outcome. Safe between threads."""

    def __init__(self, model: str | Path, reference: str | Path, *, beta: float = 0.05, device: str = "auto") -> None:
        """Read both models. `ConfigError` when their vocabularies differ."""
        self.tokenizer: Any = read_tokenizer(model)
        self._policy, self._reference = HFLogprobs(model, device=device), HFLogprobs(reference, device=device)
        if (
            self._policy.vocabulary != self._reference.vocabulary
            or read_tokenizer(reference).get_vocab() != self.tokenizer.get_vocab()
        ):
            raise ConfigError(f"{model} and {reference} have different vocabularies: their ratio means nothing")
        self.beta = beta
        self._lock = threading.Lock()

    def step_rewards(self, problem: str, steps: Sequence[str]) -> list[float]:
        """Return β·log(π / π_ref) of each step: unbounded, for use as rewards. `EngineFault` beyond the context."""
        messages = [{"role": "user", "content": _PROBLEM}, {"role": "assistant", "content": _ANSWER}]
        with self._lock:  # a tokenizer's handling of special tokens is a state of it
            before, between, _ = template_pieces(self.tokenizer, messages, [_PROBLEM, _ANSWER])
            ids = encode_own(self.tokenizer, before) + encode_text(self.tokenizer, problem)
            ids += encode_own(self.tokenizer, between)
            start, ends = len(ids), []
            for step in steps:
                ids += encode_text(self.tokenizer, step)
                ends.append(len(ids) - start)
            return implicit_step_rewards(self.log_ratios(ids, start), ends, beta=self.beta)

    def score_steps(self, problem: str, steps: Sequence[str]) -> list[float]:
        """Return the implied probability of a right outcome after each step."""
        return prefix_probabilities(self.step_rewards(problem, steps))

    def log_ratios(self, token_ids: Sequence[int], start: int) -> list[float]:
        """Return log π − log π_ref of `token_ids[start:]`, for sampled tokens, which must not be encoded again."""
        policy, reference = self._policy.read(token_ids, start), self._reference.read(token_ids, start)
        return [a - b for a, b in zip(policy, reference, strict=True)]
