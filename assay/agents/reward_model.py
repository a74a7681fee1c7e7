"""`RewardModelScorer`: a process reward model as the `Scorer` of the `prm` verifier.

    name: prm
    scorer: {factory: "assay.agents.reward_model:RewardModelScorer", model: DIRECTORY, format: qwen2.5-math-prm}

The format says how a solution is written and where its scores stand; the backend computes (`hf` or `vllm`).
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol

from assay.agents.checkpoint import read_tokenizer
from assay.core.errors import ConfigError, EngineFault
from assay.verifiers.process.formats import FORMATS, PRMFormat, Rendered, activate


class RewardModel(Protocol):
    """What a backend does."""

    max_context: int

    def read(self, solutions: Sequence[Rendered], columns: Sequence[int] | None) -> list[list[list[float]]]:
        """Return the raw outputs at each slot of each solution, those of `columns` of the vocabulary where given."""
        ...

    def close(self) -> None:
        """Free what it holds."""
        ...


class RewardModelScorer:
    """A `BatchScorer`: scores steps, each in [0, 1]. Safe between threads; calls are computed one after another."""

    def __init__(
        self,
        model: str | Path,
        format: str | PRMFormat,
        *,
        backend: Literal["hf", "vllm"] = "hf",
        format_options: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> None:
        """Read the checkpoint directory `model`.

        Args:
            model: a checkpoint directory with its tokenizer.
            format: a name of `FORMATS`, or a format of your own.
            backend: `hf` or `vllm`.
            format_options: options of the format, such as `{separator: ";"}`.
            options: those of the backend, such as `device`, `dtype`.
        """
        self.format = FORMATS.make(format, **dict(format_options or {})) if isinstance(format, str) else format
        self.tokenizer: Any = read_tokenizer(model, chat=False)
        self._columns = self.format.judgement_ids(self.tokenizer)
        self._lock = threading.Lock()
        self._backend: RewardModel
        if backend == "hf":
            from assay.agents.engines.hf_reward import HFRewardModel

            self._backend = HFRewardModel(model, self.format.head, **options)
        elif backend == "vllm":
            from assay.agents.engines.vllm_reward import VLLMRewardModel

            words = self.tokenizer.convert_ids_to_tokens(list(self._columns)) if self._columns else None
            self._backend = VLLMRewardModel(model, self.format.head, judgements=words, **options)
        else:
            raise ConfigError(f"unknown backend {backend!r}; use 'hf' or 'vllm'")

    def score_steps(self, problem: str, steps: Sequence[str]) -> list[float]:
        """Return the probability that each step is good. `EngineFault` when the model cannot tell."""
        (scores,) = self.score_batch([(problem, steps)])
        if isinstance(scores, EngineFault):
            raise scores
        return scores

    def score_batch(self, solutions: Sequence[tuple[str, Sequence[str]]]) -> list[list[float] | EngineFault]:
        """Do the same for many solutions; one that is longer than the model's context has its own fault."""
        room = self._backend.max_context
        scores: list[list[float] | EngineFault] = []
        with self._lock:  # a tokenizer's handling of special tokens is a state of it
            rendered = [
                self.format.render(self.tokenizer, problem, steps) if steps else None for problem, steps in solutions
            ]
            fitting = [row for row in rendered if row is not None and len(row.token_ids) <= room]
            outputs = iter(self._backend.read(fitting, self._columns) if fitting else ())
        for row in rendered:
            if row is not None and len(row.token_ids) > room:
                scores.append(EngineFault(f"{len(row.token_ids)} tokens are more than the model's {room}"))
            else:
                scores.append([activate(self.format.head, at) for at in next(outputs)] if row is not None else [])
        return scores

    def close(self) -> None:
        """Free the model."""
        self._backend.close()
