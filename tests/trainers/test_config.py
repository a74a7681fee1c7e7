from __future__ import annotations

from pathlib import Path

import pytest

from assay.core.config import load_config
from assay.core.errors import ConfigError
from assay.trainers.config import TrainConfig

MINIMAL = ["env.id=assay/Arithmetic-v0", "model.vocabulary='0123456789'"]


def load(*overrides: str) -> TrainConfig:
    return load_config(TrainConfig, None, [*MINIMAL, *overrides])


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("rollout.top_p=0.9", "importance ratio"),
        ("rollout.top_k=20", "importance ratio"),
        ("rollout.min_p=0.1", "importance ratio"),
        ("eval.samples=4", r"pass@8 needs at least 8 samples"),
        ("rollout.group_sise=4", "did you mean 'group_size'"),
        ("optin.learning_rate=1", "did you mean 'optim'"),
        ("rollout.group_size=0", "rollout.group_size"),
        ("rollout.group_size=1", "leaves 'grpo' nothing to compare"),
        ("algorithm.advantage=gae", "needs a critic"),
        ("algorithm.critic={}", "'grpo' would not use it"),
        ("algorithm={advantage: gae, critic: {}, advantage_options: {lam: 1}}", "from the critic"),
        ("algorithm={advantage: gae, critic: {kind: separate, stop_gradient: false}}", "shared trunk"),
        ("algorithm={advantage: gae, critic: {lam: 2}}", "algorithm.critic.lam"),
        ("algorithm={advantage: gae, critic: {lambda: 1}}", "lam"),
        ("algorithm={advantage: gae, critic: {}, noise: {method: backward, rho0: 0.1}}", "critic.whiten"),
        ("algorithm={advantage: gae, critic: {}, dynamic_sampling: keep, noise: {method: forward}}", "use backward"),
        ("algorithm.replay={low: 0.9, high: 0.5}", "below high"),
        ("algorithm.correction={upper: 0.5, lower: 1}", "below upper"),
        ("optim.learning_rate=-1", "optim.learning_rate"),
        ("model.vocabulary=''", "path"),
        ("seed=-1", "seed"),
        ("env.wrappers=[{cost: 1}]", "name: step_cost"),
        ("curriculum={}", "levels"),
        ("curriculum={by: tag, levels: [{terms: 2}]}", "either levels"),
        ("curriculum={by: tags}", "curriculum.by"),
    ],
)
def test_what_makes_no_sense_is_one_clear_line(override: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        load(override)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("advantage", ["gae, critic: {}", "reinforce_pp"])
def test_groups_of_one_need_an_advantage_without_groups_and_no_filter(advantage: str) -> None:
    algorithm = f"algorithm={{advantage: {advantage}, dynamic_sampling: %s}}"
    assert load("rollout.group_size=1", algorithm % "keep").rollout.group_size == 1
    with pytest.raises(ConfigError, match="no group is ever mixed"):
        load("rollout.group_size=1", algorithm % "drop")


def test_fingerprint_counts_what_decides_the_weights() -> None:
    base = load().fingerprint
    assert load("steps=7", "checkpoint.every=1", "eval.every=3", "tensorboard=false").fingerprint == base
    assert load("seed=1").fingerprint != base
    assert load("optim.learning_rate=0.5").fingerprint != base


def test_a_written_config_reads_back_equal(tmp_path: Path) -> None:
    config = load("warmstart.styles={careful: 0.15, guess: 0.4}", "model.lora.rank=4")
    config.write(tmp_path / "config.yaml")
    assert load_config(TrainConfig, tmp_path / "config.yaml") == config
