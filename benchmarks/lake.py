"""The frozen lake as the benchmarks of engines and of rollouts train it: one configuration, one warm start for all."""

from __future__ import annotations

import argparse
import statistics
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assay.trainers.config import TrainConfig

CONFIG = Path(__file__).parents[1] / "configs" / "frozen_lake.yaml"
SETTINGS = ("eval.every=10000", "checkpoint.every=10000", "tensorboard=false", "model.threads=1")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what both benchmarks take."""
    parser.add_argument("--model", type=Path, help="a warm-started model; made here if left out")
    parser.add_argument("--warmstart", type=int, default=300)
    parser.add_argument("overrides", nargs="*", help="changes to every run: dotted.key=value")


def settings(*overrides: str) -> TrainConfig:
    """Return the configuration that all runs share, with changes."""
    from assay.core.config import load_config
    from assay.trainers.config import TrainConfig

    return load_config(TrainConfig, CONFIG, [*SETTINGS, *overrides])


def beginning(options: argparse.Namespace, directory: Path) -> Path:
    """Return the model that all runs begin with: the one given, or the end of a warm start that is done here."""
    from assay.trainers.loop import train

    if options.model is not None:
        return Path(options.model)
    train(settings("steps=0", f"warmstart.steps={options.warmstart}", *options.overrides), directory)
    return directory / "model"


def outcomes(directory: Path, step: int) -> dict[str, float]:
    """Return the share of an evaluation's episodes that were correct, by task."""
    from assay.rollouts.store import read_trajectories

    tasks: dict[str, list[float]] = {}
    for episode in read_trajectories(directory / "trajectories" / f"eval-{step:06d}.jsonl"):
        tasks.setdefault(episode.task_id, []).append(float(episode.correct or False))
    return {task: statistics.mean(found) for task, found in sorted(tasks.items())}
