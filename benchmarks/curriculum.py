"""Does a curriculum beat uniform sampling at equal compute? A range of difficulties, a small model, several seeds.

    python benchmarks/curriculum.py RUNS_DIR [--steps N] [--seeds N] [key=value ...]

Both arms of the comparison have the same warm start, steps, groups and episodes; only the policy differs. It prints
the held-out pass@1 of every run and the paired difference for each seed.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from assay.core.config import load_config
from assay.trainers.config import TrainConfig
from assay.trainers.loop import train

BASE = Path(__file__).parent.parent / "configs" / "arithmetic.yaml"
LEVELS = [2, 4, 6, 8, 10]
POLICIES = ("uniform", "learnability")


def pass_at_1(run: Path, policy: str, seed: int, steps: int, overrides: list[str]) -> float:
    """Train one run and return its last held-out pass@1 over the whole range."""
    levels = ", ".join(f"{{terms: {terms}}}" for terms in LEVELS)
    settings = [
        f"env.options={{terms: [{LEVELS[0]}, {LEVELS[-1]}]}}",
        f"curriculum={{policy: {policy}, levels: [{levels}]}}",
        "algorithm.dynamic_sampling=drop",
        f"steps={steps}",
        f"seed={seed}",
        "tensorboard=false",
        *overrides,
    ]
    result = train(load_config(TrainConfig, BASE, settings), run / f"{policy}-{seed}", resume=False, overwrite=True)
    accuracy = result.evaluations[steps].pass_at_1.value
    if accuracy is None:
        raise SystemExit(f"{policy}, seed {seed}: no held-out episode got a verdict")
    return accuracy


def main() -> None:
    """Run the comparison."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", type=Path)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("overrides", nargs="*")
    options = parser.parse_args()
    scores = np.array(
        [
            [pass_at_1(options.runs, policy, seed, options.steps, options.overrides) for policy in POLICIES]
            for seed in range(options.seeds)
        ]
    )
    for seed, row in enumerate(scores):
        print(f"seed {seed}: " + ", ".join(f"{name} {value:.3f}" for name, value in zip(POLICIES, row, strict=True)))
    gain = scores[:, 1] - scores[:, 0]
    print(f"{POLICIES[1]} - {POLICIES[0]}: mean {gain.mean():+.3f}, from {gain.min():+.3f} to {gain.max():+.3f}")


if __name__ == "__main__":
    main()
