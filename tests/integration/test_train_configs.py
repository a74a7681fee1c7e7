"""Every training configuration that is shipped runs from end to end, with fewer steps."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from assay.core.config import load_config
from assay.trainers.config import TrainConfig
from assay.trainers.loop import train
from assay.trainers.metrics import read_metrics

CONFIGS = sorted((Path(__file__).parents[2] / "configs").glob("*.yaml"))
SHORT = [
    "steps=1",
    "warmstart.steps=3",
    "warmstart.demonstrations=20",
    "warmstart.batch=8",
    "rollout.groups=2",
    "rollout.group_size=2",
    "algorithm.dynamic_sampling=keep",
    "eval.tasks=4",
    "eval.samples=2",
    "eval.ks=[1, 2]",
]


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_a_shipped_configuration_runs(path: Path, tmp_path: Path) -> None:
    torch.set_num_threads(1)
    config = load_config(TrainConfig, path, SHORT)
    result = train(config, tmp_path / "run")
    assert result.finished
    assert sorted(result.evaluations) == [0, 1]
    (row,) = (row for row in read_metrics(tmp_path / "run") if row["kind"] == "train")
    assert row["episodes"] == (8 if config.rollout.self_play else 4)
    if not config.rollout.self_play:  # where one seat can lose before the other has had a turn
        assert row["unscored"] == 0


def test_there_are_configurations_to_run() -> None:
    assert {"arithmetic", "calculator", "code", "ppo", "smoke", "web"} <= {path.stem for path in CONFIGS}
