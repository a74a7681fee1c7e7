"""`HFRewardModel`: the outputs of a reward model at chosen positions, computed with transformers in this process.

Any trunk that transformers knows, with the heads that process reward models have: that of the language model, a linear
layer (`score`, `classifier`, `v_head.summary`), or two with a ReLU between (Qwen2.5-Math-PRM). Heads are read from the
weights by name; no code of the checkpoint runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from assay.agents.checkpoint import pick_device, read_model
from assay.core.errors import ConfigError
from assay.verifiers.process.formats import Head, Rendered

_HEADS = (("score.0", "score.2"), ("score",), ("classifier",), ("v_head.summary",))
"""Names of the layers of a head; the first whose weights are there is taken."""


class HFRewardModel:
    """A trunk and a head. Calls may come from any thread, one at a time."""

    def __init__(self, path: str | Path, head: Head, *, device: str = "auto", dtype: str = "float32") -> None:
        """Read a checkpoint directory. `ConfigError` when it has no head of this kind.

        `dtype` is that of the trunk; heads of their own run in float32.
        """
        kind = getattr(torch, dtype, None)
        if not isinstance(kind, torch.dtype):
            raise ConfigError(f"{dtype!r} is no type of weights; use float32, bfloat16 or float16")
        self._device = pick_device(device)
        self._model: Any
        if head == "tokens":
            self._model, self._head = read_model(path, kind), None
        else:
            self._model, self._head = _read_trunk(path, kind), _read_head(path, 2 if head == "labels" else 1)
            self._head.to(self._device)
        self._model.to(self._device)
        self.max_context: int = self._model.config.get_text_config().max_position_embeddings

    def read(self, solutions: Sequence[Rendered], columns: Sequence[int] | None) -> list[list[list[float]]]:
        """Return the raw outputs at each slot: those of `columns` of the vocabulary, or all of the head's.

        Solutions are computed one by one: they are long, and their lengths differ.
        """
        return [self._read(solution, columns) for solution in solutions]

    def _read(self, solution: Rendered, columns: Sequence[int] | None) -> list[list[float]]:
        ids = torch.tensor([solution.token_ids], device=self._device)
        at = torch.tensor(solution.slots, device=self._device)
        with torch.inference_mode():
            if self._head is None:
                outputs = self._model(input_ids=ids, use_cache=False, logits_to_keep=at).logits[0].float()
                outputs = outputs[:, list(columns or ())]
            else:
                hidden = self._model(input_ids=ids, use_cache=False).last_hidden_state[0]
                outputs = self._head(hidden[at].float())
        rows: list[list[float]] = outputs.tolist()
        return rows

    def close(self) -> None:
        """Free the weights."""
        self._model = self._head = None


def _read_trunk(path: str | Path, dtype: torch.dtype) -> Any:
    from transformers import AutoModel
    from transformers.utils import logging

    logging.disable_progress_bar()
    verbosity = logging.get_verbosity()
    logging.set_verbosity_error()  # it would list the head's weights as unexpected
    try:
        model = AutoModel.from_pretrained(path, dtype=dtype, local_files_only=True, trust_remote_code=False)
    except (OSError, ValueError, RuntimeError) as error:
        raise ConfigError(f"model {path}: cannot be loaded: {str(error).strip().splitlines()[0]}") from error
    finally:
        logging.set_verbosity(verbosity)
    return model.eval()


def _read_head(path: str | Path, width: int) -> nn.Module:
    """Read the layers of the head; its last one must have `width` outputs."""
    weights = _head_weights(path)
    for names in _HEADS:
        if f"{names[0]}.weight" not in weights:
            continue
        layers = [_linear(weights, name) for name in names]
        if layers[-1].out_features != width:
            raise ConfigError(f"model {path}: its head has {layers[-1].out_features} outputs, not {width}")
        return nn.Sequential(layers[0], *(layer for later in layers[1:] for layer in (nn.ReLU(), later)))
    raise ConfigError(f"model {path}: no head of a reward model ({', '.join(names[0] for names in _HEADS)})")


def _head_weights(path: str | Path) -> dict[str, Tensor]:
    from safetensors import safe_open

    files = sorted(Path(path).glob("*.safetensors"))
    if not files:
        raise ConfigError(f"model {path}: no *.safetensors; heads are read from those")
    found: dict[str, Tensor] = {}
    for file in files:
        with safe_open(file, framework="pt") as tensors:
            names = [n for n in tensors.keys() if n.startswith(("score.", "classifier.", "v_head."))]  # noqa: SIM118 - no mapping
            found.update((name, tensors.get_tensor(name)) for name in names)
    return found


def _linear(weights: dict[str, Tensor], name: str) -> nn.Linear:
    weight, bias = weights[f"{name}.weight"], weights.get(f"{name}.bias")
    layer = nn.Linear(weight.shape[1], weight.shape[0], bias=bias is not None)
    layer.load_state_dict({"weight": weight} if bias is None else {"weight": weight, "bias": bias})
    return layer.eval().requires_grad_(False)
