"""GRPO with vLLM colocated on one GPU: tokens a second, time by phase, weight hand-over, peak memory, MFU.

    python benchmarks/gpu_grpo.py [--steps 12] [--groups 32] [--group-size 16] [--max-tokens 512] [--size 0.5b]
                                  [--engine vllm] [--device auto] [--json FILE]

The model has the shape of Qwen2.5-0.5B (24 layers, width 896, 14 heads and 2 key-value heads, feed-forward 4864, a
vocabulary of 151,936) with random weights: built here, nothing is downloaded. What it says is noise, so episodes run to
`--max-tokens`, and every step does the same work: a benchmark of the system and not of learning. bfloat16 autocast over
float32 weights, recomputed activations, vLLM asleep during the update.

The medians of all steps but the first two are printed, one phase a line. `--size tiny --engine hf --device cpu` runs
the same code on a CPU in seconds (a test does).
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from pathlib import Path
from typing import Any

SIZES: dict[str, dict[str, int]] = {
    "0.5b": {
        "hidden_size": 896,
        "intermediate_size": 4864,
        "num_hidden_layers": 24,
        "num_attention_heads": 14,
        "num_key_value_heads": 2,
        "vocab_size": 151_936,
        "max_position_embeddings": 4096,
    },
    "tiny": {
        "hidden_size": 64,
        "intermediate_size": 96,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "vocab_size": 512,
        "max_position_embeddings": 256,
    },
}
CHARACTERS = "0123456789+-*=;#"
PHASES = ("seconds/rollout", "seconds/update", "seconds/weights")
RATES = ("tokens_per_second/rollout", "tokens_per_second/update", "tflops", "mfu")


def build_model(size: str, directory: Path) -> Path:
    """Write a randomly initialised model with a character tokenizer, an ordinary checkpoint directory."""
    import torch
    from transformers import Qwen2Config, Qwen2ForCausalLM

    from assay.trainers.tokenizer import character_tokenizer

    tokenizer = character_tokenizer(CHARACTERS)
    torch.manual_seed(0)
    config = Qwen2Config(
        **SIZES[size],
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    model = Qwen2ForCausalLM(config)
    print(f"{sum(p.numel() for p in model.parameters()) / 1e6:.1f}M parameters")
    model.save_pretrained(directory)
    tokenizer.save_pretrained(directory)
    return directory


def configuration(options: argparse.Namespace, model: Path) -> Any:
    """Return the run's configuration."""
    from assay.trainers.config import TrainConfig

    vllm = {"gpu_memory_utilization": options.memory, "enable_sleep_mode": True}
    return TrainConfig.model_validate(
        {
            "env": {"id": "assay/Arithmetic-v0"},
            "model": {"path": str(model), "autocast": "bfloat16", "device": options.device},
            "steps": options.steps,
            "rollout": {
                "groups": options.groups,
                "group_size": options.group_size,
                "max_tokens": options.max_tokens,
                "engine": options.engine,
                "engine_options": vllm if options.engine == "vllm" and options.device != "cpu" else {},
                "staleness": options.staleness,
                "record_every": 10_000,
            },
            "algorithm": {"advantage": "rloo", "dynamic_sampling": "keep"},
            "optim": {
                "token_budget": options.token_budget,
                "activation_checkpointing": True,
                "learning_rate": 1e-6,
            },
            "eval": {"every": 10_000, "tasks": 1, "samples": 1, "ks": [1]},
            "checkpoint": {"every": 10_000, "keep": 1},
            "tensorboard": False,
        }
    )


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Train and return the medians."""
    import torch

    from assay.trainers.loop import train
    from assay.trainers.metrics import read_metrics

    cuda = torch.cuda.is_available() and options.device != "cpu"
    if cuda:
        torch.set_float32_matmul_precision("high")
    with tempfile.TemporaryDirectory() as name:
        model = build_model(options.size, Path(name) / "model")
        train(configuration(options, model), Path(name) / "run")
        rows = [row for row in read_metrics(Path(name) / "run") if row["kind"] == "train"]
    counted = rows[2:] or rows
    found = {key: statistics.median(row[key] for row in counted) for key in (*PHASES, *RATES) if key in counted[0]}
    return {
        "device": torch.cuda.get_device_name() if cuda else "cpu",
        "torch": torch.__version__,
        "steps": len(counted),
        "tokens_per_episode": statistics.mean(row["tokens_per_episode"] for row in counted),
        "mismatch_kl": statistics.median(row.get("mismatch_kl", 0.0) for row in counted),
        "peak_gib": torch.cuda.max_memory_allocated() / 2**30 if cuda else None,
        **found,
    }


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=sorted(SIZES), default="0.5b")
    parser.add_argument("--engine", choices=("vllm", "hf"), default="vllm")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--groups", type=int, default=32)
    parser.add_argument("--group-size", type=int, default=16)
    parser.add_argument("--max-tokens", type=int, default=512)
    parser.add_argument("--token-budget", type=int, default=65_536)
    parser.add_argument("--staleness", type=int, default=0)
    parser.add_argument("--memory", type=float, default=0.4, help="share of the GPU that vLLM may take")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    options = parser.parse_args()
    found = measure(options)
    for name, value in found.items():
        print(f"{name:<28} {value:.4g}" if isinstance(value, float) else f"{name:<28} {value}")
    if options.json is not None:
        options.json.write_text(json.dumps(found, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
