"""Train from Python: a tiny model, and an advantage function of our own beside the built-in ones.

    python examples/train.py [RUN_DIR]

It takes seconds and learns little; `make demo` is the real thing. docs/train.md explains the settings.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from assay.core.config import load_config
from assay.core.trajectory import Group
from assay.trainers.advantages import ADVANTAGES, Advantages
from assay.trainers.advantages.base import per_trajectory
from assay.trainers.binding import bindable
from assay.trainers.config import TrainConfig
from assay.trainers.loop import train

SMOKE = Path(__file__).parent.parent / "configs" / "smoke.yaml"


def ranked(groups: Sequence[Group], *, scale: float = 1.0) -> Advantages:
    """Return the sign of the reward's distance from the group's mean: deaf to how large rewards are."""
    return per_trajectory(groups, lambda rewards: scale * np.sign(rewards - rewards.mean()))


ADVANTAGES.register("ranked", bindable("advantage", ranked))


def main(run_dir: Path) -> None:
    """Train, and say what the held-out tasks say."""
    overrides = ["algorithm.advantage=ranked", "algorithm.advantage_options.scale=0.5", "steps=2"]
    result = train(load_config(TrainConfig, SMOKE, overrides), run_dir)
    for step, summary in sorted(result.evaluations.items()):
        print(f"step {step}: pass@1 {summary.pass_at[1]}, pass@4 {summary.pass_at[4]}")
    print(f"model: {result.run_dir / 'model'}")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as directory:
            main(Path(directory) / "run")
