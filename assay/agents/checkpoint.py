"""Read Hugging Face checkpoint directories, with errors that say which file is missing before anything large is read.

Imports transformers when called, torch for types only.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from assay.core.errors import ConfigError

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

TOKENIZER_FILES = ("tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt", "spiece.model")


def read_tokenizer(path: str | Path, *, chat: bool = True) -> PreTrainedTokenizerBase:
    """Read the tokenizer of a checkpoint directory. `ConfigError` names what the directory lacks.

    With `chat` it must have a chat template and a token that ends a turn; reward models need neither.
    """
    try:
        from transformers import AutoTokenizer, PreTrainedTokenizerFast
    except ImportError:
        raise ConfigError("models need torch and transformers: pip install 'assay-rl[train]'") from None

    directory = Path(path)
    if not directory.is_dir():
        raise ConfigError(f"model {path}: there is no such directory")
    if not any((directory / name).is_file() for name in ("config.json", "adapter_config.json")):
        inside = (
            "; its model is in " + str(directory / "model") if (directory / "model" / "config.json").is_file() else ""
        )
        raise ConfigError(f"model {path}: no config.json; this is not a Hugging Face checkpoint directory{inside}")
    if not any((directory / name).is_file() for name in TOKENIZER_FILES):
        raise ConfigError(f"model {path}: no tokenizer (tokenizer.json); copy the tokenizer files beside the weights")
    try:
        # AutoTokenizer puts the splitting rules of the model's family over a tokenizer of another kind (transformers
        # 5.x, Qwen2 and others): one of characters would lose its spaces. The file itself says all there is to know.
        reader = PreTrainedTokenizerFast if _is_whole(directory) else AutoTokenizer
        tokenizer: PreTrainedTokenizerBase = reader.from_pretrained(path, local_files_only=True)
    except (OSError, ValueError) as error:
        raise ConfigError(f"model {path}: the tokenizer cannot be read: {str(error).splitlines()[0]}") from error
    if not chat:
        return tokenizer
    if tokenizer.chat_template is None:
        raise ConfigError(f"model {path}: the tokenizer has no chat template; add chat_template.jinja to the directory")
    if tokenizer.eos_token_id is None:
        raise ConfigError(f"model {path}: the tokenizer has no end-of-sequence token, so no turn could end")
    return tokenizer


def _is_whole(directory: Path) -> bool:
    """Whether `tokenizer.json` is a tokenizer of no family's own class."""
    try:
        settings = json.loads((directory / "tokenizer_config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    named = isinstance(settings, dict) and settings.get("tokenizer_class")
    return named in ("TokenizersBackend", "PreTrainedTokenizerFast") and (directory / "tokenizer.json").is_file()


def read_model(path: str | Path, dtype: torch.dtype | None = None) -> PreTrainedModel:
    """Read the weights of a checkpoint directory (or of an adapter directory that names its base), float32 by default.

    The model is in evaluation mode, on the CPU.
    """
    import torch
    from safetensors import SafetensorError
    from transformers import AutoModelForCausalLM
    from transformers.utils import logging

    # Progress belongs to the command line; transformers would draw bars for reading files of a few megabytes.
    logging.disable_progress_bar()
    try:
        model: PreTrainedModel = AutoModelForCausalLM.from_pretrained(
            path, dtype=dtype or torch.float32, local_files_only=True
        )
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        raise ConfigError(f"model {path}: cannot be loaded: {str(error).strip().splitlines()[0]}") from error
    return model.eval()


def pick_device(name: str) -> torch.device:
    """Return the device of this name; `auto` takes a GPU when there is one."""
    import torch

    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        raise ConfigError(f"{name!r} is no device; use auto, cpu or cuda") from None
    if device.type == "cuda" and not torch.cuda.is_available():
        raise ConfigError(f"device {name!r} is not there; this torch sees no GPU")
    return device


def use_threads(number: int | None) -> None:
    """Compute on so many CPU threads in this process; None leaves it as it is."""
    import torch

    if number is not None:
        torch.set_num_threads(number)
